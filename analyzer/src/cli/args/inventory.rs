//! `keytrail inventory`.

use std::path::PathBuf;

use clap::Args;

use super::super::exit;
use super::region;

#[derive(Args, Debug)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", exit::help()))]
pub(in crate::cli) struct InventoryArgs {
    /// Folder for the answers: a file for each account and Region, each whole or not there.
    ///
    /// A run that was broken off goes on when it is started again with the same folder. A run that was through begins anew,
    /// and its files give way one by one.
    #[arg(long, short, value_name = "FOLDER", help_heading = "What to write")]
    pub(in crate::cli) output: PathBuf,

    /// Only this Region; may be repeated or separated by commas [default: all that the account has enabled].
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = region, help_heading = "What to ask about")]
    pub(in crate::cli) region: Vec<String>,

    /// All accounts of the organization, not only that of the credentials.
    #[arg(long, requires = "assume_role", help_heading = "What to ask about")]
    pub(in crate::cli) org: bool,

    /// Name of the role to assume in the other accounts of the organization, with its path if it has one.
    #[arg(long, value_name = "NAME", requires = "org", value_parser = role, help_heading = "What to ask about")]
    pub(in crate::cli) assume_role: Option<String>,

    /// Profile of the AWS configuration [default: as the AWS CLI finds it].
    #[arg(long, value_name = "NAME", help_heading = "AWS")]
    pub(in crate::cli) profile: Option<String>,

    /// Where all services are, when they are not at AWS.
    #[arg(long, value_name = "URL", help_heading = "AWS")]
    pub(in crate::cli) endpoint_url: Option<String>,

    /// No progress bar and no remarks on standard error; warnings and errors stay.
    #[arg(long, short, help_heading = "What to write")]
    pub(in crate::cli) quiet: bool,
}

const EXAMPLES: &str = "\
Examples:
  keytrail inventory --output ./inventory                    all enabled Regions of this account
  keytrail inventory --output ./inventory --region eu-west-1
  keytrail inventory --output ./inventory --org --assume-role audit/keytrail
  keytrail keys ./lake --inventory ./inventory               what it says, beside the logs";

/// A name of a role: what IAM admits, so that nothing else gets into the ARN.
fn role(text: &str) -> Result<String, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c);
    if text.is_empty() || !text.chars().all(sound) {
        return Err("a name of a role has letters, digits and any of +=,.@_-".into());
    }
    Ok(text.trim_matches('/').to_string())
}

//! `keytrail verify`.

use std::path::PathBuf;

use clap::Args;

use super::{Limits, S3Args, VerifyFormat, account, region};
use crate::config::When;

#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(in crate::cli) struct VerifyArgs {
    /// Folder or s3://BUCKET/PREFIX with CloudTrail's log files and digest files.
    ///
    /// Of a folder, the signature of a digest is read from FILE.metadata.json beside it, which holds what `aws s3api
    /// head-object` prints, else from the digest after it. Several trails, accounts and Regions may stand in it.
    #[arg(required = true, value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// CloudTrail's public keys: what `aws cloudtrail list-public-keys` prints. May be repeated, or one file may hold several.
    ///
    /// Each Region has its own keys. Without it, the commands that fetch those that are needed are printed.
    #[arg(long, value_name = "FILE", help_heading = "What to look at")]
    pub(in crate::cli) public_keys: Vec<PathBuf>,

    /// Log files delivered from here on: 2026-03-01 or 2026-03-01T08:30:00Z [default: from the first digest on].
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) from: Option<When>,

    /// Log files delivered up to here; a day counts whole, a moment not itself [default: to the last digest].
    ///
    /// With --from and --to, time of the period without a digest makes the verdict incomplete.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) to: Option<When>,

    /// Only logs of this account; may be repeated or separated by commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = account, help_heading = "What to look at")]
    pub(in crate::cli) account: Vec<String>,

    /// Only logs of this Region; may be repeated or separated by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = region, help_heading = "What to look at")]
    pub(in crate::cli) region: Vec<String>,

    /// How to write it [default: as the name of --output ends, else text].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What to write")]
    pub(in crate::cli) format: Option<VerifyFormat>,

    /// Write to a file instead of standard output.
    ///
    /// The file appears whole, or not at all when the run fails.
    #[arg(long, short, value_name = "FILE", help_heading = "What to write")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// No progress bar and no remarks on standard error; warnings and errors stay.
    #[arg(long, short, help_heading = "What to write")]
    pub(in crate::cli) quiet: bool,

    /// Go on where a run that was interrupted stopped: FILE keeps what log files in S3 held, and is made when it is not there.
    ///
    /// An object counts as known when its name, ETag and size are those that were hashed. Digests are read again. A run that
    /// ends valid or invalid removes the file; the next one looks at everything.
    #[arg(long, value_name = "FILE", help_heading = "Limits")]
    pub(in crate::cli) resume: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) limits: Limits,

    #[command(flatten)]
    pub(in crate::cli) s3: S3Args,
}

const EXAMPLES: &str = "\
Examples:
  aws cloudtrail list-public-keys --region eu-west-1 --start-time 2026-03-01 >> keys.json
  keytrail verify s3://trail-bucket/AWSLogs/ --public-keys keys.json --from 2026-03-01 --to 2026-03-31
  keytrail verify ./trail-bucket --public-keys keys.json --format json | jq '.problems[]'

Exit codes:
   0  valid: everything is there, unchanged and signed
   1  could not run
   2  wrong usage, or no public keys
   3  nothing to verify
   4  incomplete: nothing was tampered with, yet not everything could be proven
  10  invalid: something was changed or removed";

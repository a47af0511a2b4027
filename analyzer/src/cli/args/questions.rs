//! Commands that ask about keys, findings and controls: `keys`, `timeline`, `retire`, `explain`,
//! `report`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::super::exit;
use super::{AskFormat, KeysFormat, Limits, ReportFormat, S3Args, account, region};
use crate::config::{Period, Settings, When};
use crate::pipeline::ScanOptions;
use crate::report::retire::ATTESTABLE;

/// Which accounts and Regions are looked at.
#[derive(Args, Debug)]
pub(in crate::cli) struct Only {
    /// Only this account; may be repeated or separated by commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = account, help_heading = "What to look at")]
    pub(in crate::cli) account: Vec<String>,

    /// Only this Region; may be repeated or separated by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = region, help_heading = "What to look at")]
    pub(in crate::cli) region: Vec<String>,
}

/// What KMS itself says beside the logs.
#[derive(Args, Debug)]
pub(in crate::cli) struct FromKms {
    /// What KMS itself says of the keys: files or folders that `keytrail inventory` wrote, or answers of `aws kms` as JSON.
    ///
    /// Each fact counts for the time at which KMS said it, never for before; later events of the log outrank it. Keys that
    /// only the inventory has are looked at too, and everything of which log and inventory say different things is told.
    /// May be repeated.
    #[arg(long, value_name = "PATH", help_heading = "What to look at")]
    pub(in crate::cli) inventory: Vec<String>,
}

/// What every question takes beside its sources.
#[derive(Args, Debug)]
pub(in crate::cli) struct Around {
    /// Configuration file [default: ./keytrail.toml, if there is one].
    #[arg(long, value_name = "FILE", help_heading = "What to look at")]
    pub(in crate::cli) config: Option<PathBuf>,

    /// No progress bar and no remarks on standard error; warnings and errors stay.
    #[arg(long, short, help_heading = "What to write")]
    pub(in crate::cli) quiet: bool,

    #[command(flatten)]
    pub(in crate::cli) limits: Limits,

    #[command(flatten)]
    pub(in crate::cli) s3: S3Args,
}

impl Around {
    /// Options of a run over these sources.
    pub(in crate::cli) fn options(&self, sources: &[String], settings: Settings) -> ScanOptions {
        self.limits.apply(sources.to_vec(), settings, &self.s3)
    }
}

#[derive(Args, Debug)]
#[command(after_long_help = format!("{KEYS_EXAMPLES}\n\n{}", exit::help()))]
pub(in crate::cli) struct KeysArgs {
    /// File, folder, glob or s3://BUCKET/PREFIX of CloudTrail logs, or a lake; `-` for standard input. As of `keytrail scan`.
    ///
    /// What these logs do not tell of a key is unknown: it is never guessed.
    #[arg(required = true, value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// How the keys stood at this instant [default: the time of the last event].
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) as_of: Option<When>,

    #[command(flatten)]
    pub(in crate::cli) kms: FromKms,

    #[command(flatten)]
    pub(in crate::cli) only: Only,

    /// How to write the keys [default: as the name of --output ends, else text].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What to write")]
    pub(in crate::cli) format: Option<KeysFormat>,

    /// Write to a file instead of standard output.
    ///
    /// The file appears whole, or not at all when the run fails.
    #[arg(long, short, value_name = "FILE", help_heading = "What to write")]
    pub(in crate::cli) output: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) around: Around,
}

const KEYS_EXAMPLES: &str = "\
Examples:
  keytrail keys ./lake                        every key that the lake knows
  keytrail keys ./AWSLogs --output keys.csv   for a spreadsheet
  keytrail keys ./lake --format json | jq '.keys[] | select(.last_use == null) | .arn'";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{EXPLAIN_EXAMPLES}\n\n{}", exit::help()))]
pub(in crate::cli) struct ExplainArgs {
    /// Id of the finding, or the first 8 or more digits of it.
    #[arg(value_name = "ID")]
    pub(in crate::cli) id: String,

    /// The sources that the finding came from: files, folders, s3://BUCKET/PREFIX, or a lake.
    ///
    /// The records of a lake are fetched from the objects that it was filled from.
    #[arg(required = true, value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// Report events from here on, as `keytrail scan` was told.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) from: Option<When>,

    /// Report events up to here, as `keytrail scan` was told.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) to: Option<When>,

    /// Count "overdue", "unused" and "still open" from here, as `keytrail scan` was told.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) as_of: Option<When>,

    #[command(flatten)]
    pub(in crate::cli) kms: FromKms,

    #[command(flatten)]
    pub(in crate::cli) only: Only,

    /// How to write it [default: text].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What to write")]
    pub(in crate::cli) format: Option<AskFormat>,

    #[command(flatten)]
    pub(in crate::cli) around: Around,
}

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  keytrail explain 05dae0a0 ./AWSLogs                the finding, its records, and commands that fetch them
  keytrail explain 05dae0a0 ./lake --format json     the same for a ticket";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{TIMELINE_EXAMPLES}\n\n{}", exit::help()))]
#[command(group = clap::ArgGroup::new("asked").required(true).args(["key", "resource"]))]
pub(in crate::cli) struct TimelineArgs {
    /// File, folder, glob or s3://BUCKET/PREFIX of CloudTrail logs, or a lake; `-` for standard input. As of `keytrail scan`.
    #[arg(required = true, value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// The key: its id, ARN or alias. A key that an alias pointed at before is told too.
    #[arg(long, value_name = "KEY", help_heading = "What to look at")]
    pub(in crate::cli) key: Option<String>,

    /// Something that keys protect: an S3 object or bucket, secret, volume, table, by ARN or by the last part of it.
    ///
    /// Tells under which keys it stood, who used it, what failed, and what was done to the keys since. With S3 Bucket Keys
    /// the log names the bucket and not the object.
    #[arg(long, value_name = "RESOURCE", help_heading = "What to look at")]
    pub(in crate::cli) resource: Option<String>,

    /// Show what happened from here on: 2026-03-01 or 2026-03-01T08:30:00Z. Everything is read all the same.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) from: Option<When>,

    /// Show what happened up to here; a day counts whole, a moment not itself.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) to: Option<When>,

    #[command(flatten)]
    pub(in crate::cli) only: Only,

    /// How to write it [default: as the name of --output ends, else text].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What to write")]
    pub(in crate::cli) format: Option<AskFormat>,

    /// Write to a file instead of standard output.
    ///
    /// The file appears whole, or not at all when the run fails.
    #[arg(long, short, value_name = "FILE", help_heading = "What to write")]
    pub(in crate::cli) output: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) around: Around,
}

const TIMELINE_EXAMPLES: &str = "\
Examples:
  keytrail timeline ./lake --key alias/payments              the story of one key
  keytrail timeline ./lake --resource vol-0c3d4e5f60718293a  who used what protects this volume
  keytrail timeline ./lake --key 1234abcd-12ab-34cd-56ef-1234567890ab --from 2026-09-01 --format json";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{REPORT_EXAMPLES}\n\n{}", exit::help()))]
pub(in crate::cli) struct ReportArgs {
    /// File, folder, glob or s3://BUCKET/PREFIX of CloudTrail logs, or a lake; `-` for standard input. As of `keytrail scan`.
    #[arg(required_unless_present = "list", value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// Framework to report on; may be repeated or separated by commas [default: all that come along].
    #[arg(long, value_name = "ID", value_delimiter = ',', help_heading = "What to report")]
    pub(in crate::cli) framework: Vec<String>,

    /// A framework of your own: a TOML file like those that come along; may be repeated.
    #[arg(long, value_name = "FILE", help_heading = "What to report")]
    pub(in crate::cli) mapping: Vec<PathBuf>,

    /// List the frameworks and their controls instead.
    #[arg(long, help_heading = "What to report")]
    pub(in crate::cli) list: bool,

    /// CloudTrail's public keys: validates what is read against the digests, as `keytrail verify` does; may be repeated.
    ///
    /// Without it nothing is satisfied. With it the run ends with exit code 4 when something could not be proven, and with 10
    /// when something was changed or is missing. The sources hold the digest files, or --digests says where they are.
    #[arg(long, value_name = "FILE", help_heading = "What to report")]
    pub(in crate::cli) public_keys: Vec<PathBuf>,

    /// Where else digest files are: the folder or s3://BUCKET/PREFIX that a lake was filled from; may be repeated.
    #[arg(long, value_name = "PLACE", requires = "public_keys", help_heading = "What to report")]
    pub(in crate::cli) digests: Vec<String>,

    /// An account that must be in the logs; may be repeated or separated by commas.
    ///
    /// What must be there has to be said from outside of the logs: else no control is more than partial.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = account, help_heading = "What to report")]
    pub(in crate::cli) expect_account: Vec<String>,

    /// A Region that must be in the logs of every expected account; may be repeated or separated by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = region, help_heading = "What to report")]
    pub(in crate::cli) expect_region: Vec<String>,

    /// Accounts that must be in the logs: what `aws organizations list-accounts` prints, or one per line; may be repeated.
    #[arg(long, value_name = "FILE", help_heading = "What to report")]
    pub(in crate::cli) expect_accounts: Vec<PathBuf>,

    /// Regions: what `aws account list-regions` or `aws ec2 describe-regions` prints, or one per line; may be repeated.
    #[arg(long, value_name = "FILE", help_heading = "What to report")]
    pub(in crate::cli) expect_regions: Vec<PathBuf>,

    /// Keys: what `aws kms list-keys` prints, one answer after the other, or an ARN per line; may be repeated.
    #[arg(long, value_name = "FILE", help_heading = "What to report")]
    pub(in crate::cli) expect_keys: Vec<PathBuf>,

    /// Draw so many calls from all that changed a key; needs --seed.
    ///
    /// Drawn are those with the smallest SHA-256 of SEED:EVENT_ID:KEY_ARN: whoever has changes.csv can draw them again.
    #[arg(long, value_name = "N", requires = "seed", value_parser = count, help_heading = "What to report")]
    pub(in crate::cli) sample: Option<usize>,

    /// What decides which calls are drawn: any text, chosen by the auditor.
    #[arg(long, value_name = "TEXT", requires = "sample", help_heading = "What to report")]
    pub(in crate::cli) seed: Option<String>,

    /// An earlier report as JSON: says what is new, what was fixed, what persists, and the trend.
    #[arg(long, value_name = "FILE", help_heading = "What to report")]
    pub(in crate::cli) compare: Option<PathBuf>,

    /// Show the values of encryption contexts, which may be personal data; without it they are left out.
    #[arg(long, help_heading = "What to report")]
    pub(in crate::cli) show_encryption_context: bool,

    /// Start of the period: 2026-07-01 or 2026-07-01T00:00:00Z.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) from: Option<When>,

    /// End of the period; a day counts whole, a moment not itself.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) to: Option<When>,

    /// Count "overdue", "unused" and "still open" from here [default: the end of the period, else the last event].
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) as_of: Option<When>,

    /// How far before --from a cause is looked for [default: 13mo].
    #[arg(long, value_name = "PERIOD", help_heading = "What to look at")]
    pub(in crate::cli) lookback: Option<Period>,

    #[command(flatten)]
    pub(in crate::cli) kms: FromKms,

    #[command(flatten)]
    pub(in crate::cli) only: Only,

    /// How to write it [default: as the name of --output ends, else html].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What to write")]
    pub(in crate::cli) format: Option<ReportFormat>,

    /// Write to a file instead of standard output.
    ///
    /// The file appears whole, or not at all when the run fails.
    #[arg(long, short, value_name = "FILE", help_heading = "What to write")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Write an evidence pack into this new folder: the report in every format, the evidence, keys and changes as CSV, and
    /// SHA256SUMS over all of it for `sha256sum -c`.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["output", "format"], help_heading = "What to write")]
    pub(in crate::cli) pack: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) around: Around,
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| (1..=100_000).contains(count)).ok_or_else(|| "between 1 and 100000".to_owned())
}

const REPORT_EXAMPLES: &str = "\
Examples:
  keytrail report ./lake --framework cis-aws-5.0 --from 2026-07-01 --to 2026-09-30 --output q3.html
  keytrail report ./lake --framework pci-dss-4.0.1,soc2 --pack ./q3-evidence --sample 25 --seed 2026-10-07
  keytrail report ./lake --framework soc2 --compare q2.json --output q3.html
  keytrail report --list";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{RETIRE_EXAMPLES}\n\n{}", exit::help()))]
pub(in crate::cli) struct RetireArgs {
    /// File, folder, glob or s3://BUCKET/PREFIX of CloudTrail logs, or a lake; `-` for standard input. As of `keytrail scan`.
    #[arg(required = true, value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// The key: its id, ARN or alias.
    #[arg(long, value_name = "KEY", required = true, help_heading = "What to look at")]
    pub(in crate::cli) key: String,

    /// Days that the key must have been off without anybody asking for it.
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650), help_heading = "What to look at")]
    pub(in crate::cli) soak: u32,

    #[command(flatten)]
    pub(in crate::cli) kms: FromKms,

    /// What you vouch for, because it leaves no events; may be repeated or separated by commas.
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = attestable(), help_heading = "What to look at")]
    pub(in crate::cli) attest: Vec<String>,

    /// Judge as of this instant [default: the time of the last event].
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) as_of: Option<When>,

    /// How to write it [default: text].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What to write")]
    pub(in crate::cli) format: Option<AskFormat>,

    #[command(flatten)]
    pub(in crate::cli) around: Around,
}

#[derive(Args, Debug)]
#[command(after_long_help = format!("{REHEARSE_EXAMPLES}\n\n{}", exit::help()))]
pub(in crate::cli) struct RehearseArgs {
    /// File, folder, glob or s3://BUCKET/PREFIX of CloudTrail logs, or a lake.
    ///
    /// Logs are read once, into a temporary lake; a lake is read at each evaluation.
    #[arg(required = true, value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// Days before the end of the log that are rehearsed.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=400), help_heading = "What to look at")]
    pub(in crate::cli) days: u32,

    /// Rehearse up to this instant [default: the time of the last event].
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) as_of: Option<When>,

    /// Evaluate at least once in so many hours, for what time alone changes; what events change is evaluated right after them.
    #[arg(long, value_name = "HOURS", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=168), help_heading = "What to look at")]
    pub(in crate::cli) every: u32,

    /// How to write it [default: text].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What to write")]
    pub(in crate::cli) format: Option<AskFormat>,

    #[command(flatten)]
    pub(in crate::cli) around: Around,
}

const REHEARSE_EXAMPLES: &str = "\
Nothing is sent, and no secret is looked up.

Examples:
  keytrail rehearse ./lake --days 30
  keytrail rehearse ./AWSLogs --config new.toml --format json | jq '.sinks[] | {sink, pages}'";

fn attestable() -> PossibleValuesParser {
    PossibleValuesParser::new(ATTESTABLE.iter().map(|(name, meaning)| PossibleValue::new(*name).help(*meaning)))
}

const RETIRE_EXAMPLES: &str = "\
SAFE ends with 0, NOT SAFE with 10, UNKNOWN with 4.

Examples:
  keytrail retire ./lake --key alias/old
  keytrail retire ./lake --key alias/old --inventory ./inventory
  keytrail retire ./lake --key alias/old --attest grants,resources,snapshots,backups,client-ciphertext";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{SUPPRESS_EXAMPLES}\n\n{}", exit::help()))]
pub(in crate::cli) struct SuppressArgs {
    /// Id of the finding, or the first 8 or more digits of it.
    #[arg(value_name = "ID")]
    pub(in crate::cli) id: String,

    /// The sources that the finding came from, as of `keytrail scan`: shows what the entry would hide.
    #[arg(required = true, value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// Why it is accepted: a ticket, a contract, a decision.
    #[arg(long, value_name = "TEXT", required = true, help_heading = "The entry")]
    pub(in crate::cli) reason: String,

    /// Last day on which it is accepted: 2026-12-31.
    #[arg(long, value_name = "DAY", required = true, help_heading = "The entry")]
    pub(in crate::cli) until: String,

    /// Who accepts it.
    #[arg(long, value_name = "NAME", required = true, help_heading = "The entry")]
    pub(in crate::cli) approved_by: String,

    /// Accept every finding of the same rule on the same key, now and later, not this one alone.
    #[arg(long, help_heading = "The entry")]
    pub(in crate::cli) whole_key: bool,

    /// Add the entry to the configuration file instead of printing it.
    #[arg(long, help_heading = "The entry")]
    pub(in crate::cli) write: bool,

    /// Count "overdue", "unused" and "still open" from here, as `keytrail scan` was told.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(in crate::cli) as_of: Option<When>,

    #[command(flatten)]
    pub(in crate::cli) kms: FromKms,

    #[command(flatten)]
    pub(in crate::cli) around: Around,
}

const SUPPRESS_EXAMPLES: &str = "\
Examples:
  keytrail suppress 05dae0a0 ./AWSLogs --reason 'SEC-123: partner' --until 2026-12-31 --approved-by carol
  keytrail suppress 05dae0a0 ./lake --reason 'archive' --until 2027-06-30 --approved-by carol --whole-key --write";

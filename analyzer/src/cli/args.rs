//! The command line as the user types it. Help, completions and the man page derive from these types.

mod backfill;
#[cfg(feature = "aws")]
mod inventory;
mod questions;
mod verify;

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use self::backfill::{BackfillArgs, PlanArgs};
#[cfg(feature = "aws")]
pub(super) use self::inventory::InventoryArgs;
pub(super) use self::questions::{
    Around, ExplainArgs, FromKms, KeysArgs, RehearseArgs, ReportArgs, RetireArgs, SuppressArgs, TimelineArgs,
};
pub(super) use self::verify::VerifyArgs;
use super::exit;
use crate::config::{Bytes, Period, Settings, When};
use crate::finding::Severity;
use crate::pipeline::ScanOptions;
use crate::rules::RULES;
#[cfg(feature = "aws")]
use crate::source::s3::S3Options;

/// What is happening to our AWS KMS keys, and can we prove it?
///
/// Keytrail reads AWS CloudTrail logs, keeps the AWS KMS story in them, and says what is wrong with a key, who did it, what it
/// broke, and how sure it is. It reads what you point it at, and tells only whom you name.
#[derive(Debug, Parser)]
#[command(
    name = "keytrail",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Start with: keytrail scan ./AWSLogs",
    after_long_help = format!("{EXAMPLES}\n\n{}", exit::help()),
)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,

    /// Colours: on a terminal, always, or never.
    ///
    /// `auto` also follows NO_COLOR and CLICOLOR_FORCE.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", hide_possible_values = true)]
    pub(super) color: Color,
}

const EXAMPLES: &str = "\
Examples:
  keytrail scan ./AWSLogs                     what is wrong, worst first
  keytrail scan ./AWSLogs --fail-on high      in CI: exit code 10 when something severe is found
  keytrail rules missing-rotation             what a rule finds, and how to respond
  keytrail config > keytrail.toml             every setting with its default, to start from";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Find out what is wrong with the keys in a pile of CloudTrail logs
    Scan(Box<ScanArgs>),
    /// Read what is new in logs into a lake, so that nothing is read twice
    Ingest(Box<IngestArgs>),
    /// Plan to bring logs of any size into a lake, by many Lambda functions at once
    #[command(subcommand)]
    Backfill(BackfillArgs),
    /// List the keys: state, rotation, last use, who uses them for what, cost
    Keys(Box<KeysArgs>),
    /// Ask KMS how the keys stand, as evidence beside the logs
    #[cfg(feature = "aws")]
    Inventory(Box<InventoryArgs>),
    /// Tell what happened to one key, or to something that keys protect
    Timeline(Box<TimelineArgs>),
    /// May this key go? SAFE, NOT SAFE or UNKNOWN, with the reasons
    Retire(Box<RetireArgs>),
    /// Report for auditors: what the logs prove of the controls of a framework
    Report(Box<ReportArgs>),
    /// Prove that logs are what CloudTrail delivered, and that all of them are there
    Verify(Box<VerifyArgs>),
    /// Show one finding with the raw records behind it, and how to fetch them by hand
    Explain(Box<ExplainArgs>),
    /// Accept a finding with a reason and an end, as an entry of the configuration
    Suppress(Box<SuppressArgs>),
    /// Show who is told of what, or send every sink a test message
    Alert(AlertArgs),
    /// Tell what this configuration would have alerted on, and how often
    Rehearse(Box<RehearseArgs>),
    /// List the rules, or explain one
    Rules(RulesArgs),
    /// Describe the columns of the files that keytrail writes
    Schema(SchemaArgs),
    /// Print an example configuration: every setting, commented out, with its default
    Config,
    /// Print completions for a shell
    ///
    /// For example: keytrail completions bash > ~/.local/share/bash-completion/completions/keytrail
    Completions {
        /// Shell to complete for.
        shell: clap_complete::Shell,
    },
    /// Print the manual of all commands, in roff
    ///
    /// For example: keytrail man | man -l -
    Man,
}

#[derive(Args, Debug)]
#[command(after_long_help = format!("{SCAN_EXAMPLES}\n\n{}", exit::help()))]
pub(super) struct ScanArgs {
    /// File, folder, glob or s3://BUCKET/PREFIX of CloudTrail logs, or a lake; `-` for standard input.
    ///
    /// Folders are read with everything under them. What a file is, its content tells, not its name: CloudTrail's
    /// {"Records": [...]}, a JSON array, single records, NDJSON, or what `aws cloudtrail lookup-events` prints; gzip or plain.
    #[arg(required_unless_present = "lake", value_name = "SOURCE")]
    pub(super) sources: Vec<String>,

    /// Keep what is read in this lake, and judge by all that it has; made if it does not exist.
    ///
    /// What the lake has already is not read again. Without SOURCE the lake alone is judged.
    #[arg(long, value_name = "DIR|s3://…", value_parser = NonEmptyStringValueParser::new(), help_heading = "What to look at")]
    pub(super) lake: Option<String>,

    /// Report events from here on: 2026-03-01 or 2026-03-01T08:30:00Z.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(super) from: Option<When>,

    /// Report events up to here; a day counts whole, a moment not itself.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(super) to: Option<When>,

    /// Count "overdue", "unused" and "still open" from here.
    ///
    /// Without it: the end of the period given with --to, else the time of the last event. The clock of this machine is never
    /// asked, so that the same logs give the same findings tomorrow.
    #[arg(long, value_name = "WHEN", help_heading = "What to look at")]
    pub(super) as_of: Option<When>,

    /// How far before --from a cause is looked for: 30d, 13mo, 1y.
    ///
    /// A key that fails in the reported period may have been disabled long before it. Of the time before --from only what was
    /// done to keys is kept, not how they were used. Without it, local sources are read from their start and in full, and
    /// a bucket from --from on.
    #[arg(long, value_name = "PERIOD", help_heading = "What to look at")]
    pub(super) lookback: Option<Period>,

    #[command(flatten)]
    pub(super) kms: FromKms,

    /// Only this account; may be repeated or separated by commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = account, help_heading = "What to look at")]
    pub(super) account: Vec<String>,

    /// Only this Region; may be repeated or separated by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = region, help_heading = "What to look at")]
    pub(super) region: Vec<String>,

    /// Only this rule; may be repeated or separated by commas. `keytrail rules` lists them.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = rule_ids(), hide_possible_values = true, help_heading = "What to look at")]
    pub(super) rule: Vec<String>,

    /// Configuration file [default: ./keytrail.toml, if there is one].
    #[arg(long, value_name = "FILE", help_heading = "What to look at")]
    pub(super) config: Option<PathBuf>,

    /// Validate the objects that are read against CloudTrail's digests, as `keytrail verify` does, and put the verdict to
    /// every piece of evidence.
    ///
    /// What is hashed are the bytes that records are read from, as they are read: those of a lake when it was filled. The
    /// sources hold the digest files, or --digests says where they are. Ends with exit code 4 when something could not be
    /// proven, and with 10 when something was changed or is missing.
    #[arg(long, requires = "public_keys", conflicts_with = "alert", help_heading = "What to look at")]
    pub(super) verify: bool,

    /// CloudTrail's public keys, as `aws cloudtrail list-public-keys` prints them; may be repeated.
    #[arg(long, value_name = "FILE", requires = "verify", help_heading = "What to look at")]
    pub(super) public_keys: Vec<PathBuf>,

    /// Where else digest files are: the folder or s3://BUCKET/PREFIX that a lake was filled from; may be repeated.
    #[arg(long, value_name = "PLACE", requires = "verify", help_heading = "What to look at")]
    pub(super) digests: Vec<String>,

    /// How to write the findings [default: as the name of --output ends, else text].
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "What to write")]
    pub(super) format: Option<Format>,

    /// Write to a file instead of standard output.
    ///
    /// The file appears whole, or not at all when the run fails.
    #[arg(long, short, value_name = "FILE", help_heading = "What to write")]
    pub(super) output: Option<PathBuf>,

    /// Also write the events that were judged, without duplicates, as a Parquet file.
    ///
    /// One row per event; `keytrail schema` describes the columns.
    #[arg(long, value_name = "FILE", help_heading = "What to write")]
    pub(super) events: Option<PathBuf>,

    /// End with exit code 10 when a finding is this severe or worse: info, low, medium, high, critical.
    ///
    /// Open and closed findings count, suppressed ones do not. Off by default: a finding is a result, not a failure of the run.
    #[arg(long, value_name = "SEVERITY", value_parser = severity(), hide_possible_values = true, help_heading = "What to write")]
    pub(super) fail_on: Option<Severity>,

    /// Tell the sinks of the configuration: e-mail, topics, webhooks.
    ///
    /// With --lake each sink is told of an incident once, again when it gets worse, and once when it is over; its first run is
    /// one summary. Without a lake nothing is remembered, and every run tells everything. A sink that fails makes the run end
    /// with exit code 1. `keytrail alert` shows who is told of what.
    #[arg(long, help_heading = "Whom to tell")]
    pub(super) alert: bool,

    /// No progress bar and no remarks on standard error; warnings and errors stay.
    #[arg(long, short, help_heading = "What to write")]
    pub(super) quiet: bool,

    #[command(flatten)]
    pub(super) limits: Limits,

    #[command(flatten)]
    pub(super) s3: S3Args,
}

const SCAN_EXAMPLES: &str = "\
Examples:
  keytrail scan ./AWSLogs
  keytrail scan ./AWSLogs --from 2026-03-01 --to 2026-03-31 --account 111122223333
  keytrail scan ./AWSLogs --format json | jq '.findings[] | select(.severity == \"critical\")'
  keytrail scan ./AWSLogs --output findings.parquet --events events.parquet
  keytrail scan ./AWSLogs --fail-on high --quiet
  keytrail scan s3://trail-bucket/AWSLogs/ --from 2026-03-01 --to 2026-03-01 --account 111122223333
  aws cloudtrail lookup-events --lookup-attributes \\
      AttributeKey=EventSource,AttributeValue=kms.amazonaws.com | keytrail scan -";

#[derive(Args, Debug)]
#[command(after_long_help = format!("{INGEST_EXAMPLES}\n\n{}", exit::help()))]
pub(super) struct IngestArgs {
    /// File, folder, glob or s3://BUCKET/PREFIX of CloudTrail logs, as of `keytrail scan`.
    #[arg(required = true, value_name = "SOURCE")]
    pub(super) sources: Vec<String>,

    /// The lake to fill or continue; made if it does not exist.
    ///
    /// A lake is a folder of Parquet files that any SQL engine reads, and a SOURCE of every command. An interrupted run is
    /// continued by the next one.
    #[arg(long, value_name = "DIR|s3://…", value_parser = NonEmptyStringValueParser::new())]
    pub(super) lake: String,

    /// Only objects delivered from here on: 2026-03-01 or 2026-03-01T08:30:00Z.
    #[arg(long, value_name = "WHEN", help_heading = "What to read")]
    pub(super) from: Option<When>,

    /// Only objects that may hold events up to here.
    #[arg(long, value_name = "WHEN", help_heading = "What to read")]
    pub(super) to: Option<When>,

    /// Only logs of this account; may be repeated or separated by commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = account, help_heading = "What to read")]
    pub(super) account: Vec<String>,

    /// Only logs of this Region; may be repeated or separated by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = region, help_heading = "What to read")]
    pub(super) region: Vec<String>,

    /// Configuration file [default: ./keytrail.toml, if there is one].
    #[arg(long, value_name = "FILE", help_heading = "What to read")]
    pub(super) config: Option<PathBuf>,

    /// How to tell what was done.
    #[arg(long, value_enum, default_value_t = IngestFormat::Text, value_name = "FORMAT", help_heading = "What to write")]
    pub(super) format: IngestFormat,

    /// No progress and no remarks on standard error; warnings and errors stay.
    #[arg(long, short, help_heading = "What to write")]
    pub(super) quiet: bool,

    #[command(flatten)]
    pub(super) limits: Limits,

    #[command(flatten)]
    pub(super) s3: S3Args,
}

const INGEST_EXAMPLES: &str = "\
Examples:
  keytrail ingest ./AWSLogs --lake ./lake     read what is new since the last time
  keytrail scan ./lake                        the same findings as from the logs
  keytrail scan ./AWSLogs --lake ./lake       both at once";

/// What a run may take.
#[derive(Args, Debug)]
#[command(next_help_heading = "Limits")]
pub(super) struct Limits {
    /// Memory for rows before they go to a temporary file: 512MiB, 4GiB [default: 16MiB].
    #[arg(long, value_name = "SIZE")]
    pub(super) memory: Option<Bytes>,

    /// Threads [default: one per core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(super) threads: Option<u32>,

    /// Largest size of one object after decompression; a larger one is skipped and reported [default: 2GiB].
    #[arg(long, value_name = "SIZE")]
    pub(super) max_inflated: Option<Bytes>,
}

impl Limits {
    /// Options of a run: what is typed goes before what is configured.
    pub(super) fn apply(&self, sources: Vec<String>, settings: Settings, s3: &S3Args) -> ScanOptions {
        #[cfg(not(feature = "aws"))]
        let S3Args {} = s3;
        ScanOptions {
            memory: self.memory.unwrap_or(settings.scan.memory).0,
            threads: self.threads.or(settings.scan.threads).map(|n| n as usize),
            max_inflated: self.max_inflated.unwrap_or(settings.scan.max_inflated).0,
            #[cfg(feature = "aws")]
            s3: s3.options(),
            ..ScanOptions::new(sources, settings)
        }
    }
}

/// How S3 is used.
#[derive(Args, Debug)]
#[command(next_help_heading = "S3")]
pub(super) struct S3Args {
    /// Profile of the AWS configuration [default: as the AWS CLI finds it].
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Option<String>,

    /// Where S3 is, when it is not at AWS.
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "URL")]
    pub(super) endpoint_url: Option<String>,

    /// Put the bucket into the path of requests, as most servers that are not AWS want it.
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub(super) path_style: bool,

    /// Pay for the requests, where the owner of the bucket wants it.
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub(super) request_payer: bool,

    /// Do not sign requests: public buckets need no credentials.
    #[cfg(feature = "aws")]
    #[arg(long)]
    pub(super) no_sign_request: bool,

    /// With --to: for how many days after it late files are looked for.
    ///
    /// Nearly all files come within a quarter of an hour, but CloudTrail tries for 30 days when it cannot write to the bucket.
    #[cfg(feature = "aws")]
    #[arg(long, value_name = "DAYS", default_value_t = 2, value_parser = clap::value_parser!(u16).range(0..=31))]
    pub(super) late_days: u16,
}

#[cfg(feature = "aws")]
impl S3Args {
    pub(super) fn options(&self) -> S3Options {
        S3Options {
            profile: self.profile.clone(),
            endpoint_url: self.endpoint_url.clone(),
            path_style: self.path_style,
            request_payer: self.request_payer,
            unsigned: self.no_sign_request,
            late_days: self.late_days,
            ..S3Options::default()
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct AlertArgs {
    /// Send a test message to every sink, and say what came of each.
    #[arg(long)]
    pub(super) test: bool,

    /// With --test: keep in this lake what came of it, as evidence for `keytrail report`; made if it does not exist.
    #[arg(long, value_name = "DIR|s3://…", value_parser = NonEmptyStringValueParser::new(), requires = "test")]
    pub(super) lake: Option<String>,

    /// Configuration file [default: ./keytrail.toml, if there is one].
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    #[command(flatten)]
    pub(super) s3: S3Args,
}

#[derive(Args, Debug)]
pub(super) struct RulesArgs {
    /// Rule to explain.
    #[arg(value_parser = rule_ids(), hide_possible_values = true)]
    pub(super) id: Option<String>,

    /// How to write it.
    #[arg(long, value_enum, default_value_t = RulesFormat::Text, value_name = "FORMAT")]
    pub(super) format: RulesFormat,
}

#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    /// Which table.
    #[arg(value_enum, default_value_t = Table::Events)]
    pub(super) table: Table,

    /// How to write it.
    #[arg(long, value_enum, default_value_t = SchemaFormat::Text, value_name = "FORMAT")]
    pub(super) format: SchemaFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people: findings, what was looked at, what was not
    Text,
    /// One document: findings and coverage
    Json,
    /// One finding per line, then one line of coverage
    Ndjson,
    /// One finding per row, for spreadsheets
    Csv,
    /// One finding per row, for SQL
    Parquet,
    /// One OCSF Detection Finding per line, for security data lakes and SIEMs
    Ocsf,
    /// One request of BatchImportFindings per line, for AWS Security Hub
    Asff,
    /// SARIF 2.1.0, for viewers and code scanning
    Sarif,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KeysFormat {
    /// For people: a table, then each key
    Text,
    /// One document: keys, prices and coverage
    Json,
    /// One key per row, for spreadsheets
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// One page that stands alone, for people
    Html,
    /// One document, for programs
    Json,
    /// One control per row, for spreadsheets
    Csv,
    /// Assessment results of OSCAL 1.2, for programs that manage compliance
    Oscal,
    /// PDF/A-2a and PDF/UA-1, for archives; of builds with the feature `pdf`
    Pdf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum VerifyFormat {
    /// For people
    Text,
    /// One document: verdict, counts, problems, intervals
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum AskFormat {
    /// For people
    Text,
    /// One document, for programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum IngestFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum RulesFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For documentation
    Markdown,
    /// For SQL: the DDL of Athena, with placeholders for bucket, accounts and Regions
    Athena,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Table {
    /// What `scan --events` and `ingest` write: one row per event
    Events,
    /// What `ingest` writes beside it: one row per source object
    Objects,
    /// What `scan --format csv` and `scan --format parquet` write
    Findings,
}

fn rule_ids() -> PossibleValuesParser {
    PossibleValuesParser::new(RULES.iter().map(|rule| rule.id))
}

fn severity() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::id)).map(|id| {
        // The parser lets only the ids of the list through; the lowest would be the strict choice otherwise.
        Severity::ALL.into_iter().find(|severity| severity.id() == id).unwrap_or(Severity::Info)
    })
}

fn account(text: &str) -> Result<String, String> {
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        Ok(text.to_string())
    } else {
        Err("an account id has 12 digits".to_string())
    }
}

fn region(text: &str) -> Result<String, String> {
    let name = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !text.is_empty() && text.bytes().all(name) && text.contains('-') {
        Ok(text.to_string())
    } else {
        Err("a Region is written like eu-central-1".to_string())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lists_may_be_repeated_or_separated_by_commas() {
        let accounts = "111122223333,444455556666";
        let cli =
            Cli::try_parse_from(["keytrail", "scan", "x", "--account", accounts, "--account", "777788889999"]).unwrap();
        let Command::Scan(scan) = cli.command else { panic!("{cli:?}") };
        assert_eq!(scan.account, ["111122223333", "444455556666", "777788889999"]);
    }

    #[test]
    fn values_are_checked_where_they_are_typed() {
        for wrong in [
            ["--account", "1234"],
            ["--region", "Frankfurt"],
            ["--rule", "no-such-rule"],
            ["--fail-on", "severe"],
            ["--from", "yesterday"],
            ["--memory", "lots"],
            ["--threads", "0"],
            ["--format", "xml"],
        ] {
            let error = Cli::try_parse_from(["keytrail", "scan", "x", wrong[0], wrong[1]]).unwrap_err();
            assert_eq!(error.exit_code(), i32::from(exit::ExitReason::Usage.code()), "{wrong:?}");
        }
    }
}

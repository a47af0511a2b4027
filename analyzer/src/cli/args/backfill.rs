//! `backfill`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::super::exit;
use super::{S3Args, account, region};
use crate::config::{Bytes, When};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BackfillArgs {
    /// List the logs, cut them into batches, and say what bringing them in will take
    Plan(Box<PlanArgs>),
}

#[derive(Args, Debug)]
#[command(after_long_help = format!("{PLAN_EXAMPLES}\n\n{}", exit::help()))]
pub(in crate::cli) struct PlanArgs {
    /// s3://BUCKET/PREFIX of CloudTrail logs; or a folder of them, to see what they would take.
    #[arg(required = true, value_name = "SOURCE")]
    pub(in crate::cli) sources: Vec<String>,

    /// The lake that the function keeps: it is never read as logs.
    #[arg(long, value_name = "s3://…", value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) lake: String,

    /// Write the plan to this file, one batch a line, as the state machine reads it; without it this is a dry run.
    ///
    /// The file appears whole, or not at all when the run fails.
    #[arg(long, short, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Where the files of a folder stand in S3: the plan calls them by these names.
    #[arg(long, value_name = "s3://…", value_parser = NonEmptyStringValueParser::new())]
    pub(in crate::cli) uploaded_to: Option<String>,

    /// Only objects delivered from here on: 2026-03-01 or 2026-03-01T08:30:00Z.
    #[arg(long, value_name = "WHEN", help_heading = "What to read")]
    pub(in crate::cli) from: Option<When>,

    /// Only objects that may hold events up to here.
    #[arg(long, value_name = "WHEN", help_heading = "What to read")]
    pub(in crate::cli) to: Option<When>,

    /// Only logs of this account; may be repeated or separated by commas.
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = account, help_heading = "What to read")]
    pub(in crate::cli) account: Vec<String>,

    /// Only logs of this Region; may be repeated or separated by commas.
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = region, help_heading = "What to read")]
    pub(in crate::cli) region: Vec<String>,

    /// Objects in a batch, at most.
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=2000), help_heading = "Batches")]
    pub(in crate::cli) batch_objects: u32,

    /// Bytes in a batch, as stored, at most; a larger object is a batch of its own.
    #[arg(long, value_name = "SIZE", default_value = "16MiB", help_heading = "Batches")]
    pub(in crate::cli) batch_bytes: Bytes,

    /// Functions at the same time, for the estimate of the time.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Estimate")]
    pub(in crate::cli) concurrency: u32,

    /// Memory of the function, for the estimate: its share of a processor and its price follow from it.
    #[arg(long, value_name = "SIZE", default_value = "512MiB", help_heading = "Estimate")]
    pub(in crate::cli) function_memory: Bytes,

    /// No remarks on standard error; warnings and errors stay.
    #[arg(long, short)]
    pub(in crate::cli) quiet: bool,

    #[command(flatten)]
    pub(in crate::cli) s3: S3Args,
}

const PLAN_EXAMPLES: &str = "\
Examples:
  keytrail backfill plan s3://LOGS/AWSLogs/ --lake s3://LAKE/lake                       what it would take
  keytrail backfill plan s3://LOGS/AWSLogs/ --lake s3://LAKE/lake --output plan.jsonl   the plan
  aws s3 cp plan.jsonl s3://LAKE/backfill/plan.jsonl                                    for the state machine";

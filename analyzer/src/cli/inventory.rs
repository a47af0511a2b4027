//! `keytrail inventory`.

use super::args::InventoryArgs;
use super::exit::ExitReason;
use super::failure::Failure;
use super::progress;
use super::scan::named;
use super::terminal::Terminal;
use crate::inventory::live::{LiveError, LiveOptions};
use crate::pipeline::{self, InventoryError};
use crate::report::human;
use crate::source::s3::S3Options;

pub(super) fn run(args: &InventoryArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    terminal.quiet = args.quiet;
    if args.output.is_file() {
        return Err(Failure::usage(format!("cannot write to {}: it is a file", args.output.display()))
            .hint("name a folder: it gets a file for each account and Region"));
    }
    let options = LiveOptions {
        regions: args.region.clone(),
        role: args.assume_role.clone(),
        aws: S3Options {
            profile: args.profile.clone(),
            endpoint_url: args.endpoint_url.clone(),
            ..S3Options::default()
        },
        run: now(),
        now,
    };
    let taken = pipeline::take_inventory(options, &args.output, &*progress::display(terminal)).map_err(|error| {
        let failure = Failure::could_not_run(error.to_string());
        match error {
            InventoryError::Live(LiveError::Credentials(_)) => failure,
            _ => failure.hint("keytrail inventory --output FOLDER"),
        }
    })?;
    if let Some(began) = taken.continued {
        terminal.note(format!(
            "went on with the run of {} UTC, which was broken off: {} were there",
            human::time(began),
            human::count(taken.kept, "file")
        ));
    }
    terminal.note(format!(
        "wrote {} with {} of {} to {}",
        human::count(taken.written, "file"),
        human::count(taken.keys, "key"),
        human::count(taken.accounts, "account"),
        args.output.display()
    ));
    if taken.refused.is_empty() {
        return Ok(ExitReason::Complete);
    }
    let all: u64 = taken.refused.values().map(|(count, _)| count).sum();
    let lines = taken.refused.iter().map(|((reason, call), (count, detail))| {
        format!("{call}: {}: {reason} ({detail})", human::count(*count, "time"))
    });
    terminal.warn(named(format!("{} not answered", human::count(all, "call")), lines, taken.refused.len() as u64));
    Ok(ExitReason::Incomplete)
}

#[expect(clippy::disallowed_methods, reason = "the time of an answer is when it came")]
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

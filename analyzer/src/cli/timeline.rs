//! `keytrail timeline`.

use std::path::Path;

use super::args::{AskFormat, TimelineArgs};
use super::exit::ExitReason;
use super::failure::Failure;
use super::output::Output;
use super::scan::warn_of_gaps;
use super::terminal::Terminal;
use super::{progress, settings};
use crate::pipeline::{self, ScanOptions};
use crate::report::human;
use crate::report::timeline::{self, KeyStory, Timeline, Wanted};

pub(super) fn run(args: &TimelineArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let settings = settings::begin(&args.around, terminal)?;
    let wanted = match (&args.key, &args.resource) {
        (Some(key), _) => Wanted::Key(key.trim().to_string()),
        (None, resource) => Wanted::Resource(resource.as_deref().unwrap_or_default().trim().to_string()),
    };
    if wanted.text().is_empty() {
        return Err(Failure::usage("--key and --resource need a name"));
    }
    settings::no_terminal(&args.sources, terminal, "keytrail timeline - --key KEY < FILE")?;
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let json = output.and_then(Path::extension).is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let format = args.format.unwrap_or(if json { AskFormat::Json } else { AskFormat::Text });
    let output = output.map(Output::check).transpose()?;

    // The whole log is read: what a key was before the period decides what its story means.
    let options = ScanOptions {
        accounts: args.only.account.clone(),
        regions: args.only.region.clone(),
        as_of: args.to.map(|when| when.end_ms()),
        ..args.around.options(&args.sources, settings)
    };
    let (report, keys) =
        pipeline::survey(&options, &*progress::display(terminal), &|key, cx| KeyStory::of(&wanted, key, cx))?;
    warn_of_gaps(&report.coverage, terminal);
    let is_complete = report.coverage.is_complete();
    if keys.is_empty() {
        let what = if args.key.is_some() { "key" } else { "resource under a key" };
        let failure = Failure::nothing_to_read(format!("no {what} in the log is {}", wanted.text()));
        return Err(failure.hint("keytrail keys SOURCE"));
    }
    let span = (args.from.map(|when| when.start_ms()), args.to.map(|when| when.end_ms()));
    let timeline = Timeline::new(report, wanted, keys, span);

    let look = if output.is_some() { terminal.file_look() } else { terminal.look() };
    let text = match format {
        AskFormat::Text => timeline::text(&timeline, look),
        AskFormat::Json => timeline::json(&timeline),
    };
    match output {
        None => terminal.print(text.as_bytes())?,
        Some(output) => {
            let path = output.path().display().to_string();
            output.write(text.as_bytes())?;
            let entries = timeline.keys.iter().map(|key| key.entries.len() as u64).sum();
            terminal.note(format!("wrote {} to {path}", human::count(entries, "line")));
        }
    }
    Ok(ExitReason::of_report(is_complete, false))
}

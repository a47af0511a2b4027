//! `keytrail retire`.

use super::args::{AskFormat, RetireArgs};
use super::exit::ExitReason;
use super::failure::Failure;
use super::scan::warn_of_gaps;
use super::terminal::Terminal;
use super::{progress, settings};
use crate::pipeline::{self, ScanOptions};
use crate::report::retire::{self, Facts, Judged, Retirement, Verdict, judge};
use crate::report::timeline::Wanted;

pub(super) fn run(args: &RetireArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let settings = settings::begin(&args.around, terminal)?;
    let wanted = Wanted::Key(args.key.trim().to_string());
    if wanted.text().is_empty() {
        return Err(Failure::usage("--key needs a name"));
    }
    settings::no_terminal(&args.sources, terminal, "keytrail retire - --key KEY < FILE")?;
    let options = ScanOptions {
        as_of: args.as_of.map(|when| when.end_ms()),
        inventory: args.kms.inventory.clone(),
        ..args.around.options(&args.sources, settings)
    };
    let (report, mut keys) = pipeline::survey(&options, &*progress::display(terminal), &|key, cx| {
        wanted.is_key(key).then(|| Facts::of(key, cx))
    })?;
    warn_of_gaps(&report.coverage, terminal);
    if keys.is_empty() {
        let place = if args.kms.inventory.is_empty() { "the log" } else { "log and inventory" };
        let failure = Failure::nothing_to_read(format!("no key in {place} is {}", wanted.text()));
        return Err(failure.hint("keytrail keys SOURCE"));
    }
    keys.sort_by(|a, b| a.arn.cmp(&b.arn));
    let as_of = report.run.as_of.unwrap_or_default();
    let judge = |facts| judge(facts, &report.coverage, as_of, args.soak, &args.attest);
    let keys: Vec<Judged> = keys.into_iter().map(judge).collect();
    let retirement = Retirement {
        report,
        asked: wanted.text().to_string(),
        soak_days: args.soak,
        attested: args.attest.clone(),
        keys,
    };
    let text = match args.format.unwrap_or(AskFormat::Text) {
        AskFormat::Text => retire::text(&retirement, terminal.look()),
        AskFormat::Json => retire::json(&retirement),
    };
    terminal.print(text.as_bytes())?;
    Ok(match retirement.verdict() {
        Verdict::Safe => ExitReason::Complete,
        Verdict::Unknown => ExitReason::Incomplete,
        Verdict::NotSafe => ExitReason::Findings,
    })
}

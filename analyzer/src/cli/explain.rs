//! `keytrail explain`.

use std::collections::{BTreeMap, BTreeSet};

use super::args::{AskFormat, ExplainArgs};
use super::exit::ExitReason;
use super::failure::Failure;
use super::named::{named, of_finding};
use super::scan::{period, warn_of_gaps};
use super::terminal::Terminal;
use super::{progress, settings};
use crate::pipeline::{self, ScanOptions, originals};
use crate::report::explain::{self, Explained, Original};

pub(super) fn run(args: &ExplainArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let settings = settings::begin(&args.around, terminal)?;
    let id = of_finding(&args.id)?;
    let (from, to) = period(args.from, args.to)?;
    let options = ScanOptions {
        from,
        to,
        as_of: args.as_of.map(|when| when.end_ms()),
        accounts: args.only.account.clone(),
        regions: args.only.region.clone(),
        inventory: args.kms.inventory.clone(),
        ..args.around.options(&args.sources, settings)
    };
    let report = pipeline::scan(&options, &*progress::display(terminal))?;
    warn_of_gaps(&report.coverage, terminal);
    let finding = named(&report, &id)?.clone();
    let mut wanted: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for evidence in finding.evidence.iter().filter(|evidence| !evidence.is_answer()) {
        wanted.entry(evidence.object.clone()).or_default().insert(evidence.record);
    }
    let fetched = originals(&options, &wanted);
    let original = |evidence: &crate::finding::Evidence| {
        if evidence.is_answer() {
            return Original::new(evidence.clone(), Err("it is an answer of KMS, and stands in the inventory".into()));
        }
        let raw = fetched.records.get(&evidence.object).and_then(|records| records.get(&evidence.record));
        let problem =
            || fetched.missing.get(&evidence.object).cloned().unwrap_or_else(|| "it is not there any more".into());
        Original::new(evidence.clone(), raw.cloned().ok_or_else(problem))
    };
    let records: Vec<Original> = finding.evidence.iter().map(original).collect();
    let related = report.findings.iter().filter(|other| other.incident == finding.incident && other.id != finding.id);
    let explained = Explained { related: related.map(|other| other.id.to_string()).collect(), finding, records };
    for (object, problem) in &fetched.missing {
        terminal.warn(format!("{object}: {problem}"));
    }
    let text = match args.format.unwrap_or(AskFormat::Text) {
        AskFormat::Text => explain::text(&explained, terminal.look()),
        AskFormat::Json => explain::json(&report, &explained),
    };
    terminal.print(text.as_bytes())?;
    let all_there = explained.records.iter().all(|record| record.raw.is_ok() || record.evidence.is_answer());
    Ok(ExitReason::of_report(report.coverage.is_complete() && all_there, false))
}

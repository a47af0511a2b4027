//! `keytrail suppress`: a finding becomes an entry of the configuration, with who accepts it, why and until when.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::args::SuppressArgs;
use super::exit::ExitReason;
use super::failure::Failure;
use super::named::{named, of_finding};
use super::output::Output;
use super::scan::warn_of_gaps;
use super::terminal::Terminal;
use super::{input, progress, settings};
use crate::finding::{Finding, plain};
use crate::pipeline::{self, ScanOptions};
use crate::report::human;

pub(super) fn run(args: &SuppressArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    terminal.quiet = args.around.quiet;
    let (settings, file) = settings::load(args.around.config.as_deref())?;
    let id = of_finding(&args.id)?;
    for (name, text) in [("--reason", &args.reason), ("--approved-by", &args.approved_by)] {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(Failure::usage(format!("{name} needs a text on one line")));
        }
    }
    let options = ScanOptions {
        as_of: args.as_of.map(|when| when.end_ms()),
        inventory: args.kms.inventory.clone(),
        ..args.around.options(&args.sources, settings)
    };
    let report = pipeline::scan(&options, &*progress::display(terminal))?;
    warn_of_gaps(&report.coverage, terminal);
    let finding = named(&report, &id)?;
    let entry = entry(finding, args);

    // The entry is read back before anybody relies on it: a day that is none is told here.
    let path = file.or_else(|| args.around.config.clone()).unwrap_or_else(|| PathBuf::from(settings::DEFAULT));
    let before = if path.exists() { read(&path)? } else { String::new() };
    let gap = if before.is_empty() || before.ends_with("\n\n") { "" } else { "\n" };
    let after = format!("{before}{gap}{entry}");
    let accepted = settings::parse(&after, &path)?;
    let Some((entry_read, others)) = accepted.suppressions.split_last() else {
        return Err(Failure::could_not_run("the entry is not there when it is read back"));
    };
    // What hides nothing must not be told as what hides something.
    if let Some(as_of) = report.run.as_of.filter(|as_of| entry_read.is_expired(*as_of)) {
        let story = format!("the entry would hide nothing: --until {} is over at {}", args.until, human::time(as_of));
        return Err(Failure::usage(story).hint("a later day; findings count from the end of the log, or from --as-of"));
    }
    if let Some(same) = others.iter().find(|other| entry_read.is_same(other)) {
        return Err(Failure::usage(format!("{} has this entry already, in line {}", path.display(), same.line)));
    }

    let is_hidden = |other: &&Finding| entry_read.matches(&pipeline::subject(other));
    let hidden = report.findings.iter().filter(is_hidden);
    let hidden: Vec<&Finding> = hidden.collect();
    if args.write {
        Output::check(&path)?.write(after.as_bytes())?;
        terminal.note(format!("added to {}", path.display()));
    } else {
        terminal.print(entry.as_bytes())?;
    }
    terminal.note(format!(
        "it hides {} of these sources, until {}:",
        human::count(hidden.len() as u64, "finding"),
        args.until
    ));
    for finding in hidden {
        terminal.note(format!("  {} {}", finding.severity.id(), plain(&finding.title)));
    }
    Ok(ExitReason::of_report(report.coverage.is_complete(), false))
}

fn read(path: &Path) -> Result<String, Failure> {
    input::text(path, input::BY_HAND)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))
}

/// The entry as TOML.
fn entry(finding: &Finding, args: &SuppressArgs) -> String {
    let mut text = format!("# {}\n[[suppress]]\n", plain(&finding.title));
    let mut line = |name: &str, value: &str| {
        // A JSON string is a basic string of TOML, but for DEL. Writing to a string cannot fail.
        let quoted = serde_json::Value::from(value).to_string().replace('\u{7f}', "\\u007f");
        let _ = writeln!(text, "{name} = {quoted}");
    };
    if args.whole_key {
        line("rule", finding.rule);
        match &finding.key {
            Some(key) => line("key", &key.arn),
            None => {
                line("account", &finding.account);
                line("region", &finding.region);
            }
        }
    } else {
        line("id", finding.id.as_str());
    }
    line("reason", args.reason.trim());
    line("until", &args.until);
    line("approved_by", args.approved_by.trim());
    text
}

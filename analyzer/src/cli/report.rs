//! `keytrail report`.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::args::{ReportArgs, ReportFormat};
use super::exit::ExitReason;
use super::expected::{self, Kind};
use super::failure::Failure;
use super::output::{NewFolder, Output};
use super::scan::{period, warn_of_gaps};
use super::terminal::Terminal;
use super::{input, progress, settings, verify};
use crate::compliance::{Framework, builtin, parse};
use crate::config::Period;
use crate::pipeline::{self, Remember, ScanOptions};
use crate::report::audit::{self, Asked, Audit, Expected, Previous};
use crate::report::human::{self, hex};
use crate::report::inputs::Inputs;
use crate::report::keys::{self, Inventory};
use crate::view::inventory::KeyRow;

/// How far back a report looks for causes when nobody says.
const LOOKBACK: Period = Period::Months(13);

/// A report with a hundred thousand findings is some 300 MB.
const MOST_PREVIOUS: u64 = 1 << 30;

pub(super) fn run(args: &ReportArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let frameworks = frameworks(args)?;
    if args.list {
        terminal.print(list(&frameworks).as_bytes())?;
        return Ok(ExitReason::Complete);
    }
    let settings = settings::begin(&args.around, terminal)?;
    settings::no_terminal(&args.sources, terminal, "keytrail report - < FILE")?;
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let format = args.format.or_else(|| output.and_then(format_of)).unwrap_or(ReportFormat::Html);
    if format == ReportFormat::Pdf {
        pdf_can_be_written(output.is_none() && terminal.around.out_is_terminal)?;
    }
    let output = output.map(Output::check).transpose()?;
    let pack = args.pack.as_deref().map(NewFolder::check).transpose()?;
    let mut asked = asked(args)?;
    let (from, to) = period(args.from, args.to)?;
    let options = ScanOptions {
        from,
        to,
        as_of: args.as_of.map(|when| when.end_ms()),
        lookback: from.map(|from| args.lookback.unwrap_or(LOOKBACK).before(from)),
        accounts: args.only.account.clone(),
        regions: args.only.region.clone(),
        inventory: args.kms.inventory.clone(),
        ..args.around.options(&args.sources, settings)
    };
    let keys = verify::keys(&args.public_keys)?;
    let remember = if keys.is_some() { Remember::Contents } else { Remember::Objects };
    let options = ScanOptions { remember, redact: !args.show_encryption_context, ..options };
    if keys.is_some() {
        pipeline::check_digests(&options, &args.digests)?;
    }
    let (mut report, looked_at) = pipeline::audit(&options, &*progress::display(terminal), &|key, cx| {
        let mut row = KeyRow::of(key, cx.dictionary, cx.reach());
        for resource in &mut row.resources {
            resource.name = cx.resource(&resource.name).into_owned();
        }
        Some((row, audit::population(key, cx)))
    })?;
    // After the logs: what was told meanwhile is known, too.
    asked.recorded = pipeline::alert_evidence(&options)?;
    warn_of_gaps(&report.coverage, terminal);
    match &keys {
        Some(keys) => verify::vouch(&options, (keys, &args.digests), &mut report, terminal)?,
        None => terminal.note("the logs are unverified: without --public-keys no control is satisfied"),
    }
    let verdict = verify::exit(report.integrity.as_ref());
    let is_complete = report.coverage.is_complete();
    let audit = Audit::new(report, looked_at, frameworks, &asked);
    if let Some(comparison) = &audit.comparison {
        for mismatch in &comparison.mismatches {
            terminal.warn(format!("hard to compare with the earlier report: {mismatch}"));
        }
    }
    match (pack, output) {
        (Some(folder), _) => {
            let path = folder.path().display().to_string();
            let files = write_pack(folder, &audit)?;
            terminal.note(format!("wrote {} to {path}", human::count(files as u64, "file")));
        }
        (None, Some(output)) => {
            let path = output.path().display().to_string();
            output.write(&render(&audit, format)?)?;
            terminal.note(format!("wrote {path}"));
        }
        (None, None) => terminal.print(&render(&audit, format)?)?,
    }
    Ok(ExitReason::of_report(is_complete, false).and(verdict))
}

/// What else is asked for: everything that is wrong with it is told before a log is read.
fn asked(args: &ReportArgs) -> Result<Asked, Failure> {
    let mut expected = Expected {
        accounts: args.expect_account.iter().cloned().collect(),
        regions: args.expect_region.iter().cloned().collect(),
        keys: expected::read(&args.expect_keys, Kind::Keys)?,
    };
    expected.accounts.extend(expected::read(&args.expect_accounts, Kind::Accounts)?);
    expected.regions.extend(expected::read(&args.expect_regions, Kind::Regions)?);
    let previous = args.compare.as_deref().map(previous).transpose()?;
    Ok(Asked { expected, recorded: None, sample: args.sample.zip(args.seed.clone()), previous })
}

fn previous(path: &Path) -> Result<Previous, Failure> {
    let said = |what: String| {
        Failure::usage(format!("cannot compare with {}: {what}", path.display()))
            .hint("the report.json of an evidence pack, or what `--format json` wrote")
    };
    let json = input::bytes(path, MOST_PREVIOUS).map_err(|error| said(error.to_string()))?;
    Previous::parse(&json).map_err(said)
}

/// Tells before a long run what would keep a PDF from being written.
fn pdf_can_be_written(is_for_terminal: bool) -> Result<(), Failure> {
    if cfg!(not(feature = "pdf")) {
        return Err(no_pdf());
    }
    if is_for_terminal {
        return Err(Failure::usage("a PDF is not for a terminal").hint("--output report.pdf"));
    }
    Ok(())
}

fn no_pdf() -> Failure {
    Failure::usage("this build writes no PDF")
        .hint("build it with `cargo build --release --features pdf`, or print the HTML report from a browser")
}

#[cfg(feature = "pdf")]
fn pdf(audit: &Audit) -> Result<Vec<u8>, Failure> {
    audit::pdf(audit).map_err(|error| Failure::could_not_run(error.to_string()))
}

#[cfg(not(feature = "pdf"))]
fn pdf(_: &Audit) -> Result<Vec<u8>, Failure> {
    Err(no_pdf())
}

fn render(audit: &Audit, format: ReportFormat) -> Result<Vec<u8>, Failure> {
    let text = match format {
        ReportFormat::Pdf => return pdf(audit),
        ReportFormat::Html => audit::html(audit),
        ReportFormat::Json => audit::json(audit),
        ReportFormat::Csv => audit::controls_csv(audit),
        ReportFormat::Oscal => audit::oscal(audit),
    };
    Ok(text.into_bytes())
}

/// What the end of a file name says about its format.
fn format_of(path: &Path) -> Option<ReportFormat> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    match name.rsplit('.').next()? {
        "json" if name.ends_with(".oscal.json") => Some(ReportFormat::Oscal),
        "html" | "htm" => Some(ReportFormat::Html),
        "json" => Some(ReportFormat::Json),
        "csv" => Some(ReportFormat::Csv),
        "pdf" => Some(ReportFormat::Pdf),
        _ => None,
    }
}

/// Those that were asked for; all that come along when nobody asks, and those of the user's files in any case.
fn frameworks(args: &ReportArgs) -> Result<Vec<Framework>, Failure> {
    let mut own = Vec::new();
    for path in &args.mapping {
        let said = |what: String| Failure::usage(format!("{}: {what}", path.display()));
        let text = input::text(path, input::BY_HAND).map_err(|error| said(error.to_string()))?;
        let framework = parse(&text).map_err(|error| said(error.to_string()))?;
        // Whoever reads one of two assessments of the same name does not see that there is another.
        if own.iter().any(|other: &Framework| other.id == framework.id) {
            return Err(said(format!("another file has the id `{}` already", framework.id)));
        }
        own.push(framework);
    }
    let builtin = builtin();
    let mut chosen: Vec<Framework> = Vec::new();
    for id in &args.framework {
        let known = own.iter().chain(&builtin).find(|framework| framework.id == *id).ok_or_else(|| {
            let ids: Vec<&str> = builtin.iter().map(|framework| framework.id.as_str()).collect();
            Failure::usage(format!("there is no framework `{id}`")).hint(format!("one of {}", ids.join(", ")))
        })?;
        if chosen.iter().all(|chosen| chosen.id != known.id) {
            chosen.push(known.clone());
        }
    }
    if args.framework.is_empty() {
        chosen = if own.is_empty() { builtin } else { own };
    }
    Ok(chosen)
}

fn list(frameworks: &[Framework]) -> String {
    let mut text = String::new();
    for framework in frameworks {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<18} {}", framework.id, framework.name);
        for control in &framework.controls {
            let _ = writeln!(text, "  {:<24} {}", control.id, control.title);
        }
    }
    text
}

/// Writes the evidence pack; how many files it has.
fn write_pack(folder: NewFolder, audit: &Audit) -> Result<usize, Failure> {
    let inventory = Inventory::new(audit.report.clone(), audit.keys.clone());
    let mut files = vec![
        ("changes.csv", audit::changes_csv(audit).into_bytes()),
        ("controls.csv", audit::controls_csv(audit).into_bytes()),
        ("evidence.csv", audit::evidence_csv(audit).into_bytes()),
        ("findings.json", crate::report::json::render(&audit.report).into_bytes()),
        ("inputs.ndjson", audit.report.inputs.as_ref().map(Inputs::manifest).unwrap_or_default().into_bytes()),
        ("keys.csv", keys::csv(&inventory).into_bytes()),
        ("report.html", audit::html(audit).into_bytes()),
        ("report.json", audit::json(audit).into_bytes()),
        ("report.oscal.json", audit::oscal(audit).into_bytes()),
        ("suppressions.csv", audit::suppressions_csv(audit).into_bytes()),
    ];
    // No lake is not a lake without alerts, and an empty sample is not one of none.
    if audit.operating.is_some() {
        files.push(("alerts.csv", audit::alerts_csv(audit).into_bytes()));
    }
    if audit.sample.is_some() {
        files.push(("sample.csv", audit::sample_csv(audit).into_bytes()));
    }
    if cfg!(feature = "pdf") {
        files.push(("report.pdf", pdf(audit)?));
    }
    files.sort_by_key(|(name, _)| *name);
    let mut sums = String::new();
    for (name, bytes) in &files {
        let _ = writeln!(sums, "{}  {name}", hex(&Sha256::digest(bytes)));
    }
    files.push(("SHA256SUMS", sums.into_bytes()));
    folder.write(&files)?;
    Ok(files.len())
}

//! `keytrail scan`.

use std::path::Path;

use super::args::{Format, ScanArgs};
use super::exit::ExitReason;
use super::failure::Failure;
use super::output::Output;
use super::terminal::Terminal;
use super::{alert, ingest, progress, settings, verify};
use crate::config::{Settings, When};
use crate::decode::SkipReason;
use crate::finding::{Finding, Severity, Status};
use crate::pipeline::{self, Reach, Remember, ScanOptions};
use crate::report::{self, Report, human, text};
use crate::view::Coverage;

/// Objects and records that a warning names one by one.
const NAMED: usize = 10;

pub(super) fn run(args: &ScanArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    terminal.quiet = args.quiet;
    let (settings, file) = settings::load(args.config.as_deref())?;
    if let Some(file) = file.filter(|_| args.config.is_none()) {
        terminal.note(format!("using {}", file.display()));
    }
    if args.lookback.is_some() && args.from.is_none() {
        terminal.note("--lookback counts from --from: without it everything in SOURCE is read");
    }
    let fail_on = args.fail_on.or_else(|| fail_on(&settings));
    let plan = Plan::new(args, fail_on, terminal)?;
    if args.alert {
        alert::check(&settings)?;
    }
    let mut options = options(args, settings)?;
    let keys = if args.verify { verify::keys(&args.public_keys)? } else { None };
    let mut digests = args.digests.clone();
    let mut complete = true;
    if let Some(lake) = &args.lake {
        // The logs are about to be in the lake; their digests are where they are.
        digests.extend(options.sources.iter().cloned());
        if keys.is_some() {
            pipeline::check_digests(&ScanOptions { sources: vec![lake.clone()], ..options.clone() }, &digests)?;
        }
        let lake = lake.clone();
        if !options.sources.is_empty() {
            let filled = ingest::fill(&options, &lake, Reach::Scan, terminal)?;
            complete = filled.coverage.is_complete();
            let (new, unchanged) = (filled.committed.added + filled.committed.replaced, filled.unchanged);
            terminal.note(format!(
                "lake {lake}: {} new, {} unchanged",
                human::count(new, "object"),
                human::number(unchanged)
            ));
        }
        options.sources = vec![lake];
    }

    if keys.is_some() {
        if args.lake.is_none() {
            pipeline::check_digests(&options, &digests)?;
        }
        options.remember = Remember::Contents;
    }
    let mut report = pipeline::scan(&options, &*progress::display(terminal))?;
    if let Some(keys) = &keys {
        verify::vouch(&options, (keys, &digests), &mut report, terminal)?;
    }
    let exit = publish(&report, plan, terminal)?.and(verify::exit(report.integrity.as_ref()));
    if args.alert {
        let lake = args.lake.as_deref().map(|lake| pipeline::open_lake(lake, &options)).transpose()?;
        let is_about_everything = is_about_everything(args);
        if lake.is_some() && is_about_everything {
            alert::miss(&mut report, &options.settings, terminal);
        }
        let whole = complete && is_about_everything;
        alert::tell(&report, &options.settings, lake.as_ref(), whole, terminal)?;
    }
    // What could not be read now counts, even if the lake has what it was before.
    Ok(if complete { exit } else { exit.incomplete() })
}

/// True when nothing was left out on purpose: then what is not found is not there.
fn is_about_everything(args: &ScanArgs) -> bool {
    args.from.is_none()
        && args.to.is_none()
        && args.as_of.is_none()
        && [&args.account, &args.region, &args.rule].into_iter().all(Vec::is_empty)
}

/// Where the report goes: everything that can be wrong about that is told before the logs are read.
struct Plan {
    format: Format,
    output: Option<Output>,
    fail_on: Option<Severity>,
}

impl Plan {
    fn new(args: &ScanArgs, fail_on: Option<Severity>, terminal: &Terminal<'_>) -> Result<Self, Failure> {
        let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
        let format = args.format.or_else(|| output.and_then(format_of)).unwrap_or(Format::Text);
        if format == Format::Parquet && output.is_none() && terminal.around.out_is_terminal {
            return Err(Failure::usage("parquet is not for a terminal").hint("--output findings.parquet"));
        }
        if output.is_some() && output == args.events.as_deref() {
            return Err(
                Failure::usage("--output and --events name the same file").hint("give the events a file of their own")
            );
        }
        if args.sources.iter().any(|source| source == "-") && terminal.around.in_is_terminal {
            let hint = "keytrail scan - < FILE";
            return Err(Failure::usage("standard input is a terminal, not a log").hint(hint));
        }
        if args.verify && args.sources.iter().any(|source| source == "-") {
            return Err(Failure::usage("digests name log files by their place: standard input has none")
                .hint("keytrail scan FOLDER --verify --public-keys FILE"));
        }
        if let Some(events) = &args.events {
            Output::check(events)?;
        }
        let output = output.map(Output::check).transpose()?;
        Ok(Self { format, output, fail_on })
    }
}

/// What the end of a file name says about its format.
fn format_of(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "json" => Some(Format::Json),
        "ndjson" | "jsonl" => Some(Format::Ndjson),
        "csv" => Some(Format::Csv),
        "parquet" => Some(Format::Parquet),
        "sarif" => Some(Format::Sarif),
        _ => None,
    }
}

fn fail_on(settings: &Settings) -> Option<Severity> {
    let level = settings.scan.fail_on?;
    Severity::ALL.into_iter().find(|severity| severity.id() == level.id())
}

/// Start and end of a period, milliseconds since the epoch.
pub(super) fn period(from: Option<When>, to: Option<When>) -> Result<(Option<i64>, Option<i64>), Failure> {
    let (from, to) = (from.map(|when| when.start_ms()), to.map(|when| when.end_ms()));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        let story =
            format!("the period is empty: it begins at {} and ends at {}", human::rfc3339(from), human::rfc3339(to));
        return Err(Failure::usage(story).hint("swap --from and --to"));
    }
    Ok((from, to))
}

fn options(args: &ScanArgs, settings: Settings) -> Result<ScanOptions, Failure> {
    let (from, to) = period(args.from, args.to)?;
    Ok(ScanOptions {
        accounts: args.account.clone(),
        regions: args.region.clone(),
        from,
        to,
        lookback: args.lookback.zip(from).map(|(period, from)| period.before(from)),
        as_of: args.as_of.map(|when| when.end_ms()),
        rules: args.rule.clone(),
        events: args.events.clone(),
        inventory: args.kms.inventory.clone(),
        ..args.limits.apply(args.sources.clone(), settings, &args.s3)
    })
}

/// Warnings, the report, remarks; then how the run ends.
fn publish(report: &Report, plan: Plan, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    warn_of_gaps(&report.coverage, terminal);

    let look = if plan.output.is_some() { terminal.file_look() } else { terminal.look() };
    let bytes = match plan.format {
        Format::Text => text::render(report, look).into_bytes(),
        Format::Json => report::json::render(report).into_bytes(),
        Format::Ndjson => report::ndjson::render(report).into_bytes(),
        Format::Csv => report::csv::render(report).into_bytes(),
        Format::Asff => asff(report, terminal),
        Format::Ocsf => report::ocsf::render(report).into_bytes(),
        Format::Sarif => report::sarif::render(report).into_bytes(),
        Format::Parquet => report::parquet::render(report)
            .map_err(|error| Failure::could_not_run(format!("cannot write the findings as parquet: {error}")))?,
    };
    match plan.output {
        None => terminal.print(&bytes)?,
        Some(output) => {
            let path = output.path().display().to_string();
            output.write(&bytes)?;
            terminal.note(format!("wrote {} to {path}", human::count(report.findings.len() as u64, "finding")));
        }
    }
    if matches!(plan.format, Format::Csv | Format::Parquet | Format::Asff | Format::Ocsf) {
        // Rows have no place for it.
        let block = text::render_coverage(report, terminal.err_look(), "scan");
        terminal.note_block(&block);
    }

    let failing =
        plan.fail_on.map_or(0, |least| report.findings.iter().filter(|finding| fails(finding, least)).count());
    let exit = ExitReason::of_report(report.coverage.is_complete(), failing > 0);
    if let Some(least) = plan.fail_on.filter(|_| failing > 0) {
        let count = human::count(failing as u64, "finding");
        terminal.note(format!("{count} at or above {}: exit code {}", least.id(), exit.code()));
    }
    Ok(exit)
}

fn asff(report: &Report, terminal: &mut Terminal<'_>) -> Vec<u8> {
    let report::asff::Requests { text, left_out } = report::asff::render(report);
    if left_out > 0 {
        let left_out = human::count(left_out as u64, "finding");
        terminal.warn(format!("{left_out} left out: Security Hub takes findings of an account and a Region only"));
    }
    text.into_bytes()
}

/// An incident that is over still happened; one that the configuration accepts does not count.
fn fails(finding: &Finding, least: Severity) -> bool {
    finding.severity >= least && !matches!(finding.status, Status::Suppressed { .. })
}

/// What should have been read and could not be: never only in a file.
pub(super) fn warn_of_gaps(coverage: &Coverage, terminal: &mut Terminal<'_>) {
    let skipped: Vec<_> = coverage.skipped.iter().filter(|skipped| !skipped.reason.is_expected()).collect();
    if !skipped.is_empty() {
        let all = skipped.len() as u64;
        let lines = skipped.iter().map(|skipped| {
            let said = skipped.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
            format!("{}: {}{said}", skipped.object, meaning(skipped.reason))
        });
        terminal.warn(named(format!("{} could not be read", human::count(all, "object")), lines, all));
    }
    if coverage.records.rejected > 0 {
        let all = coverage.records.rejected;
        let lines =
            coverage.rejected_at.iter().map(|at| format!("{}:{}: {}", at.object, at.record, at.reason.meaning()));
        terminal.warn(named(format!("{} could not be read", human::count(all, "record")), lines, all));
    }
    if let Some(inventory) = coverage.inventory.as_deref().filter(|inventory| !inventory.misread.is_empty()) {
        let all = inventory.misread.len() as u64;
        let lines = inventory.misread.iter().map(|one| format!("{}: {}", one.source, one.reason));
        terminal.warn(named(format!("{} of the inventory could not be used", human::count(all, "part")), lines, all));
    }
}

fn meaning(reason: SkipReason) -> String {
    format!("{} ({})", reason.meaning(), reason.id())
}

/// A headline and the first few of many; a name with line breaks in it stays on its line.
pub(super) fn named(headline: String, lines: impl Iterator<Item = String>, all: u64) -> String {
    let mut text = headline;
    let mut shown = 0;
    for line in lines.take(NAMED) {
        text.push_str("\n  ");
        text.push_str(&report::escape::terminal(&line));
        shown += 1;
    }
    if all > shown {
        text.push_str(&format!("\n  and {} more; see coverage", human::number(all - shown)));
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Cli, Color, Command};
    use crate::cli::terminal::Surroundings;
    use crate::report::sample;

    /// How a report is published with these arguments: exit code, standard output, standard error.
    fn publish_with(report: &Report, around: Surroundings, args: &[&str]) -> (Result<u8, Failure>, Vec<u8>, String) {
        let cli = Cli::try_parse_from(["keytrail", "scan", "logs"].iter().chain(args)).unwrap();
        let Command::Scan(args) = cli.command else { panic!("not a scan") };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut terminal = Terminal::new(&mut out, &mut err, around, Color::Auto);
        terminal.quiet = args.quiet;
        let result = Plan::new(&args, args.fail_on, &terminal).and_then(|plan| publish(report, plan, &mut terminal));
        (result.map(ExitReason::code), out, String::from_utf8(err).unwrap())
    }

    fn in_a_pipe(report: &Report, args: &[&str]) -> (u8, String, String) {
        let (exit, out, err) = publish_with(report, Surroundings::default(), args);
        (exit.unwrap(), String::from_utf8_lossy(&out).into_owned(), err)
    }

    #[test]
    fn exit_codes_tell_incomplete_from_findings() {
        let incomplete = sample::report();
        let mut complete = sample::report();
        complete.coverage.skipped.clear();
        complete.coverage.records.rejected = 0;
        assert_eq!(in_a_pipe(&complete, &[]).0, 0, "a finding is a result, not a failure");
        assert_eq!(in_a_pipe(&complete, &["--fail-on", "critical"]).0, 10);
        assert_eq!(in_a_pipe(&incomplete, &[]).0, 4);
        assert_eq!(in_a_pipe(&incomplete, &["--fail-on", "high"]).0, 14);
        complete.findings.retain(|finding| finding.status != Status::Open);
        assert_eq!(in_a_pipe(&complete, &["--fail-on", "high"]).0, 10, "a closed one happened");
        complete.findings.retain(|finding| finding.status != Status::Closed);
        assert_eq!(in_a_pipe(&complete, &["--fail-on", "info"]).0, 0, "a suppressed one is accepted");
    }

    #[test]
    fn what_could_not_be_read_is_on_standard_error() {
        let mut report = sample::report();
        let broken = report.coverage.skipped[0].clone();
        report.coverage.skipped.extend(std::iter::repeat_n(broken, 12));
        let (_, out, err) = in_a_pipe(&report, &["--format", "json", "--quiet"]);
        assert!(out.starts_with("{\n  \"schema\": \"keytrail.scan/1\""), "{out}");
        assert!(err.starts_with("warning: 14 objects could not be read\n  s3://"), "{err}");
        assert!(err.contains("\n  and 4 more; see coverage\nwarning: 7 records could not be read\n"), "{err}");
        assert_eq!(err.lines().count(), 16, "{err}");
    }

    #[test]
    fn hostile_names_are_one_line_each() {
        let (_, _, err) = in_a_pipe(&sample::hostile(), &["--quiet"]);
        assert!(!err.contains(|c: char| c.is_control() && c != '\n'), "{err:?}");
        assert!(err.lines().all(|line| line.starts_with("warning: ") || line.starts_with("  ")), "{err}");
    }

    #[test]
    fn rows_come_with_coverage_beside_them() {
        let (_, out, err) = in_a_pipe(&sample::report(), &["--format", "csv"]);
        assert!(out.starts_with("id,incident,rule,"), "{out}");
        assert!(err.contains("\nLooked at\n") && err.contains("\nNot looked at\n"), "{err}");
        let (_, _, err) = in_a_pipe(&sample::empty(), &["--format", "csv", "--quiet"]);
        assert_eq!(err, "");
    }

    #[test]
    fn a_file_gets_the_format_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, start) in [
            ("a.json", "{\n"),
            ("a.ndjson", "{\""),
            ("a.csv", "id,"),
            ("a.parquet", "PAR1"),
            ("a.sarif", "{\n"),
            ("a.txt", "1 open"),
        ] {
            let path = folder.path().join(name);
            let (_, out, err) = in_a_pipe(&sample::report(), &["--output", path.to_str().unwrap()]);
            assert_eq!(out, "", "{name}");
            assert!(std::fs::read(&path).unwrap().starts_with(start.as_bytes()), "{name}");
            assert!(err.contains(&format!("wrote 3 findings to {}", path.display())), "{err}");
        }
    }

    #[test]
    fn parquet_is_not_written_to_a_terminal() {
        let terminal = Surroundings { out_is_terminal: true, ..Surroundings::default() };
        let (exit, out, _) = publish_with(&sample::report(), terminal, &["--format", "parquet"]);
        let failure = exit.unwrap_err();
        assert_eq!((failure.exit, failure.hint.as_deref()), (ExitReason::Usage, Some("--output findings.parquet")));
        assert!(out.is_empty());
        assert!(in_a_pipe(&sample::report(), &["--format", "parquet"]).1.starts_with("PAR1"));
    }

    #[test]
    fn the_end_of_the_period_is_the_end_of_its_day() {
        let options = |from: &str, to: &str| {
            let cli = Cli::try_parse_from(["keytrail", "scan", "x", "--from", from, "--to", to]).unwrap();
            let Command::Scan(args) = cli.command else { panic!("not a scan") };
            options(&args, Settings::default())
        };
        let day = options("2026-03-01", "2026-03-01").unwrap();
        assert_eq!(day.to.unwrap() - day.from.unwrap(), 86_400_000);
        assert_eq!(options("2026-03-02", "2026-03-01").unwrap_err().exit, ExitReason::Usage);
    }
}

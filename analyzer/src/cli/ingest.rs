//! `keytrail ingest`, and the lake of `keytrail scan --lake`.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::args::{IngestArgs, IngestFormat};
use super::exit::ExitReason;
use super::failure::Failure;
use super::scan::{period, warn_of_gaps};
use super::terminal::Terminal;
use super::{progress, settings};
use crate::pipeline::{self, Filled, Reach, ScanOptions};
use crate::report::human;

pub(super) fn run(args: &IngestArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    terminal.quiet = args.quiet;
    let (settings, file) = settings::load(args.config.as_deref())?;
    if let Some(file) = file.filter(|_| args.config.is_none()) {
        terminal.note(format!("using {}", file.display()));
    }
    let (from, to) = period(args.from, args.to)?;
    let options = ScanOptions {
        accounts: args.account.clone(),
        regions: args.region.clone(),
        from,
        to,
        ..args.limits.apply(args.sources.clone(), settings, &args.s3)
    };
    let filled = fill(&options, &args.lake, Reach::Asked, terminal)?;
    match args.format {
        IngestFormat::Text => terminal.print(text(&args.lake, &filled).as_bytes())?,
        IngestFormat::Json => terminal.print(json(&args.lake, &filled).as_bytes())?,
    }
    Ok(ExitReason::of_report(filled.coverage.is_complete(), false))
}

/// Brings what is new into a lake.
pub(super) fn fill(
    options: &ScanOptions,
    lake: &str,
    reach: Reach,
    terminal: &mut Terminal<'_>,
) -> Result<Filled, Failure> {
    for source in &options.sources {
        if source == "-" {
            let failure = Failure::usage("what comes from standard input has no name to be kept under");
            return Err(failure.hint("write it to a file first, or scan it without --lake"));
        }
        if holds(source, lake) {
            let failure = Failure::usage(format!("the lake {lake} stands inside of the source {source}"));
            return Err(failure.hint("put the lake beside the logs"));
        }
    }
    let lake = pipeline::open_lake(lake, options)?;
    let filled = pipeline::fill(options, &lake, reach, &*progress::display(terminal))?;
    if filled.unchanged == 0 && filled.coverage.objects.seen == 0 {
        let pruned = match filled.coverage.objects.pruned {
            0 => String::new(),
            pruned => format!("; {pruned} objects lie outside of what was asked for"),
        };
        return Err(Failure::nothing_to_read(format!("nothing to read in {}{pruned}", options.sources.join(", "))));
    }
    warn_of_gaps(&filled.coverage, terminal);
    filled.notices.iter().for_each(|notice| terminal.note(notice));
    Ok(filled)
}

/// True when a folder or prefix of logs holds the lake: it would be read as logs.
pub(super) fn holds(source: &str, lake: &str) -> bool {
    if let (Some(source), Some(lake)) = (source.strip_prefix("s3://"), lake.strip_prefix("s3://")) {
        // A prefix need not end with a slash, a bucket does.
        let source = if source.contains('/') { source.to_owned() } else { format!("{source}/") };
        return format!("{}/", lake.trim_end_matches('/')).starts_with(&source);
    }
    let folder = |path: &str| fs::canonicalize(path).ok().filter(|path| path.is_dir());
    // A lake that is yet to be made stands where its nearest folder does.
    let lake = Path::new(lake).ancestors().find_map(|path| match path.to_str() {
        Some("") => fs::canonicalize(".").ok(),
        Some(path) => folder(path),
        None => None,
    });
    folder(source).zip(lake).is_some_and(|(source, lake)| lake.starts_with(source))
}

fn text(lake: &str, filled: &Filled) -> String {
    let Filled { unchanged, committed, merged, .. } = filled;
    let mut lines = vec![format!("lake {}", crate::report::escape::terminal(lake))];
    lines.push(format!(
        "  {} new, {} replaced, {} unchanged",
        human::count(committed.added, "object"),
        human::number(committed.replaced),
        human::number(*unchanged),
    ));
    lines.push(format!(
        "  {} read, {} written in {} ({})",
        human::count(filled.coverage.records.seen, "record"),
        human::count(committed.rows, "row"),
        human::count(committed.parts, "file"),
        human::bytes(committed.bytes),
    ));
    if *merged > 0 {
        lines.push(format!("  {} merged", human::count(*merged, "small file")));
    }
    let mut text = lines.join("\n");
    text.push_str(&format!("\nnext: keytrail scan {}\n", crate::finding::word(lake)));
    text
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Told<'t> {
    schema: &'static str,
    lake: &'t str,
    objects: Objects,
    records: Records,
    written: Written,
    skipped: Vec<Skipped<'t>>,
}

#[derive(Serialize)]
struct Objects {
    new: u64,
    replaced: u64,
    unchanged: u64,
    pruned: u64,
    read: u64,
    skipped: u64,
}

#[derive(Serialize)]
struct Records {
    seen: u64,
    rejected: u64,
    rows: u64,
}

#[derive(Serialize)]
struct Written {
    parts: u64,
    bytes: u64,
    merged: u64,
    removed: u64,
}

#[derive(Serialize)]
struct Skipped<'t> {
    object: &'t str,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'t str>,
}

fn json(lake: &str, filled: &Filled) -> String {
    let Filled { unchanged, committed, coverage, merged, removed, .. } = filled;
    let told = Told {
        schema: "keytrail.ingest/1",
        lake,
        objects: Objects {
            new: committed.added,
            replaced: committed.replaced,
            unchanged: *unchanged,
            pruned: coverage.objects.pruned,
            read: coverage.objects.read,
            skipped: coverage.objects.skipped,
        },
        records: Records { seen: coverage.records.seen, rejected: coverage.records.rejected, rows: committed.rows },
        written: Written { parts: committed.parts, bytes: committed.bytes, merged: *merged, removed: *removed },
        skipped: coverage
            .skipped
            .iter()
            .map(|one| Skipped { object: &one.object, reason: one.reason.id(), detail: one.detail.as_deref() })
            .collect(),
    };
    // Strings and numbers only, which cannot fail to serialize.
    let mut text = serde_json::to_string_pretty(&told).unwrap_or_default();
    text.push('\n');
    text
}

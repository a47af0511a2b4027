//! `keytrail backfill`.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use foldhash::{HashMap, HashMapExt};

use super::args::{BackfillArgs, PlanArgs};
use super::estimate::Estimate;
use super::exit::ExitReason;
use super::failure::Failure;
use super::ingest::holds;
use super::output::Output;
use super::scan::period;
use super::terminal::Terminal;
use crate::config::Settings;
use crate::lake::Shard;
use crate::pipeline::{self, Batch, Bounds, Found, ScanOptions};
use crate::report::{escape, human};
use crate::source::Object;

/// Folders that are named one by one when they cannot be listed.
const NAMED: usize = 10;

pub(super) fn run(args: &BackfillArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let BackfillArgs::Plan(args) = args;
    plan(args, terminal)
}

fn plan(args: &PlanArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    terminal.quiet = args.quiet;
    let options = options(args)?;
    let naming = Naming::new(args)?;
    let output = args.output.as_deref().map(Output::check).transpose()?;
    let mut estimate = Estimate::new(args.concurrency, args.function_memory.0);
    let mut spool = output.is_some().then(Spool::new).transpose()?;
    let bounds = Bounds { objects: args.batch_objects as usize, bytes: args.batch_bytes.0 };
    let found = pipeline::batches(
        &options,
        bounds,
        |object| naming.name(object),
        |batch| {
            estimate.add(batch.objects, batch.bytes);
            spool.as_mut().map_or(Ok(()), |spool| spool.add(batch))
        },
    )?;
    warn(&found, terminal);
    found.notices.iter().for_each(|notice| terminal.note(notice));
    if estimate.batches == 0 {
        if !found.unlisted.is_empty() {
            return Err(Failure::could_not_run(format!("nothing could be listed in {}", options.sources.join(", "))));
        }
        return Err(Failure::nothing_to_read(format!("no logs to bring in from {}", options.sources.join(", "))));
    }
    terminal.note_block(&estimate.text(&found));
    match (output, spool) {
        (Some(output), Some(spool)) => {
            spool.write(&output)?;
            let path = output.path().display().to_string();
            terminal.note(format!("wrote {} to {path}", human::count(estimate.batches, "line")));
        }
        _ => terminal.note("this was a dry run: --output plan.jsonl writes the plan"),
    }
    Ok(ExitReason::of_report(found.unlisted.is_empty(), false))
}

fn options(args: &PlanArgs) -> Result<ScanOptions, Failure> {
    #[cfg(not(feature = "aws"))]
    let super::args::S3Args {} = args.s3;
    if !args.lake.starts_with("s3://") {
        let failure = Failure::usage(format!("the function keeps its lake in S3, not in {}", args.lake));
        return Err(failure.hint("a lake in a folder is filled by keytrail ingest SOURCE --lake DIR"));
    }
    if let Some(source) = args.sources.iter().find(|source| holds(source, &args.lake)) {
        let failure = Failure::usage(format!("the lake {} stands inside of the source {source}", args.lake));
        return Err(failure.hint("name the prefix of the logs: s3://BUCKET/AWSLogs/"));
    }
    if args.sources.iter().any(|source| source == "-") {
        return Err(Failure::usage("what comes from standard input cannot be listed"));
    }
    let (from, to) = period(args.from, args.to)?;
    Ok(ScanOptions {
        accounts: args.account.clone(),
        regions: args.region.clone(),
        from,
        to,
        #[cfg(feature = "aws")]
        s3: args.s3.options(),
        ..ScanOptions::new(args.sources.clone(), Settings::default())
    })
}

/// What the function shall call the objects.
enum Naming<'a> {
    /// As they are called: they are in S3, or nobody will hear of them.
    AsListed,
    /// Files below a folder stand below a prefix.
    Uploaded { folder: &'a Path, prefix: String },
}

impl<'a> Naming<'a> {
    fn new(args: &'a PlanArgs) -> Result<Self, Failure> {
        let local = args.sources.iter().find(|source| !source.starts_with("s3://"));
        match (local, &args.uploaded_to) {
            (Some(_), Some(prefix)) => {
                if !prefix.starts_with("s3://") {
                    return Err(Failure::usage(format!("--uploaded-to is a place in S3, not {prefix}")));
                }
                match args.sources.as_slice() {
                    [folder] if Path::new(folder).is_dir() => {
                        let prefix = format!("{}/", prefix.trim_end_matches('/'));
                        Ok(Self::Uploaded { folder: Path::new(folder), prefix })
                    }
                    _ => Err(Failure::usage("--uploaded-to goes with one SOURCE, which is a folder")),
                }
            }
            (Some(source), None) if args.output.is_some() => {
                let failure = Failure::usage(format!("the function cannot read {source}"));
                Err(failure.hint("--uploaded-to s3://BUCKET/PREFIX says where the files of a folder stand in S3"))
            }
            (None, Some(_)) => Err(Failure::usage("--uploaded-to goes with a folder; these logs are in S3 already")),
            (_, None) => Ok(Self::AsListed),
        }
    }

    fn name(&self, object: &Object) -> Result<String, Failure> {
        let Self::Uploaded { folder, prefix } = self else { return Ok(object.uri.clone()) };
        let path = object.path().and_then(|path| path.strip_prefix(folder).ok()).and_then(Path::to_str);
        let key = path.map(|path| path.replace(std::path::MAIN_SEPARATOR, "/"));
        let key = key.ok_or_else(|| {
            Failure::could_not_run(format!("{} has no name that an object in S3 can have", object.uri))
        })?;
        Ok(format!("{prefix}{key}"))
    }
}

/// Lines that wait to be put in order: a plan of millions of objects is larger than memory.
struct Spool {
    file: BufWriter<File>,
    /// Of each line how many of the same account and Region stand before it, where it begins, and how long it is.
    lines: Vec<(u64, u64, usize)>,
    seen: HashMap<Shard, u64>,
    end: u64,
}

impl Spool {
    fn new() -> Result<Self, Failure> {
        let file = BufWriter::new(tempfile::tempfile().map_err(|error| spool_failed(&error))?);
        Ok(Self { file, lines: Vec::new(), seen: HashMap::new(), end: 0 })
    }

    fn add(&mut self, batch: Batch) -> Result<(), Failure> {
        let turn = self.seen.entry(batch.shard).or_default();
        self.file.write_all(batch.payload.as_bytes()).map_err(|error| spool_failed(&error))?;
        self.lines.push((*turn, self.end, batch.payload.len()));
        *turn += 1;
        self.end += batch.payload.len() as u64;
        Ok(())
    }

    /// Accounts and Regions take turns: functions that run at the same time then seldom swap the same manifest.
    fn write(self, output: &Output) -> Result<(), Failure> {
        let Self { file, mut lines, .. } = self;
        lines.sort_unstable();
        let file = file.into_inner().map_err(|error| spool_failed(error.error()))?;
        output.write_with(|out| {
            let mut out = BufWriter::new(out);
            let mut file = BufReader::new(file);
            for (_, begin, length) in lines {
                file.seek(SeekFrom::Start(begin))?;
                io::copy(&mut file.by_ref().take(length as u64), &mut out)?;
                out.write_all(b"\n")?;
            }
            out.flush()
        })
    }
}

fn spool_failed(error: &io::Error) -> Failure {
    Failure::could_not_run(format!("cannot write a temporary file: {error}")).hint("TMPDIR says where they are made")
}

fn warn(found: &Found, terminal: &mut Terminal<'_>) {
    for (place, why) in found.unlisted.iter().take(NAMED) {
        terminal.warn(format!("{}: {}", escape::terminal(place), escape::terminal(why)));
    }
    if let more @ 1.. = found.unlisted.len().saturating_sub(NAMED) {
        terminal.warn(format!("{} more could not be listed", human::number(more as u64)));
    }
}

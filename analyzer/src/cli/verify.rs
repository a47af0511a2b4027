//! `keytrail verify`.

use std::io;
use std::path::{Path, PathBuf};

use super::args::{VerifyArgs, VerifyFormat};
use super::exit::ExitReason;
use super::failure::Failure;
use super::output::Output;
use super::terminal::Terminal;
use super::{input, progress};
use crate::config::Settings;
use crate::integrity::{PublicKeys, Verdict};
use crate::pipeline::{self, Resume, ScanOptions};
use crate::report::{Integrity, Report, human, verify};

/// Keys of a Region for years are a few hundred, half a kilobyte each.
const MOST_KEYS: u64 = 64 << 20;

pub(super) fn run(args: &VerifyArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    terminal.quiet = args.quiet;
    if args.sources.iter().any(|source| source == "-") {
        return Err(Failure::usage("digests name log files by their place: standard input has none")
            .hint("keytrail verify FOLDER --public-keys FILE"));
    }
    let output = args.output.as_deref().filter(|path| *path != Path::new("-"));
    let json = output.and_then(Path::extension).is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let format = args.format.unwrap_or(if json { VerifyFormat::Json } else { VerifyFormat::Text });
    let output = output.map(Output::check).transpose()?;
    let keys = keys(&args.public_keys)?;

    let options = ScanOptions {
        accounts: args.account.clone(),
        regions: args.region.clone(),
        from: args.from.map(|when| when.start_ms()),
        to: args.to.map(|when| when.end_ms()),
        // Nothing of the configuration changes what is verified.
        ..args.limits.apply(args.sources.clone(), Settings::default(), &args.s3)
    };
    if options.from.zip(options.to).is_some_and(|(from, to)| from >= to) {
        return Err(Failure::usage("the period ends before it starts"));
    }
    let cannot = |file: &Path, error: io::Error| {
        Failure::usage(format!("cannot keep the state of the run in {}: {error}", file.display()))
    };
    let resume =
        args.resume.as_deref().map(|file| Resume::open(file).map_err(|error| cannot(file, error))).transpose()?;
    if let Some(resume) = resume.as_ref().filter(|resume| !resume.is_empty()) {
        terminal.note(format!("going on: {} hashed before", human::count(resume.len() as u64, "log file")));
    }
    let verification = pipeline::verify(&options, keys.as_ref(), resume.as_ref(), &*progress::display(terminal))?;

    let look = if output.is_some() { terminal.file_look() } else { terminal.look() };
    let text = match format {
        VerifyFormat::Text => verify::text(&verification, look),
        VerifyFormat::Json => verify::json(&verification),
    };
    let problems = verification.verdicts.problems.len() as u64;
    match output {
        None => terminal.print(text.as_bytes())?,
        Some(output) => {
            let path = output.path().display().to_string();
            output.write(text.as_bytes())?;
            terminal.note(format!("wrote {} to {path}", human::count(problems, "problem")));
        }
    }
    let verdict = verification.verdicts.verdict;
    if verdict != Verdict::Valid && (args.output.is_some() || format == VerifyFormat::Json) {
        terminal.warn(format!("the logs are {}: {}", verdict.id(), human::count(problems, "problem")));
    }
    if let Some((file, resume)) = args.resume.as_deref().zip(resume)
        && let Err(error) = resume.finish(verdict != Verdict::Incomplete)
    {
        terminal.warn(format!("the state of the run could not be kept in {}: {error}", file.display()));
    }
    Ok(of_verdict(verdict))
}

fn of_verdict(verdict: Verdict) -> ExitReason {
    match verdict {
        Verdict::Valid => ExitReason::Complete,
        Verdict::Incomplete => ExitReason::Incomplete,
        Verdict::Invalid => ExitReason::Findings,
    }
}

/// Puts the verdict to everything that a report rests on.
pub(super) fn vouch(
    options: &ScanOptions,
    (keys, digests): (&PublicKeys, &[String]),
    report: &mut Report,
    terminal: &mut Terminal<'_>,
) -> Result<(), Failure> {
    pipeline::vouch(options, keys, digests, report, &*progress::display(terminal))?;
    if let Some(integrity) = report.integrity.as_ref().filter(|integrity| integrity.verdict != Verdict::Valid) {
        let problems = human::count(integrity.problems, "problem");
        terminal.warn(format!("the logs are {}: {problems}", integrity.verdict.id()));
    }
    Ok(())
}

/// How a run ends by the verdict over its logs; one that nobody asked for says nothing.
pub(super) fn exit(integrity: Option<&Integrity>) -> ExitReason {
    integrity.map_or(ExitReason::Complete, |integrity| of_verdict(integrity.verdict))
}

/// The keys of all files; None without a file.
pub(super) fn keys(files: &[PathBuf]) -> Result<Option<PublicKeys>, Failure> {
    let mut keys = PublicKeys::default();
    for file in files {
        let name = file.display();
        let cannot =
            |error: &dyn std::fmt::Display| Failure::usage(format!("cannot use the public keys {name}: {error}"));
        let json = input::bytes(file, MOST_KEYS).map_err(|error| cannot(&error))?;
        keys.add(&json).map_err(|error| cannot(&error))?;
    }
    Ok((!files.is_empty()).then_some(keys))
}

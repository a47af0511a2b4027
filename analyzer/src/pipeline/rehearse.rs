//! Judges the past again, moment by moment, as the scheduled evaluation would have: what would this configuration have told?

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    Progress, Reach, ScanError, ScanOptions, Sources, fill, filter, nothing_to_read, open_lake, scan, silence,
};
use crate::alert::{Rehearsal, RehearsalOutcome};
use crate::finding::Finding;
use crate::lake::{Folder, Lake};
use crate::report::Report;

/// The evaluation that the function's template schedules.
const STEP: i64 = 5 * MINUTE;
const MINUTE: i64 = 60_000;

/// Evaluations that one rehearsal may take: each judges all of the log.
const MOST: usize = 400;

/// What would have been told.
#[derive(Debug)]
pub struct Rehearsed {
    /// Start of the rehearsed time, milliseconds since the epoch: where the log begins, when that is later than asked for.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// Evaluations.
    pub evaluations: usize,
    /// How near to an event the next evaluation is, milliseconds.
    pub step: i64,
    /// Messages.
    pub outcome: RehearsalOutcome,
    /// What is there at the end.
    pub report: Report,
}

/// What is rehearsed.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Milliseconds before the end: `as_of`, else the last event.
    pub length: i64,
    /// An evaluation at least this often, milliseconds.
    pub every: i64,
}

/// Evaluates the sources as of many moments, with sinks that keep what they are told. Nothing is sent.
///
/// The moments are those of the scheduled evaluation at which something can be new: the first after each record that a finding
/// rests on, after the time in which late events may overturn it, and after a silence is too long; and regular ones for what time alone changes.
///
/// # Errors
/// As of [`scan`]; and when the temporary folder cannot be written.
pub fn rehearse(options: &ScanOptions, span: Span, progress: &dyn Progress) -> Result<Rehearsed, ScanError> {
    let folder = tempfile::tempdir()?;
    let mut options = options.clone();
    // What is read a hundred times is read once from the logs.
    if Sources::open(&options, &filter(&options))?.lakes.is_empty() {
        let place = folder.path().join("logs").to_string_lossy().into_owned();
        let filled = fill(&options, &open_lake(&place, &options)?, Reach::Scan, progress)?;
        // Said of the sources that were named, not of the folder that nobody named.
        if filled.coverage.objects.seen == 0 {
            return Err(nothing_to_read(&options, filled.coverage.objects.pruned));
        }
        options.sources = vec![place];
    }
    let report = scan(&options, &Silent)?;
    let (Some(to), Some((log_start, _))) = (report.run.as_of, report.coverage.span) else {
        return Err(ScanError::NothingToRead("the log has no event: there is nothing to rehearse".into()));
    };
    let from = (to - span.length).max(log_start);
    let settle = i64::from(options.settings.alert.options.settle_minutes) * MINUTE;
    // Who asks for some rules asks for no other.
    let is_missed = options.rules.is_empty();
    let turns = if is_missed { silence::turns(&report, &options.settings) } else { Vec::new() };
    let (moments, step) = moments(&report.findings, &turns, (from, to), span.every, settle);

    let state = Lake::open_or_create(Arc::new(Folder::new(folder.path().join("state"))))?;
    let mut rehearsal = Rehearsal::new(&options.settings, state);
    for moment in &moments {
        let mut report = scan(&ScanOptions { as_of: Some(*moment), ..options.clone() }, &Silent)?;
        if is_missed {
            silence::miss(&mut report, &options.settings, *moment);
        }
        rehearsal.evaluate(&report, *moment).map_err(ScanError::Failed)?;
    }
    Ok(Rehearsed { from, to, evaluations: moments.len(), step, outcome: rehearsal.finish(), report })
}

/// The moments to evaluate, and how near to an event they are: the finest that [`MOST`] admits.
fn moments(
    findings: &[Finding],
    turns: &[i64],
    (from, to): (i64, i64),
    every: i64,
    settle: i64,
) -> (BTreeSet<i64>, i64) {
    let mut regular = BTreeSet::from([from, to]);
    let every = every.max((to - from) / (MOST as i64 / 2)).max(STEP);
    regular.extend((1..).map(|n| from + n * every).take_while(|moment| *moment < to));
    let times: Vec<i64> = findings
        .iter()
        .flat_map(|finding| {
            let of_evidence = finding.evidence.iter().map(|evidence| evidence.time);
            of_evidence.chain([finding.first_seen, finding.last_seen, finding.first_seen.saturating_add(settle)])
        })
        .chain(turns.iter().copied())
        .collect();
    let mut step = STEP;
    loop {
        let next = |time: &i64| time.div_euclid(step).saturating_add(1).saturating_mul(step);
        let mut all = regular.clone();
        all.extend(times.iter().map(next).filter(|moment| (from..to).contains(moment)));
        if all.len() <= MOST || step >= every {
            return (all, step);
        }
        step *= 2;
    }
}

/// Nobody watches.
struct Silent;

impl Progress for Silent {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    const HOUR: i64 = 60 * MINUTE;

    #[test]
    fn moments_lie_right_after_what_findings_rest_on() {
        let mut finding = sample::report().findings.remove(0);
        finding.evidence.truncate(1);
        finding.evidence[0].time = 100 * HOUR + 7 * MINUTE;
        (finding.first_seen, finding.last_seen) = (101 * HOUR, 300 * HOUR);
        let (all, step) =
            moments(std::slice::from_ref(&finding), &[105 * HOUR], (99 * HOUR, 111 * HOUR), 6 * HOUR, 30 * MINUTE);
        let minutes: Vec<i64> = all.iter().map(|moment| (moment - 99 * HOUR) / MINUTE).collect();
        assert_eq!(
            minutes,
            [0, 70, 125, 155, 360, 365, 720],
            "start, after each record, settled, regular, silent, end"
        );
        assert_eq!(step, STEP);
    }

    #[test]
    fn there_are_never_too_many() {
        let finding = sample::report().findings.remove(0);
        let many: Vec<Finding> = (0..5000)
            .map(|n| Finding { first_seen: n * 11 * MINUTE, last_seen: n * 11 * MINUTE, ..finding.clone() })
            .collect();
        let (all, step) = moments(&many, &[], (0, 5000 * 11 * MINUTE), HOUR, 0);
        assert!(all.len() <= MOST + 2 && step > STEP, "{} {step}", all.len());
        assert_eq!((all.first(), all.last()), (Some(&0), Some(&(5000 * 11 * MINUTE))));
    }
}

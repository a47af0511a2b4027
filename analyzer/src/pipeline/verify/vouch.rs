//! The verdict for the very objects that a run has read.
//!
//! Their hashes were taken while their records were read, so nothing that happens to an object between reading and
//! verifying can part the two. What the run did not need, and a digest lists, is read here. Of a lake, the hashes are those
//! that were taken while it was filled.

use super::witness::Witness;
use crate::finding::Vouched;
use crate::integrity::{PublicKeys, Verdict};
use crate::pipeline::memory::prove;
use crate::pipeline::sources::lakes;
use crate::pipeline::{Progress, ScanError, ScanOptions};
use crate::report::human;
use crate::report::{Integrity, Report};

/// Problems that are named one by one; `keytrail verify` has all.
const NAMED: usize = 10;

/// Says before anything is read whether there can be a verdict: a lake holds no digests.
///
/// # Errors
/// When all sources are lakes and nobody said where the digests are, or a lake was named as their place.
pub fn check_digests(options: &ScanOptions, digests: &[String]) -> Result<(), ScanError> {
    let of = |sources: &[String]| lakes(&ScanOptions { sources: sources.to_vec(), ..options.clone() });
    if !of(digests)?.is_empty() {
        return Err(ScanError::Usage(
            "--digests names a lake, and a lake holds no digests; name where the trail writes".into(),
        ));
    }
    if digests.is_empty() && !options.sources.is_empty() && of(&options.sources)?.len() == options.sources.len() {
        let text = "a lake holds no digests: say with --digests where they are, such as the bucket of the trail";
        return Err(ScanError::Usage(text.into()));
    }
    Ok(())
}

/// Verifies the digests over everything that a report rests on, and puts the verdict to each object and each piece of
/// evidence. The verdict as a whole is over the period. Objects from outside of it that were read, for what was done to
/// keys before it or delivered after it, have their own.
///
/// Digests are looked for in the sources that are no lakes, and in `digests`. Of a lake no object is opened. What digests
/// list and the lake does not have is missing when it is nowhere else, and not covered when it is there.
///
/// # Errors
/// As of [`super::verify`]. A report that remembers no contents was not made for this.
pub fn vouch(
    options: &ScanOptions,
    keys: &PublicKeys,
    digests: &[String],
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<(), ScanError> {
    let Some(inputs) = &mut report.inputs else {
        return Err(ScanError::Failed("the run did not remember what it read".into()));
    };
    let mut from_lake = 0;
    for at in 0..inputs.all().len() {
        let Some(input) = inputs.at(at) else { continue };
        from_lake += u64::from(input.is_stored && input.is_read);
        // Of what has no hash nobody can say anything.
        if !(input.is_stored && input.is_read && input.content.is_none()) {
            inputs.vouch(at, Vouched::NotCovered);
        }
    }
    let sources = options.sources.iter().chain(digests).cloned().collect();
    let mut witness = Witness::new(inputs);
    let verification =
        super::run(&ScanOptions { sources, ..options.clone() }, Some(keys), None, &mut witness, progress)?;
    if from_lake > 0 {
        let text = "of what was read from a lake, verdicts are about the logs as they were when it was filled; a lake is not \
                    signed, and who can write to it can change what it says: `keytrail explain` compares with the original";
        report.notices.push(text.into());
    }
    if witness.beyond > 0 {
        let files = human::count(witness.beyond, "log file");
        report.notices.push(format!(
            "digests list {files} of before the first object of the lake or after its last: with --from and --to they count"
        ));
    }
    let verdicts = verification.verdicts;
    let mut first: Vec<String> = verdicts.problems.iter().take(NAMED).map(told).collect();
    if verdicts.problems.len() > NAMED {
        first.push(format!("and {} more: `keytrail verify` names them", verdicts.problems.len() - NAMED));
    }
    // An object that was read and is not what a digest says is wrong wherever the period ends.
    let wrong = inputs.tally().range(Vouched::Unlisted..).next().is_some();
    let verdict = if wrong { Verdict::Invalid } else { verdicts.verdict };
    report.integrity = Some(Integrity { verdict, problems: verdicts.problems.len() as u64, first, from_lake });
    prove(&mut report.findings, inputs);
    Ok(())
}

fn told(problem: &crate::integrity::Problem) -> String {
    let kind = problem.kind.id();
    let detail = if problem.detail.is_empty() { String::new() } else { format!(": {}", problem.detail) };
    format!("{kind} {}{detail}", problem.object)
}

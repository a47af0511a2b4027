//! The verdict for the very objects that a run has read.
//!
//! Their hashes were taken while their records were read, so nothing that happens to an object between reading and
//! verifying can part the two. What the run did not need, and a digest lists, is read here.

use std::ops::RangeInclusive;

use crate::finding::Vouched;
use crate::integrity::{Hash, PublicKeys, Scope, Verdict};
use crate::pipeline::memory::prove;
use crate::pipeline::{Progress, ScanError, ScanOptions};
use crate::report::inputs::Inputs;
use crate::report::{Integrity, Report};
use crate::source::Layout;

/// Problems that are named one by one; `keytrail verify` has all.
const NAMED: usize = 10;

/// Verifies the digests over everything that a report rests on, and puts the verdict to each object and each piece of
/// evidence. The verdict as a whole is over the period. Objects from outside of it that were read, for what was done to
/// keys before it or delivered after it, have their own.
///
/// # Errors
/// As of [`super::verify`]. A report that remembers no contents was not made for this.
pub fn vouch(
    options: &ScanOptions,
    keys: &PublicKeys,
    report: &mut Report,
    progress: &dyn Progress,
) -> Result<(), ScanError> {
    let Some(inputs) = &mut report.inputs else {
        return Err(ScanError::Failed("the run did not remember what it read".into()));
    };
    for object in inputs.all().iter().map(|input| input.object.clone()).collect::<Vec<_>>() {
        inputs.vouch(&object, Vouched::NotCovered);
    }
    let verification = super::run(options, Some(keys), &mut Witness { inputs: Some(inputs) }, progress)?;
    let verdicts = verification.verdicts;
    let mut first: Vec<String> = verdicts.problems.iter().take(NAMED).map(told).collect();
    if verdicts.problems.len() > NAMED {
        first.push(format!("and {} more: `keytrail verify` names them", verdicts.problems.len() - NAMED));
    }
    // An object that was read and is not what a digest says is wrong wherever the period ends.
    let wrong = inputs.tally().range(Vouched::Unlisted..).next().is_some();
    let verdict = if wrong { Verdict::Invalid } else { verdicts.verdict };
    report.integrity = Some(Integrity { verdict, problems: verdicts.problems.len() as u64, first });
    prove(&mut report.findings, inputs);
    Ok(())
}

fn told(problem: &crate::integrity::Problem) -> String {
    let kind = problem.kind.id();
    let detail = if problem.detail.is_empty() { String::new() } else { format!(": {}", problem.detail) };
    format!("{kind} {}{detail}", problem.object)
}

/// What was read before, if anything was.
#[derive(Default)]
pub(super) struct Witness<'i> {
    inputs: Option<&'i mut Inputs>,
}

impl Witness<'_> {
    pub(super) fn is_there(&self) -> bool {
        self.inputs.is_some()
    }

    /// The hash of an object whose records were read, as it was then; `Some(None)` when it was no sound stream then,
    /// whatever it is now.
    pub(super) fn hash(&self, object: &str) -> Option<Option<Hash>> {
        self.inputs.as_ref()?.get(object).filter(|input| input.is_read).map(|input| input.content)
    }

    /// True when the object was read.
    pub(super) fn knows(&self, object: &str) -> bool {
        self.inputs.as_ref().is_some_and(|inputs| inputs.get(object).is_some())
    }

    pub(super) fn vouch(&mut self, object: &str, vouched: Vouched) {
        if let Some(inputs) = &mut self.inputs {
            inputs.vouch(object, vouched);
        }
    }

    /// The scope, and the time of every object that was read.
    pub(super) fn reach(&self, scope: Scope) -> RangeInclusive<i64> {
        let (mut from, mut to) = (scope.from.unwrap_or(i64::MIN), scope.to.unwrap_or(i64::MAX));
        for input in self.inputs.iter().flat_map(|inputs| inputs.all()) {
            if let Some(delivered) = Layout::of(&input.object).delivered {
                (from, to) = (from.min(delivered), to.max(delivered));
            }
        }
        from..=to
    }
}

//! Remembers every object that a run reads, with the hashes of the very bytes that its records were read from.

use std::sync::{Mutex, PoisonError};

use super::ingest::Done;
use crate::finding::{Finding, Proof};
use crate::lake::ObjectRow;
use crate::report::inputs::{Input, Inputs};

/// What a run shall remember of the objects that it reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remember {
    /// Counts only.
    #[default]
    Nothing,
    /// Name, size, and SHA-256 as stored: what a manifest needs.
    Objects,
    /// The SHA-256 of what is in them too: what digests state.
    Contents,
}

/// Objects so far.
pub(super) struct Memory {
    objects: Mutex<Vec<Input>>,
    hashes_content: bool,
}

impl Memory {
    /// None when nothing shall be remembered.
    pub(super) fn of(remember: Remember) -> Option<Self> {
        let hashes_content = remember == Remember::Contents;
        (remember != Remember::Nothing).then(|| Self { objects: Mutex::default(), hashes_content })
    }

    pub(super) fn hashes_content(&self) -> bool {
        self.hashes_content
    }

    /// An object was read.
    pub(super) fn read(&self, done: Done<'_>) {
        self.add(&done.into_row(), false);
    }

    /// A lake says what was read.
    pub(super) fn stored(&self, row: &ObjectRow) {
        self.add(row, true);
    }

    fn add(&self, row: &ObjectRow, is_stored: bool) {
        let input = Input {
            object: row.uri.clone(),
            size: row.size.unwrap_or(row.report.compressed),
            etag: row.etag.clone(),
            is_read: row.report.skip.is_none(),
            is_stored,
            content: row.content,
            proof: Proof { sha256: row.sha256.clone(), ..Proof::default() },
        };
        self.objects.lock().unwrap_or_else(PoisonError::into_inner).push(input);
    }

    pub(super) fn finish(self) -> Inputs {
        Inputs::new(self.objects.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts to every piece of evidence what vouches for its object.
pub(super) fn prove(findings: &mut [Finding], inputs: &Inputs) {
    let records = findings.iter_mut().flat_map(|finding| &mut finding.evidence);
    for evidence in records.filter(|evidence| !evidence.is_answer()) {
        evidence.proof = inputs.get(&evidence.object).map(|input| input.proof.clone());
    }
}

//! What a run has read, as a verification sees it.
//!
//! Objects of a lake are names and hashes here: nobody opens them, and what was kept of them when the lake was filled is all
//! that there is to compare with.

use std::ops::RangeInclusive;

use super::index::is_log;
use crate::decode::Content;
use crate::finding::Vouched;
use crate::integrity::Scope;
use crate::report::inputs::{Input, Inputs};
use crate::source::{Layout, Object};

/// What is known of an object that was read.
#[derive(Clone, Copy)]
pub(super) enum Known {
    /// What it held.
    Held(Content),
    /// A lake has its rows, and no hash.
    Unhashed,
    /// A lake says that it could not be read.
    Unread,
}

/// What was read before, if anything was.
#[derive(Default)]
pub(super) struct Witness<'i> {
    inputs: Option<&'i mut Inputs>,
    /// First and last moment of the objects, where some are of a lake.
    reached: Option<(i64, i64)>,
    /// Log files that digests list, of a time that nobody asked for and no object is of.
    pub(super) beyond: u64,
    /// Objects with rows and without a hash, and the first of them.
    pub(super) unhashed: Option<(u64, String)>,
}

impl<'i> Witness<'i> {
    pub(super) fn new(inputs: &'i mut Inputs) -> Self {
        let reached = inputs.all().iter().any(|input| input.is_stored).then(|| {
            let windows = inputs.all().iter().filter_map(|input| Layout::of(&input.object).delivery_window());
            windows.fold((i64::MAX, i64::MIN), |(first, last), (from, to)| (first.min(from), last.max(to)))
        });
        Self { inputs: Some(inputs), reached, ..Self::default() }
    }

    pub(super) fn is_there(&self) -> bool {
        self.inputs.is_some()
    }

    /// True when rows of a lake were read.
    pub(super) fn is_of_lake(&self) -> bool {
        self.reached.is_some()
    }

    fn of_name(&self, object: &str) -> impl Iterator<Item = (usize, &Input)> {
        let inputs = self.inputs.as_deref();
        let positions = inputs.map(|inputs| inputs.positions(object)).unwrap_or_default();
        positions.filter_map(move |at| Some((at, inputs?.at(at)?)))
    }

    /// What is known of the objects of this name, each with where it stands among all; nothing of one whose bytes are to be
    /// looked at.
    pub(super) fn known(&self, object: &str) -> Vec<(usize, Known)> {
        let known = |input: &Input| match input.content {
            Some(content) => Some(Known::Held(content)),
            None if !input.is_stored => None,
            None if input.is_read => Some(Known::Unhashed),
            None => Some(Known::Unread),
        };
        self.of_name(object).filter_map(|(at, input)| Some((at, known(input)?))).collect()
    }

    /// True when an object of this name was read.
    pub(super) fn knows(&self, object: &str) -> bool {
        self.of_name(object).next().is_some()
    }

    /// True for a log file that a lake stands for, wherever it is now.
    pub(super) fn stands_for(&self, object: &str) -> bool {
        self.is_of_lake() && is_log(object) && self.of_name(object).any(|(_, input)| input.is_stored)
    }

    /// The log files of lakes, as names.
    pub(super) fn stored(&self) -> impl Iterator<Item = Object> + '_ {
        let inputs = self.inputs.as_deref().map(Inputs::all).unwrap_or_default();
        let logs = inputs.iter().filter(|input| input.is_stored && is_log(&input.object));
        let mut last = None;
        logs.filter(move |input| last.replace(&input.object) != Some(&input.object))
            .map(|input| Object::named(input.object.clone()))
    }

    /// Keeps what digests say of all objects of a name.
    pub(super) fn vouch_all(&mut self, object: &str, vouched: Vouched) {
        if let Some(inputs) = &mut self.inputs {
            for at in inputs.positions(object) {
                inputs.vouch(at, vouched);
            }
        }
    }

    /// Keeps what digests say of the one at a place.
    pub(super) fn vouch(&mut self, position: usize, vouched: Vouched) {
        if let Some(inputs) = &mut self.inputs {
            inputs.vouch(position, vouched);
        }
    }

    /// Notes an object of which a lake kept no hash.
    pub(super) fn note_unhashed(&mut self, object: &str) {
        self.unhashed.get_or_insert_with(|| (0, object.to_owned())).0 += 1;
    }

    /// True for a log file of a time of which the lakes have nothing, where no period was asked for.
    pub(super) fn is_beyond(&self, scope: Scope, key: &str) -> bool {
        let Some(((first, last), (from, to))) = self.reached.zip(Layout::of(key).delivery_window()) else {
            return false;
        };
        scope.from.is_none() && to <= first || scope.to.is_none() && from >= last
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

//! Judges elements one by one, and what the object as a whole was.

use std::collections::BTreeMap;

use simd_json::tape::Value;

use super::members::{Kind, Members};
use super::outcome::{Note, ObjectReport, RejectReason, Rejections, SkipReason};
use super::parse::Parser;
use super::records::{Record, RecordSink, Tools};
use super::select::class_of_members;

/// What is known of an object so far.
pub(super) struct Tally<'s> {
    pub(super) sink: &'s mut dyn RecordSink,
    report: ObjectReport,
    /// Records that proved to be events. Until there is one, every record is parsed.
    events: u64,
    /// Parsed records of other kinds.
    others: BTreeMap<SkipReason, u64>,
    /// The kind of the first of those.
    other: Option<SkipReason>,
    /// JSON objects that are nothing of CloudTrail's.
    foreign: Rejections,
    list: bool,
    wrapper: bool,
}

impl<'s> Tally<'s> {
    pub(super) fn new(sink: &'s mut dyn RecordSink) -> Self {
        Self {
            sink,
            report: ObjectReport::default(),
            events: 0,
            others: BTreeMap::new(),
            other: None,
            foreign: Rejections::default(),
            list: false,
            wrapper: false,
        }
    }

    pub(super) fn saw_list(&mut self) {
        self.list = true;
    }

    pub(super) fn saw_wrapper(&mut self) {
        self.wrapper = true;
    }

    /// Counts an element that cannot be a record.
    pub(super) fn reject(&mut self, reason: RejectReason) {
        let index = self.next();
        self.report.rejected.add(index, reason);
    }

    /// The object ends where another element could follow.
    pub(super) fn cut_between(&mut self) {
        let index = to_index(self.report.records);
        self.report.rejected.add(index, RejectReason::Truncated);
    }

    /// Counts an element; parses it when it holds a needle or when the object's kind is still open. False when it was
    /// rejected as not valid JSON.
    pub(super) fn element(&mut self, tools: &mut Tools, raw: &[u8], needle: bool) -> bool {
        let index = self.next();
        if !needle && self.events > 0 {
            return true;
        }
        let inner = &mut tools.inner;
        let parsed = tools.parser.parse(raw, |value, repaired| self.judge(index, raw, value, needle, repaired, inner));
        if parsed.is_err() {
            self.report.rejected.add(index, RejectReason::InvalidJson);
        }
        parsed.is_ok()
    }

    /// Undoes the last rejection: its bytes will be read in another way.
    pub(super) fn take_back(&mut self) {
        self.report.records -= 1;
        let rejected = &mut self.report.rejected;
        if let Some(count) = rejected.counts.get_mut(&RejectReason::InvalidJson) {
            *count -= 1;
            if *count == 0 {
                rejected.counts.remove(&RejectReason::InvalidJson);
            }
        }
        let index = to_index(self.report.records);
        rejected.first.retain(|&(at, _)| at != index);
    }

    fn next(&mut self) -> u32 {
        self.report.records += 1;
        to_index(self.report.records - 1)
    }

    fn judge(
        &mut self,
        index: u32,
        raw: &[u8],
        value: Value<'_, '_>,
        needle: bool,
        repaired: bool,
        inner: &mut Parser,
    ) {
        let Some(members) = Members::of(value) else {
            return self.report.rejected.add(index, RejectReason::NotAnObject);
        };
        if let Some(text) = members.cloud_trail_event {
            let text = text.as_bytes();
            let parsed = inner.parse(text, |value, _| match Members::of(value) {
                Some(members) => self.record(index, text, value, &members, needle, repaired),
                None => self.report.rejected.add(index, RejectReason::NotAnObject),
            });
            if parsed.is_err() {
                self.report.rejected.add(index, RejectReason::InvalidJson);
            }
            return;
        }
        if let Some((value, members)) = members.bridged() {
            return self.record(index, raw, value, &members, needle, repaired);
        }
        self.record(index, raw, value, &members, needle, repaired);
    }

    fn record(
        &mut self,
        index: u32,
        raw: &[u8],
        value: Value<'_, '_>,
        members: &Members<'_, '_>,
        needle: bool,
        repaired: bool,
    ) {
        match members.kind() {
            Kind::Foreign => return self.foreign.add(index, RejectReason::MissingEventSource),
            Kind::Other(reason) => {
                self.other.get_or_insert(reason);
                *self.others.entry(reason).or_default() += 1;
                if reason != SkipReason::Digest && reason != SkipReason::Notification {
                    self.report.first.get_or_insert_with(|| members.first());
                }
                return;
            }
            Kind::Event => self.events += 1,
        }
        self.report.first.get_or_insert_with(|| members.first());
        let Some(class) = class_of_members(members) else {
            if needle && members.event_source.is_none() {
                self.report.rejected.add(index, RejectReason::MissingEventSource);
            }
            return;
        };
        match self.sink.record(&Record { index, raw, value, class }) {
            Ok(()) => {
                self.report.kept += 1;
                if repaired {
                    *self.report.notes.entry(Note::RepairedUtf8).or_default() += 1;
                }
            }
            Err(reason) => self.report.rejected.add(index, reason),
        }
    }

    /// Says what the object was.
    pub(super) fn finish(mut self) -> ObjectReport {
        let others: u64 = self.others.values().sum();
        let rejected = &mut self.report.rejected;
        if self.events > 0 {
            if others > 0 {
                self.report.notes.insert(Note::MixedCategories, others);
            }
            for (reason, count) in self.foreign.counts {
                *rejected.counts.entry(reason).or_default() += count;
            }
            rejected.first.extend(self.foreign.first);
            rejected.first.sort_unstable();
            rejected.first.truncate(Rejections::KEPT);
            return self.report;
        }
        // An object with a list named `Records` is taken at its word; what is wrong with its elements is told one by one.
        let not_json = rejected.counts.keys().any(|reason| *reason != RejectReason::NotAnObject);
        self.report.skip = if self.other.is_some() {
            self.other
        } else if not_json && !self.wrapper {
            Some(SkipReason::NotJson)
        } else if self.foreign.total() > 0 || (rejected.total() > 0 && !self.wrapper) {
            Some(SkipReason::NotCloudTrail)
        } else if self.report.records == 0 && !self.list && !self.wrapper {
            Some(SkipReason::Empty)
        } else {
            None
        };
        if matches!(self.report.skip, Some(SkipReason::NotCloudTrail | SkipReason::NotJson)) {
            self.report.records = 0;
            self.report.rejected = Rejections::default();
        }
        self.report
    }
}

fn to_index(records: u64) -> u32 {
    u32::try_from(records).unwrap_or(u32::MAX)
}

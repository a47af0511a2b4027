//! What became of an object and of its records, as data: nothing that could not be read ends a run, and nothing vanishes.

use std::collections::BTreeMap;

macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($variant:ident $id:literal $doc:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $doc] $variant,)* }

        impl $name {
            /// Every reason, in the order of the docs.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Stable name in outputs.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// What it means, for people.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

reasons! {
    /// Why an object gave no records, or not all of them.
    SkipReason {
        Unreadable "unreadable" "the file could not be opened or read",
        Denied "access-denied" "access to the object or the folder was denied",
        KeyDenied "key-denied" "the object is encrypted, and the key that encrypts it may not be used or cannot be",
        Gone "gone" "the object was deleted while the run went on",
        Archived "archived" "the object is in an archive (Glacier or an archive tier) and has to be restored before it can be read",
        Changed "changed" "the object was replaced while it was read",
        Incomplete "incomplete" "the object arrived in part only, also after retries",
        ChecksumMismatch "checksum-mismatch" "what arrived is not what was stored: the checksum is another, also after retries",
        Unavailable "unavailable" "the service or the network failed, also after retries",
        Empty "empty" "the object has no bytes",
        TruncatedGzip "truncated-gzip" "the gzip stream ends early",
        BadGzip "bad-gzip" "the gzip stream is damaged: wrong checksum, wrong length or no deflate data",
        TooLarge "too-large" "the object inflates beyond the cap (--max-inflated)",
        NotJson "not-json" "the object is not JSON",
        NotCloudTrail "not-cloudtrail" "the object is JSON, but holds no CloudTrail records",
        Crashed "crashed" "reading the object hit a bug in keytrail; please report it",
        Digest "digest" "a CloudTrail digest file: evidence of integrity, no events",
        Insight "insight" "CloudTrail Insights events: rates of write calls, no KMS activity",
        Aggregated "aggregated" "aggregated data events: no single calls, no KMS activity",
        NetworkActivity "network-activity" "network activity events: the same calls again, seen by a VPC endpoint",
        Notification "notification" "an S3 or SNS notification, not a log",
        OtherService "other-service" "another service's log in the same bucket, told by its path",
        Hidden "hidden" "a hidden file",
        DamagedPart "damaged-part" "a file of the lake is damaged: what stood in it is not known",
    }
}

impl SkipReason {
    /// True when there was nothing in the object that should have been read: told in coverage, but the run is complete.
    pub fn is_expected(self) -> bool {
        matches!(
            self,
            Self::Digest
                | Self::Insight
                | Self::Aggregated
                | Self::NetworkActivity
                | Self::Notification
                | Self::OtherService
                | Self::Hidden
        )
    }
}

impl SkipReason {
    /// True when the bytes themselves are damaged: all of them were there, and they are no sound stream.
    pub fn is_damage(self) -> bool {
        matches!(self, Self::Empty | Self::TruncatedGzip | Self::BadGzip)
    }

    /// True when the same object may well be read another time: whoever keeps what came of objects asks again.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Unreadable
                | Self::Denied
                | Self::KeyDenied
                | Self::Gone
                | Self::Archived
                | Self::Changed
                | Self::Incomplete
                | Self::ChecksumMismatch
                | Self::Unavailable
        )
    }
}

reasons! {
    /// Why one record could not become a row.
    RejectReason {
        InvalidJson "invalid-json" "the record is not valid JSON",
        Truncated "truncated" "the object ends inside the record",
        TooLong "too-long" "the record is longer than CloudTrail writes them (over 8 MiB)",
        NotAnObject "not-an-object" "the record is not a JSON object",
        MissingEventSource "missing-event-source" "the record has no eventSource",
        MissingEventName "missing-event-name" "the record has no eventName",
        MissingEventTime "missing-event-time" "the record has no eventTime",
        BadEventTime "bad-event-time" "eventTime is not a time between 2000 and 2100",
    }
}

reasons! {
    /// Something about an object that was read all the same.
    Note {
        TrailingBytes "trailing-bytes" "bytes follow the gzip stream; the log integrity check calls such a file invalid",
        RepairedUtf8 "repaired-utf8" "a record held text that is no Unicode (bytes that are not UTF-8, half of a surrogate pair); it was replaced and the record was kept",
        MixedCategories "mixed-categories" "records of another category (insight, network activity, aggregated) stood among the events and were left out",
    }
}

/// Rejected records of one object: exact counts per reason, and where the first few are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejections {
    /// Records per reason.
    pub counts: BTreeMap<RejectReason, u64>,
    /// Index of the first [`Rejections::KEPT`] rejected records, with the reason.
    pub first: Vec<(u32, RejectReason)>,
}

impl Rejections {
    /// How many rejected records are located one by one.
    pub const KEPT: usize = 5;

    /// Counts one rejected record.
    pub fn add(&mut self, record: u32, reason: RejectReason) {
        *self.counts.entry(reason).or_default() += 1;
        if self.first.len() < Self::KEPT {
            self.first.push((record, reason));
        }
    }

    /// All rejected records.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// What reading one object came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectReport {
    /// Bytes as stored.
    pub compressed: u64,
    /// Bytes after decompression.
    pub inflated: u64,
    /// Records seen, kept or not.
    pub records: u64,
    /// Records handed to the sink and accepted, before deduplication.
    pub kept: u64,
    /// Records that should have been read and could not.
    pub rejected: Rejections,
    /// Things worth knowing about an object that was read.
    pub notes: BTreeMap<Note, u64>,
    /// Where and when the first record was logged: tells which hours of which trail the object covers.
    pub first: Option<FirstRecord>,
    /// Set when the object gave nothing.
    pub skip: Option<SkipReason>,
}

/// Account, Region and time of an object's first record, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstRecord {
    /// `recipientAccountId`.
    pub account: Option<String>,
    /// `awsRegion`.
    pub region: Option<String>,
    /// `eventTime`.
    pub time: Option<String>,
}

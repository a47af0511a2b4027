//! What came of source objects: THE table of the objects files, one row per object. It rebuilds coverage without any
//! object being read again, and tells which objects the lake has.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use polars::prelude::*;
use polars_parquet::read::RowGroupMetadata;
use serde_json::{Map, Value as Json};

use super::parquet::{Parquet, encode, guarded};
use super::partition::{Shard, Unit};
use crate::decode::{Content, FirstRecord, Note, ObjectReport, RejectReason, Rejections, SkipReason};
use crate::frame::builder::times;

/// Version of the objects table. Raised when a column changes its meaning or goes away.
pub const VERSION: u32 = 1;

/// Note in the footer: version of the table.
const SCHEMA: &str = "keytrail.objects";

/// Logical type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// 64-bit unsigned integer.
    Count,
    /// Boolean.
    Bool,
    /// Milliseconds since the Unix epoch, UTC.
    Time,
}

impl Kind {
    /// Name of the type as `keytrail schema` prints it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Count => "uint64",
            Self::Bool => "boolean",
            Self::Time => "timestamp[ms, UTC]",
        }
    }
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name in Parquet, SQL and the docs.
    pub name: &'static str,
    /// Logical type.
    pub kind: Kind,
    /// What it means, its unit, and when it is null.
    pub doc: &'static str,
}

macro_rules! objects {
    ($($name:ident $kind:ident $doc:literal,)*) => {
        /// Every column, in the order of the files. Account, Region and date of the object are its partition.
        pub static COLUMNS: &[Column] =
            &[$(Column { name: stringify!($name), kind: Kind::$kind, doc: $doc }),*];

        /// One row, value by value.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        struct Flat { $($name: value!($kind),)* }

        impl Flat {
            fn frame(rows: &[Self]) -> PolarsResult<DataFrame> {
                let columns = vec![$(series!($kind rows $name).into_column()),*];
                DataFrame::new(rows.len(), columns)
            }

            fn read(file: &Parquet, group: &RowGroupMetadata, only: &[&str]) -> PolarsResult<Vec<Self>> {
                let mut rows = vec![Self::default(); group.num_rows()];
                $(if only.is_empty() || only.contains(&stringify!($name)) {
                    read!($kind file group rows $name);
                })*
                Ok(rows)
            }

            fn json(self) -> Json {
                Json::Object(Map::from_iter([$((stringify!($name).to_string(), Json::from(self.$name))),*]))
            }

            fn of_json(json: &Json) -> Option<Self> {
                Some(Self { $($name: from_json!($kind json stringify!($name)),)* })
            }
        }
    };
}

macro_rules! value {
    (Text) => { Option<String> };
    (Count) => { Option<u64> };
    (Bool) => { Option<bool> };
    (Time) => { Option<i64> };
}

macro_rules! series {
    (Text $rows:ident $name:ident) => {
        $rows
            .iter()
            .map(|row| row.$name.as_deref())
            .collect::<StringChunked>()
            .with_name(stringify!($name).into())
            .into_series()
    };
    (Count $rows:ident $name:ident) => {
        $rows.iter().map(|row| row.$name).collect::<UInt64Chunked>().with_name(stringify!($name).into()).into_series()
    };
    (Bool $rows:ident $name:ident) => {
        $rows.iter().map(|row| row.$name).collect::<BooleanChunked>().with_name(stringify!($name).into()).into_series()
    };
    (Time $rows:ident $name:ident) => {
        times(
            &$rows
                .iter()
                .map(|row| row.$name)
                .collect::<Int64Chunked>()
                .with_name(stringify!($name).into())
                .into_series(),
        )?
    };
}

macro_rules! read {
    (Text $file:ident $group:ident $rows:ident $name:ident) => {
        if let Some(texts) = $file.texts($group, stringify!($name))? {
            let mut at = 0;
            texts.each(&mut |text| {
                $rows[at].$name = text.map(str::to_owned);
                at += 1;
            })?;
        }
    };
    (Count $file:ident $group:ident $rows:ident $name:ident) => {
        if let Some(numbers) = $file.numbers::<u64>($group, stringify!($name))? {
            $rows.iter_mut().zip(numbers.iter()).for_each(|(row, number)| row.$name = number.copied());
        }
    };
    (Bool $file:ident $group:ident $rows:ident $name:ident) => {
        if let Some(array) = $file.booleans($group, stringify!($name))? {
            let series = Series::try_from((PlSmallStr::EMPTY, array))?;
            $rows.iter_mut().zip(series.bool()?.iter()).for_each(|(row, value)| row.$name = value);
        }
    };
    (Time $file:ident $group:ident $rows:ident $name:ident) => {
        if let Some(numbers) = $file.numbers::<i64>($group, stringify!($name))? {
            $rows.iter_mut().zip(numbers.iter()).for_each(|(row, number)| row.$name = number.copied());
        }
    };
}

macro_rules! from_json {
    (Text $json:ident $name:expr) => {
        match &$json[$name] {
            Json::Null => None,
            value => Some(value.as_str()?.to_owned()),
        }
    };
    (Count $json:ident $name:expr) => {
        match &$json[$name] {
            Json::Null => None,
            value => Some(value.as_u64()?),
        }
    };
    (Bool $json:ident $name:expr) => {
        match &$json[$name] {
            Json::Null => None,
            value => Some(value.as_bool()?),
        }
    };
    (Time $json:ident $name:expr) => {
        match &$json[$name] {
            Json::Null => None,
            value => Some(value.as_i64()?),
        }
    };
}

objects! {
    uri Text "name of the object: `s3://bucket/key`, or the path as it was given; never null",
    etag Text "what tells one content from another: the ETag in S3, for files the time of their last change; null when unknown",
    size Count "bytes as listed; null when unknown",
    compressed Count "bytes as read",
    inflated Count "bytes after decompression",
    sha256 Text "SHA-256 of the bytes as stored, hex; null when they were not read in whole",
    content_sha256 Text "SHA-256 of the inflated bytes, hex, which is what digests state; null unless `sound`",
    sound Bool "whether the bytes are one gzip stream with nothing after it, as CloudTrail writes it; null when that is not known",
    records Count "records seen, kept or not",
    kept Count "records that became event rows, before deduplication",
    kms Count "of these, events of KMS",
    related Count "of these, records of other services",
    rejected Text "JSON object of records that could not be read: `counts` per reason, and of the `first` few their number and reason; null when there are none",
    notes Text "JSON object of things worth knowing about an object that was read, with their counts; null when there are none",
    skip Text "why the object gave no records, or not all of them; null when it was read",
    detail Text "what the system said about an object that could not be read",
    begins Bool "whether a first record was seen; the next three columns are about it",
    first_account Text "account of the first record",
    first_region Text "Region of the first record",
    first_time Text "eventTime of the first record, as text",
    first_event_time Time "earliest event of its rows; null without rows",
    last_event_time Time "latest event of its rows; null without rows",
}

/// A source object and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectRow {
    /// Name of the object; the same object has the same name in every run.
    pub uri: String,
    /// What tells one content from another.
    pub etag: Option<String>,
    /// Bytes as listed.
    pub size: Option<u64>,
    /// SHA-256 of the bytes as stored.
    pub sha256: Option<String>,
    /// What it held when it was read: what a digest can be compared with. None when it was not read to its end, and in lakes
    /// that were filled by a keytrail that did not ask.
    pub content: Option<Content>,
    /// Rows of KMS events; whoever writes its rows counts them.
    pub kms: u64,
    /// Rows of other services' records; counted likewise.
    pub related: u64,
    /// What the system said about an object that could not be read.
    pub detail: Option<String>,
    /// First and last time of its rows; found likewise.
    pub span: Option<(i64, i64)>,
    /// What reading it came to.
    pub report: ObjectReport,
    /// Where it belongs: Account, Region and day that its name tells. Must follow from the URI alone: an object is found
    /// again by where it belongs, whatever its content is then.
    pub unit: Unit,
}

impl ObjectRow {
    /// Forgets what rows it has.
    pub(super) fn without_rows(&mut self) {
        (self.kms, self.related, self.span) = (0, 0, None);
    }

    /// Counts one of its rows.
    pub(super) fn count(&mut self, kms: bool, time: i64) {
        *if kms { &mut self.kms } else { &mut self.related } += 1;
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    /// True when the lake should be asked for this object again.
    pub fn is_transient(&self) -> bool {
        self.report.skip.is_some_and(SkipReason::is_transient)
    }

    /// True when its records were read by a keytrail that kept no hash of what it held.
    pub fn is_unhashed(&self) -> bool {
        self.report.skip.is_none() && self.content.is_none()
    }

    /// True when the lake gains by reading it again, though it is the same object.
    pub(super) fn is_wanted_again(&self) -> bool {
        self.is_transient() || self.is_unhashed()
    }

    /// True when it says more of the same object than was known before.
    pub(super) fn completes(&self, before: &Self) -> bool {
        before.is_transient() || before.is_unhashed() && !self.is_unhashed()
    }

    fn flat(&self) -> Flat {
        let ObjectReport { compressed, inflated, records, kept, rejected, notes, first, skip } = &self.report;
        let begins = first.is_some();
        let first = first.clone().unwrap_or_default();
        Flat {
            uri: Some(self.uri.clone()),
            etag: self.etag.clone(),
            size: self.size,
            compressed: Some(*compressed),
            inflated: Some(*inflated),
            sha256: self.sha256.clone(),
            content_sha256: self.content.and_then(Content::hex),
            sound: self.content.map(|content| content != Content::Unsound),
            records: Some(*records),
            kept: Some(*kept),
            kms: Some(self.kms),
            related: Some(self.related),
            rejected: rejections(rejected),
            notes: counts(notes.iter().map(|(note, count)| (note.id(), *count))).map(|json| json.to_string()),
            skip: skip.map(|reason| reason.id().to_owned()),
            detail: self.detail.clone(),
            begins: Some(begins),
            first_account: first.account,
            first_region: first.region,
            first_time: first.time,
            first_event_time: self.span.map(|span| span.0),
            last_event_time: self.span.map(|span| span.1),
        }
    }

    fn of_flat(flat: Flat, unit: Unit) -> Option<Self> {
        let first = FirstRecord { account: flat.first_account, region: flat.first_region, time: flat.first_time };
        let report = ObjectReport {
            compressed: flat.compressed.unwrap_or(0),
            inflated: flat.inflated.unwrap_or(0),
            records: flat.records.unwrap_or(0),
            kept: flat.kept.unwrap_or(0),
            rejected: flat.rejected.as_deref().map_or(Some(Rejections::default()), read_rejections)?,
            notes: flat.notes.as_deref().map_or(Some(BTreeMap::new()), |text| {
                read_counts(&serde_json::from_str(text).ok()?, |id| by_id(Note::ALL, Note::id, id))
            })?,
            first: flat.begins.unwrap_or(false).then_some(first),
            skip: match flat.skip {
                None => None,
                Some(id) => Some(by_id(SkipReason::ALL, SkipReason::id, &id)?),
            },
        };
        let content = match flat.sound {
            None => None,
            Some(false) => Some(Content::Unsound),
            Some(true) => flat.content_sha256.as_deref().and_then(Content::of_hex),
        };
        Some(Self {
            uri: flat.uri?,
            etag: flat.etag,
            size: flat.size,
            sha256: flat.sha256,
            content,
            kms: flat.kms.unwrap_or(0),
            related: flat.related.unwrap_or(0),
            detail: flat.detail,
            span: flat.first_event_time.zip(flat.last_event_time),
            report,
            unit,
        })
    }

    /// As JSON, with where it belongs.
    pub(super) fn json(&self) -> String {
        let mut json = self.flat().json();
        json["unit"] = Json::String(super::wire::UnitNote::write(&self.unit));
        json.to_string()
    }

    /// Reads [`Self::json`]; `None` when it is something else.
    pub(super) fn of_json(text: &str) -> Option<Self> {
        let json: Json = serde_json::from_str(text).ok()?;
        let unit = super::wire::UnitNote::read(json["unit"].as_str()?)?;
        Self::of_flat(Flat::of_json(&json)?, unit)
    }

    /// Where it belongs, put together.
    pub fn unit_of(account: Option<&str>, region: Option<&str>, date: Option<NaiveDate>) -> Unit {
        let shard = Shard { account: account.map(str::to_owned), region: region.map(str::to_owned) };
        Unit { shard, date }
    }
}

fn by_id<T: Copy>(all: &[T], id_of: impl Fn(T) -> &'static str, id: &str) -> Option<T> {
    all.iter().copied().find(|one| id_of(*one) == id)
}

fn counts<'c>(counts: impl Iterator<Item = (&'c str, u64)>) -> Option<Json> {
    let map: Map<String, Json> = counts.map(|(id, count)| (id.to_owned(), Json::from(count))).collect();
    (!map.is_empty()).then_some(Json::Object(map))
}

fn read_counts<T: Ord>(json: &Json, reason: impl Fn(&str) -> Option<T>) -> Option<BTreeMap<T, u64>> {
    json.as_object()?.iter().map(|(id, count)| Some((reason(id)?, count.as_u64()?))).collect()
}

fn rejections(rejected: &Rejections) -> Option<String> {
    let all = counts(rejected.counts.iter().map(|(reason, count)| (reason.id(), *count)));
    if all.is_none() && rejected.first.is_empty() {
        return None;
    }
    let first: Vec<Json> = rejected
        .first
        .iter()
        .map(|(record, reason)| serde_json::json!({ "record": record, "reason": reason.id() }))
        .collect();
    Some(serde_json::json!({ "counts": all.unwrap_or_else(|| Json::Object(Map::new())), "first": first }).to_string())
}

fn read_rejections(text: &str) -> Option<Rejections> {
    let json: Json = serde_json::from_str(text).ok()?;
    let reason = |id: &str| by_id(RejectReason::ALL, RejectReason::id, id);
    let first = json["first"].as_array()?.iter();
    let first = first.map(|at| Some((u32::try_from(at["record"].as_u64()?).ok()?, reason(at["reason"].as_str()?)?)));
    Some(Rejections { counts: read_counts(&json["counts"], reason)?, first: first.collect::<Option<_>>()? })
}

/// Rows of one unit as a Parquet file, in order of their URIs: same rows, same bytes.
///
/// # Errors
/// When polars cannot encode them.
pub(super) fn encode_objects(rows: &[&ObjectRow], unit: &Unit) -> PolarsResult<Vec<u8>> {
    let mut flat: Vec<Flat> = rows.iter().map(|row| row.flat()).collect();
    flat.sort_by(|a, b| a.uri.cmp(&b.uri));
    let notes = vec![(SCHEMA, VERSION.to_string()), ("keytrail.unit", super::wire::UnitNote::write(unit))];
    encode(&[Flat::frame(&flat)?], notes)
}

/// Columns that tell which objects there are.
pub(super) const IDENTITY: &[&str] =
    &["uri", "etag", "size", "content_sha256", "sound", "skip", "first_event_time", "last_event_time"];

/// Reads an objects file; only some columns unless `only` is empty.
///
/// # Errors
/// When the bytes are no objects file of a version that this program reads.
pub fn read_objects(bytes: Vec<u8>, only: &[&str]) -> PolarsResult<Vec<ObjectRow>> {
    guarded(|| {
        let file = Parquet::open(bytes)?;
        let version = file.note(SCHEMA).and_then(|text| text.parse().ok());
        let version: u32 = version.ok_or_else(|| polars_err!(ComputeError: "no objects file of keytrail"))?;
        polars_ensure!(
            version <= VERSION,
            ComputeError: "written by a newer keytrail (objects table {version}, this one reads {VERSION}); update keytrail"
        );
        let unit = file.note("keytrail.unit").and_then(super::wire::UnitNote::read);
        let unit = unit.ok_or_else(|| polars_err!(ComputeError: "the unit is garbled"))?;
        let mut rows = Vec::with_capacity(file.height());
        for group in file.groups() {
            for flat in Flat::read(&file, group, only)? {
                let row = ObjectRow::of_flat(flat, unit.clone());
                rows.push(row.ok_or_else(
                    || polars_err!(ComputeError: "a row that this keytrail does not understand; update keytrail"),
                )?);
            }
        }
        Ok(rows)
    })
}

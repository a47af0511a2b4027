//! A sink that remembers, bytes that are broken on purpose, and a reference that parses everything.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use keytrail::decode::{Class, Decoder, Limits, ObjectReport, Record, RecordSink, RejectReason};
use serde_json::Value;

pub(crate) const KMS: &str = r#"{"eventVersion":"1.11","eventSource":"kms.amazonaws.com","eventName":"Decrypt","eventTime":"2026-01-02T03:04:05Z","awsRegion":"eu-west-1","recipientAccountId":"111122223333"}"#;
pub(crate) const STS: &str = r#"{"eventVersion":"1.11","eventSource":"sts.amazonaws.com","eventName":"AssumeRole"}"#;
pub(crate) const INSIGHT: &str =
    r#"{"eventVersion":"1.08","eventType":"AwsCloudTrailInsight","eventCategory":"Insight"}"#;
pub(crate) const NETWORK: &str = r#"{"eventVersion":"1.11","eventSource":"kms.amazonaws.com","eventCategory":"NetworkActivity","eventName":"Decrypt"}"#;

/// The document with `KMS`, `STS`, `INSIGHT` and `NETWORK` filled in.
pub(crate) fn fill(document: &str) -> String {
    let document = document.replace("KMS", KMS).replace("STS", STS);
    document.replace("INSIGHT", INSIGHT).replace("NETWORK", NETWORK)
}

/// One kept record, as any other parser reads it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) index: u32,
    pub(crate) class: Class,
    pub(crate) value: Value,
}

/// Remembers what it is given, and honours `stage` and `settle`.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) kept: Vec<Kept>,
    pub(crate) staged: Option<usize>,
    pub(crate) settled: Option<bool>,
}

impl RecordSink for Memory {
    fn record(&mut self, record: &Record<'_>) -> Result<(), RejectReason> {
        let text = String::from_utf8_lossy(record.raw);
        let mut value: Value = serde_json::from_str(&text).expect("kept records are JSON");
        if value.get("detail-type").is_some() {
            value = value["detail"].take();
        }
        assert!(record.value.is_object());
        self.kept.push(Kept { index: record.index, class: record.class, value });
        Ok(())
    }

    fn stage(&mut self) {
        assert!(self.staged.is_none() && self.kept.is_empty(), "staged before the first record, and once");
        self.staged = Some(self.kept.len());
    }

    fn settle(&mut self, keep: bool) {
        let from = self.staged.expect("settled after it was staged");
        self.settled = Some(keep);
        if !keep {
            self.kept.truncate(from);
        }
    }
}

pub(crate) fn decode_within(limits: Limits, bytes: &[u8]) -> (ObjectReport, Memory) {
    let mut memory = Memory::default();
    let mut source = bytes;
    let report = Decoder::new(limits).read(&mut source, Some(bytes.len() as u64), &mut memory);
    assert_eq!(report.kept, if report.skip.is_none() { memory.kept.len() as u64 } else { report.kept });
    assert_eq!(memory.staged.is_some(), memory.settled.is_some());
    (report, memory)
}

pub(crate) fn decode(bytes: &[u8]) -> (ObjectReport, Memory) {
    decode_within(Limits::default(), bytes)
}

/// Windows so small that records straddle them.
pub(crate) fn windows(bytes: u64) -> Limits {
    Limits { window: bytes, ..Limits::default() }
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Every record of a document of any accepted shape, by a parser that reads all of it.
pub(crate) fn parse_everything(bytes: &[u8]) -> Vec<Value> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut records = Vec::new();
    for document in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        match document.expect("the reference reads sound documents") {
            Value::Array(list) => records.extend(list),
            Value::Object(mut wrapper) => match wrapper.remove("Records").or_else(|| wrapper.remove("Events")) {
                Some(Value::Array(list)) => records.extend(list),
                _ => records.push(Value::Object(wrapper)),
            },
            other => records.push(other),
        }
    }
    for record in &mut records {
        if let Some(text) = record.get("CloudTrailEvent").and_then(Value::as_str) {
            *record = serde_json::from_str(text).unwrap();
        }
        if record.get("detail-type").is_some_and(|kind| kind == "AWS API Call via CloudTrail") {
            *record = record["detail"].take();
        }
    }
    records
}

/// What must be kept: every record is parsed and judged.
pub(crate) fn expected(records: &[Value]) -> Vec<Kept> {
    let mut kept = Vec::new();
    for (index, value) in records.iter().enumerate() {
        let mut text = serde_json::to_vec(value).unwrap();
        let tape = simd_json::to_tape(&mut text).unwrap();
        if let Some(class) = keytrail::decode::select::class_of(tape.as_value()) {
            kept.push(Kept { index: u32::try_from(index).unwrap(), class, value: value.clone() });
        }
    }
    kept
}

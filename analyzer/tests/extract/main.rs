//! Records into rows: every identity, every failure text, every member, every context, and nothing that panics.

mod contexts;
mod failures;
mod full;
mod identities;
mod keys;
mod members;
mod real;
mod related;
mod totality;
mod traps;

use std::collections::BTreeMap;
use std::path::PathBuf;

use keytrail::decode::{Class, Record, RejectReason};
use keytrail::extract;
use keytrail::frame::{Dictionary, FrameBuilder, Row, Scope};
use polars::prelude::AnyValue;
use serde_json::{Value, json};

/// A key.
pub const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444444444444";
/// Another key of the same account and Region.
pub const OTHER_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/99999999-1111-2222-3333-444444444444";
/// Id of [`KEY`].
pub const KEY_ID: &str = "00000000-1111-2222-3333-444444444444";

/// Extracts from JSON text. Memory is leaked so that a row can be handed around; tests are short.
pub fn extract(class: Class, json: &str) -> Result<Row<'static>, RejectReason> {
    let raw: &'static [u8] = json.as_bytes().to_vec().leak();
    let bytes: &'static mut [u8] = raw.to_vec().leak();
    let tape: &'static simd_json::Tape<'static> = Box::leak(Box::new(simd_json::to_tape(bytes).expect("JSON")));
    extract::row(&Record { index: 7, raw, value: tape.as_value(), class })
}

/// Extracts a record that must give a row; events of KMS as KMS, the rest as failures.
pub fn row(json: &str) -> Row<'static> {
    let kms =
        json.contains(r#""eventSource":"kms.amazonaws.com""#) || json.contains(r#""eventSource": "kms.amazonaws.com""#);
    extract(if kms { Class::Kms } else { Class::Failure }, json).unwrap_or_else(|reason| panic!("{reason:?}: {json}"))
}

/// A KMS record by one user, with `members` on top.
pub fn kms(event: &str, members: Value) -> Row<'static> {
    row(&record("kms.amazonaws.com", event, members).to_string())
}

/// Another service's record.
pub fn service(class: Class, source: &str, event: &str, members: Value) -> Row<'static> {
    let record = record(&format!("{source}.amazonaws.com"), event, members).to_string();
    extract(class, &record).unwrap_or_else(|reason| panic!("{reason:?}: {record}"))
}

/// A record by one user, with `members` on top.
pub fn record(source: &str, event: &str, members: Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.11", "eventTime": "2026-11-01T00:00:05Z", "eventSource": source, "eventName": event,
        "awsRegion": "eu-west-1", "recipientAccountId": "111122223333", "eventID": "e1", "eventType": "AwsApiCall",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/eve", "accountId": "111122223333"},
        "requestParameters": null, "responseElements": null,
    });
    for (name, value) in members.as_object().expect("an object") {
        record[name] = value.clone();
    }
    record
}

/// Columns that have a value, as text. The two that every row has as plain numbers are among them.
pub fn columns(row: &Row<'_>) -> BTreeMap<String, String> {
    let mut builder = FrameBuilder::new(Dictionary::default(), Scope::Wide);
    builder.push(&Row { wide: true, ..row.clone() });
    let events = builder.finish().expect("a frame");
    let mut found = BTreeMap::new();
    for column in events.wide.columns() {
        match column.get(0).expect("one row") {
            AnyValue::Null => {}
            // polars prints times with a zone only with a feature that nothing else here needs.
            AnyValue::Datetime(millis, ..) | AnyValue::DatetimeOwned(millis, ..) => {
                drop(found.insert(column.name().to_string(), millis.to_string()))
            }
            value => drop(found.insert(column.name().to_string(), value.str_value().into_owned())),
        }
    }
    found
}

/// Milliseconds since the epoch of an RFC 3339 text.
pub fn ms(text: &str) -> Option<i64> {
    Some(chrono::DateTime::parse_from_rfc3339(text).expect("a time").timestamp_millis())
}

/// Folder of real logs that stand beside the project, where they are present.
#[expect(clippy::print_stdout, reason = "a test that did not run must say so")]
pub fn real_data(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    if !path.exists() {
        println!("skipped: no real data at {}", path.display());
        return None;
    }
    Some(path)
}

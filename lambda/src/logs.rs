//! Records that CloudWatch Logs sends: base64 of gzip of a document, in which each record is a text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate};
use keytrail::decode::gzip::{Inflater, Limits, Taker};
use keytrail::lake::{Shard, Unit};
use keytrail::pipeline::Arrival;
use keytrail::source::Object;
use serde::Deserialize;

/// A payload is at most 6 MB, and deflate can make a gigabyte of that.
const MOST: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    message_type: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    log_group: String,
    #[serde(default)]
    log_stream: String,
    #[serde(default)]
    log_events: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    timestamp: i64,
    message: String,
}

/// Takes what is inflated, all of it.
struct Whole(Vec<u8>);

impl Taker for Whole {
    fn stage(&mut self) {}

    fn take(&mut self, bytes: &[u8], _: bool) -> usize {
        self.0.extend_from_slice(bytes);
        bytes.len()
    }
}

/// An object of the records in it, one a line; `None` for the message by which CloudWatch Logs tries the way. The same
/// records are the same object again. A subscription is of its own Region.
pub(crate) fn arrival(data: &str, region: Option<&str>) -> Result<Option<Arrival>, String> {
    let packed = STANDARD.decode(data).map_err(|error| format!("the records are no base64: {error}"))?;
    let mut whole = Whole(Vec::new());
    let limits = Limits { max_inflated: MOST, window: MOST };
    let outcome = Inflater::new(limits).read(&mut &*packed, Some(packed.len() as u64), &mut whole);
    if let Some(reason) = outcome.skip {
        return Err(format!("the records cannot be read: {} ({})", reason.meaning(), reason.id()));
    }
    let document: Document =
        serde_json::from_slice(&whole.0).map_err(|error| format!("the records are no document: {error}"))?;
    let first = match document.log_events.first() {
        Some(first) if document.message_type == "DATA_MESSAGE" => first,
        _ => return Ok(None),
    };
    let uri = format!(
        "logs://{}/{}/{}/{}/{}",
        document.owner,
        region.unwrap_or("unknown"),
        document.log_group.trim_start_matches('/'),
        document.log_stream,
        first.id
    );
    let is_account = document.owner.len() == 12 && document.owner.bytes().all(|byte| byte.is_ascii_digit());
    let account = is_account.then(|| document.owner.clone());
    let unit = Unit { shard: Shard { account, region: region.map(str::to_owned) }, date: day(first.timestamp) };
    let mut bytes = Vec::with_capacity(whole.0.len());
    for line in &document.log_events {
        // A record is one line of JSON; what has more lines is none, and must not become several.
        bytes.extend(line.message.bytes().map(|byte| if byte == b'\n' || byte == b'\r' { b' ' } else { byte }));
        bytes.push(b'\n');
    }
    Ok(Some(Arrival { object: Object::in_memory(uri, &bytes), bytes: Some(bytes), unit: Some(unit) }))
}

fn day(millis: i64) -> Option<NaiveDate> {
    Some(DateTime::from_timestamp_millis(millis)?.date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> String {
        let fixture: serde_json::Value =
            serde_json::from_str(include_str!("../tests/envelopes/cloudwatch_logs.json")).unwrap();
        fixture["awslogs"]["data"].as_str().unwrap().to_owned()
    }

    #[test]
    fn records_become_lines_of_one_object() {
        let arrival = arrival(&data(), Some("eu-west-1")).unwrap().unwrap();
        let text = String::from_utf8(arrival.bytes.unwrap()).unwrap();
        assert_eq!(text.lines().count(), 1);
        assert!(text.starts_with(r#"{"eventVersion": "1.11""#), "{text}");
        assert!(arrival.object.uri.starts_with("logs://111122223333/eu-west-1/cloudtrail/"), "{}", arrival.object.uri);
        let unit = arrival.unit.unwrap();
        assert_eq!(
            (unit.shard.account.as_deref(), unit.shard.region.as_deref()),
            (Some("111122223333"), Some("eu-west-1"))
        );
        assert_eq!(unit.date.unwrap().to_string(), "2026-09-01");
    }

    #[test]
    fn what_is_no_data_is_told() {
        for (data, told) in [("%", "no base64"), ("AAAA", "no document"), ("H4sIAAAAAAAA/w==", "cannot be read")] {
            let error = arrival(data, None).unwrap_err();
            assert!(error.contains(told), "{data}: {error}");
        }
        let packed = STANDARD.encode(br#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#);
        assert_eq!(arrival(&packed, None).unwrap().map(|arrival| arrival.object.uri), None);
    }
}

//! Amazon EventBridge: an event for each finding, for rules that pick by what is in it.

use std::time::Duration;

use serde_json::{Value, json};

use super::rest::Rest;
use super::signed::{Caller, Operation};
use super::wire::Put;
use super::{SendError, Transport};
use crate::alert::clock::Clock;
use crate::alert::message::{Alert, SCHEMA};
use crate::alert::record::Record;
use crate::report;

/// What `PutEvents` takes in one request: entries, and bytes of all of them with some room for what is counted beside.
const ENTRIES: usize = 10;
const BYTES: usize = 250 << 10;

/// One event bus.
pub(super) struct Bus {
    caller: Caller,
    arn: String,
    rest: Rest<String>,
}

impl Bus {
    pub(super) fn open(arn: &str) -> Result<Self, SendError> {
        let caller = Caller::open(Operation::PUT_EVENTS, arn.split(':').nth(3))?;
        Ok(Self { caller, arn: arn.to_owned(), rest: Rest::default() })
    }
}

impl Transport for Bus {
    fn send(&mut self, alert: &Alert, timeout: Duration) -> Result<(), SendError> {
        let Self { caller, arn, rest } = self;
        let clock = Clock::start(0, timeout);
        let write = || alert.records.records.iter().map(|record| entry(alert, record, arn)).collect();
        rest.send(&alert.dedup, write, requests, |request| {
            let body = format!("{{\"Entries\":[{}]}}", request.join(","));
            let answer = caller.call(&body, clock.left())?;
            let answer: Put = serde_json::from_str(&answer)
                .map_err(|_| SendError::passing("EventBridge answers what PutEvents does not answer"))?;
            // The answer has an entry for each of the request, in its order.
            if answer.failed_entry_count > 0 && answer.entries.len() != request.len() {
                return Err(SendError::passing("EventBridge took some events not, and does not say which"));
            }
            let failed = answer
                .entries
                .into_iter()
                .enumerate()
                .filter_map(|(at, entry)| Some((at, entry.error_code?, entry.error_message.unwrap_or_default())));
            Ok(failed.collect())
        })
    }
}

/// One entry as JSON. Its detail is the finding, with a member `alert` that says what it is a message about.
fn entry(alert: &Alert, record: &Record, bus: &str) -> String {
    let finding = &record.finding;
    let mut detail = json!({
        "alert": {
            "schema": SCHEMA, "kind": alert.kind, "change": record.change.id(), "dedup": alert.dedup, "truncated": [],
        },
    });
    if let (Value::Object(members), Value::Object(told)) = (&mut detail, report::json::finding(finding)) {
        members.extend(told);
    }
    let resources: Vec<&str> = finding.key.iter().map(|key| key.arn.as_str()).collect();
    let kind = if alert.kind == "test" { "Keytrail Test" } else { "Keytrail Finding" };
    let write = |detail: &Value| {
        let detail = report::escape::json_document(detail.to_string());
        json!({
            "Source": "keytrail", "DetailType": kind, "Detail": detail, "EventBusName": bus, "Resources": resources,
        })
        .to_string()
    };
    let mut entry = write(&detail);
    // What leads to the rest is kept: ids, titles, times.
    for member in ["evidence", "details", "facts", "remediation"] {
        if entry.len() <= BYTES {
            break;
        }
        let empty = match &detail[member] {
            Value::Array(_) => json!([]),
            Value::Object(_) => json!({}),
            _ => json!(""),
        };
        detail[member] = empty;
        if let Value::Array(truncated) = &mut detail["alert"]["truncated"] {
            truncated.push(member.into());
        }
        entry = write(&detail);
    }
    entry
}

/// Cuts entries into requests.
fn requests(entries: &[String]) -> Vec<&[String]> {
    let mut requests = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (at, entry) in entries.iter().enumerate() {
        if at > start && (at - start == ENTRIES || size + entry.len() > BYTES) {
            requests.push(&entries[start..at]);
            (start, size) = (at, 0);
        }
        size += entry.len();
    }
    if start < entries.len() {
        requests.push(&entries[start..]);
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Detail, Evidence};

    const BUS: &str = "arn:aws:events:eu-west-1:111122223333:event-bus/default";

    #[test]
    fn an_event_that_is_too_large_says_what_it_left_out() {
        let alert = Alert::test("bus", 0);
        let mut record = alert.records.records[0].clone();
        let parse = |entry: &str| -> (Value, Value) {
            let entry: Value = serde_json::from_str(entry).unwrap();
            let detail = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
            (entry, detail)
        };
        let (whole, detail) = parse(&entry(&alert, &record, BUS));
        assert_eq!((&whole["DetailType"], &whole["EventBusName"]), (&json!("Keytrail Test"), &json!(BUS)));
        assert_eq!((&detail["alert"]["truncated"], &detail["severity"]), (&json!([]), &json!("info")));
        let sample = report::sample::report().findings.remove(0).evidence.remove(0);
        let evidence = Evidence { event_id: "e".repeat(300 << 10), ..sample };
        record.finding.evidence = vec![evidence];
        record.finding.details.insert("kept", Detail::Int(1));
        let text = entry(&alert, &record, BUS);
        let (_, detail) = parse(&text);
        assert!(text.len() < BYTES, "{}", text.len());
        assert_eq!(detail["alert"]["truncated"], json!(["evidence"]));
        assert_eq!((&detail["evidence"], &detail["details"]["kept"]), (&json!([]), &json!(1)));
    }

    #[test]
    fn requests_keep_the_limits() {
        let sizes = |entries: &[String]| requests(entries).iter().map(|request| request.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&vec!["x".to_owned(); 21]), [10, 10, 1]);
        assert_eq!(sizes(&vec!["x".repeat(100 << 10); 5]), [2, 2, 1]);
        assert!(sizes(&[]).is_empty());
    }
}

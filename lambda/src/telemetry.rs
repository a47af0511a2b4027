//! What an invocation leaves behind: one line of JSON, from which CloudWatch takes metrics too (embedded metric format).

use std::collections::BTreeMap;
use std::io::Write;

use keytrail::finding::Severity;
use serde_json::{Map, Value, json};

/// Namespace of the metrics.
pub const NAMESPACE: &str = "Keytrail";

/// The dimension of every metric.
pub const DIMENSION: &str = "FunctionName";

/// Something that is counted or measured.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Name in CloudWatch.
    pub name: &'static str,
    /// Unit in CloudWatch.
    pub unit: &'static str,
    /// What it means.
    pub doc: &'static str,
}

macro_rules! metrics {
    ($($id:ident $unit:literal $doc:literal,)*) => {
        /// Every metric. An invocation leaves those that it has something to say about.
        pub const METRICS: &[Metric] =
            &[$(Metric { name: stringify!($id), unit: $unit, doc: $doc }),*];

        /// Names of metrics.
        #[expect(non_upper_case_globals, reason = "they are written as CloudWatch shows them")]
        pub mod name {
            $(#[doc = $doc] pub const $id: &str = stringify!($id);)*
        }
    };
}

metrics! {
    Objects "Count" "log files that were read",
    PassedBy "Count" "objects that are no logs: digests, other services, the lake itself",
    Failed "Count" "messages that were not done, and objects of other invocations: they come again, or go to the dead letters",
    Skipped "Count" "log files that could not be read, whether they come again or not",
    RejectedRecords "Count" "records of log files that could not be read",
    Records "Count" "records in the log files",
    Events "Count" "records that say something about keys",
    CompressedBytes "Bytes" "size of the log files as stored",
    FindingsAtOnce "Count" "findings that deliveries showed by themselves",
    CriticalFindings "Count" "open findings of the lake that are critical",
    HighFindings "Count" "open findings of the lake that are high",
    MediumFindings "Count" "open findings of the lake that are medium",
    LowFindings "Count" "open findings of the lake that are low",
    InfoFindings "Count" "open findings of the lake that are informative",
    AlertsSent "Count" "messages that sinks took",
    AlertsPending "Count" "what sinks are not told yet",
    AlertsFailed "Count" "sinks that were not told everything, because they or their configuration failed",
    AlertsUnrouted "Count" "open incidents that no sink takes",
    DeliveryLag "Seconds" "from the moment an object was written until it was done, the longest",
    EventLag "Seconds" "from the youngest event to now",
    DeliveryAge "Seconds" "since the last log of the account and Region that waits for longest, of those that deliver regularly",
    Silent "Count" "accounts and Regions without a log for longer than expected",
    DrillsPassed "Count" "rounds of test messages that every sink took",
    DrillsFailed "Count" "rounds of test messages that a sink did not take",
    Absorbed "Count" "objects that went from the inbox into the lake",
    Evaluations "Count" "evaluations that came to their end: none for long is an alarm",
    Requests "Count" "requests to S3",
    Throttles "Count" "requests that S3 refused because there were too many",
    Duration "Milliseconds" "time that the invocation took",
}

/// Name of the metric that counts findings of a severity.
pub fn findings(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => name::CriticalFindings,
        Severity::High => name::HighFindings,
        Severity::Medium => name::MediumFindings,
        Severity::Low => name::LowFindings,
        Severity::Info => name::InfoFindings,
    }
}

/// The line of an invocation in the making.
#[derive(Debug, Default)]
pub struct Line {
    members: Map<String, Value>,
    values: BTreeMap<&'static str, f64>,
}

impl Line {
    /// Says something that is no metric.
    pub fn say(&mut self, member: &str, value: impl Into<Value>) {
        self.members.insert(member.to_owned(), value.into());
    }

    /// Adds to a metric.
    pub fn add(&mut self, metric: &'static str, value: u64) {
        *self.values.entry(metric).or_default() += value as f64;
    }

    /// Raises a metric to a value.
    pub fn most(&mut self, metric: &'static str, value: f64) {
        let most = self.values.entry(metric).or_insert(value);
        *most = most.max(value);
    }

    /// The line, at a moment in milliseconds since the epoch.
    pub fn json(&self, function: &str, now: i64) -> Value {
        let unit = |name: &str| METRICS.iter().find(|metric| metric.name == name).map_or("None", |metric| metric.unit);
        let metrics: Vec<Value> = self.values.keys().map(|name| json!({"Name": name, "Unit": unit(name)})).collect();
        let mut line = self.members.clone();
        line.insert(DIMENSION.into(), function.into());
        for (name, value) in &self.values {
            line.insert((*name).into(), json!(value));
        }
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics});
        line.insert("_aws".into(), json!({"Timestamp": now, "CloudWatchMetrics": [directive]}));
        Value::Object(line)
    }
}

/// Writes a line to standard output, which is the log of a function. Text of others is escaped by JSON: nobody can begin a
/// line of their own, or colour one.
pub fn print(line: &Value) {
    let mut text = escaped(line);
    text.push('\n');
    // A log that is gone cannot be told of.
    drop(std::io::stdout().lock().write_all(text.as_bytes()));
}

/// JSON in ASCII: terminals obey some characters beyond it.
fn escaped(line: &Value) -> String {
    let mut text = String::new();
    for char in line.to_string().chars() {
        if char.is_ascii() && char != '\x7f' {
            text.push(char);
        } else {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_log_entry_and_metrics() {
        let mut line = Line::default();
        line.say("kind", "delivery");
        line.add(name::Objects, 2);
        line.add(name::Objects, 1);
        line.most(name::DeliveryLag, 3.5);
        line.most(name::DeliveryLag, 1.0);
        let told = line.json("f", 1_000);
        assert_eq!(
            (&told["kind"], &told["Objects"], &told["DeliveryLag"]),
            (&json!("delivery"), &json!(3.0), &json!(3.5))
        );
        let metrics = &told["_aws"]["CloudWatchMetrics"][0]["Metrics"];
        let expected = json!([{"Name": "DeliveryLag", "Unit": "Seconds"}, {"Name": "Objects", "Unit": "Count"}]);
        assert_eq!((metrics, &told["FunctionName"]), (&expected, &json!("f")));
    }

    #[test]
    fn others_cannot_write_into_the_log() {
        let text = escaped(&json!({"detail": "a\nb\u{1b}[31m\u{9b}\u{202e}\u{1f511}"}));
        assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{text}");
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["detail"], "a\nb\u{1b}[31m\u{9b}\u{202e}\u{1f511}");
    }
}

//! `keytrail explain`: one finding with the records behind it, and how to fetch each of them by hand.

mod json;
mod text;

pub use json::{SCHEMA, render as json};
pub use text::render as text;

use crate::finding::{Evidence, Finding, word};

/// A finding and its records.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The finding.
    pub finding: Finding,
    /// Ids of the other findings of its incident.
    pub related: Vec<String>,
    /// Its evidence in order.
    pub records: Vec<Original>,
}

/// One record of the evidence.
#[derive(Clone, Debug)]
pub struct Original {
    /// Which record, and what it is for.
    pub evidence: Evidence,
    /// The record as CloudTrail wrote it, or why it cannot be shown.
    pub raw: Result<String, String>,
}

impl Original {
    /// A record of the evidence with what stands in its place now. An object that was replaced since holds other records
    /// there, which are no evidence.
    pub fn new(evidence: Evidence, raw: Result<String, String>) -> Self {
        let raw = raw.and_then(|raw| {
            let is_it = evidence.event_id.starts_with("content:") || holds_id(&raw, &evidence.event_id);
            if is_it { Ok(raw) } else { Err("another record stands there now".to_string()) }
        });
        Self { evidence, raw }
    }

    /// Shell commands that fetch the record without this program.
    pub fn commands(&self, region: &str) -> Vec<String> {
        let Evidence { event_id, object, .. } = &self.evidence;
        let filter = format!("jq 'first(.. | objects | select(.eventID? == {}))'", quoted(event_id));
        let mut commands = Vec::new();
        if self.evidence.is_answer() {
            return vec![format!("jq . {}", word(object))];
        }
        if object.starts_with("s3://") {
            let unzip = if object.ends_with(".gz") { " | gunzip" } else { "" };
            commands.push(format!("aws s3 cp {} -{unzip} | {filter}", word(object)));
        } else if object != "-" {
            let read = if object.ends_with(".gz") { "gunzip -c --" } else { "cat --" };
            commands.push(format!("{read} {} | {filter}", word(object)));
        }
        let attribute = format!("AttributeKey=EventId,AttributeValue={event_id}");
        let lookup =
            format!("aws cloudtrail lookup-events --region {} --lookup-attributes {}", word(region), word(&attribute));
        commands.push(lookup);
        commands
    }
}

/// True when the record, or the event around it, says that it is this one.
fn holds_id(raw: &str, id: &str) -> bool {
    let says = |value: &serde_json::Value| {
        let inside = value.get("detail").or_else(|| value.get("CloudTrailEvent"));
        [Some(value), inside]
            .into_iter()
            .flatten()
            .any(|value| ["eventID", "EventId"].iter().any(|name| value.get(name).is_some_and(|known| known == id)))
    };
    serde_json::from_str(raw).is_ok_and(|value| says(&value))
}

/// A string of jq inside a word in single quotes: ids are hexadecimal; anything else is made harmless.
fn quoted(text: &str) -> String {
    let safe: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.:".contains(*c)).collect();
    format!("\"{safe}\"")
}

//! `--format json`: one document, `keytrail.explain/1`.

use serde::Serialize;
use serde_json::Value;

use super::Explained;
use crate::report::{Report, escape, wire};

/// Name and version of the document.
pub const SCHEMA: &str = "keytrail.explain/1";

/// The document, indented, with a line break at its end.
pub fn render(report: &Report, explained: &Explained) -> String {
    let region = &explained.finding.region;
    let records = explained
        .records
        .iter()
        .map(|original| Record {
            event_id: &original.evidence.event_id,
            role: original.evidence.role.id(),
            object: &original.evidence.object,
            record: original.evidence.record,
            commands: original.commands(region),
            raw: original.raw.as_ref().ok().map(|raw| parsed(raw)),
            problem: original.raw.as_ref().err().map(String::as_str),
        })
        .collect();
    let document = Document {
        schema: SCHEMA,
        run: wire::Run::of(report),
        finding: wire::Finding::of(&explained.finding),
        related: &explained.related,
        records,
    };
    // Wire types hold strings, numbers and lists only, which cannot fail to serialize.
    let mut text = escape::json_document(serde_json::to_string_pretty(&document).unwrap_or_default());
    text.push('\n');
    text
}

/// The record as JSON; as text where it is none.
fn parsed(raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_else(|_| Value::String(raw.to_string()))
}

#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    run: wire::Run<'r>,
    finding: wire::Finding<'r>,
    related: &'r [String],
    records: Vec<Record<'r>>,
}

#[derive(Serialize)]
struct Record<'r> {
    event_id: &'r str,
    role: &'static str,
    object: &'r str,
    record: u32,
    commands: Vec<String>,
    raw: Option<Value>,
    problem: Option<&'r str>,
}

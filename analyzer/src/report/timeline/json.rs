//! `--format json`: one document, `keytrail.timeline/1`.

use serde::Serialize;

use super::{Entry, KeyStory, Timeline, Wanted};
use crate::report::{escape, human, wire};

/// Name and version of the document.
pub const SCHEMA: &str = "keytrail.timeline/1";

/// The document, indented, with a line break at its end.
pub fn render(timeline: &Timeline) -> String {
    let report = &timeline.report;
    let document = Document {
        schema: SCHEMA,
        run: wire::Run::of(report),
        asked: match &timeline.wanted {
            Wanted::Key(key) => Asked { key: Some(key), resource: None },
            Wanted::Resource(resource) => Asked { key: None, resource: Some(resource) },
        },
        keys: timeline.keys.iter().map(Key::of).collect(),
        coverage: wire::Coverage::of(report),
        skipped: report.coverage.skipped.iter().map(wire::Skipped::of).collect(),
        notices: &report.notices,
    };
    // Wire types hold strings, numbers and lists only, which cannot fail to serialize.
    let mut text = escape::json_document(serde_json::to_string_pretty(&document).unwrap_or_default());
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Document<'r> {
    schema: &'static str,
    run: wire::Run<'r>,
    asked: Asked<'r>,
    keys: Vec<Key<'r>>,
    coverage: wire::Coverage<'r>,
    skipped: Vec<wire::Skipped<'r>>,
    notices: &'r [String],
}

#[derive(Serialize)]
struct Asked<'r> {
    key: Option<&'r str>,
    resource: Option<&'r str>,
}

#[derive(Serialize)]
struct Key<'r> {
    arn: &'r str,
    label: &'r str,
    state: Option<&'r str>,
    resources: Vec<Resource<'r>>,
    entries: Vec<Line<'r>>,
}

impl<'r> Key<'r> {
    fn of(key: &'r KeyStory) -> Self {
        let resource = |resource: &'r super::story::ResourceSummary| Resource {
            name: &resource.name,
            uses: resource.uses,
            first: human::rfc3339(resource.span.0),
            last: human::rfc3339(resource.span.1),
            principals: &resource.principals,
            principals_complete: !resource.more,
        };
        Self {
            arn: &key.arn,
            label: &key.label,
            state: key.state,
            resources: key.resources.iter().map(resource).collect(),
            entries: key.entries.iter().map(Line::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct Resource<'r> {
    name: &'r str,
    uses: u64,
    first: String,
    last: String,
    principals: &'r [String],
    principals_complete: bool,
}

/// One entry.
#[derive(Serialize)]
pub(in crate::report) struct Line<'r> {
    from: String,
    to: String,
    kind: &'static str,
    count: u64,
    what: &'r str,
    who: &'r str,
    principal: &'r str,
    via: Option<&'r str>,
    error_code: Option<&'r str>,
    operations: Vec<Operation<'r>>,
    resource: Option<&'r str>,
    event_id: &'r str,
    object: &'r str,
}

#[derive(Serialize)]
struct Operation<'r> {
    name: &'r str,
    count: u64,
}

impl<'r> Line<'r> {
    pub(in crate::report) fn of(entry: &'r Entry) -> Self {
        Self {
            from: human::rfc3339(entry.from),
            to: human::rfc3339(entry.to),
            kind: entry.kind.id(),
            count: entry.count,
            what: &entry.what,
            who: &entry.who,
            principal: &entry.principal,
            via: entry.via.as_deref(),
            error_code: entry.error.as_deref(),
            operations: entry.operations.iter().map(|(name, count)| Operation { name, count: *count }).collect(),
            resource: entry.resource.as_deref(),
            event_id: &entry.event_id,
            object: &entry.object,
        }
    }
}

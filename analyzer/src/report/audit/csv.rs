//! The evidence as CSV: controls, evidence rows, changes of keys.

use super::Audit;
use crate::report::timeline::Entry;
use crate::report::{escape, human};

pub(super) fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory cannot fail, and every row has the same length.
    drop(writer.write_record(columns));
    for row in rows {
        drop(writer.write_record(row.iter().map(|cell| escape::csv_cell(cell).into_owned())));
    }
    String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
}

/// One control per row.
pub fn controls(audit: &Audit) -> String {
    let columns =
        ["framework", "control", "title", "status", "because", "findings", "operated", "limits", "cannot", "ask"];
    let rows = audit.frameworks.iter().flat_map(|(framework, assessments)| {
        framework.controls.iter().zip(assessments).map(|(control, assessment)| {
            let ids = assessment.against.iter().filter(|evidence| evidence.decides);
            let ids: Vec<String> = ids.map(|evidence| audit.report.findings[evidence.finding].id.to_string()).collect();
            let limits: Vec<&str> = assessment.limits.iter().map(|limit| limit.0.as_str()).collect();
            vec![
                framework.id.clone(),
                control.id.clone(),
                control.title.clone(),
                assessment.status.id().into(),
                assessment.because.clone(),
                ids.join(" "),
                assessment.operated.join("; "),
                limits.join("; "),
                control.cannot.clone(),
                control.ask.join("; "),
            ]
        })
    });
    table(&columns, rows)
}

/// One record of the evidence of one finding per row.
pub fn evidence(audit: &Audit) -> String {
    let columns = [
        "finding",
        "rule",
        "severity",
        "status",
        "role",
        "event_id",
        "time",
        "event_name",
        "error_code",
        "principal",
        "key",
        "object",
        "record",
        "sha256",
        "integrity",
    ];
    let rows = audit.report.findings.iter().flat_map(|finding| {
        finding.evidence.iter().map(move |evidence| {
            vec![
                finding.id.to_string(),
                finding.rule.to_string(),
                finding.severity.id().into(),
                finding.status.id().into(),
                evidence.role.id().into(),
                evidence.event_id.clone(),
                human::rfc3339(evidence.time),
                evidence.event_name.clone(),
                evidence.error_code.clone().unwrap_or_default(),
                finding.principal.as_ref().map(|principal| principal.arn.clone()).unwrap_or_default(),
                finding.key.as_ref().map(|key| key.arn.clone()).unwrap_or_default(),
                evidence.object.clone(),
                evidence.record.to_string(),
                evidence.proof.as_ref().and_then(|proof| proof.sha256.clone()).unwrap_or_default(),
                evidence.proof.as_ref().map(|proof| proof.vouched).unwrap_or_default().id().into(),
            ]
        })
    });
    table(&columns, rows)
}

const CHANGES: [&str; 13] = [
    "time",
    "key",
    "kind",
    "event_name",
    "what",
    "principal",
    "who",
    "error_code",
    "event_id",
    "object",
    "record",
    "sha256",
    "integrity",
];

/// One change of a key per row: the whole population, as [`super::population`] bounds it.
pub fn changes(audit: &Audit) -> String {
    table(&CHANGES, audit.changes.iter().map(|change| of_change(audit, change)))
}

/// The calls that were drawn, in the order of the draw, each with the hash that decided.
pub fn sample(audit: &Audit) -> String {
    let columns = [&["rank", "draw_sha256"], CHANGES.as_slice()].concat();
    let drawn = audit.sample.iter().flat_map(|sample| &sample.drawn).zip(1u32..);
    let rows = drawn.filter_map(|((place, hash), rank)| {
        let change = audit.changes.get(*place)?;
        Some([vec![rank.to_string(), hash.clone()], of_change(audit, change)].concat())
    });
    table(&columns, rows)
}

fn of_change(audit: &Audit, (key, entry): &(String, Entry)) -> Vec<String> {
    let proof = audit.proof(&entry.object);
    vec![
        human::rfc3339(entry.from),
        key.clone(),
        entry.kind.id().into(),
        entry.operations.first().map(|(name, _)| name.clone()).unwrap_or_default(),
        entry.what.clone(),
        entry.principal.clone(),
        entry.who.clone(),
        entry.error.clone().unwrap_or_default(),
        entry.event_id.clone(),
        entry.object.clone(),
        entry.record().to_string(),
        proof.and_then(|proof| proof.sha256.clone()).unwrap_or_default(),
        proof.map(|proof| proof.vouched).unwrap_or_default().id().into(),
    ]
}

//! Runs an example through the whole pipeline, and compares what came of it with what the page says.

use std::fs;

use keytrail::finding::{Detail, Finding};
use keytrail::pipeline::{Progress, ScanOptions, scan};
use serde_json::{Value, json};

use super::page::{Example, Expectation, Kind, Term, counts};
use super::step::{inventory, records};

struct Silent;

impl Progress for Silent {}

/// Findings of all rules over the records of an example. They stand in two files, as if delivered apart.
pub(crate) fn findings(example: &Example) -> Vec<Finding> {
    let (even, odd): (Vec<_>, Vec<_>) =
        records(&example.steps).into_iter().enumerate().partition(|(number, _)| number % 2 == 0);
    let folder = tempfile::tempdir().unwrap();
    for (name, part) in [("a.json", even), ("b.json", odd)] {
        let part: Vec<Value> = part.into_iter().map(|(_, record)| record).collect();
        fs::write(folder.path().join(name), json!({"Records": part}).to_string()).unwrap();
    }
    let told = folder.path().join("inventory");
    let told = inventory(&example.said).map(|document| {
        fs::create_dir(&told).unwrap();
        fs::write(told.join("inventory.json"), document.to_string()).unwrap();
        told.to_string_lossy().into_owned()
    });
    let logs = folder.path().join("*.json").to_string_lossy().into_owned();
    let options = ScanOptions {
        inventory: told.into_iter().collect(),
        as_of: example.as_of.map(|time| time.epoch() * 1000),
        threads: Some(1),
        ..ScanOptions::new(vec![logs], example.settings.clone())
    };
    let report = scan(&options, &Silent).unwrap_or_else(|error| panic!("{}\n{error}", example.place()));
    assert_eq!(report.coverage.records.rejected, 0, "{}\na record was rejected", example.place());
    report.findings
}

/// What is wrong with an example; `None` when it holds.
pub(crate) fn problem(example: &Example, findings: &[Finding]) -> Option<String> {
    let own: Vec<&Finding> = findings.iter().filter(|finding| finding.rule == example.rule.id).collect();
    let loud = own.iter().filter(|finding| counts(finding.severity)).count();
    let wrong = match example.kind {
        Kind::Fires if loud == 0 => Some("should fire".to_string()),
        Kind::Quiet | Kind::NearMiss if loud > 0 => Some("should stay quiet".to_string()),
        _ => example.expectations.iter().find_map(|expectation| {
            let held = own.iter().any(|finding| holds(expectation, finding, loud));
            (!held).then(|| format!("no finding is as it says: {}", expectation.line))
        }),
    }?;
    let list: String = findings.iter().map(show).collect();
    let list = if list.is_empty() { "  nothing\n".to_string() } else { list };
    Some(format!("{}\n  {wrong}; found:\n{list}", example.place()))
}

fn show(finding: &Finding) -> String {
    let Finding { rule, severity, confidence, status, count, title, facts, .. } = finding;
    let facts: String = facts.iter().map(|fact| format!("      {}: {}\n", fact.label, fact.value)).collect();
    format!(
        "  {rule} severity={} confidence={} status={} count={count}\n    {title}\n{facts}",
        severity.id(),
        confidence.id(),
        status.id()
    )
}

fn holds(expectation: &Expectation, finding: &Finding, loud: usize) -> bool {
    expectation.terms.iter().all(|Term { name, part, value }| {
        let fits = |text: &str| if *part { text.contains(value.as_str()) } else { text == value };
        match name.as_str() {
            "severity" => fits(finding.severity.id()),
            "confidence" => fits(finding.confidence.id()),
            "status" => fits(finding.status.id()),
            "title" => fits(&finding.title),
            "remediation" => fits(&finding.remediation),
            "count" => fits(&finding.count.to_string()),
            "findings" => fits(&loud.to_string()),
            _ => match name.split_once('.') {
                Some(("fact", label)) => {
                    let label = label.replace('_', " ");
                    finding.facts.iter().any(|fact| fact.label == label && fits(&fact.value))
                }
                Some(("detail", name)) => finding.details.get(name).is_some_and(|detail| fits(&plain(detail))),
                _ => panic!("`{name}` is nothing that a finding has: {}", expectation.line),
            },
        }
    })
}

/// A detail as text.
fn plain(detail: &Detail) -> String {
    match detail {
        Detail::Text(text) => text.clone(),
        Detail::Int(number) => number.to_string(),
        Detail::Float(number) => number.to_string(),
        Detail::Bool(yes) => yes.to_string(),
        Detail::Time(at) => keytrail_fixtures::Time::from_epoch(at / 1000).to_string(),
        Detail::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Detail::Map(members) => {
            members.iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect::<Vec<_>>().join(", ")
        }
        Detail::Null => "null".into(),
    }
}

/// Every member of the details by its path (`cause.time`, `victims[].count`), with the name of its type.
pub(crate) fn members(finding: &Finding) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for (name, detail) in &finding.details {
        visit((*name).to_string(), detail, &mut found);
    }
    found
}

fn visit(path: String, detail: &Detail, found: &mut Vec<(String, &'static str)>) {
    let kind = match detail {
        Detail::Text(_) => "text",
        Detail::Int(_) => "integer",
        Detail::Float(_) => "decimal",
        Detail::Bool(_) => "true or false",
        Detail::Time(_) => "time",
        Detail::List(items) => {
            let items_of = |item: &Detail| match item {
                Detail::Map(_) => "list of objects",
                _ => "list of text",
            };
            for item in items {
                if let Detail::Map(members) = item {
                    members.iter().for_each(|(name, value)| visit(format!("{path}[].{name}"), value, found));
                }
            }
            items.first().map_or("list", items_of)
        }
        Detail::Map(members) => {
            members.iter().for_each(|(name, value)| visit(format!("{path}.{name}"), value, found));
            "object"
        }
        Detail::Null => "null",
    };
    found.push((path, kind));
}

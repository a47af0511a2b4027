//! What is deployed names only what exists.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeSet;
use std::path::Path;

use keytrail_lambda::envelope::{Envelope, objects};
use keytrail_lambda::failure::Failure;
use keytrail_lambda::telemetry::{DIMENSION, METRICS, NAMESPACE};
use serde_json::Value;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("../dashboards/cloudwatch/keytrail.json")).unwrap()
}

fn widgets(dashboard: &Value) -> &Vec<Value> {
    dashboard["widgets"].as_array().unwrap()
}

#[test]
fn the_dashboard_shows_what_the_function_leaves() {
    let known: BTreeSet<&str> = METRICS.iter().map(|metric| metric.name).collect();
    let dashboard = dashboard();
    let mut shown = BTreeSet::new();
    for metric in widgets(&dashboard).iter().filter_map(|widget| widget["properties"]["metrics"].as_array()).flatten() {
        let text = |at: usize| metric[at].as_str().unwrap();
        match text(0) {
            NAMESPACE => {
                assert!(known.contains(text(1)), "{metric}");
                assert_eq!((text(2), text(3)), (DIMENSION, "${AWS::StackName}"), "{metric}");
                shown.insert(text(1).to_owned());
            }
            other => assert_eq!((other, text(2)), ("AWS/SQS", "QueueName"), "{metric}"),
        }
        assert!(metric[4]["stat"].is_string(), "{metric}");
    }
    let missing: Vec<_> = known.iter().filter(|name| !shown.contains(**name)).collect();
    assert!(missing.is_empty(), "no widget shows {missing:?}");
}

#[test]
fn widgets_do_not_overlap() {
    let mut taken = BTreeSet::new();
    for widget in widgets(&dashboard()) {
        let number = |name: &str| widget[name].as_u64().unwrap();
        assert!(["metric", "text"].contains(&widget["type"].as_str().unwrap()));
        for x in number("x")..number("x") + number("width") {
            for y in number("y")..number("y") + number("height") {
                assert!(x < 24 && taken.insert((x, y)), "{x} {y}: {widget}");
            }
        }
    }
}

#[test]
fn the_template_has_the_dashboard_word_for_word() {
    let template = read("template.yaml");
    let begin = "DashboardBody: !Sub |\n";
    let body = &template[template.find(begin).unwrap() + begin.len()..];
    let lines: Vec<&str> = body.lines().map_while(|line| line.strip_prefix("        ")).collect();
    assert_eq!(format!("{}\n", lines.join("\n")), read("../dashboards/cloudwatch/keytrail.json"));
}

#[test]
fn alarms_watch_what_the_function_leaves() {
    let template = read("template.yaml");
    let mut own = false;
    let mut watched = 0;
    for line in template.lines() {
        if let Some(namespace) = line.trim().strip_prefix("Namespace: ") {
            own = namespace == NAMESPACE;
        }
        if let Some(name) = line.trim().strip_prefix("MetricName: ").filter(|_| own) {
            assert!(METRICS.iter().any(|metric| metric.name == name), "{name}");
            watched += 1;
        }
    }
    assert_eq!(watched, 3);
}

/// The configuration that the template gives when nobody gives one is one.
#[test]
fn the_template_brings_a_configuration() {
    let template = read("template.yaml");
    let begin = template.find("[[alert.sink]]").unwrap();
    let lines = template[begin..].lines().map(str::trim).take_while(|line| !line.ends_with(':'));
    let text = lines.collect::<Vec<_>>().join("\n").replace("${Alerts}", "arn:aws:sns:eu-west-1:111122223333:keytrail");
    let settings = keytrail::config::Settings::parse(&text, "template", &[]).unwrap();
    assert_eq!(settings.alert.sinks.len(), 1, "{text}");
}

/// Names of variables that the template sets, that the function reads and that the README explains are the same.
#[test]
fn variables_are_read_and_explained() {
    let variables = |text: &str| -> BTreeSet<String> {
        let words = text.split(|char: char| !(char.is_ascii_uppercase() || char == '_'));
        words.filter(|word| word.starts_with("KEYTRAIL_")).map(str::to_owned).collect()
    };
    let read_by_code = variables(&read("src/environment.rs"));
    assert!(variables(&read("template.yaml")).is_subset(&read_by_code));
    let mut explained = variables(&read("README.md"));
    for name in ["KEYTRAIL_BOOTSTRAP", "KEYTRAIL_INTERLEAVINGS", "KEYTRAIL_PATIENCE"] {
        assert!(explained.remove(name), "{name} is for tests");
    }
    assert_eq!(explained, read_by_code);
}

/// Names of errors that a value catches or retries, with the attempts.
fn named(value: &Value, found: &mut Vec<(String, Option<u64>)>) {
    if let Some(names) = value.get("ErrorEquals").and_then(Value::as_array) {
        found.extend(names.iter().map(|name| (name.as_str().unwrap().to_owned(), value["MaxAttempts"].as_u64())));
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| named(value, found)),
        Value::Object(members) => members.values().for_each(|value| named(value, found)),
        _ => {}
    }
}

/// What the state machine sends is understood, and what it retries is what the function fails by.
#[test]
fn the_state_machine_speaks_the_language_of_the_function() {
    let machine: Value = serde_json::from_str(&read("backfill.asl.json")).unwrap();
    let payload = |state: &str| &machine["States"][state]["Parameters"]["Payload"];
    assert!(
        matches!(objects(payload("Hold")), Envelope::Hold(minutes) if u64::from(minutes) * 60 == machine["TimeoutSeconds"])
    );
    assert_eq!(objects(payload("Evaluate")), Envelope::Evaluate { after_backfill: true });

    let text = String::new;
    let again = [Failure::Unavailable(text()), Failure::ObjectsFailed(text())];
    let never = [Failure::BadConfiguration(text()), Failure::NotUnderstood(text()), Failure::Bug(text())];
    let mut found = Vec::new();
    named(&machine, &mut found);
    for (name, attempts) in &found {
        let is = |failures: &[Failure]| failures.iter().any(|failure| failure.kind() == name);
        assert!(!is(&never) || *attempts == Some(0), "{name} is tried again");
        assert!(is(&never) || is(&again) || name == "States.ALL", "{name}");
    }
    assert!(never.iter().all(|failure| found.iter().any(|(name, _)| name == failure.kind())), "{found:?}");
}

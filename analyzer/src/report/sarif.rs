//! `--format sarif`: SARIF 2.1.0, for viewers and code scanning. The rules that ran with their pages, one result per finding
//! (what keytrail knows of it as in `keytrail.scan/1`, in its property bag), and what could not be read as notifications.

use std::collections::BTreeMap;

use super::wire::sarif as wire;
use super::{Report, escape, human, parts};
use crate::finding::{Confidence, Evidence, Finding, Severity, Status};
use crate::rules::{RULES, Rule};

/// Where the schema of the file is published.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The file, indented, with a line break at its end.
pub fn render(report: &Report) -> String {
    let rules: Vec<&Rule> = RULES.iter().copied().filter(|rule| is_named(rule, report)).collect();
    let log = wire::Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [wire::Run {
            tool: wire::Tool {
                driver: wire::Driver {
                    name: "keytrail",
                    version: report.run.version,
                    semantic_version: report.run.version,
                    short_description: text("Finds what is wrong with AWS KMS keys in AWS CloudTrail logs."),
                    rules: rules.iter().map(|rule| descriptor(rule)).collect(),
                },
            },
            invocations: [wire::Invocation {
                execution_successful: report.coverage.is_complete(),
                tool_execution_notifications: notifications(report),
            }],
            original_uri_base_ids: buckets(report),
            column_kind: "unicodeCodePoints",
            results: report.findings.iter().map(|finding| result(finding, &rules)).collect(),
            properties: wire::RunProperties {
                run: super::wire::Run::of(report),
                coverage: super::wire::Coverage::of(report),
            },
        }],
    };
    // Wire types hold strings, numbers and string-keyed maps only, which cannot fail to serialize.
    let mut document = escape::json_document(serde_json::to_string_pretty(&log).unwrap_or_default());
    document.push('\n');
    document
}

/// A rule is listed when it ran, and when a finding names it.
fn is_named(rule: &Rule, report: &Report) -> bool {
    report.run.rules_run.contains(&rule.id) || report.findings.iter().any(|finding| finding.rule == rule.id)
}

fn text(text: impl Into<String>) -> wire::Text {
    wire::Text { text: text.into() }
}

fn descriptor(rule: &Rule) -> wire::Rule {
    let page = parts::page(rule);
    let attack = rule.attack.iter().map(|technique| format!("external/mitre/attack/{technique}"));
    wire::Rule {
        id: rule.id,
        name: rule.id.split('-').map(|word| parts::sentence(word).trim_end_matches('.').to_string()).collect(),
        short_description: text(parts::sentence(rule.summary)),
        full_description: text(parts::section(rule, "What it finds")),
        help: wire::Help { text: page.clone(), markdown: page },
        default_configuration: wire::Configuration { level: level(rule.severity) },
        properties: wire::RuleProperties {
            tags: ["security".to_string(), "aws".to_string(), "kms".to_string()].into_iter().chain(attack).collect(),
            precision: match rule.confidence {
                Confidence::High => "high",
                Confidence::Medium => "medium",
                Confidence::Low => "low",
            },
            security_severity: match rule.severity {
                Severity::Critical => "9.5",
                Severity::High => "8.0",
                Severity::Medium => "5.5",
                Severity::Low => "2.5",
                Severity::Info => "0.0",
            },
            timing: rule.timing.id(),
            controls: rule.controls,
        },
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn result<'r>(finding: &'r Finding, rules: &[&Rule]) -> wire::Result<'r> {
    let anchor = parts::anchor(finding);
    let others =
        finding.evidence.iter().filter(|evidence| anchor.is_none_or(|anchor| !std::ptr::eq(anchor, *evidence)));
    let id = finding.id.as_str();
    wire::Result {
        rule_id: finding.rule,
        rule_index: rules.iter().position(|rule| rule.id == finding.rule),
        kind: "fail",
        level: level(finding.severity),
        message: text(message(finding)),
        locations: vec![location(finding, anchor)],
        related_locations: others.enumerate().map(|(n, evidence)| record(evidence, Some(n + 1))).collect(),
        fingerprints: BTreeMap::from([("keytrailFindingId/v1", id)]),
        // The one name by which code scanning of GitHub tells a finding from run to run.
        partial_fingerprints: BTreeMap::from([("primaryLocationLineHash", id)]),
        occurrence_count: (finding.count > 0).then_some(finding.count),
        suppressions: suppression(finding).into_iter().collect(),
        properties: super::wire::Finding::of(finding),
    }
}

/// Title, facts, remediation. Viewers with little room show the first sentence.
fn message(finding: &Finding) -> String {
    let mut message = format!("{}.", literal(&parts::line(finding.title.trim_end_matches('.'))));
    for part in [parts::facts(finding), parts::lines(&finding.remediation)] {
        if !part.is_empty() {
            message.push_str("\n\n");
            message.push_str(&literal(&part));
        }
    }
    message
}

/// Text in which nothing is a link: viewers follow `[text](target)` in plain messages too.
fn literal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '\\') {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// Where the finding is: the record that shows it best, and the key. A finding that no single record shows is about its
/// account and Region: code scanning of GitHub refuses a file for one result without an artifact.
fn location(finding: &Finding, anchor: Option<&Evidence>) -> wire::Location {
    let place = format!("{}/{}", finding.account, finding.region);
    let mut location = match anchor {
        Some(evidence) => record(evidence, None),
        None => object(&place, None),
    };
    location.logical_locations.push(match &finding.key {
        Some(key) => wire::Logical {
            name: parts::line(key.alias.as_deref().unwrap_or(&key.id)),
            fully_qualified_name: parts::line(&key.arn),
            kind: "resource",
        },
        None => wire::Logical {
            name: parts::line(&finding.region),
            fully_qualified_name: parts::line(&place),
            kind: "namespace",
        },
    });
    location
}

/// A record in its object. Objects are compressed and seldom have lines: the index of the record is in the property bag.
fn record(evidence: &Evidence, id: Option<usize>) -> wire::Location {
    let error = evidence.error_code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let said = format!(
        "{}: {}{error} at {}, record {}, event {}",
        evidence.role.id(),
        evidence.event_name,
        human::rfc3339(evidence.time),
        evidence.record,
        evidence.event_id
    );
    wire::Location {
        id,
        message: Some(text(literal(&parts::line(&said)))),
        ..object(&evidence.object, Some(evidence.record))
    }
}

fn object(name: &str, record: Option<u32>) -> wire::Location {
    let artifact_location = match bucket(name) {
        Some((bucket, key)) => wire::Artifact { uri: parts::uri(key), uri_base_id: Some(parts::line(bucket)) },
        None => wire::Artifact { uri: parts::uri(name), uri_base_id: None },
    };
    wire::Location {
        id: None,
        // CloudTrail writes an object as one line, and code scanning wants a line.
        physical_location: Some(wire::Physical { artifact_location, region: wire::Region { start_line: 1 } }),
        logical_locations: Vec::new(),
        message: None,
        properties: record.map(|record| wire::Record { record }),
    }
}

/// Bucket and key of an object in S3. Buckets are named once, at the head: code scanning of GitHub refuses absolute URIs.
fn bucket(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("s3://")?.split_once('/').filter(|(_, key)| !key.is_empty() && !key.starts_with('/'))
}

fn buckets(report: &Report) -> BTreeMap<String, wire::Base> {
    let evidence = report.findings.iter().flat_map(|finding| &finding.evidence).map(|evidence| &evidence.object);
    let coverage = &report.coverage;
    let skipped = coverage.skipped.iter().map(|skipped| &skipped.object);
    let rejected = coverage.rejected_at.iter().map(|at| &at.object);
    let names = evidence.chain(skipped).chain(rejected).filter_map(|name| bucket(name));
    names.map(|(bucket, _)| (parts::line(bucket), wire::Base { uri: parts::uri(&format!("s3://{bucket}/")) })).collect()
}

fn suppression(finding: &Finding) -> Option<wire::Suppression<'_>> {
    let Status::Suppressed { reason, until } = &finding.status else { return None };
    Some(wire::Suppression {
        kind: "external",
        status: "accepted",
        justification: parts::line(reason),
        properties: until.as_deref().map(|until| wire::Until { until }),
    })
}

/// What the run could not look at, and what it says beside its findings.
fn notifications(report: &Report) -> Vec<wire::Notification> {
    let notify = |id, level, said: &str, locations| wire::Notification {
        descriptor: wire::Descriptor { id },
        level,
        message: text(literal(&parts::line(said))),
        locations,
    };
    let coverage = &report.coverage;
    let mut all = Vec::new();
    for skipped in &coverage.skipped {
        let level = if skipped.reason.is_expected() { "note" } else { "error" };
        let detail = skipped.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
        let said = format!("{} ({}){detail}", skipped.reason.meaning(), skipped.reason.id());
        all.push(notify("object-skipped", level, &said, vec![object(&skipped.object, None)]));
    }
    for at in &coverage.rejected_at {
        let said = format!("record {}: {} ({})", at.record, at.reason.meaning(), at.reason.id());
        all.push(notify("record-rejected", "error", &said, vec![object(&at.object, Some(at.record))]));
    }
    for window in &coverage.blind {
        let to = window.to.map_or_else(|| "the end of the log".to_string(), human::rfc3339);
        let (from, what) = (human::rfc3339(window.from), window.what.id());
        let said = format!(
            "{what}: {} in {} {} from {from} to {to}, by {}",
            window.trail, window.account, window.region, window.by
        );
        all.push(notify("blind-window", "warning", &said, Vec::new()));
    }
    for (rule, reason) in &report.run.rules_skipped {
        all.push(notify("rule-skipped", "note", &format!("{rule} did not run: {reason}"), Vec::new()));
    }
    all.extend(report.notices.iter().map(|notice| notify("notice", "note", notice, Vec::new())));
    all
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::{json, sample};

    fn parse(report: &Report) -> Value {
        serde_json::from_str(&render(report)).unwrap()
    }

    #[test]
    fn a_finding_is_a_result() {
        let report = sample::report();
        let (log, scan) = (parse(&report), serde_json::from_str::<Value>(&json::render(&report)).unwrap());
        let run = &log["runs"][0];
        assert_eq!((&log["version"], run["results"].as_array().unwrap().len()), (&"2.1.0".into(), 3));
        for (n, finding) in report.findings.iter().enumerate() {
            let result = &run["results"][n];
            let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!((&rule["id"], &result["ruleId"]), (&finding.rule.into(), &finding.rule.into()));
            assert_eq!(result["properties"], scan["findings"][n], "a result has all that keytrail knows");
            assert_eq!(result["fingerprints"]["keytrailFindingId/v1"], finding.id.as_str());
            let evidence = [&result["locations"], &result["relatedLocations"]]
                .iter()
                .flat_map(|locations| locations.as_array().cloned().unwrap_or_default())
                .filter(|location| location.get("properties").is_some())
                .count();
            assert_eq!(evidence, finding.evidence.len(), "every record has its place once");
        }
        let deletion = &run["results"][0];
        assert_eq!(deletion["level"], "error");
        let place = &deletion["locations"][0];
        let uri = place["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.starts_with("AWSLogs/111122223333/"), "{uri}");
        let base = place["physicalLocation"]["artifactLocation"]["uriBaseId"].as_str().unwrap();
        assert_eq!(run["originalUriBaseIds"][base]["uri"], "s3://trail-bucket/");
        assert_eq!(place["properties"]["record"], report.findings[0].evidence[0].record);
        assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], report.findings[0].key.as_ref().unwrap().arn);
    }

    #[test]
    fn what_is_accepted_is_suppressed_and_nothing_else() {
        let report = sample::report();
        let log = parse(&report);
        for (n, finding) in report.findings.iter().enumerate() {
            let suppressions = log["runs"][0]["results"][n]["suppressions"].as_array().unwrap();
            match &finding.status {
                Status::Suppressed { reason, .. } => assert_eq!(suppressions[0]["justification"], reason.as_str()),
                Status::Open | Status::Closed => assert!(suppressions.is_empty(), "empty, not left out"),
            }
        }
    }

    #[test]
    fn what_could_not_be_read_is_told() {
        let report = sample::report();
        let invocation = &parse(&report)["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let said = invocation["toolExecutionNotifications"].as_array().unwrap();
        let of = |id: &str| said.iter().filter(|notification| notification["descriptor"]["id"] == id).count();
        let coverage = &report.coverage;
        assert_eq!((of("object-skipped"), of("record-rejected")), (coverage.skipped.len(), coverage.rejected_at.len()));
        assert_eq!((of("blind-window"), of("rule-skipped"), of("notice")), (coverage.blind.len(), 1, 1));
        assert_eq!(parse(&sample::empty())["runs"][0]["invocations"][0]["executionSuccessful"], true);
    }

    #[test]
    fn hostile_text_can_only_be_read() {
        let mut report = sample::hostile();
        report.findings[0].title = r"see [our page](https://evil.example) or \[x](1)".to_string();
        let document = render(&report);
        assert!(!document.contains(|c: char| c.is_control() && c != '\n'), "{document:?}");
        let log: Value = serde_json::from_str(&document).unwrap();
        let message = |n: usize| log["runs"][0]["results"][n]["message"]["text"].as_str().unwrap().to_string();
        assert!(message(0).starts_with(r"see \[our page\](https://evil.example) or \\\[x\](1)."), "{}", message(0));
        for n in 0..3 {
            assert!(!message(n).contains(|c: char| c.is_control() && c != '\n'), "{}", message(n));
            // A remediation has lines of its own; title and facts do not.
            let said = message(n).split("\n\nLook at").next().unwrap().to_string();
            assert!(!said.contains("\nfake:"), "{said}");
        }
    }
}

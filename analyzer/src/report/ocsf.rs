//! `--format ocsf`: one Detection Finding (class 2004) of OCSF 1.3.0 per line. Later versions of the schema only add to what is
//! used here.

use super::wire::{self, ocsf};
use super::{Report, parts};
use crate::finding::{Confidence, Finding, KeyRef, Principal, Severity, Status};
use crate::rules;

/// The version of the schema that the events name.
const VERSION: &str = "1.3.0";

/// The class, and the category that it is in.
const CLASS: u32 = 2004;
const CATEGORY: u32 = 2;

/// All lines.
pub fn render(report: &Report) -> String {
    let mut lines = String::new();
    for finding in &report.findings {
        lines.push_str(&wire::to_json(&event(finding, report)));
        lines.push('\n');
    }
    lines
}

fn event<'r>(finding: &'r Finding, report: &'r Report) -> ocsf::Event<'r> {
    let title = parts::line(&finding.title);
    let (activity_id, activity_name) = match finding.status {
        Status::Open | Status::Suppressed { .. } => (1, "Create"),
        Status::Closed => (3, "Close"),
    };
    let (status_id, status) = match finding.status {
        Status::Open => (1, "New"),
        Status::Suppressed { .. } => (3, "Suppressed"),
        Status::Closed => (4, "Resolved"),
    };
    let (severity_id, severity) = severity(finding.severity);
    let (confidence_id, confidence) = match finding.confidence {
        Confidence::Low => (1, "Low"),
        Confidence::Medium => (2, "Medium"),
        Confidence::High => (3, "High"),
    };
    let remediation = parts::lines(&finding.remediation);
    ocsf::Event {
        activity_id,
        activity_name,
        category_uid: CATEGORY,
        category_name: "Findings",
        class_uid: CLASS,
        class_name: "Detection Finding",
        type_uid: CLASS * 100 + activity_id,
        type_name: format!("Detection Finding: {activity_name}"),
        // Of the last event: the same logs give the same time, whenever they are read.
        time: finding.last_seen,
        start_time: finding.first_seen,
        end_time: finding.last_seen,
        count: finding.count,
        severity_id,
        severity,
        confidence_id,
        confidence,
        status_id,
        status,
        status_detail: accepted(&finding.status),
        message: title.clone(),
        metadata: ocsf::Metadata {
            version: VERSION,
            profiles: ["cloud"],
            product: ocsf::Product { name: "Keytrail", vendor_name: "Keytrail", version: report.run.version },
            uid: finding.id.as_str(),
            correlation_uid: finding.incident.as_str(),
            event_code: finding.rule,
            processed_time: report.run.as_of,
        },
        cloud: ocsf::Cloud { provider: "AWS", region: &finding.region, account: account(&finding.account) },
        finding_info: info(finding, title, report.run.version),
        evidences: evidences(finding),
        resources: finding.key.iter().map(|key| resource(key, finding)).collect(),
        observables: finding.key.iter().map(observable).collect(),
        remediation: (!remediation.is_empty()).then_some(ocsf::Remediation { desc: remediation }),
        unmapped: unmapped(finding, report),
    }
}

fn severity(severity: Severity) -> (u32, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

/// Why and until when the configuration accepts the finding.
fn accepted(status: &Status) -> Option<String> {
    let Status::Suppressed { reason, until } = status else { return None };
    let until = until.as_deref().map(|until| format!(", until {until}")).unwrap_or_default();
    Some(parts::line(&format!("{reason}{until}")))
}

fn account(uid: &str) -> ocsf::Account<'_> {
    ocsf::Account { uid, type_id: 10, r#type: "AWS Account" }
}

fn info<'r>(finding: &'r Finding, title: String, version: &'static str) -> ocsf::Info<'r> {
    let facts = parts::facts(finding);
    let related = |uid| ocsf::Related { uid, r#type: "AWS CloudTrail record" };
    ocsf::Info {
        uid: finding.id.as_str(),
        title,
        desc: (!facts.is_empty()).then_some(facts),
        types: [finding.rule],
        analytic: ocsf::Analytic {
            type_id: 1,
            r#type: "Rule",
            uid: finding.rule,
            desc: rules::find(finding.rule).map(|rule| rule.summary),
            version,
        },
        attacks: finding.attack.iter().map(|technique| attack(technique)).collect(),
        first_seen_time: finding.first_seen,
        last_seen_time: finding.last_seen,
        data_sources: ["AWS CloudTrail"],
        related_events: finding.evidence.iter().map(|evidence| related(evidence.event_id.as_str())).collect(),
    }
}

/// `T1078.004` is a sub-technique of `T1078`.
fn attack(id: &'static str) -> ocsf::Attack {
    match id.split_once('.') {
        Some((technique, _)) => ocsf::Attack {
            technique: ocsf::Technique { uid: technique },
            sub_technique: Some(ocsf::Technique { uid: id }),
        },
        None => ocsf::Attack { technique: ocsf::Technique { uid: id }, sub_technique: None },
    }
}

/// Who acted, then the records: which of them were that principal's, the finding does not say.
fn evidences(finding: &Finding) -> Vec<ocsf::Evidence<'_>> {
    let actor = finding.principal.as_ref().map(|principal| ocsf::Evidence {
        actor: Some(ocsf::Actor { user: user(principal), invoked_by: principal.invoked_by.as_deref() }),
        ..ocsf::Evidence::default()
    });
    let records = finding.evidence.iter().map(|evidence| ocsf::Evidence {
        actor: None,
        api: Some(ocsf::Api {
            operation: &evidence.event_name,
            response: evidence.error_code.as_deref().map(|error| ocsf::Response { error }),
        }),
        data: Some(wire::Evidence::of(evidence)),
    });
    actor.into_iter().chain(records).collect()
}

fn user(principal: &Principal) -> ocsf::User<'_> {
    let type_id = match principal.kind.as_str() {
        "" => 0,
        "IAMUser" => 1,
        "Root" => 2,
        "AWSService" => 3,
        _ => 99,
    };
    ocsf::User { uid: &principal.arn, type_id, r#type: &principal.kind }
}

fn resource<'r>(key: &'r KeyRef, finding: &'r Finding) -> ocsf::Resource<'r> {
    ocsf::Resource {
        uid: &key.arn,
        name: key.alias.as_deref(),
        r#type: "AWS::KMS::Key",
        region: &finding.region,
        cloud_partition: parts::partition(finding),
        owner: ocsf::Owner { account: account(&finding.account) },
    }
}

fn observable(key: &KeyRef) -> ocsf::Observable<'_> {
    ocsf::Observable { name: "resources.uid", type_id: 10, r#type: "Resource UID", value: &key.arn }
}

fn unmapped<'r>(finding: &'r Finding, report: &'r Report) -> ocsf::Unmapped<'r> {
    let wire::Finding { facts, details, controls, supersedes, .. } = wire::Finding::of(finding);
    ocsf::Unmapped { facts, details, controls, supersedes, settings: &report.run.settings_digest }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::sample;

    fn parse(report: &Report) -> Vec<Value> {
        render(report).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_finding_is_an_event() {
        let report = sample::report();
        let events = parse(&report);
        assert_eq!(events.len(), 3);
        for (event, finding) in events.iter().zip(&report.findings) {
            let number = |name: &str| event[name].as_u64().unwrap();
            assert_eq!(number("type_uid"), number("class_uid") * 100 + number("activity_id"));
            assert_eq!(
                (&event["metadata"]["uid"], &event["finding_info"]["uid"]),
                (&finding.id.as_str().into(), &finding.id.as_str().into())
            );
            assert_eq!(
                (event["time"].as_i64(), event["start_time"].as_i64()),
                (Some(finding.last_seen), Some(finding.first_seen))
            );
            let records =
                event["evidences"].as_array().unwrap().iter().filter(|evidence| evidence.get("api").is_some());
            assert_eq!(records.count(), finding.evidence.len());
        }
        let of = |name: &str| events.iter().map(|event| event[name].as_u64().unwrap()).collect::<Vec<_>>();
        assert_eq!((of("status_id"), of("activity_id")), (vec![1, 4, 3], vec![1, 3, 1]));
        assert_eq!(events[0]["severity_id"], 5);
        assert_eq!(events[0]["resources"][0]["uid"], report.findings[0].key.as_ref().unwrap().arn);
        assert!(events[2].get("resources").is_none(), "a finding about no key");
        assert!(events[2]["status_detail"].as_str().unwrap().contains("until 20"), "{}", events[2]["status_detail"]);
    }

    #[test]
    fn sub_techniques_have_their_technique() {
        let attack = serde_json::to_value(attack("T1078.004")).unwrap();
        assert_eq!(
            attack,
            serde_json::json!({ "technique": { "uid": "T1078" }, "sub_technique": { "uid": "T1078.004" } })
        );
    }

    #[test]
    fn hostile_text_is_kept_and_cannot_act() {
        let report = sample::hostile();
        let text = render(&report);
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        let events = parse(&report);
        assert_eq!(events.len(), report.findings.len(), "a finding is a line");
        assert_eq!(events[0]["resources"][0]["uid"], report.findings[0].key.as_ref().unwrap().arn.as_str());
        assert!(!events[0]["message"].as_str().unwrap().contains(char::is_control));
    }
}

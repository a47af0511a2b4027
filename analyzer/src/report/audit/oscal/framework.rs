//! One framework as one result.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{list, markup, prop, token};
use super::{Audit, Scope, integrity, of_integrity};
use crate::compliance::{Assessment, Control, Framework, Status};
use crate::finding::{self, KeyRef, Vouched};
use crate::report::wire::oscal::{
    Actor, Assessed, Assets, Component, Control as Selected, Evidence, Finding, Id, Item, Local, Observation, Origin,
    Platform, Prop, Related, Reviewed, Selection, State, Status as Verdict, Subject, Target, Used,
};
use crate::report::{human, parts};

/// What is the same for all that one result says.
struct Maker<'r> {
    audit: &'r Audit,
    scope: &'r Scope,
    framework: &'r Framework,
}

pub(super) fn result(audit: &Audit, scope: &Scope, framework: &Framework, all: &[Assessment]) -> Assessed {
    let maker = Maker { audit, scope, framework };
    let controls = || framework.controls.iter().zip(all);
    let named: BTreeSet<usize> =
        all.iter().flat_map(|assessment| assessment.against.iter().map(|evidence| evidence.finding)).collect();
    let findings = || named.iter().map(|&index| &audit.report.findings[index]);
    let keys: BTreeMap<&str, &KeyRef> =
        findings().filter_map(|finding| finding.key.as_ref()).map(|key| (key.arn.as_str(), key)).collect();
    let operated = controls().filter(|(_, assessment)| !assessment.events.is_empty());
    let mut observations = vec![maker.coverage()];
    observations.extend(findings().map(|finding| maker.observation(finding)));
    observations.extend(operated.map(|(control, assessment)| maker.operation(control, assessment)));
    let run = &audit.report.run;
    let props = [
        prop("framework", &framework.id),
        prop("mapping-version", &framework.mapping),
        prop("tool-version", run.version),
        prop("settings-digest", &run.settings_digest),
        prop("log-integrity", integrity(audit.integrity)),
        audit.report.inputs.as_ref().and_then(|inputs| prop("inputs-manifest-sha-256", &inputs.digest())),
    ];
    Assessed {
        uuid: maker.id("result", ""),
        title: markup(&framework.name),
        description: format!(
            "What CloudTrail logs prove of the controls, what they cannot prove, and what else to ask for: evidence, not \
             an opinion. The controls are in our words; the text itself: {}",
            markup(&framework.source)
        ),
        start: scope.start.clone(),
        end: scope.end.clone(),
        props: props.into_iter().flatten().collect(),
        local_definitions: Local {
            inventory_items: keys.into_values().map(|key| maker.item(key)).collect(),
            assessment_assets: maker.assets(),
        },
        reviewed_controls: Reviewed {
            control_selections: [Selection {
                include_controls: framework
                    .controls
                    .iter()
                    .map(|control| Selected { control_id: token(&framework.id, &control.id) })
                    .collect(),
            }],
        },
        observations,
        findings: controls().map(|(control, assessment)| maker.finding(control, assessment)).collect(),
        remarks: "A log is evidence of activity, not of configuration: what no event names is not here. None of the \
                  statuses is a certification."
            .into(),
    }
}

impl Maker<'_> {
    fn id(&self, kind: &str, name: &str) -> Id {
        self.scope.id(&[&self.framework.id, kind, name])
    }

    fn origins(&self) -> [Origin; 1] {
        [Origin { actors: [Actor { r#type: "tool", actor_uuid: self.id("tool", "") }] }]
    }

    fn assets(&self) -> Assets {
        Assets {
            components: [Component {
                uuid: self.id("tool", ""),
                r#type: "software",
                title: "Keytrail",
                description: "Reads CloudTrail logs for what happened to AWS KMS keys.",
                props: [prop("tool-version", self.audit.report.run.version)].into_iter().flatten().collect(),
                status: State { state: "operational" },
            }],
            assessment_platforms: [Platform {
                uuid: self.id("platform", ""),
                uses_components: [Used { component_uuid: self.id("tool", "") }],
            }],
        }
    }

    fn item(&self, key: &KeyRef) -> Item {
        let own = [prop("key-id", &key.id), key.alias.as_deref().and_then(|alias| prop("key-alias", alias))];
        // The name that OSCAL has for what an organization calls an asset by.
        let asset = prop("asset-id", &key.arn).map(|asset| Prop { ns: None, ..asset });
        Item {
            uuid: self.id("key", &key.arn),
            description: format!("KMS key {}", markup(key.alias.as_deref().unwrap_or(&key.id))),
            props: asset.into_iter().chain(own.into_iter().flatten()).collect(),
        }
    }

    /// What every control rests on.
    fn coverage(&self) -> Observation {
        let coverage = &self.audit.report.coverage;
        let skipped = coverage.skipped.iter().filter(|skipped| !skipped.reason.is_expected());
        let blind = coverage.blind.iter().map(|window| {
            let to = window.to.map_or("on".into(), |to| format!("to {}", human::rfc3339(to)));
            format!("{} {}: {}", human::rfc3339(window.from), to, markup(&window.trail))
        });
        Observation {
            uuid: self.id("coverage", ""),
            title: "Coverage and integrity of the logs".into(),
            description: format!(
                "{} of {} read; {} of KMS, {} of other services about keys; {} and {}. {}",
                human::number(coverage.objects.read),
                human::count(coverage.objects.seen, "object"),
                human::count(coverage.records.kms, "record"),
                human::number(coverage.records.related),
                human::count(coverage.accounts.len() as u64, "account"),
                human::count(coverage.regions.len() as u64, "Region"),
                of_integrity(self.audit),
            ),
            props: [prop("log-integrity", integrity(self.audit.integrity))].into_iter().flatten().collect(),
            methods: ["EXAMINE"],
            types: ["control-objective"],
            origins: self.origins(),
            subjects: Vec::new(),
            relevant_evidence: Vec::new(),
            collected: self.scope.as_of.clone(),
            remarks: paragraphs([
                list("Objects that could not be read:", skipped.map(|skipped| markup(&skipped.object))),
                list("Trails that did not log KMS:", blind),
                list("Notices:", self.audit.report.notices.iter().map(|notice| markup(notice))),
            ]),
        }
    }

    /// What a rule found.
    fn observation(&self, finding: &finding::Finding) -> Observation {
        let props = [
            prop("finding-id", finding.id.as_str()),
            prop("rule", finding.rule),
            prop("severity", finding.severity.id()),
            prop("confidence", finding.confidence.id()),
            prop("finding-status", finding.status.id()),
            prop("account", &finding.account),
            prop("region", &finding.region),
            finding.principal.as_ref().and_then(|who| prop("principal", &who.arn)),
        ];
        let facts = finding.facts.iter().map(|fact| format!("{}: {}", fact.label, markup(&fact.value)));
        let accepted = match &finding.status {
            finding::Status::Suppressed { reason, until } => {
                let until = until.as_ref().map_or_else(String::new, |until| format!(", until {until}"));
                Some(format!("Accepted{until}: {}", markup(reason)))
            }
            finding::Status::Open | finding::Status::Closed => None,
        };
        let steps = finding.remediation.lines().map(markup).filter(|line| !line.is_empty());
        Observation {
            uuid: self.id("finding", finding.id.as_str()),
            title: markup(&finding.title),
            description: format!(
                "{}: {} UTC, {}.",
                markup(&finding.title),
                seen(finding),
                human::count(finding.count, "event")
            ),
            props: props.into_iter().flatten().collect(),
            methods: ["EXAMINE"],
            types: ["finding"],
            origins: self.origins(),
            subjects: finding
                .key
                .iter()
                .map(|key| Subject { subject_uuid: self.id("key", &key.arn), r#type: "inventory-item" })
                .collect(),
            relevant_evidence: finding.evidence.iter().map(evidence).collect(),
            collected: self.scope.as_of.clone(),
            remarks: paragraphs([accepted, list("Details:", facts), list("What to do:", steps)]),
        }
    }

    /// That a control was used.
    fn operation(&self, control: &Control, assessment: &Assessment) -> Observation {
        let counts: Vec<String> = assessment
            .events
            .iter()
            .map(|(name, count)| format!("{} {} ×", markup(name), human::number(*count)))
            .collect();
        Observation {
            uuid: self.id("operation", &control.id),
            title: format!("{}: operated in the period", markup(&control.id)),
            description: format!("Calls in the period: {}.", counts.join(", ")),
            props: Vec::new(),
            methods: ["EXAMINE"],
            types: ["control-objective"],
            origins: self.origins(),
            subjects: Vec::new(),
            relevant_evidence: Vec::new(),
            collected: self.scope.as_of.clone(),
            remarks: None,
        }
    }

    fn finding(&self, control: &Control, assessment: &Assessment) -> Finding {
        let of = |index: usize| self.id("finding", self.audit.report.findings[index].id.as_str());
        let mut observations = vec![self.id("coverage", "")];
        observations.extend(assessment.against.iter().map(|evidence| of(evidence.finding)));
        if !assessment.events.is_empty() {
            observations.push(self.id("operation", &control.id));
        }
        let mut props: Vec<Prop> =
            [prop("status", assessment.status.id()), prop("control", &control.id)].into_iter().flatten().collect();
        let deciding = assessment.against.iter().filter(|evidence| evidence.decides);
        props.extend(deciding.filter_map(|evidence| prop("deciding-observation", &of(evidence.finding).0.to_string())));
        let remarks = [
            list("Told:", assessment.operated.iter().map(|what| markup(what))),
            list("Not proved:", assessment.limits.iter().map(|limit| markup(&limit.0))),
            Some(format!("What no log can show: {}", markup(&control.cannot))),
            list("Ask for:", control.ask.iter().map(|ask| markup(ask))),
        ];
        Finding {
            uuid: self.id("control", &control.id),
            title: format!("{}: {}", markup(&control.id), markup(&control.title)),
            description: format!("{}: {}.", assessment.status.id(), markup(&assessment.because)),
            props,
            target: target(&self.framework.id, control, assessment),
            related_observations: observations
                .into_iter()
                .map(|observation_uuid| Related { observation_uuid })
                .collect(),
            remarks: paragraphs(remarks).unwrap_or_default(),
        }
    }
}

fn target(framework: &str, control: &Control, assessment: &Assessment) -> Target {
    let (state, reason) = match assessment.status {
        Status::Satisfied => ("satisfied", "pass"),
        Status::Contradicted => ("not-satisfied", "fail"),
        Status::Partial | Status::NotDeterminable | Status::NotApplicable => ("not-satisfied", "other"),
    };
    Target {
        r#type: "objective-id",
        target_id: format!("{}_obj", token(framework, &control.id)),
        status: Verdict {
            state,
            reason,
            remarks: format!("{}: {}.", assessment.status.id(), markup(&assessment.because)),
        },
        implementation_status: (assessment.status == Status::NotApplicable)
            .then_some(State { state: "not-applicable" }),
    }
}

fn evidence(evidence: &finding::Evidence) -> Evidence {
    let error = evidence.error_code.as_deref().map_or_else(String::new, |error| format!(" ({})", markup(error)));
    let proof = evidence.proof.as_ref();
    let props = [
        prop("event-id", &evidence.event_id),
        prop("event-time", &human::rfc3339(evidence.time)),
        prop("event-name", &evidence.event_name),
        prop("record", &evidence.record.to_string()),
        prop("role", evidence.role.id()),
        proof.and_then(|proof| proof.sha256.as_deref()).and_then(|sum| prop("object-sha-256", sum)),
        proof
            .filter(|proof| proof.vouched != Vouched::Unverified)
            .and_then(|proof| prop("object-integrity", proof.vouched.id())),
    ];
    Evidence {
        href: parts::uri(&evidence.object),
        description: format!(
            "{}{error}, {} UTC: record {} of the object, counted from 0.",
            markup(&evidence.event_name),
            human::time(evidence.time),
            evidence.record
        ),
        props: props.into_iter().flatten().collect(),
    }
}

fn seen(finding: &finding::Finding) -> String {
    let (first, last) = (human::time(finding.first_seen), human::time(finding.last_seen));
    if first == last { first } else { format!("{first} to {last}") }
}

fn paragraphs<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A control that is not satisfied is never called that, whatever its status is called.
    #[test]
    fn only_satisfied_is_satisfied() {
        let control = Control {
            id: "AC-2(12)".into(),
            title: "t".into(),
            rules: Vec::new(),
            watch: false,
            events: Vec::new(),
            alerts: false,
            needs: Vec::new(),
            cannot: "c".into(),
            ask: Vec::new(),
        };
        let states = Status::ALL.map(|status| {
            let because = "<b>".to_string();
            let assessment = Assessment {
                status,
                because,
                against: Vec::new(),
                events: Vec::new(),
                operated: Vec::new(),
                limits: Vec::new(),
            };
            let target = target("nist-800-53-r5", &control, &assessment);
            assert_eq!(target.target_id, "ac-2.12_obj");
            assert_eq!(target.status.remarks, format!(r"{}: \<b\>.", status.id()));
            (status, target.status.state, target.status.reason, target.implementation_status.map(|state| state.state))
        });
        assert_eq!(
            states,
            [
                (Status::Contradicted, "not-satisfied", "fail", None),
                (Status::Partial, "not-satisfied", "other", None),
                (Status::NotDeterminable, "not-satisfied", "other", None),
                (Status::Satisfied, "satisfied", "pass", None),
                (Status::NotApplicable, "not-satisfied", "other", Some("not-applicable")),
            ]
        );
    }
}

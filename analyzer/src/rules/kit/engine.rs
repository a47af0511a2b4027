//! Runs the rules over the settled views: gives findings their ids, applies the configuration, sorts.

use std::collections::BTreeMap;

use super::context::Context;
use super::draft::Draft;
use super::stretch;
use crate::finding::{Finding, Severity, fingerprint};
use crate::rules::rule::{AccountView, Mention, Rule};
use crate::view::KeyView;
use crate::view::documents::PolicyDocument;

/// What came of the keys that were looked at so far.
#[derive(Debug, Default)]
pub struct Evaluation {
    findings: Vec<Finding>,
    /// What keys contributed to findings about their account and Region, by the place of the rule.
    mentions: BTreeMap<(usize, String, String), Vec<Mention>>,
    /// Keys that worked while the log says that they could not: by ARN, what is to be said of each.
    unseen: BTreeMap<String, String>,
}

impl Evaluation {
    /// Runs these rules over some keys, each of them complete.
    pub fn keys(&mut self, rules: &[&'static Rule], keys: &[KeyView], cx: &Context<'_>) {
        for key in keys {
            self.unseen.extend(stretch::unseen(key, cx).map(|text| (key.arn.clone(), text)));
        }
        for (at, rule) in rules.iter().enumerate() {
            for key in keys {
                if let Some(detect) = rule.detect.key {
                    self.findings.extend(detect(key, cx).into_iter().map(|draft| finish(rule, draft, cx)));
                }
                if let Some(mention) = rule.detect.mention.and_then(|mention| mention(key, cx)) {
                    let place = (at, key.account.clone(), key.region.clone());
                    self.mentions.entry(place).or_default().push(mention);
                }
            }
        }
    }

    /// Adds what came of other keys.
    pub fn merge(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.unseen.extend(other.unseen);
        for (place, mentions) in other.mentions {
            self.mentions.entry(place).or_default().extend(mentions);
        }
    }

    /// What the log must have missed: keys that worked while it says that they could not, in order of their ARNs.
    pub fn unseen(&self) -> impl Iterator<Item = &str> {
        self.unseen.values().map(String::as_str)
    }

    /// Runs the rules about whole accounts and about IAM policies, once all keys were looked at; all findings in order.
    pub fn finish(mut self, rules: &[&'static Rule], documents: &[PolicyDocument], cx: &Context<'_>) -> Vec<Finding> {
        for ((at, account, region), mut mentions) in self.mentions {
            mentions.sort_by(|a, b| a.arn.cmp(&b.arn));
            let rule = rules[at];
            let view = AccountView { account: &account, region: &region, mentions: &mentions };
            let drafts = rule.detect.account.map(|detect| detect(&view, cx)).unwrap_or_default();
            self.findings.extend(drafts.into_iter().map(|draft| finish(rule, draft, cx)));
        }
        for rule in rules {
            let drafts = rule.detect.documents.map(|detect| detect(documents, cx)).unwrap_or_default();
            self.findings.extend(drafts.into_iter().map(|draft| finish(rule, draft, cx)));
        }
        for rule in rules {
            let drafts = rule.detect.stores.map(|detect| detect(cx.stores, cx)).unwrap_or_default();
            self.findings.extend(drafts.into_iter().map(|draft| finish(rule, draft, cx)));
        }
        self.findings.sort_by_cached_key(Finding::sort_key);
        self.findings
    }
}

fn finish(rule: &'static Rule, draft: Draft, cx: &Context<'_>) -> Finding {
    let key = draft.key.as_ref().map_or("", |key| key.arn.as_str());
    let place = format!("{}/{}", draft.account, draft.region);
    let about = if key.is_empty() { place.as_str() } else { key };
    let mut parts = vec![rule.id, about];
    parts.extend(draft.subject.iter().map(String::as_str));
    parts.push(&draft.anchor);
    // Findings on one key that share a cause share an incident; rows about a whole account have none in common.
    let cause = if key.is_empty() { rule.id } else { "cause" };
    let incident = fingerprint(&["incident", cause, about, draft.incident.as_deref().unwrap_or(&draft.anchor)]);
    // Rows that only say what the log cannot tell stay what they are.
    let configured = cx.settings.rule(rule.id).severity.map(Severity::from).filter(|_| draft.severity > Severity::Info);
    let mut evidence = draft.evidence;
    evidence.sort_by(|a, b| {
        (a.role, a.time, &a.event_id, &a.object, a.record).cmp(&(b.role, b.time, &b.event_id, &b.object, b.record))
    });
    evidence.dedup();
    Finding {
        id: fingerprint(&parts),
        incident,
        rule: rule.id,
        severity: configured.unwrap_or(draft.severity),
        confidence: draft.confidence,
        title: draft.title,
        account: draft.account,
        region: draft.region,
        key: draft.key,
        principal: draft.principal,
        first_seen: draft.first_seen,
        last_seen: draft.last_seen,
        count: draft.count,
        facts: draft.facts,
        details: draft.details,
        evidence,
        remediation: draft.remediation,
        controls: rule.controls.to_vec(),
        attack: rule.attack.to_vec(),
        status: draft.status,
        supersedes: Vec::new(),
    }
}

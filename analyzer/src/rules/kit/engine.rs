//! Runs the rules over the settled views: gives findings their ids, applies the configuration, sorts.

use std::collections::BTreeSet;

use super::context::Context;
use super::draft::Draft;
use crate::finding::{Finding, Severity, fingerprint};
use crate::rules::rule::{AccountView, Rule};

/// Runs these rules over all keys and accounts.
pub fn evaluate(rules: &[&'static Rule], cx: &Context<'_>) -> Vec<Finding> {
    let keys = &cx.views.keys;
    let places: BTreeSet<(&str, &str)> = keys.iter().map(|key| (key.account.as_str(), key.region.as_str())).collect();
    let mut findings = Vec::new();
    for rule in rules {
        if let Some(detect) = rule.detect.key {
            findings.extend(keys.iter().flat_map(|key| detect(key, cx)).map(|draft| finish(rule, draft, cx)));
        }
        if let Some(detect) = rule.detect.account {
            for &(account, region) in &places {
                let own: Vec<_> = keys.iter().filter(|key| key.account == account && key.region == region).collect();
                let view = AccountView { account, region, keys: &own };
                findings.extend(detect(&view, cx).into_iter().map(|draft| finish(rule, draft, cx)));
            }
        }
    }
    findings.sort_by_cached_key(Finding::sort_key);
    findings
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

//! Rule `policy-lockout`. Its page, `policy_lockout.md`, says what it finds and what it misses.

use std::collections::BTreeSet;

use super::kit::policies::{self, Spell, Version};
use super::prelude::*;
use crate::policy::{Lockout, lockout};

pub(super) static RULE: Rule = Rule {
    id: "policy-lockout",
    summary: "a key policy shuts its owner's account out, or was set past the check against that",
    doc: include_str!("policy_lockout.md"),
    severity: Severity::High,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1531", "T1098"],
    controls: &["NIST 800-53 r5 SC-12(1)", "SOC 2 A1.2", "ISO 27001:2022 A.8.24"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

/// What tells one lockout from another.
type Mark = &'static str;

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let versions = policies::versions(key, cx);
    let judged: Vec<Option<Vec<Lockout>>> = versions
        .iter()
        .map(|version| {
            let bypass = key.events[version.by].detail.lockout_bypass;
            Some(lockout(version.policy.as_ref().ok()?, &key.account, bypass))
        })
        .collect();
    let held: Vec<Option<BTreeSet<Mark>>> = judged
        .iter()
        .map(|lockouts| Some(lockouts.as_ref()?.iter().map(|lockout| lockout.kind.id()).collect()))
        .collect();
    let mut drafts: Vec<Draft> = Vec::new();
    let mut spoken = BTreeSet::new();
    for spell in policies::spells(&held) {
        if let Some(lockouts) = judged[spell.from].as_deref()
            && let Some(draft) = finding(key, &versions, lockouts, &spell, cx)
        {
            spoken.insert(versions[spell.from].by);
            drafts.push(draft);
        }
    }
    // The check was switched off, and the policy would have passed it, as far as the document tells.
    let bypassed = versions
        .iter()
        .filter(|version| key.events[version.by].detail.lockout_bypass == Some(true) && !spoken.contains(&version.by));
    drafts.extend(bypassed.map(|version| bypass_only(key, version, cx)));
    drafts
}

fn finding(
    key: &KeyView,
    versions: &[Version],
    lockouts: &[Lockout],
    spell: &Spell<Mark>,
    cx: &Context<'_>,
) -> Option<Draft> {
    let new: Vec<&Lockout> = lockouts.iter().filter(|lockout| spell.what.contains(lockout.kind.id())).collect();
    let worst = new.iter().max_by_key(|lockout| lockout.severity)?;
    let cause = &key.events[versions[spell.from].by];
    let end = spell.until.map(|until| &key.events[versions[until].by]);
    let mut draft = Draft::of_key(key, worst.severity, RULE.confidence);
    common(&mut draft, cause, cx);
    draft.last_seen = end.map_or(cause.event.time, |end| end.event.time);
    if end.is_some() {
        draft.status = Status::Closed;
        draft.severity = draft.severity.min(Severity::Low);
    }
    draft.title = format!("{}: {} (policy of {})", key.label(), plain(&worst.reason), cx.who(&cause.actor));
    for lockout in &new {
        draft.fact("because", plain(&lockout.reason).into_owned());
    }
    draft.fact(
        "now",
        match end {
            Some(end) => format!("over: {} set another policy at {}", cx.who(&end.actor), instant(end.event.time)),
            None => format!("in force for {}", length(cx.as_of - cause.event.time)),
        },
    );
    let kinds = spell.what.iter().map(|kind| Detail::Text((*kind).into())).collect();
    draft.detail("kinds", Detail::List(kinds));
    draft.detail("ended", end.map_or(Detail::Null, |end| Detail::Time(end.event.time)));
    draft.evidence.extend(end.map(|end| cx.control_evidence(end, Role::Resolution)));
    draft.remediation = match end {
        Some(_) => "Nothing for the policy: the account can change it again.".into(),
        None => format!(
            "Whoever can still call kms:PutKeyPolicy gives the account's root its statement back. If nobody can, only AWS \
             Support can, with proof of ownership:\naws kms get-key-policy --region {} --key-id {}",
            word(&key.region),
            word(&key.arn)
        ),
    };
    Some(draft)
}

fn bypass_only(key: &KeyView, version: &Version, cx: &Context<'_>) -> Draft {
    let cause = &key.events[version.by];
    let mut draft = Draft::of_key(key, Severity::Medium, Confidence::Medium);
    common(&mut draft, cause, cx);
    draft.last_seen = cause.event.time;
    draft.title = format!(
        "{}: {} set a policy past the check that keeps its author from being shut out",
        key.label(),
        cx.who(&cause.actor)
    );
    if let Err(reason) = &version.policy {
        draft.fact("policy", format!("cannot be judged: {reason}"));
    }
    draft.detail("kinds", Detail::List(vec![Detail::Text("check-bypassed".into())]));
    draft.detail("ended", Detail::Null);
    draft.remediation = format!(
        "See that those who should administer the key still can, and ask why the check was in the way:\naws kms \
         get-key-policy --region {} --key-id {}",
        word(&key.region),
        word(&key.arn)
    );
    draft
}

fn common(draft: &mut Draft, cause: &ControlEvent, cx: &Context<'_>) {
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&cause.actor));
    draft.first_seen = cause.event.time;
    draft.count = 1;
    let name = plain(cx.text(Some(cause.name))).into_owned();
    let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address")).into_owned();
    draft.fact("cause", format!("{name} by {} from {from} at {}", cx.who(&cause.actor), instant(cause.event.time)));
    let bypass = cause.detail.lockout_bypass;
    if bypass == Some(true) {
        draft.fact("lockout check", "switched off by the call");
    }
    draft.detail("bypassed", bypass.map_or(Detail::Null, Detail::Bool));
    draft.evidence.push(cx.control_evidence(cause, Role::Cause));
}

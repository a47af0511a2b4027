//! Rule `replica-outside-regions`. Its page, `replica_outside_regions.md`, says what it finds and what it misses.

use super::prelude::*;
use crate::policy::{self, judge_key_policy};

pub(super) static RULE: Rule = Rule {
    id: "replica-outside-regions",
    summary: "a multi-Region key was copied or moved to a Region where no key may be",
    doc: include_str!("replica_outside_regions.md"),
    severity: Severity::Medium,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1535", "T1537"],
    controls: &["NIST 800-53 r5 SC-12"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let done = key.events.iter().filter(|control| control.error.is_none());
    done.filter_map(|control| match cx.text(Some(control.name)) {
        "ReplicateKey" => finding(key, control, cx.text(control.detail.replica_region), true, cx),
        // Both Regions log the move: the one that is left tells it.
        "UpdatePrimaryRegion" => finding(key, control, cx.text(control.detail.primary_region), false, cx),
        _ => None,
    })
    .collect()
}

fn finding(key: &KeyView, cause: &ControlEvent, to: &str, copy: bool, cx: &Context<'_>) -> Option<Draft> {
    if to.is_empty() || to == key.region || cx.settings.keys.allows_region(to) {
        return None;
    }
    let reasons = if copy { lets_in(key, cause, cx) } else { Vec::new() };
    let severity = if reasons.is_empty() { RULE.severity } else { Severity::High };
    let mut draft = Draft::of_key(key, severity, RULE.confidence);
    draft.subject = vec![to.into()];
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&cause.actor));
    (draft.first_seen, draft.last_seen, draft.count) = (cause.event.time, cause.event.time, 1);
    let who = cx.who(&cause.actor);
    let verb = if copy { "copied to" } else { "given its primary in" };
    draft.title = format!("{} {verb} {} by {who}", key.label(), plain(to));
    let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    draft.fact("cause", format!("{} by {who} from {from} at {}", cx.text(Some(cause.name)), instant(cause.event.time)));
    let allowed: Vec<&str> = cx.settings.keys.regions.iter().map(String::as_str).collect();
    draft.fact("keys may be in", allowed.join(", "));
    for reason in &reasons {
        draft.fact("its policy", plain(reason).into_owned());
    }
    draft.detail("to", Detail::Text(to.into()));
    draft.detail("kind", Detail::Text(if copy { "copy" } else { "primary" }.into()));
    draft.detail("replica", text_or_null(cx.text(cause.detail.replica_key_arn)));
    draft.detail("lets_in", Detail::List(reasons.into_iter().map(Detail::Text).collect()));
    draft.evidence.push(cx.control_evidence(cause, Role::Cause));
    let (region, id) = (word(to), word(&key.id));
    draft.remediation = if copy {
        format!(
            "A replica holds the same key material. If it was not meant to be, take it out of use there, then delete it:\naws kms \
             disable-key --region {region} --key-id {id}\naws kms schedule-key-deletion --region {region} --key-id {id}"
        )
    } else {
        let back = word(&key.region);
        format!(
            "If it was not meant to be, move the primary back:\naws kms update-primary-region --region {region} --key-id {id} \
             --primary-region {back}"
        )
    };
    Some(draft)
}

/// Whom the policy of a copy lets in from outside: it has one of its own.
fn lets_in(key: &KeyView, cause: &ControlEvent, cx: &Context<'_>) -> Vec<String> {
    let trusted = |account: &str| account != key.account && cx.settings.is_trusted(account);
    let member = |account: &str| cx.settings.accounts.is_member(account);
    let context = policy::Context {
        account: &key.account,
        trusted: &trusted,
        member: &member,
        organization: cx.settings.accounts.organization.as_deref(),
    };
    let Some(Ok(document)) = cause.detail.policy.as_deref().map(|document| cx.policy(document)) else {
        return Vec::new();
    };
    let exposures = judge_key_policy(&document, &context);
    exposures
        .into_iter()
        .filter(|exposure| exposure.severity >= Severity::Medium)
        .map(|exposure| exposure.reason)
        .collect()
}

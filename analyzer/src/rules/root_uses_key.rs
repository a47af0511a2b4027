//! Rule `root-uses-key`. Its page, `root_uses_key.md`, says what it finds and what it misses.

use std::collections::BTreeMap;

use super::prelude::*;
use crate::finding::Principal;
use crate::frame::Sym;
use crate::view::event::{Actor, EventRef};

pub(super) static RULE: Rule = Rule {
    id: "root-uses-key",
    summary: "the root user of an account calls KMS itself",
    doc: include_str!("root_uses_key.md"),
    severity: Severity::Medium,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1078.004"],
    controls: &["CIS AWS 3.0/5.0 4.3", "NIST 800-53 r5 AC-6(9)", "NIST 800-53 r5 AC-2(12)"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

/// Calls of one operation within one bucket, or one call that changes the key.
struct Call<'v> {
    first: EventRef,
    last: i64,
    count: u64,
    name: Sym,
    error: Option<Sym>,
    /// The root user, and its account.
    principal: Option<Sym>,
    /// From where and with what, of calls that change the key: only these keep it.
    actor: Option<&'v Actor>,
    changed: bool,
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let mut calls = calls(key, cx);
    calls.sort_by_key(|call| (call.first, call.name));
    let mut incidents: Vec<Vec<Call<'_>>> = Vec::new();
    let mut last = i64::MIN;
    for call in calls {
        let apart = call.first.time.saturating_sub(last) > DAY;
        last = last.max(call.last);
        match incidents.last_mut().filter(|_| !apart) {
            Some(incident) => incident.push(call),
            None => incidents.push(vec![call]),
        }
    }
    incidents.iter().filter_map(|incident| finding(key, incident, cx)).collect()
}

/// What root did itself. Services act for it as well, when it uses them: that is use of the service.
fn calls<'v>(key: &'v KeyView, cx: &Context<'_>) -> Vec<Call<'v>> {
    let mut calls = Vec::new();
    for series in &key.series {
        let of = &series.key;
        let crypto = cx.text(of.operation) == "crypto" && cx.text(Some(of.source)) == "kms.amazonaws.com";
        if crypto && of.via.is_none() && cx.text(of.kind) == "Root" && series.succeeded() {
            calls.extend(series.cells.iter().map(|cell| Call {
                first: cell.first,
                last: cell.last(),
                count: u64::from(cell.count),
                name: of.name,
                error: None,
                principal: of.principal,
                actor: None,
                changed: false,
            }));
        }
    }
    for control in &key.events {
        let actor = &control.actor;
        if cx.text(actor.kind) == "Root" && actor.invoked_by.is_none() {
            calls.push(Call {
                first: control.event,
                last: control.event.time,
                count: 1,
                name: control.name,
                error: control.error,
                principal: actor.principal,
                actor: Some(actor),
                changed: control.error.is_none(),
            });
        }
    }
    calls
}

fn finding(key: &KeyView, calls: &[Call<'_>], cx: &Context<'_>) -> Option<Draft> {
    let first = calls.first()?;
    let changed = calls.iter().any(|call| call.changed);
    let mut draft = Draft::of_key(key, if changed { Severity::High } else { RULE.severity }, RULE.confidence);
    draft.anchor = format!("start:{}", first.first.time);
    draft.first_seen = first.first.time;
    draft.last_seen = calls.iter().map(|call| call.last).max()?;
    draft.count = calls.iter().map(|call| call.count).sum();
    draft.status = if cx.as_of - draft.last_seen > DAY { Status::Closed } else { Status::Open };
    let actor = calls.iter().find_map(|call| call.actor);
    draft.principal = actor.map(|actor| cx.principal(actor)).or_else(|| {
        let arn = cx.text(calls.iter().find_map(|call| call.principal)).to_string();
        Some(Principal { arn, kind: "Root".into(), invoked_by: None })
    });

    let mut by_name: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for call in calls {
        *by_name.entry((cx.text(Some(call.name)), cx.text(call.error))).or_default() += call.count;
    }
    let operations: Vec<String> = by_name
        .iter()
        .map(|(&(name, error), count)| match error {
            "" => format!("{name} ({count} ×)"),
            error => format!("{name} ({count} ×, {})", plain(error)),
        })
        .collect();
    let what = if changed { "changed" } else { "used or tried to change" };
    draft.title = format!("{}: root {what} the key itself since {}", key.label(), instant(first.first.time));
    draft.fact("operations", operations.join(", "));
    if let Some(actor) = actor {
        draft.fact("from", plain(actor.source_ip.as_deref().unwrap_or("an unknown address")));
        draft.fact("with", plain(actor.user_agent.as_deref().unwrap_or("an unknown program")));
    }
    draft.detail("operations", Detail::List(operations.into_iter().map(Detail::Text).collect()));
    draft.detail("changed", Detail::Bool(changed));
    let shown =
        calls.iter().filter(|call| call.actor.is_some()).chain(calls.iter().filter(|call| call.actor.is_none()));
    for call in shown.take(EVIDENCE) {
        draft.evidence.push(cx.evidence(&call.first, cx.text(Some(call.name)), call.error, Role::Primary));
    }
    draft.remediation =
        "If nobody of you did this, change the root password, delete root's access keys and end its sessions; else \
                         give the work to a role."
            .into();
    Some(draft)
}

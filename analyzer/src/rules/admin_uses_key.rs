//! Rule `admin-uses-key`. Its page, `admin_uses_key.md`, says what it finds and what it misses.

use std::collections::BTreeMap;

use super::prelude::*;
use crate::finding::Principal;
use crate::frame::Sym;
use crate::view::activity::Cell;
use crate::view::event::EventRef;

pub(super) static RULE: Rule = Rule {
    id: "admin-uses-key",
    summary: "the same principal decides about a key and reads data with it",
    doc: include_str!("admin_uses_key.md"),
    severity: Severity::Low,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1098"],
    controls: &["PCI DSS 4.0.1 3.7.6", "NIST 800-53 r5 AC-5", "ISO 27001:2022 A.5.3", "SOC 2 CC6.3"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

/// Calls that decide who may use the key, or whether anybody can.
const ADMINISTERS: [&str; 9] = [
    "PutKeyPolicy",
    "CreateGrant",
    "RevokeGrant",
    "DisableKey",
    "EnableKey",
    "ScheduleKeyDeletion",
    "CancelKeyDeletion",
    "DeleteImportedKeyMaterial",
    "DisableKeyRotation",
];
/// Calls that give somebody rights on the key.
const GIVES: [&str; 2] = ["PutKeyPolicy", "CreateGrant"];
/// Calls that turn what was encrypted into what can be read, or speak in the key's name.
const READS: [&str; 5] = ["Decrypt", "ReEncrypt", "Sign", "GenerateMac", "DeriveSharedSecret"];

/// What one principal did itself.
#[derive(Default)]
struct Both<'v> {
    decided: Vec<&'v ControlEvent>,
    read: Vec<(&'v Cell, Sym)>,
    kind: Option<Sym>,
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let mut principals: BTreeMap<&str, Both<'_>> = BTreeMap::new();
    for control in &key.events {
        let actor = &control.actor;
        let decides = control.error.is_none() && ADMINISTERS.contains(&cx.text(Some(control.name)));
        // A service that makes a grant for somebody is that person using the service.
        if decides && actor.invoked_by.is_none() && is_someone(actor.principal, actor.kind, cx) {
            let both = principals.entry(cx.text(actor.principal)).or_default();
            both.kind = actor.kind;
            both.decided.push(control);
        }
    }
    if principals.is_empty() {
        return Vec::new();
    }
    for series in key.series.iter().filter(|series| series.succeeded() && series.key.via.is_none()) {
        let of_kms = cx.text(Some(series.key.source)) == "kms.amazonaws.com";
        if of_kms
            && READS.contains(&cx.text(Some(series.key.name)))
            && let Some(both) = principals.get_mut(cx.text(series.key.principal))
        {
            both.read.extend(series.cells.iter().map(|cell| (cell, series.key.name)));
        }
    }
    principals.retain(|_, both| !both.read.is_empty());
    principals.iter_mut().filter_map(|(arn, both)| finding(key, arn, both, cx)).collect()
}

/// A person or role. Root has a rule of its own, and AWS acts by its own rules.
fn is_someone(principal: Option<Sym>, kind: Option<Sym>, cx: &Context<'_>) -> bool {
    principal.is_some() && !matches!(cx.text(kind), "Root" | "AWSService" | "")
}

fn finding(key: &KeyView, arn: &str, both: &mut Both<'_>, cx: &Context<'_>) -> Option<Draft> {
    both.read.sort_by_key(|(cell, name)| (cell.first, *name));
    let (first, last) = (both.decided.first()?, both.decided.last()?);
    let reads: u64 = both.read.iter().map(|(cell, _)| u64::from(cell.count)).sum();
    let first_read: &EventRef = &both.read.first()?.0.first;
    let last_read = both.read.iter().map(|(cell, _)| cell.last()).max()?;
    let gave = both.decided.iter().any(|control| GIVES.contains(&cx.text(Some(control.name))));
    let mut draft = Draft::of_key(key, if gave { Severity::Medium } else { RULE.severity }, RULE.confidence);
    draft.subject = vec![arn.to_string()];
    draft.anchor = cx.id(&first.event);
    let kind = cx.text(both.kind).to_string();
    draft.principal = Some(Principal { arn: arn.to_string(), kind, invoked_by: None });
    draft.first_seen = first.event.time.min(first_read.time);
    draft.last_seen = last.event.time.max(last_read);
    draft.count = both.decided.len() as u64 + reads;
    let who = short_principal(arn);
    draft.title = format!("{}: {who} both administers the key and reads with it", key.label());
    let said = |counts: BTreeMap<&str, u64>| {
        let counts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} ({count} ×)")).collect();
        counts.join(", ")
    };
    let mut decided: BTreeMap<&str, u64> = BTreeMap::new();
    for control in &both.decided {
        *decided.entry(cx.text(Some(control.name))).or_default() += 1;
    }
    let mut read: BTreeMap<&str, u64> = BTreeMap::new();
    for (cell, name) in &both.read {
        *read.entry(cx.text(Some(*name))).or_default() += u64::from(cell.count);
    }
    draft.fact("administers", said(decided));
    draft.fact("reads", said(read));
    let sessions: Vec<String> = both
        .decided
        .iter()
        .filter_map(|control| control.actor.source_identity.as_deref().or(control.actor.session.as_deref()))
        .map(|name| plain(name).to_string())
        .fold(Vec::new(), |mut names, name| {
            if !names.contains(&name) && names.len() < EVIDENCE {
                names.push(name);
            }
            names
        });
    if !sessions.is_empty() {
        draft.fact("sessions", sessions.join(", "));
    }
    draft.detail("administrative_calls", Detail::Int(both.decided.len() as i64));
    draft.detail("reading_calls", Detail::Int(reads as i64));
    draft.detail("gave_rights", Detail::Bool(gave));
    for control in both.decided.iter().take(EVIDENCE) {
        draft.evidence.push(cx.control_evidence(control, Role::Cause));
    }
    for (cell, name) in both.read.iter().take(2) {
        draft.evidence.push(cx.evidence(&cell.first, cx.text(Some(*name)), None, Role::Primary));
    }
    draft.remediation = format!(
        "Give the two to two roles: take kms:Decrypt from the one that administers, or PutKeyPolicy, CreateGrant and \
         deletion from the one that reads. See what the policy says now:\naws kms get-key-policy --region {} --key-id {}",
        word(&key.region),
        word(&key.arn)
    );
    Some(draft)
}

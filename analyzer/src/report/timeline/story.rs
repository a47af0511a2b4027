//! The story of one key: changes one by one, use and failures in runs that changes break.

use std::collections::BTreeMap;

use super::entry::{Entry, EntryKind};
use super::wanted::Wanted;
use crate::finding::Role;
use crate::policy::{Policy, diff};
use crate::rules::Context;
use crate::rules::kit::context::{short_principal, short_service};
use crate::rules::kit::deletion::Scheduled;
use crate::rules::kit::time::{DAY, instant, plural};
use crate::view::KeyView;
use crate::view::activity::{Cell, SeriesKey};
use crate::view::event::EventRef;
use crate::view::ledger::ControlEvent;
use crate::view::resources::ResourceUse;

/// Quiet time that ends a run of use.
const USE_GAP: i64 = 7 * DAY;
/// Quiet time that ends a run of failures.
const FAILURE_GAP: i64 = DAY;

/// One key and what happened to it.
#[derive(Clone, Debug)]
pub struct KeyStory {
    /// Key ARN.
    pub arn: String,
    /// Alias, else key id.
    pub label: String,
    /// State at the end, in KMS's words; `None` when the log does not tell.
    pub state: Option<&'static str>,
    /// Uses of the resources that were asked for, under this key.
    pub resources: Vec<ResourceSummary>,
    /// In order.
    pub entries: Vec<Entry>,
}

/// A resource under a key.
#[derive(Clone, Debug)]
pub struct ResourceSummary {
    /// As the log names it.
    pub name: String,
    /// Successful uses.
    pub uses: u64,
    /// First and last, milliseconds.
    pub span: (i64, i64),
    /// ARNs of some of those who used it.
    pub principals: Vec<String>,
    /// True when more used it than are named.
    pub more: bool,
}

impl ResourceSummary {
    fn of(resource: &ResourceUse, cx: &Context<'_>) -> Self {
        let mut principals: Vec<String> =
            resource.principals.iter().map(|&(_, sym)| cx.text(Some(sym)).to_string()).collect();
        principals.sort();
        Self {
            name: resource.name.to_string(),
            uses: resource.uses,
            span: (resource.first, resource.last),
            more: principals.len() >= crate::view::resources::Resources::PRINCIPALS,
            principals,
        }
    }
}

impl KeyStory {
    /// The story of a key when it is asked for, or when it protects what is asked for.
    pub fn of(wanted: &Wanted, key: &KeyView, cx: &Context<'_>) -> Option<Self> {
        let resources = wanted.resources(key);
        let failed = |of: &SeriesKey| {
            of.error.is_some() && of.resource.is_some_and(|sym| wanted.is_resource(cx.text(Some(sym))))
        };
        let whole = wanted.is_key(key);
        if !whole && resources.is_empty() && !key.series.iter().any(|series| failed(&series.key)) {
            return None;
        }
        let since =
            if whole { i64::MIN } else { resources.iter().map(|resource| resource.first).min().unwrap_or(i64::MIN) };
        let mut entries = changes(key, cx);
        // Of a resource only what decides over its key, from its first use on.
        entries.retain(|entry| whole || (entry.kind == EntryKind::Change && entry.from >= since && decides(entry)));
        entries.extend(runs(key, cx, |of| whole || failed(of)));
        entries.sort_by_key(|entry| (entry.from, entry.kind, entry.event));
        Some(Self {
            arn: key.arn.clone(),
            label: key.label().to_string(),
            state: key.history.state_at(cx.as_of).map(|change| change.state.id()),
            resources: resources.into_iter().map(|resource| ResourceSummary::of(resource, cx)).collect(),
            entries,
        })
    }
}

fn decides(entry: &Entry) -> bool {
    let about = ["TagResource", "UntagResource", "UpdateKeyDescription", "RotateKey", "RotateKeyOnDemand"];
    entry.operations.iter().all(|(name, _)| !about.contains(&name.as_str()))
}

fn entry(kind: EntryKind, event: &EventRef, name: &str, cx: &Context<'_>) -> Entry {
    let evidence = cx.evidence(event, name, None, Role::Context);
    Entry {
        from: event.time,
        to: event.time,
        kind,
        count: 1,
        what: String::new(),
        who: String::new(),
        principal: String::new(),
        via: None,
        error: None,
        operations: vec![(name.to_string(), 1)],
        resource: None,
        event: *event,
        event_id: evidence.event_id,
        object: evidence.object,
    }
}

/// Every call that changed the key, or tried to, in order.
pub fn changes(key: &KeyView, cx: &Context<'_>) -> Vec<Entry> {
    let mut policy: Option<Policy> = None;
    let mut entries = Vec::new();
    for control in &key.events {
        let name = cx.text(Some(control.name));
        let kind = if control.error.is_some() { EntryKind::Refused } else { EntryKind::Change };
        let mut line = entry(kind, &control.event, name, cx);
        line.who = cx.who(&control.actor);
        line.principal = cx.text(control.actor.principal).to_string();
        line.via = control.actor.invoked_by.map(|sym| cx.text(Some(sym)).to_string());
        line.error = control.error.map(|sym| cx.text(Some(sym)).to_string());
        line.what = match &line.error {
            Some(error) => format!("{name} refused: {error}"),
            None => {
                let new = control.detail.policy.as_deref().map(|document| cx.policy(document));
                let what = describe(name, control, policy.as_ref(), new.as_ref().and_then(|new| new.as_ref().ok()), cx);
                if let Some(new) = new {
                    policy = new.ok();
                }
                what
            }
        };
        entries.push(line);
    }
    entries
}

/// A successful change in words.
fn describe(
    name: &str,
    control: &ControlEvent,
    old: Option<&Policy>,
    new: Option<&Policy>,
    cx: &Context<'_>,
) -> String {
    let detail = &control.detail;
    let text = |sym| cx.text(sym);
    match name {
        "CreateKey" => {
            let origin = match text(detail.key_origin) {
                "" | "AWS_KMS" => String::new(),
                origin => format!(", origin {origin}"),
            };
            format!(
                "created ({}{origin})",
                if text(detail.key_spec).is_empty() { "key" } else { text(detail.key_spec) }
            )
        }
        "DisableKey" => "disabled".into(),
        "EnableKey" => "enabled".into(),
        "ScheduleKeyDeletion" => {
            let scheduled = Scheduled::of(control, cx);
            match scheduled.at {
                Some(at) => format!("scheduled for deletion in {} days, on {}", scheduled.window_days, instant(at)),
                None if scheduled.waits_for_replicas => {
                    "scheduled for deletion once its last replica is deleted".into()
                }
                None => "scheduled for deletion".into(),
            }
        }
        "CancelKeyDeletion" => "deletion cancelled; the key stays disabled until somebody enables it".into(),
        "DeleteKey" => "deleted: permanent".into(),
        "EnableKeyRotation" => format!("rotation on, every {} days", detail.rotation_period_days.unwrap_or(365)),
        "DisableKeyRotation" => "rotation off".into(),
        "RotateKey" => match text(detail.rotation_type) {
            "" => "key material rotated".into(),
            kind => format!("key material rotated ({kind})"),
        },
        "RotateKeyOnDemand" => "rotation on demand asked for".into(),
        "ImportKeyMaterial" => match detail.valid_to {
            Some(at) => format!("key material imported, expires {}", instant(at)),
            None => "key material imported".into(),
        },
        "DeleteImportedKeyMaterial" => "imported key material deleted".into(),
        "DeleteExpiredKeyMaterial" => "imported key material expired".into(),
        "CreateGrant" => {
            let operations: Vec<String> =
                serde_json::from_str(detail.grant_operations.as_deref().unwrap_or("[]")).unwrap_or_default();
            let bound = detail
                .grant_constraints
                .as_deref()
                .map(|bound| format!(", bound to {}", cx.constraints(bound)))
                .unwrap_or_default();
            format!("grant to {}: {}{bound}", detail.grantee.as_deref().unwrap_or("somebody"), operations.join(", "))
        }
        "RetireGrant" | "RevokeGrant" => {
            let done = if name == "RetireGrant" { "retired" } else { "revoked" };
            format!("grant {} {done}", detail.grant_id.as_deref().unwrap_or("of an id the log does not name"))
        }
        "CreateAlias" | "UpdateAlias" | "DeleteAlias" => {
            let alias = text(detail.alias).rsplit_once(":alias/").map_or(text(detail.alias), |(_, name)| name);
            let done = match name {
                "CreateAlias" => "given",
                "UpdateAlias" => "moved to this key",
                _ => "deleted",
            };
            format!("alias/{} {done}", alias.strip_prefix("alias/").unwrap_or(alias))
        }
        "PutKeyPolicy" => policy(old, new),
        _ => name.to_string(),
    }
}

fn policy(old: Option<&Policy>, new: Option<&Policy>) -> String {
    let Some(new) = new else { return "key policy set; the log does not show what it says".into() };
    let Some(old) = old else { return "key policy set; the one before is not in the log".into() };
    let diff = diff(Some(old), new);
    let changes: Vec<&str> = diff.gained.iter().chain(&diff.lost).map(|change| change.text.as_str()).collect();
    match changes.as_slice() {
        [] => "key policy set, to the same effect".into(),
        shown @ [_] | shown @ [_, _] => format!("key policy set: {}", shown.join("; ")),
        [first, second, rest @ ..] => {
            format!("key policy set: {first}; {second}; and {}", plural(rest.len() as u64, "more change"))
        }
    }
}

/// What makes calls one run: what kind, by whom, through what, with which end, on what.
type Group = (EntryKind, String, Option<String>, Option<String>, Option<String>);

/// Use and failures, in runs that a change of the key or a long quiet time ends.
fn runs(key: &KeyView, cx: &Context<'_>, take: impl Fn(&SeriesKey) -> bool) -> Vec<Entry> {
    let mut breaks: Vec<i64> =
        key.events.iter().filter(|control| control.error.is_none()).map(|control| control.event.time).collect();
    breaks.dedup();
    let mut groups: BTreeMap<Group, Vec<(&Cell, &SeriesKey)>> = BTreeMap::new();
    for series in key.series.iter().filter(|series| take(&series.key)) {
        let of = &series.key;
        let text = |sym| Some(cx.text(sym)).filter(|text| !text.is_empty()).map(str::to_string);
        let of_kms = cx.text(Some(of.source)) == "kms.amazonaws.com";
        let kind = match (of.error, of_kms) {
            (None, _) => EntryKind::Use,
            (Some(_), true) => EntryKind::Failure,
            (Some(_), false) => EntryKind::Elsewhere,
        };
        let group = (kind, cx.text(of.principal).to_string(), text(of.via), text(of.error), text(of.resource));
        groups.entry(group).or_default().extend(series.cells.iter().map(|cell| (cell, of)));
    }
    let mut entries = Vec::new();
    for (group, mut cells) in groups {
        cells.sort_by_key(|(cell, of)| (cell.first, of.name));
        let gap = if group.0 == EntryKind::Use { USE_GAP } else { FAILURE_GAP };
        let apart = |a: &(&Cell, &SeriesKey), b: &(&Cell, &SeriesKey)| {
            let broken = breaks.partition_point(|&at| at <= a.0.first.time);
            b.0.first.time - a.0.last() <= gap && breaks.get(broken).is_none_or(|&at| at > b.0.first.time)
        };
        entries.extend(cells.chunk_by(apart).filter_map(|run| of_run(&group, run, cx)));
    }
    entries
}

fn of_run(group: &Group, run: &[(&Cell, &SeriesKey)], cx: &Context<'_>) -> Option<Entry> {
    let (kind, principal, via, error, resource) = group.clone();
    let (first, of) = run.first()?;
    let mut operations: BTreeMap<String, u64> = BTreeMap::new();
    for (cell, of) in run {
        let name = cx.text(Some(of.name));
        let name = if kind == EntryKind::Elsewhere {
            format!("{}:{name}", short_service(cx.text(Some(of.source))))
        } else {
            name.to_string()
        };
        *operations.entry(name).or_default() += u64::from(cell.count);
    }
    let mut line = entry(kind, &first.first, cx.text(Some(of.name)), cx);
    line.to = run.iter().map(|(cell, _)| cell.last()).max()?;
    line.count = operations.values().sum();
    line.operations = operations.into_iter().collect();
    line.operations.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let names: Vec<String> = line.operations.iter().map(|(name, count)| format!("{name} {count} ×")).collect();
    line.what = match (kind, &error) {
        (EntryKind::Use, _) | (_, None) => names.join(", "),
        (_, Some(error)) => {
            let on = resource.as_deref().map(|resource| format!(" on {resource}")).unwrap_or_default();
            format!("{} failed{on}: {error}", names.join(", "))
        }
    };
    line.who = short_principal(&principal);
    if let Some(via) = &via {
        line.who = format!("{} through {}", line.who, short_service(via));
    }
    (line.principal, line.via, line.error, line.resource) = (principal, via, error, resource);
    Some(line)
}

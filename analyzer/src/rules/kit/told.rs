//! What an inventory says of a key, as rules may use it: how it stood when KMS said so, and nothing of before. Of log and
//! inventory the later word counts.

use std::collections::BTreeMap;

use super::context::Context;
use super::draft::Draft;
use super::time::instant;
use crate::finding::{Detail, Role, plain};
use crate::inventory::{self, Call, Fact, KeyFacts, Kind, RotationStatus, Stamp};
use crate::view::KeyView;
use crate::view::beside::{SETTLES, rotation_status, standing};
use crate::view::history::{Grant, KeyState};

/// What KMS said of the key.
pub fn facts(key: &KeyView) -> Option<&KeyFacts> {
    key.beside.facts.as_deref()
}

/// What the key is, as KMS said.
pub fn kind(key: &KeyView) -> Option<&Kind> {
    Some(&facts(key)?.kind.as_ref()?.value)
}

/// Automatic rotation as KMS said, when the log shows no later change of it.
pub fn rotation<'v>(key: &'v KeyView, cx: &Context<'_>) -> Option<&'v Fact<RotationStatus>> {
    let fact = rotation_status(facts(key)?)?;
    key.history.rotation_at(cx.as_of).is_none_or(|change| is_later(&fact.stamp, change.at)).then_some(fact)
}

/// The state as KMS said, when the log shows no later one, and not the same.
pub fn state<'v>(key: &'v KeyView, cx: &Context<'_>) -> Option<(KeyState, &'v Stamp)> {
    let (stamp, state) = standing(facts(key)?)?;
    let logged = key.history.state_at(cx.as_of);
    logged.is_none_or(|change| change.state != state && is_later(stamp, change.at)).then_some((state, stamp))
}

/// True when KMS said it late enough after a change to know of it.
pub fn is_later(stamp: &Stamp, change: i64) -> bool {
    change.saturating_add(SETTLES) <= stamp.captured_at
}

/// Whether a grant of the log is open, by the later word of log and inventory.
pub fn is_open(key: &KeyView, grant: &Grant) -> bool {
    let logged = grant.ended.is_none();
    let Some(Fact { value, stamp }) = facts(key).and_then(|facts| facts.grants.as_ref()) else { return logged };
    let last = key.events[grant.ended.unwrap_or(grant.created)].event.time;
    let Some(id) = key.events[grant.created].detail.grant_id.as_deref() else { return logged };
    if is_later(stamp, last) { value.contains_key(id) } else { logged }
}

/// Open grants that KMS listed and whose creation the log does not show, by id, with when KMS listed them. Those that the
/// log shows to end later are not among them.
pub fn older_grants<'v>(
    key: &'v KeyView,
    cx: &Context<'_>,
) -> Option<(&'v Stamp, Vec<(&'v String, &'v inventory::Grant)>)> {
    let Fact { value, stamp } = facts(key)?.grants.as_ref()?;
    let logged = |id: &str| {
        let of = |grant: &Grant| key.events[grant.created].detail.grant_id.as_deref() == Some(id);
        key.history.grants.iter().any(of)
    };
    let ended = |id: &str| {
        key.events.iter().any(|control| {
            control.error.is_none()
                && control.detail.grant_id.as_deref() == Some(id)
                && matches!(cx.text(Some(control.name)), "RetireGrant" | "RevokeGrant")
                && !is_later(stamp, control.event.time)
        })
    };
    let open = value.iter().filter(|(id, _)| !logged(id) && !ended(id)).collect();
    Some((stamp, open))
}

/// `2026-09-05 12:00 UTC`: when KMS said something.
pub fn when(stamp: &Stamp) -> String {
    instant(stamp.captured_at)
}

/// Names the answer in a finding that rests on it, or that it confirms.
pub fn cite(draft: &mut Draft, call: Call, stamp: &Stamp, role: Role, cx: &Context<'_>) {
    draft.fact("inventory", format!("{} answered at {}, in {}", call.id(), when(stamp), plain(&stamp.file)));
    draft.detail(
        "inventory",
        Detail::Map(BTreeMap::from([
            ("call", Detail::Text(call.id().to_string())),
            ("captured_at", Detail::Time(stamp.captured_at)),
            ("file", Detail::Text(stamp.file.to_string())),
        ])),
    );
    draft.evidence.push(cx.answer(call, stamp, role));
}

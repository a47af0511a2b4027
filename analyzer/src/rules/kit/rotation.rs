//! Whether a key can rotate, and since when it has the material that it has: from its events, and from what KMS said of it.

use super::context::Context;
use super::time::DAY;
use super::told;
use crate::inventory::{Fact, Kind, Rotations};
use crate::view::KeyView;
use crate::view::history::KeyState;
use crate::view::ledger::ControlEvent;

/// Whether a key can rotate by itself at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eligibility {
    /// It can.
    Yes,
    /// Only when its owner imports new material and asks for it.
    OnDemand,
    /// It cannot, or AWS does it: not applicable.
    No,
    /// The log does not show enough of the key.
    Unknown,
}

/// Rotations as KMS lists them, each with its own date.
pub fn said_rotations(key: &KeyView) -> Option<&Fact<Rotations>> {
    told::facts(key)?.rotations.as_ref()
}

/// The last rotation that KMS lists.
pub fn last_said(key: &KeyView) -> Option<i64> {
    said_rotations(key)?.value.last().map(|rotation| rotation.0)
}

/// Where the age of a key's material counts from.
pub struct Material<'v> {
    /// Milliseconds.
    pub at: i64,
    /// In words.
    pub what: &'static str,
    /// What tells it apart from the next one.
    pub anchor: String,
    /// The record that shows it; none when only KMS said it.
    pub event: Option<&'v ControlEvent>,
    /// It is not older.
    pub exact: bool,
    /// It comes from a rotation.
    pub rotated: bool,
}

/// Without a rotation the material is as old as the key, or as its first import; of a key older than the log, and of which KMS
/// said nothing, it is only known that it has not rotated since the first event that would have led to it.
pub fn material<'v>(key: &'v KeyView, cx: &Context<'_>, eligibility: Eligibility) -> Option<Material<'v>> {
    let history = &key.history;
    let of = |event: &'v ControlEvent, what, exact, rotated| Material {
        at: event.event.time,
        what,
        anchor: cx.id(&event.event),
        event: Some(event),
        exact,
        rotated,
    };
    let said = |at: i64, what, rotated| Material {
        at,
        what,
        anchor: format!("inventory:{at}"),
        event: None,
        exact: true,
        rotated,
    };
    let logged = history.rotations.last().map(|&rotation| &key.events[rotation]);
    // KMS dates the same rotation a little differently than its event.
    let later = |at: &i64| logged.is_none_or(|event| *at > event.event.time + DAY);
    if let Some(at) = last_said(key).filter(later) {
        return Some(said(at, "last rotation", true));
    }
    if let Some(event) = logged {
        return Some(of(event, "last rotation", true, true));
    }
    if let Some(import) = imports(key, cx).next().filter(|_| eligibility == Eligibility::OnDemand) {
        return Some(of(import, "first import", history.created.is_some(), false));
    }
    if let Some(created) = history.created {
        return Some(of(&key.events[created], "created, never rotated since", true, false));
    }
    let created = told::kind(key).and_then(|kind| kind.created);
    if let Some(at) = created.filter(|_| said_rotations(key).is_some() && eligibility == Eligibility::Yes) {
        return Some(said(at, "created, never rotated since", false));
    }
    let enabled = history.rotation.iter().find(|change| change.enabled)?;
    Some(of(&key.events[enabled.by], "rotation enabled, no rotation since", false, false))
}

/// Imports of material that worked, in order of time.
pub fn imports<'v>(key: &'v KeyView, cx: &Context<'_>) -> impl Iterator<Item = &'v ControlEvent> {
    let is_import =
        |control: &&ControlEvent| control.error.is_none() && cx.text(Some(control.name)) == "ImportKeyMaterial";
    key.events.iter().filter(is_import)
}

/// KMS said that it is a copy of a key in another Region.
pub fn is_said_replica(key: &KeyView) -> bool {
    let standing = told::facts(key).and_then(|facts| facts.standing.as_ref());
    standing.is_some_and(|fact| fact.value.multi_region.as_deref() == Some("REPLICA"))
}

/// Whether it can, by its creation, by what KMS accepted, by what KMS said of it, and by hints.
pub fn eligibility(key: &KeyView, cx: &Context<'_>) -> Eligibility {
    if key.is_aws_managed() || key.primary.is_some() {
        return Eligibility::No;
    }
    if let Some(created) = key.history.created {
        let detail = &key.events[created].detail;
        let is = |sym, expected: &[&str]| expected.contains(&cx.text(sym));
        let rotates = is(detail.key_spec, &["", "SYMMETRIC_DEFAULT"])
            && is(detail.key_usage, &["", "ENCRYPT_DECRYPT"])
            && is(detail.key_origin, &["", "AWS_KMS", "EXTERNAL"])
            && is(detail.key_manager, &["", "CUSTOMER"])
            && detail.custom_key_store_id.is_none()
            && (!is_replica(key, created) || was_promoted(key, cx));
        let role_unknown =
            key.id.starts_with("mrk-") && detail.multi_region_config.is_none() && key.history.rotation.is_empty();
        return match (rotates, role_unknown) {
            (true, false) if is(detail.key_origin, &["EXTERNAL"]) => Eligibility::OnDemand,
            (true, false) => Eligibility::Yes,
            (true, true) => Eligibility::Unknown,
            (false, _) => Eligibility::No,
        };
    }
    // KMS itself accepted a change of rotation: the key can rotate.
    if !key.history.rotation.is_empty() {
        return Eligibility::Yes;
    }
    if let Some(kind) = told::kind(key).filter(|kind| kind.spec.is_some() && kind.origin.is_some()) {
        return of_kind(key, kind);
    }
    let hint = |names: &[&str]| key.series.iter().any(|series| names.contains(&cx.text(Some(series.key.name))));
    let control = |names: &[&str]| key.events.iter().any(|control| names.contains(&cx.text(Some(control.name))));
    if hint(&[
        "Sign",
        "Verify",
        "GetPublicKey",
        "GenerateMac",
        "VerifyMac",
        "DeriveSharedSecret",
        "Encapsulate",
        "Decapsulate",
    ]) || control(&["ImportKeyMaterial", "DeleteImportedKeyMaterial", "DeleteExpiredKeyMaterial"])
    {
        return Eligibility::No;
    }
    Eligibility::Unknown
}

/// Whether a key that KMS described can rotate.
fn of_kind(key: &KeyView, kind: &Kind) -> Eligibility {
    let is = |said: &Option<String>, expected: &str| said.as_deref().is_none_or(|said| said == expected);
    let rotates = is(&kind.spec, "SYMMETRIC_DEFAULT")
        && is(&kind.usage, "ENCRYPT_DECRYPT")
        && is(&kind.manager, "CUSTOMER")
        && kind.custom_key_store.is_none()
        && !is_said_replica(key);
    match kind.origin.as_deref() {
        Some("AWS_KMS") if rotates => Eligibility::Yes,
        Some("EXTERNAL") if rotates => Eligibility::OnDemand,
        _ => Eligibility::No,
    }
}

/// Made as a replica of a multi-Region key: it follows its primary.
pub fn is_replica(key: &KeyView, created: usize) -> bool {
    key.events[created].detail.multi_region_config.as_deref().is_some_and(|config| config.contains("\"REPLICA\""))
}

/// Became the primary since: KMS says so, or accepted a change of rotation, which it does of a primary only.
pub fn was_promoted(key: &KeyView, cx: &Context<'_>) -> bool {
    let promoted = |control: &ControlEvent| {
        control.error.is_none()
            && cx.text(Some(control.name)) == "UpdatePrimaryRegion"
            && cx.text(control.detail.primary_region) == key.region
    };
    !key.history.rotation.is_empty() || key.events.iter().any(promoted)
}

/// New material that was imported since the first, or since a rotation, and that the key does not use yet. The first
/// material that a key gets, it uses at once.
pub fn waiting_material<'v>(key: &'v KeyView, since: i64, cx: &Context<'_>) -> Option<&'v ControlEvent> {
    let waits = |control: &&ControlEvent| {
        control.event.time > since && cx.text(control.detail.import_type) == "NEW_KEY_MATERIAL"
    };
    imports(key, cx).filter(waits).last()
}

/// KMS itself said whether the key rotates, and that says enough: on, or off where it could be on.
pub fn is_answered(key: &KeyView, eligibility: Eligibility, cx: &Context<'_>) -> bool {
    told::rotation(key, cx).is_some_and(|fact| fact.value.enabled || eligibility == Eligibility::Yes)
}

/// KMS said of this key whether it rotates.
pub fn is_told(arn: &str, cx: &Context<'_>) -> bool {
    let facts = cx.inventory.and_then(|inventory| inventory.keys.get(arn));
    facts.is_some_and(|facts| facts.rotation.is_some())
}

/// Enabled, as far as the log shows: a disabled or deleted key does not rotate, and need not.
pub fn is_live(key: &KeyView, cx: &Context<'_>) -> bool {
    let logged = || key.history.state_at(cx.as_of).map(|change| change.state);
    let state = told::state(key, cx).map(|(state, _)| state).or_else(logged);
    state.is_none_or(|state| matches!(state, KeyState::Enabled | KeyState::Transient))
}

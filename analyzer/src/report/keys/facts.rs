//! What KMS said of a key, as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::inventory::{self, Fact, KeyFacts, Stamp};
use crate::report::human;

/// Each fact with its source and the time at which KMS said it; null where nothing was said.
#[derive(Serialize)]
pub(in crate::report) struct Facts<'r> {
    kind: Option<Said<'r, Kind<'r>>>,
    standing: Option<Said<'r, Standing<'r>>>,
    rotation: Option<Said<'r, Rotation>>,
    rotations: Option<Said<'r, Vec<Rotated<'r>>>>,
    policy: Option<Said<'r, &'r str>>,
    grants: Option<Said<'r, Vec<Grant<'r>>>>,
    aliases: Option<Said<'r, &'r [String]>>,
    tags: Option<Said<'r, &'r BTreeMap<String, String>>>,
    key_store: Option<Said<'r, &'r str>>,
    refused: Vec<Refused<'r>>,
}

#[derive(Serialize)]
struct Said<'r, T> {
    captured_at: String,
    source: &'r str,
    value: T,
}

#[derive(Serialize)]
struct Kind<'r> {
    spec: Option<&'r str>,
    usage: Option<&'r str>,
    origin: Option<&'r str>,
    manager: Option<&'r str>,
    created: Option<String>,
    custom_key_store: Option<&'r str>,
}

#[derive(Serialize)]
struct Standing<'r> {
    state: Option<&'r str>,
    deletion: Option<String>,
    expires: Option<String>,
    multi_region: Option<&'r str>,
    primary: Option<&'r str>,
}

#[derive(Serialize)]
struct Rotation {
    enabled: bool,
    period_days: Option<i64>,
    next: Option<String>,
}

#[derive(Serialize)]
struct Rotated<'r> {
    time: String,
    r#type: Option<&'r str>,
}

#[derive(Serialize)]
struct Grant<'r> {
    id: &'r str,
    created: Option<String>,
    grantee: Option<&'r str>,
    retiring: Option<&'r str>,
    issuer: Option<&'r str>,
    operations: &'r [String],
    /// JSON text.
    constraints: Option<&'r str>,
}

#[derive(Serialize)]
struct Refused<'r> {
    call: &'static str,
    reason: &'r str,
    detail: &'r str,
    captured_at: String,
}

impl<'r> Facts<'r> {
    pub(in crate::report) fn of(facts: &'r KeyFacts) -> Self {
        Self {
            kind: said(&facts.kind, Kind::of),
            standing: said(&facts.standing, Standing::of),
            rotation: said(&facts.rotation, |rotation| Rotation {
                enabled: rotation.enabled,
                period_days: rotation.period_days,
                next: rotation.next.map(human::rfc3339),
            }),
            rotations: said(&facts.rotations, |rotations| {
                rotations
                    .iter()
                    .map(|(time, kind)| Rotated { time: human::rfc3339(*time), r#type: kind.as_deref() })
                    .collect()
            }),
            policy: said(&facts.policy, |policy| policy.as_str()),
            grants: said(&facts.grants, |grants| grants.iter().map(|(id, grant)| Grant::of(id, grant)).collect()),
            aliases: said(&facts.aliases, |aliases| aliases.names.as_slice()),
            tags: said(&facts.tags, |tags| tags),
            key_store: said(&facts.store, |store| store.as_str()),
            refused: facts
                .refused
                .iter()
                .map(|refusal| Refused {
                    call: refusal.call.id(),
                    reason: &refusal.reason,
                    detail: &refusal.detail,
                    captured_at: human::rfc3339(refusal.stamp.captured_at),
                })
                .collect(),
        }
    }
}

fn said<'r, T, W>(fact: &'r Option<Fact<T>>, wire: impl FnOnce(&'r T) -> W) -> Option<Said<'r, W>> {
    let Fact { value, stamp: Stamp { captured_at, source, .. } } = fact.as_ref()?;
    Some(Said { captured_at: human::rfc3339(*captured_at), source, value: wire(value) })
}

impl<'r> Kind<'r> {
    fn of(kind: &'r inventory::Kind) -> Self {
        Self {
            spec: kind.spec.as_deref(),
            usage: kind.usage.as_deref(),
            origin: kind.origin.as_deref(),
            manager: kind.manager.as_deref(),
            created: kind.created.map(human::rfc3339),
            custom_key_store: kind.custom_key_store.as_deref(),
        }
    }
}

impl<'r> Standing<'r> {
    fn of(standing: &'r inventory::Standing) -> Self {
        Self {
            state: standing.state.as_deref(),
            deletion: standing.deletion.map(human::rfc3339),
            expires: standing.expires.map(human::rfc3339),
            multi_region: standing.multi_region.as_deref(),
            primary: standing.primary.as_deref(),
        }
    }
}

impl<'r> Grant<'r> {
    fn of(id: &'r str, grant: &'r inventory::Grant) -> Self {
        Self {
            id,
            created: grant.created.map(human::rfc3339),
            grantee: grant.grantee.as_deref(),
            retiring: grant.retiring.as_deref(),
            issuer: grant.issuer.as_deref(),
            operations: &grant.operations,
            constraints: grant.constraints.as_deref(),
        }
    }
}

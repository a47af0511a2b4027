//! The inventory beside the log: what KMS said of a key, held against what the log shows.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::history::KeyState;
use super::key::KeyView;
use crate::frame::{Dictionary, Sym};
use crate::inventory::{Fact, KeyFacts, RotationStatus, Stamp};

/// KMS is consistent in the end only, and clocks differ: so near to a change both sides of it are right, milliseconds.
pub const SETTLES: i64 = 5 * 60_000;
/// How far the date that KMS gives of a rotation may be from the event, milliseconds.
const SAME_ROTATION: i64 = 24 * 3_600_000;

/// What an inventory says of a key.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What KMS said of it.
    pub facts: Option<Arc<KeyFacts>>,
    /// KMS listed all keys of its account and Region, and this one was not among them.
    pub unlisted: Option<Stamp>,
    /// The log does not have it at all.
    pub not_in_log: bool,
    /// Only the inventory tells its primary key.
    pub primary_told: bool,
    /// Of what log and inventory say different things.
    pub contradictions: Vec<Contradiction>,
}

/// Something of which the log and the inventory say different things.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contradiction {
    /// `state`, `rotation`, `rotation-period`, `rotated`, `spec`, `usage`, `origin`, `created`, `alias`, `grant`, `listed`.
    pub about: &'static str,
    /// What the log shows for that instant.
    pub log: String,
    /// What the inventory says.
    pub inventory: String,
    /// When and where it says so.
    pub stamp: Stamp,
    /// False when the log that was read ends before: then what happened in between explains it.
    pub log_reaches: bool,
}

/// What stood before the log and was gone before KMS was asked: neither shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// When such grants ended, milliseconds, in order.
    pub grants: Vec<i64>,
    /// When such a policy was replaced, milliseconds.
    pub policy: Option<i64>,
}

impl Unseen {
    /// What neither shows of a key; nothing of one whose creation is in the log.
    pub fn of(key: &KeyView, dictionary: &Dictionary) -> Self {
        if key.history.created.is_some() {
            return Self::default();
        }
        let facts = key.beside.facts.as_deref();
        let listed = |id: &str| {
            let grants = facts.and_then(|facts| facts.grants.as_ref());
            grants.is_some_and(|fact| fact.value.contains_key(id))
        };
        let mut made: BTreeSet<&str> = BTreeSet::new();
        let mut unseen = Self::default();
        let mut policies = 0_usize;
        for control in key.events.iter().filter(|control| control.error.is_none()) {
            let (at, id) = (control.event.time, control.detail.grant_id.as_deref());
            match dictionary.text(control.name) {
                "CreateGrant" => made.extend(id),
                "RetireGrant" | "RevokeGrant" if id.is_none_or(|id| !made.contains(id) && !listed(id)) => {
                    unseen.grants.push(at);
                }
                "PutKeyPolicy" => {
                    let said = facts.and_then(|facts| facts.policy.as_ref()).map(|fact| fact.stamp.captured_at);
                    if policies == 0 && said.is_none_or(|said| said >= at) {
                        unseen.policy = Some(at);
                    }
                    policies += 1;
                }
                _ => {}
            }
        }
        unseen
    }
}

/// Part of the log that was read: first and last instant, milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// First event.
    pub from: i64,
    /// Instant that everything counts from.
    pub to: i64,
}

/// Everything of which log and inventory say different things, in order.
pub(super) fn contradictions(key: &KeyView, dictionary: &Dictionary, reach: Reach) -> Vec<Contradiction> {
    let mut found = Found { list: Vec::new(), reach };
    if let Some(stamp) = &key.beside.unlisted {
        unlisted(key, stamp, &mut found);
    }
    if let Some(facts) = &key.beside.facts
        && !key.beside.not_in_log
    {
        state(key, facts, &mut found);
        rotation(key, facts, &mut found);
        rotations(key, facts, &mut found);
        kind(key, facts, dictionary, &mut found);
        aliases(key, facts, &mut found);
        grants(key, facts, &mut found);
    }
    found.list.sort();
    found.list
}

struct Found {
    list: Vec<Contradiction>,
    reach: Reach,
}

impl Found {
    fn add(&mut self, about: &'static str, log: impl Into<String>, inventory: impl Into<String>, stamp: &Stamp) {
        self.list.push(Contradiction {
            about,
            log: log.into(),
            inventory: inventory.into(),
            stamp: stamp.clone(),
            log_reaches: stamp.captured_at <= self.reach.to,
        });
    }
}

/// The values that a series of changes allows for an instant: the one then, and those of changes near to it.
fn around<T: Copy>(changes: &[T], at: impl Fn(&T) -> i64, instant: i64) -> &[T] {
    let first = changes.partition_point(|change| at(change) <= instant.saturating_sub(SETTLES)).saturating_sub(1);
    let last = changes.partition_point(|change| at(change) <= instant.saturating_add(SETTLES));
    changes.get(first..last).unwrap_or_default()
}

fn state(key: &KeyView, facts: &KeyFacts, found: &mut Found) {
    let Some((fact, said)) = standing(facts) else { return };
    let known = around(&key.history.states, |change| change.at, fact.captured_at);
    let Some(last) = known.last() else { return };
    // What is on its way arrives by itself, and a key store that is not connected is not the key's own state.
    let passing = |state| matches!(state, KeyState::Transient | KeyState::Unavailable);
    if passing(said) || known.iter().any(|change| change.state == said || passing(change.state)) {
        return;
    }
    found.add("state", last.state.id(), said.id(), fact);
}

/// The state that KMS told.
pub fn standing(facts: &KeyFacts) -> Option<(&Stamp, KeyState)> {
    let fact = facts.standing.as_ref()?;
    Some((&fact.stamp, KeyState::find(fact.value.state.as_deref()?)?))
}

/// Automatic rotation as KMS told it. While a key waits for its deletion KMS says "off" whatever was set, and means it again
/// when that is cancelled: that tells nothing.
pub fn rotation_status(facts: &KeyFacts) -> Option<&Fact<RotationStatus>> {
    let waits = standing(facts).is_some_and(|(_, state)| state == KeyState::PendingDeletion);
    facts.rotation.as_ref().filter(|fact| fact.value.enabled || !waits)
}

fn rotation(key: &KeyView, facts: &KeyFacts, found: &mut Found) {
    let Some(Fact { value, stamp }) = rotation_status(facts) else { return };
    let states = around(&key.history.states, |change| change.at, stamp.captured_at);
    if !value.enabled && states.iter().any(|change| change.state == KeyState::PendingDeletion) {
        return;
    }
    let known = around(&key.history.rotation, |change| change.at, stamp.captured_at);
    let Some(last) = known.last() else {
        // Off is how every key starts, but for copies.
        let own = !key.is_aws_managed() && key.primary.is_none() && !key.id.starts_with("mrk-");
        let created = key.history.created.map(|at| key.events[at].event.time).filter(|_| own);
        if value.enabled && created.is_some_and(|at| at.saturating_add(SETTLES) < stamp.captured_at) {
            found.add("rotation", "never switched on", "on", stamp);
        }
        return;
    };
    let word = |on: bool| if on { "on" } else { "off" };
    // A key that is not enabled does not rotate; KMS tells its setting all the same.
    if known.iter().all(|change| change.enabled != value.enabled) {
        found.add("rotation", word(last.enabled), word(value.enabled), stamp);
    } else if let Some(days) = value.period_days.filter(|_| value.enabled)
        && known.iter().all(|change| change.enabled && change.period_days != days)
    {
        found.add("rotation-period", format!("{} days", last.period_days), format!("{days} days"), stamp);
    }
}

fn rotations(key: &KeyView, facts: &KeyFacts, found: &mut Found) {
    let Some(Fact { value, stamp }) = &facts.rotations else { return };
    let logged: Vec<i64> = key.history.rotations.iter().map(|at| key.events[*at].event.time).collect();
    let near = |a: i64, b: i64| (a - b).abs() <= SAME_ROTATION;
    for (at, _) in value {
        let inside = (found.reach.from.saturating_add(SAME_ROTATION)..=found.reach.to.saturating_sub(SAME_ROTATION))
            .contains(at);
        if inside && !logged.iter().any(|logged| near(*logged, *at)) {
            found.add("rotated", "no rotation", format!("rotated {}", instant(*at)), stamp);
        }
    }
    for logged in logged {
        if logged.saturating_add(SAME_ROTATION) < stamp.captured_at && !value.iter().any(|(at, _)| near(logged, *at)) {
            found.add("rotated", format!("rotated {}", instant(logged)), "no rotation", stamp);
        }
    }
}

fn kind(key: &KeyView, facts: &KeyFacts, dictionary: &Dictionary, found: &mut Found) {
    let Some(Fact { value, stamp }) = &facts.kind else { return };
    let Some(created) = key.history.created.map(|at| &key.events[at]) else { return };
    let detail = &created.detail;
    let pairs: [(&'static str, Option<Sym>, &Option<String>); 3] = [
        ("spec", detail.key_spec, &value.spec),
        ("usage", detail.key_usage, &value.usage),
        ("origin", detail.key_origin, &value.origin),
    ];
    for (about, logged, said) in pairs {
        let logged = logged.map(|sym| dictionary.text(sym)).filter(|text| !text.is_empty());
        if let (Some(logged), Some(said)) = (logged, said)
            && logged != said
        {
            found.add(about, logged, said, stamp);
        }
    }
    if let Some(said) = value.created
        && (said - created.event.time).abs() > SETTLES
    {
        found.add("created", instant(created.event.time), instant(said), stamp);
    }
}

fn aliases(key: &KeyView, facts: &KeyFacts, found: &mut Found) {
    let Some(Fact { value, stamp }) = &facts.aliases else { return };
    for (arn, changes) in &key.history.aliases {
        let name = arn.split_once(":alias/").map_or_else(|| arn.clone(), |(_, name)| format!("alias/{name}"));
        let known = around(changes, |change| change.0, stamp.captured_at);
        let Some((_, here)) = known.last().copied() else { continue };
        let said = value.names.contains(&name);
        if known.iter().any(|change| change.1 == said) || (!said && !value.all) {
            continue;
        }
        let word =
            |here: bool| if here { format!("{name} points at it") } else { format!("{name} does not point at it") };
        found.add("alias", word(here), word(said), stamp);
    }
}

fn grants(key: &KeyView, facts: &KeyFacts, found: &mut Found) {
    let Some(Fact { value, stamp }) = &facts.grants else { return };
    let mut logged = Vec::new();
    for grant in &key.history.grants {
        let created = &key.events[grant.created];
        let Some(id) = created.detail.grant_id.as_deref() else { continue };
        logged.push(id);
        let ended = grant.ended.map(|at| key.events[at].event.time);
        let open = created.event.time.saturating_add(SETTLES) < stamp.captured_at
            && ended.is_none_or(|ended| ended > stamp.captured_at.saturating_add(SETTLES));
        if open && !value.contains_key(id) {
            found.add("grant", format!("{id} is open"), format!("{id} is not there"), stamp);
        }
        let gone = ended.is_some_and(|ended| ended.saturating_add(SETTLES) < stamp.captured_at);
        if gone && value.contains_key(id) {
            found.add("grant", format!("{id} has ended"), format!("{id} is open"), stamp);
        }
    }
    for (id, grant) in value {
        let inside = grant.created.is_some_and(|at| (found.reach.from..=found.reach.to).contains(&at));
        if inside && !logged.contains(&id.as_str()) {
            found.add("grant", format!("{id} was never created"), format!("{id} is open"), stamp);
        }
    }
}

fn unlisted(key: &KeyView, stamp: &Stamp, found: &mut Found) {
    let Some(known) = around(&key.history.states, |change| change.at, stamp.captured_at).last() else { return };
    if known.at.saturating_add(SETTLES) < stamp.captured_at && known.state != KeyState::Deleted {
        found.add("listed", known.state.id(), "no such key", stamp);
    }
}

fn instant(ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(ms)
        .map_or_else(|| ms.to_string(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

//! Stretches of time in which a key could not be used, from the events of the key itself and from those of its key store.

use std::ops::Range;

use super::context::Context;
use super::outage::{Success, first_after, successes};
use super::time::{MINUTE, instant};
use crate::extract::FailureClass;
use crate::finding::plain;
use crate::view::KeyView;
use crate::view::history::{KeyState, StateChange};
use crate::view::ledger::ControlEvent;

/// KMS settles a change of state within minutes: calls may still succeed after a disable and fail after an enable.
pub const SETTLING: i64 = 5 * MINUTE;

/// What a key lacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Its key store, by its id.
    Store(String),
    /// Material, which reached its end unseen.
    Material,
    /// It was not in a state to be used.
    State,
}

impl Lack {
    /// True if a failure of that class speaks of this. KMS looks at the state of a key before it asks the key's store.
    pub fn is_told_by(&self, class: Option<FailureClass>) -> bool {
        use FailureClass as F;
        match (self, class) {
            (Self::Store(_), class) => matches!(class, Some(F::KeyUnavailable | F::KeyUnspecified)),
            (Self::Material, class) => matches!(class, Some(F::KeyPendingImport | F::KeyUnspecified)),
            (Self::State, class) => !matches!(class, Some(F::KeyPendingImport | F::KeyUnavailable)),
        }
    }
}

/// One stretch, before failures are known.
#[derive(Clone, Debug)]
pub struct Stretch<'v> {
    /// When it began, milliseconds.
    pub from: i64,
    /// When it ended.
    pub until: Option<i64>,
    /// The event that began it, and what followed on it.
    pub events: Vec<&'v ControlEvent>,
    /// The event that ended it, where the log has one.
    pub restored_by: Option<&'v ControlEvent>,
    /// State at its end.
    pub state: KeyState,
    /// What the key lacked.
    pub lack: Lack,
    /// What of the cause is not certain.
    pub unsure: Option<&'static str>,
}

/// All stretches of a key. Those of a kind are in order of time and do not overlap; those of two kinds may.
#[derive(Clone, Debug)]
pub struct Stretches<'v> {
    /// Kind by kind, those of the key itself last.
    pub all: Vec<Stretch<'v>>,
    kinds: Vec<Range<usize>>,
}

impl<'v> Stretches<'v> {
    /// Finds them; `successes` tells where one ended unseen.
    pub fn new(key: &'v KeyView, successes: &[Success<'_>], cx: &Context<'v>) -> Self {
        let (mut all, mut kinds) = (Vec::new(), Vec::new());
        for kind in [of_stores(key, cx), of_expiry(key, cx), of_states(key)] {
            kinds.push(all.len()..all.len() + kind.len());
            all.extend(kind);
        }
        // A success well inside a stretch proves that somebody made the key usable where the log does not show it.
        for stretch in &mut all {
            if let Some(time) = disproved(stretch.from, stretch.until, successes) {
                stretch.until = Some(time);
                stretch.restored_by = None;
            }
        }
        Self { all, kinds }
    }

    /// The stretch that caused a failure of that class at an instant: the failure falls into it, and speaks of what the key
    /// lacked then. Where it does not say what that is, the key itself comes before its store.
    pub fn cause(&self, time: i64, class: Option<FailureClass>) -> Option<usize> {
        // The last that had begun decides for its kind: those before it ended before it began.
        let inside = self.kinds.iter().rev().filter_map(|kind| {
            let begun = self.all[kind.clone()].partition_point(|stretch| stretch.from <= time);
            let at = kind.start + begun.checked_sub(1)?;
            self.all[at].until.is_none_or(|until| time <= until.saturating_add(SETTLING)).then_some(at)
        });
        let mut own = None;
        for at in inside {
            let lack = &self.all[at].lack;
            if lack.is_told_by(class) {
                return Some(at);
            }
            // Else the key itself, if it was in no state to be used: a deletion of material is in the state as well, and services
            // call a key unavailable whatever it lacks.
            let vague = class == Some(FailureClass::KeyUnavailable) && *lack == Lack::Material;
            own = own.or_else(|| (vague || *lack == Lack::State).then_some(at));
        }
        own
    }

    /// The first one that ends after an instant, or has not ended.
    pub fn next(&self, after: i64) -> Option<usize> {
        let later = self.kinds.iter().filter_map(|kind| {
            let ended = |stretch: &Stretch<'_>| stretch.until.is_some_and(|until| until <= after);
            let next = kind.start + self.all[kind.clone()].partition_point(ended);
            kind.contains(&next).then_some(next)
        });
        later.min_by_key(|&next| self.all[next].from)
    }
}

/// When a success belies that a key was unusable from one instant to the other.
pub fn disproved(from: i64, until: Option<i64>, successes: &[Success<'_>]) -> Option<i64> {
    first_after(successes, from.saturating_add(SETTLING))
        .map(|success| success.time)
        .filter(|&time| until.is_none_or(|until| time < until - SETTLING))
}

/// What is to be said of a key that worked while the log says that it could not: somebody undid what made it unusable, and
/// that event is missing.
pub fn unseen(key: &KeyView, cx: &Context<'_>) -> Option<String> {
    if key.history.states.iter().all(|change| !change.state.is_unusable()) {
        return None;
    }
    let successes = successes(key, cx);
    let states = &key.history.states;
    let wrong = states.iter().enumerate().find_map(|(at, change)| {
        let until = states.get(at + 1).map(|next| next.at);
        let proof = disproved(change.at, until, &successes).filter(|_| change.state.is_unusable());
        proof.map(|proof| (change, proof))
    });
    let (change, proof) = wrong?;
    Some(format!(
        "{} is {} since {} by the log, but a call succeeded at {}: what undid it is missing from the log",
        plain(key.label()),
        change.state.id(),
        instant(change.at),
        instant(proof)
    ))
}

fn of_states(key: &KeyView) -> Vec<Stretch<'_>> {
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    for change in &key.history.states {
        let by = &key.events[change.by];
        let open = stretches.last_mut().filter(|stretch| stretch.until.is_none());
        match (change.state.is_unusable(), open) {
            // A key that waits for its first import never worked: nothing depends on it yet.
            (true, None) if is_first_import(key, change) => {}
            (true, None) => stretches.push(Stretch {
                from: change.at,
                until: None,
                events: vec![by],
                restored_by: None,
                state: change.state,
                lack: Lack::State,
                unsure: None,
            }),
            (true, Some(stretch)) => {
                stretch.events.push(by);
                stretch.state = change.state;
            }
            (false, Some(stretch)) => {
                stretch.until = Some(change.at);
                stretch.restored_by = Some(by);
            }
            (false, None) => {}
        }
    }
    stretches
}

/// Imported material whose end has passed, where the log lacks the event with which KMS drops it.
fn of_expiry<'v>(key: &'v KeyView, cx: &Context<'v>) -> Vec<Stretch<'v>> {
    let name = |control: &ControlEvent| cx.text(Some(control.name));
    let told = |control: &&ControlEvent| {
        let about = ["ImportKeyMaterial", "DeleteImportedKeyMaterial", "DeleteExpiredKeyMaterial"];
        control.error.is_none() && about.contains(&name(control))
    };
    let told: Vec<&ControlEvent> = key.events.iter().filter(told).collect();
    let mut stretches = Vec::new();
    for (at, import) in told.iter().enumerate().filter(|(_, control)| name(control) == "ImportKeyMaterial") {
        let Some(end) = import.detail.valid_to.filter(|end| *end > import.event.time) else { continue };
        let next = told.get(at + 1);
        // Material that was taken away before its end, or extended in time, or of which KMS itself said that it is gone.
        if next.is_some_and(|next| next.event.time <= end || name(next) != "ImportKeyMaterial") {
            continue;
        }
        stretches.push(Stretch {
            from: end,
            until: next.map(|next| next.event.time),
            events: vec![import],
            restored_by: next.copied(),
            state: KeyState::PendingImport,
            lack: Lack::Material,
            unsure: None,
        });
    }
    stretches
}

fn of_stores<'v>(key: &KeyView, cx: &Context<'v>) -> Vec<Stretch<'v>> {
    let own = key.events.iter().rev().find_map(|control| control.detail.custom_key_store_id);
    // A key with material of KMS or of its owner is in no store.
    let elsewhere = key.history.created.is_some() && own.is_none();
    if elsewhere || !own_store_or_unavailable(key, own.is_some()) {
        return Vec::new();
    }
    let unsure = own
        .is_none()
        .then_some("the log does not name the key store of the key; it is the only one of that account and Region");
    let store = own.map(|store| cx.text(Some(store)));
    let outages = cx.stores.outages_of(&key.account, &key.region, store);
    let stretch = |outage: &crate::view::stores::StoreOutage| {
        let by = &cx.stores.events[outage.by];
        let until = outage.until.map(|until| &cx.stores.events[until].control);
        Stretch {
            from: by.control.event.time,
            until: until.map(|until| until.event.time),
            events: vec![&by.control],
            restored_by: until,
            state: KeyState::Disabled,
            lack: Lack::Store(by.store.clone()),
            unsure,
        }
    };
    outages.iter().map(stretch).collect()
}

/// Only a key of a store fails as one whose store is away.
fn own_store_or_unavailable(key: &KeyView, own: bool) -> bool {
    own || key.series.iter().any(|series| series.key.failure == Some(FailureClass::KeyUnavailable))
}

/// A key made to take imported material, before it has any: it never worked.
fn is_first_import(key: &KeyView, change: &StateChange) -> bool {
    change.state == KeyState::PendingImport && key.history.created == Some(change.by)
}

/// True while a key waits for its first material.
pub fn begins_before_it_works(key: &KeyView, at: i64) -> bool {
    key.history.state_at(at).is_some_and(|change| is_first_import(key, &change))
}

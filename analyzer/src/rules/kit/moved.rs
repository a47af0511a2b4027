//! Callers that fail because the name they use for a key is gone, or stands for another key since.

use std::collections::BTreeMap;

use super::context::Context;
use super::outage::{Failure, Outage, SETTLING, Undo};
use super::over::{Over, by_callers};
use super::time::DAY;
use crate::extract::FailureClass;
use crate::finding::plain;
use crate::view::ledger::ControlEvent;
use crate::view::{AliasMove, KeyView};

/// What cannot read its data through a moved alias finds out by then; a wrong ciphertext later on is the caller's affair.
const FOUND_OUT: i64 = 30 * DAY;

/// Failures that the loss of an alias explains, one outage for each; `quiet` milliseconds without one, once it is undone, end
/// it. `failures` are in order of time.
pub fn outages<'v>(key: &'v KeyView, failures: &[Failure<'v>], quiet: i64, cx: &Context<'v>) -> Vec<Outage<'v>> {
    let mut outages: BTreeMap<usize, Outage<'v>> = BTreeMap::new();
    for (index, failure) in failures.iter().enumerate() {
        let Some(at) = key.moves.iter().rposition(|told| explains(key, told, failure, cx)) else { continue };
        if let Some(outage) = outages.get_mut(&at) {
            outage.failures.push(index);
            continue;
        }
        let told = &key.moves[at];
        let Some(by) = change(key, told, cx) else { continue };
        let mut outage = begun(key, told, by);
        outage.failures.push(index);
        outages.insert(at, outage);
    }
    for (at, outage) in &mut outages {
        let Some(back) = undone(key, &key.moves[*at]) else { continue };
        let last = outage.failures.iter().map(|&at| failures[at].cell.last()).max();
        let after = last.map_or(back.at, |last| last.max(back.at));
        outage.restored = Some(back.at);
        // The event that gives an alias back to another key is one of that key.
        let still = || (cx.as_of - after >= quiet).then(|| Over::Quiet(change(key, back, cx)));
        outage.over = by_callers(key, outage, failures, after, cx).or_else(still);
    }
    outages.into_values().collect()
}

/// True if an alias that ceased to stand for the key, or came to, explains a failure: its class is the one that such a
/// change brings, and it falls into the time of the change.
fn explains(key: &KeyView, told: &AliasMove, failure: &Failure<'_>, cx: &Context<'_>) -> bool {
    let at = failure.cell.first.time;
    if at < told.at || told.until.is_some_and(|until| at > until.saturating_add(SETTLING)) {
        return false;
    }
    match failure.series.key.failure {
        Some(FailureClass::KeyNotFound) => {
            is_gone(key, told) && key.history.state_at(at).is_none_or(|change| !change.state.is_unusable())
        }
        // What the old key encrypted is not for the new one. Who names the new one itself means it.
        Some(FailureClass::InvalidCiphertext) => {
            let came = told.to.as_deref() == Some(&key.arn) && other(told).is_some();
            let named = cx.text(failure.series.key.alias).ends_with(&format!(":{}", told.alias));
            came && named && cx.text(failure.series.key.error).contains("IncorrectKey") && is_soon(told, failure)
        }
        _ => false,
    }
}

/// True if the alias of the key was deleted.
fn is_gone(key: &KeyView, told: &AliasMove) -> bool {
    told.from.as_deref() == Some(&key.arn) && told.to.is_none()
}

/// True if these calls began to fail soon after the change, however long they go on.
fn is_soon(told: &AliasMove, failure: &Failure<'_>) -> bool {
    let cells = &failure.series.cells;
    let first = cells.get(cells.partition_point(|cell| cell.first.time < told.at));
    first.is_some_and(|first| first.first.time - told.at <= FOUND_OUT)
}

/// The change that undid another: the alias stands again for the key that it stood for before.
fn undone<'v>(key: &'v KeyView, told: &AliasMove) -> Option<&'v AliasMove> {
    let (until, before) = (told.until?, other(told)?);
    let later = &key.moves[key.moves.partition_point(|next| next.at < until)..];
    later.iter().find(|next| next.alias == told.alias && next.to.as_deref() == Some(before))
}

/// The key that the alias stood for before.
fn other(told: &AliasMove) -> Option<&str> {
    told.from.as_deref().or_else(|| told.given_up.as_ref().map(|given_up| given_up.key.as_str()))
}

/// The event behind a change of an alias.
pub fn change<'v>(key: &'v KeyView, told: &AliasMove, cx: &Context<'_>) -> Option<&'v ControlEvent> {
    let wanted = |control: &&ControlEvent| {
        if control.event.time != told.at || control.error.is_some() {
            return false;
        }
        let alias = cx.text(control.detail.alias);
        let name = cx.text(Some(control.name));
        let fits =
            if told.to.is_some() { matches!(name, "CreateAlias" | "UpdateAlias") } else { name == "DeleteAlias" };
        fits && alias.ends_with(&told.alias)
    };
    key.events.iter().find(wanted)
}

fn begun<'v>(key: &KeyView, told: &AliasMove, by: &'v ControlEvent) -> Outage<'v> {
    let alias = plain(&told.alias);
    match other(told).filter(|_| told.to.as_deref() == Some(&key.arn)) {
        Some(from) => {
            let undo = Undo::MoveBack { alias: told.alias.clone(), from: from.to_string() };
            let id = from.rsplit('/').next().unwrap_or(from);
            Outage::partial(by, format!("given {alias}, which stood for key {},", plain(id)), undo)
        }
        None => {
            let taken = told.until.is_some() && undone(key, told).is_none();
            let undo = Undo::Alias { alias: told.alias.clone(), taken };
            Outage::partial(by, format!("left without {alias}, deleted"), undo)
        }
    }
}

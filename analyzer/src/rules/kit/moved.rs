//! Callers that fail because the name they use for a key is gone, or stands for another key since.

use super::context::Context;
use super::outage::{Failure, Outage, Over, SETTLING, Undo};
use crate::extract::FailureClass;
use crate::finding::plain;
use crate::view::ledger::ControlEvent;
use crate::view::{AliasMove, KeyView};

/// Failures that the loss of an alias explains, one outage for each. `failures` are in order of time.
pub fn outages<'v>(key: &'v KeyView, failures: &[Failure<'v>], cx: &Context<'v>) -> Vec<Outage<'v>> {
    let mut outages: Vec<(&AliasMove, Outage<'v>)> = Vec::new();
    for (index, failure) in failures.iter().enumerate() {
        let Some(told) = key.moves.iter().rev().find(|told| explains(key, told, failure, cx)) else { continue };
        if let Some((_, outage)) = outages.iter_mut().find(|(known, _)| *known == told) {
            outage.failures.push(index);
            continue;
        }
        let Some(by) = change(key, told, cx) else { continue };
        let mut outage = begun(key, told, by);
        outage.failures.push(index);
        outages.push((told, outage));
    }
    for (told, outage) in &mut outages {
        let last = outage.failures.iter().map(|&at| failures[at].cell.last()).max().unwrap_or(i64::MAX);
        if let Some(until) = told.until.filter(|until| *until >= last) {
            outage.restored = Some(until);
            let after = key
                .series
                .iter()
                .filter(|series| series.succeeded())
                .flat_map(|series| series.cells.iter().map(move |cell| (cell.first, series)));
            let success = after.filter(|(event, _)| event.time > until).min_by_key(|(event, _)| *event);
            outage.over = success.map(|(event, series)| Over::Success {
                operation: cx.text(Some(series.key.name)).to_string(),
                time: event.time,
                event: Some(event),
            });
        }
    }
    outages.into_iter().map(|(_, outage)| outage).collect()
}

/// True if an alias that ceased to stand for the key, or came to, explains a failure: its class is the one that such a
/// change brings, and it falls into the time of the change.
fn explains(key: &KeyView, told: &AliasMove, failure: &Failure<'_>, cx: &Context<'_>) -> bool {
    let at = failure.cell.first.time;
    if at < told.at || told.until.is_some_and(|until| at > until.saturating_add(SETTLING)) {
        return false;
    }
    let gone = told.from.as_deref() == Some(&key.arn) && told.to.is_none();
    let came = told.to.as_deref() == Some(&key.arn) && other(told).is_some();
    match failure.series.key.failure {
        Some(FailureClass::KeyNotFound) => {
            gone && key.history.state_at(at).is_none_or(|change| !change.state.is_unusable())
        }
        // What the old key encrypted is not for the new one.
        Some(FailureClass::InvalidCiphertext) => came && cx.text(failure.series.key.error).contains("IncorrectKey"),
        _ => false,
    }
}

/// The key that the alias stood for before.
fn other(told: &AliasMove) -> Option<&str> {
    told.from.as_deref().or_else(|| told.given_up.as_ref().map(|given_up| given_up.key.as_str()))
}

/// The event behind a change of an alias.
pub fn change<'v>(key: &'v KeyView, told: &AliasMove, cx: &Context<'_>) -> Option<&'v ControlEvent> {
    let wanted = |control: &&ControlEvent| {
        let alias = cx.text(control.detail.alias);
        let name = cx.text(Some(control.name));
        let fits =
            if told.to.is_some() { matches!(name, "CreateAlias" | "UpdateAlias") } else { name == "DeleteAlias" };
        fits && control.error.is_none() && control.event.time == told.at && alias.ends_with(&told.alias)
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
        None => Outage::partial(by, format!("left without {alias}, deleted"), Undo::Alias(told.alias.clone())),
    }
}

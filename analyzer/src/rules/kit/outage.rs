//! Times in which a key could not be used, and the failures that fall into them.

use super::context::Context;
use super::deletion::Scheduled;
use super::over::{self, Over};
use super::stretch::{Lack, Stretch, Stretches, begins_before_it_works};
use crate::view::KeyView;
use crate::view::activity::{Cell, Series};
use crate::view::event::EventRef;
use crate::view::history::KeyState;
use crate::view::ledger::ControlEvent;

pub use super::stretch::SETTLING;

/// One failing bucket of one series.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'v> {
    /// What failed.
    pub series: &'v Series,
    /// When, and how often.
    pub cell: &'v Cell,
}

/// How to make the key usable again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Enable it.
    Enable,
    /// Cancel the deletion, then enable it.
    CancelDeletion,
    /// Import the material again.
    Import,
    /// Connect the custom key store with this id.
    Connect(String),
    /// Give the key its alias again.
    Alias {
        /// Name of the alias.
        alias: String,
        /// It stands for another key since.
        taken: bool,
    },
    /// Point the alias at this key again, or name that key.
    MoveBack {
        /// Name of the alias.
        alias: String,
        /// ARN of the key that it pointed at.
        from: String,
    },
    /// Put the policy back as it was.
    Policy,
    /// Make the grant again.
    Grant,
    /// There is no way back.
    None,
    /// The log does not say what happened.
    Find,
}

/// One stretch of time in which a key was unusable: to all, or to those who lost a right or a name for it.
#[derive(Clone, Debug)]
pub struct Outage<'v> {
    /// The event that began it; `None` when it lies before the log.
    pub cause: Option<&'v ControlEvent>,
    /// When it began, as far as the log tells.
    pub from: Option<i64>,
    /// Later events of the same stretch: a deletion scheduled on a disabled key, the event that ended it.
    pub context: Vec<&'v ControlEvent>,
    /// What happened to the key, as `disabled`, `scheduled for deletion`.
    pub what: String,
    /// What of the cause is not certain; `None` when all of it is in the log.
    pub unsure: Option<&'static str>,
    /// State at the end of the stretch, or of the log, in KMS's words.
    pub state: &'static str,
    /// When the key will be or was deleted, milliseconds.
    pub deadline: Option<i64>,
    /// The waiting period has not begun: it begins when the last replica of this multi-Region key is deleted.
    pub waits_for_replicas: bool,
    /// When it was made usable again, as far as the log shows.
    pub restored: Option<i64>,
    /// Why it is over; `None` while it is not.
    pub over: Option<Over<'v>>,
    /// How to undo it.
    pub undo: Undo,
    /// Indices into the failures that were given.
    pub failures: Vec<usize>,
}

impl<'v> Outage<'v> {
    /// An outage whose key works, but not for everybody.
    pub fn partial(cause: &'v ControlEvent, what: String, undo: Undo) -> Self {
        Self {
            cause: Some(cause),
            from: Some(cause.event.time),
            context: Vec::new(),
            what,
            unsure: None,
            state: KeyState::Enabled.id(),
            deadline: None,
            waits_for_replicas: false,
            restored: None,
            over: None,
            undo,
            failures: Vec::new(),
        }
    }
}

/// Groups failures (in order of time) by the stretch that caused them. Failures outside every stretch have a cause that the
/// log does not show; `quiet` milliseconds without one end such an incident.
pub fn outages<'v>(key: &'v KeyView, failures: &[Failure<'v>], quiet: i64, cx: &Context<'v>) -> Vec<Outage<'v>> {
    if failures.is_empty() {
        return Vec::new();
    }
    let successes = successes(key, cx);
    let stretches = Stretches::new(key, &successes, cx);
    let mut outages: Vec<Outage<'v>> = stretches.all.iter().map(|stretch| known(stretch, cx)).collect();
    let mut unknown: Vec<Outage<'v>> = Vec::new();
    let mut last = i64::MIN;
    for (index, failure) in failures.iter().enumerate() {
        let (from, to) = (failure.cell.first.time, failure.cell.last());
        match stretches.cause(from, failure.series.key.failure) {
            Some(at) => outages[at].failures.push(index),
            None if begins_before_it_works(key, from) => {}
            None => {
                // A success between two failures, or a quiet day, makes them two incidents.
                let apart = from.saturating_sub(last) > quiet
                    || first_after(&successes, last).is_some_and(|success| success.time < from);
                match unknown.last_mut().filter(|_| !apart) {
                    Some(outage) => outage.failures.push(index),
                    None => unknown.push(cause_unknown(index)),
                }
                last = last.max(to);
            }
        }
    }
    let end = |outage: &Outage<'_>| outage.failures.iter().map(|&at| failures[at].cell.last()).max();
    for at in 0..outages.len() {
        if let Some(end) = end(&outages[at]) {
            let again = go_on(at, &stretches, &mut outages, end, &successes, quiet, cx);
            outages[at].over = over::of(&outages[at], end, again, &successes, quiet, cx);
        }
    }
    for outage in &mut unknown {
        outage.over = end(outage).and_then(|end| over::of(outage, end, None, &successes, quiet, cx));
    }
    outages.extend(unknown);
    outages.retain(|outage| !outage.failures.is_empty());
    outages
}

/// An outage that was undone, and begins again before anything worked, goes on. Gives the event with which it began again
/// where it does not: something failed anew then, and that is an outage of its own.
fn go_on<'v>(
    at: usize,
    stretches: &Stretches<'v>,
    outages: &mut [Outage<'v>],
    end: i64,
    successes: &[Success<'_>],
    quiet: i64,
    cx: &Context<'v>,
) -> Option<&'v ControlEvent> {
    // Each turn ends later than the one before.
    while let Some(restored) = outages[at].restored {
        let next = stretches.next(restored)?;
        let stretch = &stretches.all[next];
        let still = restored.max(end);
        let worked = first_after(successes, still).is_some_and(|success| success.time < stretch.from);
        if worked || stretch.from.saturating_sub(still) >= quiet {
            return None;
        }
        if !outages[next].failures.is_empty() {
            return stretch.events.first().copied();
        }
        let more = known(stretch, cx);
        let outage = &mut outages[at];
        outage.context.extend(more.cause.into_iter().chain(more.context));
        outage.unsure = outage.unsure.or(more.unsure);
        (outage.state, outage.undo, outage.restored) = (more.state, more.undo, more.restored);
        (outage.deadline, outage.waits_for_replicas) = (more.deadline, more.waits_for_replicas);
    }
    None
}

/// A successful cryptographic call: it proves that the key was usable.
#[derive(Clone, Copy, Debug)]
pub struct Success<'v> {
    /// When, milliseconds.
    pub time: i64,
    /// Its operation.
    pub operation: &'v str,
    /// The event; of a series' five minutes only the first is kept.
    pub event: Option<EventRef>,
}

/// First and last success of each series' five minutes, by time.
pub fn successes<'v>(key: &'v KeyView, cx: &Context<'v>) -> Vec<Success<'v>> {
    let crypto = |series: &&Series| series.succeeded() && cx.text(series.key.operation) == "crypto";
    successes_of(key.series.iter().filter(crypto), cx)
}

/// First and last success of some series' five minutes, by time.
pub fn successes_of<'v>(series: impl Iterator<Item = &'v Series>, cx: &Context<'v>) -> Vec<Success<'v>> {
    let mut successes: Vec<Success<'v>> = Vec::new();
    for series in series {
        let operation = cx.text(Some(series.key.name));
        for cell in &series.cells {
            successes.push(Success { time: cell.first.time, operation, event: Some(cell.first) });
            if cell.last() != cell.first.time {
                successes.push(Success { time: cell.last(), operation, event: None });
            }
        }
    }
    successes.sort_by(|a, b| {
        (a.time, a.event.is_none(), a.event, a.operation).cmp(&(b.time, b.event.is_none(), b.event, b.operation))
    });
    successes
}

/// The first success later than an instant.
pub fn first_after<'s, 'v>(successes: &'s [Success<'v>], at: i64) -> Option<&'s Success<'v>> {
    successes.get(successes.partition_point(|success| success.time <= at))
}

fn known<'v>(stretch: &Stretch<'v>, cx: &Context<'v>) -> Outage<'v> {
    let name = |control: &ControlEvent| cx.text(Some(control.name));
    let (cause, rest) = stretch.events.split_first().map_or((None, &[][..]), |(first, rest)| (Some(*first), rest));
    let what = match cause.map(name) {
        Some("DisableKey") if rest.iter().any(|later| name(later) == "ScheduleKeyDeletion") => {
            "disabled, then scheduled for deletion,"
        }
        Some("ScheduleKeyDeletion") => "scheduled for deletion",
        Some("DeleteKey") => "deleted",
        Some("DeleteImportedKeyMaterial") => "stripped of its key material",
        Some("DeleteExpiredKeyMaterial") => "left without key material, which expired,",
        // Nobody but the one who imported the material said when it ends.
        Some("ImportKeyMaterial") => "left without key material, imported with an end that has passed,",
        Some("DisconnectCustomKeyStore") => "cut off from its key store, disconnected",
        Some("CancelKeyDeletion") => "left disabled after its deletion was cancelled",
        _ => "disabled",
    };
    let scheduled = stretch.events.iter().rev().find(|later| name(later) == "ScheduleKeyDeletion");
    let scheduled = scheduled.map(|call| Scheduled::of(call, cx));
    let waits_for_replicas = scheduled.is_some_and(|scheduled| scheduled.waits_for_replicas);
    let deadline = scheduled
        .filter(|_| matches!(stretch.state, KeyState::PendingDeletion | KeyState::Deleted) && stretch.until.is_none())
        .and_then(|scheduled| scheduled.at);
    let undo = match (stretch.state, &stretch.lack) {
        (_, Lack::Store(store)) => Undo::Connect(store.clone()),
        (KeyState::PendingDeletion, _) => Undo::CancelDeletion,
        (KeyState::Deleted, _) => Undo::None,
        (KeyState::PendingImport, _) => Undo::Import,
        _ => Undo::Enable,
    };
    let lost = if matches!(stretch.lack, Lack::Store(_)) { "Unavailable" } else { stretch.state.id() };
    Outage {
        cause,
        from: Some(stretch.from),
        context: rest.iter().copied().chain(stretch.restored_by).collect(),
        what: what.to_string(),
        unsure: stretch.unsure,
        state: if stretch.until.is_some() { KeyState::Enabled.id() } else { lost },
        deadline,
        waits_for_replicas: waits_for_replicas && stretch.until.is_none(),
        restored: stretch.until,
        over: None,
        undo,
        failures: Vec::new(),
    }
}

fn cause_unknown<'v>(first: usize) -> Outage<'v> {
    Outage {
        cause: None,
        from: None,
        context: Vec::new(),
        what: "is unusable".into(),
        unsure: None,
        state: "unusable",
        deadline: None,
        waits_for_replicas: false,
        restored: None,
        over: None,
        undo: Undo::Find,
        failures: vec![first],
    }
}

//! Times in which a key could not be used, and the failures that fall into them.

use super::context::Context;
use super::time::{DAY, MINUTE};
use crate::view::KeyView;
use crate::view::event::EventRef;
use crate::view::history::{KeyState, StateChange};
use crate::view::ledger::ControlEvent;

/// KMS settles a change of state within minutes: calls may still succeed after a disable and fail after an enable.
const SETTLING: i64 = 5 * MINUTE;

/// How to make the key usable again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Enable it.
    Enable,
    /// Cancel the deletion, then enable it.
    CancelDeletion,
    /// Import the material again.
    Import,
    /// There is no way back.
    None,
    /// The log does not say what happened.
    Find,
}

/// Why an outage counts as over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Over {
    /// A call succeeded.
    Success {
        /// Its operation.
        operation: String,
        /// When, milliseconds.
        time: i64,
        /// The event, where it is kept.
        event: Option<EventRef>,
    },
    /// Enabled long enough without a failure; index of the event that enabled it.
    Quiet(usize),
    /// It was enabled and became unusable again, which is an outage of its own; index of the event that did it.
    Again(usize),
}

impl Over {
    /// Name in outputs.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Success { .. } => "success",
            Self::Quiet(_) => "quiet",
            Self::Again(_) => "again",
        }
    }
}

/// One stretch of time in which a key was unusable.
#[derive(Clone, Debug)]
pub struct Outage {
    /// Index of the event that began it; `None` when it lies before the log.
    pub cause: Option<usize>,
    /// Later events of the same stretch: a deletion scheduled on a disabled key, the event that ended it.
    pub context: Vec<usize>,
    /// What happened to the key, as `disabled`, `scheduled for deletion`.
    pub what: &'static str,
    /// State at the end of the stretch, or of the log, in KMS's words.
    pub state: &'static str,
    /// When the key will be or was deleted, milliseconds.
    pub deadline: Option<i64>,
    /// The waiting period has not begun: it begins when the last replica of this multi-Region key is deleted.
    pub waits_for_replicas: bool,
    /// When it was made usable again, as far as the log shows.
    pub restored: Option<i64>,
    /// Why it is over; `None` while it is not.
    pub over: Option<Over>,
    /// How to undo it.
    pub undo: Undo,
    /// Indices into the failures that were given.
    pub failures: Vec<usize>,
}

/// A stretch before failures are known.
struct Stretch {
    from: i64,
    until: Option<i64>,
    events: Vec<usize>,
    restored_by: Option<usize>,
    state: KeyState,
}

/// Groups failures (first and last time of each, in order of time) by the stretch that caused them. Failures outside
/// every stretch have a cause that the log does not show; `quiet` milliseconds without one end such an incident.
pub fn outages(key: &KeyView, failures: &[(i64, i64)], quiet: i64, cx: &Context<'_>) -> Vec<Outage> {
    if failures.is_empty() {
        return Vec::new();
    }
    let successes = successes(key, cx);
    let stretches = stretches(key, &successes);
    let mut outages: Vec<Outage> = stretches.iter().map(|stretch| known(key, stretch, cx)).collect();
    let mut unknown: Vec<Outage> = Vec::new();
    let mut last = i64::MIN;
    for (index, &(from, to)) in failures.iter().enumerate() {
        let begun = stretches.partition_point(|stretch| stretch.from <= from);
        let inside = begun
            .checked_sub(1)
            .filter(|&at| stretches[at].until.is_none_or(|until| from <= until.saturating_add(SETTLING)));
        match inside {
            Some(at) => outages[at].failures.push(index),
            None if waits_for_first_import(key, from) => {}
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
    outages.extend(unknown);
    outages.retain(|outage| !outage.failures.is_empty());
    for outage in &mut outages {
        let end = outage.failures.iter().map(|&at| failures[at].1).max().unwrap_or(0);
        outage.over = over(key, outage, end, &successes, quiet, cx);
    }
    outages
}

/// A successful cryptographic call: it proves that the key was usable.
struct Success<'c> {
    time: i64,
    operation: &'c str,
    /// The event; of a series' five minutes only the first is kept.
    event: Option<EventRef>,
}

/// First and last success of each series' five minutes, by time.
fn successes<'c>(key: &KeyView, cx: &Context<'c>) -> Vec<Success<'c>> {
    let mut successes: Vec<Success<'c>> = Vec::new();
    for series in key.series.iter().filter(|series| series.succeeded() && cx.text(series.key.operation) == "crypto") {
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
fn first_after<'s, 'c>(successes: &'s [Success<'c>], at: i64) -> Option<&'s Success<'c>> {
    successes.get(successes.partition_point(|success| success.time <= at))
}

fn stretches(key: &KeyView, successes: &[Success<'_>]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for change in &key.history.states {
        let open = stretches.last_mut().filter(|stretch| stretch.until.is_none());
        match (change.state.is_unusable(), open) {
            // A key that waits for its first import never worked: nothing depends on it yet.
            (true, None) if is_first_import(key, change) => {}
            (true, None) => stretches.push(Stretch {
                from: change.at,
                until: None,
                events: vec![change.by],
                restored_by: None,
                state: change.state,
            }),
            (true, Some(stretch)) => {
                stretch.events.push(change.by);
                stretch.state = change.state;
            }
            (false, Some(stretch)) => {
                stretch.until = Some(change.at);
                stretch.restored_by = Some(change.by);
            }
            (false, None) => {}
        }
    }
    // A success well inside a stretch proves that somebody enabled the key where the log does not show it.
    for stretch in &mut stretches {
        let settled = stretch.from + SETTLING;
        let proof = first_after(successes, settled)
            .map(|success| success.time)
            .filter(|&time| stretch.until.is_none_or(|until| time < until - SETTLING));
        if let Some(time) = proof {
            stretch.until = Some(time);
            stretch.restored_by = None;
        }
    }
    stretches
}

/// A key made to take imported material, before it has any: it never worked.
fn is_first_import(key: &KeyView, change: &StateChange) -> bool {
    change.state == KeyState::PendingImport && key.history.created == Some(change.by)
}

fn waits_for_first_import(key: &KeyView, at: i64) -> bool {
    key.history.state_at(at).is_some_and(|change| is_first_import(key, &change))
}

fn known(key: &KeyView, stretch: &Stretch, cx: &Context<'_>) -> Outage {
    let (cause, rest) = stretch.events.split_first().map_or((None, &[][..]), |(first, rest)| (Some(*first), rest));
    let name = |at: usize| cx.text(Some(key.events[at].name));
    let what = match cause.map(name) {
        Some("DisableKey") if rest.iter().any(|&at| name(at) == "ScheduleKeyDeletion") => {
            "disabled, then scheduled for deletion,"
        }
        Some("ScheduleKeyDeletion") => "scheduled for deletion",
        Some("DeleteKey") => "deleted",
        Some("DeleteImportedKeyMaterial") => "stripped of its key material",
        Some("DeleteExpiredKeyMaterial") => "left without key material, which expired,",
        Some("CancelKeyDeletion") => "left disabled after its deletion was cancelled",
        _ => "disabled",
    };
    let scheduled = stretch.events.iter().rev().find(|&&at| name(at) == "ScheduleKeyDeletion");
    let detail = scheduled.map(|&at| &key.events[at].detail);
    let waits_for_replicas = detail.is_some_and(|detail| cx.text(detail.key_state) == "PendingReplicaDeletion");
    let deadline = scheduled
        .filter(|_| matches!(stretch.state, KeyState::PendingDeletion | KeyState::Deleted))
        .filter(|_| stretch.until.is_none() && !waits_for_replicas)
        .and_then(|&at| deadline(&key.events[at]));
    let undo = match stretch.state {
        KeyState::PendingDeletion => Undo::CancelDeletion,
        KeyState::Deleted => Undo::None,
        KeyState::PendingImport => Undo::Import,
        _ => Undo::Enable,
    };
    Outage {
        cause,
        context: rest.iter().copied().chain(stretch.restored_by).collect(),
        what,
        state: if stretch.until.is_some() { KeyState::Enabled.id() } else { stretch.state.id() },
        deadline,
        waits_for_replicas: waits_for_replicas && stretch.until.is_none(),
        restored: stretch.until,
        over: None,
        undo,
        failures: Vec::new(),
    }
}

/// End of the waiting period of a scheduled deletion; `None` when the record gives one that KMS does not.
fn deadline(scheduled: &ControlEvent) -> Option<i64> {
    let days = scheduled.detail.pending_window_days.unwrap_or(30);
    (7..=30).contains(&days).then(|| scheduled.event.time.saturating_add(days * DAY))
}

fn cause_unknown(first: usize) -> Outage {
    Outage {
        cause: None,
        context: Vec::new(),
        what: "is unusable",
        state: "unusable",
        deadline: None,
        waits_for_replicas: false,
        restored: None,
        over: None,
        undo: Undo::Find,
        failures: vec![first],
    }
}

fn over(
    key: &KeyView,
    outage: &Outage,
    last_failure: i64,
    successes: &[Success<'_>],
    quiet: i64,
    cx: &Context<'_>,
) -> Option<Over> {
    let after = last_failure.max(outage.restored.unwrap_or(i64::MIN));
    // Without a restoring event only a success tells; with one, a success that lies after it and after the last failure.
    if (outage.restored.is_some() || outage.cause.is_none())
        && let Some(success) = first_after(successes, last_failure.max(after - 1))
    {
        return Some(Over::Success {
            operation: success.operation.to_string(),
            time: success.time,
            event: success.event,
        });
    }
    let restored = outage.restored?;
    if let Some(again) = key.history.states.iter().find(|change| change.at > restored && change.state.is_unusable()) {
        return Some(Over::Again(again.by));
    }
    let by = key.history.states.iter().find(|change| change.at == restored && change.state == KeyState::Enabled)?.by;
    (cx.as_of - after >= quiet).then_some(Over::Quiet(by))
}

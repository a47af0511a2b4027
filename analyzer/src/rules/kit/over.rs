//! When an outage counts as over.

use foldhash::HashSet;

use super::context::Context;
use super::outage::{Failure, Outage, Success, first_after, successes_of};
use crate::frame::Sym;
use crate::view::KeyView;
use crate::view::activity::SeriesKey;
use crate::view::event::EventRef;
use crate::view::ledger::ControlEvent;

/// Why an outage counts as over.
#[derive(Clone, Debug, PartialEq)]
pub enum Over<'v> {
    /// A call succeeded.
    Success {
        /// Its operation.
        operation: String,
        /// When, milliseconds.
        time: i64,
        /// The event, where it is kept.
        event: Option<EventRef>,
    },
    /// Undone long enough without a failure; the event that did it, where it is one of this key.
    Quiet(Option<&'v ControlEvent>),
    /// It was usable and became unusable again, which is an outage of its own; the event that did it.
    Again(&'v ControlEvent),
}

impl Over<'_> {
    fn by(success: &Success<'_>) -> Self {
        Self::Success { operation: success.operation.to_string(), time: success.time, event: success.event }
    }

    /// Name in outputs.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Success { .. } => "success",
            Self::Quiet(_) => "quiet",
            Self::Again(_) => "again",
        }
    }
}

/// Who calls what: service that logged it, operation, principal, and the service in between.
pub type Caller = (Sym, Sym, Option<Sym>, Option<Sym>);

/// The caller of a series.
pub fn caller(key: &SeriesKey) -> Caller {
    (key.source, key.name, key.principal, key.via)
}

/// A call like those that failed, by one of those who made them, succeeded after an instant.
pub fn by_callers<'v>(
    key: &'v KeyView,
    outage: &Outage<'v>,
    failures: &[Failure<'v>],
    after: i64,
    cx: &Context<'v>,
) -> Option<Over<'v>> {
    let callers: HashSet<Caller> = outage.failures.iter().map(|&at| caller(&failures[at].series.key)).collect();
    let own = key.series.iter().filter(|series| series.succeeded() && callers.contains(&caller(&series.key)));
    first_after(&successes_of(own, cx), after).map(Over::by)
}

/// Whether the outage of a key that failed everybody is over. `again` is the event with which the next one began.
pub fn of<'v>(
    outage: &Outage<'v>,
    last_failure: i64,
    again: Option<&'v ControlEvent>,
    successes: &[Success<'_>],
    quiet: i64,
    cx: &Context<'_>,
) -> Option<Over<'v>> {
    let after = last_failure.max(outage.restored.unwrap_or(i64::MIN));
    // Without a restoring event only a success tells; with one, a success that lies after it and after the last failure.
    if (outage.restored.is_some() || outage.cause.is_none())
        && let Some(success) = first_after(successes, last_failure.max(after - 1))
    {
        return Some(Over::by(success));
    }
    let restored = outage.restored?;
    if let Some(again) = again {
        return Some(Over::Again(again));
    }
    let by = outage.context.iter().find(|control| control.event.time == restored)?;
    (cx.as_of - after >= quiet).then_some(Over::Quiet(Some(*by)))
}

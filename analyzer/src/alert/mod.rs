//! Who is told, how, and once.
//!
//! ```text
//! findings → incidents (`incident`) → what is new to a sink (`plan`, by `route`) → messages (`message`, `bundle`)
//!          → lease → transport → mark (`deliver`, `state`)
//! ```
//!
//! **What is promised.** An alert is about an incident, not about a finding. Every sink is told of an incident at least once,
//! again when it gets worse, and once when it is over or was none. A repeat happens only when a crash falls between the
//! acceptance by the other side and our mark, and then under the same id (`Message-ID`, `Idempotency-Key`, `dedup`). What
//! could not be sent stays pending, and the next run sends it. A sink that is down delays no other: each has a thread and a
//! budget of its own.
//!
//! **What is not.** Without a lake nothing is remembered, and each run tells everything.
//!
//! Everything up to the messages is pure. Only `transport` talks to anybody, only `deliver` touches the lake, and only
//! `pipeline` calls this room.

mod bundle;
mod clock;
mod deliver;
mod evidence;
mod incident;
mod message;
mod plan;
mod post;
mod record;
mod rehearse;
mod render;
pub mod route;
mod state;
mod subject;
mod transport;
mod wire;

use std::collections::BTreeSet;
use std::sync::{Arc, mpsc};
use std::time::Duration;

pub use self::evidence::evidence;
pub use self::incident::{Incident, Tale};
pub use self::message::{Alert, Bundle, Change, Gone, Subject};
pub use self::record::{Record, Records};
pub(crate) use self::rehearse::Rehearsal;
pub use self::rehearse::{Outcome as RehearsalOutcome, Sent};
pub use self::transport::SendError;

use self::clock::Clock;
use self::deliver::Outcome;
use self::plan::Situation;
use self::post::Post;
use crate::config::{AlertSink, Settings};
use crate::lake::{Lake, LakeError, When};
use crate::report::Report;
use crate::report::audit::{Drill, DrillSink};

/// How to tell.
#[derive(Clone, Copy, Debug)]
pub struct Notify {
    /// The time now, milliseconds since the epoch: what is certain by now, which digest is due, what signatures carry.
    pub now: i64,
    /// True when the report covers everything that the lake knows: then what is not in it is not there, and is withdrawn.
    pub whole: bool,
    /// With a lake: a sink that was never told anything gets one summary of what is there, not a message for each.
    pub first_is_summary: bool,
    /// Nothing is told alone: all that is new is one message. After a backfill, what is new to us is old to everybody else.
    pub together: bool,
    /// How long one sink may take. Sinks are told side by side.
    pub budget: Duration,
}

impl Notify {
    /// As of a moment: a report of everything, the first run a summary, a minute for every sink.
    pub fn at(now: i64) -> Self {
        Self { now, whole: true, first_is_summary: true, together: false, budget: Duration::from_secs(60) }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notified {
    /// Messages that sinks took.
    pub sent: u64,
    /// What sinks are not told yet, and will be by a later run: because they are down, because somebody else is telling
    /// them, or because their digest is not due. Of a sink that did not answer at all, what it might have to be told.
    pub pending: u64,
    /// Sinks that were not told everything, and why.
    pub failed: Vec<(String, String)>,
    /// Incidents that got no message of their own because there were too many; one further message lists them.
    pub suppressed: u64,
    /// Open incidents that no sink takes, without those that the configuration routes to nobody and those of severity info.
    pub unrouted: u64,
}

/// Tells all sinks of the configuration.
pub(crate) fn tell(report: &Report, settings: &Settings, lake: Option<&Lake>, how: Notify) -> Notified {
    let situation = Arc::new(situation(report, settings, how));
    let job = |sink: &AlertSink| {
        let (sink, situation, lake) = (sink.clone(), Arc::clone(&situation), lake.cloned());
        move || {
            let clock = Clock::start(how.now, how.budget);
            match &lake {
                Some(lake) => {
                    let post = Post::new(&sink, clock);
                    deliver::with_state(&sink, &situation, clock, lake, how.first_is_summary, post)
                }
                None => deliver::without_state(&sink, &situation, clock),
            }
        }
    };
    let sinks = &settings.alert.sinks;
    let outcomes = side_by_side(sinks, how.budget, job);
    let mut notified = Notified::default();
    for (sink, outcome) in sinks.iter().zip(outcomes) {
        let outcome = outcome.unwrap_or_else(|reason| Outcome {
            failed: Some(reason),
            pending: plan::items(&situation, sink, &plan::Blank).len() as u64,
            ..Outcome::default()
        });
        notified.sent += outcome.sent;
        notified.pending += outcome.pending;
        notified.suppressed += outcome.suppressed;
        notified.failed.extend(outcome.failed.map(|reason| (sink.name.clone(), reason)));
    }
    let lost = situation.incidents.iter().filter(|incident| plan::is_lost(&situation, incident));
    notified.unrouted = lost.count() as u64;
    notified
}

/// What all sinks are told of.
fn situation(report: &Report, settings: &Settings, how: Notify) -> Situation {
    let settle = plan::minutes(settings.alert.options.settle_minutes);
    let mut alerting = settings.alert.clone();
    if how.together {
        alerting.options.max_per_run = 0;
    }
    Situation {
        incidents: Incident::group(&report.findings, how.now, settle),
        alerting,
        accounts: settings.accounts.clone(),
        settings_digest: report.run.settings_digest.clone(),
        now: how.now,
        whole: how.whole,
        rules_run: report.run.rules_run.iter().map(|rule| (*rule).to_owned()).collect::<BTreeSet<_>>(),
    }
}

/// Sends a test message to every sink: each with what came of it, in the order of the configuration.
pub(crate) fn test(settings: &Settings, how: Notify) -> Vec<(String, Result<(), String>)> {
    let job = |sink: &AlertSink| {
        let sink = sink.clone();
        move || {
            let clock = Clock::start(how.now, how.budget);
            Post::new(&sink, clock).send(&Alert::test(&sink.name, how.now)).map_err(|error| error.message)
        }
    };
    let outcomes = side_by_side(&settings.alert.sinks, how.budget, job);
    let flat = |outcome: Result<Result<(), String>, String>| outcome.and_then(|sent| sent);
    settings.alert.sinks.iter().map(|sink| sink.name.clone()).zip(outcomes.into_iter().map(flat)).collect()
}

/// The same as [`test`](fn@test), and the lake keeps what came of it.
///
/// # Errors
/// When the lake does not take it; by then the messages are sent.
pub(crate) fn drill(settings: &Settings, lake: &Lake, how: Notify) -> Result<Drill, LakeError> {
    let outcomes = test(settings, how);
    let sinks = settings.alert.sinks.iter().zip(outcomes).map(|(sink, (name, outcome))| DrillSink {
        sink: name,
        kind: sink.channel.kind().to_owned(),
        failed: outcome.err(),
    });
    let drill = Drill { at: how.now, sinks: sinks.collect(), record: Default::default() };
    lake.store().put(&evidence::drill_path(how.now), &wire::write_drill(&drill), When::Always)?;
    Ok(drill)
}

/// Runs one job per sink, each on a thread of its own. One that does not end in time is left behind: what it leases runs
/// out by itself.
fn side_by_side<T, J>(sinks: &[AlertSink], budget: Duration, job: impl Fn(&AlertSink) -> J) -> Vec<Result<T, String>>
where
    T: Send + 'static,
    J: FnOnce() -> T + Send + 'static,
{
    // Transports keep to the budget by themselves; this is for what cannot be interrupted, as a name server.
    const MARGIN: Duration = Duration::from_secs(5);
    let limit = Clock::start(0, budget + MARGIN);
    let running: Vec<Result<mpsc::Receiver<T>, String>> = sinks
        .iter()
        .map(|sink| {
            let (done, outcome) = mpsc::channel();
            let job = job(sink);
            std::thread::Builder::new()
                .name(format!("alert {}", sink.name))
                .spawn(move || {
                    let _ = done.send(job());
                })
                .map(|_| outcome)
                .map_err(|error| format!("could not start a thread: {error}"))
        })
        .collect();
    running
        .into_iter()
        .map(|outcome| {
            outcome?.recv_timeout(limit.left()).map_err(|error| match error {
                mpsc::RecvTimeoutError::Timeout => format!("did not end within {} s", (budget + MARGIN).as_secs()),
                mpsc::RecvTimeoutError::Disconnected => "broke off".to_owned(),
            })
        })
        .collect()
}

//! Findings on their way to people.

use super::sources::lakes;
use super::{ScanError, ScanOptions};
use crate::alert;
pub use crate::alert::{Notified, Notify};
use crate::config::Settings;
use crate::lake::{Lake, LakeError};
use crate::report::Report;
use crate::report::audit::{Drill, Recorded};

/// Tells the sinks of the configuration what they do not know yet.
///
/// With a lake, `alerts/` in it remembers what each sink was told: an incident is told once, again when it gets worse, and
/// once when it is over. Several processes may do this at the same time; one of them tells. Without a lake every incident
/// of the report is told, each time.
///
/// Nothing here is an error of the run: a sink that fails is in [`Notified::failed`], and what it was not told is told by
/// the next run.
pub fn notify(report: &Report, settings: &Settings, lake: Option<&Lake>, how: Notify) -> Notified {
    alert::tell(report, settings, lake, how)
}

/// Sends a test message to every sink: each sink with what came of it, in the order of the configuration.
pub fn try_sinks(settings: &Settings, how: Notify) -> Vec<(String, Result<(), String>)> {
    alert::test(settings, how)
}

/// Sends a test message to every sink and keeps in the lake what came of it: the proof that an alert would have arrived.
///
/// # Errors
/// When the lake does not take it. A sink that fails is in the [`Drill`].
pub fn drill(settings: &Settings, lake: &Lake, how: Notify) -> Result<Drill, LakeError> {
    alert::drill(settings, lake, how)
}

/// What the lakes among the sources prove of alerting: who was told of what and when, and which test messages arrived.
/// `None` when no source is a lake.
///
/// # Errors
/// When a lake cannot be read.
pub fn alert_evidence(options: &ScanOptions) -> Result<Option<Recorded>, ScanError> {
    let lakes = lakes(options)?;
    let mut recorded = (!lakes.is_empty()).then(Recorded::default);
    for lake in &lakes {
        let of = alert::evidence(lake)?;
        if let Some(recorded) = &mut recorded {
            recorded.add(of);
        }
    }
    if let Some(recorded) = recorded.as_mut().filter(|_| options.redact) {
        recorded.redact();
    }
    Ok(recorded)
}

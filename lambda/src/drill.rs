//! Would an alert arrive? A test message to every sink, and the proof of it in the lake.

use std::time::Duration;

use keytrail::pipeline::{self, Notify};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::handler::Call;
use crate::shell::Shell;
use crate::telemetry::{Line, name};

/// How long one sink may take.
const BUDGET: Duration = Duration::from_secs(45);

/// Sends the messages. A sink that fails fails no invocation: it is in the lake, in the metrics, and in the answer.
///
/// # Errors
/// When there is no lake, or it does not take the proof.
pub(crate) fn run(shell: &Shell, call: &Call<'_>, line: &mut Line) -> Result<Value, Failure> {
    let Some(lake) = shell.receiver.lake() else {
        return Err(Failure::BadConfiguration("KEYTRAIL_LAKE is not set: there is nowhere to keep the proof".into()));
    };
    let how = Notify { budget: BUDGET, ..Notify::at((call.clock)()) };
    let drill = pipeline::drill(shell.receiver.settings(), lake, how)
        .map_err(|error| Failure::Unavailable(error.to_string()))?;
    let is_passed = drill.is_passed();
    line.add(name::DrillsPassed, u64::from(is_passed));
    line.add(name::DrillsFailed, u64::from(!is_passed));
    let sinks: Vec<Value> =
        drill.sinks.iter().map(|sink| json!({"sink": sink.sink, "kind": sink.kind, "failed": sink.failed})).collect();
    line.say("sinks", sinks.clone());
    Ok(json!({"passed": is_passed, "sinks": sinks}))
}

//! A batch of a backfill: many objects that were there before anybody listened.

use keytrail::lake::Lake;
use keytrail::pipeline::Fate;
use serde_json::{Value, json};

use crate::envelope::Message;
use crate::failure::Failure;
use crate::handler::{Call, NAMED, Quiet, is_no_log, measure, object, why};
use crate::shell::{BACKFILL, Shell};
use crate::telemetry::{Line, name};

/// From now on evaluations tell nobody, for so many minutes or until the one after the backfill: a lake that fills up shows a
/// little more each time, and all of it is old. One backfill at a time.
///
/// # Errors
/// When there is no lake, or it cannot be written.
pub(crate) fn hold(shell: &Shell, call: &Call<'_>, minutes: u32) -> Result<Value, Failure> {
    let lake = lake(shell)?;
    let until = (call.clock)() + i64::from(minutes) * 60_000;
    lake.seize(BACKFILL, call.id, until).map_err(|error| Failure::Unavailable(error.to_string()))?;
    Ok(json!({"held": minutes}))
}

fn lake(shell: &Shell) -> Result<&Lake, Failure> {
    let missing =
        || Failure::BadConfiguration("KEYTRAIL_LAKE is not set: there is nothing to bring objects into".into());
    shell.receiver.lake().ok_or_else(missing)
}

/// Brings the objects into the lake, as parts; what the lake has already is not read again. Tells nobody of anything.
///
/// What can never be read does not fail the batch, as asking again would change nothing: the lake remembers it, and the
/// answer names it.
///
/// # Errors
/// When something may be read or kept another time; what was read stays.
pub(crate) fn ingest(shell: &Shell, message: &Message, line: &mut Line) -> Result<Value, Failure> {
    lake(shell)?;
    let objects: Vec<_> = message.objects.iter().filter_map(|notice| object(shell, notice)).collect();
    let mut passed = (message.objects.len() - objects.len()) as u64;
    let (mut read, mut unchanged) = (0_u64, 0_u64);
    let (mut skipped, mut again) = (Vec::new(), Vec::new());
    for (uri, outcome) in shell.receiver.bring(objects, &Quiet)? {
        measure(line, &outcome);
        match &outcome.fate {
            Fate::Read => read += 1,
            Fate::Known => unchanged += 1,
            Fate::Passed(_) => passed += 1,
            Fate::Failed { reason, .. } if is_no_log(&uri, *reason) => passed += 1,
            Fate::Failed { reason, detail } => {
                let list = if reason.is_transient() { &mut again } else { &mut skipped };
                list.push(why(&uri, *reason, detail.as_deref()));
            }
            Fate::NotKept(error) => again.push(format!("{uri}: the lake did not take it: {error}")),
        }
    }
    line.add(name::Objects, read);
    line.add(name::PassedBy, passed);
    line.add(name::Skipped, (skipped.len() + again.len()) as u64);
    line.add(name::Failed, u64::from(!again.is_empty()));
    line.say("unchanged", unchanged);
    for (told, list) in [("skipped", &skipped), ("failed", &again)] {
        if !list.is_empty() {
            line.say(told, &list[..list.len().min(NAMED)]);
        }
    }
    if let Some(first) = again.first() {
        return Err(Failure::ObjectsFailed(format!("{} of {}, such as {first}", again.len(), message.objects.len())));
    }
    if let Some(wrong) = message.wrong.first() {
        return Err(Failure::NotUnderstood(wrong.clone()));
    }
    let mut answer = json!({"read": read, "unchanged": unchanged, "passedBy": passed, "skipped": skipped.len()});
    if !skipped.is_empty() {
        skipped.truncate(NAMED);
        answer["why"] = json!(skipped);
    }
    Ok(answer)
}

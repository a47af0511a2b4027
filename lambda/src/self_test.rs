//! Does it work at all? A log with one thing wrong in it goes through the pipeline, and what was set up is looked at.

use keytrail::pipeline::{Arrival, Progress};
use keytrail::source::Object;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::handler::Call;
use crate::shell::Shell;

/// Somebody schedules the deletion of a key that is in use.
const LOG: &[u8] = include_bytes!("self_test.ndjson");

/// The rule that must say so.
const RULE: &str = "key-deletion-scheduled";

struct Quiet;

impl Progress for Quiet {}

/// Tests what needs nobody else: decoding, extraction, rules.
///
/// # Errors
/// When the rule does not find what is there.
pub fn pipeline() -> Result<Value, Failure> {
    let options = keytrail::pipeline::ScanOptions::new(Vec::new(), keytrail::config::Settings::default());
    let session = keytrail::source::s3::Session::new(options.s3.clone())?;
    let receiver = keytrail::pipeline::Receiver::new(options, session, None)?;
    let object = Object::in_memory("self-test".into(), LOG);
    let arrival = Arrival { object, bytes: Some(LOG.to_vec()), unit: None };
    let received = receiver.read(vec![arrival], &Quiet)?;
    let findings = received.report.map(|report| report.findings).unwrap_or_default();
    if !findings.iter().any(|finding| finding.rule == RULE) {
        return Err(Failure::SelfTest(format!("{RULE} did not find what is there")));
    }
    Ok(json!({"version": env!("CARGO_PKG_VERSION"), "findings": findings.len()}))
}

/// Tests all of it: also that the lake can be read and written under a condition.
pub(crate) fn run(shell: &Shell, call: &Call<'_>) -> Result<Value, Failure> {
    let mut told = pipeline()?;
    if let Some(lake) = shell.receiver.lake() {
        let failed = |error: keytrail::lake::LakeError| Failure::Unavailable(error.to_string());
        let now = (call.clock)();
        if let Some(lease) = lake.lease("self-test", call.id, now, now + 1).map_err(failed)? {
            lake.release(lease).map_err(failed)?;
        }
        told["lake"] = lake.store().describe().into();
    }
    Ok(told)
}

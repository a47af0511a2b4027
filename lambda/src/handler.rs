//! One invocation: what is asked for, done, and told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::DateTime;
use keytrail::decode::SkipReason;
use keytrail::finding::{Finding, Severity, Status};
use keytrail::pipeline::{self, Fate, Notify, Outcome, Progress};
use keytrail::report::{Report, ndjson};
use keytrail::source::{Layout, Object, ObjectKind};
use serde_json::{Value, json};

use crate::envelope::{Envelope, Message, Notice, objects};
use crate::failure::Failure;
use crate::shell::{BACKFILL, EVALUATE, Shell};
use crate::telemetry::{self, Line, name};
use crate::{backfill, drill, logs, self_test};

/// Objects after which the clock is looked at again.
const AT_ONCE: usize = 64;

/// Time that is left for what comes after reading, milliseconds: what cannot be begun by then comes again.
const RESERVE: i64 = 10_000;

/// Objects that a line names one by one.
pub(crate) const NAMED: usize = 20;

/// What the runtime says about an invocation.
#[derive(Debug)]
pub struct Call<'c> {
    /// Id of the invocation.
    pub id: &'c str,
    /// When the function is stopped, milliseconds since the epoch.
    pub deadline: i64,
    /// Tells the time, milliseconds since the epoch.
    pub clock: fn() -> i64,
}

/// Nobody watches.
pub(crate) struct Quiet;

impl Progress for Quiet {}

/// Handles an invocation, and leaves its line in the log.
///
/// # Errors
/// When the invocation is to be repeated or given up as a whole. Messages of a queue never fail as a whole: the answer names
/// those that are to come again.
pub fn handle(shell: &Shell, payload: &Value, call: &Call<'_>) -> Result<Value, Failure> {
    let begun = (call.clock)();
    let session = shell.receiver.session();
    let (requests, throttled) = (session.requests(), session.throttled());
    let mut line = Line::default();
    line.say("requestId", call.id);
    let answer = dispatch(shell, payload, call, &mut line);
    line.add(name::Requests, session.requests() - requests);
    line.add(name::Throttles, session.throttled() - throttled);
    finish(&mut line, &shell.environment.function, begun, (call.clock)(), &answer);
    answer
}

/// Ends the line of an invocation.
pub fn finish(line: &mut Line, function: &str, begun: i64, now: i64, answer: &Result<Value, Failure>) {
    line.most(name::Duration, (now - begun) as f64);
    match answer {
        Ok(_) => line.say("level", "INFO"),
        Err(failure) => {
            line.say("level", "ERROR");
            line.say("error", json!({"kind": failure.kind(), "message": failure.to_string()}));
        }
    }
    telemetry::print(&line.json(function, now));
}

fn dispatch(shell: &Shell, payload: &Value, call: &Call<'_>, line: &mut Line) -> Result<Value, Failure> {
    match objects(payload) {
        Envelope::Evaluate { after_backfill } => {
            line.say("kind", "evaluation");
            evaluate(shell, call, after_backfill, line)
        }
        Envelope::Hold(minutes) => {
            line.say("kind", "hold");
            backfill::hold(shell, call, minutes)
        }
        Envelope::Drill => {
            line.say("kind", "drill");
            drill::run(shell, call, line)
        }
        Envelope::SelfTest => {
            line.say("kind", "self-test");
            self_test::run(shell, call)
        }
        Envelope::Ingest(message) => {
            line.say("kind", "ingest");
            backfill::ingest(shell, &message, line)
        }
        Envelope::Delivery { messages, from_queue } => {
            line.say("kind", "delivery");
            line.say("messages", messages.len());
            let mut delivery = Delivery::new(shell, call, line);
            let failed = delivery.read(messages)?;
            if !from_queue {
                return delivery.answer_as_a_whole(&failed);
            }
            // Without an id a message cannot be named, and then all are to come again.
            let ids: Option<Vec<&str>> = failed.iter().map(|(message, _)| message.id.as_deref()).collect();
            let ids = ids.ok_or_else(|| Failure::NotUnderstood("a message of a queue without an id".into()))?;
            let failures: Vec<Value> = ids.into_iter().map(|id| json!({"itemIdentifier": id})).collect();
            Ok(json!({"batchItemFailures": failures}))
        }
    }
}

/// A message that is to come again, and why.
type Failed = (Message, String);

/// Messages on their way through the pipeline.
struct Delivery<'d> {
    shell: &'d Shell,
    call: &'d Call<'d>,
    line: &'d mut Line,
    told: BTreeMap<String, u64>,
    read: u64,
    passed: u64,
}

impl<'d> Delivery<'d> {
    fn new(shell: &'d Shell, call: &'d Call<'d>, line: &'d mut Line) -> Self {
        Self { shell, call, line, told: BTreeMap::new(), read: 0, passed: 0 }
    }

    /// Reads what the messages name. Gives those that are to come again: S3 or the lake failed, the object cannot be read by
    /// anybody, the message is not understood, or there was no time.
    fn read(&mut self, messages: Vec<Message>) -> Result<Vec<Failed>, Failure> {
        let mut failed = Vec::new();
        let mut waiting = messages.into_iter().peekable();
        let mut first = true;
        while waiting.peek().is_some() {
            let is_late = self.call.deadline - (self.call.clock)() < RESERVE;
            let (mut chunk, mut count) = (Vec::new(), 0);
            while count < AT_ONCE {
                let Some(message) = waiting.next() else { break };
                count += message.objects.len() + message.logs.len();
                chunk.push(message);
            }
            if is_late && !first {
                failed.extend(chunk.into_iter().map(|message| (message, "no time left".to_owned())));
                continue;
            }
            first = false;
            failed.extend(self.chunk(chunk)?);
        }
        for (_, why) in &failed {
            *self.told.entry(why.clone()).or_default() += 1;
        }
        self.line.add(name::Objects, self.read);
        self.line.add(name::PassedBy, self.passed);
        self.line.add(name::Failed, failed.len() as u64);
        if !self.told.is_empty() {
            let all = self.told.len();
            let shown: Vec<_> =
                self.told.iter().take(NAMED).map(|(why, count)| json!({"why": why, "count": count})).collect();
            self.line.say("failed", shown);
            self.line.say("failedKinds", all);
        }
        Ok(failed)
    }

    fn chunk(&mut self, messages: Vec<Message>) -> Result<Vec<Failed>, Failure> {
        let mut arrivals = Vec::new();
        // What each message waits for, and what is wrong with it already.
        let mut waiting: Vec<(Message, BTreeSet<String>, Option<String>)> = Vec::new();
        for message in messages {
            self.passed += message.others;
            let mut wrong = message.wrong.first().map(|wrong| format!("not understood: {wrong}"));
            let mut uris = BTreeSet::new();
            for notice in &message.objects {
                match object(self.shell, notice) {
                    Some(object) => {
                        uris.insert(object.uri.clone());
                        arrivals.push(object.into());
                    }
                    None => self.passed += 1,
                }
            }
            for data in &message.logs {
                match logs::arrival(data, self.shell.environment.region.as_deref()) {
                    Ok(Some(arrival)) => {
                        uris.insert(arrival.object.uri.clone());
                        arrivals.push(arrival);
                    }
                    Ok(None) => self.passed += 1,
                    Err(error) => wrong = Some(format!("not understood: {error}")),
                }
            }
            waiting.push((message, uris, wrong));
        }
        let received = self.shell.receiver.read(arrivals, &Quiet)?;
        let mut trouble: BTreeMap<&str, String> = BTreeMap::new();
        for (uri, outcome) in &received.objects {
            if let Some(why) = self.count(uri, outcome) {
                trouble.insert(uri, why);
            }
        }
        let now = (self.call.clock)();
        for (message, ..) in &waiting {
            for time in message.objects.iter().filter_map(|notice| notice.time.as_deref()) {
                let Ok(time) = DateTime::parse_from_rfc3339(time) else { continue };
                self.line.most(name::DeliveryLag, (now - time.timestamp_millis()).max(0) as f64 / 1000.0);
            }
        }
        if let Some(report) = &received.report {
            lag(report, self.line, now);
            self.line.add(name::FindingsAtOnce, report.findings.len() as u64);
            print(&report.findings);
            if self.shell.was_evaluated() {
                notify(self.shell, self.call, report, Telling { whole: false, together: false }, self.line);
            }
        }
        let missing = "an object got lost on the way";
        Ok(waiting
            .into_iter()
            .filter_map(|(message, uris, wrong)| {
                let why = wrong
                    .or_else(|| uris.iter().find_map(|uri| trouble.get(uri.as_str()).cloned()))
                    .or_else(|| uris.iter().any(|uri| !received.objects.contains_key(uri)).then(|| missing.to_owned()));
                Some((message, why?))
            })
            .collect())
    }

    /// Counts an object; says why it is to come again, if it is.
    fn count(&mut self, uri: &str, outcome: &Outcome) -> Option<String> {
        measure(self.line, outcome);
        match &outcome.fate {
            Fate::Read => {
                self.read += 1;
                None
            }
            Fate::Known | Fate::Passed(_) => {
                self.passed += 1;
                None
            }
            Fate::Failed { reason, .. } if is_no_log(uri, *reason) => {
                self.passed += 1;
                None
            }
            Fate::Failed { reason, detail } => {
                self.line.add(name::Skipped, 1);
                Some(why(uri, *reason, detail.as_deref()))
            }
            Fate::NotKept(why) => Some(format!("{uri}: the lake did not take it: {why}")),
        }
    }

    /// The answer to whoever sent one message: it was done, or it was not.
    fn answer_as_a_whole(&self, failed: &[Failed]) -> Result<Value, Failure> {
        match failed.first() {
            None => Ok(json!({"read": self.read, "passedBy": self.passed})),
            Some((message, why)) if !message.wrong.is_empty() && message.objects.is_empty() => {
                Err(Failure::NotUnderstood(why.trim_start_matches("not understood: ").to_owned()))
            }
            Some((_, why)) => Err(Failure::ObjectsFailed(why.clone())),
        }
    }
}

/// An object to read, unless its name proves that it is no log.
pub(crate) fn object(shell: &Shell, notice: &Notice) -> Option<Object> {
    let Notice { bucket, key, size, etag, .. } = notice;
    if shell.is_own(bucket, key) || key.ends_with('/') {
        return None;
    }
    let object = Object::in_bucket(bucket, key, *size, etag.as_deref());
    object.skip.is_none().then_some(object)
}

/// Counts what was in an object.
pub(crate) fn measure(line: &mut Line, outcome: &Outcome) {
    line.add(name::Records, outcome.records);
    line.add(name::Events, outcome.events);
    line.add(name::RejectedRecords, outcome.rejected);
    line.add(name::CompressedBytes, outcome.compressed);
}

/// Why an object could not be read.
pub(crate) fn why(uri: &str, reason: SkipReason, detail: Option<&str>) -> String {
    let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{uri}: {} ({}){detail}", reason.meaning(), reason.id())
}

/// Something else that somebody put beside the logs: neither its name nor its content says that it is one.
pub(crate) fn is_no_log(uri: &str, reason: SkipReason) -> bool {
    let is_json_or_nothing = matches!(reason, SkipReason::NotJson | SkipReason::NotCloudTrail | SkipReason::Empty);
    is_json_or_nothing && Layout::of(uri).kind == ObjectKind::Unknown
}

/// Absorbs what was delivered and runs all rules. One at a time does it.
fn evaluate(shell: &Shell, call: &Call<'_>, after_backfill: bool, line: &mut Line) -> Result<Value, Failure> {
    let Some(lake) = shell.receiver.lake() else {
        return Err(Failure::BadConfiguration("KEYTRAIL_LAKE is not set: there is nothing to evaluate".into()));
    };
    let unavailable = |error: keytrail::lake::LakeError| Failure::Unavailable(error.to_string());
    let now = (call.clock)();
    let Some(lease) = lake.lease(EVALUATE, call.id, now, call.deadline).map_err(unavailable)? else {
        line.say("evaluated", false);
        line.say("reason", "another evaluation is at it");
        return Ok(json!({"evaluated": false}));
    };
    // Who cannot tell had better tell too much.
    let is_held = !after_backfill && lake.is_leased(BACKFILL, now).unwrap_or(false);
    line.say("held", is_held);
    let from = shell.environment.period.map(|period| period.before(now));
    let done = shell.receiver.evaluate(from, &Quiet).map_err(Failure::from);
    if after_backfill && done.is_ok() {
        // Otherwise it runs out by itself.
        drop(lake.seize(BACKFILL, "", 0));
    }
    let answer = done.map(|mut done| {
        let findings = done.as_ref().map_or(0, |done| done.report.findings.len());
        if let Some(done) = &mut done {
            line.add(name::Absorbed, done.absorbed);
            line.say("merged", done.merged);
            line.say("removed", done.removed);
            line.say("objectsInLake", done.report.coverage.objects.seen);
            lag(&done.report, line, (call.clock)());
            miss(&mut done.report, shell, line, (call.clock)());
            open(&done.report, line);
            if shell.receiver.settings().alert.sinks.is_empty() {
                print(&done.report.findings);
            }
            if !is_held {
                notify(shell, call, &done.report, Telling { whole: from.is_none(), together: after_backfill }, line);
            }
        }
        line.add(name::Evaluations, 1);
        line.say("evaluated", true);
        json!({"evaluated": true, "findings": findings})
    });
    // A lease that stays runs out by itself.
    drop(lake.release(lease));
    answer
}

fn lag(report: &Report, line: &mut Line, now: i64) {
    if let Some(as_of) = report.run.as_of {
        line.most(name::EventLag, (now - as_of).max(0) as f64 / 1000.0);
    }
}

/// Adds what nobody logged: accounts and Regions that do not deliver any more.
fn miss(report: &mut Report, shell: &Shell, line: &mut Line, now: i64) {
    let deliveries = pipeline::miss(report, shell.receiver.settings(), now);
    let silent = deliveries.silent.iter().filter(|finding| finding.status == Status::Open).count();
    line.most(name::DeliveryAge, deliveries.age as f64 / 1000.0);
    line.most(name::Silent, silent as f64);
}

/// Counts what is open, also where nothing is: a graph falls only when it is told so.
fn open(report: &Report, line: &mut Line) {
    for severity in Severity::ALL {
        let is_open = |finding: &&Finding| finding.severity == severity && finding.status == Status::Open;
        line.add(telemetry::findings(severity), report.findings.iter().filter(is_open).count() as u64);
    }
}

/// Logs findings, a line each, but those that the configuration accepts.
fn print(findings: &[Finding]) {
    for finding in findings.iter().filter(|finding| !matches!(finding.status, Status::Suppressed { .. })) {
        let told: Value = serde_json::from_str(&ndjson::line(finding)).unwrap_or_default();
        telemetry::print(&json!({"kind": "finding", "level": "WARN", "finding": told}));
    }
}

/// What a report is, for those who are told of it.
struct Telling {
    /// It covers all that the lake knows.
    whole: bool,
    /// What is new in it is one message.
    together: bool,
}

/// Tells the sinks. What cannot be told now stays in the lake, and the next evaluation tells it: nothing fails for it.
fn notify(shell: &Shell, call: &Call<'_>, report: &Report, telling: Telling, line: &mut Line) {
    let settings = shell.receiver.settings();
    if settings.alert.sinks.is_empty() {
        return;
    }
    let now = (call.clock)();
    let left = u64::try_from(call.deadline - now - RESERVE).unwrap_or(0);
    let budget = Duration::from_millis(left).clamp(Duration::from_secs(1), Duration::from_secs(60));
    let Telling { whole, together } = telling;
    let how = Notify { now, whole, first_is_summary: true, together, budget };
    let told = pipeline::notify(report, settings, shell.receiver.lake(), how);
    line.add(name::AlertsSent, told.sent);
    // What is now, not what is more.
    line.most(name::AlertsPending, told.pending as f64);
    line.most(name::AlertsFailed, told.failed.len() as f64);
    line.most(name::AlertsUnrouted, told.unrouted as f64);
    if !told.failed.is_empty() {
        let failed: Vec<Value> = told.failed.iter().map(|(sink, why)| json!({"sink": sink, "why": why})).collect();
        line.say("alertsFailed", failed);
    }
}

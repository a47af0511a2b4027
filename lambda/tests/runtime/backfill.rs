//! Batches of a backfill.

use std::thread;

use serde_json::{Value, json};

use crate::s3::server::{Fault, Server};
use crate::trail::{LAKE, deliveries, files, findings, function, lake, sample};

/// Batches of so many objects, as a plan has them.
fn batches(server: &Server, count: usize) -> Vec<Value> {
    let logs: Vec<Value> = {
        let buckets = server.buckets.0.lock().unwrap();
        let keys = buckets["logs"].keys();
        keys.map(|key| json!({"uri": format!("s3://logs/{key}")})).collect()
    };
    logs.chunks(count).map(|objects| json!({"keytrail": "ingest", "objects": objects})).collect()
}

fn filled() -> (Server, usize) {
    let (server, logs) = (Server::new(), sample());
    for (key, bytes) in &logs {
        server.buckets.put("logs", key, bytes.clone());
    }
    (server, logs.len())
}

#[test]
fn a_batch_becomes_parts_and_comes_again_without_a_trace() {
    let (server, count) = filled();
    let mut function = function(&server, &[]);
    let all = batches(&server, count).remove(0);
    let first = function.invoke(&all);
    assert_eq!(first.result, Ok(json!({"read": count, "unchanged": 0, "passedBy": 0, "skipped": 0})));
    assert_eq!((first.metric("Objects"), first.metric("Failed")), (count as f64, 0.0));
    assert!(first.findings().is_empty(), "nobody is told");
    assert!(files(&server, "inbox/").is_empty() && !files(&server, "objects/").is_empty());
    assert_eq!(findings(&server, LAKE), findings(&server, "s3://logs/AWSLogs/"));

    // Without an ETag nobody knows that it is the same before it is read; in the lake nothing changes.
    let before = files(&server, "");
    assert!(function.invoke(&all).result.is_ok());
    assert_eq!(files(&server, ""), before);

    let none = function.invoke(&json!({"keytrail": "ingest", "objects": ["s3://logs/AWSLogs/none.json.gz"]}));
    assert_eq!(none.result.unwrap_err().0, "Keytrail.ObjectsFailed", "a name that retries can match");
    let wrong = function.invoke(&json!({"keytrail": "ingest", "objects": ["ftp://x"]}));
    assert_eq!(wrong.result.unwrap_err().0, "Keytrail.NotUnderstood", "a name that retries can leave alone");
}

#[test]
fn batches_at_the_same_time_lose_nothing_and_repeat_nothing() {
    let (server, count) = filled();
    let all = batches(&server, 9);
    // What was delivered stands in the inbox when the backfill brings it as well.
    let keys: Vec<String> = sample().into_keys().take(20).collect();
    function(&server, &[]).invoke(&deliveries(&keys));
    thread::scope(|scope| {
        for turn in 0..3 {
            let (server, all) = (&server, &all);
            scope.spawn(move || {
                let mut function = function(server, &[]);
                // Each batch is done by two, at about the same time.
                for batch in all.iter().enumerate().filter(|(at, _)| at % 3 != turn).map(|(_, batch)| batch) {
                    let answer = function.invoke(batch);
                    assert!(answer.result.is_ok(), "{answer:?}");
                }
            });
        }
    });
    let mut function = function(&server, &[]);
    let whole = findings(&server, "s3://logs/AWSLogs/");
    assert_eq!(findings(&server, LAKE), whole);
    let answer = function.invoke(&json!({"keytrail": "evaluate", "after": "backfill"}));
    assert_eq!(answer.result, Ok(json!({"evaluated": true, "findings": whole.len()})));
    assert_eq!(answer.line()["objectsInLake"], count);
    assert_eq!(findings(&server, LAKE), whole);
}

#[test]
fn what_can_never_be_read_is_named_and_what_may_be_fails() {
    let (server, count) = filled();
    let (key, bytes) = sample().into_iter().next().unwrap();
    let damaged = key.replace(".json.gz", "damaged.json.gz");
    server.buckets.put("logs", &damaged, bytes[..bytes.len() / 2].to_vec());
    let mut one = function(&server, &[]);
    let all = batches(&server, count + 1).remove(0);
    let answer = one.invoke(&all).result.unwrap();
    assert_eq!((&answer["read"], &answer["skipped"]), (&json!(count), &json!(1)), "{answer}");
    assert!(answer["why"][0].as_str().unwrap().contains("damaged.json.gz"), "{answer}");

    let path = format!("/logs/{key}");
    let denied = Fault::Answer(403, "AccessDenied", "Access Denied");
    let server = Server::with(move |seen| (seen.path == path).then(|| denied.clone()));
    for (key, bytes) in sample() {
        server.buckets.put("logs", &key, bytes);
    }
    let mut other = function(&server, &[]);
    let (kind, told) = other.invoke(&batches(&server, count).remove(0)).result.unwrap_err();
    assert!(kind == "Keytrail.ObjectsFailed" && told.contains(&key), "{kind} {told}");
    assert!(!files(&server, "objects/").is_empty(), "the rest stays");
}

#[test]
fn while_a_backfill_holds_them_evaluations_tell_nobody() {
    let (server, count) = filled();
    // Nobody listens there: that it is tried shows.
    let sink = "[[alert.sink]]\nname = \"nobody\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
    let mut function = function(&server, &[("KEYTRAIL_CONFIG", sink)]);
    assert_eq!(function.invoke(&json!({"keytrail": "hold", "minutes": 60})).result, Ok(json!({"held": 60})));
    function.invoke(&batches(&server, count).remove(0));
    let held = function.invoke(&json!({"keytrail": "evaluate"}));
    assert_eq!(
        (held.result.as_ref().unwrap()["evaluated"].clone(), held.line()["held"].clone()),
        (json!(true), json!(true))
    );
    assert_eq!(held.metric("AlertsFailed"), 0.0);
    let last = function.invoke(&json!({"keytrail": "evaluate", "after": "backfill"}));
    assert_eq!((last.metric("AlertsFailed"), last.line()["held"].clone()), (1.0, json!(false)));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!(!lake(&server).is_leased("backfill", i64::try_from(now).unwrap()).unwrap(), "it is over");
    let next = function.invoke(&json!({"keytrail": "evaluate"}));
    assert_eq!((next.metric("AlertsFailed"), next.line()["held"].clone()), (1.0, json!(false)));
}

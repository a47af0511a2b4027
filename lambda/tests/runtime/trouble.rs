//! What goes wrong fails by itself, and says so.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::s3::server::{Fault, Server};
use crate::trail::{deliveries, files, findings, function, notification, queue, sample, telling};

#[test]
fn what_cannot_be_read_fails_alone() {
    let (server, logs) = (Server::new(), sample());
    let keys: Vec<&String> = logs.keys().take(4).collect();
    let [good, damaged, missing, text] = keys[..] else { panic!() };
    server.buckets.put("logs", good, logs[good].clone());
    let mut broken = logs[damaged].clone();
    let middle = broken.len() / 2;
    broken.truncate(middle);
    server.buckets.put("logs", damaged, broken);
    server.buckets.put("logs", text, "this is no log");
    let mut function = function(&server, &[]);
    let both = json!({"Records": [notification(good)["Records"][0], notification(damaged)["Records"][0]]});
    let bodies =
        [notification(good), notification(damaged), notification(missing), notification(text), json!("no json"), both];
    let answer = function.invoke(&queue(&bodies));
    assert_eq!(answer.again(), ["m1", "m2", "m3", "m4", "m5"]);
    assert_eq!((answer.metric("Objects"), answer.metric("Skipped"), answer.metric("Failed")), (1.0, 3.0, 5.0));
    let told = answer.line()["failed"].to_string();
    for reason in ["truncated-gzip", "gone", "not-json", "not understood"] {
        assert!(told.contains(reason), "{reason}: {told}");
    }
    // The lake knows what it does not have.
    assert_eq!(files(&server, "inbox/").len(), 4);
    let report = function.invoke(&json!({"keytrail": "evaluate"}));
    assert_eq!(report.line()["objectsInLake"], 4);
    // What comes after all takes the place of the failure.
    server.buckets.put("logs", missing, logs[missing].clone());
    server.buckets.put("logs", damaged, logs[damaged].clone());
    assert_eq!(function.invoke(&deliveries([missing, damaged])).again(), [""; 0]);
    function.invoke(&json!({"keytrail": "evaluate"}));
    server.buckets.remove("logs", text);
    let rest = findings(&server, "s3://logs/AWSLogs/");
    assert_eq!(findings(&server, crate::trail::LAKE), rest);
}

#[test]
fn an_outage_loses_nothing() {
    let out = Arc::new(AtomicBool::new(false));
    let is_out = out.clone();
    let server = Server::with(move |seen| {
        let is_log = seen.path.contains("AWSLogs");
        (is_out.load(Ordering::SeqCst) && is_log).then_some(Fault::Answer(503, "SlowDown", "Please reduce your rate."))
    });
    let logs = sample();
    let key = telling(&logs);
    server.buckets.put("logs", &key, logs[&key].clone());
    let mut function = function(&server, &[]);
    out.store(true, Ordering::SeqCst);
    let answer = function.invoke(&deliveries([&key]));
    assert_eq!(answer.again(), ["m0"]);
    assert!(answer.metric("Throttles") > 0.0, "{:?}", answer.line());
    out.store(false, Ordering::SeqCst);
    let answer = function.invoke(&deliveries([&key]));
    assert_eq!(answer.again(), [""; 0]);
    assert!(!answer.findings().is_empty());
    // The failure, which knew no version, does not stand in the way of what was read.
    function.invoke(&json!({"keytrail": "evaluate"}));
    assert_eq!(findings(&server, crate::trail::LAKE), findings(&server, "s3://logs/AWSLogs/"));
}

#[test]
fn a_lake_that_takes_nothing_fails_the_messages() {
    let server = Server::with(|seen| {
        let is_inbox = seen.method == "PUT" && seen.path.contains("lake/inbox");
        is_inbox.then_some(Fault::Answer(403, "AccessDenied", "Access Denied"))
    });
    let logs = sample();
    let key = telling(&logs);
    server.buckets.put("logs", &key, logs[&key].clone());
    let mut function = function(&server, &[]);
    let answer = function.invoke(&deliveries([&key]));
    assert_eq!(answer.again(), ["m0"]);
    assert!(answer.findings().is_empty(), "what is not kept is not told: it comes again");
    assert!(answer.line()["failed"].to_string().contains("the lake did not take it"), "{:?}", answer.line());
}

#[test]
fn without_time_the_rest_comes_again() {
    let (server, logs) = (Server::new(), sample());
    for (key, bytes) in &logs {
        server.buckets.put("logs", key, bytes.clone());
    }
    let mut function = function(&server, &[]);
    function.hurry(5_000);
    let answer = function.invoke(&deliveries(logs.keys()));
    assert_eq!(answer.metric("Objects"), 64.0);
    assert_eq!(answer.again().len(), logs.len() - 64);
}

#[test]
fn errors_have_names() {
    let server = Server::new();
    let mut good = function(&server, &[]);
    for (payload, kind) in [
        (json!({}), "Keytrail.NotUnderstood"),
        (json!({"keytrail": "destroy"}), "Keytrail.NotUnderstood"),
        (notification("AWSLogs/none.json.gz"), "Keytrail.ObjectsFailed"),
    ] {
        assert_eq!(good.invoke(&payload).result.unwrap_err().0, kind, "{payload}");
    }
    let self_test = good.invoke(&json!({"keytrail": "self-test"}));
    assert_eq!(self_test.result.unwrap()["lake"], "s3://logs/lake/");

    let mut bad = function(&server, &[("KEYTRAIL_CONFIG", "[rules.none]\nenabled = true\n")]);
    for _ in 0..2 {
        let answer = bad.invoke(&deliveries([&"AWSLogs/a.json.gz".to_owned()]));
        assert_eq!(answer.line()["error"]["kind"], "Keytrail.BadConfiguration");
        assert_eq!(answer.result.unwrap_err().0, "Keytrail.BadConfiguration");
    }
    server.buckets.put("logs", "config/keytrail.toml", "[rules.key-deletion-scheduled]\nenabled = false\n");
    let mut quiet = function(&server, &[("KEYTRAIL_CONFIG", "s3://logs/config/keytrail.toml")]);
    let logs = sample();
    let key = telling(&logs);
    server.buckets.put("logs", &key, logs[&key].clone());
    let rules: Vec<String> =
        quiet.invoke(&deliveries([&key])).findings().iter().map(|finding| finding["rule"].to_string()).collect();
    assert!(rules.iter().all(|rule| !rule.contains("key-deletion-scheduled")), "{rules:?}");
}

#[test]
fn on_its_own_it_tests_itself() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_bootstrap")).env_clear().args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (done, told) = run(&["--self-test"]);
    assert!(done && told.contains("\"findings\""), "{told}");
    for arguments in [&[][..], &["--nonsense"][..]] {
        let (done, told) = run(arguments);
        assert!(!done && told.contains("Keytrail.BadConfiguration"), "{told}");
    }
}

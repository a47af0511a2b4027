//! What is delivered is read once, kept, and told at once.

use serde_json::json;

use crate::s3::server::Server;
use crate::trail::{LAKE, deliveries, files, findings, function, lake, notification, queue, sample, telling};

#[test]
fn a_delivery_is_kept_and_told_at_once() {
    let (server, logs) = (Server::new(), sample());
    let key = telling(&logs);
    server.buckets.put("logs", &key, logs[&key].clone());
    let mut function = function(&server, &[]);
    let answer = function.invoke(&deliveries([&key]));
    assert_eq!(answer.again(), [""; 0], "{:?}", answer.lines);
    let rules: Vec<_> = answer.findings().iter().map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect();
    assert!(rules.contains(&"key-deletion-scheduled".to_owned()), "{rules:?}");
    assert!(!rules.contains(&"missing-rotation".to_owned()), "that needs more than one log: {rules:?}");
    assert_eq!((answer.metric("Objects"), answer.metric("Failed"), answer.metric("Skipped")), (1.0, 0.0, 0.0));
    assert!(answer.metric("Events") > 0.0 && answer.metric("DeliveryLag") > 0.0 && answer.metric("Requests") > 0.0);

    let inbox = files(&server, "inbox/");
    assert_eq!(inbox.len(), 1);
    assert!(files(&server, "events/").is_empty(), "that is for the evaluation");
    // Delivered again, it overwrites itself.
    let again = function.invoke(&deliveries([&key, &key]));
    assert_eq!(again.again(), [""; 0]);
    assert_eq!(again.metric("Objects"), 1.0, "once in one invocation");
    assert_eq!(files(&server, "inbox/"), inbox);
    let ids = |answer: &crate::api::Answer| -> Vec<String> {
        answer.findings().iter().map(|finding| finding["id"].to_string()).collect()
    };
    assert_eq!(ids(&answer), ids(&again), "the same findings under the same ids");
    // A whole scan finds them under the same ids.
    let whole = findings(&server, LAKE).join("\n");
    assert!(ids(&answer).iter().all(|id| whole.contains(id)), "{whole}");
}

#[test]
fn notices_without_version_name_the_same_object() {
    let (server, logs) = (Server::new(), sample());
    let key = telling(&logs);
    server.buckets.put("logs", &key, logs[&key].clone());
    let mut function = function(&server, &[]);
    function.invoke(&deliveries([&key]));
    let inbox = files(&server, "inbox/");
    let notice = json!({"s3Bucket": "logs", "s3ObjectKey": [key]});
    let answer = function.invoke(&queue(&[json!({"Type": "Notification", "Message": notice.to_string()})]));
    assert_eq!((answer.again(), answer.metric("Objects")), (vec![], 1.0));
    let mut event = notification(&key);
    event["Records"][0]["s3"]["object"]["size"] = logs[&key].len().into();
    function.invoke(&queue(&[event]));
    assert_eq!(files(&server, "inbox/"), inbox, "what S3 says is its version, not what was said");
}

#[test]
fn what_is_no_log_passes_by() {
    let server = Server::new();
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/09/01/x.json.gz";
    let config = "AWSLogs/111122223333/Config/eu-west-1/2026/9/1/ConfigHistory/x.json.gz";
    server.buckets.put("logs", "notes.txt", "something else");
    server.buckets.put("logs", "lake/events/own.parquet", "PAR1");
    let mut function = function(&server, &[("KEYTRAIL_LAKE", "s3://logs/lake/inner")]);
    let bodies = [
        notification(digest),
        notification(config),
        notification("lake/inner/inbox/account%3D1/x.parquet"),
        notification("folder/"),
        notification("notes.txt"),
        json!({"Service": "Amazon S3", "Event": "s3:TestEvent"}),
    ];
    let answer = function.invoke(&queue(&bodies));
    assert_eq!(answer.again(), [""; 0]);
    assert_eq!((answer.metric("PassedBy"), answer.metric("Objects")), (6.0, 0.0));
    let fetched: Vec<_> = server.take_seen().into_iter().filter(|seen| seen.method == "GET").collect();
    let read = |key: &str| fetched.iter().any(|seen| seen.path.contains(key));
    assert!(read("notes.txt") && !read("Digest") && !read("Config") && !read("x.parquet"), "{fetched:?}");
}

#[test]
fn records_of_cloudwatch_logs_are_an_object_too() {
    let server = Server::new();
    let mut function = function(&server, &[]);
    let payload = serde_json::from_str(include_str!("../envelopes/cloudwatch_logs.json")).unwrap();
    let answer = function.invoke(&payload);
    assert_eq!(answer.result, Ok(json!({"read": 1, "passedBy": 0})));
    assert_eq!(answer.metric("Events"), 1.0);
    function.invoke(&payload);
    let snapshot = lake(&server).snapshot().unwrap();
    assert_eq!(snapshot.shards.len(), 1);
    assert_eq!(
        (snapshot.shards[0].shard().account.as_deref(), snapshot.shards[0].inbox.len()),
        (Some("111122223333"), 1)
    );
}

#[test]
fn without_a_lake_it_only_tells() {
    let (server, logs) = (Server::new(), sample());
    let key = telling(&logs);
    server.buckets.put("logs", &key, logs[&key].clone());
    let mut function = function(&server, &[("KEYTRAIL_LAKE", "")]);
    let answer = function.invoke(&notification(&key));
    assert_eq!(answer.result, Ok(json!({"read": 1, "passedBy": 0})));
    assert!(!answer.findings().is_empty());
    assert!(files(&server, "").is_empty());
    let (kind, _) = function.invoke(&json!({"keytrail": "evaluate"})).result.unwrap_err();
    assert_eq!(kind, "Keytrail.BadConfiguration");
}

//! The lake after an evaluation says what its logs say.

use std::collections::BTreeSet;

use keytrail_lambda::telemetry::METRICS;
use serde_json::{Value, json};

use crate::api::Answer;
use crate::hook;
use crate::s3::server::Server;
use crate::trail::{LAKE, deliveries, files, findings, function, lake, sample};

#[test]
fn delivered_one_by_one_the_lake_says_what_the_logs_say() {
    let (server, logs) = (Server::new(), sample());
    for (key, bytes) in &logs {
        server.buckets.put("logs", key, bytes.clone());
    }
    let whole = findings(&server, "s3://logs/AWSLogs/");
    assert!(!whole.is_empty());
    let mut function = function(&server, &[]);
    // The youngest first, some of them twice, with evaluations in between.
    let keys: Vec<&String> = logs.keys().rev().collect();
    for (at, some) in keys.chunks(10).enumerate() {
        let again = some.iter().take(3).copied();
        assert_eq!(function.invoke(&deliveries(some.iter().copied().chain(again))).again(), [""; 0]);
        if at % 3 == 1 {
            let answer = function.invoke(&json!({"keytrail": "evaluate"}));
            assert_eq!(answer.result.as_ref().unwrap()["evaluated"], true, "{answer:?}");
            function.invoke(&deliveries(some.iter().copied()));
        }
    }
    let last = function.invoke(&json!({"keytrail": "evaluate"}));
    assert_eq!(last.result, Ok(json!({"evaluated": true, "findings": whole.len()})));
    assert_eq!(last.line()["objectsInLake"], logs.len());
    let told: Vec<String> = last.findings().iter().map(|finding| finding["id"].to_string()).collect();
    assert!(whole.iter().zip(&told).all(|(line, id)| line.contains(id)) && whole.len() == told.len());
    assert_eq!(last.metric("Evaluations"), 1.0);
    assert!(last.metric("Absorbed") > 0.0);
    assert!(files(&server, "inbox/").is_empty());
    assert_eq!(findings(&server, LAKE), whole);
    let before = files(&server, "manifest/");
    // Nothing is new: nothing changes, and the same is said.
    let again = function.invoke(&json!({"detail-type": "Scheduled Event", "source": "aws.events"}));
    assert_eq!((&again.result, again.metric("Absorbed")), (&last.result, 0.0));
    assert_eq!(files(&server, "manifest/"), before);
}

#[test]
fn one_evaluates_at_a_time() {
    let (server, logs) = (Server::new(), sample());
    let key = logs.keys().next().unwrap();
    server.buckets.put("logs", key, logs[key].clone());
    let mut function = function(&server, &[]);
    function.invoke(&deliveries([key]));
    let far = i64::MAX / 2;
    let lease = lake(&server).lease("evaluate", "somebody", 0, far).unwrap().unwrap();
    let answer = function.invoke(&json!({"keytrail": "evaluate"}));
    assert_eq!((answer.result, files(&server, "inbox/").len()), (Ok(json!({"evaluated": false})), 1));
    lake(&server).release(lease).unwrap();
    for _ in 0..2 {
        let answer = function.invoke(&json!({"keytrail": "evaluate"}));
        assert_eq!(answer.result.unwrap()["evaluated"], true, "the lease is given back each time");
    }
}

/// What dashboards and alarms watch, something leaves.
#[test]
fn every_metric_is_left_by_something() {
    let (server, logs) = (Server::new(), sample());
    for (key, bytes) in &logs {
        server.buckets.put("logs", key, bytes.clone());
    }
    // Nobody listens there.
    let sink = "[[alert.sink]]\nname = \"nobody\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
    let mut function = function(&server, &[("KEYTRAIL_CONFIG", sink)]);
    let evaluate = json!({"keytrail": "evaluate"});
    let first = function.invoke(&deliveries(logs.keys()));
    assert!(first.metric("FindingsAtOnce") > 0.0);
    assert!(!names(&first).contains("AlertsFailed"), "before the first evaluation nobody is told: {:?}", first.line());
    let told = function.invoke(&evaluate);
    assert_eq!((told.metric("AlertsFailed"), told.metric("AlertsSent")), (1.0, 0.0), "{:?}", told.line());
    assert!(told.metric("AlertsPending") > 0.0);
    assert!(told.findings().is_empty(), "with a sink, the log is not one");
    let open = |name: &str| told.metric(name);
    assert!(open("CriticalFindings") + open("HighFindings") + open("MediumFindings") > 0.0);
    let later = function.invoke(&deliveries(logs.keys()));
    assert_eq!(later.metric("AlertsFailed"), 1.0, "now they are told at once");
    let damaged = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/damaged.json.gz";
    server.buckets.put("logs", damaged, "no log");
    let damaged = function.invoke(&deliveries([&damaged.to_owned()]));
    let drill = function.invoke(&json!({"keytrail": "drill"}));
    assert_eq!((drill.metric("DrillsFailed"), drill.metric("DrillsPassed")), (1.0, 0.0), "{:?}", drill.line());
    let left: BTreeSet<String> = [&first, &told, &later, &damaged, &drill].into_iter().flat_map(names).collect();
    let all: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(left, all);
}

/// Who would hear of an outage hears of the drill, and the lake keeps who did.
#[test]
fn a_drill_is_told_and_kept() {
    let (server, hook) = (Server::new(), hook::Server::start());
    server.buckets.put("logs", "notes.txt", "something else");
    let heard = format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", hook.url("hook"));
    let nobody = "[[alert.sink]]\nname = \"nobody\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
    let drill = |config: &str| {
        let answer = function(&server, &[("KEYTRAIL_CONFIG", config)]).invoke(&json!({"keytrail": "drill"}));
        (answer.metric("DrillsPassed"), answer.metric("DrillsFailed"))
    };
    assert_eq!(drill(&heard), (1.0, 0.0));
    assert_eq!(drill(&format!("{heard}{nobody}")), (0.0, 1.0));
    assert_eq!(drill(""), (0.0, 1.0), "nobody was asked: nothing is proven");
    assert_eq!(hook.take().len(), 2);
    let buckets = server.buckets.0.lock().unwrap();
    let kept = buckets["logs"].iter().filter(|(key, _)| key.starts_with("lake/drills/"));
    let kept: Vec<Value> = kept.map(|(_, thing)| serde_json::from_slice(&thing.bytes).unwrap()).collect();
    let took = |drill: &Value| -> Vec<bool> {
        drill["sinks"].as_array().unwrap().iter().map(|sink| sink["took"].as_bool().unwrap()).collect()
    };
    assert_eq!(kept.iter().map(took).collect::<Vec<_>>(), [vec![true], vec![true, false], vec![]]);
}

fn names(answer: &Answer) -> BTreeSet<String> {
    let metrics = answer.line()["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
    metrics.iter().map(|metric| metric["Name"].as_str().unwrap().to_owned()).collect()
}

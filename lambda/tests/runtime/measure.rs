//! What the function costs. Measures a build of choice, prints, and judges nothing:
//!
//! ```sh
//! cargo build --profile small -p keytrail-lambda
//! KEYTRAIL_BOOTSTRAP=target/small/bootstrap cargo test -p keytrail-lambda --test runtime measure::measure -- --ignored --exact --nocapture
//! ```

use std::time::{Duration, Instant};

use keytrail_fixtures::bulk::{Bulk, Settings};
use keytrail_fixtures::gzip;
use serde_json::json;

use crate::api::program;
use crate::s3::server::Server;
use crate::trail::{deliveries, function};

const KIB: f64 = 1024.0;

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Logs of about 100 KB each as stored.
fn logs(count: usize) -> Vec<(String, Vec<u8>)> {
    let bulk = Bulk::new(Settings { raw_mb: count as u64, files: count, kms_share: 0.6, ..Settings::default() });
    let mut json = String::new();
    (0..bulk.len())
        .map(|index| {
            bulk.json(index, &mut json);
            (bulk.path(index), gzip(json.as_bytes(), 6))
        })
        .collect()
}

#[test]
#[ignore = "measures, and judges nothing"]
fn measure() {
    let binary = std::fs::read(program()).unwrap();
    println!("binary            {:8.1} MB", binary.len() as f64 / KIB / KIB);
    println!("deflated          {:8.1} MB", gzip(&binary, 9).len() as f64 / KIB / KIB);

    let (server, logs) = (Server::new(), logs(40));
    for (key, bytes) in &logs {
        server.buckets.put("logs", key, bytes.clone());
    }
    let size: usize = logs.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("one log           {:8.1} KB", size as f64 / logs.len() as f64 / KIB);
    let mut starts = Vec::new();
    let mut firsts = Vec::new();
    for _ in 0..5 {
        let mut function = function(&server, &[]);
        starts.push(function.started());
        let begun = Instant::now();
        function.invoke(&json!({"keytrail": "self-test"}));
        firsts.push(begun.elapsed());
    }
    println!(
        "start             {:8.1} ms  from exec to asking for the first invocation, lake open",
        millis(median(starts))
    );
    println!("self-test         {:8.1} ms", millis(median(firsts)));

    let mut function = function(&server, &[]);
    function.started();
    let mut times = Vec::new();
    for (key, _) in &logs {
        let begun = Instant::now();
        assert!(function.invoke(&deliveries([key])).again().is_empty());
        times.push(begun.elapsed());
    }
    println!("first delivery    {:8.1} ms", millis(times.remove(0)));
    println!("warm delivery     {:8.1} ms  median of {}", millis(median(times.clone())), times.len());
    println!("peak memory       {:8.1} MB  after deliveries", function.peak_kib() / KIB);
    let begun = Instant::now();
    let answer = function.invoke(&json!({"keytrail": "evaluate"}));
    println!("evaluation        {:8.1} ms  of {} logs", millis(begun.elapsed()), answer.line()["objectsInLake"]);
    println!("peak memory       {:8.1} MB  after the evaluation", function.peak_kib() / KIB);
}

/// One log of so many megabytes.
fn log(raw_mb: u64) -> (String, String) {
    let bulk = Bulk::new(Settings { raw_mb, files: 1, ..Settings::default() });
    let mut json = String::new();
    bulk.json(0, &mut json);
    (bulk.path(0), json)
}

/// A log far larger than CloudTrail writes, in the smallest function that there is.
#[test]
#[ignore = "measures, and judges nothing"]
fn large_objects() {
    let (path, json) = log(50);
    let (gz_path, gz_json) = log(700);
    let plain = path.trim_end_matches(".gz").to_owned();
    let compressed = gzip(gz_json.as_bytes(), 6);
    for (key, inflated, bytes) in [(plain, json.len(), json.into_bytes()), (gz_path, gz_json.len(), compressed)] {
        let (server, size) = (Server::new(), bytes.len());
        server.buckets.put("logs", &key, bytes);
        let mut function = function(&server, &[("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")]);
        function.started();
        println!("{:8.1} MB stored, {:8.1} MB inflated", size as f64 / 1e6, inflated as f64 / 1e6);
        println!("peak memory       {:8.1} MB  before", function.peak_kib() / KIB);
        let begun = Instant::now();
        let answer = function.invoke(&deliveries([&key]));
        let is_read = answer.result.is_ok() && answer.again().is_empty();
        println!("delivery          {:8.1} ms  read: {is_read}", millis(begun.elapsed()));
        println!("peak memory       {:8.1} MB  after the delivery", function.peak_kib() / KIB);
        let begun = Instant::now();
        let answer = function.invoke(&json!({"keytrail": "evaluate"}));
        println!("evaluation        {:8.1} ms  {:?}", millis(begun.elapsed()), answer.result);
        println!("peak memory       {:8.1} MB  after the evaluation", function.peak_kib() / KIB);
    }
}

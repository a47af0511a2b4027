//! The sample's logs in a bucket, messages about them, and what a lake says of them.

use std::collections::BTreeMap;
use std::path::Path;

use keytrail::config::Settings;
use keytrail::lake::Lake;
use keytrail::pipeline::{Progress, ScanOptions, open_lake, scan};
use keytrail::report::ndjson;
use serde_json::{Value, json};

use crate::api::Function;
use crate::s3::server::Server;

/// The lake of the tests.
pub(crate) const LAKE: &str = "s3://logs/lake";

struct Silent;

impl Progress for Silent {}

/// Keys and bytes of the sample's logs.
pub(crate) fn sample() -> BTreeMap<String, Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/sample");
    let mut found = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "gz") {
                let key = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.insert(key, std::fs::read(&path).unwrap());
            }
        }
    }
    assert!(found.len() > 50);
    found
}

/// A log of the sample in which a rule that alerts at once finds something.
pub(crate) fn telling(sample: &BTreeMap<String, Vec<u8>>) -> String {
    let tells = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json.gz");
        std::fs::write(&path, bytes).unwrap();
        let options = ScanOptions::new(vec![path.to_str().unwrap().to_owned()], Settings::default());
        let report = scan(&options, &Silent).unwrap();
        report.findings.iter().any(|finding| finding.rule == "key-deletion-scheduled")
    };
    sample.iter().find(|(_, bytes)| tells(bytes)).unwrap().0.clone()
}

/// A function with a lake, and the server that it talks to.
pub(crate) fn function(server: &Server, more: &[(&str, &str)]) -> Function {
    let endpoint = format!("http://{}", server.address);
    let mut variables = vec![
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
        ("KEYTRAIL_PATH_STYLE", "true"),
        ("KEYTRAIL_LAKE", LAKE),
    ];
    variables.extend_from_slice(more);
    Function::start(&variables)
}

/// A notification of S3.
pub(crate) fn notification(key: &str) -> Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventTime": "2026-09-01T12:06:01.123Z",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "logs"}, "object": {"key": key}},
    }]})
}

/// Messages of a queue, `m0`, `m1`, …
pub(crate) fn queue(bodies: &[Value]) -> Value {
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(at, body)| {
            let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            json!({"messageId": format!("m{at}"), "eventSource": "aws:sqs", "body": body})
        })
        .collect();
    json!({"Records": records})
}

/// Messages about these objects.
pub(crate) fn deliveries<'k>(keys: impl IntoIterator<Item = &'k String>) -> Value {
    queue(&keys.into_iter().map(|key| notification(key)).collect::<Vec<_>>())
}

/// The lake as it is.
pub(crate) fn lake(server: &Server) -> Lake {
    let options = ScanOptions { s3: server.options(), ..ScanOptions::new(Vec::new(), Settings::default()) };
    open_lake(LAKE, &options).unwrap()
}

/// Findings of a place, a line each.
pub(crate) fn findings(server: &Server, place: &str) -> Vec<String> {
    let options = ScanOptions { s3: server.options(), ..ScanOptions::new(vec![place.to_owned()], Settings::default()) };
    scan(&options, &Silent).unwrap().findings.iter().map(ndjson::line).collect()
}

/// Files of the lake, with length and checksum.
pub(crate) fn files(server: &Server, folder: &str) -> BTreeMap<String, (u32, u32)> {
    let buckets = server.buckets.0.lock().unwrap();
    let inside = |key: &&String| key.starts_with(&format!("lake/{folder}"));
    let keys = buckets["logs"].keys().filter(inside).cloned();
    keys.map(|key| {
        let mut crc = flate2::Crc::new();
        crc.update(&buckets["logs"][&key].bytes);
        (key, (crc.amount(), crc.sum()))
    })
    .collect()
}

//! Logs in a bucket, the same on disk, and the binary that reads both.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use keytrail::config::Settings;
use keytrail::pipeline::{Progress, ScanOptions, scan};
use keytrail::source::s3::{Patience, S3Options};
use keytrail_fixtures::bulk::{self, Bulk};
use keytrail_fixtures::gzip;
use serde_json::Value;

use crate::run::{Done, keytrail, run};
use crate::s3::server::Server;

pub(crate) struct Silent;

impl Progress for Silent {}

/// Logs of a test: small, mostly of KMS.
pub(crate) fn settings(seed: u64, files: usize) -> bulk::Settings {
    let raw_mb = 1 + files as u64 / 600;
    bulk::Settings { seed, raw_mb, files, kms_share: 0.6, regions: 2, days: 10, ..bulk::Settings::default() }
}

/// Puts generated logs into the bucket `logs` and into a folder.
pub(crate) fn fill(server: &Server, root: &Path, settings: bulk::Settings) {
    let bulk = Bulk::new(settings);
    let mut json = String::new();
    for index in 0..bulk.len() {
        bulk.json(index, &mut json);
        put(server, root, &bulk.path(index), &gzip(json.as_bytes(), 1));
    }
}

/// Puts one object into the bucket `logs` and into a folder.
pub(crate) fn put(server: &Server, root: &Path, key: &str, bytes: &[u8]) {
    keytrail_fixtures::write_file(root, key, bytes).unwrap();
    server.buckets.put("logs", key, bytes.to_vec());
}

/// The command, with credentials for the server.
pub(crate) fn command(server: &Server, subcommand: &str, args: &[&str]) -> Command {
    let mut command = keytrail(subcommand);
    command
        .envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .envs([("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .args(["--endpoint-url", &format!("http://{}", server.address), "--path-style"])
        .args(args);
    command
}

pub(crate) fn keytrail_s3(server: &Server, subcommand: &str, args: &[&str]) -> Done {
    run(command(server, subcommand, args))
}

/// Options for the server that wait longer: the machine may be busy, and then nothing shall fail that was not meant to.
fn patient(server: &Server) -> S3Options {
    let options = server.options();
    let patience = Patience { response: Duration::from_secs(4), attempts: 5, ..options.patience };
    S3Options { patience, ..options }
}

/// What a scan by the library says, as the JSON document that the binary prints.
pub(crate) fn document(server: &Server, source: &str) -> Value {
    let options = ScanOptions { s3: patient(server), ..ScanOptions::new(vec![source.to_owned()], Settings::default()) };
    let report = scan(&options, &Silent).unwrap();
    serde_json::from_str(&keytrail::report::json::render(&report)).unwrap()
}

/// A document without the remarks about S3, and with the names that the same objects have in a folder.
pub(crate) fn as_on_disk(document: &Value, bucket: &str, root: &Path) -> Value {
    let mut document: Value = document.clone();
    document.as_object_mut().unwrap().remove("notices");
    let text = document.to_string().replace(bucket, &format!("{}/", root.display()));
    serde_json::from_str(&text).unwrap()
}

/// A document without remarks.
pub(crate) fn plain(mut document: Value) -> Value {
    document.as_object_mut().unwrap().remove("notices");
    document
}

/// Objects that could not be read, and why.
pub(crate) fn reasons(document: &Value) -> Vec<(String, String)> {
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    document["skipped"].as_array().unwrap().iter().map(|one| (text(one, "object"), text(one, "reason"))).collect()
}

/// Requests that fetch logs.
pub(crate) fn fetched(server: &Server) -> usize {
    let logs = |seen: &crate::s3::server::Seen| {
        seen.query.contains("x-id=GetObject") && seen.path.starts_with("/logs/") && seen.path.ends_with(".json.gz")
    };
    server.take_seen().iter().filter(|seen| logs(seen)).count()
}

/// A folder for the same logs on disk, and one for a lake.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    pub(crate) fn lake(&self) -> PathBuf {
        self.folder.path().join("lake")
    }
}

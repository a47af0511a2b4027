//! The plan of a backfill: every log is in exactly one batch that the function can take, and the plan is always the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use keytrail::lake::Shard;
use keytrail::source::Layout;
use serde_json::Value;

use crate::place::{Disk, fill, put, settings};
use crate::run::{Done, run};
use crate::s3::server::{Fault, Server};

/// Step Functions hands no more than this to a function.
const PAYLOAD: usize = 256 << 10;

fn plan(server: &Server, args: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command
        .env_clear()
        .envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .envs([("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .args(["backfill", "plan", "--endpoint-url", &format!("http://{}", server.address), "--path-style"])
        .args(["--lake", "s3://lake/lake"])
        .args(args);
    run(command)
}

/// Batches of a plan: of each the objects as they stand in its line.
fn batches(path: &Path) -> Vec<Vec<Value>> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| {
            assert!(line.len() < PAYLOAD, "{}", line.len());
            let payload: Value = serde_json::from_str(line).unwrap();
            assert_eq!(payload["keytrail"], "ingest");
            payload["objects"].as_array().unwrap().clone()
        })
        .collect()
}

fn uri(object: &Value) -> &str {
    object["uri"].as_str().unwrap()
}

fn shard(object: &Value) -> Shard {
    let layout = Layout::of(uri(object));
    Shard { account: layout.account, region: layout.region }
}

/// All names of a plan, each once.
fn names(batches: &[Vec<Value>]) -> BTreeSet<String> {
    let names: BTreeSet<String> = batches.iter().flatten().map(|object| uri(object).to_owned()).collect();
    assert_eq!(names.len(), batches.iter().map(Vec::len).sum::<usize>(), "an object is planned twice");
    names
}

/// Logs of three accounts in two Regions, and what lies beside them.
fn trail(server: &Server, disk: &Disk, seed: u64) -> BTreeMap<String, u64> {
    fill(server, &disk.logs(), keytrail_fixtures::bulk::Settings { accounts: 3, ..settings(seed, 240) });
    let logs = keys(&disk.logs());
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/03/01/\
                  111122223333_CloudTrail-Digest_eu-west-1_trail_eu-west-1_20260301T010203Z.json.gz";
    put(server, &disk.logs(), digest, b"digest");
    logs
}

fn keys(root: &Path) -> BTreeMap<String, u64> {
    let paths = crate::run::files(root).into_iter();
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    paths.map(|path| (name(&path), path.metadata().unwrap().len())).collect()
}

#[test]
fn every_log_is_in_one_batch() {
    let (server, disk) = (Server::new(), Disk::new());
    let logs = trail(&server, &disk, 71);
    let file = disk.lake().with_extension("jsonl");
    let output = ["--output", file.to_str().unwrap()];
    let small = ["s3://logs/", "--batch-objects", "25", "--batch-bytes", "24KiB"];
    let told = plan(&server, &[&small[..], &output[..]].concat()).ended(0);
    let planned = batches(&file);
    let wanted: BTreeSet<String> = logs.keys().map(|key| format!("s3://logs/{key}")).collect();
    assert_eq!(names(&planned), wanted);
    let bytes: u64 = logs.values().sum();
    assert!(told.err.contains("240 objects"), "{}", told.err);
    assert!(told.err.contains(&format!("{} batches", planned.len())), "{}", told.err);
    assert!(told.out.is_empty());
    for objects in &planned {
        let size: u64 = objects.iter().map(|object| object["size"].as_u64().unwrap()).sum();
        assert!(objects.len() <= 25 && (size <= 24 << 10 || objects.len() == 1), "{} {size}", objects.len());
        let shards: BTreeSet<Shard> = objects.iter().map(shard).collect();
        assert!(shards.len() <= 8);
        assert!(objects.is_sorted_by_key(|object| uri(object).to_owned()), "day by day");
        for object in objects {
            assert_eq!(object["size"], logs[uri(object).strip_prefix("s3://logs/").unwrap()]);
            assert!(object["etag"].as_str().is_some_and(|etag| etag.len() > 8), "{object}");
        }
    }
    assert_eq!(planned.iter().flatten().map(|object| object["size"].as_u64().unwrap()).sum::<u64>(), bytes);
    assert!(planned.len() > 12, "{}", planned.len());

    // Neighbours are about different accounts or Regions as long as there are any.
    let firsts: Vec<Shard> = planned.iter().map(|objects| shard(&objects[0])).collect();
    let all: BTreeSet<&Shard> = firsts.iter().collect();
    assert_eq!(firsts[..all.len()].iter().collect::<BTreeSet<_>>(), all);

    // The same again is the same plan.
    let before = std::fs::read(&file).unwrap();
    plan(&server, &[&small[..], &output[..]].concat()).ended(0);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    // As it comes: few and full.
    plan(&server, &[&["s3://logs/"][..], &output[..]].concat()).ended(0);
    assert_eq!((batches(&file).len(), names(&batches(&file))), (1, wanted));
}

#[test]
fn without_an_output_nothing_is_written() {
    let (server, disk) = (Server::new(), Disk::new());
    trail(&server, &disk, 72);
    let told = plan(&server, &["s3://logs/", "--concurrency", "7"]).ended(0);
    for said in ["240 objects", "1 object", "cost: about $", "GB-seconds", "with 7 functions at once", "dry run"] {
        assert!(told.err.contains(said), "{said}: {}", told.err);
    }
    assert!(told.out.is_empty());
    let read = |seen: &crate::s3::server::Seen| seen.query.contains("x-id=GetObject") && seen.path.contains("AWSLogs");
    assert!(!server.take_seen().iter().any(read), "listing reads nothing");
}

#[test]
fn what_is_asked_for_is_planned() {
    let (server, disk) = (Server::new(), Disk::new());
    let logs = trail(&server, &disk, 73);
    let file = disk.lake().with_extension("jsonl");
    let layouts: Vec<(String, Layout)> = logs.keys().map(|key| (key.clone(), Layout::of(key))).collect();
    let (account, region) = (layouts[0].1.account.clone().unwrap(), layouts[0].1.region.clone().unwrap());
    let of = |args: &[&str]| {
        plan(&server, &[args, &["--output", file.to_str().unwrap()]].concat()).ended(0);
        names(&batches(&file))
    };
    let wanted = |admits: &dyn Fn(&Layout) -> bool| -> BTreeSet<String> {
        let admitted = layouts.iter().filter(|(_, layout)| admits(layout));
        admitted.map(|(key, _)| format!("s3://logs/{key}")).collect()
    };
    let some = of(&["s3://logs/", "--account", &account, "--region", &region]);
    assert_eq!(
        some,
        wanted(&|layout| layout.account.as_ref() == Some(&account) && layout.region.as_ref() == Some(&region))
    );
    assert!(!some.is_empty() && some.len() < logs.len());
    // The day of the last delivery: earlier ones are not there, but for the hour that names may be off.
    let last = layouts.iter().filter_map(|(_, layout)| layout.date).max().unwrap();
    let late = of(&["s3://logs/", "--from", &last.to_string()]);
    assert!(late.is_superset(&wanted(&|layout| layout.date == Some(last))) && late.len() < logs.len() / 2);
}

#[test]
fn a_folder_is_planned_as_the_bucket_that_it_is_a_copy_of() {
    let (server, disk) = (Server::new(), Disk::new());
    trail(&server, &disk, 74);
    let file = disk.lake().with_extension("jsonl");
    let (logs, output) = (disk.logs(), file.to_str().unwrap());
    let logs = logs.to_str().unwrap();
    plan(&server, &["s3://logs/", "--output", output]).ended(0);
    let bucket = batches(&file);
    plan(&server, &[logs, "--uploaded-to", "s3://logs", "--output", output]).ended(0);
    let folder = batches(&file);
    let known = |batches: &[Vec<Value>]| -> Vec<(String, Value)> {
        batches.iter().flatten().map(|object| (uri(object).to_owned(), object["size"].clone())).collect()
    };
    assert_eq!(known(&folder), known(&bucket));
    assert!(folder.iter().flatten().all(|object| object.get("etag").is_none()), "S3 has the ETag, the folder has not");

    plan(&server, &[logs]).ended(0);
    let refused = plan(&server, &[logs, "--output", output]).ended(2);
    assert!(refused.err.contains("--uploaded-to"), "{}", refused.err);
    let refused = plan(&server, &["s3://lake/", "--output", output]).ended(2);
    assert!(refused.err.contains("stands inside"), "{}", refused.err);
}

#[test]
fn names_that_are_long_make_batches_that_are_short() {
    let (server, disk) = (Server::new(), Disk::new());
    let folder = format!("{}/{}", "x".repeat(200), "y".repeat(200)).repeat(2);
    for at in 0..420 {
        server.buckets.put("logs", &format!("{folder}/{at:04}.json.gz"), vec![0; 10]);
    }
    let file = disk.lake().with_extension("jsonl");
    plan(&server, &["s3://logs/", "--batch-objects", "2000", "--output", file.to_str().unwrap()]).ended(0);
    let planned = batches(&file);
    assert_eq!((planned.len(), names(&planned).len()), (2, 420));
}

#[test]
fn what_cannot_be_listed_is_told_and_the_rest_is_planned() {
    let disk = Disk::new();
    let denied = |query: &str| query.contains("prefix=AWSLogs%2F444455556666%2F");
    let fault = Fault::Answer(403, "AccessDenied", "no s3:ListBucket on this prefix");
    let server = Server::with(move |seen| denied(&seen.query).then(|| fault.clone()));
    trail(&server, &disk, 75);
    let file = disk.lake().with_extension("jsonl");
    let told = plan(&server, &["s3://logs/", "--output", file.to_str().unwrap()]).ended(4);
    assert!(told.err.contains("s3://logs/AWSLogs/444455556666/") && told.err.contains("s3:ListBucket"), "{}", told.err);
    let rest = names(&batches(&file));
    assert!(!rest.is_empty() && !rest.iter().any(|name| name.contains("/444455556666/CloudTrail/")));
}

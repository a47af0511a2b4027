//! The same in a bucket: signatures are read from the metadata of objects.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keytrail::config::Settings;
use keytrail::integrity::{PublicKeys, Verdict};
use keytrail::pipeline::{self, Progress, ScanOptions};
use keytrail_fixtures::signed::{Chain, Signer, Store, Trail};
use serde_json::json;

use crate::place::{Disk, assert_problems, chain, trail_of};
use crate::run::{Done, keytrail, run};
use crate::s3::buckets::Thing;
use crate::s3::server::{Fault, Server};

fn fill(server: &Server, store: &Store) {
    for (key, object) in &store.objects {
        let mut metadata = Vec::new();
        if let Some(signature) = &object.signature {
            metadata.push(("signature".to_owned(), signature.clone()));
            metadata.push(("signature-algorithm".to_owned(), "SHA256withRSA".to_owned()));
        }
        let bytes = object.bytes.clone().into();
        server.buckets.put_thing(&object.bucket, key, Thing { bytes, metadata, ..Thing::default() });
    }
}

/// A command that asks the server.
fn asking(server: &Server, subcommand: &str) -> Command {
    let mut command = keytrail(subcommand);
    command
        .envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .envs([("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .args(["--endpoint-url", &format!("http://{}", server.address), "--path-style"]);
    command
}

/// Verifies a bucket with the keys that lie on a disk.
fn verify(server: &Server, source: &str, args: &[&str]) -> Done {
    let keys = Disk::of(&Store::default(), false);
    let mut command = asking(server, "verify");
    command.args([source, "--public-keys", &keys.path("keys.json")]).args(args);
    run(command)
}

fn days(hours: usize) -> (Store, [Chain; 2]) {
    let mut store = Store::default();
    let chains = ["111122223333", "444455556666"].map(|account| chain(&mut store, trail_of(account), hours, 1));
    (store, chains)
}

#[test]
fn a_bucket_says_what_the_same_files_on_disk_say() {
    let (mut store, chains) = days(8);
    let server = Server::new();
    fill(&server, &store);
    let json = verify(&server, "s3://trail-bucket/AWSLogs/", &[]).ended(0).json();
    assert_eq!((&json["digests"]["valid"], &json["logs"]["valid"]), (&16.into(), &48.into()));

    let log = store.keys(false)[30].clone();
    store.get(&log).bytes[50] ^= 4;
    store.delete(&chains[0].digests[4]);
    let server = Server::new();
    fill(&server, &store);
    let done = verify(&server, "s3://trail-bucket/", &[]).ended(10);
    assert_problems(&done, &[("log-tampered", &log), ("digest-missing", &chains[0].digests[4])]);
    let disk = Disk::of(&store, true).verify(&[]).ended(10).json();
    for member in ["verdict", "logs", "digests", "intervals"] {
        assert_eq!(done.json()[member], disk[member], "{member}");
    }
}

/// A lake in a bucket, filled from a bucket: of the trail only digests are read again.
#[test]
fn a_lake_in_a_bucket_is_vouched_for_by_the_digests_of_the_trail() {
    let (store, _) = days(8);
    let logs = store.keys(false);
    let (lacks, gone) = (&logs[20], &logs[10]);
    let server = Server::new();
    fill(&server, &store);
    server.buckets.remove("trail-bucket", lacks);
    server.buckets.put("lake", "other", "a bucket is there before the lake");
    let mut command = asking(&server, "ingest");
    command.args(["s3://trail-bucket/AWSLogs/", "--lake", "s3://lake/kms"]);
    run(command).ended(0);
    let keys = Disk::of(&Store::default(), false);
    let judged = |args: &[&str], code: i32| {
        let mut command = asking(&server, "scan");
        command.args(["s3://lake/kms", "--verify", "--digests", "s3://trail-bucket/AWSLogs/"]).args(args);
        command.args(["--public-keys", &keys.path("keys.json")]);
        let done = run(command);
        assert_eq!(done.code, code, "{:#}", done.json()["coverage"]["integrity"]);
        done.json()["coverage"]["integrity"].take()
    };
    let missing = judged(&[], 10);
    assert_eq!((&missing["objects"], &missing["problems"]), (&json!({ "valid": 47 }), &1.into()));
    assert!(missing["first"][0].as_str().unwrap().contains(lacks), "{missing}");
    // It is there, and in no evidence.
    fill(&server, &store);
    let unread = judged(&[], 4);
    assert!(unread["first"][0].as_str().unwrap().starts_with("not-covered"), "{unread}");
    // What the lake has, it has.
    server.buckets.remove("trail-bucket", gone);
    assert_eq!(judged(&[], 4), unread);
    server.take_seen();
    let period = ["--from", "2026-09-01T01:01:31Z", "--to", "2026-09-01T05:01:31Z", "--lookback", "2d"];
    assert_eq!(judged(&period, 0)["verdict"], "valid");
    let seen = server.take_seen();
    let gets = |of: &str| seen.iter().filter(|seen| seen.query.contains("GetObject") && seen.path.contains(of)).count();
    assert!(gets("/CloudTrail-Digest/") > 0);
    assert_eq!(gets("/CloudTrail/"), 0, "no log file");
}

#[test]
fn a_digest_without_metadata_is_unsigned() {
    let (mut store, chains) = days(3);
    let newest = chains[1].digests.last().unwrap();
    store.get(newest).signature = None;
    let server = Server::new();
    fill(&server, &store);
    assert_problems(&verify(&server, "s3://trail-bucket/", &[]).ended(4), &[("signature-missing", newest)]);
}

#[test]
fn in_its_own_bucket_an_object_stands_where_it_says() {
    let (store, chains) = days(3);
    // The same trees below another prefix of the same bucket: nothing there is where its digest says.
    let mut moved = Store::default();
    for (key, object) in &store.objects {
        moved.put(&format!("moved/{key}"), object.clone());
    }
    let server = Server::new();
    fill(&server, &moved);
    let done = verify(&server, "s3://trail-bucket/", &[]).ended(10);
    assert_eq!(done.json()["logs"]["valid"], 0);
    assert!(
        crate::place::problems(&done.json())
            .iter()
            .any(|(kind, object)| { kind == "digest-tampered" && object.ends_with(&chains[0].digests[0]) })
    );
    // A copy of the bucket is one.
    let mut copy = store.clone();
    copy.objects.values_mut().for_each(|object| object.bucket = "backup".into());
    let server = Server::new();
    fill(&server, &copy);
    verify(&server, "s3://backup/", &[]).ended(0);
}

#[test]
fn a_day_costs_the_keys_of_that_day_and_late_log_files_are_fetched_by_name() {
    let mut store = Store::default();
    let signer = Signer::first();
    let mut regular = chain(&mut store, Trail::default(), 100, 1);
    // Delivered in the first hour, listed three days later.
    let late = {
        let mut early = Chain::new(Trail::default(), crate::place::start(), 7);
        early.log(&mut store, 7)
    };
    let mut backfill = Chain::new(Trail::default(), regular.now.minutes(-600), 3);
    backfill.backfill = true;
    backfill.digest(&mut store, &signer, std::slice::from_ref(&late));
    regular.hour(&mut store, &signer);
    let server = Server::new();
    fill(&server, &store);
    let period = ["--from", "2026-09-04T12:00:00Z", "--to", "2026-09-04T20:00:00Z"];
    let json = verify(&server, "s3://trail-bucket/", &period).ended(0).json();
    assert_eq!((&json["digests"]["valid"], &json["logs"]["valid"]), (&10.into(), &28.into()));
    let seen = server.take_seen();
    let gets = seen.iter().filter(|seen| seen.query.contains("x-id=GetObject")).count();
    // Some digests beyond the period on either side.
    assert!((38..=46).contains(&gets), "{gets}");
    server.buckets.remove("trail-bucket", &late.key);
    assert_problems(&verify(&server, "s3://trail-bucket/", &period).ended(10), &[("log-missing", &late.key)]);
}

#[test]
fn a_hole_across_the_start_of_a_period_is_a_hole() {
    let mut store = Store::default();
    let chain = chain(&mut store, Trail::default(), 30, 1);
    // From 23:01:31 to 00:01:31, in the folder of the second day; the one before it stands in that of the first.
    let missing = &chain.digests[23];
    store.delete(missing);
    let server = Server::new();
    fill(&server, &store);
    let period = ["--from", "2026-09-02", "--to", "2026-09-02T04:00:00Z"];
    assert_problems(&verify(&server, "s3://trail-bucket/", &period).ended(10), &[("digest-missing", missing)]);
}

#[test]
fn a_bucket_that_refuses_proves_nothing() {
    let (store, _) = days(3);
    let refused = store.keys(false)[4].clone();
    let server = Server::with(move |seen| {
        let asked = seen.method == "GET" && seen.path.ends_with(&refused);
        asked.then_some(Fault::Answer(403, "AccessDenied", "Access Denied"))
    });
    fill(&server, &store);
    let done = verify(&server, "s3://trail-bucket/", &[]).ended(4);
    assert_problems(&done, &[("not-covered", &store.keys(false)[4])]);
    assert_eq!(done.json()["logs"]["unproven"], 1);
}

/// Many requests are under way at a time: far from AWS's own tool, which waits for one object after the other.
#[test]
fn latency_is_paid_once_for_many() {
    let mut store = Store::default();
    // Three log files and a digest in an hour.
    let hours = std::env::var("KEYTRAIL_OBJECTS").ok().and_then(|count| count.parse().ok()).unwrap_or(480) / 4;
    chain(&mut store, Trail::default(), hours, 1);
    let late = Duration::from_millis(20);
    let arrivals = Arc::new(Mutex::new(Vec::new()));
    let noted = arrivals.clone();
    let server = Server::with(move |_| {
        noted.lock().unwrap().push(Instant::now());
        Some(Fault::Late(late))
    });
    fill(&server, &store);
    arrivals.lock().unwrap().clear();
    let start = Instant::now();
    verify(&server, "s3://trail-bucket/", &[]).ended(0);
    let took = start.elapsed();
    let one_by_one = late * u32::try_from(store.objects.len()).unwrap();
    eprintln!("{} objects in {took:?}; one at a time they take {one_by_one:?} at least", store.objects.len());
    // Each answer takes that long, so requests that came within it were under way together, however slow the machine.
    let arrivals = arrivals.lock().unwrap();
    let together = |first: &Instant| arrivals.iter().filter(|at| (*first..*first + late).contains(*at)).count();
    let most = arrivals.iter().map(together).max().unwrap_or(0);
    assert!(most >= 8, "{most} requests at a time, of {}", arrivals.len());
}

/// The claim in full, as a ratio within one run: it takes minutes, and says something in a release build on a quiet machine.
#[test]
fn many_at_a_time_are_ten_times_as_fast_as_one_object_at_a_time() {
    struct Silent;
    impl Progress for Silent {}
    let Some(objects) = std::env::var("KEYTRAIL_OBJECTS").ok().and_then(|count| count.parse::<usize>().ok()) else {
        eprintln!("skipped: KEYTRAIL_OBJECTS says of how many objects");
        return;
    };
    let mut store = Store::default();
    chain(&mut store, Trail::default(), objects / 4, 1);
    let server = Server::with(|_| Some(Fault::Late(Duration::from_millis(20))));
    fill(&server, &store);
    let mut keys = PublicKeys::default();
    keys.add(Signer::list(&[&Signer::first()]).as_bytes()).unwrap();
    let took = |parallel: Option<usize>| {
        let mut options = ScanOptions::new(vec!["s3://trail-bucket/".into()], Settings::default());
        options.s3 = server.options();
        options.s3.patience.response = Duration::from_secs(30);
        options.s3.parallel = parallel.unwrap_or(options.s3.parallel);
        options.threads = parallel;
        let start = Instant::now();
        let found = pipeline::verify(&options, Some(&keys), None, &Silent).unwrap().verdicts;
        assert_eq!((found.verdict, found.logs.valid), (Verdict::Valid, objects as u64 / 4 * 3));
        start.elapsed()
    };
    let (many, one) = (took(None), took(Some(1)));
    let ratio = one.as_secs_f64() / many.as_secs_f64();
    eprintln!("{} objects: {many:.1?}; one at a time {one:.1?}: {ratio:.1} times as long", store.objects.len());
    assert!(ratio >= 10.0, "{ratio:.1}");
}

/// A run is killed, goes on, and says what an undisturbed one says; what was changed meanwhile is looked at.
#[test]
fn a_run_that_was_killed_is_gone_on_with() {
    let (mut store, _) = days(24);
    let logs = store.keys(false);
    let server = Server::with(|_| Some(Fault::Late(Duration::from_millis(20))));
    fill(&server, &store);
    let keys = Disk::of(&Store::default(), false);
    let (state, keys) = (keys.path("state"), keys.path("keys.json"));
    let resumed = || {
        let mut command = asking(&server, "verify");
        command.args(["s3://trail-bucket/", "--public-keys", &keys, "--resume", &state]);
        command
    };
    let whole = verify(&server, "s3://trail-bucket/", &[]).ended(0);
    let mut killed = resumed().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while std::fs::metadata(&state).map_or(0, |state| state.len()) < 3000 && killed.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "it hashes nothing");
        std::thread::sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    assert_eq!(killed.wait().unwrap().code(), None, "it was done before it was killed");
    let fetched = || {
        let gets = server.take_seen().into_iter();
        gets.filter(|seen| seen.query.contains("GetObject") && seen.path.contains("/CloudTrail/"))
            .map(|seen| seen.path)
            .collect::<Vec<String>>()
    };
    fetched();
    let known = std::fs::read(&state).unwrap();
    let going_on = run(resumed()).ended(0);
    // All but what listing and fetching cost.
    let said = |done: &Done| {
        let mut said = done.json();
        assert!(said["notices"].take().to_string().contains("requests"));
        said.to_string()
    };
    assert_eq!(said(&going_on), said(&whole));
    let rest = fetched();
    assert!(!rest.is_empty() && rest.len() <= logs.len() - 20, "{} of {}", rest.len(), logs.len());
    assert!(!std::path::Path::new(&state).exists(), "it is done");

    // With what the killed run knew: an object that it has hashed is another now, and its ETag says so.
    let hashed = logs.iter().find(|log| !rest.iter().any(|path| path.ends_with(log.as_str()))).unwrap();
    store.edit(hashed, |text| text + " ");
    fill(&server, &store);
    std::fs::write(&state, &known).unwrap();
    assert_problems(&run(resumed()).ended(10), &[("log-tampered", hashed)]);
    // Somebody's file is nobody's state.
    std::fs::write(&state, "notes").unwrap();
    assert!(run(resumed()).ended(2).err.contains("something else"));
    assert_eq!(std::fs::read(&state).unwrap(), b"notes");
}

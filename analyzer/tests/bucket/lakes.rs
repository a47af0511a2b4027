//! Lakes that are made of buckets, on disk and in S3.

use std::sync::Arc;

use keytrail::config::Settings;
use keytrail::pipeline::{ScanOptions, open_lake};
use keytrail_fixtures::Rng;

use crate::content::{content, names};
use crate::moments::{Moment, count, kill, measured, number, start};
use crate::place::{Disk, Silent, command, document, fetched, fill, keytrail_s3, plain, settings};
use crate::run::{Done, counted, run};
use crate::s3::server::Server;

/// The lake in the bucket `lakes`.
const LAKE: &str = "s3://lakes/audit/lake";

/// A server with logs in one bucket, and another bucket for lakes.
fn server(seed: u64, files: usize) -> Server {
    let (server, disk) = (Server::new(), Disk::new());
    server.buckets.0.lock().unwrap().insert("lakes".into(), Default::default());
    fill(&server, &disk.logs(), settings(seed, files));
    server
}

fn open(server: &Server, place: &str) -> keytrail::lake::Lake {
    let options = ScanOptions { s3: server.options(), ..ScanOptions::new(Vec::new(), Settings::default()) };
    open_lake(place, &options).unwrap()
}

#[test]
fn a_second_ingest_downloads_nothing() {
    let (server, disk) = (server(61, 60), Disk::new());
    let whole = plain(document(&server, "s3://logs/AWSLogs/"));
    server.take_seen();
    let local = disk.lake();
    for lake in [local.to_str().unwrap(), LAKE] {
        let ingest = || keytrail_s3(&server, "ingest", &["s3://logs/AWSLogs/", "--lake", lake]).ended(0);
        assert_eq!(counted(&ingest()), [60, 0, 0], "{lake}");
        assert_eq!(fetched(&server), 60, "{lake}");
        let before = names(&open(&server, lake));
        assert_eq!(counted(&ingest()), [0, 0, 60], "{lake}");
        assert_eq!(fetched(&server), 0, "{lake}: objects fetched by the second ingest");
        assert_eq!(names(&open(&server, lake)), before, "{lake}");

        let from_lake = keytrail_s3(&server, "scan", &[lake]).ended(0).json();
        assert_eq!(fetched(&server), 0, "{lake}: objects fetched by a scan of the lake");
        assert_eq!(plain(from_lake), whole, "{lake}");
        let both = keytrail_s3(&server, "scan", &["s3://logs/AWSLogs/", "--lake", lake]).ended(0).json();
        assert_eq!(fetched(&server), 0, "{lake}: objects fetched by scan --lake");
        assert_eq!(plain(both), whole, "{lake}");
    }
    assert_eq!(content(&open(&server, LAKE)), content(&open(&server, local.to_str().unwrap())));
}

#[test]
fn a_changed_object_is_fetched_again() {
    let server = server(62, 30);
    let ingest = || keytrail_s3(&server, "ingest", &["s3://logs/", "--lake", LAKE]).ended(0);
    ingest();
    let keys: Vec<String> = server.buckets.0.lock().unwrap()["logs"].keys().cloned().collect();
    let other = server.buckets.0.lock().unwrap()["logs"][&keys[20]].clone();
    server.buckets.put_thing("logs", &keys[3], other);
    server.buckets.remove("logs", &keys[4]);
    let before = plain(document(&server, LAKE));
    server.take_seen();
    assert_eq!(counted(&ingest()), [0, 1, 28]);
    assert_eq!(fetched(&server), 1);
    let after = plain(document(&server, LAKE));
    assert_ne!(after, before, "the change can be seen");
    assert_eq!(after["coverage"]["objects"]["read"], 30, "what the bucket lost, the lake keeps");
}

#[test]
fn a_lake_inside_of_its_source_is_refused() {
    let server = server(63, 3);
    for lake in ["s3://logs/AWSLogs/lake", "s3://logs/AWSLogs"] {
        let refused = keytrail_s3(&server, "ingest", &["s3://logs/AWSLogs/", "--lake", lake]).ended(2);
        assert!(refused.err.contains("stands inside of the source"), "{}", refused.err);
    }
    keytrail_s3(&server, "ingest", &["s3://logs/AWSLogs/", "--lake", "s3://logs/AWSLogs-lake"]).ended(0);
}

#[test]
fn killed_and_resumed() {
    let (server, seed) = (server(64, 60), number("KEYTRAIL_SEED", 1));
    eprintln!("KEYTRAIL_SEED={seed}");
    let mut rng = Rng::part(seed, 5);
    let (disk, other) = (Disk::new(), Disk::new());
    let first = other.lake();
    let filling = |lake: &str| command(&server, "ingest", &["s3://logs/AWSLogs/", "--memory", "16KiB", "--lake", lake]);
    let undisturbed = |lake: &str| {
        let (done, whole) = measured(|| run(filling(lake)));
        done.ended(0);
        whole
    };
    let times = [undisturbed(first.to_str().unwrap()), undisturbed("s3://lakes/undisturbed")];
    let (expected, size) = (content(&open(&server, first.to_str().unwrap())), count(&first));
    let local = disk.lake();
    for (lake, whole) in [local.to_str().unwrap(), LAKE].into_iter().zip(times) {
        let mut kills = 0;
        for _ in 0..number("KEYTRAIL_KILLS", 5).div_ceil(2) {
            let moment = match Moment::draw(&mut rng, whole, size) {
                // Files of a lake in S3 are not counted from here.
                Moment::Files(_) if lake == LAKE => Moment::After(whole.mul_f64(rng.unit())),
                moment => moment,
            };
            let status = kill(start(filling(lake)), "KILL", moment, &local);
            kills += u64::from(status.code().is_none());
        }
        // Twice: the first goes on, the second removes what it could not know to be left behind.
        let last = [(); 2].map(|()| counted(&run(filling(lake)).ended(0)));
        eprintln!("{lake}: {kills} kills, then {last:?}");
        assert_eq!(last[1], [0, 0, 60]);
        let lake = open(&server, lake);
        assert_eq!(content(&lake), expected);
        let listed = lake.snapshot().unwrap().shards.iter().map(|state| state.manifest.parts.len()).sum::<usize>();
        let parts = names(&lake).iter().filter(|name| name.ends_with(".parquet")).count();
        assert_eq!(parts, listed, "parts that no manifest lists");
    }
}

#[test]
fn two_ingests_into_one_lake() {
    let server = Arc::new(server(65, 60));
    let disk = Disk::new();
    let other = disk.lake();
    run(command(&server, "ingest", &["s3://logs/AWSLogs/", "--lake", other.to_str().unwrap()])).ended(0);
    let filling = || {
        let mut command = command(&server, "ingest", &["s3://logs/AWSLogs/", "--memory", "16KiB", "--lake", LAKE]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let done = [filling(), filling()].map(|child| Done::of(child.wait_with_output().unwrap()).ended(0));
    // Two that write the very same at the same time both succeed: then both count it as new.
    let new: u64 = done.iter().map(|done| counted(done)[0]).sum();
    assert!((60..=120).contains(&new), "{new}");
    let conditions = server
        .take_seen()
        .iter()
        .filter(|seen| seen.method == "PUT" && seen.path.ends_with("current.json"))
        .filter(|seen| seen.headers.iter().any(|(name, _)| name == "if-match" || name == "if-none-match"))
        .count();
    assert!(conditions > 0, "manifests are swapped under a condition");
    assert_eq!(content(&open(&server, LAKE)), content(&open(&server, other.to_str().unwrap())));
    // Also by one process, which has one idea of what stands there.
    let options = ScanOptions {
        s3: server.options(),
        ..ScanOptions::new(vec!["s3://logs/AWSLogs/".into()], Settings::default())
    };
    let again =
        keytrail::pipeline::fill(&options, &open(&server, LAKE), keytrail::pipeline::Reach::Asked, &Silent).unwrap();
    assert_eq!((again.unchanged, again.committed.added), (60, 0));
}

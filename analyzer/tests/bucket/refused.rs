//! What a bucket does not give is told with its reason, and the rest is read.

use crate::place::{Disk, document, fill, keytrail_s3, reasons, settings};
use crate::run::{files, scan};
use crate::s3::buckets::Thing;
use crate::s3::server::{Fault, Server};

const DENIED: Fault = Fault::Answer(403, "AccessDenied", "no s3:ListBucket on this prefix");

#[test]
fn a_prefix_that_may_not_be_listed() {
    let (mut settings, disk) = (settings(51, 40), Disk::new());
    settings.accounts = 2;
    let listed = |query: &str, account: &str| query.contains(&format!("prefix=AWSLogs%2F{account}%2F"));
    let server = Server::with(move |seen| listed(&seen.query, "444455556666").then_some(DENIED));
    fill(&server, &disk.logs(), settings);
    let denied = disk.logs().join("AWSLogs/444455556666");
    assert!(denied.is_dir(), "{:?}", files(&disk.logs()));

    let told = keytrail_s3(&server, "scan", &["s3://logs/"]).ended(4);
    let json = told.json();
    assert_eq!(reasons(&json), [("s3://logs/AWSLogs/444455556666/".to_owned(), "access-denied".to_owned())]);
    assert!(json["skipped"][0].to_string().contains("no s3:ListBucket on this prefix"), "{}", json["skipped"]);
    assert!(told.err.contains("s3://logs/AWSLogs/444455556666/") && told.err.contains("s3:ListBucket"), "{}", told.err);
    assert_eq!(json["coverage"]["complete"], false);

    // The rest is all there.
    std::fs::remove_dir_all(denied).unwrap();
    let rest = scan(&[disk.logs()], &[]).ended(0).json();
    assert_eq!(json["coverage"]["records"], rest["coverage"]["records"]);
    assert_eq!(json["coverage"]["operations"], rest["coverage"]["operations"]);
    assert_eq!(json["coverage"]["objects"]["read"], rest["coverage"]["objects"]["read"]);
}

#[test]
fn objects_that_are_not_given() {
    let disk = Disk::new();
    let paths = {
        let bulk = keytrail_fixtures::bulk::Bulk::new(settings(52, 40));
        (0..bulk.len()).map(|index| bulk.path(index)).collect::<Vec<_>>()
    };
    let key = "User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:Decrypt on the resource";
    let gets = |path: String, fault: Fault| (format!("/logs/{path}"), fault);
    let faults = [
        gets(paths[3].clone(), Fault::Answer(404, "NoSuchKey", "The specified key does not exist.")),
        gets(paths[5].clone(), Fault::Answer(403, "AccessDenied", key)),
        gets(paths[7].clone(), Fault::Answer(403, "AccessDenied", "Access Denied")),
    ];
    let server =
        Server::with(move |seen| faults.iter().find(|(path, _)| seen.path == *path).map(|found| found.1.clone()));
    fill(&server, &disk.logs(), settings(52, 40));
    let bytes = std::fs::read(disk.logs().join(&paths[9])).unwrap();
    server.buckets.put_thing(
        "logs",
        &paths[9],
        Thing { bytes: bytes.into(), class: Some("DEEP_ARCHIVE"), ..Thing::default() },
    );

    let told = keytrail_s3(&server, "scan", &["s3://logs/"]).ended(4);
    let uri = |at: usize| format!("s3://logs/{}", paths[at]);
    let mut expected = [(3, "gone"), (5, "key-denied"), (7, "access-denied"), (9, "archived")]
        .map(|(at, reason)| (uri(at), reason.to_owned()));
    expected.sort();
    assert_eq!(reasons(&told.json()), expected);
    for (object, _) in &expected {
        assert!(told.err.contains(object), "{}", told.err);
    }
    assert!(told.err.contains("kms:Decrypt") && told.err.contains("restore"), "{}", told.err);
    let asked = server.take_seen().iter().filter(|seen| seen.path == format!("/logs/{}", paths[9])).count();
    assert_eq!(asked, 0, "what is archived is not asked for");

    for at in [3, 5, 7, 9] {
        std::fs::remove_file(disk.logs().join(&paths[at])).unwrap();
    }
    let rest = scan(&[disk.logs()], &[]).ended(0).json();
    assert_eq!(told.json()["findings"].as_array().unwrap().len(), rest["findings"].as_array().unwrap().len());
    for member in ["records", "operations"] {
        assert_eq!(told.json()["coverage"][member], rest["coverage"][member], "{member}");
    }
}

/// What may pass is asked for again by the next ingest; what will not, once it is another object.
#[test]
fn an_ingest_comes_back_for_what_it_did_not_get() {
    let (disk, open) = (Disk::new(), std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)));
    let is_open = open.clone();
    let server = Server::with(move |seen| {
        let closed = !is_open.load(std::sync::atomic::Ordering::SeqCst);
        (closed && seen.path.contains("/2026/08/03/") && seen.query.contains("GetObject")).then_some(DENIED)
    });
    fill(&server, &disk.logs(), settings(53, 40));
    let lake = disk.lake();
    let args = ["s3://logs/", "--lake", lake.to_str().unwrap()];
    let first = keytrail_s3(&server, "ingest", &args).ended(4).json();
    let missing = first["objects"]["skipped"].as_u64().unwrap();
    assert!(missing > 0 && first["objects"]["read"].as_u64().unwrap() > 0, "{first}");
    open.store(true, std::sync::atomic::Ordering::SeqCst);
    let second = keytrail_s3(&server, "ingest", &args).ended(0).json();
    assert_eq!((&second["objects"]["replaced"], &second["objects"]["new"]), (&missing.into(), &0.into()), "{second}");
    let lake = scan(&[&lake], &[]).ended(0).json();
    assert_eq!(crate::place::plain(lake), crate::place::plain(document(&server, "s3://logs/")));
}

/// A folder that can be listed by now is not told any more; one that still cannot be listed is told once.
#[test]
fn a_folder_that_is_opened_later() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let (mut settings, disk) = (settings(54, 40), Disk::new());
    settings.accounts = 2;
    let open = std::sync::Arc::new(AtomicBool::new(false));
    let is_open = open.clone();
    let server = Server::with(move |seen| {
        let closed = !is_open.load(Ordering::SeqCst) && seen.query.contains("prefix=AWSLogs%2F444455556666%2F");
        closed.then_some(DENIED)
    });
    fill(&server, &disk.logs(), settings);
    let lake = disk.lake();
    let args = ["s3://logs/", "--lake", lake.to_str().unwrap()];
    let closed = [("s3://logs/AWSLogs/444455556666/".to_owned(), "access-denied".to_owned())];
    for _ in 0..2 {
        keytrail_s3(&server, "ingest", &args).ended(4);
        assert_eq!(reasons(&scan(&[&lake], &[]).ended(4).json()), closed);
    }
    open.store(true, Ordering::SeqCst);
    keytrail_s3(&server, "ingest", &args).ended(0);
    let lake = scan(&[&lake], &[]).ended(0).json();
    assert_eq!(crate::place::plain(lake), crate::place::plain(document(&server, "s3://logs/")));
}

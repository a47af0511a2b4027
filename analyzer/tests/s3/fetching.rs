use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use keytrail::source::s3::{Body, Fetched, S3Options, S3Url, Session};
use keytrail::source::{Filter, Object};

use super::server::{Fault, Server};

/// Everything in the bucket.
pub(crate) fn objects(session: &Session) -> Vec<Object> {
    session.list(&S3Url::parse("s3://logs").unwrap(), &Filter::default()).unwrap().collect()
}

pub(crate) fn fetch_all(session: &Session) -> Vec<Fetched> {
    let mut all: Vec<Fetched> = session.fetch((0..).zip(objects(session))).collect();
    all.sort_by_key(|fetched| fetched.index);
    all
}

pub(crate) fn content(body: Body) -> Vec<u8> {
    match body {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::Spooled(mut file) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        }
        Body::Failed { reason, detail } => panic!("{}: {detail}", reason.id()),
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(length)
    .collect()
}

#[test]
fn every_object_comes_once_with_its_number() {
    let server = Server::new();
    for file in 0..300 {
        server.buckets.put("logs", &format!("{file:04}"), format!("content {file}"));
    }
    server.buckets.put("logs", "0300", "");
    let session = server.session();
    let all = fetch_all(&session);
    assert_eq!(all.len(), 301);
    for (file, fetched) in all.into_iter().enumerate() {
        assert_eq!(
            (fetched.index as usize, fetched.object.uri.as_str()),
            (file, format!("s3://logs/{file:04}").as_str())
        );
        let expected = if file == 300 { String::new() } else { format!("content {file}") };
        assert_eq!(content(fetched.body), expected.as_bytes());
    }
    assert_eq!(session.in_flight_bytes(), 0);
}

#[test]
fn large_objects_come_in_parts_into_a_file() {
    let server = Server::new();
    let bytes = noise(37 << 20 | 12_345);
    server.buckets.put("logs", "large", bytes.clone());
    let session = server.session();
    let fetched = fetch_all(&session).pop().unwrap();
    assert!(matches!(fetched.body, Body::Spooled(_)), "{fetched:?}");
    assert!(content(fetched.body) == bytes);
    assert_eq!(session.in_flight_bytes(), 0);
    let seen = server.seen.lock().unwrap();
    let header = |name: &str| seen.iter().filter(|seen| seen.headers.iter().any(|(header, _)| header == name)).count();
    assert_eq!((header("range"), header("if-match")), (5, 5));
}

#[test]
fn bodies_wait_until_there_is_room() {
    let server = Server::new();
    const SIZE: usize = 100_000;
    for file in 0..60 {
        server.buckets.put("logs", &format!("{file:04}"), noise(SIZE));
    }
    server.buckets.put("logs", "9999", noise(3 * SIZE));
    // Room for three, and one that is larger than all the room.
    let limit = 250 * 1024;
    let session = Session::new(S3Options { in_flight_bytes: limit, ..server.options() }).unwrap();
    let objects = objects(&session);

    let (most, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let watcher = {
        let (session, most, done) = (session.clone(), most.clone(), done.clone());
        std::thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(session.in_flight_bytes(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(200));
            }
        })
    };
    let mut fetch = session.fetch((0..).zip(objects));
    let first = fetch.next().unwrap();
    // Nobody consumes: nothing more comes than there is room for.
    std::thread::sleep(Duration::from_millis(400));
    let sent = server.sent.load(Ordering::Relaxed);
    assert!(sent < limit + SIZE as u64 + 50_000, "{sent} bytes were sent");
    assert_eq!(content(first.body).len(), SIZE);
    let mut count = 1;
    for fetched in fetch {
        let length = content(fetched.body).len();
        assert_eq!(length, if fetched.index == 60 { 3 * SIZE } else { SIZE });
        count += 1;
    }
    done.store(true, Ordering::Relaxed);
    watcher.join().unwrap();
    assert_eq!(count, 61);
    assert!((SIZE as u64..=limit).contains(&most.load(Ordering::Relaxed)), "{most:?}");
    assert_eq!(session.in_flight_bytes(), 0);
}

#[test]
fn no_more_requests_at_a_time_than_allowed() {
    let server =
        Server::with(|seen| seen.query.contains("GetObject").then_some(Fault::Late(Duration::from_millis(20))));
    for file in 0..60 {
        server.buckets.put("logs", &format!("{file:04}"), "x");
    }
    let session = Session::new(S3Options { parallel: 4, ..server.options() }).unwrap();
    assert_eq!(fetch_all(&session).len(), 60);
    let most = server.most.load(Ordering::SeqCst);
    assert!((2..=4).contains(&most), "{most}");
}

#[test]
fn a_fetch_that_is_dropped_ends() {
    let server = Server::new();
    for file in 0..500 {
        server.buckets.put("logs", &format!("{file:04}"), noise(10_000));
    }
    let session = Session::new(S3Options { in_flight_bytes: 100_000, ..server.options() }).unwrap();
    for round in 0..20 {
        let listing = session.list(&S3Url::parse("s3://logs").unwrap(), &Filter::default()).unwrap();
        let mut fetch = session.fetch((0..).zip(listing));
        let first = fetch.next().unwrap();
        std::thread::sleep(Duration::from_millis(round % 7));
        drop(fetch);
        drop(first);
        let is_free = || {
            std::thread::sleep(Duration::from_millis(10));
            session.in_flight_bytes() == 0
        };
        assert!((0..1000).any(|_| is_free()), "{} bytes are still held", session.in_flight_bytes());
    }
}

#[test]
fn a_source_of_objects_that_panics_does_not_look_like_the_end() {
    let server = Server::new();
    let session = server.session();
    let objects = (0..3).map(|number: u32| if number == 2 { panic!("planted") } else { (number, Object::file("x")) });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| session.fetch(objects).count()));
    assert!(caught.is_err());
}

#[test]
fn an_independent_server_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for day in 1..=20 {
        for file in 0..60 {
            let day = chrono::NaiveDate::from_ymd_opt(2026, 9, day).unwrap();
            let key = super::listing::key("AWSLogs/", "111122223333", "eu-west-1", day, file);
            let path = folder.path().join("logs").join(&key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &key).unwrap();
            expected.push(key);
        }
    }
    let large = noise(20 << 20);
    std::fs::write(folder.path().join("logs/large"), &large).unwrap();
    expected.push("large".into());
    expected.sort();
    let server = Server::on(s3s_fs::FileSystem::new(folder.path()).unwrap());
    let session = server.session();
    let all = fetch_all(&session);
    assert_eq!(all.len(), expected.len());
    for (fetched, key) in all.into_iter().zip(&expected) {
        assert_eq!(fetched.object.uri, format!("s3://logs/{key}"));
        let bytes = content(fetched.body);
        assert!(if key == "large" { bytes == large } else { bytes == key.as_bytes() }, "{key}");
    }
}

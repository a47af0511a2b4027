//! A large bucket in two layouts, over many pages, from a server that fails now and then: the report is that of the same
//! files on disk.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keytrail_fixtures::bulk::Settings;

use crate::moments::number;
use crate::place::{Disk, as_on_disk, document, fill, put, settings};
use crate::run::scan;
use crate::s3::server::{Fault, Seen, Server};

/// How often the server asks to slow down: the client then slows down for all objects, for seconds.
const SLOW_DOWNS: u64 = 2;

/// Fails the first time that something is asked for, of some of the things.
fn now_and_then() -> impl Fn(&Seen) -> Option<Fault> {
    let (asked, slowed): (Mutex<HashSet<String>>, AtomicU64) = Default::default();
    move |seen| {
        let name = format!("{}?{}", seen.path, seen.query);
        let draw = keytrail_fixtures::Rng::of_text(&name).below(400);
        if seen.method != "GET" || !asked.lock().unwrap().insert(name) {
            return None;
        }
        let is_listing = seen.query.contains("list-type");
        if (is_listing || draw < 4) && slowed.fetch_add(1, Ordering::Relaxed) < SLOW_DOWNS {
            return Some(Fault::Answer(503, "SlowDown", "Please reduce your request rate."));
        }
        match draw {
            _ if is_listing => (draw < 80).then_some(Fault::Answer(500, "InternalError", "We encountered an error.")),
            0..=7 => Some(Fault::Answer(500, "InternalError", "We encountered an internal error.")),
            8..=15 => Some(Fault::Cut(20)),
            16..=17 => Some(Fault::Stall(20)),
            18 => Some(Fault::Silence),
            19..=22 => Some(Fault::Late(Duration::from_millis(100))),
            23..=24 => Some(Fault::Flip),
            _ => None,
        }
    }
}

#[test]
fn the_same_as_on_disk() {
    let (server, disk) = (Server::with(now_and_then()), Disk::new());
    let objects = number("KEYTRAIL_OBJECTS", 1500) as usize;
    // One Region of one account has more keys than a page, another trail has many places, and there is a flat export.
    let one = Settings { accounts: 1, regions: 1, ..settings(41, objects * 3 / 4) };
    fill(&server, &disk.logs(), one);
    let organization = Some("o-exampleorgid".into());
    fill(&server, &disk.logs(), Settings { organization, ..settings(42, objects / 4) });
    let record = keytrail_fixtures::kms::decrypt(&keytrail_fixtures::key_arn("1234abcd-12ab-34cd-56ef-1234567890ab"));
    for file in 0..objects / 30 {
        let line = record.clone().at("2026-08-03T10:00:00Z").ids_from(&mut keytrail_fixtures::Rng::new(file as u64));
        put(&server, &disk.logs(), &format!("export+1/a b %20/{file:06}.ndjson"), line.build().as_bytes());
    }

    let found = document(&server, "s3://logs/");
    assert_eq!(found["skipped"], serde_json::json!([]), "what fails once is asked for again");
    let seen = server.take_seen();
    let all = objects * 3 / 4 + objects / 4 + objects / 30;
    let pages = seen.iter().filter(|seen| seen.query.contains("list-type")).count();
    let gets = seen.iter().filter(|seen| seen.query.contains("x-id=GetObject")).count();
    eprintln!("{all} objects: {} requests, {pages} pages, {gets} for objects", seen.len());
    assert!(seen.iter().any(|seen| seen.query.contains("continuation-token") || seen.query.contains("start-after")));
    assert!(gets > all + all / 50, "{gets}: some had to be asked for again");

    let expected = scan(&[disk.logs()], &[]).ended(0).json();
    assert_eq!(expected["coverage"]["objects"]["read"], all);
    let [expected, found] =
        [(&expected, "/none/"), (&found, "s3://logs/")].map(|(json, from)| as_on_disk(json, from, &disk.logs()));
    for member in expected.as_object().unwrap().keys() {
        assert_eq!(found[member], expected[member], "{member}");
    }
    assert_eq!(found, expected);
}

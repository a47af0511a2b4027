use std::sync::{Arc, Mutex};
use std::time::Duration;

use keytrail::decode::SkipReason;
use keytrail::source::s3::{Listing, S3Error, S3Url, Session};
use keytrail::source::{Filter, Object};

use super::buckets::Thing;
use super::server::{Fault, Server};

const DAY: i64 = 86_400_000;

pub(crate) fn key(root: &str, account: &str, region: &str, day: chrono::NaiveDate, file: usize) -> String {
    let (path, date) = (day.format("%Y/%m/%d"), day.format("%Y%m%d"));
    format!(
        "{root}{account}/CloudTrail/{region}/{path}/{account}_CloudTrail_{region}_{date}T{:02}05Z_{file:016}.json.gz",
        file % 24
    )
}

fn list(session: &Session, url: &str, filter: &Filter) -> Listing {
    session.list(&S3Url::parse(url).unwrap(), filter).unwrap()
}

fn keys(listing: impl Iterator<Item = Object>) -> Vec<String> {
    listing.map(|object| object.uri.strip_prefix("s3://logs/").unwrap().to_owned()).collect()
}

#[test]
fn pages_come_in_order_and_complete() {
    let server = Server::new();
    // The first pages are late: what comes before must wait for nothing but be given first.
    let mut expected = Vec::new();
    for file in 0..2500 {
        expected.push(format!("flat/{file:05}.json"));
        expected.push(key("AWSLogs/", "111122223333", "eu-west-1", "2026-09-01".parse().unwrap(), file));
    }
    expected.sort();
    for key in &expected {
        server.buckets.put("logs", key, "x");
    }
    let listing = list(&server.session(), "s3://logs/", &Filter::default());
    let counter = listing.counter();
    assert_eq!(keys(listing), expected);
    assert_eq!(counter.get().seen, 5000);
    assert!(server.listings() <= 14, "{}", server.listings());
    let none = list(&server.session(), "s3://logs/nothing/here", &Filter::default());
    assert_eq!(keys(none), [""; 0]);
}

#[test]
fn order_does_not_depend_on_which_page_is_first() {
    let turn = Mutex::new(0);
    let server = Server::with(move |seen| {
        let mut turn = turn.lock().unwrap();
        *turn += 1;
        (seen.query.contains("list-type") && *turn % 3 == 0).then_some(Fault::Late(Duration::from_millis(40)))
    });
    let start: chrono::NaiveDate = "2026-01-01".parse().unwrap();
    let mut expected = Vec::new();
    for (number, day) in start.iter_days().take(90).enumerate() {
        for root in ["AWSLogs/", "AWSLogs/o-a1b2c3d4e5/", "o-a1b2c3d4e5/AWSLogs/o-a1b2c3d4e5/", "team/trail/AWSLogs/"] {
            for file in 0..12 {
                expected.push(key(root, "111122223333", ["eu-west-1", "us-east-1"][number % 2], day, file));
            }
        }
    }
    expected.sort();
    for key in &expected {
        server.buckets.put("logs", key, "x");
    }
    assert_eq!(keys(list(&server.session(), "s3://logs/", &Filter::default())), expected);
    let part = list(&server.session(), "s3://logs/AWSLogs/o-a1b2", &Filter::default());
    assert_eq!(
        keys(part),
        expected.iter().filter(|key| key.starts_with("AWSLogs/o-a1b2")).cloned().collect::<Vec<_>>()
    );
}

#[test]
fn a_day_of_one_account_is_a_fraction_of_the_bucket() {
    let server = Server::new();
    let start: chrono::NaiveDate = "2025-08-01".parse().unwrap();
    let accounts = ["111122223333", "222233334444", "333344445555", "444455556666", "555566667777"];
    let mut all = 0_u64;
    for day in start.iter_days().take(400) {
        for account in accounts {
            for region in ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"] {
                for file in 0..2 {
                    server.buckets.put("logs", &key("AWSLogs/o-a1b2c3d4e5/", account, region, day, file), "x");
                    all += 1;
                }
            }
        }
    }
    let day: chrono::NaiveDate = "2026-03-10".parse().unwrap();
    let from = day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
    let filter =
        Filter { accounts: vec![accounts[3].into()], from: Some(from), to: Some(from + DAY), ..Filter::default() };
    let session = server.session();
    let listing = list(&session, "s3://logs/AWSLogs/", &filter);
    let (counter, window) = (listing.counter(), listing.window());
    let found = keys(listing);
    let counts = counter.get();
    println!(
        "one day, one account: {} requests, {} of {all} keys listed, {} kept",
        session.requests(),
        counts.seen,
        found.len()
    );
    assert_eq!(found.len(), 4 * 2 * 3);
    assert!(counts.seen * 100 < all);
    assert!(session.requests() <= 25);
    assert_eq!(window.last, Some("2026-03-12".parse().unwrap()));
    assert!(window.may_miss_late);
}

#[test]
fn strange_keys_are_told_as_they_are() {
    let server = Server::new();
    let names = ["a b+c%20.json", "x\u{1}y.json", "ünï/€.json", "a/../b", "<&>\"'", "dir//x", "100%"];
    for name in names {
        server.buckets.put("logs", name, "content");
    }
    server.buckets.put("logs", "folder/", "");
    let session = server.session();
    let mut expected = names.to_vec();
    expected.sort_unstable();
    let objects: Vec<Object> = list(&session, "s3://logs", &Filter::default()).collect();
    assert_eq!(keys(objects.iter().cloned()), expected);
    // And they can be fetched, as far as HTTP can name them.
    let named = objects.into_iter().filter(|object| !object.uri.contains(['\u{1}']) && !object.uri.contains(".."));
    for fetched in session.fetch((0..).zip(named.collect::<Vec<_>>())) {
        let keytrail::source::s3::Body::Bytes(bytes) = fetched.body else { panic!("{fetched:?}") };
        assert_eq!(&*bytes, b"content");
    }
}

#[test]
fn archived_objects_are_told_without_asking_for_them() {
    let server = Server::new();
    let thing = |class, is_restored| Thing { bytes: "x".into(), class: Some(class), is_restored, ..Thing::default() };
    server.buckets.put_thing("logs", "a", thing("GLACIER", false));
    server.buckets.put_thing("logs", "b", thing("DEEP_ARCHIVE", true));
    server.buckets.put_thing("logs", "c", thing("GLACIER_IR", false));
    server.buckets.put_thing("logs", "d", thing("INTELLIGENT_TIERING", false));
    let skipped: Vec<_> = list(&server.session(), "s3://logs", &Filter::default()).map(|object| object.skip).collect();
    assert_eq!(skipped, [Some(SkipReason::Archived), None, None, None]);
}

#[test]
fn a_folder_that_may_not_be_listed_costs_that_folder() {
    let server = Server::with(|seen| {
        let is_denied = seen.query.contains("prefix=AWSLogs%2F222233334444%2F");
        is_denied.then_some(Fault::Answer(403, "AccessDenied", "no s3:ListBucket for you"))
    });
    for account in ["111122223333", "222233334444", "333344445555"] {
        server.buckets.put("logs", &key("AWSLogs/", account, "eu-west-1", "2026-09-01".parse().unwrap(), 0), "x");
    }
    let listing = list(&server.session(), "s3://logs/", &Filter::default());
    let counter = listing.counter();
    let objects: Vec<Object> = listing.collect();
    assert_eq!(objects.len(), 3);
    assert_eq!(objects[1].uri, "s3://logs/AWSLogs/222233334444/");
    assert_eq!(objects[1].skip, Some(SkipReason::Denied));
    assert!(objects[1].detail.as_ref().unwrap().contains("no s3:ListBucket for you"), "{:?}", objects[1].detail);
    assert_eq!(counter.get().failed_folders, 1);
}

#[test]
fn throttled_listings_are_repeated() {
    let turn = Arc::new(Mutex::new(0));
    let server = Server::with(move |seen| {
        let mut turn = turn.lock().unwrap();
        *turn += 1;
        match *turn % 4 {
            _ if !seen.query.contains("list-type") => None,
            1 => Some(Fault::Answer(503, "SlowDown", "Please reduce your request rate.")),
            2 => Some(Fault::Cut(40)),
            _ => None,
        }
    });
    for file in 0..1500 {
        server.buckets.put("logs", &format!("x/{file:05}"), "x");
    }
    assert_eq!(list(&server.session(), "s3://logs/x/", &Filter::default()).count(), 1500);
}

#[test]
fn a_bucket_that_cannot_be_used_says_why() {
    let said = |server: &Server, url: &str| {
        let error = server.session().list(&S3Url::parse(url).unwrap(), &Filter::default()).unwrap_err();
        (error.to_string(), error)
    };
    let server = Server::new();
    let (text, error) = said(&server, "s3://other-logs/");
    assert_eq!(error, S3Error::NoSuchBucket("other-logs".into()));
    assert!(text.contains("no bucket `other-logs`"), "{text}");

    let denied = Server::with(|_| Some(Fault::Answer(403, "AccessDenied", "Access Denied")));
    let (text, error) = said(&denied, "s3://logs/AWSLogs/");
    assert!(matches!(error, S3Error::Denied { .. }) && text.contains("s3:ListBucket"), "{text}");

    let expired = Server::with(|_| Some(Fault::Answer(400, "ExpiredToken", "The provided token has expired.")));
    let (text, error) = said(&expired, "s3://logs/");
    assert!(matches!(error, S3Error::BadCredentials { .. }) && text.contains("renew"), "{text}");

    let mut options = server.options();
    options.credentials =
        Some(keytrail::source::s3::AccessKey { id: "AKIDEXAMPLE".into(), secret: "wrong".into(), token: None });
    let wrong = Session::new(options).unwrap();
    let error = wrong.list(&S3Url::parse("s3://logs").unwrap(), &Filter::default()).unwrap_err();
    assert!(matches!(error, S3Error::BadCredentials { .. }), "{error}");

    let mut options = server.options();
    options.endpoint_url = Some("http://127.0.0.1:9".into());
    let nowhere = Session::new(options).unwrap();
    let error = nowhere.list(&S3Url::parse("s3://logs").unwrap(), &Filter::default()).unwrap_err();
    assert!(matches!(error, S3Error::Failed { .. }), "{error}");
}

#[test]
fn the_region_is_found_by_itself() {
    for status in [301, 400, 403] {
        let server = Server::with(move |seen| {
            let signed = &seen.headers.iter().find(|(name, _)| name == "authorization").unwrap().1;
            (!signed.contains("/eu-south-2/")).then_some(Fault::Elsewhere(status, "eu-south-2"))
        });
        server.buckets.put("logs", "x", "content");
        let session = server.session();
        assert_eq!(list(&session, "s3://logs", &Filter::default()).count(), 1, "{status}");
        assert_eq!(session.bucket("logs").unwrap().region(), Some("eu-south-2"));
    }
}

#[test]
fn who_may_list_one_prefix_only_can_scan_it() {
    let server = Server::with(|seen| {
        (seen.method == "HEAD" || !seen.query.contains("prefix=AWSLogs")).then_some(Fault::Answer(
            403,
            "AccessDenied",
            "Access Denied",
        ))
    });
    server.buckets.put("logs", "AWSLogs/x", "content");
    assert_eq!(list(&server.session(), "s3://logs/AWSLogs/", &Filter::default()).count(), 1);
}

#[test]
fn requests_say_who_pays_and_may_be_unsigned() {
    let server = Server::new();
    server.buckets.put("logs", "x", "content");
    let session = Session::new(keytrail::source::s3::S3Options { request_payer: true, ..server.options() }).unwrap();
    let listing = list(&session, "s3://logs", &Filter::default());
    assert_eq!(session.fetch((0..).zip(listing)).count(), 1);
    let seen = server.seen.lock().unwrap().clone();
    let paying = seen.iter().filter(|seen| seen.headers.iter().any(|(name, _)| name == "x-amz-request-payer")).count();
    assert_eq!(paying, 2);

    let open = Server::with(|seen| {
        assert!(seen.headers.iter().all(|(name, _)| name != "authorization"));
        Some(Fault::Answer(403, "AccessDenied", "this bucket is not public"))
    });
    let unsigned = Session::new(keytrail::source::s3::S3Options { unsigned: true, ..open.options() }).unwrap();
    let error = unsigned.list(&S3Url::parse("s3://logs").unwrap(), &Filter::default()).unwrap_err();
    assert!(error.to_string().contains("not public"), "{error}");
}

#[test]
fn a_listing_that_is_dropped_ends() {
    let server = Server::new();
    for file in 0..70_000 {
        server.buckets.put("logs", &format!("{}/{file:06}", file % 7), "x");
    }
    let session = server.session();
    let mut listing = list(&session, "s3://logs", &Filter::default());
    assert!(listing.next().is_some());
    std::thread::sleep(Duration::from_millis(700));
    // It ran ahead, but not to the end.
    let pages = listing.counter().get().pages;
    assert!(pages < 45, "{pages}");
    drop(listing);
    drop(session);
}

//! A question about one day of one account in a bucket of a year and more of five accounts.

use chrono::NaiveDate;
use keytrail_fixtures::{Rng, Time, gzip, key_arn_in, kms, object_path};

use crate::place::keytrail_s3;
use crate::s3::server::Server;

const ACCOUNTS: [&str; 5] = ["111122223333", "222233334444", "333344445555", "444455556666", "555566667777"];
const REGIONS: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2"];
const FILES: u64 = 2;

#[test]
fn one_day_of_one_account_lists_one_key_in_a_hundred() {
    let server = Server::new();
    let [start, first]: [NaiveDate; 2] = ["2025-08-01", "2026-03-10"].map(|day| day.parse().unwrap());
    let (mut rng, mut all) = (Rng::new(1), 0_u64);
    for day in start.iter_days().take(400) {
        for (account, region) in ACCOUNTS.iter().flat_map(|account| REGIONS.map(|region| (account, region))) {
            for file in 0..FILES {
                let delivered = Time::from(format!("{day}T{:02}:05:00Z", 8 * file).as_str());
                let key = object_path(Some("o-exampleorgid"), account, region, delivered, &format!("{file:016}"));
                // What nobody should ask for is no log.
                let asked = *account == ACCOUNTS[3] && (0..3).contains(&(day - first).num_days());
                let content = if asked { log(account, region, delivered, &mut rng) } else { b"not a log".to_vec() };
                server.buckets.put("logs", &key, content);
                all += 1;
            }
        }
    }
    let day = ["--from", "2026-03-10", "--to", "2026-03-10", "--account", ACCOUNTS[3]];
    let done = keytrail_s3(&server, "scan", &[&["s3://logs/AWSLogs/"], &day[..]].concat()).ended(0);
    let (shown, seen) = (server.shown.load(std::sync::atomic::Ordering::Relaxed), server.take_seen());
    let gets = seen.iter().filter(|seen| seen.query.contains("x-id=GetObject")).count();
    let json = done.json();
    eprintln!(
        "one day of one account: {} requests ({} of them for {gets} objects), {shown} of {all} keys and folders shown; {}",
        seen.len(),
        gets,
        json["notices"]
    );
    assert!(shown * 100 < all, "{shown} of {all}");
    // The day and the two after it, in which late files may come.
    assert_eq!(json["coverage"]["objects"]["read"], 3 * FILES * 4);
    assert!(seen.len() as u64 <= 3 * FILES * 4 + 30, "{} requests", seen.len());
    assert!(json["coverage"]["records"]["kms"].as_u64().unwrap() >= FILES * 4);
    let notices = json["notices"].to_string();
    for told in ["keys listed in", "not listed", "--late-days", "accounts asked for", "--lookback"] {
        assert!(notices.contains(told), "{told}: {notices}");
    }
}

fn log(account: &str, region: &str, delivered: Time, rng: &mut Rng) -> Vec<u8> {
    let key = key_arn_in(account, region, "1234abcd-12ab-34cd-56ef-1234567890ab");
    let record = kms::decrypt(&key).at(delivered + -120).ids_from(rng).build();
    gzip(format!("{{\"Records\":[{record}]}}").as_bytes(), 1)
}

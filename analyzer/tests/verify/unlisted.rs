//! Log files that nobody vouches for.

use keytrail_fixtures::signed::{Store, Trail};

use crate::place::{assert_problems, chain, problems, trail_of, verify};

#[test]
fn an_extra_log_file_is_told_whatever_it_is_called() {
    let mut store = Store::default();
    chain(&mut store, Trail::default(), 30, 1);
    let object = store.get(&store.keys(false)[4].clone()).clone();
    let folder = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01";
    for name in [
        "111122223333_CloudTrail_eu-west-1_20260901T0310Z_planted123456789.json.gz",
        "111122223333_CloudTrail_eu-west-1_20260901T1759Z.json",
        // A scan reads it by its content, and takes it for a log of this account.
        "444455556666_CloudTrail_eu-west-1_20260901T0310Z_planted123456789.json.gz",
        "111122223333_CloudTrail_us-east-2_20260901T0310Z_planted123456789.json.gz",
    ] {
        let mut store = store.clone();
        let key = format!("{folder}/{name}");
        store.put(&key, object.clone());
        let done = verify(&store, &[]).ended(10);
        assert_problems(&done, &[("log-unlisted", &key)]);
        assert_eq!((&done.json()["logs"]["invalid"], &done.json()["logs"]["valid"]), (&1.into(), &90.into()));
    }
    // CloudTrail gives no such name, whatever the time.
    let mut store = store.clone();
    let key = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/notes.json.gz";
    store.put(key, object);
    assert_problems(&verify(&store, &[]).ended(10), &[("log-unlisted", key)]);
}

#[test]
fn what_was_delivered_after_the_last_digest_waits_for_the_next() {
    let mut store = Store::default();
    let mut chain = chain(&mut store, Trail::default(), 3, 1);
    // Ends at 03:01:31.
    for minute in [-12, 0, 20, 55] {
        chain.log(&mut store, minute);
    }
    let json = verify(&store, &[]).ended(0).json();
    assert_eq!(json["logs"]["pending"], 4);
    // After more than an hour there should be another digest.
    chain.log(&mut store, 80);
    let json = verify(&store, &[]).ended(4).json();
    assert_eq!((problems(&json).len(), &json["logs"]["uncovered"]), (1, &1.into()));
}

#[test]
fn logs_without_any_digest_are_not_covered() {
    let mut store = Store::default();
    chain(&mut store, Trail::default(), 3, 1);
    let other = chain(&mut store, trail_of("444455556666"), 3, 1);
    for key in &other.digests {
        store.delete(key);
    }
    let done = verify(&store, &[]).ended(4);
    let found = problems(&done.json());
    assert!(matches!(found.as_slice(), [(kind, object)] if kind == "not-covered" && object.contains("444455556666")));
    assert_eq!(done.json()["logs"]["uncovered"], 9);
}

#[test]
fn copies_are_each_looked_at() {
    let mut store = Store::default();
    let chain = chain(&mut store, Trail::default(), 3, 1);
    let mut both = Store::default();
    for (key, object) in &store.objects {
        both.put(&format!("a/{key}"), object.clone());
        both.put(&format!("b/{key}"), object.clone());
    }
    assert_eq!(verify(&both, &[]).ended(0).json()["logs"]["valid"], 18);
    let log = format!("b/{}", store.keys(false)[4]);
    both.get(&log).bytes.truncate(9);
    assert_problems(&verify(&both, &[]).ended(10), &[("log-tampered", &log)]);
    let digest = format!("a/{}", chain.digests[1]);
    both.get(&digest).bytes.truncate(9);
    assert_problems(&verify(&both, &[]).ended(10), &[("log-tampered", &log), ("digest-tampered", &digest)]);
}

//! Everything that somebody with write access to the bucket could do.

use keytrail_fixtures::gzip;
use keytrail_fixtures::signed::{Chain, Signer, Store, Trail};

use crate::place::{assert_problems, chain, text, trail_of, verify};
use crate::run::Done;

/// Eight hours of one account.
fn eight() -> (Store, Chain) {
    let mut store = Store::default();
    let chain = chain(&mut store, Trail::default(), 8, 1);
    (store, chain)
}

/// Tampers with eight hours; the key of the object decides which.
fn tampered(change: impl FnOnce(&mut Store, &Chain)) -> Done {
    let (mut store, chain) = eight();
    change(&mut store, &chain);
    verify(&store, &[])
}

fn log(store: &Store, at: usize) -> String {
    store.keys(false)[at].clone()
}

#[test]
fn untouched_is_valid() {
    let done = tampered(|_, _| {}).ended(0);
    let json = done.json();
    assert_eq!((&json["schema"], &json["verdict"]), (&"keytrail.verify/1".into(), &"valid".into()));
    assert_eq!((&json["logs"]["valid"], &json["digests"]["valid"]), (&24.into(), &8.into()));
    assert_eq!(json["problems"], serde_json::json!([]));
    let intervals = json["intervals"].as_array().unwrap();
    assert_eq!(intervals.len(), 1, "{intervals:#?}");
    assert_eq!(text(&intervals[0], "from"), "2026-09-01T00:01:31Z");
    assert_eq!(text(&intervals[0], "to"), "2026-09-01T08:01:31Z");
}

#[test]
fn a_byte_in_a_log() {
    let (store, _) = eight();
    let key = log(&store, 7);
    // Every kind of byte: gzip's header and trailer, and the data between them.
    for at in [0, 3, 12, 60, -6, -1i64] {
        let mut store = store.clone();
        let bytes = &mut store.get(&key).bytes;
        let at = if at < 0 { bytes.len() - usize::try_from(-at).unwrap() } else { usize::try_from(at).unwrap() };
        bytes[at] ^= 0x40;
        let done = verify(&store, &[]).ended(10);
        assert_problems(&done, &[("log-tampered", &key)]);
        let json = done.json();
        assert_eq!((&json["logs"]["valid"], &json["logs"]["invalid"]), (&23.into(), &1.into()));
        assert_eq!(json["problems"][0]["from"], "2026-09-01T02:01:31Z");
        // The hour of the log is not valid, the others are.
        let verdicts: Vec<String> =
            json["intervals"].as_array().unwrap().iter().map(|interval| text(interval, "verdict")).collect();
        assert_eq!(verdicts, ["valid", "invalid", "valid"]);
    }
}

#[test]
fn a_log_packed_anew_with_other_content() {
    let (store, _) = eight();
    let key = log(&store, 3);
    let done = tampered(|store, _| store.edit(&key, |content| content.replacen("Decrypt", "Encrypt", 1))).ended(10);
    assert_problems(&done, &[("log-tampered", &key)]);
    // The same content packed differently is the same log.
    tampered(|store, _| store.edit(&key, |content| content)).ended(0);
}

#[test]
fn a_deleted_log() {
    let (store, _) = eight();
    let key = log(&store, 10);
    let done = tampered(|store, _| store.delete(&key)).ended(10);
    assert_problems(&done, &[("log-missing", &key)]);
    assert_eq!(done.json()["logs"]["missing"], 1);
}

#[test]
fn appended_bytes() {
    let (store, chain) = eight();
    let key = log(&store, 5);
    for more in [&b"x"[..], b"\0\0\0\0", &gzip(b"", 6), &gzip(b"{\"Records\":[]}", 6)] {
        let done = tampered(|store, _| store.get(&key).bytes.extend_from_slice(more)).ended(10);
        assert_problems(&done, &[("log-tampered", &key)]);
        let digest = &chain.digests[4];
        let done = tampered(|store, _| store.get(digest).bytes.extend_from_slice(more)).ended(10);
        assert_problems(&done, &[("digest-tampered", digest)]);
    }
}

#[test]
fn a_truncated_gzip() {
    let (store, chain) = eight();
    let key = log(&store, 5);
    for part in [0, 1, 9, 30] {
        let done = tampered(|store, _| store.get(&key).bytes.truncate(part)).ended(10);
        assert_problems(&done, &[("log-tampered", &key)]);
        let digest = &chain.digests[3];
        let done = tampered(|store, _| store.get(digest).bytes.truncate(part)).ended(10);
        assert_problems(&done, &[("digest-tampered", digest)]);
    }
}

#[test]
fn one_deleted_digest_and_two_and_three() {
    for count in 1..=3 {
        let (mut store, chain) = eight();
        for key in &chain.digests[3..3 + count] {
            store.delete(key);
        }
        let done = verify(&store, &[]).ended(10);
        // All of them are named, also those that no digest names any more.
        let expected: Vec<(&str, &str)> =
            chain.digests[3..3 + count].iter().map(|key| ("digest-missing", key.as_str())).collect();
        assert_problems(&done, &expected);
        let json = done.json();
        assert_eq!(json["digests"]["missing"], count);
        assert_eq!(json["logs"]["valid"], 24 - 3 * count);
        assert_eq!(json["logs"]["uncovered"], 3 * count, "their log files are there, yet nothing proves them");
        assert_eq!(json["problems"][0]["from"], "2026-09-01T03:01:31Z");
        assert_eq!(json["problems"][count - 1]["to"], format!("2026-09-01T{:02}:01:31Z", 3 + count));
    }
}

#[test]
fn a_digest_with_other_content() {
    let (mut store, chain) = eight();
    // An attacker drops a log file and its entry.
    let victim = log(&store, 13);
    let digest = &chain.digests[4];
    store.delete(&victim);
    store.edit(digest, |content| {
        let mut document: serde_json::Value = serde_json::from_str(&content).unwrap();
        document["logFiles"].as_array_mut().unwrap().retain(|log| log["s3Object"] != victim.as_str());
        document.to_string()
    });
    assert_problems(&verify(&store, &[]).ended(10), &[("digest-tampered", digest)]);
    // Without metadata the digest after it speaks against it all the same.
    store.get(digest).signature = None;
    assert_problems(&verify(&store, &[]).ended(10), &[("digest-tampered", digest)]);
}

#[test]
fn a_digest_signed_with_another_key() {
    let foreign = Signer::foreign();
    let (store, chain) = eight();
    let digest = &chain.digests[4];
    let change = |content: String| content.replace("\"SHA-256\"", "\"sha-256\"");
    // Changed and signed anew, under the old name of the key and under that of the new one.
    for rename in [false, true] {
        let mut store = store.clone();
        store.edit(digest, change);
        if rename {
            store.edit(digest, |content| content.replace(&Signer::first().fingerprint, &foreign.fingerprint));
        }
        store.sign(digest, &foreign);
        assert_problems(&verify(&store, &[]).ended(10), &[("digest-tampered", digest)]);
    }
    // Only signed anew.
    let mut signed = store.clone();
    signed.sign(digest, &foreign);
    assert_problems(&verify(&signed, &[]).ended(10), &[("signature-invalid", digest)]);
    // The newest digest, about which no other speaks.
    let newest = chain.digests.last().unwrap();
    let mut store = store.clone();
    store.edit(newest, change);
    store.sign(newest, &foreign);
    assert_problems(&verify(&store, &[]).ended(10), &[("signature-invalid", newest)]);
    store.edit(newest, |content| content.replace(&Signer::first().fingerprint, &foreign.fingerprint));
    store.sign(newest, &foreign);
    assert_problems(&verify(&store, &[]).ended(4), &[("key-unknown", newest)]);
}

#[test]
fn a_chain_signed_anew_from_one_digest_on() {
    let (mut store, chain) = eight();
    let foreign = Signer::foreign();
    for key in &chain.digests[5..] {
        store.edit(key, |content| content.replace(&Signer::first().fingerprint, &foreign.fingerprint));
        store.sign(key, &foreign);
    }
    let done = verify(&store, &[]).ended(10);
    let found = crate::place::problems(&done.json());
    assert!(found.iter().any(|(kind, _)| kind == "key-unknown"), "{found:?}");
    assert!(found.iter().any(|(kind, _)| kind == "chain-broken"), "their links were not made anew: {found:?}");
    assert_eq!(done.json()["digests"]["valid"], 5);
}

#[test]
fn reordered_digests() {
    let (mut store, chain) = eight();
    let [a, b] = [&chain.digests[2], &chain.digests[5]];
    let (first, second) = (store.get(a).clone(), store.get(b).clone());
    store.put(a, second);
    store.put(b, first);
    let found = verify(&store, &[]).ended(10);
    for key in [a, b] {
        let moved = crate::place::problems(&found.json());
        assert!(moved.iter().any(|(kind, object)| kind == "digest-tampered" && object.ends_with(key)), "{moved:?}");
    }
}

#[test]
fn a_digest_moved_to_another_hour_or_copied_there() {
    let (mut store, chain) = eight();
    let object = store.get(&chain.digests[3]).clone();
    let copy = chain.digests[3].replace("040131Z", "043131Z");
    store.put(&copy, object);
    assert_problems(&verify(&store, &[]).ended(10), &[("digest-tampered", &copy), ("chain-broken", &copy)]);
}

#[test]
fn files_of_two_accounts_swapped() {
    let accounts = ["111122223333", "444455556666"];
    let mut store = Store::default();
    let chains = accounts.map(|account| chain(&mut store, trail_of(account), 4, 1));
    let swap = |store: &mut Store, a: &str, b: &str| {
        let (first, second) = (store.get(a).clone(), store.get(b).clone());
        store.put(a, second);
        store.put(b, first);
    };
    let logs =
        accounts.map(|account| store.keys(false).into_iter().filter(|key| key.contains(account)).nth(4).unwrap());
    let mut swapped = store.clone();
    swap(&mut swapped, &logs[0], &logs[1]);
    assert_problems(&verify(&swapped, &[]).ended(10), &[("log-tampered", &logs[0]), ("log-tampered", &logs[1])]);
    let mut swapped = store.clone();
    swap(&mut swapped, &chains[0].digests[3], &chains[1].digests[3]);
    assert_problems(
        &verify(&swapped, &[]).ended(10),
        &[("digest-tampered", &chains[0].digests[3]), ("digest-tampered", &chains[1].digests[3])],
    );
    // Moved with their names: gone where they belong, and too many where they are.
    let mut moved = store.clone();
    let object = moved.get(&logs[0]).clone();
    let (folder, _) = logs[1].rsplit_once('/').unwrap();
    let there = format!("{folder}/{}", logs[0].rsplit('/').next().unwrap());
    moved.delete(&logs[0]);
    moved.put(&there, object);
    assert_problems(&verify(&moved, &[]).ended(10), &[("log-missing", &logs[0]), ("log-unlisted", &there)]);
}

#[test]
fn the_head_of_the_chain_cut_off() {
    let (mut store, chain) = eight();
    for key in &chain.digests[..3] {
        store.delete(key);
    }
    // Nobody can say whether they were ever synced: not invalid, yet not valid either.
    let done = verify(&store, &[]).ended(4);
    let found = crate::place::problems(&done.json());
    assert!(found.iter().any(|(kind, object)| kind == "digest-missing" && object.ends_with(&chain.digests[2])));
    assert!(found.iter().any(|(kind, _)| kind == "not-covered"), "the log files from before it: {found:?}");
    assert_eq!(done.json()["verdict"], "incomplete");
}

#[test]
fn the_newest_digests_cut_off() {
    let (mut store, chain) = eight();
    for key in &chain.digests[5..] {
        store.delete(key);
    }
    // Their log files show that they are gone.
    let done = verify(&store, &[]).ended(4);
    assert_problems(&done, &[("not-covered", &log(&store, 19))]);
    // Without log files, the period that was asked for does.
    for key in store.keys(false).into_iter().skip(15) {
        store.delete(&key);
    }
    verify(&store, &[]).ended(0);
    let done = verify(&store, &["--from", "2026-09-01T01:00:00Z", "--to", "2026-09-01T08:00:00Z"]).ended(4);
    assert_problems(&done, &[("not-covered", &chain.digests[4])]);
    // And so does another Region of the trail.
    chain_elsewhere(&mut store);
    assert_problems(&verify(&store, &[]).ended(4), &[("not-covered", &chain.digests[4])]);
}

fn chain_elsewhere(store: &mut Store) {
    chain(store, Trail { region: "us-east-2".into(), ..Trail::default() }, 8, 1);
}

#[test]
fn a_signature_taken_from_its_metadata_is_the_next_digests() {
    let (mut store, chain) = eight();
    store.get(&chain.digests[4]).signature = None;
    verify(&store, &[]).ended(0);
    // Nobody states that of the newest.
    let newest = chain.digests.last().unwrap();
    store.get(newest).signature = None;
    let done = verify(&store, &[]).ended(4);
    assert_problems(&done, &[("signature-missing", newest)]);
    assert_eq!(done.json()["logs"]["unproven"], 3);
    // What it lists is looked at all the same.
    let key = log(&store, 23);
    store.get(&key).bytes.truncate(30);
    assert_problems(&verify(&store, &[]).ended(10), &[("signature-missing", newest), ("log-tampered", &key)]);
}

#[test]
fn a_forged_digest_lists_nothing_that_is_looked_at() {
    let (mut store, chain) = eight();
    let newest = chain.digests.last().unwrap();
    for path in ["../../../../../../etc/passwd", "/etc/passwd", "AWSLogs/../../keys.json", "\u{1b}[2J\n<script>"] {
        store.edit(newest, |content| {
            let mut document: serde_json::Value = serde_json::from_str(&content).unwrap();
            document["logFiles"][0]["s3Object"] = path.into();
            document.to_string()
        });
        store.get(newest).signature = None;
        let done = verify(&store, &[]).ended(10);
        let found = crate::place::problems(&done.json());
        assert!(found.contains(&("log-missing".into(), format!("s3://trail-bucket/{path}"))), "{found:?}");
        assert!(!String::from_utf8_lossy(&done.out).contains('\u{1b}'));
    }
}

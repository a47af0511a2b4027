//! The verdict and the hash of the very object that a piece of evidence stands in.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use keytrail::config::Settings;
use keytrail::finding::Vouched;
use keytrail::integrity::{PublicKeys, Verdict};
use keytrail::pipeline::{self, Progress, Remember, ScanOptions};
use keytrail_fixtures::signed::{Chain, Signer, Store, Trail};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::place::{Disk, start, text, trail_of};
use crate::run::{Done, files, keytrail, run, scan};

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A log in which somebody schedules the deletion of a key.
pub(crate) fn deletion(account: &str, at: &str) -> String {
    let record = json!({
        "eventVersion": "1.11",
        "userIdentity": { "type": "IAMUser", "arn": format!("arn:aws:iam::{account}:user/mallory"), "accountId": account },
        "eventTime": at,
        "eventSource": "kms.amazonaws.com",
        "eventName": "ScheduleKeyDeletion",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli",
        "requestParameters": { "keyId": KEY, "pendingWindowInDays": 7 },
        "responseElements": { "keyId": KEY, "keyState": "PendingDeletion", "deletionDate": "Sep 8, 2026, 12:20:00 AM", "pendingWindowInDays": 7 },
        "eventID": "11111111-2222-4333-8444-555555555555",
        "readOnly": false,
        "resources": [{ "accountId": account, "type": "AWS::KMS::Key", "ARN": KEY }],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": account,
    });
    json!({ "Records": [record] }).to_string()
}

/// Six hours, with the deletion in the third; gives the key of its log.
pub(crate) fn chain(store: &mut Store) -> String {
    chain_with(store, 2)
}

/// Six hours, with the deletion in this one.
fn chain_with(store: &mut Store, of: usize) -> String {
    let trail = Trail { region: "eu-central-1".into(), ..trail_of("111122223333") };
    let (signer, mut chain) = (Signer::first(), Chain::new(trail, start(), 1));
    let mut key = String::new();
    for hour in 0..6 {
        let mut logs = vec![chain.log(store, 4)];
        if hour == of {
            let before = store.keys(false);
            logs.push(chain.deliver(store, 19, &deletion("111122223333", &format!("2026-09-01T0{of}:20:00Z"))));
            key = store.keys(false).into_iter().find(|key| !before.contains(key)).unwrap();
        }
        chain.digest(store, &signer, &logs);
    }
    key
}

/// The binary without a format.
pub(crate) fn bare(subcommand: &str) -> Command {
    let mut command = Command::new(keytrail(subcommand).get_program());
    command.env_clear().arg(subcommand);
    command
}

fn verified(disk: &Disk, args: &[&str]) -> Done {
    let keys = disk.path("keys.json");
    scan(&[disk.path("logs")], &[&["--verify", "--public-keys", &keys], args].concat())
}

pub(crate) fn evidence(document: &Value) -> Vec<Value> {
    let of = |finding: &Value| finding["evidence"].as_array().unwrap().clone();
    document["findings"].as_array().unwrap().iter().flat_map(of).collect()
}

fn on_disk(disk: &Disk, key: &str) -> PathBuf {
    let name = key.rsplit('/').next().unwrap();
    files(disk.path("logs").as_ref()).into_iter().find(|path| path.ends_with(name)).unwrap()
}

#[test]
fn evidence_carries_the_hash_that_sha256sum_gives_and_the_verdict_of_its_object() {
    let mut store = Store::default();
    let key = chain(&mut store);
    let disk = Disk::of(&store, true);
    let document = verified(&disk, &[]).ended(0).json();
    let integrity = &document["coverage"]["integrity"];
    assert_eq!(*integrity, json!({ "verdict": "valid", "objects": { "valid": 7 }, "problems": 0, "first": [] }));
    let all = evidence(&document);
    assert!(!all.is_empty());
    let sum = Command::new("sha256sum").arg(on_disk(&disk, &key)).output().unwrap();
    for one in &all {
        assert_eq!(one["integrity"], "valid");
        assert!(text(one, "object").ends_with(key.rsplit('/').next().unwrap()));
        assert!(String::from_utf8_lossy(&sum.stdout).starts_with(&text(one, "sha256")), "{one}");
    }
    // Nothing of it without being asked.
    let plain = scan(&[disk.path("logs")], &[]).ended(0).json();
    assert_eq!(plain["coverage"]["integrity"], Value::Null);
    assert!(evidence(&plain).iter().all(|one| one.get("sha256").is_none() && one.get("integrity").is_none()));
}

#[test]
fn what_was_done_to_an_object_is_told_in_every_format() {
    /// The verdict of the evidence, exit code, verdict of the whole, what was done.
    type Case = (&'static str, i32, &'static str, fn(&mut Store, &str));
    let cases: [Case; 3] = [
        ("tampered", 10, "invalid", |store, key| store.edit(key, |text| text.replace("mallory", "alice00"))),
        ("not-covered", 10, "invalid", |store, _| {
            // Signed by somebody else: such digests state nothing.
            for key in store.keys(true) {
                store.sign(&key, &Signer::foreign());
            }
        }),
        ("not-covered", 4, "incomplete", |store, _| {
            for key in store.keys(true) {
                store.delete(&key);
            }
        }),
    ];
    for (word, code, verdict, change) in cases {
        let mut store = Store::default();
        let key = chain(&mut store);
        change(&mut store, &key);
        let disk = Disk::of(&store, true);
        let done = verified(&disk, &[]).ended(code);
        let document = done.json();
        assert_eq!(document["coverage"]["integrity"]["verdict"], verdict, "{word}");
        assert!(document["coverage"]["integrity"]["problems"].as_u64().unwrap() > 0);
        assert!(evidence(&document).iter().all(|one| one["integrity"] == word), "{word}: {document}");
        for format in ["ndjson", "csv", "text"] {
            let mut command = bare("scan");
            command.args([
                disk.path("logs").as_str(),
                "--verify",
                "--format",
                format,
                "--public-keys",
                &disk.path("keys.json"),
            ]);
            let done = run(command).ended(code);
            let text = String::from_utf8(done.out).unwrap();
            let in_coverage = if format == "csv" { done.err } else { text.clone() };
            assert!(in_coverage.contains(verdict) || format == "csv", "{word} {format}: {in_coverage}");
            assert!(text.contains(word), "{word} {format}: {text}");
        }
    }
}

/// A synced folder has no signatures: that of a digest stands in the next one, and the newest has none.
#[test]
fn what_the_newest_digest_lists_is_unproven_without_its_signature() {
    for (hour, word) in [(4, "valid"), (5, "unproven")] {
        let mut store = Store::default();
        chain_with(&mut store, hour);
        let document = verified(&Disk::of(&store, false), &[]).ended(4).json();
        let all = evidence(&document);
        assert!(!all.is_empty() && all.iter().all(|one| one["integrity"] == word), "{document}");
    }
}

/// Between reading and verifying, an object is exchanged: what counts is what was read.
#[test]
fn the_verdict_is_about_the_bytes_that_were_read() {
    struct Silent;
    impl Progress for Silent {}
    let mut store = Store::default();
    let key = chain(&mut store);
    let disk = Disk::of(&store, true);
    let mut keys = PublicKeys::default();
    keys.add(&fs::read(disk.path("keys.json")).unwrap()).unwrap();
    let path = on_disk(&disk, &key);
    let good = fs::read(&path).unwrap();
    let mut other = store.clone();
    other.edit(&key, |text| text.replace("mallory", "alice00"));
    let bad = other.get(&key).bytes.clone();
    let two = [good.clone(), keytrail_fixtures::gzip(b"", 6)].concat();
    for (read, kept, vouched, verdict) in [
        (&good, &bad, Vouched::Valid, Verdict::Valid),
        (&bad, &good, Vouched::Tampered, Verdict::Invalid),
        (&two, &good, Vouched::Tampered, Verdict::Invalid),
    ] {
        fs::write(&path, read).unwrap();
        let mut options = ScanOptions::new(vec![disk.path("logs")], Settings::default());
        options.remember = Remember::Contents;
        let mut report = pipeline::scan(&options, &Silent).unwrap();
        fs::write(&path, kept).unwrap();
        pipeline::vouch(&options, &keys, &[], &mut report, &Silent).unwrap();
        assert_eq!(report.integrity.as_ref().unwrap().verdict, verdict, "{:?}", report.integrity);
        let proofs: Vec<_> = report.findings.iter().flat_map(|finding| &finding.evidence).collect();
        assert!(!proofs.is_empty());
        let sum: String = Sha256::digest(read).iter().map(|byte| format!("{byte:02x}")).collect();
        for proof in proofs.into_iter().map(|evidence| evidence.proof.as_ref().unwrap()) {
            assert_eq!((proof.vouched, proof.sha256.as_ref()), (vouched, Some(&sum)));
        }
    }
}

/// The cause lies before the period: its object has a verdict too, and one that is wrong makes the whole wrong.
#[test]
fn what_was_read_from_outside_of_the_period_is_vouched_for_too() {
    let mut store = Store::default();
    let key = chain(&mut store);
    let period = ["--from", "2026-09-01T04:01:31Z", "--to", "2026-09-01T06:01:31Z"];
    let disk = Disk::of(&store, true);
    let document = verified(&disk, &period).ended(0).json();
    let all = evidence(&document);
    assert!(!all.is_empty() && all.iter().all(|one| one["integrity"] == "valid"), "{document}");
    store.edit(&key, |text| text.replace("mallory", "alice00"));
    let disk = Disk::of(&store, true);
    let document = verified(&disk, &period).ended(10).json();
    assert!(evidence(&document).iter().all(|one| one["integrity"] == "tampered"), "{document}");
}

#[test]
fn what_cannot_be_verified_is_refused_before_anything_is_read() {
    let mut store = Store::default();
    chain(&mut store);
    let disk = Disk::of(&store, true);
    let logs = disk.path("logs");
    scan(&[&logs], &["--verify"]).ended(2);
    let done = scan(&["-"], &["--verify", "--public-keys", &disk.path("keys.json")]).ended(2);
    assert!(done.err.contains("standard input"), "{}", done.err);
}

#[test]
fn the_pack_says_what_was_read_and_what_vouches_for_it() {
    let mut store = Store::default();
    chain(&mut store);
    let disk = Disk::of(&store, true);
    let (pack, keys) = (disk.path("pack"), disk.path("keys.json"));
    let mut command = bare("report");
    command.args([&disk.path("logs"), "--public-keys", &keys, "--framework", "soc2", "--pack", &pack]);
    run(command).ended(0);
    let read = |name: &str| fs::read_to_string(PathBuf::from(&pack).join(name)).unwrap();
    let (manifest, report): (String, Value) =
        (read("inputs.ndjson"), serde_json::from_str(&read("report.json")).unwrap());
    let sum: String = Sha256::digest(manifest.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(report["inputs"]["manifest_sha256"], sum.as_str());
    assert_eq!(report["inputs"]["objects"], manifest.lines().count());
    let mut hashed = 0;
    for line in manifest.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        if line.get("sha256").is_none() {
            // Its name says that it is none of the logs: it was not opened.
            assert!(text(&line, "object").contains("Digest"), "{line}");
            continue;
        }
        hashed += 1;
        let bytes = fs::read(text(&line, "object")).unwrap();
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((text(&line, "sha256"), line["size"].as_u64()), (sum, Some(bytes.len() as u64)));
    }
    assert_eq!(hashed, 7);
    for name in ["evidence.csv", "changes.csv"] {
        let table = read(name);
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        let columns = rows.headers().unwrap().clone();
        let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
        let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
        assert!(!rows.is_empty(), "{name}");
        for row in rows {
            assert_eq!((row[at("sha256")].len(), &row[at("integrity")]), (64, "valid"), "{name}");
            assert!(manifest.contains(&row[at("sha256")]));
        }
    }
    assert!(read("report.html").contains(&sum) && read("report.html").contains("valid"));
}

//! Verdicts for what was read from a lake: about the bytes that it was filled from, and never more than its hashes say.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use keytrail::frame::{Dictionary, Scope};
use keytrail::lake::{Batch, EventsReader, Folder, Lake, ObjectRow, PartKind};
use keytrail_fixtures::signed::{Chain, Signer, Store, Trail};
use serde_json::{Value, json};

use crate::evidence::{bare, chain, deletion, evidence};
use crate::place::{Disk, start, text, trail_of};
use crate::run::{Done, counted, files, ingest, run, scan};

/// Digests of six hours and their sidecars: a lake knows of them, and that they hold no events.
const NO_LOGS: u64 = 12;

/// Fills a lake beside the logs of a disk from one of its folders.
fn fill(disk: &Disk, folder: &str, lake: &str) -> Done {
    ingest(&[disk.path(folder)], disk.path(lake).as_ref(), &[]).ended(0)
}

/// Scans places of a disk, with the digests below others.
fn verified(disk: &Disk, lakes: &[&str], digests: &[&str], args: &[&str]) -> Done {
    let mut all = vec!["--verify".to_owned(), "--public-keys".into(), disk.path("keys.json")];
    all.extend(digests.iter().flat_map(|place| ["--digests".to_owned(), disk.path(place)]));
    let lakes: Vec<String> = lakes.iter().map(|lake| disk.path(lake)).collect();
    scan(&lakes, &[all.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), args].concat())
}

fn integrity(document: &Value) -> &Value {
    &document["coverage"]["integrity"]
}

#[track_caller]
fn assert_evidence(document: &Value, word: &str) {
    let all = evidence(document);
    assert!(!all.is_empty() && all.iter().all(|one| one["integrity"] == word), "{word}: {document:#}");
}

/// Puts other objects where those of a disk are.
fn change(disk: &Disk, store: &Store) {
    fs::remove_dir_all(disk.path("logs")).unwrap();
    store.write(disk.path("logs").as_ref(), true).unwrap();
}

fn rename(disk: &Disk, from: &str, to: &str) {
    fs::rename(disk.path(from), disk.path(to)).unwrap();
}

#[test]
fn a_lake_says_what_its_logs_say_with_no_log_at_hand() {
    let mut store = Store::default();
    chain(&mut store);
    let disk = Disk::of(&store, true);
    let logs = verified(&disk, &["logs"], &[], &[]).ended(0).json();
    fill(&disk, "logs", "lake");
    for log in files(disk.path("logs").as_ref()) {
        if !log.to_string_lossy().contains("CloudTrail-Digest") {
            fs::remove_file(log).unwrap();
        }
    }
    let lake = verified(&disk, &["lake"], &["logs"], &[]).ended(0).json();
    assert_eq!(lake["findings"], logs["findings"]);
    assert_evidence(&lake, "valid");
    let mut expected = integrity(&logs).clone();
    expected["from_lake"] = json!(7);
    assert_eq!(*integrity(&lake), expected);
    assert!(
        lake["notices"].as_array().unwrap().iter().any(|notice| notice.to_string().contains("a lake is not signed"))
    );
}

/// Of a log that is exchanged, the version counts that the lake was filled from.
#[test]
fn what_was_tampered_with_before_the_ingest_is_told_and_what_was_later_changes_nothing() {
    let mut store = Store::default();
    let key = chain(&mut store);
    let mut bad = store.clone();
    bad.edit(&key, |text| text.replace("mallory", "alice00"));
    let disk = Disk::of(&store, true);
    fill(&disk, "logs", "before");
    change(&disk, &bad);
    let document = verified(&disk, &["before"], &["logs"], &[]).ended(0).json();
    assert_evidence(&document, "valid");

    fill(&disk, "logs", "after");
    change(&disk, &store);
    let document = verified(&disk, &["after"], &["logs"], &[]).ended(10).json();
    assert_evidence(&document, "tampered");
    assert_eq!(integrity(&document)["objects"], json!({ "tampered": 1, "valid": 6 }));
    assert!(integrity(&document)["first"][0].as_str().unwrap().starts_with("log-tampered"), "{document}");

    // The lake is brought up to date with what stands there now, and says so.
    assert_eq!(counted(&fill(&disk, "logs", "after")), [0, 7 + NO_LOGS, 0], "all were written again");
    assert_evidence(&verified(&disk, &["after"], &["logs"], &[]).ended(0).json(), "valid");

    // Both versions of one name: nobody knows which of them a record stands in.
    let both = verified(&disk, &["before", "after"], &["logs"], &[]).ended(0).json();
    assert_evidence(&both, "valid");
    change(&disk, &bad);
    fill(&disk, "logs", "after");
    let both = verified(&disk, &["before", "after"], &["logs"], &[]).ended(10).json();
    assert_evidence(&both, "tampered");
}

#[test]
fn a_stream_that_was_unsound_when_it_was_read_is_no_log_of_cloudtrail() {
    let mut store = Store::default();
    let key = chain(&mut store);
    let good = store.get(&key).bytes.clone();
    for more in [keytrail_fixtures::gzip(b"", 6), b"more".to_vec()] {
        store.get(&key).bytes = [good.clone(), more].concat();
        let disk = Disk::of(&store, true);
        fill(&disk, "logs", "lake");
        store.get(&key).bytes.clone_from(&good);
        change(&disk, &store);
        assert_evidence(&verified(&disk, &["lake"], &["logs"], &[]).ended(10).json(), "tampered");
    }
}

#[test]
fn a_log_that_the_lake_lacks_is_missing_or_not_ingested_or_unknown() {
    let mut store = Store::default();
    let key = chain(&mut store);
    // Between others: of what lies before and after all of a lake nobody asked.
    let other = store.keys(false).into_iter().filter(|other| *other != key).nth(2).unwrap();
    let mut short = store.clone();
    short.delete(&other);
    let disk = Disk::of(&short, true);
    fill(&disk, "logs", "lake");
    let first = |document: &Value| integrity(document)["first"][0].as_str().unwrap().to_owned();

    // It is nowhere.
    let document = verified(&disk, &["lake"], &["logs"], &[]).ended(10).json();
    assert!(first(&document).starts_with("log-missing") && first(&document).contains(&other), "{document}");
    assert!(first(&document).contains("neither in the lake nor where it was delivered"));
    assert_evidence(&document, "valid");

    // Nobody looked where it should be.
    let digests = files(disk.path("logs").as_ref()).into_iter().find(|path| path.to_string_lossy().contains("-Digest"));
    let mut folder = digests.unwrap();
    while folder.file_name().is_none_or(|name| name != "CloudTrail-Digest") {
        folder.pop();
    }
    let folder = folder.strip_prefix(disk.path("")).unwrap().display().to_string();
    let document = verified(&disk, &["lake"], &[&folder], &[]).ended(4).json();
    assert!(first(&document).contains("was not looked at"), "{document}");
    assert_evidence(&document, "valid");

    // It is there, and the lake has not got it: it is in no evidence, whatever it holds.
    change(&disk, &store);
    let document = verified(&disk, &["lake"], &["logs"], &[]).ended(4).json();
    assert!(first(&document).starts_with("not-covered") && first(&document).contains("keytrail ingest"), "{document}");
    fill(&disk, "logs", "lake");
    assert_eq!(
        integrity(&verified(&disk, &["lake"], &["logs"], &[]).ended(0).json())["objects"],
        json!({ "valid": 7 })
    );
}

#[test]
fn without_its_digest_a_log_of_a_lake_is_not_covered() {
    let mut store = Store::default();
    chain(&mut store);
    let disk = Disk::of(&store, true);
    fill(&disk, "logs", "lake");
    // The deletion stands in the third hour.
    store.delete(&store.keys(true)[2].clone());
    change(&disk, &store);
    let document = verified(&disk, &["lake"], &["logs"], &[]).ended(10).json();
    assert_evidence(&document, "not-covered");
    assert!(integrity(&document)["first"][0].as_str().unwrap().starts_with("digest-missing"), "{document}");
    // All of them.
    for key in store.keys(true) {
        store.delete(&key);
    }
    change(&disk, &store);
    assert_evidence(&verified(&disk, &["lake"], &["logs"], &[]).ended(4).json(), "not-covered");
}

#[test]
fn what_no_digest_lists_is_unlisted_in_a_lake_too() {
    let mut store = Store::default();
    let trail = Trail { region: "eu-central-1".into(), ..trail_of("111122223333") };
    let (signer, mut regular) = (Signer::first(), Chain::new(trail, start(), 1));
    for hour in 0..4 {
        let logs = [regular.log(&mut store, 4)];
        if hour == 1 {
            // Put there by somebody who has no key to sign with.
            regular.deliver(&mut store, 19, &deletion("111122223333", "2026-09-01T01:20:00Z"));
        }
        regular.digest(&mut store, &signer, &logs);
    }
    let disk = Disk::of(&store, true);
    fill(&disk, "logs", "lake");
    let document = verified(&disk, &["lake"], &["logs"], &[]).ended(10).json();
    assert_evidence(&document, "unlisted");
    // The digests may have been copied elsewhere: they say where they were written, and the lake was filled from elsewhere.
    rename(&disk, "logs", "moved");
    assert_evidence(&verified(&disk, &["lake"], &["moved"], &[]).ended(4).json(), "not-covered");
}

/// Two accounts from two places, and some of one of them again as files without their tree.
#[test]
fn a_lake_of_several_sources_is_vouched_for_object_by_object() {
    let (mut one, mut two) = (Store::default(), Store::default());
    let key = chain(&mut one);
    crate::place::chain(&mut two, trail_of("444455556666"), 6, 2);
    let disk = Disk::of(&one, true);
    two.write(disk.path("second").as_ref(), true).unwrap();
    let flat = PathBuf::from(disk.path("flat"));
    fs::create_dir(&flat).unwrap();
    let name = key.rsplit('/').next().unwrap();
    fs::write(flat.join(name), &one.get(&key).bytes).unwrap();
    for folder in ["logs", "second", "flat"] {
        fill(&disk, folder, "lake");
    }
    let places = ["logs", "second"];
    let document = verified(&disk, &["lake"], &places, &[]).ended(0).json();
    assert_eq!(integrity(&document)["objects"], json!({ "valid": 7 + 18 + 1 }));
    assert_evidence(&document, "valid");
    // Digests of one place say nothing of the other.
    let document = verified(&disk, &["lake"], &["logs"], &[]).ended(4).json();
    assert_eq!(integrity(&document)["objects"], json!({ "valid": 7 + 1, "not-covered": 18 }));
    assert_evidence(&document, "valid");

    // A copy that is another than what was delivered is told, whatever the others are.
    one.edit(&key, |text| text.replace("mallory", "alice00"));
    fs::write(flat.join(name), &one.get(&key).bytes).unwrap();
    fill(&disk, "flat", "lake");
    let document = verified(&disk, &["lake"], &places, &[]).ended(10).json();
    assert_eq!(integrity(&document)["objects"], json!({ "valid": 7 + 18, "tampered": 1 }));
}

/// A lake beside logs that are read as they are.
#[test]
fn a_lake_and_logs_have_one_verdict() {
    let (mut one, mut two) = (Store::default(), Store::default());
    chain(&mut one);
    crate::place::chain(&mut two, trail_of("444455556666"), 6, 2);
    let disk = Disk::of(&one, true);
    two.write(disk.path("second").as_ref(), true).unwrap();
    fill(&disk, "logs", "lake");
    let document = verified(&disk, &["lake", "second"], &["logs"], &[]).ended(0).json();
    assert_eq!(integrity(&document)["objects"], json!({ "valid": 7 + 18 }));
    assert_eq!(integrity(&document)["from_lake"], 7);
    two.edit(&two.keys(false)[3].clone(), |text| text + " ");
    two.write(disk.path("second").as_ref(), true).unwrap();
    let document = verified(&disk, &["lake", "second"], &["logs"], &[]).ended(10).json();
    assert_eq!(integrity(&document)["objects"], json!({ "valid": 7 + 17, "tampered": 1 }));
}

/// Without a period, a lake is about the time that it has; with one, about all of it.
#[test]
fn a_lake_that_begins_later_than_its_trail_lacks_nothing_unless_asked() {
    let mut store = Store::default();
    chain(&mut store);
    let disk = Disk::of(&store, true);
    let (lake, logs) = (disk.path("lake"), disk.path("logs"));
    let early: Vec<PathBuf> =
        files(logs.as_ref()).into_iter().filter(|path| path.to_string_lossy().contains("20260901T0005Z")).collect();
    assert_eq!(early.len(), 1);
    let aside = disk.path("aside");
    fs::rename(&early[0], &aside).unwrap();
    ingest(&[&logs], lake.as_ref(), &[]).ended(0);
    let document = verified(&disk, &["lake"], &["logs"], &[]).ended(0).json();
    let told = |notice: &Value| notice.as_str().unwrap().contains("1 log file of before the first object of the lake");
    assert!(document["notices"].as_array().unwrap().iter().any(told), "{}", document["notices"]);
    let period = ["--from", "2026-09-01T00:01:31Z", "--to", "2026-09-01T06:01:31Z"];
    verified(&disk, &["lake"], &["logs"], &period).ended(10);
    fs::rename(&aside, &early[0]).unwrap();
    verified(&disk, &["lake"], &["logs"], &period).ended(4);
}

/// A lake of a keytrail that kept no hash of what objects held.
fn without_hashes(lake: &Path, place: &Path) {
    let (old, new) =
        (Lake::open(Arc::new(Folder::new(lake))).unwrap(), Lake::open_or_create(Arc::new(Folder::new(place))).unwrap());
    let dictionary = Dictionary::default();
    let mut batch = Batch::new(dictionary.clone());
    let mut reader = EventsReader::new(dictionary, Scope::Full);
    let mut names: Vec<String> = Vec::new();
    for state in &old.snapshot().unwrap().shards {
        for part in state.manifest.of(PartKind::Objects) {
            for row in old.read_objects(part).unwrap() {
                let number = u32::try_from(names.len()).unwrap();
                names.push(row.uri.clone());
                batch.add_object(number, ObjectRow { content: None, ..row });
            }
        }
        for part in state.manifest.of(PartKind::Events) {
            let mut number = |uri: &str| u32::try_from(names.iter().position(|name| name == uri).unwrap()).unwrap();
            batch
                .add_events(Lake::decode_events(&mut reader, part, old.read_part(part).unwrap(), &mut number).unwrap());
        }
    }
    batch.write(&new).unwrap();
}

#[test]
fn an_older_lake_proves_nothing_until_it_is_filled_again() {
    let mut store = Store::default();
    chain(&mut store);
    let disk = Disk::of(&store, true);
    fill(&disk, "logs", "lake");
    without_hashes(disk.path("lake").as_ref(), disk.path("old").as_ref());
    let document = verified(&disk, &["old"], &["logs"], &[]).ended(4).json();
    assert_eq!(integrity(&document)["objects"], json!({ "unverified": 7 }));
    assert_eq!(integrity(&document)["problems"], 1, "told once: {document}");
    assert!(integrity(&document)["first"][0].as_str().unwrap().contains("`keytrail ingest` once more"));
    assert_eq!(counted(&fill(&disk, "logs", "old")), [0, 7, NO_LOGS]);
    assert_eq!(counted(&fill(&disk, "logs", "old")), [0, 0, 7 + NO_LOGS]);
    let again = verified(&disk, &["old"], &["logs"], &[]).ended(0).json();
    assert_eq!(integrity(&again)["objects"], json!({ "valid": 7 }));
    assert_eq!(again["findings"], verified(&disk, &["lake"], &["logs"], &[]).ended(0).json()["findings"]);
}

#[test]
fn who_asks_a_lake_has_to_say_where_the_digests_are() {
    let mut store = Store::default();
    chain(&mut store);
    let disk = Disk::of(&store, true);
    fill(&disk, "logs", "lake");
    assert!(verified(&disk, &["lake"], &[], &[]).ended(2).err.contains("--digests"));
    assert!(verified(&disk, &["lake"], &["lake"], &[]).ended(2).err.contains("holds no digests"));
    let mut command = bare("verify");
    command.args([disk.path("lake"), "--public-keys".into(), disk.path("keys.json")]);
    assert!(run(command).ended(2).err.contains("scan LAKE --verify --digests"));
    // Who fills a lake in the same breath has said it.
    let (keys, lake) = (disk.path("keys.json"), disk.path("new"));
    let document = scan(&[disk.path("logs")], &["--lake", &lake, "--verify", "--public-keys", &keys]).ended(0).json();
    assert_evidence(&document, "valid");
    assert_eq!(integrity(&document)["from_lake"], 7);
}

#[test]
fn a_report_over_a_lake_is_satisfied_by_what_was_hashed_only() {
    let mut store = Store::default();
    crate::place::chain(&mut store, Trail::default(), 6, 1);
    let disk = Disk::of(&store, true);
    fill(&disk, "logs", "lake");
    let report = |args: &[&str], code: i32| {
        let mut command = bare("report");
        let Trail { account, region, .. } = Trail::default();
        command.args([&disk.path("lake"), "--format", "json", "--framework", "cis-aws-5.0"]);
        command.args(["--expect-account", &account, "--expect-region", &region]).args(args);
        run(command).ended(code)
    };
    let status = |document: &Value| {
        let of =
            |list: &Value, id: &str| list.as_array().unwrap().iter().find(|item| item["id"] == id).unwrap().clone();
        text(&of(&of(&document["frameworks"], "cis-aws-5.0")["controls"], "3.2"), "status")
    };
    let (keys, logs) = (disk.path("keys.json"), disk.path("logs"));
    assert_ne!(status(&report(&[], 0).json()), "satisfied", "nobody verified");
    assert!(report(&["--public-keys", &keys], 2).err.contains("--digests"));
    let document = report(&["--public-keys", &keys, "--digests", &logs], 0).json();
    assert_eq!((document["integrity"].as_str(), status(&document)), (Some("valid"), "satisfied".into()), "{document}");
    let log = files(logs.as_ref()).into_iter().find(|path| !path.to_string_lossy().contains("Digest")).unwrap();
    let name = log.file_name().unwrap().to_owned();
    let aside = PathBuf::from(disk.path("aside"));
    fs::create_dir(&aside).unwrap();
    fs::rename(&log, aside.join(name)).unwrap();
    // The lake has it: what happens to it now is no matter.
    report(&["--public-keys", &keys, "--digests", &logs], 0);
}

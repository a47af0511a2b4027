//! Files: what is not ours, not whole or not of this version is told, and nothing leaves the folder.

use std::fs;
use std::panic::catch_unwind;
use std::sync::Arc;

use keytrail::frame::Dictionary;
use keytrail::frame::schema::Scope;
use keytrail::lake::{EventsReader, Folder, Lake, LakeError, PartKind, Standing, read_objects};

use crate::support::*;

#[test]
fn objects_are_new_then_known_then_changed() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    let done = batch(&[given("111122223333", 1, "a"), given("222", 2, "a")]).write(&lake).unwrap();
    assert_eq!((done.added, done.rows), (2, 6));
    let written = content(&lake);
    assert_eq!(written.len(), 2 + 6);
    let object = given("111122223333", 1, "a").row();
    let standing = |etag: &str| {
        let state = lake.shard(&object.unit.shard).unwrap();
        lake.known(&state, object.unit.date).unwrap().standing(&object.uri, Some(etag), object.size)
    };
    assert_eq!((standing("a"), standing("b")), (Standing::Known, Standing::Changed));

    let again = batch(&[given("111122223333", 1, "a")]).write(&lake).unwrap();
    assert_eq!((again.added, again.unchanged, again.parts), (0, 1, 0));
    assert_eq!(content(&lake), written);
    let changed = batch(&[given("111122223333", 1, "b")]).write(&lake).unwrap();
    assert_eq!((changed.replaced, changed.rows), (1, 3));
    assert_eq!((standing("a"), standing("b")), (Standing::Changed, Standing::Known));
    let replaced = content(&lake);
    assert_eq!(replaced.len(), written.len());
    assert!(!format!("{replaced:?}").contains("Own1a"));
    // After compaction the same objects are still the same, and changed ones still replace theirs.
    for shard in lake.shards().unwrap() {
        lake.compact(&shard, 1).unwrap();
    }
    assert_eq!(content(&lake), replaced);
    assert_eq!(batch(&[given("111122223333", 1, "b")]).write(&lake).unwrap().unchanged, 1);
    batch(&[given("111122223333", 1, "a")]).write(&lake).unwrap();
    assert_eq!(content(&lake), written);
}

#[test]
fn a_failure_that_may_pass_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    let object = given("1", 1, "a");
    let mut failed = object.row();
    failed.report = Default::default();
    failed.report.skip = Some(keytrail::decode::SkipReason::Unreadable);
    let write = |row: keytrail::lake::ObjectRow| {
        let mut batch = keytrail::lake::Batch::new(Dictionary::default());
        batch.add_object(0, row);
        batch.write(&lake).unwrap()
    };
    assert_eq!(write(failed.clone()).added, 1);
    let state = lake.shard(&failed.unit.shard).unwrap();
    let known = lake.known(&state, failed.unit.date).unwrap();
    assert_eq!(known.standing(&failed.uri, failed.etag.as_deref(), failed.size), Standing::Retry);
    assert_eq!(batch(&[object]).write(&lake).unwrap().replaced, 1);
    let read = content(&lake);
    assert_eq!(read.len(), 1 + 3);
    // What was read once is not given up for a failure.
    assert_eq!(write(failed).unchanged, 1);
    assert_eq!(content(&lake), read);
}

#[test]
fn hostile_accounts_and_regions_stay_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    let long = "x".repeat(10_000);
    let hostile = ["../../..", "/etc", "", "__unknown__", "a\0b", "💥", "CON", ".hidden", "A", "a", long.as_str()];
    let objects: Vec<Given> = hostile.iter().zip(0..).map(|(account, number)| given(account, number, "a")).collect();
    batch(&objects).write(&lake).unwrap();
    let dictionary = Dictionary::default();
    let waiting = given(&long, 99, "a");
    lake.write_inbox(waiting.row(), &[waiting.events(&dictionary)], &dictionary).unwrap();
    let only_waiting = given(&long.replace('x', "y"), 98, "a");
    lake.write_inbox(only_waiting.row(), &[only_waiting.events(&dictionary)], &dictionary).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "all is in one folder");
    let seen = content(&lake);
    assert_eq!(seen.len(), (hostile.len() + 2) * 4);
    for account in hostile {
        let told = format!("{:?}", format!("{account:?}"));
        assert_eq!(
            seen.iter().filter(|line| line.contains(&format!("\"account\": {told}"))).count() % 2,
            0,
            "{account}"
        );
        assert!(seen.iter().any(|line| line.contains(&format!("\"account\": {told}"))), "{account}");
    }
    let state = lake.shard(&waiting.row().unit.shard).unwrap();
    lake.absorb(state.shard()).unwrap();
    lake.absorb(&only_waiting.row().unit.shard).unwrap();
    assert_eq!(content(&lake), seen);
}

#[test]
fn damaged_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    batch(&[given("1", 1, "a")]).write(&lake).unwrap();
    let state = &lake.snapshot().unwrap().shards[0];
    let mut reader = EventsReader::new(Dictionary::default(), Scope::Full);
    for part in &state.manifest.parts {
        let path = lake.store().local_path(&part.path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let mut read = |name: &str| {
            let error = match part.kind {
                PartKind::Events => lake.read_events(&mut reader, part, &mut |_| 0).map(|_| ()).unwrap_err(),
                PartKind::Objects => lake.read_objects(part).map(|_| ()).unwrap_err(),
            };
            assert!(error.to_string().contains(&part.path), "{name}: {error}");
            error
        };
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(read("cut"), LakeError::Damaged { .. }));
        fs::remove_file(&path).unwrap();
        assert!(matches!(read("deleted"), LakeError::Gone(_)));
        fs::write(&path, &bytes).unwrap();
    }
}

/// Bytes that no manifest vouches for give an error or rows, never a panic.
#[test]
fn bytes_that_anybody_could_have_written_are_survived() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    batch(&[given("1", 1, "a")]).write(&lake).unwrap();
    let state = &lake.snapshot().unwrap().shards[0];
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut refused = 0;
    for part in &state.manifest.parts {
        let bytes = lake.read_part(part).unwrap();
        let read = |bytes: Vec<u8>| match part.kind {
            PartKind::Events => {
                let mut reader = EventsReader::new(Dictionary::default(), Scope::Full);
                reader.read(bytes, &mut |_| 0).is_ok()
            }
            PartKind::Objects => read_objects(bytes, &[]).is_ok(),
        };
        assert!(read(bytes.clone()));
        let mut broken: Vec<Vec<u8>> = vec![Vec::new(), b"PAR1".to_vec(), vec![0; 100], b"{\"Records\":[]}".to_vec()];
        broken.extend((0..bytes.len()).step_by(bytes.len() / 60).map(|len| bytes[..len].to_vec()));
        broken.extend((0..bytes.len()).step_by(bytes.len() / 400).map(|at| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x5a;
            bytes
        }));
        for bytes in broken {
            refused += u32::from(!catch_unwind(|| read(bytes)).expect("no panic"));
        }
    }
    std::panic::set_hook(hook);
    assert!(refused > 300, "{refused}");
}

#[test]
fn foreign_folders_and_newer_lakes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let store = || Arc::new(Folder::new(&root));
    assert!(matches!(Lake::open(store()), Err(LakeError::NotALake(_))));
    assert!(!Lake::recognize(&root));
    fs::create_dir(&root).unwrap();
    fs::write(root.join("thesis.txt"), "mine").unwrap();
    assert!(matches!(Lake::open_or_create(store()), Err(LakeError::Occupied(_))));
    fs::remove_file(root.join("thesis.txt")).unwrap();
    Lake::open_or_create(store()).unwrap();
    assert!(Lake::recognize(&root));
    let marker = root.join("lake.json");
    for newer in [
        r#"{"schema":"keytrail.lake/2","events":1,"objects":1}"#,
        r#"{"schema":"keytrail.lake/1","events":999,"objects":1}"#,
        r#"{"schema":"keytrail.lake/1","events":1,"objects":999}"#,
    ] {
        fs::write(&marker, newer).unwrap();
        let error = Lake::open_or_create(store()).unwrap_err();
        assert!(matches!(error, LakeError::Newer { .. }) && error.to_string().contains("update keytrail"), "{error}");
        assert!(Lake::recognize(&root));
    }
    fs::write(&marker, "[]").unwrap();
    assert!(matches!(Lake::open(store()), Err(LakeError::Damaged { .. })));
}

#[test]
fn leftovers_of_killed_writers_go_and_files_of_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    batch(&[given("1", 1, "a")]).write(&lake).unwrap();
    let root = folder.path().join("lake");
    fs::write(root.join("events/.keytrail-abc"), "half a file").unwrap();
    fs::write(root.join("events/notes.parquet"), "not ours").unwrap();
    let held = fs::File::create(root.join("events/.keytrail-held")).unwrap();
    held.lock_shared().unwrap();
    let swept = lake.sweep().unwrap();
    assert_eq!((swept.removed, swept.stayed), (1, 0));
    assert!(root.join("events/notes.parquet").exists() && root.join("events/.keytrail-held").exists());
    assert!(!root.join("events/.keytrail-abc").exists());
}

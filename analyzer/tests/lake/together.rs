//! Writers at the same time lose nothing and write nothing twice.

use std::sync::Arc;
use std::thread;

use keytrail::frame::Dictionary;
use keytrail::lake::{Folder, Lake, LakeError};

use crate::support::*;

#[test]
fn writers_absorbers_compaction_and_sweeps_at_the_same_time() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("lake");
    let open = || Lake::open_or_create(Arc::new(Folder::new(&root))).unwrap();
    let shard = given("1", 0, "a").row().unit.shard;
    // Objects that one writer has, that two have at the same time, and that arrive by both ways.
    let of = |writer: u32, round: u32| -> Vec<Given> {
        vec![
            given("1", 100 * writer + round, "a"),
            given("1", 1000 + round, "a"),
            given("2", 100 * writer + round, "a"),
        ]
    };
    thread::scope(|scope| {
        for writer in 0..3 {
            scope.spawn(move || {
                let lake = open();
                for round in 0..4 {
                    let objects = of(writer, round);
                    if writer == 2 {
                        let dictionary = Dictionary::default();
                        for object in &objects {
                            lake.write_inbox(object.row(), &[object.events(&dictionary)], &dictionary).unwrap();
                        }
                    } else {
                        batch(&objects).write(&lake).unwrap();
                    }
                }
            });
        }
        for keeper in 0..2 {
            let shard = &shard;
            scope.spawn(move || {
                let lake = open();
                for _ in 0..4 {
                    lake.absorb(shard).unwrap();
                    if keeper == 0 {
                        lake.compact(shard, 1).unwrap();
                    }
                    lake.sweep().unwrap();
                }
            });
        }
        scope.spawn(move || {
            // A reader sees whole objects, or is told that what it reads is gone.
            let lake = open();
            for _ in 0..6 {
                match try_content(&lake) {
                    Ok(seen) => assert_whole(&seen),
                    Err(LakeError::Gone(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
    });
    let lake = open();
    let everything: Vec<Given> = (0..3).flat_map(|writer| (0..4).flat_map(move |round| of(writer, round))).collect();
    let mut wanted: Vec<Given> = Vec::new();
    for object in everything {
        if wanted.iter().all(|known| known.uri != object.uri) {
            wanted.push(object);
        }
    }
    let other = tempfile::tempdir().unwrap();
    let alone = crate::support::lake(&other);
    batch(&wanted).write(&alone).unwrap();
    let by_row = |lake: &Lake| content(lake);
    assert_eq!(by_row(&lake), by_row(&alone));
    for shard in lake.shards().unwrap() {
        lake.absorb(&shard).unwrap();
        lake.compact(&shard, 1).unwrap();
    }
    assert_eq!(lake.sweep().unwrap().stayed, 0);
    assert_eq!(by_row(&lake), by_row(&alone));
    assert!(names(&lake).iter().all(|name| !name.starts_with("inbox/")));
}

/// Three rows for every object, none of them twice.
fn assert_whole(seen: &[String]) {
    let of = |kind: &str| seen.iter().filter(|line| line.starts_with(kind)).count();
    assert_eq!(of("event"), 3 * of("object"), "{seen:#?}");
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]), "{seen:#?}");
}

//! Two runs on one lake at the same time.

use keytrail_fixtures::bulk::Settings;

use crate::moments::{Moment, kill, start};
use crate::place::{Place, assert_lake, filling, kills, rng};
use crate::run::{Done, counted, files, ingest};

fn settings(seed: u64) -> Settings {
    Settings { seed, raw_mb: 2, files: 40, kms_share: 0.6, regions: 2, days: 4, ..Settings::default() }
}

#[test]
fn two_at_the_same_time() {
    let place = Place::new(settings(33));
    let (expected, ..) = place.undisturbed();
    let (all, lake) = (files(&place.logs), place.path("lake"));
    // One has all logs, the other most of them, in one order and in the other.
    let children = [filling(&all, &lake), filling(&all[8..], &lake)].map(|mut command| {
        let piped = std::process::Stdio::piped;
        command.stdout(piped()).stderr(piped()).spawn().unwrap()
    });
    let done = children.map(|child| Done::of(child.wait_with_output().unwrap()).ended(0));
    let new: u64 = done.iter().map(|done| counted(done)[0]).sum();
    assert_eq!(new, all.len() as u64, "every object is new to one of them");
    let again = ingest(&all, &lake, &[]).ended(0);
    assert_eq!(counted(&again), [0, 0, all.len() as u64]);
    assert_lake("two at the same time", &lake, &expected);
}

#[test]
fn one_is_killed_beside_the_other() {
    let place = Place::new(settings(34));
    let (expected, whole, size) = place.undisturbed();
    let mut rng = rng(4);
    for round in 0..kills().div_ceil(3) {
        let lake = place.path(&format!("lake-{round}"));
        let logs = std::slice::from_ref(&place.logs);
        let mut other = start(filling(logs, &lake));
        kill(start(filling(logs, &lake)), "KILL", Moment::draw(&mut rng, whole, size), &lake);
        let status = other.0.wait().unwrap();
        assert_eq!(status.code(), Some(0), "round {round}: the one that lives");
        // Its leftovers go with the next run.
        ingest(logs, &lake, &[]).ended(0);
        assert_lake(&format!("round {round}"), &lake, &expected);
    }
}

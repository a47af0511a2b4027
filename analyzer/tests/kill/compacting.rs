//! Kills while small steps are brought in, which is when parts are merged and leftovers removed.

use keytrail_fixtures::bulk::Settings;

use crate::content::content;
use crate::moments::{Moment, measured};
use crate::place::{Place, assert_lake, filling, kills, open, rng, until_done};
use crate::run::{Done, files, ingest};

/// Steps: every one adds a part to the same few units.
const STEPS: usize = 12;

#[test]
fn killed_while_compacting() {
    let one = Settings { accounts: 1, regions: 1, days: 1, ..Settings::default() };
    let place = Place::new(Settings { seed: 32, raw_mb: 1, files: 24, kms_share: 0.6, ..one });
    let (expected, ..) = place.undisturbed();
    let (all, mut lake) = (files(&place.logs), place.path("start"));
    let mut rng = rng(3);
    let (mut done, mut merged) = (0, 0);
    for (number, step) in all.chunks(all.len() / STEPS).enumerate() {
        // What a step makes and how long it takes is known from one that nobody disturbs.
        let next = place.path(&format!("step-{number}"));
        copy_of(&lake, &next);
        let (told, whole) = measured(|| filling(step, &next).output().unwrap());
        let merges = Done::of(told).ended(0).json()["written"]["merged"].as_u64().unwrap();
        merged += merges;
        // Most kills go to the steps that merge.
        let wanted = if merges > 0 { kills().div_ceil(3) } else { kills() / 20 };
        for attempt in 0..wanted {
            let copy = place.path("copy");
            copy_of(&lake, &copy);
            let mut moments = (0..3).map(|turn| match merges {
                // The first kill of every other attempt is at the swap itself.
                1.. if turn == 0 && attempt % 2 == 0 => Moment::Gone,
                _ => Moment::After(whole.mul_f64(0.2 + rng.unit() * 0.8)),
            });
            let killed = until_done(|| filling(step, &copy), "KILL", &copy, || moments.next());
            assert_eq!(content(&open(&copy)), content(&open(&next)), "step {number} after {killed} kills");
            // The last run has the last word on what the one before left behind.
            ingest(step, &copy, &[]).ended(0);
            assert_lake(&format!("step {number}"), &copy, &content(&open(&next)));
            done += killed;
            std::fs::remove_dir_all(copy).unwrap();
        }
        lake = next;
    }
    eprintln!("{done} kills, {merged} parts merged");
    assert!(merged > 0 && (done > 0 || kills() < 2), "nothing was merged, or nothing was killed");
    assert_lake("all steps", &lake, &expected);
}

fn copy_of(from: &std::path::Path, to: &std::path::Path) {
    if !from.exists() {
        return;
    }
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(file, target).unwrap();
    }
}

//! Kills while small steps are brought in, which is when parts are merged and leftovers removed.

use keytrail_fixtures::bulk::Settings;

use crate::content::content;
use crate::moments::{Moment, count};
use crate::place::{Place, assert_lake, filling, kills, open, rng, until_done};
use crate::run::{files, ingest};

/// Steps: every one adds a part to the same few units.
const STEPS: usize = 12;

#[test]
fn killed_while_compacting() {
    let one = Settings { accounts: 1, regions: 1, days: 1, ..Settings::default() };
    let place = Place::new(Settings { seed: 32, raw_mb: 1, files: 24, kms_share: 0.6, ..one });
    let (expected, whole, _) = place.undisturbed();
    let (all, lake) = (files(&place.logs), place.path("lake"));
    let mut rng = rng(3);
    let (mut done, wanted) = (0, kills());
    let mut merged = 0;
    for (number, step) in all.chunks(all.len() / STEPS).enumerate() {
        // What a step merges is known from one that nobody disturbs.
        let copy = place.path(&format!("copy-{number}"));
        copy_of(&lake, &copy);
        let before = count(&lake);
        merged += ingest(step, &copy, &[]).ended(0).json()["written"]["merged"].as_u64().unwrap();
        // Kills are spread over the steps; a step that merges removes files too, and time tells nothing of a run that waits.
        let mut left = (wanted * (number as u64 + 1)).div_ceil(STEPS as u64).saturating_sub(done);
        let size = count(&copy).abs_diff(before) + 2;
        done += until_done(
            || filling(step, &lake),
            "KILL",
            &lake,
            || {
                left = left.checked_sub(1)?;
                Some(Moment::draw(&mut rng, whole, size))
            },
        );
        assert_eq!(content(&open(&lake)), content(&open(&copy)), "step {number} after {done} kills");
    }
    eprintln!("{done} kills, {merged} parts merged");
    assert!(merged > 0, "nothing was merged");
    // The last run has the last word on what the one before left behind.
    ingest(&all, &lake, &[]).ended(0);
    assert_lake("all steps", &lake, &expected);
}

fn copy_of(from: &std::path::Path, to: &std::path::Path) {
    for file in if from.exists() { files(from) } else { Vec::new() } {
        let target = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(file, target).unwrap();
    }
}

//! Kills while a lake is filled for the first time.

use keytrail_fixtures::bulk::Settings;

use crate::moments::Moment;
use crate::place::{Place, assert_lake, filling, kills, rng, until_done};

fn settings() -> Settings {
    Settings { seed: 31, raw_mb: 2, files: 60, kms_share: 0.6, regions: 2, days: 5, ..Settings::default() }
}

fn killed(test: u64, signal: &str, wanted: u64) {
    let place = Place::new(settings());
    let (expected, whole, files) = place.undisturbed();
    let mut rng = rng(test);
    let (mut done, mut round) = (0, 0);
    while done < wanted {
        let lake = place.path(&format!("lake-{round}"));
        let mut left = (wanted - done).min(12);
        let killed = until_done(
            || filling(std::slice::from_ref(&place.logs), &lake),
            signal,
            &lake,
            || {
                left = left.checked_sub(1)?;
                Some(Moment::draw(&mut rng, whole, files))
            },
        );
        eprintln!("{signal}: round {round}, {killed} kills");
        assert_lake(&format!("round {round} after {killed} kills"), &lake, &expected);
        done += killed;
        round += 1;
        assert!(round < 5 * wanted + 5, "kills come too late, or the signal is ignored");
    }
}

#[test]
fn killed_while_filling() {
    killed(1, "KILL", kills());
}

#[test]
fn interrupted_while_filling() {
    killed(2, "INT", kills().div_ceil(5));
}

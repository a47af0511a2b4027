//! Time that was asked for, and time in which validation was off.

use keytrail_fixtures::signed::{Chain, Signer, Store, Trail};

use crate::place::{assert_problems, chain, problems, start, text, verify};

#[test]
fn a_period_within_the_chain_is_valid_whatever_is_outside() {
    let mut store = Store::default();
    let chain = chain(&mut store, Trail::default(), 12, 1);
    let logs = store.keys(false);
    // Tampered with outside the period only.
    store.delete(&logs[2]);
    store.delete(&chain.digests[1]);
    store.get(&logs[33]).bytes.truncate(20);
    let period = ["--from", "2026-09-01T05:30:00Z", "--to", "2026-09-01T08:30:00Z"];
    let done = verify(&store, &period).ended(0);
    let json = done.json();
    // The digests whose hours the period touches.
    assert_eq!((&json["digests"]["valid"], &json["logs"]["valid"]), (&4.into(), &12.into()));
    assert_eq!(json["run"]["from"], "2026-09-01T05:30:00Z");
    verify(&store, &[]).ended(10);
    verify(&store, &["--to", "2026-09-01T02:30:00Z"]).ended(10);
}

#[test]
fn a_period_beyond_the_chain_is_incomplete() {
    let mut store = Store::default();
    let chain = chain(&mut store, Trail::default(), 6, 1);
    let [first, last] = [&chain.digests[0], &chain.digests[5]];
    for (period, expected) in [
        (["--from", "2026-08-31", "--to", "2026-09-01T03:00:00Z"], vec![("not-covered", first.as_str())]),
        (["--from", "2026-09-01T03:00:00Z", "--to", "2026-09-01"], vec![("not-covered", last.as_str())]),
    ] {
        let done = verify(&store, &period).ended(4);
        assert_problems(&done, &expected);
        let json = done.json();
        assert_eq!(json["intervals"].as_array().unwrap().len(), 2, "{:#}", json["intervals"]);
    }
    let late = verify(&store, &["--from", "2026-09-01T03:00:00Z", "--to", "2026-09-01"]).ended(4).json();
    assert_eq!(
        (text(&late["problems"][0], "from"), text(&late["problems"][0], "to")),
        ("2026-09-01T06:01:31Z".to_owned(), "2026-09-02T00:00:00Z".to_owned())
    );
}

#[test]
fn a_period_whose_digests_are_all_elsewhere_is_not_covered() {
    let mut store = Store::default();
    chain(&mut store, Trail::default(), 3, 1);
    let done = verify(&store, &["--from", "2026-10-01", "--to", "2026-10-02"]).ended(4);
    assert_eq!(done.json()["digests"]["valid"], 0);
    assert!(problems(&done.json()).iter().all(|(kind, _)| kind == "not-covered"));
}

#[test]
fn a_pause_is_a_gap_and_nobodys_crime() {
    let mut store = Store::default();
    let mut chain = chain(&mut store, Trail::default(), 3, 1);
    let signer = Signer::first();
    // Logging goes on while validation is off: these log files are never in a digest.
    chain.log(&mut store, 30);
    chain.log(&mut store, 90);
    chain.pause(5);
    for _ in 0..3 {
        chain.hour(&mut store, &signer);
    }
    let done = verify(&store, &[]).ended(4);
    assert_problems(&done, &[("not-covered", &chain.digests[3])]);
    let json = done.json();
    assert_eq!(text(&json["problems"][0], "from"), "2026-09-01T03:01:31Z");
    assert_eq!(text(&json["problems"][0], "to"), "2026-09-01T08:01:31Z");
    assert_eq!(json["logs"]["uncovered"], 2);
    // The end of a period in the gap is no less a gap.
    let done = verify(&store, &["--from", "2026-09-01T01:00:00Z", "--to", "2026-09-01T05:00:00Z"]).ended(4);
    assert_eq!(problems(&done.json()).len(), 1);
}

#[test]
fn several_trails_of_one_account_are_chains_of_their_own() {
    let mut store = Store::default();
    let [one, other] = ["one", "other"].map(|name| Trail { name: name.into(), ..Trail::default() });
    chain(&mut store, one, 4, 1);
    let cut = chain(&mut store, other, 4, 9);
    assert_eq!(verify(&store, &[]).ended(0).json()["digests"]["valid"], 8);
    store.delete(&cut.digests[1]);
    assert_problems(
        &verify(&store, &[]).ended(10),
        &[
            ("digest-missing", &cut.digests[1]),
            ("log-unlisted", &log_of(&store, &cut, 3)),
            ("log-unlisted", &log_of(&store, &cut, 4)),
            ("log-unlisted", &log_of(&store, &cut, 5)),
        ],
    );
}

/// A log file of a chain, by its number: the same seed gives the same names.
fn log_of(store: &Store, chain: &Chain, at: usize) -> String {
    let mut own = Store::default();
    crate::place::chain(&mut own, chain.trail.clone(), 4, 9);
    let key = own.keys(false)[at].clone();
    assert!(store.objects.contains_key(&key));
    key
}

#[test]
fn an_organization_with_many_accounts_and_regions() {
    let mut store = Store::default();
    for account in ["111122223333", "444455556666", "777788889999"] {
        for region in ["eu-west-1", "us-east-2"] {
            let trail = Trail {
                organization: Some("o-exampleorgid".into()),
                prefix: "org/".into(),
                account: account.into(),
                region: region.into(),
                home: "us-east-1".into(),
                ..Trail::default()
            };
            chain(&mut store, trail, 3, 1);
        }
    }
    let json = verify(&store, &[]).ended(0).json();
    assert_eq!(json["intervals"].as_array().unwrap().len(), 6);
    assert_eq!(text(&json["intervals"][0], "organization"), "o-exampleorgid");
    let json = verify(&store, &["--account", "444455556666", "--region", "us-east-2"]).ended(0).json();
    assert_eq!((&json["digests"]["valid"], &json["logs"]["valid"]), (&3.into(), &9.into()));
}

#[test]
fn backfill_digests_are_a_chain_of_their_own() {
    let mut store = Store::default();
    let signer = Signer::first();
    let mut regular = Chain::new(Trail::default(), start(), 1);
    let mut backfill = Chain::new(Trail::default(), start(), 2);
    backfill.backfill = true;
    let mut late = Vec::new();
    for _ in 0..6 {
        late.push(regular.log(&mut store, 20));
        regular.hour(&mut store, &signer);
    }
    // Without the backfill digests these log files are in none.
    let done = verify(&store, &[]).ended(10);
    assert_eq!(problems(&done.json()).iter().filter(|(kind, _)| kind == "log-unlisted").count(), 6);
    for pair in late.chunks(2) {
        backfill.now = backfill.now.minutes(60);
        backfill.digest(&mut store, &signer, pair);
    }
    let json = verify(&store, &[]).ended(0).json();
    assert_eq!(json["digests"]["valid"], 9);
    let missing = &backfill.digests[1];
    store.delete(missing);
    let done = verify(&store, &[]).ended(10);
    let found = problems(&done.json());
    assert!(found.iter().any(|(kind, object)| kind == "digest-missing" && object.ends_with(missing)), "{found:?}");
    assert_eq!(done.json()["digests"]["missing"], 1);
}

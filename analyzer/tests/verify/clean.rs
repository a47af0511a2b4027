//! No false alarm on chains that nobody touched, whatever they look like.

use keytrail::config::Settings;
use keytrail::integrity::{PublicKeys, Verdict};
use keytrail::pipeline::{self, Progress, ScanOptions};
use keytrail_fixtures::signed::{Chain, Signer, Store, Trail};
use keytrail_fixtures::{Rng, Time};

struct Silent;

impl Progress for Silent {}

/// A trail of any kind over some hours: keys change, logs come late and are listed by backfill digests.
fn random(store: &mut Store, seed: u64) -> (String, String) {
    let mut rng = Rng::part(0xC1EA, seed);
    let trail = Trail {
        prefix: if rng.chance(0.3) { "logs/of/CloudTrail-Digest/".into() } else { String::new() },
        organization: rng.chance(0.3).then(|| "o-exampleorgid".to_owned()),
        account: format!("{:012}", 100_000_000_000 + seed),
        region: (*["eu-west-1", "us-gov-west-1", "ap-southeast-4"].get(rng.index(3)).unwrap()).to_owned(),
        name: (*["t", "management_events", "a-b_c.d_eu-west-1"].get(rng.index(3)).unwrap()).to_owned(),
        home: "us-east-1".into(),
        ..Trail::default()
    };
    let start = Time::from_epoch(1_788_220_800 + i64::try_from(rng.below(86_400)).unwrap());
    let (first, second) = (Signer::first(), Signer::second());
    let mut chain = Chain::new(trail.clone(), start, seed);
    let mut backfill = Chain::new(trail.clone(), start, seed + 1);
    backfill.backfill = true;
    let hours = 1 + rng.below(7);
    let change = rng.below(hours + 3);
    for hour in 0..hours {
        let signer = if hour < change { &first } else { &second };
        // Listed by a later backfill digest and by no regular one.
        let late: Vec<_> = (0..rng.below(2)).map(|_| chain.log(store, 11)).collect();
        if rng.chance(0.4) || !late.is_empty() {
            backfill.digest(store, signer, &late);
        } else {
            backfill.now = backfill.now.minutes(60);
        }
        chain.hour(store, signer);
    }
    // Delivered, and not in a digest yet.
    if rng.chance(0.5) {
        chain.log(store, 2);
    }
    (trail.account, trail.region)
}

#[test]
fn nothing_is_wrong_with_clean_chains() {
    let chains: u64 = std::env::var("KEYTRAIL_CHAINS").ok().and_then(|count| count.parse().ok()).unwrap_or(100);
    let mut keys = PublicKeys::default();
    keys.add(Signer::list(&[&Signer::first(), &Signer::second()]).as_bytes()).unwrap();
    // In folders of ten trails.
    for folder in 0..chains.div_ceil(10) {
        let mut store = Store::default();
        for seed in folder * 10..chains.min(folder * 10 + 10) {
            random(&mut store, seed);
        }
        let root = tempfile::tempdir().unwrap();
        store.write(root.path(), folder % 3 != 0).unwrap();
        let options = ScanOptions::new(vec![root.path().display().to_string()], Settings::default());
        let found = pipeline::verify(&options, Some(&keys), None, &Silent).unwrap().verdicts;
        let named =
            || found.problems.iter().map(|problem| format!("{} {problem:?}\n", problem.kind.id())).collect::<String>();
        if folder % 3 == 0 {
            // Without sidecars the newest digest of each chain has no signature, and nothing else is wrong.
            assert!(found.problems.iter().all(|problem| problem.kind.id() == "signature-missing"), "{}", named());
            assert_eq!(found.verdict, Verdict::Incomplete);
        } else {
            assert_eq!(found.verdict, Verdict::Valid, "folder {folder}: {}", named());
            assert_eq!(found.logs.unproven + found.digests.unproven, 0);
        }
        let [digests, logs] = [true, false].map(|digests| store.keys(digests).len() as u64);
        assert_eq!(found.digests.valid + found.digests.unproven, digests);
        assert_eq!(found.logs.valid + found.logs.unproven + found.pending, logs);
    }
}

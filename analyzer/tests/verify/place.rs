//! Chains, and where they are put.

use std::fs;

use keytrail_fixtures::Time;
use keytrail_fixtures::signed::{Chain, Signer, Store, Trail};
use serde_json::Value;
use tempfile::TempDir;

use crate::run::{Done, keytrail, run};

/// The start of all chains: digests end at 01:31 of each minute's hour, as in AWS's sample.
pub(crate) fn start() -> Time {
    Time::parse("2026-09-01T00:01:31Z").unwrap()
}

/// A chain of so many hours with log files in every hour.
pub(crate) fn chain(store: &mut Store, trail: Trail, hours: usize, seed: u64) -> Chain {
    let (signer, mut chain) = (Signer::first(), Chain::new(trail, start(), seed));
    for _ in 0..hours {
        let logs = [4, 19, 38].map(|minute| chain.log(store, minute));
        chain.digest(store, &signer, &logs);
    }
    chain
}

/// The trail of the sample, in another account.
pub(crate) fn trail_of(account: &str) -> Trail {
    Trail { account: account.into(), ..Trail::default() }
}

/// A folder that objects were synced to, and the public keys beside it.
pub(crate) struct Disk {
    root: TempDir,
}

impl Disk {
    pub(crate) fn of(store: &Store, sidecars: bool) -> Self {
        let root = tempfile::tempdir().unwrap();
        store.write(&root.path().join("logs"), sidecars).unwrap();
        fs::write(root.path().join("keys.json"), Signer::list(&[&Signer::first(), &Signer::second()])).unwrap();
        Self { root }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.root.path().join(name).display().to_string()
    }

    pub(crate) fn verify(&self, args: &[&str]) -> Done {
        let mut command = keytrail("verify");
        command.args([self.path("logs"), "--public-keys".into(), self.path("keys.json")]).args(args);
        run(command)
    }
}

/// Verifies objects in a folder, with sidecars.
pub(crate) fn verify(store: &Store, args: &[&str]) -> Done {
    Disk::of(store, true).verify(args)
}

/// Problems as `kind` and the end of their object's name.
pub(crate) fn problems(document: &Value) -> Vec<(String, String)> {
    let problems = document["problems"].as_array().unwrap().iter();
    problems.map(|problem| (text(problem, "kind"), text(problem, "object"))).collect()
}

pub(crate) fn text(problem: &Value, member: &str) -> String {
    problem[member].as_str().unwrap_or_default().to_owned()
}

/// Fails unless the problems are exactly these: kind, and key of the object.
#[track_caller]
pub(crate) fn assert_problems(done: &Done, expected: &[(&str, &str)]) {
    let found = problems(&done.json());
    let same = found.len() == expected.len()
        && expected.iter().all(|(kind, key)| found.iter().any(|(k, object)| k == kind && object.ends_with(key)));
    assert!(same, "expected {expected:#?}\nfound {:#}", done.json()["problems"]);
}

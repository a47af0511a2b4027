//! Public keys.

use std::fs;

use keytrail_fixtures::signed::{Signer, Store, Trail};

use crate::place::{Disk, assert_problems, chain};
use crate::run::{keytrail, run};

fn store() -> Store {
    let mut store = Store::default();
    chain(&mut store, Trail::default(), 3, 1);
    store
}

#[test]
fn without_keys_the_commands_that_fetch_them_are_told() {
    let disk = Disk::of(&store(), true);
    let mut command = keytrail("verify");
    command.arg(disk.path("logs"));
    let done = run(command).ended(2);
    let wanted = "aws cloudtrail list-public-keys --region eu-west-1 --start-time 2026-09-01T00:01:31Z \
                  --end-time 2026-09-01T05:01:31Z >> keys.json";
    assert!(done.err.contains(wanted), "{}", done.err);
}

#[test]
fn an_unknown_key_is_no_proof_of_tampering() {
    let store = store();
    let disk = Disk::of(&store, true);
    fs::write(disk.path("keys.json"), Signer::list(&[&Signer::second()])).unwrap();
    let done = disk.verify(&[]).ended(4);
    let digests = store.keys(true);
    assert_problems(&done, &[("key-unknown", &digests[0]), ("key-unknown", &digests[1]), ("key-unknown", &digests[2])]);
    assert_eq!((&done.json()["logs"]["unproven"], &done.json()["digests"]["unproven"]), (&9.into(), &3.into()));
}

#[test]
fn keys_that_cannot_be_used_are_told_before_anything_is_read() {
    let disk = Disk::of(&store(), true);
    for (content, reason) in [("", "no key in it"), ("{", "list-public-keys"), (r#"{"PublicKeyList": []}"#, "no key")] {
        fs::write(disk.path("keys.json"), content).unwrap();
        let done = disk.verify(&[]).ended(2);
        assert!(done.err.contains(reason), "{}", done.err);
    }
    fs::remove_file(disk.path("keys.json")).unwrap();
    disk.verify(&[]).ended(2);
    fs::write(disk.path("keys.json"), Signer::list(&[&Signer::first()]).replace("MII", "MIJ")).unwrap();
    disk.verify(&[]).ended(2);
}

#[test]
fn several_files_of_keys() {
    let disk = Disk::of(&store(), true);
    fs::write(disk.path("keys.json"), Signer::list(&[&Signer::second()])).unwrap();
    fs::write(disk.path("more.json"), Signer::list(&[&Signer::first()])).unwrap();
    disk.verify(&["--public-keys", &disk.path("more.json")]).ended(0);
}

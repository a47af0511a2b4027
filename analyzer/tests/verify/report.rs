//! `keytrail report --public-keys`: the verdict over the logs decides what a report may say.

use serde_json::Value;

use crate::place::{Disk, chain};
use crate::run::{keytrail, run};
use keytrail_fixtures::signed::{Store, Trail};

fn report(store: &Store, args: &[&str], code: i32) -> Value {
    let disk = Disk::of(store, true);
    let mut command = keytrail("report");
    command.args([disk.path("logs").as_str(), "--framework", "cis-aws-5.0,iso-27001-2022"]).args(args);
    command.args(["--public-keys", &disk.path("keys.json")]);
    run(command).ended(code).json()
}

fn status<'d>(document: &'d Value, framework: &str, id: &str) -> &'d str {
    let of = |list: &'d Value, id: &str| list.as_array().unwrap().iter().find(|item| item["id"] == id).unwrap();
    of(&of(&document["frameworks"], framework)["controls"], id)["status"].as_str().unwrap()
}

#[test]
fn valid_logs_of_accounts_that_were_expected_satisfy_and_tampered_ones_contradict() {
    let mut store = Store::default();
    chain(&mut store, Trail::default(), 6, 1);
    let account = Trail::default().account;
    let region = Trail::default().region;
    let expected = ["--expect-account", &account, "--expect-region", &region];
    let document = report(&store, &expected, 0);
    assert_eq!(document["integrity"], "valid", "{document}");
    assert_eq!(status(&document, "cis-aws-5.0", "3.2"), "satisfied");
    // Nobody said which Regions there are, or accounts.
    assert_eq!(status(&report(&store, &expected[..2], 0), "cis-aws-5.0", "3.2"), "partial");
    assert_eq!(status(&report(&store, &[], 0), "cis-aws-5.0", "3.2"), "partial");

    let log = store.keys(false)[4].clone();
    store.delete(&log);
    let document = report(&store, &expected, 10);
    assert_eq!(document["integrity"], "invalid");
    assert_eq!(status(&document, "cis-aws-5.0", "3.2"), "contradicted");
    assert_eq!(status(&document, "iso-27001-2022", "A.5.28"), "contradicted");
}

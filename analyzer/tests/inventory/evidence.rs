//! `keytrail keys --inventory`: what KMS said fills what the log leaves open, never for an earlier time, and where the two
//! disagree both are shown.

use serde_json::{Value, json};

use super::{Answers, SAMPLE, arn_of, keytrail, row};

/// After the last event of the sample: 2026-12-01.
const AFTER: u64 = 1_796_083_200;
const OTHER: &str = "arn:aws:kms:eu-west-1:111122223333:key/7a6b5c4d-3e2f-4a1b-9c8d-0e1f2a3b4c5d";

fn keys(args: &[&str]) -> Value {
    keytrail("keys", &[&[SAMPLE], args].concat()).ended(0).json()
}

/// A key of the sample whose state the log does not tell.
fn unknown(document: &Value) -> String {
    let rows = document["keys"].as_array().unwrap();
    let open =
        rows.iter().find(|key| key["state"] == "unknown" && key["manager"] != "aws" && key["origin"] == Value::Null);
    open.unwrap()["arn"].as_str().unwrap().to_string()
}

fn described(arn: &str, state: &str) -> Value {
    json!({"KeyMetadata": {
        "Arn": arn, "KeyState": state, "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT", "Origin": "AWS_KMS",
        "KeyManager": "CUSTOMER", "CreationDate": "2024-02-03T04:05:06.000000+00:00", "MultiRegion": false,
    }})
}

#[test]
fn what_the_log_leaves_open_is_as_kms_said() {
    let plain = keys(&[]);
    assert!(plain["coverage"].get("inventory").is_none(), "nobody gave one");
    let arn = unknown(&plain);
    let id = arn.rsplit('/').next().unwrap();
    let answers = Answers::new();
    answers.write("describe.json", AFTER, &described(&arn, "Enabled"));
    answers.write(
        "rotation.json",
        AFTER + 60,
        &json!({"KeyId": arn, "KeyRotationEnabled": true, "RotationPeriodInDays": 180}),
    );
    answers.write(
        "rotations.json",
        AFTER,
        &json!({"Rotations": [{"KeyId": arn, "RotationDate": "2025-02-03T04:05:06Z", "RotationType": "AUTOMATIC"}]}),
    );
    answers.write(
        &format!("{id}/policy.json"),
        AFTER,
        &json!({"Policy": "{\"Version\":\"2012-10-17\",\"Statement\":[]}", "PolicyName": "default"}),
    );
    answers.write(&format!("{id}/grants.json"), AFTER, &json!({"Grants": []}));
    answers.write(
        "aliases.json",
        AFTER,
        &json!({"Aliases": [{
            "AliasName": "alias/told", "AliasArn": "arn:aws:kms:eu-west-1:111122223333:alias/told", "TargetKeyId": id,
        }]}),
    );
    let document = keys(&["--inventory", answers.path()]);
    let key = row(&document, &arn);
    assert_eq!(key["state"], "Enabled");
    assert_eq!((&key["state_since"], &key["state_captured_at"]), (&Value::Null, &json!("2026-12-01T00:00:00Z")));
    assert_eq!(
        key["rotation"],
        json!({
            "automatic": "on", "period_days": 180, "since": null, "last": "2025-02-03T04:05:06Z", "captured_at": "2026-12-01T00:01:00Z",
        })
    );
    assert_eq!(
        (&key["spec"], &key["origin"], &key["manager"]),
        (&json!("SYMMETRIC_DEFAULT"), &json!("AWS_KMS"), &json!("customer"))
    );
    assert_eq!(key["created"], "2024-02-03T04:05:06Z");
    let told = &key["inventory"];
    assert!(told["policy"]["source"].as_str().unwrap().contains("policy.json"), "{told}");
    assert_eq!(told["grants"]["value"], json!([]));
    let coverage = &document["coverage"]["inventory"];
    assert_eq!(
        (&coverage["files"], &coverage["keys"], &coverage["not_in_log"]),
        (&json!(6), &json!(1), &json!(0)),
        "{coverage}"
    );
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().args(["keys", SAMPLE, "--quiet", "--inventory", answers.path()]);
    let text = String::from_utf8(super::run::run(command).ended(0).out).unwrap();
    assert!(text.contains("Enabled, as KMS said at 2026-12-01 00:00"), "{text}");
}

#[test]
fn what_was_said_later_is_not_dated_back() {
    let plain = keys(&[]);
    let arn = unknown(&plain);
    let answers = Answers::new();
    answers.write("describe.json", AFTER, &described(&arn, "Disabled"));
    let document = keys(&["--inventory", answers.path(), "--as-of", "2026-09-30"]);
    let key = row(&document, &arn);
    assert_eq!(
        (&key["state"], &key["spec"]),
        (&json!("unknown"), &json!("SYMMETRIC_DEFAULT")),
        "its kind does not change"
    );
    assert_eq!(document["coverage"]["inventory"]["later"], 1);
}

#[test]
fn log_and_inventory_are_held_against_each_other() {
    let plain = keys(&[]);
    let archive = arn_of(&plain, "alias/archive");
    let answers = Answers::new();
    answers.write("describe.json", AFTER, &described(&archive, "Enabled"));
    let document = keys(&["--inventory", answers.path()]);
    let key = row(&document, &archive);
    let about: Vec<&str> =
        key["contradictions"].as_array().unwrap().iter().map(|one| one["about"].as_str().unwrap()).collect();
    assert!(about.contains(&"state"), "{key}");
    let one = key["contradictions"].as_array().unwrap().iter().find(|one| one["about"] == "state").unwrap();
    assert_eq!((&one["log"], &one["inventory"]), (&json!("PendingDeletion"), &json!("Enabled")));
    assert_eq!(one["log_reaches"], false, "the log ends before KMS said it");
    assert_eq!(key["state"], "Enabled", "the later word counts");
    let listed = document["coverage"]["inventory"]["contradictions"].as_array().unwrap();
    assert!(listed.iter().any(|one| one["key"] == archive && one["about"] == "state"));
    // Said before the log shows the change: both are right.
    let early = Answers::new();
    early.write("describe.json", 1_788_912_000, &described(&archive, "Enabled"));
    let document = keys(&["--inventory", early.path()]);
    let key = row(&document, &archive);
    assert_eq!((&key["state"], &key["contradictions"]), (&json!("PendingDeletion"), &json!([])), "{key}");
}

#[test]
fn keys_that_only_the_inventory_has_are_rows() {
    let answers = Answers::new();
    answers.write("list.json", AFTER, &json!({"Keys": [{"KeyId": OTHER.rsplit('/').next(), "KeyArn": OTHER}]}));
    answers.write("describe.json", AFTER, &described(OTHER, "Disabled"));
    let document = keys(&["--inventory", answers.path()]);
    let key = row(&document, OTHER);
    assert_eq!((&key["state"], &key["in_log"], &key["uses"]), (&json!("Disabled"), &json!(false), &json!(0)));
    assert_eq!(document["coverage"]["inventory"]["not_in_log"], 1);
    assert_eq!(document["coverage"]["inventory"]["listed"][0]["region"], "eu-west-1");
    let elsewhere = keys(&["--inventory", answers.path(), "--region", "us-east-1"]);
    assert!(
        elsewhere["keys"].as_array().unwrap().iter().all(|key| key["arn"] != OTHER),
        "another Region was asked for"
    );
}

#[test]
fn what_cannot_be_used_is_told_and_costs_nothing_else() {
    let answers = Answers::new();
    answers.write("describe.json", AFTER, &described(OTHER, "Enabled"));
    answers.write("policy.json", AFTER, &json!({"Policy": "{}", "PolicyName": "default"}));
    answers.write("notes.json", AFTER, &json!({"hello": "world"}));
    let done = keytrail("keys", &[SAMPLE, "--inventory", answers.path()]).ended(4);
    let document = done.json();
    assert_eq!(row(&document, OTHER)["state"], "Enabled");
    let misread = document["coverage"]["inventory"]["misread"].as_array().unwrap();
    assert_eq!(misread.len(), 2, "{misread:?}");
    keytrail("keys", &[SAMPLE, "--inventory", "/no/such/folder"]).ended(3);
    keytrail("keys", &[SAMPLE, "--inventory", "s3://bucket/inventory"]).ended(2);
}

#[test]
fn a_replica_rotates_as_its_primary() {
    let id = format!("mrk-{}", "0a".repeat(16));
    let arn = |region: &str| format!("arn:aws:kms:{region}:111122223333:key/{id}");
    let (primary, replica) = (arn("eu-west-1"), arn("us-east-1"));
    let described = |arn: &str, kind: &str| {
        let mut described = described(arn, "Enabled");
        described["KeyMetadata"]["MultiRegionConfiguration"] =
            json!({"MultiRegionKeyType": kind, "PrimaryKey": {"Arn": primary, "Region": "eu-west-1"}});
        described
    };
    let answers = Answers::new();
    answers.write("replica.json", AFTER, &described(&replica, "REPLICA"));
    let rotation = |document: &Value| row(document, &replica)["rotation"].clone();
    let alone = rotation(&keys(&["--inventory", answers.path()]));
    assert_eq!(
        (&alone["automatic"], alone.get("of_primary")),
        (&json!("as-primary"), Some(&Value::Null)),
        "nothing is known of the primary"
    );
    answers.write("primary.json", AFTER, &described(&primary, "PRIMARY"));
    answers.write(
        "on.json",
        AFTER,
        &json!({"KeyId": primary, "KeyRotationEnabled": true, "RotationPeriodInDays": 180}),
    );
    let document = keys(&["--inventory", answers.path()]);
    let of = &rotation(&document)["of_primary"];
    assert_eq!((&of["automatic"], &of["period_days"]), (&json!("on"), &json!(180)));
    assert_eq!(of["captured_at"], "2026-12-01T00:00:00Z");
    assert!(row(&document, &primary)["rotation"].get("of_primary").is_none());
}

#[test]
fn off_while_a_key_waits_for_its_deletion_tells_nothing_of_rotation() {
    let answers = Answers::new();
    let off = |arn: &str| json!({"KeyId": arn, "KeyRotationEnabled": false});
    answers.write("describe.json", AFTER, &described(OTHER, "PendingDeletion"));
    answers.write("rotation.json", AFTER, &off(OTHER));
    let automatic =
        |answers: &Answers| row(&keys(&["--inventory", answers.path()]), OTHER)["rotation"]["automatic"].clone();
    assert_eq!(automatic(&answers), "unknown");
    answers.write("describe.json", AFTER, &described(OTHER, "Disabled"));
    assert_eq!(automatic(&answers), "off");
}

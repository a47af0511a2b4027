use proptest::prelude::*;
use serde_json::json;

use super::super::facts::KeyFacts;
use super::super::merge::Inventory;
use super::super::read::{Gathered, gather};
use super::*;

const ID: &str = "0d1e2f3a-4b5c-4d6e-8f90-a1b2c3d4e5f6";
const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/0d1e2f3a-4b5c-4d6e-8f90-a1b2c3d4e5f6";

fn item(captured: &str, state: &str) -> Value {
    json!({
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": captured, "configurationStateId": 1_767_323_045_678_i64,
        "awsAccountId": "111122223333", "configurationItemStatus": "OK", "resourceType": "AWS::KMS::Key", "resourceId": ID,
        "ARN": ARN, "awsRegion": "eu-west-1", "tags": {"team": "payments"},
        "configuration": {
            "awsaccountId": "111122223333", "keyId": ID, "arn": ARN, "creationDate": "2024-02-03T04:05:06.789Z", "enabled": true,
            "keyUsage": "ENCRYPT_DECRYPT", "keyState": state, "origin": "AWS_KMS", "keyManager": "CUSTOMER",
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        },
        "supplementaryConfiguration": {
            "KeyRotationStatus": "true", "KeyPolicy": "\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[]}\"",
        },
    })
}

fn alias_item(captured: &str, name: &str, status: &str) -> Value {
    json!({
        "configurationItemCaptureTime": captured, "configurationItemStatus": status, "resourceType": "AWS::KMS::Alias",
        "ARN": format!("arn:aws:kms:eu-west-1:111122223333:{name}"),
        "configuration": {"AliasName": name, "TargetKeyId": ID},
    })
}

fn snapshot(items: &[Value]) -> Value {
    let volume = json!({"resourceType": "AWS::EC2::Volume", "configurationItemCaptureTime": "2026-01-01T00:00:00Z"});
    let items: Vec<&Value> = items.iter().chain([&volume]).collect();
    json!({"fileVersion": "1.0", "configSnapshotId": "5a4b3c2d", "configurationItems": items})
}

fn gathered(document: &Value) -> Gathered {
    let mut gathered = Gathered::default();
    gather(&mut gathered, "snapshot.json", None, document.to_string().as_bytes());
    gathered
}

fn facts(items: &[Value]) -> KeyFacts {
    let gathered = gathered(&snapshot(items));
    assert!(gathered.misread.is_empty(), "{:?}", gathered.misread);
    KeyFacts::clone(&Inventory::of(gathered, None).keys[ARN])
}

#[test]
fn a_snapshot_tells_what_config_recorded_and_when() {
    let key = facts(&[
        item("2026-01-02T03:04:05.678Z", "Enabled"),
        alias_item("2026-02-01T00:00:00Z", "alias/a", "OK"),
        alias_item("2026-03-01T00:00:00Z", "alias/b", "OK"),
        alias_item("2026-02-15T00:00:00Z", "alias/gone", "ResourceDeleted"),
    ]);
    let standing = key.standing.unwrap();
    assert_eq!((standing.value.state.as_deref(), standing.stamp.captured_at), (Some("Enabled"), 1_767_323_045_678));
    assert!(standing.stamp.source.contains("recorded by AWS Config"), "{}", standing.stamp.source);
    let kind = key.kind.unwrap().value;
    assert_eq!(
        (kind.spec.as_deref(), kind.manager.as_deref(), kind.created),
        (Some("SYMMETRIC_DEFAULT"), Some("CUSTOMER"), Some(1_706_933_106_789))
    );
    assert!(key.rotation.unwrap().value.enabled);
    assert_eq!(key.policy.unwrap().value, r#"{"Version":"2012-10-17","Statement":[]}"#);
    assert_eq!(key.tags.unwrap().value["team"], "payments");
    let aliases = key.aliases.unwrap();
    assert_eq!(aliases.value.names, ["alias/a", "alias/b"]);
    assert!(!aliases.value.all, "Config records what it was set up to");
    assert!(key.grants.is_none(), "Config does not record grants");
}

#[test]
fn all_spellings_of_what_is_in_strings_are_the_same() {
    let plain = item("2026-01-02T03:04:05.678Z", "Enabled");
    let expected = facts(std::slice::from_ref(&plain));
    let mut printed = plain.clone();
    printed["configuration"] = plain["configuration"].to_string().into();
    printed["supplementaryConfiguration"]["KeyRotationStatus"] = true.into();
    printed["supplementaryConfiguration"]["KeyPolicy"] = r#"{"Version":"2012-10-17","Statement":[]}"#.into();
    assert_eq!(facts(&[printed.clone()]), expected);
    printed["supplementaryConfiguration"]["KeyPolicy"] = json!({"Version": "2012-10-17", "Statement": []});
    assert_eq!(facts(&[printed]), expected);
}

#[test]
fn the_last_of_several_items_counts_and_a_deleted_key_is_gone() {
    let (old, new) = (item("2026-01-02T00:00:00Z", "Enabled"), item("2026-02-02T00:00:00Z", "PendingDeletion"));
    assert_eq!(facts(&[new.clone(), old.clone()]).standing.unwrap().value.state.as_deref(), Some("PendingDeletion"));
    let mut gone = item("2026-03-02T00:00:00Z", "");
    gone["configurationItemStatus"] = "ResourceDeleted".into();
    gone["configuration"] = Value::Null;
    let key = facts(&[gone, new, old]);
    assert_eq!(key.standing.unwrap().value.state.as_deref(), Some("Deleted"));
    assert!(key.kind.is_some(), "what it was stays known");
}

#[test]
fn what_is_not_as_config_writes_it_is_told() {
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut one = item("2026-01-02T00:00:00Z", "Enabled");
        change(&mut one);
        let gathered = gathered(&snapshot(&[one]));
        assert_eq!(gathered.misread.len(), 1, "{:?}", gathered.misread);
        gathered.answers.len()
    };
    assert_eq!(broken(&|one| one["configurationItemCaptureTime"] = Value::Null), 0);
    assert_eq!(broken(&|one| one["configuration"] = json!(["a"])), 0);
    assert_eq!(broken(&|one| one["ARN"] = "arn:aws:kms:eu-west-1:444455556666:key/other".into()), 0);
    // Older than a date in it: that answer is not used, the others are.
    assert!(broken(&|one| one["configurationItemCaptureTime"] = "2023-01-01T00:00:00Z".into()) > 0);
    let mut named = alias_item("2026-02-01T00:00:00Z", "alias/a", "OK");
    named["configuration"] = json!(7);
    assert_eq!(gathered(&snapshot(&[named])).misread.len(), 1);
    assert_eq!(gathered(&snapshot(&[])).misread.len(), 1, "a snapshot without keys");
    assert_eq!(gathered(&json!({"configurationItems": 7})).misread.len(), 1);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[\\PC]{0,12}".prop_map(Value::from),
        prop_oneof![Just("\"\\\"{}\\\"\""), Just("{"), Just("[1]"), Just("AWS::KMS::Key"), Just(ARN)]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-zA-Z]{1,8}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever stands where Config has something else: no panic, and nothing is known of another key.
    #[test]
    fn hostile_items_cost_only_themselves(
        member in prop_oneof![
            Just("configuration"), Just("supplementaryConfiguration"), Just("ARN"), Just("tags"), Just("configurationItemStatus"),
            Just("configurationItemCaptureTime"), Just("resourceType")
        ],
        value in any_json(),
        of_alias in any::<bool>(),
    ) {
        let mut odd = if of_alias { alias_item("2026-02-01T00:00:00Z", "alias/a", "OK") } else { item("2026-01-03T00:00:00Z", "Disabled") };
        odd[member] = value;
        let mut good = item("2026-01-02T00:00:00Z", "Enabled");
        let other = ARN.replace("0d1e2f3a", "7d1e2f3a");
        good["ARN"] = other.clone().into();
        good["configuration"]["arn"] = other.clone().into();
        let inventory = Inventory::of(gathered(&snapshot(&[odd, good])), None);
        prop_assert_eq!(inventory.keys[&other].standing.as_ref().unwrap().value.state.as_deref(), Some("Enabled"));
        prop_assert!(inventory.keys.keys().all(|arn| arn == ARN || *arn == other));
    }
}

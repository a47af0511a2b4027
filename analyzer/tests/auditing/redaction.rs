//! Values of encryption contexts are personal data: no format shows them unless somebody asks.

use std::path::Path;

use serde_json::{Value, json};

use crate::{pack, texts};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn record(n: u32, time: &str, name: &str, members: &Value) -> Value {
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": { "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ops", "accountId": "111122223333" },
        "eventTime": time,
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "aws-cli",
        "eventID": format!("00000000-0000-4000-8000-{n:012}"),
        "readOnly": false,
        "resources": [{ "accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": KEY }],
        "eventType": "AwsApiCall",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
    });
    record.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    record
}

/// A call of the role that has the grant.
fn by_batch(n: u32, time: &str, error: Option<&str>) -> Value {
    let role = "arn:aws:iam::111122223333:role/batch";
    let session = "arn:aws:sts::111122223333:assumed-role/batch/1";
    let mut record = record(
        n,
        time,
        "Decrypt",
        &json!({
            "requestParameters": { "keyId": KEY, "encryptionContext": { "patient": "jane-undo" } },
            "userIdentity": { "type": "AssumedRole", "arn": session, "accountId": "111122223333",
                "sessionContext": { "sessionIssuer": { "type": "Role", "arn": role, "accountId": "111122223333" } } },
        }),
    );
    if let Some(error) = error {
        let message = format!(
            "User: {session} is not authorized to perform: kms:Decrypt on resource: {KEY} because no identity-based \
                               policy allows the kms:Decrypt action"
        );
        record.as_object_mut().unwrap().insert("errorCode".into(), error.into());
        record.as_object_mut().unwrap().insert("errorMessage".into(), message.into());
    }
    record
}

fn policy(patient: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "kms:*", "Resource": "*" },
        { "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
          "Condition": { "StringEquals": { "kms:EncryptionContext:patient": patient } } },
    ] })
    .to_string()
}

/// A key whose contexts name patients: in use, in grants, in policies, in failures, and of all things in S3.
fn write(folder: &Path) {
    let context =
        |value: &str| json!({ "requestParameters": { "keyId": KEY, "encryptionContext": { "patient": value } } });
    let object = json!({ "requestParameters": { "keyId": KEY, "encryptionContext": { "aws:s3:arn": "arn:aws:s3:::exports/jane-object.pdf" } } });
    let made = json!({ "requestParameters": { "keyId": KEY, "encryptionContext": { "about": "arn:aws:patients:::jane-arn" } } });
    let grant = |n: u32| {
        json!({
            "requestParameters": { "keyId": KEY, "granteePrincipal": "arn:aws:iam::999988887777:root",
                "operations": ["Decrypt", "CreateGrant"], "constraints": { "encryptionContextSubset": { "patient": "jane-grant" } } },
            "responseElements": { "keyId": KEY, "grantId": format!("{n:064}") },
        })
    };
    let put = |text: String| json!({ "requestParameters": { "keyId": KEY, "policyName": "default", "policy": text } });
    let mut failed = context("jane-failed <script>alert(1)</script>");
    failed.as_object_mut().unwrap().insert("errorCode".into(), "DisabledException".into());
    failed.as_object_mut().unwrap().insert("errorMessage".into(), format!("{KEY} is disabled.").into());
    let records = [
        record(1, "2026-09-01T08:00:00Z", "PutKeyPolicy", &put(policy("jane-policy"))),
        record(2, "2026-09-01T09:00:00Z", "CreateGrant", &grant(2)),
        record(3, "2026-09-01T10:00:00Z", "Decrypt", &context("=cmd|jane-used")),
        record(4, "2026-09-01T10:10:00Z", "Decrypt", &object),
        record(5, "2026-09-01T10:20:00Z", "GenerateDataKey", &made),
        record(
            9,
            "2026-09-01T10:30:00Z",
            "CreateGrant",
            &json!({
                "requestParameters": { "keyId": KEY, "granteePrincipal": "arn:aws:iam::111122223333:role/batch",
                    "operations": ["Decrypt"], "constraints": { "encryptionContextEquals": { "patient": "jane-undo" } } },
                "responseElements": { "keyId": KEY, "grantId": format!("{:064}", 9) },
            }),
        ),
        by_batch(10, "2026-09-01T10:31:00Z", None),
        record(
            11,
            "2026-09-01T10:40:00Z",
            "RevokeGrant",
            &json!({ "requestParameters": { "keyId": KEY, "grantId": format!("{:064}", 9) } }),
        ),
        by_batch(12, "2026-09-01T10:50:00Z", Some("AccessDenied")),
        by_batch(13, "2026-09-01T10:51:00Z", Some("AccessDenied")),
        record(6, "2026-09-01T11:00:00Z", "PutKeyPolicy", &put(policy("jane-policy-2"))),
        record(7, "2026-09-01T12:00:00Z", "DisableKey", &json!({ "requestParameters": { "keyId": KEY } })),
        record(8, "2026-09-01T12:10:00Z", "Decrypt", &failed),
    ];
    std::fs::write(folder.join("log.json"), json!({ "Records": records }).to_string()).unwrap();
}

#[test]
fn no_format_shows_the_values_of_an_encryption_context_unless_asked() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let logs = folder.path().join("log.json");
    let written = |name: &str, args: &[&str]| {
        let pack_at = folder.path().join(name);
        pack(logs.to_str().unwrap(), &pack_at, &[&["--sample", "9", "--seed", "s"], args].concat());
        texts(&pack_at)
    };
    let asked = written("asked", &["--show-encryption-context"]);
    let plain = written("plain", &[]);
    assert!(plain.contains_key("sample.csv") && plain.len() == asked.len());
    for (name, text) in &plain {
        assert!(!text.contains("jane"), "{name}: {}", &text[text.find("jane").unwrap().saturating_sub(200)..]);
    }
    // There was something to leave out, and it is told that it was left out.
    for (word, names) in [
        ("jane-grant", ["report.html", "report.json", "changes.csv", "sample.csv", "findings.json"].as_slice()),
        ("--constraints", &["report.json", "findings.json"]),
        ("jane-failed", &["report.html", "report.json", "findings.json"]),
        ("jane-used", &["keys.csv", "report.json", "findings.json"]),
        ("jane-object.pdf", &["keys.csv"]),
        ("jane-arn", &["keys.csv"]),
    ] {
        for name in names {
            assert!(asked[*name].contains(word), "{name} does not show {word} even when asked");
            assert!(plain[*name].contains("redacted"), "{name}");
        }
    }
    assert!(plain["keys.csv"].contains("arn:aws:s3:::exports/[redacted]"));
    assert!(!asked["report.html"].contains("<script"));
}

use super::*;

/// In the shape of the digest that AWS documents, with values of our own.
const DOCUMENTED: &str = r#"{
  "awsAccountId": "111122223333",
  "digestStartTime": "2026-09-01T14:01:31Z",
  "digestEndTime": "2026-09-01T15:01:31Z",
  "digestS3Bucket": "trail-bucket",
  "digestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2026/09/01/111122223333_CloudTrail-Digest_us-east-2_trail_us-east-2_20260901T150131Z.json.gz",
  "digestPublicKeyFingerprint": "31e8b5433410dfb61a9dc45cc65b22ff",
  "digestSignatureAlgorithm": "SHA256withRSA",
  "newestEventTime": "2026-09-01T14:52:27Z",
  "oldestEventTime": "2026-09-01T14:42:27Z",
  "previousDigestS3Bucket": "trail-bucket",
  "previousDigestS3Object": "AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2026/09/01/111122223333_CloudTrail-Digest_us-east-2_trail_us-east-2_20260901T140131Z.json.gz",
  "previousDigestHashValue": "97fb791cf91ffc440d274f8190dbdd9aa09c34432aba82739df18b6d3c13df2d",
  "previousDigestHashAlgorithm": "SHA-256",
  "previousDigestSignature": "50887ccf7d0a",
  "logFiles": [
    {
      "s3Bucket": "trail-bucket",
      "s3Object": "AWSLogs/111122223333/CloudTrail/us-east-2/2026/09/01/111122223333_CloudTrail_us-east-2_20260901T1445Z_9nYN7gp2eWAJHIfT.json.gz",
      "hashValue": "9BB6196FC6B84D6F075A56548FECA262BD99BA3C2DE41B618E5B6E22C1FC71F6",
      "hashAlgorithm": "SHA-256",
      "newestEventTime": "2026-09-01T14:52:27Z",
      "oldestEventTime": "2026-09-01T14:42:27Z"
    }
  ]
}"#;

#[test]
fn the_documented_shape_is_read() {
    let digest = Digest::parse(DOCUMENTED.as_bytes()).unwrap();
    assert_eq!((digest.to - digest.from, digest.end.as_str()), (3_600_000, "2026-09-01T15:01:31Z"));
    assert_eq!(digest.logs.len(), 1);
    assert_eq!(digest.logs[0].hash[..2], [0x9b, 0xb6], "in either case");
    assert_eq!(digest.previous.unwrap().hash.unwrap()[..2], [0x97, 0xfb]);
    assert_eq!(digest.previous_signature.as_deref(), Some("50887ccf7d0a"), "as it is written: it is signed");
}

#[test]
fn the_first_and_the_empty_digest_are_read() {
    let mut json: serde_json::Value = serde_json::from_str(DOCUMENTED).unwrap();
    for (name, value) in json.as_object_mut().unwrap() {
        if name.starts_with("previous") || name.contains("EventTime") {
            *value = serde_json::Value::Null;
        }
    }
    json["logFiles"] = serde_json::json!([]);
    json["somethingNew"] = serde_json::json!({"a": [1]});
    let digest = Digest::parse(json.to_string().as_bytes()).unwrap();
    assert_eq!((digest.previous, digest.previous_signature, digest.logs), (None, None, Vec::new()));
}

#[test]
fn what_is_no_digest_is_refused_with_a_reason() {
    let change = |from: &str, to: &str| {
        assert!(DOCUMENTED.contains(from), "{from}");
        Digest::parse(DOCUMENTED.replace(from, to).as_bytes()).unwrap_err().to_string()
    };
    assert!(change("SHA256withRSA", "none").contains("digestSignatureAlgorithm"));
    assert!(
        change(
            r#""SHA-256",
  "previous"#,
            r#""MD5",
  "previous"#
        )
        .contains("previousDigestHashAlgorithm")
    );
    assert!(change("2026-09-01T15:01:31Z", "yesterday").contains("digestEndTime"));
    assert!(change("2026-09-01T15:01:31Z", "2026-09-01T13:01:31Z").contains("before it starts"));
    assert!(change("97fb791c", "97fb79").contains("previousDigestHashValue"));
    assert!(change("9BB6", "xBB6").contains("hashValue"));
    assert!(change(r#""digestS3Object""#, r#""digestObject""#).contains("digestS3Object"));
    assert!(
        change(r#""previousDigestS3Bucket": "trail-bucket""#, r#""previousDigestS3Bucket": null"#)
            .contains("previousDigestS3Object")
    );
}

#[test]
fn hostile_bytes_end_nothing() {
    let bytes = DOCUMENTED.as_bytes();
    for end in 0..bytes.len() {
        assert!(Digest::parse(&bytes[..end]).is_err());
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] ^= 0x15;
        // Whatever it gives, it gives something.
        let _ = Digest::parse(&changed);
    }
    assert!(Digest::parse("[".repeat(100_000).as_bytes()).is_err());
    assert!(Digest::parse(b"\xff\xfe{}").is_err());
}

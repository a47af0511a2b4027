use sha2::Digest as _;

use super::*;

/// A digest, and what `openssl dgst -sha256 -sign` made of the text that CloudTrail signs: nothing of ours took part in it.
const DIGEST: &str = r#"{"awsAccountId":"111122223333","digestStartTime":"2026-09-01T14:01:31Z","digestEndTime":"2026-09-01T15:01:31Z","digestS3Bucket":"trail-bucket","digestS3Object":"AWSLogs/111122223333/CloudTrail-Digest/us-east-2/2026/09/01/111122223333_CloudTrail-Digest_us-east-2_trail_us-east-2_20260901T150131Z.json.gz","digestPublicKeyFingerprint":"9352a45e4ea6a460efd1e6c8385ba23c","previousDigestSignature":null,"logFiles":[]}"#;

const KEY: &str = "\
    MIIBCgKCAQEA3U51k96EVpe9CiWh7+Pcn3W8A4nhwseJ4KT9aP6B2q3Efapu0rBUvoSCZAkpdrsig3BCl1L12Oe/+xEsNVGMhpL8ThvUSX5GKZse\
    vTbrLY+NhjW922Vsj9UwHf/mARS/NyJnYOwJn0MqMMqz0lfXsNCendqSkCY8Q3ckHFRTSbC6G0Yh4Ukf0WJgQFSXlycy1o0ZYihpQ8etTv8F4QXz\
    NM2z6+yTBM11sEtqa8rrjh48kbF8Q7ZAaOXzY5OOWifKsVMXgEfWkwdHRMdazOWapRVpY7DY5mgkg8/hSeMYZSc1sEfm0DYB5nsLrjMWiKxFYPBU\
    A9woRu3qLGbCsY1f6QIDAQAB";

const SIGNATURE: &str = "\
    7477cda834b3822c6be1ab4b8c6f771d935ec2b3649516f26df4aedbdabf2e62b50e4b297e8aaa2c79d37172eaea0b6dd5b38cf7c8b9089a\
    7ad1cd630726c39de9a7cd08ae03dd265d9e94e5be06ba2daa6d4d05e5f0c880752a0ea06fa005d0edbd869335a80b49e70b24686f09fa50\
    8c0d9ff1d4c0e5d11f1fcc13001656a0ae361173d41d0f1959a7873b38277d931617d034a59272168b21f71541cebf1c116b0db042fb1230\
    98296bdc1daafcf1e1e5fc8ad5283b30c32f5bcbca49a2d66f3c05f5189d7bf84a897a13dd6592cf80cdc3fdc027e268e6cda1275a10115c\
    2c5bb919ab5435459112d599d6d1398f8883a8664db43f1d894837c24f9bc38e";

fn keys() -> PublicKeys {
    let fingerprint = Digest::parse(DIGEST.as_bytes()).unwrap().fingerprint;
    let key = serde_json::json!({ "Value": KEY, "Fingerprint": fingerprint });
    let mut keys = PublicKeys::default();
    keys.add(serde_json::json!({ "PublicKeyList": [key] }).to_string().as_bytes()).unwrap();
    keys
}

fn seals(digest: &str, signature: &str, algorithm: Option<&str>) -> Sealed {
    let hash: Hash = sha2::Sha256::digest(digest.as_bytes()).into();
    let signature = Signature { hex: signature.into(), algorithm: algorithm.map(String::from) };
    signature.seals(&Digest::parse(digest.as_bytes()).unwrap(), &hash, &keys())
}

#[test]
fn what_openssl_signed_holds() {
    assert_eq!(seals(DIGEST, SIGNATURE, Some("SHA256withRSA")), Sealed::Good);
    assert_eq!(seals(DIGEST, &SIGNATURE.to_uppercase(), None), Sealed::Good);
}

#[test]
fn whatever_is_changed_the_signature_does_not_hold() {
    for (from, to) in [
        ("15:01:31Z", "15:01:32Z"),
        ("15:01:31Z", "15:01:31+00:00"),
        ("trail-bucket", "other-bucket"),
        ("us-east-2_trail", "us-east-2_tra1l"),
        (":null", r#":"null""#),
        (":[]", ": []"),
    ] {
        let changed = DIGEST.replace(from, to);
        assert_ne!(changed, DIGEST);
        assert_eq!(seals(&changed, SIGNATURE, None), Sealed::Bad, "{from}");
    }
    for signature in ["", "00", "zz", &SIGNATURE[2..], &format!("{SIGNATURE}00"), &SIGNATURE.replace('a', "b")] {
        assert_eq!(seals(DIGEST, signature, None), Sealed::Bad);
    }
    assert_eq!(seals(DIGEST, SIGNATURE, Some("MD5withRSA")), Sealed::Bad);
    assert_eq!(seals(&DIGEST.replace(r#"Fingerprint":""#, r#"Fingerprint":"00"#), SIGNATURE, None), Sealed::UnknownKey);
}

#[test]
fn head_object_gives_the_signature() {
    let head = br#"{"ContentLength": 5, "Metadata": {"Signature": "AB12", "signature-algorithm": "SHA256withRSA"}}"#;
    let signature = Signature::of_head_object(head).unwrap();
    assert_eq!((signature.hex.as_str(), signature.algorithm.as_deref()), ("AB12", Some("SHA256withRSA")));
    for none in [&b""[..], b"{}", b"[]", br#"{"Metadata": {}}"#, br#"{"Metadata": {"signature": 5}}"#] {
        assert_eq!(Signature::of_head_object(none), None);
    }
}

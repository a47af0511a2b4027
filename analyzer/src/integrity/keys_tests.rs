use super::*;

/// An RSA key of 2048 bits in both forms, made for these tests.
const PKCS1: &str = "\
     MIIBCgKCAQEAxkUXolHWFe9r8UxJIfqo/NMD+KtnGmpkYIB6cycqXo1N0HIPR66anLxqpk6LQOlWiXhwV4F+1bBSWfgFs21H6fcl\
     r28YHjFN5RAIINn+a2sj5dEB0zsqdnKRHPSvZwrWkOtOFBMktGFjx9dji2aX4mpreveqfzx6Z7nInpJBEskBn4WUDGvKbWxEGvll\
     ns6EfHvIx/MGyl0r2L+UGSVqQ4GOJ4HvYiisJRyz205T6WHJx3S2LZ2IEZe6j/2vg+XtPc3bLwzCBaFkda7YWTYyMtTCDMEbvfCW\
     kr++qmj9L3oPL68pGiYt5XKUaBnMr8qCAPiaLYAr9p9EkZjkE4tv6wIDAQAB";
const SPKI: &str = "\
     MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxkUXolHWFe9r8UxJIfqo/NMD+KtnGmpkYIB6cycqXo1N0HIPR66anLxq\
     pk6LQOlWiXhwV4F+1bBSWfgFs21H6fclr28YHjFN5RAIINn+a2sj5dEB0zsqdnKRHPSvZwrWkOtOFBMktGFjx9dji2aX4mpreveq\
     fzx6Z7nInpJBEskBn4WUDGvKbWxEGvllns6EfHvIx/MGyl0r2L+UGSVqQ4GOJ4HvYiisJRyz205T6WHJx3S2LZ2IEZe6j/2vg+Xt\
     Pc3bLwzCBaFkda7YWTYyMtTCDMEbvfCWkr++qmj9L3oPL68pGiYt5XKUaBnMr8qCAPiaLYAr9p9EkZjkE4tv6wIDAQAB";

fn fingerprint(value: &str) -> String {
    hex(&Md5::digest(STANDARD.decode(value).unwrap()))
}

fn list(name: &str, value: &str, fingerprint: &str) -> Vec<u8> {
    let key = serde_json::json!({
        "Value": value, "Fingerprint": fingerprint, "ValidityStartTime": "1436317441.0", "ValidityEndTime": 1438909441,
    });
    serde_json::json!({ name: [key] }).to_string().into_bytes()
}

#[test]
fn both_forms_give_the_same_key() {
    let mut keys = PublicKeys::default();
    keys.add(&list("PublicKeyList", PKCS1, &fingerprint(PKCS1))).unwrap();
    keys.add(&list("publicKeyList", SPKI, &fingerprint(SPKI).to_uppercase())).unwrap();
    assert_eq!(keys.len(), 2);
    assert_eq!(keys.keys[&fingerprint(PKCS1)], keys.keys[&fingerprint(SPKI)]);
    assert_eq!(keys.verify(&fingerprint(PKCS1), b"x", b"y"), Some(false));
    assert_eq!(keys.verify("00", b"x", b"y"), None);
}

#[test]
fn lists_of_several_regions_may_follow_each_other() {
    let mut both = list("PublicKeyList", PKCS1, &fingerprint(PKCS1));
    both.push(b'\n');
    both.extend(list("PublicKeyList", SPKI, &fingerprint(SPKI)));
    let mut keys = PublicKeys::default();
    keys.add(&both).unwrap();
    assert_eq!(keys.len(), 2);
}

#[test]
fn a_file_that_cannot_be_trusted_is_refused() {
    let add = |json: &[u8]| PublicKeys::default().add(json).unwrap_err();
    let good = fingerprint(PKCS1);
    assert_eq!(add(&list("PublicKeyList", SPKI, &good)), KeysError::WrongFingerprint(good.clone()));
    assert_eq!(add(&list("PublicKeyList", "AAAA", &good)), KeysError::NoKey(good.clone()));
    assert_eq!(add(&list("PublicKeyList", "?", &good)), KeysError::NoKey(good));
    assert!(matches!(add(&list("Keys", PKCS1, "")), KeysError::Json(_)));
    assert_eq!(add(br#"{"PublicKeyList": []}"#), KeysError::Empty);
    assert_eq!(add(b""), KeysError::Empty);
    assert!(matches!(add(b"{\"PublicKeyList\": [}"), KeysError::Json(_)));
}

#[test]
fn cut_keys_are_no_keys() {
    for value in [PKCS1, SPKI] {
        let der = STANDARD.decode(value).unwrap();
        assert!(bare(&der).is_some());
        for end in 0..der.len() {
            assert_eq!(bare(&der[..end]), None, "{end}");
        }
    }
}

//! Every documented error, by code and by text, from KMS and through other services.

use keytrail::decode::Class;
use keytrail::extract::FailureClass::{self, *};
use serde_json::json;

use crate::{KEY, kms, service};

#[test]
fn kms_errors_by_code_and_text() {
    let k = KEY;
    let cases: &[(&str, &str, FailureClass)] = &[
        ("DisabledException", &format!("{k} is disabled."), KeyDisabled),
        ("DisabledException", &format!("{k} is pending deletion."), KeyPendingDeletion),
        ("DisabledException", "", KeyDisabled),
        ("KMSInvalidStateException", &format!("{k} is pending deletion."), KeyPendingDeletion),
        (
            "KMSInvalidStateException",
            &format!("{k} is pending deletion (or pending replica deletion)."),
            KeyPendingDeletion,
        ),
        ("KMSInvalidStateException", &format!("{k} is pending replica deletion."), KeyPendingDeletion),
        ("KMSInvalidStateException", &format!("{k} is pending import."), KeyPendingImport),
        ("KMSInvalidStateException", &format!("{k} is not pending deletion"), AdminConflict),
        ("KMSInvalidStateException", &format!("{k} is unavailable."), KeyUnavailable),
        ("KMSInvalidStateException", &format!("{k} is creating."), Transient),
        ("KMSInvalidStateException", &format!("{k} is updating."), Transient),
        ("KMSInvalidStateException", "", KeyUnspecified),
        (
            "KMSInvalidStateException",
            "The external key store proxy rejected the request because the specified ciphertext or additional authenticated data is corrupted, missing, or otherwise invalid.",
            InvalidCiphertext,
        ),
        ("KMSInvalidStateException", "KMS cannot communicate with the external key store proxy.", KeyUnavailable),
        ("KMSInvalidStateException", "The external key store proxy did not respond: too many requests.", Throttled),
        (
            "KMSInvalidStateException",
            &format!(
                "New key material (id: a) cannot be imported into KMS key {k}, because another key material (id: b) is pending rotation."
            ),
            AdminConflict,
        ),
        (
            "KMSInvalidStateException",
            &format!("No available key material pending rotation for the key: {k}."),
            AdminConflict,
        ),
        ("NotFoundException", &format!("Key '{k}' does not exist"), KeyNotFound),
        ("NotFoundException", "Invalid keyId 'is disabled'", KeyNotFound),
        ("NotFoundException", "Invalid arn us-east-1", KeyNotFound),
        ("NotFoundException", "Alias arn:aws:kms:eu-west-1:1:alias/x is not found.", KeyNotFound),
        ("KeyUnavailableException", "", Transient),
        (
            "InvalidKeyUsageException",
            &format!("{k} key usage is SIGN_VERIFY which is not valid for Encrypt."),
            InvalidUsage,
        ),
        ("InvalidKeyUsageException", "", InvalidUsage),
        (
            "IncorrectKeyException",
            "The key ID in the request does not identify a CMK that can perform this operation.",
            InvalidCiphertext,
        ),
        ("InvalidCiphertextException", "", InvalidCiphertext),
        ("KMSInvalidSignatureException", "", InvalidCiphertext),
        ("KMSInvalidMacException", "", InvalidCiphertext),
        (
            "UnsupportedOperationException",
            &format!("{k} origin is EXTERNAL which is not valid for this operation."),
            Unsupported,
        ),
        ("UnsupportedOperationException", &format!("{k} is not a multi-region primary key."), Unsupported),
        ("LimitExceededException", "The on-demand rotations limit has been reached for the given keyId.", Quota),
        ("ConflictException", "", AdminConflict),
        ("AlreadyExistsException", &format!("An alias with the name {k} already exists"), AdminConflict),
        ("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.", DryRun),
        (
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
            Throttled,
        ),
        (
            "MalformedPolicyDocumentException",
            "The new key policy will not allow you to update the key policy in the future.",
            PolicyError,
        ),
        (
            "ValidationException",
            "1 validation error detected: Value 'key is disabled' at 'keyId' failed to satisfy constraint",
            Client,
        ),
        ("ValidationError", "", Client),
        ("InvalidGrantIdException", "", Client),
        ("ExpiredImportTokenException", "", Client),
        ("TagException", "", Client),
        ("CustomKeyStoreNotFoundException", "", KeyStore),
        ("CloudHsmClusterInvalidConfigurationException", "", KeyStore),
        ("XksProxyUriUnreachableException", "", KeyStore),
        ("DependencyTimeoutException", "", Transient),
        ("KMSInternalException", "", Transient),
        ("VpceAccessDenied", "", AccessDenied),
        ("SomethingNewException", "Whatever", Other),
    ];
    for (code, message, class) in cases {
        let message = Some(*message).filter(|message| !message.is_empty());
        assert_eq!(FailureClass::of(code, message), *class, "{code} {message:?}");
        let row = kms("Decrypt", json!({"errorCode": code, "errorMessage": message}));
        assert_eq!(row.failure.as_deref(), Some(class.id()));
    }
}

#[test]
fn denials_in_every_wording() {
    let tails = [
        "",
        " because no identity-based policy allows the kms:Decrypt action",
        " because no resource-based policy allows the kms:Decrypt action",
        " with an explicit deny in a resource-based policy",
        " with an explicit deny in a service control policy",
        " because no session policy allows the kms:Decrypt action",
        " with an explicit deny in a permissions boundary",
        " with an explicit deny in a resource control policy",
    ];
    for code in ["AccessDenied", "AccessDeniedException"] {
        for tail in tails {
            let message = format!(
                "User: arn:aws:sts::1:assumed-role/is-disabled/s is not authorized to perform: kms:Decrypt on resource: {KEY}{tail}"
            );
            let row = kms("Decrypt", json!({"errorCode": code, "errorMessage": message}));
            assert_eq!((row.failure.as_deref(), row.key_arn.as_deref()), (Some("access-denied"), Some(KEY)));
            assert_eq!(row.key_ref.as_deref(), Some("message"));
        }
        let texts = [
            "User: x is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action",
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
        ];
        for text in texts {
            let row = kms("Decrypt", json!({"errorCode": code, "errorMessage": text}));
            assert_eq!((row.failure.as_deref(), row.key_arn.as_deref()), (Some("access-denied"), None));
        }
        assert_eq!(FailureClass::of(code, None), AccessDenied);
    }
}

#[test]
fn the_same_causes_through_other_services() {
    let disabled = format!("{KEY} is disabled.");
    let wrapped = |code: &str| {
        format!(
            "{KEY} is disabled. (Service: AWSKMS; Status Code: 400; Error Code: {code}; Request ID: 1; Proxy: null)"
        )
    };
    let cases: Vec<(&str, String, FailureClass)> = vec![
        ("KMS.DisabledException", disabled.clone(), KeyDisabled),
        ("KMS.DisabledException", String::new(), KeyDisabled),
        ("KMS.KMSInvalidStateException", format!("{KEY} is pending deletion."), KeyPendingDeletion),
        ("KMS.NotFoundException", "Invalid keyId x".into(), KeyNotFound),
        ("InvalidKeyId", wrapped("DisabledException"), KeyDisabled),
        ("AccessDeniedException", wrapped("DisabledException"), KeyDisabled),
        ("AccessDeniedException", "Access to KMS is not allowed".into(), AccessDenied),
        ("AccessDeniedException", "no (Service: AWSKMS; Error Code: AccessDeniedException; Request ID: 1)".into(), AccessDenied),
        ("InvalidKeyId", String::new(), KeyUnspecified),
        ("DecryptionFailure", String::new(), KeyUnspecified),
        ("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key.".into(), KeyUnspecified),
        ("EncryptionFailure", String::new(), KeyUnspecified),
        ("KMSDisabledException", "Lambda was unable to decrypt the environment variables because KMS access was denied. KMS Exception: DisabledException KMS Message: x is disabled.".into(), KeyDisabled),
        ("KMSAccessDeniedException", "Lambda was unable to decrypt. KMS Exception: AccessDeniedException KMS Message: The ciphertext refers to a customer master key that does not exist".into(), AccessDenied),
        ("KMSInvalidStateException", String::new(), KeyUnspecified),
        ("KMSNotFoundException", String::new(), KeyNotFound),
        ("KmsDisabled", String::new(), KeyDisabled),
        ("KmsThrottled", String::new(), Throttled),
        ("KmsInvalidKeyUsage", String::new(), InvalidUsage),
        ("KMSOptInRequired", String::new(), AccessDenied),
        ("com.amazonaws.sqs#KmsNotFound", String::new(), KeyNotFound),
        ("Client.InvalidKmsKey.InvalidState", "The KMS key provided is in an incorrect state".into(), KeyUnspecified),
        ("Client.InvalidKMSKey.InvalidState", format!("The KMS key {KEY} is pending deletion"), KeyPendingDeletion),
        ("Client.CustomerKeyHasBeenRevoked", String::new(), KeyUnspecified),
        ("Client.InternalError", String::new(), KeyUnspecified),
        ("Server.InternalError", String::new(), Transient),
        ("Client.UnauthorizedOperation", String::new(), AccessDenied),
        ("KMSKeyNotAccessibleFault", String::new(), KeyUnspecified),
        ("KMSDisabledFault", String::new(), KeyDisabled),
        ("KMSThrottlingFault", String::new(), Throttled),
        ("KMSFault", String::new(), KeyUnspecified),
        ("InvalidKMSKeyFault", String::new(), KeyUnspecified),
        ("KmsException", String::new(), KeyUnspecified),
        ("EncryptionKeyDisabledException", String::new(), KeyDisabled),
        ("EncryptionKeyUnavailableException", String::new(), KeyUnavailable),
        ("KmsKeyDisabledException", String::new(), KeyDisabled),
        ("KmsKeyNotFoundException", String::new(), KeyNotFound),
        ("InvalidKMSResourceException", String::new(), KeyUnspecified),
        ("InvalidSourceKmsKey", String::new(), KeyUnspecified),
        ("InvalidParameterValue", "Monitoring is disabled".into(), Client),
        ("InvalidParameterValue", "The key pair does not exist".into(), Client),
        ("InvalidParameterException", "The specified KMS key is disabled".into(), KeyDisabled),
    ];
    for (code, message, class) in cases {
        let message = Some(message).filter(|message| !message.is_empty());
        assert_eq!(FailureClass::of(code, message.as_deref()), class, "{code} {message:?}");
    }
}

#[test]
fn a_wrapped_text_gives_the_key_and_the_parameter() {
    let message =
        format!("{KEY} is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException; Request ID: 1)");
    let members = json!({"errorCode": "InvalidKeyId", "errorMessage": message, "requestParameters": {"name": "/db/password", "withDecryption": true}});
    let row = service(Class::Failure, "ssm", "GetParameter", members);
    assert_eq!((row.failure.as_deref(), row.key_arn.as_deref()), (Some("key-disabled"), Some(KEY)));
    assert_eq!((row.key_ref.as_deref(), row.operation.as_deref(), row.wide), (Some("message"), None, true));
    assert_eq!(row.resource.as_deref(), Some("arn:aws:ssm:eu-west-1:111122223333:parameter/db/password"));
}

#[test]
fn a_success_has_no_failure_and_a_probe_is_a_probe() {
    let row = kms("Decrypt", json!({"errorCode": "", "errorMessage": ""}));
    assert_eq!((row.failure, row.error_code), (None, None));
    let probe = kms("Decrypt", json!({"errorCode": "DryRunOperationException"}));
    assert_eq!((probe.failure.as_deref(), probe.dry_run), (Some("dry-run"), Some(true)));
}

#[test]
fn classes_have_names_that_lead_back() {
    for class in FailureClass::ALL {
        assert_eq!(FailureClass::from_id(class.id()), Some(*class));
        assert!(class.id().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
    }
    let state: Vec<&str> =
        FailureClass::ALL.iter().filter(|class| class.is_key_state()).map(|class| class.id()).collect();
    let expected = [
        "key-disabled",
        "key-pending-deletion",
        "key-pending-import",
        "key-unavailable",
        "key-not-found",
        "key-unspecified",
    ];
    assert_eq!(state, expected);
    assert_eq!(FailureClass::from_id("nonsense"), None);
}

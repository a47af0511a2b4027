//! What a failure means for a key, from the error code and text of KMS or of a service that wraps it.
//!
//! Wording is no contract: state is read from phrases where they are known, and the code alone decides otherwise.

macro_rules! classes {
    ($($variant:ident $id:literal $doc:literal,)*) => {
        /// Cause class of a failed call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FailureClass { $(#[doc = $doc] $variant,)* }

        impl FailureClass {
            /// Every class, in the order of the docs.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Name in the `failure` column.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// What it means, for people.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

classes! {
    KeyDisabled "key-disabled" "the key is disabled",
    KeyPendingDeletion "key-pending-deletion" "the key is scheduled for deletion",
    KeyPendingImport "key-pending-import" "the key has no key material",
    KeyUnavailable "key-unavailable" "the custom key store of the key cannot be reached",
    KeyNotFound "key-not-found" "the key or alias does not exist in this Region",
    AccessDenied "access-denied" "the caller may not use the key",
    Throttled "throttled" "too many requests",
    DryRun "dry-run" "a permission probe that would have succeeded",
    Transient "transient" "passes by itself: the key is creating or updating, or AWS had a fault",
    InvalidCiphertext "invalid-ciphertext" "ciphertext, signature, MAC, encryption context or key do not belong together",
    InvalidUsage "invalid-usage" "the key is not made for this operation",
    Unsupported "unsupported" "this kind of key does not support the operation",
    Quota "quota" "a resource quota is used up",
    AdminConflict "admin-conflict" "an administrative call that does not fit the state of the key",
    PolicyError "policy-error" "the policy document was refused",
    KeyStore "key-store" "a custom key store could not be administered",
    Client "client" "the request was malformed",
    KeyUnspecified "key-unspecified" "the service says only that the key failed",
    Other "other" "anything else",
}

impl FailureClass {
    /// The class of that name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.id() == id)
    }

    /// True when the call failed because of the state of a key, not because of who called or how.
    pub fn is_key_state(self) -> bool {
        matches!(
            self,
            Self::KeyDisabled
                | Self::KeyPendingDeletion
                | Self::KeyPendingImport
                | Self::KeyUnavailable
                | Self::KeyNotFound
                | Self::KeyUnspecified
        )
    }

    /// Class of a failure, from its error code and text.
    pub fn of(code: &str, message: Option<&str>) -> Self {
        let message = message.unwrap_or_default().to_ascii_lowercase();
        // A wrapping service keeps the code of KMS in the text, and that code knows more than its own.
        let inner = wrapped_code(&message).map(|inner| by_both(by_code(inner), &message));
        match inner {
            Some(class) if class != Self::Other => class,
            _ => by_both(by_code(code), &message),
        }
    }
}

/// Combines what the code says with what the (lower-case) text says.
fn by_both(code: FailureClass, message: &str) -> FailureClass {
    use FailureClass as F;
    match code {
        // These text forms are the caller's fault or the service's, whatever words the caller's values bring in.
        F::DryRun
        | F::Throttled
        | F::InvalidCiphertext
        | F::InvalidUsage
        | F::Quota
        | F::PolicyError
        | F::Unsupported
        | F::KeyNotFound
        | F::KeyStore
        | F::AdminConflict
        | F::Transient => code,
        F::AccessDenied if message.contains("not authorized to perform") || message.contains("not allowed") => code,
        F::Client if message.contains("validation error") => code,
        // These codes already speak of a key; under any other code the text must, because other things get disabled too.
        F::KeyDisabled | F::KeyUnspecified => by_phrase(message).unwrap_or(code),
        _ if KEY_WORDS.iter().any(|word| message.contains(word)) => by_phrase(message).unwrap_or(code),
        _ => code,
    }
}

/// What a (lower-case) text says when it means a KMS key; a bare "key" may be a key pair or an object key.
const KEY_WORDS: &[&str] = &["kms", ":key/", "cmk", "master key", "encryption key", "key store"];

/// Phrases of KMS in lower case; the first that occurs decides. Order matters: `is not pending deletion` holds `pending deletion`.
const PHRASES: &[(&[&str], FailureClass)] = &[
    // RDS and others name every cause at once.
    (&["or you do not have permission", "or you don't have permission"], FailureClass::KeyUnspecified),
    (&["is not pending deletion", "pending rotation", "cannot be imported"], FailureClass::AdminConflict),
    (
        &["pending deletion", "pending replica deletion", "pendingdeletion", "scheduled for deletion"],
        FailureClass::KeyPendingDeletion,
    ),
    (&["pending import", "pendingimport"], FailureClass::KeyPendingImport),
    (&["is unavailable", "not connected", "disconnected", "cloudhsm"], FailureClass::KeyUnavailable),
    (&["is creating", "is updating"], FailureClass::Transient),
    (&["is disabled", "is not enabled", "been disabled", "key disabled"], FailureClass::KeyDisabled),
    (&["exceeded the rate", "rate exceeded", "throttl"], FailureClass::Throttled),
    (
        &[
            "not authorized to perform",
            "not allowed to access",
            "access to kms is not allowed",
            "access denied",
            "accessdenied",
        ],
        FailureClass::AccessDenied,
    ),
    (
        &["does not exist", "is not found", "not be found", "not found", "invalid keyid", "invalid arn"],
        FailureClass::KeyNotFound,
    ),
    (&["incorrect state", "inaccessible", "not accessible", "revoked"], FailureClass::KeyUnspecified),
];

fn by_phrase(message: &str) -> Option<FailureClass> {
    if message.contains("external key store proxy") || message.contains("xks proxy") {
        return Some(of_proxy(message));
    }
    let occurs = |phrases: &&[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    PHRASES.iter().find(|(phrases, _)| occurs(phrases)).map(|(_, class)| *class)
}

/// Every failure of an external key store shares one code; only the text tells a lost proxy from bad ciphertext.
fn of_proxy(message: &str) -> FailureClass {
    if message.contains("ciphertext") || message.contains("authenticated data") {
        FailureClass::InvalidCiphertext
    } else if message.contains("too many") || message.contains("throttl") || message.contains("request rate") {
        FailureClass::Throttled
    } else {
        FailureClass::KeyUnavailable
    }
}

fn by_code(code: &str) -> FailureClass {
    use FailureClass as F;
    let code = normal(code);
    match code.as_str() {
        "dryrunoperation" => F::DryRun,
        "disabled" | "kmsdisabled" | "kmskeydisabled" | "encryptionkeydisabled" => F::KeyDisabled,
        "notfound" | "kmsnotfound" | "kmskeynotfound" | "encryptionkeynotfound" | "invalidkmskey.notfound" => {
            F::KeyNotFound
        }
        "encryptionkeyunavailable" => F::KeyUnavailable,
        "accessdenied"
        | "kmsaccessdenied"
        | "kmskeyaccessdenied"
        | "encryptionkeyaccessdenied"
        | "vpceaccessdenied"
        | "unauthorizedoperation"
        | "unauthorized"
        | "notauthorized"
        | "forbidden"
        | "optinrequired"
        | "kmsoptinrequired" => F::AccessDenied,
        "throttling"
        | "throttled"
        | "kmsthrottling"
        | "kmsthrottled"
        | "requestlimitexceeded"
        | "toomanyrequests"
        | "provisionedthroughputexceeded"
        | "slowdown" => F::Throttled,
        "invalidciphertext" | "incorrectkey" | "kmsinvalidsignature" | "kmsinvalidmac" => F::InvalidCiphertext,
        "invalidkeyusage" | "kmsinvalidkeyusage" | "encryptionkeyinvalidusage" => F::InvalidUsage,
        "unsupportedoperation" => F::Unsupported,
        "limitexceeded" | "kmslimitexceeded" | "servicequotaexceeded" => F::Quota,
        "conflict" | "alreadyexists" => F::AdminConflict,
        "malformedpolicydocument" => F::PolicyError,
        "keyunavailable" | "dependencytimeout" | "kmsinternal" | "internal" | "internalfailure" | "internalservice"
        | "internalserver" | "serviceunavailable" | "unavailable" => F::Transient,
        "validation"
        | "invalidarn"
        | "invalidaliasname"
        | "invalidmarker"
        | "invalidgrantid"
        | "invalidgranttoken"
        | "invalidimporttoken"
        | "expiredimporttoken"
        | "incorrectkeymaterial"
        | "tag"
        | "tagpolicy"
        | "missingparameter"
        | "invalidparameter"
        | "invalidparametervalue"
        | "invalidrequest"
        | "serialization"
        | "expiredtoken"
        | "unrecognizedclient"
        | "invalidclienttokenid"
        | "incompletesignature"
        | "signaturedoesnotmatch" => F::Client,
        // A bare state exception leaves open which state; so do the words other services have for "the key failed".
        "invalidstate"
        | "kmsinvalidstate"
        | "kms"
        | "kmskeynotaccessible"
        | "decryptionfailure"
        | "encryptionfailure"
        | "customerkeyhasbeenrevoked"
        | "client.internal"
        | "invalidkeyid"
        | "invalidkmsresource"
        | "invalidsourcekmskey"
        | "invaliddestinationkmskey"
        | "encryptionkeynotaccessible"
        | "keynotaccessible"
        | "inaccessible-encryption-credentials"
        | "inaccessible-encryption-credentials-recoverable"
        | "inaccessible_encryption_credentials"
        | "encryptionkey" => F::KeyUnspecified,
        code if code.starts_with("invalidkmskey") => F::KeyUnspecified,
        code if ["customkeystore", "cloudhsmcluster", "xks"].iter().any(|prefix| code.starts_with(prefix)) => {
            F::KeyStore
        }
        _ => F::Other,
    }
}

/// Lower case, without the prefixes and suffixes that services, SDKs and protocols put around a code.
fn normal(code: &str) -> String {
    let code = code.rsplit('#').next().unwrap_or(code).trim().to_ascii_lowercase();
    let mut rest = code.as_str();
    // EC2 ends instances that cannot decrypt their volume with this one, and its "internal" is not AWS's fault.
    if let Some(after) = rest.strip_prefix("client.internalerror")
        && (after.is_empty() || after.starts_with(':'))
    {
        return "client.internal".to_owned();
    }
    for prefix in ["client.", "server.", "kms."] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    // `Client.InvalidKMSKey.InvalidState: The KMS key ...` of a state reason: the code ends at the colon.
    rest = rest.split_once(':').map_or(rest, |(code, _)| code).trim();
    for suffix in ["exception", "fault", "error"] {
        rest = rest.strip_suffix(suffix).filter(|rest| !rest.is_empty()).unwrap_or(rest);
    }
    rest.to_owned()
}

/// Code of KMS inside another service's (lower-case) text: `(Service: AWSKMS; ... Error Code: DisabledException; ...)`,
/// `KMS Exception: DisabledException KMS Message: ...`.
fn wrapped_code(message: &str) -> Option<&str> {
    ["error code: ", "kms exception: ", "errorcode: "].iter().find_map(|lead| {
        let rest = &message[message.find(lead)? + lead.len()..];
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '#' | '_'))).unwrap_or(rest.len());
        Some(rest[..end].trim_end_matches('.')).filter(|code| !code.is_empty())
    })
}

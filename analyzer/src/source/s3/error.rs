//! What S3 says when it refuses, in the terms of this program.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;

use crate::decode::SkipReason;

/// Why something in S3 cannot be used at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum S3Error {
    /// The URL is none.
    #[error("`{url}` is no place in S3: {reason}; write s3://BUCKET or s3://BUCKET/PREFIX")]
    BadUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nobody has a bucket of this name.
    #[error("there is no bucket `{0}`; check the name, and the partition (aws, aws-cn, aws-us-gov) of the credentials")]
    NoSuchBucket(String),
    /// No credentials were found.
    #[error(
        "no AWS credentials for `{what}` ({detail}); log in (`aws sso login`, `aws configure`), name a profile, or read a public bucket unsigned"
    )]
    NoCredentials {
        /// What was asked for.
        what: String,
        /// Who was asked for credentials and what was the answer.
        detail: String,
    },
    /// The credentials are not good (any more).
    #[error(
        "AWS does not accept the credentials for `{what}` ({detail}); renew them, and check the clock of this machine"
    )]
    BadCredentials {
        /// What was asked for.
        what: String,
        /// What S3 said.
        detail: String,
    },
    /// It was refused.
    #[error(
        "access to `{what}` is denied ({detail}); a scan needs s3:ListBucket on the bucket, s3:GetObject on the objects and kms:Decrypt on their key"
    )]
    Denied {
        /// What was asked for.
        what: String,
        /// What S3 said.
        detail: String,
    },
    /// The object is not in the state that the condition of a write asks for: somebody else was faster.
    #[error("`{0}` was written by somebody else in the meantime; read it again and repeat")]
    Conflict(String),
    /// Everything else.
    #[error("S3 failed for `{what}`: {detail}; check the network, the Region and the endpoint")]
    Failed {
        /// What was asked for.
        what: String,
        /// What S3 or the network said.
        detail: String,
    },
}

/// Why one request failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: SkipReason,
    pub(super) detail: String,
    /// Another attempt may help.
    pub(super) again: bool,
    /// The SDK has made several attempts already. It makes none of a body that breaks off.
    pub(super) is_repeated: bool,
    kind: Kind,
}

/// What matters to those who ask for a bucket rather than for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Other,
    NoBucket,
    NoCredentials,
    BadCredentials,
}

/// Codes of requests whose credentials S3 does not accept.
const BAD_CREDENTIALS: &[&str] = &[
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
];

impl Failure {
    pub(super) fn new(reason: SkipReason, detail: impl Into<String>, again: bool) -> Self {
        Self { reason, detail: detail.into(), again, is_repeated: false, kind: Kind::Other }
    }

    /// Says where it happened.
    pub(super) fn after(self, place: &str) -> Self {
        Self { detail: format!("{place}: {}", self.detail), ..self }
    }

    /// Reads an error of the SDK.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let SdkError::ServiceError(service) = error {
            let status = service.raw().status().as_u16();
            return Self::of_answer(status, service.err().code(), service.err().message());
        }
        if let Some(credentials) = find::<CredentialsError>(error) {
            let mut failure = Self::new(SkipReason::Denied, chain(credentials), false);
            failure.kind = Kind::NoCredentials;
            return failure;
        }
        let again = !matches!(error, SdkError::ConstructionFailure(_));
        // An answer that nobody can read is not repeated by the SDK.
        let is_repeated = !matches!(error, SdkError::ResponseError(_));
        Self { is_repeated, ..Self::new(SkipReason::Unavailable, chain(error), again) }
    }

    /// Reads an answer: status, code and message. `HEAD` has a status only.
    fn of_answer(status: u16, code: Option<&str>, message: Option<&str>) -> Self {
        let name = code.unwrap_or_default();
        let text = message.unwrap_or_default();
        let throttled = name.contains("Throttl") || matches!(name, "SlowDown" | "RequestLimitExceeded");
        let (reason, again) = match (status, name) {
            _ if throttled => (SkipReason::Unavailable, true),
            (_, "AccessDenied") | (403, _) if speaks_of_a_key(text) => (SkipReason::KeyDenied, false),
            _ if name.starts_with("KMS.") => (SkipReason::KeyDenied, false),
            (_, "InvalidObjectState") => (SkipReason::Archived, false),
            (_, "NoSuchBucket") => (SkipReason::Unavailable, false),
            (_, "NoSuchKey") | (404, _) => (SkipReason::Gone, false),
            (412 | 416, _) | (_, "PreconditionFailed" | "InvalidRange") => (SkipReason::Changed, false),
            (401 | 403, _) | (_, "AccessDenied" | "AllAccessDisabled") => (SkipReason::Denied, false),
            _ if BAD_CREDENTIALS.contains(&name) => (SkipReason::Denied, false),
            _ => (SkipReason::Unavailable, status >= 500 || status == 429 || name == "RequestTimeout"),
        };
        let kind = match name {
            "NoSuchBucket" => Kind::NoBucket,
            name if BAD_CREDENTIALS.contains(&name) => Kind::BadCredentials,
            _ => Kind::Other,
        };
        let detail = match (code, message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(only), None) | (None, Some(only)) => only.to_owned(),
            (None, None) => format!("HTTP status {status}"),
        };
        Self { reason, detail, again, is_repeated: true, kind }
    }

    /// Reads the error of a body on its way.
    pub(super) fn of_body(error: &ByteStreamError) -> Self {
        let detail = chain(error);
        // The type of this error is not public in the SDK.
        let reason =
            if detail.contains("checksum mismatch") { SkipReason::ChecksumMismatch } else { SkipReason::Incomplete };
        Self::new(reason, detail, true)
    }

    /// The same, for those who cannot go on without an answer.
    pub(super) fn into_error(self, what: impl Into<String>, bucket: &str) -> S3Error {
        let (what, detail) = (what.into(), self.detail);
        match (self.kind, self.reason) {
            (Kind::NoBucket, _) => S3Error::NoSuchBucket(bucket.to_owned()),
            (Kind::NoCredentials, _) => S3Error::NoCredentials { what, detail },
            (Kind::BadCredentials, _) => S3Error::BadCredentials { what, detail },
            (Kind::Other, SkipReason::Denied | SkipReason::KeyDenied) => S3Error::Denied { what, detail },
            (Kind::Other, SkipReason::Changed) => S3Error::Conflict(what),
            (Kind::Other, _) => S3Error::Failed { what, detail },
        }
    }
}

/// S3 reports a refusal of KMS as one of its own; only the text tells.
fn speaks_of_a_key(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("kms") || message.contains("ciphertext")
}

/// The first cause of a type.
pub(crate) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// All causes in one line, without those that only repeat what has been said.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        use SkipReason as R;
        let key = "User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:Decrypt on the resource";
        let cipher = "The ciphertext refers to a customer master key that does not exist";
        for (status, code, message, reason, again) in [
            (403, "AccessDenied", "Access Denied", R::Denied, false),
            (403, "AccessDenied", key, R::KeyDenied, false),
            (400, "AccessDenied", cipher, R::KeyDenied, false),
            (400, "KMS.DisabledException", "key/1 is disabled.", R::KeyDenied, false),
            (400, "KMS.KMSInvalidStateException", "key/1 is pending deletion.", R::KeyDenied, false),
            (400, "KMS.ThrottlingException", "Rate exceeded", R::Unavailable, true),
            (403, "InvalidObjectState", "not valid for the object's storage class", R::Archived, false),
            (404, "NoSuchKey", "The specified key does not exist.", R::Gone, false),
            (412, "PreconditionFailed", "At least one", R::Changed, false),
            (416, "InvalidRange", "not satisfiable", R::Changed, false),
            (400, "ExpiredToken", "The provided token has expired.", R::Denied, false),
            (503, "SlowDown", "Please reduce your request rate.", R::Unavailable, true),
            (500, "InternalError", "We encountered an internal error.", R::Unavailable, true),
            (400, "InvalidRequest", "no", R::Unavailable, false),
        ] {
            let failure = Failure::of_answer(status, Some(code), Some(message));
            assert_eq!((failure.reason, failure.again), (reason, again), "{code}");
            assert_eq!(failure.detail, format!("{code}: {message}"));
        }
        assert_eq!(Failure::of_answer(404, None, None).detail, "HTTP status 404");
    }

    #[test]
    fn refusals_of_a_bucket_say_what_to_try() {
        let said =
            |code| Failure::of_answer(403, Some(code), Some("no")).into_error("s3://logs/a/", "logs").to_string();
        assert!(said("NoSuchBucket").contains("no bucket `logs`"));
        assert!(said("ExpiredToken").contains("renew"));
        assert!(said("AccessDenied").contains("s3:ListBucket"));
    }
}

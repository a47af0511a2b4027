//! What AWS says when it refuses, in one word.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};

use crate::source::s3::{chain, find};

/// Why nothing can be asked at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// AWS does not say who asks.
    #[error(
        "AWS does not accept the credentials, or there are none ({0}); log in (`aws sso login`, `aws configure`) or name a profile"
    )]
    Credentials(String),
    /// Everything else.
    #[error("cannot ask AWS: {0}")]
    Failed(String),
}

impl LiveError {
    /// Why AWS did not say who asks.
    pub(super) fn of_caller<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let (_, detail) = reason(error);
        let speaks_of_them = error.code().is_some() || find::<CredentialsError>(error).is_some();
        if speaks_of_them { Self::Credentials(detail) } else { Self::Failed(detail) }
    }
}

/// A word for machines and a sentence for people.
pub(super) fn reason<E>(error: &SdkError<E, HttpResponse>) -> (&'static str, String)
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let code = error.code();
    let status = error.raw_response().map(|response| response.status().as_u16());
    let detail = match (code, error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_string(),
        _ => find::<CredentialsError>(error).map_or_else(|| chain(error), |none| chain(none)),
    };
    (word(code.unwrap_or_default(), status), detail)
}

fn word(code: &str, status: Option<u16>) -> &'static str {
    match (code, status) {
        (code, status) if status == Some(429) || code.contains("Throttl") || code.contains("TooManyRequests") => {
            "throttled"
        }
        ("LimitExceededException" | "RequestLimitExceeded", _) => "throttled",
        (code, _) if code.starts_with("AccessDenied") || code == "UnauthorizedOperation" => "access-denied",
        // A Region that is not enabled knows no credentials of the account.
        ("UnrecognizedClientException" | "InvalidClientTokenId", _) => "not-accepted",
        ("ExpiredTokenException" | "ExpiredToken", _) => "expired-credentials",
        ("NotFoundException", _) => "not-found",
        ("UnsupportedOperationException" | "UnknownOperationException" | "NotImplemented", _) | (_, Some(501)) => {
            "unsupported"
        }
        ("AWSOrganizationsNotInUseException", _) => "no-organization",
        (_, Some(403)) => "access-denied",
        (_, Some(status)) if status < 500 => "refused",
        _ => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn words_tell_what_to_do() {
        for (code, status, expected) in [
            ("AccessDeniedException", Some(400), "access-denied"),
            ("ThrottlingException", Some(400), "throttled"),
            ("", Some(429), "throttled"),
            ("UnrecognizedClientException", Some(400), "not-accepted"),
            ("NotFoundException", Some(400), "not-found"),
            ("KMSInvalidStateException", Some(400), "refused"),
            ("InternalFailure", Some(500), "unavailable"),
            ("", None, "unavailable"),
        ] {
            assert_eq!(word(code, status), expected, "{code}");
        }
    }
}

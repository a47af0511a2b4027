//! Clients of the AWS SDK: credentials from where the AWS CLI takes them.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::runtime::{Builder, Runtime};

use super::SendError;

/// Runs one request at a time.
pub(super) fn runtime() -> Result<Runtime, SendError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| SendError::lasting(format!("could not start a runtime: {error}")))
}

/// Configuration for the Region that an ARN names, else for the one that the environment names. Repeats are the caller's.
pub(super) async fn load(arn: &str) -> SdkConfig {
    let region = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    load_in(region.filter(|region| !region.is_empty())).await
}

/// Configuration for a Region, else for the one that the environment names.
pub(super) async fn load_in(region: Option<&str>) -> SdkConfig {
    let https = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).http_client(https).retry_config(RetryConfig::disabled());
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    loader.load().await
}

/// What a service said, and whether the same may work in a moment.
pub(super) fn failure(
    code: Option<&str>,
    message: Option<&str>,
    status: Option<u16>,
    error: &dyn std::error::Error,
) -> SendError {
    let said = message.map(str::to_owned).or_else(|| error.source().map(ToString::to_string));
    let said = said.unwrap_or_else(|| error.to_string());
    refusal(code, &said, status)
}

/// What a service said when it refused.
pub(super) fn refusal(code: Option<&str>, said: &str, status: Option<u16>) -> SendError {
    let message = code.map_or_else(|| said.to_owned(), |code| format!("{code}: {said}"));
    // Throttling is a 400 in some services.
    let throttled =
        status == Some(429) || code.is_some_and(|code| code.contains("Throttl") || code.contains("TooMany"));
    let lasting = status.is_some_and(|status| (400..500).contains(&status)) && !throttled;
    SendError { message, transient: !lasting }
}

/// The innermost cause of an error: what the SDK wraps around it says less.
pub(super) fn deepest(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

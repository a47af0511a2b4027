//! Clients of the AWS SDK, with everything that could wait for good bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{ConfigBag, Intercept, Region, RuntimeComponents, StalledStreamProtectionConfig};
use aws_sdk_s3::error::BoxError;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

use super::options::S3Options;

/// Region to ask first where a bucket is, when nothing names one. It knows all buckets of its partition.
const ANY_REGION: &str = "us-east-1";

/// What all clients share: credentials, connections, limits.
pub(crate) async fn load(options: &S3Options) -> SdkConfig {
    let patience = &options.patience;
    let https = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(https)
        .retry_config(
            // Adaptive: when S3 says to slow down, all requests of this process do.
            RetryConfig::adaptive()
                .with_max_attempts(patience.attempts)
                .with_initial_backoff(patience.first_wait)
                .with_max_backoff(patience.longest_wait),
        )
        .timeout_config(
            TimeoutConfig::builder().connect_timeout(patience.connect).read_timeout(patience.response).build(),
        )
        .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(patience.stall).build());
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &options.endpoint_url {
        loader = loader.endpoint_url(endpoint);
    }
    if options.unsigned {
        loader = loader.no_credentials();
    } else if let Some(key) = &options.credentials {
        let credentials = Credentials::new(&key.id, &key.secret, key.token.clone(), None, "given");
        loader = loader.credentials_provider(credentials);
    }
    loader.load().await
}

/// The client for one Region; None for the one that the configuration names.
pub(super) fn client(shared: &SdkConfig, options: &S3Options, region: Option<&str>, requests: &Requests) -> Client {
    let region = match region {
        Some(region) => Region::new(region.to_owned()),
        None => shared.region().cloned().unwrap_or(Region::from_static(ANY_REGION)),
    };
    let config = aws_sdk_s3::config::Builder::from(shared)
        .region(region)
        .force_path_style(options.path_style)
        .use_arn_region(true)
        .interceptor(requests.clone())
        .build();
    Client::from_conf(config)
}

/// Counts requests as they are sent, also those that the SDK repeats.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    throttled: AtomicU64,
}

impl Requests {
    pub(super) fn get(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    pub(super) fn throttled(&self) -> u64 {
        self.0.throttled.load(Ordering::Relaxed)
    }
}

impl Intercept for Requests {
    fn name(&self) -> &'static str {
        "keytrail requests"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if matches!(context.response().status().as_u16(), 429 | 503) {
            self.0.throttled.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

//! Requests to AWS services of which one operation is used: signed here. An SDK for each would bring thousands of types that
//! nobody looks at, and minutes of building.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use tokio::runtime::Runtime;
use ureq::Agent;

use super::wire::Refusal;
use super::{SendError, aws, http};

/// Bytes of an answer that are read. One about a hundred findings is far smaller.
const ANSWER: u64 = 1 << 20;

/// One operation with JSON in and out.
pub(super) struct Operation {
    /// Name in the host and in the signature.
    service: &'static str,
    path: &'static str,
    /// `X-Amz-Target`, where the service goes by it and not by the path.
    target: Option<&'static str>,
    content_type: &'static str,
}

impl Operation {
    pub(super) const IMPORT_FINDINGS: Self =
        Self { service: "securityhub", path: "/findings/import", target: None, content_type: "application/json" };
    pub(super) const PUT_EVENTS: Self = Self::by_target("events", "AWSEvents.PutEvents");
    pub(super) const GET_PARAMETER: Self = Self::by_target("ssm", "AmazonSSM.GetParameter");

    const fn by_target(service: &'static str, target: &'static str) -> Self {
        Self { service, path: "/", target: Some(target), content_type: "application/x-amz-json-1.1" }
    }
}

/// Calls one operation in one Region. Credentials and endpoint are those that the AWS CLI would take.
pub(super) struct Caller {
    operation: Operation,
    region: Option<String>,
    runtime: Runtime,
    opened: Option<(SdkConfig, Agent)>,
}

impl Caller {
    /// Without a Region it is that of the environment. Nothing is connected yet.
    pub(super) fn open(operation: Operation, region: Option<&str>) -> Result<Self, SendError> {
        Ok(Self { operation, region: region.map(str::to_owned), runtime: aws::runtime()?, opened: None })
    }

    /// Calls it; the body of the answer when it is a success.
    pub(super) fn call(&mut self, body: &str, timeout: Duration) -> Result<String, SendError> {
        let Self { operation, region, runtime, opened } = self;
        let service = operation.service;
        let late = || SendError::passing(format!("{service} does not answer in time"));
        let (config, credentials) = runtime.block_on(async {
            tokio::time::timeout(timeout, async {
                let config = match opened {
                    Some((config, _)) => config.clone(),
                    None => aws::load_in(region.as_deref()).await,
                };
                let none = || SendError::lasting("there are no credentials for AWS");
                let credentials = config.credentials_provider().ok_or_else(none)?.provide_credentials().await;
                Ok::<_, SendError>((config, credentials.map_err(|error| SendError::passing(aws::deepest(&error)))?))
            })
            .await
            .map_err(|_| late())
        })??;
        let none = || SendError::lasting("there is no AWS Region: set AWS_REGION");
        let region = config.region().ok_or_else(none)?.as_ref().to_owned();
        let url = format!("{}{}", endpoint(&config, service, &region), operation.path);
        let agent = match opened {
            Some((_, agent)) => agent.clone(),
            None => opened.insert((config, http::agent(&url)?)).1.clone(),
        };

        let mut headers = vec![("content-type", operation.content_type)];
        headers.extend(operation.target.map(|target| ("x-amz-target", target)));
        #[expect(clippy::disallowed_methods, reason = "a signature carries the time at which it was made")]
        let time = std::time::SystemTime::now();
        let cannot = |what: &dyn std::fmt::Display| SendError::lasting(format!("the request cannot be signed: {what}"));
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name(service)
            .time(time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| cannot(&error))?
            .into();
        let bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", url.as_str(), headers.iter().copied(), bytes);
        let (signed, _) =
            signable.and_then(|request| sign(request, &params)).map_err(|error| cannot(&error))?.into_parts();

        let mut request = agent.post(&url);
        for (name, value) in headers.into_iter().chain(signed.headers()) {
            request = request.header(name, value);
        }
        let sent = request.config().timeout_global(Some(timeout)).build().send(body);
        let mut answer = sent.map_err(|error| http::failure(service, &error))?;
        let said = answer.body_mut().with_config().limit(ANSWER).read_to_string();
        let status = answer.status();
        if status.is_success() {
            // It was taken, perhaps in part: without the answer nobody knows which.
            return said
                .map_err(|error| SendError::passing(format!("the answer of {service} cannot be read: {error}")));
        }
        let refusal: Refusal = serde_json::from_str(&said.unwrap_or_default()).unwrap_or_default();
        let header = answer.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let code = if header.is_empty() { refusal.kind.as_str() } else { header };
        // `aws.protocol#Code` and `Code:http://where.it/is/described` are `Code`.
        let code = code.rsplit('#').next().and_then(|code| code.split(':').next()).filter(|code| !code.is_empty());
        let message = if refusal.message.is_empty() { format!("{service} answers {status}") } else { refusal.message };
        Err(aws::refusal(code, &message, Some(status.as_u16())))
    }
}

/// Where the service is: at the endpoint that is configured, else at its own.
fn endpoint(config: &SdkConfig, service: &str, region: &str) -> String {
    if let Some(url) = config.endpoint_url() {
        return url.trim_end_matches('/').to_owned();
    }
    let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
    let suffix = match region.split('-').take(2).collect::<Vec<_>>()[..] {
        ["cn", _] => "amazonaws.com.cn",
        ["us", "iso"] => "c2s.ic.gov",
        ["us", "isob"] => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    };
    format!("https://{service}{fips}.{region}.{suffix}")
}

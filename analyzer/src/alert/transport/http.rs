//! POST, and nothing else. Addresses of webhooks may be secrets: no message shows more of them than the host.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::SendError;
use super::secret::resolve;
use crate::config::{WebUrl, is_safe_url};

/// Bytes of an answer that are looked at.
const ANSWER: u64 = 4096;

/// One address.
pub(super) struct Poster {
    url: String,
    host: String,
    agent: Agent,
}

impl Poster {
    pub(super) fn open(url: &WebUrl) -> Result<Self, SendError> {
        let url = match url {
            WebUrl::Plain(url) => url.clone(),
            WebUrl::Secret(reference) => {
                let url = resolve(reference)?.reveal().trim().to_owned();
                if !is_safe_url(&url) {
                    let text = reference.text();
                    return Err(SendError::lasting(format!("{text} holds no address that begins with https://")));
                }
                url
            }
        };
        let host = url.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default().to_owned();
        Ok(Self { agent: agent(&url)?, url, host })
    }

    /// Posts a body; the answer's first bytes when it is a success.
    pub(super) fn post(&self, body: &str, headers: &[(&str, &str)], timeout: Duration) -> Result<String, SendError> {
        let mut request = self.agent.post(&self.url).header("Content-Type", "application/json; charset=utf-8");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = request.config().timeout_global(Some(timeout)).build().send(body);
        let mut answer = sent.map_err(|error| failure(&self.host, &error))?;
        let status = answer.status();
        // What the other side says helps to see what is wrong; that it cannot be read does not matter.
        let said = answer.body_mut().with_config().limit(ANSWER).read_to_string().unwrap_or_default();
        if status.is_success() {
            return Ok(said);
        }
        let said: String = said.chars().take(200).collect();
        let said = if said.trim().is_empty() { String::new() } else { format!(": {}", said.trim()) };
        let message = if status.is_redirection() {
            format!("{} answers {status}: redirects are not followed", self.host)
        } else {
            format!("{} answers {status}{said}", self.host)
        };
        Err(SendError { message, transient: status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) })
    }
}

/// What speaks to an address.
pub(super) fn agent(url: &str) -> Result<Agent, SendError> {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        // Where findings go is decided by the configuration, not by who answers.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("keytrail/", env!("CARGO_PKG_VERSION")));
    if url.starts_with("https://") {
        config = config.tls_config(TlsConfig::builder().root_certs(roots()?).build());
    }
    Ok(config.build().into())
}

/// Why there is no answer.
pub(super) fn failure(host: &str, error: &ureq::Error) -> SendError {
    match error {
        ureq::Error::Io(error) => SendError::passing(format!("{host}: {error}")),
        ureq::Error::Timeout(which) => SendError::passing(format!("{host} does not answer in time ({which})")),
        ureq::Error::HostNotFound => SendError::passing(format!("{host} is not known to the name server")),
        ureq::Error::ConnectionFailed => SendError::passing(format!("{host}: no connection")),
        ureq::Error::Rustls(error) => SendError::lasting(format!("{host}: {error}")),
        ureq::Error::Tls(error) => SendError::lasting(format!("{host}: {error}")),
        // Others may quote the address.
        _ => SendError::lasting(format!("{host}: the request failed")),
    }
}

/// Whom this machine trusts; `SSL_CERT_FILE` says otherwise.
fn roots() -> Result<RootCerts, SendError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let why = found.errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        return Err(SendError::lasting(format!("this machine has no certificates to trust{why}")));
    }
    let certs: Vec<Certificate<'static>> =
        found.certs.iter().map(|cert| Certificate::from_der(cert.as_ref()).to_owned()).collect();
    Ok(RootCerts::Specific(Arc::new(certs)))
}

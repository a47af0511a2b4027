//! E-mail by SMTP.

use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls as Security, TlsParameters};
use lettre::{Message, SmtpTransport, Transport as _};

use super::secret::{Secret, resolve};
use super::{SendError, Transport};
use crate::alert::message::Alert;
use crate::config::{Email, Tls};

/// One mail server, one sender, its receivers.
pub(super) struct Mailer {
    email: Email,
    password: Option<Secret>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mailer {
    pub(super) fn open(email: &Email) -> Result<Self, SendError> {
        let mailbox = |text: &String| {
            text.parse::<Mailbox>().map_err(|error| SendError::lasting(format!("`{text}` is no address: {error}")))
        };
        let password = email.login.as_ref().map(|(_, password)| resolve(password)).transpose()?;
        let to = email.to.iter().map(mailbox).collect::<Result<_, _>>()?;
        Ok(Self { from: mailbox(&email.from)?, to, password, email: email.clone() })
    }

    fn message(&self, alert: &Alert) -> Result<Message, SendError> {
        let id = |dedup: &str| format!("<{dedup}@{}>", self.from.email.domain());
        let mut builder: MessageBuilder = Message::builder()
            .from(self.from.clone())
            .subject(&alert.subject)
            // A repeat after a crash has the same id: mail servers and people can tell.
            .message_id(Some(id(&alert.dedup)));
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        if let Some(first) = &alert.thread {
            builder = builder.in_reply_to(id(first)).references(id(first));
        }
        // Nobody's vacation notice shall answer.
        for (name, value) in [
            ("Auto-Submitted", "auto-generated"),
            ("X-Keytrail-Kind", alert.kind),
            ("X-Keytrail-Severity", alert.severity.id()),
            ("X-Keytrail-Incident", alert.incident.as_deref().unwrap_or_default()),
        ] {
            if !value.is_empty() {
                builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
            }
        }
        builder
            .multipart(MultiPart::alternative_plain_html(alert.text.clone(), alert.html.clone()))
            .map_err(|error| SendError::lasting(format!("the message cannot be written: {error}")))
    }

    fn server(&self, timeout: Duration) -> Result<SmtpTransport, SendError> {
        let Email { host, port, tls, login, .. } = &self.email;
        let parameters = || {
            TlsParameters::new(host.clone())
                .map_err(|error| SendError::lasting(format!("TLS cannot be set up: {error}")))
        };
        let security = match tls {
            Tls::StartTls => Security::Required(parameters()?),
            Tls::Tls => Security::Wrapper(parameters()?),
            // Only to this machine, as the configuration makes sure.
            Tls::None => Security::None,
        };
        let mut builder =
            SmtpTransport::builder_dangerous(host.as_str()).port(*port).tls(security).timeout(Some(timeout));
        if let (Some((user, _)), Some(password)) = (login, &self.password) {
            builder = builder.credentials(Credentials::new(user.clone(), password.reveal().to_owned()));
        }
        Ok(builder.build())
    }
}

impl Transport for Mailer {
    fn send(&mut self, alert: &Alert, timeout: Duration) -> Result<(), SendError> {
        let message = self.message(alert)?;
        match self.server(timeout)?.send(&message) {
            Ok(_) => Ok(()),
            Err(error) => {
                let Email { host, port, .. } = &self.email;
                let lasting = error.is_permanent() || error.is_client() || error.is_tls();
                let message = format!("{host}:{port}: {}", chain(&error));
                Err(SendError { message, transient: !lasting })
            }
        }
    }
}

/// An error with its causes, each once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let said = error.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = error.source();
    }
    text
}

//! How alerts leave: one file per kind of sink.

#[cfg(all(feature = "alert", feature = "aws"))]
mod aws;
#[cfg(feature = "alert")]
mod email;
#[cfg(all(feature = "alert", feature = "aws"))]
mod eventbridge;
#[cfg(feature = "alert")]
mod http;
#[cfg(all(feature = "alert", feature = "aws"))]
mod rest;
#[cfg(feature = "alert")]
mod secret;
#[cfg(all(feature = "alert", feature = "aws"))]
mod securityhub;
#[cfg(all(feature = "alert", feature = "aws"))]
mod signed;
#[cfg(feature = "alert")]
mod slack;
#[cfg(all(feature = "alert", feature = "aws"))]
mod sns;
#[cfg(feature = "alert")]
mod webhook;
#[cfg(all(feature = "alert", feature = "aws"))]
mod wire;

use std::time::Duration;

use super::message::Alert;
use crate::config::AlertSink;
#[cfg(feature = "alert")]
use crate::config::Channel;

/// Why a message did not leave. No secret is in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// What went wrong: a lower-case fragment.
    pub message: String,
    /// True when the same may work in a moment.
    pub transient: bool,
}

impl SendError {
    /// It will not work without somebody's help.
    pub(super) fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: false }
    }

    /// It may work in a moment.
    #[cfg_attr(not(feature = "alert"), expect(dead_code, reason = "nothing is sent in this build"))]
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: true }
    }
}

/// An open sink.
pub(super) trait Transport {
    /// Hands one message over. `Ok` means that the other side took it.
    ///
    /// # Errors
    /// When it did not, or did not say so within `timeout`.
    fn send(&mut self, alert: &Alert, timeout: Duration) -> Result<(), SendError>;
}

/// Opens a sink: secrets are looked up, nothing is connected yet. `now` is the time that signatures carry.
///
/// # Errors
/// When a secret is missing or this build has no such transport.
#[cfg(feature = "alert")]
pub(super) fn open(sink: &AlertSink, now: i64) -> Result<Box<dyn Transport>, SendError> {
    match &sink.channel {
        Channel::Email(email) => Ok(Box::new(email::Mailer::open(email)?)),
        Channel::Webhook { url, secret } => Ok(Box::new(webhook::Webhook::open(url, secret.as_ref(), now)?)),
        Channel::Slack { url } => Ok(Box::new(slack::Slack::open(url)?)),
        #[cfg(feature = "aws")]
        Channel::Sns { topic } => Ok(Box::new(sns::Topic::open(topic)?)),
        #[cfg(feature = "aws")]
        Channel::SecurityHub { account, region } => Ok(Box::new(securityhub::Hub::open(account, region)?)),
        #[cfg(feature = "aws")]
        Channel::EventBridge { bus } => Ok(Box::new(eventbridge::Bus::open(bus)?)),
        #[cfg(not(feature = "aws"))]
        channel @ (Channel::Sns { .. } | Channel::SecurityHub { .. } | Channel::EventBridge { .. }) => {
            let kind = channel.kind();
            Err(SendError::lasting(format!("this build cannot send to {kind}: build it with the feature `aws`")))
        }
    }
}

/// Opens a sink.
///
/// # Errors
/// Always: this build has no transports.
#[cfg(not(feature = "alert"))]
pub(super) fn open(sink: &AlertSink, _now: i64) -> Result<Box<dyn Transport>, SendError> {
    let kind = sink.channel.kind();
    Err(SendError::lasting(format!("this build cannot send to {kind}: build it with the feature `alert`")))
}

//! Topics of Amazon SNS. E-mail subscribers get plain text; queues, functions and webhooks get the JSON.

use std::error::Error as _;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_sdk_sns::Client;
use aws_sdk_sns::config::retry::RetryConfig;
use aws_sdk_sns::error::ProvideErrorMetadata as _;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use super::{SendError, Transport};
use crate::alert::message::Alert;

/// What SNS takes, with some room for what it adds: 256 KiB for all formats together.
const MOST: usize = 240 << 10;

/// One topic.
pub(super) struct Topic {
    arn: String,
    runtime: Runtime,
    client: Option<Client>,
}

impl Topic {
    pub(super) fn open(arn: &str) -> Result<Self, SendError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| SendError::lasting(format!("could not start a runtime: {error}")))?;
        Ok(Self { arn: arn.to_owned(), runtime, client: None })
    }
}

/// The client for the Region of the topic. Repeats are the caller's.
async fn connect(arn: &str) -> Client {
    let https = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).http_client(https).retry_config(RetryConfig::disabled());
    if let Some(region) = arn.split(':').nth(3) {
        loader = loader.region(Region::new(region.to_owned()));
    }
    Client::new(&loader.load().await)
}

impl Transport for Topic {
    fn send(&mut self, alert: &Alert, timeout: Duration) -> Result<(), SendError> {
        let Self { arn, runtime, client } = self;
        let attribute = |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build();
        let failed =
            |error: &dyn std::fmt::Display| SendError::lasting(format!("the message cannot be written: {error}"));
        let mut attributes = Vec::new();
        for (name, value) in [("severity", alert.severity.id()), ("kind", alert.kind), ("account", &alert.account)] {
            if !value.is_empty() {
                attributes.push((name, attribute(value).map_err(|error| failed(&error))?));
            }
        }
        let message = body(alert);
        let sent = runtime.block_on(async {
            tokio::time::timeout(timeout, async {
                let client = match client {
                    Some(client) => &*client,
                    None => client.insert(connect(arn).await),
                };
                let mut publish = client
                    .publish()
                    .topic_arn(arn.as_str())
                    .subject(subject(&alert.subject))
                    .message_structure("json")
                    .message(message);
                for (name, value) in attributes {
                    publish = publish.message_attributes(name, value);
                }
                if arn.ends_with(".fifo") {
                    publish = publish
                        .message_deduplication_id(&alert.dedup)
                        .message_group_id(alert.incident.as_deref().unwrap_or("keytrail"));
                }
                publish.send().await
            })
            .await
        });
        match sent {
            Err(_) => Err(SendError::passing("the topic does not answer in time")),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                let code = error.code().map(str::to_owned);
                let said = error.message().map(str::to_owned);
                let refused = error.raw_response().map(|answer| answer.status().as_u16());
                let said =
                    said.or_else(|| error.source().map(ToString::to_string)).unwrap_or_else(|| error.to_string());
                let message = code.map_or_else(|| said.clone(), |code| format!("{code}: {said}"));
                // Throttling has a status of its own, or none that says so.
                let throttled = message.contains("Throttl") || refused == Some(429);
                let lasting = refused.is_some_and(|status| (400..500).contains(&status)) && !throttled;
                Err(SendError { message, transient: !lasting })
            }
        }
    }
}

/// One text per kind of subscriber.
fn body(alert: &Alert) -> String {
    let whole = |default: &str| json!({ "default": default, "email": alert.text, "sms": alert.subject }).to_string();
    let all = whole(&alert.json);
    if all.len() <= MOST {
        return all;
    }
    // Findings with much evidence: what happened is in the subject, and the ids lead to the rest.
    let short = json!({
        "schema": crate::alert::message::SCHEMA, "kind": alert.kind, "dedup": alert.dedup, "incident": alert.incident,
        "severity": alert.severity.id(), "subject": alert.subject, "truncated": true,
    })
    .to_string();
    let text: String = alert.text.chars().take(MOST / 8).collect();
    json!({ "default": short, "email": text, "sms": alert.subject }).to_string()
}

/// SNS takes fewer than 100 ASCII characters, no line breaks, and no space in front.
fn subject(text: &str) -> String {
    let ascii = text.chars().map(|c| match c {
        '…' => '.',
        c if c.is_ascii() && !c.is_ascii_control() => c,
        _ => '?',
    });
    let short: String = ascii.collect();
    let cut = if short.len() > 99 { format!("{}...", &short[..96]) } else { short };
    cut.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_fit_the_limits_of_sns() {
        assert_eq!(subject("[HIGH] alias/ключ: x…"), "[HIGH] alias/????: x.");
        let long = subject(&"ab".repeat(200));
        assert_eq!((long.len(), &long[95..]), (99, "b..."));
    }

    #[test]
    fn what_is_too_long_for_sns_still_says_what_it_is() {
        let mut alert = Alert::test("topic", 0);
        assert!(body(&alert).contains("keytrail alert --test"));
        alert.json = format!("\"{}\"", "x".repeat(300 << 10));
        alert.text = "ü".repeat(300 << 10);
        let body = body(&alert);
        assert!(body.len() < MOST && body.contains("truncated") && body.contains(&alert.dedup), "{}", body.len());
    }
}

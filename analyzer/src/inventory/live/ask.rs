//! Answers as they come in, on their way to a document.

use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

use super::Captured;
use super::error::reason;
use crate::inventory::call::Call;
use crate::inventory::wire::{Document, Refused, SCHEMA, Said};

/// What was asked, and what came of it.
pub(super) struct Asked {
    now: fn() -> i64,
    answers: Vec<(Option<String>, Call, Said)>,
    refused: Vec<(Option<String>, Call, Refused)>,
}

impl Asked {
    pub(super) fn new(now: fn() -> i64) -> Self {
        Self { now, answers: Vec::new(), refused: Vec::new() }
    }

    /// Keeps an answer; the time is that of its arrival.
    pub(super) fn answer(&mut self, call: Call, key: Option<&str>, answer: Value) {
        let key = key.map(str::to_string);
        let captured_at = text((self.now)());
        let said = Said { call: call.id().into(), key: key.clone(), captured_at, source: None, answer };
        self.answers.push((key, call, said));
    }

    /// Keeps what came instead of one.
    pub(super) fn refuse<E>(&mut self, call: Call, key: Option<&str>, error: &SdkError<E, HttpResponse>)
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let (reason, detail) = reason(error);
        self.say_no(call, key, reason, detail);
    }

    pub(super) fn say_no(&mut self, call: Call, key: Option<&str>, reason: &str, detail: String) {
        let key = key.map(str::to_string);
        let captured_at = text((self.now)());
        let refused = Refused { call: call.id().into(), key: key.clone(), captured_at, reason: reason.into(), detail };
        self.refused.push((key, call, refused));
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.answers.extend(other.answers);
        self.refused.extend(other.refused);
    }

    /// The document: what is about the whole place first, then key by key.
    pub(super) fn finish(mut self, account: &str, region: &str, run: i64) -> Captured {
        self.answers.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        self.refused.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let keys = self.answers.iter().filter(|(_, call, _)| *call == Call::DescribeKey).count() as u64;
        let says_nothing = self.answers.is_empty() && self.refused.is_empty();
        let refused =
            self.refused.iter().map(|(_, call, one)| (one.reason.clone(), call.id(), one.detail.clone())).collect();
        let document = Document {
            schema: SCHEMA.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            run: text(run),
            account: account.into(),
            region: region.into(),
            answers: self.answers.into_iter().map(|(_, _, said)| said).collect(),
            refused: self.refused.into_iter().map(|(_, _, refused)| refused).collect(),
        };
        let name = if region.is_empty() { account.to_string() } else { format!("{account}-{region}") };
        Captured { name, says_nothing, document: document.text(), keys, refused }
    }
}

fn text(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

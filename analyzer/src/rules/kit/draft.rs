//! What a rule hands to the engine: a finding without its ids.

use std::collections::BTreeMap;

use super::context::Context;
use crate::finding::{Confidence, Detail, Evidence, Fact, KeyRef, Principal, Severity, Status};
use crate::view::KeyView;
use crate::view::ledger::ControlEvent;

/// A finding in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What it is about, beyond the key: parts of the id.
    pub subject: Vec<String>,
    /// The causing event's id, else the incident's start: the part of the id that tells one finding from the next.
    pub anchor: String,
    /// Anchor that findings with the same cause share; the finding's own when `None`.
    pub incident: Option<String>,
    /// Severity.
    pub severity: Severity,
    /// Confidence.
    pub confidence: Confidence,
    /// One sentence.
    pub title: String,
    /// Account.
    pub account: String,
    /// Region.
    pub region: String,
    /// Key.
    pub key: Option<KeyRef>,
    /// Who acted.
    pub principal: Option<Principal>,
    /// First event, milliseconds.
    pub first_seen: i64,
    /// Last event.
    pub last_seen: i64,
    /// Events behind it.
    pub count: u64,
    /// Detail for people.
    pub facts: Vec<Fact>,
    /// Detail for machines.
    pub details: BTreeMap<&'static str, Detail>,
    /// Records that back it.
    pub evidence: Vec<Evidence>,
    /// What to do.
    pub remediation: String,
    /// Open or closed.
    pub status: Status,
}

impl Draft {
    /// A draft about one key; the rule fills in the rest.
    pub fn of_key(key: &KeyView, severity: Severity, confidence: Confidence) -> Self {
        Self {
            account: key.account.clone(),
            region: key.region.clone(),
            key: Some(KeyRef { arn: key.arn.clone(), id: key.id.clone(), alias: key.alias().map(str::to_string) }),
            ..Self::of_account("", "", severity, confidence)
        }
    }

    /// A draft about an account and Region.
    pub fn of_account(account: &str, region: &str, severity: Severity, confidence: Confidence) -> Self {
        Self {
            subject: Vec::new(),
            anchor: String::new(),
            incident: None,
            severity,
            confidence,
            title: String::new(),
            account: account.into(),
            region: region.into(),
            key: None,
            principal: None,
            first_seen: 0,
            last_seen: 0,
            count: 0,
            facts: Vec::new(),
            details: BTreeMap::new(),
            evidence: Vec::new(),
            remediation: String::new(),
            status: Status::Open,
        }
    }

    /// Adds a line of detail.
    pub fn fact(&mut self, label: &'static str, value: impl Into<String>) {
        self.facts.push(Fact { label, value: value.into() });
    }

    /// Adds a member for machines.
    pub fn detail(&mut self, name: &'static str, value: Detail) {
        self.details.insert(name, value);
    }
}

/// Text, or null when it is empty.
pub fn text_or_null(text: &str) -> Detail {
    if text.is_empty() { Detail::Null } else { Detail::Text(text.to_string()) }
}

/// A control-plane event for machines: which, when, by whom.
pub fn event_detail(control: &ControlEvent, cx: &Context<'_>) -> Detail {
    Detail::Map(BTreeMap::from([
        ("event_id", Detail::Text(cx.id(&control.event))),
        ("event_name", Detail::Text(cx.text(Some(control.name)).to_string())),
        ("time", Detail::Time(control.event.time)),
        ("principal", text_or_null(cx.text(control.actor.principal))),
        ("session", text_or_null(control.actor.session.as_deref().unwrap_or_default())),
        ("source_ip", text_or_null(control.actor.source_ip.as_deref().unwrap_or_default())),
    ]))
}

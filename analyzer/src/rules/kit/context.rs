//! What a rule may ask for beside its view.

use std::borrow::Cow;

use super::redact;
use crate::config::Settings;
use crate::finding::{Evidence, Principal, Role, plain};
use crate::frame::{Dictionary, Sym};
use crate::inventory::{Call, Inventory, Stamp};
use crate::policy::{Policy, Unreadable};
use crate::source::Names;
use crate::view::Stores;
use crate::view::beside::Reach;
use crate::view::event::{Actor, EventIds, EventRef};
use crate::view::ledger::ControlEvent;

/// The run around a rule: settings, texts, objects, and the instant everything counts from.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// Settings.
    pub settings: &'c Settings,
    /// Texts of the codes.
    pub dictionary: &'c Dictionary,
    /// URIs of the objects, by index.
    pub names: &'c Names,
    /// Texts of event ids that are not GUIDs.
    pub ids: &'c EventIds,
    /// Custom key stores of all accounts.
    pub stores: &'c Stores,
    /// Earliest event that was read, milliseconds.
    pub log_start: i64,
    /// Instant that "overdue", "open" and "unused" count from, milliseconds.
    pub as_of: i64,
    /// Values of encryption contexts shall not be shown.
    pub redact: bool,
    /// What KMS itself said of keys, where somebody gave it. What it says of one key stands in its view, too.
    pub inventory: Option<&'c Inventory>,
}

impl<'c> Context<'c> {
    /// Text of a code; empty when there is none.
    pub fn text(&self, sym: Option<Sym>) -> &'c str {
        sym.map_or("", |sym| self.dictionary.text(sym))
    }

    /// A protected thing, as it may be shown.
    pub fn resource<'t>(&self, name: &'t str) -> Cow<'t, str> {
        if self.redact { redact::resource(name) } else { Cow::Borrowed(name) }
    }

    /// A policy whose texts may be shown.
    pub fn policy(&self, document: &str) -> Result<Policy, Unreadable> {
        let policy = Policy::parse(document)?;
        Ok(if self.redact { policy.without_context_values() } else { policy })
    }

    /// Constraints of a grant, as they may be shown.
    pub fn constraints<'t>(&self, json: &'t str) -> Cow<'t, str> {
        if self.redact { Cow::Owned(redact::constraints(json)) } else { Cow::Borrowed(json) }
    }

    /// Start of the log: the earliest event that was read.
    pub fn log_start(&self) -> i64 {
        self.log_start
    }

    /// The part of the log that was read.
    pub fn reach(&self) -> Reach {
        Reach { from: self.log_start, to: self.as_of }
    }

    /// `eventID` of an event.
    pub fn id(&self, event: &EventRef) -> String {
        self.stores.ids.get(event.id).map_or_else(|| self.ids.text(event.id), str::to_string)
    }

    /// Evidence from an event.
    pub fn evidence(&self, event: &EventRef, name: &str, error: Option<Sym>, role: Role) -> Evidence {
        Evidence {
            event_id: self.id(event),
            time: event.time,
            event_name: name.to_string(),
            error_code: error.map(|sym| self.dictionary.text(sym).to_string()),
            object: self.names.get(event.object).unwrap_or_else(|error| format!("(its name is lost: {error})")),
            record: event.record,
            role,
            // What vouches for an object is known when all of them were read.
            proof: None,
        }
    }

    /// Evidence from a control-plane event.
    pub fn control_evidence(&self, control: &ControlEvent, role: Role) -> Evidence {
        self.evidence(&control.event, self.dictionary.text(control.name), control.error, role)
    }

    /// Evidence from an answer of KMS in the inventory.
    pub fn answer(&self, call: Call, stamp: &Stamp, role: Role) -> Evidence {
        Evidence {
            event_id: format!("{}{}", Evidence::ANSWER, call.id()),
            time: stamp.captured_at,
            event_name: call.id().to_string(),
            error_code: None,
            object: stamp.file.to_string(),
            record: 0,
            role,
            proof: None,
        }
    }

    /// Who made a control-plane call.
    pub fn principal(&self, actor: &Actor) -> Principal {
        Principal {
            arn: self.text(actor.principal).to_string(),
            kind: self.text(actor.kind).to_string(),
            invoked_by: actor.invoked_by.map(|sym| self.dictionary.text(sym).to_string()),
        }
    }

    /// Who, in a few words: `alice (role ops-admin)`, `user eve`, `AWS KMS`.
    pub fn who(&self, actor: &Actor) -> String {
        let name = short_principal(self.text(actor.principal));
        let person = actor.source_identity.as_deref().or(actor.session.as_deref());
        match person {
            Some(person) => format!("{} ({name})", plain(person)),
            None => name,
        }
    }
}

/// A principal in a few words: `role payments-api`, `user eve`, `root of 111122223333`, a service, an account.
pub fn short_principal(arn: &str) -> String {
    let arn = plain(arn);
    let mut fields = arn.splitn(6, ':');
    let (account, resource) = (fields.nth(4), fields.next());
    match (account, resource) {
        (Some(account), Some("root")) => format!("root of {account}"),
        (_, Some(resource)) => match resource.split_once('/') {
            Some((kind, path)) => format!("{kind} {}", path.rsplit('/').next().unwrap_or(path)),
            None => resource.to_string(),
        },
        _ if arn.is_empty() => "somebody the log does not name".to_string(),
        _ => arn.to_string(),
    }
}

/// Service in a few letters: `secretsmanager.amazonaws.com` → `secretsmanager`, `AWS Internal` → `aws-internal`. Services
/// that pass on who called them say so in front: `fas.s3.amazonaws.com` → `s3`.
pub fn short_service(service: &str) -> String {
    let name = service.strip_prefix("fas.").unwrap_or(service);
    let name = name.split('.').next().unwrap_or(name);
    name.to_ascii_lowercase().replace(' ', "-")
}

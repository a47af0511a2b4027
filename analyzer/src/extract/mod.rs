//! One record into one row. Total: every JSON object becomes a row or a named rejection.
//!
//! One walk over the top-level members, then one file per question: who called (`identity`), what KMS was asked
//! ([`kms`], `members`), which key (`keys`, [`arn`]), which data ([`context`], `resource`), why it failed ([`failure`]),
//! and what other services' records say about a key (`binding`). Text is borrowed from the record wherever it stands there.

use std::borrow::Cow;

use crate::decode::{Class, Record, RejectReason};
use crate::frame::Row;
use crate::frame::schema::{Scope, with_columns};

pub mod arn;
mod binding;
pub mod context;
pub mod dates;
pub mod failure;
mod identity;
mod json;
mod keys;
pub mod kms;
mod members;
mod resource;

pub use failure::FailureClass;

use json::Node;
use simd_json::prelude::*;

/// Event times that CloudTrail can have written: from 2000 to 2100. A made-up year would move the end of the log, and with
/// it everything that counts from there.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;

/// Turns a record into a row with every column it has. `object` stays 0: the caller knows it.
///
/// # Errors
/// When the record lacks what every event has: name, source and time.
pub fn row<'r>(record: &Record<'r>) -> Result<Row<'r>, RejectReason> {
    let mut row = Row::default();
    fill(&mut row, record, Scope::Full)?;
    Ok(row)
}

/// As [`row`](fn@row), into an empty row where it stands: a row is large, and this saves moving it. Columns that a
/// [`FrameBuilder`](crate::frame::FrameBuilder) of this scope would not take are not looked for.
///
/// # Errors
/// When the record lacks what every event has: name, source and time.
pub fn fill<'r>(row: &mut Row<'r>, record: &Record<'r>, scope: Scope) -> Result<(), RejectReason> {
    row.record = record.index;
    let parts = Parts::walk(row, record)?;
    row.class = Some(Cow::Borrowed(record.class.id()));
    let who = identity::Identity::of(parts.identity);
    who.fill(row);
    if row.account.is_none() {
        row.account = row.principal_account.clone();
    }
    match record.class {
        Class::Kms => kms::fill(row, &parts),
        Class::Failure => binding::failure(row, &parts),
        Class::Binding => binding::binding(row, &parts),
        Class::IamPolicy => binding::iam_policy(row, &parts),
        Class::TrailControl => binding::trail_control(row, &parts),
    }
    let plain = record.class == Class::Kms && matches!(row.operation.as_deref(), Some("crypto" | "read"));
    row.wide = !plain || has_wide(row);
    if row.wide || (row.key_arn.is_none() && row.alias.is_none()) {
        // On a plain call the key columns say it better; there it would only drag every row into the wide frame.
        row.requested_key = parts.requested_key(record.class, row.event_name.as_deref());
        row.wide |= row.requested_key.is_some();
    }
    if row.wide || scope > Scope::Fold {
        who.fill_rest(row);
        parts.fill_rest(row);
    }
    Ok(())
}

/// The structured members of a record, found by one walk, and the texts that are needed as long as the record lives.
struct Parts<'r> {
    identity: Option<Node<'r>>,
    request: Option<Node<'r>>,
    response: Option<Node<'r>>,
    additional: Option<Node<'r>>,
    service: Option<Node<'r>>,
    resources: Option<Node<'r>>,
    message: Option<&'r str>,
    tls: Option<Node<'r>>,
    /// Members whose content CloudTrail left out because it was too large.
    omitted: Vec<&'static str>,
}

impl<'r> Parts<'r> {
    /// One forward walk: plain members go to the row, structured ones are kept. A later duplicate overwrites.
    fn walk(row: &mut Row<'r>, record: &Record<'r>) -> Result<Self, RejectReason> {
        let top = record.value.as_object().ok_or(RejectReason::NotAnObject)?;
        let mut parts = Self {
            identity: None,
            request: None,
            response: None,
            additional: None,
            service: None,
            resources: None,
            message: None,
            tls: None,
            omitted: Vec::new(),
        };
        let (mut time, mut addendum) = (None, None);
        for (name, value) in top.iter() {
            match name {
                "eventVersion" => row.event_version = json::text(&value),
                "userIdentity" => parts.identity = Some(value),
                "eventTime" => time = Some(value),
                "eventSource" => row.event_source = json::text(&value),
                "eventName" => row.event_name = json::text(&value),
                "awsRegion" => row.region = json::text(&value),
                "sourceIPAddress" => row.source_ip = json::text(&value),
                "userAgent" => row.user_agent = json::text(&value),
                "errorCode" => row.error_code = json::text(&value),
                "errorMessage" => parts.message = json::str_of(&value),
                "requestParameters" => parts.request = Some(value),
                "responseElements" => parts.response = Some(value),
                "additionalEventData" => parts.additional = Some(value),
                "serviceEventDetails" => parts.service = Some(value),
                "resources" => parts.resources = Some(value),
                "requestID" => row.request_id = json::text(&value),
                "eventID" => row.event_id = json::text(&value),
                "readOnly" => row.read_only = json::boolean(&value),
                "eventType" => row.event_type = json::text(&value),
                "managementEvent" => row.management_event = json::boolean(&value),
                "recipientAccountId" => row.account = json::text(&value),
                "sharedEventID" => row.shared_event_id = json::text(&value),
                "vpcEndpointId" => row.vpc_endpoint = json::text(&value),
                "eventCategory" => row.event_category = json::text(&value),
                "addendum" => addendum = Some(value),
                "tlsDetails" => parts.tls = Some(value),
                _ => {}
            }
        }
        row.error_message = parts.message.map(Cow::Borrowed);
        if row.event_source.is_none() {
            return Err(RejectReason::MissingEventSource);
        }
        if row.event_name.is_none() {
            return Err(RejectReason::MissingEventName);
        }
        let time = time.filter(|time| !time.is_null()).ok_or(RejectReason::MissingEventTime)?;
        let time = time.as_str().ok_or(RejectReason::BadEventTime)?;
        let millis = dates::event_time(time).filter(|millis| PLAUSIBLE.contains(millis));
        row.event_time = Some(millis.ok_or(RejectReason::BadEventTime)?);
        if row.event_id.is_none() {
            row.event_id = Some(Cow::Owned(substitute_id(row, record.raw, time)));
        }
        if let Some(addendum) = addendum {
            row.addendum_reason = json::get_str(&addendum, &["reason"]).map(Cow::Borrowed);
            // A late event names itself here as well; only a correction replaces another one.
            if matches!(row.addendum_reason.as_deref(), None | Some("UPDATED_DATA")) {
                row.corrects = json::get_str(&addendum, &["originalEventID"]).map(Cow::Borrowed);
            }
        }
        parts.drop_omitted();
        Ok(parts)
    }

    /// Columns that only rows of the wide frame, or rows that are written out, carry.
    fn fill_rest(&self, row: &mut Row<'r>) {
        row.cross_account = match (row.key_account.as_deref(), row.principal_account.as_deref()) {
            (Some(""), _) => None,
            (Some(key), Some(caller)) => Some(key != caller),
            _ => None,
        };
        if let Some(tls) = self.tls {
            row.tls_version = json::get_str(&tls, &["tlsVersion"]).map(Cow::Borrowed);
            row.tls_key_exchange = json::get_str(&tls, &["keyExchange"]).map(Cow::Borrowed);
            row.tls_host = json::get_str(&tls, &["clientProvidedHostHeader"]).map(Cow::Borrowed);
        }
    }

    /// Left-out content is not empty content: it must not be read, and it must not be mistaken for "nothing was sent".
    fn drop_omitted(&mut self) {
        let members = [
            ("requestParameters", &mut self.request),
            ("responseElements", &mut self.response),
            ("additionalEventData", &mut self.additional),
            ("serviceEventDetails", &mut self.service),
        ];
        for (name, member) in members {
            if member.as_ref().is_some_and(json::is_omitted) {
                *member = None;
                self.omitted.push(name);
            }
        }
    }

    fn requested_key(&self, class: Class, event: Option<&str>) -> crate::frame::Text<'r> {
        let request = self.request?;
        if class != Class::Kms {
            return binding::key_reference(&request).map(Cow::Borrowed);
        }
        let names: &[&str] = if event == Some("ReEncrypt") {
            &["destinationKeyId"]
        } else {
            &["keyId", "targetKeyId", "destinationKeyId"]
        };
        names.iter().find_map(|name| json::get_str(&request, &[name])).map(Cow::Borrowed)
    }
}

/// Records without `eventID` (before version 1.01) still need an identity that survives a second delivery.
fn substitute_id(row: &Row<'_>, raw: &[u8], time: &str) -> String {
    match row.request_id.as_deref() {
        Some(request) => format!("request:{request}:{}:{time}", row.event_name.as_deref().unwrap_or_default()),
        None => format!("content:{}", &blake3::hash(raw).to_hex()[..32]),
    }
}

macro_rules! wide {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        /// True when a column that only wide rows carry has a value.
        fn has_wide(row: &Row<'_>) -> bool {
            false $(|| (is_wide(Scope::$scope) && Presence::is_set(&row.$name)))*
        }
    };
}
with_columns!(wide);

const fn is_wide(scope: Scope) -> bool {
    matches!(scope, Scope::Wide)
}

/// Lets one macro ask every field, the two plain numbers included.
trait Presence {
    fn is_set(&self) -> bool;
}

impl<T> Presence for Option<T> {
    fn is_set(&self) -> bool {
        self.is_some()
    }
}

impl Presence for u32 {
    fn is_set(&self) -> bool {
        false
    }
}

//! Who called: `userIdentity` into the columns of the caller.

use std::borrow::Cow;

use super::arn;
use super::json::{self, Node};
use crate::frame::{Row, Text};

/// Principal of the events that KMS logs about its own work.
const KMS: &str = "AWS KMS";

/// The members of `userIdentity` that name someone. Each may be missing, null or empty, whatever the type says.
#[derive(Default)]
pub(super) struct Identity<'r> {
    kind: Option<&'r str>,
    arn: Option<&'r str>,
    principal_id: Option<&'r str>,
    account: Option<&'r str>,
    user_name: Option<&'r str>,
    access_key_id: Option<&'r str>,
    invoked_by: Option<&'r str>,
    issuer_arn: Option<&'r str>,
    issuer_account: Option<&'r str>,
    source_identity: Option<&'r str>,
    on_behalf_of: Option<&'r str>,
    mfa: Option<bool>,
}

impl<'r> Identity<'r> {
    /// Reads the member `userIdentity`.
    pub(super) fn of(identity: Option<Node<'r>>) -> Self {
        identity.map(|identity| Self::read(&identity)).unwrap_or_default()
    }

    /// Fills the caller's columns. Expects `event_type` and `event_source` in the row.
    pub(super) fn fill(&self, row: &mut Row<'r>) {
        let service_event = row.event_type.as_deref() == Some("AwsServiceEvent");
        let of_kms = row.event_source.as_deref() == Some("kms.amazonaws.com");
        let internal = of_kms && self.kind.is_none() && self.invoked_by.is_none_or(|by| by.starts_with("AWS Internal"));
        let kms_itself = internal && (service_event || self.invoked_by.is_some());

        row.call = Some(Cow::Borrowed(match self.kind {
            _ if kms_itself || (of_kms && service_event) => "kms-internal",
            Some("AWSService") => "service-self",
            None if service_event || self.invoked_by.is_some() => "service-self",
            _ if self.invoked_by.is_some() => "via-service",
            _ => "direct",
        }));
        row.principal_type = if kms_itself { borrowed("KMS") } else { self.kind.map(Cow::Borrowed) };
        row.principal = if kms_itself { borrowed(KMS) } else { self.principal() };
        row.principal_account = self.account().map(Cow::Borrowed);
        row.invoked_by = self.invoked_by.map(Cow::Borrowed);
    }

    /// Fills the columns that only rows of the wide frame, or rows that are written out, carry. Expects `source_ip`.
    pub(super) fn fill_rest(&self, row: &mut Row<'r>) {
        row.session_name = self.session_name().map(Cow::Borrowed);
        row.principal_arn = self.arn.map(Cow::Borrowed);
        row.source_identity = self.source_identity.map(Cow::Borrowed);
        row.access_key_id = self.access_key_id.map(Cow::Borrowed);
        row.mfa = self.mfa;
        row.source_kind = row.source_ip.as_deref().and_then(source_kind).map(Cow::Borrowed);
    }

    fn read(identity: &Node<'r>) -> Self {
        let mut who = Self::default();
        let Some(members) = identity.as_object() else { return who };
        for (name, value) in members.iter() {
            match name {
                "type" => who.kind = json::str_of(&value),
                "arn" => who.arn = json::str_of(&value),
                "principalId" => who.principal_id = json::str_of(&value),
                "accountId" => who.account = json::str_of(&value),
                "userName" => who.user_name = json::str_of(&value),
                "accessKeyId" => who.access_key_id = json::str_of(&value),
                "invokedBy" => who.invoked_by = json::str_of(&value),
                "onBehalfOf" => who.on_behalf_of = json::get_str(&value, &["userId"]),
                "sessionContext" => who.session(&value),
                _ => {}
            }
        }
        who
    }

    fn session(&mut self, context: &Node<'r>) {
        let Some(members) = context.as_object() else { return };
        for (name, value) in members.iter() {
            match name {
                "sessionIssuer" => self.issuer(&value),
                "attributes" => self.mfa = json::get(&value, "mfaAuthenticated").and_then(|mfa| json::boolean(&mfa)),
                "sourceIdentity" => self.source_identity = json::str_of(&value),
                _ => {}
            }
        }
    }

    fn issuer(&mut self, issuer: &Node<'r>) {
        (self.issuer_arn, self.issuer_account) = (None, None);
        let Some(members) = issuer.as_object() else { return };
        for (name, value) in members.iter() {
            match name {
                "arn" => self.issuer_arn = json::str_of(&value),
                "accountId" => self.issuer_account = json::str_of(&value),
                _ => {}
            }
        }
    }

    /// Identity to count by. Sessions come and go; the role behind them stays.
    fn principal(&self) -> Text<'r> {
        let borrowed = |text: Option<&'r str>| text.map(Cow::Borrowed);
        match self.kind {
            Some("AssumedRole") => borrowed(self.issuer_arn)
                .or_else(|| self.arn.and_then(arn::role_of_session).map(Cow::Owned))
                .or_else(|| self.fallback()),
            Some("FederatedUser") => borrowed(self.issuer_arn).or_else(|| self.fallback()),
            Some("AWSService") => borrowed(self.invoked_by).or_else(|| self.fallback()),
            Some("Root") => borrowed(self.arn)
                .or_else(|| self.account.map(|account| Cow::Owned(format!("arn:aws:iam::{account}:root"))))
                .or_else(|| self.fallback()),
            Some("IdentityCenterUser") => borrowed(self.arn)
                .or_else(|| self.on_behalf_of.map(|user| Cow::Owned(format!("identity-center:{user}"))))
                .or_else(|| self.fallback()),
            None if self.arn.is_none() => borrowed(self.invoked_by).or_else(|| self.fallback()),
            _ => self.fallback(),
        }
    }

    /// The ARN, where it is a session's the role; without one the account, with the stable half of the unique id.
    fn fallback(&self) -> Text<'r> {
        if let Some(text) = self.arn {
            return Some(arn::role_of_session(text).map_or(Cow::Borrowed(text), Cow::Owned));
        }
        let unique = self.principal_id.map(|id| id.split_once(':').map_or(id, |(unique, _)| unique));
        let text = match (self.account(), unique.filter(|id| !id.is_empty())) {
            (Some(account), Some(unique)) if unique != account => Some(format!("account:{account}/{unique}")),
            (Some(account), _) => Some(format!("account:{account}")),
            (None, Some(unique)) => Some(format!("principal:{unique}")),
            (None, None) => None,
        };
        text.map(Cow::Owned).or_else(|| self.user_name.or(self.invoked_by).map(Cow::Borrowed))
    }

    fn account(&self) -> Option<&'r str> {
        let stated = self.account.filter(|account| !account.starts_with("AWS Internal"));
        let named = || arn::Arn::parse(self.arn?).map(|arn| arn.account).filter(|account| !account.is_empty());
        stated.or_else(named).or(self.issuer_account)
    }

    fn session_name(&self) -> Option<&'r str> {
        match self.arn {
            Some(text) => arn::session_name(text),
            // Without an ARN the unique id of a session still carries its name.
            None => self.principal_id?.split_once(':').map(|(_, name)| name).filter(|name| !name.is_empty()),
        }
    }
}

/// Tells addresses from service names; published logs hold addresses that no parser takes (`205.205.123.000`).
fn source_kind(text: &str) -> Option<&'static str> {
    let dotted = text.bytes().any(|byte| matches!(byte, b'.' | b':'));
    if text.starts_with("AWS Internal") {
        Some("aws-internal")
    } else if arn::is_service(text) {
        Some("service")
    } else if dotted && text.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':')) {
        Some("ip")
    } else {
        None
    }
}

fn borrowed(text: &'static str) -> Text<'static> {
    Some(Cow::Borrowed(text))
}

//! Which key a KMS event is about. The places that name it are asked in the order of their reliability.

use std::borrow::Cow;

use super::FailureClass;
use super::Parts;
use super::arn::{self, Arn};
use super::json::{self, Node};
use crate::frame::Row;

/// Keys and aliases as the record spells them: ARN, bare id, alias name or garbage.
#[derive(Default)]
pub(super) struct Typed<'r> {
    /// `requestParameters.keyId`.
    pub(super) key: Option<&'r str>,
    /// `requestParameters.targetKeyId`.
    pub(super) target: Option<&'r str>,
    /// `requestParameters.sourceKeyId`.
    pub(super) source: Option<&'r str>,
    /// `requestParameters.destinationKeyId`.
    pub(super) destination: Option<&'r str>,
    /// `requestParameters.aliasName`.
    pub(super) alias: Option<&'r str>,
    /// `responseElements.keyMetadata.arn` or `.keyId`, `responseElements.keyId`.
    pub(super) response: Option<&'r str>,
    /// `serviceEventDetails.keyId`.
    pub(super) service: Option<&'r str>,
    /// `responseElements.keyMetadata.aWSAccountId`.
    pub(super) owner: Option<&'r str>,
    /// `requestParameters.encryptionContext`.
    pub(super) context: Option<Node<'r>>,
    /// Some part of the record has members of an external key store.
    pub(super) xks: bool,
}

impl<'r> Typed<'r> {
    /// The key that the request is about.
    fn main(&self) -> Option<&'r str> {
        self.key.or(self.target).or(self.source)
    }
}

/// Fills the key and alias columns of a KMS event.
pub(super) fn fill<'r>(row: &mut Row<'r>, typed: &Typed<'r>, parts: &Parts<'r>) {
    let re_encrypt = row.event_name.as_deref() == Some("ReEncrypt");
    let listed = Listed::read(parts.resources, typed);
    row.alias = listed.alias.map(|arn| Cow::Borrowed(arn.text));
    let in_message = || parts.message.filter(|_| row.error_code.is_some()).and_then(arn::in_text);
    let stated = blamed(row, parts, &listed, typed)
        .filter(|(arn, _)| listed.main(re_encrypt).is_none_or(|main| main.text != arn.text))
        .or_else(|| Some((listed.main(re_encrypt)?, "resources")))
        .or_else(|| Some((arn::key(typed.response?)?, "response")))
        .or_else(|| Some((arn::key(typed.service?)?, "service-details")))
        .or_else(|| Some((arn::key(typed.main()?)?, "request")))
        .or_else(|| Some((in_message().filter(|arn| arn.key_id().is_some())?, "message")));
    match stated {
        Some((arn, place)) => set(row, &arn, place),
        None => {
            let bare =
                [typed.response, typed.service, typed.main()].into_iter().flatten().find(|id| arn::is_key_id(id));
            if let Some(id) = bare {
                build(row, id, typed.owner);
            }
        }
    }
    if re_encrypt {
        row.destination_key_arn = destination(row, typed, &listed);
    }
    if row.alias.is_none() {
        row.alias = alias(row, typed);
    }
    if row.alias.is_none() && row.key_arn.is_none() {
        row.alias = parts.message.and_then(arn::in_text).map(|arn| Cow::Borrowed(arn.text));
    }
}

/// Of the keys that a call names, the one whose state its error text blames: ReEncrypt may fail on either.
fn blamed<'r>(
    row: &Row<'r>,
    parts: &Parts<'r>,
    listed: &Listed<'r>,
    typed: &Typed<'r>,
) -> Option<(Arn<'r>, &'static str)> {
    let failure = row.failure.as_deref().and_then(FailureClass::from_id)?;
    let arn = parts.message.filter(|_| failure.is_key_state()).and_then(arn::in_text)?;
    let id = arn.key_id()?;
    let listed = [listed.first, listed.second].into_iter().flatten().any(|own| own.text == arn.text);
    let typed = [typed.key, typed.source, typed.destination];
    let typed = typed.into_iter().flatten().any(|own| own == arn.text || own == id);
    (listed || typed).then_some((arn, "message"))
}

/// Writes a key ARN that stands in the record.
pub(super) fn set<'r>(row: &mut Row<'r>, arn: &Arn<'r>, place: &'static str) {
    let Some(id) = arn.key_id() else { return };
    row.key_arn = Some(Cow::Borrowed(arn.text));
    row.key_id = Some(Cow::Borrowed(id));
    row.key_account = Some(arn.account).filter(|account| !account.is_empty()).map(Cow::Borrowed);
    row.key_region = Some(arn.region).filter(|region| !region.is_empty()).map(Cow::Borrowed);
    row.key_ref = Some(Cow::Borrowed(place));
}

/// Writes the ARN that a bare key id stands for: it can only be a key of the caller's account, in the Region of the endpoint.
pub(super) fn build<'r>(row: &mut Row<'r>, id: &'r str, owner: Option<&'r str>) {
    row.key_id = Some(Cow::Borrowed(id));
    let account = owner.map(Cow::Borrowed).or_else(|| row.account.clone());
    let (Some(region), Some(account)) = (row.region.clone(), account) else { return };
    row.key_arn = Some(Cow::Owned(arn::build_key(&region, &account, id)));
    row.key_account = Some(account);
    row.key_region = Some(region);
    row.key_ref = Some(Cow::Borrowed("built"));
}

/// Keys and the alias in `resources[]`. At most two keys are told apart: no operation has more.
#[derive(Default)]
struct Listed<'r> {
    first: Option<Arn<'r>>,
    second: Option<Arn<'r>>,
    /// The one that the request names.
    named: Option<Arn<'r>>,
    /// The one that the request names as destination.
    destination: Option<Arn<'r>>,
    alias: Option<Arn<'r>>,
}

impl<'r> Listed<'r> {
    fn read(resources: Option<Node<'r>>, typed: &Typed<'r>) -> Self {
        let mut listed = Self::default();
        let Some(resources) = resources else { return listed };
        for item in json::items(&resources) {
            let Some(arn) = json::arn_of(&item).and_then(Arn::parse) else { continue };
            if arn.key_id().is_some() {
                listed.add(arn, typed);
            } else if arn.alias().is_some() && listed.alias.is_none() {
                listed.alias = Some(arn);
            }
        }
        listed
    }

    fn add(&mut self, arn: Arn<'r>, typed: &Typed<'r>) {
        let is = |typed: Option<&str>| typed.is_some_and(|typed| typed == arn.text || Some(typed) == arn.key_id());
        if is(typed.main()) && self.named.is_none() {
            self.named = Some(arn);
        }
        if is(typed.destination) {
            self.destination = Some(arn);
        }
        if self.first.is_none() {
            self.first = Some(arn);
        } else if self.second.is_none() {
            self.second = Some(arn);
        }
    }

    fn main(&self, re_encrypt: bool) -> Option<Arn<'r>> {
        // Documented order is source, destination; a destination that the request names may stand first all the same.
        let first_is_destination = re_encrypt && self.destination.is_some() && self.first == self.destination;
        self.named.or(if first_is_destination { self.second } else { None }).or(self.first)
    }
}

fn destination<'r>(row: &Row<'r>, typed: &Typed<'r>, listed: &Listed<'r>) -> Option<Cow<'r, str>> {
    if let Some(arn) = listed.destination {
        return Some(Cow::Borrowed(arn.text));
    }
    let text = typed.destination?;
    if arn::key(text).is_some() {
        return Some(Cow::Borrowed(text));
    }
    if let Some(arn) = listed.second {
        return Some(Cow::Borrowed(arn.text));
    }
    let (region, account) = (row.region.as_deref()?, row.account.as_deref()?);
    arn::is_key_id(text).then(|| Cow::Owned(arn::build_key(region, account, text)))
}

/// Alias that the request names, as an ARN: an alias belongs to the caller's account and the Region of the endpoint.
fn alias<'r>(row: &Row<'r>, typed: &Typed<'r>) -> Option<Cow<'r, str>> {
    let text = typed.alias.or(typed.main())?;
    let (region, account) = (row.region.as_deref().unwrap_or_default(), row.account.as_deref().unwrap_or_default());
    arn::build_alias(region, account, text)
}

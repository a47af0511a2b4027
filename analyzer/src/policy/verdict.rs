//! The table: who may do what, and how bad that is.

use super::actions::{ActionSet, Class};
use super::exposure::Kind;
use super::judge::Context;
use super::pins::Limit;
use super::reach::{OWNERS_ORGANIZATION, Reach};
use crate::finding::Severity;

/// Where callers stand, seen from the owner of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place<'a> {
    Own,
    OwnOrganization,
    /// Tied to a network or an id: the author knew whom.
    Tied,
    Trusted(&'a str),
    /// Another account of the own organization, by the settings.
    Member(&'a str),
    Foreign(&'a str),
    ForeignOrganization(&'a str),
    UnplacedOrganization(&'a str),
    AnyService,
    Anyone,
}

impl<'a> Place<'a> {
    pub(super) fn of(reach: Reach<'a>, context: &Context<'_>) -> Self {
        let organization = reach.organization;
        let own = |id: &str| id == OWNERS_ORGANIZATION || context.organization == Some(id);
        match reach.account {
            Some(account) if account == context.account => return Self::Own,
            Some(account) if (context.trusted)(account) => return Self::Trusted(account),
            Some(_) if organization.is_some_and(own) => return Self::OwnOrganization,
            Some(account) if (context.member)(account) => return Self::Member(account),
            Some(account) => return Self::Foreign(account),
            None => {}
        }
        match organization {
            Some(id) if own(id) => Self::OwnOrganization,
            Some(id) if context.organization.is_some() => Self::ForeignOrganization(id),
            Some(id) => Self::UnplacedOrganization(id),
            None if reach.tied => Self::Tied,
            None if reach.service == Some(true) => Self::AnyService,
            None => Self::Anyone,
        }
    }
}

/// The most that a set of actions is good for, worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Nothing that matters.
    Nothing,
    /// The public half of a key pair.
    PublicKey,
    /// Learn about the key.
    Metadata,
    /// Administer, where KMS gives that no effect or where it does little harm.
    Minor,
    /// Encrypt, verify.
    Encrypt,
    /// Open ciphertexts, sign.
    Secrets,
    /// Hand the key over, take it away, destroy it.
    Control,
}

impl Level {
    /// For callers inside the account of the key.
    pub(super) fn inside(actions: ActionSet, limits: &[Limit]) -> Self {
        let grants = actions.contains("CreateGrant") && !limited_grants(limits);
        if grants || actions.meets(ActionSet::control()) { Self::Control } else { Self::outside(actions, limits) }
    }

    /// For callers of other accounts, to whom a key policy cannot give administration.
    pub(super) fn outside(actions: ActionSet, limits: &[Limit]) -> Self {
        let across = actions.within(ActionSet::across_accounts());
        let grants = across.contains("CreateGrant");
        if grants && !limited_grants(limits) {
            Self::Control
        } else if grants || across.meets(ActionSet::secrets()) {
            Self::Secrets
        } else if across.meets(ActionSet::class(Class::Use).without(ActionSet::named(&["Verify", "VerifyMac"]))) {
            Self::Encrypt
        } else if actions.meets(ActionSet::class(Class::Administer).and_also(ActionSet::class(Class::Grant))) {
            Self::Minor
        } else if across.meets(ActionSet::class(Class::Metadata).without(ActionSet::named(&["GetPublicKey"]))) {
            Self::Metadata
        } else if across.is_empty() {
            Self::Nothing
        } else {
            Self::PublicKey
        }
    }
}

/// True if the grants that may be created are tied down.
fn limited_grants(limits: &[Limit]) -> bool {
    limits.iter().any(|limit| matches!(limit, Limit::Grant | Limit::GrantOnly | Limit::Path))
}

/// How a statement names its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// By a star.
    Everyone,
    /// As an AWS service.
    Service,
    /// One by one.
    Each,
}

/// What it is and how bad. None if it is as it should be.
pub(super) fn verdict(
    place: Place<'_>,
    named: Named,
    actions: ActionSet,
    limits: &[Limit],
) -> Option<(Kind, Severity)> {
    use Severity::{Critical, High, Info, Low, Medium};
    let level = Level::outside(actions, limits);
    let narrowed = limits.iter().any(|limit| matches!(limit, Limit::Path | Limit::Request));
    let (kind, severity) = match (place, level) {
        // Services create grants for what they keep for us; none of them needs to administer the key.
        (Place::Own | Place::OwnOrganization | Place::Member(_) | Place::Tied | Place::Trusted(_), _)
            if named == Named::Service =>
        {
            return actions.meets(ActionSet::control()).then_some((Kind::BroadControl, Low));
        }
        (Place::Own | Place::OwnOrganization | Place::Tied, _) => {
            // Principals that are named are meant; with a star, whoever else is in there gets it along with them.
            let level = if place == Place::Own { Level::inside(actions, limits) } else { level };
            let broad = named == Named::Everyone && level == Level::Control && !narrowed;
            return broad.then_some((Kind::BroadControl, Medium));
        }
        (Place::Trusted(_), Level::Control) => (Kind::TrustedAccountControl, Low),
        (Place::Trusted(_), _) => return None,
        // What goes there stays inside: worth a line, and no alarm.
        (Place::Member(_), Level::Control | Level::Secrets | Level::Encrypt) => (Kind::MemberAccount, Info),
        (Place::Member(_), _) => return None,
        (Place::Foreign(_), Level::Control) => (Kind::ForeignAccount, High),
        (Place::Foreign(_), Level::Secrets) => (Kind::ForeignAccount, Medium),
        // No effect across accounts today, but somebody wanted that.
        (Place::Foreign(_), Level::Minor) if actions.meets(ActionSet::control()) => (Kind::ForeignAccount, Medium),
        (Place::Foreign(_), Level::Encrypt | Level::Minor | Level::Metadata) => (Kind::ForeignAccount, Low),
        (Place::Foreign(_), Level::PublicKey) => (Kind::ForeignAccount, Info),
        (Place::ForeignOrganization(_), Level::Control | Level::Secrets) => (Kind::ForeignOrganization, High),
        (Place::ForeignOrganization(_), Level::Encrypt) => (Kind::ForeignOrganization, Medium),
        (Place::ForeignOrganization(_), Level::Minor | Level::Metadata | Level::PublicKey) => {
            (Kind::ForeignOrganization, Low)
        }
        (Place::UnplacedOrganization(_), Level::Control) => (Kind::UnplacedOrganization, Medium),
        (Place::UnplacedOrganization(_), Level::Secrets | Level::Encrypt | Level::Minor) => {
            (Kind::UnplacedOrganization, Info)
        }
        (Place::AnyService, Level::Control | Level::Secrets) => (Kind::ConfusedDeputy, Medium),
        (Place::AnyService, Level::Encrypt | Level::Minor) => (Kind::ConfusedDeputy, Low),
        (Place::Anyone, Level::Control | Level::Secrets) => (Kind::PublicAccess, Critical),
        (Place::Anyone, Level::Encrypt | Level::Minor) => (Kind::PublicAccess, High),
        (Place::Anyone, Level::Metadata) => (Kind::PublicAccess, Medium),
        (Place::Anyone, Level::PublicKey) => (Kind::PublicAccess, Low),
        (Place::UnplacedOrganization(_) | Place::AnyService, Level::Metadata | Level::PublicKey)
        | (_, Level::Nothing) => return None,
    };
    Some((kind, if narrowed && level != Level::Minor { lower(severity) } else { severity }))
}

/// One step down.
const fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Info | Severity::Low => Severity::Info,
        Severity::Medium => Severity::Low,
        Severity::High => Severity::Medium,
        Severity::Critical => Severity::High,
    }
}

//! How far a statement reaches: all callers, or those of an account, an organization, a network.

use super::pattern::matches;
use super::principal::Principal;

/// The organization of the key's owner, whichever it is: `${aws:ResourceOrgID}`.
pub(super) const OWNERS_ORGANIZATION: &str = "${aws:ResourceOrgID}";

/// Callers that have all of this in common; nothing set means every caller there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reach<'a> {
    /// Account of the caller; for a service, account of the resource that it works for.
    pub account: Option<&'a str>,
    /// Organization of that account.
    pub organization: Option<&'a str>,
    /// ARN of the principal, as a pattern if a condition names it.
    pub arn: Option<Name<'a>>,
    /// True if something else ties the caller down, of which the account is not known: a VPC endpoint, a unique id.
    pub tied: bool,
    /// Whether AWS services call. None: both they and others.
    pub service: Option<bool>,
}

/// A principal's ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name<'a> {
    /// This one.
    Is(&'a str),
    /// All that match.
    Like(&'a str),
}

impl<'a> Reach<'a> {
    pub(super) const EVERYONE: Self = Self { account: None, organization: None, arn: None, tied: false, service: None };

    pub(super) const SERVICES: Self = Self { service: Some(true), ..Self::EVERYONE };

    pub(super) const fn account(account: &'a str) -> Self {
        Self { account: Some(account), ..Self::EVERYONE }
    }

    pub(super) const fn organization(organization: &'a str) -> Self {
        Self { organization: Some(organization), ..Self::EVERYONE }
    }

    pub(super) const fn tied() -> Self {
        Self { tied: true, ..Self::EVERYONE }
    }

    /// The callers that a principal of a policy stands for. None where it stands for nobody that can be placed.
    pub(super) fn of(principal: &'a Principal) -> Option<Self> {
        match principal {
            Principal::Anyone => Some(Self::EVERYONE),
            Principal::Account { account, .. } => Some(Self { service: Some(false), ..Self::account(account) }),
            Principal::Named { account, arn } => {
                // Conditions see the role of a session, not the session: its ARN cannot be compared.
                let name = (!arn.contains(":sts:")).then_some(Name::Is(arn));
                Some(Self { service: Some(false), arn: name, ..Self::account(account) })
            }
            Principal::Service(_) => Some(Self::SERVICES),
            Principal::Federated(_) | Principal::CanonicalUser(_) | Principal::DeletedId(_) | Principal::Other(_) => {
                None
            }
        }
    }

    /// The callers in both. None if there is none.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        let arn = match (self.arn, other.arn) {
            (Some(Name::Is(one)), Some(Name::Is(two))) if one != two => return None,
            (Some(Name::Is(arn)), Some(Name::Like(pattern))) | (Some(Name::Like(pattern)), Some(Name::Is(arn)))
                if !matches(pattern, arn) =>
            {
                return None;
            }
            (Some(is @ Name::Is(_)), _) | (_, Some(is @ Name::Is(_))) => Some(is),
            (one, two) => one.or(two),
        };
        Some(Self {
            account: both(self.account, other.account)?,
            organization: both(self.organization, other.organization)?,
            arn,
            tied: self.tied || other.tied,
            service: both(self.service, other.service)?,
        })
    }
}

/// What two parts agree on. None if they do not.
fn both<T: PartialEq>(one: Option<T>, two: Option<T>) -> Option<Option<T>> {
    match (one, two) {
        (Some(one), Some(two)) if one != two => None,
        (one, two) => Some(one.or(two)),
    }
}

/// Every pair of two lists that has a caller in common.
pub(super) fn cross<'a>(one: &[Reach<'a>], two: &[Reach<'a>]) -> Vec<Reach<'a>> {
    let mut found = Vec::new();
    for reach in one.iter().flat_map(|a| two.iter().filter_map(|b| a.and(*b))) {
        // Lists are short; what matters is that the same account does not come out once per ARN that names it.
        if found.len() > 64 || !found.contains(&reach) {
            found.push(reach);
        }
    }
    found
}

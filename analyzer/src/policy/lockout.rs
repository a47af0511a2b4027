//! Whether the owner can still change the key policy. Where nobody can, only AWS Support brings the key back.

use super::actions::ActionSet;
use super::deny::{Part, apply};
use super::document::Policy;
use super::pins::Limit;
use super::principal::Principal;
use super::reach::Reach;
use super::rights::Rights;
use crate::finding::Severity;

/// A way in which a policy shuts its owner out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// What it is.
    pub kind: LockoutKind,
    /// How bad it is.
    pub severity: Severity,
    /// Index of the deny that shuts out, from 0; None where an allow is missing.
    pub statement: Option<usize>,
    /// One sentence without a full stop, for people.
    pub reason: String,
}

/// Kind of a lockout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockoutKind {
    /// Nobody of the owner's account may change the policy.
    NobodyAdministers,
    /// Somebody might, but a deny takes it from everybody.
    AdministrationDenied,
    /// A deny takes decryption from everybody who had it.
    DecryptionDenied,
    /// The policy does not let IAM decide: it hangs on the principals that it names, and those can be deleted.
    NoDelegation,
}

impl LockoutKind {
    /// Stable name.
    pub const fn id(self) -> &'static str {
        match self {
            Self::NobodyAdministers => "nobody-administers",
            Self::AdministrationDenied => "administration-denied",
            Self::DecryptionDenied => "decryption-denied",
            Self::NoDelegation => "no-delegation",
        }
    }
}

/// Who of the owner's account has a right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Holders {
    /// The account as a whole, so IAM decides.
    account: bool,
    /// A user or role by its name.
    named: bool,
}

impl Holders {
    const fn any(self) -> bool {
        self.account || self.named
    }
}

/// Ways in which a key policy shuts the account out that owns the key, worst first. `bypass` is
/// `BypassPolicyLockoutSafetyCheck` of the call that set the policy: with it, KMS did not try whether the caller could
/// change the policy again.
pub fn lockout(policy: &Policy, account: &str, bypass: Option<bool>) -> Vec<Lockout> {
    let rights = Rights::of(policy, account);
    let bypassed = bypass == Some(true);
    let note = if bypassed { "; the safety check against that was switched off" } else { "" };
    let mut found = Vec::new();
    let mut add = |kind, severity, statement, reason: &str| {
        found.push(Lockout { kind, severity, statement, reason: format!("{reason}{note}") });
    };
    let (before, after) = holders(&rights, "PutKeyPolicy");
    if !after.any() {
        if before.any() {
            let reason = "a deny keeps everybody in the account from changing the key policy";
            add(LockoutKind::AdministrationDenied, Severity::Critical, deny_of(&rights, "PutKeyPolicy"), reason);
        } else {
            let reason = "the policy lets nobody in the account change the key policy";
            add(LockoutKind::NobodyAdministers, Severity::Critical, None, reason);
        }
    }
    let (before, left) = holders(&rights, "Decrypt");
    if before.any() && !left.any() {
        let reason = "a deny keeps everybody in the account from decrypting";
        add(LockoutKind::DecryptionDenied, Severity::High, deny_of(&rights, "Decrypt"), reason);
    }
    if after.named && !after.account {
        let severity = if bypassed { Severity::High } else { Severity::Medium };
        let reason = "the policy does not let the account's IAM policies administer the key: it is lost with the principals \
                      that the policy names";
        add(LockoutKind::NoDelegation, severity, None, reason);
    }
    found
}

/// Who has a right by the allows, and who is left after the denies.
fn holders(rights: &Rights<'_>, action: &str) -> (Holders, Holders) {
    let wanted = ActionSet::named(&[action]);
    let (mut before, mut after) = (Holders::default(), Holders::default());
    for rule in rights.allows.iter().filter(|rule| rule.actions.meets(wanted)) {
        for principal in rule.principals() {
            let whole = matches!(principal, Principal::Anyone | Principal::Account { .. });
            let Some(subject) = Reach::of(principal).and_then(|reach| reach.and(own(rights.account))) else { continue };
            let narrowed = rule.narrow(subject);
            // No service passes on a change of a key policy, and none is asked about grants.
            let dead = |limit: &Limit| *limit == Limit::GrantOnly || (*limit == Limit::Path && action != "Decrypt");
            if narrowed.limits.iter().any(dead) {
                continue;
            }
            let parts: Vec<Part<'_>> =
                narrowed.reaches.into_iter().map(|reach| Part { reach, actions: wanted }).collect();
            let add = |holders: &mut Holders, parts: &[Part<'_>]| {
                let some = parts.iter().any(|part| part.actions.meets(wanted));
                holders.account |= some && whole;
                holders.named |= some && !whole;
            };
            add(&mut before, &parts);
            add(&mut after, &apply(rights, principal, parts).0);
        }
    }
    (before, after)
}

/// The principals of an account.
const fn own(account: &str) -> Reach<'_> {
    Reach { service: Some(false), ..Reach::account(account) }
}

/// The first deny that is about an action.
fn deny_of(rights: &Rights<'_>, action: &str) -> Option<usize> {
    rights.denies.iter().find(|deny| deny.actions.contains(action)).map(|deny| deny.index)
}

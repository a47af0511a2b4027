//! What must be there, from outside of the logs, against what the logs speak of: both ways.

use std::collections::BTreeSet;

use crate::compliance::{Assessment, Control, Limit, Status};
use crate::finding::Vouched;
use crate::report::{Report, human};
use crate::view::inventory::KeyRow;

/// Names that a limit shows one by one.
const NAMED: usize = 5;

/// Accounts, Regions and keys that must be there, from outside of the logs. What is empty was not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Account ids.
    pub accounts: BTreeSet<String>,
    /// Region names.
    pub regions: BTreeSet<String>,
    /// Key ARNs, or key ids.
    pub keys: BTreeSet<String>,
}

/// What was expected of one kind, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// How many.
    pub expected: usize,
    /// Expected, and the log says nothing of it.
    pub missing: Vec<String>,
    /// In the log, and not expected.
    pub surplus: Vec<String>,
}

/// All kinds; `None` where nothing was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Accounts with a log.
    pub accounts: Option<Reconciled>,
    /// Regions with a log, of every account: `ACCOUNT REGION`.
    pub regions: Option<Reconciled>,
    /// Keys in an event.
    pub keys: Option<Reconciled>,
}

impl Reconciliation {
    pub(super) fn of(expected: &Expected, report: &Report, keys: &[KeyRow]) -> Self {
        let days = &report.coverage.days;
        let said = |list: &BTreeSet<String>| (!list.is_empty()).then_some(list.len());
        let seen: BTreeSet<&String> = days.keys().map(|(account, _)| account).collect();
        let accounts = said(&expected.accounts).map(|count| Reconciled {
            expected: count,
            missing: expected.accounts.iter().filter(|account| !seen.contains(account)).cloned().collect(),
            surplus: seen.iter().filter(|account| !expected.accounts.contains(**account)).copied().cloned().collect(),
        });
        let all: Vec<&String> =
            if expected.accounts.is_empty() { seen.into_iter().collect() } else { expected.accounts.iter().collect() };
        let regions = said(&expected.regions).map(|count| {
            let pairs = all.iter().flat_map(|account| expected.regions.iter().map(move |region| (*account, region)));
            let is_there =
                |(account, region): &(&String, &String)| days.contains_key(&((*account).clone(), (*region).clone()));
            let others = days.keys().filter(|(_, region)| !expected.regions.contains(region));
            Reconciled {
                expected: count,
                missing: pairs
                    .filter(|pair| !is_there(pair))
                    .map(|(account, region)| format!("{account} {region}"))
                    .collect(),
                surplus: others.map(|(account, region)| format!("{account} {region}")).collect(),
            }
        });
        let keys = said(&expected.keys).map(|count| {
            let known: BTreeSet<&str> =
                keys.iter().filter(|key| !key.not_in_log).flat_map(|key| [key.arn.as_str(), key.id.as_str()]).collect();
            // Keys of others are used too, and an inventory has no key that is gone.
            let own = |key: &&KeyRow| expected.accounts.is_empty() || expected.accounts.contains(&key.account);
            let gone = |key: &&KeyRow| key.state.as_ref().is_some_and(|stands| stands.state.id() == "Deleted");
            let said = |key: &&KeyRow| expected.keys.contains(&key.arn) || expected.keys.contains(&key.id);
            let others = keys.iter().filter(|key| own(key) && !gone(key) && !said(key));
            Reconciled {
                expected: count,
                missing: expected.keys.iter().filter(|key| !known.contains(key.as_str())).cloned().collect(),
                surplus: others.map(|key| key.arn.clone()).collect(),
            }
        });
        Self { accounts, regions, keys }
    }

    /// What it leaves unproved of a control. What the logs alone tell is never all there is.
    fn limits(&self, control: &Control) -> Vec<String> {
        let mut limits = Vec::new();
        // What is said of no key in particular needs no list of keys.
        let keys = (!control.rules.is_empty()).then_some(("keys", &self.keys));
        for (what, of) in [("accounts", &self.accounts), ("Regions", &self.regions)].into_iter().chain(keys) {
            let Some(of) = of else {
                limits.push(format!("{what} are those that the log names: nothing was said about which there are"));
                continue;
            };
            if !of.missing.is_empty() {
                let how = if what == "keys" { "in no event" } else { "without any log" };
                limits.push(format!("{what} expected, and {how}: {}", some(&of.missing)));
            }
            if !of.surplus.is_empty() {
                limits.push(format!("{what} in the log, and not expected: {}", some(&of.surplus)));
            }
        }
        limits
    }
}

pub(super) fn some(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = names.len() - shown.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

/// Adds to a control what is not proved of it, and takes "satisfied" back where that is anything.
pub(super) fn reconcile(
    assessment: &mut Assessment,
    control: &Control,
    report: &Report,
    (reconciliation, unseen): (&Reconciliation, &[String]),
) {
    // A verdict over the period says nothing of what was read from outside of it.
    if report.integrity.is_some() {
        let vouched = report.vouched();
        let all: u64 = vouched.values().sum();
        let proven = vouched.get(&Vouched::Valid).copied().unwrap_or(0);
        if proven < all {
            let few = human::count(all - proven, "object");
            assessment.limits.push(Limit(format!("no signed digest proves {few} of the {all} that were read")));
        }
    }
    let asks = |rule: &str| control.rules.iter().any(|own| own == rule);
    if asks("over-broad-grant") || asks("over-broad-key-policy") {
        assessment.limits.extend(unseen.iter().cloned().map(Limit));
    }
    if asks("over-broad-iam-policy") {
        let what = "IAM policies older than the log were not looked at: events show changes, not what stands";
        assessment.limits.push(Limit(what.into()));
    }
    assessment.limits.extend(reconciliation.limits(control).into_iter().map(Limit));
    if assessment.status == Status::Satisfied && !assessment.limits.is_empty() {
        assessment.status = Status::Partial;
        assessment.because = "nothing speaks against it; what is listed under limits is not proved".into();
    }
}

//! What log and inventory say of one key, as far as it matters to whether the key may go. Of the two the later word counts,
//! and what KMS said counts from when it said it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::told::{self, Held, Off, Stands};
use crate::inventory::{KeyFacts, Stamp};
use crate::rules::Context;
use crate::rules::kit::context::short_principal;
use crate::rules::kit::usage::uses;
use crate::view::KeyView;
use crate::view::beside::Contradiction;

/// What is known of one key.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Key ARN.
    pub arn: String,
    /// Alias, else key id.
    pub label: String,
    /// Names that stand for it (`alias/...`).
    pub aliases: Vec<String>,
    /// Account and Region of the key, then accounts of those that used it.
    pub places: Vec<(String, String)>,
    /// State.
    pub stands: Option<Stands>,
    /// Since when it cannot be used.
    pub off: Option<Off>,
    /// The deletion that it waits for.
    pub deletion: Option<Deletion>,
    /// KMS listed all keys of its account and Region, and this one was not among them.
    pub unlisted: Option<Stamp>,
    /// Last successful use and who, in a few words.
    pub last_use: Option<(i64, String)>,
    /// Failures that the key's state caused since it is off: how many, the last one, and who.
    pub failures: Option<(u64, i64, String)>,
    /// Open grants by grantee.
    pub grants: BTreeMap<String, Held>,
    /// Why grants that are older than the log are not known; `None` when they are.
    pub older_grants: Option<String>,
    /// Who outside of its account may use it by its policy, in words.
    pub others: Vec<String>,
    /// Resources that it protected.
    pub resources: Vec<String>,
    /// Resources beyond those that are told apart.
    pub more_resources: u64,
    /// It is a multi-Region key.
    pub multi_region: bool,
    /// Of what log and inventory say different things for an instant that the log reaches.
    pub contradictions: Vec<Contradiction>,
    /// All that KMS said of it.
    pub inventory: Option<Arc<KeyFacts>>,
}

/// A deletion that a key waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When KMS deletes it, milliseconds; `None` while that is not known.
    pub at: Option<i64>,
    /// The waiting period begins when the last replica of this multi-Region key is deleted.
    pub waits_for_replicas: bool,
    /// When KMS gave that date; `None` where it follows from the call in the log.
    pub said: Option<Stamp>,
    /// The command that cancels it.
    pub cancel: String,
}

impl Facts {
    /// Gathers them.
    pub fn of(key: &KeyView, cx: &Context<'_>) -> Self {
        let stands = told::stands(key, cx);
        let off = told::off(key, stands.as_ref(), cx);
        let used = uses(key, cx.as_of, cx);
        let mut failures: Option<(u64, i64, String)> = None;
        let mut places = vec![(key.account.clone(), key.region.clone())];
        let since = off.map(|off| off.since).or(stands.as_ref().and_then(|stands| stands.since)).unwrap_or(i64::MIN);
        for series in &key.series {
            let account = cx.text(series.key.principal).split(':').nth(4).unwrap_or_default();
            let place = (account.to_string(), key.region.clone());
            if account.len() == 12 && !places.contains(&place) {
                places.push(place);
            }
            if !series.key.failure.is_some_and(|failure| failure.is_key_state()) {
                continue;
            }
            for cell in series.cells.iter().filter(|cell| cell.last() >= since) {
                let (count, last, who) = failures.get_or_insert((0, i64::MIN, String::new()));
                *count += u64::from(cell.count);
                if cell.last() > *last {
                    (*last, *who) = (cell.last(), short_principal(cx.text(series.key.principal)));
                }
            }
        }
        let (deletion, unlisted) = (told::deletion(key, stands.as_ref(), cx), told::unlisted(key, cx));
        Self {
            arn: key.arn.clone(),
            label: key.label().to_string(),
            aliases: told::aliases(key),
            places,
            stands,
            off,
            deletion,
            unlisted,
            last_use: used.map(|used| (used.last, used.by())),
            failures,
            grants: told::grants(key, cx),
            older_grants: told::older_grants(key, cx),
            others: told::others(key, cx),
            resources: key.resources.iter().map(|resource| resource.name.to_string()).collect(),
            more_resources: key.resources_overflow,
            multi_region: key.id.starts_with("mrk-"),
            contradictions: key.beside.contradictions.iter().filter(|one| one.log_reaches).cloned().collect(),
            inventory: key.beside.facts.clone(),
        }
    }
}

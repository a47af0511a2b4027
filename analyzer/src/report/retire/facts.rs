//! What the log says of one key, as far as it matters to whether the key may go.

use std::collections::BTreeMap;

use crate::rules::Context;
use crate::rules::kit::context::short_principal;
use crate::rules::kit::deletion::{self, Scheduled};
use crate::rules::kit::usage::uses;
use crate::view::KeyView;
use crate::view::history::KeyState;

/// What the log says of one key.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Key ARN.
    pub arn: String,
    /// Alias, else key id.
    pub label: String,
    /// Account and Region of the key, then accounts of those that used it.
    pub places: Vec<(String, String)>,
    /// State and since when.
    pub state: Option<(KeyState, i64)>,
    /// Since when it cannot be used: a key that is disabled and then scheduled for deletion is off since the first of these.
    pub off_since: Option<i64>,
    /// The deletion that it waits for.
    pub deletion: Option<Deletion>,
    /// Last successful use and who, in a few words.
    pub last_use: Option<(i64, String)>,
    /// Failures that the key's state caused since it is off: how many, the last one, and who.
    pub failures: Option<(u64, i64, String)>,
    /// Open grants: how many by grantee.
    pub grants: BTreeMap<String, u64>,
    /// Resources that it protected.
    pub resources: Vec<String>,
    /// Resources beyond those that are told apart.
    pub more_resources: u64,
    /// It is a multi-Region key.
    pub multi_region: bool,
}

/// A deletion that a key waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// When KMS deletes it, milliseconds; `None` while that is not known.
    pub at: Option<i64>,
    /// The waiting period begins when the last replica of this multi-Region key is deleted.
    pub waits_for_replicas: bool,
    /// The command that cancels it.
    pub cancel: String,
}

impl Facts {
    /// Gathers them.
    pub fn of(key: &KeyView, cx: &Context<'_>) -> Self {
        let state = key.history.state_at(cx.as_of).map(|change| (change.state, change.at));
        let off_since = off_since(key, cx.as_of);
        let used = uses(key, cx.as_of, cx);
        let mut failures: Option<(u64, i64, String)> = None;
        let mut places = vec![(key.account.clone(), key.region.clone())];
        for series in &key.series {
            let account = cx.text(series.key.principal).split(':').nth(4).unwrap_or_default();
            let place = (account.to_string(), key.region.clone());
            if account.len() == 12 && !places.contains(&place) {
                places.push(place);
            }
            if !series.key.failure.is_some_and(|failure| failure.is_key_state()) {
                continue;
            }
            let since = off_since.or(state.map(|(_, at)| at)).unwrap_or(i64::MIN);
            for cell in series.cells.iter().filter(|cell| cell.last() >= since) {
                let (count, last, who) = failures.get_or_insert((0, i64::MIN, String::new()));
                *count += u64::from(cell.count);
                if cell.last() > *last {
                    (*last, *who) = (cell.last(), short_principal(cx.text(series.key.principal)));
                }
            }
        }
        let mut grants = BTreeMap::new();
        for grant in key.history.grants.iter().filter(|grant| grant.ended.is_none()) {
            let grantee = key.events[grant.created].detail.grantee.as_deref().unwrap_or("somebody");
            *grants.entry(grantee.to_string()).or_default() += 1;
        }
        Self {
            arn: key.arn.clone(),
            label: key.label().to_string(),
            places,
            state,
            off_since,
            deletion: waits(key, cx),
            last_use: used.map(|used| (used.last, used.by())),
            failures,
            grants,
            resources: key.resources.iter().map(|resource| resource.name.to_string()).collect(),
            more_resources: key.resources_overflow,
            multi_region: key.id.starts_with("mrk-"),
        }
    }
}

/// The first of the changes that left it unusable, one after the other, until now.
fn off_since(key: &KeyView, as_of: i64) -> Option<i64> {
    let states = &key.history.states;
    let until = states.partition_point(|change| change.at <= as_of);
    let off = states[..until].iter().rev().take_while(|change| change.state.is_unusable());
    off.last().map(|change| change.at)
}

fn waits(key: &KeyView, cx: &Context<'_>) -> Option<Deletion> {
    let change = key.history.state_at(cx.as_of).filter(|change| change.state == KeyState::PendingDeletion)?;
    let scheduled = Scheduled::of(&key.events[change.by], cx);
    Some(Deletion {
        at: scheduled.at,
        waits_for_replicas: scheduled.waits_for_replicas,
        cancel: deletion::cancel(&key.region, &key.arn),
    })
}

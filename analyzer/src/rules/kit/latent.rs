//! Who will fail next: what used a key shortly before it stopped working, and has not asked for it since. A volume that is
//! attached, a cache that holds a data key: they go on until they start again.

use std::collections::BTreeSet;

use super::context::Context;
use super::draft::Draft;
use super::time::{DAY, plural};
use crate::finding::{Detail, plain};
use crate::view::KeyView;

/// Days of use before the key stopped that make a resource one that will fail.
const DAYS: i64 = 30;
/// How many are named in a sentence, and in the details.
const NAMED: usize = 3;
const LISTED: usize = 100;

/// Adds to a finding what has not failed yet since the key stopped at `at`; nothing where the key works again.
pub fn tell(draft: &mut Draft, key: &KeyView, at: i64, is_open: bool, cx: &Context<'_>) {
    let next = if is_open { latent(key, at, cx) } else { Latent::default() };
    next.tell(draft);
}

/// What has not failed yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Latent {
    /// Resources, the last used first.
    resources: Vec<String>,
    /// Open grants that services asked for.
    grants: u64,
}

/// What used the key in the [`DAYS`] days before it stopped at `at`, and has not failed since.
fn latent(key: &KeyView, at: i64, cx: &Context<'_>) -> Latent {
    let failed: BTreeSet<&str> = key
        .series
        .iter()
        .filter(|series| series.cells.iter().any(|cell| cell.last() >= at))
        .filter_map(|series| series.key.error.and(series.key.resource))
        .map(|sym| cx.text(Some(sym)))
        .collect();
    let mut resources: Vec<(i64, &str)> = key
        .resources
        .iter()
        .filter(|resource| resource.last >= at - DAYS * DAY && resource.last <= at && !failed.contains(&*resource.name))
        .map(|resource| (resource.last, &*resource.name))
        .collect();
    resources.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let held = key.history.grants.iter().filter(|grant| {
        let created = &key.events[grant.created];
        grant.ended.is_none() && created.event.time <= at && created.actor.invoked_by.is_some()
    });
    Latent {
        resources: resources.into_iter().map(|(_, name)| cx.resource(name).into_owned()).collect(),
        grants: held.count() as u64,
    }
}

impl Latent {
    fn tell(&self, draft: &mut Draft) {
        if !self.resources.is_empty() {
            let shown: Vec<_> = self.resources.iter().take(NAMED).map(|name| plain(name)).collect();
            let more = self.resources.len() - shown.len();
            let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
            let all = plural(self.resources.len() as u64, "resource");
            draft
                .fact("will fail next", format!("{all} used it in the {DAYS} days before: {}{rest}", shown.join(", ")));
        }
        if self.grants > 0 {
            let text = "volumes and databases behind them run on until their next attach, start or failover";
            draft.fact("held by", format!("{} of services: {text}", plural(self.grants, "open grant")));
        }
        let named = self.resources.iter().take(LISTED).map(|name| Detail::Text(name.clone()));
        draft.detail("latent", Detail::List(named.collect()));
        draft.detail("latent_total", Detail::Int(self.resources.len() as i64));
        draft.detail("held_by_grants", Detail::Int(self.grants as i64));
    }
}

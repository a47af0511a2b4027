//! Successful use of a key before an instant, or since one.

use std::collections::BTreeMap;

use super::context::{Context, short_principal};
use super::time::{DAY, instant, length};
use crate::view::KeyView;
use crate::view::activity::Cell;

/// Cryptographic calls that succeeded.
#[derive(Clone, Debug)]
pub struct Usage {
    /// Time of the last one, milliseconds.
    pub last: i64,
    /// How many.
    pub calls: u64,
    /// Principals by their calls.
    pub principals: BTreeMap<String, u64>,
}

/// Use before an instant; `None` when the log shows none.
pub fn uses(key: &KeyView, before: i64, cx: &Context<'_>) -> Option<Usage> {
    uses_between(key, i64::MIN, before, cx)
}

/// Use from one instant to another; `None` when the log shows none. Of five minutes that began before the first instant, only
/// the last call is known to lie after it.
pub fn uses_between(key: &KeyView, since: i64, before: i64, cx: &Context<'_>) -> Option<Usage> {
    let mut used = Usage { last: i64::MIN, calls: 0, principals: BTreeMap::new() };
    for series in key.series.iter().filter(|series| series.succeeded() && cx.text(series.key.operation) == "crypto") {
        let mut calls = 0;
        let within = |cell: &&Cell| cell.last() >= since && cell.first.time <= before;
        for cell in series.cells.iter().filter(within) {
            calls += if cell.first.time >= since { u64::from(cell.count) } else { 1 };
            used.last = used.last.max(cell.last().min(before));
        }
        if calls > 0 {
            used.calls += calls;
            *used.principals.entry(cx.text(series.key.principal).to_string()).or_default() += calls;
        }
    }
    (used.calls > 0).then_some(used)
}

/// What a title says of the last use before an instant: `last used 3 h before`.
pub fn last_use(used: Option<&Usage>, key: &KeyView, at: i64, cx: &Context<'_>) -> String {
    match used {
        Some(used) => format!("last used {} before", length((at - used.last).max(0))),
        None if key.history.created.is_some() => "never used".into(),
        None => format!("no use in the log, which starts {}", instant(cx.log_start())),
    }
}

impl Usage {
    /// True when the last use was within so many days before an instant.
    pub fn is_within(&self, days: u32, at: i64) -> bool {
        at - self.last <= i64::from(days) * DAY
    }

    /// The principals with most calls, in a few words.
    pub fn by(&self) -> String {
        let mut principals: Vec<(&String, u64)> = self.principals.iter().map(|(name, &calls)| (name, calls)).collect();
        principals.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let shown: Vec<String> =
            principals.iter().take(3).map(|(name, calls)| format!("{} ({calls} ×)", short_principal(name))).collect();
        match principals.len().checked_sub(3) {
            Some(more @ 1..) => format!("{} and {more} more", shown.join(", ")),
            _ => shown.join(", "),
        }
    }
}

//! Who a grant is for, in terms of who calls.

use super::context::Context;
use super::outage::SETTLING;
use crate::config::Logs;
use crate::view::KeyView;
use crate::view::history::Grant;
use crate::view::ledger::ControlEvent;

/// Grantee of a grant as the record spells it; empty when it has none.
pub fn of(created: &ControlEvent) -> &str {
    created.detail.grantee.as_deref().unwrap_or_default()
}

/// The same caller, whichever way it is spelt: a session is its role.
pub fn is_same(one: &str, two: &str) -> bool {
    !one.is_empty() && (one == two || spelling(one) == spelling(two))
}

/// One spelling for all that are the same.
pub fn spelling(who: &str) -> String {
    Logs::identity(who).unwrap_or_else(|| who.to_owned())
}

/// Whether a grantee used the key since an instant; `None` where the log could not tell it: the grantee is a whole
/// account, a service, somebody of another account, or nobody that calls are counted by.
pub fn has_used(key: &KeyView, grantee: &str, account: &str, since: i64, cx: &Context<'_>) -> Option<bool> {
    Logs::identity(grantee)?;
    // The log of the key's owner names callers of other accounts by their unique ids, which no grant does.
    if account != key.account {
        return None;
    }
    let mut uses = key.series.iter().filter(|series| {
        series.succeeded()
            && cx.text(series.key.operation) == "crypto"
            && is_same(grantee, cx.text(series.key.principal))
    });
    Some(uses.any(|series| series.cells.iter().any(|cell| cell.last() >= since)))
}

/// How many grants led to a grant: its maker had the right to make it from another grant, and so on. 0 for a grant that
/// nobody made from a grant.
pub fn depth(key: &KeyView, created: &ControlEvent, cx: &Context<'_>) -> u32 {
    // Each step goes back in time; the bound is for logs that somebody made up.
    const DEEPEST: u32 = 16;
    let mut at = created;
    for depth in 0..DEEPEST {
        let maker = cx.text(at.actor.principal);
        let before = at.event.time;
        let gave = |grant: &&Grant| {
            let older = &key.events[grant.created];
            let operations = older.detail.grant_operations.as_deref().unwrap_or_default();
            older.event < at.event
                && operations.contains("\"CreateGrant\"")
                && is_same(of(older), maker)
                && grant.ended.is_none_or(|ended| key.events[ended].event.time.saturating_add(SETTLING) >= before)
        };
        match key.history.grants.iter().rev().find(gave) {
            Some(grant) => at = &key.events[grant.created],
            None => return depth,
        }
    }
    DEEPEST
}

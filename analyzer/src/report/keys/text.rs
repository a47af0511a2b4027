//! `--format text`: a table of all keys, then each in full.

use super::{Inventory, UNKNOWN, dollars, manager, role, rotation, state};
use crate::report::text::page::{Page, Tone};
use crate::report::text::{Look, coverage};
use crate::report::{escape, human};
use crate::view::inventory::{Counted, KeyRow, Rotates, Rotation, Stands};

/// Keys that the table shows, and keys that are shown in full.
const ROWS: usize = 500;
const IN_FULL: usize = 25;
/// Columns of the name of a key.
const NAME: usize = 28;

/// The inventory.
pub fn render(inventory: &Inventory, look: Look) -> String {
    let mut page = Page::new(look);
    let keys = &inventory.keys;
    page.prose(0, Tone::Strong, &human::count(keys.len() as u64, "key"));
    let from = match inventory.report.coverage.inventory {
        Some(_) => "from the log, and from the inventory where it says so",
        None => "from the log alone",
    };
    if let Some(as_of) = inventory.report.run.as_of {
        let text = format!("as of {} UTC, {}: what it does not tell is unknown", human::time(as_of), from);
        page.prose(0, Tone::Faint, &text);
    }
    if !keys.is_empty() {
        page.blank();
        page.verbatim(0, &line(["key", "state", "rotation", "last use", "uses"]));
        for key in keys.iter().take(ROWS) {
            let last = key.used.map_or("none seen".to_string(), |used| human::time(used.1).chars().take(10).collect());
            page.verbatim(0, &line([&name(key), state(key), rotation(key.rotation), &last, &human::number(key.uses)]));
        }
        left(&mut page, keys.len(), ROWS);
    }
    for key in keys.iter().take(IN_FULL) {
        one(&mut page, key);
    }
    page.blank();
    left(&mut page, keys.len(), IN_FULL);
    coverage::print(&mut page, &inventory.report, "keys");
    page.finish()
}

fn left(page: &mut Page, all: usize, shown: usize) {
    if let Some(left @ 1..) = all.checked_sub(shown) {
        page.prose(0, Tone::Faint, &format!("and {} in --format json", human::count(left as u64, "more key")));
    }
}

fn line(cells: [&str; 5]) -> String {
    let [key, state, rotation, last, uses] = cells;
    format!("{key:<NAME$} {state:<16} {rotation:<11} {last:<10} {uses:>10}")
}

fn name(key: &KeyRow) -> String {
    let name = escape::terminal(key.label());
    if name.chars().count() <= NAME {
        name.into_owned()
    } else {
        name.chars().take(NAME - 3).chain("...".chars()).collect()
    }
}

fn rotates(of: &Rotates) -> String {
    let mut text = rotation(of.automatic).to_string();
    if let Some(days) = of.days {
        text += &format!(", every {days} days");
    }
    if let Some(since) = of.since {
        text += &format!(", since {} UTC", human::time(since));
    }
    if let Some(captured) = of.captured_at {
        text += &format!(", as KMS said at {} UTC", human::time(captured));
    }
    text + &of.last.map_or("; no rotation seen".to_string(), |last| format!("; last {} UTC", human::time(last)))
}

fn one(page: &mut Page, key: &KeyRow) {
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.to_string());
    let at = |ms: i64| format!("{} UTC", human::time(ms));
    page.heading(key.label());
    page.field("key", &key.arn);
    if key.aliases.len() > 1 {
        page.field("aliases", &key.aliases.join(", "));
    }
    let mut kind = format!(
        "spec {}, usage {}, origin {}; {}; managed by {}",
        or_unknown(&key.spec),
        or_unknown(&key.usage),
        or_unknown(&key.origin),
        role(key.role),
        manager(key)
    );
    if let Some(primary) = &key.primary {
        kind += &format!(" of {primary}");
    }
    page.field("kind", &kind);
    let since = match (key.state, key.contradicted) {
        (Some(Stands { state, since: Some(since), .. }), _) => format!("{} since {}", state.id(), at(since)),
        (Some(Stands { state, captured_at, .. }), _) => {
            format!("{}, as KMS said at {}", state.id(), captured_at.map_or(UNKNOWN.to_string(), at))
        }
        (None, true) => "unknown: it was used after the log shows it unusable, so the log misses a change".to_string(),
        (None, false) => UNKNOWN.to_string(),
    };
    page.field("state", &since);
    page.field("created", &key.created.map_or("unknown: not in the log".to_string(), at));
    let text = match (&key.primary_rotation, key.rotation) {
        (Some(of), _) => format!("as its primary: {}", rotates(of)),
        (None, Some(Rotation::AsPrimary)) => "as its primary, which is not among the keys: unknown".to_string(),
        (None, _) => rotates(&key.rotates()),
    };
    page.field("rotation", &text);
    let mut text = match key.used {
        Some((first, last)) => format!("{}, {} to {}", human::count(key.uses, "use"), at(first), at(last)),
        None => "none seen".to_string(),
    };
    if key.failures > 0 {
        text += &format!("; {} failed", human::number(key.failures));
    }
    page.field("uses", &text);
    list(page, "used by", &key.principals, key.principals_total);
    list(page, "protects", &key.resources, key.resources_total);
    if key.resources_overflow > 0 {
        page.more(Tone::Faint, &format!("and {} for others", human::count(key.resources_overflow, "use")));
    }
    if key.whole_buckets {
        page.more(Tone::Faint, "a bucket here means S3 Bucket Keys: which of its objects were read is not in the log");
    }
    inventory(page, key);
    page.field("grants", &format!("{} open, of those that the log shows", human::number(key.open_grants)));
    let month = key.month_cost.map_or(UNKNOWN.to_string(), |cost| {
        if cost == 0 { "nothing".into() } else { format!("at least ${}", dollars(cost)) }
    });
    let mut text = format!(
        "about ${} for {} (list price, no free tier; a spec that is unknown as symmetric); the key {month} a month",
        dollars(key.requests_cost),
        human::count(key.requests, "request"),
    );
    if key.unpriced > 0 {
        text += &format!("; {} of GenerateDataKeyPair not in it", human::number(key.unpriced));
    }
    page.field("cost", &text);
}

/// What an inventory says beyond what stands in the other lines.
fn inventory(page: &mut Page, key: &KeyRow) {
    let Some(facts) = &key.facts else { return };
    let mut told = Vec::new();
    if key.not_in_log {
        told.push("no event in the log names this key".to_string());
    }
    if let Some(grants) = &facts.grants {
        told.push(human::count(grants.value.len() as u64, "open grant"));
    }
    if let Some(store) = &facts.store {
        told.push(format!("its key store is {}", store.value));
    }
    if !facts.refused.is_empty() {
        let calls: Vec<&str> = facts.refused.iter().map(|refusal| refusal.call.id()).collect();
        told.push(format!("not answered: {}", calls.join(", ")));
    }
    if let Some(captured) = facts.captured_at() {
        page.field("inventory", &format!("of {} UTC: {}", human::time(captured), told.join("; ")));
    }
    for one in &key.contradictions {
        let (log, said, when) = (&one.log, &one.inventory, human::time(one.stamp.captured_at));
        let end = if one.log_reaches { "" } else { "; the log ends before" };
        let text = format!("{}: the log says {log}, KMS said {said} at {when} UTC{end}", one.about);
        page.more(Tone::Caution, &text);
    }
}

fn list(page: &mut Page, label: &str, top: &[Counted], total: u64) {
    for (i, counted) in top.iter().enumerate() {
        let name = if counted.name.is_empty() { "somebody the log does not name" } else { &counted.name };
        let text = format!("{name}: {}", human::number(counted.uses));
        if i == 0 { page.field(label, &text) } else { page.more(Tone::Plain, &text) }
    }
    if let Some(left @ 1..) = total.checked_sub(top.len() as u64) {
        page.more(Tone::Faint, &format!("and {} more", human::number(left)));
    }
}

//! What an inventory came to, beside what was read of the log.

use std::collections::BTreeMap;

use super::coverage::examples;
use super::page::{Page, Tone};
use crate::report::human;
use crate::view::Coverage;

pub(super) fn looked_at(page: &mut Page, coverage: &Coverage) {
    let Some(inventory) = &coverage.inventory else { return };
    let mut text = human::count(inventory.keys.len() as u64, "key");
    if coverage.not_in_log > 0 {
        text += &format!(", {} of them in no event of the log", human::number(coverage.not_in_log));
    }
    if let Some((from, to)) = inventory.span {
        text += &match from == to {
            true => format!("; KMS said it at {} UTC", human::time(from)),
            false => format!("; KMS said it from {} to {} UTC", human::time(from), human::time(to)),
        };
    }
    page.field("inventory", &text);
    let all = coverage.contradictions.len() as u64;
    if all > 0 {
        page.more(Tone::Caution, &format!("log and inventory say different things of {}", human::count(all, "fact")));
        let told = coverage.contradictions.iter().map(|(key, one)| {
            let end = if one.log_reaches { "" } else { "; the log ends before" };
            format!("{key}: {}: {} in the log, {} in the inventory{end}", one.about, one.log, one.inventory)
        });
        examples(page, told, all);
    }
}

pub(super) fn is_quiet(coverage: &Coverage) -> bool {
    let quiet = |inventory: &crate::inventory::Inventory| {
        inventory.refused.is_empty() && inventory.misread.is_empty() && inventory.later == 0
    };
    coverage.inventory.as_deref().is_none_or(quiet)
}

pub(super) fn not_looked_at(page: &mut Page, coverage: &Coverage) {
    let Some(inventory) = &coverage.inventory else { return };
    let mut label = "inventory";
    if !inventory.misread.is_empty() {
        let all = inventory.misread.len() as u64;
        page.row((Tone::Caution, label), &format!("{} could not be used", human::count(all, "answer or file")));
        examples(page, inventory.misread.iter().map(|one| format!("{}: {}", one.source, one.reason)), all);
        label = "";
    }
    let mut refused: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for one in &inventory.refused {
        *refused.entry((one.call.id(), &one.reason)).or_default() += 1;
    }
    for ((call, reason), n) in refused {
        page.row((Tone::Caution, label), &format!("{call} was not answered {}: {reason}", human::count(n, "time")));
        label = "";
    }
    if inventory.later > 0 {
        let text = format!(
            "{} younger than the instant that was asked for: how a key stood later says nothing of before",
            human::count(inventory.later, "answer")
        );
        page.row((Tone::Faint, label), &text);
    }
}

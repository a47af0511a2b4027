//! `--format text`: the finding as `keytrail scan` shows it, then each record in full.

use serde_json::Value;

use super::{Explained, Original};
use crate::report::human;
use crate::report::text::page::{Page, Tone};
use crate::report::text::{Look, finding};

/// Lines of one record that are shown; the JSON has all.
const LINES: usize = 200;

/// The finding and its records.
pub fn render(explained: &Explained, look: Look) -> String {
    let mut page = Page::new(look);
    finding::full(&mut page, &explained.finding, explained.related.len() as u64);
    for id in &explained.related {
        page.field("related", id);
    }
    page.field("rule", &format!("keytrail rules {}", explained.finding.rule));
    for (at, original) in explained.records.iter().enumerate() {
        let of = format!("Record {} of {}", at + 1, explained.records.len());
        page.heading(&format!("{of}: {} ({})", original.evidence.event_name, original.evidence.role.id()));
        one(&mut page, original, &explained.finding.region);
    }
    page.finish()
}

fn one(page: &mut Page, original: &Original, region: &str) {
    page.field("time", &format!("{} UTC", human::time(original.evidence.time)));
    page.field("object", &format!("{}:{}", original.evidence.object, original.evidence.record));
    for command in original.commands(region) {
        page.verbatim(2, &format!("$ {command}"));
    }
    match &original.raw {
        Ok(raw) => {
            let value: Result<Value, _> = serde_json::from_str(raw);
            let pretty = value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| raw.clone());
            for line in pretty.lines().take(LINES) {
                page.verbatim(4, line);
            }
            if let Some(left @ 1..) = pretty.lines().count().checked_sub(LINES) {
                page.prose(4, Tone::Faint, &format!("and {} in --format json", human::count(left as u64, "more line")));
            }
        }
        Err(problem) => page.prose(4, Tone::Caution, &format!("cannot be shown: {problem}")),
    }
}

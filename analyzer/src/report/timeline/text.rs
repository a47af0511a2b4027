//! `--format text`: a heading for each key, then a line for each entry.

use super::{Entry, EntryKind, KeyStory, Timeline, Wanted};
use crate::finding::word;
use crate::report::human;
use crate::report::text::page::{Page, Tone};
use crate::report::text::{Look, coverage};

/// Entries that are shown of one key; the JSON has all.
const SHOWN: usize = 500;

/// The stories.
pub fn render(timeline: &Timeline, look: Look) -> String {
    let mut page = Page::new(look);
    if let Wanted::Resource(resource) = &timeline.wanted {
        let keys = human::count(timeline.keys.len() as u64, "key");
        page.prose(0, Tone::Strong, &format!("{resource}: {keys} in the log"));
    }
    for key in &timeline.keys {
        one(&mut page, key);
    }
    page.blank();
    let asked = match &timeline.wanted {
        Wanted::Key(name) => format!("timeline --key {}", word(name)),
        Wanted::Resource(name) => format!("timeline --resource {}", word(name)),
    };
    coverage::print(&mut page, &timeline.report, &asked);
    page.finish()
}

fn one(page: &mut Page, key: &KeyStory) {
    page.heading(&key.label);
    page.field("key", &key.arn);
    page.field("state", key.state.unwrap_or("unknown: no event in the log tells"));
    for resource in &key.resources {
        let by: Vec<&str> = resource.principals.iter().map(String::as_str).collect();
        let more = if resource.more { " and perhaps others" } else { "" };
        let (first, last) = (human::time(resource.span.0), human::time(resource.span.1));
        let uses = human::count(resource.uses, "successful use");
        page.field(
            "protects",
            &format!("{}: {uses}, {first} to {last} UTC, by {}{more}", resource.name, by.join(", ")),
        );
    }
    page.blank();
    let left = key.entries.len().saturating_sub(SHOWN);
    if left > 0 {
        let text = format!("{} in --format json, before these", human::count(left as u64, "earlier entry"));
        page.prose(2, Tone::Faint, &text);
    }
    let mut day = String::new();
    for entry in &key.entries[left..] {
        let time = human::time(entry.from);
        let (date, clock) = time.split_at(time.len().min(10));
        if day != date {
            day = date.to_string();
            page.prose(2, Tone::Strong, &day);
        }
        line(page, clock.trim(), entry);
    }
    if key.entries.is_empty() {
        page.prose(2, Tone::Faint, "nothing in this period");
    }
}

fn line(page: &mut Page, clock: &str, entry: &Entry) {
    let mark = match entry.kind {
        EntryKind::Change => "*",
        EntryKind::Refused => "x",
        EntryKind::Use => " ",
        EntryKind::Failure | EntryKind::Elsewhere => "!",
    };
    let (first, last) = (human::time(entry.from), human::time(entry.to));
    let until = match (entry.to > entry.from, first.get(..10) == last.get(..10)) {
        (false, _) => String::new(),
        (true, true) => format!(" (until {})", last.get(11..).unwrap_or(&last)),
        (true, false) => format!(" (until {last})"),
    };
    let tone = if entry.kind == EntryKind::Use { Tone::Faint } else { Tone::Plain };
    let label = format!("{clock} {mark}");
    page.hang(4, Some((Tone::Faint, &label)), 16, tone, &format!("{}: {}{until}", entry.who, entry.what));
}

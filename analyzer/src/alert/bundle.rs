//! Many incidents in one message: the first summary, the digest, and what is too much to be told one by one.

use serde_json::json;

use super::message::{Alert, Bundle, Change, SCHEMA, Subject};
use super::render::{Block, Document};
use super::subject;
use crate::config::Accounts;
use crate::finding::Severity;
use crate::report::human;

/// Incidents that are named per heading; the others are counted.
const NAMED: usize = 30;

/// Incidents that the JSON lists; topics take 256 KiB.
const LISTED: usize = 400;

/// An incident of a bundle, and what changed.
pub(super) type Item<'i> = (Change, Subject<'i>);

impl Alert {
    /// A message about many incidents; `None` when there are none.
    pub fn bundle(bundle: Bundle, items: &[Item<'_>], dedup: String, accounts: &Accounts) -> Option<Self> {
        let mut items: Vec<Item<'_>> = items.to_vec();
        items.sort_by(|a, b| {
            (b.1.severity(), a.1.line(accounts), a.1.id()).cmp(&(a.1.severity(), b.1.line(accounts), b.1.id()))
        });
        let over = |change: Change| matches!(change, Change::Resolved | Change::Withdrawn);
        // What is over does not colour the message unless there is nothing else.
        let severity = items.iter().filter(|item| !over(item.0)).map(|item| item.1.severity()).max();
        let severity = severity.or_else(|| items.iter().map(|item| item.1.severity()).max())?;
        let count = human::count(items.len() as u64, "incident");
        let (headline, note) = match bundle {
            Bundle::Summary => (
                format!("Keytrail watches from now on: {count} already there ({})", severities(&items)),
                "These were found in what was logged before. Each is told again only when it gets worse, and once when it is over.",
            ),
            Bundle::Digest => {
                (format!("digest: {}", changes(&items)), "What is listed here does not need anybody at once.")
            }
            Bundle::Overflow => (
                format!("and {} more incidents ({})", human::number(items.len() as u64), severities(&items)),
                "More came at once than this sink takes one by one. These are told here, and only here, until they change.",
            ),
        };
        let mut document = Document {
            severity,
            kicker: severity.id().to_uppercase(),
            headline: headline.clone(),
            blocks: vec![Block::Text(note.into())],
            footer: vec![format!("message {dedup}"), "`keytrail scan` says all about each of them".into()],
        };
        for (change, heading) in [
            (Change::Worse, "Worse"),
            (Change::New, "New"),
            (Change::Resolved, "Over"),
            (Change::Withdrawn, "Withdrawn: later events show that these were none"),
        ] {
            let lines: Vec<(Severity, String)> = items
                .iter()
                .filter(|item| item.0 == change)
                .map(|item| (item.1.severity(), line_of(item, accounts)))
                .collect();
            if lines.is_empty() {
                continue;
            }
            let heading = if bundle == Bundle::Summary { "Already there" } else { heading };
            document.blocks.push(Block::Heading(format!("{heading} ({})", lines.len())));
            let rest = lines.len().saturating_sub(NAMED);
            document.blocks.push(Block::Items(lines.into_iter().take(NAMED).collect()));
            if rest > 0 {
                document.blocks.push(Block::Text(format!("and {} more", human::number(rest as u64))));
            }
        }
        let listed: Vec<serde_json::Value> = items
            .iter()
            .take(LISTED)
            .map(|(change, about)| {
                json!({
                    "incident": about.id(), "change": change.id(), "severity": about.severity().id(),
                    "subject": about.line(accounts),
                })
            })
            .collect();
        let subject = subject::subject(severity, "", &headline);
        let json = json!({
            "schema": SCHEMA, "kind": bundle.id(), "dedup": dedup, "incident": null, "severity": severity.id(),
            "subject": subject, "incidents_total": items.len(), "incidents": listed,
        });
        Some(Self { kind: bundle.id(), incidents: items.len() as u64, ..Self::new(subject, &document, json, dedup) })
    }
}

/// One line; what is over before it is told says so.
fn line_of(item: &Item<'_>, accounts: &Accounts) -> String {
    let line = item.1.line(accounts);
    let over = matches!(item.1, Subject::There(incident) if !incident.tale.open) && item.0 != Change::Resolved;
    if over && !line.ends_with(", over") { format!("{line} (over)") } else { line }
}

/// `1 critical, 8 high`.
fn severities(items: &[Item<'_>]) -> String {
    let counts = Severity::ALL.into_iter().rev().filter_map(|severity| {
        let count = items.iter().filter(|item| item.1.severity() == severity).count();
        (count > 0).then(|| format!("{} {}", human::number(count as u64), severity.id()))
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// `2 worse, 5 new, 1 over`.
fn changes(items: &[Item<'_>]) -> String {
    let words =
        [(Change::Worse, "worse"), (Change::New, "new"), (Change::Resolved, "over"), (Change::Withdrawn, "withdrawn")];
    let counts = words.into_iter().filter_map(|(change, word)| {
        let count = items.iter().filter(|item| item.0 == change).count();
        (count > 0).then(|| format!("{} {word}", human::number(count as u64)))
    });
    counts.collect::<Vec<_>>().join(", ")
}

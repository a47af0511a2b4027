//! `--format pdf`: what the page says, for an archive. The crate that sets it gets plain data.

use chrono::{DateTime, Datelike as _, Timelike as _};
use keytrail_pdf::{Document as Pages, Error, Moment};
use serde::Serialize;

use super::Audit;
use super::json::Document;
use crate::report::{keys, timeline};

/// The file. It says that it was made at the as-of instant.
///
/// # Errors
/// When it cannot be set; whatever the texts of the log are, they are no reason.
pub fn render(audit: &Audit) -> Result<Vec<u8>, Error> {
    let input = Input {
        report: Document::of(audit),
        sources: &audit.report.run.sources,
        keys: audit.keys.iter().map(keys::json::Key::of).collect(),
        changes: audit
            .changes
            .iter()
            .map(|(key, entry)| Change { key, entry: timeline::json::Line::of(entry) })
            .collect(),
    };
    // Wire types hold strings, numbers and lists only, which cannot fail to serialize.
    let data = serde_json::to_value(&input).unwrap_or_default();
    let made = DateTime::from_timestamp_millis(audit.made()).unwrap_or_default();
    Pages::set(data)?.write(moment(&made))
}

#[derive(Serialize)]
struct Input<'r> {
    report: Document<'r>,
    sources: &'r [String],
    keys: Vec<keys::json::Key<'r>>,
    changes: Vec<Change<'r>>,
}

#[derive(Serialize)]
struct Change<'r> {
    key: &'r str,
    #[serde(flatten)]
    entry: timeline::json::Line<'r>,
}

fn moment(at: &DateTime<chrono::Utc>) -> Moment {
    // None of them is beyond 59.
    let small = |n: u32| u8::try_from(n).unwrap_or_default();
    Moment {
        year: at.year(),
        month: small(at.month()),
        day: small(at.day()),
        hour: small(at.hour()),
        minute: small(at.minute()),
        second: small(at.second()),
    }
}

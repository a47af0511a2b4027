//! Subjects that say it all: what, where, who, how bad, since when.

use crate::config::Accounts;
use crate::finding::{Detail, Finding, Severity, Status};
use crate::report::{escape, human};

/// Characters of a subject at most; phones show half of it, and mail servers limit lines.
const MOST: usize = 180;

/// What the finding is about and where: `alias/payments (prod-eu)`.
pub(super) fn place(finding: &Finding, accounts: &Accounts) -> String {
    let account = accounts.name(&finding.account).unwrap_or(&finding.account);
    match &finding.key {
        Some(key) => {
            let id = || if key.id.is_empty() { key.arn.clone() } else { format!("key {}", shorten(&key.id, 8)) };
            format!("{} ({account})", key.alias.clone().unwrap_or_else(id))
        }
        None => format!("{account} {}", finding.region),
    }
}

/// What happened, without what [`place`] says.
pub(super) fn phrase(finding: &Finding) -> String {
    outage(finding).unwrap_or_else(|| {
        let title = finding.title.as_str();
        let label = finding.key.as_ref().and_then(|key| {
            let names = [key.alias.as_deref(), Some(key.arn.as_str()), Some(key.id.as_str())];
            names.into_iter().flatten().find(|name| !name.is_empty() && title.starts_with(*name))
        });
        label.map_or(title, |label| title[label.len()..].trim_start_matches([':', ' '])).to_owned()
    })
}

/// `disabled by alice, 3 services down since 02:16`, of a finding that names services and who caused it.
fn outage(finding: &Finding) -> Option<String> {
    let Some(Detail::List(services)) = finding.details.get("services") else { return None };
    let Some(Detail::Map(_)) = finding.details.get("cause") else { return None };
    let (what, _) = finding.title.split_once(" at ")?;
    let label = finding.key.as_ref().and_then(|key| key.alias.as_deref()).unwrap_or_default();
    let what = what.strip_prefix(label)?.trim_start();
    // `alice (role ops-admin)`: the name says enough in a subject.
    let what = what.split_once(" (role ").map_or(what, |(name, _)| name);
    let since = human::minute(finding.first_seen);
    // The day of a running outage is in the body; of one that lasts longer it is in the subject.
    let long = finding.last_seen - finding.first_seen >= 86_400_000;
    let since = if long { since.as_str() } else { since.split_once(' ').map_or(since.as_str(), |(_, time)| time) };
    let services = human::count(services.len() as u64, "service");
    Some(match finding.status {
        Status::Open => format!("{what}, {services} down since {since}"),
        _ => format!("{what}, {services} down from {since}, over"),
    })
}

/// `[HIGH] …`, one line without anything that acts, cut where it is too long.
pub(super) fn subject(severity: Severity, mark: &str, text: &str) -> String {
    let mark = if mark.is_empty() { String::new() } else { format!("{mark}: ") };
    line(&format!("[{}] {mark}{text}", severity.id().to_uppercase()))
}

/// One line without anything that acts, cut where it is too long.
pub(super) fn line(text: &str) -> String {
    let safe = escape::terminal(text);
    let safe = safe.split_whitespace().collect::<Vec<_>>().join(" ");
    shorten(&safe, MOST)
}

/// At most so many characters; what is cut off is an ellipsis.
pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

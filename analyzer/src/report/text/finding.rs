//! One finding on the page, in full or in two lines.

use super::page::{Page, Tone, VALUE, glue, utc};
use crate::finding::{Evidence, Finding, KeyRef, Role, Status};
use crate::report::human;

/// Records that are shown per finding, unless each of more has a role of its own.
const SHOWN: usize = 2;

/// Everything that somebody needs to act. `related` is the number of findings of the same incident, this one included.
pub(in crate::report) fn full(page: &mut Page, finding: &Finding, related: u64) {
    let level = finding.severity.id().to_uppercase();
    page.hang(0, Some((Tone::Level(finding.severity), &level)), VALUE, Tone::Strong, &finding.title);
    if let Some(key) = &finding.key {
        page.field("key", &name(key, finding));
    }
    page.field("where", &format!("{} {}", finding.account, finding.region));
    page.field("when", &when(finding));
    if let Some(principal) = &finding.principal {
        let through = principal.invoked_by.as_ref().map(|service| format!(", through {service}"));
        page.field("who", &format!("{} ({}){}", principal.arn, principal.kind, through.unwrap_or_default()));
    }
    for (i, fact) in finding.facts.iter().enumerate() {
        let text = format!("{}: {}", fact.label, fact.value);
        page.row((Tone::Faint, if i == 0 { "facts" } else { "" }), &text);
    }
    evidence(page, finding);
    if !finding.remediation.trim().is_empty() {
        page.prose(2, Tone::Faint, "what to do");
        page.markup(4, &finding.remediation);
    }
    let mut about = format!("{}, rule {}, confidence {}", finding.id, finding.rule, finding.confidence.id());
    if related > 1 {
        about.push_str(&format!(", incident {} ({} findings)", finding.incident, human::number(related)));
    }
    page.hang(2, Some((Tone::Faint, "finding")), VALUE, Tone::Faint, &about);
}

/// What, where and when; the facts where `with_facts` says so; nothing about what to do.
pub(super) fn short(page: &mut Page, finding: &Finding, with_facts: bool) {
    let level = finding.severity.id().to_uppercase();
    page.hang(0, Some((Tone::Level(finding.severity), &level)), VALUE, Tone::Plain, &finding.title);
    let mut parts = Vec::new();
    parts.extend(finding.key.as_ref().map(|key| name(key, finding)));
    parts.push(format!("{} {}", finding.account, finding.region));
    parts.push(when(finding));
    if let Status::Suppressed { reason, until } = &finding.status {
        let until = until.as_ref().map(|until| format!(" until {until}"));
        parts.push(format!("accepted{}: {reason}", until.unwrap_or_default()));
    }
    parts.push(glue(&format!("finding {}", finding.id)));
    page.hang(VALUE, None, VALUE, Tone::Faint, &parts.join("; "));
    for fact in finding.facts.iter().filter(|_| with_facts) {
        page.more(Tone::Plain, &format!("{}: {}", fact.label, fact.value));
    }
}

/// Alias and key id. The ARN adds only account and Region, which stand beside it, unless they are not the finding's.
fn name(key: &KeyRef, finding: &Finding) -> String {
    let here = format!(":{}:{}:key/", finding.region, finding.account);
    let short = match key.arn.split_once(&here) {
        Some((_, id)) => format!("key/{id}"),
        None if key.arn.is_empty() => format!("key/{}", key.id),
        None => key.arn.clone(),
    };
    match &key.alias {
        Some(alias) => format!("{alias}, {short}"),
        None => short,
    }
}

fn when(finding: &Finding) -> String {
    let (first, last) = (finding.first_seen, finding.last_seen);
    let lasted = glue(&human::duration(last.saturating_sub(first)));
    let events = human::count(finding.count, "event");
    match finding.status {
        _ if first == last && finding.count <= 1 => utc(first),
        _ if first == last => format!("{}, {events}", utc(first)),
        // A state and not a series: the last time is where the log ends.
        Status::Open if finding.count <= 1 => format!("since {}, for {lasted}", utc(first)),
        Status::Closed => format!("{} to {} ({lasted}), {events}", glue(&human::time(first)), utc(last)),
        Status::Open | Status::Suppressed { .. } => {
            format!("since {}, last {} ({lasted}), {events}", utc(first), utc(last))
        }
    }
}

fn evidence(page: &mut Page, finding: &Finding) {
    let shown = choose(&finding.evidence);
    for (i, evidence) in shown.iter().enumerate() {
        let outcome = evidence.error_code.as_ref().map(|code| format!(" {code}"));
        let role = if evidence.role == Role::Primary { String::new() } else { format!(" ({})", evidence.role.id()) };
        let what =
            format!("{} {}{}{role}", human::time(evidence.time), evidence.event_name, outcome.unwrap_or_default());
        page.row((Tone::Faint, if i == 0 { "evidence" } else { "" }), &what);
        page.more(Tone::Faint, &format!("event {}", evidence.event_id));
        page.more(Tone::Faint, &format!("{}:{}", file_name(&evidence.object), evidence.record));
    }
    if let Some(left @ 1..) = finding.evidence.len().checked_sub(shown.len()) {
        page.more(Tone::Faint, &format!("and {} in --format json", human::count(left as u64, "more record")));
    }
}

/// The cause, one of the events, what ended it; then whatever comes first, in the order of the finding.
fn choose(evidence: &[Evidence]) -> Vec<&Evidence> {
    let mut chosen: Vec<usize> = [Role::Cause, Role::Primary, Role::Resolution]
        .iter()
        .filter_map(|role| evidence.iter().position(|evidence| evidence.role == *role))
        .collect();
    for i in 0..evidence.len() {
        if chosen.len() < SHOWN && !chosen.contains(&i) {
            chosen.push(i);
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|i| &evidence[i]).collect()
}

/// CloudTrail file names name account, Region and time and end in a random part: they find the object without its folders.
fn file_name(object: &str) -> &str {
    let name = object.rsplit('/').next().unwrap_or(object);
    if name.contains("_CloudTrail_") { name } else { object }
}

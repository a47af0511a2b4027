//! `--format html`: one file that stands alone: no script, nothing loaded from anywhere. Every text goes through `maud`,
//! which escapes it.

mod controls;
mod coverage;

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Audit;
use super::asked::{drawn, since};
use super::json::integrity;
use super::operating::html::{alerts, suppressions};
use super::style::STYLE;
use crate::compliance::{Integrity, Status};
use crate::finding::{Finding, Proof, Status as FindingStatus, Vouched};
use crate::report::{Report, escape, human};
use crate::view::inventory::KeyRow;

/// Rows of a table that the page shows; the CSV files have all.
pub(super) const ROWS: usize = 500;

/// The page.
pub fn render(audit: &Audit) -> String {
    let run = &audit.report.run;
    let period = period(audit);
    let title = format!("KMS keys, {period}");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.dim { "Keytrail " (run.version) ", report for auditors" }
                    h1 { "AWS KMS keys: " (period) }
                    p { "Evidence, not an opinion: what AWS CloudTrail logs prove of the controls below, what they cannot prove, and what else to ask for." }
                    nav aria-label="Sections" { ul {
                        @for (id, name) in SECTIONS { @if is_there(audit, id) { li { a href={"#" (id)} { (name) } } } }
                    } }
                }
                main {
                    (summary(audit))
                    @if let Some(comparison) = &audit.comparison { (since(audit, comparison)) }
                    (scope(audit))
                    (coverage::section(audit))
                    span id="controls" {}
                    @for (framework, assessments) in &audit.frameworks {
                        section aria-labelledby={"f-" (framework.id)} {
                            h2 id={"f-" (framework.id)} { (framework.name) }
                            p.dim { "Mapping " (framework.mapping) ", in our words. The text itself: " span.id { (framework.source) } }
                            (controls::table(&framework.id, &framework.controls, assessments))
                            @for (control, assessment) in framework.controls.iter().zip(assessments) {
                                (controls::one(&framework.id, control, assessment, audit))
                            }
                        }
                    }
                    (findings(audit))
                    (alerts(audit))
                    (suppressions(audit))
                    (keys(audit))
                    (changes(audit))
                    @if let Some(sample) = &audit.sample { (drawn(audit, sample)) }
                    (limits(audit))
                }
            }
        }
    };
    page.into_string()
}

const SECTIONS: [(&str, &str); 12] = [
    ("summary", "Summary"),
    ("since", "Since the earlier report"),
    ("scope", "Scope and method"),
    ("coverage", "Coverage"),
    ("controls", "Controls"),
    ("findings", "Findings"),
    ("alerts", "Alerts"),
    ("suppressions", "Suppressions"),
    ("keys", "Keys"),
    ("changes", "Changes of keys"),
    ("sample", "Sample"),
    ("limits", "Limits"),
];

fn is_there(audit: &Audit, section: &str) -> bool {
    match section {
        "since" => audit.comparison.is_some(),
        "sample" => audit.sample.is_some(),
        _ => true,
    }
}

pub(super) fn text(text: &str) -> String {
    escape::terminal(text).into_owned()
}

fn period(audit: &Audit) -> String {
    let run = &audit.report.run;
    let span = audit.report.coverage.span;
    let day = |ms: i64| human::time(ms).chars().take(10).collect::<String>();
    let from = run.from.or(span.map(|span| span.0));
    let to = run.to.map(|to| to - 1).or(span.map(|span| span.1));
    match (from, to) {
        (Some(from), Some(to)) => format!("{} to {}", day(from), day(to)),
        _ => "no event".into(),
    }
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Contradicted => "s-contradicted",
        Status::Partial => "s-partial",
        Status::Satisfied => "s-satisfied",
        Status::NotDeterminable | Status::NotApplicable => "s-not",
    }
}

fn summary(audit: &Audit) -> Markup {
    let open = audit.report.findings.iter().filter(|finding| finding.status == FindingStatus::Open);
    let mut severities: BTreeMap<_, usize> = BTreeMap::new();
    for finding in open {
        *severities.entry(finding.severity).or_default() += 1;
    }
    html! {
        section aria-labelledby="summary" {
            h2 id="summary" { "Summary" }
            ul.tally {
                @for (status, count) in audit.tally() {
                    li { b { (count) } span class=(class(status)) { (status.id()) } }
                }
            }
            p {
                (human::count(audit.keys.len() as u64, "key")) " in "
                (human::count(audit.report.coverage.accounts.len() as u64, "account")) " and "
                (human::count(audit.report.coverage.regions.len() as u64, "Region")) "; open findings: "
                @if severities.is_empty() { "none" }
                @for (i, (severity, count)) in severities.iter().rev().enumerate() {
                    @if i > 0 { ", " } (count) " " (severity.id())
                }
                ". The logs are " b { (integrity(audit.integrity)) } "."
            }
        }
    }
}

fn scope(audit: &Audit) -> Markup {
    let (run, coverage) = (&audit.report.run, &audit.report.coverage);
    let list = |items: &mut dyn Iterator<Item = &String>| items.map(|item| text(item)).collect::<Vec<_>>().join(", ");
    html! {
        section aria-labelledby="scope" {
            h2 id="scope" { "Scope and method" }
            dl {
                dt { "Sources" } dd.id { (list(&mut run.sources.iter())) }
                dt { "Accounts" } dd { (list(&mut coverage.accounts.iter())) }
                dt { "Regions" } dd { (list(&mut coverage.regions.iter())) }
                dt { "As of" } dd { (run.as_of.map_or("nothing was read".into(), |at| format!("{} UTC", human::time(at)))) }
                dt { "Objects" } dd { (human::number(coverage.objects.read)) " of " (human::number(coverage.objects.seen)) " read" }
                dt { "Events" } dd { (human::number(coverage.records.kms)) " of KMS, " (human::number(coverage.records.related)) " of other services about keys; " (human::number(coverage.records.duplicates)) " copies left out" }
                dt { "Rules" } dd { (run.rules_run.join(", ")) }
                (super::inventoried::scope(coverage))
                dt { "Settings" } dd.id { (run.settings_digest) }
                dt { "Integrity" } dd { (integrity(audit.integrity)) @if audit.integrity == Integrity::Unverified { ": no public keys were given (" code { "--public-keys" } "), so nothing vouches for the logs and no control is satisfied" } @else { ": " (vouched(&audit.report)) } }
                @if let Some(inputs) = &audit.report.inputs { dt { "Manifest of the input" } dd { span.id { "SHA-256 " (inputs.digest()) } " over " (human::count(inputs.all().len() as u64, "object")) ", one JSON line each: name, size, SHA-256, in the order of the names (" code { "inputs.ndjson" } " of the evidence pack)" } }
            }
            p { "Every record is read, deduplicated by its event id, and folded into the history of its key. A finding names the records that it rests on; " code { "keytrail explain ID SOURCE" } " shows each of them as CloudTrail wrote it, and the command that fetches it without this program. The same logs and the same as-of instant give the same report, byte by byte." }
        }
    }
}

/// Objects that were read, by what the digests say of them.
fn vouched(report: &Report) -> String {
    let counts = report.vouched();
    let all = Vouched::ALL.into_iter().filter_map(|vouched| Some((vouched, counts.get(&vouched)?)));
    let parts: Vec<String> = all.map(|(vouched, n)| format!("{} {}", human::number(*n), vouched.id())).collect();
    format!("objects that were read: {}", parts.join(", "))
}

fn findings(audit: &Audit) -> Markup {
    let findings = &audit.report.findings;
    html! {
        section aria-labelledby="findings" {
            h2 id="findings" { "Findings" }
            @if findings.is_empty() { p { "None." } }
            @for finding in findings.iter().take(ROWS) { (finding_of(finding)) }
            @if findings.len() > ROWS { p.dim { "and " (findings.len() - ROWS) " more in the JSON" } }
        }
    }
}

fn finding_of(finding: &Finding) -> Markup {
    html! {
        details {
            summary { b { (finding.severity.id()) } " " (text(&finding.title)) " " span.dim { "(" (finding.status.id()) ", confidence " (finding.confidence.id()) ")" } }
            dl.target id={"x-" (finding.id)} {
                dt { "Rule" } dd { (finding.rule) }
                dt { "Where" } dd { (text(&finding.account)) " " (text(&finding.region)) }
                @if let Some(key) = &finding.key { dt { "Key" } dd.id { (text(&key.arn)) } }
                @if let Some(who) = &finding.principal { dt { "Who" } dd.id { (text(&who.arn)) } }
                dt { "Seen" } dd { (human::time(finding.first_seen)) " to " (human::time(finding.last_seen)) " UTC, " (human::number(finding.count)) " ×" }
                @for fact in &finding.facts { dt { (fact.label) } dd { (text(&fact.value)) } }
                dt { "Id" } dd.id { (finding.id) }
            }
            div.scroll tabindex="0" role="region" aria-label={ "Records of finding " (finding.id) } { table {
                caption { "Records that it rests on" }
                thead { tr { th scope="col" { "Role" } th scope="col" { "Time (UTC)" } th scope="col" { "Event" } th scope="col" { "Event id" } th scope="col" { "Object and record" } th scope="col" { "SHA-256 and digest verdict" } } }
                tbody { @for evidence in &finding.evidence {
                    tr {
                        td { (evidence.role.id()) } td { (human::time(evidence.time)) }
                        td { (text(&evidence.event_name)) @if let Some(error) = &evidence.error_code { " " (text(error)) } }
                        td.id { (text(&evidence.event_id)) } td.id { (text(&evidence.object)) ":" (evidence.record) }
                        td { (proof(evidence.proof.as_ref())) }
                    }
                } }
            } }
        }
    }
}

pub(super) fn proof(proof: Option<&Proof>) -> Markup {
    html! {
        @if let Some(proof) = proof {
            @if let Some(sha256) = &proof.sha256 { span.id { (sha256) } " " }
            (proof.vouched.id())
        }
    }
}

fn keys(audit: &Audit) -> Markup {
    let unknown = "unknown";
    let day = |ms: Option<i64>| ms.map_or(unknown.to_string(), |ms| human::time(ms).chars().take(10).collect());
    let state = |key: &KeyRow| key.state.map_or(unknown, |stands| stands.state.id());
    html! {
        section aria-labelledby="keys" {
            h2 id="keys" { "Keys" }
            p { "Every key that an event in the log names. What the log does not tell is unknown, never guessed." }
            div.scroll tabindex="0" role="region" aria-label="Table of keys" { table {
                caption { (human::count(audit.keys.len() as u64, "key")) }
                thead { tr { @for name in ["Key", "Account", "Region", "State", "Rotation", "Last rotation", "Created", "Last use"] { th scope="col" { (name) } } th.n scope="col" { "Uses" } th.n scope="col" { "Open grants" } } }
                tbody { @for key in audit.keys.iter().take(ROWS) {
                    tr {
                        th scope="row" { (text(key.label())) br; span.id { (text(&key.id)) } }
                        td { (text(&key.account)) } td { (text(&key.region)) } td { (state(key)) }
                        td { (crate::report::keys::rotation(key.rotation)) @if let Some(days) = key.rotation_days { ", " (days) " days" } }
                        td { (day(key.last_rotation)) } td { (day(key.created)) } td { (day(key.used.map(|used| used.1))) }
                        td.n { (human::number(key.uses)) } td.n { (human::number(key.open_grants)) }
                    }
                } }
            } }
            @if audit.keys.len() > ROWS { p.dim { "and " (audit.keys.len() - ROWS) " more in keys.csv" } }
        }
    }
}

fn changes(audit: &Audit) -> Markup {
    html! {
        section aria-labelledby="changes" {
            h2 id="changes" { "Changes of keys" }
            p { "The whole population of calls that changed a key, or tried to, but for grants that a service made or let go by itself: take a sample of them and ask for the approval of each." }
            div.scroll tabindex="0" role="region" aria-label="Table of changes" { table {
                caption { (human::count(audit.changes.len() as u64, "call")) }
                thead { tr { @for name in ["Time (UTC)", "Key", "What", "Who", "Event id", "Object and record", "SHA-256 and digest verdict"] { th scope="col" { (name) } } } }
                tbody { @for (key, entry) in audit.changes.iter().take(ROWS) {
                    tr { td { (human::time(entry.from)) } td.id { (text(key)) } td { (text(&entry.what)) } td { (text(&entry.who)) } td.id { (text(&entry.event_id)) } td.id { (text(&entry.object)) ":" (entry.record()) } td { (proof(audit.proof(&entry.object))) } }
                } }
            } }
            @if audit.changes.len() > ROWS { p.dim { "and " (audit.changes.len() - ROWS) " more in changes.csv" } }
        }
    }
}

fn limits(audit: &Audit) -> Markup {
    html! {
        section aria-labelledby="limits" {
            h2 id="limits" { "Limits" }
            ul {
                li { "CloudTrail is evidence of activity, not of configuration. A key, policy or grant that no event names is not in this report." }
                li { "Satisfied is said only where the logs were validated, every object was read, no hour is unproved, and the accounts and Regions that must be there were named beforehand." }
                li { "Statuses are " @for (i, status) in Status::ALL.iter().enumerate() { @if i > 0 { ", " } (status.id()) } ". None of them is a certification." }
                @for notice in &audit.report.notices { li { (text(notice)) } }
            }
        }
    }
}

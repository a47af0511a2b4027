//! Sections of the page that are there when somebody asks for them.

use maud::{Markup, html};

use super::html::{ROWS, proof, text};
use super::{Audit, Comparison, METHOD, Point, Reconciled, Reconciliation, Sample};
use crate::compliance::Status;
use crate::finding::Severity;
use crate::report::human;

/// What must be there, against what the logs speak of.
pub(super) fn expected(reconciliation: &Reconciliation) -> Markup {
    let kinds = [
        ("Accounts", &reconciliation.accounts),
        ("Regions of accounts", &reconciliation.regions),
        ("Keys", &reconciliation.keys),
    ];
    html! {
        h3 { "Expected and found" }
        div.scroll tabindex="0" role="region" aria-label="Expected and found" { table {
            caption { "What must be there, as said from outside of the logs" }
            thead { tr { th scope="col" { "What" } th.n scope="col" { "Expected" } th scope="col" { "Expected, and not in the log" } th scope="col" { "In the log, and not expected" } } }
            tbody { @for (what, of) in kinds { tr {
                th scope="row" { (what) }
                @match of {
                    None => { td.n { "-" } td { "nothing was said about which there are: no control is more than partial" } td { "-" } }
                    Some(Reconciled { expected, missing, surplus }) => { td.n { (expected) } td { (names(missing)) } td { (names(surplus)) } }
                }
            } } }
        } }
    }
}

fn names(names: &[String]) -> Markup {
    html! {
        @if names.is_empty() { "none" }
        @for (i, name) in names.iter().take(ROWS).enumerate() { @if i > 0 { ", " } span.id { (text(name)) } }
        @if names.len() > ROWS { " and " (names.len() - ROWS) " more in the JSON" }
    }
}

/// What changed since the earlier report.
pub(super) fn since(audit: &Audit, comparison: &Comparison) -> Markup {
    let findings = [("New", &comparison.new), ("Persisting", &comparison.persisting)];
    html! {
        section aria-labelledby="since" {
            h2 id="since" { "Since the earlier report" }
            p { (human::count(comparison.new.len() as u64, "finding")) " new, " (comparison.persisting.len()) " persisting, " (comparison.fixed.len()) " not open any more; " (human::count(comparison.moved.len() as u64, "control")) " with another status." }
            @if !comparison.mismatches.is_empty() {
                h3 { "What makes the two hard to compare" }
                ul { @for mismatch in &comparison.mismatches { li { (text(mismatch)) } } }
            }
            (trend(&comparison.trend))
            @if !comparison.moved.is_empty() {
                h3 { "Controls with another status" }
                div.scroll tabindex="0" role="region" aria-label="Controls with another status" { table {
                    caption { "Status then and now" }
                    thead { tr { th scope="col" { "Framework" } th scope="col" { "Control" } th scope="col" { "Then" } th scope="col" { "Now" } } }
                    tbody { @for moved in comparison.moved.iter().take(ROWS) { tr {
                        td { (text(&moved.framework)) } th scope="row" { (text(&moved.control)) }
                        td { (text(moved.before.as_deref().unwrap_or("not in it"))) } td { (moved.now.as_deref().unwrap_or("not in it")) }
                    } } }
                } }
            }
            @for (name, places) in findings { @if !places.is_empty() {
                h3 { (name) }
                ul { @for finding in places.iter().take(ROWS).filter_map(|at| audit.report.findings.get(*at)) {
                    li { a href={"#x-" (finding.id)} { (text(&finding.title)) } " (" (finding.severity.id()) ")" }
                } }
                @if places.len() > ROWS { p.dim { "and " (places.len() - ROWS) " more in the JSON" } }
            } }
            @if !comparison.fixed.is_empty() {
                h3 { "Not open any more" }
                ul { @for fixed in comparison.fixed.iter().take(ROWS) {
                    li { (text(&fixed.title)) " (" (text(&fixed.severity)) ", " @if fixed.now == "absent" { "no such finding in this report" } @else { (fixed.now) } ") " span.id { (text(&fixed.id)) } }
                } }
                @if comparison.fixed.len() > ROWS { p.dim { "and " (comparison.fixed.len() - ROWS) " more in the JSON" } }
            }
        }
    }
}

fn trend(points: &[Point]) -> Markup {
    let day = |at: &Option<String>| text(at.as_deref().unwrap_or("-").get(..10).unwrap_or("-"));
    html! {
        div.scroll tabindex="0" role="region" aria-label="Trend" { table {
            caption { "Trend: open findings by severity, controls by status" }
            thead { tr {
                th scope="col" { "As of" } th scope="col" { "Period" }
                @for severity in Severity::ALL.iter().rev() { th.n scope="col" { (severity.id()) } }
                @for status in Status::ALL { th.n scope="col" { (status.id()) } }
            } }
            tbody { @for point in points { tr {
                th scope="row" { (day(&point.as_of)) }
                td { @if point.from.is_some() || point.to.is_some() { (day(&point.from)) " to " (day(&point.to)) } @else { "all that was there" } }
                @for severity in Severity::ALL.iter().rev() { td.n { (point.open.get(severity.id()).copied().unwrap_or(0)) } }
                @for status in Status::ALL { td.n { (point.controls.get(status.id()).copied().unwrap_or(0)) } }
            } } }
        } }
    }
}

/// The calls that were drawn.
pub(super) fn drawn(audit: &Audit, sample: &Sample) -> Markup {
    html! {
        section aria-labelledby="sample" {
            h2 id="sample" { "Sample" }
            p { (sample.drawn.len()) " of " (human::count(audit.changes.len() as u64, "call")) " that changed a key, drawn with the seed " span.id { (text(&sample.seed)) } ". Drawn are, by " (METHOD) ". Whoever has changes.csv can draw them again. Ask for the approval of each." }
            div.scroll tabindex="0" role="region" aria-label="Table of the sample" { table {
                caption { (human::count(sample.drawn.len() as u64, "call")) ", in the order of the draw" }
                thead { tr { @for name in ["Time (UTC)", "Key", "What", "Who", "Event id", "Object and record", "SHA-256 and digest verdict", "Draw"] { th scope="col" { (name) } } } }
                tbody { @for (place, hash) in sample.drawn.iter().take(ROWS) { @if let Some((key, entry)) = audit.changes.get(*place) { tr {
                    td { (human::time(entry.from)) } td.id { (text(key)) } td { (text(&entry.what)) } td { (text(&entry.who)) } td.id { (text(&entry.event_id)) }
                    td.id { (text(&entry.object)) ":" (entry.record()) } td { (proof(audit.proof(&entry.object))) } td.id { (hash.chars().take(16).collect::<String>()) }
                } } } }
            } }
            @if sample.drawn.len() > ROWS { p.dim { "and " (sample.drawn.len() - ROWS) " more in sample.csv" } }
        }
    }
}

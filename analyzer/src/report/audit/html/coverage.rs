//! What was looked at: a heat map of hours, what was expected and is not there, and what could not be read.

use maud::{Markup, html};

use super::super::{Audit, asked};
use super::{ROWS, text};
use crate::report::human;

/// Days that the heat map shows one by one; a longer period is shown by weeks.
const DAYS: usize = 45;

pub(super) fn section(audit: &Audit) -> Markup {
    let coverage = &audit.report.coverage;
    let first = coverage.days.values().filter_map(|days| days.keys().next()).min().copied();
    let last = coverage.days.values().filter_map(|days| days.keys().next_back()).max().copied();
    let (Some(first), Some(last)) = (first, last) else {
        return html! { section aria-labelledby="coverage" { h2 id="coverage" { "Coverage" } p { "No log was read." } } };
    };
    let step = if (last - first) as usize >= DAYS { 7 } else { 1 };
    let columns: Vec<i64> = (first..=last).step_by(step).collect();
    let day = |day: i64| human::time(day * 86_400_000).chars().skip(5).take(5).collect::<String>();
    html! {
        section aria-labelledby="coverage" {
            h2 id="coverage" { "Coverage" }
            p { "Hours of each " (if step == 7 { "week" } else { "day" }) " in which a log of the account and Region speaks. CloudTrail writes nothing in a quiet hour: without a validated digest an hour without a log is unproved, neither idle nor lost." }
            (asked::expected(&audit.expected))
            h3 { "Hours with a log" }
            div.scroll tabindex="0" role="region" aria-label="Hours with a log" {
                table.heat {
                    caption { "Hours with a log, of " (24 * step) }
                    thead { tr { th scope="col" { "Account" } th scope="col" { "Region" } @for &column in &columns { th scope="col" { (day(column)) } } } }
                    tbody {
                        @for ((account, region), days) in coverage.days.iter().take(ROWS) {
                            tr {
                                th scope="row" { (text(account)) } td { (text(region)) }
                                @for &column in &columns {
                                    @let hours: u32 = days.range(column..column + step as i64).map(|(_, hours)| hours).sum();
                                    td class={"h" (shade(hours, step))} { (hours) }
                                }
                            }
                        }
                    }
                }
            }
            @if coverage.days.len() > ROWS { p.dim { "and " (coverage.days.len() - ROWS) " more in the JSON" } }
            @if let Some(integrity) = audit.report.integrity.as_ref().filter(|integrity| integrity.problems > 0) {
                h3 { "What validating the logs found" }
                ul { @for problem in &integrity.first { li { span.id { (text(problem)) } } } }
            }
            @if !coverage.blind.is_empty() {
                h3 { "Trails that did not log KMS" }
                ul { @for window in coverage.blind.iter().take(ROWS) {
                    li { (window.what.id()) ": " span.id { (text(&window.trail)) } " from " (human::time(window.from)) " UTC "
                        @match window.to { Some(to) => { "to " (human::time(to)) " UTC" } None => { "on" } } ", by " span.id { (text(&window.by)) } }
                } }
            }
            @let unread: Vec<_> = coverage.skipped.iter().filter(|skipped| !skipped.reason.is_expected()).collect();
            @if !unread.is_empty() {
                h3 { "Objects that could not be read" }
                ul { @for skipped in unread.iter().take(ROWS) { li { span.id { (text(&skipped.object)) } ": " (skipped.reason.meaning()) } } }
            }
        }
    }
}

fn shade(hours: u32, step: usize) -> u32 {
    match (hours, hours * 3 >= 24 * step as u32 * 2, hours * 3 >= 24 * step as u32) {
        (0, ..) => 0,
        (_, true, _) => 3,
        (_, _, true) => 2,
        _ => 1,
    }
}

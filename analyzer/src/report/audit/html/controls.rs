//! The controls of a framework: a table of all, and then each with what speaks for it and against it.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::super::Audit;
use super::{ROWS, class, text};
use crate::compliance::{Assessment, Control, Status};
use crate::report::human;

/// Unlike for controls of unlike ids: what may not stand in an anchor stands there as its code.
fn anchor(framework: &str, control: &Control) -> String {
    let mut anchor = format!("c-{framework}-");
    for c in control.id.chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            anchor.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(anchor, "_{:x}_", u32::from(c));
        }
    }
    anchor
}

pub(super) fn table(framework: &str, controls: &[Control], assessments: &[Assessment]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Controls of " (framework) } {
            table {
                caption { "Controls and what the log proves of them" }
                thead { tr { th scope="col" { "Control" } th scope="col" { "What it asks for" } th scope="col" { "Status" } th scope="col" { "Because" } } }
                tbody { @for (control, assessment) in controls.iter().zip(assessments) {
                    tr {
                        th scope="row" { a href={"#" (anchor(framework, control))} { (control.id) } }
                        td { (control.title) }
                        td class=(class(assessment.status)) { (assessment.status.id()) }
                        td { (assessment.because) }
                    }
                } }
            }
        }
    }
}

pub(super) fn one(framework: &str, control: &Control, assessment: &Assessment, audit: &Audit) -> Markup {
    let of = |index: usize| &audit.report.findings[index];
    html! {
        // The target of links stands inside: a browser opens what it is in, scripts or not.
        details open[assessment.status == Status::Contradicted] {
            summary { b { (control.id) } " " (control.title) ": " span class=(class(assessment.status)) { (assessment.status.id()) } }
            p.target id=(anchor(framework, control)) { (assessment.because) "." }
            @if !assessment.against.is_empty() {
                h3 { "Findings" }
                ul { @for evidence in assessment.against.iter().take(ROWS) {
                    @let finding = of(evidence.finding);
                    li { a href={"#x-" (finding.id)} { (text(&finding.title)) } " (" (finding.severity.id()) ", " (finding.status.id()) @if !evidence.decides { ", decides nothing" } ")" }
                } }
            }
            @if !assessment.events.is_empty() {
                p { "Operated in the period: " @for (i, (name, count)) in assessment.events.iter().enumerate() { @if i > 0 { ", " } (name) " " (human::number(*count)) " ×" } "." }
            }
            @if !assessment.operated.is_empty() {
                h3 { "Told" }
                ul { @for what in &assessment.operated { li { (what) } } }
                p { a href="#alerts" { "The records" } }
            }
            @if !assessment.limits.is_empty() {
                h3 { "Not proved" }
                ul { @for limit in &assessment.limits { li { (limit.0) } } }
            }
            h3 { "What no log can show" }
            p { (control.cannot) }
            @if !control.ask.is_empty() {
                h3 { "Ask for" }
                ul { @for ask in &control.ask { li { (ask) } } }
            }
        }
    }
}

//! Alerts, drills and suppressions on the page.

use maud::{Markup, html};

use super::super::{
    Audit,
    html::{ROWS, text},
};
use super::{Incident, Kind, Operating, Telling};
use crate::config::Applied;
use crate::report::human;

/// The section on alerts.
pub(in crate::report::audit) fn alerts(audit: &Audit) -> Markup {
    html! {
        section aria-labelledby="alerts" {
            h2 id="alerts" { "Alerts" }
            @match &audit.operating {
                None => { p { "No source is a lake that alerts are sent from: nothing here shows that anybody is told of anything." } }
                Some(operating) => {
                    p { "What the lake keeps of each incident and sink, and of test messages. These records are this program's own and signed by nobody: hold some of them against the mailbox, channel or ticket that took the message. A sink that took a message is no person who read it." }
                    @if operating.is_silent() { p { "The lake holds no record of an alert or of a drill." } }
                    (delays(operating))
                    (incidents(operating))
                    (drills(operating))
                    @if !operating.damaged.is_empty() {
                        h3 { "Records that could not be understood" }
                        ul { @for (file, reason) in operating.damaged.iter().take(ROWS) { li { span.id { (text(file)) } ": " (text(reason)) } } }
                        (more(operating.damaged.len()))
                    }
                }
            }
        }
    }
}

fn more(count: usize) -> Markup {
    html! { @if count > ROWS { p.dim { "and " (count - ROWS) " more in the JSON" } } }
}

fn delays(operating: &Operating) -> Markup {
    if operating.spreads.is_empty() {
        return html! {};
    }
    let columns = ["Median since event", "Worst since event", "Median since delivery", "Worst since delivery"];
    html! {
        h3 { "How long it took" }
        div.scroll tabindex="0" role="region" aria-label="How long it took" { table {
            caption { "From the first event of an incident until a sink took the first message of it" }
            thead { tr { th scope="col" { "How it was told" } th.n scope="col" { "Told" } @for name in columns { th.n scope="col" { (name) } } } }
            tbody { @for kind in Kind::ALL { @if let Some(spread) = operating.spreads.get(&kind) { tr {
                th scope="row" { (kind.id()) ": " (kind.meaning()) } td.n { (spread.count) }
                td.n { (human::duration(spread.median)) } td.n { (human::duration(spread.worst)) }
                @match spread.since_delivery {
                    Some((_, median, worst)) => { td.n { (human::duration(median)) } td.n { (human::duration(worst)) } }
                    None => { td.n { "unknown" } td.n { "unknown" } }
                }
            } } } }
        } }
    }
}

fn incidents(operating: &Operating) -> Markup {
    if operating.incidents.is_empty() {
        return html! {};
    }
    let columns = [
        "Event (UTC)",
        "Incident",
        "Delivered (UTC)",
        "Sink",
        "First told (UTC)",
        "After the event",
        "Last told (UTC)",
        "What came of it",
    ];
    let untold = operating.untold().count();
    html! {
        h3 { "Incidents and who was told" }
        p { (operating.told().count()) " told; "
            @if untold == 0 { "none" } @else { b { (untold) } } " of which nothing shows that anybody was: routed to nobody, below what the sinks take, or not told yet." }
        div.scroll tabindex="0" role="region" aria-label="Incidents and who was told" { table {
            caption { (human::count(operating.incidents.len() as u64, "incident")) ", in the order of their first events" }
            thead { tr { @for name in columns { th scope="col" { (name) } } } }
            tbody { @for incident in operating.incidents.iter().take(ROWS) {
                @for telling in &incident.tellings { (told(incident, telling)) }
                @for unfinished in &incident.unfinished { tr { (begin(incident)) td { (text(&unfinished.sink)) } td { "-" } td { "-" } td { "-" } td { "set out to be told, and not taken" } } }
                @if incident.tellings.is_empty() && incident.unfinished.is_empty() {
                    tr { (begin(incident)) td { "-" } td { "-" } td { "-" } td { "-" } td { @if incident.is_untold() { "told to nobody" } @else { "nobody is to be told" } } }
                }
            } }
        } }
        @if operating.incidents.len() > ROWS { p.dim { "and " (operating.incidents.len() - ROWS) " more in alerts.csv" } }
    }
}

fn begin(incident: &Incident) -> Markup {
    let began = incident.began.as_ref();
    html! {
        td { (began.map_or("not in this report".into(), |began| human::time(began.at))) }
        th scope="row" { (text(&incident.subject)) br; span.dim { (incident.severity.id()) ", " (incident.status) } " " span.id { (text(&incident.id)) } }
        td { (began.and_then(|began| began.delivered).map_or("unknown".into(), human::minute)) }
    }
}

fn told(incident: &Incident, telling: &Telling) -> Markup {
    html! {
        tr {
            (begin(incident))
            td { (text(&telling.sink)) }
            td { (human::time(telling.first_at)) @if !telling.first_alone { " in a digest or summary" } }
            td { (incident.since_event(telling).map_or("unknown".into(), human::duration)) }
            td { (human::time(telling.last_at)) }
            td { (telling.status) ", " (human::count(telling.messages, "message")) br; span.id { (text(&telling.record.path)) } }
        }
    }
}

fn drills(operating: &Operating) -> Markup {
    html! {
        h3 { "Drills" }
        @if operating.drills.is_empty() { p { "No test message in the period: nothing shows that an alert would have arrived." } }
        @else {
            div.scroll tabindex="0" role="region" aria-label="Drills" { table {
                caption { "Test messages to every sink, and what came of them" }
                thead { tr { @for name in ["Time (UTC)", "Outcome", "Sinks", "Record"] { th scope="col" { (name) } } } }
                tbody { @for drill in operating.drills.iter().take(ROWS) { tr {
                    th scope="row" { (human::time(drill.at)) }
                    td { @if drill.is_passed() { "passed" } @else { b { "not passed" } } }
                    td { @if drill.sinks.is_empty() { "none" }
                        @for (i, sink) in drill.sinks.iter().take(ROWS).enumerate() {
                            @if i > 0 { ", " } (text(&sink.sink)) " (" (text(&sink.kind)) ")" @if let Some(reason) = &sink.failed { " failed: " (text(reason)) }
                        } }
                    td.id { (text(&drill.record.path)) }
                } } }
            } }
            (more(operating.drills.len()))
        }
    }
}

/// The section on suppressions.
pub(in crate::report::audit) fn suppressions(audit: &Audit) -> Markup {
    let all = &audit.report.suppressions;
    html! {
        section aria-labelledby="suppressions" {
            h2 id="suppressions" { "Suppressions" }
            @if all.is_empty() { p { "The configuration accepts no finding." } }
            @else {
                p { "Findings that the configuration accepts. They are in this report as suppressed, and decide nothing. Ask who approved each, and whether it should still stand." }
                div.scroll tabindex="0" role="region" aria-label="Table of suppressions" { table {
                    caption { (human::count(all.len() as u64, "suppression")) ", in the order of the configuration" }
                    thead { tr { th.n scope="col" { "Line" } @for name in ["What", "Reason", "Approved by", "Until", "State"] { th scope="col" { (name) } } th.n scope="col" { "Hidden" } } }
                    tbody { @for applied in all.iter().take(ROWS) { (of(applied)) } }
                } }
                (more(all.len()))
            }
        }
    }
}

fn of(applied: &Applied) -> Markup {
    let entry = &applied.entry;
    let scope = [
        ("rule", &entry.rule),
        ("key", &entry.key),
        ("account", &entry.account),
        ("Region", &entry.region),
        ("principal", &entry.principal),
        ("finding", &entry.id),
    ];
    let scope = scope.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    html! {
        tr {
            td.n { (entry.line) }
            th scope="row" { @for (i, (name, value)) in scope.enumerate() { @if i > 0 { ", " } (name) " " span.id { (text(value)) } } }
            td { (text(&entry.reason)) }
            td { (text(entry.approved_by.as_deref().unwrap_or("nobody is named"))) }
            td { @if let Some(day) = entry.until { (day) } @else { "no end" } }
            td { (applied.state()) @if applied.is_expired && applied.matched > 0 { ", no longer hides " (human::count(applied.matched, "finding")) } }
            td.n { (human::number(applied.hidden)) }
        }
    }
}

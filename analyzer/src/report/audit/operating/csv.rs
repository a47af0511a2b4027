//! `alerts.csv` and `suppressions.csv` of the evidence pack.

use super::super::{Audit, csv::table};
use super::{Incident, Telling};
use crate::report::human;

/// One incident and sink per row, and each sink of each drill; an incident that nobody was told of has a row without sink.
pub fn alerts(audit: &Audit) -> String {
    let columns = [
        "kind",
        "incident",
        "status",
        "severity",
        "rules",
        "subject",
        "event_time",
        "event_id",
        "object",
        "record",
        "delivered",
        "sink",
        "told",
        "first_told",
        "last_told",
        "messages",
        "first_alone",
        "seconds_since_event",
        "seconds_since_delivery",
        "reason",
        "evidence",
        "sha256",
    ];
    let mut rows = Vec::new();
    if let Some(operating) = &audit.operating {
        for incident in &operating.incidents {
            rows.extend(incident.tellings.iter().map(|telling| of_telling(incident, telling)));
            rows.extend(incident.unfinished.iter().map(|unfinished| {
                let mut row = begin(incident);
                row.extend([unfinished.sink.clone(), "unfinished".into()]);
                row.extend(std::iter::repeat_n(String::new(), 7));
                row.extend([unfinished.record.path.clone(), unfinished.record.sha256.clone()]);
                row
            }));
            if incident.tellings.is_empty() && incident.unfinished.is_empty() && incident.is_untold() {
                let mut row = begin(incident);
                row.extend([String::new(), "nobody".into()]);
                row.extend(std::iter::repeat_n(String::new(), 9));
                rows.push(row);
            }
        }
        for drill in &operating.drills {
            for sink in &drill.sinks {
                let mut row = vec!["drill".to_owned()];
                row.extend(std::iter::repeat_n(String::new(), 10));
                let told = if sink.failed.is_none() { "sent" } else { "failed" };
                row.extend([sink.sink.clone(), told.into(), human::rfc3339(drill.at), human::rfc3339(drill.at)]);
                row.extend(["1".into(), "true".into(), String::new(), String::new()]);
                row.push(sink.failed.clone().unwrap_or_default());
                row.extend([drill.record.path.clone(), drill.record.sha256.clone()]);
                rows.push(row);
            }
        }
    }
    table(&columns, rows.into_iter())
}

fn begin(incident: &Incident) -> Vec<String> {
    let began = incident.began.as_ref();
    let record = began.and_then(|began| began.record.as_ref());
    vec![
        "incident".into(),
        incident.id.clone(),
        incident.status.into(),
        incident.severity.id().into(),
        incident.rules.iter().cloned().collect::<Vec<_>>().join(" "),
        incident.subject.clone(),
        began.map(|began| human::rfc3339(began.at)).unwrap_or_default(),
        record.map(|record| record.0.clone()).unwrap_or_default(),
        record.map(|record| record.1.clone()).unwrap_or_default(),
        record.map(|record| record.2.to_string()).unwrap_or_default(),
        began.and_then(|began| began.delivered).map(human::rfc3339).unwrap_or_default(),
    ]
}

fn of_telling(incident: &Incident, telling: &Telling) -> Vec<String> {
    let seconds = |delay: Option<i64>| delay.map(|ms| (ms / 1000).to_string()).unwrap_or_default();
    let mut row = begin(incident);
    row.extend([
        telling.sink.clone(),
        telling.status.into(),
        human::rfc3339(telling.first_at),
        human::rfc3339(telling.last_at),
        telling.messages.to_string(),
        telling.first_alone.to_string(),
        seconds(incident.since_event(telling)),
        seconds(incident.since_delivery(telling)),
        String::new(),
        telling.record.path.clone(),
        telling.record.sha256.clone(),
    ]);
    row
}

/// One suppression of the configuration per row, with what it hid.
pub fn suppressions(audit: &Audit) -> String {
    let columns = [
        "line",
        "rule",
        "key",
        "account",
        "region",
        "principal",
        "finding",
        "reason",
        "approved_by",
        "until",
        "state",
        "matched",
        "hidden",
    ];
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let rows = audit.report.suppressions.iter().map(|applied| {
        let entry = &applied.entry;
        vec![
            entry.line.to_string(),
            text(&entry.rule),
            text(&entry.key),
            text(&entry.account),
            text(&entry.region),
            text(&entry.principal),
            text(&entry.id),
            entry.reason.clone(),
            text(&entry.approved_by),
            entry.until.map(|day| day.to_string()).unwrap_or_default(),
            applied.state().into(),
            applied.matched.to_string(),
            applied.hidden.to_string(),
        ]
    });
    table(&columns, rows)
}

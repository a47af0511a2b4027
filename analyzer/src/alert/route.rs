//! THE routing table: which findings page. Everything else waits for the digest.

pub use crate::config::SILENCE;
use crate::config::{Alerting, Route};
use crate::finding::{Finding, Severity, Status};

use super::incident::Incident;

/// From which severity on a rule's findings page; `None` never. A rule that is not listed pages from `high` on. The pages
/// of the rules say why (`Does it page`). A silence pages: what nobody logs, no rule tells of.
pub static ROUTES: [(&str, Option<Severity>); 20] = [
    ("admin-uses-key", None),
    ("alias-moved", Some(Severity::High)),
    (SILENCE, Some(Severity::High)),
    ("disabled-key-failure", Some(Severity::Medium)),
    ("imported-material-deleted", Some(Severity::High)),
    ("key-deletion-scheduled", Some(Severity::High)),
    ("key-disabled", Some(Severity::High)),
    ("key-store-changed", Some(Severity::High)),
    ("missing-rotation", None),
    ("over-broad-grant", Some(Severity::High)),
    ("over-broad-iam-policy", None),
    ("over-broad-key-policy", Some(Severity::High)),
    ("policy-lockout", Some(Severity::High)),
    ("ransom-chain", Some(Severity::Info)),
    ("replica-outside-regions", Some(Severity::High)),
    ("root-uses-key", Some(Severity::High)),
    ("rotation-disabled", None),
    ("trail-key-cut-off", Some(Severity::High)),
    ("unused-key", None),
    ("unusual-decrypt-rate", Some(Severity::High)),
];

/// From which severity on a rule's findings page, as shipped; `None` never.
pub fn pages_from(rule: &str) -> Option<Severity> {
    ROUTES.iter().find(|(id, _)| *id == rule).map_or(Some(Severity::High), |(_, least)| *least)
}

/// How urgent a finding is: by the configuration, else by the table.
pub fn of_finding(finding: &Finding, alerting: &Alerting) -> Route {
    if matches!(finding.status, Status::Suppressed { .. }) {
        return Route::Off;
    }
    let chosen = alerting.routes.get(finding.rule).copied();
    let shipped = || {
        if pages_from(finding.rule).is_some_and(|least| finding.severity >= least) {
            Route::Page
        } else {
            Route::Digest
        }
    };
    match chosen.unwrap_or_else(shipped) {
        // What is over when it is first seen can wait for the morning.
        Route::Page if finding.status == Status::Closed => Route::Digest,
        route => route,
    }
}

/// The most urgent of the findings that `counts` picks.
pub fn of_incident(incident: &Incident, alerting: &Alerting, counts: impl Fn(&Finding) -> bool) -> Route {
    let findings = incident.findings.iter().filter(|finding| counts(finding));
    findings.map(|finding| of_finding(finding, alerting)).max().unwrap_or(Route::Off)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{self, RULES};

    #[test]
    fn the_table_says_what_the_pages_of_the_rules_say() {
        assert!(ROUTES.is_sorted_by(|a, b| a.0 < b.0));
        for (rule, _) in ROUTES {
            assert!(rule == SILENCE || rules::find(rule).is_some(), "{rule} is no rule");
        }
        for rule in RULES {
            let page = rule.doc.split("## Does it page").nth(1).unwrap().trim_start();
            let said = page.split("Timing").next().unwrap().trim();
            match pages_from(rule.id) {
                None => assert!(said.starts_with("No"), "{}: {said}", rule.id),
                Some(Severity::Info) => assert!(said.starts_with("Yes."), "{}: {said}", rule.id),
                Some(least) => assert!(said.contains(&format!("`{}`", least.id())), "{}: {said}", rule.id),
            }
        }
    }
}

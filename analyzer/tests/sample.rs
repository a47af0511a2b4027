//! The shipped sample: what must fire fires once, and every near miss stays quiet.

#![expect(clippy::unwrap_used, reason = "a test says by failing that it cannot go on")]

use std::path::Path;

use keytrail::config::Settings;
use keytrail::finding::{Finding, Severity};
use keytrail::pipeline::{Progress, ScanOptions, scan};
use keytrail_fixtures::story::EXPECTED;

struct Silent;
impl Progress for Silent {}

fn findings() -> Vec<Finding> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/sample");
    let options = ScanOptions::new(vec![sample.to_string_lossy().into_owned()], Settings::default());
    scan(&options, &Silent).unwrap().findings
}

#[test]
fn expectations_hold() {
    let findings = findings();
    let mut problems = Vec::new();
    for expected in EXPECTED {
        let own: Vec<&Finding> = findings
            .iter()
            .filter(|finding| finding.rule == expected.rule && finding.severity > Severity::Info)
            .filter(|finding| finding.key.as_ref().is_some_and(|key| key.arn == expected.key_arn()))
            .collect();
        if own.len() != usize::from(expected.fires) {
            let titles: Vec<&str> = own.iter().map(|finding| finding.title.as_str()).collect();
            problems.push(format!("{} on {} ({}): {titles:?}", expected.rule, expected.alias, expected.note));
        }
    }
    assert!(problems.is_empty(), "{problems:#?}");
    let fires = EXPECTED.iter().filter(|expected| expected.fires).count();
    let above_info = findings.iter().filter(|finding| finding.severity > Severity::Info).count();
    assert_eq!(above_info, fires, "nothing fires but what is expected");
    assert!(EXPECTED.iter().filter(|expected| !expected.fires).count() >= 12, "a dozen near misses");
}

#[test]
fn the_outage_of_the_sample_is_told_in_full() {
    let findings = findings();
    let payments = findings
        .iter()
        .find(|finding| finding.rule == "disabled-key-failure" && finding.title.starts_with("alias/payments"))
        .unwrap();
    let names: Vec<(&str, &str)> =
        payments.evidence.iter().map(|evidence| (evidence.role.id(), evidence.event_name.as_str())).collect();
    assert_eq!(names.first(), Some(&("cause", "DisableKey")));
    assert!(names.contains(&("primary", "AttachVolume")), "joined through the volume: {names:?}");
    assert!(names.contains(&("resolution", "Decrypt")), "{names:?}");
    assert_eq!(payments.status.id(), "closed");
}

//! Reports made by hand, for the tests of the renderers and of the command line.

use std::collections::BTreeMap;

use super::{Report, Run};
use crate::decode::{Note, RejectReason, SkipReason};
use crate::finding::{
    Confidence, Detail, Evidence, Fact, Finding, KeyRef, Principal, Role, Severity, Status, fingerprint,
};
use crate::view::coverage::{BlindWindow, Blindness, Bytes, Coverage, Gap, Objects, Records, RejectedAt, Skipped};

/// 2026-03-01 09:14:07 UTC.
const START: i64 = 1_772_356_447_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const LOGS: &str = "s3://trail-bucket/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/03/01/";

/// One finding of each status, and every kind of thing that was not looked at.
pub(crate) fn report() -> Report {
    Report {
        run: Run { rules_skipped: vec![("cost-hotspot", "no price list in the configuration".to_string())], ..run() },
        coverage: coverage(),
        findings: vec![deletion(), failures(), grant()],
        suppressions: Vec::new(),
        notices: vec!["suppression 2 matched nothing: over-broad-grant on alias/old".to_string()],
        inputs: None,
        integrity: None,
    }
}

/// A complete run without findings.
pub(crate) fn empty() -> Report {
    let coverage = Coverage {
        objects: Objects { seen: 2, read: 2, ..Objects::default() },
        records: Records { seen: 40, kms: 12, ..Records::default() },
        operations: BTreeMap::from([("Decrypt".to_string(), 12)]),
        bytes: Bytes { compressed: 2048, inflated: 40_960 },
        span: Some((START, START + 2 * HOUR)),
        accounts: ["111122223333".to_string()].into(),
        regions: ["eu-central-1".to_string()].into(),
        hours_logged: 3,
        ..Coverage::default()
    };
    Report {
        run: run(),
        coverage,
        findings: Vec::new(),
        suppressions: Vec::new(),
        notices: Vec::new(),
        inputs: None,
        integrity: None,
    }
}

/// The report with hostile text in every member that a log writer, a file name or a policy author can choose.
pub(crate) fn hostile() -> Report {
    const EVIL: &str = "=cmd|'/C calc'!A0 \u{1b}[2J\u{1b}]0;owned\u{7}\r\nfake: line \u{202e}gpj\u{2066}\u{200b}\u{9b}31m \"quoted\", 'single' \\ <b>&\0";
    let evil = || EVIL.to_string();
    let mut report = report();
    for finding in &mut report.findings {
        finding.title = evil();
        finding.account = evil();
        finding.region = evil();
        finding.key = Some(KeyRef { arn: evil(), id: evil(), alias: Some(evil()) });
        finding.principal = Some(Principal { arn: evil(), kind: evil(), invoked_by: Some(evil()) });
        for fact in &mut finding.facts {
            fact.value = evil();
        }
        finding.details.insert("text", Detail::Text(evil()));
        for evidence in &mut finding.evidence {
            evidence.event_id = evil();
            evidence.event_name = evil();
            evidence.error_code = Some(evil());
            evidence.object = evil();
        }
        finding.remediation = format!("Look at {EVIL}\n\naws kms describe-key --key-id {EVIL}\n");
        if let Status::Suppressed { reason, until } = &mut finding.status {
            *reason = evil();
            *until = Some(evil());
        }
    }
    let coverage = &mut report.coverage;
    coverage.operations = BTreeMap::from([(evil(), 3)]);
    coverage.accounts = [evil()].into();
    coverage.regions = [evil()].into();
    for skipped in &mut coverage.skipped {
        skipped.object = evil();
    }
    for at in &mut coverage.rejected_at {
        at.object = evil();
    }
    for gap in &mut coverage.gaps {
        (gap.account, gap.region) = (evil(), evil());
    }
    for window in &mut coverage.blind {
        (window.account, window.region, window.trail, window.by) = (evil(), evil(), evil(), evil());
    }
    report.run.sources = vec![evil()];
    report.run.rules_skipped = vec![("cost-hotspot", evil())];
    report.notices = vec![evil()];
    report
}

fn run() -> Run {
    Run {
        version: "0.1.0",
        settings_digest: "3f2a9c1d5e6b7a80".to_string(),
        as_of: Some(START + 29 * HOUR),
        from: None,
        to: None,
        sources: vec!["s3://trail-bucket/AWSLogs/".to_string()],
        rules_run: vec!["disabled-key-failure", "key-deletion-scheduled", "over-broad-grant"],
        rules_skipped: Vec::new(),
    }
}

fn deletion() -> Finding {
    let cause = "8f3c1d2e-0a1b-4c2d-8e3f-5a6b7c8d9e0f";
    Finding {
        id: fingerprint(&["key-deletion-scheduled", KEY, cause]),
        incident: fingerprint(&["incident", cause]),
        rule: "key-deletion-scheduled",
        severity: Severity::Critical,
        confidence: Confidence::High,
        title: "alias/payments is scheduled for deletion on 2026-03-08 and was used 1,203 times since".to_string(),
        account: "111122223333".to_string(),
        region: "eu-central-1".to_string(),
        key: Some(KeyRef {
            arn: KEY.to_string(),
            id: "1234abcd-12ab-34cd-56ef-1234567890ab".to_string(),
            alias: Some("alias/payments".to_string()),
        }),
        principal: Some(Principal {
            arn: "arn:aws:iam::111122223333:role/deploy".to_string(),
            kind: "AssumedRole".to_string(),
            invoked_by: Some("cloudformation.amazonaws.com".to_string()),
        }),
        first_seen: START,
        last_seen: START + 28 * HOUR + 44 * MINUTE,
        count: 1204,
        facts: vec![
            Fact { label: "pending window", value: "7 days".to_string() },
            Fact { label: "deleted on", value: "2026-03-08 09:14:07 UTC".to_string() },
        ],
        details: BTreeMap::from([
            ("deletion_date", Detail::Time(START + 7 * 24 * HOUR)),
            ("pending_window_days", Detail::Int(7)),
            ("share", Detail::Float(0.25)),
            ("unknown", Detail::Null),
            (
                "users",
                Detail::List(vec![Detail::Map(BTreeMap::from([("calls", Detail::Int(1203))])), Detail::Bool(true)]),
            ),
        ]),
        evidence: vec![
            evidence(cause, START, "ScheduleKeyDeletion", None, 3, Role::Cause),
            evidence("0d9c", START + 12, "Decrypt", Some("KMSInvalidStateException"), 0, Role::Primary),
            evidence("1d9c", START + HOUR, "Decrypt", Some("KMSInvalidStateException"), 41, Role::Primary),
            evidence("2d9c", START + 2 * HOUR, "DescribeKey", None, 7, Role::Context),
        ],
        remediation: format!(
            "Cancel the deletion while it is pending, then find out who asked for it:\n\n\
             aws kms cancel-key-deletion --region eu-central-1 --key-id {KEY}\n\
             aws kms enable-key --region eu-central-1 --key-id 1234abcd-12ab-34cd-56ef-1234567890ab\n\n\
             - ask the owner of role/deploy; a pipeline that deletes keys needs a review of its template\n"
        ),
        controls: vec!["PCI DSS 4.0.1 3.7.5"],
        attack: vec!["T1485"],
        status: Status::Open,
        supersedes: vec![fingerprint(&["earlier"])],
    }
}

fn failures() -> Finding {
    Finding {
        id: fingerprint(&["disabled-key-failure", KEY, "5b1f"]),
        incident: fingerprint(&["incident", "5b1f"]),
        rule: "disabled-key-failure",
        severity: Severity::High,
        confidence: Confidence::High,
        title: "calls failed because alias/payments was disabled".to_string(),
        first_seen: START - 26 * HOUR,
        last_seen: START - 23 * HOUR - 55 * MINUTE,
        count: 12,
        facts: Vec::new(),
        evidence: vec![evidence("5b1f", START - 26 * HOUR, "DisableKey", None, 0, Role::Cause)],
        supersedes: Vec::new(),
        status: Status::Closed,
        ..deletion()
    }
}

fn grant() -> Finding {
    Finding {
        id: fingerprint(&["over-broad-grant", "grant-1"]),
        incident: fingerprint(&["incident", "grant-1"]),
        rule: "over-broad-grant",
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        title: "a grant lets another account decrypt without constraints".to_string(),
        account: "444455556666".to_string(),
        region: "us-east-1".to_string(),
        key: None,
        principal: None,
        first_seen: START,
        last_seen: START,
        count: 1,
        details: BTreeMap::new(),
        evidence: vec![evidence("77aa", START, "CreateGrant", None, 2, Role::Primary)],
        remediation: "Retire the grant when the partner no longer needs it.".to_string(),
        status: Status::Suppressed {
            reason: "partner integration, ticket SEC-481".to_string(),
            until: Some("2026-09-30".to_string()),
        },
        ..failures()
    }
}

fn evidence(id: &str, time: i64, name: &str, error: Option<&str>, record: u32, role: Role) -> Evidence {
    Evidence {
        event_id: id.to_string(),
        time,
        event_name: name.to_string(),
        error_code: error.map(str::to_string),
        object: format!("{LOGS}111122223333_CloudTrail_eu-central-1_20260301T0915Z_aBcDeFgHiJkLmNoP.json.gz"),
        record,
        role,
        proof: None,
    }
}

fn coverage() -> Coverage {
    let object = |name: &str| format!("{LOGS}{name}");
    let operations = [
        ("CancelKeyDeletion", 1),
        ("CreateGrant", 30),
        ("Decrypt", 10_000),
        ("DescribeKey", 700),
        ("Encrypt", 70),
        ("GenerateDataKey", 1_200),
        ("ScheduleKeyDeletion", 1),
    ];
    Coverage {
        inventory: None,
        contradictions: Vec::new(),
        not_in_log: 0,
        objects: Objects { seen: 120, read: 116, skipped: 4, pruned: 3 },
        records: Records { seen: 45_120, kms: 12_002, related: 33, rejected: 7, duplicates: 210 },
        operations: operations.map(|(name, n)| (name.to_string(), n)).into(),
        bytes: Bytes { compressed: 12_900_000, inflated: 210_000_000 },
        span: Some((START - 26 * HOUR, START + 29 * HOUR)),
        accounts: ["111122223333".to_string(), "444455556666".to_string()].into(),
        regions: ["eu-central-1".to_string(), "us-east-1".to_string()].into(),
        skipped: vec![
            Skipped { object: object("broken.json.gz"), reason: SkipReason::TruncatedGzip, detail: None },
            Skipped { object: object("digest-1.json.gz"), reason: SkipReason::Digest, detail: None },
            Skipped { object: object("digest-2.json.gz"), reason: SkipReason::Digest, detail: None },
            Skipped { object: object("huge.json.gz"), reason: SkipReason::TooLarge, detail: None },
        ],
        rejected: BTreeMap::from([(RejectReason::MissingEventTime, 1), (RejectReason::BadEventTime, 6)]),
        rejected_at: vec![
            RejectedAt { object: object("odd.json.gz"), record: 4, reason: RejectReason::BadEventTime },
            RejectedAt { object: object("odd.json.gz"), record: 9, reason: RejectReason::MissingEventTime },
        ],
        notes: BTreeMap::from([(Note::TrailingBytes, 2)]),
        gaps: vec![Gap {
            account: "444455556666".to_string(),
            region: "us-east-1".to_string(),
            from: 1_772_323_200_000,
            to: 1_772_323_200_000 + 14 * HOUR,
        }],
        last: BTreeMap::new(),
        hours_logged: 96,
        days: BTreeMap::new(),
        blind: vec![BlindWindow {
            account: "444455556666".to_string(),
            region: "us-east-1".to_string(),
            trail: "org-trail".to_string(),
            what: Blindness::Stopped,
            from: START,
            to: None,
            by: "arn:aws:iam::444455556666:user/mallory".to_string(),
        }],
    }
}

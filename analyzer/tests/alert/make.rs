//! Findings, reports, settings and lakes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keytrail::config::Settings;
use keytrail::finding::{
    Confidence, Detail, Evidence, Fact, Finding, KeyRef, Principal, Role, Severity, Status, fingerprint,
};
use keytrail::lake::{Folder, Lake};
use keytrail::pipeline::{Notified, Notify, notify};
use keytrail::report::{Report, Run};
use keytrail::rules::RULES;
use keytrail::view::Coverage;
use tempfile::TempDir;

use super::server::Server;

/// 2026-09-08 02:10 UTC.
pub(crate) const START: i64 = 1_788_833_400_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// An outage of the key with this alias.
pub(crate) fn outage(alias: &str, victims: usize) -> Finding {
    let arn = format!("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-{:.12}", digits(alias));
    let text = |text: &str| Detail::Text(text.to_owned());
    Finding {
        id: fingerprint(&["finding", alias]),
        incident: fingerprint(&["incident", alias]),
        rule: "disabled-key-failure",
        severity: Severity::High,
        confidence: Confidence::High,
        title: format!(
            "{alias} disabled by alice (role ops-admin) at 2026-09-08 02:10 UTC: {victims} victims in ec2, rds, s3, the \
             first after 6 min"
        ),
        account: "111122223333".into(),
        region: "eu-west-1".into(),
        key: Some(KeyRef { id: arn.rsplit('/').next().unwrap().into(), arn, alias: Some(alias.into()) }),
        principal: Some(Principal {
            arn: "arn:aws:iam::111122223333:role/ops-admin".into(),
            kind: "AssumedRole".into(),
            invoked_by: None,
        }),
        first_seen: START + 6 * MINUTE,
        last_seen: START + 50 * MINUTE,
        count: 39,
        facts: vec![Fact { label: "victim", value: "arn:aws:s3:::exports & <archive> of role batch".into() }],
        details: BTreeMap::from([
            ("cause", Detail::Map(BTreeMap::from([("principal", text("alice"))]))),
            ("services", Detail::List(["ec2", "rds", "s3"].map(text).to_vec())),
            ("victims_total", Detail::Int(i64::try_from(victims).unwrap())),
        ]),
        evidence: vec![Evidence {
            event_id: "d66530e2-c551-4c32-88c5-2fb2b8e95fdf".into(),
            time: START,
            event_name: "DisableKey".into(),
            error_code: None,
            object: "AWSLogs/a.json.gz".into(),
            record: 5,
            role: Role::Cause,
            proof: None,
        }],
        remediation: "If this was not meant to happen:\naws kms enable-key --region eu-west-1 --key-id 1234abcd".into(),
        controls: vec!["CIS AWS 7.0 5.7"],
        attack: vec!["T1485"],
        status: Status::Open,
        supersedes: Vec::new(),
    }
}

/// Something that can wait.
pub(crate) fn rotation(alias: &str) -> Finding {
    Finding {
        id: fingerprint(&["rotation", alias]),
        incident: fingerprint(&["rotation incident", alias]),
        rule: "missing-rotation",
        severity: Severity::Medium,
        title: format!("{alias} does not rotate"),
        details: BTreeMap::new(),
        ..outage(alias, 0)
    }
}

fn digits(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>() + "000000000000"
}

/// A complete report.
pub(crate) fn report(findings: impl IntoIterator<Item = Finding>) -> Report {
    let mut findings: Vec<Finding> = findings.into_iter().collect();
    findings.sort_by_cached_key(Finding::sort_key);
    Report {
        run: Run {
            version: "0",
            settings_digest: String::new(),
            as_of: Some(START + HOUR),
            from: None,
            to: None,
            sources: Vec::new(),
            rules_run: RULES.iter().map(|rule| rule.id).collect(),
            rules_skipped: Vec::new(),
        },
        coverage: Coverage::default(),
        findings,
        suppressions: Vec::new(),
        notices: Vec::new(),
        inputs: None,
        integrity: None,
    }
}

pub(crate) fn settings(text: &str) -> Settings {
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    Settings::parse(text, "keytrail.toml", &rules).unwrap_or_else(|problems| panic!("{problems}"))
}

/// One webhook that takes everything.
pub(crate) fn one_sink(server: &Server) -> Settings {
    settings(&format!(
        "[accounts]\nnames = {{ \"111122223333\" = \"prod-eu\" }}\n\
         [[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n",
        server.url("hook")
    ))
}

/// An empty lake.
pub(crate) fn lake() -> (TempDir, Lake) {
    let folder = tempfile::tempdir().unwrap();
    let lake = Lake::open_or_create(Arc::new(Folder::new(folder.path()))).unwrap();
    (folder, lake)
}

pub(crate) fn at(now: i64) -> Notify {
    Notify { budget: Duration::from_secs(20), ..Notify::at(now) }
}

/// A server with one sink, and a lake that knows that it begins.
pub(crate) struct Stage {
    pub(crate) server: Server,
    pub(crate) settings: Settings,
    pub(crate) lake: Lake,
    pub(crate) folder: TempDir,
}

impl Stage {
    pub(crate) fn begun() -> Self {
        let server = Server::start();
        let (folder, lake) = lake();
        let stage = Self { settings: one_sink(&server), server, lake, folder };
        let first = stage.tell([], START);
        assert_eq!(first, Notified::default(), "nothing is there, nothing is said");
        assert!(stage.server.take().is_empty());
        stage
    }

    pub(crate) fn tell(&self, findings: impl IntoIterator<Item = Finding>, now: i64) -> Notified {
        notify(&report(findings), &self.settings, Some(&self.lake), at(now))
    }
}

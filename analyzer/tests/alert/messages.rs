//! What messages look like, and that text from a log cannot act in them.

use keytrail::alert::{Alert, Bundle, Change, Incident, Subject};
use keytrail::config::Accounts;
use keytrail::finding::Finding;

use super::make::{START, outage, rotation};

fn accounts() -> Accounts {
    let mut accounts = Accounts::default();
    accounts.names.insert("111122223333".into(), "prod-eu".into());
    accounts
}

fn incident(finding: Finding) -> Incident {
    Incident::group(&[finding], i64::MAX, 0).remove(0)
}

fn alert(finding: Finding) -> Alert {
    let incident = incident(finding);
    Alert::about(Subject::There(&incident), Change::New, "0".repeat(32), None, &accounts())
}

#[test]
fn the_text_says_cause_undo_and_evidence() {
    insta::assert_snapshot!(alert(outage("alias/payments", 3)).text, @"
    HIGH, new
    alias/payments (prod-eu): disabled by alice, 3 services down since 02:16

    alias/payments disabled by alice (role ops-admin) at 2026-09-08 02:10 UTC: 3 victims in ec2, rds, s3, the first after 6 min

    If this was not meant to happen:

        aws kms enable-key --region eu-west-1 --key-id 1234abcd

    severity      high, confidence high
    status        open
    key           alias/payments, arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-616c6961732f
    where         prod-eu (111122223333), eu-west-1
    who           arn:aws:iam::111122223333:role/ops-admin (AssumedRole)
    when          2026-09-08 02:16:00 to 2026-09-08 03:00:00 UTC, 39 events
    victim        arn:aws:s3:::exports & <archive> of role batch
    evidence      2026-09-08 02:10:00 UTC DisableKey (cause), event d66530e2-c551-4c32-88c5-2fb2b8e95fdf
    finding       682dc991c2c47ac5331151e3ce63d2eb, rule disabled-key-failure

    -- 
    incident 8a95e16faf0246a4f81bc0fa0ff225c1, message 00000000000000000000000000000000
    `keytrail rules disabled-key-failure` explains the rule
    ");
}

#[test]
fn subjects_say_what_where_who_and_since_when() {
    let subject = |finding: Finding| alert(finding).subject;
    let key = outage("alias/payments", 3);
    assert_eq!(subject(key.clone()), "[HIGH] alias/payments (prod-eu): disabled by alice, 3 services down since 02:16");
    let long = Finding { last_seen: START + 48 * 3_600_000, ..key.clone() };
    assert!(subject(long).ends_with("down since 2026-09-08 02:16"));
    assert_eq!(subject(rotation("alias/a")), "[MEDIUM] alias/a (prod-eu): does not rotate");
    let nobody = Finding { key: None, title: "root was here".into(), details: Default::default(), ..key.clone() };
    assert_eq!(subject(nobody), "[HIGH] prod-eu eu-west-1: root was here");
    let mut unnamed = key;
    unnamed.account = "444455556666".into();
    unnamed.key.as_mut().unwrap().alias = None;
    unnamed.title = "some key was used".into();
    unnamed.details.clear();
    assert_eq!(subject(unnamed), "[HIGH] key 1234abc… (444455556666): some key was used");
}

/// Texts that somebody may put into an alias, a role name, an error message.
const HOSTILE: [&str; 8] = [
    "alias/x\r\nBcc: everybody@example.net\r\n\r\nbody",
    "alias/\u{1b}[2Jx",
    "alias/<script>alert(1)</script>",
    "alias/\"><img src=https://example.net/x onerror=alert(1)>",
    "alias/<!channel> <https://example.net|click>",
    "alias/`code` *bold* ```fence```",
    "alias/\u{202e}gpj.exe\u{2066}",
    "alias/&amp;&lt;",
];

fn hostile(text: &str) -> Finding {
    let mut finding = outage(text, 3);
    let key = finding.key.as_mut().unwrap();
    key.arn = text.to_owned();
    finding.principal.as_mut().unwrap().arn = text.to_owned();
    finding.facts[0].value = text.to_owned();
    finding.remediation = format!("{text}\naws kms enable-key {text}");
    finding.evidence[0].event_name = text.to_owned();
    finding.evidence[0].error_code = Some(text.to_owned());
    finding.region = text.to_owned();
    finding
}

fn check(alert: &Alert, text: &str) {
    let acts = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!alert.subject.contains(acts), "{:?}", alert.subject);
    assert!(alert.subject.chars().count() < 200, "{}", alert.subject);
    for (what, body) in [("text", &alert.text), ("html", &alert.html), ("slack", &alert.slack), ("json", &alert.json)] {
        assert!(!body.contains(|c| acts(c) && c != '\n'), "{what} of {text:?}: {body}");
    }
    // Whatever stands in angle brackets is ours.
    let tags =
        ["!DOCTYPE", "html", "head", "meta", "title", "body", "div", "p", "h1", "h2", "pre", "span", "br", "strong"];
    for part in alert.html.split('<').skip(1) {
        let tag = part.split(['>', ' ', '\n']).next().unwrap().trim_start_matches('/');
        assert!(tags.contains(&tag), "<{tag}> of {text:?}: {}", alert.html);
        assert_eq!(part.matches('>').count(), 1, "{part}");
        let inside = part.split('>').next().unwrap();
        assert!(
            !["src=", "href=", "url(", "http"].iter().any(|word| inside.contains(word)),
            "nothing is fetched: {part}"
        );
    }
    assert!(!alert.slack.contains(['<', '>']), "{}", alert.slack);
    assert!(alert.slack.matches("```").count().is_multiple_of(2), "{}", alert.slack);
    let json: serde_json::Value = serde_json::from_str(&alert.json).unwrap();
    assert_eq!(json["subject"], alert.subject);
}

#[test]
fn text_from_the_log_cannot_act() {
    for text in HOSTILE {
        check(&alert(hostile(text)), text);
        let incident = incident(hostile(text));
        let items = [(Change::New, Subject::There(&incident)), (Change::Worse, Subject::There(&incident))];
        for bundle in [Bundle::Summary, Bundle::Digest, Bundle::Overflow] {
            check(&Alert::bundle(bundle, &items, "0".repeat(32), &accounts()).unwrap(), text);
        }
    }
    // Account names come from the configuration, and are no better.
    let mut accounts = accounts();
    accounts.names.insert("111122223333".into(), "a\r\nBcc: <b@example.net>".into());
    let incident = incident(outage("alias/a", 1));
    check(&Alert::about(Subject::There(&incident), Change::New, "0".repeat(32), None, &accounts), "account name");
}

#[test]
fn many_findings_and_long_texts_stay_readable() {
    let long = "x".repeat(5000);
    let findings: Vec<Finding> = (0..200)
        .map(|i| Finding {
            id: keytrail::finding::fingerprint(&[&i.to_string()]),
            title: format!("{i} {long}"),
            details: Default::default(),
            ..outage("alias/a", 1)
        })
        .collect();
    let incident = Incident::group(&findings, i64::MAX, 0).remove(0);
    let alert = Alert::about(Subject::There(&incident), Change::New, "0".repeat(32), None, &accounts());
    assert_eq!(alert.subject.chars().count(), 180);
    assert!(alert.slack.len() < 4_200, "{}", alert.slack.len());
    assert!(alert.text.contains("and 177 more"));
}

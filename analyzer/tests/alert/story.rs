//! The life of an incident as a sink hears of it.

use keytrail::finding::{Finding, Severity, Status, fingerprint};
use keytrail::pipeline::{Notified, Notify, notify};

use super::make::{DAY, HOUR, MINUTE, START, Stage, at, lake, one_sink, outage, report, rotation};
use super::server::Server;

const NOW: i64 = START + HOUR;

fn closed(finding: Finding) -> Finding {
    Finding { status: Status::Closed, ..finding }
}

fn subjects(server: &Server) -> Vec<String> {
    server.said().into_iter().map(|(kind, subject)| format!("{kind} {subject}")).collect()
}

#[test]
fn told_once_again_when_worse_and_once_when_over() {
    let stage = Stage::begun();
    let sent = |findings: &[Finding], now: i64| {
        let notified = stage.tell(findings.to_vec(), now);
        assert_eq!((notified.pending, &notified.failed[..]), (0, &[][..]));
        let said = stage.server.take();
        assert_eq!(notified.sent, said.len() as u64);
        said
    };
    let first = sent(&[outage("alias/payments", 3)], NOW);
    assert_eq!(
        first[0].said(),
        ("new".into(), "[HIGH] alias/payments (prod-eu): disabled by alice, 3 services down since 02:16".into())
    );
    assert!(sent(&[outage("alias/payments", 3)], NOW).is_empty(), "told already");
    let grown = Finding { count: 500, last_seen: NOW, ..outage("alias/payments", 3) };
    assert!(sent(&[grown], NOW + MINUTE).is_empty(), "more of the same is no news");
    assert!(sent(&[outage("alias/payments", 4)], NOW + MINUTE).is_empty(), "one more victim can wait an hour");
    let more = sent(&[outage("alias/payments", 5)], NOW + HOUR);
    assert!(more[0].said().1.starts_with("[HIGH] worse: alias/payments"), "{more:?}");
    let critical = Finding { severity: Severity::Critical, ..outage("alias/payments", 5) };
    let worse = sent(std::slice::from_ref(&critical), NOW + HOUR + MINUTE);
    assert!(worse[0].said().1.starts_with("[CRITICAL] worse: "), "a higher severity does not wait: {worse:?}");
    let over = sent(&[closed(critical.clone())], NOW + 2 * HOUR);
    assert_eq!(over[0].said().0, "resolved");
    assert!(over[0].said().1.starts_with("[CRITICAL] resolved: alias/payments (prod-eu): "), "{over:?}");
    assert!(sent(&[closed(critical.clone())], NOW + DAY).is_empty());
    let again = sent(&[critical], NOW + 2 * DAY);
    assert_eq!(again[0].said().0, "worse", "open again");

    let ids: Vec<&str> = [&first, &more, &worse, &over, &again].map(|said| said[0].id()).to_vec();
    let distinct: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(distinct.len(), 5, "every message has an id of its own: {ids:?}");
    let incidents: Vec<String> = [&first, &over].map(|said| said[0].json()["incident"].to_string()).to_vec();
    assert_eq!(incidents[0], incidents[1]);
}

#[test]
fn the_state_is_a_file_per_incident_and_sink() {
    let stage = Stage::begun();
    stage.tell([outage("alias/payments", 3)], NOW);
    let incident = fingerprint(&["incident", "alias/payments"]);
    let path = stage.folder.path().join(format!("alerts/{}/hook.json", incident.as_str()));
    let state: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(
        (&state["status"], &state["generation"], &state["lease_until"]),
        (&"sent".into(), &1.into(), &serde_json::Value::Null)
    );
    assert_eq!(state["message"], stage.server.take()[0].id());
}

#[test]
fn the_first_run_is_one_summary() {
    let server = Server::start();
    let (_folder, lake) = lake();
    let settings = one_sink(&server);
    let findings: Vec<Finding> = (0..70)
        .map(|i| outage(&format!("alias/k{i}"), 1))
        .chain((0..3).map(|i| rotation(&format!("alias/r{i}"))))
        .chain([closed(outage("alias/old", 1))])
        .collect();
    let first = notify(&report(findings.clone()), &settings, Some(&lake), at(NOW));
    assert_eq!(first, Notified { sent: 1, ..Notified::default() });
    let said = server.take();
    let subject = "[HIGH] Keytrail watches from now on: 73 incidents already there (70 high, 3 medium)";
    assert_eq!((said.len(), said[0].said()), (1, ("summary".into(), subject.into())));
    assert_eq!(said[0].json()["incidents_total"], 73);

    assert_eq!(notify(&report(findings.clone()), &settings, Some(&lake), at(NOW + DAY)), Notified::default());
    let mut next = findings;
    next[0] = closed(next[0].clone());
    next.push(outage("alias/new", 1));
    notify(&report(next), &settings, Some(&lake), at(NOW + 2 * DAY));
    let said = subjects(&server);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("new [HIGH] alias/new (prod-eu)"), "{said:?}");
    assert!(said[1].starts_with("digest [HIGH] digest: 1 over"), "{said:?}");
}

#[test]
fn a_sink_of_pages_hears_the_end_of_what_its_summary_named() {
    let server = Server::start();
    let (_folder, lake) = lake();
    let mut settings = one_sink(&server);
    settings.alert.sinks[0].takes = keytrail::config::Takes::Page;
    notify(&report([outage("alias/a", 1), rotation("alias/b")]), &settings, Some(&lake), at(NOW));
    assert_eq!(subjects(&server), ["summary [HIGH] Keytrail watches from now on: 1 incident already there (1 high)"]);
    notify(&report([closed(outage("alias/a", 1))]), &settings, Some(&lake), at(NOW));
    assert!(subjects(&server)[0].starts_with("resolved [HIGH] resolved: alias/a"));
}

#[test]
fn without_the_summary_everything_is_new() {
    let server = Server::start();
    let (_folder, lake) = lake();
    let how = Notify { first_is_summary: false, ..at(NOW) };
    notify(&report([outage("alias/a", 1)]), &one_sink(&server), Some(&lake), how);
    assert!(subjects(&server)[0].starts_with("new [HIGH] alias/a"));
}

#[test]
fn after_a_backfill_what_is_new_is_one_message() {
    let stage = Stage::begun();
    stage.tell([outage("alias/a", 1)], NOW);
    stage.server.take();
    let found = || report([outage("alias/a", 1), outage("alias/b", 1), outage("alias/c", 1)]);
    let how = Notify { together: true, ..at(NOW + HOUR) };
    let told = notify(&found(), &one_sink(&stage.server), Some(&stage.lake), how);
    assert_eq!(told, Notified { sent: 1, suppressed: 2, ..Notified::default() });
    assert_eq!(subjects(&stage.server), ["overflow [HIGH] and 2 more incidents (2 high)"]);
    notify(&found(), &one_sink(&stage.server), Some(&stage.lake), at(NOW + 2 * HOUR));
    assert!(stage.server.take().is_empty(), "they are known");
}

#[test]
fn what_can_wait_waits_for_the_digest() {
    let stage = Stage::begun();
    // The first run counts as the last digest, also when it had nothing to say.
    assert_eq!(stage.tell([rotation("alias/a")], NOW), Notified { pending: 1, ..Notified::default() });
    assert_eq!(stage.tell([rotation("alias/a"), rotation("alias/b")], NOW + HOUR).pending, 2);
    assert!(stage.server.take().is_empty());
    let due = stage.tell([rotation("alias/a"), rotation("alias/b")], START + DAY);
    assert_eq!(due, Notified { sent: 1, ..Notified::default() });
    assert_eq!(subjects(&stage.server), ["digest [MEDIUM] digest: 2 new"]);
    assert_eq!(stage.tell([rotation("alias/b")], START + DAY + HOUR).pending, 1);
    stage.tell([rotation("alias/b")], START + 2 * DAY);
    assert_eq!(subjects(&stage.server), ["digest [MEDIUM] digest: 1 withdrawn"]);
}

#[test]
fn what_is_over_when_it_is_first_seen_wakes_nobody() {
    let stage = Stage::begun();
    stage.tell([closed(outage("alias/a", 1))], NOW);
    assert!(stage.server.take().is_empty());
    stage.tell([closed(outage("alias/a", 1))], NOW + DAY);
    let said = stage.server.take();
    assert_eq!(said[0].said(), ("digest".into(), "[HIGH] digest: 1 new".into()));
    assert!(said[0].json()["incidents"][0]["subject"].as_str().unwrap().ends_with(", over"));
    assert_eq!(stage.tell([closed(outage("alias/a", 1))], NOW + 3 * DAY), Notified::default());
}

#[test]
fn an_incident_that_was_none_is_withdrawn_if_that_is_known() {
    let stage = Stage::begun();
    stage.tell([outage("alias/a", 1)], NOW);
    stage.server.take();
    let part = Notify { whole: false, ..at(NOW + HOUR) };
    assert_eq!(notify(&report([]), &stage.settings, Some(&stage.lake), part), Notified::default());
    let mut without_rule = report([]);
    without_rule.run.rules_run.retain(|rule| *rule != "disabled-key-failure");
    assert_eq!(notify(&without_rule, &stage.settings, Some(&stage.lake), at(NOW + HOUR)), Notified::default());
    stage.tell([], NOW + HOUR);
    let subject = "withdrawn [HIGH] withdrawn: alias/a (prod-eu): disabled by alice, 3 services down since 02:16";
    assert_eq!(subjects(&stage.server), [subject]);
    assert_eq!(stage.tell([], NOW + DAY), Notified::default());
    stage.tell([outage("alias/a", 1)], NOW + 2 * DAY);
    assert!(subjects(&stage.server)[0].starts_with("new [HIGH] alias/a"), "it is there after all");
}

#[test]
fn what_the_configuration_accepts_is_told_as_that_and_never_begun() {
    let stage = Stage::begun();
    let accepted = |alias: &str| Finding {
        status: Status::Suppressed { reason: "drill".into(), until: None },
        ..outage(alias, 1)
    };
    stage.tell([outage("alias/a", 1), accepted("alias/b")], NOW);
    assert_eq!(stage.server.take().len(), 1);
    stage.tell([accepted("alias/a"), accepted("alias/b")], NOW + HOUR);
    assert!(subjects(&stage.server)[0].starts_with("resolved [HIGH] accepted: alias/a"));
    assert_eq!(stage.tell([accepted("alias/a")], NOW + DAY), Notified::default());
}

#[test]
fn what_late_events_may_overturn_waits_for_them() {
    let stage = Stage::begun();
    let rate = Finding { rule: "unusual-decrypt-rate", first_seen: NOW, ..outage("alias/a", 1) };
    assert_eq!(stage.tell([rate.clone()], NOW + 29 * MINUTE), Notified::default());
    assert_eq!(stage.tell([rate], NOW + 30 * MINUTE).sent, 1);
}

#[test]
fn a_moved_id_is_the_same_finding_and_a_second_finding_is_news() {
    let stage = Stage::begun();
    let first = outage("alias/a", 1);
    stage.tell([first.clone()], NOW);
    stage.server.take();
    let moved = Finding { id: fingerprint(&["moved"]), supersedes: vec![first.id.clone()], ..first.clone() };
    assert_eq!(stage.tell([moved.clone()], NOW + MINUTE), Notified::default());
    let second = Finding { id: fingerprint(&["second"]), rule: "key-deletion-scheduled", ..first };
    stage.tell([moved, second], NOW + 2 * MINUTE);
    let said = stage.server.take();
    assert_eq!(said[0].said().0, "worse");
    assert_eq!(said[0].json()["findings"].as_array().unwrap().len(), 2, "one message, both findings");
}

#[test]
fn too_many_are_told_in_one_message_that_counts() {
    let mut stage = Stage::begun();
    stage.settings.alert.options.max_per_run = 5;
    let findings: Vec<Finding> = (0..46).map(|i| outage(&format!("alias/k{i}"), 1)).collect();
    let notified = stage.tell(findings.clone(), NOW);
    assert_eq!(notified, Notified { sent: 6, suppressed: 41, ..Notified::default() });
    let said = subjects(&stage.server);
    assert_eq!((said.len(), said[5].as_str()), (6, "overflow [HIGH] and 41 more incidents (41 high)"));
    assert_eq!(stage.tell(findings, NOW + DAY), Notified::default(), "all of them are told");
}

#[test]
fn without_a_lake_every_run_tells_everything_under_the_same_id() {
    let server = Server::start();
    let settings = one_sink(&server);
    let tell = || notify(&report([outage("alias/a", 1), rotation("alias/b")]), &settings, None, at(NOW));
    assert_eq!(tell(), Notified { sent: 2, ..Notified::default() });
    let first = server.take();
    assert_eq!([&first[0].said().0, &first[1].said().0], ["new", "digest"]);
    tell();
    let second = server.take();
    assert_eq!([first[0].id(), first[1].id()], [second[0].id(), second[1].id()]);
}

#[test]
fn sinks_take_what_they_are_for() {
    let server = Server::start();
    let sink = |name: &str, more: &str| {
        format!("[[alert.sink]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"{}\"\n{more}\n", server.url(name))
    };
    let settings = super::make::settings(
        &[
            "[alert.routes]\nmissing-rotation = \"page\"\nroot-uses-key = \"off\"".to_owned(),
            sink("pages", "route = \"page\""),
            sink("rotation", "rules = [\"missing-rotation\"]"),
            sink("severe", "min_severity = \"critical\""),
            sink("other", "accounts = [\"444455556666\"]"),
        ]
        .join("\n"),
    );
    let root = Finding { rule: "root-uses-key", incident: fingerprint(&["root"]), ..outage("alias/c", 1) };
    let grant = Finding {
        rule: "over-broad-grant",
        severity: Severity::Medium,
        incident: fingerprint(&["grant"]),
        ..outage("alias/d", 1)
    };
    let findings = [outage("alias/a", 1), rotation("alias/b"), root, grant];
    let notified = notify(&report(findings), &settings, None, at(NOW));
    assert_eq!((notified.sent, notified.unrouted), (3, 1), "{notified:?}");
    let mut said: Vec<(String, String)> = server
        .take()
        .iter()
        .map(|received| (received.path.clone(), received.json()["findings"][0]["rule"].as_str().unwrap().to_owned()))
        .collect();
    said.sort();
    let expected = [("pages", "disabled-key-failure"), ("pages", "missing-rotation"), ("rotation", "missing-rotation")];
    assert_eq!(said, expected.map(|(sink, rule)| (sink.to_owned(), rule.to_owned())));
}

//! What is rehearsed is what would be sent: the same moments told in earnest to a real server say the same.

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use keytrail::pipeline::{Progress, Rehearsed, ScanOptions, Span, notify, rehearse, scan};

use super::make::{DAY, HOUR, at, lake, one_sink, settings};
use super::server::Server;

struct Silent;

impl Progress for Silent {}

fn sample() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/sample").to_str().unwrap().to_owned()
}

fn rehearsed(server: &Server, days: i64) -> Rehearsed {
    let options = ScanOptions::new(vec![sample()], one_sink(server));
    rehearse(&options, Span { length: days * DAY, every: 24 * HOUR }, &Silent).unwrap()
}

#[test]
fn a_rehearsal_says_what_the_sinks_would_have_got() {
    let server = Server::start();
    let Rehearsed { from, to, evaluations, outcome, .. } = rehearsed(&server, 400);
    assert!(server.take().is_empty(), "nothing is sent");
    assert!(evaluations > 10 && outcome.sent.iter().any(|sent| sent.kind == "new"), "{outcome:?}");
    assert!(outcome.sent.iter().all(|sent| (from..=to).contains(&sent.at)));

    let settings = one_sink(&server);
    let (_folder, lake) = lake();
    let mut told = Vec::new();
    let moments: BTreeSet<i64> = outcome.sent.iter().map(|sent| sent.at).chain([from]).collect();
    for now in moments {
        let options = ScanOptions { as_of: Some(now), ..ScanOptions::new(vec![sample()], settings.clone()) };
        let notified = notify(&scan(&options, &Silent).unwrap(), &settings, Some(&lake), at(now));
        assert_eq!(notified.failed, []);
        told.extend(server.take().iter().map(|message| (now, message.said())));
    }
    let would: Vec<_> =
        outcome.sent.iter().map(|sent| (sent.at, (sent.kind.to_owned(), sent.subject.clone()))).collect();
    assert_eq!(would, told);
}

#[test]
fn a_page_comes_within_minutes_of_its_cause_and_shorter_spans_say_less() {
    let server = Server::start();
    let whole = rehearsed(&server, 400);
    let page = whole.outcome.sent.iter().find(|sent| sent.rules == ["disabled-key-failure"]).unwrap();
    let finding =
        whole.report.findings.iter().find(|finding| Some(finding.incident.as_str()) == page.incident.as_deref());
    let first = finding.unwrap().first_seen;
    assert!(page.at > first && page.at - first <= HOUR, "{} {first}", page.at);
    let day = rehearsed(&server, 1);
    assert_eq!(day.from, day.to - DAY);
    assert_eq!(day.outcome.sent[0].kind, "summary", "what is there when it begins is one message");
    assert!(day.outcome.sent.len() < whole.outcome.sent.len());
}

#[test]
fn routes_and_suppressions_change_what_is_rehearsed() {
    let server = Server::start();
    let sink = format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url("hook"));
    let pages = |more: &str| {
        let options = ScanOptions::new(vec![sample()], settings(&format!("{more}{sink}")));
        let done = rehearse(&options, Span { length: 400 * DAY, every: 48 * HOUR }, &Silent).unwrap();
        let pages = done.outcome.sent.iter().filter(|sent| sent.rules == ["disabled-key-failure"]).count();
        (pages, done.outcome.off, done.outcome.accepted)
    };
    let (shipped, off, accepted) = pages("");
    assert!(shipped > 0 && off == 0);
    let routed = pages("[alert.routes]\ndisabled-key-failure = \"off\"\n");
    assert!(routed.0 == 0 && routed.1 > 0, "{routed:?}");
    let suppressed = pages("[[suppress]]\nrule = \"disabled-key-failure\"\nreason = \"a drill\"\n");
    assert!(suppressed.0 == 0 && suppressed.2 > accepted, "{suppressed:?}");
}

#[test]
fn the_command_tells_it_as_text_and_as_json_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("keytrail.toml");
    // Port 9 discards; nothing goes there.
    let sink = "[[alert.sink]]\nname = \"on-call\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
    std::fs::write(&config, sink).unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::cargo_bin("keytrail").unwrap();
        command.args(["rehearse", &sample(), "--days", "400", "--config", config.to_str().unwrap()]).args(more);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&run(&["--format", "json"])).unwrap();
    assert_eq!(json["schema"], "keytrail.rehearse/1");
    let messages = json["messages"].as_array().unwrap();
    let pages = messages.iter().filter(|message| ["new", "worse"].contains(&message["kind"].as_str().unwrap())).count();
    assert_eq!(json["sinks"][0]["pages"], pages);
    let text = run(&[]);
    assert_eq!(text, run(&[]));
    assert!(text.contains(&format!("on-call (webhook): {pages} pages")), "{text}");
    assert!(messages.iter().all(|message| {
        let subject = message["subject"].as_str().unwrap();
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains(&subject.split_whitespace().collect::<Vec<_>>().join(" "))
    }));
}

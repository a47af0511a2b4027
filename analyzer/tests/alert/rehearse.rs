//! What is rehearsed is what would be sent: the same moments told in earnest to a real server say the same.

use std::collections::BTreeSet;
use std::path::Path;

use assert_cmd::Command;
use keytrail::alert::RehearsalOutcome;
use keytrail::config::Settings;
use keytrail::pipeline::{Progress, Rehearsed, ScanOptions, Span, notify, rehearse, scan};

use super::make::{DAY, HOUR, at, lake, one_sink, settings};
use super::server::Server;

struct Silent;

impl Progress for Silent {}

fn sample() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/sample").to_str().unwrap().to_owned()
}

/// Two days around the outage of the sample, by the rules that see it.
fn options(settings: Settings) -> ScanOptions {
    let rules = ["disabled-key-failure", "key-disabled"].map(str::to_owned).to_vec();
    let options = ScanOptions { rules, ..ScanOptions::new(vec![sample()], settings) };
    let report = scan(&options, &Silent).unwrap();
    let outage = report.findings.iter().find(|finding| finding.rule == "disabled-key-failure").unwrap();
    ScanOptions { as_of: Some(outage.first_seen + DAY), ..options }
}

fn rehearsed(settings: Settings, days: i64) -> Rehearsed {
    rehearse(&options(settings), Span { length: days * DAY, every: 24 * HOUR }, &Silent).unwrap()
}

#[test]
fn a_rehearsal_says_what_the_sinks_would_have_got() {
    let server = Server::start();
    let settings = one_sink(&server);
    let Rehearsed { from, to, evaluations, outcome, report, .. } = rehearsed(settings.clone(), 2);
    assert!(server.take().is_empty(), "nothing is sent");
    assert!(evaluations > 4 && outcome.sent.iter().all(|sent| (from..=to).contains(&sent.at)), "{outcome:?}");
    // It is told within minutes.
    let page = outcome.sent.iter().find(|sent| sent.kind == "new" && sent.is_page()).unwrap();
    let first = report.findings.iter().filter(|finding| Some(finding.incident.as_str()) == page.incident.as_deref());
    let first = first.map(|finding| finding.first_seen).min().unwrap();
    assert!(page.at >= first && page.at - first <= HOUR, "{} {first}", page.at);

    let (_folder, lake) = lake();
    let mut told = Vec::new();
    let moments: BTreeSet<i64> = outcome.sent.iter().map(|sent| sent.at).chain([from]).collect();
    for now in moments {
        let options = ScanOptions { as_of: Some(now), ..options(settings.clone()) };
        let notified = notify(&scan(&options, &Silent).unwrap(), &settings, Some(&lake), at(now));
        assert_eq!(notified.failed, []);
        told.extend(server.take().iter().map(|message| (now, message.said())));
    }
    let would: Vec<_> =
        outcome.sent.iter().map(|sent| (sent.at, (sent.kind.to_owned(), sent.subject.clone()))).collect();
    assert_eq!(would, told);
}

#[test]
fn routes_and_suppressions_change_what_is_rehearsed() {
    let server = Server::start();
    let sink = format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url("hook"));
    let outcome = |more: &str| rehearsed(settings(&format!("{more}{sink}")), 2).outcome;
    let pages = |outcome: &RehearsalOutcome| outcome.sent.iter().filter(|sent| sent.is_page()).count();
    let routed = outcome("[alert.routes]\ndisabled-key-failure = \"off\"\nkey-disabled = \"off\"\n");
    assert!(routed.sent.is_empty() && routed.off > 0, "{routed:?}");
    let entry = |rule: &str| format!("[[suppress]]\nrule = \"{rule}\"\nreason = \"a drill\"\n");
    let accepted = outcome(&(entry("disabled-key-failure") + &entry("key-disabled")));
    assert!(pages(&accepted) == 0 && accepted.accepted > 0, "{accepted:?}");
    let small = outcome("[alert]\nmax_per_run = 1\n");
    assert!(pages(&small) > 0 && small.off == 0 && small.accepted == 0, "{small:?}");
}

#[test]
fn the_command_tells_it_as_text_and_as_json_the_same_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("keytrail.toml");
    // Port 9 discards; nothing goes there.
    let sink = "[[alert.sink]]\nname = \"on-call\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";
    std::fs::write(&config, sink).unwrap();
    let as_of = options(Settings::default()).as_of.unwrap();
    let as_of =
        chrono::DateTime::from_timestamp_millis(as_of).unwrap().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let run = |more: &[&str]| {
        let mut command = Command::cargo_bin("keytrail").unwrap();
        command
            .args(["rehearse", &sample(), "--days", "2", "--as-of", &as_of, "--config", config.to_str().unwrap()])
            .args(more);
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
    assert!(text.contains(&format!("on-call (webhook): {pages} page")), "{text}");
    assert!(messages.iter().all(|message| {
        let subject = message["subject"].as_str().unwrap();
        text.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains(&subject.split_whitespace().collect::<Vec<_>>().join(" "))
    }));
}

#[test]
fn an_empty_folder_is_told_by_the_name_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap().to_owned();
    let options = ScanOptions::new(vec![place.clone()], Settings::default());
    let error = rehearse(&options, Span { length: DAY, every: HOUR }, &Silent).unwrap_err();
    assert_eq!(error.to_string(), format!("nothing to read in {place}"));
}

//! Sinks that are down, slow, or refuse: nothing is lost, nobody else waits.

use std::time::{Duration, Instant};

use keytrail::pipeline::{Notified, Notify, notify};

use super::make::{DAY, HOUR, MINUTE, START, Stage, at, outage, report, rotation, settings};
use super::server::{Answer, Server};

const NOW: i64 = START + HOUR;

#[test]
fn what_a_sink_did_not_take_is_sent_by_the_next_run_under_the_same_id() {
    let stage = Stage::begun();
    stage.server.answer(|_| Answer::status(503));
    let findings = [outage("alias/a", 1), outage("alias/b", 1)];
    let notified = stage.tell(findings.clone(), NOW);
    assert_eq!((notified.sent, notified.pending), (0, 2), "{notified:?}");
    let (sink, reason) = &notified.failed[0];
    assert_eq!(sink, "hook");
    assert!(reason.ends_with("answers 503 Service Unavailable: said the server"), "{reason}");
    let tried = stage.server.take();
    assert_eq!(tried.len(), 3, "tried again, and then not the next message too: the sink is down");
    assert!(tried.iter().all(|one| one.id() == tried[0].id()));

    stage.server.answer(|_| Answer::status(200));
    assert_eq!(stage.tell(findings, NOW + MINUTE), Notified { sent: 2, ..Notified::default() });
    assert!(stage.server.take().iter().any(|one| one.id() == tried[0].id()));
}

#[test]
fn a_summary_and_a_digest_that_did_not_arrive_are_sent_again() {
    let stage = Stage::begun();
    std::fs::remove_dir_all(stage.folder.path().join("alerts")).unwrap();
    for (now, kind) in [(NOW, "summary"), (NOW + 2 * DAY, "digest")] {
        let findings =
            if kind == "summary" { vec![rotation("alias/a")] } else { vec![rotation("alias/a"), rotation("alias/b")] };
        stage.server.answer(|_| Answer::status(400));
        let notified = stage.tell(findings.clone(), now);
        assert_eq!((notified.sent, notified.pending, notified.failed.len()), (0, 1, 1), "{kind}");
        let failed = stage.server.take();
        stage.server.answer(|_| Answer::status(200));
        assert_eq!(stage.tell(findings.clone(), now + MINUTE), Notified { sent: 1, ..Notified::default() }, "{kind}");
        let sent = stage.server.take();
        assert_eq!((sent[0].said().0.as_str(), sent[0].id()), (kind, failed[0].id()));
        assert_eq!(stage.tell(findings, now + 2 * MINUTE), Notified::default());
    }
}

#[test]
fn a_message_that_is_refused_holds_up_no_other() {
    let stage = Stage::begun();
    stage.server.answer(|received| Answer::status(if received.body.contains("alias/poison") { 400 } else { 200 }));
    // Worst first: the refused one is tried before the others, until it was refused.
    let poison =
        keytrail::finding::Finding { severity: keytrail::finding::Severity::Critical, ..outage("alias/poison", 1) };
    let notified = stage.tell([poison.clone(), outage("alias/a", 1)], NOW);
    assert_eq!((notified.sent, notified.pending, notified.failed.len()), (1, 1, 1));
    stage.server.take();
    let notified = stage.tell([poison, outage("alias/a", 1), outage("alias/b", 1)], NOW + MINUTE);
    assert_eq!((notified.sent, notified.pending), (1, 1));
    let order: Vec<bool> = stage.server.take().iter().map(|one| one.body.contains("alias/poison")).collect();
    assert_eq!(order, [false, true]);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
fn a_sink_that_hangs_delays_no_other_and_is_left_behind() {
    let server = Server::start();
    let hook =
        |name: &str| format!("[[alert.sink]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url(name));
    let settings = settings(&(hook("slow") + &hook("quick")));
    server.answer(|received| Answer::after(Duration::from_secs(if received.path == "slow" { 30 } else { 0 })));
    let how = Notify { budget: Duration::from_secs(2), ..at(NOW) };
    let start = Instant::now();
    let notified = notify(&report([outage("alias/a", 1)]), &settings, None, how);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!((notified.sent, notified.pending), (1, 1), "{notified:?}");
    assert_eq!(notified.failed[0].0, "slow");
    assert!(notified.failed[0].1.contains("does not answer in time"), "{notified:?}");
}

#[test]
fn a_sink_whose_answer_was_lost_gets_the_same_id_again() {
    let stage = Stage::begun();
    stage.server.answer(|_| Answer::after(Duration::from_secs(4)));
    let how = Notify { budget: Duration::from_secs(1), ..at(NOW) };
    let lost = notify(&report([outage("alias/a", 1)]), &stage.settings, Some(&stage.lake), how);
    assert_eq!((lost.sent, lost.pending, lost.failed.len()), (0, 1, 1), "{lost:?}");
    stage.server.answer(|_| Answer::status(200));
    assert_eq!(stage.tell([outage("alias/a", 1)], NOW + MINUTE).sent, 1);
    let ids: Vec<String> = stage.server.take().iter().map(|one| one.id().to_owned()).collect();
    assert!(ids.len() > 1 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_damaged_state_is_named_and_not_overwritten() {
    let stage = Stage::begun();
    stage.tell([outage("alias/a", 1)], NOW);
    stage.server.take();
    let incident = keytrail::finding::fingerprint(&["incident", "alias/a"]);
    let path = stage.folder.path().join(format!("alerts/{}/hook.json", incident.as_str()));
    std::fs::write(&path, "{\"schema\": \"keytrail.alert-state/9\"}").unwrap();
    let notified = stage.tell([outage("alias/a", 1)], NOW + HOUR);
    assert!(notified.failed[0].1.contains("hook.json in the lake is damaged"), "{notified:?}");
    assert!(stage.server.take().is_empty());
    assert!(std::fs::read_to_string(path).unwrap().contains("alert-state/9"));
}

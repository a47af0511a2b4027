//! The process is killed between the acceptance of a message and the mark.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use keytrail::lake::{Folder, Lake};
use keytrail::pipeline::notify;

use super::make::{MINUTE, at, outage, report, settings};
use super::server::{Answer, Server};

#[test]
#[expect(clippy::disallowed_methods, reason = "leases are measured by the clock of this machine")]
fn the_same_message_comes_again_once_its_lease_ran_out() {
    let server = Server::start();
    server.answer(|_| Answer::after(Duration::from_secs(60)));
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("keytrail.toml");
    let text = format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url("hook"));
    std::fs::write(&config, &text).unwrap();
    let lake = place.path().join("lake");
    let mut child = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(["scan", "--quiet", "--alert", "--lake"])
        .arg(&lake)
        .arg("--config")
        .arg(&config)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    server.wait();
    child.kill().unwrap();
    child.wait().unwrap();
    let first = server.take();
    assert_eq!(first[0].said().0, "summary");

    server.answer(|_| Answer::status(200));
    let lake = Lake::open(Arc::new(Folder::new(&lake))).unwrap();
    let settings = settings(&text);
    let now = chrono::Utc::now().timestamp_millis();
    let tell = |now: i64| notify(&report([outage("alias/a", 1)]), &settings, Some(&lake), at(now));
    let early = tell(now);
    assert_eq!((early.sent, early.pending, early.failed.len()), (0, 1, 0), "{early:?}: somebody may be sending it");
    assert_eq!(tell(now + 5 * MINUTE).sent, 1);
    let again = server.take();
    assert_eq!((again.len(), again[0].id()), (1, first[0].id()));
}

//! What webhooks see of us.

use hmac::{Hmac, KeyInit, Mac};
use keytrail::pipeline::{notify, try_sinks};
use sha2::Sha256;

use super::make::{HOUR, START, at, outage, report, settings};
use super::server::{Answer, Server};

const NOW: i64 = START + HOUR;

/// A variable that every test process has.
const VARIABLE: &str = "CARGO_MANIFEST_DIR";

#[test]
fn requests_are_signed_with_their_time() {
    let server = Server::start();
    let settings = settings(&format!(
        "[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\nsecret = \"env:{VARIABLE}\"\n",
        server.url("hook")
    ));
    notify(&report([outage("alias/a", 1)]), &settings, None, at(NOW));
    let received = server.take().remove(0);
    let header = &received.headers["keytrail-signature"];
    let (time, signature) = header.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
    assert!((0..20).contains(&(time.parse::<i64>().unwrap() - NOW / 1000)), "{time}");
    // As a receiver would check it.
    let mut mac = Hmac::<Sha256>::new_from_slice(env!("CARGO_MANIFEST_DIR").as_bytes()).unwrap();
    mac.update(format!("{time}.{}", received.body).as_bytes());
    let expected: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(signature, expected);
    assert_eq!(received.headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(received.json()["schema"], "keytrail.alert/1");
    assert_eq!(received.json()["findings"][0]["rule"], "disabled-key-failure");
    assert_eq!(received.json()["dedup"], received.id());
}

#[test]
fn findings_go_where_the_configuration_says_and_nowhere_else() {
    let (server, elsewhere) = (Server::start(), Server::start());
    let target = elsewhere.url("stolen");
    server.answer(move |_| Answer { location: Some(target.clone()), ..Answer::status(307) });
    let settings = settings(&format!(
        "[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}?token=hunter2\"\n",
        server.url("hunter2")
    ));
    let notified = notify(&report([outage("alias/a", 1)]), &settings, None, at(NOW));
    let reason = &notified.failed[0].1;
    assert!(reason.ends_with("answers 307 Temporary Redirect: redirects are not followed"), "{reason}");
    assert!(!reason.contains("hunter2"), "an address may hold a token: {reason}");
    assert!(elsewhere.take().is_empty());
}

#[test]
fn a_missing_secret_and_a_closed_port_are_told_without_the_address() {
    let settings = settings(
        "[[alert.sink]]\nname = \"a\"\nkind = \"slack\"\nurl = \"env:KEYTRAIL_NO_SUCH_VARIABLE\"\n\
         [[alert.sink]]\nname = \"b\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/hunter2\"\n\
         [[alert.sink]]\nname = \"c\"\nkind = \"webhook\"\nurl = \"env:CARGO_MANIFEST_DIR\"\n",
    );
    let outcomes = try_sinks(&settings, at(NOW));
    let reasons: Vec<String> = outcomes.into_iter().map(|(_, outcome)| outcome.unwrap_err()).collect();
    assert_eq!(reasons[0], "the environment variable KEYTRAIL_NO_SUCH_VARIABLE is not set");
    assert!(reasons[1].starts_with("127.0.0.1:1: ") && !reasons[1].contains("hunter2"), "{}", reasons[1]);
    assert_eq!(reasons[2], "env:CARGO_MANIFEST_DIR holds no address that begins with https://");
}

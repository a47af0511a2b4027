//! `keytrail alert` and `keytrail scan --alert`.

use std::path::Path;

use assert_cmd::Command;

use super::server::{Answer, Server};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");

fn keytrail(config: &Path, args: &[&str]) -> (i32, String, String) {
    let output = Command::cargo_bin("keytrail").unwrap().args(args).arg("--config").arg(config).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn config(folder: &Path, text: &str) -> std::path::PathBuf {
    let path = folder.join("keytrail.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_test_message_goes_to_every_sink() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    server.answer(|received| Answer::status(if received.path == "bad" { 404 } else { 200 }));
    let hook = |name: &str, path: &str| {
        format!("[[alert.sink]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url(path))
    };
    let good = config(folder.path(), &hook("good", "good"));
    assert_eq!(keytrail(&good, &["alert", "--test"]), (0, "good  took a test message\n".into(), String::new()));
    assert_eq!(server.said(), [("test".into(), "[TEST] keytrail: alerts for the sink good arrive here".into())]);

    let both = config(folder.path(), &(hook("good", "good") + &hook("bad", "bad")));
    let (code, out, err) = keytrail(&both, &["alert", "--test"]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("good  took a test message\nbad   failed: 127.0.0.1:"), "{out}");
    assert!(err.contains("1 of 2 sinks failed"), "{err}");
}

#[test]
fn a_test_is_kept_as_a_drill_that_a_report_shows() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    server.answer(|received| Answer::status(if received.path == "bad" { 404 } else { 200 }));
    let hook =
        |name: &str| format!("[[alert.sink]]\nname = \"{name}\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url(name));
    let config = config(folder.path(), &(hook("good") + &hook("bad")));
    let lake = folder.path().join("lake");
    let lake = lake.to_str().unwrap();
    let (code, _, err) = keytrail(&config, &["ingest", SAMPLE, "--lake", lake]);
    assert_eq!(code, 0, "{err}");
    let drills = || {
        let (code, out, err) =
            keytrail(&config, &["report", lake, "--framework", "cis-aws-7.0", "--format", "json", "--quiet"]);
        assert!(code != 1 && code != 2, "{err}");
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        report["alerting"]["drills"].as_array().unwrap().clone()
    };
    assert_eq!(drills(), [] as [serde_json::Value; 0]);

    let (code, out, err) = keytrail(&config, &["alert", "--test", "--lake", lake]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("good  took a test message\nbad   failed: 127.0.0.1:"), "{out}");
    assert!(err.contains("kept in the lake") && err.contains("1 of 2 sinks failed"), "{err}");
    let kept = drills();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let drill = &kept[0];
    assert_eq!((&drill["passed"], drill["sinks"].as_array().unwrap().len()), (&false.into(), 2), "{drill}");
    let failed = |at: usize| drill["sinks"][at]["failed"].as_str().unwrap_or_default().to_owned();
    assert!(drill["sinks"][0]["sink"] == "good" && failed(0).is_empty(), "{drill}");
    assert!(drill["sinks"][1]["sink"] == "bad" && failed(1).contains("404"), "{drill}");
}

#[test]
fn a_drill_that_cannot_be_kept_is_not_sent() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let config = config(
        folder.path(),
        &format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url("hook")),
    );
    std::fs::write(folder.path().join("taken"), "no lake").unwrap();
    let place = folder.path().join("taken");
    let (code, out, err) = keytrail(&config, &["alert", "--test", "--lake", place.to_str().unwrap()]);
    assert!(code != 0 && out.is_empty(), "{code} {out} {err}");
    assert!(server.take().is_empty());
    let (code, _, err) = keytrail(&config, &["alert", "--lake", place.to_str().unwrap()]);
    assert_eq!(code, 2, "a drill is asked for: {err}");
}

#[test]
fn routes_are_shown_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(
        folder.path(),
        "[alert.routes]\nmissing-rotation = \"page\"\n\
         [[alert.sink]]\nname = \"on-call\"\nkind = \"email\"\nroute = \"page\"\nmin_severity = \"high\"\n\
         host = \"smtp.example.com\"\nfrom = \"keytrail@example.com\"\nto = [\"on-call@example.com\"]\n\
         [[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nroute = \"page\"\nurl = \"https://u:hunter2@hooks.example.com/hunter2\"\n",
    );
    let (code, out, _) = keytrail(&config, &["alert"]);
    assert_eq!(code, 0);
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "on-call email to on-call@example.com by smtp.example.com:587 (starttls); pages, from high on",
        "hook webhook to hooks.example.com; pages, from low on",
        "no sink takes digests: what goes there is told to nobody",
        "missing-rotation page (by the configuration)",
        "unused-key digest",
        "delivery-silence page at high and above, else digest",
        "over-broad-grant page at high and above, else digest",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains("hunter2"), "{out}");
}

#[test]
fn a_scan_tells_what_a_lake_does_not_remember() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let config = config(
        folder.path(),
        &format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url("hook")),
    );
    let lake = folder.path().join("lake");
    let scan = ["scan", SAMPLE, "--alert", "--lake", lake.to_str().unwrap()];
    let (code, out, err) = keytrail(&config, &scan);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("open finding"), "the findings are printed as ever");
    assert!(err.contains("alerts: 1 message sent\n"), "{err}");
    let said = server.take();
    assert_eq!((said.len(), said[0].said().0.as_str()), (1, "summary"));
    let (_, _, err) = keytrail(&config, &scan);
    assert!(err.contains("alerts: 0 messages sent\n"), "{err}");
    assert!(server.take().is_empty());

    // A part of the story takes nothing back.
    let (_, _, err) =
        keytrail(&config, &["scan", "--alert", "--lake", lake.to_str().unwrap(), "--region", "us-east-1"]);
    assert!(err.contains("alerts: 0 messages sent\n"), "{err}");
}

#[test]
fn a_sink_that_fails_is_an_exit_code() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    server.answer(|_| Answer::status(403));
    let failing = config(
        folder.path(),
        &format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url("hook")),
    );
    let (code, out, err) = keytrail(&failing, &["scan", SAMPLE, "--alert"]);
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("open finding"), "the findings are there all the same");
    assert!(err.contains("1 of 1 sink could not be told everything\n  hook: 127.0.0.1:"), "{err}");

    let none = config(folder.path(), "");
    for args in [&["scan", SAMPLE, "--alert"] as &[&str], &["alert", "--test"]] {
        let (code, out, err) = keytrail(&none, args);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains("the configuration has no sink for alerts"), "{err}");
    }
}

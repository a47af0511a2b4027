//! Whoever stops delivering is told of like a finding: by `scan --alert` over a lake, on the routes of the configuration, and in
//! a rehearsal.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use chrono::DateTime;
use keytrail::config::Settings;
use keytrail::pipeline::{Progress, Rehearsed, ScanOptions, Span, rehearse};
use serde_json::json;
use tempfile::TempDir;

use super::make::{DAY, HOUR, MINUTE, one_sink, settings};
use super::server::Server;

const RULE: &str = "delivery-silence";

/// A log with one decrypt at each of these times.
fn log(folder: &Path, region: &str, times: impl IntoIterator<Item = i64>) {
    let record = |time: i64| {
        json!({
            "eventVersion": "1.09", "eventID": format!("{region}-{time}"), "eventType": "AwsApiCall",
            "eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "awsRegion": region,
            "eventTime": DateTime::from_timestamp_millis(time).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "recipientAccountId": "111122223333", "sourceIPAddress": "192.0.2.1", "readOnly": true,
            "userIdentity": {
                "type": "IAMUser", "accountId": "111122223333", "principalId": "AIDAEXAMPLE",
                "arn": "arn:aws:iam::111122223333:user/app", "userName": "app",
            },
            "resources": [{
                "accountId": "111122223333", "type": "AWS::KMS::Key",
                "ARN": format!("arn:aws:kms:{region}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
            }],
        })
    };
    let records: Vec<_> = times.into_iter().map(record).collect();
    let name = format!("{region}-{}.json", records.len());
    std::fs::write(folder.join(name), json!({ "Records": records }).to_string()).unwrap();
}

#[expect(clippy::disallowed_methods, reason = "a silence lasts until now")]
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Every hour of so many days until some hours ago.
fn hourly(days: i64, hours_ago: i64) -> impl Iterator<Item = i64> {
    let end = now() - hours_ago * HOUR;
    (0..days * 24).map(move |hour| end - hour * HOUR)
}

/// A lake that is told of, with a Region that delivers as ever.
struct Watched {
    folder: TempDir,
    server: Server,
    config: PathBuf,
}

impl Watched {
    /// `more` is written below the sink.
    fn begun(more: &str) -> Self {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
        let config = folder.path().join("keytrail.toml");
        let sink = format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url("hook"));
        std::fs::write(&config, sink + more).unwrap();
        std::fs::create_dir(folder.path().join("logs")).unwrap();
        let watched = Self { folder, server, config };
        log(&watched.logs(), "eu-west-1", hourly(8, 0));
        let err = watched.scan(&[]);
        assert!(!err.contains("delivered"), "{err}");
        watched.server.take();
        watched
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// Reads what is new, and tells.
    fn scan(&self, args: &[&str]) -> String {
        let mut command = Command::cargo_bin("keytrail").unwrap();
        command.arg("scan").arg(self.logs()).arg("--alert").arg("--lake").arg(self.folder.path().join("lake"));
        let output = command.args(args).arg("--config").arg(&self.config).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{err}");
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(!out.contains("no log of"), "what a scan prints depends on its logs alone: {out}");
        err
    }

    /// Messages about silences.
    fn told(&self) -> Vec<(String, String)> {
        self.server.said().into_iter().filter(|(_, subject)| subject.contains("no log of")).collect()
    }
}

#[test]
fn a_scan_of_a_lake_tells_who_does_not_deliver_any_more() {
    let watched = Watched::begun("");
    log(&watched.logs(), "eu-central-1", hourly(9, 6));
    let err = watched.scan(&["--quiet"]);
    assert_eq!(err, "");
    let told = watched.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].0 == "new" && told[0].1.contains("no log of 111122223333 in eu-central-1 since "), "{told:?}");

    let err = watched.scan(&[]);
    assert!(err.contains("1 log not delivered any more\n  no log of 111122223333 in eu-central-1 since "), "{err}");
    assert!(err.contains("alerts: 0 messages sent\n"), "{err}");
    // Who looks at a part misses nobody, and says of nobody that they are back.
    for part in [&["--region", "eu-west-1"] as &[&str], &["--as-of", "2100-01-01"], &["--rule", "unused-key"]] {
        let err = watched.scan(part);
        assert!(err.contains("alerts: 0 messages sent\n") && !err.contains("delivered"), "{part:?}: {err}");
    }

    watched.server.take();
    log(&watched.logs(), "eu-central-1", [now() - 5 * MINUTE]);
    assert!(!watched.scan(&[]).contains("not delivered"));
    let told = watched.server.take();
    assert_eq!(told.len(), 1);
    assert!(told[0].said().0 == "resolved" && told[0].said().1.contains("no log of"), "{:?}", told[0].said());
}

#[test]
fn a_silence_takes_the_routes_of_the_configuration() {
    let silent = |more: &str| {
        let watched = Watched::begun(more);
        log(&watched.logs(), "eu-central-1", hourly(9, 6));
        let err = watched.scan(&[]);
        (watched.told().len(), err)
    };
    for (more, messages, is_missed) in [
        ("[alert.routes]\ndelivery-silence = \"off\"\n", 0, true),
        ("[alert.routes]\ndelivery-silence = \"page\"\n", 1, true),
        ("route = \"page\"\n[alert.routes]\ndelivery-silence = \"digest\"\n", 0, true),
        ("rules = [\"unused-key\"]\n", 0, true),
        ("rules = [\"delivery-silence\"]\n", 1, true),
        ("accounts = [\"444455556666\"]\n", 0, true),
        ("min_severity = \"critical\"\n", 0, true),
        ("min_severity = \"critical\"\n[rules.delivery-silence]\nseverity = \"critical\"\n", 1, true),
        ("[rules.delivery-silence]\nenabled = false\n", 0, false),
        ("[[suppress]]\nrule = \"delivery-silence\"\nregion = \"eu-central-1\"\nreason = \"left\"\n", 0, false),
        ("[[suppress]]\nrule = \"delivery-silence\"\nregion = \"eu-west-1\"\nreason = \"left\"\n", 1, true),
    ] {
        let (told, err) = silent(more);
        assert_eq!((told, err.contains("1 log not delivered any more")), (messages, is_missed), "{more}{err}");
        assert!(!err.contains("matched nothing"), "no scan has what it accepts: {err}");
    }
}

/// Ten days, a break, and two days more.
fn broken(folder: &Path, settings: Settings) -> Rehearsed {
    const START: i64 = 20_000 * DAY;
    let (before, after) = (0..240, 250..298);
    log(folder, "eu-west-1", before.chain(after).map(|hour| START + hour * HOUR + 30 * MINUTE));
    let options = ScanOptions::new(vec![folder.to_str().unwrap().to_owned()], settings);
    struct Quiet;
    impl Progress for Quiet {}
    rehearse(&options, Span { length: 5 * DAY, every: DAY }, &Quiet).unwrap()
}

#[test]
fn a_rehearsal_pages_for_silences_too() {
    let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
    let told = |settings: Settings| {
        let sent = broken(folder.path(), settings).outcome.sent.into_iter();
        let sent = sent.filter(|sent| sent.rules == [RULE]);
        sent.map(|sent| (sent.kind, (sent.at / MINUTE) - 20_000 * 24 * 60)).collect::<Vec<_>>()
    };
    // Three hours after the last log, and once an hour has one again.
    assert_eq!(told(one_sink(&server)), [("new", 243 * 60 + 5), ("resolved", 251 * 60)]);
    let sink = "[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"https://hooks.example.com\"\n";
    assert_eq!(told(settings(&format!("{sink}[alert]\nsilence_hours = 12\n"))), []);
    assert_eq!(told(settings(&format!("{sink}[rules.delivery-silence]\nenabled = false\n"))), []);
    let hours = told(settings(&format!("{sink}[alert]\nsilence_hours = 5\n")));
    assert_eq!(hours, [("new", 245 * 60 + 5), ("resolved", 251 * 60)]);
}

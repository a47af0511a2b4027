//! What `--from`, `--to` and `--lookback` read, and what they say about it.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;

use keytrail::config::Settings;
use keytrail::finding::Role;
use keytrail::pipeline::{Progress, ScanOptions, scan};
use keytrail::report::Report;
use keytrail_fixtures::{LogWriter, Time, key_arn, kms, role, user};

struct Silent;

impl Progress for Silent {}

const DAY: i64 = 86_400_000;

fn millis(day: &str) -> i64 {
    Time::from(day).epoch() * 1000
}

/// A key that is used, disabled in July, and fails in September.
fn write_story(root: &Path) {
    let key = key_arn("1234abcd-12ab-34cd-56ef-1234567890ab");
    let app = || role("orders", "i-0123456789abcdef0");
    let mut log = LogWriter::new(7);
    log.extend((0..50).map(|n| kms::decrypt(&key).by(app()).at(Time::from("2026-06-30T10:00:00Z") + n)));
    log.push(kms::disable_key(&key).by(user("alice")).at("2026-07-01T10:00:00Z"));
    log.extend(
        (0..5).map(|n| kms::decrypt(&key).by(app()).fails_disabled(&key).at(Time::from("2026-09-01T08:00:00Z") + n)),
    );
    log.write(root).unwrap();
}

fn run(root: &Path, lookback: Option<i64>) -> Report {
    let from = millis("2026-09-01T00:00:00Z");
    let options = ScanOptions {
        from: Some(from),
        to: Some(from + DAY),
        rules: vec!["disabled-key-failure".into()],
        lookback: lookback.map(|days| from - days * DAY),
        ..ScanOptions::new(vec![root.to_string_lossy().into_owned()], Settings::default())
    };
    scan(&options, &Silent).unwrap()
}

#[test]
fn the_cause_is_found_as_far_back_as_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    write_story(folder.path());
    for (lookback, cause, kms, pruned) in [(None, true, 56, 0), (Some(90), true, 6, 0), (Some(30), false, 5, 2)] {
        let report = run(folder.path(), lookback);
        assert_eq!((report.coverage.records.kms, report.coverage.objects.pruned), (kms, pruned), "{lookback:?}");
        let [finding] = report.findings.as_slice() else { panic!("{:?}", report.findings) };
        assert_eq!(finding.evidence.iter().any(|evidence| evidence.role == Role::Cause), cause, "{lookback:?}");
        let told = report.notices.iter().any(|notice| notice.contains("--lookback"));
        assert_eq!(told, lookback == Some(90), "{:?}", report.notices);
    }
}

/// A record cannot be younger than the file it stands in. One that says so does not move the end of the log, and is told.
#[test]
fn events_younger_than_their_file_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_arn("1234abcd-12ab-34cd-56ef-1234567890ab");
    let records = ["2026-09-01T00:30:00Z", "2026-09-01T02:30:00Z"].map(|time| kms::decrypt(&key).at(time).build());
    let path = keytrail_fixtures::object_path(
        None,
        "111122223333",
        "eu-west-1",
        Time::from("2026-09-01T00:00:00Z"),
        "abcdefgh12345678",
    );
    let file = keytrail_fixtures::LogFile { path, records: records.to_vec() };
    keytrail_fixtures::write_file(folder.path(), &file.path, &file.gzip()).unwrap();
    let options = ScanOptions::new(vec![folder.path().to_string_lossy().into_owned()], Settings::default());
    let report = scan(&options, &Silent).unwrap();
    assert_eq!(report.coverage.records.kms, 1);
    assert!(report.notices.iter().any(|notice| notice.starts_with("1 event left out")), "{:?}", report.notices);
}

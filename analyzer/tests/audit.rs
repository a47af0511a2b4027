//! `keytrail report` through the real binary.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[allow(dead_code, reason = "shared with tests that need more of it")]
#[path = "support/run.rs"]
mod run;

mod auditing {
    pub(crate) mod compare;
    pub(crate) mod expected;
    pub(crate) mod redaction;
    pub(crate) mod sample;
}

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use run::{keytrail, run, scan};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");
const HOSTILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/hostile");

fn report(args: &[&str]) -> run::Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keytrail"));
    command.env_clear().arg("report").args(args).arg("--quiet");
    run(command)
}

fn json(args: &[&str]) -> Value {
    let mut command = keytrail("report");
    command.args(args);
    run(command).ended(0).json()
}

fn control<'d>(document: &'d Value, framework: &str, id: &str) -> &'d Value {
    let of = |list: &'d Value, id: &str| list.as_array().unwrap().iter().find(|item| item["id"] == id).unwrap();
    of(&of(&document["frameworks"], framework)["controls"], id)
}

/// Writes an evidence pack of these logs.
fn pack(source: &str, folder: &Path, args: &[&str]) {
    report(&[&[source, "--framework", "soc2", "--pack", folder.to_str().unwrap()], args].concat()).ended(0);
}

/// The files of a folder by name, but for those that are no text.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_none_or(|end| end != "pdf"));
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().into(), std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// Rows of a table by column.
fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(table.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[test]
fn findings_contradict_and_silence_satisfies_nothing() {
    let document = json(&[SAMPLE, "--framework", "cis-aws-5.0,soc2"]);
    assert_eq!(document["schema"], "keytrail.report/1");
    assert_eq!(document["integrity"], "unverified");
    let rotation = control(&document, "cis-aws-5.0", "3.6");
    assert_eq!(rotation["status"], "contradicted");
    let ids: Vec<&Value> = document["findings"].as_array().unwrap().iter().map(|finding| &finding["id"]).collect();
    let deciding: Vec<&Value> =
        rotation["findings"].as_array().unwrap().iter().filter(|of| of["decides"] == true).collect();
    assert!(!deciding.is_empty() && deciding.iter().all(|of| ids.contains(&&of["id"])));
    // That somebody watches is not contradicted by what there was to see.
    let watched = control(&document, "cis-aws-5.0", "4.7");
    assert_eq!(watched["status"], "partial");
    assert!(watched["because"].as_str().unwrap().contains("to be answered"), "{watched}");
    // Logs that nobody validated prove nothing about themselves, and satisfy nothing.
    assert_eq!(control(&document, "cis-aws-5.0", "3.2")["status"], "not determinable");
    for framework in document["frameworks"].as_array().unwrap() {
        for control in framework["controls"].as_array().unwrap() {
            assert_ne!(control["status"], "satisfied", "{control}");
            assert!(
                !control["limits"].as_array().unwrap().is_empty() && !control["cannot"].as_str().unwrap().is_empty()
            );
        }
    }
}

#[test]
fn a_report_says_what_the_scan_says() {
    let scanned = scan(&[SAMPLE], &[]).ended(0).json();
    let mut document = json(&[SAMPLE, "--show-encryption-context"]);
    // A report says of each piece of evidence which bytes it was read from.
    for finding in document["findings"].as_array_mut().unwrap() {
        for evidence in finding["evidence"].as_array_mut().unwrap() {
            let sum = evidence.as_object_mut().unwrap().shift_remove("sha256").unwrap();
            let stored = std::fs::read(evidence["object"].as_str().unwrap()).unwrap();
            assert_eq!(sum, Sha256::digest(stored).iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
    }
    assert_eq!(document["findings"], scanned["findings"]);
    assert_eq!(document["coverage"], scanned["coverage"]);
    assert_eq!(document["frameworks"].as_array().unwrap().len(), 11);
    let hours: u64 = document["hours"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|of| of["days"].as_object().unwrap().values())
        .map(|hours| hours.as_u64().unwrap())
        .sum();
    assert!(hours > 100);
}

/// A calm log in which every account and Region is named: only what was not validated stands in the way.
#[test]
fn what_was_expected_is_reconciled_both_ways() {
    let limits = |args: &[&str]| -> Vec<String> {
        let mut all = vec![SAMPLE, "--framework", "soc2"];
        all.extend(args);
        let document = json(&all);
        let limits = control(&document, "soc2", "A1.2")["limits"].as_array().unwrap().clone();
        limits.iter().map(|limit| limit.as_str().unwrap().to_string()).collect()
    };
    let has = |limits: &[String], text: &str| limits.iter().any(|limit| limit.contains(text));
    assert!(has(&limits(&[]), "nothing was said about which there are"));
    let missing = limits(&["--expect-account", "111122223333,999999999999"]);
    assert!(has(&missing, "accounts expected, and without any log: 999999999999"), "{missing:?}");
    assert!(has(&missing, "accounts in the log, and not expected: 444455556666"), "{missing:?}");
    let all = limits(&["--expect-account", "111122223333,444455556666", "--expect-region", "eu-west-1,us-east-1"]);
    assert!(!has(&all, "accounts") && !has(&all, "Regions"), "{all:?}");
    assert!(has(&all, "keys are those that the log names: nothing was said"), "{all:?}");
}

#[test]
fn the_pack_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("pack");
    report(&[SAMPLE, "--framework", "pci-dss-4.0.1", "--pack", pack.to_str().unwrap()]).ended(0);
    let sums = std::fs::read_to_string(pack.join("SHA256SUMS")).unwrap();
    let names: Vec<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
    assert_eq!(
        names,
        [
            "changes.csv",
            "controls.csv",
            "evidence.csv",
            "findings.json",
            "inputs.ndjson",
            "keys.csv",
            "report.html",
            "report.json",
            "report.oscal.json",
            #[cfg(feature = "pdf")]
            "report.pdf",
            "suppressions.csv",
        ]
    );
    let check = Command::new("sha256sum").args(["-c", "--strict", "SHA256SUMS"]).current_dir(&pack).output();
    match check {
        Ok(check) => assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout)),
        Err(error) => println!("skipped: sha256sum cannot be run: {error}"),
    }
    // The same inputs give the same bytes.
    let again = folder.path().join("again");
    report(&[SAMPLE, "--framework", "pci-dss-4.0.1", "--pack", again.to_str().unwrap()]).ended(0);
    assert_eq!(sums, std::fs::read_to_string(again.join("SHA256SUMS")).unwrap());
    report(&[SAMPLE, "--pack", pack.to_str().unwrap()]).ended(2);
}

#[test]
fn the_page_stands_alone_and_hostile_text_stays_text() {
    for source in [SAMPLE, HOSTILE] {
        let done = report(&[source]);
        let page = String::from_utf8(done.out).unwrap();
        assert!(page.starts_with("<!DOCTYPE html>"));
        for forbidden in
            ["<script", "<img", "<iframe", "<link", "javascript:", "src=", "url(", "onerror=\"", "onload=\""]
        {
            let escaped = page.replace("&lt;", "").replace("&quot;", "");
            let tags: Vec<&str> = escaped.split('<').skip(1).filter_map(|tag| tag.split('>').next()).collect();
            assert!(!tags.iter().any(|tag| format!("<{tag}").contains(forbidden)), "{source}: {forbidden}");
        }
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{source}");
    }
}

/// What OSCAL's own validator says is in the extended tests; this holds the file to the report.
#[test]
fn oscal_says_what_the_report_says() {
    let args = [SAMPLE, "--framework", "cis-aws-5.0,nist-800-53-r5"];
    let oscal = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--format", "oscal"]);
        report(&all).ended(0).out
    };
    let bytes = oscal(&args);
    assert_eq!(bytes, oscal(&args));
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    let report = json(&args);
    let results = document["assessment-results"]["results"].as_array().unwrap();
    assert_eq!(document["assessment-results"]["metadata"]["last-modified"], report["run"]["as_of"]);
    let frameworks = report["frameworks"].as_array().unwrap();
    assert_eq!(results.len(), frameworks.len());
    for (result, framework) in results.iter().zip(frameworks) {
        let (findings, controls) = (result["findings"].as_array().unwrap(), framework["controls"].as_array().unwrap());
        assert_eq!(findings.len(), controls.len());
        for (finding, control) in findings.iter().zip(controls) {
            assert_eq!(finding["props"][0]["value"], control["status"]);
            let state = &finding["target"]["status"]["state"];
            assert_eq!(state == "satisfied", control["status"] == "satisfied", "{finding}");
            let operated = usize::from(!control["events"].as_array().unwrap().is_empty());
            let related = finding["related-observations"].as_array().unwrap();
            assert_eq!(related.len(), 1 + control["findings"].as_array().unwrap().len() + operated);
        }
    }
    let rotation = &results[0]["findings"][2];
    assert_eq!(rotation["target"]["target-id"], "cis-aws-5.0_3.6_obj");
    assert_eq!(rotation["target"]["status"]["reason"], "fail");
    assert_eq!(results[1]["findings"][0]["target"]["target-id"], "ac-2.12_obj");
    // The name of a file says what it shall be.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q3.oscal.json");
    let mut to_file = args.to_vec();
    to_file.extend(["--output", path.to_str().unwrap()]);
    self::report(&to_file).ended(0);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    // OSCAL wants times even where there is nothing to take them from.
    let quiet = folder.path().join("quiet");
    std::fs::create_dir(&quiet).unwrap();
    std::fs::write(quiet.join("log.json"), "{\"Records\":[]}").unwrap();
    let bytes = oscal(&[quiet.to_str().unwrap()]);
    let nothing: Value = serde_json::from_slice(&bytes).unwrap();
    assert!(nothing["assessment-results"]["metadata"]["remarks"].as_str().unwrap().contains("No event was read"));
}

/// The default build is light: it says how to get what it leaves out, before it reads anything.
#[cfg(not(feature = "pdf"))]
#[test]
fn a_build_without_pdf_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q3.pdf");
    for args in [["--format", "pdf"], ["--output", path.to_str().unwrap()]] {
        let done = report(&[&["no/such/logs"], &args[..]].concat()).ended(2);
        assert!(done.err.contains("this build writes no PDF") && done.err.contains("--features pdf"), "{}", done.err);
        assert!(done.out.is_empty() && !path.exists());
    }
}

#[cfg(feature = "pdf")]
#[test]
fn the_pdf_says_what_the_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q3.pdf");
    for source in [SAMPLE, HOSTILE] {
        let done = report(&[source, "--output", path.to_str().unwrap()]);
        assert!([0, 4].contains(&done.code), "{}", done.err);
        let file = std::fs::read(&path).unwrap();
        assert!(file.starts_with(b"%PDF-1.7"));
        assert_eq!(file, report(&[source, "--format", "pdf"]).out);
    }
    let asked = ["--format", "pdf", "--sample", "5", "--seed", "q3", "--expect-account", "111122223333"];
    assert!(report(&[&[SAMPLE], &asked[..]].concat()).ended(0).out.starts_with(b"%PDF"));
}

#[test]
fn frameworks_of_the_user_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    let head = "id = \"own\"\nname = \"Our rules\"\nmapping = \"1\"\nsource = \"wiki\"\n[[control]]\nid = \"K1\"\ntitle = \"Keys rotate\"\n";
    let good = write("good.toml", &format!("{head}rules = [\"missing-rotation\"]\ncannot = \"Older keys.\"\n"));
    let bad = write("bad.toml", &format!("{head}rules = [\"no-such-rule\"]\ncannot = \"Older keys.\"\n"));
    let document = json(&[SAMPLE, "--mapping", &good]);
    assert_eq!(control(&document, "own", "K1")["status"], "contradicted");
    let done = report(&[SAMPLE, "--mapping", &bad]).ended(2);
    assert!(done.err.contains("no-such-rule"));
    let done = report(&[SAMPLE, "--mapping", &good, "--mapping", &good]).ended(2);
    assert!(done.err.contains("has the id `own` already"), "{}", done.err);
    for (from, to) in [("Our rules", r"\u001b]0;x\u0007"), ("\"K1\"", r#""\u001b[31mK1""#), ("Older", r"\u009bOlder")] {
        let acts = write("acts.toml", &std::fs::read_to_string(&good).unwrap().replacen(from, to, 1));
        let done = report(&["--list", "--mapping", &acts]).ended(2);
        assert!(done.err.contains("a terminal obeys") && done.out.is_empty(), "{}", done.err);
    }
    report(&[SAMPLE, "--framework", "cis-aws-9"]).ended(2);
    assert!(String::from_utf8(report(&["--list"]).ended(0).out).unwrap().contains("gdpr-art-32"));
}

#[test]
fn other_accounts_and_regions_leave_no_gaps() {
    let gaps = |document: &Value, account: &str, region: &str| {
        let gaps = document["coverage"]["hours"]["gaps"].as_array().unwrap();
        let own = |gap: &&Value| gap["account"] == account && gap["region"] == region;
        gaps.iter().filter(own).cloned().collect::<Vec<_>>()
    };
    let all = json(&[SAMPLE]);
    let (own, region) = ("111122223333", "eu-west-1");
    assert!(!gaps(&all, own, region).is_empty());
    for args in [&["--account", own][..], &["--account", own, "--region", region]] {
        let document = json(&[&[SAMPLE, "--expect-account", own], args].concat());
        let coverage = &document["coverage"];
        assert_eq!(coverage["accounts"], serde_json::json!([own]));
        assert_eq!(gaps(&document, own, region), gaps(&all, own, region));
        assert!(coverage["hours"]["gaps"].as_array().unwrap().iter().all(|gap| gap["account"] == own));
        assert_eq!(document["expected"]["accounts"]["surplus"], serde_json::json!([]));
    }
    let other = json(&[SAMPLE, "--account", "999988887777"]);
    assert_eq!(
        (&other["coverage"]["accounts"], &other["coverage"]["hours"]["logged"]),
        (&serde_json::json!([]), &0.into())
    );
}

#[test]
fn a_period_that_the_log_does_not_fill_is_told() {
    let limits = |from: &str, to: &str| {
        let document = json(&[SAMPLE, "--framework", "cis-aws-5.0", "--from", from, "--to", to]);
        let controls = document["frameworks"][0]["controls"].as_array().unwrap().clone();
        let of = |control: &Value| control["limits"].to_string();
        controls
            .iter()
            .map(|control| (of(control).contains("before the first or after the last log"), of(control)))
            .collect::<Vec<_>>()
    };
    // The log is of ten days, in four places.
    let short = limits("2026-07-01", "2026-12-31");
    let days = format!("{} day(s) of the period", 4 * (62 + 112));
    assert!(short.iter().all(|(told, text)| *told && text.contains(&days)), "{short:?}");
    let whole = limits("2026-09-01", "2026-09-10");
    assert!(whole.iter().all(|(told, _)| !told), "{whole:?}");
}

/// What never ends must not fill the memory.
#[cfg(target_os = "linux")]
#[test]
fn files_without_an_end_are_refused() {
    for argument in ["--config", "--mapping", "--expect-keys", "--public-keys"] {
        let done = report(&[SAMPLE, argument, "/dev/zero"]).ended(2);
        assert!(done.err.contains("/dev/zero") && done.err.contains("it has more than"), "{argument}: {}", done.err);
    }
}

//! What a lake keeps of alerts, in `keytrail report`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use assert_cmd::Command;
use keytrail::config::Settings;
use keytrail::finding::{Severity, Status};
use keytrail::lake::{Folder, Lake};
use keytrail::pipeline::{Progress, ScanOptions, drill, notify, scan};
use keytrail::report::Report;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::make::{DAY, MINUTE, at, settings};
use super::server::{Answer, Server};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");

struct Silent;

impl Progress for Silent {}

/// The sample in a lake that knows that it begins, and what a scan of it finds.
struct Stage {
    server: Server,
    folder: tempfile::TempDir,
    settings: Settings,
    lake: Lake,
    report: Report,
    as_of: i64,
}

impl Stage {
    fn begun() -> Self {
        let (server, folder) = (Server::start(), tempfile::tempdir().unwrap());
        server.answer(|received| Answer::status(if received.path.contains("bad") { 404 } else { 200 }));
        let root = folder.path().join("lake");
        let done =
            Command::cargo_bin("keytrail").unwrap().args(["ingest", SAMPLE, "--lake"]).arg(&root).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let text = format!("[[alert.sink]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"\n", server.url("hook"));
        let mut settings = settings(&text);
        settings.alert.options.max_per_run = 1000;
        let lake = Lake::open(Arc::new(Folder::new(&root))).unwrap();
        let report = scan(&ScanOptions::new(vec![root.display().to_string()], settings.clone()), &Silent).unwrap();
        let as_of = report.run.as_of.unwrap();
        let nothing = Report { findings: Vec::new(), ..report.clone() };
        notify(&nothing, &settings, Some(&lake), at(as_of - 400 * DAY));
        server.take();
        Self { server, folder, settings, lake, report, as_of }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    fn pack(&self, source: &Path, config: &str) -> BTreeMap<String, String> {
        let (pack, path) = (self.folder.path().join("pack"), self.folder.path().join("report.toml"));
        let _ = std::fs::remove_dir_all(&pack);
        std::fs::write(&path, config).unwrap();
        let mut command = Command::cargo_bin("keytrail").unwrap();
        let done = command.arg("report").arg(source).args(["--quiet", "--pack"]).arg(&pack).arg("--config").arg(path);
        let done = done.output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let files = std::fs::read_dir(&pack).unwrap().map(|entry| entry.unwrap().path());
        let texts = files.filter(|path| path.extension().is_none_or(|end| end != "pdf"));
        texts
            .map(|path| (path.file_name().unwrap().to_str().unwrap().into(), std::fs::read_to_string(path).unwrap()))
            .collect()
    }
}

fn rows(table: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(table.as_bytes()).deserialize().map(Result::unwrap).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn control<'d>(document: &'d Value, framework: &str, id: &str) -> &'d Value {
    let of = |all: &'d Value, id: &str| list(all).iter().find(|one| one["id"] == id).unwrap();
    of(&of(&document["frameworks"], framework)["controls"], id)
}

fn says(control: &Value, where_: &str, what: &str) -> bool {
    list(&control[where_]).iter().any(|text| text.as_str().unwrap().contains(what))
}

#[test]
fn a_report_shows_who_was_told_when_and_how_long_it_took() {
    let stage = Stage::begun();
    let told_at = stage.as_of + 7 * MINUTE;
    notify(&stage.report, &stage.settings, Some(&stage.lake), at(told_at));
    let alone: BTreeSet<String> = stage
        .server
        .take()
        .iter()
        .filter_map(|message| Some(message.json()["incident"].as_str()?.to_owned()))
        .collect();
    assert!(alone.len() > 2, "{alone:?}");
    let good = drill(&stage.settings, &stage.lake, at(stage.as_of - DAY)).unwrap();
    assert!(good.is_passed());

    let files = stage.pack(&stage.root(), "");
    let document: Value = serde_json::from_str(&files["report.json"]).unwrap();
    let alerting = &document["alerting"];
    let incidents = list(&alerting["incidents"]);
    // Every incident of the findings is there, with the time of its first event, as the findings say it.
    let mut first: BTreeMap<&str, i64> = BTreeMap::new();
    for finding in stage.report.findings.iter().filter(|finding| finding.severity > Severity::Info) {
        let at = first.entry(finding.incident.as_str()).or_insert(i64::MAX);
        *at = finding.first_seen.min(*at);
    }
    for (id, at) in &first {
        let incident = incidents.iter().find(|incident| incident["id"] == **id).unwrap();
        let time = chrono::DateTime::parse_from_rfc3339(incident["event"]["time"].as_str().unwrap()).unwrap();
        // A finding of severity info may be the older one.
        assert!(time.timestamp_millis() <= *at, "{incident}");
    }
    let tellings =
        || incidents.iter().flat_map(|incident| list(&incident["tellings"]).iter().map(move |t| (incident, t)));
    let named: BTreeSet<String> = tellings()
        .filter(|(_, telling)| telling["first_alone"] == true)
        .map(|(incident, _)| incident["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(named, alone, "told alone is what the server took alone");
    let mut delays = Vec::new();
    for (incident, telling) in tellings() {
        let at =
            |value: &Value| chrono::DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap().timestamp_millis();
        assert_eq!(at(&telling["first"]), told_at);
        let since = (told_at - at(&incident["event"]["time"])) / 1000;
        assert_eq!(telling["seconds_since_event"], since);
        if !incident["event"]["delivered"].is_null() {
            let since_delivery = (told_at - at(&incident["event"]["delivered"])) / 1000;
            assert!(at(&incident["event"]["delivered"]) + HOUR_MS > at(&incident["event"]["time"]), "{incident}");
            assert_eq!(telling["seconds_since_delivery"], since_delivery);
            delays.push(since_delivery);
        }
        // What it says stands in the file, which is the one that was read.
        let file = std::fs::read(telling["evidence"]["file"].as_str().unwrap()).unwrap();
        let sum: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(telling["evidence"]["sha256"], sum);
    }
    assert!(!delays.is_empty(), "names of the sample tell when they were delivered");
    let worst = list(&alerting["delays"]).iter().filter_map(|delay| delay["since_delivery"]["worst"].as_i64()).max();
    assert_eq!(worst, delays.into_iter().max());

    // The table says the same, and the drill.
    let table = rows(&files["alerts.csv"]);
    let of_sinks = table.iter().filter(|row| row["kind"] == "incident" && !row["sink"].is_empty()).count();
    assert_eq!(of_sinks, tellings().count());
    let drills: Vec<_> = table.iter().filter(|row| row["kind"] == "drill").collect();
    assert_eq!((drills.len(), drills[0]["told"].as_str(), drills[0]["sink"].as_str()), (1, "sent", "hook"));
    let watched = control(&document, "cis-aws-5.0", "4.7");
    assert!(
        says(watched, "operated", "1 drill passed") || says(watched, "operated", "1 of 1 drill passed"),
        "{watched}"
    );
    assert!(says(watched, "operated", "told to a sink"), "{watched}");
    assert_ne!(watched["status"], "satisfied");
}

const HOUR_MS: i64 = 3_600_000;

#[test]
fn what_is_missing_is_said_and_satisfies_nothing() {
    let mut stage = Stage::begun();
    // A lake that told nobody anything of this, and has no drill.
    let files = stage.pack(&stage.root(), "");
    let document: Value = serde_json::from_str(&files["report.json"]).unwrap();
    let untold = list(&document["alerting"]["incidents"]).iter().filter(|incident| incident["untold"] == true).count();
    let rows_of_nobody = rows(&files["alerts.csv"]).iter().filter(|row| row["told"] == "nobody").count();
    assert!(untold > 5);
    assert_eq!(untold, rows_of_nobody);
    let watched = control(&document, "cis-aws-5.0", "4.7");
    assert!(says(watched, "limits", "no drill in the period"), "{watched}");
    assert!(says(watched, "limits", "nothing shows that a sink was told of"), "{watched}");
    assert!(list(&watched["operated"]).is_empty(), "{watched}");
    // No other control speaks of it.
    assert!(!says(control(&document, "soc2", "A1.2"), "limits", "drill"));

    // A drill that failed, long ago.
    let bad = stage.settings.alert.sinks[0].clone();
    let text = format!("[[alert.sink]]\nname = \"bad\"\nkind = \"webhook\"\nurl = \"{}\"\n", stage.server.url("bad"));
    stage.settings.alert.sinks = vec![bad, settings(&text).alert.sinks[0].clone()];
    assert!(!drill(&stage.settings, &stage.lake, at(stage.as_of - 60 * DAY)).unwrap().is_passed());
    let files = stage.pack(&stage.root(), "");
    let document: Value = serde_json::from_str(&files["report.json"]).unwrap();
    let watched = control(&document, "cis-aws-5.0", "4.7");
    assert!(says(watched, "operated", "0 of 1 drill passed; at the last"), "{watched}");
    assert!(says(watched, "limits", "did not pass") && says(watched, "limits", "60 d before the end"), "{watched}");

    // Logs alone say nothing of it.
    let files = stage.pack(Path::new(SAMPLE), "");
    let document: Value = serde_json::from_str(&files["report.json"]).unwrap();
    assert!(document["alerting"].is_null() && !files.contains_key("alerts.csv"));
    assert!(says(control(&document, "cis-aws-5.0", "4.7"), "limits", "no source is a lake"));
}

#[test]
fn hostile_records_stay_text_and_what_is_damaged_is_told() {
    let stage = Stage::begun();
    notify(&stage.report, &stage.settings, Some(&stage.lake), at(stage.as_of + MINUTE));
    let alerts = stage.root().join("alerts");
    let of_hook = |folder: &Path| folder.join("hook.json");
    let folder =
        std::fs::read_dir(&alerts).unwrap().map(|entry| entry.unwrap().path()).find(|path| of_hook(path).is_file());
    let path = of_hook(&folder.unwrap());
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    state["incident"] = "=HYPERLINK(\"http://198.51.100.1\")".into();
    state["sink"] = "<script>alert(1)</script>\u{1b}[31m".into();
    state["told"]["subject"] = "=cmd|' /C calc'!A0 <img src=x onerror=alert(1)>".into();
    std::fs::create_dir_all(alerts.join("f")).unwrap();
    std::fs::write(of_hook(&alerts.join("f")), state.to_string()).unwrap();
    std::fs::create_dir_all(alerts.join("e")).unwrap();
    std::fs::write(alerts.join("e/<b>hook.json"), "{}").unwrap();
    std::fs::create_dir_all(stage.root().join("drills")).unwrap();
    let sink = serde_json::json!({"sink": "@s", "kind": "<i>", "took": false, "reason": "<svg onload=alert(1)>"});
    let drill = serde_json::json!({"schema": "keytrail.drill/1", "at": "2026-01-01T00:00:00Z", "sinks": [sink]});
    std::fs::write(stage.root().join("drills/x.json"), drill.to_string()).unwrap();

    let files = stage.pack(&stage.root(), "");
    let page = &files["report.html"];
    for markup in ["<script", "<img", "<svg", "<b>hook", "\u{1b}"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("&lt;svg onload=alert(1)&gt;"));
    for row in rows(&files["alerts.csv"]) {
        for (column, cell) in row {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{column}: {cell}");
        }
    }
    let document: Value = serde_json::from_str(&files["report.json"]).unwrap();
    let damaged = list(&document["alerting"]["damaged"]);
    assert_eq!(damaged.len(), 1, "{damaged:?}");
    assert!(damaged[0]["file"].as_str().unwrap().ends_with("alerts/e/<b>hook.json"));
    assert!(says(
        control(&document, "cis-aws-5.0", "4.7"),
        "limits",
        "1 record of alerts or drills could not be understood"
    ));
}

#[test]
fn suppressions_say_who_approved_them_and_what_they_hid() {
    let stage = Stage::begun();
    let mut rules: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in &stage.report.findings {
        assert!(!matches!(finding.status, Status::Suppressed { .. }));
        *rules.entry(finding.rule).or_default() += 1;
    }
    let (&often, &count) = rules.iter().max_by_key(|(_, count)| **count).unwrap();
    let (&other, _) = rules.iter().find(|(rule, _)| **rule != often).unwrap();
    let config = format!(
        "[[suppress]]\nrule = \"{often}\"\nregion = \"no-such-1\"\nreason = \"=nothing\"\n\
         [[suppress]]\nrule = \"{other}\"\nkey = \"*\"\nreason = \"once\"\nuntil = \"2020-01-01\"\napproved_by = \"eve\"\n\
         [[suppress]]\nrule = \"{often}\"\naccount = \"111122223333\"\nreason = \"<b>known</b>\"\napproved_by = \"security@example.com\"\n"
    );
    let files = stage.pack(&stage.root(), &config);
    let table = rows(&files["suppressions.csv"]);
    let of = |column: &str| table.iter().map(|row| row[column].clone()).collect::<Vec<_>>();
    assert_eq!(of("state"), ["matched nothing", "expired", "in force"]);
    assert_eq!(of("approved_by"), ["", "eve", "security@example.com"]);
    let hidden = stage.report.findings.iter().filter(|f| f.rule == often && f.account == "111122223333").count();
    assert!(hidden > 0 && hidden as u64 <= count);
    assert_eq!(of("hidden"), ["0", "0", &hidden.to_string()]);
    assert!(table[0]["reason"].starts_with('\''), "no formula: {}", table[0]["reason"]);
    let document: Value = serde_json::from_str(&files["report.json"]).unwrap();
    let suppressed = list(&document["findings"]).iter().filter(|finding| finding["status"] == "suppressed").count();
    assert_eq!(suppressed, hidden);
    assert_eq!(document["suppressions"][2]["hidden"], hidden);
    assert!(files["report.html"].contains("&lt;b&gt;known") && files["report.html"].contains("nobody is named"));
}

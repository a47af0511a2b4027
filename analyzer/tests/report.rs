//! The command line through the real binary: help, lists, documents, and how it refuses.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use assert_cmd::Command;

/// The binary in an empty folder, without anything in the environment that changes what it prints.
fn keytrail(args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("keytrail").unwrap();
    for name in ["NO_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "COLUMNS", "LINES", "TERM"] {
        command.env_remove(name);
    }
    command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(args);
    command
}

/// Standard output of a run that must end well and say nothing else.
fn stdout(args: &[&str]) -> String {
    let output = keytrail(args).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && stderr.is_empty(), "{args:?}: {:?} {stderr}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Exit code and standard error of a run that must not write a result.
fn refused(args: &[&str]) -> (i32, String) {
    let output = keytrail(args).output().unwrap();
    assert!(output.stdout.is_empty(), "{args:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn help_leads_to_the_first_scan() {
    insta::assert_snapshot!(stdout(&["-h"]), @"
    What is happening to our AWS KMS keys, and can we prove it?

    Usage: keytrail [OPTIONS] <COMMAND>

    Commands:
      scan         Find out what is wrong with the keys in a pile of CloudTrail logs
      ingest       Read what is new in logs into a lake, so that nothing is read twice
      backfill     Plan to bring logs of any size into a lake, by many Lambda functions at once
      keys         List the keys: state, rotation, last use, who uses them for what, cost
      inventory    Ask KMS how the keys stand, as evidence beside the logs
      timeline     Tell what happened to one key, or to something that keys protect
      retire       May this key go? SAFE, NOT SAFE or UNKNOWN, with the reasons
      report       Report for auditors: what the logs prove of the controls of a framework
      verify       Prove that logs are what CloudTrail delivered, and that all of them are there
      explain      Show one finding with the raw records behind it, and how to fetch them by hand
      suppress     Accept a finding with a reason and an end, as an entry of the configuration
      alert        Show who is told of what, or send every sink a test message
      rehearse     Tell what this configuration would have alerted on, and how often
      rules        List the rules, or explain one
      schema       Describe the columns of the files that keytrail writes
      config       Print an example configuration: every setting, commented out, with its default
      completions  Print completions for a shell
      man          Print the manual of all commands, in roff
      help         Print this message or the help of the given subcommand(s)

    Options:
          --color <WHEN>  Colours: on a terminal, always, or never [default: auto]
      -h, --help          Print help (see more with '--help')
      -V, --version       Print version

    Start with: keytrail scan ./AWSLogs
    ");
}

#[test]
fn every_exit_code_is_in_the_help() {
    for args in [&["--help"] as &[&str], &["scan", "--help"]] {
        let help = stdout(args);
        for (_, code, meaning) in keytrail::cli::exit::EXITS {
            assert!(help.contains(&format!("{code:>2}  {meaning}")), "{code}: {help}");
        }
    }
}

#[test]
fn only_commands_that_exist_are_named() {
    let help = stdout(&["--help"])
        + &stdout(&["scan", "--help"])
        + &stdout(&["ingest", "--help"])
        + &stdout(&["keys", "--help"])
        + &stdout(&["inventory", "--help"])
        + &stdout(&["timeline", "--help"])
        + &stdout(&["retire", "--help"])
        + &stdout(&["report", "--help"])
        + &stdout(&["verify", "--help"])
        + &stdout(&["explain", "--help"])
        + &stdout(&["rehearse", "--help"])
        + &stdout(&["suppress", "--help"]);
    for (at, _) in help.match_indices("  keytrail ").map(|(at, text)| (at + 2, text)) {
        let command = help[at + 9..].split([' ', '`', '\n']).next().unwrap();
        let named = [
            "scan",
            "ingest",
            "backfill",
            "keys",
            "inventory",
            "timeline",
            "retire",
            "report",
            "verify",
            "explain",
            "suppress",
            "alert",
            "rehearse",
            "rules",
            "schema",
            "config",
            "man",
            "completions",
        ]
        .contains(&command);
        assert!(named || command.starts_with(['[', '<']), "keytrail {command}");
    }
}

#[test]
fn rules_are_listed_and_explained() {
    let list = stdout(&["rules"]);
    let json: serde_json::Value = serde_json::from_str(&stdout(&["rules", "--format", "json"])).unwrap();
    assert_eq!(json["schema"], "keytrail.rules/1");
    for rule in keytrail::rules::RULES {
        assert!(list.contains(rule.id), "{list}");
        assert!(json["rules"].as_array().unwrap().iter().any(|wire| wire["id"] == rule.id));
        let page = stdout(&["rules", rule.id]);
        assert!(page.starts_with(rule.id) && page.contains("\nOptions\n"), "{page}");
        assert!(!page.contains("```"), "fences are laid out, not shown: {page}");
    }
}

#[test]
fn a_wrong_rule_gets_the_right_one_suggested() {
    for args in [&["rules", "missing-rotations"] as &[&str], &["scan", ".", "--rule", "missing-rotations"]] {
        let (code, stderr) = refused(args);
        assert_eq!(code, 2);
        assert!(stderr.contains("missing-rotation'"), "{stderr}");
    }
}

#[test]
fn the_schema_is_the_table() {
    let json: serde_json::Value = serde_json::from_str(&stdout(&["schema", "--format", "json"])).unwrap();
    let names: Vec<&str> =
        json["columns"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    let table: Vec<&str> = keytrail::frame::COLUMNS.iter().map(|column| column.name).collect();
    assert_eq!(names, table);
    assert!(stdout(&["schema", "findings", "--format", "markdown"]).contains("| `key_arn` | string |"));
    assert!(stdout(&["schema"]).contains("event_time"));
}

#[test]
fn the_example_configuration_is_one() {
    let example = stdout(&["config"]);
    let ids: Vec<&str> = keytrail::rules::RULES.iter().map(|rule| rule.id).collect();
    let settings = keytrail::config::Settings::parse(&example, "keytrail.toml", &ids).unwrap();
    assert_eq!(settings, keytrail::config::Settings::default());
}

#[test]
fn completions_and_the_manual_know_every_command() {
    let manual = stdout(&["man"]);
    for command in [
        "scan",
        "keys",
        "timeline",
        "retire",
        "report",
        "explain",
        "suppress",
        "rehearse",
        "rules",
        "schema",
        "config",
        "completions",
        "man",
    ] {
        assert!(manual.contains(&format!(".TH keytrail-{command} 1")), "{command}");
        for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
            assert!(stdout(&["completions", shell]).contains(command), "{shell}: {command}");
        }
    }
    assert!(manual.contains(".SH EXIT CODES") && manual.contains(r"\-\-fail\-on high"), "{manual}");
}

#[test]
fn refusals_end_with_2_and_say_what_to_try() {
    for (args, says) in [
        (&["scan"] as &[&str], "<SOURCE>..."),
        (&["scan", ".", "--fromm", "x"], "a similar argument exists: '--from'"),
        (&["scan", ".", "--from", "2026-09-01T08:30:00"], "add the zone: 2026-09-01T08:30:00Z"),
        (&["scan", ".", "--from", "2026-09-02", "--to", "2026-09-01"], "try: swap --from and --to"),
        (&["scan", ".", "--memory", "64"], "64MiB"),
        (&["scan", ".", "--output", "."], "it is a folder"),
        (&["scan", ".", "--output", "no-such/folder/x.json"], "try: mkdir -p no-such/folder"),
        (&["scan", ".", "--output", "x.parquet", "--events", "x.parquet"], "name the same file"),
        (&["scan", ".", "--config", "no-such.toml"], "try: `keytrail config > keytrail.toml`"),
        (&["report"], "<SOURCE>..."),
        (&["judge"], "unrecognized subcommand 'judge'"),
    ] {
        let (code, stderr) = refused(args);
        assert_eq!(code, 2, "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(says), "{args:?}: {stderr}");
    }
}

#[test]
fn problems_of_the_configuration_point_at_their_lines() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("wrong-config");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("keytrail.toml"), "[scan]\nmemroy = \"1GiB\"\n").unwrap();
    let output = keytrail(&["scan", "."]).current_dir(&folder).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "the file beside us is read without being named: {stderr}");
    assert!(stderr.starts_with("error: keytrail.toml:2:1: ") && stderr.contains("2 | memroy = \"1GiB\"\n"), "{stderr}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(["schema", "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn colour_only_where_asked_for() {
    assert!(!stdout(&["rules"]).contains('\u{1b}'));
    assert!(stdout(&["rules", "--color", "always"]).contains('\u{1b}'));
    let mut forced = keytrail(&["rules"]);
    let output = forced.env("CLICOLOR_FORCE", "1").output().unwrap();
    assert!(output.stdout.contains(&0x1b));
    let output = forced.env("NO_COLOR", "1").output().unwrap();
    assert!(!output.stdout.contains(&0x1b));
}

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/sample");
const HOSTILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/hostile");

const BROKEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/hostile/truncated-gzip.json.gz");

#[test]
fn every_format_tells_the_same_findings() {
    let json: serde_json::Value = serde_json::from_str(&stdout(&["scan", SAMPLE, "--format", "json"])).unwrap();
    let ids: Vec<&str> =
        json["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect();
    assert!(!ids.is_empty());

    let ndjson = stdout(&["scan", SAMPLE, "--format", "ndjson"]);
    let lines: Vec<serde_json::Value> = ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, lines) = lines.split_last().unwrap();
    assert_eq!(lines.iter().map(|line| line["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    assert_eq!(last["coverage"], json["coverage"]);

    let csv = stdout_with_remarks(&["scan", SAMPLE, "--format", "csv"]);
    let rows = csv::Reader::from_reader(csv.as_bytes()).into_records().map(|row| row.unwrap()[0].to_string());
    assert_eq!(rows.collect::<Vec<_>>(), ids);

    let text = stdout(&["scan", SAMPLE]);
    for id in ids {
        assert!(text.contains(id), "{id}");
    }
}

fn stdout_with_remarks(args: &[&str]) -> String {
    let output = keytrail(args).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("Not looked at"));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn exit_codes_follow_the_table() {
    let empty = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-logs");
    std::fs::create_dir_all(&empty).unwrap();
    for (args, code) in [
        (&["scan", SAMPLE] as &[&str], 0),
        (&["scan", SAMPLE, "--fail-on", "critical"], 10),
        (&["scan", SAMPLE, BROKEN], 4),
        (&["scan", SAMPLE, BROKEN, "--fail-on", "high"], 14),
        (&["scan", empty.to_str().unwrap()], 3),
        (&["scan", "no-such-file.json"], 3),
        (&["scan", SAMPLE, "--fail-on", "severe"], 2),
    ] {
        let output = keytrail(args).args(["--quiet"]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn hostile_logs_cannot_act_on_a_terminal_and_what_could_not_be_read_is_told() {
    for format in ["text", "json", "csv"] {
        let output = keytrail(&["scan", HOSTILE, "--format", format, "--quiet"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with("warning: ") && stderr.contains(" could not be read\n"), "{format}: {stderr}");
        for text in [String::from_utf8(output.stdout).unwrap(), stderr] {
            let acts = |c: char| c.is_control() && c != '\n' && c != '\r';
            assert!(!text.contains(acts), "{format}: {:?}", text.lines().find(|line| line.contains(acts)));
        }
    }
}

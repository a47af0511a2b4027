//! What holds for every rule and every file of the project, checked by reading the sources.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use keytrail::config::{RULE_OPTIONS, options_of};
use keytrail::rules::RULES;

/// Headings of a rule page, in this order.
const HEADINGS: [&str; 12] = [
    "What it finds",
    "Why it matters",
    "Why this severity",
    "Does it page",
    "Fires",
    "Stays quiet",
    "False positives",
    "What it misses",
    "Respond",
    "Details",
    "Options",
    "References",
];

/// The line from bytes to reports: a stage imports only from stages to its left.
const STAGES: [&str; 11] =
    ["source", "decode", "extract", "frame", "inventory", "view", "finding", "policy", "rules", "compliance", "report"];

/// Imports from the right that are there on purpose: stage, room that it imports, the only items it may name, reason.
const EXCEPTIONS: [(&str, &str, &[&str], &str); 3] = [
    (
        "source",
        "decode",
        &["SkipReason"],
        "an object that is skipped by its name is reported like one skipped by its content",
    ),
    ("extract", "frame", &["Row", "Text", "schema"], "a record becomes a row: the column table says what a row is"),
    (
        "report",
        "integrity",
        &["Interval", "Kind", "Problem", "Scope", "Tally", "Verdict", "Verdicts"],
        "what verifying came to is rendered like what a scan came to",
    ),
];

/// Rooms beside the line: what each may import. They are wired together by `pipeline` and `cli` only.
const ROOMS: [(&str, &[&str]); 7] = [
    ("config", &[]),
    ("integrity", &["source"]),
    ("alert", &["config", "finding", "rules", "report", "lake"]),
    ("lake", &["config", "source", "frame", "decode", "view"]),
    ("pipeline", &["*"]),
    ("cli", &["*"]),
    ("main", &["*"]),
];

/// Rooms that only these import.
const TOP: [(&str, &[&str]); 4] = [
    ("pipeline", &["cli", "main"]),
    ("cli", &["main"]),
    ("alert", &["pipeline", "cli"]),
    ("lake", &["pipeline", "cli", "alert"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Files below a folder with one of these endings, with their content, by path relative to that folder. None when the
/// folder is not there.
fn files(folder: &str, endings: &[&str]) -> BTreeMap<String, String> {
    let base = root().join(folder);
    let mut found = BTreeMap::new();
    let mut open = vec![base.clone()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| endings.iter().any(|wanted| end == *wanted)) {
                let name = path.strip_prefix(&base).unwrap().to_string_lossy().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn sources() -> BTreeMap<String, String> {
    files("analyzer/src", &["rs"])
}

/// Fails with all problems at once.
fn report(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn every_rule_file_is_a_rule_with_a_page() {
    let files = files("analyzer/src/rules", &["rs", "md"]);
    let infrastructure = ["mod.rs", "rule.rs", "prelude.rs"];
    let rules: BTreeSet<String> = files
        .keys()
        .filter(|name| name.ends_with(".rs") && !name.contains('/') && !infrastructure.contains(&name.as_str()))
        .map(|name| name.trim_end_matches(".rs").replace('_', "-"))
        .collect();
    let registered: BTreeSet<String> = RULES.iter().map(|rule| rule.id.to_string()).collect();
    assert_eq!(rules, registered, "files in analyzer/src/rules and the list RULES in its mod.rs");
    for rule in RULES {
        let page = files.get(&format!("{}.md", rule.id.replace('-', "_")));
        assert_eq!(page.map(String::as_str), Some(rule.doc), "{}: `doc` is the page of the same name", rule.id);
    }
    let pages = files.keys().filter(|name| name.ends_with(".md")).count();
    assert_eq!(pages, RULES.len(), "a page without a rule");
}

#[test]
fn rule_ids_are_sorted_and_stable() {
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    for id in &ids {
        let sound = id.split('-').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()));
        assert!(sound, "{id} is not kebab-case");
    }
    // People put these ids into their configuration and their tickets: they do not change.
    insta::assert_snapshot!(ids.join("\n"), @"
    admin-uses-key
    alias-moved
    disabled-key-failure
    imported-material-deleted
    key-deletion-scheduled
    key-disabled
    key-store-changed
    missing-rotation
    over-broad-grant
    over-broad-iam-policy
    over-broad-key-policy
    policy-lockout
    ransom-chain
    replica-outside-regions
    root-uses-key
    rotation-disabled
    trail-key-cut-off
    unused-key
    unusual-decrypt-rate
    ");
}

#[test]
fn summaries_are_fragments() {
    for rule in RULES {
        let summary = rule.summary;
        assert!(summary.starts_with(|c: char| c.is_ascii_lowercase()), "{}: lower case: {summary}", rule.id);
        assert!(!summary.ends_with('.'), "{}: no full stop: {summary}", rule.id);
        assert!(summary.chars().count() <= 100, "{}: at most 100 characters: {summary}", rule.id);
    }
}

#[test]
fn technique_ids_are_well_formed_and_on_the_page() {
    for rule in RULES {
        for id in rule.attack {
            let digits = id.strip_prefix('T').unwrap_or_default().replacen('.', "", 1);
            let sound = matches!(digits.len(), 4 | 7) && digits.bytes().all(|byte| byte.is_ascii_digit());
            assert!(sound, "{}: {id} is no ATT&CK technique", rule.id);
            assert!(section(rule.doc, "References").contains(id), "{}.md: References do not name {id}", rule.id);
        }
        assert!(!rule.controls.is_empty(), "{}: speaks to no control", rule.id);
    }
}

#[test]
fn pages_have_all_headings_in_order() {
    let mut problems = Vec::new();
    for rule in RULES {
        let lines: Vec<&str> = outside_blocks(rule.doc);
        let mut problem = |text: String| problems.push(format!("{}.md: {text}", rule.id));
        if lines.first() != Some(&format!("# {}", rule.id).as_str()) {
            problem(format!("the first line is `# {}`", rule.id));
        }
        let summary = lines.get(2).copied().unwrap_or_default();
        if !(summary.starts_with(char::is_uppercase) && summary.ends_with('.') && lines.get(3) == Some(&"")) {
            problem("one sentence on one line follows the title".into());
        }
        let headings: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("## ")).collect();
        if headings != HEADINGS {
            problem(format!("headings are {headings:?}"));
        }
        for heading in HEADINGS {
            if section(rule.doc, heading).trim().is_empty() {
                problem(format!("nothing stands under `{heading}`"));
            }
        }
        for (heading, word) in [
            ("Why this severity", rule.severity.id().to_string()),
            ("Why this severity", rule.confidence.id().to_string()),
            ("Does it page", rule.timing.id().to_string()),
            ("Options", format!("keytrail rules {}", rule.id)),
        ] {
            if !section(rule.doc, heading).contains(&format!("`{word}`")) {
                problem(format!("`{heading}` does not speak of `{word}`"));
            }
        }
        // A page is read in a terminal too.
        for line in rule.doc.lines().filter(|line| !line.starts_with(['|', '{', '#', '-'])) {
            if line.chars().count() > 140 {
                problem(format!("a line is longer than 140 characters: {line}"));
            }
        }
    }
    report(&problems);
}

/// Text between a heading and the next.
fn section<'d>(doc: &'d str, heading: &str) -> &'d str {
    let rest = doc.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_default();
    rest.split("\n## ").next().unwrap_or_default()
}

/// Lines outside fenced blocks: expectations inside begin with `#` too.
fn outside_blocks(doc: &str) -> Vec<&str> {
    let mut inside = false;
    doc.lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
        .collect()
}

#[test]
fn every_option_is_an_option_of_a_rule_and_used() {
    let rules = sources();
    for option in RULE_OPTIONS {
        let rule = RULES.iter().find(|rule| rule.id == option.rule);
        let rule = rule.unwrap_or_else(|| panic!("the option {} belongs to no rule: {}", option.key, option.rule));
        let file = format!("rules/{}.rs", rule.id.replace('-', "_"));
        assert!(rules[&file].contains(option.key), "{file} never reads the option `{}`", option.key);
        assert!(options_of(rule.id).any(|known| known.key == option.key));
    }
}

#[test]
fn pages_name_only_options_that_exist() {
    for rule in RULES {
        let own: Vec<&str> = options_of(rule.id).map(|option| option.key).collect();
        let details = section(rule.doc, "Details");
        for option in RULE_OPTIONS.iter().filter(|option| !own.contains(&option.key)) {
            assert!(!rule.doc.contains(option.key), "{}.md speaks of `{}`", rule.id, option.key);
        }
        for key in own {
            let told = rule.doc.replace(details, "").contains(key);
            assert!(told, "{}.md does not say what the option `{key}` changes", rule.id);
        }
    }
}

#[test]
fn stages_import_from_the_left_only() {
    let mut problems = Vec::new();
    for (file, text) in sources() {
        let room = room(&file);
        for (path, line) in imports(&text) {
            let (target, item) = path.split_once("::").unwrap_or((&path, ""));
            if target != room && !may_import(room, target, item) {
                problems.push(format!("analyzer/src/{file}:{line}: {room} imports crate::{path}"));
            }
        }
    }
    report(&problems);
}

/// First part of a path below `src`: the room of a file.
fn room(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

fn may_import(room: &str, target: &str, item: &str) -> bool {
    if TOP.iter().any(|(top, users)| *top == target && !users.contains(&room)) {
        return false;
    }
    if let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) {
        return allowed.contains(&"*") || allowed.contains(&target);
    }
    let exception = |(from, to, items, _): &(&str, &str, &[&str], &str)| {
        *from == room && *to == target && items.contains(&item.split("::").next().unwrap_or_default())
    };
    let stage = |name: &str| STAGES.iter().position(|stage| *stage == name);
    match (stage(room), stage(target)) {
        _ if target == "config" || EXCEPTIONS.iter().any(exception) => true,
        (Some(own), Some(other)) => other < own,
        // lib.rs declares all rooms; a room that is on no list must be put on one.
        _ => room == "lib",
    }
}

/// Every `crate::` path outside comments, as `room::item`, with its line.
fn imports(text: &str) -> Vec<(String, usize)> {
    let code: Vec<&str> =
        text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        found.extend(paths(&code[at + "crate::".len()..]).into_iter().map(|path| (path, line)));
    }
    found
}

/// The paths of a use tree, two parts deep: `a::{b, c::d}` gives `a::b` and `a::c`.
fn paths(tree: &str) -> Vec<String> {
    let part = |text: &str| {
        text.find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(text, |end| &text[..end]).to_string()
    };
    let branches = |text: &str| -> Vec<String> {
        let Some(inner) = text.strip_prefix('{') else { return vec![text.to_string()] };
        let (mut depth, mut list) = (0, vec![String::new()]);
        for c in inner.chars() {
            match c {
                '}' if depth == 0 => break,
                ',' if depth == 0 => list.push(String::new()),
                _ => {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    list.last_mut().unwrap().push(c);
                }
            }
        }
        list.iter().map(|text| text.trim().to_string()).filter(|text| !text.is_empty()).collect()
    };
    let mut found = Vec::new();
    for branch in branches(tree) {
        let room = part(&branch);
        match branch[room.len()..].strip_prefix("::") {
            Some(rest) => found.extend(branches(rest).iter().map(|item| format!("{room}::{}", part(item)))),
            None => found.push(room),
        }
    }
    found
}

#[test]
fn use_trees_are_read() {
    assert_eq!(paths("frame::{Row, schema::{A, B}};"), ["frame::Row", "frame::schema"]);
    assert_eq!(paths("{a::b, c};"), ["a::b", "c"]);
    assert_eq!(paths("frame::Columns<'_>"), ["frame::Columns"]);
    assert!(may_import("view", "extract", "FailureClass") && !may_import("view", "finding", "Finding"));
    assert!(may_import("extract", "frame", "Row") && !may_import("extract", "frame", "Columns"));
    assert!(!may_import("rules", "pipeline", "scan") && !may_import("config", "finding", "Severity"));
}

#[test]
fn files_are_short_enough_to_read() {
    let mut problems = Vec::new();
    for folder in ["analyzer/src", "lambda/src"] {
        for (file, text) in files(folder, &["rs"]) {
            let rule = file.starts_with("rules/") && file.matches('/').count() == 1;
            let (lines, most) = (text.lines().count(), if rule { 350 } else { 600 });
            if lines > most {
                problems.push(format!("{folder}/{file} has {lines} lines, {most} are allowed: split it"));
            }
        }
    }
    report(&problems);
}

#[test]
fn nothing_is_left_undone() {
    let words = ["todo!", "unimplemented!", "dbg!", "TODO", "FIXME"];
    let mut problems = Vec::new();
    for folder in ["analyzer/src", "lambda/src", "fixtures/src"] {
        for (file, text) in files(folder, &["rs", "md"]) {
            for (number, line) in text.lines().enumerate() {
                if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                    problems.push(format!("{folder}/{file}:{}: {word}", number + 1));
                }
            }
        }
    }
    report(&problems);
}

#[test]
fn only_one_file_decompresses() {
    confined(&["flate2", "libdeflater"], &["decode/gzip.rs"]);
}

#[test]
fn domain_types_are_never_serialized() {
    // `ingest`, `rules` and `schema` print documents of their own, with wire types beside them; the lake and its alerts have
    // JSON files of their own, so have answers of services, a framework is a file, digests are JSON of CloudTrail, and a plan of a backfill has the payloads
    // of the function.
    let allowed = [
        "report/",
        "config/raw.rs",
        "cli/expected.rs",
        "cli/ingest.rs",
        "cli/rules.rs",
        "cli/schema.rs",
        "compliance/framework.rs",
        "lake/wire.rs",
        "alert/wire.rs",
        "alert/transport/wire.rs",
        "integrity/wire.rs",
        "inventory/wire.rs",
        "inventory/config_wire.rs",
        "pipeline/backfill.rs",
    ];
    confined(&["Serialize", "Deserialize"], &allowed);
}

/// These words stand only in files whose path begins so.
fn confined(words: &[&str], allowed: &[&str]) {
    let mut problems = Vec::new();
    for (file, text) in sources() {
        if allowed.iter().any(|path| file.starts_with(path)) {
            continue;
        }
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                problems.push(format!(
                    "analyzer/src/{file}:{}: {word} belongs into {}",
                    number + 1,
                    allowed.join(" or ")
                ));
            }
        }
    }
    report(&problems);
}

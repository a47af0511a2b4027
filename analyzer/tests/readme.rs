//! The README and the example configuration are what the code produces. `BLESS=1 cargo test --test readme` rewrites them.

#![expect(clippy::unwrap_used, reason = "a test says by failing that it cannot go on")]
#![expect(clippy::disallowed_methods, reason = "BLESS asks for new files")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn keytrail(args: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_keytrail"))
        .args(args.split_whitespace())
        .current_dir(root())
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Replaces what stands between two lines of `text`.
fn between(text: &str, begin: &str, end: &str, new: &str) -> String {
    let from = text.find(begin).unwrap_or_else(|| panic!("no line {begin}")) + begin.len() + 1;
    let to = from + text[from..].find(end).unwrap_or_else(|| panic!("no line {end}"));
    format!("{}{new}{}", &text[..from], &text[to..])
}

/// Holds a file to its content; rewrites it when asked to bless.
fn hold(path: &str, fresh: &str) {
    let path = root().join(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, fresh).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == fresh,
        "{} is stale; BLESS=1 cargo test -p keytrail --test readme rewrites it",
        path.display()
    );
}

#[test]
fn the_readme_shows_what_the_code_prints() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut fresh = readme.clone();
    let mark = "<!-- sample: ";
    // A sample of one word is no command line: it is held by the test of its command.
    let samples = readme.lines().filter_map(|line| line.strip_prefix(mark)?.strip_suffix(" -->"));
    let samples: Vec<&str> = samples.filter(|command| command.contains(' ')).collect();
    assert!(samples.len() >= 3, "{samples:?}");
    for command in samples {
        let output = keytrail(command);
        assert!(!output.is_empty(), "{command}");
        fresh = between(&fresh, &format!("{mark}{command} -->"), "<!-- end of", &format!("```text\n{output}```\n"));
    }

    let mut rules = "| rule | severity | what it finds |\n|---|---|---|\n".to_string();
    for rule in keytrail::rules::RULES {
        let file = rule.id.replace('-', "_");
        rules += &format!(
            "| [`{0}`](analyzer/src/rules/{file}.md) | {1} | {2} |\n",
            rule.id,
            rule.severity.id(),
            rule.summary
        );
    }
    let fresh = between(&fresh, "<!-- rules -->", "<!-- end of rules -->", &format!("\n{rules}\n"));
    let exits = keytrail::cli::exit::markdown();
    let fresh = between(&fresh, "<!-- exit codes -->", "<!-- end of exit codes -->", &format!("\n{exits}\n"));
    hold("README.md", &fresh);
}

#[test]
fn the_example_configuration_is_fresh() {
    hold("analyzer/keytrail.example.toml", &keytrail("config"));
}

#[test]
fn the_column_docs_are_fresh() {
    hold("analyzer/SCHEMA.md", &keytrail("schema --format markdown"));
}

#[test]
fn the_athena_tables_are_fresh() {
    let path = "dashboards/athena/schema.sql";
    let mut fresh = std::fs::read_to_string(root().join(path)).unwrap();
    for table in ["events", "objects", "findings"] {
        let command = format!("schema {table} --format athena");
        let begin = format!("-- begin of: keytrail {command}");
        fresh = between(&fresh, &begin, &format!("-- end of {table}"), &keytrail(&command));
    }
    hold(path, &fresh);
}

//! A rule page taken apart: its headings, its examples, its table of details.

use std::collections::BTreeMap;

use keytrail::config::Settings;
use keytrail::finding::Severity;
use keytrail::rules::{RULES, Rule};
use keytrail_fixtures::Time;

use super::step::{Said, Step};

/// What an example promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// At least one finding of the rule above info.
    Fires,
    /// No finding of the rule above info.
    Quiet,
    /// The same, and it looks like trouble.
    NearMiss,
}

/// One fenced block of a page.
pub(crate) struct Example {
    pub(crate) rule: &'static Rule,
    /// Number of the block on the page, from 1.
    pub(crate) number: usize,
    /// Line of the page where it begins.
    pub(crate) line: usize,
    /// The sentence above it.
    pub(crate) says: String,
    pub(crate) kind: Kind,
    pub(crate) as_of: Option<Time>,
    pub(crate) settings: Settings,
    pub(crate) steps: Vec<Step>,
    /// What KMS answered, for the inventory of the example.
    pub(crate) said: Vec<Said>,
    pub(crate) expectations: Vec<Expectation>,
}

impl Example {
    /// `disabled-key-failure.md, block 2 (line 40, fires): the sentence`.
    pub(crate) fn place(&self) -> String {
        let kind = match self.kind {
            Kind::Fires => "fires",
            Kind::Quiet => "quiet",
            Kind::NearMiss => "quiet near-miss",
        };
        format!("{}.md, block {} (line {}, {kind}): {}", self.rule.id, self.number, self.line, self.says)
    }
}

/// A `# name=value name~"part"` line below the steps: some finding of the rule has all of this.
///
/// Names: `severity`, `confidence`, `status`, `count`, `title`, `findings` (how many there are above info), `fact.LABEL`
/// with `_` for a space, `detail.NAME`. `=` compares the whole text, `~` looks for a part of it.
#[derive(Debug)]
pub(crate) struct Expectation {
    pub(crate) line: String,
    pub(crate) terms: Vec<Term>,
}

#[derive(Debug)]
pub(crate) struct Term {
    pub(crate) name: String,
    pub(crate) part: bool,
    pub(crate) value: String,
}

/// Every example of every page, in the order of the registry.
pub(crate) fn all() -> Vec<Example> {
    RULES.iter().flat_map(|rule| examples(rule)).collect()
}

/// The examples of one page.
pub(crate) fn examples(rule: &'static Rule) -> Vec<Example> {
    let mut found = Vec::new();
    let mut says = String::new();
    let mut block: Option<(usize, String, Vec<&str>)> = None;
    for (at, line) in rule.doc.lines().enumerate() {
        if let Some(info) = line.strip_prefix("```") {
            match block.take() {
                Some((start, info, lines)) if info.starts_with("json") => {
                    let number = found.len() + 1;
                    let says = std::mem::take(&mut says);
                    found.push(example(rule, number, start, says, &info, &lines));
                }
                Some(_) => {}
                None => block = Some((at + 1, info.to_string(), Vec::new())),
            }
        } else if let Some((_, _, lines)) = &mut block {
            lines.push(line);
        } else if line.starts_with('#') {
            says.clear();
        } else if line.is_empty() {
            says.push('\n');
        } else {
            // Only the paragraph right above a block belongs to it.
            if says.ends_with('\n') {
                says.clear();
            }
            if !says.is_empty() {
                says.push(' ');
            }
            says.push_str(line);
        }
    }
    assert!(block.is_none(), "{}.md: the last block does not end", rule.id);
    found
}

fn example(rule: &'static Rule, number: usize, line: usize, says: String, info: &str, lines: &[&str]) -> Example {
    let place = format!("{}.md, block {number} (line {line})", rule.id);
    let (mut kind, mut as_of, mut options) = (None, None, String::new());
    let (mut trusted, mut logs, mut readers) = (String::new(), String::new(), String::new());
    let (mut members, mut regions, mut soak, mut soak_tag) =
        (String::new(), String::new(), String::new(), String::new());
    let quoted = |list: &str| format!("\"{}\"", list.replace(',', "\", \""));
    for word in info.split_whitespace().skip(1) {
        match word.split_once('=') {
            None => {
                kind = Some(match (kind, word) {
                    (None, "fires") => Kind::Fires,
                    (None, "quiet") => Kind::Quiet,
                    (Some(Kind::Quiet), "near-miss") => Kind::NearMiss,
                    _ => panic!("{place}: `{word}` is none of: fires, quiet, quiet near-miss"),
                });
            }
            Some(("as-of", time)) => {
                as_of = Some(Time::parse(time).unwrap_or_else(|| panic!("{place}: `{time}` is no time")));
            }
            Some(("trusted", accounts)) => trusted = quoted(accounts),
            Some(("logs", buckets)) => logs = quoted(buckets),
            Some(("readers", who)) => readers = quoted(who),
            Some(("members", accounts)) => members = quoted(accounts),
            Some(("regions", list)) => regions = quoted(list),
            Some(("soak", keys)) => soak = quoted(keys),
            Some(("soak_tag", tag)) => soak_tag = format!("soak_tag = \"{tag}\"\n"),
            Some((option, value)) => options.push_str(&format!("{option} = {value}\n")),
        }
    }
    let logs = format!("[logs]\nbuckets = [{logs}]\nreaders = [{readers}]");
    let keys = format!("[keys]\nregions = [{regions}]\nsoak = [{soak}]\n{soak_tag}");
    let accounts = format!("[accounts]\ntrusted = [{trusted}]\nmembers = [{members}]");
    let toml = format!("{accounts}\n{logs}\n{keys}\n[rules.{}]\n{options}", rule.id);
    let ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let settings = Settings::parse(&toml, &place, &ids).unwrap_or_else(|problems| panic!("{problems}"));
    let (expected, steps): (Vec<&str>, Vec<&str>) =
        lines.iter().filter(|line| !line.is_empty()).partition(|line| line.starts_with('#'));
    let (said, steps): (Vec<&str>, Vec<&str>) = steps.into_iter().partition(|line| line.starts_with("{\"said\""));
    let steps = steps.iter().map(|line| parse(line, &place)).collect();
    let said = said.iter().map(|line| parse(line, &place)).collect();
    let expectations = expected.iter().map(|line| expectation(line)).collect();
    let kind = kind.unwrap_or_else(|| panic!("{place}: say `json fires`, `json quiet` or `json quiet near-miss`"));
    Example { rule, number, line, says: says.trim().to_string(), kind, as_of, settings, steps, said, expectations }
}

fn parse<T: serde::de::DeserializeOwned>(line: &str, place: &str) -> T {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{place}: {error} in\n  {line}"))
}

fn expectation(line: &str) -> Expectation {
    let mut terms = Vec::new();
    let mut rest = line.trim_start_matches('#').trim_start();
    while !rest.is_empty() {
        let at = rest.find(['=', '~']).unwrap_or_else(|| panic!("`{rest}` in `{line}` is no name=value"));
        let (name, part) = (rest[..at].to_string(), rest.as_bytes()[at] == b'~');
        let after = &rest[at + 1..];
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or_else(|| panic!("a quote in `{line}` does not end")),
            None => after.split_once(' ').unwrap_or((after, "")),
        };
        terms.push(Term { name, part, value: value.to_string() });
        rest = left.trim_start();
    }
    Expectation { line: line.to_string(), terms }
}

/// Rows of the table under `## Details`: name → type.
pub(crate) fn details(rule: &Rule) -> BTreeMap<String, String> {
    let section = rule.doc.split("\n## Details\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (name, rest) = row.split_once('`').unwrap_or_else(|| panic!("{}.md: `{row}`", rule.id));
        let kind = rest.trim_start_matches([' ', '|']).split('|').next().unwrap_or_default();
        (name.to_string(), kind.trim().to_string())
    })
    .collect()
}

/// True for findings that somebody is told about.
pub(crate) fn counts(severity: Severity) -> bool {
    severity > Severity::Info
}

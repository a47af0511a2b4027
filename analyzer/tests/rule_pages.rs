//! The examples on the rule pages, run: what a page says of a rule is true.
//!
//! A page shows what happened in the shorthand of [`step`], one step per line. Each example becomes whole CloudTrail
//! records, goes through the whole pipeline, and all rules look at it. The info string of a block says what it promises
//! (`fires`, `quiet`, `quiet near-miss`) and may set `as-of=TIME`, `trusted=ACCOUNT,ACCOUNT`, `logs=BUCKET,BUCKET`,
//! `readers=ARN,ARN`, `members=ACCOUNT,ACCOUNT`, `regions=REGION,REGION`, `soak=KEY,KEY`, `soak_tag=TAG` and options of the rule (`cryptoperiod_days=90`). Lines that begin with `#` say what some finding of
//! the rule must look like, see [`page::Expectation`]; lines that begin with `{"said"` what KMS answered, for an inventory ([`step::Said`]).
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

#[path = "rule_pages/page.rs"]
mod page;
#[path = "rule_pages/run.rs"]
mod run;
#[path = "rule_pages/step.rs"]
mod step;

use std::collections::{BTreeMap, BTreeSet};

use keytrail::finding::Finding;
use keytrail::rules::RULES;
use page::{Example, Kind, counts};

/// Every example with what all rules find in it; run once for all tests of this file.
fn examples() -> &'static [(Example, Vec<Finding>)] {
    static ALL: std::sync::LazyLock<Vec<(Example, Vec<Finding>)>> = std::sync::LazyLock::new(|| {
        page::all()
            .into_iter()
            .map(|example| {
                let findings = run::findings(&example);
                (example, findings)
            })
            .collect()
    });
    &ALL
}

#[test]
fn examples_do_what_the_pages_say() {
    let problems: Vec<String> =
        examples().iter().filter_map(|(example, findings)| run::problem(example, findings)).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn every_page_has_enough_examples() {
    for rule in RULES {
        let count = |kind: Kind| page::examples(rule).iter().filter(|example| example.kind == kind).count();
        let (fires, quiet, near) = (count(Kind::Fires), count(Kind::Quiet), count(Kind::NearMiss));
        assert!(fires >= 2, "{}.md: {fires} examples that fire, 2 are wanted", rule.id);
        assert!(near >= 2, "{}.md: {near} near misses, 2 are wanted", rule.id);
        assert!(quiet + near >= 4, "{}.md: {} quiet examples, 4 are wanted", rule.id, quiet + near);
    }
}

#[test]
fn every_example_stands_where_it_belongs_and_says_what_it_shows() {
    for rule in RULES {
        let line_of = |heading: &str| rule.doc.lines().position(|line| line == heading).unwrap_or(0) + 1;
        let (fires, quiet, end) = (line_of("## Fires"), line_of("## Stays quiet"), line_of("## False positives"));
        for example in page::examples(rule) {
            let expected = if example.kind == Kind::Fires { fires..quiet } else { quiet..end };
            assert!(expected.contains(&example.line), "{}\n  stands under another heading", example.place());
            let sentence = example.says.starts_with(char::is_uppercase) && example.says.ends_with([':', '.']);
            assert!(sentence, "{}\n  one sentence above the block says what happens", example.place());
        }
    }
}

#[test]
fn every_detail_is_documented() {
    for rule in RULES {
        let rows = page::details(rule);
        let mut seen: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
        for finding in examples().iter().flat_map(|(_, findings)| findings).filter(|finding| finding.rule == rule.id) {
            for (name, kind) in run::members(finding) {
                seen.entry(name).or_default().insert(kind);
            }
        }
        for (name, kinds) in &seen {
            let row = rows.get(name).unwrap_or_else(|| panic!("{}.md: no row for the detail `{name}`", rule.id));
            for kind in kinds {
                let said = match *kind {
                    "null" => row.ends_with("or null"),
                    "list" => row.starts_with("list"),
                    kind => row.trim_end_matches(" or null") == kind,
                };
                assert!(said, "{}.md: `{name}` is {kind}, the page says `{row}`", rule.id);
            }
        }
        for name in rows.keys() {
            assert!(seen.contains_key(name), "{}.md: no example shows the detail `{name}`", rule.id);
        }
    }
}

/// Which rules speak of which example, with the worst severity and how often: a noisy rule shows here.
#[test]
fn overlap_matrix() {
    let mut matrix = String::new();
    for (example, findings) in examples() {
        let mut rules: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            rules.entry(finding.rule).or_default().push(finding);
        }
        let cells: Vec<String> = rules
            .iter()
            .map(|(rule, own)| {
                let worst = own.iter().map(|finding| finding.severity).max().unwrap();
                let times = if own.len() > 1 { format!(" × {}", own.len()) } else { String::new() };
                format!("{rule} {}{times}", worst.id())
            })
            .collect();
        let kind = if example.kind == Kind::Fires { "fires" } else { "quiet" };
        let cells = if cells.is_empty() { "-".to_string() } else { cells.join(", ") };
        matrix.push_str(&format!("{} {kind}: {}\n    {cells}\n", example.rule.id, example.says));
    }
    insta::assert_snapshot!(matrix);
}

#[test]
fn the_rule_of_a_page_fires_at_most_once_per_incident() {
    for (example, findings) in examples() {
        let mut ids = BTreeSet::new();
        for finding in findings.iter().filter(|finding| counts(finding.severity)) {
            assert!(ids.insert(&finding.id), "{}\n  two findings with the id {:?}", example.place(), finding.id);
        }
    }
}

//! The decision table: every policy below `tests/policies`, each with the verdict that it must get.

use std::fs;
use std::path::Path;

use keytrail::policy::{Context, Policy, diff, judge_iam_policy, judge_key_policy, lockout};
use serde::Deserialize;

/// The statement of a default key policy, which most rows have along with what they are about.
const ROOT: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;

#[derive(Deserialize)]
struct File {
    policy: Vec<Row>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    /// Why the verdict is right.
    why: String,
    /// `$ROOT` stands for the statement of a default key policy.
    document: String,
    #[serde(default = "account")]
    account: String,
    #[serde(default)]
    trusted: Vec<String>,
    #[serde(default)]
    members: Vec<String>,
    organization: Option<String>,
    /// True for an IAM policy.
    #[serde(default)]
    iam: bool,
    bypass: Option<bool>,
    /// `kind severity`, or `kind severity class+class`, in the order of the statements.
    #[serde(default)]
    expect: Vec<String>,
    /// `kind severity`.
    #[serde(default)]
    lockout: Vec<String>,
    /// Id of the reason why it cannot be read.
    unreadable: Option<String>,
    /// Who is named in the exposures, all together.
    principals: Option<Vec<String>>,
}

fn account() -> String {
    "111122223333".to_owned()
}

impl Row {
    fn text(&self) -> String {
        self.document.replace("$ROOT", ROOT)
    }
}

fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/policy/policies");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let file: File = toml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        file.policy
    };
    files.iter().flat_map(read).collect()
}

/// What is wrong with the verdict of a row. None if nothing is.
fn wrong(row: &Row) -> Option<String> {
    let parsed = Policy::parse(&row.text());
    let policy = match (parsed, &row.unreadable) {
        (Ok(policy), None) => policy,
        (Ok(_), Some(reason)) => return Some(format!("it was read, but should be {reason}")),
        (Err(error), reason) if reason.as_deref() == Some(error.id()) => return None,
        (Err(error), _) => return Some(format!("unreadable: {} ({error})", error.id())),
    };
    let trusted = |account: &str| row.trusted.iter().any(|known| known == account);
    let member = |account: &str| row.members.iter().any(|known| known == account);
    let organization = row.organization.as_deref();
    let context = Context { account: &row.account, trusted: &trusted, member: &member, organization };
    let found = if row.iam { judge_iam_policy(&policy) } else { judge_key_policy(&policy, &context) };
    let mut told = String::new();
    let mut same = found.len() == row.expect.len();
    for (at, exposure) in found.iter().enumerate() {
        let classes: Vec<_> = exposure.actions.iter().map(|class| class.id()).collect();
        let short = format!("{} {}", exposure.kind.id(), exposure.severity.id());
        let long = format!("{short} {}", classes.join("+"));
        same &= row.expect.get(at).is_some_and(|wanted| *wanted == short || *wanted == long);
        let who = exposure.principals.join(", ");
        told +=
            &format!("\n    [{}] {long} ({}) {who}: {}", exposure.statement, exposure.confidence.id(), exposure.reason);
        let first = exposure.reason.chars().next();
        same &= first.is_some_and(char::is_lowercase);
        same &= !exposure.reason.ends_with('.');
    }
    if let Some(wanted) = &row.principals {
        let named: Vec<String> = found.iter().flat_map(|exposure| exposure.principals.clone()).collect();
        same &= named == *wanted;
    }
    let locked = if row.iam { Vec::new() } else { lockout(&policy, &row.account, row.bypass) };
    let locks: Vec<String> = locked.iter().map(|one| format!("{} {}", one.kind.id(), one.severity.id())).collect();
    same &= locks == row.lockout;
    (!same).then(|| {
        format!("wanted {:?} {:?} {:?}, got{told}\n    lockout {locks:?}", row.expect, row.principals, row.lockout)
    })
}

#[test]
fn every_policy_gets_its_verdict() {
    let rows = rows();
    let wrong: Vec<String> =
        rows.iter().filter_map(|row| wrong(row).map(|what| format!("{} ({}): {what}", row.name, row.why))).collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn the_table_is_large_and_its_names_are_unique() {
    let rows = rows();
    let mut names: Vec<_> = rows.iter().map(|row| &row.name).collect();
    names.sort();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert!(rows.iter().all(|row| row.why.len() > 10), "every row says why");
    assert!(rows.len() >= 350, "{} rows: one of the files was not read", rows.len());
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    for row in rows() {
        let Ok(policy) = Policy::parse(&row.text()) else { continue };
        let found = diff(Some(&policy), &policy);
        assert!(found.is_empty(), "{}: {found:?}", row.name);
        let mut turned = policy.clone();
        turned.statements.reverse();
        assert!(diff(Some(&policy), &turned).is_empty(), "{}: the order of statements counts", row.name);
    }
}

/// Any text is read or refused, and what is read can be judged: nothing panics, nothing runs away.
#[test]
fn damaged_policies_are_read_or_refused() {
    let trusted = |_: &str| false;
    let context =
        Context { account: "111122223333", trusted: &trusted, member: &trusted, organization: Some("o-a1b2c3d4e5") };
    let default = Policy::parse(&format!(r#"{{"Statement":{ROOT}}}"#)).unwrap();
    let mut read = 0;
    for (at, row) in rows().iter().enumerate() {
        let text = row.text();
        let cuts = (at % 31..text.len()).step_by(31).filter_map(|at| text.get(..at).map(str::to_owned));
        let swaps = [
            ("Allow", "Deny"),
            ("Principal", "NotPrincipal"),
            ("Action", "NotAction"),
            ("Resource", "NotResource"),
            ("\"*\"", "[]"),
            ("111122223333", "*"),
            ("kms:", "${aws:userid}"),
            ("StringEquals", "ForAllValues:StringNotLikeIfExists"),
            ("aws:", "kms:"),
            (":", ":\u{e9}"),
            ("\"*\"", "{\"AWS\":[[]]}"),
            ("[", "[null,"),
        ];
        let swapped = swaps.iter().flat_map(|(from, to)| [text.replace(from, to), text.replacen(from, to, 1)]);
        let holes =
            (at % 29..text.len()).step_by(29).filter_map(|at| Some(text.get(..at)?.to_owned() + text.get(at + 1..)?));
        for damaged in cuts.chain(swapped).chain(holes) {
            let Ok(policy) = Policy::parse(&damaged) else { continue };
            read += 1;
            judge_key_policy(&policy, &context);
            judge_iam_policy(&policy);
            lockout(&policy, "111122223333", Some(true));
            assert!(diff(Some(&policy), &policy).is_empty(), "{damaged}");
            diff(Some(&default), &policy);
            diff(Some(&policy), &default);
            diff(None, &policy);
        }
    }
    assert!(read > 1000, "only {read} damaged texts were still policies");
}

/// Attackers write policies too: as large as KMS takes them, and built to make pairs of everything. This test
/// fails by not coming to an end.
#[test]
fn hostile_policies_are_judged() {
    let many = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    let account = |at: usize| format!("\"{}\"", 444_000_000_000 + at);
    let stars = "*?".repeat(3000);
    let hostile = [
        // Accounts against organizations against accounts.
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":[{0}]}},"Action":"kms:*","Resource":"*","Condition":{{"StringEquals":{{"aws:PrincipalOrgID":[{1}],"aws:SourceOrgID":[{1}],"kms:CallerAccount":[{0}]}}}}}}]}}"#,
            many(600, &account),
            many(600, &|at| format!("\"o-{at}\"")),
        ),
        // Everybody, tied to pairs of lists that have nothing in common.
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{{"StringEquals":{{"aws:PrincipalOrgID":[{}],"aws:SourceAccount":[{}],"aws:SourceVpce":["vpce-0a1b2c3d"]}}}}}}]}}"#,
            many(900, &|at| format!("\"o-{at}\"")),
            many(900, &account),
        ),
        // Every deny cuts what is left in two.
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}},{}]}}"#,
            many(180, &|at| format!(
                r#"{{"Effect":"Deny","Principal":"*","NotAction":"kms:?{}*","Condition":{{"StringNotEquals":{{"aws:PrincipalOrgID":["o-{at}","o-x"]}}}}}}"#,
                ["e", "i", "r", "n", "u"][at % 5],
            )),
        ),
        format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":"*","Action":["{stars}","kms:{stars}"],"Resource":"{stars}"}}]}}"#
        ),
        format!(
            r#"{{"Statement":[{}]}}"#,
            many(400, &|at| {
                format!(r#"{{"Effect":"Allow","Principal":{{"AWS":"{}"}},"Action":"k*"}}"#, 444_000_000_000 + at)
            })
        ),
    ];
    let trusted = |_: &str| false;
    let context =
        Context { account: "111122223333", trusted: &trusted, member: &trusted, organization: Some("o-a1b2c3d4e5") };
    let mut statements = 0;
    for text in hostile {
        assert!(text.len() <= keytrail::policy::MAX_BYTES, "{} bytes", text.len());
        let policy = Policy::parse(&text).unwrap();
        statements += policy.statements.len();
        judge_key_policy(&policy, &context);
        judge_iam_policy(&policy);
        lockout(&policy, "111122223333", None);
        assert!(diff(Some(&policy), &policy).is_empty());
        diff(None, &policy);
    }
    assert!(statements > 500, "only {statements} statements");
}

#[test]
fn longer_than_kms_takes_is_refused() {
    let text = format!(r#"{{"Statement":[{ROOT}],"Id":"{}"}}"#, "x".repeat(33_000));
    assert_eq!(Policy::parse(&text).unwrap_err().id(), "too-long");
    let deep = "[".repeat(30_000);
    assert_eq!(Policy::parse(&deep).unwrap_err().id(), "not-json");
}

#[test]
fn unknown_elements_are_remembered() {
    let policy = Policy::parse(r#"{"Note":1,"Statement":{"Effect":"Deny","Action":[],"Extra":{}}}"#).unwrap();
    assert_eq!(policy.unknown, ["Note"]);
    assert_eq!(policy.statements[0].unknown, ["Extra"]);
}

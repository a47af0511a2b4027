//! What changed between two policies: `tests/differences.toml`, and what holds for any pair.

use keytrail::policy::{Asker, Closeness, Diff, Policy, diff};
use serde::Deserialize;

const ROOT: &str =
    r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}"#;

#[derive(Deserialize)]
struct File {
    pair: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    name: String,
    old: Option<String>,
    new: String,
    #[serde(default)]
    gained: Vec<String>,
    #[serde(default)]
    lost: Vec<String>,
}

fn read(text: &str) -> Policy {
    Policy::parse(&text.replace("$ROOT", ROOT)).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn pairs() -> Vec<Pair> {
    let file: File = toml::from_str(include_str!("differences.toml")).unwrap();
    file.pair
}

fn texts(diff: &Diff) -> (Vec<String>, Vec<String>) {
    let of = |list: &[keytrail::policy::Change]| list.iter().map(|change| change.text.clone()).collect();
    (of(&diff.gained), of(&diff.lost))
}

#[test]
fn every_pair_differs_as_it_says() {
    let mut wrong = Vec::new();
    for pair in pairs() {
        let old = pair.old.as_deref().map(read);
        let found = texts(&diff(old.as_ref(), &read(&pair.new)));
        if found != (pair.gained.clone(), pair.lost.clone()) {
            wrong.push(format!("{}:\n  wanted {:?}\n  got    {found:?}", pair.name, (pair.gained, pair.lost)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What one way gains, the other way loses. A condition that is in one version only is worded by the way.
#[test]
fn there_and_back() {
    for pair in pairs() {
        let Some(old) = pair.old.as_deref().map(read) else { continue };
        let new = read(&pair.new);
        let (there, back) = (diff(Some(&old), &new), diff(Some(&new), &old));
        assert_eq!(there.gained.len(), back.lost.len(), "{}", pair.name);
        assert_eq!(there.lost.len(), back.gained.len(), "{}", pair.name);
        for (gained, lost) in there.gained.iter().zip(&back.lost) {
            assert_eq!((&gained.principal, &gained.actions), (&lost.principal, &lost.actions), "{}", pair.name);
        }
    }
}

/// A deny for all but some is about everybody else, however close a service that calls for them is to the list.
#[test]
fn all_but_some_are_everybody_else() {
    let new = read(
        r#"{"Version":"2012-10-17","Statement":[$ROOT,{"Effect":"Deny","Action":"kms:Decrypt","Resource":"*","NotPrincipal":
        {"AWS":["111122223333","arn:aws:iam::111122223333:role/admin"],"Service":"secretsmanager.amazonaws.com"}}]}"#,
    );
    let old = read(r#"{"Version":"2012-10-17","Statement":[$ROOT]}"#);
    let lost = diff(Some(&old), &new).lost;
    assert_eq!(lost.len(), 1, "{lost:?}");
    let concerns = |names: &[&str], action| lost[0].concerns(&Asker::new(names, "111122223333", &[action]));
    let (admin, app) = ("arn:aws:iam::111122223333:role/admin", "arn:aws:iam::111122223333:role/app");
    assert_eq!(concerns(&[app, ""], "Decrypt"), Some(Closeness::Around));
    assert_eq!(concerns(&[app, "secretsmanager.amazonaws.com"], "Decrypt"), Some(Closeness::Around));
    assert_eq!(concerns(&[app, ""], "Encrypt"), None);
    assert_eq!(concerns(&[admin, ""], "Decrypt"), None);
    assert_eq!(concerns(&["secretsmanager.amazonaws.com", ""], "Decrypt"), None);
}

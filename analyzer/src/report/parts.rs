//! What the formats of other programs (SARIF, OCSF, ASFF) ask of a finding that the domain does not hold ready: text for
//! people without characters that act, URIs of objects, a rule's page without its tests.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::escape;
use crate::finding::{Evidence, Finding, Role};
use crate::rules::Rule;

/// What RFC 3986 lets stand in a path, without what only some readers let stand.
const NOT_IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Sections of a rule page that are tests, in a language of their own.
const TESTS: [&str; 2] = ["## Fires", "## Stays quiet"];

/// A text as one line that can only be read.
pub(super) fn line(text: &str) -> String {
    escape::terminal(text).into_owned()
}

/// A text of several lines of our own, each of which can only be read.
pub(super) fn lines(text: &str) -> String {
    text.trim().lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The facts as `label: value`, one per line.
pub(super) fn facts(finding: &Finding) -> String {
    let facts: Vec<String> =
        finding.facts.iter().map(|fact| format!("{}: {}", fact.label, escape::terminal(&fact.value))).collect();
    facts.join("\n")
}

/// At most `most` characters of a text; what was cut shows as `…`.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// The record that shows best what the finding is about: its cause, else the first there is.
pub(super) fn anchor(finding: &Finding) -> Option<&Evidence> {
    finding.evidence.iter().find(|evidence| evidence.role == Role::Cause).or_else(|| finding.evidence.first())
}

/// The partition of a Region.
pub(super) fn partition_of(region: &str) -> &'static str {
    match region.split('-').take(2).collect::<Vec<_>>()[..] {
        ["cn", _] => "aws-cn",
        ["us", "gov"] => "aws-us-gov",
        ["us", "iso"] => "aws-iso",
        ["us", "isob"] => "aws-iso-b",
        _ => "aws",
    }
}

/// The partition in the ARN of the key or of who acted, else `aws`.
pub(super) fn partition(finding: &Finding) -> &str {
    let arns = [finding.key.as_ref().map(|key| &key.arn), finding.principal.as_ref().map(|principal| &principal.arn)];
    let partition = |arn: &'_ String| arn.strip_prefix("arn:").and_then(|arn| arn.split(':').next()).map(str::len);
    for arn in arns.into_iter().flatten() {
        if let Some(len) = partition(arn) {
            let name = &arn[4..4 + len];
            if name == "aws" || name.strip_prefix("aws-").is_some_and(is_word) {
                return name;
            }
        }
    }
    "aws"
}

/// Lower-case letters, digits and dashes: what names of partitions and Regions are made of.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// True for twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An object's name as a URI: `s3:` and absolute `file:` URIs, a relative reference for a relative path.
pub(super) fn uri(object: &str) -> String {
    let path = |path: &str| utf8_percent_encode(path, NOT_IN_PATHS).to_string();
    if let Some(rest) = object.strip_prefix("s3://") {
        format!("s3://{}", path(rest))
    } else if object.starts_with('/') {
        format!("file://{}", path(object))
    } else {
        path(object)
    }
}

/// A rule's page, without its title, which names the id, and without the sections that are tests.
pub(super) fn page(rule: &Rule) -> String {
    let mut page = String::with_capacity(rule.doc.len());
    let mut kept = true;
    for line in rule.doc.lines().skip_while(|line| line.starts_with("# ") || line.is_empty()) {
        if line.starts_with("## ") {
            kept = !TESTS.contains(&line);
        }
        if kept {
            page.push_str(line);
            page.push('\n');
        }
    }
    page
}

/// The text of one section of a rule's page.
pub(super) fn section(rule: &Rule, heading: &str) -> String {
    let lines = rule.doc.lines().skip_while(|line| line.strip_prefix("## ") != Some(heading)).skip(1);
    lines.take_while(|line| !line.starts_with("## ")).collect::<Vec<_>>().join("\n").trim().to_string()
}

/// A fragment as a sentence: upper case, full stop.
pub(super) fn sentence(fragment: &str) -> String {
    let mut chars = fragment.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{KeyRef, Principal};
    use crate::report::sample;
    use crate::rules::RULES;

    #[test]
    fn objects_are_uris() {
        assert_eq!(uri("s3://logs/a b/ü.json.gz"), "s3://logs/a%20b/%C3%BC.json.gz");
        assert_eq!(uri("/var/logs/a:1.gz"), "file:///var/logs/a%3A1.gz");
        assert_eq!(uri("javascript:alert(1)"), "javascript%3Aalert%281%29", "a name is never a scheme");
        assert_eq!(uri("logs/\u{1b}[2J?#\"%41"), "logs/%1B%5B2J%3F%23%22%2541");
    }

    #[test]
    fn pages_come_without_their_tests() {
        for rule in RULES {
            let page = page(rule);
            assert!(page.contains("## Respond") && page.contains("## What it misses"), "{}", rule.id);
            assert!(!page.contains("json fires") && !page.contains("json quiet"), "{}", rule.id);
            assert!(!page.starts_with('#') && !section(rule, "What it finds").is_empty(), "{}", rule.id);
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(sentence("a key, b"), "A key, b.");
    }

    #[test]
    fn partitions_are_those_of_arns() {
        let mut finding = sample::report().findings.remove(0);
        assert_eq!(partition(&finding), "aws");
        finding.key = Some(KeyRef { arn: "arn:aws-us-gov:kms:x".to_string(), ..KeyRef::default() });
        assert_eq!(partition(&finding), "aws-us-gov");
        finding.key = Some(KeyRef { arn: "arn:a\u{1b}:kms".to_string(), ..KeyRef::default() });
        finding.principal = Some(Principal { arn: "arn:aws-cn:iam::1:root".to_string(), ..Principal::default() });
        assert_eq!(partition(&finding), "aws-cn");
        finding.principal = None;
        assert_eq!(partition(&finding), "aws");
    }
}

//! Names and texts as OSCAL wants them: UUIDs, tokens, Markdown.

use sha1::{Digest as _, Sha1};
use uuid::{Builder, Uuid, uuid};

use crate::report::parts;
use crate::report::wire::oscal::{Id, Prop};

/// Under which Keytrail names things: a UUID of its own.
const SPACE: Uuid = uuid!("5d1f7c9e-2b64-4c1a-9b0e-7f3a86d4c210");
/// Whose the names of properties are that OSCAL does not define.
const NS: &str = "urn:keytrail:report";

/// The same parts give the same UUID (version 5), in every run.
pub(super) fn id(parts: &[&str]) -> Id {
    let mut hash = Sha1::new();
    hash.update(SPACE.as_bytes());
    for part in parts {
        // With its length, so that no two lists of parts read the same.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Id(Builder::from_sha1_bytes(bytes).into_uuid())
}

/// A control's id as a token. NIST's catalogs write `AC-2(12)` as `ac-2.12`; of other frameworks there is no catalog to
/// agree with, and their numbers start with the framework's id, as a token may not start with a digit.
pub(super) fn token(framework: &str, control: &str) -> String {
    if let Some(of_nist) = of_nist(control) {
        return of_nist;
    }
    let mut token = String::from(if framework.starts_with(|c: char| c.is_ascii_alphabetic()) { "" } else { "_" });
    token.push_str(framework);
    token.push('_');
    let mut is_exact = true;
    for c in control.chars() {
        match c {
            '(' => token.push('.'),
            ')' => {}
            c if c.is_ascii_alphanumeric() || "-._".contains(c) => token.push(c),
            _ => {
                is_exact = false;
                token.push('_');
            }
        }
    }
    if !is_exact {
        // Two ids may look the same by now.
        let sum = id(&[framework, control]).0.simple().to_string();
        token.push('_');
        token.push_str(&sum[..8]);
    }
    token
}

/// `ac-2.12` for `AC-2(12)`; `None` for what is not of this shape.
fn of_nist(control: &str) -> Option<String> {
    let (family, number) = control.split_once('-')?;
    let (base, enhancement) = match number.split_once('(') {
        Some((base, rest)) => (base, Some(rest.strip_suffix(')')?)),
        None => (number, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_known = family.len() == 2 && family.bytes().all(|byte| byte.is_ascii_uppercase()) && digits(base);
    let family = family.to_ascii_lowercase();
    match enhancement {
        _ if !is_known => None,
        None => Some(format!("{family}-{base}")),
        Some(enhancement) if digits(enhancement) => Some(format!("{family}-{base}.{enhancement}")),
        Some(_) => None,
    }
}

/// A property of ours; `None` when nothing that could be read is left of the value.
pub(super) fn prop(name: &'static str, value: &str) -> Option<Prop> {
    // Values have neither line breaks nor blanks at their ends.
    let value = parts::line(value);
    let value = value.trim();
    (!value.is_empty()).then(|| Prop { name, ns: Some(NS), value: value.to_string() })
}

/// A text that nobody may take for Markdown, which descriptions, titles and remarks are.
pub(super) fn markup(text: &str) -> String {
    let line = parts::line(text);
    let mut safe = String::with_capacity(line.len());
    for (at, c) in line.trim().chars().enumerate() {
        let starts_block = at == 0 && matches!(c, '-' | '+' | '=');
        if starts_block
            || matches!(
                c,
                '\\' | '`' | '*' | '_' | '~' | '^' | '[' | ']' | '<' | '>' | '{' | '}' | '|' | '&' | '!' | '#' | '$'
            )
        {
            safe.push('\\');
        }
        safe.push(c);
    }
    safe
}

/// A list under a heading of our own.
pub(super) fn list(heading: &str, items: impl Iterator<Item = String>) -> Option<String> {
    let items: Vec<String> = items.map(|item| format!("- {item}")).collect();
    (!items.is_empty()).then(|| format!("{heading}\n\n{}", items.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_version_5_and_tell_lists_apart() {
        let one = id(&["a", "bc"]);
        assert_eq!(one.0.get_version_num(), 5);
        assert_eq!(one, id(&["a", "bc"]));
        assert_ne!(one, id(&["ab", "c"]));
        assert_eq!(one.0.to_string(), "e373ba67-fdf6-5e73-8ba4-900117013bb4");
    }

    #[test]
    fn controls_are_tokens() {
        for (framework, control, expected) in [
            ("nist-800-53-r5", "AC-2(12)", "ac-2.12"),
            ("fedramp-moderate", "SC-12", "sc-12"),
            ("cis-aws-5.0", "3.6", "cis-aws-5.0_3.6"),
            ("gdpr-art-32", "32(1)(a)", "gdpr-art-32_32.1.a"),
            ("iso-27001-2022", "A.8.24", "iso-27001-2022_A.8.24"),
            ("800-own", "K-1", "_800-own_K-1"),
            ("own", "AC-2(x)", "own_AC-2.x"),
        ] {
            assert_eq!(token(framework, control), expected);
        }
        let (one, other) = (token("own", "K 1"), token("own", "K/1"));
        assert!(one.starts_with("own_K_1_") && other.starts_with("own_K_1_") && one != other);
    }

    #[test]
    fn text_is_no_markdown() {
        assert_eq!(markup("[a](http://x) <b>`_*\n# &amp;"), r"\[a\](http://x) \<b\>\`\_\*\\n\# \&amp;");
        assert_eq!(markup(" - x - y "), r"\- x - y");
        assert!(prop("n", " \u{a0}").is_none());
        assert_eq!(prop("n", "a\nb ").map(|prop| prop.value).as_deref(), Some(r"a\nb"));
    }
}

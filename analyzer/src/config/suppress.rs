//! Findings that the user accepts: by what, why, and until when.

use chrono::NaiveDate;
use toml::Spanned;
use toml::de::DeValue;

use super::accounts::read_account;
use super::alert::SILENCE;
use super::parse;
use super::problem::Sink;
use super::raw::{Table, Value};
use super::suggest::nearest;

/// One `[[suppress]]` entry. A matcher that is `None` matches everything; at least one is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// Rule id.
    pub rule: Option<String>,
    /// Key id, key ARN or alias; `*` stands for any text.
    pub key: Option<String>,
    /// Account of the finding.
    pub account: Option<String>,
    /// Region of the finding.
    pub region: Option<String>,
    /// Who acted; `*` stands for any text.
    pub principal: Option<String>,
    /// Id of one finding.
    pub id: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Last day on which it is accepted.
    pub until: Option<NaiveDate>,
    /// Who accepted it.
    pub approved_by: Option<String>,
    /// Line of the entry in the file, from 1.
    pub line: usize,
}

/// What a suppression is held against: one finding.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// Rule id.
    pub rule: &'a str,
    /// ARN of the key, when it is about one.
    pub key_arn: Option<&'a str>,
    /// Id of the key.
    pub key_id: Option<&'a str>,
    /// Alias of the key, `alias/…`.
    pub alias: Option<&'a str>,
    /// Account.
    pub account: &'a str,
    /// Region.
    pub region: &'a str,
    /// Who acted.
    pub principal: Option<&'a str>,
    /// Id of the finding.
    pub id: &'a str,
}

impl Suppression {
    /// True when every matcher matches, expired or not.
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let is = |matcher: &Option<String>, value: &str| matcher.as_deref().is_none_or(|matcher| matcher == value);
        is(&self.rule, subject.rule)
            && is(&self.account, subject.account)
            && is(&self.region, subject.region)
            && is(&self.id, subject.id)
            && self.principal.as_deref().is_none_or(|pattern| subject.principal.is_some_and(|who| like(pattern, who)))
            && self.key.as_deref().is_none_or(|pattern| key_is_like(pattern, subject))
    }

    /// True when both say the same, wherever they stand.
    pub fn is_same(&self, other: &Self) -> bool {
        Self { line: other.line, ..self.clone() } == *other
    }

    /// True when it accepts silences only: no scan has them, whoever is told of them looks for them.
    fn is_of_silences(&self) -> bool {
        self.rule.as_deref() == Some(SILENCE)
    }

    /// True from the day after `until` on.
    pub fn is_expired(&self, as_of_ms: i64) -> bool {
        self.until.is_some_and(|day| as_of_ms >= parse::day_end_ms(day))
    }
}

/// What one entry did in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The entry.
    pub entry: Suppression,
    /// Findings that it matches, expired or not.
    pub matched: u64,
    /// Findings that are suppressed because of it: the first entry in force that matches decides.
    pub hidden: u64,
    /// True when its last day was over.
    pub is_expired: bool,
}

impl Applied {
    /// What is to be said of it: in force, expired, or matched nothing.
    pub fn state(&self) -> &'static str {
        match (self.is_expired, self.matched) {
            (true, _) => "expired",
            (false, 0) if !self.entry.is_of_silences() => "matched nothing",
            (false, _) => "in force",
        }
    }
}

/// Knows which entries did something in a run, and tells of those that did not.
#[derive(Clone, Debug)]
pub struct SuppressionTracker<'s> {
    entries: &'s [Suppression],
    as_of_ms: i64,
    matched: Vec<u64>,
    hidden: Vec<u64>,
}

impl<'s> SuppressionTracker<'s> {
    /// Nothing matched yet.
    pub fn new(entries: &'s [Suppression], as_of_ms: i64) -> Self {
        Self { entries, as_of_ms, matched: vec![0; entries.len()], hidden: vec![0; entries.len()] }
    }

    /// The first entry that accepts this finding. Entries behind it that would accept it too have done their part as well.
    pub fn suppress(&mut self, subject: &Subject<'_>) -> Option<usize> {
        let mut first = None;
        for (index, entry) in self.entries.iter().enumerate() {
            if entry.matches(subject) {
                self.matched[index] += 1;
                if !entry.is_expired(self.as_of_ms) {
                    first = first.or(Some(index));
                }
            }
        }
        if let Some(index) = first {
            self.hidden[index] += 1;
        }
        first
    }

    /// What each entry did so far, in the order of the file.
    pub fn applied(&self) -> Vec<Applied> {
        let counts = self.matched.iter().zip(&self.hidden);
        let entries = self.entries.iter().zip(counts).map(|(entry, (&matched, &hidden))| Applied {
            entry: entry.clone(),
            matched,
            hidden,
            is_expired: entry.is_expired(self.as_of_ms),
        });
        entries.collect()
    }

    /// What should be said about the entries at the end of a run, in the order of the file.
    pub fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        for (index, (entry, matched)) in self.entries.iter().zip(&self.matched).enumerate() {
            let name = format!("suppression {} (line {})", index + 1, entry.line);
            match entry.until.filter(|_| entry.is_expired(self.as_of_ms)) {
                Some(until) => {
                    let effect = match matched {
                        0 => "would match nothing; remove it".to_owned(),
                        1 => "no longer hides 1 finding; renew it or fix the cause".to_owned(),
                        count => format!("no longer hides {count} findings; renew it or fix the cause"),
                    };
                    notices.push(format!("{name} expired on {until} and {effect}"));
                }
                None if *matched == 0 && !entry.is_of_silences() => notices.push(format!("{name} matched nothing")),
                None => {}
            }
        }
        notices
    }
}

/// Reads one entry; `None` when it cannot be used, which is then in the sink.
pub(super) fn read(
    mut table: Table<'_, '_>,
    line: usize,
    span: std::ops::Range<usize>,
    rules: &[&str],
    sink: &mut Sink<'_>,
) -> Option<Suppression> {
    let owned = |text: Option<Spanned<&str>>| text.map(|text| text.into_inner().trim().to_owned());

    let rule = table.text("rule", "the id of a rule", sink);
    let rule = rule.filter(|rule| {
        let known = rules.contains(rule.get_ref());
        if !known {
            unknown_rule(rule, rules, sink);
        }
        known
    });
    let key = table.text("key", "a key id, a key ARN or an alias", sink).filter(|key| check_key(key, sink));
    let account = table.take("account");
    let account_given = account.is_some();
    let account = account.and_then(|value| read_account(value, "account", sink));
    let region = table.text("region", "a Region, as \"eu-west-1\"", sink).filter(|region| check_region(region, sink));
    let principal = table.text("principal", "an ARN, as \"arn:aws:iam::111122223333:role/backup\"", sink);
    let id = table.text("id", "the id of a finding", sink).filter(|id| check_id(id, sink));

    let until = table.take("until");
    let until = until.and_then(|value| read_day(value, sink));
    let approved_by = table.text("approved_by", "a name or an address", sink);
    let reason_given = table.take("reason").is_some();
    let reason = table.text("reason", "why the finding is accepted", sink);
    if !reason_given && !sink.is_broken() {
        let help = "add reason = \"…\": whoever reads the report wants to know why this is accepted";
        sink.add(span.clone(), "the suppression has no `reason`", Some(help.into()));
    }

    let (rule, key, region, principal, id) = (owned(rule), owned(key), owned(region), owned(principal), owned(id));
    let given =
        ["rule", "key", "region", "principal", "id"].into_iter().any(|key| table.take(key).is_some()) || account_given;
    let anything =
        |matcher: &Option<String>| matcher.as_deref().is_none_or(|pattern| pattern.bytes().all(|byte| byte == b'*'));
    let narrow = rule.is_some()
        || account.is_some()
        || region.is_some()
        || id.is_some()
        || !anything(&key)
        || !anything(&principal);
    if !given && !sink.is_broken() {
        let help = "add one of `rule`, `key`, `account`, `region`, `principal`, `id`";
        sink.add(span, "the suppression would hide every finding", Some(help.into()));
    } else if !narrow && (key.is_some() || principal.is_some()) {
        sink.add(
            span,
            "the suppression would hide nearly every finding",
            Some("narrow it: `*` alone matches anything".into()),
        );
    }
    table.close(|_| None, sink);

    let (reason, approved_by) = (owned(reason)?, owned(approved_by));
    Some(Suppression { rule, key, account, region, principal, id, reason, until, approved_by, line })
}

/// Reports a rule id that no rule has.
pub(super) fn unknown_rule(rule: &Spanned<&str>, rules: &[&str], sink: &mut Sink<'_>) {
    let help = match nearest(rule.get_ref(), rules.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`keytrail rules` lists the rules".into(),
    };
    sink.add(rule.span(), format!("there is no rule `{}`", rule.get_ref()), Some(help));
}

pub(super) fn check_key(key: &Spanned<&str>, sink: &mut Sink<'_>) -> bool {
    let text = *key.get_ref();
    let is_uuid = text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let good = text.contains('*')
        || is_uuid
        || text.starts_with("mrk-")
        || text.starts_with("alias/")
        || (text.starts_with("arn:") && (text.contains(":key/") || text.contains(":alias/")));
    if !good {
        let help = if text.starts_with("arn:") {
            "write the ARN of a key or of an alias".to_owned()
        } else {
            format!("for an alias, write \"alias/{text}\"; otherwise a key id or a key ARN")
        };
        sink.add(key.span(), format!("`{text}` is not a key"), Some(help));
    }
    good
}

pub(super) fn check_region(region: &Spanned<&str>, sink: &mut Sink<'_>) -> bool {
    let parts: Vec<&str> = region.get_ref().split('-').collect();
    let good = parts.len() >= 3
        && parts.iter().enumerate().all(|(at, part)| {
            let number = at + 1 == parts.len();
            !part.is_empty()
                && part.bytes().all(|byte| if number { byte.is_ascii_digit() } else { byte.is_ascii_lowercase() })
        });
    if !good {
        let message = format!("`{}` is not a Region", region.get_ref());
        sink.add(region.span(), message, Some("write one Region, as \"eu-west-1\"".into()));
    }
    good
}

fn check_id(id: &Spanned<&str>, sink: &mut Sink<'_>) -> bool {
    let text = *id.get_ref();
    let good = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !good {
        let help = "write the 32 hex digits that the finding shows as its id";
        sink.add(id.span(), format!("`{text}` is not the id of a finding"), Some(help.into()));
    }
    good
}

fn read_day(value: &Value<'_>, sink: &mut Sink<'_>) -> Option<NaiveDate> {
    let text = match value.get_ref() {
        DeValue::String(text) => text.to_string(),
        // A date without quotes is as clear.
        DeValue::Datetime(date) => date.to_string(),
        _ => String::new(),
    };
    let day = parse::day(&text);
    if day.is_none() {
        sink.add(value.span(), "`until` is a day", Some("write the last day, as \"2030-12-31\"".into()));
    }
    day
}

fn key_is_like(pattern: &str, subject: &Subject<'_>) -> bool {
    let is_like = |value: Option<&str>| value.is_some_and(|value| like(pattern, value));
    if is_like(subject.key_arn) || is_like(subject.key_id) || is_like(subject.alias) {
        return true;
    }
    // An alias ARN differs from the key's in its last part.
    let Some((arn, alias)) = subject.key_arn.zip(subject.alias) else { return false };
    pattern.starts_with("arn:")
        && arn.rsplit_once(':').is_some_and(|(stem, _)| like(pattern, &format!("{stem}:{alias}")))
}

/// Matches text against a pattern in which `*` stands for any text.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let tail = pieces.pop().unwrap_or_default();
    // Each piece at its first place leaves the most for those behind it.
    for piece in pieces {
        match text.find(piece) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("alias/a", "alias/a", true),
            ("alias/a", "alias/ab", false),
            ("alias/*", "alias/", true),
            ("*", "", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxc", false),
            ("a*a", "a", false),
            ("*ab", "aab", true),
            ("**a**", "a", true),
            ("a?c", "abc", false),
            ("*é*", "caféx", true),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
    }
}

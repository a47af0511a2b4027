//! Which folder rows and objects stand in, in the style of Hive: `account=…/region=…/date=…`.
//!
//! Account and Region come from records, so they may hold anything. Every value becomes one folder name that means
//! itself on any file system: nothing climbs out, nothing is too long, and names that differ in case do not meet.

use chrono::{DateTime, Datelike, NaiveDate};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Stands where there is no value.
const UNKNOWN: &str = "__unknown__";

/// Stands for text of no length.
const EMPTY: &str = "__empty__";

/// Begins a value that is too long for a folder name: its hash follows.
const LONG: &str = "__long__";

/// Longest encoded value.
const LONGEST: usize = 128;

/// What is written as percent and digits, beside capitals: file systems that ignore case would mix them with small letters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// What a folder name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The value; `None` where rows have none.
    Told(Option<String>),
    /// It was too long to stand there.
    Hashed,
}

/// A value as a folder name.
pub fn encode(value: Option<&str>) -> String {
    let Some(text) = value else { return UNKNOWN.into() };
    if text.is_empty() {
        return EMPTY.into();
    }
    let mut out = String::new();
    for (at, part) in text.split_inclusive(|c: char| c.is_ascii_uppercase()).enumerate() {
        let (plain, capital) = match part.as_bytes().last() {
            Some(last) if last.is_ascii_uppercase() => (&part[..part.len() - 1], Some(last)),
            _ => (part, None),
        };
        // What begins with a dot is hidden or climbs; what begins with two underscores is one of our own words.
        let (first, rest) = match plain.as_bytes().first() {
            Some(byte @ (b'.' | b'_')) if at == 0 => (Some(byte), &plain[1..]),
            _ => (None, plain),
        };
        out.extend(first.map(|byte| format!("%{byte:02X}")));
        out.extend(utf8_percent_encode(rest, ESCAPED));
        out.extend(capital.map(|byte| format!("%{byte:02X}")));
        if out.len() > LONGEST {
            return format!("{LONG}{}", &blake3::hash(text.as_bytes()).to_hex()[..32]);
        }
    }
    // A dot at the end is dropped by some file systems.
    if out.ends_with('.') {
        out.truncate(out.len() - 1);
        out.push_str("%2E");
    }
    out
}

/// What a folder name says; `None` when [`encode`] never writes it.
pub fn decode(name: &str) -> Option<Value> {
    let value = match name {
        UNKNOWN => Value::Told(None),
        EMPTY => Value::Told(Some(String::new())),
        _ if name.starts_with(LONG) => return (name.len() == LONG.len() + 32).then_some(Value::Hashed),
        _ => Value::Told(Some(percent_decode_str(name).decode_utf8().ok()?.into_owned())),
    };
    match &value {
        Value::Told(text) if encode(text.as_deref()) == name => Some(value),
        _ => None,
    }
}

/// A day as a folder name.
fn encode_date(date: Option<NaiveDate>) -> String {
    date.map_or(UNKNOWN.into(), |date| date.to_string())
}

/// The UTC date of a moment, as partitions have it.
pub fn date_of(millis: i64) -> Option<NaiveDate> {
    let date = DateTime::from_timestamp_millis(millis)?.date_naive();
    (1..=9999).contains(&date.year()).then_some(date)
}

/// Account and Region: what one manifest is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard {
    /// Account, where it is known.
    pub account: Option<String>,
    /// Region, where it is known.
    pub region: Option<String>,
}

impl Shard {
    /// Its folder below `manifest/` and the others.
    pub fn folder(&self) -> String {
        format!("account={}/region={}", encode(self.account.as_deref()), encode(self.region.as_deref()))
    }

    /// Reads a folder back; `None` when the path does not tell.
    pub fn from_folder(folder: &str) -> Option<Self> {
        let (account, region) = folder.split_once('/')?;
        let value = |part: &str, name: &str| match decode(part.strip_prefix(name)?.strip_prefix('=')?)? {
            Value::Told(value) => Some(value),
            Value::Hashed => None,
        };
        Some(Self { account: value(account, "account")?, region: value(region, "region")? })
    }
}

/// Account, Region and UTC date: what one part is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    /// Account and Region.
    pub shard: Shard,
    /// Date, where it is known.
    pub date: Option<NaiveDate>,
}

impl Unit {
    /// Its folder below `events/` and `objects/`.
    pub fn folder(&self) -> String {
        format!("{}/date={}", self.shard.folder(), encode_date(self.date))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOSTILE: &[&str] = &[
        "..",
        ".",
        "../../etc",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "\0",
        "a\0b",
        "__unknown__",
        "__empty__",
        "__long__0123456789abcdef0123456789abcdef",
        "CON",
        "NUL",
        "a=b",
        "%2E%2E",
        " ",
        "a ",
        "a.",
        "💥",
        "\u{202e}gpj",
        "US-EAST-1",
        "*?<>|\":",
    ];

    fn sound(name: &str) {
        let inert = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.%".contains(&byte);
        assert!(name.bytes().all(|byte| inert(byte) || byte.is_ascii_uppercase()), "{name}");
        assert!(
            !name.is_empty() && name.len() <= LONGEST + 12 && !name.starts_with('.') && !name.ends_with('.'),
            "{name}"
        );
    }

    #[test]
    fn hostile_values_stay_where_they_are_put() {
        for text in HOSTILE {
            let name = encode(Some(text));
            sound(&name);
            assert_eq!(decode(&name), Some(Value::Told(Some((*text).to_owned()))), "{name}");
        }
        let long = "x".repeat(10_000);
        sound(&encode(Some(&long)));
        assert_eq!(decode(&encode(Some(&long))), Some(Value::Hashed));
        assert_ne!(encode(Some(&long)), encode(Some(&long[1..])));
        assert_eq!(encode(Some("eu-west-1")), "eu-west-1");
        assert_ne!(encode(Some("A")).to_lowercase(), encode(Some("a")).to_lowercase());
    }

    #[test]
    fn names_that_nobody_wrote_tell_nothing() {
        for name in ["", "a/b", "%2e", "A", "%", "%zz", "%41%", "__other__", "..", "__long__0"] {
            assert_eq!(decode(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in any::<Option<String>>()) {
            let name = encode(text.as_deref());
            sound(&name);
            match decode(&name) {
                Some(Value::Told(back)) => prop_assert_eq!(back, text),
                Some(Value::Hashed) => prop_assert!(name.len() == LONG.len() + 32),
                None => prop_assert!(false, "{} says nothing", name),
            }
        }

        #[test]
        fn shards_and_their_folders(account in "[0-9a-zA-Z./_-]{0,20}", region in any::<Option<char>>()) {
            let shard = Shard { account: Some(account), region: region.map(String::from) };
            prop_assert_eq!(Shard::from_folder(&shard.folder()), Some(shard));
        }
    }
}

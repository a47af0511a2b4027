//! Text from the log inside commands and sentences that people paste and read. Attackers write that text.

use std::borrow::Cow;

/// `text` as one word of a POSIX shell, on one line.
pub fn word(text: &str) -> Cow<'_, str> {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(format!("'{}'", plain(text).replace('\'', r"'\''")))
    }
}

/// `text` on one line: a line break would begin a line of its own, which could pass for a command.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_break) {
        Cow::Owned(text.chars().map(|c| if is_break(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::{plain, word};

    #[test]
    fn words_stay_words() {
        assert_eq!(word("s3://bucket/AWSLogs/a_b=c"), "s3://bucket/AWSLogs/a_b=c");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("it's; rm -rf $HOME"), r"'it'\''s; rm -rf $HOME'");
        assert_eq!(word("logs/*"), "'logs/*'", "a glob reaches keytrail as a glob");
        assert_eq!(word(""), "''");
        assert_eq!(word("x\naws kms delete"), "'x\u{fffd}aws kms delete'");
        assert_eq!(plain("eve\u{2028}aws"), "eve\u{fffd}aws");
    }
}

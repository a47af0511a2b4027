//! Wildcards of policies: `*` is any text, also none; `?` is one character. There is no escape.

/// True if the whole of `text` matches. Takes time of at most the product of both lengths, whatever the pattern.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    matches_by(pattern.as_bytes(), text.as_bytes(), |a, b| a == b)
}

/// The same, ASCII letters taken without case: actions.
pub(super) fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    matches_by(pattern.as_bytes(), text.as_bytes(), |a, b| a.eq_ignore_ascii_case(&b))
}

/// True if the text is a pattern and not just a text.
pub(super) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

fn matches_by(pattern: &[u8], text: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when a literal fails: behind the last star, one byte later in the text. Earlier stars need no second
    // try, because the last one can take all that they could.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(b'?') => {
                p += 1;
                t += width(text[t]);
            }
            Some(byte) if same(*byte, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    p = after;
                    t = from + 1;
                    retry = Some((after, t));
                }
                None => return false,
            },
        }
    }
    pattern[p.min(pattern.len())..].iter().all(|byte| *byte == b'*')
}

/// Bytes of the UTF-8 character that starts with this byte.
fn width(first: u8) -> usize {
    match first {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        let yes = [
            ("*", ""),
            ("a*", "a"),
            ("a*c", "abc"),
            ("a?c", "aéc"),
            ("*a*b*", "xxaxxbxx"),
            ("kms:*", "kms:Decrypt"),
            ("**", "x"),
            ("a*bc", "abcbc"),
        ];
        let no =
            [("", "a"), ("a", ""), ("?", ""), ("a?c", "ac"), ("a*c", "ab"), ("kms:", "kms:Decrypt"), ("a**b", "a")];
        for (pattern, text) in yes {
            assert!(matches(pattern, text), "{pattern} should match {text}");
        }
        for (pattern, text) in no {
            assert!(!matches(pattern, text), "{pattern} should not match {text}");
        }
        assert!(matches_ignoring_case("KMS:dec*", "kms:Decrypt") && !matches("KMS:dec*", "kms:Decrypt"));
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = "*a".repeat(8_000) + "b";
        assert!(!matches(&pattern, &"a".repeat(16_000)));
    }
}

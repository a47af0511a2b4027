//! Texts that somebody else chose, so that they can be set. PDF/A and PDF/UA forbid glyphs that no font has, and characters
//! without a meaning: one of them in a user agent would keep the whole report from being written.

use std::fmt::Write as _;

use serde_json::Value;
use typst::text::Font;

/// Characters of a text; what is longer is cut and says so.
const LONGEST: usize = 1000;

/// Makes every text of the data, names of members left out, one that can be set and read as it stands.
pub(crate) fn present(value: &mut Value, fonts: &[Font]) {
    match value {
        Value::String(text) => {
            if let Some(shown) = shown(text, fonts) {
                *text = shown;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| present(item, fonts)),
        Value::Object(members) => members.iter_mut().for_each(|(_, member)| present(member, fonts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The text that is shown for another; `None` when it is the same.
fn shown(text: &str, fonts: &[Font]) -> Option<String> {
    let is_long = text.len() > LONGEST && text.chars().nth(LONGEST).is_some();
    if !is_long && text.chars().all(|c| is_plain(c, fonts)) {
        return None;
    }
    let mut shown = String::with_capacity(text.len().min(4 * LONGEST) + 16);
    for c in text.chars().take(LONGEST) {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if is_plain(c, fonts) => shown.push(c),
            // Writing to a string cannot fail.
            c => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    if is_long {
        let _ = write!(shown, "… ({} more characters)", text.chars().count() - LONGEST);
    }
    Some(shown)
}

/// True for a character that stands for itself, in its place, whatever is beside it: no marks that combine, nothing that is
/// written from right to left, nothing invisible, and nothing that no font has.
fn is_plain(c: char, fonts: &[Font]) -> bool {
    let is_simple = matches!(c,
        ' '..='~' | '\u{a0}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{370}'..='\u{482}' | '\u{48a}'..='\u{52f}'
        | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{20a0}'..='\u{20bf}' | '\u{2100}'..='\u{23ff}'
        | '\u{2500}'..='\u{27bf}');
    // Bold and regular alike.
    is_simple && (c.is_ascii() || fonts.iter().all(|font| font.info().coverage.contains(u32::from(c))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Room;

    fn of(text: &str) -> String {
        let mut value = serde_json::json!({ "a\n": [{ "b": text }] });
        present(&mut value, Room::new().fonts());
        value["a\n"][0]["b"].as_str().unwrap_or_default().to_string()
    }

    #[test]
    fn what_fonts_have_stays() {
        for text in ["plain #text(red)[*x*] $1+1$", "Käse für Ørsted, Δ, Ж", "39 × – “quoted” … €", ""]
        {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn what_they_have_not_is_spelled_out() {
        assert_eq!(of("日本"), r"\u{65e5}\u{672c}");
        assert_eq!(
            of("a\u{202e}b\u{200b}c\u{ad}d\u{e000}e\u{301}\u{5d0}\u{feff}"),
            r"a\u{202e}b\u{200b}c\u{ad}d\u{e000}e\u{301}\u{5d0}\u{feff}"
        );
        assert_eq!(of("a\nb\r\t\u{1b}[0m\0\u{9b}\u{10ffff}"), r"a\nb\r\t\u{1b}[0m\u{0}\u{9b}\u{10ffff}");
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(of(&"x".repeat(LONGEST)).len(), LONGEST);
        let cut = of(&"ä".repeat(LONGEST + 5));
        assert!(cut.ends_with("ä… (5 more characters)"), "{cut}");
    }
}

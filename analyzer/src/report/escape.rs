//! Text that somebody else chose (user agents, session names, aliases, object keys, error messages) on its way out. One
//! function per kind of output; every renderer sends every text through one of them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// For a terminal or a log line: whatever could move the cursor, start a new line, hide or reorder text is spelled out as
/// `\n`, `\t`, `\u{1b}`. The result is always one line.
pub fn terminal(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_hostile) else { return Cow::Borrowed(text) };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    for c in text[first..].chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_hostile(c) => {
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// For a cell of a CSV file: as for a terminal, and a cell that a spreadsheet would take for a formula starts with `'`.
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    let safe = terminal(text);
    // Judged on the original too: a leading tab or line break has become a backslash by now, yet the cell was hostile.
    if text.starts_with(starts_formula) { Cow::Owned(format!("'{safe}")) } else { safe }
}

/// For finished JSON: characters that JSON allows raw in a string, yet act on a terminal, become `\uXXXX`. In a JSON
/// document they can stand in strings only, so the document means the same.
pub fn json_document(document: String) -> String {
    let hostile = |c: char| c != '\n' && is_hostile(c);
    if !document.contains(hostile) {
        return document;
    }
    let mut safe = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        if hostile(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// Characters that act instead of showing: controls, line and paragraph separators, marks that reorder or hide text.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What spreadsheets take for the start of a formula, with the full-width forms that some of them accept.
fn starts_formula(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_shows_what_would_act() {
        assert_eq!(terminal("plain äöü 日本 ok"), "plain äöü 日本 ok");
        assert_eq!(terminal("\u{1b}[2J\u{1b}]0;owned\u{7}"), r"\u{1b}[2J\u{1b}]0;owned\u{7}");
        assert_eq!(terminal("a\nb\r\n\tc"), r"a\nb\r\n\tc");
        assert_eq!(
            terminal("\u{9b}31m \u{202e}gpj \u{2066}x\u{2069} \u{feff}"),
            r"\u{9b}31m \u{202e}gpj \u{2066}x\u{2069} \u{feff}"
        );
        assert_eq!(terminal("a\u{2028}b\u{2029}c\u{7f}\0"), r"a\u{2028}b\u{2029}c\u{7f}\u{0}");
    }

    #[test]
    fn csv_defuses_formulas() {
        for hostile in ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"] {
            assert!(csv_cell(hostile).starts_with('\''), "{hostile:?}");
        }
        assert_eq!(csv_cell("a=b"), "a=b");
        assert_eq!(csv_cell(""), "");
    }

    #[test]
    fn json_documents_keep_their_meaning() {
        let value = serde_json::json!({ "a\u{202e}": "\u{1b}[0m \u{9b} \u{2028} \u{e0041} ü\n" });
        let document = json_document(serde_json::to_string_pretty(&value).unwrap());
        assert!(document.contains(r"\u001b[0m \u009b \u2028 \udb40\udc41 ü\n"), "{document}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&document).unwrap(), value);
    }
}

//! What serde_json does not tell: which members an object states twice.

use std::collections::BTreeSet;

/// Name of the first member that an object of this text states twice. The text must be valid JSON.
///
/// Two readers may take two different ones, and what is hidden from us may be what counts for AWS.
pub(super) fn repeated_member(text: &str) -> Option<String> {
    // One set of names per open object, None per open list.
    let mut open: Vec<Option<BTreeSet<String>>> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' => open.push(Some(BTreeSet::new())),
            b'[' => open.push(None),
            b'}' | b']' => _ = open.pop(),
            b'"' => {
                let end = end_of_string(bytes, at);
                let is_name = text.get(end..).is_some_and(|rest| rest.trim_start().starts_with(':'));
                if let (true, Some(Some(names))) = (is_name, open.last_mut()) {
                    // Names are compared as they are read: `\u0041` is `A`, and AWS takes element names in any case.
                    let name: String = serde_json::from_str(text.get(at..end)?).ok()?;
                    if !names.insert(name.to_ascii_lowercase()) {
                        return Some(name);
                    }
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Index behind the closing quote of the string that opens at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'"' => return end + 1,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_in_one_object_only() {
        let found = |text| repeated_member(text);
        assert_eq!(found(r#"{"a":1,"b":{"a":2},"c":["a","a"]}"#), None);
        assert_eq!(found(r#"[{"a":1},{"a":1}]"#), None);
        assert_eq!(found(r#"{"a":"x\"y","b":"a","a" :1}"#).as_deref(), Some("a"));
        assert_eq!(found(r#"{"x":[{"A":1,"\u0061":1}]}"#).as_deref(), Some("a"));
    }
}

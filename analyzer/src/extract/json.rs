//! Reads members of a parsed record, and writes parts of it back as canonical JSON text.
//!
//! CloudTrail spells "no value" as an absent member, `null`, `{}` or `""`: readers here give `None` for all of them.
//! Where a member stands twice, the last one counts, as in most JSON readers.

use std::borrow::Cow;
use std::fmt::Write as _;

use simd_json::StaticNode;
use simd_json::prelude::*;
use simd_json::tape::{Object, Value};

use crate::frame::Text;

/// A part of a parsed record.
pub(super) type Node<'r> = Value<'r, 'r>;

/// Deepest nesting that is read or written: real records stay under ten, and recursion must end.
const MAX_DEPTH: usize = 64;

/// JSON text with sorted member names, the last of duplicate members, and no spaces: equal values give equal text.
/// `None` for what carries no value: null, an empty object, text or list, content that CloudTrail left out, nesting beyond reason.
pub(super) fn canonical(value: &Node<'_>) -> Option<String> {
    written(value, false)
}

/// As [`canonical`], with member names starting in lower case: `ReadWriteType` and `readWriteType` occur for the same member.
pub(super) fn canonical_lower_camel(value: &Node<'_>) -> Option<String> {
    written(value, true)
}

/// Non-empty text; whole numbers as text, because exports turn account ids into numbers.
pub(super) fn text<'r>(value: &Node<'r>) -> Text<'r> {
    match value.into_string() {
        Some("") => None,
        Some(text) => Some(Cow::Borrowed(text)),
        None => value.as_i64().map(|number| Cow::Owned(number.to_string())),
    }
}

/// Non-empty text.
pub(super) fn str_of<'r>(value: &Node<'r>) -> Option<&'r str> {
    value.into_string().filter(|text| !text.is_empty())
}

/// Whole number, also as text.
pub(super) fn int(value: &Node<'_>) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Boolean, also as the text that CloudTrail uses in some members.
pub(super) fn boolean(value: &Node<'_>) -> Option<bool> {
    value.as_bool().or_else(|| match value.as_str()? {
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    })
}

/// An object with content.
pub(super) fn object<'r>(value: &Node<'r>) -> Option<Object<'r, 'r>> {
    let object = value.as_object()?;
    (!object.is_empty() && !is_marker(&object)).then_some(object)
}

/// True for the marker that CloudTrail leaves where it cut content out.
pub(super) fn is_omitted(value: &Node<'_>) -> bool {
    value.as_object().is_some_and(|object| is_marker(&object))
}

fn is_marker(object: &Object<'_, '_>) -> bool {
    object.len() == 1 && object.iter().any(|(name, value)| name == "omitted" && boolean(&value) == Some(true))
}

/// Member of an object; the last one of that name.
pub(super) fn get<'r>(value: &Node<'r>, name: &str) -> Option<Node<'r>> {
    value.as_object()?.iter().filter(|(member, _)| *member == name).last().map(|(_, value)| value)
}

/// Member reached through several names, as non-empty text.
pub(super) fn get_str<'r>(value: &Node<'r>, path: &[&str]) -> Option<&'r str> {
    let mut at = *value;
    for name in path {
        at = get(&at, name)?;
    }
    str_of(&at)
}

/// The ARN of an element of `resources`.
pub(super) fn arn_of<'r>(item: &Node<'r>) -> Option<&'r str> {
    let (mut upper, mut lower) = (None, None);
    for (name, value) in item.as_object()?.iter() {
        match name {
            "ARN" => upper = str_of(&value),
            "arn" => lower = str_of(&value),
            _ => {}
        }
    }
    upper.or(lower)
}

/// Elements of a list; the value itself when it is not one, because XML-born members drop the list around one element.
pub(super) fn items<'r>(value: &Node<'r>) -> impl Iterator<Item = Node<'r>> {
    let list = value.as_array();
    let single = list.is_none().then_some(*value);
    list.map(|list| list.iter()).into_iter().flatten().chain(single)
}

/// First non-empty text, in the order of the record, of a member with one of these names, in any case, at any depth.
pub(super) fn find<'r>(value: &Node<'r>, names: &[&str]) -> Option<&'r str> {
    let mut found = None;
    visit(value, &mut |name, value| {
        if found.is_none() && names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)) {
            found = items(value).find_map(|item| str_of(&item));
        }
    });
    found
}

/// Calls `see` with every member at any depth, in the order of the record; elements of a list go by the name of the list.
pub(super) fn visit<'r>(value: &Node<'r>, see: &mut dyn FnMut(&'r str, &Node<'r>)) {
    descend(value, "", MAX_DEPTH, see);
}

fn descend<'r>(value: &Node<'r>, name: &'r str, depth: usize, see: &mut dyn FnMut(&'r str, &Node<'r>)) {
    let Some(depth) = depth.checked_sub(1) else { return };
    if let Some(object) = value.as_object() {
        for (name, value) in object.iter() {
            see(name, &value);
            descend(&value, name, depth, see);
        }
    } else if let Some(list) = value.as_array() {
        for value in list.iter() {
            if !value.is_object() && !value.is_array() {
                see(name, &value);
            }
            descend(&value, name, depth, see);
        }
    }
}

/// Writes text as a JSON string.
pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    // Nearly all text needs no escape; a fold without early exit lets the compiler look at many bytes at once.
    if !text.bytes().fold(false, |found, byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\')) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        plain = at + 1;
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// Writes an object whose members are already JSON text; sorts them, and the last of a name counts.
pub(super) fn object_of(mut members: Vec<(Cow<'_, str>, String)>) -> Option<String> {
    if members.is_empty() {
        return None;
    }
    members.sort_by(|a, b| a.0.cmp(&b.0));
    let mut out = String::from("{");
    for (at, (name, value)) in members.iter().enumerate() {
        if members.get(at + 1).is_some_and(|next| next.0 == *name) {
            continue;
        }
        if out.len() > 1 {
            out.push(',');
        }
        push_string(&mut out, name);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
    Some(out)
}

/// Writes a JSON list of texts.
pub(super) fn list_of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut out = String::from("[");
    for text in texts {
        if out.len() > 1 {
            out.push(',');
        }
        push_string(&mut out, text);
    }
    out.push(']');
    (out.len() > 2).then_some(out)
}

fn written(value: &Node<'_>, lower: bool) -> Option<String> {
    let empty = if let Some(object) = value.as_object() {
        object.is_empty() || is_marker(&object)
    } else if let Some(text) = value.as_str() {
        text.is_empty()
    } else {
        value.is_null() || value.as_array().is_some_and(|list| list.is_empty())
    };
    if empty {
        return None;
    }
    let mut out = String::with_capacity(160);
    write_value(&mut out, value, lower, MAX_DEPTH).then_some(out)
}

fn write_value(out: &mut String, value: &Node<'_>, lower: bool, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    if let Some(text) = value.as_str() {
        push_string(out, text);
        true
    } else if let Some(object) = value.as_object() {
        write_object(out, &object, lower, depth)
    } else if let Some(list) = value.as_array() {
        out.push('[');
        for (at, item) in list.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            if !write_value(out, &item, lower, depth) {
                return false;
            }
        }
        out.push(']');
        true
    } else {
        write_scalar(out, value);
        true
    }
}

fn write_object(out: &mut String, object: &Object<'_, '_>, lower: bool, depth: usize) -> bool {
    if !lower && is_sorted(object) {
        return write_members(out, object.iter().map(|(name, value)| (Cow::Borrowed(name), value)), lower, depth);
    }
    let mut members: Vec<(Cow<'_, str>, Node<'_>)> = object
        .iter()
        .map(|(name, value)| (if lower { lower_first(name) } else { Cow::Borrowed(name) }, value))
        .collect();
    // The sort is stable, so the last of duplicates is the first from the back.
    members.sort_by(|a, b| a.0.cmp(&b.0));
    members.reverse();
    members.dedup_by(|a, b| a.0 == b.0);
    write_members(out, members.into_iter().rev(), lower, depth)
}

/// Most contexts are logged in order: those need no list of their own.
fn is_sorted(object: &Object<'_, '_>) -> bool {
    object.keys().is_sorted_by(|a, b| a < b)
}

fn write_members<'r>(
    out: &mut String,
    members: impl Iterator<Item = (Cow<'r, str>, Node<'r>)>,
    lower: bool,
    depth: usize,
) -> bool {
    out.push('{');
    for (at, (name, value)) in members.enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_string(out, &name);
        out.push(':');
        if !write_value(out, &value, lower, depth) {
            return false;
        }
    }
    out.push('}');
    true
}

fn write_scalar(out: &mut String, value: &Node<'_>) {
    let _ = if let Some(flag) = value.as_bool() {
        write!(out, "{flag}")
    } else if let Some(number) = value.as_i64() {
        write!(out, "{number}")
    } else if let Some(number) = value.as_u64() {
        write!(out, "{number}")
    } else if let Some(number) = value.as_f64().filter(|number| number.is_finite()) {
        write!(out, "{}", StaticNode::F64(number))
    } else {
        write!(out, "null")
    };
}

fn lower_first(name: &str) -> Cow<'_, str> {
    match name.as_bytes().first() {
        Some(first) if first.is_ascii_uppercase() => {
            let mut lower = name.to_owned();
            lower[..1].make_ascii_lowercase();
            Cow::Owned(lower)
        }
        _ => Cow::Borrowed(name),
    }
}

//! How a document begins, and where a wrapper's list of records stands in it.

use super::meter::examined;
use super::split::Splitter;

/// Members by which a record is told from a wrapper at first sight, without reading on.
const RECORD_MEMBERS: &[&[u8]] = &[
    b"addendum",
    b"additionalEventData",
    b"apiVersion",
    b"awsRegion",
    b"errorCode",
    b"errorMessage",
    b"eventCategory",
    b"eventContext",
    b"eventID",
    b"eventName",
    b"eventSource",
    b"eventTime",
    b"eventType",
    b"eventVersion",
    b"managementEvent",
    b"readOnly",
    b"recipientAccountId",
    b"requestID",
    b"requestParameters",
    b"resources",
    b"responseElements",
    b"serviceEventDetails",
    b"sessionCredentialFromConsole",
    b"sharedEventID",
    b"sourceIPAddress",
    b"tlsDetails",
    b"userAgent",
    b"userIdentity",
    b"vpcEndpointAccountId",
    b"vpcEndpointId",
];

/// What the first member of an object says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// More bytes are needed.
    Wait,
    /// A record, or no JSON: for the parser.
    Record,
    /// Perhaps a wrapper: its members must be walked.
    Members,
}

/// Looks at `bytes` behind the brace that opens an object.
pub(super) fn opening(bytes: &[u8], last: bool) -> Opening {
    let wait = if last { Opening::Record } else { Opening::Wait };
    let at = skip(bytes, 0, b"");
    match bytes.get(at) {
        None => wait,
        Some(b'"') => match string_end(bytes, at).inspect(|end| examined(*end)) {
            None => wait,
            Some(end) if RECORD_MEMBERS.binary_search(&&bytes[at + 1..end - 1]).is_ok() => Opening::Record,
            Some(_) => Opening::Members,
        },
        Some(_) => Opening::Record,
    }
}

/// Where a walk over members led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// More bytes are needed.
    Wait,
    /// A list of records starts at this offset, behind its bracket.
    List(usize),
    /// The object ends before this offset.
    Closed(usize),
    /// Not JSON from this offset on.
    Broken(usize),
}

/// Where the list of the wrapper starts of which `bytes` are what stands behind its brace, as far as they go; `None` for
/// a record, and as long as the list was not met.
pub(super) fn list_of(bytes: &[u8]) -> Option<usize> {
    if opening(bytes, false) != Opening::Members {
        return None;
    }
    match members(bytes) {
        Walk::List(list) => Some(list),
        _ => None,
    }
}

/// Walks members from anywhere between two of them, up to a list of records or the object's end.
///
/// Follows strings and brackets just as the splitter does, so that both see the same end.
pub(super) fn members(bytes: &[u8]) -> Walk {
    let walk = walk(bytes);
    examined(match walk {
        Walk::Wait => bytes.len(),
        Walk::List(at) | Walk::Closed(at) | Walk::Broken(at) => at,
    });
    walk
}

fn walk(bytes: &[u8]) -> Walk {
    let mut at = 0;
    loop {
        at = skip(bytes, at, b",");
        match bytes.get(at) {
            None => return Walk::Wait,
            Some(b'}') => return Walk::Closed(at + 1),
            Some(b'"') => {}
            Some(_) => return Walk::Broken(at),
        }
        let Some(end) = string_end(bytes, at) else { return Walk::Wait };
        let name = &bytes[at..end];
        at = skip(bytes, end, b":");
        let Some(&first) = bytes.get(at) else { return Walk::Wait };
        match first {
            b'[' if names_list(name) => return Walk::List(at + 1),
            b'"' => match string_end(bytes, at) {
                None => return Walk::Wait,
                Some(end) => at = end,
            },
            b'{' | b'[' => match Splitter::new().scan(&bytes[at + 1..], true, &mut Vec::new()).closed {
                None => return Walk::Wait,
                Some(closed) => at += 1 + closed + 1,
            },
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                let other = |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'+' | b'.');
                at = bytes[at..].iter().position(other).map_or(bytes.len(), |len| at + len);
            }
            _ => return Walk::Broken(at),
        }
    }
}

/// True for the quoted name of a member that lists records, however it is escaped.
fn names_list(quoted: &[u8]) -> bool {
    if !quoted.contains(&b'\\') {
        return quoted == b"\"Records\"" || quoted == b"\"Events\"";
    }
    serde_json::from_slice::<String>(quoted).is_ok_and(|name| name == "Records" || name == "Events")
}

/// The offset behind the string that starts at `at`.
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        from += memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes[from] == b'"' {
            return Some(from + 1);
        }
        from += 2;
    }
}

/// The offset behind a number or a literal, or behind whatever stands there instead.
pub(super) fn word_end(bytes: &[u8], at: usize) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'}' | b']' | b'{' | b'[' | b'"');
    let rest = &bytes[at + 1..];
    at + 1 + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The offset of the first byte from `at` that is neither whitespace nor one of `also`.
pub(super) fn skip(bytes: &[u8], at: usize, also: &[u8]) -> usize {
    let other = |byte: &u8| !byte.is_ascii_whitespace() && !also.contains(byte);
    let rest = &bytes[at..];
    at + rest.iter().position(other).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_sorted_for_the_search() {
        assert!(RECORD_MEMBERS.is_sorted());
    }

    #[test]
    fn lists_are_found_behind_any_other_member() {
        let document = br#""a":"x\"}","b":{"Records":[1]},"c":[["]"]],"d":-1.5 , "Records" : [{"#;
        assert_eq!(members(document), Walk::List(document.len() - 1));
        for end in 0..document.len() - 1 {
            assert_eq!(members(&document[..end]), Walk::Wait, "{end}");
        }
        assert_eq!(members(br#""Records":{}}x"#), Walk::Closed(13));
        assert_eq!(members(b"Records"), Walk::Broken(0));
        assert_eq!(members(br#""a":}"b":1}"#), Walk::Broken(4));
    }
}

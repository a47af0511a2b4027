//! Reports as PDF: what stands on the pages, whatever the texts are; what the file says about itself.

use keytrail_pdf::{Document, Error, Moment};
use serde_json::{Value, json};

const AT: Moment = Moment { year: 2026, month: 10, day: 1, hour: 7, minute: 8, second: 9 };

fn evidence(n: usize) -> Value {
    json!({
        "event_id": format!("00000000-0000-4000-8000-{n:012}"), "time": "2026-07-01T10:00:00Z", "event_name": "DisableKeyRotation",
        "error_code": null, "object": "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/07/01/111122223333_CloudTrail.json.gz",
        "record": n, "role": "cause",
    })
}

fn finding(n: usize, records: usize) -> Value {
    json!({
        "id": format!("{n:032x}"), "rule": "rotation-disabled", "severity": "high", "confidence": "high",
        "title": format!("alias/ledger: rotation switched off, case {n}"), "account": "111122223333", "region": "eu-west-1",
        "key": { "arn": "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "id": "1234abcd", "alias": "alias/ledger" },
        "principal": { "arn": "arn:aws:iam::111122223333:role/ops", "type": "AssumedRole", "invoked_by": null },
        "first_seen": "2026-07-01T10:00:00Z", "last_seen": "2026-07-01T10:00:00Z", "count": 1,
        "facts": [{ "label": "by", "value": "role ops" }], "details": { "n": n },
        "evidence": (0..records).map(evidence).collect::<Vec<_>>(),
        "status": if n % 5 == 4 { "suppressed" } else { "open" },
        "suppression": if n % 5 == 4 { json!({ "reason": "agreed", "until": "2027-01-01" }) } else { Value::Null },
    })
}

/// A report with this many findings, records of each, keys and changes.
fn data(findings: usize, records: usize, keys: usize, changes: usize) -> Value {
    let key = |n: usize| {
        json!({
            "account": "111122223333", "region": "eu-west-1", "id": format!("{n:08x}-12ab-34cd-56ef-1234567890ab"),
            "aliases": if n.is_multiple_of(2) { json!([format!("alias/k{n}")]) } else { json!([]) }, "state": "Enabled",
            "rotation": { "automatic": "on", "period_days": 365, "last": null }, "created": "2026-07-01T00:00:00Z",
            "last_use": null, "uses": 1_234_567, "open_grants": 2,
        })
    };
    let change = |n: usize| {
        json!({
            "key": format!("arn:aws:kms:eu-west-1:111122223333:key/{n:08x}-12ab-34cd-56ef-1234567890ab"),
            "from": "2026-07-01T10:00:00Z", "what": format!("change {n}"), "who": "role ops",
            "event_id": format!("00000000-0000-4000-8000-{n:012}"),
        })
    };
    let control = |id: &str, status: &str, of: Vec<Value>| {
        json!({
            "id": id, "title": "Keys rotate", "status": status, "because": "one finding speaks against it", "findings": of,
            "events": [{ "name": "EnableKeyRotation", "count": 3 }], "limits": ["an hour is unproved"],
            "cannot": "Older keys.", "ask": ["the policy"],
        })
    };
    let against = (0..findings).map(|n| json!({ "id": format!("{n:032x}"), "decides": n > 0 })).collect();
    json!({
        "report": {
            "schema": "keytrail.report/1",
            "run": { "version": "0.1.0", "settings": "0123456789abcdef", "as_of": "2026-10-01T07:08:09Z", "from": "2026-07-01T00:00:00Z", "to": "2026-10-01T00:00:00Z" },
            "integrity": "unverified",
            "frameworks": [{
                "id": "own", "name": "Our rules", "mapping": "1", "source": "wiki",
                "controls": [control("K1", "contradicted", against), control("K2", "not determinable", Vec::new())],
            }],
            "findings": (0..findings).map(|n| finding(n, records)).collect::<Vec<_>>(),
            "coverage": {
                "complete": true, "objects": { "read": 9, "seen": 10 }, "records": { "kms": 1000, "related": 5, "duplicates": 0 },
                "from": "2026-07-01T10:00:00Z", "to": "2026-09-30T10:00:00Z", "accounts": ["111122223333"],
                "regions": ["eu-west-1"], "rules": { "run": ["rotation-disabled"] },
                "blind": [{ "what": "stopped", "trail": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", "from": "2026-07-02T00:00:00Z", "to": null, "by": "role ops" }],
            },
            "hours": [{ "account": "111122223333", "region": "eu-west-1", "days": { "2026-07-01": 24, "2026-08-15": 3, "2026-09-30": 12 } }],
            "skipped": [{ "object": "a/broken.json.gz", "reason": "not-gzip" }],
            "notices": ["a notice"],
            "expected": { "accounts": { "expected": 2, "missing": ["444455556666"], "surplus": [] }, "regions": null, "keys": null },
            "alerting": {
                "incidents": [{
                    "id": "i-told", "status": "open", "severity": "high", "rules": ["key-disabled"], "subject": "a told incident",
                    "event": { "time": "2026-07-01T10:00:00Z", "event_id": null, "object": null, "record": null, "delivered": "2026-07-01T10:05:00Z" },
                    "untold": false, "unfinished": [{ "sink": "mail" }],
                    "tellings": [{
                        "sink": "hook", "first": "2026-07-01T10:06:00Z", "last": "2026-07-02T10:06:00Z", "status": "open",
                        "messages": 2, "first_alone": true, "seconds_since_event": 360,
                    }],
                }],
                "delays": [], "damaged": [],
                "drills": [{
                    "time": "2026-08-01T00:00:00Z", "passed": false, "evidence": { "file": "alerts/drill.json" },
                    "sinks": [{ "sink": "hook", "kind": "webhook", "failed": "404 of the hook" }],
                }],
            },
            "suppressions": [{
                "line": 5, "rule": "unused-key", "key": null, "account": null, "region": null, "principal": null, "finding": null,
                "reason": "an agreed reason", "approved_by": "kim", "until": "2027-01-01", "state": "matched nothing", "matched": 0, "hidden": 0,
            }],
            "sample": (changes > 0).then(|| json!({
                "seed": "q3", "asked": 1, "population": changes, "method": "the smallest hash",
                "calls": [{
                    "draw_sha256": "00ff", "time": "2026-07-01T10:00:00Z", "key": "arn:aws:kms:eu-west-1:111122223333:key/drawn",
                    "what": "drawn change", "who": "role ops", "event_id": "e-drawn", "object": "a/drawn.json.gz", "record": 7,
                    "sha256": "abcdef", "integrity": "valid",
                }],
            })),
            "comparison": (findings > 1).then(|| json!({
                "mismatches": ["another as-of"], "new": [format!("{:032x}", 0)], "persisting": [format!("{:032x}", 1), "gone"],
                "fixed": [{ "id": "f0", "severity": "low", "title": "an old finding", "now": "absent" }],
                "controls": [{ "framework": "own", "control": "K1", "before": null, "now": "contradicted" }],
                "trend": [{ "as_of": "2026-07-01T00:00:00Z", "open": { "high": 4321 }, "controls": { "partial": 8765 } }],
            })),
        },
        "sources": ["s3://logs/AWSLogs"],
        "keys": (0..keys).map(key).collect::<Vec<_>>(),
        "changes": (0..changes).map(change).collect::<Vec<_>>(),
    })
}

/// Texts without blanks: where lines are broken does not matter.
fn packed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn everything_stands_on_the_pages() {
    let document = Document::set(data(6, 2, 3, 2)).unwrap();
    let text = packed(&document.text());
    for expected in [
        "2026-07-01to2026-09-30",
        "Ourrules",
        "K2Keysrotate:notdeterminable",
        "atoldincident",
        "6min",
        "404ofthehook",
        "anagreedreason",
        "Anhourisunproved",
        "Olderkeys.",
        "alias/ledger:rotationswitchedoff,case5",
        "agreed,until2027-01-01",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "1,234,567",
        "change1",
        "stopped:arn:aws:cloudtrail",
        "a/broken.json.gz:not-gzip",
        "anotice",
        "s3://logs/AWSLogs",
        "EnableKeyRotation3×",
        "CloudTrail.json.gz:1",
        "9of10read",
        "Accounts2444455556666none",
        "nothing was said about which there are",
        "1 of 2 calls",
        "drawn change",
        "a/drawn.json.gz:7abcdefvalid",
        "another as-of",
        "an old finding (low, no such finding in this report) f0",
        "and 1 more in the JSON report",
        "4,321",
        "8,765",
    ] {
        assert!(text.to_lowercase().contains(&packed(expected).to_lowercase()), "{expected}");
    }
}

/// The marks that PDF/A and PDF/UA ask for, the moment it was made, and nothing that acts or is somewhere else.
#[test]
fn the_file_says_what_it_is() {
    let document = Document::set(data(2, 2, 2, 2)).unwrap();
    let bytes = document.write(AT).unwrap();
    let raw = String::from_utf8_lossy(&bytes);
    assert!(raw.starts_with("%PDF-1.7"));
    for expected in [
        "<pdfaid:part>2</pdfaid:part>",
        "<pdfaid:conformance>A</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
        "/MarkInfo",
        "/Lang",
        "2026-10-01T07:08:09",
        "/OutputIntent",
        "Keytrail",
    ] {
        assert!(raw.contains(expected), "{expected}");
    }
    for forbidden in ["/JavaScript", "/Launch", "/URI", "/EmbeddedFile", "/OpenAction", "/SubmitForm"] {
        assert!(!raw.contains(forbidden), "{forbidden}");
    }
    assert_eq!(bytes, Document::set(data(2, 2, 2, 2)).unwrap().write(AT).unwrap());
    assert_ne!(bytes, Document::set(data(2, 2, 2, 1)).unwrap().write(AT).unwrap());
    assert!(matches!(document.write(Moment { month: 13, ..AT }), Err(Error::Write(_))));
}

/// Replaces every text that does not decide what is shown.
fn poison(value: &mut Value, payload: &str) -> usize {
    const SHAPE: [&str; 11] =
        ["id", "status", "severity", "as_of", "from", "to", "time", "first_seen", "last_seen", "created", "integrity"];
    match value {
        Value::String(text) => {
            *text = payload.into();
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| poison(item, payload)).sum(),
        Value::Object(members) => {
            let texts = members.iter_mut().filter(|(name, _)| !SHAPE.contains(&name.as_str()));
            texts.map(|(_, member)| poison(member, payload)).sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[test]
fn hostile_text_is_text_in_every_field() {
    for (payload, shown) in [
        ("#panic(\"run\")", "#panic(\"run\")"),
        (
            "#read(\"/etc/passwd\") #import \"@preview/x:1.0.0\": *",
            "#read(\"/etc/passwd\")#import\"@preview/x:1.0.0\":*",
        ),
        (
            "*bold* _it_ `raw` $x^2$ @label <label> = Head // gone /* gone */",
            "*bold*_it_`raw`$x^2$@label<label>=Head//gone/*gone*/",
        ),
        ("]) #let data = 1 \\ --- ~ \\u{41}", "])#letdata=1\\---~\\u{41}"),
        ("<script>alert(1)</script> =1+1 https://evil.example/", "<script>alert(1)</script>=1+1https://evil.example/"),
        (
            "\u{202e}evil\u{200b}\u{0}\u{1b}[2J\n\u{65e5}\u{1f600}\u{e000}\u{fffe}",
            r"\u{202e}evil\u{200b}\u{0}\u{1b}[2J\n\u{65e5}\u{1f600}\u{e000}\u{fffe}",
        ),
    ] {
        let mut data = data(3, 2, 2, 2);
        let poisoned = poison(&mut data, payload);
        assert!(poisoned > 60, "{poisoned}");
        let document = Document::set(data).unwrap();
        let text = packed(&document.text());
        let times = text.matches(&packed(shown)).count();
        assert!(times > 40, "{payload}: {times}\n{text}");
        document.write(AT).unwrap();
    }
}

/// A word without blanks, however long, stays in its column and ends.
#[test]
fn endless_words_end() {
    let mut data = data(2, 1, 1, 1);
    poison(&mut data, &"x".repeat(100_000));
    let document = Document::set(data).unwrap();
    assert!(document.pages() < 60, "{}", document.pages());
    assert!(document.text().contains("more characters)"));
}

#[test]
fn two_thousand_rows_break_over_pages() {
    let document = Document::set(data(40, 50, 2_000, 2_100)).unwrap();
    let text = document.text();
    assert!(text.contains("change 1999") && !text.contains("change 2000"));
    assert!(text.contains("and 100 more in changes.csv"));
    // Every page of a table has its head.
    assert!(document.pages() > 100, "{}", document.pages());
    assert!(document.write(AT).unwrap().len() < 20_000_000);
}

#[test]
fn nothing_is_a_report_too() {
    let mut empty = data(0, 0, 0, 0);
    empty["report"]["hours"] = json!([]);
    empty["report"]["frameworks"] = json!([]);
    for time in ["as_of", "from", "to"] {
        empty["report"]["run"][time] = Value::Null;
    }
    empty["report"]["coverage"]["from"] = Value::Null;
    empty["report"]["coverage"]["to"] = Value::Null;
    let document = Document::set(empty).unwrap();
    assert!(document.text().contains("no event"));
    document.write(AT).unwrap();
}

#[test]
fn data_of_another_shape_are_an_error() {
    let said = Document::set(json!({ "report": {} })).map(|document| document.pages());
    assert!(matches!(&said, Err(Error::Set(what)) if what.contains("run")), "{said:?}");
}

//! Whatever the bytes are, the work stays in proportion to them: counted, not timed.

use super::super::meter;
use super::super::outcome::RejectReason;
use super::super::records::{Record, RecordSink};
use super::super::{Decoder, Limits, ObjectReport};

struct Nowhere;

impl RecordSink for Nowhere {
    fn record(&mut self, _: &Record<'_>) -> Result<(), RejectReason> {
        Ok(())
    }
    fn stage(&mut self) {}
    fn settle(&mut self, _: bool) {}
}

/// Bytes that were looked at per byte that there is.
fn work(document: &[u8], window: u64) -> (u64, ObjectReport) {
    let limits = Limits { window, ..Limits::default() };
    meter::take();
    let report = Decoder::new(limits).read(&mut &document[..], None, &mut Nowhere);
    (meter::take() / document.len() as u64, report)
}

const LEAN: &str = r#"{"eventVersion":"1.11","eventSource":"sts.amazonaws.com","eventName":"AssumeRole"}"#;
const EXPORTED: &str = r#"{"_time":"2026-01-02","host":"h","eventVersion":"1.11","eventSource":"kms.amazonaws.com"}"#;

/// Looking at each byte this often is fine. Documents of a few bytes come near it, as a look ahead is longer than they
/// are; what counts is that it does not grow.
const MOST: u64 = 70;

#[test]
fn the_work_grows_with_the_input_only() {
    let wrapper = format!("{{\"Records\":[{LEAN}]}}");
    // What comes first, what is repeated, what comes last and is repeated too.
    let shapes: &[(&str, String, &str)] = &[
        ("", "{\"a\":\n".into(), ""),
        ("", "{\"a\":".into(), ""),
        ("", "{\"a\":{\n".into(), "}\n}"),
        ("", "{\n".into(), ""),
        ("", "{\"\n".into(), ""),
        ("", "{\"eventName\":\"x\n".into(), ""),
        ("", "{\"eventName\":[\n".into(), ""),
        ("", "{\"a\":1,\n \"b\":[{\n".into(), ""),
        ("", format!("{EXPORTED}\n"), ""),
        ("", EXPORTED.into(), ""),
        ("{\n", format!("{EXPORTED}\n"), ""),
        ("{\n", EXPORTED.into(), ""),
        ("", "{\"zzz\":\"y\"}\n".into(), ""),
        ("", "{\"zzz\":\"y\"}".into(), ""),
        ("{\n", "{\"zzz\":\"y\"}\n".into(), ""),
        ("", "{}".into(), ""),
        ("", "{}\n".into(), ""),
        ("", "{\"a\" \"b\"}\n".into(), ""),
        ("", "{\"a\":}\"b\":\n".into(), ""),
        ("", "{\"a\":},".into(), ""),
        ("", "garbage\n".into(), ""),
        ("", "  garbage\n".into(), ""),
        ("", "\"\n".into(), ""),
        ("", "\\\"\n".into(), ""),
        ("", "}".into(), ""),
        ("", "}\n".into(), ""),
        ("", "]\n{}\n".into(), ""),
        ("", "[".into(), ""),
        ("", "[\n".into(), "]"),
        ("", "[]".into(), ""),
        ("", "[]{}\n".into(), ""),
        ("", "{\"eventName\":1}g\n".into(), ""),
        ("", "{\"eventName\":1}[]".into(), ""),
        ("", format!("{LEAN}{wrapper}"), ""),
        ("", format!("{LEAN}\n{wrapper}\n"), ""),
        ("{\n", format!("{LEAN}\n{wrapper}\n"), ""),
        ("", "{\"eventName\":1}{\"Records\":[]}".into(), ""),
        ("", "{\"eventName\":1}{\"Records\":[]x\n ".into(), "}"),
        ("{\n{\n", "{\"Records\":[]x\n ".into(), "}"),
        ("", "{\"Records\":[],\"a\":[\n".into(), "]x}"),
        ("", "{\"Records\":[]x".into(), ""),
        ("", "{\"Records\":[\n".into(), ""),
        ("", "{\"Records\":[{\"a\":\n".into(), ""),
        ("", "{\n  \"eventName\": \"x\",\n  \"a\": {\n  }\n}\n".into(), ""),
        ("{\n", "{\n  \"eventName\": \"x\",\n  \"a\": {\n  }\n}\n".into(), ""),
        ("", "{\n  \"eventName\": \"x\",\n  \"a\": {\n}\n".into(), ""),
        ("", "{\n  \"eventName\": \"x\",\n  \"a\": {\n  }}\n}\n".into(), ""),
        ("[{\"a\":\"", "rorCode".into(), ""),
        ("{\"eventName\":\"", "rorCode yDocument ".into(), ""),
        ("{\"a\":\"", "\\\"{\n".into(), ""),
        ("", " \n\t,".into(), ""),
        ("{\n", "\n ".into(), ""),
        ("x\n", " \n".into(), ""),
        ("x\n", " {\n".into(), ""),
        ("x\n", " {\n \"a\n".into(), ""),
        ("x\n", " x\n {\"eventName\":1}\n".into(), ""),
    ];
    let mut problems = Vec::new();
    for (first, repeated, last) in shapes {
        for window in [64 << 20, 3_000] {
            let [small, large] = [32 << 10, 512 << 10].map(|size| {
                let times = size / (repeated.len() + last.len());
                let document = format!("{first}{}{}", repeated.repeat(times), last.repeat(times));
                work(document.as_bytes(), window).0
            });
            if large > MOST || large > small + 2 {
                problems.push(format!("{first:?} {repeated:?} {last:?}, window {window}: {small}, then {large}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn sound_logs_are_looked_at_about_once() {
    let records = vec![LEAN; 20_000].join(",");
    let (listed, report) = work(format!("{{\"Records\":[{records}]}}").as_bytes(), 64 << 20);
    assert_eq!((report.records, report.rejected.total()), (20_000, 0));
    // Split and searched in one pass.
    assert!(listed <= 1, "{listed}");
    let (rows, report) = work(records.replace("},", "}\n").as_bytes(), 64 << 20);
    assert_eq!((report.records, report.rejected.total()), (20_000, 0));
    assert!(rows <= 2, "{rows}");
}

#[test]
fn a_needle_is_found_across_any_segment() {
    const SOURCE: &str = "kms.amazonaws.com";
    let mut list = String::from("{\"Records\":[");
    let first = list.len();
    for (segment, before) in (0..=SOURCE.len()).enumerate() {
        let edge = first + (segment + 1) * super::SEGMENT;
        let head = "{\"eventName\":\"Decrypt\",\"eventSource\":\"";
        let start = edge - before - head.len();
        while list.len() + LEAN.len() < start {
            list.push_str(LEAN);
            list.push(',');
        }
        list.push_str(&" ".repeat(start - list.len()));
        list.push_str(head);
        list.push_str(SOURCE);
        list.push_str("\"},");
    }
    list.push_str(LEAN);
    list.push_str("]}");
    for window in [64 << 20, 300_000] {
        let mut kept = Kept(0);
        let limits = Limits { window, ..Limits::default() };
        let report = Decoder::new(limits).read(&mut list.as_bytes(), None, &mut kept);
        assert_eq!((kept.0, report.rejected.total()), (SOURCE.len() + 1, 0), "{window}");
    }
}

struct Kept(usize);

impl RecordSink for Kept {
    fn record(&mut self, _: &Record<'_>) -> Result<(), RejectReason> {
        self.0 += 1;
        Ok(())
    }
    fn stage(&mut self) {}
    fn settle(&mut self, _: bool) {}
}

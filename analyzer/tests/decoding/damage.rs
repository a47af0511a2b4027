//! Documents in a row with one damaged among them: it is one rejection, and those after it are kept.

use keytrail::decode::{Limits, RejectReason};
use serde_json::Value;

use super::support::{KMS, decode_within, windows};

/// A record over many lines, with lists and objects in it.
fn pretty(id: usize) -> String {
    let mut record: Value = serde_json::from_str(KMS).unwrap();
    record["eventID"] = format!("{id:08}").into();
    record["requestParameters"] = serde_json::json!({"encryptionContext": {"a": "b"}, "list": [{"c": 1}, {"d": []}]});
    serde_json::to_string_pretty(&record).unwrap() + "\n"
}

/// Reads ten documents of which the fourth is damaged.
fn check(damage: impl Fn(&str) -> String, rejects: &[(u32, RejectReason)], kept: &[&str]) {
    let mut document = String::new();
    for id in 0..10 {
        let record = pretty(id);
        document.push_str(&if id == 3 { damage(&record) } else { record });
    }
    for limits in [Limits::default(), windows(1), windows(700)] {
        let (report, memory) = decode_within(limits, document.as_bytes());
        assert_eq!(report.rejected.first, rejects, "{document}");
        assert_eq!(report.rejected.total(), rejects.len() as u64);
        assert_eq!(report.records, (kept.len() + rejects.len()) as u64);
        let ids: Vec<_> = memory.kept.iter().map(|kept| kept.value["eventID"].as_str().unwrap()).collect();
        assert_eq!(ids, kept);
    }
}

const OTHERS: [&str; 9] =
    ["00000000", "00000001", "00000002", "00000004", "00000005", "00000006", "00000007", "00000008", "00000009"];

#[test]
fn a_damaged_record_over_many_lines_is_one_rejection() {
    let one = [(3, RejectReason::InvalidJson)];
    // Without its last brace, without an inner one, without the quote that ends a text, cut in the middle.
    check(|record| record.trim_end().trim_end_matches('}').to_owned() + "\n", &one, &OTHERS);
    check(|record| record.replacen("},", ",", 1), &one, &OTHERS);
    check(|record| record.replacen("\",", ",", 1), &one, &OTHERS);
    check(|record| record.lines().take(4).collect::<Vec<_>>().join("\n") + "\n", &one, &OTHERS);
    // Without its first brace.
    check(|record| record.replacen("{\n", "", 1), &one, &OTHERS);
    // No JSON inside.
    check(|record| record.replacen(": ", " ", 1), &one, &OTHERS);
}

#[test]
fn the_last_record_may_be_cut() {
    let document = pretty(0) + &pretty(1).trim_end()[..200];
    let (report, memory) = decode_within(Limits::default(), document.as_bytes());
    assert_eq!(report.rejected.first, [(1, RejectReason::Truncated)]);
    assert_eq!((report.records, memory.kept.len()), (2, 1));
}

#[test]
fn wrappers_behind_damage_are_read() {
    let document = format!("{KMS}\n{{\"eventName\":{{\n{{\n \"Records\": [\n{KMS},\n{KMS}\n]\n}}\n{KMS}{KMS}\n");
    for limits in [Limits::default(), windows(1), windows(100)] {
        let (report, memory) = decode_within(limits, document.as_bytes());
        assert_eq!(report.rejected.first, [(1, RejectReason::InvalidJson)]);
        assert_eq!(memory.kept.iter().map(|kept| kept.index).collect::<Vec<_>>(), [0, 2, 3, 4, 5]);
    }
}

#[test]
fn records_of_a_list_without_its_start_are_read() {
    let record: Value = serde_json::from_str(KMS).unwrap();
    let list = serde_json::json!({"Records": [record, record]});
    let text = serde_json::to_string_pretty(&list).unwrap().replacen("{\n", "", 1);
    for limits in [Limits::default(), windows(1), windows(100)] {
        let (report, memory) = decode_within(limits, text.as_bytes());
        assert_eq!(memory.kept.len(), 2, "{text}");
        assert_eq!(report.rejected.first[0], (0, RejectReason::InvalidJson));
    }
}

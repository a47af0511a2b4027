//! The objects table loses nothing of what reading an object came to.

use proptest::prelude::*;
use proptest::sample::select;

use super::objects::*;
use super::partition::date_of;
use crate::decode::{Content, FirstRecord, Note, ObjectReport, RejectReason, Rejections, SkipReason};

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), any::<String>().prop_map(Some), Just(Some("\0\u{ffff}💥\r\n".to_owned()))]
}

fn report() -> impl Strategy<Value = ObjectReport> {
    let first = proptest::option::of((text(), text(), text()));
    let counts = proptest::collection::btree_map(select(RejectReason::ALL.to_vec()), any::<u64>(), 0..3);
    let located = proptest::collection::vec((any::<u32>(), select(RejectReason::ALL.to_vec())), 0..5);
    let notes = proptest::collection::btree_map(select(Note::ALL.to_vec()), any::<u64>(), 0..3);
    let skip = proptest::option::of(select(SkipReason::ALL.to_vec()));
    (any::<[u64; 4]>(), first, counts, located, notes, skip).prop_map(
        |([compressed, inflated, records, kept], first, counts, located, notes, skip)| ObjectReport {
            compressed,
            inflated,
            records,
            kept,
            rejected: Rejections { counts, first: located },
            notes,
            first: first.map(|(account, region, time)| FirstRecord { account, region, time }),
            skip,
        },
    )
}

fn row() -> impl Strategy<Value = ObjectRow> {
    let content = prop_oneof![Just(Content::Unsound), any::<[u8; 32]>().prop_map(Content::Whole)];
    let hashes = (text(), proptest::option::of(content));
    let identity = (any::<String>(), text(), proptest::option::of(any::<u64>()), hashes, text());
    let span = proptest::option::of((any::<i64>(), any::<i64>()));
    (identity, any::<[u64; 2]>(), span, report(), text(), proptest::option::of(0..80_000i64)).prop_map(
        |((uri, etag, size, (sha256, content), detail), [kms, related], span, report, account, day)| ObjectRow {
            uri,
            etag,
            size,
            sha256,
            content,
            kms,
            related,
            detail,
            span,
            report,
            unit: ObjectRow::unit_of(account.as_deref(), None, day.and_then(|day| date_of(day * 86_400_000))),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn objects_come_back_as_they_went(rows in proptest::collection::vec(row(), 1..8)) {
        let unit = rows[0].unit.clone();
        let mut rows: Vec<ObjectRow> = rows.into_iter().map(|row| ObjectRow { unit: unit.clone(), ..row }).collect();
        let bytes = encode_objects(&rows.iter().collect::<Vec<_>>(), &unit).unwrap();
        rows.sort_by(|a, b| a.uri.cmp(&b.uri));
        prop_assert_eq!(read_objects(bytes.clone(), &[]).unwrap(), rows.clone());
        for (row, read) in rows.iter().zip(read_objects(bytes, IDENTITY).unwrap()) {
            prop_assert_eq!((&row.uri, &row.etag, row.size, row.span, row.content, row.is_transient()), (&read.uri, &read.etag, read.size, read.span, read.content, read.is_transient()));
            prop_assert_eq!(ObjectRow::of_json(&row.json()), Some(row.clone()));
        }
    }
}

#[test]
fn every_column_is_told() {
    for column in COLUMNS {
        assert!(column.doc.len() > 10 && !column.doc.ends_with('.'), "{}", column.name);
    }
}

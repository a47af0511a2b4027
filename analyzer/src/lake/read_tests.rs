//! Any rows that extraction could make come back from a lake as the builder would have handed them over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use polars::prelude::*;
use proptest::prelude::*;

use super::partition::Unit;
use super::{Batch, EventsReader, Folder, Lake, ObjectRow, PartKind};
use crate::frame::compact::stable_hash;
use crate::frame::schema::{COLUMNS, Kind, Scope, with_columns};
use crate::frame::{Dictionary, Events, FrameBuilder, Row};

/// Texts that break what treats text carelessly.
const TEXTS: &[&str] = &[
    "",
    "a",
    "kms",
    "\0",
    "\u{1}\u{7f}\u{85}\u{2028}\u{feff}\u{fffe}\u{ffff}",
    "💥\u{10ffff}\u{1fffe}",
    "\"quoted\", \\escaped\\ and\r\nbroken",
    "null",
    "__unknown__",
    "..",
    "../../etc/passwd",
    "a/b\\c",
    "%2E%2E",
    "0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
    "0B1C2D3E-4F50-6172-8394-A5B6C7D8E9F0",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "a text that is longer than what a view of text holds by itself",
];

/// What the seed of a row says of one of its columns.
struct Draw(u64);

impl Draw {
    fn of(seed: u64, column: &str) -> Self {
        Self(stable_hash(&format!("{seed} {column}")))
    }

    fn some(&self) -> bool {
        !self.0.is_multiple_of(3)
    }

    fn text(&self) -> Option<Cow<'static, str>> {
        let text = TEXTS[(self.0 >> 8) as usize % TEXTS.len()];
        // Few and many distinct values: with and without a dictionary.
        self.some()
            .then(|| if self.0.is_multiple_of(2) { text.into() } else { format!("{text}{}", self.0 >> 32).into() })
    }
}

macro_rules! draw {
    (Str $draw:expr) => {
        $draw.text()
    };
    (Cat $draw:expr) => {
        $draw.text()
    };
    (Bool $draw:expr) => {
        $draw.some().then_some($draw.0 >> 9 & 1 == 1)
    };
    (Int $draw:expr) => {
        $draw.some().then_some($draw.0.cast_signed())
    };
    (U32 $draw:expr) => {
        ($draw.0 >> 32) as u32
    };
    (Time $draw:expr) => {
        $draw.some().then_some($draw.0.cast_signed())
    };
}

macro_rules! row {
    ($(($scope:ident $name:ident $kind:ident $from:literal $doc:literal))*) => {
        /// A row drawn from a seed; a mask says which columns all rows leave empty.
        fn row(seed: u64, mask: u64) -> Row<'static> {
            let mut row = Row { wide: seed % 3 == 0, ..Row::default() };
            $(if Draw::of(mask, stringify!($name)).0 % 4 != 0 {
                let draw = Draw::of(seed, stringify!($name));
                row.$name = draw!($kind draw);
            })*
            row
        }
    };
}
with_columns!(row);

fn rows() -> impl Strategy<Value = Vec<Row<'static>>> {
    let days = prop_oneof![3 => Just(1u64), 1 => Just(3)];
    (proptest::collection::vec(any::<u64>(), 1..60), any::<u64>(), days, any::<bool>()).prop_map(
        |(seeds, mask, days, far)| {
            let rows = seeds.iter().enumerate().map(|(at, &seed)| {
                let mut row = row(seed, mask);
                row.object = (seed % 3) as u32;
                row.record = at as u32;
                let millis = 20_758 * 86_400_000 + (seed % days * 86_400_000 + seed % 1000) as i64;
                row.event_time = Some(if far && seed % 7 == 0 { seed.cast_signed() } else { millis });
                // Few units: each is a file.
                let account = if days == 1 { "111122223333" } else { TEXTS[(seed % 3) as usize + 9] };
                (row.account, row.region) = (Some(account.into()), None);
                row
            });
            rows.collect()
        },
    )
}

fn build(rows: &[Row<'static>], dictionary: &Dictionary, scope: Scope) -> Events {
    let mut builder = FrameBuilder::new(dictionary.clone(), scope);
    rows.iter().for_each(|row| builder.push(row));
    builder.finish_bare().unwrap()
}

/// What a frame says, in no order.
fn told(frame: &DataFrame, dictionary: &Dictionary) -> Vec<BTreeMap<String, String>> {
    let mut rows = vec![BTreeMap::new(); frame.height()];
    for column in frame.columns() {
        let cat = COLUMNS.iter().any(|known| known.name == column.name().as_str() && known.kind == Kind::Cat);
        for (row, value) in rows.iter_mut().zip(column.as_materialized_series().iter()) {
            let text = match value {
                AnyValue::Null => continue,
                AnyValue::UInt32(code) if cat => format!("{:?}", dictionary.text(code)),
                value => format!("{value:?}"),
            };
            row.insert(column.name().to_string(), text);
        }
    }
    rows.sort();
    rows
}

fn names(frame: &DataFrame) -> Vec<String> {
    frame.columns().iter().map(|column| format!("{} {}", column.name(), column.dtype())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_come_back_as_the_builder_had_them(rows in rows()) {
        let folder = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(Arc::new(Folder::new(folder.path().join("lake")))).unwrap();
        let written = Dictionary::default();
        let mut batch = Batch::new(written.clone());
        let (first, second) = rows.split_at(rows.len() / 2);
        for half in [first, second] {
            batch.add_events(build(half, &written, Scope::Full));
        }
        for number in 0..3 {
            batch.add_object(number, ObjectRow { uri: format!("object {number}"), unit: Unit::default(), ..ObjectRow::default() });
        }
        batch.write(&lake).unwrap();

        for scope in [Scope::Fold, Scope::Full] {
            let dictionary = Dictionary::default();
            let wanted = build(&rows, &dictionary, scope);
            // Other codes for the same texts.
            let dictionary_back = Dictionary::default();
            dictionary_back.intern("something else");
            let mut reader = EventsReader::new(dictionary_back.clone(), scope);
            let state = &lake.snapshot().unwrap().shards[0];
            let (mut narrow, mut wide) = (Vec::new(), Vec::new());
            let mut single = 0;
            for part in state.manifest.of(PartKind::Events) {
                let number = |uri: &str| uri.strip_prefix("object ").unwrap().parse().unwrap();
                let events = lake.read_events(&mut reader, part, &mut { number }).unwrap();
                narrow.extend(told(&events.narrow, &dictionary_back));
                wide.extend(told(&events.wide, &dictionary_back));
                single += 1;
                if part.rows == rows.len() as u64 {
                    prop_assert_eq!(names(&events.narrow), names(&wanted.narrow));
                    prop_assert_eq!(names(&events.wide), names(&wanted.wide));
                }
            }
            prop_assert!(single > 0);
            narrow.sort();
            wide.sort();
            prop_assert_eq!(narrow, told(&wanted.narrow, &dictionary));
            prop_assert_eq!(wide, told(&wanted.wide, &dictionary));
        }
    }
}

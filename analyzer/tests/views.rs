//! The law of rows → views: any order, any split, any duplication, the same views.

#![expect(clippy::unwrap_used, reason = "a test says by failing that it cannot go on")]

use std::borrow::Cow;

use keytrail::config::Logs;
use keytrail::frame::builder::{partition_frame, stack};
use keytrail::frame::{Columns, Dictionary, Events, FrameBuilder, Row, Scope};
use keytrail::source::Names;
use keytrail::view::unit::{Part, Plan, partitions};
use keytrail::view::{Across, FoldContext, Settled, Views};
use proptest::prelude::*;

const PARTITIONS: u32 = 5;
const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
const START: i64 = 1_788_220_800_000;

/// A row by small numbers, so that collisions of every kind are common.
#[derive(Clone, Debug)]
struct Spec {
    id: u8,
    shared: Option<u8>,
    corrects: Option<u8>,
    seconds: i64,
    account: usize,
    key: u8,
    kind: u8,
    resource: u8,
}

fn spec() -> impl Strategy<Value = Spec> {
    let times = prop_oneof![0..600i64, 86_000..87_000i64];
    (
        0..60u8,
        prop::option::weighted(0.2, 0..8u8),
        prop::option::weighted(0.05, 0..60u8),
        times,
        0..2usize,
        0..3u8,
        0..9u8,
        0..4u8,
    )
        .prop_map(|(id, shared, corrects, seconds, account, key, kind, resource)| Spec {
            id,
            shared,
            corrects,
            seconds,
            account,
            key,
            kind,
            resource,
        })
}

/// What an event says must follow from its identity: copies of one event are alike but for where they stand.
fn normalize(specs: Vec<Spec>) -> Vec<Spec> {
    let mut first: std::collections::BTreeMap<(u8, usize), Spec> = std::collections::BTreeMap::new();
    specs.into_iter().map(|spec| first.entry((spec.id, spec.account)).or_insert(spec).clone()).collect()
}

fn row(spec: &Spec, object: u32, record: u32) -> Row<'static> {
    let text = |text: &str| Some(Cow::Owned(text.to_string()));
    let name = [
        "Decrypt",
        "Decrypt",
        "Encrypt",
        "Decrypt",
        "DisableKey",
        "EnableKey",
        "CreateGrant",
        "AttachVolume",
        "CreateAlias",
    ][spec.kind as usize];
    let operation = [
        Some("crypto"),
        Some("crypto"),
        Some("crypto"),
        Some("crypto"),
        Some("lifecycle"),
        Some("lifecycle"),
        Some("grant"),
        None,
        Some("alias"),
    ][spec.kind as usize];
    let fails = matches!(spec.kind, 1 | 7);
    // Kind 3 names its key only by alias, kind 7 only by the resource that failed.
    let named = !matches!(spec.kind, 3 | 7);
    let key = format!("arn:aws:kms:eu-west-1:111122223333:key/key-{}", spec.key);
    let resource = format!("aws:ebs:id=vol-{}", spec.resource);
    Row {
        wide: spec.kind >= 4,
        object,
        record,
        event_id: text(&format!("event-{}", spec.id)),
        shared_event_id: spec.shared.and_then(|shared| text(&format!("shared-{shared}"))),
        corrects: spec.corrects.and_then(|id| text(&format!("event-{id}"))),
        event_time: Some(START + spec.seconds * 1000),
        class: text(if spec.kind == 7 { "failure" } else { "kms" }),
        event_source: text(if spec.kind == 7 { "ec2.amazonaws.com" } else { "kms.amazonaws.com" }),
        event_name: text(name),
        operation: operation.and_then(text),
        account: text(ACCOUNTS[spec.account]),
        region: text("eu-west-1"),
        error_code: if fails || spec.kind == 3 { text("DisabledException") } else { None },
        failure: if fails || spec.kind == 3 { text("key-disabled") } else { None },
        principal: text(&format!("arn:aws:iam::111122223333:role/role-{}", spec.resource % 2)),
        invoked_by: (spec.kind == 0).then_some(Cow::Borrowed("secretsmanager.amazonaws.com")),
        key_arn: if named { text(&key) } else { None },
        key_account: named.then_some(Cow::Borrowed("111122223333")),
        key_region: named.then_some(Cow::Borrowed("eu-west-1")),
        alias: if matches!(spec.kind, 3 | 8) {
            text(&format!("arn:aws:kms:eu-west-1:111122223333:alias/a-{}", spec.key))
        } else {
            None
        },
        encryption_context: text(&format!("{{\"aws:ebs:id\":\"vol-{}\"}}", spec.resource)),
        resource: text(&resource),
        bucket: text(&format!("bucket-{}", spec.resource)),
        grant_id: text(&format!("grant-{}", spec.resource)),
        ..Row::default()
    }
}

/// Rows in batches, through the same steps as a scan: build, partition, fold, merge.
fn views(batches: &[Vec<Row<'static>>], dictionary: &Dictionary, reverse: bool) -> Settled {
    let plan = Plan::new(PARTITIONS);
    let mut across = Across::default();
    let mut parts: Vec<Vec<Events>> = (0..plan.count()).map(|_| Vec::new()).collect();
    for batch in batches {
        let mut builder = FrameBuilder::new(dictionary.clone(), Scope::Fold);
        batch.iter().for_each(|row| builder.push(row));
        let events = builder.finish().unwrap();
        across.read(&events, &Names::default(), dictionary).unwrap();
        for (wide, frame) in [(false, &events.narrow), (true, &events.wide)] {
            let of = partitions(&Columns::open(frame).unwrap(), frame.height(), plan, dictionary);
            for (partition, frame) in partition_frame(frame, &of, plan.count()).unwrap() {
                let part = if wide {
                    Events { wide: frame, ..Events::default() }
                } else {
                    Events { narrow: frame, ..Events::default() }
                };
                parts[partition as usize].push(part);
            }
        }
    }
    let last = parts.pop().unwrap();
    if reverse {
        parts.reverse();
    }
    let logs = Logs { buckets: std::iter::once("bucket-1".to_string()).collect(), ..Logs::default() };
    let context = FoldContext { dictionary, as_of: None, names: &Names::default(), across: &across, logs: &logs };
    let views = parts
        .into_iter()
        .map(|batches| Views::fold(&stack(batches).unwrap(), &context).unwrap())
        .fold(Views::default(), Views::merge);
    let last = stack(last).unwrap();
    views.and_fold(&[Part::whole(&last)], &context).unwrap().settle(&across, dictionary)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn order_split_and_duplication_do_not_matter(
        specs in prop::collection::vec(spec(), 1..80),
        order in any::<u64>(),
        cuts in 1..7usize,
        copies in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let specs = normalize(specs);
        let dictionary = Dictionary::default();
        let rows: Vec<Row<'static>> = specs.iter().enumerate().map(|(at, spec)| row(spec, at as u32 / 7, at as u32 % 7)).collect();
        let whole = views(std::slice::from_ref(&rows), &dictionary, false);

        let mut shuffled = rows.clone();
        // Copies are delivered later, in objects that sort behind the originals.
        for copy in &copies {
            let at = copy.index(specs.len());
            shuffled.push(row(&specs[at], 1000 + at as u32, 0));
        }
        let mut state = order | 1;
        for at in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(at, (state >> 33) as usize % (at + 1));
        }
        let size = shuffled.len().div_ceil(cuts);
        let batches: Vec<Vec<Row<'static>>> = shuffled.chunks(size).map(<[_]>::to_vec).collect();
        let mut apart = views(&batches, &dictionary, true);

        prop_assert_eq!(apart.duplicates, whole.duplicates + copies.len() as u64);
        apart.duplicates = whole.duplicates;
        prop_assert_eq!(format!("{apart:#?}"), format!("{whole:#?}"));
    }

    #[test]
    fn a_late_row_is_as_good_as_an_early_one(specs in prop::collection::vec(spec(), 2..40), late in any::<prop::sample::Index>()) {
        let specs = normalize(specs);
        let dictionary = Dictionary::default();
        let rows: Vec<Row<'static>> = specs.iter().enumerate().map(|(at, spec)| row(spec, at as u32, 0)).collect();
        let late = late.index(rows.len());
        let mut rest = rows.clone();
        let straggler = rest.remove(late);
        let early = views(std::slice::from_ref(&rows), &dictionary, false);
        let after = views(&[rest, vec![straggler]], &dictionary, false);
        prop_assert_eq!(format!("{after:#?}"), format!("{early:#?}"));
    }
}

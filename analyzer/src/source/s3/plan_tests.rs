use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000;

/// A bucket without a service: answers pages as S3 does.
struct Bucket {
    keys: BTreeSet<String>,
    page: usize,
    /// The first page of every listing is empty, and not the last one.
    blank: bool,
}

/// What a listing came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    keys: Vec<String>,
    skipped: Vec<(String, SkipReason)>,
    requests: u64,
    shown: u64,
    /// Folders in the order of keys, and keys as well.
    in_order: bool,
}

impl Bucket {
    fn new(keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { keys: keys.into_iter().map(Into::into).collect(), page: 1000, blank: false }
    }

    fn answer(&self, task: &Task) -> Page {
        if self.blank && task.token.is_none() {
            // A token of ours that ends with a slash would stand behind all of a folder.
            let token = task.start_after.as_ref().map(|after| format!("{after}\0")).unwrap_or_default();
            return Page { next: Some(token), ..Page::default() };
        }
        let after = task.token.as_ref().or(task.start_after.as_ref());
        let mut page = Page::default();
        let (mut shown, mut last) = (0, String::new());
        for key in self.keys.range(task.prefix.clone()..).take_while(|key| key.starts_with(&task.prefix)) {
            let rest = &key[task.prefix.len()..];
            let folder = rest.find('/').filter(|_| task.delimited).map(|slash| &key[..task.prefix.len() + slash + 1]);
            let name = folder.unwrap_or(key);
            // A token that names a folder stands behind all of it.
            let is_behind = match (&task.token, after) {
                (Some(token), _) => name > token.as_str() && !(token.ends_with('/') && key.starts_with(token.as_str())),
                (None, Some(after)) => key > after,
                (None, None) => true,
            };
            if !is_behind || page.folders.last().is_some_and(|last| Some(last.as_str()) == folder) {
                continue;
            }
            if shown == self.page {
                page.next = Some(last);
                break;
            }
            match folder {
                Some(folder) => page.folders.push(folder.to_owned()),
                None => page.entries.push(Entry { key: key.clone(), size: 1, ..Entry::default() }),
            }
            (shown, last) = (shown + 1, name.to_owned());
        }
        page
    }

    /// Lists as the driver does, in whatever order `pick` wants.
    fn list(&self, prefix: &str, filter: &Filter, late_days: u16, mut pick: impl FnMut(usize) -> usize) -> Outcome {
        let mut plan = Plan::new(filter.clone(), Window::of(filter, late_days));
        let mut segments: BTreeMap<String, Step> = BTreeMap::new();
        let mut outcome = Outcome::default();
        let mut steps = plan.start(prefix);
        loop {
            for step in steps.drain(..) {
                let before = segments.insert(step.at().to_owned(), step);
                assert!(before.is_none(), "two steps at one place: {before:?}");
            }
            let waiting: Vec<&String> =
                segments.iter().filter(|(_, step)| matches!(step, Step::List(_))).map(|(at, _)| at).collect();
            if waiting.is_empty() {
                break;
            }
            let at = waiting[pick(waiting.len()) % waiting.len()].clone();
            let Some(Step::List(task)) = segments.remove(&at) else { unreachable!() };
            outcome.requests += 1;
            assert!(outcome.requests < 100_000, "no end");
            let page = self.answer(&task);
            outcome.shown += page.entries.len() as u64;
            steps = plan.page(&task, page);
        }
        let mut order = Vec::new();
        for step in segments.into_values() {
            match step {
                Step::Keys(entries) => outcome
                    .keys
                    .extend(entries.into_iter().map(|entry| entry.key).inspect(|key| order.push(key.clone()))),
                Step::Skip(folder, reason) => {
                    order.push(folder.clone());
                    outcome.skipped.push((folder, reason));
                }
                Step::List(_) => unreachable!(),
            }
        }
        outcome.in_order = order.is_sorted_by(|a, b| a < b);
        outcome
    }
}

fn first(_: usize) -> usize {
    0
}

fn midnight(day: &str) -> i64 {
    let day: chrono::NaiveDate = day.parse().unwrap();
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()
}

fn key(root: &str, account: &str, region: &str, day: &str, time: &str) -> String {
    let (path, date) = (day.replace('-', "/"), day.replace('-', ""));
    format!(
        "{root}AWSLogs/{account}/CloudTrail/{region}/{path}/{account}_CloudTrail_{region}_{date}T{time}Z_abcdefgh12345678.json.gz"
    )
}

const ACCOUNTS: [&str; 5] = ["111122223333", "222233334444", "333344445555", "444455556666", "555566667777"];
const REGIONS: [&str; 4] = ["eu-central-1", "eu-west-1", "us-east-1", "us-gov-west-1"];

/// 400 days × 5 accounts × 4 Regions, so many files a day.
fn large(root: &str, files: usize) -> Bucket {
    let start: chrono::NaiveDate = "2025-08-01".parse().unwrap();
    let mut keys = Vec::new();
    for day in start.iter_days().take(400) {
        for account in ACCOUNTS {
            for region in REGIONS {
                for file in 0..files {
                    keys.push(key(root, account, region, &day.to_string(), &format!("{:02}05", file * 24 / files)));
                }
            }
        }
    }
    Bucket::new(keys)
}

fn one_day(day: &str) -> Filter {
    Filter {
        accounts: vec![ACCOUNTS[2].into()],
        from: Some(midnight(day)),
        to: Some(midnight(day) + DAY),
        ..Filter::default()
    }
}

#[test]
fn a_day_of_one_account_costs_the_keys_of_that_day() {
    for root in ["", "logs/trail/"] {
        let bucket = large(root, 4);
        let filter = one_day("2026-03-10");
        let outcome = bucket.list("", &filter, 2, first);
        // The evening before, the day itself, and two days for files that are late; in four Regions.
        assert_eq!(outcome.keys.len(), 4 * (4 * 3), "{outcome:?}");
        assert!(outcome.in_order);
        assert!(outcome.shown * 100 < bucket.keys.len() as u64, "{} of {}", outcome.shown, bucket.keys.len());
        assert!(outcome.requests <= 28, "{}", outcome.requests);
        // The same when SOURCE says more.
        let deep = bucket.list(&format!("{root}AWSLogs/{}/CloudTrail/", ACCOUNTS[2]), &filter, 2, first);
        assert_eq!(deep.keys, outcome.keys);
        assert!(deep.requests <= 24, "{}", deep.requests);
    }
}

#[test]
fn a_month_of_all_costs_little_more_than_its_pages() {
    let bucket = large("", 4);
    let filter = Filter { from: Some(midnight("2026-03-01")), to: Some(midnight("2026-04-01")), ..Filter::default() };
    let outcome = bucket.list("", &filter, 2, first);
    // And two days for files that are late.
    assert_eq!(outcome.keys.len(), 20 * 4 * (31 + 2));
    // Five accounts with four Regions each, their folders above, and at least a page for each.
    assert!(outcome.requests <= 2 + 5 * 2 + 20 * 3, "{}", outcome.requests);
}

#[test]
fn everything_costs_little_more_than_its_pages() {
    let bucket = large("", 4);
    let outcome = bucket.list("", &Filter::default(), 2, first);
    assert_eq!(outcome.keys.len(), bucket.keys.len());
    assert!(outcome.in_order);
    // 32 pages when listed flat, one after the other.
    assert!(outcome.requests <= 150, "{}", outcome.requests);
}

#[test]
fn folders_of_other_logs_are_told_and_not_listed() {
    let account = "AWSLogs/111122223333";
    let mut keys = vec![key("", ACCOUNTS[0], REGIONS[0], "2026-09-01", "1205")];
    for folder in ["CloudTrail-Digest", "CloudTrail-Insight", "Config", "vpcflowlogs"] {
        keys.extend((0..50).map(|file| format!("{account}/{folder}/eu-west-1/2026/09/01/{file}.json.gz")));
    }
    keys.push(format!("{account}/SomethingNew/eu-west-1/2026/09/01/x.gz"));
    keys.push("AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=us-east-1/x.parquet".into());
    let outcome = Bucket::new(keys).list("", &Filter::default(), 2, first);
    let skipped: Vec<String> =
        outcome.skipped.iter().map(|(folder, reason)| format!("{folder} {}", reason.id())).collect();
    insta::assert_snapshot!(skipped.join("\n"), @"
    AWSLogs/111122223333/CloudTrail-Digest/ digest
    AWSLogs/111122223333/CloudTrail-Insight/ insight
    AWSLogs/111122223333/Config/ other-service
    AWSLogs/111122223333/SomethingNew/eu-west-1/2026/ other-service
    AWSLogs/111122223333/vpcflowlogs/ other-service
    AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/ other-service
    ");
    assert_eq!((outcome.keys.len(), outcome.shown), (1, 1));
}

#[test]
fn all_layouts_in_one_bucket() {
    let organization = "o-a1b2c3d4e5/";
    let file = |root: &str| key(root, ACCOUNTS[0], REGIONS[0], "2026-09-01", "1205");
    let trees = [
        file(""),
        file("some/prefix/"),
        file("").replace("AWSLogs/", &format!("AWSLogs/{organization}")),
        file(organization).replace("AWSLogs/", &format!("AWSLogs/{organization}")),
    ];
    let others = ["export.ndjson", "incident-7/a/b/c.json", "AWSLogs/notes.txt", "AWSLogs/111122223333/copy/x.json"];
    let keys: BTreeSet<String> = trees.iter().cloned().chain(others.map(String::from)).collect();
    let bucket = Bucket::new(keys.clone());
    let all = bucket.list("", &Filter::default(), 2, first);
    assert_eq!(all.keys, keys.iter().cloned().collect::<Vec<_>>());
    // What does not say whose it is may be anybody's.
    let nobody = Filter { accounts: vec!["999988887777".into()], ..Filter::default() };
    let left = bucket.list("", &nobody, 2, first);
    assert_eq!(left.keys, ["AWSLogs/notes.txt", "export.ndjson", "incident-7/a/b/c.json"]);
}

#[test]
fn a_prefix_may_end_anywhere() {
    let start: chrono::NaiveDate = "2026-02-20".parse().unwrap();
    let days = start.iter_days().take(40).map(|day| day.to_string());
    let places = days.flat_map(|day| [(0, 0), (1, 0), (1, 1)].map(|(account, region)| (account, region, day.clone())));
    let bucket =
        Bucket::new(places.map(|(account, region, day)| key("", ACCOUNTS[account], REGIONS[region], &day, "0005")));
    let whole = key("", ACCOUNTS[1], REGIONS[1], "2026-03-10", "0005");
    for end in 0..=whole.len() {
        let prefix = &whole[..end];
        for filter in [Filter::default(), Filter { accounts: vec![ACCOUNTS[1].into()], ..one_day("2026-03-10") }] {
            let outcome = bucket.list(prefix, &filter, 2, first);
            let window = Window::of(&filter, 2);
            let wanted = |key: &&String| {
                let layout = Layout::of(key);
                key.starts_with(prefix) && filter.admits(&layout) && window.admits(&layout)
            };
            let expected: Vec<&String> = bucket.keys.iter().filter(wanted).collect();
            assert!(outcome.keys.iter().eq(expected), "{prefix}");
        }
    }
}

#[test]
fn a_thousand_unknown_folders_are_not_walked_one_by_one() {
    let bucket = Bucket::new((0..3000).map(|folder| format!("{folder:05}/a/b.json")));
    let outcome = bucket.list("", &Filter::default(), 2, first);
    assert_eq!(outcome.keys.len(), 3000);
    assert!(outcome.requests <= 5, "{}", outcome.requests);
    // Unless one of them is what we look for.
    let mut bucket = Bucket::new((0..999).map(|folder| format!("{folder:05}/a/b.json")));
    bucket.keys.insert(key("", ACCOUNTS[0], REGIONS[0], "2026-09-01", "1205"));
    bucket.keys.insert("Z/x.json".into());
    let outcome = bucket.list("", &Filter { accounts: vec![ACCOUNTS[1].into()], ..Filter::default() }, 2, first);
    assert_eq!(outcome.keys.len(), 1000);
}

#[test]
fn files_delivered_late_are_found_when_asked_for() {
    let late = key("", ACCOUNTS[2], REGIONS[0], "2026-03-20", "1205");
    let bucket = Bucket::new([late]);
    let filter = one_day("2026-03-10");
    assert!(bucket.list("", &filter, 2, first).keys.is_empty());
    assert_eq!(bucket.list("", &filter, 31, first).keys.len(), 1);
}

#[test]
fn empty_markers_of_folders_are_no_objects() {
    let mut plan = Plan::new(Filter::default(), Window::default());
    let entry = |key: &str, size| Entry { key: key.into(), size, ..Entry::default() };
    let page = Page { entries: vec![entry("a/", 0), entry("a/b/", 3), entry("a/c", 0)], ..Page::default() };
    let steps = plan.page(&Task::plain("a/", None), page);
    let Some(Step::Keys(keys)) = steps.first() else { panic!("{steps:?}") };
    assert_eq!(keys.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["a/b/", "a/c"]);
}

/// Parts of keys that are near the grammar, and some that are not.
fn part() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "AWSLogs",
        "CloudTrail",
        "CloudTrail-Digest",
        "Config",
        "111122223333",
        "222233334444",
        "o-a1b2c3d4e5",
        "eu-west-1",
        "us-east-1",
        "2025",
        "2026",
        "01",
        "03",
        "12",
        "31",
        "2026-old",
        "~",
        "x",
        "20250",
        "",
    ];
    proptest::sample::select(WORDS).prop_map(String::from)
}

fn any_key() -> impl Strategy<Value = String> {
    let days = (2024..2027_i32, 1..13_u32, 1..29_u32, 0..2_usize, 0..3_usize, 0..3_usize);
    let trail = days.prop_map(|(year, month, day, root, account, region)| {
        key(["", "p/"][root], ACCOUNTS[account], REGIONS[region], &format!("{year}-{month:02}-{day:02}"), "1205")
    });
    prop_oneof![
        4 => trail.clone(),
        1 => (trail, part(), 0..120_usize).prop_map(|(key, part, at)| {
            let at = key[..at.min(key.len())].rfind('/').unwrap_or(0);
            format!("{}/{part}", &key[..at])
        }),
        1 => proptest::collection::vec(part(), 1..9).prop_map(|parts| parts.join("/")),
    ]
    .prop_filter("markers of folders are no objects", |key| !key.is_empty() && !key.ends_with('/'))
}

proptest! {
    /// Whatever is in a bucket, however long pages are and in whichever order they come: all that is wanted, once, in order.
    #[test]
    fn nothing_is_lost_and_nothing_comes_twice(
        keys in proptest::collection::btree_set(any_key(), 0..120),
        page in 1..40_usize,
        blank in any::<bool>(),
        prefix in prop_oneof![3 => Just(String::new()), 1 => (any_key(), 0..80_usize).prop_map(|(key, end)| key.chars().take(end).collect())],
        picks in proptest::collection::vec(0..1000_usize, 1..20),
        day in proptest::option::of((0..900_i64, 0..60_i64)),
        accounts in proptest::sample::subsequence(ACCOUNTS[..3].to_vec(), 0..3),
        late_days in 0..5_u16,
    ) {
        let start = midnight("2024-06-01");
        let filter = Filter {
            accounts: accounts.into_iter().map(String::from).collect(),
            from: day.map(|(day, _)| start + day * DAY),
            to: day.filter(|(_, length)| *length < 50).map(|(day, length)| start + (day + length) * DAY),
            ..Filter::default()
        };
        let bucket = Bucket { keys, page, blank };
        let mut turn = picks.iter().cycle();
        let outcome = bucket.list(&prefix, &filter, late_days, |_| *turn.next().unwrap());
        prop_assert!(outcome.in_order, "{outcome:?}");

        let window = Window::of(&filter, late_days);
        let is_bounded = window.is_bounded();
        for key in bucket.keys.iter().filter(|key| key.starts_with(&prefix)) {
            let layout = Layout::of(key);
            let is_wanted = filter.admits(&layout) && window.admits(&layout);
            let is_listed = outcome.keys.binary_search(key).is_ok();
            let is_skipped = outcome.skipped.iter().any(|(folder, _)| key.starts_with(folder.as_str()));
            // What stands where only days belong is not looked for when days are asked for.
            let mut folders = key.match_indices('/').map(|(slash, _)| &key[..=slash]);
            let is_below_days = is_bounded && folders.any(|folder| matches!(Place::of(folder), Place::Days(_)));
            // A tree inside the folder of an account that was not asked for is that account's business.
            let not_asked = |slash: usize| !filter.admits(&Layout::of(&format!("{}-", &key[..=slash])));
            let is_nested = key.matches("AWSLogs/").count() > 1 && key.match_indices('/').any(|(slash, _)| not_asked(slash));
            let is_left = is_skipped || is_nested || is_below_days && layout.date.is_none();
            prop_assert!(!is_listed || is_wanted, "{key} is not wanted");
            prop_assert!(!is_wanted || is_listed || is_left, "{key} is lost");
        }
        prop_assert!(outcome.keys.iter().all(|key| bucket.keys.contains(key)));
    }
}

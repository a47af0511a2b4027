//! What the name of an object tells: the grammar of trail keys.
//!
//! ```text
//! [prefix/]AWSLogs/[o-…/]<account>/CloudTrail/<region>/<yyyy>/<mm>/<dd>/<account>_CloudTrail_<region>_<yyyymmdd>T<hhmm>Z_<tail>.json.gz
//! ```
//!
//! Names are read part by part, never by substring: a prefix may hold anything, also `CloudTrail-Digest`. S3 keys and
//! local paths are the same to it. Outside of an `AWSLogs` tree the file name alone is read. Where folders and file name
//! disagree, neither is believed.

use chrono::{NaiveDate, NaiveDateTime};

/// What the name of an object tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// What it seems to be.
    pub kind: ObjectKind,
    /// Organization whose trail wrote it, `o-…`.
    pub organization: Option<String>,
    /// Account whose events it holds.
    pub account: Option<String>,
    /// Region whose events it holds.
    pub region: Option<String>,
    /// Day of delivery, UTC.
    pub date: Option<NaiveDate>,
    /// Moment of delivery, milliseconds since the epoch. Events inside are from before.
    pub delivered: Option<i64>,
}

/// What an object seems to be, by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ObjectKind {
    /// Management and data events: what keytrail reads.
    CloudTrail,
    /// A digest file of log integrity validation.
    Digest,
    /// Insights events.
    Insight,
    /// Network activity events of VPC endpoints.
    NetworkActivity,
    /// Aggregated data events.
    Aggregated,
    /// Another service's log in the same bucket.
    OtherService,
    /// The name does not tell; the content will.
    #[default]
    Unknown,
}

impl Layout {
    /// Reads a key or path. Total: any text gives a layout.
    pub fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
        let Some(name) = parts.last() else { return Self::default() };
        match (find_tree(&parts), read_name(name)) {
            (None, None) => Self::default(),
            (Some(layout), None) | (None, Some(layout)) => layout,
            (Some(tree), Some(name)) => Self {
                kind: agreed(Some(tree.kind), Some(name.kind)).unwrap_or_default(),
                organization: tree.organization,
                account: agreed(tree.account, name.account),
                region: agreed(tree.region, name.region),
                date: tree.date.or(name.date),
                delivered: name.delivered,
            },
        }
    }

    /// First and last moment at which it may have been delivered, milliseconds since the epoch.
    pub fn delivery_window(&self) -> Option<(i64, i64)> {
        if let Some(delivered) = self.delivered {
            return Some((delivered, delivered + 60_000));
        }
        let start = self.date?.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis();
        Some((start, start + 86_400_000))
    }
}

/// The part of a key or path that is the same wherever the tree was copied to: from the `AWSLogs` on that [`Layout::of`]
/// reads, else the name of the file.
pub fn tail(path: &str) -> &str {
    let is_edge = |byte: Option<&u8>| byte.is_none_or(|byte| matches!(byte, b'/' | b'\\'));
    for (at, tree) in path.rmatch_indices("AWSLogs") {
        let rest = at + tree.len();
        let before = at.checked_sub(1).and_then(|before| path.as_bytes().get(before));
        if is_edge(before) && is_edge(path.as_bytes().get(rest)) {
            let parts: Vec<&str> = path[rest..].split(['/', '\\']).filter(|part| !part.is_empty()).collect();
            if read_tree(&parts).is_some() {
                return &path[at..];
            }
        }
    }
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Folders that other services are known to write under `AWSLogs`, in paths and in file names.
const OTHER_SERVICES: &[&str] = &[
    "CloudTrail-Lake",
    "Config",
    "GuardDuty",
    "WAFLogs",
    "waflogs",
    "cloudfront",
    "elasticloadbalancing",
    "network-firewall",
    "redshift",
    "vpc-lattice",
    "vpcdnsquerylogs",
    "vpcflowlogs",
];

/// Objects that services write once to test that they may write.
const TEST_OBJECTS: &[&str] = &["ELBAccessLogTestFile", "ConfigWritabilityCheckFile"];

/// What the folders tell, from the last `AWSLogs` behind which the rest makes sense: a prefix may hold one as well.
fn find_tree(parts: &[&str]) -> Option<Layout> {
    let starts = parts.iter().enumerate().rev().filter(|(_, part)| **part == "AWSLogs");
    starts.map(|(at, _)| &parts[at + 1..]).find_map(read_tree)
}

/// What follows `AWSLogs`. The last part is the file.
fn read_tree(parts: &[&str]) -> Option<Layout> {
    // Flow logs with Hive-style folders: aws-account-id=…/aws-service=vpcflowlogs/aws-region=…
    if parts.first()?.starts_with("aws-account-id=") && parts.get(1)?.starts_with("aws-service=") {
        return Some(Layout { kind: ObjectKind::OtherService, ..Layout::default() });
    }
    let organization = parts.first().filter(|part| is_organization(part));
    let parts = if organization.is_some() { &parts[1..] } else { parts };
    let (account, parts) = parts.split_first().filter(|(account, _)| is_account(account))?;
    let mut layout = Layout {
        organization: organization.map(|part| (*part).to_owned()),
        account: Some((*account).to_owned()),
        ..Layout::default()
    };

    let (folder, rest) = parts.split_first()?;
    let Some((_, folders)) = rest.split_last() else {
        // A file right below the account: only its name can tell what it is.
        layout.kind = if TEST_OBJECTS.contains(folder) { ObjectKind::OtherService } else { ObjectKind::Unknown };
        return Some(layout);
    };
    let (region, days) = match folders.split_first().filter(|(region, _)| is_region(region)) {
        Some((region, days)) => (Some(*region), days),
        None => (None, folders),
    };
    let year = days.first().is_some_and(|year| year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()));
    layout.kind = match kind_of(folder) {
        // An unknown folder is a service when it is laid out like one; otherwise it may be somebody's copy of anything.
        ObjectKind::Unknown if region.is_some() && year && !folder.starts_with("CloudTrail") => {
            ObjectKind::OtherService
        }
        kind => kind,
    };
    layout.region = region.map(str::to_owned);
    layout.date = read_days(days);
    Some(layout)
}

/// `yyyy/mm/dd`
fn read_days(parts: &[&str]) -> Option<NaiveDate> {
    let [year, month, day, ..] = parts else { return None };
    let digits = [year, month, day].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !digits || year.len() != 4 {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// `<account>_CloudTrail_<region>_<time>Z_<tail>`, and `<account>_CloudTrail-Digest_<region>_<trail>_<home>_<time>Z`.
fn read_name(name: &str) -> Option<Layout> {
    let mut parts = name.split('_');
    let account = parts.next().filter(|account| is_account(account))?;
    let kind = parts.next().map(kind_of).filter(|kind| *kind != ObjectKind::Unknown)?;
    let region = parts.next().filter(|region| is_region(region));
    // A trail's name may hold anything, the time comes behind it; the tail has no meaning and may stick to the time.
    let time = parts.filter_map(read_time).next_back();
    Some(Layout {
        kind,
        organization: None,
        account: Some(account.to_owned()),
        region: region.map(str::to_owned),
        date: time.map(|time| time.date()),
        delivered: time.map(|time| time.and_utc().timestamp_millis()),
    })
}

/// `yyyymmddThhmmZ` or with seconds, and whatever follows.
fn read_time(part: &str) -> Option<NaiveDateTime> {
    let (time, _) = part.split_once('Z')?;
    let shape = matches!(time.len(), 13 | 15)
        && time.bytes().enumerate().all(|(at, byte)| if at == 8 { byte == b'T' } else { byte.is_ascii_digit() });
    if !shape {
        return None;
    }
    let seconds = if time.len() == 13 { "00" } else { "" };
    NaiveDateTime::parse_from_str(&format!("{time}{seconds}"), "%Y%m%dT%H%M%S").ok()
}

fn kind_of(folder: &str) -> ObjectKind {
    match folder {
        "CloudTrail" => ObjectKind::CloudTrail,
        "CloudTrail-Digest" => ObjectKind::Digest,
        "CloudTrail-Insight" => ObjectKind::Insight,
        "CloudTrail-NetworkActivity" => ObjectKind::NetworkActivity,
        "CloudTrail-Aggregated" => ObjectKind::Aggregated,
        other if OTHER_SERVICES.contains(&other) => ObjectKind::OtherService,
        _ => ObjectKind::Unknown,
    }
}

/// The value on which folders and file name agree, or which only one of them has.
fn agreed<T: PartialEq>(tree: Option<T>, name: Option<T>) -> Option<T> {
    match (tree, name) {
        (Some(tree), Some(name)) => (tree == name).then_some(tree),
        (tree, name) => tree.or(name),
    }
}

pub(super) fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn is_organization(part: &str) -> bool {
    let tail = part.strip_prefix("o-").unwrap_or_default();
    (10..=32).contains(&tail.len()) && tail.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// `eu-west-1`, `us-gov-west-1`, `us-isob-east-1`, `eusc-de-east-1` …
pub(super) fn is_region(part: &str) -> bool {
    let Some((words, number)) = part.rsplit_once('-') else { return false };
    let word = |word: &str| word.len() >= 2 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && words.contains('-')
        && words.split('-').all(word)
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;

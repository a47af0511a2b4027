//! What the name of a digest file tells.

use chrono::{DateTime, NaiveDateTime};

use super::Place;
use crate::source::{Layout, ObjectKind, tail};

/// One sequence of digests: those of a trail for one account and Region, regular or backfill.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream {
    /// Account whose logs it covers.
    pub account: String,
    /// Region whose logs it covers.
    pub region: String,
    /// Organization, where its trail wrote it.
    pub organization: Option<String>,
    /// Name of the trail.
    pub trail: String,
    /// Region in which the trail was made.
    pub home: String,
    /// Digests of log files that the regular ones missed. They are a chain of their own.
    pub backfill: bool,
}

/// The name of a digest file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestName {
    /// The sequence it belongs to.
    pub stream: Stream,
    /// End of the time it covers, milliseconds.
    pub end: i64,
}

const ENDING: &str = ".json.gz";
const BACKFILL: &str = "_backfill";
const TIME: &str = "%Y%m%dT%H%M%SZ";

/// `_yyyymmddThhmmssZ`
const TIME_LEN: usize = 17;

impl DigestName {
    /// Reads a key or path. None when it is not that of a digest file, or folders and file name disagree.
    ///
    /// ```text
    /// <account>_CloudTrail-Digest_<region>_<trail>_<home region>_<yyyymmdd>T<hhmmss>Z[_backfill].json.gz
    /// ```
    ///
    /// A trail's name may hold `_`: the name is read from both ends.
    pub fn of(path: &str) -> Option<Self> {
        let layout = Layout::of(path);
        if layout.kind != ObjectKind::Digest {
            return None;
        }
        let (account, region) = (layout.account?, layout.region?);
        let name = path.rsplit(['/', '\\']).next()?.strip_suffix(ENDING)?;
        let (name, backfill) = name.strip_suffix(BACKFILL).map_or((name, false), |name| (name, true));
        let (name, time) = name.split_at_checked(name.len().checked_sub(TIME_LEN)?)?;
        let end = NaiveDateTime::parse_from_str(time.strip_prefix('_')?, TIME).ok()?.and_utc().timestamp_millis();
        let middle = name.strip_prefix(&format!("{account}_CloudTrail-Digest_{region}_"))?;
        let (trail, home) = middle.rsplit_once('_')?;
        let (trail, home) = (trail.to_owned(), home.to_owned());
        let stream = Stream { account, region, organization: layout.organization, trail, home, backfill };
        Some(Self { stream, end })
    }

    /// The key of a neighbour of this one that ends at another time: folders of the day and time in the name follow.
    pub fn at(key: &str, end: i64) -> Option<String> {
        let time = DateTime::from_timestamp_millis(end)?;
        let name = key.rsplit('/').next()?;
        let stem = name.strip_suffix(ENDING)?;
        let (stem, backfill) = stem.strip_suffix(BACKFILL).map_or((stem, ""), |stem| (stem, BACKFILL));
        let (stem, _) = stem.split_at_checked(stem.len().checked_sub(TIME_LEN)?)?;
        // Region/yyyy/mm/dd/name
        let mut folders = key.rsplitn(5, '/').collect::<Vec<_>>();
        let before = if folders.len() == 5 { folders.pop()? } else { return None };
        Some(format!("{before}/{}/{stem}_{}{backfill}{ENDING}", time.format("%Y/%m/%d"), time.format(TIME)))
    }

    /// True when a digest that says it stands at `place` may be the object of this URI. In its own bucket it stands there;
    /// copies elsewhere keep the tree, or at least the name of the file.
    pub fn agrees(object: &str, place: &Place) -> bool {
        let own_bucket = object.strip_prefix("s3://").and_then(|rest| rest.strip_prefix(place.bucket.as_str()));
        if let Some(key) = own_bucket.and_then(|rest| rest.strip_prefix('/')) {
            return key == place.key;
        }
        let (found, stated) = (tail(object), tail(&place.key));
        found == stated || (!found.contains('/') && stated.rsplit('/').next() == Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/09/01/\
                       111122223333_CloudTrail-Digest_eu-west-1_my_own-trail_us-east-1_20260901T140131Z.json.gz";

    #[test]
    fn is_read_from_both_ends() {
        let name = DigestName::of(KEY).unwrap();
        assert_eq!((name.stream.trail.as_str(), name.stream.home.as_str()), ("my_own-trail", "us-east-1"));
        assert_eq!((name.end, name.stream.backfill), (1_788_271_291_000, false));
        let backfill = DigestName::of(&KEY.replace(".json", "_backfill.json")).unwrap();
        assert!(backfill.stream.backfill && backfill.stream.trail == "my_own-trail" && backfill.end == name.end);
        let flat = DigestName::of(KEY.rsplit('/').next().unwrap()).unwrap();
        assert_eq!(flat, name);
    }

    #[test]
    fn other_names_are_none() {
        for name in [
            "",
            "x.json.gz",
            "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/09/01/x.json.gz",
            &KEY.replace("T14", "T99"),
            &KEY.replace("_my_own-trail_us-east-1_", "_"),
            &KEY.replace("eu-west-1/", "eu-west-2/"),
            &format!("{KEY}.metadata.json"),
            &KEY.replace("_20260901T140131Z", "é20260901T140131Z"),
        ] {
            assert_eq!(DigestName::of(name), None, "{name}");
        }
    }

    #[test]
    fn neighbours_are_in_the_folder_of_their_day() {
        let midnight = DigestName::at(KEY, 1_788_271_291_000 - 15 * crate::integrity::HOUR_MS).unwrap();
        assert_eq!(midnight, KEY.replace("09/01", "08/31").replace("20260901T14", "20260831T23"));
        assert_eq!(DigestName::at(KEY, i64::MAX), None);
        assert_eq!(DigestName::at("x", 0), None);
    }

    #[test]
    fn copies_agree_by_tree_or_by_name() {
        let name = KEY.rsplit('/').next().unwrap();
        let agrees = |object: &str, key: &str| {
            DigestName::agrees(object, &Place { bucket: "trail-bucket".into(), key: key.into() })
        };
        assert!(agrees(&format!("/copy/{KEY}"), &format!("prefix/{KEY}")));
        assert!(agrees(name, KEY));
        assert!(!agrees(&KEY.replace("09/01", "09/02"), KEY));
        assert!(!agrees(&format!("/copy/{KEY}"), &KEY.replace("1111", "4444")));
        assert!(agrees(&format!("s3://backup/x/{KEY}"), KEY));
        assert!(agrees(&format!("s3://trail-bucket/{KEY}"), KEY));
        assert!(!agrees(&format!("s3://trail-bucket/x/{KEY}"), KEY));
    }
}

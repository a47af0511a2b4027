//! Where in the grammar of trail keys a folder stands: what a listing may expect below it.

use chrono::{Datelike, NaiveDate};

use crate::source::layout::{is_account, is_organization, is_region};

/// What stands below a folder, as far as its name tells. The grammar is that of [`crate::source::layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Outside of the grammar: anything.
    Open,
    /// `AWSLogs/`, `AWSLogs/o-…/`, `AWSLogs/<account>/` or `…/CloudTrail/`: folders of the grammar.
    Tree,
    /// `…/CloudTrail/<region>/`: years.
    Region,
    /// A year, a month or a day below a Region.
    Days(Days),
    /// Below a recognized folder, yet none of the grammar's: listed as it is.
    Odd,
}

/// A folder of days: `yyyy/`, `yyyy/mm/` or `yyyy/mm/dd/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    /// First day it may hold.
    pub(super) first: NaiveDate,
    /// Last day it may hold.
    pub(super) last: NaiveDate,
}

impl Place {
    /// Reads a folder's prefix, which ends in `/` or is empty. As for keys, the last `AWSLogs` behind which the rest makes
    /// sense counts.
    pub(super) fn of(folder: &str) -> Self {
        let parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
        let trees = parts.iter().enumerate().rev().filter(|(_, part)| **part == "AWSLogs");
        trees.map(|(at, _)| &parts[at + 1..]).find_map(below_tree).unwrap_or(Self::Open)
    }

    /// True when a long listing of the folder may be continued folder by folder: the grammar says that there are few.
    pub(super) fn has_few_folders(self) -> bool {
        match self {
            Self::Region => true,
            Self::Days(days) => days.first != days.last,
            Self::Open | Self::Tree | Self::Odd => false,
        }
    }
}

/// What follows `AWSLogs`. None when that makes no sense, so that an `AWSLogs` further up may be meant.
fn below_tree(parts: &[&str]) -> Option<Place> {
    let parts = match parts.split_first() {
        Some((first, rest)) if is_organization(first) => rest,
        _ => parts,
    };
    let Some((account, parts)) = parts.split_first() else { return Some(Place::Tree) };
    if !is_account(account) {
        return None;
    }
    match parts {
        [] | ["CloudTrail" | "CloudTrail-Digest"] => Some(Place::Tree),
        ["CloudTrail" | "CloudTrail-Digest", region, days @ ..] if is_region(region) => Some(below_region(days)),
        _ => Some(Place::Odd),
    }
}

fn below_region(parts: &[&str]) -> Place {
    let days = match parts {
        [] => return Place::Region,
        [year] => Days::year(year),
        [year, month] => Days::month(year, month),
        [year, month, day] => Days::day(year, month, day),
        _ => None,
    };
    days.map_or(Place::Odd, Place::Days)
}

impl Days {
    fn year(year: &str) -> Option<Self> {
        let year = number(year, 4)?.try_into().ok()?;
        Some(Self { first: NaiveDate::from_ymd_opt(year, 1, 1)?, last: NaiveDate::from_ymd_opt(year, 12, 31)? })
    }

    fn month(year: &str, month: &str) -> Option<Self> {
        let first = NaiveDate::from_ymd_opt(number(year, 4)?.try_into().ok()?, number(month, 2)?, 1)?;
        let next = if first.month() == 12 {
            NaiveDate::from_ymd_opt(first.year() + 1, 1, 1)
        } else {
            NaiveDate::from_ymd_opt(first.year(), first.month() + 1, 1)
        };
        Some(Self { first, last: next?.pred_opt()? })
    }

    fn day(year: &str, month: &str, day: &str) -> Option<Self> {
        let day = NaiveDate::from_ymd_opt(number(year, 4)?.try_into().ok()?, number(month, 2)?, number(day, 2)?)?;
        Some(Self { first: day, last: day })
    }
}

/// A number of exactly so many digits, as CloudTrail writes them.
fn number(text: &str, digits: usize) -> Option<u32> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(first: (i32, u32, u32), last: (i32, u32, u32)) -> Place {
        let day = |(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap();
        Place::Days(Days { first: day(first), last: day(last) })
    }

    #[test]
    fn every_layout_of_a_trail() {
        for root in ["", "some/prefix/", "o-a1b2c3d4e5/", "AWSLogs/", "AWSLogs/o-a1b2c3d4e5/444455556666/Config/"] {
            for organization in ["", "o-a1b2c3d4e5/"] {
                let tree = format!("{root}AWSLogs/{organization}");
                assert_eq!(Place::of(&tree), Place::Tree, "{tree}");
                let account = format!("{tree}111122223333/");
                assert_eq!(Place::of(&account), Place::Tree, "{account}");
                assert_eq!(Place::of(&format!("{account}CloudTrail/")), Place::Tree);
                let region = format!("{account}CloudTrail/us-gov-west-1/");
                assert_eq!(Place::of(&region), Place::Region, "{region}");
                assert_eq!(Place::of(&format!("{region}2026/")), days((2026, 1, 1), (2026, 12, 31)));
                assert_eq!(Place::of(&format!("{region}2024/02/")), days((2024, 2, 1), (2024, 2, 29)));
                assert_eq!(Place::of(&format!("{region}2026/12/")), days((2026, 12, 1), (2026, 12, 31)));
                assert_eq!(Place::of(&format!("{region}2026/09/01/")), days((2026, 9, 1), (2026, 9, 1)));
            }
        }
    }

    #[test]
    fn what_is_not_of_the_grammar() {
        for open in ["", "logs/", "logs/111122223333/", "AWSLogs/incident-7/", "CloudTrail/eu-west-1/2026/"] {
            assert_eq!(Place::of(open), Place::Open, "{open}");
        }
        let account = "AWSLogs/111122223333/";
        for odd in [
            "incident-7/",
            "CloudTrail/copies/",
            "CloudTrail/eu-west-1/old/",
            "CloudTrail/eu-west-1/2026/9/",
            "CloudTrail/eu-west-1/2026/13/",
            "CloudTrail/eu-west-1/2026/02/30/",
            "CloudTrail/eu-west-1/2026/09/01/more/",
        ] {
            assert_eq!(Place::of(&format!("{account}{odd}")), Place::Odd, "{odd}");
        }
    }
}

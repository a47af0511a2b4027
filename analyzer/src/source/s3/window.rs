//! Which days of delivery may hold what was asked for.

use chrono::{DateTime, Datelike, NaiveDate};

use super::place::Days;
use crate::source::{Filter, Layout};

/// Days of delivery that are looked at. Files stand in folders by the day they were delivered, events are older.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// No file delivered before this day holds anything that was asked for.
    pub first: Option<NaiveDate>,
    /// Files delivered after this day are not looked for.
    pub last: Option<NaiveDate>,
    /// True when such files may exist: CloudTrail tries to deliver for 30 days.
    pub may_miss_late: bool,
}

/// Clocks differ, and a file that is named for 00:03 may hold events of the day before: an hour is more than enough.
const SLACK_MS: i64 = 3_600_000;

/// CloudTrail gives up after 30 days; a day more for what the clock did in between.
const LATEST_DAYS: u16 = 31;

/// Up to so many days are listed one by one. For more, listing from the first to the last costs fewer requests.
const FEW_DAYS: i64 = 5;

/// How to list the wanted days of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// None of its days is wanted.
    Nothing,
    /// All of them.
    Whole,
    /// A few: their folders, relative to the folder of the Region.
    Days(Vec<String>),
    /// A stretch: after one key and before another, relative to the folder of the Region.
    Stretch(Option<String>, Option<String>),
}

impl Window {
    /// The days for a filter, with so many days for files that are late.
    pub(super) fn of(filter: &Filter, late_days: u16) -> Self {
        let day = |at: i64| DateTime::from_timestamp_millis(at).map(|at| at.date_naive());
        let first = filter.from.and_then(|from| day(from.saturating_sub(SLACK_MS)));
        let last = filter.to.and_then(|to| {
            // The end is not part of the period: a day that ends at midnight does not reach into the next one.
            let end = to.saturating_sub(1);
            let late = day(end)?.checked_add_days(chrono::Days::new(late_days.min(LATEST_DAYS).into()))?;
            Some(late.max(day(end.saturating_add(SLACK_MS))?))
        });
        Self { first, last, may_miss_late: last.is_some() && late_days < LATEST_DAYS }
    }

    /// True when some days are not wanted.
    pub(super) fn is_bounded(&self) -> bool {
        self.first.is_some() || self.last.is_some()
    }

    /// True when an object of this name may be of a wanted day.
    pub(super) fn admits(&self, layout: &Layout) -> bool {
        layout.date.is_none_or(|date| {
            self.first.is_none_or(|first| date >= first) && self.last.is_none_or(|last| date <= last)
        })
    }

    /// How to list the wanted days of a folder of days.
    pub(super) fn cut(&self, days: Days) -> Cut {
        let first = self.first.unwrap_or(days.first).max(days.first);
        let last = self.last.unwrap_or(days.last).min(days.last);
        if first > last {
            Cut::Nothing
        } else if (first, last) == (days.first, days.last) {
            Cut::Whole
        } else if (last - first).num_days() < FEW_DAYS {
            Cut::Days(first.iter_days().take_while(|day| *day <= last).map(folder).collect())
        } else {
            let after = (first > days.first).then(|| folder(first));
            let before = (last < days.last).then(|| last.succ_opt().map(folder)).flatten();
            Cut::Stretch(after, before)
        }
    }
}

/// `yyyy/mm/dd/`
fn folder(day: NaiveDate) -> String {
    format!("{:04}/{:02}/{:02}/", day.year(), day.month(), day.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn midnight(text: &str) -> i64 {
        day(text).and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()
    }

    fn window(from: i64, to: i64, late_days: u16) -> (String, String) {
        let window = Window::of(&Filter { from: Some(from), to: Some(to), ..Filter::default() }, late_days);
        (window.first.unwrap().to_string(), window.last.unwrap().to_string())
    }

    #[test]
    fn a_day_is_looked_for_from_the_day_before_to_some_days_after() {
        let start = midnight("2026-09-01");
        assert_eq!(window(start, start + DAY, 2), ("2026-08-31".into(), "2026-09-03".into()));
        assert_eq!(window(start + DAY / 2, start + DAY, 2), ("2026-09-01".into(), "2026-09-03".into()));
        // Even when nothing is late, the last minutes of a day are delivered on the next one.
        assert_eq!(window(start, start + DAY, 0), ("2026-08-31".into(), "2026-09-02".into()));
        assert_eq!(window(start, start + DAY / 2, 0), ("2026-08-31".into(), "2026-09-01".into()));
        assert_eq!(window(start, start + DAY, u16::MAX), ("2026-08-31".into(), "2026-10-02".into()));
    }

    #[test]
    fn what_may_be_missed_is_known() {
        let late = |late_days| Window::of(&Filter { to: Some(0), ..Filter::default() }, late_days).may_miss_late;
        assert!(late(2));
        assert!(!late(31));
        assert!(!Window::of(&Filter { from: Some(0), ..Filter::default() }, 2).may_miss_late);
        let extreme = Filter { from: Some(i64::MIN), to: Some(i64::MAX), ..Filter::default() };
        assert!(!Window::of(&extreme, 2).is_bounded());
    }

    #[test]
    fn cuts() {
        let window = Window { first: Some(day("2025-12-30")), last: Some(day("2026-03-02")), may_miss_late: true };
        let cut = |first: &str, last: &str| window.cut(Days { first: day(first), last: day(last) });
        assert_eq!(cut("2024-01-01", "2024-12-31"), Cut::Nothing);
        assert_eq!(cut("2025-12-01", "2025-12-31"), Cut::Days(vec!["2025/12/30/".into(), "2025/12/31/".into()]));
        assert_eq!(cut("2026-02-01", "2026-02-28"), Cut::Whole);
        assert_eq!(cut("2026-01-01", "2026-12-31"), Cut::Stretch(None, Some("2026/03/03/".into())));
        assert_eq!(cut("2026-03-01", "2026-03-31"), Cut::Days(vec!["2026/03/01/".into(), "2026/03/02/".into()]));
        let open = Window { last: None, ..window };
        assert_eq!(
            open.cut(Days { first: day("2025-01-01"), last: day("2025-12-31") }),
            Cut::Days(vec!["2025/12/30/".into(), "2025/12/31/".into()])
        );
        let early = Window { first: Some(day("2025-06-01")), ..open };
        assert_eq!(
            early.cut(Days { first: day("2025-01-01"), last: day("2025-12-31") }),
            Cut::Stretch(Some("2025/06/01/".into()), None)
        );
    }
}

//! Sizes, times and periods as people write them, in the file and on the command line.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Months, NaiveDate};

/// Why a text is not what it should be: lower-case fragments, the second says what to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {help}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// What to try.
    pub help: String,
}

/// A number of bytes, written `64MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Bytes {
    /// Largest unit first, so that printing finds the shortest form. `K`, `M`, `G` alone mean the binary units.
    const UNITS: [(&'static str, &'static str, u64); 9] = [
        ("TiB", "T", 1 << 40),
        ("GiB", "G", 1 << 30),
        ("MiB", "M", 1 << 20),
        ("KiB", "K", 1 << 10),
        ("TB", "TB", 1_000_000_000_000),
        ("GB", "GB", 1_000_000_000),
        ("MB", "MB", 1_000_000),
        ("KB", "kB", 1_000),
        ("B", "B", 1),
    ];

    /// So many mebibytes.
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, _, factor) in Self::UNITS {
            if self.0 >= factor && self.0.is_multiple_of(factor) {
                return write!(f, "{}{unit}", self.0 / factor);
            }
        }
        write!(f, "{}B", self.0)
    }
}

impl FromStr for Bytes {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong =
            |message: String| ParseError { message, help: "write a whole number with a unit, as 64MiB or 2GiB".into() };
        let (number, unit) = split_number(text);
        if number.is_empty() {
            return Err(wrong(format!("`{text}` is not a size")));
        }
        if unit.is_empty() {
            return Err(wrong(format!("`{text}` has no unit")));
        }
        let matches =
            |(long, short, _): &(&str, &str, u64)| unit.eq_ignore_ascii_case(long) || unit.eq_ignore_ascii_case(short);
        let Some((_, _, factor)) = Self::UNITS.into_iter().find(matches) else {
            return Err(wrong(format!("`{unit}` is not a unit of size")));
        };
        match number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)) {
            Some(0) => Err(wrong("a size of zero leaves no room".into())),
            Some(bytes) => Ok(Self(bytes)),
            None => Err(wrong(format!("`{text}` is more than any machine holds"))),
        }
    }
}

/// A day or a moment, written `2026-09-01` or `2026-09-01T08:30:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// A whole UTC day.
    Day(NaiveDate),
    /// A moment, milliseconds since the epoch.
    Moment(i64),
}

impl When {
    /// Where a window that is *from* here begins, milliseconds since the epoch.
    pub fn start_ms(self) -> i64 {
        match self {
            Self::Day(day) => day_start_ms(day),
            Self::Moment(ms) => ms,
        }
    }

    /// Where a window that is *to* here ends, milliseconds since the epoch, itself no longer inside. A day is meant whole.
    pub fn end_ms(self) -> i64 {
        match self {
            Self::Day(day) => day_end_ms(day),
            Self::Moment(ms) => ms,
        }
    }
}

impl FromStr for When {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        if let Some(day) = day(text) {
            return Ok(Self::Day(day));
        }
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::Moment(moment.timestamp_millis()));
        }
        let help = if DateTime::parse_from_rfc3339(&format!("{text}Z")).is_ok() {
            format!("add the zone: {text}Z")
        } else {
            "write 2026-09-01 or 2026-09-01T08:30:00Z".into()
        };
        Err(ParseError { message: format!("`{text}` is not a date or time"), help })
    }
}

/// `YYYY-MM-DD`, exactly.
pub(crate) fn day(text: &str) -> Option<NaiveDate> {
    // chrono takes `2026-9-1` and `+2026-09-01` as well; one spelling keeps files sortable and greppable.
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shape { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None }
}

/// First millisecond of a UTC day.
pub fn day_start_ms(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()
}

/// First millisecond after a UTC day.
pub fn day_end_ms(day: NaiveDate) -> i64 {
    day_start_ms(day) + 86_400_000
}

/// A stretch of time to look back over, written `13mo`, `30d` or `24h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Hours; days and weeks are 24 and 168 of them.
    Hours(u32),
    /// Calendar months; a year is 12 of them.
    Months(u32),
}

impl Period {
    /// The moment that lies this far before `ms`.
    pub fn before(self, ms: i64) -> i64 {
        match self {
            Self::Hours(hours) => ms.saturating_sub(i64::from(hours) * 3_600_000),
            Self::Months(months) => DateTime::from_timestamp_millis(ms)
                .and_then(|at| at.checked_sub_months(Months::new(months)))
                .map_or(i64::MIN, |at| at.timestamp_millis()),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours(hours) if *hours > 24 && hours.is_multiple_of(24) => write!(f, "{}d", hours / 24),
            Self::Hours(hours) => write!(f, "{hours}h"),
            Self::Months(months) => write!(f, "{months}mo"),
        }
    }
}

impl FromStr for Period {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = |message: String| ParseError { message, help: "write 24h, 30d, 8w, 13mo or 1y".into() };
        let (number, unit) = split_number(text);
        let Ok(number) = number.parse::<u32>() else {
            return Err(wrong(format!("`{text}` is not a period")));
        };
        let period = match unit {
            "h" => Some(Self::Hours(number)),
            "d" => number.checked_mul(24).map(Self::Hours),
            "w" => number.checked_mul(168).map(Self::Hours),
            "mo" => Some(Self::Months(number)),
            "y" => number.checked_mul(12).map(Self::Months),
            "m" => return Err(wrong(format!("`{text}` may mean minutes or months"))),
            _ => return Err(wrong(format!("`{text}` is not a period"))),
        };
        period.ok_or_else(|| wrong(format!("`{text}` is longer than any log")))
    }
}

/// The digits in front, and what follows them.
fn split_number(text: &str) -> (&str, &str) {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (&text[..digits], text[digits..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("64MiB", 64 << 20),
            ("64 mib", 64 << 20),
            ("2G", 2 << 30),
            ("1kb", 1000),
            ("1K", 1024),
            ("5MB", 5_000_000),
            ("7b", 7),
        ] {
            assert_eq!(text.parse::<Bytes>().unwrap(), Bytes(bytes), "{text}");
        }
        for text in ["", "64", "MiB", "-1MiB", "1.5GiB", "0MiB", "1 zebi", "99999999999TiB"] {
            assert!(text.parse::<Bytes>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_print_as_they_parse() {
        for text in ["64MiB", "2GiB", "1023B", "5MB", "1KiB", "1KB"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_day_is_whole_and_a_moment_is_itself() {
        let day: When = "2026-09-01".parse().unwrap();
        assert_eq!(day.end_ms() - day.start_ms(), 86_400_000);
        let moment: When = "2026-09-01T02:00:00+02:00".parse().unwrap();
        assert_eq!((moment.start_ms(), moment.end_ms()), (day.start_ms(), day.start_ms()));
        assert_eq!("2026-09-01T00:00:00.250Z".parse::<When>().unwrap().start_ms() - day.start_ms(), 250);
    }

    #[test]
    fn a_time_without_zone_is_not_guessed() {
        assert_eq!("2026-09-01T08:30:00".parse::<When>().unwrap_err().help, "add the zone: 2026-09-01T08:30:00Z");
        for text in ["", "2026-9-1", "2026-02-30", "01.09.2026", "yesterday", "+2026-09-01"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
    }

    #[test]
    fn periods_follow_the_calendar() {
        let at = |text: &str| text.parse::<When>().unwrap().start_ms();
        let before = |text: &str| text.parse::<Period>().unwrap().before(at("2026-03-31"));
        assert_eq!(before("24h"), at("2026-03-30"));
        assert_eq!(before("30d"), at("2026-03-01"));
        assert_eq!(before("1mo"), at("2026-02-28"));
        assert_eq!(before("13mo"), at("2025-02-28"));
        assert_eq!(before("1y"), at("2025-03-31"));
        for text in ["", "12", "5m", "-1d", "1.5d", "d", "99999999999d"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
        assert_eq!(
            ("30d".parse::<Period>().unwrap().to_string(), "8w".parse::<Period>().unwrap().to_string()),
            ("30d".into(), "56d".into())
        );
        assert_eq!(Period::Months(u32::MAX).before(0), i64::MIN);
    }
}

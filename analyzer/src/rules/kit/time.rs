//! Times and lengths of time as findings show them.

use chrono::DateTime;

/// Milliseconds of a minute.
pub const MINUTE: i64 = 60_000;
/// Milliseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// `2026-09-08 02:10 UTC`, with seconds where they are not zero.
pub fn instant(ms: i64) -> String {
    match DateTime::from_timestamp_millis(ms) {
        Some(time) if time.timestamp() % 60 == 0 => time.format("%Y-%m-%d %H:%M UTC").to_string(),
        Some(time) => time.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        None => format!("{ms} ms"),
    }
}

/// `40 s`, `12 min`, `3 h 5 min`, `9 days`.
pub fn length(ms: i64) -> String {
    let ms = ms.max(0);
    if ms < MINUTE {
        format!("{} s", ms / 1000)
    } else if ms < HOUR {
        format!("{} min", ms / MINUTE)
    } else if ms < 2 * DAY {
        match (ms / HOUR, ms % HOUR / MINUTE) {
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        }
    } else {
        format!("{} days", ms / DAY)
    }
}

/// `1 secret`, `2 secrets`.
pub fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::{DAY, HOUR, MINUTE, instant, length};

    #[test]
    fn lengths_read_well() {
        let cases = [
            (0, "0 s"),
            (59_000, "59 s"),
            (MINUTE, "1 min"),
            (HOUR + 5 * MINUTE, "1 h 5 min"),
            (HOUR, "1 h"),
            (3 * DAY, "3 days"),
        ];
        for (ms, text) in cases {
            assert_eq!(length(ms), text);
        }
        assert_eq!(instant(0), "1970-01-01 00:00 UTC");
    }
}

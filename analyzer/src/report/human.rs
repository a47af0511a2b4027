//! Numbers, sizes and times the way people read them; and the one RFC 3339 writer of all machine formats.

use chrono::{DateTime, Utc};

/// `1234567` as `1,234,567`.
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `3 findings`, `1 finding`: number and noun. The plural adds an `s`, which every noun used here does.
pub fn count(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", number(n), if n == 1 { "" } else { "s" })
}

/// Bytes in binary units, as `--memory` takes them: `17 B`, `1.5 MiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if n < 1024 {
        return format!("{n} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let mut value = n as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would print as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Milliseconds as their two largest units: `2 h 5 min`, `3 d`, `45 s`.
pub fn duration(ms: i64) -> String {
    let seconds = ms.unsigned_abs() / 1000;
    let units = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let Some(first) = units.iter().position(|(n, _)| *n > 0) else { return "0 s".to_string() };
    let parts: Vec<String> = units[first..]
        .iter()
        .take(2)
        .filter(|(n, _)| *n > 0)
        .map(|(n, unit)| if *unit == "d" { format!("{} d", number(*n)) } else { format!("{n} {unit}") })
        .collect();
    parts.join(" ")
}

/// `2026-03-01T09:14:07Z`; with milliseconds only where there are some.
pub fn rfc3339(ms: i64) -> String {
    let format = if ms % 1000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.3fZ" };
    instant(ms).format(format).to_string()
}

/// `2026-03-01 09:14:07`, UTC; the caller says `UTC` once per line.
pub fn time(ms: i64) -> String {
    instant(ms).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-03-01 09:00`, UTC.
pub fn minute(ms: i64) -> String {
    instant(ms).format("%Y-%m-%d %H:%M").to_string()
}

/// Event times come from the log, so no value may panic: what chrono cannot hold is pulled to its nearest end.
fn instant(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or(if ms < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators() {
        let shown = [0, 7, 999, 1000, 12_345, 123_456, 1_234_567].map(number);
        assert_eq!(shown.join(" "), "0 7 999 1,000 12,345 123,456 1,234,567");
        assert_eq!((count(1, "record"), count(0, "record")), ("1 record".to_string(), "0 records".to_string()));
    }

    #[test]
    fn bytes_change_units_before_four_digits() {
        let shown = [0, 1023, 1024, 1_572_864, 1_073_741_823, u64::MAX].map(bytes);
        assert_eq!(shown.join(", "), "0 B, 1023 B, 1.0 KiB, 1.5 MiB, 1.0 GiB, 16384.0 PiB");
    }

    #[test]
    fn durations_show_two_units() {
        let second = 1000;
        let hour = 3600 * second;
        let shown = [0, 999, 45 * second, 2 * hour + 5 * 60 * second, 72 * hour, 73 * hour, 24 * hour + 60 * second];
        assert_eq!(shown.map(duration).join(", "), "0 s, 0 s, 45 s, 2 h 5 min, 3 d, 3 d 1 h, 1 d");
    }

    #[test]
    fn times_are_utc_and_total() {
        assert_eq!(rfc3339(1_772_356_447_000), "2026-03-01T09:14:07Z");
        assert_eq!(rfc3339(1_772_356_447_012), "2026-03-01T09:14:07.012Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(time(1_772_356_447_000), "2026-03-01 09:14:07");
        for extreme in [i64::MIN, i64::MAX] {
            assert!(!rfc3339(extreme).is_empty());
        }
    }
}

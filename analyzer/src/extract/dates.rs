//! Dates inside a record. `eventTime` is RFC 3339; dates in requests and responses are US text, in several dialects.

use chrono::{DateTime, NaiveDate};

/// RFC 3339 text (`2026-11-01T00:00:05Z`, with offset or fraction as well) as milliseconds since the epoch.
pub fn event_time(text: &str) -> Option<i64> {
    plain(text.as_bytes()).or_else(|| Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis()))
}

/// US text as milliseconds since the epoch, UTC: `Aug 10, 2022, 10:38:27 PM`, `Jan 1, 2021 8:00:00 PM`,
/// `Apr 12, 2021 18:58:30 PM`, with any kind of space. RFC 3339 and epoch numbers are taken as well.
pub fn locale(text: &str) -> Option<i64> {
    let text = text.trim();
    event_time(text).or_else(|| us(text)).or_else(|| epoch(text))
}

/// The one form CloudTrail writes itself, without the cost of a general parser: every record has one.
fn plain(text: &[u8]) -> Option<i64> {
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'Z'] = *text else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |sum: u32, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
    };
    let (year, month, day) = (number(&[y0, y1, y2, y3])?, number(&[m0, m1])?, number(&[d0, d1])?);
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[n0, n1])?, number(&[s0, s1])?);
    // Leap seconds and dates that do not exist are for the general parser to judge.
    let sound = (1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24 && minute < 60 && second < 60;
    if sound {
        return Some(
            i64::from(days(year, month, day) * 24 + hour as i32) * 3_600_000 + i64::from(minute * 60 + second) * 1000,
        );
    }
    let time = NaiveDate::from_ymd_opt(year as i32, month, day)?.and_hms_opt(hour, minute, second)?;
    Some(time.and_utc().timestamp_millis())
}

/// Days since 1970-01-01. The year is taken to begin in March, so that the leap day is its last.
fn days(year: u32, month: u32, day: u32) -> i32 {
    let (year, month) = if month > 2 { (year as i32, month as i32 - 3) } else { (year as i32 - 1, month as i32 + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day as i32 - 1 - 719_468
}

fn us(text: &str) -> Option<i64> {
    // U+202F and U+00A0 are white space to `char`, so one split covers every space seen before AM and PM.
    let mut words = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let month = month(words.next()?)?;
    let day: u32 = words.next()?.parse().ok()?;
    let year: i32 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':');
    let mut hour: u32 = clock.next()?.parse().ok()?;
    let minute: u32 = clock.next()?.parse().ok()?;
    let second: u32 = clock.next().map_or(Some(0), |second| second.parse().ok())?;
    match words.next() {
        // A 24-hour clock with PM occurs; only hours that a 12-hour clock has are moved.
        Some(half) if half.eq_ignore_ascii_case("pm") && hour < 12 => hour += 12,
        Some(half) if half.eq_ignore_ascii_case("am") && hour == 12 => hour = 0,
        _ => {}
    }
    if clock.next().is_some() || !(1970..=9999).contains(&year) {
        return None;
    }
    Some(NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second)?.and_utc().timestamp_millis())
}

fn month(name: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let name = name.get(..3)?;
    MONTHS.iter().zip(1..).find(|(month, _)| month.eq_ignore_ascii_case(name)).map(|(_, number)| number)
}

/// Seconds since the epoch, or milliseconds when the number is that large.
fn epoch(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok().filter(|number: &f64| (1e8..1e14).contains(number))?;
    Some(if number < 1e11 { (number * 1000.0) as i64 } else { number as i64 })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Days, NaiveDate};

    #[test]
    fn every_day_is_where_the_calendar_has_it() {
        let mut date = NaiveDate::from_ymd_opt(1583, 1, 1).unwrap();
        for _ in 0..400_000 {
            let text = format!("{date}T13:14:15Z");
            let expected = DateTime::parse_from_rfc3339(&text).unwrap().timestamp_millis();
            assert_eq!(super::plain(text.as_bytes()), Some(expected), "{text}");
            date = date.checked_add_days(Days::new(1)).unwrap();
        }
    }
}

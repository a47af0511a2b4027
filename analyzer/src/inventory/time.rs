//! Times as the AWS CLI prints them.

use chrono::DateTime;

/// Milliseconds since the epoch of a time: ISO 8601 with an offset, or seconds since the epoch.
pub(super) fn millis(value: &serde_json::Value) -> Option<i64> {
    match value {
        serde_json::Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis()),
        serde_json::Value::Number(number) => {
            let seconds = number.as_f64()?;
            // Whole milliseconds of the years up to 9999.
            (0.0..253_402_300_800.0).contains(&seconds).then(|| (seconds * 1000.0).round() as i64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_forms_of_the_cli_are_one_instant() {
        let expected = Some(1_767_323_045_678);
        assert_eq!(millis(&json!("2026-01-02T03:04:05.678000+00:00")), expected);
        assert_eq!(millis(&json!("2026-01-02T04:04:05.678+01:00")), expected);
        assert_eq!(millis(&json!(1_767_323_045.678)), expected);
        for other in [json!("yesterday"), json!(-1), json!(1e300), json!(null), json!([])] {
            assert_eq!(millis(&other), None, "{other}");
        }
    }
}

//! "Did you mean": the known name that is nearest to a mistyped one.

/// The candidate that `typed` most likely stands for, when one is near enough to be worth saying.
pub(super) fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(typed);
    let allowed = (wanted.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = distance(&wanted, &plain(candidate));
        // The first of equals wins, so that the answer depends on the order of the table alone.
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Names differ in hyphens, underscores and case more often than in letters: those count for nothing.
fn plain(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).take(64).collect()
}

/// Edits between two names, where swapping two neighbours is one edit.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let names = ["quiet_hours", "severity", "enabled"];
        assert_eq!(nearest("quiet-hours", names), Some("quiet_hours"));
        assert_eq!(nearest("QuietHours", names), Some("quiet_hours"));
        assert_eq!(nearest("sevreity", names), Some("severity"));
        assert_eq!(nearest("enable", names), Some("enabled"));
    }

    #[test]
    fn keeps_quiet_when_nothing_is_near() {
        assert_eq!(nearest("colour", ["quiet_hours", "severity", "enabled"]), None);
        assert_eq!(nearest("", ["severity"]), None);
    }
}

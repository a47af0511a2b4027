//! What a rate usually is: a robust baseline of counts per 5 minutes that looks only at the past.
//!
//! The expected count of a bucket is the largest of three: the 95th percentile of the trailing window with its empty
//! buckets, the median of its busy buckets, and what the same time of day (or of week) usually brings. Quantiles, not
//! means, so that one attack does not become the norm; only the past, so that later data never changes an old verdict.

use std::collections::BTreeMap;

/// Buckets of a day.
const DAY: i64 = 288;
/// Buckets that the trailing window reaches back.
const WINDOW: i64 = 28 * DAY;
/// Buckets to either side that count as the same time of day: a nightly job starts a few minutes early or late.
const SLACK: i64 = 6;
/// Consecutive unusual buckets after which a level is accepted as the new norm.
const NEW_NORMAL: i64 = DAY;

/// Settings of the model.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// Counts below this are never unusual.
    pub min_count: u64,
    /// Times the expected count that a count must exceed.
    pub factor: f64,
    /// Robust deviations above the expected count that a count must exceed.
    pub deviations: f64,
    /// Buckets of history before the model speaks at all.
    pub least_history: i64,
    /// Buckets of history before times of day are compared.
    pub season_history: i64,
}

/// A bucket that the model calls unusual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unusual {
    /// The bucket.
    pub bucket: i64,
    /// What was counted.
    pub count: u64,
    /// What was expected.
    pub expected: f64,
    /// The largest count that would have passed.
    pub limit: f64,
    /// Buckets of history behind the verdict.
    pub history: i64,
}

/// What the model says of a series.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Unusual buckets in order.
    pub unusual: Vec<Unusual>,
    /// Buckets at or above the floor that could not be judged for want of history.
    pub unjudged: u64,
}

/// Judges a series: `counts` are its busy buckets in order, `start` is the first bucket that the log covers for it.
pub fn judge(counts: &[(i64, u64)], start: i64, model: &Model) -> Verdict {
    let mut verdict = Verdict::default();
    let mut window = Window::new(start);
    // Buckets that were called unusual are left out of the level, unless they go on for so long that they are the level.
    // The season keeps them: what comes every night is usual, however it was called the first time.
    let mut held: Vec<i64> = Vec::new();
    for &(bucket, count) in counts {
        window.advance(bucket);
        if count >= model.min_count {
            let history = bucket - start;
            if history < model.least_history {
                verdict.unjudged += 1;
            } else if let Some(unusual) = window.unusual(bucket, count, history, model) {
                verdict.unusual.push(unusual);
                if held.last().is_some_and(|last| bucket - last > SLACK) {
                    held.clear();
                }
                held.push(bucket);
                window.add(bucket, count, false);
                if held.first().is_some_and(|first| bucket - first >= NEW_NORMAL) {
                    held.drain(..).for_each(|bucket| window.accept(bucket));
                }
                continue;
            }
        }
        window.add(bucket, count, true);
    }
    verdict
}

/// The trailing window: a histogram of its counts, and the counts themselves for comparing times of day.
struct Window {
    start: i64,
    now: i64,
    /// Count of each busy bucket, and whether it is part of the level.
    counts: BTreeMap<i64, (u64, bool)>,
    busy: Histogram,
}

impl Window {
    fn new(start: i64) -> Self {
        Self { start, now: start, counts: BTreeMap::new(), busy: Histogram::default() }
    }

    /// Forgets what is too old to matter at `bucket`.
    fn advance(&mut self, bucket: i64) {
        self.now = bucket;
        while let Some(entry) = self.counts.first_entry()
            && *entry.key() < bucket - WINDOW
        {
            if let (count, true) = entry.remove() {
                self.busy.remove(count);
            }
        }
    }

    fn add(&mut self, bucket: i64, count: u64, level: bool) {
        self.counts.insert(bucket, (count, level));
        if level {
            self.busy.add(count);
        }
    }

    /// Makes a bucket that was called unusual part of the level.
    fn accept(&mut self, bucket: i64) {
        if let Some((count, level @ false)) = self.counts.get_mut(&bucket) {
            *level = true;
            self.busy.add(*count);
        }
    }

    fn unusual(&self, bucket: i64, count: u64, history: i64, model: &Model) -> Option<Unusual> {
        let buckets = (bucket - self.start.max(bucket - WINDOW)).max(1) as u64;
        let recent = self.busy.quantile(0.95, buckets - self.busy.total.min(buckets));
        let level = recent.max(self.busy.quantile(0.5, 0));
        let spread = (self.busy.quantile(0.75, 0) - self.busy.quantile(0.25, 0)) / 1.349;
        let limit_of = |expected: f64| {
            (expected * model.factor).max(expected + model.deviations * spread.max(expected.sqrt())).max(1.0)
        };
        let mut expected = level;
        // The season is asked only when the level alone would call the bucket unusual: it is the dearer question.
        if count as f64 > limit_of(expected) && history >= model.season_history {
            expected = expected.max(self.season(bucket, DAY, 14, 3)).max(self.season(bucket, 7 * DAY, 4, 2));
        }
        let limit = limit_of(expected).max(model.min_count as f64 - 1.0);
        (count as f64 > limit).then_some(Unusual { bucket, count, expected, limit, history })
    }

    /// Median over the last `most` periods of the peak around the same time; 0 with fewer than `least` periods.
    fn season(&self, bucket: i64, period: i64, most: i64, least: usize) -> f64 {
        let mut peaks: Vec<u64> = (1..=most)
            .map(|back| bucket - back * period)
            .take_while(|at| *at >= self.start)
            .map(|at| self.counts.range(at - SLACK..=at + SLACK).map(|(_, (count, _))| *count).max().unwrap_or(0))
            .collect();
        if peaks.len() < least {
            return 0.0;
        }
        peaks.sort_unstable();
        peaks[peaks.len() / 2] as f64
    }
}

/// Counts by size: exact below 64, then 32 steps per doubling, so that quantiles are within 3 %.
#[derive(Clone, Debug)]
struct Histogram {
    bins: Vec<u32>,
    total: u64,
}

const EXACT: u64 = 64;
const STEPS: u32 = 32;

impl Default for Histogram {
    fn default() -> Self {
        Self { bins: vec![0; (EXACT + 58 * u64::from(STEPS)) as usize], total: 0 }
    }
}

impl Histogram {
    fn add(&mut self, count: u64) {
        self.bins[bin(count)] += 1;
        self.total += 1;
    }

    fn remove(&mut self, count: u64) {
        self.bins[bin(count)] -= 1;
        self.total -= 1;
    }

    /// Quantile over the counts and `zeros` empty buckets.
    fn quantile(&self, q: f64, zeros: u64) -> f64 {
        let rank = (q * (self.total + zeros) as f64).ceil() as u64;
        if rank <= zeros || self.total == 0 {
            return 0.0;
        }
        let mut seen = zeros;
        for (at, &count) in self.bins.iter().enumerate() {
            seen += u64::from(count);
            if seen >= rank {
                return value(at);
            }
        }
        0.0
    }
}

fn bin(count: u64) -> usize {
    if count < EXACT {
        return count as usize;
    }
    let doubling = count.ilog2();
    let step = (count >> (doubling - STEPS.ilog2())) as u32 & (STEPS - 1);
    (EXACT as u32 + (doubling - EXACT.ilog2()) * STEPS + step) as usize
}

fn value(bin: usize) -> f64 {
    if bin < EXACT as usize {
        return bin as f64;
    }
    let above = bin as u32 - EXACT as u32;
    let (doubling, step) = (above / STEPS + EXACT.ilog2(), above % STEPS);
    2f64.powi(doubling as i32) * (1.0 + (f64::from(step) + 0.5) / f64::from(STEPS))
}

#[cfg(test)]
mod tests {
    use super::{DAY, Histogram, Model, bin, judge, value};

    const MODEL: Model =
        Model { min_count: 50, factor: 5.0, deviations: 6.0, least_history: DAY, season_history: 3 * DAY };

    fn buckets(counts: impl Iterator<Item = u64>) -> Vec<(i64, u64)> {
        counts.enumerate().filter(|(_, count)| *count > 0).map(|(at, count)| (at as i64, count)).collect()
    }

    #[test]
    fn bins_hold_their_values() {
        for count in [0, 1, 63, 64, 100, 1000, 123_456, 1 << 40, u64::MAX] {
            let back = value(bin(count));
            assert!((back - count as f64).abs() <= 0.03 * count as f64 + 0.5, "{count} came back as {back}");
        }
    }

    #[test]
    fn quantiles_count_empty_buckets() {
        let mut histogram = Histogram::default();
        (1..=100).for_each(|count| histogram.add(count % 10));
        assert_eq!(histogram.quantile(0.5, 0), 4.0);
        assert_eq!(histogram.quantile(0.5, 10_000), 0.0);
    }

    #[test]
    fn a_burst_out_of_the_blue_is_unusual() {
        let counts = buckets((0..10 * DAY).map(|at| if (2000..2004).contains(&at) { 150 } else { 1 + at as u64 % 2 }));
        let verdict = judge(&counts, 0, &MODEL);
        assert_eq!(verdict.unusual.iter().map(|unusual| unusual.bucket).collect::<Vec<_>>(), [2000, 2001, 2002, 2003]);
    }

    #[test]
    fn below_the_floor_nothing_is_unusual() {
        let counts = buckets((0..10 * DAY).map(|at| if at == 2000 { 49 } else { u64::from(at % 50 == 0) }));
        assert_eq!(judge(&counts, 0, &MODEL).unusual, []);
    }

    #[test]
    fn a_nightly_peak_is_usual_once_it_has_repeated() {
        let night = |at: i64| at % DAY == 12 || at % DAY == 13;
        let counts = buckets((0..12 * DAY).map(|at| if night(at) { 400 } else { 2 }));
        let days: Vec<i64> = judge(&counts, 0, &MODEL).unusual.iter().map(|unusual| unusual.bucket / DAY).collect();
        assert!(days.iter().all(|day| *day < 4), "{days:?}");
    }

    #[test]
    fn a_new_level_is_accepted_after_a_day() {
        let counts = buckets((0..12 * DAY).map(|at| if at < 8 * DAY { 10 } else { 500 }));
        let last = judge(&counts, 0, &MODEL).unusual.last().map(|unusual| unusual.bucket);
        assert!(last.is_some_and(|last| last < 9 * DAY + 10), "{last:?}");
    }

    #[test]
    fn later_data_does_not_change_old_verdicts() {
        let counts = buckets((0..12 * DAY).map(|at| if at % 700 == 13 { 300 } else { at as u64 % 7 }));
        let whole = judge(&counts, 0, &MODEL);
        for cut in [500, 1500, 2500] {
            let part = judge(&counts[..cut], 0, &MODEL);
            assert_eq!(part.unusual[..], whole.unusual[..part.unusual.len()]);
        }
    }

    #[test]
    fn without_history_nothing_is_judged() {
        let counts = buckets((0..200).map(|_| 100));
        let verdict = judge(&counts, 0, &MODEL);
        assert_eq!((verdict.unusual.len(), verdict.unjudged), (0, 200));
    }
}

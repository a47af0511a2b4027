//! What a backfill will take: requests, money and time. List prices of us-east-1 in US dollars, without free tiers and
//! discounts; taxes and other Regions come on top.

use crate::pipeline::Found;
use crate::report::human;

/// S3 Standard, by request (aws.amazon.com/s3/pricing).
const S3_READ: f64 = 0.000_000_4;
const S3_WRITE: f64 = 0.000_005;
/// Lambda on arm64, by GB-second and by request (aws.amazon.com/lambda/pricing).
const LAMBDA_GB_SECOND: f64 = 0.000_013_333_4;
const LAMBDA_REQUEST: f64 = 0.000_000_2;
/// Step Functions, standard workflows, by state transition (aws.amazon.com/step-functions/pricing).
const TRANSITION: f64 = 0.000_025;
/// KMS, by request (aws.amazon.com/kms/pricing): logs that a key encrypts are decrypted one by one, unless the bucket has a
/// bucket key.
const KMS_REQUEST: f64 = 0.000_003;

/// Memory at which a function has one processor, bytes (docs.aws.amazon.com/lambda, "Configure Lambda function memory").
const ONE_PROCESSOR: f64 = 1769.0 * 1_048_576.0;
/// Seconds of one processor for a byte as stored: 48 ms for 100 KB, measured (lambda/README.md, "What it costs").
const SECONDS_PER_BYTE: f64 = 0.048 / 100_000.0;
/// Seconds for an object beside its bytes: S3 begins to answer after some 50 ms, and eight are asked for at a time.
const SECONDS_PER_OBJECT: f64 = 0.050 / 8.0;
/// Seconds for a batch beside its objects: manifests are read and swapped, parts are written.
const SECONDS_PER_BATCH: f64 = 1.0;
/// Requests to the lake for a batch: manifests, parts of the days it is about, their swap.
const LAKE_READS: f64 = 12.0;
const LAKE_WRITES: f64 = 4.0;
/// Transitions for a batch: its execution begins, calls, ends.
const TRANSITIONS: f64 = 3.0;
/// Seconds after which a function of the template is stopped.
const TIMEOUT: f64 = 120.0;

/// Counts batches.
pub(super) struct Estimate {
    concurrency: u32,
    memory: u64,
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) batches: u64,
    longest: f64,
    seconds: f64,
}

impl Estimate {
    pub(super) fn new(concurrency: u32, memory: u64) -> Self {
        Self { concurrency, memory, objects: 0, bytes: 0, batches: 0, longest: 0.0, seconds: 0.0 }
    }

    pub(super) fn add(&mut self, objects: u64, bytes: u64) {
        // More than one processor helps with many objects at a time only; one is what is counted on.
        let share = (self.memory as f64 / ONE_PROCESSOR).clamp(0.01, 1.0);
        let seconds = SECONDS_PER_BATCH + objects as f64 * SECONDS_PER_OBJECT + bytes as f64 * SECONDS_PER_BYTE / share;
        self.objects += objects;
        self.bytes += bytes;
        self.batches += 1;
        self.longest = self.longest.max(seconds);
        self.seconds += seconds;
    }

    fn gb_seconds(&self) -> f64 {
        self.seconds * self.memory as f64 / 1_073_741_824.0
    }

    /// Dollars; without what KMS takes.
    fn cost(&self) -> f64 {
        let (objects, batches) = (self.objects as f64, self.batches as f64);
        self.gb_seconds() * LAMBDA_GB_SECOND
            + batches * (LAMBDA_REQUEST + TRANSITIONS * TRANSITION + LAKE_READS * S3_READ + LAKE_WRITES * S3_WRITE)
            + objects * S3_READ
    }

    /// Wall clock of all batches, milliseconds: never less than that of the longest one.
    fn time(&self) -> i64 {
        ((self.seconds / f64::from(self.concurrency)).max(self.longest) * 1000.0) as i64
    }

    /// What is told of it.
    pub(super) fn text(&self, found: &Found) -> String {
        let mut lines = vec![format!(
            "plan: {} ({}) in {}",
            human::count(self.objects, "object"),
            human::bytes(self.bytes),
            if self.batches == 1 { "1 batch".into() } else { format!("{} batches", human::number(self.batches)) },
        )];
        if found.passed > 0 {
            lines.push(format!("{} passed by: no logs, by their names", human::count(found.passed, "object")));
        }
        if found.pruned > 0 {
            lines.push(format!(
                "{} left out: not of the accounts, Regions or dates asked for",
                human::count(found.pruned, "object")
            ));
        }
        lines.push(format!(
            "requests: {} reads of logs, about {} reads and {} writes of the lake",
            human::number(self.objects),
            human::number((self.batches as f64 * LAKE_READS) as u64),
            human::number((self.batches as f64 * LAKE_WRITES) as u64),
        ));
        lines.push(format!(
            "functions: about {} GB-seconds at {}",
            human::number(self.gb_seconds().ceil() as u64),
            human::bytes(self.memory),
        ));
        lines.push(format!(
            "cost: about ${:.2}; ${:.2} more where a KMS key without a bucket key encrypts the logs",
            self.cost(),
            self.objects as f64 * KMS_REQUEST,
        ));
        lines.push(format!(
            "time: about {} with {} at once",
            human::duration(self.time().max(1000)),
            human::count(self.concurrency.into(), "function"),
        ));
        if self.longest > TIMEOUT / 2.0 {
            lines.push(format!(
                "the largest batch takes about {}, and a function is stopped after {}: give it more memory, or make batches \
                 smaller (--batch-bytes)",
                human::duration((self.longest * 1000.0) as i64),
                human::duration((TIMEOUT * 1000.0) as i64),
            ));
        }
        lines.join("\n  ") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_what_there_is_and_shrinks_with_who_does_it() {
        let of = |concurrency, memory: u64, batches: u64| {
            let mut estimate = Estimate::new(concurrency, memory << 20);
            (0..batches).for_each(|_| estimate.add(400, 4 << 20));
            estimate
        };
        let one = of(1, 1769, 10);
        // 10 × (1 s + 400 × 6.25 ms + 4 MiB × 0.48 s/MB)
        assert!((one.seconds - 55.1).abs() < 0.1, "{}", one.seconds);
        assert!(of(10, 1769, 10).time() * 9 < one.time());
        assert!(of(1000, 1769, 10).time() >= (one.longest * 1000.0) as i64, "no batch is faster than itself");
        assert!(of(1, 512, 10).seconds > one.seconds);
        assert!((of(1, 1769, 20).cost() / one.cost() - 2.0).abs() < 1e-9);
        assert!(!one.text(&Found::default()).contains("is stopped"));
        let mut large = of(1, 512, 0);
        large.add(1, 64 << 20);
        assert!(large.text(&Found::default()).contains("is stopped"));
    }
}

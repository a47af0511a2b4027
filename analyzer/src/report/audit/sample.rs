//! A sample of the changes that anybody can draw again: of the SHA-256 of `SEED:EVENT_ID:KEY_ARN`, hex, the smallest.

use sha2::{Digest as _, Sha256};

use crate::report::human::hex;
use crate::report::timeline::Entry;

/// How the sample is drawn, for those who draw it again.
pub const METHOD: &str = "SHA-256 of SEED:EVENT_ID:KEY_ARN in hexadecimal digits for every call of the population; the calls with \
                          the smallest, in ascending order";

/// What was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What the hashes begin with.
    pub seed: String,
    /// How many were asked for.
    pub asked: usize,
    /// Places in the population with their hashes, in the order of the draw.
    pub drawn: Vec<(usize, String)>,
}

impl Sample {
    /// Draws from the population.
    pub(super) fn draw(seed: &str, asked: usize, population: &[(String, Entry)]) -> Self {
        let hash = |(key, entry): &(String, Entry)| {
            hex(&Sha256::digest(format!("{seed}:{}:{key}", entry.event_id).as_bytes()))
        };
        let mut drawn: Vec<(usize, String)> = population.iter().map(hash).enumerate().collect();
        drawn.sort_by(|a, b| (&a.1, a.0).cmp(&(&b.1, b.0)));
        drawn.truncate(asked);
        Self { seed: seed.to_owned(), asked, drawn }
    }
}

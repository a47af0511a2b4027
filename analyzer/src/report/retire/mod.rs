//! `keytrail retire`: may this key go? SAFE only where everything that could need it is accounted for.

mod facts;
mod json;
mod judge;
mod reasons;
mod text;
mod told;

pub use facts::{Deletion, Facts};
pub use json::{SCHEMA, render as json};
pub use judge::{ATTESTABLE, Judged, Reason, Verdict, judge};
pub use text::render as text;
pub use told::{Held, Off, Stands};

use super::Report;

/// The keys that were asked for, judged.
#[derive(Clone, Debug)]
pub struct Retirement {
    /// What ran and what was looked at; no findings.
    pub report: Report,
    /// The key, as it was asked for.
    pub asked: String,
    /// Days that a key must have been off.
    pub soak_days: u32,
    /// What somebody vouches for.
    pub attested: Vec<String>,
    /// Keys by ARN.
    pub keys: Vec<Judged>,
}

impl Retirement {
    /// The worst verdict: what decides over the whole.
    pub fn verdict(&self) -> Verdict {
        self.keys.iter().map(|key| key.verdict).max().unwrap_or(Verdict::Unknown)
    }
}

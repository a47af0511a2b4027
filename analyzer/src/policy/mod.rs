//! Policy documents: what a key policy or an IAM policy lets whom do with a key, whether anybody can still change it, and
//! what a new version changed.
//!
//! Not an IAM evaluator: it asks of one document who *outside* is let in, after the conditions and the denies that
//! plainly shut them out. What a session policy, an SCP or the caller's own policies take away is not in the document.
//!
//! ```text
//! text → document (json, principal, condition, pattern) → Policy
//! Policy → rights (pins, reach: whom the conditions leave) → deny → judge (verdict), duties → Exposure
//!                                                              → lockout → Lockout
//! Policy → identity → Exposure      Policy, Policy → diff → Diff      Policy → service
//! ```

mod actions;
mod condition;
mod deny;
mod diff;
mod document;
mod duties;
mod exposure;
mod identity;
mod json;
mod judge;
mod lockout;
mod pattern;
mod pins;
mod principal;
mod reach;
mod rights;
mod service;
mod verdict;

pub use actions::{ActionSet, Class};
pub use condition::{Condition, Quantifier, Test};
pub use diff::{Asker, Change, Closeness, Diff, diff};
pub use document::{Effect, MAX_BYTES, Policy, Selection, Statement, Unreadable};
pub use exposure::{Exposure, Kind};
pub use identity::judge_iam_policy;
pub use judge::{Context, judge_key_policy};
pub use lockout::{Lockout, LockoutKind, lockout};
pub use principal::Principal;
pub use service::{ServiceCall, lets_service};

//! What the user decided: `keytrail.toml` in, [`Settings`] out.
//!
//! The way is raw → valid, once: `raw` reads the file and knows where everything stands, the other files turn it into
//! values that the rest of the program may rely on. A file with problems gives all of them at once, each at its line.
//!
//! This room is a leaf: it imports nothing of the crate, and neither reads files, nor the environment, nor the clock.

mod accounts;
mod alert;
mod example;
mod keys;
mod kind;
mod level;
mod logs;
mod options;
pub mod parse;
mod problem;
mod raw;
mod settings;
mod suggest;
mod suppress;

pub use accounts::Accounts;
pub use alert::{
    AlertOptions, AlertSink, Alerting, Channel, Email, Route, SILENCE, SecretRef, Takes, Tls, WebUrl, is_safe_url,
};
pub use example::example_toml;
pub use keys::Keys;
pub use level::Level;
pub use logs::Logs;
pub use options::{
    DisabledKeyFailure, MissingRotation, OptionInfo, OverBroadGrant, RULE_OPTIONS, RuleOptions, RuleSettings, Scan,
    UnusualDecryptRate, options_of,
};
pub use parse::{Bytes, Period, When};
pub use problem::{Problem, Problems};
pub use settings::Settings;
pub use suppress::{Applied, Subject, Suppression, SuppressionTracker};

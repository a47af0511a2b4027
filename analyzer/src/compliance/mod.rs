//! Frameworks as data, and what the log proves of their controls.
//!
//! A framework is a TOML file: controls in our words, the rules whose findings contradict them, the events that are
//! evidence of operation, what else must hold (`needs`), and what no log can show. [`assess()`] gives each control a status;
//! nothing is satisfied without verified coverage of its period.

mod assess;
mod framework;

pub use assess::{Assessment, Evidence, Integrity, Limit, Status, assess};
pub use framework::{Control, Framework, Invalid, Need, builtin, parse};

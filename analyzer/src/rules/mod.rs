//! The rules: one `.rs` and one `.md` each. The list below is the registry.

mod rule;

pub use rule::{Rule, Timing};

/// Every rule, sorted by id.
pub static RULES: &[&Rule] = &[];

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

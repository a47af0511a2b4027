//! The rules: one `.rs` and one `.md` each. The list below is the registry.

mod admin_uses_key;
mod alias_moved;
mod disabled_key_failure;
mod imported_material_deleted;
mod key_deletion_scheduled;
mod key_disabled;
mod key_store_changed;
pub mod kit;
mod missing_rotation;
mod over_broad_grant;
mod over_broad_iam_policy;
mod over_broad_key_policy;
mod policy_lockout;
mod prelude;
mod ransom_chain;
mod replica_outside_regions;
mod root_uses_key;
mod rotation_disabled;
mod rule;
mod trail_key_cut_off;
mod unused_key;
mod unusual_decrypt_rate;

pub use kit::context::Context;
pub use kit::engine::Evaluation;
pub use rule::{AccountView, Detect, Mention, Rule, Timing};

/// Every rule, sorted by id.
pub static RULES: &[&Rule] = &[
    &admin_uses_key::RULE,
    &alias_moved::RULE,
    &disabled_key_failure::RULE,
    &imported_material_deleted::RULE,
    &key_deletion_scheduled::RULE,
    &key_disabled::RULE,
    &key_store_changed::RULE,
    &missing_rotation::RULE,
    &over_broad_grant::RULE,
    &over_broad_iam_policy::RULE,
    &over_broad_key_policy::RULE,
    &policy_lockout::RULE,
    &ransom_chain::RULE,
    &replica_outside_regions::RULE,
    &root_uses_key::RULE,
    &rotation_disabled::RULE,
    &trail_key_cut_off::RULE,
    &unused_key::RULE,
    &unusual_decrypt_rate::RULE,
];

/// The rule with this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

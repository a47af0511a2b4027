//! `keytrail keys`: the inventory, one renderer per format.

mod csv;
mod facts;
pub(super) mod json;
mod text;

pub use csv::render as csv;
pub(in crate::report) use facts::Facts;
pub use json::{SCHEMA, render as json};
pub use text::render as text;

use std::collections::BTreeMap;

use super::Report;
use crate::view::inventory::{KeyRow, RegionRole, Rotates, Rotation};

/// Everything that a renderer of the inventory may show.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// What ran and what was looked at; no findings.
    pub report: Report,
    /// Keys by ARN.
    pub keys: Vec<KeyRow>,
}

impl Inventory {
    /// Keys in the order of every output.
    pub fn new(report: Report, mut keys: Vec<KeyRow>) -> Self {
        keys.sort_by(|a, b| a.arn.cmp(&b.arn));
        let rotates: BTreeMap<String, Rotates> = keys.iter().map(|key| (key.arn.clone(), key.rotates())).collect();
        for key in keys.iter_mut().filter(|key| key.rotation == Some(Rotation::AsPrimary)) {
            let primary = key.primary.as_ref().and_then(|primary| rotates.get(primary));
            // Of one that became a replica itself nothing is known from here.
            key.primary_rotation = primary.filter(|of| of.automatic != Some(Rotation::AsPrimary)).copied();
        }
        Self { report, keys }
    }
}

const UNKNOWN: &str = "unknown";

fn role(role: Option<RegionRole>) -> &'static str {
    match role {
        Some(RegionRole::Single) => "single-region",
        Some(RegionRole::Primary) => "primary",
        Some(RegionRole::Replica) => "replica",
        None => UNKNOWN,
    }
}

pub(in crate::report) fn rotation(rotation: Option<Rotation>) -> &'static str {
    match rotation {
        Some(Rotation::On) => "on",
        Some(Rotation::Off) => "off",
        Some(Rotation::Unavailable) => "unavailable",
        Some(Rotation::AsPrimary) => "as-primary",
        None => UNKNOWN,
    }
}

fn manager(key: &KeyRow) -> &'static str {
    use crate::view::inventory::Manager;
    match key.manager {
        Some(Manager::Customer) => "customer",
        Some(Manager::Aws) => "aws",
        None => UNKNOWN,
    }
}

fn state(key: &KeyRow) -> &'static str {
    key.state.map_or(UNKNOWN, |stands| stands.state.id())
}

/// Millionths of a dollar as dollars, exact.
fn dollars(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

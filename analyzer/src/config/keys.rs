//! What is meant to be with keys: where they may be, and which of them are switched off on trial.

use std::collections::BTreeSet;

use super::problem::Sink;
use super::raw::{self, Table};
use super::suppress::{check_key, check_region, like};

/// What the user declared about keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Regions that keys may be copied to; everywhere when empty.
    pub regions: BTreeSet<String>,
    /// Keys that are switched off on trial before their deletion: ARNs, ids or aliases; `*` stands for anything.
    pub soak: BTreeSet<String>,
    /// A tag with this key says the same of the key that has it.
    pub soak_tag: Option<String>,
}

impl Keys {
    /// True for a Region that keys may be copied to.
    pub fn allows_region(&self, region: &str) -> bool {
        self.regions.is_empty() || self.regions.contains(region)
    }

    /// True for a key that is declared to be switched off on trial: by one of these names of it.
    pub fn soaks(&self, names: &[&str]) -> bool {
        self.soak.iter().any(|pattern| names.iter().any(|name| like(pattern, name)))
    }

    pub(super) fn read(&mut self, mut table: Table<'_, '_>, sink: &mut Sink<'_>) {
        for value in table.list("regions", "\"eu-west-1\"", sink) {
            let Some(region) = raw::text(value, "regions", "a Region, as \"eu-west-1\"", sink) else { continue };
            if check_region(&region, sink) {
                self.regions.insert((*region.get_ref()).to_owned());
            }
        }
        for value in table.list("soak", "\"alias/old-ledger\"", sink) {
            let name = raw::text(value, "soak", "a key ARN, key id or alias, as \"alias/old-ledger\"", sink);
            let name = name.filter(|name| check_key(name, sink));
            self.soak.extend(name.map(|name| (*name.get_ref()).to_owned()));
        }
        let tag = table.text("soak_tag", "the key of a tag, as \"keytrail:soak\"", sink);
        self.soak_tag = tag.map(|tag| (*tag.get_ref()).to_owned());
        table.close(|_| None, sink);
    }
}

//! One key as the rules see it.

use super::activity::Series;
use super::history::History;
use super::ledger::ControlEvent;
use super::resources::ResourceUse;
use crate::frame::Sym;

/// Everything that the log shows of one key, up to the as-of instant.
#[derive(Clone, Debug)]
pub struct KeyView {
    /// Code of the ARN.
    pub sym: Sym,
    /// Key ARN.
    pub arn: String,
    /// Key id.
    pub id: String,
    /// Account of the key.
    pub account: String,
    /// Region of the key.
    pub region: String,
    /// Names of the aliases (`alias/...`) that point at the key, sorted.
    pub aliases: Vec<String>,
    /// Control-plane events in order of replay, failed ones too.
    pub events: Vec<ControlEvent>,
    /// The same, replayed.
    pub history: History,
    /// Data-plane counts.
    pub series: Vec<Series>,
    /// What the key protects.
    pub resources: Vec<ResourceUse>,
    /// Uses of resources beyond those kept.
    pub resources_overflow: u64,
    /// ARN of the primary key, when this is a multi-Region replica.
    pub primary: Option<String>,
}

impl KeyView {
    /// The alias to show.
    pub fn alias(&self) -> Option<&str> {
        self.aliases.first().map(String::as_str)
    }

    /// Alias, else key id.
    pub fn label(&self) -> &str {
        self.alias().unwrap_or(&self.id)
    }

    /// True for the keys that AWS services make for themselves (`aws/...`).
    pub fn is_aws_managed(&self) -> bool {
        self.aliases.iter().any(|alias| alias.starts_with("alias/aws/"))
    }
}

/// Parts of a key ARN: account, Region and key id; empty where the ARN has none.
pub(super) fn parts(arn: &str) -> (String, String, String) {
    let mut fields = arn.splitn(6, ':');
    let (region, account, resource) = (fields.nth(3), fields.next(), fields.next());
    let id = resource.and_then(|resource| resource.strip_prefix("key/")).unwrap_or(arn);
    (account.unwrap_or_default().to_string(), region.unwrap_or_default().to_string(), id.to_string())
}

//! One key as the rules see it.

use std::sync::Arc;

use super::activity::Series;
use super::aliases::AliasMove;
use super::beside::{Beside, Reach, contradictions};
use super::history::History;
use super::ledger::ControlEvent;
use super::resources::ResourceUse;
use crate::frame::{Dictionary, Sym};
use crate::inventory::{Inventory, KeyFacts};

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
    /// When aliases came to point at the key, or ceased to.
    pub moves: Vec<AliasMove>,
    /// What an inventory says of it.
    pub beside: Beside,
}

impl KeyView {
    /// A key that only an inventory has.
    pub fn not_in_log(facts: &Arc<KeyFacts>, sym: Sym) -> Self {
        let mut view = Self {
            sym,
            arn: facts.arn.clone(),
            id: facts.id.clone(),
            account: facts.account.clone(),
            region: facts.region.clone(),
            aliases: Vec::new(),
            events: Vec::new(),
            history: History::default(),
            series: Vec::new(),
            resources: Vec::new(),
            resources_overflow: 0,
            primary: None,
            moves: Vec::new(),
            beside: Beside { not_in_log: true, ..Beside::default() },
        };
        view.tell(facts);
        view
    }

    /// Puts what an inventory says beside what the log shows.
    pub fn compare(&mut self, inventory: &Inventory, dictionary: &Dictionary, reach: Reach) {
        match inventory.keys.get(&self.arn) {
            Some(facts) => self.tell(facts),
            None => self.beside.unlisted = inventory.listed(&self.account, &self.region).cloned(),
        }
        self.beside.contradictions = contradictions(self, dictionary, reach);
    }

    fn tell(&mut self, facts: &Arc<KeyFacts>) {
        // A name is only what a key is called: it may be younger than what is told.
        if self.aliases.is_empty()
            && let Some(aliases) = &facts.aliases
        {
            self.aliases.clone_from(&aliases.value.names);
        }
        let standing = facts.standing.as_ref().map(|fact| &fact.value);
        if self.primary.is_none()
            && let Some(standing) = standing.filter(|standing| standing.multi_region.as_deref() == Some("REPLICA"))
        {
            self.primary.clone_from(&standing.primary);
            self.beside.primary_told = standing.primary.is_some();
        }
        self.beside.facts = Some(Arc::clone(facts));
    }

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
        let kind = self.beside.facts.as_ref().and_then(|facts| facts.kind.as_ref());
        self.aliases.iter().any(|alias| alias.starts_with("alias/aws/"))
            || kind.is_some_and(|kind| kind.value.manager.as_deref() == Some("AWS"))
    }
}

/// Parts of a key ARN: account, Region and key id; empty where the ARN has none.
pub(super) fn parts(arn: &str) -> (String, String, String) {
    let mut fields = arn.splitn(6, ':');
    let (region, account, resource) = (fields.nth(3), fields.next(), fields.next());
    let id = resource.and_then(|resource| resource.strip_prefix("key/")).unwrap_or(arn);
    (account.unwrap_or_default().to_string(), region.unwrap_or_default().to_string(), id.to_string())
}

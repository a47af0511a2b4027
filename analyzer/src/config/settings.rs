//! The file made valid: what the rest of the program may rely on.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeTable;

use super::accounts::Accounts;
use super::alert::{Alerting, SILENCE};
use super::keys::Keys;
use super::logs::Logs;
use super::options::{AlertOptions, OptionInfo, RULE_OPTIONS, RuleOptions, RuleSettings, Scan, Section};
use super::problem::{Problems, Sink};
use super::raw::{self, Table};
use super::suppress::{self, Subject, Suppression, unknown_rule};

/// Everything that can be configured. The default is what an empty file means.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Options of a run.
    pub scan: Scan,
    /// The accounts that the user knows.
    pub accounts: Accounts,
    /// The log buckets and their readers.
    pub logs: Logs,
    /// What is meant to be with keys.
    pub keys: Keys,
    /// Who is told of what.
    pub alert: Alerting,
    /// Rules for which `enabled` or `severity` is set; read it with [`Settings::rule`].
    pub rules: BTreeMap<String, RuleSettings>,
    /// Options of single rules.
    pub options: RuleOptions,
    /// Accepted findings, in the order of the file.
    pub suppressions: Vec<Suppression>,
}

impl Settings {
    /// Reads a file. `file_name` is for messages; `rule_ids` are the rules that exist.
    pub fn parse(text: &str, file_name: &str, rule_ids: &[&str]) -> Result<Self, Problems> {
        // Editors on Windows put a mark in front; it is no part of the text, and TOML does not know it.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut sink = Sink::new(text);
        let document = raw::document(text, &mut sink);
        let settings = Self::read(&document, rule_ids, &mut sink);
        match sink.into_problems(file_name) {
            None => Ok(settings),
            Some(problems) => Err(problems),
        }
    }

    /// What is set for a rule.
    pub fn rule(&self, id: &str) -> RuleSettings {
        self.rules.get(id).copied().unwrap_or_default()
    }

    /// True for an own or partner account.
    pub fn is_trusted(&self, account: &str) -> bool {
        self.accounts.is_trusted(account)
    }

    /// Index of the first suppression that accepts a finding, as of a moment.
    pub fn suppression_for(&self, subject: &Subject<'_>, as_of_ms: i64) -> Option<usize> {
        self.suppressions.iter().position(|entry| entry.matches(subject) && !entry.is_expired(as_of_ms))
    }

    /// Id of the settings as far as they decide what is found: 64 hex digits. How a run is carried out (memory, threads,
    /// exit code) and who is told are not part of it, nor is how the file is written.
    pub fn digest(&self) -> String {
        let mut canon = Canon(blake3::Hasher::new());
        canon.line(&["keytrail.settings/1"]);
        canon.line(&["scan", "max_inflated", &self.scan.max_inflated.0.to_string()]);
        for account in &self.accounts.trusted {
            canon.line(&["trusted", account]);
        }
        for (account, name) in &self.accounts.names {
            canon.line(&["name", account, name]);
        }
        if let Some(organization) = &self.accounts.organization {
            canon.line(&["organization", organization]);
        }
        for bucket in &self.logs.buckets {
            canon.line(&["log bucket", bucket]);
        }
        for reader in &self.logs.readers {
            canon.line(&["log reader", reader]);
        }
        for account in &self.accounts.members {
            canon.line(&["member", account]);
        }
        for region in &self.keys.regions {
            canon.line(&["region", region]);
        }
        for key in &self.keys.soak {
            canon.line(&["soak", key]);
        }
        if let Some(tag) = &self.keys.soak_tag {
            canon.line(&["soak tag", tag]);
        }
        for (rule, settings) in &self.rules {
            // What is set to the default is the same as not set.
            if *settings != RuleSettings::default() {
                canon.values(rule, settings.values());
            }
        }
        for (rule, values) in self.options.values() {
            canon.values(rule, values);
        }
        for entry in &self.suppressions {
            let Suppression { rule, key, account, region, principal, id, reason, until, approved_by, line: _ } = entry;
            let until = until.map(|day| day.to_string());
            canon.line(&["suppress", reason]);
            for (name, value) in [
                ("rule", rule),
                ("key", key),
                ("account", account),
                ("region", region),
                ("principal", principal),
                ("id", id),
                ("until", &until),
                ("approved_by", approved_by),
            ] {
                if let Some(value) = value {
                    canon.line(&[name, value]);
                }
            }
        }
        canon.0.finalize().to_hex().to_string()
    }

    fn read(document: &DeTable<'_>, rule_ids: &[&str], sink: &mut Sink<'_>) -> Self {
        let rule_ids: Vec<&str> = rule_ids.iter().copied().chain([SILENCE]).collect();
        let rule_ids = rule_ids.as_slice();
        let mut settings = Self::default();
        let mut top = Table::new("the file", document);

        if let Some(table) = top.table("scan", sink) {
            let mut table = Table::new("[scan]", table);
            settings.scan.read(&mut table, sink);
            table.close(|_| None, sink);
        }
        if let Some(table) = top.table("accounts", sink) {
            settings.accounts.read(Table::new("[accounts]", table), sink);
        }
        if let Some(table) = top.table("logs", sink) {
            settings.logs.read(Table::new("[logs]", table), sink);
        }
        if let Some(table) = top.table("keys", sink) {
            settings.keys.read(Table::new("[keys]", table), sink);
        }
        if let Some(table) = top.table("alert", sink) {
            settings.alert.read(Table::new("[alert]", table), rule_ids, sink);
        }
        if let Some(rules) = top.table("rules", sink) {
            for (rule, value) in rules {
                let rule = Spanned::new(rule.span(), rule.get_ref().as_ref());
                settings.read_rule(&rule, value, rule_ids, sink);
            }
        }
        if let Some(value) = top.take("suppress") {
            settings.read_suppressions(value, rule_ids, sink);
        }
        // Below a heading that was not understood, settings seem to stand at the top.
        if !sink.is_broken() {
            top.close(|key| where_it_belongs(key, rule_ids), sink);
        }
        settings
    }

    fn read_rule(&mut self, rule: &Spanned<&str>, value: &raw::Value<'_>, rule_ids: &[&str], sink: &mut Sink<'_>) {
        let id = *rule.get_ref();
        if !rule_ids.contains(&id) {
            return unknown_rule(rule, rule_ids, sink);
        }
        let Some(table) = value.get_ref().as_table() else {
            let help = format!("write [rules.{id}], and enabled = false below it");
            return sink.add(value.span(), format!("`{id}` is a table"), Some(help));
        };
        let mut table = Table::new(format!("[rules.{id}]"), table);
        let mut common = RuleSettings::default();
        common.read(&mut table, sink);
        self.rules.insert(id.to_owned(), common);
        self.options.read(id, &mut table, sink);
        table.close(
            |key| {
                let owner = RULE_OPTIONS.iter().find(|info| info.key == key)?;
                Some(format!("`{key}` is an option of {}", owner.rule))
            },
            sink,
        );
    }

    fn read_suppressions(&mut self, value: &raw::Value<'_>, rule_ids: &[&str], sink: &mut Sink<'_>) {
        let list = value.get_ref().as_array();
        let Some(list) = list else {
            return sink.add(
                value.span(),
                "`suppress` is a list of tables",
                Some("write [[suppress]], with two brackets".into()),
            );
        };
        for value in list {
            match value.get_ref().as_table() {
                Some(table) => {
                    let (span, line) = (value.span(), sink.line_of(value.span().start));
                    let entry = suppress::read(Table::new("[[suppress]]", table), line, span, rule_ids, sink);
                    self.suppressions.extend(entry);
                }
                None => sink.add(
                    value.span(),
                    "a suppression is a table",
                    Some("write [[suppress]] and its settings below it".into()),
                ),
            }
        }
    }
}

/// For a key at the top of the file that belongs into a table.
fn where_it_belongs(key: &str, rule_ids: &[&str]) -> Option<String> {
    if rule_ids.contains(&key) {
        return Some(format!("rules are set under [rules.{key}]"));
    }
    let known = |list: &[OptionInfo]| list.iter().any(|info| info.key == key);
    if known(Scan::INFO) {
        return Some(format!("`{key}` belongs under [scan]"));
    }
    if known(AlertOptions::INFO) {
        return Some(format!("`{key}` belongs under [alert]"));
    }
    if ["trusted", "members", "names", "organization"].contains(&key) {
        return Some(format!("`{key}` belongs under [accounts]"));
    }
    if ["buckets", "readers"].contains(&key) {
        return Some(format!("`{key}` belongs under [logs]"));
    }
    if ["regions", "soak", "soak_tag"].contains(&key) {
        return Some(format!("`{key}` belongs under [keys]"));
    }
    let owner = RULE_OPTIONS.iter().find(|info| info.key == key)?;
    Some(format!("`{key}` belongs under [rules.{}]", owner.rule))
}

/// Hashes lines of fields, each behind its length: no two settings collide by concatenation.
struct Canon(blake3::Hasher);

impl Canon {
    fn line(&mut self, fields: &[&str]) {
        self.0.update(&(fields.len() as u64).to_le_bytes());
        for field in fields {
            self.0.update(&(field.len() as u64).to_le_bytes());
            self.0.update(field.as_bytes());
        }
    }

    fn values(&mut self, rule: &str, values: Vec<(&'static str, Option<String>)>) {
        for (key, value) in values {
            if let Some(value) = value {
                self.line(&["option", rule, key, &value]);
            }
        }
    }
}

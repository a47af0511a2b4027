//! The framework files.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;

use crate::rules;

/// One framework.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Kebab-case id, as typed after `--framework`.
    pub id: String,
    /// Name.
    pub name: String,
    /// Version of the mapping: our reading of the framework.
    pub mapping: String,
    /// Where the framework is published.
    pub source: String,
    /// Controls in their order.
    #[serde(rename = "control")]
    pub controls: Vec<Control>,
}

/// One control.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The framework's id of it.
    pub id: String,
    /// What it asks for, in our words.
    pub title: String,
    /// Rules whose findings contradict it.
    #[serde(default)]
    pub rules: Vec<String>,
    /// It asks that somebody watches: findings are what was there to be answered, and contradict nothing.
    #[serde(default)]
    pub watch: bool,
    /// It asks that somebody is told: without records of alerts and drills it is never satisfied.
    #[serde(default)]
    pub alerts: bool,
    /// Names of KMS and CloudTrail events that are evidence of its operation.
    #[serde(default)]
    pub events: Vec<String>,
    /// What must hold beside the rules.
    #[serde(default)]
    pub needs: Vec<Need>,
    /// What no log can show.
    pub cannot: String,
    /// What the auditor must ask for.
    #[serde(default)]
    pub ask: Vec<String>,
}

/// What a control needs beside its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Logging without interruption.
    Logging,
    /// Log files that were validated against their digests.
    Integrity,
    /// A population of keys.
    Keys,
}

/// Why a file is no framework.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(String);

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

const FILES: [&str; 11] = [
    include_str!("frameworks/aws-fsbp.toml"),
    include_str!("frameworks/cis-aws-3.0.toml"),
    include_str!("frameworks/cis-aws-5.0.toml"),
    include_str!("frameworks/cis-aws-7.0.toml"),
    include_str!("frameworks/fedramp-moderate.toml"),
    include_str!("frameworks/gdpr-art-32.toml"),
    include_str!("frameworks/hipaa.toml"),
    include_str!("frameworks/iso-27001-2022.toml"),
    include_str!("frameworks/nist-800-53-r5.toml"),
    include_str!("frameworks/pci-dss-4.0.1.toml"),
    include_str!("frameworks/soc2.toml"),
];

/// The frameworks that come along, by id.
pub fn builtin() -> Vec<Framework> {
    FILES.iter().filter_map(|file| parse(file).ok()).collect()
}

/// Reads and checks a framework file.
///
/// # Errors
/// When it is not TOML of this shape, names a rule that does not exist, repeats an id, or has a control that nothing
/// could speak to.
pub fn parse(text: &str) -> Result<Framework, Invalid> {
    let framework: Framework = toml::from_str(text).map_err(|error| Invalid(error.to_string()))?;
    if let Some(text) = texts(&framework).find(|text| text.chars().any(|c| c.is_control() && c != '\n')) {
        let text = crate::finding::plain(text);
        return Err(Invalid(format!("`{text}` has a character that a terminal obeys")));
    }
    let named = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if !named(&framework.id) {
        return Err(Invalid(format!("`{}` is no id: letters, digits, `-`, `.` and `_`", framework.id)));
    }
    if framework.controls.is_empty() {
        return Err(Invalid(format!("{} has no control", framework.id)));
    }
    let mut ids = BTreeSet::new();
    for control in &framework.controls {
        let of = format!("control {} of {}", control.id, framework.id);
        if !ids.insert(&control.id) {
            return Err(Invalid(format!("{of} stands there twice")));
        }
        if let Some(rule) = control.rules.iter().find(|rule| rules::find(rule).is_none()) {
            return Err(Invalid(format!("{of} names the rule `{rule}`, which does not exist")));
        }
        if control.rules.is_empty() && control.needs.is_empty() {
            return Err(Invalid(format!("{of} has neither `rules` nor `needs`: nothing could speak to it")));
        }
        if control.cannot.trim().is_empty() {
            return Err(Invalid(format!("{of} does not say what no log can show (`cannot`)")));
        }
    }
    Ok(framework)
}

/// Every text that is shown as it is.
fn texts(framework: &Framework) -> impl Iterator<Item = &String> {
    fn of_control(control: &Control) -> impl Iterator<Item = &String> {
        let Control { id, title, rules, events, cannot, ask, watch: _, needs: _, alerts: _ } = control;
        [id, title, cannot].into_iter().chain(rules).chain(events).chain(ask)
    }
    let Framework { id, name, mapping, source, controls } = framework;
    [id, name, mapping, source].into_iter().chain(controls.iter().flat_map(of_control))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{FILES, builtin, parse};
    use crate::rules::RULES;

    #[test]
    fn every_file_that_comes_along_is_valid_and_sorted_by_id() {
        for file in FILES {
            parse(file).unwrap();
        }
        let ids: Vec<String> = builtin().into_iter().map(|framework| framework.id).collect();
        assert!(ids.is_sorted() && ids.len() == FILES.len());
    }

    /// What a rule says about itself (`CIS AWS 3.0/5.0 3.6`) stands in the frameworks, and nowhere else.
    #[test]
    fn rules_and_frameworks_name_each_other() {
        let short = BTreeMap::from([
            ("CIS AWS 3.0/5.0", vec!["cis-aws-3.0", "cis-aws-5.0"]),
            ("CIS AWS 7.0", vec!["cis-aws-7.0"]),
            ("AWS FSBP", vec!["aws-fsbp"]),
            ("PCI DSS 4.0.1", vec!["pci-dss-4.0.1"]),
            ("NIST 800-53 r5", vec!["nist-800-53-r5"]),
            ("ISO 27001:2022", vec!["iso-27001-2022"]),
            ("SOC 2", vec!["soc2"]),
        ]);
        let frameworks = builtin();
        let mut problems = Vec::new();
        for rule in RULES {
            for control in rule.controls {
                let (name, ids) = short.iter().find(|(name, _)| control.starts_with(**name)).unwrap();
                let id = control[name.len()..].trim();
                for framework in ids {
                    let framework = frameworks.iter().find(|known| known.id == *framework).unwrap();
                    let of = framework.controls.iter().find(|known| known.id == id);
                    if !of.is_some_and(|of| of.rules.iter().any(|known| known == rule.id)) {
                        problems.push(format!("{} says `{control}`, {} does not", rule.id, framework.id));
                    }
                }
            }
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let with = |control: &str| {
            format!(
                "id = \"a\"\nname = \"A\"\nmapping = \"1\"\nsource = \"x\"\n[[control]]\nid = \"1\"\ntitle = \"t\"\n{control}"
            )
        };
        let said = |control: &str| parse(&with(control)).unwrap_err().to_string();
        assert!(said("rules = [\"no-such\"]\ncannot = \"c\"").contains("no-such"));
        assert!(said("cannot = \"c\"").contains("nothing could speak to it"));
        assert!(said("needs = [\"logging\"]\ncannot = \" \"").contains("`cannot`"));
        assert!(said("needs = [\"magic\"]\ncannot = \"c\"").contains("magic"));
        assert!(parse(&with("needs = [\"logging\"]\ncannot = \"c\"")).is_ok());
    }
}

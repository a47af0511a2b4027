//! SARIF 2.1.0, as far as keytrail writes it. Names and meanings are those of the OASIS standard; what the standard has no
//! member for is in property bags, under the names that it has in `keytrail.scan/1`.

use std::collections::BTreeMap;

use serde::Serialize;

/// The file.
#[derive(Serialize)]
pub(in crate::report) struct Log<'r> {
    #[serde(rename = "$schema")]
    pub(in crate::report) schema: &'static str,
    pub(in crate::report) version: &'static str,
    pub(in crate::report) runs: [Run<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Run<'r> {
    pub(in crate::report) tool: Tool,
    pub(in crate::report) invocations: [Invocation; 1],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::report) original_uri_base_ids: BTreeMap<String, Base>,
    pub(in crate::report) column_kind: &'static str,
    pub(in crate::report) results: Vec<Result<'r>>,
    pub(in crate::report) properties: RunProperties<'r>,
}

#[derive(Serialize)]
pub(in crate::report) struct RunProperties<'r> {
    pub(in crate::report) run: super::Run<'r>,
    pub(in crate::report) coverage: super::Coverage<'r>,
}

#[derive(Serialize)]
pub(in crate::report) struct Tool {
    pub(in crate::report) driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Driver {
    pub(in crate::report) name: &'static str,
    pub(in crate::report) version: &'static str,
    pub(in crate::report) semantic_version: &'static str,
    pub(in crate::report) short_description: Text,
    pub(in crate::report) rules: Vec<Rule>,
}

#[derive(Serialize)]
pub(in crate::report) struct Text {
    pub(in crate::report) text: String,
}

#[derive(Serialize)]
pub(in crate::report) struct Help {
    pub(in crate::report) text: String,
    pub(in crate::report) markdown: String,
}

/// A `reportingDescriptor` of a rule.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Rule {
    pub(in crate::report) id: &'static str,
    pub(in crate::report) name: String,
    pub(in crate::report) short_description: Text,
    pub(in crate::report) full_description: Text,
    pub(in crate::report) help: Help,
    pub(in crate::report) default_configuration: Configuration,
    pub(in crate::report) properties: RuleProperties,
}

#[derive(Serialize)]
pub(in crate::report) struct Configuration {
    pub(in crate::report) level: &'static str,
}

#[derive(Serialize)]
pub(in crate::report) struct RuleProperties {
    pub(in crate::report) tags: Vec<String>,
    /// As code scanning of GitHub reads it: how sure a finding is.
    pub(in crate::report) precision: &'static str,
    /// As code scanning of GitHub reads it: a number from 0 to 10, in text.
    #[serde(rename = "security-severity")]
    pub(in crate::report) security_severity: &'static str,
    pub(in crate::report) timing: &'static str,
    pub(in crate::report) controls: &'static [&'static str],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Invocation {
    pub(in crate::report) execution_successful: bool,
    pub(in crate::report) tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
pub(in crate::report) struct Notification {
    pub(in crate::report) descriptor: Descriptor,
    pub(in crate::report) level: &'static str,
    pub(in crate::report) message: Text,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) locations: Vec<Location>,
}

/// What a notification is about: `object-skipped`, `record-rejected`, `blind-window`, `rule-skipped` or `notice`.
#[derive(Serialize)]
pub(in crate::report) struct Descriptor {
    pub(in crate::report) id: &'static str,
}

/// A finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Result<'r> {
    pub(in crate::report) rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) rule_index: Option<usize>,
    pub(in crate::report) kind: &'static str,
    pub(in crate::report) level: &'static str,
    pub(in crate::report) message: Text,
    pub(in crate::report) locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) related_locations: Vec<Location>,
    pub(in crate::report) fingerprints: BTreeMap<&'static str, &'r str>,
    pub(in crate::report) partial_fingerprints: BTreeMap<&'static str, &'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) occurrence_count: Option<u64>,
    pub(in crate::report) suppressions: Vec<Suppression<'r>>,
    pub(in crate::report) properties: super::Finding<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) physical_location: Option<Physical>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::report) logical_locations: Vec<Logical>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) message: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) properties: Option<Record>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Physical {
    pub(in crate::report) artifact_location: Artifact,
    pub(in crate::report) region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Artifact {
    pub(in crate::report) uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) uri_base_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Region {
    pub(in crate::report) start_line: u32,
}

/// What relative URIs count from.
#[derive(Serialize)]
pub(in crate::report) struct Base {
    pub(in crate::report) uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::report) struct Logical {
    pub(in crate::report) name: String,
    pub(in crate::report) fully_qualified_name: String,
    pub(in crate::report) kind: &'static str,
}

/// Index of a record in its object, from 0.
#[derive(Serialize)]
pub(in crate::report) struct Record {
    pub(in crate::report) record: u32,
}

#[derive(Serialize)]
pub(in crate::report) struct Suppression<'r> {
    pub(in crate::report) kind: &'static str,
    pub(in crate::report) status: &'static str,
    pub(in crate::report) justification: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) properties: Option<Until<'r>>,
}

/// When the suppression ends, a date.
#[derive(Serialize)]
pub(in crate::report) struct Until<'r> {
    pub(in crate::report) until: &'r str,
}

//! The AWS Security Finding Format, as far as keytrail writes it. Names, meanings and limits are those of the API of AWS
//! Security Hub.

use std::collections::BTreeMap;

use serde::Serialize;

/// One finding.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Finding<'r> {
    pub(in crate::report) schema_version: &'static str,
    pub(in crate::report) id: String,
    pub(in crate::report) product_arn: String,
    pub(in crate::report) product_name: &'static str,
    pub(in crate::report) generator_id: String,
    pub(in crate::report) aws_account_id: &'r str,
    pub(in crate::report) region: &'r str,
    pub(in crate::report) types: Vec<&'static str>,
    pub(in crate::report) first_observed_at: String,
    pub(in crate::report) last_observed_at: String,
    pub(in crate::report) created_at: String,
    pub(in crate::report) updated_at: String,
    pub(in crate::report) severity: Severity,
    pub(in crate::report) confidence: u32,
    pub(in crate::report) title: String,
    pub(in crate::report) description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) remediation: Option<Remediation>,
    pub(in crate::report) product_fields: BTreeMap<String, String>,
    pub(in crate::report) resources: Vec<Resource<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) compliance: Option<Compliance<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) workflow: Option<Workflow>,
    pub(in crate::report) record_state: &'static str,
    pub(in crate::report) finding_provider_fields: Provider,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Severity {
    pub(in crate::report) label: &'static str,
    pub(in crate::report) original: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Remediation {
    pub(in crate::report) recommendation: Recommendation,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Recommendation {
    pub(in crate::report) text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Resource<'r> {
    pub(in crate::report) r#type: &'static str,
    pub(in crate::report) id: String,
    pub(in crate::report) partition: &'r str,
    pub(in crate::report) region: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::report) details: Option<Details<'r>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Details<'r> {
    pub(in crate::report) aws_kms_key: Key<'r>,
}

#[derive(Serialize)]
pub(in crate::report) struct Key<'r> {
    #[serde(rename = "AWSAccountId")]
    pub(in crate::report) account: &'r str,
    #[serde(rename = "KeyId")]
    pub(in crate::report) id: String,
}

/// Controls that the finding speaks to. Without a status: a finding is no verdict on a control.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Compliance<'r> {
    pub(in crate::report) related_requirements: &'r [&'static str],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Workflow {
    pub(in crate::report) status: &'static str,
}

/// What a product says, also when its finding is there already and somebody has changed it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::report) struct Provider {
    pub(in crate::report) confidence: u32,
    pub(in crate::report) severity: Severity,
    pub(in crate::report) types: Vec<&'static str>,
}

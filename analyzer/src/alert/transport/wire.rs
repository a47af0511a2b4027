//! What AWS services answer, as far as it is read.

use serde::Deserialize;

/// A refusal: the two protocols spell it differently.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    #[serde(rename = "__type", alias = "code", alias = "Code")]
    pub(super) kind: String,
    #[serde(alias = "Message")]
    pub(super) message: String,
}

/// The answer of `BatchImportFindings`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Imported {
    pub(super) failed_count: u64,
    #[serde(default)]
    pub(super) failed_findings: Vec<FailedFinding>,
}

/// A finding that was not imported.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FailedFinding {
    pub(super) id: String,
    #[serde(default)]
    pub(super) error_code: String,
    #[serde(default)]
    pub(super) error_message: String,
}

/// The answer of `PutEvents`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Put {
    pub(super) failed_entry_count: u64,
    #[serde(default)]
    pub(super) entries: Vec<PutEntry>,
}

/// What became of an entry: those that were taken have no code.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PutEntry {
    pub(super) error_code: Option<String>,
    pub(super) error_message: Option<String>,
}

//! What is read of an earlier report: the members of `keytrail.report/1` that a comparison needs. Others may come and go.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::compare::Point;
use super::json::SCHEMA;

/// An earlier report.
#[derive(Clone, Debug, Deserialize)]
pub struct Previous {
    schema: String,
    pub(super) run: Run,
    pub(super) integrity: String,
    #[serde(default)]
    pub(super) frameworks: Vec<Framework>,
    pub(super) findings: Vec<Finding>,
    pub(super) coverage: Coverage,
    #[serde(default)]
    pub(super) comparison: Option<Earlier>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Run {
    pub(super) version: String,
    pub(super) settings: String,
    pub(super) as_of: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Framework {
    pub(super) id: String,
    pub(super) mapping: String,
    pub(super) controls: Vec<Control>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Control {
    pub(super) id: String,
    pub(super) status: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Finding {
    pub(super) id: String,
    pub(super) rule: String,
    pub(super) severity: String,
    pub(super) title: String,
    pub(super) account: String,
    pub(super) region: String,
    pub(super) status: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Coverage {
    pub(super) accounts: Vec<String>,
    pub(super) regions: Vec<String>,
    pub(super) rules: Rules,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Rules {
    pub(super) run: Vec<String>,
}

/// What the earlier report knew of those before it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Earlier {
    #[serde(default)]
    pub(super) trend: Vec<Point>,
}

impl Previous {
    /// Reads an earlier report.
    ///
    /// # Errors
    /// When it is none: says why.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        /// Other documents of ours are told by their name.
        #[derive(Deserialize)]
        struct Named {
            schema: Option<String>,
        }
        let named: Named = serde_json::from_slice(json).map_err(|error| format!("it is no JSON document: {error}"))?;
        match named.schema.as_deref() {
            Some(SCHEMA) => {}
            Some(other) => return Err(format!("it is a `{}`, not a `{SCHEMA}`", crate::finding::plain(other))),
            None => return Err(format!("it is no report of keytrail: a `{SCHEMA}` says so in `schema`")),
        }
        let previous: Self = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        debug_assert_eq!(previous.schema, SCHEMA);
        Ok(previous)
    }

    /// Its place in the trend.
    pub(super) fn point(&self) -> Point {
        let count = |of: &mut BTreeMap<String, u64>, name: &str| *of.entry(name.to_owned()).or_default() += 1;
        let (mut open, mut controls) = (BTreeMap::new(), BTreeMap::new());
        for finding in self.findings.iter().filter(|finding| finding.status == "open") {
            count(&mut open, &finding.severity);
        }
        for control in self.frameworks.iter().flat_map(|framework| &framework.controls) {
            count(&mut controls, &control.status);
        }
        let Run { as_of, from, to, version, .. } = self.run.clone();
        Point { as_of, from, to, version, open, controls }
    }
}

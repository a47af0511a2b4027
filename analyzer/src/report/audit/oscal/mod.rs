//! `--format oscal`: assessment results of OSCAL, one result per framework. A control is a finding, a finding of a rule is
//! an observation with its records as evidence.
//!
//! OSCAL knows two states. Only a control that is satisfied is `satisfied`; the exact status is a property, and the reason
//! is `fail` where the log contradicts a control and `other` where it cannot tell.

mod framework;
mod ids;

use ids::{id, markup};

use super::Audit;
use super::json::integrity;
use crate::report::wire::oscal::{Assessed, BackMatter, Document, File, Id, Import, Metadata, Resource};
use crate::report::{escape, human};

/// The version of the schema that the file names. What it uses is the same in all of 1.1 and 1.2.
const VERSION: &str = "1.2.1";

/// The document, indented, with a line break at its end.
pub fn render(audit: &Audit) -> String {
    let scope = Scope::of(audit);
    let results: Vec<Assessed> =
        audit.frameworks.iter().map(|(framework, all)| framework::result(audit, &scope, framework, all)).collect();
    // Wire types hold strings and lists only, which cannot fail to serialize.
    let content = serde_json::to_string(&results).unwrap_or_default();
    let plan = scope.id(&["plan"]);
    let document = Document {
        // OSCAL wants another one whenever the content is another.
        uuid: id(&[&content, &scope.as_of]),
        metadata: Metadata {
            title: format!("AWS KMS keys: what CloudTrail logs prove, {} to {}", day(&scope.start), day(&scope.end)),
            last_modified: scope.as_of.clone(),
            version: "1",
            oscal_version: VERSION,
            remarks: scope.is_empty.then_some("No event was read: the times are those of no log."),
        },
        import_ap: Import { href: format!("#{}", plan.0) },
        results: &results,
        back_matter: BackMatter {
            resources: vec![Resource {
                uuid: plan,
                title: "What was assessed, in place of an assessment plan",
                description: format!(
                    "The frameworks that stand under results, over all records of AWS KMS, and of other services about \
                     keys, in the CloudTrail logs of {} in {}. Import your own plan where there is one.",
                    human::count(audit.report.coverage.accounts.len() as u64, "account"),
                    human::count(audit.report.coverage.regions.len() as u64, "Region"),
                ),
            }],
        },
    };
    let file = File { results: document };
    let mut text = escape::json_document(serde_json::to_string_pretty(&file).unwrap_or_default());
    text.push('\n');
    text
}

fn day(time: &str) -> &str {
    time.split('T').next().unwrap_or_default()
}

/// What the report is about: the same scope gives the same UUIDs, so that a report that is made again can be compared.
struct Scope {
    name: String,
    start: String,
    end: String,
    as_of: String,
    is_empty: bool,
}

impl Scope {
    fn of(audit: &Audit) -> Self {
        let (run, coverage) = (&audit.report.run, &audit.report.coverage);
        // OSCAL demands times even of an assessment that had nothing to look at.
        let made = audit.made();
        let (first, last) = coverage.span.unzip();
        let start = run.from.or(first).unwrap_or(made);
        let end = run.to.or(last).unwrap_or(made).max(start);
        let accounts: Vec<&str> = coverage.accounts.iter().map(String::as_str).collect();
        Self {
            name: format!("{:?}-{:?}:{}", run.from, run.to, accounts.join(",")),
            start: human::rfc3339(start),
            end: human::rfc3339(end),
            as_of: human::rfc3339(made),
            is_empty: coverage.span.is_none(),
        }
    }

    fn id(&self, parts: &[&str]) -> Id {
        let mut all = vec![self.name.as_str()];
        all.extend(parts);
        id(&all)
    }
}

/// The verdict over the logs, as a sentence.
fn of_integrity(audit: &Audit) -> String {
    format!("The logs are {}.", markup(integrity(audit.integrity)))
}

//! Findings by their ids, as people type them.

use super::failure::Failure;
use crate::finding::Finding;
use crate::report::Report;

/// Characters of an id that are enough to name it.
const SHORTEST: usize = 8;

/// The id of a finding, or the first digits of it.
pub(super) fn of_finding(typed: &str) -> Result<String, Failure> {
    let id = typed.trim().to_ascii_lowercase();
    if id.len() < SHORTEST || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let story = format!("{typed} is not the id of a finding: {SHORTEST} to 32 hexadecimal digits");
        return Err(Failure::usage(story).hint("keytrail scan SOURCE"));
    }
    Ok(id)
}

/// The one finding whose id begins so.
pub(super) fn named<'r>(report: &'r Report, id: &str) -> Result<&'r Finding, Failure> {
    let named: Vec<&Finding> = report.findings.iter().filter(|finding| finding.id.as_str().starts_with(id)).collect();
    match named.as_slice() {
        [finding] => Ok(finding),
        [] => {
            let story = format!("no finding here has the id {id}");
            let hint = "scan the same sources with the same --as-of: an id names a key, a rule and a cause";
            Err(Failure::nothing_to_read(story).hint(hint))
        }
        several => {
            let story = format!("{} findings begin with {id}", several.len());
            Err(Failure::usage(story).hint("give more of the id"))
        }
    }
}

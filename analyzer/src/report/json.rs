//! `--format json`: one document, `keytrail.scan/1`.

use serde::Serialize;

use super::{Report, escape, wire};

/// Name and version of the document. The number changes when a member changes its meaning or goes away.
pub const SCHEMA: &str = "keytrail.scan/1";

/// The document, indented, with a line break at its end.
pub fn render(report: &Report) -> String {
    let scan = Scan {
        schema: SCHEMA,
        run: wire::Run::of(report),
        coverage: wire::Coverage::of(report),
        findings: report.findings.iter().map(wire::Finding::of).collect(),
        skipped: report.coverage.skipped.iter().map(wire::Skipped::of).collect(),
        notices: &report.notices,
    };
    // Wire types hold strings, numbers and string-keyed maps only, which cannot fail to serialize.
    let mut document = escape::json_document(serde_json::to_string_pretty(&scan).unwrap_or_default());
    document.push('\n');
    document
}

/// One finding, as it stands in the document.
pub fn finding(finding: &crate::finding::Finding) -> serde_json::Value {
    // Wire types hold strings, numbers and string-keyed maps only, which cannot fail to serialize.
    serde_json::to_value(wire::Finding::of(finding)).unwrap_or_default()
}

/// The whole document.
#[derive(Serialize)]
struct Scan<'r> {
    /// [`SCHEMA`].
    schema: &'static str,
    /// What ran, with which settings.
    run: wire::Run<'r>,
    /// What was looked at, and what was not.
    coverage: wire::Coverage<'r>,
    /// Findings: open before closed before suppressed, worst first.
    findings: Vec<wire::Finding<'r>>,
    /// Every object that gave no records, with the reason.
    skipped: Vec<wire::Skipped<'r>>,
    /// Things the user should know that are not findings.
    notices: &'r [String],
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::{ndjson, sample};

    fn parse(report: &Report) -> Value {
        serde_json::from_str(&render(report)).unwrap()
    }

    fn names(value: &Value) -> String {
        value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn members_are_those_of_the_contract() {
        let scan = parse(&sample::report());
        assert_eq!(names(&scan), "schema run coverage findings skipped notices");
        assert_eq!(scan["schema"], "keytrail.scan/1");
        assert_eq!(names(&scan["run"]), "version settings as_of from to");
        let coverage = &scan["coverage"];
        assert_eq!(
            names(coverage),
            "complete objects records operations bytes from to accounts regions rules hours rejected rejected_at notes blind"
        );
        assert_eq!(names(&coverage["objects"]), "seen read skipped pruned");
        assert_eq!(names(&coverage["records"]), "seen kms related rejected duplicates");
        assert_eq!(names(&coverage["bytes"]), "compressed inflated");
        assert_eq!(names(&coverage["rules"]), "run skipped");
        assert_eq!(names(&coverage["rules"]["skipped"][0]), "rule reason");
        assert_eq!(names(&coverage["hours"]), "logged gaps");
        assert_eq!(names(&coverage["hours"]["gaps"][0]), "account region from to");
        assert_eq!(names(&coverage["rejected_at"][0]), "object record reason");
        assert_eq!(names(&coverage["blind"][0]), "account region trail what from to by");
        assert_eq!(names(&scan["skipped"][0]), "object reason");

        let finding = &scan["findings"][0];
        assert_eq!(
            names(finding),
            "id incident rule severity confidence title account region key principal first_seen last_seen count facts details \
             evidence remediation controls attack status supersedes"
        );
        assert_eq!(names(&finding["key"]), "arn id alias");
        assert_eq!(names(&finding["principal"]), "arn type invoked_by");
        assert_eq!(names(&finding["facts"][0]), "label value");
        assert_eq!(names(&finding["evidence"][0]), "event_id time event_name error_code object record role");
        assert_eq!(names(&scan["findings"][2]["suppression"]), "reason until");
        assert_eq!(scan["findings"][2]["key"], Value::Null);
    }

    #[test]
    fn values_are_as_promised() {
        let scan = parse(&sample::report());
        assert_eq!(scan["run"]["as_of"], "2026-03-02T14:14:07Z");
        assert_eq!(scan["coverage"]["complete"], false);
        assert_eq!(scan["coverage"]["rejected"]["bad-event-time"], 6);
        assert_eq!(scan["coverage"]["blind"][0]["to"], Value::Null);
        let finding = &scan["findings"][0];
        assert_eq!(finding["first_seen"], "2026-03-01T09:14:07Z");
        assert_eq!(finding["evidence"][1]["time"], "2026-03-01T09:14:07.012Z");
        let details = r#"{"deletion_date":"2026-03-08T09:14:07Z","pending_window_days":7,"share":0.25,"unknown":null,"users":[{"calls":1203},true]}"#;
        assert_eq!(finding["details"].to_string(), details);
        assert!(!render(&sample::report()).contains("sources"), "the same objects give the same bytes, however named");
        assert_eq!(parse(&sample::empty())["coverage"]["complete"], true);
    }

    #[test]
    fn ndjson_is_the_same_in_lines() {
        let report = sample::report();
        let scan = parse(&report);
        let text = ndjson::render(&report);
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), report.findings.len() + 1);
        assert_eq!(Value::Array(lines[..3].to_vec()), scan["findings"]);
        assert_eq!(names(&lines[3]), "schema run coverage findings skipped notices");
        assert_eq!(lines[3]["schema"], "keytrail.coverage/1");
        assert_eq!((&lines[3]["coverage"], &lines[3]["findings"]), (&scan["coverage"], &Value::from(3)));
    }

    #[test]
    fn hostile_text_is_kept_and_cannot_act() {
        let report = sample::hostile();
        for text in [render(&report), ndjson::render(&report)] {
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
            assert!(!text.contains(['\u{202e}', '\u{2066}', '\u{200b}']), "{text:?}");
        }
        let scan = parse(&report);
        assert_eq!(scan["findings"][0]["title"], report.findings[0].title.as_str());
        assert_eq!(scan["skipped"][0]["object"], report.coverage.skipped[0].object.as_str());
    }
}

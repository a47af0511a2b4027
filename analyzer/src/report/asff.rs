//! `--format asff`: findings for AWS Security Hub. A line is one request of `BatchImportFindings`: findings of one account and
//! Region, at most as many as the API takes.

use std::collections::{BTreeMap, BTreeSet};

use super::wire::asff;
use super::{Report, human, parts};
use crate::finding::{Confidence, Finding, Principal, Severity, Status};

/// Limits of the API on a request. Its size is 6 MB; some room is left.
const FINDINGS: usize = 100;
const BYTES: usize = 5_000_000;

/// Limits of the API on members, in characters.
const TITLE: usize = 256;
const DESCRIPTION: usize = 1024;
const RECOMMENDATION: usize = 512;
const FIELD: usize = 2048;
const REQUIREMENTS: usize = 32;
const RESOURCE_ID: usize = 512;

/// Records that a finding names. With what else it says, the limit of 50 fields is kept.
const RECORDS: usize = 8;

/// The requests.
#[derive(Debug)]
pub struct Requests {
    /// One request per line.
    pub text: String,
    /// Findings in no request: Security Hub takes findings of an account and a Region only, and the log named none.
    pub left_out: usize,
}

/// All requests, by account and Region.
pub fn render(report: &Report) -> Requests {
    let mut groups: BTreeMap<(&str, &str), Vec<Filed>> = BTreeMap::new();
    let mut left_out = 0;
    for finding in &report.findings {
        if is_importable(finding) {
            let updated = report.run.as_of.unwrap_or(finding.last_seen);
            let group = groups.entry((&finding.account, &finding.region)).or_default();
            group.push(file(finding, &report.run.settings_digest, updated, None));
        } else {
            left_out += 1;
        }
    }
    let mut text = String::new();
    for group in groups.values() {
        for request in requests(group) {
            text.push_str(&body(request));
            text.push('\n');
        }
    }
    Requests { text, left_out }
}

/// A finding as Security Hub takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// `Id`.
    pub id: String,
    /// The finding as JSON.
    pub json: String,
}

/// Where findings of all accounts and Regions are filed, when not in their own: Security Hub takes findings of an account
/// from that account only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home<'h> {
    /// 12 digits.
    pub account: &'h str,
    /// Name of the Region.
    pub region: &'h str,
}

/// Writes one finding. `updated` is when it was judged, milliseconds since the epoch.
pub fn file(finding: &Finding, settings_digest: &str, updated: i64, home: Option<Home<'_>>) -> Filed {
    let asff = of(finding, settings_digest, updated, home);
    Filed { json: super::wire::to_json(&asff), id: asff.id }
}

/// Cuts findings of one account and Region into as many requests as the API asks for.
pub fn requests(findings: &[Filed]) -> Vec<&[Filed]> {
    let mut requests = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (at, finding) in findings.iter().enumerate() {
        if at > start && (at - start == FINDINGS || size + finding.json.len() > BYTES) {
            requests.push(&findings[start..at]);
            (start, size) = (at, 0);
        }
        size += finding.json.len() + 1;
    }
    if start < findings.len() {
        requests.push(&findings[start..]);
    }
    requests
}

/// The body of a request of `BatchImportFindings`.
pub fn body(request: &[Filed]) -> String {
    let findings: Vec<&str> = request.iter().map(|finding| finding.json.as_str()).collect();
    format!("{{\"Findings\":[{}]}}", findings.join(","))
}

/// Both stand in the ARN of the product, which Security Hub checks.
fn is_importable(finding: &Finding) -> bool {
    parts::is_account(&finding.account) && parts::is_word(&finding.region) && finding.region.len() <= 16
}

fn of<'r>(finding: &'r Finding, settings: &str, updated: i64, home: Option<Home<'r>>) -> asff::Finding<'r> {
    let own = Home { account: &finding.account, region: &finding.region };
    let Home { account, region } = home.unwrap_or(own);
    let partition = parts::partition(finding);
    let product = home.map_or(partition, |home| parts::partition_of(home.region));
    let title = parts::cut(&parts::line(&finding.title), TITLE);
    let facts = parts::facts(finding);
    let description = if facts.is_empty() { title.clone() } else { parts::cut(&facts, DESCRIPTION) };
    let remediation = parts::cut(&parts::lines(&finding.remediation), RECOMMENDATION);
    let suppressed = matches!(finding.status, Status::Suppressed { .. });
    let requirements = finding.controls.get(..REQUIREMENTS).unwrap_or(&finding.controls);
    asff::Finding {
        schema_version: "2018-10-08",
        id: format!("keytrail/{}/{}", finding.rule, finding.id.as_str()),
        product_arn: format!("arn:{product}:securityhub:{region}:{account}:product/{account}/default"),
        product_name: "Keytrail",
        generator_id: format!("keytrail/{}", finding.rule),
        aws_account_id: account,
        region,
        types: types(finding),
        first_observed_at: human::rfc3339(finding.first_seen),
        last_observed_at: human::rfc3339(finding.last_seen),
        created_at: human::rfc3339(finding.first_seen),
        // Security Hub keeps the newer of two: a later run over more data counts, the same run again changes nothing.
        updated_at: human::rfc3339(updated.max(finding.last_seen)),
        severity: severity(finding.severity),
        confidence: confidence(finding.confidence),
        // The API takes no empty text.
        title: or_rule(title, finding),
        description: or_rule(description, finding),
        remediation: (!remediation.is_empty())
            .then_some(asff::Remediation { recommendation: asff::Recommendation { text: remediation } }),
        product_fields: fields(finding, settings, home.is_some()),
        resources: resources(finding, partition, Home { account, region }),
        compliance: (!requirements.is_empty()).then_some(asff::Compliance { related_requirements: requirements }),
        workflow: suppressed.then_some(asff::Workflow { status: "SUPPRESSED" }),
        record_state: if finding.status == Status::Open { "ACTIVE" } else { "ARCHIVED" },
        finding_provider_fields: asff::Provider {
            confidence: confidence(finding.confidence),
            severity: severity(finding.severity),
            types: types(finding),
        },
    }
}

fn or_rule(text: String, finding: &Finding) -> String {
    if text.trim().is_empty() { finding.rule.to_string() } else { text }
}

fn severity(severity: Severity) -> asff::Severity {
    let label = match severity {
        Severity::Info => "INFORMATIONAL",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    };
    asff::Severity { label, original: severity.id() }
}

/// The middle of a third of 0 to 100.
fn confidence(confidence: Confidence) -> u32 {
    match confidence {
        Confidence::Low => 17,
        Confidence::Medium => 50,
        Confidence::High => 83,
    }
}

/// Namespace and category by technique; a rule without one speaks of how keys are kept.
fn types(finding: &Finding) -> Vec<&'static str> {
    let types: BTreeSet<&str> = finding.attack.iter().filter_map(|technique| of_technique(technique)).collect();
    if types.is_empty() {
        return vec!["Software and Configuration Checks/AWS Security Best Practices"];
    }
    types.into_iter().collect()
}

fn of_technique(technique: &str) -> Option<&'static str> {
    Some(match technique.split('.').next().unwrap_or_default() {
        "T1485" | "T1486" | "T1565" => "Effects/Data Destruction",
        "T1489" | "T1531" => "Effects/Denial of Service",
        "T1537" => "Effects/Data Exfiltration",
        "T1078" => "TTPs/Initial Access",
        "T1098" => "TTPs/Persistence",
        "T1530" => "TTPs/Collection",
        "T1555" => "TTPs/Credential Access",
        "T1535" | "T1562" => "TTPs/Defense Evasion",
        _ => return None,
    })
}

/// What the format has no member for, under the names of `keytrail.scan/1`.
fn fields(finding: &Finding, settings: &str, moved: bool) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut put = |name: &str, value: &str| {
        let value = parts::cut(&parts::line(value), FIELD);
        if !value.trim().is_empty() {
            fields.insert(format!("keytrail/{name}"), value);
        }
    };
    put("version", env!("CARGO_PKG_VERSION"));
    put("settings", settings);
    if moved {
        put("account", &finding.account);
        put("region", &finding.region);
    }
    put("incident", finding.incident.as_str());
    put("status", finding.status.id());
    put("count", &finding.count.to_string());
    put("attack", &finding.attack.join("; "));
    put("alias", finding.key.as_ref().and_then(|key| key.alias.as_deref()).unwrap_or_default());
    if let Some(principal) = &finding.principal {
        put("principal/arn", &principal.arn);
        put("principal/type", &principal.kind);
        put("principal/invoked_by", principal.invoked_by.as_deref().unwrap_or_default());
    }
    if let Status::Suppressed { reason, until } = &finding.status {
        put("suppression/reason", reason);
        put("suppression/until", until.as_deref().unwrap_or_default());
    }
    for (n, evidence) in finding.evidence.iter().take(RECORDS).enumerate() {
        put(&format!("evidence/{n}/event_id"), &evidence.event_id);
        put(&format!("evidence/{n}/event_name"), &evidence.event_name);
        put(&format!("evidence/{n}/object"), &evidence.object);
        put(&format!("evidence/{n}/record"), &evidence.record.to_string());
    }
    fields
}

/// The key and who acted; the account where a finding is about neither. What a log without an account or Region leaves open
/// is that of the place where it is filed.
fn resources<'r>(finding: &'r Finding, partition: &'r str, filed: Home<'r>) -> Vec<asff::Resource<'r>> {
    let account = if parts::is_account(&finding.account) { &finding.account } else { filed.account };
    let region = if parts::is_word(&finding.region) { &finding.region } else { filed.region };
    let resource = |r#type, id: &str, details| {
        let id = parts::cut(&parts::line(id), RESOURCE_ID);
        asff::Resource { r#type, id, partition, region, details }
    };
    let mut resources = Vec::new();
    if let Some(key) = finding.key.as_ref().filter(|key| !key.arn.trim().is_empty()) {
        let id = parts::cut(&parts::line(&key.id), RESOURCE_ID);
        let details = (!id.trim().is_empty()).then_some(asff::Details { aws_kms_key: asff::Key { account, id } });
        resources.push(resource("AwsKmsKey", &key.arn, details));
    }
    if let Some(principal) = finding.principal.as_ref().filter(|principal| !principal.arn.trim().is_empty()) {
        resources.push(resource(kind(principal), &principal.arn, None));
    }
    if resources.is_empty() {
        resources.push(resource("AwsAccount", &format!("AWS::::Account:{account}"), None));
    }
    resources
}

fn kind(principal: &Principal) -> &'static str {
    let of = |kind: &str| principal.arn.split(':').nth(5).is_some_and(|name| name.starts_with(kind));
    if of("role/") {
        "AwsIamRole"
    } else if of("user/") {
        "AwsIamUser"
    } else {
        "Other"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::sample;
    use crate::rules::RULES;

    fn parse(report: &Report) -> Vec<Value> {
        render(report).text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn findings(requests: &[Value]) -> Vec<Value> {
        requests.iter().flat_map(|request| request["Findings"].as_array().unwrap().clone()).collect()
    }

    #[test]
    fn a_request_is_of_one_account_and_region() {
        let mut report = sample::report();
        for (finding, account) in report.findings.iter_mut().zip(["111122223333", "444455556666", "111122223333"]) {
            (finding.account, finding.region) = (account.to_string(), "eu-central-1".to_string());
        }
        let requests = parse(&report);
        let sizes: Vec<usize> = requests.iter().map(|request| request["Findings"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [2, 1]);
        let other = &requests[1]["Findings"][0];
        assert_eq!(other["AwsAccountId"], "444455556666");
        assert_eq!(other["ProductArn"], "arn:aws:securityhub:eu-central-1:444455556666:product/444455556666/default");
        assert!(render(&sample::empty()).text.is_empty());
    }

    #[test]
    fn requests_keep_the_limits() {
        let mut report = sample::report();
        let mut finding = report.findings.remove(0);
        report.findings = vec![finding.clone(); 201];
        let sizes = |report: &Report| {
            let requests = parse(report);
            requests.iter().map(|request| request["Findings"].as_array().unwrap().len()).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&report), [100, 100, 1]);

        // The largest finding there can be, in characters of four bytes each.
        let long = "🔑".repeat(5000);
        let evidence = crate::finding::Evidence {
            event_id: long.clone(),
            object: long.clone(),
            event_name: long.clone(),
            ..finding.evidence[0].clone()
        };
        finding.evidence = vec![evidence; 40];
        (finding.title, finding.remediation) = (long.clone(), long.clone());
        finding.facts[0].value.clone_from(&long);
        report.findings = vec![finding; 100];
        let text = render(&report).text;
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() < 6_000_000));
        let largest = &findings(&parse(&report))[0];
        assert!(largest.to_string().len() < 240_000);
        let chars = |value: &Value| value.as_str().unwrap().chars().count();
        assert_eq!((chars(&largest["Title"]), chars(&largest["Description"])), (256, 1024));
        assert_eq!(chars(&largest["Remediation"]["Recommendation"]["Text"]), 512);
        let fields = largest["ProductFields"].as_object().unwrap();
        assert!(fields.len() <= 50 && fields.iter().all(|(name, value)| name.len() <= 128 && chars(value) <= 2048));
    }

    #[test]
    fn states_are_those_of_security_hub() {
        let all = findings(&parse(&sample::report()));
        let of = |name: &str| all.iter().map(|finding| finding[name].clone()).collect::<Vec<_>>();
        assert_eq!(of("RecordState"), ["ACTIVE", "ARCHIVED", "ARCHIVED"]);
        assert_eq!(of("Workflow").iter().filter(|workflow| workflow["Status"] == "SUPPRESSED").count(), 1);
        assert_eq!(all[0]["Severity"]["Label"], "CRITICAL");
        assert_eq!(all[0]["UpdatedAt"], "2026-03-02T14:14:07Z", "as of when the run judged");
        assert_eq!(all[0]["Resources"][0]["Type"], "AwsKmsKey");
    }

    #[test]
    fn every_technique_has_a_type() {
        for rule in RULES {
            assert!(rule.attack.iter().all(|technique| of_technique(technique).is_some()), "{}", rule.id);
        }
    }

    #[test]
    fn what_no_account_owns_is_left_out_and_counted() {
        let mut report = sample::hostile();
        assert_eq!((render(&report).text.as_str(), render(&report).left_out), ("", 3));
        for finding in &mut report.findings {
            (finding.account, finding.region) = ("111122223333".to_string(), "eu-central-1".to_string());
        }
        let Requests { text, left_out } = render(&report);
        assert_eq!((text.lines().count(), left_out), (1, 0));
        for finding in findings(&parse(&report)) {
            assert!(!finding["Title"].as_str().unwrap().contains(char::is_control), "{finding}");
            assert_eq!(
                finding["ProductArn"],
                "arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default"
            );
        }
    }
}

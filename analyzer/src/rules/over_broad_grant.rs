//! Rule `over-broad-grant`. Its page, `over_broad_grant.md`, says what it finds and what it misses.

use std::collections::{BTreeMap, BTreeSet};

use super::kit::grantee;
use super::prelude::*;
use crate::view::history::Grant;

pub(super) static RULE: Rule = Rule {
    id: "over-broad-grant",
    summary: "a grant gives more of a key, or gives it to someone else, than a service needs",
    doc: include_str!("over_broad_grant.md"),
    severity: Severity::High,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1098", "T1078"],
    controls: &["PCI DSS 4.0.1 3.6.1", "NIST 800-53 r5 AC-6", "ISO 27001:2022 A.8.24", "SOC 2 CC6.3"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

/// Operations with which a grantee reads data, or makes others able to.
const READS: [&str; 2] = ["Decrypt", "ReEncryptFrom"];
/// Operations that tell about a key or let go of the grant, and touch no data.
const HARMLESS: [&str; 5] = ["DescribeKey", "GetPublicKey", "RetireGrant", "Verify", "VerifyMac"];
/// Every operation that a grant on a symmetric encryption key can hold.
const SYMMETRIC: [&str; 11] = [
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
    "RetireGrant",
];

/// What makes grants one finding: who gave whom what on this key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    creator: String,
    /// The creator asked for it itself, not a service on its behalf.
    direct: bool,
    grantee: String,
    operations: Vec<String>,
    /// Keys of the encryption context that it is bound to, and other constraints.
    constraints: Vec<String>,
}

impl Shape {
    fn of(created: &ControlEvent, cx: &Context<'_>) -> Self {
        let detail = &created.detail;
        let own_call = !matches!(cx.text(created.actor.call), "service-self" | "kms-internal");
        Self {
            creator: cx.text(created.actor.principal).to_string(),
            direct: created.actor.invoked_by.is_none() && own_call,
            grantee: detail.grantee.as_deref().unwrap_or_default().to_string(),
            operations: operations(detail.grant_operations.as_deref()).unwrap_or_default(),
            constraints: constraints(detail.grant_constraints.as_deref()),
        }
    }

    fn constrained(&self) -> bool {
        !self.constraints.is_empty()
    }
}

/// Why a grant is too broad, and how bad that is.
struct Verdict {
    severity: Severity,
    /// The grantee belongs to an account that is not trusted.
    foreign: bool,
    reasons: Vec<String>,
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let mut shapes: BTreeMap<Shape, Vec<&Grant>> = BTreeMap::new();
    for grant in &key.history.grants {
        shapes.entry(Shape::of(&key.events[grant.created], cx)).or_default().push(grant);
    }
    shapes.into_iter().filter_map(|(shape, grants)| finding(key, &shape, &grants, cx)).collect()
}

fn finding(key: &KeyView, shape: &Shape, grants: &[&Grant], cx: &Context<'_>) -> Option<Draft> {
    let verdict = judge(key, grants, shape, cx)?;
    // A grant that ended within minutes did little: a mistake that was mended, unless it went to a stranger.
    let brief = i64::from(cx.settings.options.over_broad_grant.revoked_within_minutes) * MINUTE;
    let lasting = grants.iter().any(|grant| match grant.ended {
        Some(end) => key.events[end].event.time - key.events[grant.created].event.time > brief,
        None => true,
    });
    let severity = match (lasting, verdict.foreign) {
        (true, _) => verdict.severity,
        (false, true) => Severity::Medium,
        (false, false) => return None,
    };

    let open: Vec<&&Grant> = grants.iter().filter(|grant| grant.ended.is_none()).collect();
    let first = &key.events[grants[0].created];
    let detail = &first.detail;
    let mut draft = Draft::of_key(key, severity, RULE.confidence);
    draft.subject = vec![
        shape.creator.clone(),
        shape.grantee.clone(),
        shape.operations.join(","),
        format!("{}:{}", shape.direct, shape.constraints.join(",")),
    ];
    draft.anchor = cx.id(&first.event);
    draft.principal = Some(cx.principal(&first.actor));
    draft.first_seen = first.event.time;
    draft.last_seen = grants.iter().map(|grant| key.events[grant.ended.unwrap_or(grant.created)].event.time).max()?;
    draft.count = grants.len() as u64;
    draft.status = if open.is_empty() { Status::Closed } else { Status::Open };
    let whom = grantee_label(cx.text(detail.grantee_kind), cx.text(detail.grantee_account), &shape.grantee);
    draft.title = format!(
        "{} granted {} on {} to {whom}{}",
        cx.who(&first.actor),
        list(&shape.operations, 3),
        key.label(),
        if shape.constrained() { "" } else { " without constraints" }
    );
    let constrained = detail.grant_constraints.as_deref().map(|json| cx.constraints(json));
    draft.fact("why", verdict.reasons.join("; "));
    draft.fact("grantee", shape.grantee.clone());
    let operations = if shape.operations.is_empty() { "not in the record".into() } else { shape.operations.join(", ") };
    draft.fact("operations", operations);
    draft.fact("constraints", constrained.as_deref().unwrap_or("none"));
    draft.fact("retiring principal", detail.retiring_principal.as_deref().unwrap_or("none"));
    draft.fact(
        "created",
        format!("{} from {}", instant(first.event.time), first.actor.source_ip.as_deref().unwrap_or("?")),
    );
    draft.fact("open", format!("{} of {}", open.len(), plural(grants.len() as u64, "grant")));
    if let Some(end) = grants.iter().filter_map(|grant| grant.ended).max_by_key(|end| key.events[*end].event.time) {
        let ended = &key.events[end];
        draft.fact("ended", format!("{} by {}", instant(ended.event.time), cx.who(&ended.actor)));
    }

    let ids = |grants: &mut dyn Iterator<Item = &Grant>| {
        let ids = grants.filter_map(|grant| key.events[grant.created].detail.grant_id.as_deref()).take(20);
        Detail::List(ids.map(|id| Detail::Text(id.to_string())).collect())
    };
    draft.detail("grantee", Detail::Text(shape.grantee.clone()));
    draft.detail("grantee_account", text_or_null(cx.text(detail.grantee_account)));
    draft.detail("grantee_kind", text_or_null(cx.text(detail.grantee_kind)));
    draft.detail("operations", Detail::List(shape.operations.iter().cloned().map(Detail::Text).collect()));
    draft.detail("constraints", constrained.map_or(Detail::Null, |text| Detail::Text(text.into_owned())));
    draft.detail("reasons", Detail::List(verdict.reasons.into_iter().map(Detail::Text).collect()));
    let used = grantee::has_used(key, first, cx);
    draft.detail("used", used.map_or(Detail::Null, Detail::Bool));
    draft.detail("chain", Detail::Int(i64::from(grantee::depth(key, first, cx))));
    draft.detail("open_grant_ids", ids(&mut open.iter().map(|grant| **grant)));
    draft.detail("grants_open", Detail::Int(open.len() as i64));
    draft.detail("grants_total", Detail::Int(grants.len() as i64));

    for grant in grants.iter().take(EVIDENCE) {
        draft.evidence.push(cx.control_evidence(&key.events[grant.created], Role::Primary));
    }
    for end in grants.iter().filter_map(|grant| grant.ended).take(2) {
        draft.evidence.push(cx.control_evidence(&key.events[end], Role::Resolution));
    }
    draft.remediation = match open.first().and_then(|grant| key.events[grant.created].detail.grant_id.as_deref()) {
        Some(id) => format!(
            "If nobody can say why it exists, end it:\naws kms revoke-grant --region {} --key-id {} --grant-id {}\nThen \
             look at what {} did with the key since {}.",
            word(&key.region),
            word(&key.arn),
            word(id),
            whom,
            instant(first.event.time)
        ),
        None => format!("The grant is gone. Check what {whom} did with the key while it stood."),
    };
    Some(draft)
}

/// Scores a grant; `None` when nothing about it is worth a finding.
fn judge(key: &KeyView, grants: &[&Grant], shape: &Shape, cx: &Context<'_>) -> Option<Verdict> {
    let created = &key.events[grants.first()?.created];
    let detail = &created.detail;
    let kind = cx.text(detail.grantee_kind);
    let account = cx.text(detail.grantee_account);
    let other = !account.is_empty() && account != key.account && !cx.settings.is_trusted(account);
    let member = other && cx.settings.accounts.is_member(account);
    let foreign = other && !member;
    if is_service(kind, &shape.grantee) {
        // How AWS services work, but in somebody else's account it is somebody else's use of the key.
        let reason = format!("the service role belongs to account {account}, which is not among the trusted accounts");
        if member {
            return Some(Verdict { severity: Severity::Info, foreign, reasons: vec![inside(account)] });
        }
        return foreign.then(|| Verdict { severity: Severity::Medium, foreign, reasons: vec![reason] });
    }
    let direct = shape.direct;
    if !direct && shape.constrained() && !other {
        return None;
    }
    let has = |operation: &str| shape.operations.iter().any(|own| own == operation);
    let unknown = detail.grant_operations.is_none();
    if !unknown && shape.operations.iter().all(|operation| HARMLESS.contains(&operation.as_str())) {
        return None;
    }

    let mut reasons: Vec<(Severity, String)> = Vec::new();
    if foreign {
        reasons.push((
            Severity::High,
            format!("the grantee belongs to account {account}, which is not among the trusted accounts"),
        ));
    }
    if member {
        reasons.push((Severity::Info, inside(account)));
    }
    if shape.grantee.contains('*') {
        reasons.push((Severity::High, "the grantee is a pattern, which may be anybody".into()));
    }
    if direct && has("CreateGrant") {
        reasons.push((Severity::High, "the grantee may pass its rights on (CreateGrant)".into()));
    }
    if !shape.constrained() {
        let writes = has("GenerateDataKey") || has("ReEncryptFrom");
        if direct && shape.operations.len() >= 4 && has("Decrypt") && writes {
            reasons.push((
                Severity::Medium,
                "many operations, reading and writing, without an encryption context constraint".into(),
            ));
        } else if READS.iter().any(|read| has(read)) {
            reasons.push((Severity::Medium, "reads any data under the key: no encryption context constraint".into()));
        }
    }
    if unknown && direct {
        reasons.push((Severity::Medium, "the record does not say which operations".into()));
    }
    if SYMMETRIC.iter().all(|operation| has(operation)) {
        reasons.push((Severity::Medium, "every operation that a grant can hold".into()));
    }
    let creator = &created.actor;
    if direct && (creator.arn.as_deref() == Some(shape.grantee.as_str()) || cx.text(creator.principal) == shape.grantee)
    {
        reasons.push((Severity::Medium, "the grantee gave it to itself".into()));
    }
    let depth = if direct { grantee::depth(key, created, cx) } else { 0 };
    if depth > 0 {
        let chain = plural(u64::from(depth), "grant");
        reasons.push((Severity::Medium, format!("made by the grantee of another grant: {chain} led to it")));
    }
    let unused = i64::from(cx.settings.options.over_broad_grant.never_used_days) * DAY;
    let idle = |grant: &&Grant| {
        let created = &key.events[grant.created];
        grant.ended.is_none()
            && cx.as_of - created.event.time >= unused
            && grantee::has_used(key, created, cx) == Some(false)
    };
    if direct && !grants.is_empty() && grants.iter().all(idle) {
        let whole = length(cx.as_of - created.event.time);
        reasons.push((Severity::Low, format!("the grantee never used the key in the {whole} since")));
    }
    if reasons.is_empty() {
        return None;
    }
    // What only says how a grant could be better makes no alarm of one that is in order.
    let alarming = reasons.iter().any(|(severity, _)| *severity > Severity::Info);
    if alarming && matches!(kind, "user") {
        reasons.push((Severity::Low, "the grantee is a user, not a role".into()));
    }
    if alarming && detail.retiring_principal.is_none() && !unknown && !has("RetireGrant") {
        reasons.push((Severity::Low, "nobody but an administrator can retire it".into()));
    }
    let severity = reasons.iter().map(|(severity, _)| *severity).max()?;
    reasons.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    Some(Verdict { severity, foreign, reasons: reasons.into_iter().map(|(_, reason)| reason).collect() })
}

fn inside(account: &str) -> String {
    format!("the grantee belongs to account {account}, of the own organization")
}

/// Grantees that are how AWS services work: service principals, service-linked roles, EC2's own infrastructure role.
/// The parts of the ARN are compared, not its text: whoever names a role or user may choose a path that looks the same.
fn is_service(kind: &str, grantee: &str) -> bool {
    let fields: Vec<&str> = grantee.splitn(6, ':').collect();
    let ec2 = match fields.as_slice() {
        ["arn", _, "sts", _, _, resource] => resource.starts_with("assumed-role/aws:ec2-infrastructure/"),
        ["arn", ..] => false,
        [account, "aws", "ec2-infrastructure", ..] => account.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    let linked = match fields.as_slice() {
        ["arn", _, "iam", _, _, resource] => resource.starts_with("role/aws-service-role/"),
        _ => false,
    };
    matches!(kind, "service" | "aws-internal") || linked || ec2
}

/// What a grant is bound to: the keys of its encryption context, or the kind of another constraint.
fn constraints(json: Option<&str>) -> Vec<String> {
    let Some(Ok(serde_json::Value::Object(constraints))) = json.map(serde_json::from_str) else {
        return json.map(|_| "unreadable".to_string()).into_iter().collect();
    };
    let mut keys: Vec<String> = constraints
        .into_iter()
        .flat_map(|(kind, value)| match value {
            serde_json::Value::Object(pairs) => pairs.into_iter().map(|(key, _)| key).collect(),
            _ => vec![kind],
        })
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

fn operations(json: Option<&str>) -> Option<Vec<String>> {
    let names: BTreeSet<String> = serde_json::from_str(json?).ok()?;
    Some(names.into_iter().collect())
}

fn grantee_label(kind: &str, account: &str, grantee: &str) -> String {
    let (account, grantee) = (&*plain(account), &*plain(grantee));
    match (kind, account) {
        ("root" | "account", account) if !account.is_empty() => format!("the whole account {account}"),
        (_, "") if grantee.is_empty() => "a grantee that the record does not name".into(),
        (_, "") => grantee.to_string(),
        (_, account) => format!("{} in {account}", short_principal(grantee)),
    }
}

fn list(names: &[String], most: usize) -> String {
    match names.len() {
        0 => "unknown operations".into(),
        count if count <= most => names.join(", "),
        count => format!("{} and {} more", names[..most].join(", "), count - most),
    }
}

//! How broad a grant is: the same for grants that the log shows and for those that only an inventory has.

use std::collections::BTreeSet;

use super::context::{Context, short_principal};
use super::time::{length, plural};
use crate::finding::{Severity, plain};
use crate::inventory::Grant;
use crate::view::KeyView;
use crate::view::ledger::ControlEvent;

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
pub struct Shape {
    /// Who made it; empty when that is not known.
    pub creator: String,
    /// The creator asked for it itself, not a service on its behalf.
    pub direct: bool,
    /// Who may use it.
    pub grantee: String,
    /// What it allows, sorted.
    pub operations: Vec<String>,
    /// Keys of the encryption context that it is bound to, and other constraints.
    pub constraints: Vec<String>,
}

impl Shape {
    /// The shape of a grant that the log shows.
    pub fn of(created: &ControlEvent, cx: &Context<'_>) -> Self {
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

    /// The shape of a grant that only the inventory has. Who made it is not known; services bind theirs, as far as they go to
    /// others than services: what is bound to nothing counts as made by somebody.
    pub fn said(grant: &Grant) -> Self {
        let constraints = constraints(grant.constraints.as_deref());
        let operations: BTreeSet<String> = grant.operations.iter().cloned().collect();
        Self {
            creator: String::new(),
            direct: constraints.is_empty(),
            grantee: grant.grantee.clone().unwrap_or_default(),
            operations: operations.into_iter().collect(),
            constraints,
        }
    }

    /// It is bound to something.
    pub fn constrained(&self) -> bool {
        !self.constraints.is_empty()
    }
}

/// Why a grant is too broad, and how bad that is.
pub struct Verdict {
    /// How bad.
    pub severity: Severity,
    /// The grantee belongs to an account that is not trusted.
    pub foreign: bool,
    /// The heaviest first.
    pub reasons: Vec<String>,
}

/// What else is known of a grant.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Kind of the grantee.
    pub kind: &'a str,
    /// Account of the grantee; empty when it names none.
    pub account: &'a str,
    /// Which operations it allows is not known.
    pub unknown: bool,
    /// Somebody may retire it.
    pub retiring: bool,
    /// The grantee made it.
    pub own: bool,
    /// Grants that led to it.
    pub depth: u32,
    /// The grantee never used the key since: for so long, milliseconds.
    pub idle: Option<i64>,
}

/// Scores a grant; `None` when nothing about it is worth a finding.
pub fn judge(key: &KeyView, about: &About<'_>, shape: &Shape, cx: &Context<'_>) -> Option<Verdict> {
    let About { kind, account, unknown, .. } = *about;
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
    if direct && about.own {
        reasons.push((Severity::Medium, "the grantee gave it to itself".into()));
    }
    if about.depth > 0 {
        let chain = plural(u64::from(about.depth), "grant");
        reasons.push((Severity::Medium, format!("made by the grantee of another grant: {chain} led to it")));
    }
    if let Some(idle) = about.idle.filter(|_| direct) {
        let whole = length(idle);
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
    if alarming && !about.retiring && !unknown && !has("RetireGrant") {
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

/// A grantee in a few words.
pub fn grantee_label(kind: &str, account: &str, grantee: &str) -> String {
    let (account, grantee) = (&*plain(account), &*plain(grantee));
    match (kind, account) {
        ("root" | "account", account) if !account.is_empty() => format!("the whole account {account}"),
        (_, "") if grantee.is_empty() => "a grantee that the record does not name".into(),
        (_, "") => grantee.to_string(),
        (_, account) => format!("{} in {account}", short_principal(grantee)),
    }
}

/// The first few of some operations.
pub fn list(names: &[String], most: usize) -> String {
    match names.len() {
        0 => "unknown operations".into(),
        count if count <= most => names.join(", "),
        count => format!("{} and {} more", names[..most].join(", "), count - most),
    }
}

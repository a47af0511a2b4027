//! One key in one row: what it is, how it stands, who uses it for what, and what that costs. Only what the log proves, or
//! KMS said when an inventory was taken; everything else is `None`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::activity::Series;
use super::beside::{Contradiction, Reach, Unseen, rotation_status, standing};
use super::history::KeyState;
use super::key::KeyView;
use crate::frame::{Dictionary, Sym};
use crate::inventory::{KeyFacts, Kind};

/// Principals and resources that a row names; the others are counted.
pub const TOP: usize = 5;
/// KMS is consistent in the end only: for so long a call may still succeed after its key was disabled, milliseconds.
const SETTLES_MS: i64 = 5 * 60_000;

/// Prices in millionths of a US dollar, from <https://aws.amazon.com/kms/pricing/>, one Region's list. They differ a little
/// between Regions.
pub mod price {
    /// A customer managed key for a month.
    pub const KEY_MONTH: u64 = 1_000_000;
    /// More per month after each of the first two rotations.
    pub const ROTATION_MONTH: u64 = 1_000_000;
    /// Rotations that are charged.
    pub const ROTATIONS: u64 = 2;
    /// A request with a symmetric, HMAC or `RSA_2048` key: $0.03 per 10,000.
    pub const REQUEST: u64 = 3;
    /// A request with another asymmetric key: $0.15 per 10,000.
    pub const REQUEST_ASYMMETRIC: u64 = 15;
}

/// Who made and manages a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// The account's owner.
    Customer,
    /// An AWS service (`alias/aws/...`).
    Aws,
}

/// Place of a key among its copies in other Regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionRole {
    /// Has no copies and cannot have any.
    Single,
    /// The one that the others follow.
    Primary,
    /// Follows its primary.
    Replica,
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// Switched on.
    On,
    /// Switched off.
    Off,
    /// A key of this kind cannot rotate by itself.
    Unavailable,
    /// As of the primary key.
    AsPrimary,
}

/// State of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stands {
    /// The state.
    pub state: KeyState,
    /// Since when, where the log shows the change.
    pub since: Option<i64>,
    /// When KMS said so, where an inventory is what tells it.
    pub captured_at: Option<i64>,
}

/// Something and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Principal or resource, as logged.
    pub name: String,
    /// Successful uses.
    pub uses: u64,
    /// Time of the last one, milliseconds.
    pub last: i64,
}

/// One key.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// Key ARN.
    pub arn: String,
    /// Key id.
    pub id: String,
    /// Account of the key.
    pub account: String,
    /// Region of the key.
    pub region: String,
    /// Aliases that point at it.
    pub aliases: Vec<String>,
    /// Who manages it.
    pub manager: Option<Manager>,
    /// Spec.
    pub spec: Option<String>,
    /// Usage.
    pub usage: Option<String>,
    /// Origin of the material.
    pub origin: Option<String>,
    /// Place among its copies.
    pub role: Option<RegionRole>,
    /// ARN of the primary of a replica.
    pub primary: Option<String>,
    /// State.
    pub state: Option<Stands>,
    /// A successful use after the log shows the key unusable: what made it usable again is not in the log.
    pub contradicted: bool,
    /// Automatic rotation.
    pub rotation: Option<Rotation>,
    /// Period of automatic rotation while it is on, days, where the log tells it.
    pub rotation_days: Option<i64>,
    /// When rotation was switched to what it is.
    pub rotation_since: Option<i64>,
    /// When KMS said how rotation is, where an inventory is what tells it.
    pub rotation_captured_at: Option<i64>,
    /// The last rotation that the log shows, or KMS told.
    pub last_rotation: Option<i64>,
    /// When it was created, if the log shows it.
    pub created: Option<i64>,
    /// First and last successful cryptographic call.
    pub used: Option<(i64, i64)>,
    /// Successful cryptographic calls.
    pub uses: u64,
    /// Cryptographic calls that failed.
    pub failures: u64,
    /// Principals that used it most.
    pub principals: Vec<Counted>,
    /// Principals that used it.
    pub principals_total: u64,
    /// Resources that it was used for most.
    pub resources: Vec<Counted>,
    /// Resources that are told apart.
    pub resources_total: u64,
    /// Uses for resources beyond those that are told apart.
    pub resources_overflow: u64,
    /// Some resource is a whole bucket: S3 Bucket Keys are on, and which objects were read is not in the log.
    pub whole_buckets: bool,
    /// Grants that the log shows created and not ended.
    pub open_grants: u64,
    /// Calls of KMS on this key, failed ones too.
    pub requests: u64,
    /// Of these, calls whose price depends on what the log does not tell (`GenerateDataKeyPair`).
    pub unpriced: u64,
    /// What the priced requests cost, millionths of a dollar.
    pub requests_cost: u64,
    /// What the key itself costs a month, millionths of a dollar; `None` when who manages it, or its state, is not known.
    pub month_cost: Option<u64>,
    /// What an inventory says of it.
    pub facts: Option<Arc<KeyFacts>>,
    /// Of what log and inventory say different things.
    pub contradictions: Vec<Contradiction>,
    /// Only an inventory has it.
    pub not_in_log: bool,
    /// What neither log nor inventory shows of it.
    pub unseen: Unseen,
    /// Of a replica: the rotation of its primary, when that is among the keys.
    pub primary_rotation: Option<Rotates>,
}

/// Rotation of a primary, which is that of its replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotates {
    /// Automatic rotation.
    pub automatic: Option<Rotation>,
    /// Period while it is on, days.
    pub days: Option<i64>,
    /// When it was switched to what it is, milliseconds.
    pub since: Option<i64>,
    /// The last rotation, milliseconds.
    pub last: Option<i64>,
    /// When KMS said so, where an inventory is what tells it; milliseconds.
    pub captured_at: Option<i64>,
}

impl KeyRow {
    /// The row of a key, as of the end of what was read.
    pub fn of(key: &KeyView, dictionary: &Dictionary, reach: Reach) -> Self {
        let as_of = reach.to;
        let facts = key.beside.facts.as_deref();
        let kind = facts.and_then(|facts| facts.kind.as_ref()).map(|fact| &fact.value);
        let text = |sym: Option<Sym>| sym.map(|sym| dictionary.text(sym)).filter(|text| !text.is_empty());
        let created = key.history.created.map(|at| &key.events[at]);
        let told = |of: fn(&super::ledger::ControlDetail) -> Option<Sym>| {
            created.and_then(|control| text(of(&control.detail))).map(str::to_string)
        };
        let uses = || key.series.iter().filter(|series| is_use(series, dictionary));
        let called = |names: &[&str]| uses().any(|series| names.contains(&dictionary.text(series.key.name)));
        let managed = |names: &[&str]| {
            key.events.iter().any(|control| control.error.is_none() && names.contains(&dictionary.text(control.name)))
        };

        let symmetric = called(&["GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair"]);
        let said = |of: fn(&Kind) -> &Option<String>| kind.and_then(|kind| of(kind).clone());
        let spec = told(|detail| detail.key_spec)
            .or_else(|| said(|kind| &kind.spec))
            .or_else(|| symmetric.then(|| "SYMMETRIC_DEFAULT".to_string()));
        let usage = told(|detail| detail.key_usage)
            .or_else(|| said(|kind| &kind.usage))
            .or_else(|| proven_usage(&called).map(str::to_string));
        let imported = managed(&["ImportKeyMaterial", "DeleteImportedKeyMaterial", "DeleteExpiredKeyMaterial"]);
        let origin = told(|detail| detail.key_origin)
            .or_else(|| said(|kind| &kind.origin))
            .or_else(|| imported.then(|| "EXTERNAL".to_string()));
        let manager = match told(|detail| detail.key_manager).or_else(|| said(|kind| &kind.manager)).as_deref() {
            Some("AWS") => Some(Manager::Aws),
            Some("CUSTOMER") => Some(Manager::Customer),
            _ if key.is_aws_managed() => Some(Manager::Aws),
            // A key has one alias of a service or those of its owner; only an owner can do the rest.
            _ if !key.aliases.is_empty() || managed(&OWNERS) => Some(Manager::Customer),
            _ => None,
        };
        let logged_role =
            role(key, created.and_then(|control| control.detail.multi_region_config.as_deref()), &managed);

        let role = logged_role.or_else(|| told_role(facts));

        let used = span(uses());
        let known = key.history.state_at(as_of);
        let contradicted = known.zip(used).is_some_and(|(change, (_, last))| {
            change.state.is_unusable() && last > change.at.saturating_add(SETTLES_MS)
        });
        let state = stands(known.filter(|_| !contradicted).map(|change| (change.state, change.at)), facts);

        let fixed = role == Some(RegionRole::Replica);
        let change = key.history.rotation_at(as_of);
        let status = facts.and_then(rotation_status);
        // The later word counts.
        let status = status.filter(|fact| change.is_none_or(|change| change.at <= fact.stamp.captured_at));
        let change = change.filter(|change| status.is_none_or(|fact| fact.value.enabled == change.enabled));
        let cannot = spec.as_deref().is_some_and(|spec| spec != "SYMMETRIC_DEFAULT")
            || usage.as_deref().is_some_and(|usage| usage != "ENCRYPT_DECRYPT")
            || origin.as_deref().is_some_and(|origin| origin != "AWS_KMS");
        let rotation = match (manager, change) {
            (Some(Manager::Aws), _) => Some(Rotation::On),
            _ if fixed => Some(Rotation::AsPrimary),
            (_, Some(change)) => Some(if change.enabled { Rotation::On } else { Rotation::Off }),
            _ if status.is_some_and(|fact| fact.value.enabled) => Some(Rotation::On),
            _ if cannot => Some(Rotation::Unavailable),
            _ if status.is_some() => Some(Rotation::Off),
            // Off is how every key starts.
            _ if created.is_some() && spec.is_some() && origin.is_some() => Some(Rotation::Off),
            _ => None,
        };
        let rotations = &key.history.rotations;
        let last_rotation = rotations.last().map(|at| key.events[*at].event.time);
        let dated = facts.and_then(|facts| facts.rotations.as_ref()).and_then(|fact| fact.value.last());
        let last_rotation = last_rotation.max(dated.map(|rotation| rotation.0));
        let rotated = facts.and_then(|facts| facts.rotations.as_ref()).map_or(0, |fact| fact.value.len());

        let (principals, principals_total) = principals(uses(), dictionary);
        let requests: u64 = key.series.iter().filter(|series| series.key.operation.is_some()).map(Series::count).sum();
        let pairs = |series: &&Series| dictionary.text(series.key.name).starts_with("GenerateDataKeyPair");
        let unpriced = key.series.iter().filter(pairs).map(Series::count).sum::<u64>();
        let requests = requests + key.events.len() as u64 - service_events(key, dictionary);
        let priced = requests.saturating_sub(unpriced);

        Self {
            arn: key.arn.clone(),
            id: key.id.clone(),
            account: key.account.clone(),
            region: key.region.clone(),
            aliases: key.aliases.clone(),
            manager,
            role,
            primary: key.primary.clone(),
            state,
            contradicted,
            rotation,
            rotation_days: status
                .filter(|fact| fact.value.enabled)
                .and_then(|fact| fact.value.period_days)
                .or_else(|| change.filter(|change| change.enabled && !fixed).map(|change| change.period_days)),
            rotation_captured_at: status.filter(|_| change.is_none()).map(|fact| fact.stamp.captured_at),
            rotation_since: change.filter(|_| !fixed).map(|change| change.at),
            last_rotation,
            created: created.map(|control| control.event.time).or_else(|| kind.and_then(|kind| kind.created)),
            used,
            uses: uses().map(Series::count).sum(),
            failures: key
                .series
                .iter()
                .filter(|series| is_crypto(series, dictionary) && !series.succeeded())
                .map(Series::count)
                .sum(),
            principals,
            principals_total,
            resources: resources(key),
            resources_total: key.resources.len() as u64,
            resources_overflow: key.resources_overflow,
            whole_buckets: key.resources.iter().any(|resource| is_bucket(&resource.name)),
            open_grants: key.history.grants.iter().filter(|grant| grant.ended.is_none()).count() as u64,
            requests,
            unpriced,
            requests_cost: priced.saturating_mul(request_price(spec.as_deref())),
            month_cost: month_cost(
                manager,
                state.map(|state| state.state),
                contradicted && state.is_none(),
                rotations.len().max(rotated) as u64,
            ),
            spec,
            usage,
            origin,
            facts: key.beside.facts.clone(),
            contradictions: key.beside.contradictions.clone(),
            not_in_log: key.beside.not_in_log,
            unseen: Unseen::of(key, dictionary),
            primary_rotation: None,
        }
    }

    /// How it rotates by itself.
    pub fn rotates(&self) -> Rotates {
        Rotates {
            automatic: self.rotation,
            days: self.rotation_days,
            since: self.rotation_since,
            last: self.last_rotation,
            captured_at: self.rotation_captured_at,
        }
    }

    /// Alias, else key id.
    pub fn label(&self) -> &str {
        self.aliases.first().map_or(self.id.as_str(), String::as_str)
    }
}

/// The state by the later word: the last change that the log shows, or what KMS said.
fn stands(logged: Option<(KeyState, i64)>, facts: Option<&KeyFacts>) -> Option<Stands> {
    let logged = logged.map(|(state, at)| Stands { state, since: Some(at), captured_at: None });
    let Some((stamp, state)) = facts.and_then(standing) else { return logged };
    let at = stamp.captured_at;
    match logged {
        Some(known) if known.since.is_some_and(|since| since > at) || known.state == state => logged,
        _ => Some(Stands { state, since: None, captured_at: Some(at) }),
    }
}

fn told_role(facts: Option<&KeyFacts>) -> Option<RegionRole> {
    match facts?.standing.as_ref()?.value.multi_region.as_deref() {
        Some("PRIMARY") => Some(RegionRole::Primary),
        Some("REPLICA") => Some(RegionRole::Replica),
        _ => None,
    }
}

/// What KMS lets only the owner of a customer managed key do.
const OWNERS: [&str; 14] = [
    "CreateKey",
    "DisableKey",
    "EnableKey",
    "ScheduleKeyDeletion",
    "CancelKeyDeletion",
    "PutKeyPolicy",
    "EnableKeyRotation",
    "DisableKeyRotation",
    "RotateKeyOnDemand",
    "ImportKeyMaterial",
    "ReplicateKey",
    "UpdatePrimaryRegion",
    "TagResource",
    "UpdateKeyDescription",
];

fn is_crypto(series: &Series, dictionary: &Dictionary) -> bool {
    series.key.operation.is_some_and(|operation| dictionary.text(operation) == "crypto")
}

fn is_use(series: &Series, dictionary: &Dictionary) -> bool {
    series.succeeded() && is_crypto(series, dictionary)
}

fn span<'s>(series: impl Iterator<Item = &'s Series>) -> Option<(i64, i64)> {
    let spans = series.filter_map(|series| Some((series.cells.first()?.first.time, series.cells.last()?.last())));
    spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// KMS refuses what a key is not made for: a call that succeeded tells its usage.
fn proven_usage(called: &dyn Fn(&[&str]) -> bool) -> Option<&'static str> {
    let known: [(&[&str], &str); 5] = [
        (
            &[
                "Encrypt",
                "Decrypt",
                "ReEncrypt",
                "GenerateDataKey",
                "GenerateDataKeyWithoutPlaintext",
                "GenerateDataKeyPair",
            ],
            "ENCRYPT_DECRYPT",
        ),
        (&["Sign", "Verify"], "SIGN_VERIFY"),
        (&["GenerateMac", "VerifyMac"], "GENERATE_VERIFY_MAC"),
        (&["DeriveSharedSecret"], "KEY_AGREEMENT"),
        (&["Encapsulate", "Decapsulate"], "KEY_ENCAPSULATION"),
    ];
    known.into_iter().find(|(names, _)| called(names)).map(|(_, usage)| usage)
}

fn role(key: &KeyView, config: Option<&str>, managed: &dyn Fn(&[&str]) -> bool) -> Option<RegionRole> {
    if !key.id.starts_with("mrk-") {
        return Some(RegionRole::Single);
    }
    if key.primary.is_some() {
        return Some(RegionRole::Replica);
    }
    // Only a primary can be copied or have its rotation changed; a key that became a replica since has a `primary`.
    let first = config.is_some_and(|config| config.contains("\"PRIMARY\""));
    let primary = first || managed(&["ReplicateKey", "EnableKeyRotation", "DisableKeyRotation", "UpdatePrimaryRegion"]);
    let replica = config.is_some_and(|config| config.contains("\"REPLICA\""));
    match (primary, replica) {
        (true, _) => Some(RegionRole::Primary),
        (false, true) => Some(RegionRole::Replica),
        (false, false) => None,
    }
}

/// Most uses first; the same number by name.
fn top(mut all: Vec<Counted>) -> Vec<Counted> {
    all.sort_by(|a, b| b.uses.cmp(&a.uses).then_with(|| a.name.cmp(&b.name)));
    all.truncate(TOP);
    all
}

fn principals<'s>(uses: impl Iterator<Item = &'s Series>, dictionary: &Dictionary) -> (Vec<Counted>, u64) {
    let mut by: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for series in uses {
        let name = series.key.principal.or(series.key.via).map(|sym| dictionary.text(sym)).unwrap_or_default();
        let known = by.entry(name).or_insert((0, i64::MIN));
        known.0 += series.count();
        known.1 = known.1.max(series.cells.last().map_or(i64::MIN, super::activity::Cell::last));
    }
    let all: Vec<Counted> =
        by.into_iter().map(|(name, (uses, last))| Counted { name: name.to_string(), uses, last }).collect();
    let total = all.len() as u64;
    (top(all), total)
}

fn resources(key: &KeyView) -> Vec<Counted> {
    let counted = |resource: &super::resources::ResourceUse| Counted {
        name: resource.name.to_string(),
        uses: resource.uses,
        last: resource.last,
    };
    top(key.resources.iter().map(counted).collect())
}

/// The ARN of a bucket, not of an object in it.
fn is_bucket(resource: &str) -> bool {
    resource.starts_with("arn:") && resource.contains(":s3:::") && !resource.contains('/')
}

/// What KMS did by itself is no request.
fn service_events(key: &KeyView, dictionary: &Dictionary) -> u64 {
    let names = ["RotateKey", "DeleteKey", "DeleteExpiredKeyMaterial"];
    key.events.iter().filter(|control| names.contains(&dictionary.text(control.name))).count() as u64
}

/// A spec that the log does not tell is priced as the most common one.
fn request_price(spec: Option<&str>) -> u64 {
    let other = |spec: &str| {
        spec.starts_with("ECC_") || spec.starts_with("ML_") || spec == "SM2" || spec == "RSA_3072" || spec == "RSA_4096"
    };
    if spec.is_some_and(other) { price::REQUEST_ASYMMETRIC } else { price::REQUEST }
}

fn month_cost(manager: Option<Manager>, state: Option<KeyState>, contradicted: bool, rotations: u64) -> Option<u64> {
    match (manager?, state) {
        (Manager::Aws, _) | (_, Some(KeyState::PendingDeletion | KeyState::Deleted)) => Some(0),
        _ if contradicted => None,
        (Manager::Customer, _) => Some(price::KEY_MONTH + rotations.min(price::ROTATIONS) * price::ROTATION_MONTH),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_follow_kind_and_state() {
        let customer = Some(Manager::Customer);
        assert_eq!(month_cost(customer, Some(KeyState::Enabled), false, 0), Some(1_000_000));
        assert_eq!(
            month_cost(customer, Some(KeyState::Disabled), false, 7),
            Some(3_000_000),
            "two rotations are charged"
        );
        assert_eq!(month_cost(customer, Some(KeyState::PendingDeletion), false, 7), Some(0));
        assert_eq!(month_cost(Some(Manager::Aws), None, false, 0), Some(0));
        assert_eq!(month_cost(None, Some(KeyState::Enabled), false, 0), None, "never guessed");
        assert_eq!(
            [None, Some("RSA_2048"), Some("RSA_4096"), Some("ECC_NIST_P256")].map(request_price),
            [3, 3, 15, 15]
        );
    }

    #[test]
    fn buckets_are_told_from_objects() {
        assert!(is_bucket("arn:aws:s3:::exports") && is_bucket("arn:aws-cn:s3:::exports"));
        assert!(!is_bucket("arn:aws:s3:::exports/2026/a.csv") && !is_bucket("aws:ebs:id=vol-1"));
    }

    #[test]
    fn the_most_used_come_first() {
        let counted = |name: &str, uses| Counted { name: name.to_string(), uses, last: 0 };
        let all =
            vec![counted("c", 1), counted("b", 9), counted("a", 9), counted("d", 2), counted("e", 3), counted("f", 4)];
        let names: Vec<String> = top(all).into_iter().map(|counted| counted.name).collect();
        assert_eq!(names, ["a", "b", "f", "e", "d"]);
    }
}

//! `--format json`: one document, `keytrail.keys/1`. What the log does not tell is `null`, or `unknown` where a word stands.

use serde::Serialize;

use super::facts::Facts;
use super::{Inventory, dollars, manager, role, rotation, state};
use crate::report::{escape, human, wire};
use crate::view::inventory::{Counted, KeyRow, Rotates, Rotation as Automatic, price};

/// Name and version of the document.
pub const SCHEMA: &str = "keytrail.keys/1";

/// The document, indented, with a line break at its end.
pub fn render(inventory: &Inventory) -> String {
    let report = &inventory.report;
    let keys = Keys {
        schema: SCHEMA,
        run: wire::Run::of(report),
        coverage: wire::Coverage::of(report),
        prices: Prices {
            source: "https://aws.amazon.com/kms/pricing/",
            key_month: dollars(price::KEY_MONTH),
            rotation_month: dollars(price::ROTATION_MONTH),
            request: dollars(price::REQUEST),
            request_asymmetric: dollars(price::REQUEST_ASYMMETRIC),
        },
        keys: inventory.keys.iter().map(Key::of).collect(),
        skipped: report.coverage.skipped.iter().map(wire::Skipped::of).collect(),
        notices: &report.notices,
    };
    // Wire types hold strings, numbers and lists only, which cannot fail to serialize.
    let mut document = escape::json_document(serde_json::to_string_pretty(&keys).unwrap_or_default());
    document.push('\n');
    document
}

#[derive(Serialize)]
struct Keys<'r> {
    schema: &'static str,
    run: wire::Run<'r>,
    coverage: wire::Coverage<'r>,
    prices: Prices,
    keys: Vec<Key<'r>>,
    skipped: Vec<wire::Skipped<'r>>,
    notices: &'r [String],
}

/// US dollars as decimal text; they differ a little between Regions.
#[derive(Serialize)]
struct Prices {
    source: &'static str,
    key_month: String,
    rotation_month: String,
    request: String,
    request_asymmetric: String,
}

/// One key.
#[derive(Serialize)]
pub(in crate::report) struct Key<'r> {
    account: &'r str,
    region: &'r str,
    id: &'r str,
    arn: &'r str,
    aliases: &'r [String],
    manager: &'static str,
    spec: Option<&'r str>,
    usage: Option<&'r str>,
    origin: Option<&'r str>,
    multi_region: &'static str,
    primary: Option<&'r str>,
    state: &'static str,
    state_since: Option<String>,
    /// When KMS said so, where an inventory is what tells the state.
    state_captured_at: Option<String>,
    /// A use succeeded after the log shows the key unusable: the log misses what was done between.
    state_contradicted: bool,
    rotation: Rotation,
    created: Option<String>,
    first_use: Option<String>,
    last_use: Option<String>,
    uses: u64,
    failures: u64,
    principals: Top<'r>,
    resources: Resources<'r>,
    open_grants: u64,
    requests: u64,
    cost: Cost,
    /// False for a key that only an inventory has.
    in_log: bool,
    /// What KMS said of it; null without an inventory.
    inventory: Option<Facts<'r>>,
    /// Of what log and inventory say different things.
    contradictions: Vec<wire::Contradiction<'r>>,
}

#[derive(Serialize)]
struct Rotation {
    /// `as-primary`: what the primary does is in `of_primary`.
    automatic: &'static str,
    period_days: Option<i64>,
    since: Option<String>,
    last: Option<String>,
    /// When KMS said so, where an inventory is what tells `automatic`.
    captured_at: Option<String>,
    /// Rotation of the primary of a replica; null where the primary is not among the keys. Not there for other keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_primary: Option<Option<Box<Self>>>,
}

impl Rotation {
    fn of(rotates: &Rotates) -> Self {
        Self {
            automatic: rotation(rotates.automatic),
            period_days: rotates.days,
            since: rotates.since.map(human::rfc3339),
            last: rotates.last.map(human::rfc3339),
            captured_at: rotates.captured_at.map(human::rfc3339),
            of_primary: None,
        }
    }
}

#[derive(Serialize)]
struct Top<'r> {
    total: u64,
    top: Vec<Use<'r>>,
}

#[derive(Serialize)]
struct Resources<'r> {
    #[serde(flatten)]
    known: Top<'r>,
    /// Uses for resources beyond `total`, which are not told apart.
    other_uses: u64,
    /// Some resource is a whole bucket (S3 Bucket Keys): which objects were read is not in the log.
    whole_buckets: bool,
}

#[derive(Serialize)]
struct Use<'r> {
    name: &'r str,
    uses: u64,
    last: String,
}

/// US dollars as decimal text. `requests` is for the time of the log, the free tier not taken off.
#[derive(Serialize)]
struct Cost {
    requests: String,
    unpriced_requests: u64,
    key_month: Option<String>,
}

impl<'r> Key<'r> {
    pub(in crate::report) fn of(key: &'r KeyRow) -> Self {
        Self {
            account: &key.account,
            region: &key.region,
            id: &key.id,
            arn: &key.arn,
            aliases: &key.aliases,
            manager: manager(key),
            spec: key.spec.as_deref(),
            usage: key.usage.as_deref(),
            origin: key.origin.as_deref(),
            multi_region: role(key.role),
            primary: key.primary.as_deref(),
            state: state(key),
            state_since: key.state.and_then(|stands| stands.since).map(human::rfc3339),
            state_captured_at: key.state.and_then(|stands| stands.captured_at).map(human::rfc3339),
            state_contradicted: key.contradicted,
            rotation: Rotation {
                of_primary: (key.rotation == Some(Automatic::AsPrimary))
                    .then(|| key.primary_rotation.as_ref().map(|of| Box::new(Rotation::of(of)))),
                ..Rotation::of(&key.rotates())
            },
            created: key.created.map(human::rfc3339),
            first_use: key.used.map(|used| human::rfc3339(used.0)),
            last_use: key.used.map(|used| human::rfc3339(used.1)),
            uses: key.uses,
            failures: key.failures,
            principals: Top::of(&key.principals, key.principals_total),
            resources: Resources {
                known: Top::of(&key.resources, key.resources_total),
                other_uses: key.resources_overflow,
                whole_buckets: key.whole_buckets,
            },
            open_grants: key.open_grants,
            requests: key.requests,
            cost: Cost {
                requests: dollars(key.requests_cost),
                unpriced_requests: key.unpriced,
                key_month: key.month_cost.map(dollars),
            },
            in_log: !key.not_in_log,
            inventory: key.facts.as_deref().map(Facts::of),
            contradictions: key.contradictions.iter().map(wire::Contradiction::of).collect(),
        }
    }
}

impl<'r> Top<'r> {
    fn of(top: &'r [Counted], total: u64) -> Self {
        let of =
            |counted: &'r Counted| Use { name: &counted.name, uses: counted.uses, last: human::rfc3339(counted.last) };
        Self { total, top: top.iter().map(of).collect() }
    }
}

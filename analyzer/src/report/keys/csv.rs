//! `--format csv`: one key per row. What the log does not tell is `unknown`.

use super::{Inventory, UNKNOWN, dollars, manager, role, rotation, state};
use crate::report::{escape, human};
use crate::view::inventory::{Counted, KeyRow};

const COLUMNS: [&str; 31] = [
    "account",
    "region",
    "key_id",
    "key_arn",
    "aliases",
    "manager",
    "spec",
    "usage",
    "origin",
    "multi_region",
    "state",
    "state_since",
    "rotation",
    "rotation_days",
    "last_rotation",
    "created",
    "first_use",
    "last_use",
    "uses",
    "failures",
    "principals",
    "principals_total",
    "resources",
    "resources_total",
    "open_grants",
    "requests",
    "requests_usd",
    "key_month_usd",
    "captured_at",
    "contradictions",
    "in_log",
];

/// Header and rows.
pub fn render(inventory: &Inventory) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory cannot fail, and every row has the same length.
    drop(writer.write_record(COLUMNS));
    for key in &inventory.keys {
        drop(writer.write_record(row(key).iter().map(|cell| escape::csv_cell(cell).into_owned())));
    }
    String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
}

fn row(key: &KeyRow) -> [String; COLUMNS.len()] {
    let time = |ms: Option<i64>| ms.map_or(UNKNOWN.to_string(), human::rfc3339);
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.to_string());
    let names = |all: &[Counted]| all.iter().map(|counted| counted.name.as_str()).collect::<Vec<_>>().join(" ");
    let captured = key.facts.as_ref().and_then(|facts| facts.captured_at());
    [
        key.account.clone(),
        key.region.clone(),
        key.id.clone(),
        key.arn.clone(),
        key.aliases.join(" "),
        manager(key).to_string(),
        text(&key.spec),
        text(&key.usage),
        text(&key.origin),
        role(key.role).to_string(),
        state(key).to_string(),
        time(key.state.and_then(|stands| stands.since)),
        rotation(key.rotation).to_string(),
        key.rotation_days.map_or(UNKNOWN.to_string(), |days| days.to_string()),
        time(key.last_rotation),
        time(key.created),
        time(key.used.map(|used| used.0)),
        time(key.used.map(|used| used.1)),
        key.uses.to_string(),
        key.failures.to_string(),
        names(&key.principals),
        key.principals_total.to_string(),
        names(&key.resources),
        key.resources_total.to_string(),
        key.open_grants.to_string(),
        key.requests.to_string(),
        dollars(key.requests_cost),
        key.month_cost.map_or(UNKNOWN.to_string(), dollars),
        captured.map_or(String::new(), human::rfc3339),
        key.contradictions.iter().map(|one| one.about).collect::<Vec<_>>().join(" "),
        (!key.not_in_log).to_string(),
    ]
}

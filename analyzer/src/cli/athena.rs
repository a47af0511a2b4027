//! Tables over a lake, and over files of findings, as Athena's DDL. `dashboards/athena/schema.sql` holds what this prints.
//!
//! Columns carry no comments: Glue cuts them at 255 characters, and quoting differs between engines. `keytrail schema`
//! tells what they mean.

use crate::frame::schema::{self, Kind};
use crate::lake::objects;
use crate::report::flat;

/// Where the example lake is, and what it has logs of: placeholders to be replaced.
const LAKE: &str = "s3://amzn-s3-demo-bucket/lake";
const ACCOUNTS: &str = "111122223333,444455556666,__unknown__";
const REGIONS: &str = "eu-west-1,us-east-1,__unknown__";
const DAYS: &str = "2024-01-01,NOW";

type Columns = Vec<(&'static str, &'static str)>;

/// Event rows of a lake. Numbers of objects mean nothing outside a run: their names stand there instead. Account and Region
/// are partitions.
pub(super) fn events() -> String {
    let of = |kind| match kind {
        Kind::Str | Kind::Cat => "string",
        Kind::Bool => "boolean",
        Kind::Int => "bigint",
        // As wide as in the files; no object has so many records that the sign would matter.
        Kind::U32 => "int",
        Kind::Time => "timestamp",
    };
    let own = schema::COLUMNS.iter().filter(|column| !matches!(column.name, "object" | "account" | "region"));
    let columns = std::iter::once(("object_uri", "string")).chain(own.map(|column| (column.name, of(column.kind))));
    table("events", "events", schema::VERSION, &columns.collect(), true)
}

/// Object rows of a lake, and those whose object's name tells no day.
pub(super) fn objects() -> String {
    let of = |kind| match kind {
        objects::Kind::Text => "string",
        objects::Kind::Count => "bigint",
        objects::Kind::Bool => "boolean",
        objects::Kind::Time => "timestamp",
    };
    let columns: Columns = objects::COLUMNS.iter().map(|column| (column.name, of(column.kind))).collect();
    let dated = table("objects", "objects", objects::VERSION, &columns, true);
    format!("{dated}\n{}", table("objects_undated", "objects", objects::VERSION, &columns, false))
}

/// Files of findings, put into one folder.
pub(super) fn findings() -> String {
    let of = |kind| match kind {
        flat::Kind::Text => "string",
        flat::Kind::Time => "timestamp",
        flat::Kind::Count => "bigint",
    };
    let columns: Columns = flat::COLUMNS.iter().map(|column| (column.name, of(column.kind))).collect();
    let head = head("findings", "findings", flat::VERSION, &columns);
    format!("{head}STORED AS PARQUET\nLOCATION '{LAKE}-findings/';\n")
}

fn head(name: &str, table: &str, version: u32, columns: &Columns) -> String {
    let columns: Vec<String> = columns.iter().map(|(name, kind)| format!("  `{name}` {kind}")).collect();
    format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS keytrail.{name} (\n{}\n)\nCOMMENT 'keytrail {table}, version {version}'\n",
        columns.join(",\n")
    )
}

/// A table whose partitions Athena works out by itself, from lists and a range instead of a catalog.
fn table(name: &str, folder: &str, version: u32, columns: &Columns, dated: bool) -> String {
    let mut text = head(name, folder, version, columns);
    text += "PARTITIONED BY (`account` string, `region` string";
    text += if dated { ", `date` string)\n" } else { ")\n" };
    text += &format!("STORED AS PARQUET\nLOCATION '{LAKE}/{folder}/'\nTBLPROPERTIES (\n");
    text += "  'projection.enabled' = 'true',\n";
    text += &format!("  'projection.account.type' = 'enum',\n  'projection.account.values' = '{ACCOUNTS}',\n");
    text += &format!("  'projection.region.type' = 'enum',\n  'projection.region.values' = '{REGIONS}',\n");
    if dated {
        text += "  'projection.date.type' = 'date',\n  'projection.date.format' = 'yyyy-MM-dd',\n";
        text += &format!("  'projection.date.range' = '{DAYS}',\n");
        text += "  'projection.date.interval' = '1',\n  'projection.date.interval.unit' = 'DAYS',\n";
    }
    let date = if dated { "${date}" } else { "__unknown__" };
    let place = format!("{LAKE}/{folder}/account=${{account}}/region=${{region}}/date={date}/");
    text += &format!("  'storage.location.template' = '{place}'\n);\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lake_has_no_column_twice() {
        for text in [events(), objects(), findings()] {
            for statement in text.split(";\n").filter(|statement| !statement.trim().is_empty()) {
                let columns = statement.lines().filter(|line| line.starts_with("  `"));
                let partitions =
                    if statement.contains("PARTITIONED BY") { vec!["account", "region", "date"] } else { vec![] };
                let mut names: Vec<&str> =
                    columns.filter_map(|line| line.split('`').nth(1)).chain(partitions).collect();
                let all = names.len();
                names.sort_unstable();
                names.dedup();
                assert!(all > 10 && names.len() == all, "{statement}");
            }
        }
    }
}

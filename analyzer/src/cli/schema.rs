//! `keytrail schema`: the columns of the files that keytrail writes, from the tables that write them.

use serde::Serialize;

use super::args::{SchemaArgs, SchemaFormat, Table};
use super::athena;
use super::exit::ExitReason;
use super::failure::Failure;
use super::terminal::Terminal;
use crate::frame::schema;
use crate::lake::objects;
use crate::report::flat;
use crate::report::text::Look;
use crate::report::text::page::{Page, Tone};

pub(super) fn run(args: &SchemaArgs, terminal: &mut Terminal<'_>) -> Result<ExitReason, Failure> {
    let document = match args.table {
        Table::Events => events(),
        Table::Objects => objects(),
        Table::Findings => findings(),
    };
    let text = match args.format {
        SchemaFormat::Text => document.text(terminal.look()),
        SchemaFormat::Json => document.json(),
        SchemaFormat::Markdown => document.markdown(),
        SchemaFormat::Athena => match args.table {
            Table::Events => athena::events(),
            Table::Objects => athena::objects(),
            Table::Findings => athena::findings(),
        },
    };
    terminal.print(text.as_bytes())?;
    Ok(ExitReason::Complete)
}

/// A table, as `--format json` prints it.
#[derive(Serialize)]
struct Document {
    schema: &'static str,
    table: &'static str,
    /// Raised when a column changes its meaning or goes away; also in the metadata of every Parquet file.
    version: u32,
    columns: Vec<Column>,
}

#[derive(Serialize)]
struct Column {
    name: &'static str,
    r#type: &'static str,
    /// Where it comes from, in CloudTrail's own names; not there for tables that no record fills.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'static str>,
    doc: &'static str,
}

fn events() -> Document {
    let column = |column: &schema::Column| Column {
        name: column.name,
        r#type: column.kind.name(),
        from: Some(column.from),
        doc: column.doc,
    };
    let columns = schema::COLUMNS.iter().map(column).collect();
    Document { schema: "keytrail.schema/1", table: "events", version: schema::VERSION, columns }
}

fn objects() -> Document {
    let column = |column: &objects::Column| Column {
        name: column.name,
        r#type: column.kind.name(),
        from: None,
        doc: column.doc,
    };
    let columns = objects::COLUMNS.iter().map(column).collect();
    Document { schema: "keytrail.schema/1", table: "objects", version: objects::VERSION, columns }
}

fn findings() -> Document {
    let column =
        |column: &flat::Column| Column { name: column.name, r#type: column.kind.name(), from: None, doc: column.doc };
    let columns = flat::COLUMNS.iter().map(column).collect();
    Document { schema: "keytrail.schema/1", table: "findings", version: flat::VERSION, columns }
}

impl Document {
    fn text(&self, look: Look) -> String {
        let mut page = Page::new(look);
        page.prose(0, Tone::Strong, &format!("{}, version {}", self.table, self.version));
        page.blank();
        for column in &self.columns {
            page.hang(0, Some((Tone::Strong, column.name)), 0, Tone::Faint, column.r#type);
            if !column.doc.is_empty() {
                page.prose(4, Tone::Plain, column.doc);
            }
            if let Some(from) = column.from {
                page.prose(4, Tone::Faint, &format!("from {from}"));
            }
        }
        page.finish()
    }

    fn json(&self) -> String {
        // Strings and numbers only, which cannot fail to serialize.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    fn markdown(&self) -> String {
        let with_from = self.columns.iter().any(|column| column.from.is_some());
        let mut text = if with_from {
            "| column | type | from | meaning |\n|---|---|---|---|\n".to_string()
        } else {
            "| column | type | meaning |\n|---|---|---|\n".to_string()
        };
        let cell = |text: &str| text.replace('|', "\\|");
        for column in &self.columns {
            let from = column.from.map(|from| format!(" {} |", cell(from))).unwrap_or_default();
            text.push_str(&format!("| `{}` | {} |{from} {} |\n", column.name, column.r#type, cell(column.doc)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_every_column() {
        for document in [events(), objects(), findings()] {
            let json: serde_json::Value = serde_json::from_str(&document.json()).unwrap();
            assert_eq!(json["columns"].as_array().unwrap().len(), document.columns.len());
            let (markdown, text) = (document.markdown(), document.text(Look { width: 80, colour: false }));
            let bars = markdown.lines().next().unwrap().matches('|').count();
            for line in markdown.lines() {
                assert_eq!(line.replace("\\|", "").matches('|').count(), bars, "{line}");
            }
            for column in &document.columns {
                assert!(markdown.contains(&format!("| `{}` |", column.name)));
                assert!(text.lines().any(|line| line.starts_with(column.name)), "{}", column.name);
            }
        }
    }
}

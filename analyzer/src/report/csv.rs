//! `--format csv`: one finding per row, RFC 4180, columns as in [`flat::COLUMNS`]. No cell can start a formula or act on a
//! terminal. Line breaks of a cell are written as `\n`, so that a row is a line.

use super::flat::{self, Cell};
use super::{Report, escape, human};

/// Header and rows.
pub fn render(report: &Report) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let mut put = |row: Vec<String>| {
        // Writing to memory cannot fail, and every row has the same length.
        drop(writer.write_record(&row));
    };
    put(flat::COLUMNS.iter().map(|column| column.name.to_string()).collect());
    for finding in &report.findings {
        put(flat::row(finding, &report.run).iter().map(cell).collect());
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escape::csv_cell(text.as_deref().unwrap_or_default()).into_owned(),
        Cell::Time(ms) => human::rfc3339(*ms),
        Cell::Count(n) => n.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn reads_back() {
        let report = sample::report();
        let text = render(&report);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_string).collect();
        assert_eq!(header, flat::COLUMNS.map(|column| column.name));

        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), report.findings.len());
        assert_eq!(text.matches('\n').count(), rows.len() + 1, "a row is a line");
        let column = |name: &str| header.iter().position(|column| column == name).unwrap();
        assert_eq!(&rows[0][column("first_seen")], "2026-03-01T09:14:07Z");
        assert_eq!(&rows[0][column("count")], "1204");
        let evidence: serde_json::Value = serde_json::from_str(&rows[0][column("evidence")]).unwrap();
        assert_eq!(evidence[0]["event_name"], "ScheduleKeyDeletion");
    }

    #[test]
    fn hostile_cells_are_harmless() {
        let text = render(&sample::hostile());
        assert!(!text.contains(|c: char| c.is_control() && c != '\r' && c != '\n'), "{text:?}");
        for record in csv::Reader::from_reader(text.as_bytes()).records() {
            for cell in &record.unwrap() {
                assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell:?}");
            }
        }
    }
}

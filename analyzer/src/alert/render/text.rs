//! Plain text, for mail readers without HTML, and for topics.

use super::{Block, Document};
use crate::report::escape::terminal;

/// Width of the labels.
const LABEL: usize = 13;

pub(in crate::alert) fn render(document: &Document) -> String {
    let mut out = format!("{}\n{}\n", terminal(&document.kicker), terminal(&document.headline));
    for block in &document.blocks {
        out.push('\n');
        match block {
            Block::Heading(text) => {
                let text = terminal(text);
                out.push_str(&format!("{text}\n{}\n", "-".repeat(text.chars().count().min(72))));
            }
            Block::Text(text) => push_lines(&mut out, text, ""),
            Block::Code(text) => push_lines(&mut out, text, "    "),
            Block::Fields(fields) => {
                for (label, value) in fields {
                    out.push_str(&format!("{:LABEL$} {}\n", terminal(label), terminal(value)));
                }
            }
            Block::Items(items) => {
                for (severity, line) in items {
                    out.push_str(&format!("- {}: {}\n", severity.id(), terminal(line)));
                }
            }
        }
    }
    out.push_str("\n-- \n");
    for line in &document.footer {
        out.push_str(&format!("{}\n", terminal(line)));
    }
    out
}

/// Line breaks of our own texts stay; whatever else acts is spelled out.
fn push_lines(out: &mut String, text: &str, indent: &str) {
    for line in text.lines() {
        out.push_str(&format!("{indent}{}\n", terminal(line)));
    }
}

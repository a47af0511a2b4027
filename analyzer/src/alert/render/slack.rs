//! Slack's markup (mrkdwn), which Mattermost and Rocket.Chat read too.

use super::{Block, Document};
use crate::report::escape::terminal;

/// Slack cuts longer texts off.
const MOST: usize = 3_500;

pub(in crate::alert) fn render(document: &Document) -> String {
    let mut out = format!("*{}*\n*{}*\n", escape(&document.kicker), escape(&document.headline));
    for block in &document.blocks {
        let mut part = String::new();
        match block {
            Block::Heading(text) => part.push_str(&format!("*{}*\n", escape(text))),
            Block::Text(text) => text.lines().for_each(|line| part.push_str(&format!("{}\n", escape(line)))),
            Block::Code(text) => {
                let lines: Vec<String> = text.lines().map(code).collect();
                part.push_str(&format!("```{}```\n", lines.join("\n")));
            }
            Block::Fields(fields) => {
                fields
                    .iter()
                    .for_each(|(label, value)| part.push_str(&format!("{}: {}\n", escape(label), escape(value))));
            }
            Block::Items(items) => {
                items
                    .iter()
                    .for_each(|(severity, line)| part.push_str(&format!("• {}: {}\n", severity.id(), escape(line))));
            }
        }
        // Whole blocks only: half a block of code would swallow what follows.
        if out.len() + part.len() > MOST {
            out.push_str("…\n");
            break;
        }
        out.push_str(&part);
    }
    let footer: Vec<String> = document.footer.iter().map(|line| escape(line)).collect();
    out.push_str(&format!("_{}_", footer.join(" · ").replace('_', " ")));
    out
}

/// `&`, `<` and `>` begin mentions, channels and links. Marks of style are replaced by what looks like them, so that no text
/// from the log ends our own bold.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for c in terminal(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '`' => safe.push('\u{2bb}'),
            '*' => safe.push('\u{2217}'),
            '~' => safe.push('\u{223c}'),
            c => safe.push(c),
        }
    }
    safe
}

/// In code only the mark that ends it has a meaning; what is to be copied stays as it is otherwise.
fn code(line: &str) -> String {
    terminal(line).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('`', "\u{2bb}")
}

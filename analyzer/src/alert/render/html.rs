//! HTML for e-mail: one column, inline styles only, nothing from outside. It reads well on a phone, with images off, and in
//! dark mode.

use std::borrow::Cow;

use super::{Block, Document};
use crate::finding::Severity;
use crate::report::escape::terminal;

const FONT: &str = "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const MONO: &str = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace";

pub(in crate::alert) fn render(document: &Document) -> String {
    let color = color(document.severity);
    let mut body = String::new();
    for block in &document.blocks {
        push_block(&mut body, block);
    }
    let footer: Vec<String> = document.footer.iter().map(|line| escape(line).into_owned()).collect();
    let (kicker, headline) = (escape(&document.kicker), escape(&document.headline));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{headline}</title>\n</head>\n\
         <body style=\"margin:0;padding:12px;{FONT};font-size:16px;line-height:1.45\">\n\
         <div style=\"max-width:600px;margin:0 auto\">\n\
         <div style=\"border-left:6px solid {color};padding:2px 0 2px 12px\">\n\
         <p style=\"margin:0;font-size:13px;font-weight:700;letter-spacing:.04em;color:{color}\">{kicker}</p>\n\
         <h1 style=\"margin:4px 0 0;font-size:20px;line-height:1.3;word-break:break-word\">{headline}</h1>\n</div>\n\
         {body}\
         <p style=\"margin:24px 0 0;padding-top:8px;border-top:1px solid #999;font-size:12px;color:#767676;word-break:break-word\">{}</p>\n\
         </div>\n</body>\n</html>\n",
        footer.join("<br>\n")
    )
}

fn push_block(out: &mut String, block: &Block) {
    match block {
        Block::Heading(text) => {
            out.push_str(&format!("<h2 style=\"margin:20px 0 0;font-size:16px\">{}</h2>\n", escape(text)));
        }
        Block::Text(text) => {
            for line in text.lines() {
                out.push_str(&format!("<p style=\"margin:8px 0 0;word-break:break-word\">{}</p>\n", escape(line)));
            }
        }
        Block::Code(text) => {
            let lines: Vec<Cow<'_, str>> = text.lines().map(escape).collect();
            out.push_str(&format!(
                "<pre style=\"margin:8px 0 0;padding:10px;border:1px solid #999;border-radius:4px;{MONO};font-size:13px;\
                 white-space:pre-wrap;word-break:break-word\">{}</pre>\n",
                lines.join("\n")
            ));
        }
        Block::Fields(fields) => {
            for (label, value) in fields {
                out.push_str(&format!(
                    "<p style=\"margin:10px 0 0;word-break:break-word\"><span style=\"font-size:12px;color:#767676\">{}</span><br>{}</p>\n",
                    escape(label),
                    escape(value)
                ));
            }
        }
        Block::Items(items) => {
            for (severity, line) in items {
                out.push_str(&format!(
                    "<p style=\"margin:8px 0 0;padding-left:10px;border-left:4px solid {0};word-break:break-word\">\
                     <strong style=\"font-size:12px;color:{0}\">{1}</strong><br>{2}</p>\n",
                    color(*severity),
                    severity.id().to_uppercase(),
                    escape(line)
                ));
            }
        }
    }
}

/// Told apart on white and on black.
fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "#c0182a",
        Severity::High => "#c4460a",
        Severity::Medium => "#8a6a00",
        Severity::Low => "#2a6db0",
        Severity::Info => "#6a6a6a",
    }
}

/// For the content of an element and for an attribute in double quotes.
fn escape(text: &str) -> Cow<'_, str> {
    let text = terminal(text);
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

//! The Markdown that rule pages and remediations are written in, on a page: headings, paragraphs, lists, tables, code.

use super::command;
use super::page::{Page, Tone};

/// A piece of the text that is laid out on its own.
#[derive(Debug, PartialEq, Eq)]
enum Block<'t> {
    Heading(&'t str),
    Paragraph(String),
    Item { depth: usize, marker: &'t str, text: String },
    Command(String),
    Code(&'t str),
    Gap,
}

/// Lays `text` out at `indent`. Headings stand at the indent, what belongs to them too.
pub(super) fn print(page: &mut Page, indent: usize, text: &str) {
    for block in blocks(text) {
        match block {
            Block::Heading(text) => {
                page.blank();
                page.prose(indent, Tone::Strong, text);
            }
            Block::Paragraph(text) => page.prose(indent, Tone::Plain, &links(&text)),
            Block::Item { depth, marker, text } => {
                let indent = indent + depth;
                let marker = if marker == "*" { "-" } else { marker };
                page.hang(indent, Some((Tone::Faint, marker)), indent + marker.len() + 1, Tone::Plain, &links(&text));
            }
            Block::Command(text) => page.command(indent + 2, &text),
            Block::Code(line) => page.verbatim(indent + 2, line),
            Block::Gap => page.blank(),
        }
    }
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut fence: Option<Fence> = None;
    let mut open_command = false; // the line before ended in a backslash
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(info) = trimmed.strip_prefix("```") {
            open_command = false;
            fence = match fence {
                Some(_) => None,
                None => Some(if matches!(info, "sh" | "bash" | "console") { Fence::Shell } else { Fence::Code }),
            };
            continue;
        }
        if open_command && let Some(Block::Command(command)) = blocks.last_mut() {
            let (part, more) = continued(trimmed);
            command.push(' ');
            command.push_str(part);
            open_command = more;
            continue;
        }
        let shell = fence == Some(Fence::Shell) && !trimmed.is_empty() && !trimmed.starts_with('#');
        if shell || fence.is_none() && command::is_command(trimmed) {
            let (part, more) = continued(trimmed.strip_prefix("$ ").unwrap_or(trimmed));
            blocks.push(Block::Command(part.to_string()));
            open_command = more;
            continue;
        }
        if fence.is_some() || trimmed.starts_with('|') {
            blocks.push(Block::Code(line));
            continue;
        }
        if trimmed.is_empty() {
            blocks.push(Block::Gap);
        } else if let Some(heading) = heading(trimmed) {
            blocks.push(Block::Heading(heading));
        } else if let Some((text, command)) = trailing_command(trimmed) {
            push_text(&mut blocks, line, text);
            let (part, more) = continued(command);
            blocks.push(Block::Command(part.to_string()));
            open_command = more;
        } else {
            push_text(&mut blocks, line, trimmed);
        }
    }
    blocks
}

/// A list item, a paragraph, or one more line of either.
fn push_text<'t>(blocks: &mut Vec<Block<'t>>, line: &'t str, text: &'t str) {
    if let Some((marker, rest)) = item(text) {
        let depth = line.len() - line.trim_start().len();
        blocks.push(Block::Item { depth, marker, text: rest.to_string() });
    } else if let Some(Block::Paragraph(open) | Block::Item { text: open, .. }) = blocks.last_mut() {
        open.push(' ');
        open.push_str(text);
    } else {
        blocks.push(Block::Paragraph(text.to_string()));
    }
}

/// `end it: aws kms revoke-grant ...` as its two halves: a command that is wrapped like prose cannot be pasted.
fn trailing_command(line: &str) -> Option<(&str, &str)> {
    let (at, _) = line.match_indices(": ").find(|(at, _)| command::is_command(&line[at + 2..]))?;
    (!line.ends_with('.')).then(|| (&line[..=at], &line[at + 2..]))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fence {
    Shell,
    Code,
}

/// The line without a trailing backslash, and whether there was one.
fn continued(line: &str) -> (&str, bool) {
    line.strip_suffix('\\').map_or((line, false), |part| (part.trim_end(), true))
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    if text.len() < line.len() { text.strip_prefix(' ') } else { None }
}

/// Marker and text of a list item.
fn item(line: &str) -> Option<(&str, &str)> {
    let (marker, text) = line.split_once(' ')?;
    let number = marker.strip_suffix('.').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (number || matches!(marker, "-" | "*")).then_some((marker, text))
}

/// `[text](target)` as `text (target)`; `**` goes away. Whatever does not look like a link stays.
fn links(text: &str) -> String {
    let text = text.replace("**", "");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(open) = rest.find('[') {
        let tail = &rest[open + 1..];
        let link = tail.split_once("](").and_then(|(label, tail)| {
            let (target, tail) = tail.split_once(')')?;
            (!label.contains(['[', ']'])).then_some((label, target, tail))
        });
        let Some((label, target, tail)) = link else {
            out.push_str(&rest[..=open]);
            rest = tail;
            continue;
        };
        out.push_str(&rest[..open]);
        out.push_str(label);
        if label != target {
            out.push_str(&format!(" ({target})"));
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::Look;

    fn show(text: &str, width: usize) -> String {
        let mut page = Page::new(Look { width, colour: false });
        page.markup(2, text);
        page.finish()
    }

    #[test]
    fn lays_out_a_page() {
        let page = "## What it finds\n\nA key that was\ndisabled, see [the docs](https://example.com/kms).\n\n\
            - one **item** that is long enough to need a second line here\n- two\n\n1. first\n\n```json fires\n{\"a\":   1}\n```\n\
            | a | b |\n\n```sh\naws kms enable-key \\\n  --key-id 1\n```\n";
        insta::assert_snapshot!(show(page, 50), @r#"
        What it finds

        A key that was disabled, see the docs
        (https://example.com/kms).

        - one item that is long enough to need a second
          line here
        - two

        1. first

          {"a":   1}
          | a | b |

          aws kms enable-key --key-id 1
        "#);
    }

    #[test]
    fn a_command_in_a_sentence_can_be_pasted() {
        let text =
            "If nobody can say why it exists, end it: aws kms revoke-grant --region eu-west-1 --key-id 1\nThen look.";
        insta::assert_snapshot!(show(text, 50), @r"
        If nobody can say why it exists, end it:
          aws kms revoke-grant --region eu-west-1 \
              --key-id 1
        Then look.
        ");
    }

    #[test]
    fn brackets_that_are_no_links_stay() {
        assert_eq!(links("a[0] [x] [y](z) [](u) [a [b](c)"), "a[0] [x] y (z)  (u) [a b (c)");
        assert_eq!(links("`arn:[*]` ("), "`arn:[*]` (");
    }
}

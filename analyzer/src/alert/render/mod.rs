//! One message, three looks: plain text, HTML for e-mail, and the markup of Slack.
//!
//! A message is a small document without any markup in it. Each renderer escapes every text for its own output.

mod html;
mod slack;
mod text;

use crate::finding::Severity;

pub(super) use html::render as html;
pub(super) use slack::render as slack;
pub(super) use text::render as text;

/// A message before it has a look.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// Colours the message.
    pub(super) severity: Severity,
    /// One line in front of the headline, for example `HIGH, still open`.
    pub(super) kicker: String,
    /// One sentence.
    pub(super) headline: String,
    /// In order.
    pub(super) blocks: Vec<Block>,
    /// Small print.
    pub(super) footer: Vec<String>,
}

/// A part of a message.
#[derive(Clone, Debug)]
pub(super) enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Labels and values.
    Fields(Vec<(String, String)>),
    /// Lines that are to be copied as they are.
    Code(String),
    /// One line per incident, with its severity.
    Items(Vec<(Severity, String)>),
}

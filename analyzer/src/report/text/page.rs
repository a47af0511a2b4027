//! A page of a given width. Every text goes through the sanitizer on its way in, so that nothing on the page but the page
//! itself can move the cursor or start a line.

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::{Look, command, markup};
use crate::finding::Severity;
use crate::report::{escape, human};

/// Column at which values stand, after two columns of indent and a label.
pub(super) const VALUE: usize = 12;
/// Keeps two words on one line; printed as a space.
const GLUE: char = '\u{a0}';
/// Longer texts are cut: a log writer must not be able to push the rest off the screen.
const LONGEST: usize = 1500;

/// How a piece of text looks on a terminal with colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it comes.
    Plain,
    /// Headings and titles.
    Strong,
    /// Labels, ids, asides.
    Faint,
    /// Good news.
    Good,
    /// Something to look at that is not a finding.
    Caution,
    /// A severity label.
    Level(Severity),
}

impl Tone {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => colour(AnsiColor::Green),
            Self::Caution | Self::Level(Severity::Medium) => colour(AnsiColor::Yellow),
            Self::Level(Severity::Critical) => colour(AnsiColor::Red).bold().invert(),
            Self::Level(Severity::High) => colour(AnsiColor::Red).bold(),
            Self::Level(Severity::Low) => colour(AnsiColor::Cyan),
            Self::Level(Severity::Info) => colour(AnsiColor::Blue),
        }
    }
}

/// Text under construction.
pub(crate) struct Page {
    out: String,
    look: Look,
}

impl Page {
    pub(crate) fn new(look: Look) -> Self {
        Self { out: String::new(), look }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    pub(crate) fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.blank();
        self.prose(0, Tone::Strong, text);
    }

    /// Wrapped text.
    pub(crate) fn prose(&mut self, indent: usize, tone: Tone, text: &str) {
        self.hang(indent, None, indent, tone, text);
    }

    /// A label and a wrapped value at the value column.
    pub(crate) fn field(&mut self, label: &str, text: &str) {
        self.hang(2, Some((Tone::Faint, label)), VALUE, Tone::Plain, text);
    }

    /// One of several rows of a field: a label in its own tone, empty on all but the first, and a value at the value column
    /// that is wrapped a little further in, so that the rows stay apart.
    pub(super) fn row(&mut self, label: (Tone, &str), text: &str) {
        self.pad(2);
        self.paint(label.0, label.1);
        self.pad(VALUE.saturating_sub(2 + label.1.width()).max(1));
        self.flow(VALUE, VALUE + 2, Tone::Plain, text);
    }

    /// One more line under the value of a field.
    pub(crate) fn more(&mut self, tone: Tone, text: &str) {
        self.hang(VALUE, None, VALUE + 2, tone, text);
    }

    /// `lead` at `indent`, then `text` from column `column` (a longer lead pushes it), wrapped to hang at `column`. Without a
    /// lead, the text starts at `indent`.
    pub(crate) fn hang(&mut self, indent: usize, lead: Option<(Tone, &str)>, column: usize, tone: Tone, text: &str) {
        self.pad(indent);
        let mut at = indent;
        if let Some((tone, lead)) = lead {
            let lead = escape::terminal(lead);
            self.paint(tone, &lead);
            at += lead.width();
            let gap = column.saturating_sub(at).max(1);
            self.pad(gap);
            at += gap;
        }
        self.flow(at, column, tone, text);
    }

    /// `text` from where the line stands, at column `at`; further lines at column `rest`.
    fn flow(&mut self, at: usize, rest: usize, tone: Tone, text: &str) {
        let text = clip(&escape::terminal(text));
        let room = |used: usize| self.look.width.saturating_sub(used);
        for (i, line) in wrap(&text, room(at), room(rest)).iter().enumerate() {
            if i > 0 {
                self.out.push('\n');
                self.pad(rest);
            }
            self.paint(tone, &line.replace(GLUE, " "));
        }
        self.end_line();
    }

    /// A shell command, broken with backslashes only where a shell lets it.
    pub(crate) fn command(&mut self, indent: usize, text: &str) {
        let text = escape::terminal(text);
        for (i, line) in command::wrap(&text, self.look.width.saturating_sub(indent)).iter().enumerate() {
            self.pad(indent + if i > 0 { command::CONTINUED } else { 0 });
            self.paint(Tone::Strong, line);
            self.end_line();
        }
    }

    /// A line that must stay as it is: code of a rule page.
    pub(crate) fn verbatim(&mut self, indent: usize, text: &str) {
        self.pad(indent);
        let text = escape::terminal(text);
        self.out.push_str(&text);
        self.end_line();
    }

    /// Paragraphs, lists, code and commands of a rule page or a remediation.
    pub(crate) fn markup(&mut self, indent: usize, text: &str) {
        markup::print(self, indent, text);
    }

    fn pad(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    fn paint(&mut self, tone: Tone, text: &str) {
        let style = tone.style();
        if self.look.colour && style != Style::new() && !text.is_empty() {
            self.out.push_str(&format!("{style}{text}{style:#}"));
        } else {
            self.out.push_str(text);
        }
    }

    fn end_line(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }
}

/// Lines of `text`, the first `first` and the others `rest` columns wide. Breaks at spaces only: ARNs, ids and paths stay
/// whole, on a line of their own when they are longer than the line.
fn wrap(text: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = word.width();
        let limit = if lines.len() == 1 { first } else { rest };
        if used > 0 && used + 1 + width > limit {
            lines.push(String::new());
            used = 0;
        }
        let Some(line) = lines.last_mut() else { continue };
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += width;
    }
    lines
}

/// `text` as one word for the line breaker: dates with their times, numbers with their units.
pub(super) fn glue(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// An instant as one word, with its zone.
pub(super) fn utc(ms: i64) -> String {
    glue(&format!("{} UTC", human::time(ms)))
}

fn clip(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_string(),
        Some((end, _)) => {
            let left = text[end..].chars().count() as u64;
            format!("{}... ({} more characters)", &text[..end], human::number(left))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_at_spaces_only() {
        assert_eq!(wrap("one two three", 7, 7), ["one two", "three"]);
        assert_eq!(
            wrap("see arn:aws:kms:eu-central-1:111122223333:key/1 now", 10, 10),
            ["see", "arn:aws:kms:eu-central-1:111122223333:key/1", "now"]
        );
        assert_eq!(wrap("", 10, 10), [""]);
        assert_eq!(wrap("日本 日本", 5, 5), ["日本", "日本"], "wide characters take two columns");
    }

    #[test]
    fn only_the_page_starts_lines_and_colours() {
        let mut page = Page::new(Look { width: 80, colour: true });
        page.field("title", "\u{1b}[31m\nfake");
        assert_eq!(page.finish(), "  \u{1b}[2mtitle\u{1b}[0m     \\u{1b}[31m\\nfake\n");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let mut page = Page::new(Look { width: 80, colour: false });
        page.prose(0, Tone::Plain, &"x".repeat(5000));
        let text = page.finish();
        assert!(text.ends_with("x...\n(3,500 more characters)\n"), "{}", &text[1490..]);
    }
}

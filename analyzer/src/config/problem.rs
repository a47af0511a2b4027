//! What is wrong with a configuration file, pointing into it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to try: a lower-case fragment.
    pub help: Option<String>,
    /// The offending line, made safe for a terminal and cut to what fits around the spot.
    pub text: String,
    /// Terminal columns of `text` before the spot, and of the spot.
    pub mark: (usize, usize),
}

/// Everything that is wrong with one file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// Name of the file as the user gave it.
    pub file: String,
    /// At least one.
    pub list: Vec<Problem>,
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.list {
            let Problem { line, column, message, help, text, mark } = problem;
            let gutter = line.to_string().len();
            writeln!(f, "{}:{line}:{column}: {message}", self.file)?;
            writeln!(f, "{:gutter$} |", "")?;
            writeln!(f, "{line} | {text}")?;
            writeln!(f, "{:gutter$} | {:before$}{:^<width$}", "", "", "", before = mark.0, width = mark.1)?;
            if let Some(help) = help {
                writeln!(f, "{:gutter$} = {help}", "")?;
            }
            writeln!(f)?;
        }
        match self.list.len() {
            1 => write!(f, "1 problem in {}", self.file),
            count => write!(f, "{count} problems in {}", self.file),
        }
    }
}

/// The text of a file and the problems found in it so far.
pub(super) struct Sink<'a> {
    text: &'a str,
    found: Vec<(Range<usize>, String, Option<String>)>,
    /// Lines that are not valid TOML.
    broken: BTreeSet<usize>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: Vec::new(), broken: BTreeSet::new() }
    }

    /// Notes a problem with the bytes of `span`.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        // What the parser made of a line that it did not understand is not what the user wrote.
        if !self.broken.contains(&self.line_of(span.start)) {
            self.found.push((span, message.into(), help));
        }
    }

    /// Notes that a line is not valid TOML. One slip makes the parser stumble several times on its way to the end of the
    /// line: the first is the cause.
    pub(super) fn add_syntax(&mut self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        if self.broken.insert(self.line_of(span.start)) {
            self.found.push((span, message.into(), help));
        }
    }

    /// True when some line was not understood: then what seems to be absent may stand there.
    pub(super) fn is_broken(&self) -> bool {
        !self.broken.is_empty()
    }

    /// Line of a byte, from 1.
    pub(super) fn line_of(&self, at: usize) -> usize {
        1 + self.text.as_bytes()[..at.min(self.text.len())].iter().filter(|byte| **byte == b'\n').count()
    }

    /// All problems in the order of the file, when there are any.
    pub(super) fn into_problems(mut self, file: &str) -> Option<Problems> {
        if self.found.is_empty() {
            return None;
        }
        self.found.sort_by_key(|(span, _, _)| span.start);
        let list = self.found.iter().map(|(span, message, help)| locate(self.text, span, message, help)).collect();
        Some(Problems { file: file.to_owned(), list })
    }
}

/// Terminal columns of the user's line that are shown at most.
const SHOWN: usize = 120;

fn locate(text: &str, span: &Range<usize>, message: &str, help: &Option<String>) -> Problem {
    let start = floor(text, span.start);
    let end = floor(text, span.end).max(start);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[line_start..].find('\n').map_or(text.len(), |at| line_start + at);
    let line = hide_secrets(text[line_start..line_end].trim_end_matches('\r'));
    let line = line.as_ref();
    let spot = start - line_start..(end - line_start).min(line.len()).max(start - line_start);

    let mut shown = String::new();
    let mut mark = (0, 0);
    // A long line (hundreds of accounts) begins a little before the spot.
    let from = floor(line, if spot.start > SHOWN - 40 { spot.start - 40 } else { 0 });
    if from > 0 {
        shown.push('…');
        mark.0 = 1;
    }
    let mut columns = mark.0;
    for (at, c) in line[from..].char_indices().map(|(at, c)| (at + from, c)) {
        // Tabs and control characters would move the caret or drive the terminal.
        let c = if c == '\t' { ' ' } else { c };
        let c = if c.is_control() { '\u{fffd}' } else { c };
        let width = c.width().unwrap_or(0);
        if columns + width > SHOWN {
            shown.push('…');
            break;
        }
        shown.push(c);
        columns += width;
        if at < spot.start {
            mark.0 += width;
        } else if at < spot.end {
            mark.1 += width;
        }
    }
    mark.1 = mark.1.max(1);

    Problem {
        line: 1 + text[..line_start].matches('\n').count(),
        column: 1 + text[line_start..start].chars().count(),
        message: message.to_owned(),
        help: help.clone(),
        text: shown.trim_end().to_owned(),
        mark,
    }
}

/// Settings whose values may be secrets, also where they should not be. A message about their line ends up in terminals
/// and logs of build servers.
const SECRETS: [&str; 3] = ["password", "secret", "url"];

/// The line with `*` for every byte of such a value, of the same length.
fn hide_secrets(line: &str) -> Cow<'_, str> {
    let mut hidden = Cow::Borrowed(line);
    for key in SECRETS {
        for (at, _) in line.match_indices(key) {
            let word_before = line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
            let rest = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
            let Some(value) = rest.strip_prefix('=').map(str::trim_start).filter(|_| !word_before) else { continue };
            let start = line.len() - value.len();
            let length = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => value[1..].rfind(quote).map_or(value.len(), |end| end + 2),
                _ => value.find([',', '}', '#']).unwrap_or(value.len()),
            };
            let stars: String = line[start..start + length].bytes().map(|_| '*').collect();
            hidden.to_mut().replace_range(start..start + length, &stars);
        }
    }
    hidden
}

/// The character boundary at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, span: Range<usize>) -> String {
        let mut sink = Sink::new(text);
        sink.add(span, "wrong", None);
        sink.into_problems("f").unwrap().to_string()
    }

    #[test]
    fn caret_stands_under_wide_characters_and_tabs() {
        assert_eq!(render("\t鍵 = 1", 7..8), "f:1:6: wrong\n  |\n1 |  鍵 = 1\n  |       ^\n\n1 problem in f");
    }

    #[test]
    fn terminal_escapes_are_defused_and_long_lines_cut() {
        let text = format!("a = \"{}\u{1b}[2J\" # {}", "x".repeat(300), "y".repeat(300));
        let shown = render(&text, 305..309);
        assert!(!shown.contains('\u{1b}'));
        assert!(shown.contains("\u{fffd}[2J"));
        assert!(shown.lines().all(|line| line.chars().count() < 140));
    }

    #[test]
    fn values_that_may_be_secrets_are_not_shown() {
        for line in [
            "password = \"hunter2\"",
            "  password=hunter2",
            "\"secret\" = 'hunter2' # hunter2",
            "sink = [{ name = \"a\", url = \"https://hunter2\", secret = \"hunter2\" }]",
            "password = \"hunter\\\"hunter2\"",
            "password = \"häunter2\"",
        ] {
            let hidden = hide_secrets(line.split('#').next().unwrap());
            assert!(!hidden.contains("hunter2") && hidden.contains("****"), "{line}: {hidden}");
        }
        assert_eq!(hide_secrets("curl = \"shown\" # password"), "curl = \"shown\" # password");
        assert!(!render("password = hunter2", 11..18).contains("hunter2"));
    }

    #[test]
    fn spot_at_the_end_of_the_file() {
        assert_eq!(render("a =", 3..3), "f:1:4: wrong\n  |\n1 | a =\n  |    ^\n\n1 problem in f");
        assert_eq!(render("", 0..0), "f:1:1: wrong\n  |\n1 | \n  | ^\n\n1 problem in f");
    }
}

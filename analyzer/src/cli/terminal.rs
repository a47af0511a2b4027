//! Where a run writes to, and the only place that asks the environment. Results go to standard output, everything else to
//! standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};

use super::args::Color;
use super::failure::Failure;
use crate::report::escape;
use crate::report::text::Look;

/// Columns where there is no terminal to ask.
const PIPE_WIDTH: usize = 80;

/// What a run must know about its surroundings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings {
    pub(super) in_is_terminal: bool,
    pub(super) out_is_terminal: bool,
    pub(super) err_is_terminal: bool,
    /// Columns of the terminal.
    pub(super) width: Option<usize>,
    /// `NO_COLOR` is set, or the terminal is dumb.
    pub(super) no_color: bool,
    /// `CLICOLOR_FORCE` is set.
    pub(super) force_color: bool,
}

impl Surroundings {
    #[expect(clippy::disallowed_methods, reason = "colour conventions live in the environment")]
    pub(super) fn of_process() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            in_is_terminal: io::stdin().is_terminal(),
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            width: terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            no_color: no_color || std::env::var_os("TERM").is_some_and(|term| term == "dumb"),
            force_color: set("CLICOLOR_FORCE"),
        }
    }

    fn colour(self, color: Color, is_terminal: bool) -> bool {
        match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !self.no_color && (self.force_color || is_terminal),
        }
    }
}

/// Both streams, and how they look.
pub(super) struct Terminal<'t> {
    out: &'t mut dyn Write,
    err: &'t mut dyn Write,
    pub(super) around: Surroundings,
    pub(super) color: Color,
    /// Remarks are not wanted; warnings and errors still are.
    pub(super) quiet: bool,
}

impl<'t> Terminal<'t> {
    pub(super) fn new(out: &'t mut dyn Write, err: &'t mut dyn Write, around: Surroundings, color: Color) -> Self {
        Self { out, err, around, color, quiet: false }
    }

    /// How text on standard output looks.
    pub(super) fn look(&self) -> Look {
        let width = if self.around.out_is_terminal { self.around.width.unwrap_or(PIPE_WIDTH) } else { PIPE_WIDTH };
        Look { width: width.clamp(60, 120), colour: self.around.colour(self.color, self.around.out_is_terminal) }
    }

    /// How text on standard error looks.
    pub(super) fn err_look(&self) -> Look {
        let width = if self.around.err_is_terminal { self.around.width.unwrap_or(PIPE_WIDTH) } else { PIPE_WIDTH };
        Look { width: width.clamp(60, 120), colour: self.around.colour(self.color, self.around.err_is_terminal) }
    }

    /// How text in a file looks.
    pub(super) fn file_look(&self) -> Look {
        Look { width: PIPE_WIDTH, colour: self.color == Color::Always }
    }

    /// Writes a result. A reader that has seen enough and went away is no error.
    pub(super) fn print(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        match self.out.write_all(bytes).and_then(|()| self.out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::could_not_run(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// A remark: silent with `--quiet`.
    pub(super) fn note(&mut self, text: impl Display) {
        if !self.quiet {
            self.say(None, &text.to_string());
        }
    }

    /// A finished block of remarks, already laid out.
    pub(super) fn note_block(&mut self, text: &str) {
        if !self.quiet {
            let _ = self.err.write_all(text.as_bytes());
        }
    }

    pub(super) fn warn(&mut self, text: impl Display) {
        self.say(Some(("warning", AnsiColor::Yellow)), &text.to_string());
    }

    pub(super) fn error(&mut self, failure: &Failure) {
        self.say(Some(("error", AnsiColor::Red)), &failure.story);
        if let Some(hint) = &failure.hint {
            self.say(None, &format!("  try: {hint}"));
        }
    }

    /// Every line is made safe on its own: texts have line breaks of ours and names that others chose.
    fn say(&mut self, label: Option<(&str, AnsiColor)>, text: &str) {
        let colour = self.err_look().colour;
        let mut message = String::new();
        if let Some((label, ansi)) = label {
            let style = if colour { Style::new().bold().fg_color(Some(ansi.into())) } else { Style::new() };
            message.push_str(&format!("{style}{label}{style:#}: "));
        }
        for line in text.lines() {
            message.push_str(&escape::terminal(line));
            message.push('\n');
        }
        // Nobody is left to tell when standard error is gone.
        let _ = self.err.write_all(message.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_flag_then_environment_then_terminal() {
        let pipe = Surroundings::default();
        let terminal = Surroundings { out_is_terminal: true, ..pipe };
        let forced = Surroundings { force_color: true, ..pipe };
        let refused = Surroundings { no_color: true, force_color: true, ..terminal };
        let colour = |around: Surroundings, color| around.colour(color, around.out_is_terminal);
        assert_eq!(
            [pipe, terminal, forced, refused].map(|around| colour(around, Color::Auto)),
            [false, true, true, false]
        );
        assert!(colour(refused, Color::Always) && !colour(terminal, Color::Never));
    }

    #[test]
    fn width_is_that_of_the_terminal_within_reason() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut width = |out_is_terminal, width| {
            let around = Surroundings { out_is_terminal, width, ..Surroundings::default() };
            Terminal::new(&mut out, &mut err, around, Color::Auto).look().width
        };
        assert_eq!([width(true, Some(100)), width(true, Some(20)), width(true, Some(300))], [100, 60, 120]);
        assert_eq!([width(true, None), width(false, Some(100))], [80, 80]);
    }

    #[test]
    fn names_cannot_act_on_standard_error() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut terminal = Terminal::new(&mut out, &mut err, Surroundings::default(), Color::Auto);
        terminal.warn("cannot read \u{1b}[2Jx\r.gz\nsecond line");
        terminal.quiet = true;
        terminal.note("not said");
        assert_eq!(String::from_utf8(err).unwrap(), "warning: cannot read \\u{1b}[2Jx\\r.gz\nsecond line\n");
    }
}

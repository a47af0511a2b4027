//! The only file that knows how the command line gets at the configuration.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::args::Around;
use super::failure::Failure;
use super::input;
use super::terminal::Terminal;
use crate::config::{self, OptionInfo, Settings};
use crate::rules::RULES;

/// File that is read when none is named.
pub(super) const DEFAULT: &str = "keytrail.toml";

/// The settings of `path`, else of `./keytrail.toml` if there is one, else the defaults; and the file they came from.
pub(super) fn load(path: Option<&Path>) -> Result<(Settings, Option<PathBuf>), Failure> {
    let file = path.unwrap_or(Path::new(DEFAULT));
    let text = match input::text(file, input::BY_HAND) {
        Ok(text) => text,
        Err(error) if path.is_none() && error.kind() == ErrorKind::NotFound => return Ok((Settings::default(), None)),
        Err(error) => {
            let story = format!("cannot read the configuration {}: {error}", file.display());
            return Err(Failure::usage(story).hint("`keytrail config > keytrail.toml` writes one to start from"));
        }
    };
    Ok((parse(&text, file)?, Some(file.to_path_buf())))
}

/// What every question begins with: how much is said, and the settings, with a word on where they came from.
pub(super) fn begin(around: &Around, terminal: &mut Terminal<'_>) -> Result<Settings, Failure> {
    terminal.quiet = around.quiet;
    let (settings, file) = load(around.config.as_deref())?;
    if let Some(file) = file.filter(|_| around.config.is_none()) {
        terminal.note(format!("using {}", file.display()));
    }
    Ok(settings)
}

/// Refuses to wait for somebody to type a log.
pub(super) fn no_terminal(sources: &[String], terminal: &Terminal<'_>, hint: &str) -> Result<(), Failure> {
    if sources.iter().any(|source| source == "-") && terminal.around.in_is_terminal {
        return Err(Failure::usage("standard input is a terminal, not a log").hint(hint));
    }
    Ok(())
}

/// The settings of a text that stands, or will stand, in this file.
pub(super) fn parse(text: &str, file: &Path) -> Result<Settings, Failure> {
    let rule_ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    Settings::parse(text, &file.display().to_string(), &rule_ids)
        .map_err(|problems| Failure::usage(problems.to_string()))
}

/// Options of a rule, with those that every rule has.
pub(super) fn options_of(rule: &str) -> Vec<&'static OptionInfo> {
    config::options_of("*").chain(config::options_of(rule)).collect()
}

/// The commented example file.
pub(super) fn example() -> String {
    config::example_toml()
}

//! `keytrail man` and `keytrail completions`: views of the command line's types.

use std::fmt::Write as _;

use clap::CommandFactory;

use super::args::Cli;
use super::failure::Failure;

/// The manual pages of all commands, one after the other, in roff.
pub(super) fn manual() -> Result<String, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    // Fills in the full names of the subcommands, under which their pages are printed.
    command.build();
    let mut roff = String::new();
    let mut pages = vec![command];
    while let Some(page) = pages.pop() {
        // `pages` is a stack: in reverse, so that they come out in their order.
        let mut subcommands: Vec<_> = page.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned().collect();
        subcommands.reverse();
        pages.extend(subcommands);

        // clap_mangen fills examples and tables as if they were prose; they get sections of their own instead.
        let tables = page.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let mut bytes = Vec::new();
        clap_mangen::Man::new(page.after_help(None).after_long_help(None))
            .render(&mut bytes)
            .map_err(|error| Failure::could_not_run(format!("cannot write the manual: {error}")))?;
        roff.push_str(&String::from_utf8_lossy(&bytes));
        roff.push_str(&sections(&tables));
    }
    Ok(roff)
}

/// `Heading:` and the lines under it, as they stand, for every block of a command's closing help.
fn sections(help: &str) -> String {
    let mut roff = String::new();
    for block in help.split("\n\n").filter(|block| !block.is_empty()) {
        let (heading, lines) = block.split_once('\n').unwrap_or((block, ""));
        let _ = writeln!(roff, ".SH {}\n.nf", heading.trim_end_matches(':').to_uppercase());
        for line in lines.lines() {
            // `\&` in front keeps a leading dot or quote from being taken for a request.
            let _ = writeln!(
                roff,
                "\\&{}",
                line.strip_prefix("  ").unwrap_or(line).replace('\\', "\\e").replace('-', "\\-")
            );
        }
        roff.push_str(".fi\n");
    }
    roff
}

/// A completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keytrail", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

//! `keytrail man` and `keytrail completions`: views of the command line's types.

use clap::CommandFactory;

use super::args::Cli;
use super::failure::Failure;

/// The manual pages of all commands, one after the other, in roff.
pub(super) fn manual() -> Result<String, Failure> {
    let mut command = Cli::command().disable_help_subcommand(true);
    // Fills in the full names of the subcommands, under which their pages are printed.
    command.build();
    let mut roff = Vec::new();
    let mut pages = vec![command];
    while let Some(page) = pages.pop() {
        // `pages` is a stack: in reverse, so that they come out in their order.
        let mut subcommands: Vec<_> = page.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned().collect();
        subcommands.reverse();
        pages.extend(subcommands);
        clap_mangen::Man::new(page)
            .render(&mut roff)
            .map_err(|error| Failure::could_not_run(format!("cannot write the manual: {error}")))?;
    }
    Ok(String::from_utf8_lossy(&roff).into_owned())
}

/// A completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "keytrail", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

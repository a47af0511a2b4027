//! The command line: parse, run, tell the error story, end with the right code. One file per command; the types that the
//! user types into are in `args`, the exit codes in [`exit`].

mod alert;
mod args;
mod athena;
mod backfill;
mod estimate;
pub mod exit;
mod expected;
mod explain;
mod failure;
mod ingest;
mod input;
#[cfg(feature = "aws")]
mod inventory;
mod keys;
mod man;
mod named;
mod output;
mod progress;
mod rehearse;
mod report;
mod retire;
mod rules;
mod scan;
mod schema;
mod settings;
mod suppress;
mod terminal;
mod timeline;
mod verify;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Color, Command};
use exit::ExitReason;
use failure::Failure;
use terminal::{Surroundings, Terminal};

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Not locked: the progress bar writes to standard error from other threads.
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let mut terminal = Terminal::new(&mut out, &mut err, Surroundings::of_process(), Color::Auto);
    run(std::env::args_os(), &mut terminal).into()
}

fn run(args: impl Iterator<Item = OsString>, terminal: &mut Terminal<'_>) -> ExitReason {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version arrive as errors too: they go to standard output and end well. A reader that is gone is fine.
            let _ = error.print();
            return if error.use_stderr() { ExitReason::Usage } else { ExitReason::Complete };
        }
    };
    terminal.color = cli.color;
    let result = match &cli.command {
        Command::Scan(args) => scan::run(args, terminal),
        Command::Ingest(args) => ingest::run(args, terminal),
        Command::Backfill(args) => backfill::run(args, terminal),
        Command::Keys(args) => keys::run(args, terminal),
        #[cfg(feature = "aws")]
        Command::Inventory(args) => inventory::run(args, terminal),
        Command::Timeline(args) => timeline::run(args, terminal),
        Command::Retire(args) => retire::run(args, terminal),
        Command::Report(args) => report::run(args, terminal),
        Command::Suppress(args) => suppress::run(args, terminal),
        Command::Verify(args) => verify::run(args, terminal),
        Command::Explain(args) => explain::run(args, terminal),
        Command::Alert(args) => alert::run(args, terminal),
        Command::Rehearse(args) => rehearse::run(args, terminal),
        Command::Rules(args) => rules::run(args, terminal),
        Command::Schema(args) => schema::run(args, terminal),
        Command::Config => print(terminal, &settings::example()),
        Command::Completions { shell } => print(terminal, &man::completions(*shell)),
        Command::Man => man::manual().and_then(|manual| print(terminal, &manual)),
    };
    result.unwrap_or_else(|failure| {
        terminal.error(&failure);
        failure.exit
    })
}

fn print(terminal: &mut Terminal<'_>, text: &str) -> Result<ExitReason, Failure> {
    terminal.print(text.as_bytes()).map(|()| ExitReason::Complete)
}

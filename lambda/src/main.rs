//! The function as Lambda starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    keytrail_lambda::run(std::env::args().skip(1))
}

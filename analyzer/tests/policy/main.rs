//! Policies against tables of what must come out of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod differences;
mod exposures;
mod services;
mod table;

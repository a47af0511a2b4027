//! Policies against tables of what must come out of them.

mod differences;
mod exposures;
mod table;

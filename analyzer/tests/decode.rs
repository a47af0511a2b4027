//! Decoding, seen from outside: what is kept from which bytes, and what is said about the rest.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests")]

mod decoding {
    pub(crate) mod adversary;
    pub(crate) mod damage;
    pub(crate) mod gzip;
    pub(crate) mod real;
    pub(crate) mod shapes;
    pub(crate) mod support;
}

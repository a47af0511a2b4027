//! Decoding, seen from outside: what is kept from which bytes, and what is said about the rest.

mod decoding {
    pub(crate) mod adversary;
    pub(crate) mod real;
    pub(crate) mod shapes;
    pub(crate) mod support;
}

//! Keytrail.
pub mod decode;
pub mod extract;
pub mod finding;
pub mod frame;

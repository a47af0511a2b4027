//! Keytrail.
pub mod decode;
pub mod finding;
pub mod frame;

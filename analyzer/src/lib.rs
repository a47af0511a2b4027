//! Keytrail.
pub mod config;
pub mod decode;
pub mod finding;
pub mod frame;
pub mod source;

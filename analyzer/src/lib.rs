//! Keytrail.
pub mod alert;
pub mod cli;
pub mod compliance;
pub mod config;
pub mod decode;
pub mod extract;
pub mod finding;
pub mod frame;
pub mod integrity;
pub mod inventory;
pub mod lake;
pub mod pipeline;
pub mod policy;
pub mod report;
pub mod rules;
pub mod source;
pub mod view;

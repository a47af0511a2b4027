//! What rules are made with.

pub mod baseline;
pub mod context;
pub mod draft;
pub mod engine;
pub mod latent;
pub mod mass;
pub mod outage;
pub mod policies;
pub mod time;
pub mod usage;

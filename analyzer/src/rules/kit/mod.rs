//! What rules are made with.

pub mod baseline;
pub mod breadth;
pub mod by_hand;
pub mod context;
pub mod deletion;
pub mod draft;
pub mod engine;
pub mod grantee;
pub mod latent;
pub mod lost;
pub mod mass;
pub mod moved;
pub mod outage;
pub mod over;
pub mod policies;
pub mod redact;
pub mod refused;
pub mod rotation;
pub mod soak;
pub mod stretch;
pub mod time;
pub mod told;
pub mod undo;
pub mod usage;
pub mod victims;

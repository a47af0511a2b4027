//! Rows folded into what the rules read: ledger (control plane), activity (data plane), resources, coverage.

pub mod across;
pub mod activity;
mod aliases;
pub mod beside;
pub mod breadth;
pub mod coverage;
pub mod documents;
pub mod event;
pub mod fold;
pub mod history;
pub mod inventory;
pub mod key;
pub mod ledger;
pub mod resources;
pub mod settle;
pub mod stores;
mod trails;
pub mod unit;

pub use across::Across;
pub use aliases::{AliasMove, Aliases, Birth, GivenUp};
pub use coverage::Coverage;
pub use fold::{FoldContext, Views};
pub use key::KeyView;
pub use settle::{Leads, Pending, Settled};
pub use stores::Stores;

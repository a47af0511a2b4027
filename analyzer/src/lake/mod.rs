//! Rows on disk.

mod batch;
mod codec;
mod commit;
mod events_file;
mod folder;
mod inbox;
mod manifest;
pub mod objects;
mod parquet;
mod part;
pub mod partition;
mod read;
#[cfg(test)]
mod read_tests;
mod shard;
mod spill;
mod store;
mod upkeep;
mod wire;

pub use batch::Batch;
pub use commit::Committed;
pub use events_file::EventsFile;
pub use folder::Folder;
pub use manifest::{LakeError, Manifest, Part, PartKind};
pub use objects::{ObjectRow, read_objects};
pub use partition::{Shard, Unit};
pub use read::EventsReader;
pub use shard::{Known, Lake, ShardState, Snapshot, Standing};
pub use spill::{ByPartition, Spill};
pub use store::{Entry, Store, StoreError, Tag, When};
pub use upkeep::Swept;

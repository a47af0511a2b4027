//! Rows on disk: the spill of a run, the events file for SQL, and the lake.
//!
//! # The lake
//!
//! ```text
//! lake.json                                               what it is, and the versions of its tables
//! events/account=…/region=…/date=…/<part>.parquet         event rows of one unit: account, Region and UTC date of the events
//! objects/account=…/region=…/date=…/<part>.parquet        what came of source objects, by where their names place them
//! inbox/account=…/region=…/<object>.parquet               one object with its rows, from a writer that has only one
//! manifest/account=…/region=…/current.json                the live parts of one shard, and inbox files that are in parts
//! ```
//!
//! **The commit rule.** An object belongs to one *shard*: the account and Region that its name tells, `__unknown__` where it
//! tells none. All that came of an object, its object row and its event rows in whatever partition they stand, is listed by
//! the manifest of that shard and by no other. So one conditional swap of one small file makes an object visible, whole or
//! not at all. From it follows the rest:
//!
//! - Parts are written before the swap and replaced ones are deleted after it. A part that no manifest lists does not exist
//!   for readers; [`Lake::sweep`] removes it, because SQL engines read folders and not manifests.
//! - The name of a part says the shard, the generation of the manifest that it was planned from, and the hash of its
//!   content. The same batch planned from the same generation overwrites itself; a name is never used again after its part
//!   was taken out, so that whoever deletes late deletes nothing that lives; and a part of an old generation that is not
//!   listed never will be.
//! - An object that comes again with the same etag and size changes nothing. With another one it replaces its rows: the
//!   same swap takes out the parts that held old ones and lists what remains of them anew.
//! - Compaction is such a swap too. Who loses a swap plans anew from what is there then.
//! - An inbox file is visible as it is, unless parts list its object in any version. Absorbing it is one swap that lists its
//!   rows in parts and its name as absorbed; then the file goes, and then its name.
//!
//! The shard follows from the *name* of an object, never from its content: content changes, and a changed object must meet
//! its old rows in one manifest.
//!
//! Rows of a lake are not deduplicated: coverage counts copies, and evidence names them.

mod batch;
#[cfg(feature = "aws")]
mod bucket;
mod codec;
mod commit;
mod events_file;
mod folder;
mod inbox;
mod lease;
mod manifest;
pub mod objects;
#[cfg(test)]
mod objects_tests;
mod parquet;
mod part;
pub mod partition;
mod read;
#[cfg(test)]
mod read_tests;
mod shard;
mod spill;
mod store;
mod swap;
mod upkeep;
mod wire;

pub use batch::Batch;
#[cfg(feature = "aws")]
pub use bucket::BucketFolder;
pub use commit::Committed;
pub use events_file::EventsFile;
pub use folder::Folder;
pub use lease::Lease;
pub use manifest::{LakeError, Manifest, Part, PartKind};
pub use objects::{ObjectRow, read_objects};
pub use partition::{Shard, Unit};
pub use read::EventsReader;
pub use shard::{Known, Lake, ShardState, Snapshot, Standing};
pub use spill::{ByPartition, Spill};
pub use store::{Entry, Fetching, Store, StoreError, Tag, Wanted, When};
pub use upkeep::Swept;

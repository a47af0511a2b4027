//! S3: `s3://bucket/prefix` as a source, and the few calls that a lake in S3 needs.
//!
//! [`Session`] holds the credentials, the runtime of the AWS SDK and one client per bucket, in the bucket's own Region.
//! [`Session::list`] streams the objects of a prefix in the order of their keys: the plan (`plan.rs`) turns the filter into prefixes,
//! so that a question about a day costs the keys of that day. [`Session::fetch`] brings their bytes, many at a time, as
//! fast as they are consumed and no faster. Nothing ever holds all keys of a bucket.
//!
//! Everything here blocks its caller and runs its requests on a runtime of its own with two threads; nothing is computed
//! there beyond TLS and checksums. Do not call it from a thread that others wait for (a rayon worker), nor from inside
//! another runtime.
//!
//! What fails costs what it is about: a folder that may not be listed is an object with a reason, an object that cannot
//! be fetched is a body with a reason, and the run goes on. Only what concerns everything (no credentials, no such
//! bucket) is an error. `policy.json` beside this file is the least that a scan needs to be allowed.

mod backoff;
mod body;
mod bucket;
mod client;
mod error;
mod fetch;
mod list;
mod memory;
mod options;
mod pages;
mod place;
mod plan;
mod ranged;
mod session;
mod store;
mod task;
mod url;
mod window;

pub use bucket::Bucket;
pub(crate) use client::load;
pub use error::S3Error;
pub(crate) use error::{chain, find};
pub use fetch::{Body, Fetch, Fetched};
pub use list::{Counter, Counts, Listing};
pub use memory::Held;
pub use options::{AccessKey, Patience, S3Options};
pub use session::Session;
pub use store::{Condition, Stored};
pub use url::S3Url;
pub use window::Window;

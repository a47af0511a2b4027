//! A real S3 server in the test's own process, which can be told to fail.

pub(crate) mod buckets;
pub(crate) mod server;

//! The same in a bucket: signatures are read from the metadata of objects.

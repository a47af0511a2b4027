//! Keytrail.

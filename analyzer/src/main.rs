//! keytrail
fn main() {}

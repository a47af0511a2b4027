mod failure;
pub use failure::FailureClass;

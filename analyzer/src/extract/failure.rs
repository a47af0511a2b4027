//! Stub.
/// Stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureClass {
    /// d
    KeyDisabled,
    /// d
    KeyPendingDeletion,
    /// d
    KeyPendingImport,
    /// d
    KeyUnavailable,
    /// d
    KeyNotFound,
    /// d
    KeyUnspecified,
    /// d
    DryRun,
    /// d
    Transient,
    /// d
    Other,
}
impl FailureClass {
    /// d
    pub fn from_id(_: &str) -> Option<Self> {
        None
    }
    /// d
    pub fn id(self) -> &'static str {
        ""
    }
    /// d
    pub fn is_key_state(self) -> bool {
        true
    }
}

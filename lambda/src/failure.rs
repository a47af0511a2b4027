//! Why an invocation fails as a whole. Each kind has a name that retries and catches of Step Functions can match.

use lambda_runtime::Diagnostic;

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The environment or the configuration is wrong: trying again does not help.
    #[error("{0}")]
    BadConfiguration(String),
    /// S3 or the lake could not be used.
    #[error("{0}")]
    Unavailable(String),
    /// What invoked the function is not understood: trying again does not help.
    #[error("not understood: {0}")]
    NotUnderstood(String),
    /// Some of the objects could not be read or kept; the others were.
    #[error("{0}")]
    ObjectsFailed(String),
    /// The self-test did not find what it planted.
    #[error("self-test: {0}")]
    SelfTest(String),
    /// A bug.
    #[error("this is a bug in keytrail, please report it: {0}")]
    Bug(String),
}

impl Failure {
    /// Name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BadConfiguration(_) => "Keytrail.BadConfiguration",
            Self::Unavailable(_) => "Keytrail.Unavailable",
            Self::NotUnderstood(_) => "Keytrail.NotUnderstood",
            Self::ObjectsFailed(_) => "Keytrail.ObjectsFailed",
            Self::SelfTest(_) => "Keytrail.SelfTest",
            Self::Bug(_) => "Keytrail.Bug",
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.kind().into(), error_message: failure.to_string() }
    }
}

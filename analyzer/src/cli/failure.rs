//! Why a command ends without a result: what was being done, to what, and what to try.

use super::exit::ExitReason;
use crate::pipeline::ScanError;

/// A story for the user, and the exit code that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) exit: ExitReason,
    /// Lower-case, without a full stop; may have several lines.
    pub(super) story: String,
    /// What to try.
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn could_not_run(story: impl Into<String>) -> Self {
        Self { exit: ExitReason::CouldNotRun, story: story.into(), hint: None }
    }

    pub(super) fn nothing_to_read(story: impl Into<String>) -> Self {
        Self { exit: ExitReason::NothingToRead, story: story.into(), hint: None }
    }

    pub(super) fn usage(story: impl Into<String>) -> Self {
        Self { exit: ExitReason::Usage, story: story.into(), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl From<ScanError> for Failure {
    fn from(error: ScanError) -> Self {
        let exit = match error {
            ScanError::NothingToRead(_) => ExitReason::NothingToRead,
            ScanError::Usage(_) => ExitReason::Usage,
            ScanError::Moved(_) | ScanError::Failed(_) => ExitReason::CouldNotRun,
        };
        Self { exit, story: error.to_string(), hint: None }
    }
}

//! Exit codes: one table, from which the process, `--help`, the man page and the README take theirs.

use std::fmt::Write as _;
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitReason {
    /// Everything was read; nothing at or above `--fail-on`.
    Complete,
    /// The run could not start or broke off.
    CouldNotRun,
    /// The command line or the configuration is wrong.
    Usage,
    /// The sources hold no log.
    NothingToRead,
    /// Some input could not be read.
    Incomplete,
    /// Findings at or above `--fail-on`.
    Findings,
    /// Both [`Self::Incomplete`] and [`Self::Findings`].
    IncompleteWithFindings,
}

/// The table: reason, code, meaning.
pub static EXITS: [(ExitReason, u8, &str); 7] = [
    (ExitReason::Complete, 0, "complete, and nothing at or above --fail-on"),
    (ExitReason::CouldNotRun, 1, "could not run"),
    (ExitReason::Usage, 2, "wrong usage or configuration"),
    (ExitReason::NothingToRead, 3, "nothing to read"),
    (
        ExitReason::Incomplete,
        4,
        "ran, but some input could not be read, or not be verified: the report says what and why",
    ),
    (
        ExitReason::Findings,
        10,
        "findings at or above --fail-on SEVERITY, or logs that are not what CloudTrail delivered",
    ),
    (ExitReason::IncompleteWithFindings, 14, "both 4 and 10"),
];

impl ExitReason {
    /// Number that the process ends with.
    pub fn code(self) -> u8 {
        EXITS.iter().find(|(reason, ..)| *reason == self).map_or(1, |(_, code, _)| *code)
    }

    /// How a run that gave a report ends.
    pub fn of_report(is_complete: bool, has_findings: bool) -> Self {
        match (is_complete, has_findings) {
            (true, false) => Self::Complete,
            (true, true) => Self::Findings,
            (false, false) => Self::Incomplete,
            (false, true) => Self::IncompleteWithFindings,
        }
    }
}

impl ExitReason {
    /// Both ends of one run.
    pub fn and(self, other: Self) -> Self {
        let (incomplete, findings) =
            [self, other].into_iter().fold((false, false), |(incomplete, findings), reason| {
                let both = reason == Self::IncompleteWithFindings;
                (incomplete || both || reason == Self::Incomplete, findings || both || reason == Self::Findings)
            });
        Self::of_report(!incomplete, findings)
    }

    /// The same, of a run some of whose input could not be read.
    pub fn incomplete(self) -> Self {
        match self {
            Self::Complete => Self::Incomplete,
            Self::Findings => Self::IncompleteWithFindings,
            other => other,
        }
    }
}

impl From<ExitReason> for ExitCode {
    fn from(reason: ExitReason) -> Self {
        Self::from(reason.code())
    }
}

/// The table as `--help` shows it.
pub fn help() -> String {
    let mut text = "Exit codes:\n".to_string();
    for (_, code, meaning) in EXITS {
        let _ = writeln!(text, "  {code:>2}  {meaning}");
    }
    text.truncate(text.trim_end().len());
    text
}

/// The table as the README shows it.
pub fn markdown() -> String {
    let mut text = "| code | meaning |\n|-----:|---------|\n".to_string();
    for (_, code, meaning) in EXITS {
        let _ = writeln!(text, "| `{code}` | {meaning} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_code() {
        for (i, (reason, code, _)) in EXITS.iter().enumerate() {
            assert_eq!(*reason as usize, i, "the table is in the order of the enum");
            assert_eq!(reason.code(), *code);
        }
        assert!(EXITS.is_sorted_by(|a, b| a.1 < b.1));
    }

    #[test]
    fn incomplete_and_findings_add_up() {
        let both = ExitReason::of_report(false, true).code();
        assert_eq!(both, ExitReason::of_report(false, false).code() + ExitReason::of_report(true, true).code());
        assert_eq!(ExitReason::of_report(true, false).code(), 0);
        for findings in [true, false] {
            let complete = ExitReason::of_report(true, findings);
            assert_eq!(complete.incomplete(), ExitReason::of_report(false, findings));
        }
    }
}

//! Secrets, from where the configuration says they are.

use std::fmt;

use super::SendError;
use crate::config::SecretRef;

/// A secret that cannot be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl Secret {
    /// The secret itself: for the one place that uses it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Looks a secret up.
pub(super) fn resolve(reference: &SecretRef) -> Result<Secret, SendError> {
    match reference {
        SecretRef::Env(name) => {
            #[expect(clippy::disallowed_methods, reason = "the configuration names the variable that holds the secret")]
            let value = std::env::var_os(name);
            let text = value.and_then(|value| value.into_string().ok()).filter(|text| !text.trim().is_empty());
            // What editors and `echo` leave at the end is no part of it.
            text.map(|text| Secret(text.trim_end_matches(['\r', '\n']).to_owned()))
                .ok_or_else(|| SendError::lasting(format!("the environment variable {name} is not set")))
        }
        SecretRef::SecretsManager(_) | SecretRef::Ssm(_) => Err(SendError::lasting(format!(
            "{} cannot be read by this build: put the secret into the environment and write \"env:NAME\"",
            reference.text()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_secret_is_named_and_a_secret_is_not_printed() {
        let missing = resolve(&SecretRef::Env("KEYTRAIL_NO_SUCH_VARIABLE".into())).unwrap_err();
        assert_eq!(missing.message, "the environment variable KEYTRAIL_NO_SUCH_VARIABLE is not set");
        assert!(!missing.transient);
        assert_eq!(format!("{:?}", Secret::of("hunter2")), "Secret(..)");
        assert!(resolve(&SecretRef::Ssm("/a/b".into())).unwrap_err().message.starts_with("ssm:/a/b cannot be read"));
    }
}

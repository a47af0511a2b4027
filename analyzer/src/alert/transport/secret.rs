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
        SecretRef::SecretsManager(id) => fetch(id),
        SecretRef::Ssm(name) => parameter(name),
    }
}

#[cfg(not(feature = "aws"))]
fn cannot(reference: &SecretRef) -> SendError {
    let text = reference.text();
    SendError::lasting(format!("{text} cannot be read by this build: build it with the feature `aws`"))
}

#[cfg(not(feature = "aws"))]
fn fetch(id: &str) -> Result<Secret, SendError> {
    Err(cannot(&SecretRef::SecretsManager(id.to_owned())))
}

/// The text of a secret, or with `ID#MEMBER` one member of a secret that is a JSON object.
#[cfg(feature = "aws")]
fn fetch(id: &str) -> Result<Secret, SendError> {
    use aws_sdk_secretsmanager::Client;
    use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;

    use super::aws;

    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
    let (id, member) = id.split_once('#').map_or((id, None), |(id, member)| (id, Some(member)));
    let answer = aws::runtime()?.block_on(async {
        tokio::time::timeout(PATIENCE, async {
            Client::new(&aws::load(id).await).get_secret_value().secret_id(id).send().await
        })
        .await
    });
    let answer = answer.map_err(|_| SendError::passing(format!("the secret {id}: Secrets Manager does not answer")))?;
    let answer = answer.map_err(|error| {
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        let SendError { message, transient } = aws::failure(error.code(), error.message(), status, &error);
        SendError { message: format!("the secret {id}: {message}"), transient }
    })?;
    let text = answer.secret_string().ok_or_else(|| SendError::lasting(format!("the secret {id} is no text")))?;
    let Some(member) = member else { return Ok(Secret(text.to_owned())) };
    // What does not parse is a secret too: no message quotes it.
    let object: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let value = object.as_ref().and_then(|object| object.get(member)?.as_str());
    value
        .map(|value| Secret(value.to_owned()))
        .ok_or_else(|| SendError::lasting(format!("the secret {id} has no text called {member}")))
}

#[cfg(not(feature = "aws"))]
fn parameter(name: &str) -> Result<Secret, SendError> {
    Err(cannot(&SecretRef::Ssm(name.to_owned())))
}

/// The value of a parameter. One that is not a SecureString is refused: whoever may list parameters can read it.
#[cfg(feature = "aws")]
fn parameter(name: &str) -> Result<Secret, SendError> {
    use serde_json::{Value, json};

    use super::signed::{Caller, Operation};

    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
    let region = name.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    let mut caller = Caller::open(Operation::GET_PARAMETER, region)?;
    let body = json!({ "Name": name, "WithDecryption": true }).to_string();
    let answer = caller.call(&body, PATIENCE).map_err(|SendError { message, transient }| SendError {
        message: format!("the parameter {name}: {message}"),
        transient,
    })?;
    // What does not parse may be the secret: no message quotes it.
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let parameter = &answer["Parameter"];
    match (parameter["Type"].as_str(), parameter["Value"].as_str()) {
        (Some("SecureString"), Some(value)) => Ok(Secret(value.to_owned())),
        (Some(_), Some(_)) => Err(SendError::lasting(format!("the parameter {name} is no SecureString"))),
        _ => Err(SendError::lasting(format!("the parameter {name} has no value"))),
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
    }
}

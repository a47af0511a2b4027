//! Secrets are named, not written down.

use super::super::problem::Sink;
use super::super::raw::{self, Value};

/// Where a secret is. Its value never stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// `env:NAME`: a variable of the environment.
    Env(String),
    /// `aws-secretsmanager:ID`: the text of a secret of AWS Secrets Manager, by name or ARN; `ID#MEMBER` is one
    /// member of a secret that is a JSON object.
    SecretsManager(String),
    /// `ssm:NAME`: a SecureString parameter of AWS Systems Manager, by name or ARN.
    Ssm(String),
}

const HELP: &str = "write \"env:NAME\" for a variable of the environment, \"aws-secretsmanager:ID\" for a secret of AWS Secrets Manager, or \"ssm:NAME\" for a SecureString parameter";

impl SecretRef {
    /// As it stands in the configuration.
    pub fn text(&self) -> String {
        match self {
            Self::Env(name) => format!("env:{name}"),
            Self::SecretsManager(id) => format!("aws-secretsmanager:{id}"),
            Self::Ssm(name) => format!("ssm:{name}"),
        }
    }

    /// The reference that a text is; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, name) = text.split_once(':')?;
        if name.is_empty() || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return None;
        }
        match scheme {
            "env" => Some(Self::Env(name.into())),
            "aws-secretsmanager" => Some(Self::SecretsManager(name.into())),
            "ssm" => Some(Self::Ssm(name.into())),
            _ => None,
        }
    }

    /// Reads a reference. What stands there instead may be the secret itself: no message repeats it.
    pub(super) fn read(value: &Value<'_>, key: &str, sink: &mut Sink<'_>) -> Option<Self> {
        let text = raw::text(value, key, "\"env:NAME\"", sink)?;
        let parsed = Self::parse(text.get_ref());
        if parsed.is_none() {
            sink.add(text.span(), format!("`{key}` says where the secret is, not what it is"), Some(HELP.into()));
        }
        parsed
    }
}

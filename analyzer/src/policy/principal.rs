//! Whom a statement names.

use std::fmt;

use super::pattern::has_wildcard;

/// One principal of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// `*`: every caller of every account.
    Anyone,
    /// A whole account: twelve digits, or the ARN of its root.
    Account {
        /// Account id.
        account: String,
        /// As it was written.
        text: String,
    },
    /// A user, a role or a session.
    Named {
        /// Account id of the ARN.
        account: String,
        /// The ARN.
        arn: String,
    },
    /// An AWS service: `logs.eu-west-1.amazonaws.com`.
    Service(String),
    /// An identity provider: its ARN, or the name of a web identity provider.
    Federated(String),
    /// The canonical id of an account, as Amazon S3 uses it. It does not tell the account.
    CanonicalUser(String),
    /// `AIDA...`, `AROA...`: what stays of a user or role after it was deleted.
    DeletedId(String),
    /// Something that the grammar does not know, or that AWS would not accept.
    Other(String),
}

impl Principal {
    /// Reads one value under a member of `Principal`: `AWS`, `Service`, `Federated`, `CanonicalUser`.
    pub(super) fn read(kind: &str, text: &str) -> Self {
        match kind.to_ascii_lowercase().as_str() {
            "aws" => Self::aws(text),
            "service" if is_service(text) => Self::Service(text.to_owned()),
            "federated" => Self::Federated(text.to_owned()),
            "canonicaluser" => Self::CanonicalUser(text.to_owned()),
            _ => Self::Other(text.to_owned()),
        }
    }

    fn aws(text: &str) -> Self {
        if text == "*" {
            return Self::Anyone;
        }
        if is_account(text) {
            return Self::Account { account: text.to_owned(), text: text.to_owned() };
        }
        if let Some((_, account, resource)) = split(text).filter(|(_, account, _)| is_literal(account)) {
            let account = account.to_owned();
            return match resource {
                "root" => Self::Account { account, text: text.to_owned() },
                _ => Self::Named { account, arn: text.to_owned() },
            };
        }
        if is_unique_id(text) { Self::DeletedId(text.to_owned()) } else { Self::Other(text.to_owned()) }
    }

    /// The same text for all spellings of the same principal.
    pub(super) fn canonical(&self) -> String {
        match self {
            // Twelve digits and the root of any partition are the same account: no account is in two partitions.
            Self::Account { account, .. } => format!("account {account}"),
            Self::Service(name) => format!("service {}", name.to_ascii_lowercase()),
            Self::Federated(name) => format!("federated {name}"),
            Self::CanonicalUser(id) => format!("canonical user {id}"),
            Self::Anyone | Self::Named { .. } | Self::DeletedId(_) | Self::Other(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Principal {
    /// As it was written; a bare account id as the ARN of its root, which is what AWS makes of it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => out.write_str("*"),
            Self::Account { account, text } if account == text => write!(out, "arn:aws:iam::{account}:root"),
            Self::Account { text, .. } => out.write_str(text),
            Self::Named { arn, .. } => out.write_str(arn),
            Self::Service(text)
            | Self::Federated(text)
            | Self::CanonicalUser(text)
            | Self::DeletedId(text)
            | Self::Other(text) => out.write_str(text),
        }
    }
}

/// Service, account and resource of an ARN of any partition, which a condition may leave open: `arn:*:iam::...`.
pub(super) fn split(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':');
    let _partition = parts.next()?;
    let service = parts.next()?;
    let _region = parts.next()?;
    Some((service, parts.next()?, parts.next().filter(|resource| !resource.is_empty())?))
}

/// True for an account id as text; also ids that a publisher shortened or lengthened.
pub(super) fn is_account(text: &str) -> bool {
    (9..=13).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_literal(account: &str) -> bool {
    !account.is_empty() && !has_wildcard(account) && !account.contains('$')
}

fn is_service(text: &str) -> bool {
    [".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"].iter().any(|end| text.ends_with(end))
        && !has_wildcard(text)
        && !text.contains(['/', ':'])
}

fn is_unique_id(text: &str) -> bool {
    ["AIDA", "AROA", "AGPA", "ANPA", "ASIA"].iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

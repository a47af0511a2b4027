//! Where the logs stand, and who reads them.
//!
//! Whoever reads logs that are encrypted with a KMS key makes S3 decrypt in their name, and these calls stand in the very
//! logs that are read. Rules can tell them from other reading only when they know both ends of it.

use std::collections::BTreeSet;

use toml::Spanned;

use super::problem::Sink;
use super::raw::{self, Table};

/// The log buckets and their readers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    /// Names of the buckets that logs are read from.
    pub buckets: BTreeSet<String>,
    /// Who reads them, as [`Logs::identity`] spells them.
    pub readers: BTreeSet<String>,
}

impl Logs {
    /// Adds a reader; false when the text names nobody who could be one.
    pub fn add_reader(&mut self, who: &str) -> bool {
        let reader = Self::identity(who);
        let known = reader.is_some();
        self.readers.extend(reader);
        known
    }

    /// True for a reader of logs, named as rows name principals.
    pub fn is_reader(&self, principal: &str) -> bool {
        !self.readers.is_empty() && Self::identity(principal).is_some_and(|who| self.readers.contains(&who))
    }

    /// One spelling for whoever may be a reader: a role by its ARN or by that of one of its sessions, a user by its ARN, both
    /// without their path, and somebody of another account as the key owner's log names them, `account:ID/AROA…`.
    ///
    /// The ARN of a session does not tell the path of its role. Names are unique in an account whatever the path, so nothing
    /// is lost with it.
    pub fn identity(who: &str) -> Option<String> {
        if let Some((account, unique)) = who.strip_prefix("account:").and_then(|rest| rest.split_once('/')) {
            let sound = is_account(account) && is_name(unique);
            return sound.then(|| who.to_owned());
        }
        let mut parts = who.splitn(6, ':');
        let mut part = || parts.next().unwrap_or_default();
        let ("arn", partition, service, "", account, resource) = (part(), part(), part(), part(), part(), part())
        else {
            return None;
        };
        let (kind, rest) = resource.split_once('/')?;
        let (kind, name) = match (service, kind) {
            ("iam", "role" | "user") => (kind, rest.rsplit('/').next()?),
            ("sts", "assumed-role") => ("role", rest.split_once('/')?.0),
            _ => return None,
        };
        let sound = partition.starts_with("aws") && is_account(account) && is_name(name);
        sound.then(|| format!("arn:{partition}:iam::{account}:{kind}/{name}"))
    }

    pub(super) fn read(&mut self, mut table: Table<'_, '_>, sink: &mut Sink<'_>) {
        for value in table.list("buckets", "\"my-trail-bucket\"", sink) {
            if let Some(name) = raw::text(value, "buckets", "the name of a bucket, as \"my-trail-bucket\"", sink) {
                self.buckets.extend(check_bucket(&name, sink));
            }
        }
        for value in table.list("readers", READER, sink) {
            let Some(who) = raw::text(value, "readers", &format!("an ARN, as {READER}"), sink) else { continue };
            if !self.add_reader(who.get_ref()) {
                let help = format!("write {READER}; `aws sts get-caller-identity` prints who you are");
                sink.add(who.span(), format!("`{}` is not a role or user", who.get_ref()), Some(help));
            }
        }
        table.close(|_| None, sink);
    }
}

/// A reader, to show.
const READER: &str = "\"arn:aws:iam::111122223333:role/keytrail\"";

fn check_bucket(text: &Spanned<&str>, sink: &mut Sink<'_>) -> Option<String> {
    let typed = *text.get_ref();
    if is_bucket(typed) {
        return Some(typed.to_owned());
    }
    // What people have at hand is a URI or an ARN, often with the prefix of the logs.
    let bare = typed.strip_prefix("s3://").or_else(|| typed.split_once(":s3:::").map(|(_, name)| name));
    let name = bare.unwrap_or(typed).split('/').next().unwrap_or_default();
    let help = match is_bucket(name) {
        true => format!("write the name alone: \"{name}\""),
        false => "the name of a bucket is 3 to 255 letters, digits, dots, hyphens and underscores".into(),
    };
    sink.add(text.span(), format!("`{typed}` is not the name of a bucket"), Some(help));
    None
}

/// Old buckets have longer names and other characters than new ones may have.
fn is_bucket(name: &str) -> bool {
    let stands = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (3..=255).contains(&name.len()) && name.bytes().all(stands)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Name of a role or user, or the unique id of one.
fn is_name(text: &str) -> bool {
    let stands = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    !text.is_empty() && text.bytes().all(stands)
}

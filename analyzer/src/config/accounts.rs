//! Whose accounts these are.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::problem::Sink;
use super::raw::{self, Table};

/// The accounts that the user knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    /// Own and partner accounts: use from these is not foreign.
    pub trusted: BTreeSet<String>,
    /// Further accounts of the own organization: what goes to them stays inside, and is worth a line but no alarm.
    pub members: BTreeSet<String>,
    /// Names for people, by account id. A name alone does not make an account trusted.
    pub names: BTreeMap<String, String>,
    /// Id of the own organization, `o-…`.
    pub organization: Option<String>,
}

impl Accounts {
    /// True for an own or partner account.
    pub fn is_trusted(&self, account: &str) -> bool {
        self.trusted.contains(account)
    }

    /// True for an account of the own organization.
    pub fn is_member(&self, account: &str) -> bool {
        self.members.contains(account)
    }

    /// Name of an account, when it has one.
    pub fn name(&self, account: &str) -> Option<&str> {
        self.names.get(account).map(String::as_str)
    }

    pub(super) fn read(&mut self, mut table: Table<'_, '_>, sink: &mut Sink<'_>) {
        for account in table.list("trusted", "\"111122223333\"", sink) {
            self.trusted.extend(read_account(account, "trusted", sink));
        }
        for account in table.list("members", "\"111122223333\"", sink) {
            self.members.extend(read_account(account, "members", sink));
        }
        if let Some(value) = table.take("names") {
            match value.get_ref().as_table() {
                Some(names) => {
                    for (account, name) in names {
                        let account = Spanned::new(account.span(), account.get_ref().as_ref());
                        let account = check_account(&account, sink);
                        let name = raw::text(name, "names", "a name, as \"prod-eu\"", sink);
                        self.names.extend(account.zip(name.map(|name| name.into_inner().to_owned())));
                    }
                }
                None => {
                    let help = "write names = { \"111122223333\" = \"prod-eu\" }";
                    sink.add(value.span(), "`names` is a table", Some(help.into()));
                }
            }
        }
        if let Some(id) = table.text("organization", "an id, as \"o-a1b2c3d4e5\"", sink) {
            if is_organization(id.get_ref()) {
                self.organization = Some((*id.get_ref()).to_owned());
            } else {
                let help = "write o- and 10 to 32 lower-case letters and digits; `aws organizations describe-organization` prints it";
                sink.add(id.span(), format!("`{}` is not an organization id", id.get_ref()), Some(help.into()));
            }
        }
        table.close(|_| None, sink);
    }
}

/// The account id that a value holds.
pub(super) fn read_account(value: &raw::Value<'_>, what: &str, sink: &mut Sink<'_>) -> Option<String> {
    let text = raw::text(value, what, "an account id, as \"111122223333\"", sink)?;
    check_account(&text, sink)
}

fn check_account(text: &Spanned<&str>, sink: &mut Sink<'_>) -> Option<String> {
    let account = *text.get_ref();
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(account.to_owned());
    }
    let digits: String = account.chars().filter(char::is_ascii_digit).collect();
    let only_separators = account.chars().all(|c| c.is_ascii_digit() || c == '-' || c == ' ');
    let help = match digits.len() {
        12 => format!("write \"{digits}\""),
        // Spreadsheets and JSON numbers drop leading zeros.
        9..12 if only_separators => format!("an account id has 12 digits; were leading zeros lost: \"{digits:0>12}\"?"),
        _ => "an account id has 12 digits".into(),
    };
    sink.add(text.span(), format!("`{account}` is not an account id"), Some(help));
    None
}

fn is_organization(id: &str) -> bool {
    let tail = id.strip_prefix("o-").unwrap_or_default();
    (10..=32).contains(&tail.len()) && tail.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

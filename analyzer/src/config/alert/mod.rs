//! Whom to tell about what: `[alert]` and its sinks.
//!
//! Rules decide what is found; this section decides who hears of it, and is no part of the settings digest.

mod secret;
mod sink;

use std::collections::BTreeMap;

use toml::Spanned;

pub use self::secret::SecretRef;
pub use self::sink::{Channel, Email, Sink as AlertSink, Takes, Tls, WebUrl, is_safe_url};
pub use super::options::AlertOptions;
use super::problem::Sink;
use super::raw::{self, Table};
use super::suppress::unknown_rule;

/// Stands where the id of a rule stands, and is none: an account and Region does not deliver any more. No rule can see what
/// is not there.
pub const SILENCE: &str = "delivery-silence";

/// How urgent the findings of a rule are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// Nobody is told.
    Off,
    /// With others, when the next digest is due.
    Digest,
    /// At once, each incident in a message of its own.
    Page,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 3] = [Self::Off, Self::Digest, Self::Page];

    /// Name in the configuration.
    pub fn id(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Digest => "digest",
            Self::Page => "page",
        }
    }
}

/// `[alert]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerting {
    /// Numbers.
    pub options: AlertOptions,
    /// Rules that take another route than the shipped one.
    pub routes: BTreeMap<String, Route>,
    /// Where alerts go, in the order of the file.
    pub sinks: Vec<AlertSink>,
}

impl Alerting {
    pub(super) fn read(&mut self, mut table: Table<'_, '_>, rule_ids: &[&str], sink: &mut Sink<'_>) {
        use super::options::Section as _;
        self.options.read(&mut table, sink);
        if let Some(routes) = table.table("routes", sink) {
            for (rule, value) in routes {
                let rule = Spanned::new(rule.span(), rule.get_ref().as_ref());
                if !rule_ids.contains(rule.get_ref()) {
                    unknown_rule(&rule, rule_ids, sink);
                    continue;
                }
                let route = word(value, "route", &Route::ALL.map(|route| (route.id(), route)), sink);
                self.routes.extend(route.map(|route| ((*rule.get_ref()).to_owned(), route)));
            }
        }
        if let Some(value) = table.take("sink") {
            self.read_sinks(value, rule_ids, sink);
        }
        table.close(|_| None, sink);
    }

    fn read_sinks(&mut self, value: &raw::Value<'_>, rule_ids: &[&str], sink: &mut Sink<'_>) {
        let Some(list) = value.get_ref().as_array() else {
            let help = "write [[alert.sink]], with two brackets";
            return sink.add(value.span(), "`sink` is a list of tables", Some(help.into()));
        };
        for value in list {
            let Some(table) = value.get_ref().as_table() else {
                let help = "write [[alert.sink]] and its settings below it";
                sink.add(value.span(), "a sink is a table", Some(help.into()));
                continue;
            };
            let Some(read) = AlertSink::read(Table::new("[[alert.sink]]", table), value.span(), rule_ids, sink) else {
                continue;
            };
            if self.sinks.iter().any(|other| other.name == read.name) {
                let help = "give every sink a name of its own: what it was told is kept under it";
                sink.add(value.span(), format!("two sinks are called `{}`", read.name), Some(help.into()));
            }
            self.sinks.push(read);
        }
    }
}

/// One of a few words, or a problem that lists them.
fn word<T: Copy>(value: &raw::Value<'_>, key: &str, words: &[(&'static str, T)], sink: &mut Sink<'_>) -> Option<T> {
    let list = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let text = raw::text(value, key, &format!("one of {list}"), sink)?;
    let found = words.iter().find(|(word, _)| word == text.get_ref());
    if found.is_none() {
        let near = super::suggest::nearest(text.get_ref(), words.iter().map(|(word, _)| *word));
        let help = near.map_or_else(|| format!("write one of {list}"), |word| format!("did you mean `{word}`?"));
        sink.add(text.span(), format!("`{}` is no {key}", text.get_ref()), Some(help));
    }
    found.map(|(_, value)| *value)
}

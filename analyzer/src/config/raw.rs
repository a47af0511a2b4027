//! The file as the user typed it: TOML in which every key and value knows where it stands.
//!
//! TOML's own span tree is read instead of deriving serde structs: a derived struct stops at the first thing it does not
//! like, and the user shall see everything at once. Whoever reads a table takes the keys that it knows; what is left
//! when the table is closed was not asked for by anyone, and is reported with the nearest known name.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Sink;
use super::suggest::nearest;

/// A value and where it stands.
pub(super) type Value<'a> = Spanned<DeValue<'a>>;

/// One table that is being read.
pub(super) struct Table<'t, 'a> {
    /// What it is called in messages, for example `[scan]`.
    name: String,
    table: &'t DeTable<'a>,
    known: BTreeSet<&'static str>,
    taken: BTreeSet<&'t str>,
}

/// Reads a whole file. Syntax errors go to the sink, and what could be understood is handed on all the same.
pub(super) fn document<'a>(text: &'a str, sink: &mut Sink<'_>) -> DeTable<'a> {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(text.len()..text.len());
        let help = quotes_missing(text, &error).map(|word| format!("text stands in quotes: \"{word}\""));
        sink.add_syntax(span, format!("not valid TOML: {}", error.message()), help);
    }
    document.into_inner()
}

/// The word that should be in quotes, where the parser found one.
fn quotes_missing<'a>(text: &'a str, error: &toml::de::Error) -> Option<&'a str> {
    if !error.message().contains("must be quoted") {
        return None;
    }
    let rest = text.get(error.span()?.start..)?;
    let word = rest.split(|c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | '#' | '"' | '\'')).next()?;
    if word.is_empty() { None } else { Some(word) }
}

impl<'t, 'a> Table<'t, 'a> {
    pub(super) fn new(name: impl Into<String>, table: &'t DeTable<'a>) -> Self {
        Self { name: name.into(), table, known: BTreeSet::new(), taken: BTreeSet::new() }
    }

    /// The value of a key that this table may have.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'t Value<'a>> {
        self.known.insert(key);
        let (typed, value) = self.table.get_key_value(key)?;
        self.taken.insert(typed.get_ref());
        Some(value)
    }

    /// A text that is not blank.
    pub(super) fn text(&mut self, key: &'static str, example: &str, sink: &mut Sink<'_>) -> Option<Spanned<&'t str>> {
        let value = self.take(key)?;
        text(value, key, example, sink)
    }

    /// The values of a list; none when it is not there.
    pub(super) fn list(&mut self, key: &'static str, example: &str, sink: &mut Sink<'_>) -> &'t [Value<'a>] {
        let Some(value) = self.take(key) else { return &[] };
        let list = value.get_ref().as_array();
        if list.is_none() {
            sink.add(value.span(), format!("`{key}` is a list"), Some(format!("write {key} = [{example}]")));
        }
        list.map_or(&[], |list| list)
    }

    /// A table inside this one.
    pub(super) fn table(&mut self, key: &'static str, sink: &mut Sink<'_>) -> Option<&'t DeTable<'a>> {
        let value = self.take(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            let found = value.get_ref().type_str();
            sink.add(
                value.span(),
                format!("`{key}` is a table, found {}", article(found)),
                Some(format!("write [{key}] on a line of its own")),
            );
        }
        table
    }

    /// Reports every key that nobody took. `elsewhere` may know where such a key belongs.
    pub(super) fn close(self, elsewhere: impl Fn(&str) -> Option<String>, sink: &mut Sink<'_>) {
        for key in self.table.keys() {
            let typed: &str = key.get_ref();
            if self.taken.contains(typed) {
                continue;
            }
            let near = nearest(typed, self.known.iter().copied()).map(|name| format!("did you mean `{name}`?"));
            let all = || {
                let names: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
                format!("known here: {}", names.join(", "))
            };
            let help = near.or_else(|| elsewhere(typed)).unwrap_or_else(all);
            sink.add(key.span(), format!("{} has no setting `{typed}`", self.name), Some(help));
        }
    }
}

/// A text that is not blank, or a problem.
pub(super) fn text<'t>(
    value: &'t Value<'_>,
    what: &str,
    example: &str,
    sink: &mut Sink<'_>,
) -> Option<Spanned<&'t str>> {
    let help = |value: &DeValue<'_>| match value {
        DeValue::Integer(number) => format!("put it in quotes: \"{number}\""),
        _ => format!("write {example}"),
    };
    match value.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => {
            sink.add(value.span(), format!("`{what}` is empty"), Some(format!("write {example}")));
            None
        }
        DeValue::String(text) => Some(Spanned::new(value.span(), text.as_ref())),
        other => {
            let found = article(other.type_str());
            sink.add(value.span(), format!("`{what}` is text, found {found}"), Some(help(other)));
            None
        }
    }
}

/// The kind of value with its article.
pub(super) fn article(kind: &str) -> String {
    match kind {
        "string" => "text".into(),
        "integer" => "a whole number".into(),
        "float" => "a decimal number".into(),
        "boolean" => "true or false".into(),
        "datetime" => "a date".into(),
        "array" => "a list".into(),
        other => format!("a {other}"),
    }
}

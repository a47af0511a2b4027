//! Text → [`Policy`], total: any text gives a policy or the reason why not.

use std::fmt;

use serde_json::{Map, Value};

use super::condition::Condition;
use super::json::repeated_member;
use super::principal::Principal;

/// Largest policy that KMS takes, in bytes.
pub const MAX_BYTES: usize = 32 * 1024;

/// What a log says in place of a document that it left out.
const OMITTED: [&str; 4] = ["", "omitted", "***", "HIDDEN_DUE_TO_SECURITY_REASONS"];

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `Version`. Without `2012-10-17`, `${...}` is plain text.
    pub version: Option<String>,
    /// `Id`.
    pub id: Option<String>,
    /// Statements in their order.
    pub statements: Vec<Statement>,
    /// Elements that the grammar does not know.
    pub unknown: Vec<String>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Sid`.
    pub sid: Option<String>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; an IAM policy has neither.
    pub principals: Option<Selection<Principal>>,
    /// `Action` or `NotAction`.
    pub actions: Selection<String>,
    /// `Resource` or `NotResource`.
    pub resources: Option<Selection<String>>,
    /// Tests of `Condition`, which all must hold.
    pub conditions: Vec<Condition>,
    /// Elements that the grammar does not know.
    pub unknown: Vec<String>,
}

/// What a statement does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Allows.
    Allow,
    /// Denies, whatever else allows.
    Deny,
}

/// A list, or all but a list: `Action` and `NotAction` and their kin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<T> {
    /// True for the `Not...` form.
    pub except: bool,
    /// What is listed.
    pub items: Vec<T>,
}

/// Why a text is no policy. Nothing is known of what such a policy allows: never read it as harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The log left the document out.
    Omitted,
    /// More bytes than KMS takes.
    TooLong(usize),
    /// Not JSON.
    NotJson,
    /// JSON, but not an object.
    NotAnObject,
    /// An object states this member twice: which one counts is not known.
    Repeated(String),
    /// No `Statement`, or an empty one.
    NoStatement,
    /// An element has a value that the grammar does not allow.
    Element {
        /// Index of the statement.
        statement: usize,
        /// Name of the element.
        element: &'static str,
    },
}

impl Unreadable {
    /// Stable name of the reason.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Omitted => "omitted",
            Self::TooLong(_) => "too-long",
            Self::NotJson => "not-json",
            Self::NotAnObject => "not-an-object",
            Self::Repeated(_) => "repeated-member",
            Self::NoStatement => "no-statement",
            Self::Element { .. } => "bad-element",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Omitted => out.write_str("the log left the policy out"),
            Self::TooLong(bytes) => {
                write!(out, "the policy has {bytes} bytes, more than the {MAX_BYTES} that KMS takes")
            }
            Self::NotJson => out.write_str("the policy is not JSON"),
            Self::NotAnObject => out.write_str("the policy is not a JSON object"),
            Self::Repeated(name) => write!(out, "the policy states the member {name:?} twice"),
            Self::NoStatement => out.write_str("the policy has no statement"),
            Self::Element { statement, element } => {
                write!(out, "statement {} of the policy has an unreadable {element}", statement + 1)
            }
        }
    }
}

impl std::error::Error for Unreadable {}

impl Policy {
    /// The same policy, whose texts leave out which encryption context it asks for.
    #[must_use]
    pub fn without_context_values(mut self) -> Self {
        for condition in self.statements.iter_mut().flat_map(|statement| &mut statement.conditions) {
            condition.is_hidden = condition.key.to_ascii_lowercase().starts_with("kms:encryptioncontext:");
        }
        self
    }

    /// Reads a policy document.
    ///
    /// # Errors
    /// Any text that does not follow the grammar of policies, with the first reason found.
    pub fn parse(text: &str) -> Result<Self, Unreadable> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if OMITTED.iter().any(|mark| mark.eq_ignore_ascii_case(text)) {
            return Err(Unreadable::Omitted);
        }
        if text.len() > MAX_BYTES {
            return Err(Unreadable::TooLong(text.len()));
        }
        let Value::Object(members) = serde_json::from_str(text).map_err(|_| Unreadable::NotJson)? else {
            return Err(Unreadable::NotAnObject);
        };
        if let Some(name) = repeated_member(text) {
            return Err(Unreadable::Repeated(name));
        }
        if member(&members, "omitted") == Some(&Value::Bool(true)) {
            return Err(Unreadable::Omitted);
        }
        let statements = match member(&members, "Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(single @ Value::Object(_)) => std::slice::from_ref(single),
            _ => &[],
        };
        if statements.is_empty() {
            return Err(Unreadable::NoStatement);
        }
        let statements = statements.iter().enumerate().map(|(index, value)| statement(index, value));
        Ok(Self {
            version: text_of(member(&members, "Version")),
            id: text_of(member(&members, "Id")),
            statements: statements.collect::<Result<_, _>>()?,
            unknown: unknown(&members, &["Version", "Id", "Statement"]),
        })
    }

    /// True if `${...}` is a variable in this policy.
    pub(super) fn has_variables(&self) -> bool {
        self.version.as_deref() == Some("2012-10-17")
    }
}

fn statement(index: usize, value: &Value) -> Result<Statement, Unreadable> {
    const KNOWN: [&str; 9] =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let bad = |element| Unreadable::Element { statement: index, element };
    let Value::Object(members) = value else { return Err(bad("Statement")) };
    let effect = match text_of(member(members, "Effect")).unwrap_or_default().to_ascii_lowercase().as_str() {
        "allow" => Effect::Allow,
        "deny" => Effect::Deny,
        _ => return Err(bad("Effect")),
    };
    let principals = either(members, "Principal", "NotPrincipal", principals).map_err(bad)?;
    let actions = either(members, "Action", "NotAction", texts).map_err(bad)?.ok_or_else(|| bad("Action"))?;
    let conditions = match member(members, "Condition") {
        Some(value) => conditions(value).ok_or_else(|| bad("Condition"))?,
        None => Vec::new(),
    };
    Ok(Statement {
        sid: text_of(member(members, "Sid")).filter(|sid| !sid.is_empty()),
        effect,
        principals,
        actions,
        resources: either(members, "Resource", "NotResource", texts).map_err(bad)?,
        conditions,
        unknown: unknown(members, &KNOWN),
    })
}

/// The one of two elements that is there.
fn either<T>(
    members: &Map<String, Value>,
    name: &'static str,
    negated: &'static str,
    read: impl Fn(&Value) -> Option<Vec<T>>,
) -> Result<Option<Selection<T>>, &'static str> {
    let (value, except) = match (member(members, name), member(members, negated)) {
        (None, None) => return Ok(None),
        (Some(value), None) => (value, false),
        (None, Some(value)) => (value, true),
        (Some(_), Some(_)) => return Err(negated),
    };
    read(value).map(|items| Some(Selection { except, items })).ok_or(if except { negated } else { name })
}

fn principals(value: &Value) -> Option<Vec<Principal>> {
    let members = match value {
        Value::String(text) if text == "*" => return Some(vec![Principal::Anyone]),
        Value::String(text) => return Some(vec![Principal::Other(text.clone())]),
        Value::Object(members) => members,
        _ => return None,
    };
    let mut found = Vec::new();
    for (kind, value) in members {
        found.extend(texts(value)?.iter().map(|text| Principal::read(kind, text)));
    }
    Some(found)
}

fn conditions(value: &Value) -> Option<Vec<Condition>> {
    let mut found = Vec::new();
    for (operator, keys) in value.as_object()? {
        for (key, values) in keys.as_object()? {
            let values = match values {
                Value::Array(list) => list.iter().map(scalar).collect::<Option<_>>()?,
                single => vec![scalar(single)?],
            };
            found.push(Condition::new(operator, key, values));
        }
    }
    Some(found)
}

/// A string, or a list of strings.
fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(list) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn text_of(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

/// A member by its name in any case.
fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn unknown(members: &Map<String, Value>, known: &[&str]) -> Vec<String> {
    members.keys().filter(|key| !known.iter().any(|name| name.eq_ignore_ascii_case(key))).cloned().collect()
}

//! One test of a `Condition`: operator, key, values.

use std::fmt;

/// How a test compares. Negated and case-blind forms are the same test with a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Test {
    /// `StringEquals` and its kin: wildcards are plain characters here.
    Equals,
    /// `StringLike`.
    Like,
    /// `ArnEquals` and `ArnLike`, which do the same: both know wildcards.
    Arn,
    /// `Bool`.
    Bool,
    /// `Null`: is the key absent?
    Null,
    /// `IpAddress`.
    Ip,
    /// Numbers.
    Numeric,
    /// Dates.
    Date,
    /// Binary values.
    Binary,
    /// An operator that this program does not know.
    Unknown,
}

/// How a test deals with a key of several values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantifier {
    /// No prefix.
    One,
    /// `ForAnyValue:`: one value of the request must pass; an absent key fails.
    Any,
    /// `ForAllValues:`: all values of the request must pass; an absent key passes.
    All,
}

/// One test. A condition holds if all its tests hold; a test holds if one of its values does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// How it compares.
    pub test: Test,
    /// `StringNotEquals` and its kin: holds if no value matches, and if the key is absent.
    pub negated: bool,
    /// `...IfExists`: holds if the key is absent.
    pub if_exists: bool,
    /// Prefix for keys of several values.
    pub quantifier: Quantifier,
    /// The operator in the spelling of AWS, with prefix and suffix.
    pub operator: String,
    /// Key as it was written; AWS takes it in any case.
    pub key: String,
    /// Values; numbers and booleans as text.
    pub values: Vec<String>,
    /// Its text leaves the values out.
    pub(super) is_hidden: bool,
}

const OPERATORS: [(&str, Test, bool); 27] = [
    ("StringEquals", Test::Equals, false),
    ("StringNotEquals", Test::Equals, true),
    ("StringEqualsIgnoreCase", Test::Equals, false),
    ("StringNotEqualsIgnoreCase", Test::Equals, true),
    ("StringLike", Test::Like, false),
    ("StringNotLike", Test::Like, true),
    ("ArnEquals", Test::Arn, false),
    ("ArnLike", Test::Arn, false),
    ("ArnNotEquals", Test::Arn, true),
    ("ArnNotLike", Test::Arn, true),
    ("Bool", Test::Bool, false),
    ("Null", Test::Null, false),
    ("IpAddress", Test::Ip, false),
    ("NotIpAddress", Test::Ip, true),
    ("NumericEquals", Test::Numeric, false),
    ("NumericNotEquals", Test::Numeric, true),
    ("NumericLessThan", Test::Numeric, false),
    ("NumericLessThanEquals", Test::Numeric, false),
    ("NumericGreaterThan", Test::Numeric, false),
    ("NumericGreaterThanEquals", Test::Numeric, false),
    ("DateEquals", Test::Date, false),
    ("DateNotEquals", Test::Date, true),
    ("DateLessThan", Test::Date, false),
    ("DateLessThanEquals", Test::Date, false),
    ("DateGreaterThan", Test::Date, false),
    ("DateGreaterThanEquals", Test::Date, false),
    ("BinaryEquals", Test::Binary, false),
];

impl Condition {
    /// Reads the operator. One that is not known gives a test that says nothing for sure.
    pub(super) fn new(operator: &str, key: &str, values: Vec<String>) -> Self {
        let (prefix, rest) = operator.split_once(':').unwrap_or(("", operator));
        let quantifier = match prefix.to_ascii_lowercase().as_str() {
            "foranyvalue" => Quantifier::Any,
            "forallvalues" => Quantifier::All,
            _ => Quantifier::One,
        };
        let suffix = rest.len().checked_sub("IfExists".len()).and_then(|at| rest.split_at_checked(at));
        let (base, if_exists) = match suffix {
            Some((base, end)) if end.eq_ignore_ascii_case("IfExists") => (base, true),
            _ => (rest, false),
        };
        let known = OPERATORS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(base));
        let foreign_prefix = !prefix.is_empty() && quantifier == Quantifier::One;
        let (name, test, negated) = match known {
            Some((name, test, negated)) if !foreign_prefix => (*name, *test, *negated),
            _ => (base, Test::Unknown, false),
        };
        let prefix = match quantifier {
            Quantifier::One => "",
            Quantifier::Any => "ForAnyValue:",
            Quantifier::All => "ForAllValues:",
        };
        let spelled = match test {
            Test::Unknown => operator.to_owned(),
            _ => format!("{prefix}{name}{}", if if_exists { "IfExists" } else { "" }),
        };
        Self { test, negated, if_exists, quantifier, operator: spelled, key: key.to_owned(), values, is_hidden: false }
    }

    /// True for `Bool` and `Null` tests that ask for this.
    pub(super) fn asks_for(&self, wanted: bool) -> bool {
        let wanted = if wanted { "true" } else { "false" };
        !self.values.is_empty() && self.values.iter().all(|value| value.eq_ignore_ascii_case(wanted))
    }

    /// The same for all spellings of the same test.
    pub(super) fn normalized(&self) -> Self {
        let mut normal = self.clone();
        normal.key = normal.key.to_ascii_lowercase();
        normal.values.sort();
        normal.values.dedup();
        if matches!(self.test, Test::Bool | Test::Null) {
            normal.values.iter_mut().for_each(|value| value.make_ascii_lowercase());
        }
        if self.test == Test::Arn {
            normal.operator = normal.operator.replace("ArnEquals", "ArnLike").replace("ArnNotEquals", "ArnNotLike");
        }
        normal
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = if self.is_hidden { "[redacted]".to_owned() } else { self.values.join(", ") };
        write!(out, "{} {} {values}", self.operator, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_in_any_spelling() {
        let read = Condition::new("forallvalues:stringnotequalsifexists", "aws:PrincipalOrgPaths", Vec::new());
        assert_eq!(read.operator, "ForAllValues:StringNotEqualsIfExists");
        assert_eq!(
            (read.test, read.negated, read.if_exists, read.quantifier),
            (Test::Equals, true, true, Quantifier::All)
        );
        for (name, test, negated) in OPERATORS {
            let read = Condition::new(&format!("{name}IfExists"), "k", Vec::new());
            assert_eq!((read.test, read.negated, read.if_exists), (test, negated, true), "{name}");
        }
        for strange in ["", ":", "IfExists", "StringMatches", "ForSomeValues:StringEquals", "é"] {
            assert_eq!(Condition::new(strange, "k", Vec::new()).test, Test::Unknown, "{strange}");
        }
    }
}

//! The kinds of value that an option may have: how each is read from the file, checked, and written back.

use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::de::DeValue;

use super::level::Level;
use super::parse::Bytes;
use super::problem::Sink;
use super::raw::{Value, article};

/// A kind of option value.
pub(super) trait Kind: Sized {
    /// What a range of allowed values is made of.
    type Bound: PartialOrd + Display;

    /// Name in the docs and in messages.
    const NAME: &'static str;

    /// The value, or what is wrong with it.
    fn read(value: &DeValue<'_>) -> Result<Self, Misfit>;

    /// True when the value may be used.
    fn within(&self, _range: &RangeInclusive<Self::Bound>) -> bool {
        true
    }

    /// As it would stand in the file; `None` when it is not set.
    fn write(&self) -> Option<String>;
}

/// Why a value does not fit.
pub(super) enum Misfit {
    /// It is of another kind.
    Kind,
    /// It is of the right kind and yet means nothing: what is wrong, and what to try.
    Value(String, String),
}

/// Puts the value of an option in its place, or reports why it cannot stand there.
pub(super) fn assign<K: Kind>(
    place: &mut K,
    key: &str,
    value: &Value<'_>,
    range: Option<&RangeInclusive<K::Bound>>,
    sink: &mut Sink<'_>,
) {
    let span = value.span();
    match K::read(value.get_ref()) {
        Ok(read) => match range.filter(|range| !read.within(range)) {
            Some(range) => {
                let help = format!("write a value from {} to {}", range.start(), range.end());
                sink.add(span, format!("`{key}` is out of range"), Some(help));
            }
            None => *place = read,
        },
        Err(Misfit::Value(message, help)) => sink.add(span, message, Some(help)),
        Err(Misfit::Kind) => {
            let found = article(value.get_ref().type_str());
            // What stands in quotes and would be right without them is the most frequent slip.
            let unquoted = value
                .get_ref()
                .as_str()
                .filter(|text| DeValue::parse(text).is_ok_and(|value| K::read(value.get_ref()).is_ok()));
            let help = unquoted.map(|text| format!("remove the quotes: {text}"));
            sink.add(span, format!("`{key}` is {}, found {found}", K::NAME), help);
        }
    }
}

impl Kind for bool {
    type Bound = Self;

    const NAME: &'static str = "true or false";

    fn read(value: &DeValue<'_>) -> Result<Self, Misfit> {
        value.as_bool().ok_or(Misfit::Kind)
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Kind for u32 {
    type Bound = Self;

    const NAME: &'static str = "a whole number";

    fn read(value: &DeValue<'_>) -> Result<Self, Misfit> {
        let number = value.as_integer().ok_or(Misfit::Kind)?;
        Self::from_str_radix(number.as_str(), number.radix()).map_err(|_| {
            Misfit::Value(format!("`{number}` is out of range"), format!("write a whole number up to {}", Self::MAX))
        })
    }

    fn within(&self, range: &RangeInclusive<Self>) -> bool {
        range.contains(self)
    }

    fn write(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Kind for f64 {
    type Bound = Self;

    const NAME: &'static str = "a number";

    fn read(value: &DeValue<'_>) -> Result<Self, Misfit> {
        // A decimal option may be written `5`.
        match value {
            DeValue::Float(number) => number.as_str().parse().map_err(|_| Misfit::Kind),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().map_err(|_| Misfit::Kind),
            _ => Err(Misfit::Kind),
        }
    }

    /// `nan` is in no range, and `inf` in none of ours.
    fn within(&self, range: &RangeInclusive<Self>) -> bool {
        range.contains(self)
    }

    fn write(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

impl Kind for Bytes {
    type Bound = Self;

    const NAME: &'static str = "a size";

    fn read(value: &DeValue<'_>) -> Result<Self, Misfit> {
        match value {
            DeValue::String(text) => {
                text.parse().map_err(|error: super::parse::ParseError| Misfit::Value(error.message, error.help))
            }
            DeValue::Integer(number) => Err(Misfit::Value(
                format!("`{number}` has no unit"),
                format!("write \"{number}MiB\", or another unit, in quotes"),
            )),
            _ => Err(Misfit::Kind),
        }
    }

    fn within(&self, range: &RangeInclusive<Self>) -> bool {
        range.contains(self)
    }

    fn write(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl Kind for Level {
    type Bound = u8;

    const NAME: &'static str = "a severity";

    fn read(value: &DeValue<'_>) -> Result<Self, Misfit> {
        let text = value.as_str().ok_or(Misfit::Kind)?;
        Self::from_id(text).ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|level| level.id()).collect();
            let near = super::suggest::nearest(text, all.iter().copied()).map(|id| format!("did you mean `{id}`?"));
            let help = near.unwrap_or_else(|| format!("write one of {}", all.join(", ")));
            Misfit::Value(format!("`{text}` is not a severity"), help)
        })
    }

    fn write(&self) -> Option<String> {
        Some(format!("\"{}\"", self.id()))
    }
}

impl<K: Kind> Kind for Option<K> {
    type Bound = K::Bound;

    const NAME: &'static str = K::NAME;

    fn read(value: &DeValue<'_>) -> Result<Self, Misfit> {
        K::read(value).map(Some)
    }

    fn within(&self, range: &RangeInclusive<K::Bound>) -> bool {
        self.as_ref().is_none_or(|value| value.within(range))
    }

    fn write(&self) -> Option<String> {
        self.as_ref().and_then(K::write)
    }
}

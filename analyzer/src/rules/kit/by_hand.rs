//! Rotation by hand: an alias moves to a new key, and the old one only decrypts from then on.

use super::context::Context;
use super::stretch::SETTLING;
use crate::view::{AliasMove, KeyView};

/// What makes new ciphertext under a key.
const ENCRYPTS: [&str; 5] = [
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
];

/// The move with which a key was replaced: its last alias went to another key, and nothing was encrypted under it since.
pub fn replaced<'v>(key: &'v KeyView, cx: &Context<'_>) -> Option<&'v AliasMove> {
    let went = key.moves.iter().rev().find(|told| told.from.as_deref() == Some(&key.arn) && told.to.is_some())?;
    let encrypts = |at: i64| {
        key.series.iter().any(|series| {
            series.succeeded()
                && ENCRYPTS.contains(&cx.text(Some(series.key.name)))
                && series.cells.iter().any(|cell| cell.last() > at.saturating_add(SETTLING))
        })
    };
    (key.aliases.is_empty() && !encrypts(went.at)).then_some(went)
}

/// The move with which a key took the place of another one.
pub fn took_over(key: &KeyView) -> Option<&AliasMove> {
    let came = |told: &&AliasMove| told.to.as_deref() == Some(&key.arn) && told.from.is_some() && told.until.is_none();
    key.moves.iter().rev().find(came)
}

//! AWS Config as a source: what it recorded of keys and aliases, in snapshots, history files, and what `aws configservice`
//! prints of them.
//!
//! Config asks KMS when a key changes, and keeps the answer with the time at which it asked: that is when KMS said it, however
//! much later the snapshot was written. It records no grants, no rotations and no period of rotation, and what it records is
//! what it was set up to: a key that is not in a snapshot may be there all the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::call::Call;
use super::config_wire::ITEMS;
use super::facts::{RotationStatus, Stamp};
use super::read::{Answer, Body, alias, described, place_of, push};
use super::time::millis;
use super::wire::typed;

/// Aliases of a place: name, target, and when Config last asked, by ARN.
type Names = BTreeMap<(String, String), BTreeMap<String, (i64, Option<(String, Option<String>)>)>>;

/// The items of a document, when it is one of AWS Config.
pub(super) fn items(document: &Value) -> Option<&Vec<Value>> {
    ITEMS.iter().find_map(|name| document.get(name)?.as_array())
}

/// Reads them.
pub(super) fn read(items: &[Value], name: &str, answers: &mut Vec<Answer>, misread: &mut dyn FnMut(String)) {
    let stamp = |captured_at| Stamp {
        captured_at,
        source: Arc::from(format!("{name}, recorded by AWS Config")),
        file: Arc::from(name),
    };
    let mut names = Names::new();
    if items.is_empty() {
        misread("AWS Config recorded no key of KMS in it".into());
    }
    for item in items {
        let Some(captured_at) = millis(&item["configurationItemCaptureTime"]) else {
            misread("an item of AWS Config does not say when it was captured".into());
            continue;
        };
        let done = match item["resourceType"].as_str() {
            Some("AWS::KMS::Key") => key(item, &stamp(captured_at), answers, misread),
            Some("AWS::KMS::Alias") => name_of(item, captured_at, &mut names),
            _ => Some(()),
        };
        if done.is_none() {
            misread(format!("not as AWS Config records {}", item["resourceType"].as_str().unwrap_or("keys")));
        }
    }
    for (place, known) in names {
        // Each alias stood until the next item of it: all of them did when the last of them was captured.
        let Some(last) = known.values().map(|(at, _)| *at).max() else { continue };
        let known: Vec<_> = known.into_values().filter_map(|(_, alias)| alias).collect();
        let (body, raw) = (Body::Aliases(known, false), Value::Null);
        let place = Some(place);
        push(Answer { call: Call::ListAliases, place, key: None, body, raw, stamp: stamp(last) }, answers, misread);
    }
}

/// One item of a key. `None` when it is none.
fn key(item: &Value, stamp: &Stamp, answers: &mut Vec<Answer>, misread: &mut dyn FnMut(String)) -> Option<()> {
    let own = item["arn"].as_str().or(item["ARN"].as_str());
    let mut say = |arn: &str, call, body| {
        let key = Some(arn.to_string());
        let answer = Answer { call, place: place_of(arn), key, body, raw: Value::Null, stamp: stamp.clone() };
        push(answer, answers, misread);
    };
    match item["configurationItemStatus"].as_str() {
        Some("ResourceDeleted" | "ResourceDeletedNotRecorded") => {
            say(own.filter(|arn| arn.contains(":key/"))?, Call::DescribeKey, Body::Gone);
            return Some(());
        }
        // Config knows that it is there, and no more.
        Some("ResourceNotRecorded") => return Some(()),
        _ => {}
    }
    let (arn, (kind, standing)) = described(typed(&pascal(unpacked(&item["configuration"])?))?);
    if own.is_some_and(|own| own != arn) || place_of(&arn).is_none() {
        return None;
    }
    say(&arn, Call::DescribeKey, Body::Described(Box::new((kind, standing))));
    let more = &item["supplementaryConfiguration"];
    if let Some(enabled) = unpacked(&more["KeyRotationStatus"]).and_then(|value| value.as_bool()) {
        let rotation = RotationStatus { enabled, period_days: None, next: None };
        say(&arn, Call::GetKeyRotationStatus, Body::Rotation(rotation));
    }
    if let Some(policy) = unpacked(&more["KeyPolicy"]).filter(|policy| policy.get("Statement").is_some()) {
        say(&arn, Call::GetKeyPolicy, Body::Policy(policy.to_string()));
    }
    if let Some(tags) = item["tags"].as_object() {
        let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_string()));
        say(&arn, Call::ListResourceTags, Body::Tags(tags.iter().filter_map(text).collect()));
    }
    Some(())
}

/// One item of an alias: the last of each counts.
fn name_of(item: &Value, captured_at: i64, names: &mut Names) -> Option<()> {
    let arn = item["arn"].as_str().or(item["ARN"].as_str())?;
    let gone = item["configurationItemStatus"].as_str().is_some_and(|status| status.starts_with("ResourceDeleted"));
    let entry = if gone {
        None
    } else {
        let mut configuration = unpacked(&item["configuration"])?;
        configuration.as_object_mut()?.insert("AliasArn".into(), arn.into());
        Some(alias(typed(&configuration)?))
    };
    let known = names.entry(place_of(arn)?).or_default().entry(arn.to_string()).or_insert((i64::MIN, None));
    if captured_at >= known.0 {
        *known = (captured_at, entry);
    }
    Some(())
}

/// A value that may stand in a string, or in a string in a string, as JSON. Nothing else is read from strings.
fn unpacked(value: &Value) -> Option<Value> {
    let mut value = value.clone();
    for _ in 0..2 {
        match &value {
            Value::String(text) => value = serde_json::from_str(text).ok()?,
            Value::Null => return None,
            _ => break,
        }
    }
    (!value.is_string()).then_some(value)
}

/// Members as KMS names them: Config begins them with a small letter.
fn pascal(value: Value) -> Value {
    let named = |(name, value): (String, Value)| {
        let mut letters = name.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        (first.into_iter().chain(letters).collect::<String>(), pascal(value))
    };
    match value {
        Value::Object(map) => Value::Object(map.into_iter().map(named).collect::<Map<_, _>>()),
        other => other,
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;

//! Bytes to answers. What a file is, its content tells, not its name; only which key an answer is about may have to be read
//! from the name, because KMS does not repeat it in every answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::call::Call;
use super::config;
use super::facts::{Grant, Grants, Kind, RotationStatus, Rotations, Stamp, Standing};
use super::time::millis;
use super::wire::{self, Document, SCHEMA, typed};

/// Clocks of KMS and of those who ask differ a little, milliseconds.
const SKEW: i64 = 5 * 60_000;

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was called.
    pub call: Call,
    /// Account and Region, where the answer or its file tells.
    pub place: Option<(String, String)>,
    /// ARN or id of the key that it is about.
    pub key: Option<String>,
    /// What was said.
    pub body: Body,
    /// The same as the AWS CLI prints it.
    pub raw: Value,
    /// When, and where it stands.
    pub stamp: Stamp,
}

/// What was said.
#[derive(Clone, Debug)]
pub enum Body {
    /// ARNs of keys, and whether they are all of the place.
    Keys(Vec<String>, bool),
    /// What a key is, and how it stands.
    Described(Box<(Kind, Standing)>),
    /// Automatic rotation.
    Rotation(RotationStatus),
    /// Rotations that happened.
    Rotations(Rotations),
    /// The key policy.
    Policy(String),
    /// Open grants.
    Grants(Grants),
    /// Alias and the key that it points at, by ARN where that is known; whether they are all of the place.
    Aliases(Vec<(String, Option<String>)>, bool),
    /// Tags.
    Tags(BTreeMap<String, String>),
    /// The key is deleted.
    Gone,
    /// Key stores by id, with the state of their connection.
    Stores(BTreeMap<String, Option<String>>),
    /// Nothing: why, in a word, and what the service said.
    Refused(String, String),
}

/// Something in a file that is no answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Misread {
    /// The file.
    pub source: String,
    /// What is wrong with it.
    pub reason: String,
}

/// All that was read.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// Answers, in the order of files.
    pub answers: Vec<Answer>,
    /// What could not be used.
    pub misread: Vec<Misread>,
    /// Files that answers stand in.
    pub files: u64,
}

/// Reads one file; `written` is when it was, milliseconds, where that is known: it counts for documents that do not say
/// themselves when KMS said something.
pub fn gather(gathered: &mut Gathered, name: &str, written: Option<i64>, bytes: &[u8]) {
    let before = gathered.answers.len();
    let mut misread = |reason: String| gathered.misread.push(Misread { source: name.to_string(), reason });
    let mut documents = 0;
    // Several documents in a row, as `>>` and JSON lines leave them.
    for document in wire::documents(bytes) {
        documents += 1;
        let read = match document {
            Ok(Value::Array(list)) => list
                .into_iter()
                .try_for_each(|one| document_of(one, name, written, &mut gathered.answers, &mut misread)),
            Ok(one) => document_of(one, name, written, &mut gathered.answers, &mut misread),
            Err(error) => Err(format!("not JSON: {error}")),
        };
        if let Err(reason) = read {
            misread(reason);
            break;
        }
    }
    if documents == 0 {
        misread("empty".into());
    }
    gathered.files += u64::from(gathered.answers.len() > before);
}

fn document_of(
    value: Value,
    name: &str,
    written: Option<i64>,
    answers: &mut Vec<Answer>,
    misread: &mut dyn FnMut(String),
) -> Result<(), String> {
    if value.get("schema").is_some() {
        let schema = value["schema"].as_str().unwrap_or_default();
        if schema != SCHEMA {
            return Err(format!("its schema is `{schema}`, not {SCHEMA}"));
        }
        let document: Document = typed(&value).ok_or_else(|| format!("not as {SCHEMA} says"))?;
        own(document, name, answers, misread);
        return Ok(());
    }
    if let Some(items) = config::items(&value) {
        config::read(items, name, answers, misread);
        return Ok(());
    }
    let Some(captured_at) = written else {
        return Err("it does not tell when KMS said it, and neither does a pipe: save it to a file first".into());
    };
    let stamp = Stamp {
        captured_at,
        source: Arc::from(format!("{name}, AWS CLI output, time of the file")),
        file: Arc::from(name),
    };
    match saved(value, name, stamp) {
        Some(answer) => push(answer, answers, misread),
        None => misread("no answer of KMS: neither an inventory nor what `aws kms` prints".into()),
    }
    Ok(())
}

/// An inventory file.
fn own(document: Document, name: &str, answers: &mut Vec<Answer>, misread: &mut dyn FnMut(String)) {
    let place = Some((document.account, document.region));
    let (file, kms): (Arc<str>, Arc<str>) = (Arc::from(name), Arc::from(format!("{name}, asked of AWS")));
    let stamp = |text: &str, source: Option<&str>| {
        let captured_at = millis(&Value::String(text.to_string()))?;
        let source = source.map_or_else(|| Arc::clone(&kms), |source| Arc::from(format!("{name}, {source}")));
        Some(Stamp { captured_at, source, file: Arc::clone(&file) })
    };
    for said in document.answers {
        let stamp = stamp(&said.captured_at, said.source.as_deref());
        let Some((stamp, call)) = stamp.zip(Call::find(&said.call)) else {
            misread(format!("{} at `{}` is no answer", said.call, said.captured_at));
            continue;
        };
        match body(&said.answer) {
            Some((found, mut body, key)) if found == call => {
                if let Body::Aliases(_, all) = &mut body {
                    *all = said.key.is_none() && said.source.is_none();
                }
                let key = said.key.or(key);
                push(Answer { call, place: place.clone(), key, body, raw: said.answer, stamp }, answers, misread);
            }
            _ => misread(format!("what {} is said to answer is something else", said.call)),
        }
    }
    for refused in document.refused {
        let Some((stamp, call)) = stamp(&refused.captured_at, None).zip(Call::find(&refused.call)) else {
            misread(format!("{} at `{}` is no call", refused.call, refused.captured_at));
            continue;
        };
        let body = Body::Refused(refused.reason, refused.detail);
        answers.push(Answer { call, place: place.clone(), key: refused.key, body, raw: Value::Null, stamp });
    }
}

/// What the AWS CLI printed.
fn saved(value: Value, name: &str, stamp: Stamp) -> Option<Answer> {
    let (call, body, key) = body(&value)?;
    let arn = match &body {
        Body::Keys(arns, _) => arns.first().cloned(),
        Body::Aliases(..) => value["Aliases"][0]["AliasArn"].as_str().map(str::to_string),
        _ => key.clone(),
    };
    let place = arn.as_deref().and_then(place_of);
    let about_key = !matches!(body, Body::Keys(..) | Body::Aliases(..) | Body::Stores(_));
    let key = if about_key { key.or_else(|| key_in(name).map(str::to_string)) } else { None };
    Some(Answer { call, place, key, body, raw: value, stamp })
}

pub(super) fn push(mut answer: Answer, answers: &mut Vec<Answer>, misread: &mut dyn FnMut(String)) {
    let latest = match &answer.body {
        Body::Described(described) => described.0.created,
        Body::Rotations(rotations) => rotations.last().map(|rotation| rotation.0),
        Body::Grants(grants) => grants.values().filter_map(|grant| grant.created).max(),
        _ => None,
    };
    if latest.is_some_and(|latest| latest > answer.stamp.captured_at.saturating_add(SKEW)) {
        misread(format!("{} is said to be older than a date in it: not used", answer.call.id()));
        return;
    }
    if let (Some(key), None) = (&answer.key, &answer.place) {
        answer.place = place_of(key);
    }
    answers.push(answer);
}

/// What an answer says, and the key that it names.
fn body(value: &Value) -> Option<(Call, Body, Option<String>)> {
    let read = |field: &str| value.get(field);
    if read("Keys").is_some() {
        let keys: wire::Keys = typed(value)?;
        let complete = keys.next_token.is_none() && keys.truncated != Some(true);
        let arns = keys.keys.into_iter().filter_map(|key| key.key_arn).collect();
        return Some((Call::ListKeys, Body::Keys(arns, complete), None));
    }
    if let Some(metadata) = read("KeyMetadata") {
        let (arn, described) = described(typed(metadata)?);
        return Some((Call::DescribeKey, Body::Described(Box::new(described)), Some(arn)));
    }
    if read("KeyRotationEnabled").is_some() {
        let status: wire::RotationStatus = typed(value)?;
        let rotation = RotationStatus {
            enabled: status.key_rotation_enabled,
            period_days: status.rotation_period_in_days,
            next: status.next_rotation_date.as_ref().and_then(millis),
        };
        return Some((Call::GetKeyRotationStatus, Body::Rotation(rotation), status.key_id));
    }
    if let Some(list) = read("Rotations") {
        let list: Vec<wire::Rotation> = typed(list)?;
        let key = list.first().and_then(|first| first.key_id.clone());
        let mut rotations: Rotations = list
            .into_iter()
            .filter_map(|one| Some((one.rotation_date.as_ref().and_then(millis)?, one.rotation_type)))
            .collect();
        rotations.sort();
        return Some((Call::ListKeyRotations, Body::Rotations(rotations), key));
    }
    if let Some(policy) = read("Policy") {
        return Some((Call::GetKeyPolicy, Body::Policy(policy.as_str()?.to_string()), None));
    }
    if read("Statement").is_some() {
        // `--query Policy --output text` leaves the document alone.
        return Some((Call::GetKeyPolicy, Body::Policy(value.to_string()), None));
    }
    if let Some(list) = read("Grants") {
        let list: Vec<wire::Grant> = typed(list)?;
        let key = list.first().and_then(|first| first.key_id.clone());
        return Some((Call::ListGrants, Body::Grants(list.into_iter().map(grant).collect()), key));
    }
    if let Some(list) = read("Aliases") {
        let list: Vec<wire::AliasEntry> = typed(list)?;
        let aliases = list.into_iter().map(alias).collect();
        // The CLI may have been asked for the aliases of one key.
        return Some((Call::ListAliases, Body::Aliases(aliases, false), None));
    }
    if let Some(list) = read("Tags") {
        let list: Vec<wire::Tag> = typed(list)?;
        let tags = list.into_iter().map(|tag| (tag.tag_key, tag.tag_value)).collect();
        return Some((Call::ListResourceTags, Body::Tags(tags), None));
    }
    if let Some(list) = read("CustomKeyStores") {
        let list: Vec<wire::KeyStore> = typed(list)?;
        let stores = list.into_iter().map(|store| (store.custom_key_store_id, store.connection_state)).collect();
        return Some((Call::DescribeCustomKeyStores, Body::Stores(stores), None));
    }
    None
}

pub(super) fn described(metadata: wire::KeyMetadata) -> (String, (Kind, Standing)) {
    let time = |value: Option<Value>| value.as_ref().and_then(millis);
    let (multi_region, primary) = match metadata.multi_region_configuration {
        Some(config) => (config.multi_region_key_type, config.primary_key.and_then(|key| key.arn)),
        None => (None, None),
    };
    let kind = Kind {
        spec: metadata.key_spec.or(metadata.customer_master_key_spec),
        usage: metadata.key_usage,
        origin: metadata.origin,
        manager: metadata.key_manager,
        created: time(metadata.creation_date),
        custom_key_store: metadata.custom_key_store_id,
    };
    let standing = Standing {
        state: metadata.key_state,
        deletion: time(metadata.deletion_date),
        expires: time(metadata.valid_to),
        multi_region,
        primary,
    };
    (metadata.arn, (kind, standing))
}

pub(super) fn alias(alias: wire::AliasEntry) -> (String, Option<String>) {
    let beside = alias.alias_arn.as_deref().and_then(|arn| arn.strip_suffix(alias.alias_name.as_str()));
    let target = alias.target_key_id.map(|id| match beside {
        Some(beside) if !id.starts_with("arn:") => format!("{beside}key/{id}"),
        _ => id,
    });
    (alias.alias_name, target)
}

fn grant(grant: wire::Grant) -> (String, Grant) {
    let constraints =
        grant.constraints.filter(|constraints| constraints.as_object().is_some_and(|map| !map.is_empty()));
    let fact = Grant {
        created: grant.creation_date.as_ref().and_then(millis),
        grantee: grant.grantee_principal.or(grant.grantee_service_principal),
        retiring: grant.retiring_principal,
        issuer: grant.issuing_account,
        operations: grant.operations,
        constraints: constraints.map(|constraints| constraints.to_string()),
    };
    (grant.grant_id, fact)
}

/// Account and Region of an ARN.
pub(super) fn place_of(arn: &str) -> Option<(String, String)> {
    let mut fields = arn.strip_prefix("arn:")?.split(':');
    let (region, account) = (fields.nth(2)?, fields.next()?);
    Some((account.to_string(), region.to_string()))
}

/// The last key id in a name.
fn key_in(name: &str) -> Option<&str> {
    let hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let guid = |text: &str| {
        let mut lengths = text.split('-').map(|part| if hex(part) { part.len() } else { 0 });
        lengths.by_ref().eq([8, 4, 4, 4, 12])
    };
    let starts = name.char_indices().rev().map(|(at, _)| at);
    starts.into_iter().find_map(|at| {
        let multi = name.get(at..at + 36).filter(|text| text.strip_prefix("mrk-").is_some_and(hex));
        let bounded = |text: &&str| {
            let before = name[..at].chars().next_back().is_none_or(|c| !c.is_ascii_alphanumeric());
            let after = name[at + text.len()..].chars().next().is_none_or(|c| !c.is_ascii_alphanumeric());
            before && after
        };
        multi.or_else(|| name.get(at..at + 36).filter(|text| guid(text))).filter(bounded)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0d1e2f3a-4b5c-4d6e-8f90-a1b2c3d4e5f6";

    fn read(name: &str, text: &str) -> Gathered {
        let mut gathered = Gathered::default();
        gather(&mut gathered, name, Some(1_800_000_000_000), text.as_bytes());
        gathered
    }

    #[test]
    fn ids_are_found_in_names() {
        assert_eq!(key_in(&format!("out/{ID}/policy.json")), Some(ID));
        assert_eq!(key_in(&format!("out/policy_{ID}.json")), Some(ID));
        let multi = format!("mrk-{}", "a1".repeat(16));
        assert_eq!(key_in(&format!("us-east-1/{multi}-grants.json")), Some(multi.as_str()));
        assert_eq!(key_in("keys/é/policy.json"), None);
        assert_eq!(key_in(&format!("x{ID}y.json")), None, "part of a longer word");
    }

    #[test]
    fn several_documents_and_several_answers() {
        let text = r#"{"Tags":[{"TagKey":"a","TagValue":"b"}]} {"Grants":[]}
            [{"KeyRotationEnabled":true,"KeyId":"arn:aws:kms:eu-west-1:111122223333:key/k"}]"#;
        let gathered = read(&format!("{ID}.json"), text);
        let calls: Vec<&str> = gathered.answers.iter().map(|answer| answer.call.id()).collect();
        assert_eq!(calls, ["ListResourceTags", "ListGrants", "GetKeyRotationStatus"]);
        assert_eq!(gathered.answers[0].key.as_deref(), Some(ID));
        assert_eq!(gathered.answers[2].place, Some(("111122223333".into(), "eu-west-1".into())));
        assert!(gathered.misread.is_empty());
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for text in ["", "{", "{\"Records\":[]}", "3", "{\"schema\":\"keytrail.scan/1\"}", "{\"Keys\":7}"] {
            let gathered = read("a.json", text);
            assert_eq!((gathered.answers.len(), gathered.misread.len(), gathered.files), (0, 1, 0), "{text}");
        }
    }

    #[test]
    fn an_answer_cannot_be_older_than_what_it_tells() {
        let text = r#"{"KeyMetadata":{"Arn":"arn:aws:kms:eu-west-1:111122223333:key/k","CreationDate":1900000000.0}}"#;
        let gathered = read("a.json", text);
        assert!(gathered.answers.is_empty());
        assert!(gathered.misread[0].reason.contains("older"), "{:?}", gathered.misread);
    }
}

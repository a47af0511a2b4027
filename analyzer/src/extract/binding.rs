//! Records of other services: failures that a key caused, bindings of a key to a resource, IAM policies, trail control.

use std::borrow::Cow;

use simd_json::prelude::*;

use super::json::{self, Node};
use super::{FailureClass, Parts, arn, keys, resource};
use crate::frame::Row;

/// Another service's failure that a key caused.
pub(super) fn failure<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    failure_of_code(row, parts);
    fill_key(row, parts);
    fill_resource(row, parts);
}

/// A key bound to a resource: which key, as far as the record tells, and what it will protect.
pub(super) fn binding<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    failure_of_code(row, parts);
    fill_key(row, parts);
    fill_resource(row, parts);
    row.details = json::object_of(collect(parts.request, ENCRYPTION, true)).map(Cow::Owned);
}

/// A document that allows or denies.
pub(super) fn iam_policy<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    failure_of_code(row, parts);
    let Some(request) = parts.request else { return };
    let text = |name| json::get_str(&request, &[name]).map(Cow::Borrowed);
    row.policy = ["policyDocument", "inlinePolicy", "content"].iter().find_map(|name| {
        let document = json::get(&request, name)?;
        if document.is_str() { json::text(&document) } else { json::canonical(&document).map(Cow::Owned) }
    });
    row.policy_name = text("policyName").or_else(|| text("name"));
    let answered = parts.response.and_then(|response| json::get_str(&response, &["policy", "arn"]));
    let holder = || {
        let account = row.account.as_deref().unwrap_or_default();
        let partition = arn::partition(row.region.as_deref().unwrap_or_default());
        [("roleName", "role"), ("userName", "user"), ("groupName", "group"), ("policyName", "policy")].iter().find_map(
            |(name, kind)| {
                let name = json::get_str(&request, &[name])?;
                Some(format!("arn:{partition}:iam::{account}:{kind}/{name}"))
            },
        )
    };
    row.related_resource = answered
        .map(Cow::Borrowed)
        .or_else(|| text("policyArn"))
        .or_else(|| text("permissionSetArn"))
        .or_else(|| holder().map(Cow::Owned));
    row.details = json::object_of(collect(Some(request), IDENTITY, false)).map(Cow::Owned);
}

/// A trail started, stopped, narrowed or moved.
pub(super) fn trail_control<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    failure_of_code(row, parts);
    fill_key(row, parts);
    fill_resource(row, parts);
    // The answer holds the ARN and the settings after the call; what was asked stands in for it where it is missing.
    row.details = [parts.request, parts.response]
        .into_iter()
        .flatten()
        .map(|part| collect(Some(part), TRAIL, false))
        .reduce(|mut members, answered| {
            members.extend(answered);
            members
        })
        .and_then(json::object_of)
        .map(Cow::Owned);
}

/// Member that names a KMS key in another service's request: its best spelling, wherever it stands.
pub(super) fn key_reference<'r>(request: &Node<'r>) -> Option<&'r str> {
    let mut best: Option<(u8, &'r str)> = None;
    json::visit(request, &mut |name, value| {
        let Some(text) = json::str_of(value) else { return };
        let Some(rank) = rank(name, text) else { return };
        if best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, text));
        }
    });
    best.map(|(_, text)| text).or_else(|| attribute(request))
}

/// How the settings of a binding are called where the rules read them.
const ENCRYPTION: &[&str] = &[
    "encrypted",
    "storageEncrypted",
    "sseAlgorithm",
    "bucketKeyEnabled",
    "encryptionType",
    "sseType",
    "kmsDataKeyReusePeriodSeconds",
];

const IDENTITY: &[&str] = &["setAsDefault", "roleName", "userName", "groupName", "versionId"];

const TRAIL: &[&str] = &[
    "name",
    "trailName",
    "trailARN",
    "s3BucketName",
    "s3KeyPrefix",
    "bucketName",
    "kmsKeyId",
    "isMultiRegionTrail",
    "isOrganizationTrail",
    "includeGlobalServiceEvents",
    "enableLogFileValidation",
    "logFileValidationEnabled",
    "eventSelectors",
    "advancedEventSelectors",
    "insightSelectors",
    "snsTopicName",
    "cloudWatchLogsLogGroupArn",
    "eventDataStore",
];

fn failure_of_code<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    row.failure = row.error_code.as_deref().map(|code| Cow::Borrowed(FailureClass::of(code, parts.message).id()));
}

/// Key columns of another service's record. Its own list of resources is best; what the caller typed may be an alias or an id.
fn fill_key<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    let listed =
        parts.resources.and_then(|resources| json::items(&resources).find_map(|item| arn::key(json::arn_of(&item)?)));
    let asked = parts.request.and_then(|request| key_reference(&request));
    let answered = || parts.response.and_then(|response| key_reference(&response)).and_then(arn::key);
    let told = || parts.message.and_then(arn::in_text);
    let stated = listed
        .map(|arn| (arn, "resources"))
        .or_else(|| Some((answered()?, "response")))
        .or_else(|| Some((arn::key(asked?)?, "request")))
        .or_else(|| Some((told().filter(|arn| arn.key_id().is_some())?, "message")));
    if let Some((arn, place)) = stated {
        keys::set(row, &arn, place);
    } else if let Some(id) = asked.filter(|id| arn::is_key_id(id)) {
        keys::build(row, id, None);
    }
    let place = (row.region.as_deref().unwrap_or_default(), row.account.as_deref().unwrap_or_default());
    row.alias = asked
        .and_then(|text| arn::build_alias(place.0, place.1, text))
        .or_else(|| told().filter(|arn| arn.alias().is_some()).map(|arn| Cow::Borrowed(arn.text)));
}

fn fill_resource<'r>(row: &mut Row<'r>, parts: &Parts<'r>) {
    let affected = resource::affected(row, parts.request, parts.response);
    if let Some(affected) = affected {
        row.resource = Some(Cow::Owned(affected.resource));
        row.related_resource = Some(Cow::Owned(affected.related));
        return;
    }
    let found = resource::listed(parts.resources)
        .map(Cow::Borrowed)
        .or_else(|| parts.message.and_then(resource::in_message).map(Cow::Owned));
    row.resource.clone_from(&found);
    row.related_resource = found;
}

/// Lower is better: the member that names the key of the data itself, then keys of side data, then a bare `keyId`,
/// then any key ARN.
fn rank(name: &str, text: &str) -> Option<u8> {
    // Every member of a record comes by here, and nearly none is any of the below.
    if !text.starts_with("arn:") && memchr::memchr2(b'k', b'K', name.as_bytes()).is_none() {
        return None;
    }
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let plausible = arn::key(text).is_some() || arn::is_key_id(text) || text.contains("alias/");
    match name.as_str() {
        "kmskeyid"
        | "kmskeyarn"
        | "kmskey"
        | "kmsmasterkeyid"
        | "kmsmasterkeyarn"
        | "kmskeyidentifier"
        | "kmskeyalias"
        | "ssekmskeyid"
        | "defaultkmskeyid"
        | "xamzserversideencryptionawskmskeyid" => Some(0),
        "encryptionkey"
        | "encryptionkeyarn"
        | "encryptionkeyid"
        | "kmsarn"
        | "customermanagedkeyidentifier"
        | "awskmskeyarn"
            if plausible =>
        {
            Some(1)
        }
        side if side.contains("kmskey") || side.contains("kmsmasterkey") => plausible.then_some(2),
        "keyid" | "keyarn" if plausible => Some(3),
        _ => arn::key(text).map(|_| 4),
    }
}

/// `attributeName: KmsMasterKeyId, attributeValue: ...` of SetTopicAttributes.
fn attribute<'r>(request: &Node<'r>) -> Option<&'r str> {
    let name = json::find(request, &["attributeName"])?;
    name.eq_ignore_ascii_case("KmsMasterKeyId").then(|| json::find(request, &["attributeValue"]))?
}

/// Members with one of the names, in any case, under the name as listed; the first of a name counts. Nested members only where
/// no other thing could have a member of that name: an event selector has a `name` too, and it is not the trail's.
fn collect(part: Option<Node<'_>>, names: &[&'static str], nested: bool) -> Vec<(Cow<'static, str>, String)> {
    let mut found: Vec<(Cow<'static, str>, String)> = Vec::new();
    let Some(part) = part else { return found };
    let mut see = |name: &str, value: &Node<'_>| {
        let Some(name) = names.iter().find(|wanted| wanted.eq_ignore_ascii_case(name)) else { return };
        if !found.iter().any(|(seen, _)| seen == name) {
            found.extend(json::canonical_lower_camel(value).map(|text| (Cow::Borrowed(*name), text)));
        }
    };
    if nested {
        json::visit(&part, &mut see);
    } else if let Some(members) = part.as_object() {
        members.iter().for_each(|(name, value)| see(name, &value));
    }
    found
}

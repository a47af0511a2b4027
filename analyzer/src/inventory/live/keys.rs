//! All that is asked about the keys of a Region.

use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use aws_sdk_kms::Client;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata, OriginType};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::ask::Asked;
use super::shape;
use crate::inventory::call::Call;

/// Keys that are asked about at a time. KMS admits 100 ListGrants a second; beyond that the SDK slows everything down.
const KEYS: usize = 8;

/// The only key policy that there is. Servers that are not AWS want its name.
const POLICY: &str = "default";

/// Collects all pages, or tells why there is a page that did not come.
macro_rules! pages {
    ($asked:expr, $call:expr, $key:expr, $request:expr) => {{
        let mut pages = $request.into_paginator().items().send();
        let mut items = Vec::new();
        loop {
            match pages.next().await {
                None => break Some(items),
                Some(Ok(item)) => items.push(item),
                Some(Err(error)) => {
                    $asked.refuse($call, $key, &error);
                    break None;
                }
            }
        }
    }};
}

pub(super) async fn ask(config: &SdkConfig, region: &str, now: fn() -> i64) -> Asked {
    let config = config.to_builder().region(Region::new(region.to_string())).build();
    let client = Client::new(&config);
    let mut asked = Asked::new(now);
    let Some(keys) = pages!(asked, Call::ListKeys, None, client.list_keys()) else { return asked };
    let list: Vec<Value> = keys.iter().map(|key| json!({"KeyId": key.key_id, "KeyArn": key.key_arn})).collect();
    asked.answer(Call::ListKeys, None, json!({"Keys": list}));
    if let Some(aliases) = pages!(asked, Call::ListAliases, None, client.list_aliases()) {
        let list: Vec<Value> = aliases.iter().map(shape::alias).collect();
        asked.answer(Call::ListAliases, None, json!({"Aliases": list}));
    }
    if let Some(stores) = pages!(asked, Call::DescribeCustomKeyStores, None, client.describe_custom_key_stores()) {
        let list: Vec<Value> = stores.iter().map(shape::key_store).collect();
        asked.answer(Call::DescribeCustomKeyStores, None, json!({"CustomKeyStores": list}));
    }
    let room = Arc::new(Semaphore::new(KEYS));
    let mut running = JoinSet::new();
    for arn in keys.into_iter().filter_map(|key| key.key_arn) {
        let (client, room) = (client.clone(), Arc::clone(&room));
        running.spawn(async move {
            let _room = room.acquire_owned().await;
            one(&client, &arn, now).await
        });
    }
    while let Some(done) = running.join_next().await {
        match done {
            Ok(done) => asked.merge(done),
            Err(error) => super::unwind(error),
        }
    }
    asked
}

async fn one(client: &Client, arn: &str, now: fn() -> i64) -> Asked {
    let mut asked = Asked::new(now);
    let key = Some(arn);
    let metadata = match client.describe_key().key_id(arn).send().await {
        Ok(answer) => answer.key_metadata,
        Err(error) => {
            asked.refuse(Call::DescribeKey, key, &error);
            None
        }
    };
    if let Some(metadata) = &metadata {
        asked.answer(Call::DescribeKey, key, json!({"KeyMetadata": shape::metadata(metadata)}));
    }
    // What cannot rotate is not asked whether it does; what could not be described may.
    if metadata.as_ref().is_none_or(rotates) {
        match client.get_key_rotation_status().key_id(arn).send().await {
            Ok(answer) => asked.answer(Call::GetKeyRotationStatus, key, shape::rotation_status(arn, &answer)),
            Err(error) => asked.refuse(Call::GetKeyRotationStatus, key, &error),
        }
        if let Some(list) = pages!(asked, Call::ListKeyRotations, key, client.list_key_rotations().key_id(arn)) {
            let list: Vec<Value> = list.iter().map(|rotation| shape::rotation(arn, rotation)).collect();
            asked.answer(Call::ListKeyRotations, key, json!({"Rotations": list}));
        }
    }
    match client.get_key_policy().key_id(arn).policy_name(POLICY).send().await {
        Ok(answer) => asked.answer(Call::GetKeyPolicy, key, json!({"Policy": answer.policy, "PolicyName": POLICY})),
        Err(error) => asked.refuse(Call::GetKeyPolicy, key, &error),
    }
    if let Some(list) = pages!(asked, Call::ListGrants, key, client.list_grants().key_id(arn)) {
        let list: Vec<Value> = list.iter().map(shape::grant).collect();
        asked.answer(Call::ListGrants, key, json!({"Grants": list}));
    }
    // Tags of AWS managed keys are nobody's to read.
    if metadata.as_ref().and_then(|metadata| metadata.key_manager.as_ref()) != Some(&KeyManagerType::Aws)
        && let Some(list) = pages!(asked, Call::ListResourceTags, key, client.list_resource_tags().key_id(arn))
    {
        let list: Vec<Value> =
            list.iter().map(|tag| json!({"TagKey": tag.tag_key, "TagValue": tag.tag_value})).collect();
        asked.answer(Call::ListResourceTags, key, json!({"Tags": list}));
    }
    asked
}

/// Rotation exists for symmetric encryption keys of the account's owner with material of KMS, or imported.
fn rotates(metadata: &KeyMetadata) -> bool {
    let spec = metadata.key_spec.as_ref().is_none_or(|spec| spec.as_str() == "SYMMETRIC_DEFAULT");
    let origin = metadata.origin.as_ref();
    spec && origin.is_none_or(|origin| matches!(origin, OriginType::AwsKms | OriginType::External))
        && metadata.key_manager.as_ref() != Some(&KeyManagerType::Aws)
}

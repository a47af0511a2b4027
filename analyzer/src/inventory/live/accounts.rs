//! Which accounts and Regions there are, and the way into them.

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::ask::Asked;
use super::{Captured, LiveError, LiveOptions};
use crate::inventory::call::Call;

/// Where global services are asked when nothing names a Region.
const ANY_REGION: &str = "us-east-1";
/// Name of the sessions, as CloudTrail shows them.
const SESSION: &str = "keytrail-inventory";

/// An account to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Partition that it is in.
    partition: String,
    /// The credentials belong to it: no role is assumed.
    own: bool,
}

/// The Region that the configuration names.
fn home(config: &SdkConfig) -> Region {
    config.region().cloned().unwrap_or(Region::from_static(ANY_REGION))
}

pub(super) async fn find(config: &SdkConfig, options: &LiveOptions) -> Result<(Vec<Account>, Captured), LiveError> {
    let here = config.to_builder().region(home(config)).build();
    let client = aws_sdk_sts::Client::new(&here);
    let caller = client.get_caller_identity().send().await;
    let caller = caller.map_err(|error| LiveError::of_caller(&error))?;
    let partition = caller.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_string();
    let id = caller.account.ok_or_else(|| LiveError::Failed("STS names no account".into()))?;
    let own = Account { id, partition: partition.clone(), own: true };
    let mut asked = Asked::new(options.now);
    let mut accounts = vec![own.clone()];
    if options.role.is_some() {
        let client = aws_sdk_organizations::Client::new(&here);
        let mut pages = client.list_accounts().into_paginator().send();
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    let others = page.accounts.unwrap_or_default();
                    accounts.extend(others.iter().filter_map(|other| member(other, &own, &mut asked)));
                }
                Err(error) => {
                    asked.refuse(Call::ListAccounts, None, &error);
                    break;
                }
            }
        }
    }
    accounts.sort_by(|a, b| a.id.cmp(&b.id));
    let organization = Captured { name: format!("{}-organization", own.id), ..asked.finish(&own.id, "", options.run) };
    Ok((accounts, organization))
}

/// An account to enter. Nobody can enter one that is suspended, or not yet there.
fn member(other: &aws_sdk_organizations::types::Account, own: &Account, asked: &mut Asked) -> Option<Account> {
    let id = other.id.clone().filter(|id| *id != own.id)?;
    let state = other.state.as_ref().map_or("ACTIVE", |state| state.as_str());
    if state != "ACTIVE" {
        asked.say_no(Call::AssumeRole, None, "not-active", format!("account {id} is {state}"));
        return None;
    }
    Some(Account { id, partition: own.partition.clone(), own: false })
}

/// Configuration for an account: with the credentials that there are, or with those of the role.
pub(super) async fn enter(config: &SdkConfig, account: &Account, options: &LiveOptions) -> Result<SdkConfig, Asked> {
    let Some(role) = options.role.as_ref().filter(|_| !account.own) else { return Ok(config.clone()) };
    let mut asked = Asked::new(options.now);
    let here = config.to_builder().region(home(config)).build();
    let client = aws_sdk_sts::Client::new(&here);
    let arn = format!("arn:{}:iam::{}:role/{role}", account.partition, account.id);
    match client.assume_role().role_arn(arn).role_session_name(SESSION).send().await {
        Ok(answer) => match answer.credentials {
            Some(key) => {
                let token = Some(key.session_token);
                let key = Credentials::new(key.access_key_id, key.secret_access_key, token, None, "assumed");
                return Ok(config.to_builder().credentials_provider(SharedCredentialsProvider::new(key)).build());
            }
            None => asked.say_no(Call::AssumeRole, None, "refused", "STS gave no credentials".into()),
        },
        Err(error) => asked.refuse(Call::AssumeRole, None, &error),
    }
    Err(asked)
}

/// Regions that the account has enabled, else the one that the configuration names.
pub(super) async fn regions(config: &SdkConfig, asked: &mut Asked) -> Vec<String> {
    let here = config.to_builder().region(home(config)).build();
    let client = aws_sdk_account::Client::new(&here);
    let mut pages = client.list_regions().into_paginator().items().send();
    let mut regions = Vec::new();
    loop {
        match pages.next().await {
            None => break,
            Some(Ok(region)) => {
                let enabled = region.region_opt_status.is_some_and(|status| status.as_str().starts_with("ENABLED"));
                regions.extend(region.region_name.filter(|_| enabled));
            }
            Some(Err(error)) => {
                asked.refuse(Call::ListRegions, None, &error);
                regions.push(home(config).to_string());
                break;
            }
        }
    }
    regions.sort();
    regions.dedup();
    regions
}

//! Asks AWS how its keys stand: read-only calls, one document for each account and Region.
//!
//! `policy.json` beside this file is all that the role that asks has to be allowed, in each account; a test holds it to the
//! table of calls. What is refused for one key, Region or account is part of the document, and the run goes on: only
//! credentials that nobody accepts end it.

mod accounts;
mod ask;
mod error;
mod keys;
mod shape;

use aws_config::SdkConfig;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

pub use self::accounts::Account;
use self::ask::Asked;
pub use self::error::LiveError;
use super::wire::{Document, SCHEMA};
use crate::source::s3::{S3Options, load};

/// Regions of an account that are asked at a time.
const REGIONS: usize = 4;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Only these Regions; all that an account has enabled when empty.
    pub regions: Vec<String>,
    /// Role to assume in every account of the organization; only the account of the credentials when `None`.
    pub role: Option<String>,
    /// Where AWS is, and with which credentials it is asked.
    pub aws: S3Options,
    /// When the run began, milliseconds; tells the files of one run from those of another.
    pub run: i64,
    /// Milliseconds since the epoch.
    pub now: fn() -> i64,
}

/// One inventory file.
#[derive(Clone, Debug)]
pub struct Captured {
    /// Name of the file, without an ending.
    pub name: String,
    /// The file.
    pub document: String,
    /// Neither an answer nor a refusal is in it.
    pub says_nothing: bool,
    /// Keys that were described.
    pub keys: u64,
    /// Calls that were not answered, by their reason and name.
    pub refused: Vec<(String, &'static str, String)>,
}

/// The runtime, and what was found out about who asks.
pub struct Live {
    runtime: Runtime,
    config: SdkConfig,
    options: LiveOptions,
}

impl Live {
    /// Looks for credentials where the AWS CLI does.
    ///
    /// # Errors
    /// When there is no runtime to be had.
    pub fn new(options: LiveOptions) -> Result<Self, LiveError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("kms").enable_all().build();
        let runtime = runtime.map_err(|error| LiveError::Failed(error.to_string()))?;
        let config = runtime.block_on(load(&options.aws));
        Ok(Self { runtime, config, options })
    }

    /// The accounts to ask, and what was refused while they were looked for.
    ///
    /// # Errors
    /// When the credentials are none.
    pub fn accounts(&self) -> Result<(Vec<Account>, Captured), LiveError> {
        self.runtime.block_on(accounts::find(&self.config, &self.options))
    }

    /// Asks about an account: its Regions, some at a time. `wanted` says which of them are still to be asked; `keep` gets each
    /// document as it is complete.
    ///
    /// # Errors
    /// What `keep` fails with.
    pub fn ask<E>(
        &self,
        account: &Account,
        wanted: &dyn Fn(&str) -> bool,
        keep: &mut dyn FnMut(Captured) -> Result<(), E>,
    ) -> Result<(), E> {
        let options = &self.options;
        self.runtime.block_on(async {
            let (config, mut whole) = match accounts::enter(&self.config, account, options).await {
                Ok(config) => (config, Asked::new(options.now)),
                Err(asked) => return keep(asked.finish(&account.id, "", options.run)),
            };
            let regions = match options.regions.as_slice() {
                [] => accounts::regions(&config, &mut whole).await,
                asked => asked.to_vec(),
            };
            // Rewritten when it is not needed any more: what was refused once may be granted since.
            keep(whole.finish(&account.id, "", options.run))?;
            let mut open = regions.into_iter().filter(|region| wanted(region));
            let mut running = JoinSet::new();
            loop {
                while running.len() < REGIONS
                    && let Some(region) = open.next()
                {
                    let (config, now) = (config.clone(), options.now);
                    running.spawn(async move { (keys::ask(&config, &region, now).await, region) });
                }
                match running.join_next().await {
                    None => return Ok(()),
                    Some(Ok((asked, region))) => keep(asked.finish(&account.id, &region, options.run))?,
                    Some(Err(error)) => unwind(error),
                }
            }
        })
    }
}

/// A task ends without an answer only by a panic. That ends the run too: what it had not kept is asked again by the next.
fn unwind(error: tokio::task::JoinError) {
    if let Ok(panic) = error.try_into_panic() {
        std::panic::resume_unwind(panic);
    }
}

/// The run that wrote a file, and whether all that it asked was answered.
pub fn kept(bytes: &[u8]) -> Option<(i64, bool)> {
    let document = super::wire::documents(bytes).next()?.ok()?;
    let document: Document = super::wire::typed(&document).filter(|document: &Document| document.schema == SCHEMA)?;
    let run = super::time::millis(&serde_json::Value::String(document.run))?;
    Some((run, document.refused.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::inventory::Call;

    #[test]
    fn the_policy_allows_the_calls_and_nothing_else() {
        let policy: serde_json::Value = serde_json::from_str(include_str!("policy.json")).unwrap();
        let mut allowed = BTreeSet::new();
        for statement in policy["Statement"].as_array().unwrap() {
            assert_eq!(statement["Effect"], "Allow");
            for action in statement["Action"].as_array().unwrap() {
                allowed.insert(action.as_str().unwrap());
            }
        }
        let table: BTreeSet<&str> = Call::ALL.iter().map(|call| call.action()).collect();
        assert_eq!(allowed, table);
        for action in allowed {
            let (_, name) = action.split_once(':').unwrap();
            let reads = name.starts_with("List") || name.starts_with("Get") || name.starts_with("Describe");
            assert!(reads || name == "AssumeRole", "{action} does more than read");
        }
    }

    /// Every operation of the SDK that the code calls stands in the table: there is no other way to a request.
    #[test]
    fn the_code_makes_the_calls_of_the_table_and_no_others() {
        let code = [include_str!("accounts.rs"), include_str!("keys.rs")].concat();
        let code: String = code.replace("client.clone()", "").split_whitespace().collect();
        let snake = |name: &str| {
            let mut text = String::new();
            for c in name.chars() {
                if c.is_uppercase() && !text.is_empty() {
                    text.push('_');
                }
                text.extend(c.to_lowercase());
            }
            text
        };
        let made: BTreeSet<String> = code
            .split("client.")
            .skip(1)
            .map(|rest| rest.split('(').next().unwrap_or_default().to_string())
            .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
            .collect();
        // Needs no permission.
        let mut table: BTreeSet<String> = Call::ALL.iter().map(|call| snake(call.id())).collect();
        table.insert("get_caller_identity".into());
        assert_eq!(made, table);
    }
}

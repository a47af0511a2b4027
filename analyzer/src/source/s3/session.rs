//! What is shared by all that is done in S3.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::client::{self, Requests};
use super::fetch::Fetch;
use super::list::Listing;
use super::memory::Memory;
use super::options::S3Options;
use super::window::Window;
use super::{Bucket, S3Error, S3Url};
use crate::source::{Filter, Object};

/// The runtime, the credentials and the clients. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    /// Always there, until the end.
    runtime: Option<Runtime>,
    pub(super) options: S3Options,
    config: SdkConfig,
    pub(super) requests: Requests,
    /// By bucket.
    clients: Mutex<BTreeMap<String, Client>>,
    /// One for each object under way.
    pub(super) slots: Arc<Semaphore>,
    /// Room for bodies.
    pub(super) memory: Memory,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Requests that nobody waits for any more are not waited for here either.
            runtime.shutdown_background();
        }
    }
}

impl Session {
    /// Starts the runtime and looks for credentials where the AWS CLI does. Asks nobody for them yet.
    pub fn new(options: S3Options) -> Result<Self, S3Error> {
        let failed = |detail: String| S3Error::Failed { what: "s3://".into(), detail };
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3")
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let config = runtime.block_on(client::load(&options));
        Ok(Self {
            shared: Arc::new(Shared {
                runtime: Some(runtime),
                slots: Arc::new(Semaphore::new(options.parallel.max(1))),
                memory: Memory::new(options.in_flight_bytes),
                options,
                config,
                requests: Requests::default(),
                clients: Mutex::default(),
            }),
        })
    }

    /// A bucket, with a client for its Region. Asks S3 where it is, once.
    pub fn bucket(&self, name: &str) -> Result<Bucket, S3Error> {
        let shared = &self.shared;
        let clients = || shared.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clients().get(name).cloned();
        let client = match known {
            Some(client) => client,
            None => {
                let client =
                    |region: Option<&str>| client::client(&shared.config, &shared.options, region, &shared.requests);
                let found = self.run(super::bucket::find(name, client))?;
                clients().insert(name.to_owned(), found.clone());
                found
            }
        };
        Ok(Bucket { session: self.clone(), name: name.into(), client })
    }

    /// Lists the objects of a prefix that a filter admits, in the order of their keys. An error when the bucket cannot be
    /// used, or when nothing of the prefix may be listed.
    pub fn list(&self, url: &S3Url, filter: &Filter) -> Result<Listing, S3Error> {
        let bucket = self.bucket(&url.bucket)?;
        let window = Window::of(filter, self.shared.options.late_days);
        Listing::start(bucket, url, filter, window)
    }

    /// Fetches objects, many at a time, in the order in which they arrive. Each keeps its number.
    pub fn fetch(&self, objects: impl Iterator<Item = (u32, Object)> + Send + 'static) -> Fetch {
        Fetch::start(self.clone(), Box::new(objects))
    }

    /// Whoever the credentials belong to, as the logs may name them: by ARN, and in another account's log by account and id.
    /// Nobody where that cannot be said: unsigned requests, a server that is not AWS, no
    /// answer. It costs one request that needs no permission.
    pub fn caller(&self) -> Vec<String> {
        let shared = &self.shared;
        if shared.options.unsigned || shared.options.endpoint_url.is_some() {
            return Vec::new();
        }
        let client = aws_sdk_sts::Client::new(&shared.config);
        let answer = async {
            let asked = client.get_caller_identity().send();
            tokio::time::timeout(shared.options.patience.response, asked).await.ok()?.ok()
        };
        let Some(answer) = self.run(answer) else { return Vec::new() };
        let unique = answer.user_id.as_deref().and_then(|id| id.split(':').next());
        let elsewhere = answer.account.as_deref().zip(unique).map(|(account, id)| format!("account:{account}/{id}"));
        answer.arn.iter().cloned().chain(elsewhere).collect()
    }

    /// Requests sent so far, also those that were repeated.
    pub fn requests(&self) -> u64 {
        self.shared.requests.get()
    }

    /// Requests that S3 refused because there were too many, repeated or not.
    pub fn throttled(&self) -> u64 {
        self.shared.requests.throttled()
    }

    /// Bytes of bodies under way or not consumed yet.
    pub fn in_flight_bytes(&self) -> u64 {
        self.shared.memory.taken()
    }

    /// Runs something to its end on the runtime.
    pub(super) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime().block_on(work)
    }

    /// The runtime.
    pub(super) fn runtime(&self) -> &Runtime {
        match &self.shared.runtime {
            Some(runtime) => runtime,
            None => unreachable!("the runtime goes with the last session"),
        }
    }
}

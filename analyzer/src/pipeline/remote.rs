//! Sources in S3.

use super::{ScanError, ScanOptions};
use crate::config::Logs;
use crate::lake::{BucketFolder, Lake, LakeError};
use crate::report::human;
use crate::source::s3::{Counter, Listing, S3Error, S3Url, Session};
use crate::source::{Filter, Object};

/// Places in S3 and how they are listed.
#[derive(Default)]
pub(super) struct Remote {
    session: Option<Session>,
    urls: Vec<S3Url>,
    pub(super) listings: Vec<Listing>,
    pub(super) counters: Vec<Counter>,
    /// Files may come later than was looked for.
    may_miss_late: bool,
}

impl Remote {
    fn session(&mut self, options: &ScanOptions) -> Result<Session, ScanError> {
        if self.session.is_none() {
            self.session = Some(Session::new(options.s3.clone())?);
        }
        self.session.clone().ok_or_else(|| ScanError::Failed("no session with S3".into()))
    }

    /// The store of a lake at this place.
    pub(super) fn store(&mut self, place: &str, options: &ScanOptions) -> Result<BucketFolder, ScanError> {
        let url = S3Url::parse(place)?;
        let bucket = self.session(options)?.bucket(&url.bucket)?;
        Ok(BucketFolder::new(bucket, &url))
    }

    /// Looks whether a source is a lake; if not, it will be listed.
    pub(super) fn open(&mut self, source: &str, options: &ScanOptions) -> Result<Option<Lake>, ScanError> {
        let store = self.store(source, options)?;
        match Lake::open(std::sync::Arc::new(store)) {
            Ok(lake) => Ok(Some(lake)),
            // Who may not read an object of this name may yet read the logs.
            Err(LakeError::NotALake(_) | LakeError::Store(_)) => {
                self.urls.push(S3Url::parse(source)?);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Begins to list what is no lake.
    pub(super) fn list(&mut self, filter: &Filter) -> Result<(), ScanError> {
        let key = |url: &S3Url| (url.bucket.clone(), url.prefix.clone());
        self.urls.sort_by_key(key);
        // What is below another source is listed with it.
        self.urls.dedup_by(|url, before| url.bucket == before.bucket && url.prefix.starts_with(&before.prefix));
        if let Some(session) = &self.session {
            for url in &self.urls {
                let listing = session.list(url, filter)?;
                self.may_miss_late |= listing.window().may_miss_late;
                self.counters.push(listing.counter());
                self.listings.push(listing);
            }
        }
        Ok(())
    }

    /// Adds what is known of who reads which bucket: their reads stand in the logs.
    pub(super) fn tell_readers(&self, logs: &mut Logs) {
        let names = self.fetching().map(Session::caller).unwrap_or_default();
        if names.iter().filter(|name| logs.add_reader(name)).count() > 0 {
            logs.buckets.extend(self.urls.iter().map(|url| url.bucket.clone()));
        }
    }

    /// The session, when there is something to fetch.
    pub(super) fn fetching(&self) -> Option<&Session> {
        self.session.as_ref().filter(|_| !self.urls.is_empty())
    }

    /// An object below a prefix that was given.
    pub(super) fn within(&self, bucket: &str, key: &str) -> Option<Object> {
        let covers = |url: &S3Url| url.bucket == bucket && key.starts_with(&url.prefix);
        self.urls.iter().any(covers).then(|| Object::in_bucket(bucket, key, None, None))
    }

    /// Keys that were listed and left out.
    pub(super) fn pruned(&self) -> u64 {
        self.counters.iter().map(|counter| counter.get().pruned).sum()
    }

    /// What listing cost, and what was never listed.
    pub(super) fn notices(&self, options: &ScanOptions) -> Vec<String> {
        let Some(session) = self.fetching() else { return Vec::new() };
        let sum =
            |of: fn(&crate::source::s3::Counts) -> u64| self.counters.iter().map(|counter| of(&counter.get())).sum();
        let (pages, seen, folders): (u64, u64, u64) = (sum(|c| c.pages), sum(|c| c.seen), sum(|c| c.pruned_folders));
        let mut notices = vec![format!(
            "S3: {} listed in {}, {} in all",
            human::count(seen, "key"),
            human::count(pages, "page"),
            human::count(session.requests(), "request")
        )];
        if folders > 0 {
            notices.push(format!(
                "S3: {} outside the accounts, Regions or dates asked for were not listed",
                human::count(folders, "folder")
            ));
        }
        if !options.accounts.is_empty() {
            notices.push(
                "S3: only logs of the accounts asked for were listed; calls that others made with their keys stand in \
                 the callers' logs"
                    .into(),
            );
        }
        if self.may_miss_late {
            let days = human::count(options.s3.late_days.into(), "day");
            notices.push(format!(
                "S3: files delivered more than {days} after the period were not looked for (--late-days)"
            ));
        }
        if options.from.is_some() && options.lookback.is_none() {
            notices.push("S3: nothing before the period was read; --lookback 90d looks further back for causes".into());
        }
        notices
    }
}

impl From<S3Error> for ScanError {
    fn from(error: S3Error) -> Self {
        match error {
            S3Error::BadUrl { .. } => Self::Usage(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

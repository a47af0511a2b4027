//! What a process sets up once and keeps: settings, connections, threads, the lake.

use std::sync::atomic::{AtomicBool, Ordering};

use keytrail::config::Settings;
use keytrail::pipeline::{Receiver, ScanError, ScanOptions};
use keytrail::rules::RULES;
use keytrail::source::s3::{Patience, S3Error, S3Options, S3Url, Session};

use crate::environment::Environment;
use crate::failure::Failure;

/// Objects that are fetched at the same time: a function has one core or two, and its memory holds them all.
const PARALLEL: usize = 8;

/// The task of which there is one at a time.
pub const EVALUATE: &str = "evaluate";

/// Who has this, wants evaluations to tell nobody.
pub const BACKFILL: &str = "backfill";

/// What a process keeps between invocations.
#[derive(Debug)]
pub struct Shell {
    /// What it was told.
    pub environment: Environment,
    /// Reads deliveries.
    pub receiver: Receiver,
    /// Bucket and prefix of the lake: nothing of it is ever read as a log.
    own: Option<S3Url>,
    /// The lake has been evaluated; once it has, it stays so.
    evaluated: AtomicBool,
}

impl Shell {
    /// Sets everything up.
    ///
    /// # Errors
    /// When the configuration is wrong, or the lake or the configuration in S3 cannot be had.
    pub fn open(environment: Environment) -> Result<Self, Failure> {
        let bytes = environment.memory << 20;
        let s3 = S3Options {
            path_style: environment.path_style,
            parallel: PARALLEL,
            in_flight_bytes: bytes / 8,
            // A function is billed while it waits, and what failed is delivered again.
            patience: Patience { attempts: 4, longest_wait: std::time::Duration::from_secs(5), ..Patience::default() },
            ..S3Options::default()
        };
        let session = Session::new(s3)?;
        let mut settings = settings(environment.config.as_deref(), &session)?;
        if !environment.log_buckets.is_empty() {
            let names = session.caller();
            names.iter().for_each(|name| {
                settings.logs.add_reader(name);
            });
            settings.logs.buckets.extend(environment.log_buckets.iter().cloned());
        }
        let options = ScanOptions { memory: bytes / 4, ..ScanOptions::new(Vec::new(), settings) };
        let own = environment.lake.as_deref().filter(|lake| lake.starts_with("s3://")).map(S3Url::parse).transpose()?;
        let receiver = Receiver::new(options, session, environment.lake.as_deref())?;
        Ok(Self { environment, receiver, own, evaluated: AtomicBool::new(false) })
    }

    /// True when the lake has been evaluated, or there is none. The first evaluation finds what happened in all the time
    /// before and tells it in one summary: what deliveries find until then is part of it.
    pub fn was_evaluated(&self) -> bool {
        let Some(lake) = self.receiver.lake() else { return true };
        if !self.evaluated.load(Ordering::Relaxed) {
            // Who cannot tell had better tell too much.
            self.evaluated.store(lake.was_leased(EVALUATE).unwrap_or(true), Ordering::Relaxed);
        }
        self.evaluated.load(Ordering::Relaxed)
    }

    /// True for an object of the lake. If it was read as a log, what is written for it would be read in turn.
    pub fn is_own(&self, bucket: &str, key: &str) -> bool {
        let Some(own) = &self.own else { return false };
        let prefix = own.prefix.trim_end_matches('/');
        let inside = |rest: &str| rest.is_empty() || rest.starts_with('/');
        own.bucket == bucket && (prefix.is_empty() || key.strip_prefix(prefix).is_some_and(inside))
    }
}

/// The settings that the environment names: in S3, in a file, or in the text itself.
fn settings(config: Option<&str>, session: &Session) -> Result<Settings, Failure> {
    let wrong = |why: String| Failure::BadConfiguration(format!("KEYTRAIL_CONFIG: {why}"));
    let (text, name) = match config {
        None => return Ok(Settings::default()),
        Some(place) if place.starts_with("s3://") => {
            let url = S3Url::parse(place)?;
            let found = session.bucket(&url.bucket)?.get(&url.prefix)?;
            let (bytes, _) = found.ok_or_else(|| wrong(format!("there is no object {place}")))?;
            let text = String::from_utf8(bytes).map_err(|_| wrong(format!("{place} is no text")))?;
            (text, place)
        }
        Some(text) if text.contains(['=', '\n']) => (text.to_owned(), "KEYTRAIL_CONFIG"),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| wrong(format!("cannot read {path}: {error}")))?;
            (text, path)
        }
    };
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    Settings::parse(&text, name, &rules).map_err(|problems| Failure::BadConfiguration(problems.to_string()))
}

impl From<S3Error> for Failure {
    fn from(error: S3Error) -> Self {
        match error {
            S3Error::BadUrl { .. } => Self::BadConfiguration(error.to_string()),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

impl From<ScanError> for Failure {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Usage(story) => Self::BadConfiguration(story),
            error => Self::Unavailable(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lake_is_no_log() {
        let environment = |lake: &str| Environment { lake: Some(lake.into()), ..Environment::default() };
        let own = |lake: &str, bucket: &str, key: &str| {
            let own = environment(lake).lake.map(|lake| S3Url::parse(&lake).unwrap());
            let folder = tempfile::tempdir().unwrap();
            let shell = Shell::open(environment(folder.path().to_str().unwrap())).unwrap();
            Shell { own, ..shell }.is_own(bucket, key)
        };
        assert!(own("s3://logs/lake", "logs", "lake/inbox/a.parquet"));
        assert!(own("s3://logs/lake", "logs", "lake"));
        assert!(!own("s3://logs/lake", "logs", "lake2/a.json.gz"));
        assert!(!own("s3://logs/lake", "logs", "AWSLogs/lake/a.json.gz"));
        assert!(!own("s3://logs/lake", "other", "lake/a.json.gz"));
        assert!(own("s3://lake", "lake", "AWSLogs/a.json.gz"), "the bucket is the lake");
    }

    #[test]
    fn a_configuration_that_is_wrong_says_where() {
        for (config, told) in [("[rules.nothing]\nenabled = true", "nothing"), ("/no/such/file", "cannot read")] {
            let environment = Environment { config: Some(config.into()), ..Environment::default() };
            let error = Shell::open(environment).unwrap_err();
            assert!(matches!(error, Failure::BadConfiguration(_)) && error.to_string().contains(told), "{error}");
        }
    }
}

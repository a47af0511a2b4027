//! Digest chains and log files, from the sources to the verdict.
//!
//! All objects are named first: a digest names log files in any order, and a file that no digest names must be told too.
//! Then stream by stream: digests are read and judged, and the log files that they list are hashed.

mod index;
mod logs;
mod read;
mod resume;
mod unlisted;
mod vouch;
mod witness;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use chrono::{DateTime, SecondsFormat};
use rayon::ThreadPool;
use rayon::prelude::*;

use self::index::{Index, root_of};
use self::read::{Contents, each};
pub use self::resume::Resume;
pub use self::vouch::{check_digests, vouch};
use self::witness::Witness;
use super::sources::Sources;
use super::{Progress, ScanError, ScanOptions, threads};
use crate::decode::Limits;
use crate::integrity::chain::{Chain, Damage, Found, judge};
use crate::integrity::{Coverage, Digest, HOUR_MS, Kind, Problem, PublicKeys, Scope, Signature, Stream, Verdicts};
use crate::report::human;
use crate::report::verify::Verification;
use crate::source::{Filter, Layout, Object};

/// Digests judged together: enough to keep a bucket's requests going, few enough to hold.
const TOGETHER: usize = 8192;

/// A digest lists some tens of thousands of log files at most; nobody shall fill the memory with one.
const MAX_DIGEST: u64 = 256 << 20;

/// Digests beyond the period on either side: the one after the end states the last signature.
const MARGIN_MS: i64 = 2 * HOUR_MS;

/// Verifies all digest chains of the sources, and the log files that they list. With the state of an earlier run, log files
/// in S3 that it has hashed and that are the same still are not read again.
///
/// # Errors
/// When there is nothing to verify, or no keys were given: the error says how to get them. What is wrong with digests and
/// logs is in the verdict.
pub fn verify(
    options: &ScanOptions,
    keys: Option<&PublicKeys>,
    resume: Option<&Resume>,
    progress: &dyn Progress,
) -> Result<Verification, ScanError> {
    run(options, keys, resume, &mut Witness::default(), progress)
}

/// Verifies, and lets a witness say what it has read already.
fn run(
    options: &ScanOptions,
    keys: Option<&PublicKeys>,
    resume: Option<&Resume>,
    witness: &mut Witness<'_>,
    progress: &dyn Progress,
) -> Result<Verification, ScanError> {
    let pool = threads(options)?;
    let scope = Scope { from: options.from, to: options.to };
    // A bucket is listed from the start of the period on, and a little before: what follows a hole tells what was in it.
    let reach = witness.reach(scope);
    let early = options.from.map(|from| from.min(*reach.start()).saturating_sub(HOUR_MS + MARGIN_MS));
    let to = options.to.map(|to| to.max(*reach.end()));
    // A lake has the logs of all accounts: each account's stands in the evidence for the keys of the others.
    let accounts = if witness.is_of_lake() { Vec::new() } else { options.accounts.clone() };
    let mut sources = Sources::open(
        &ScanOptions { from: early, lookback: None, accounts, ..options.clone() },
        &filter(options, to, witness),
    )?;
    if !witness.is_there() && !sources.lakes.is_empty() {
        return Err(ScanError::Usage(
            "a lake holds no digests; verify the logs that it was filled from, or the lake against their digests with \
             `keytrail scan LAKE --verify --digests`"
                .into(),
        ));
    }
    let listed = sources.list().filter(|object| !witness.stands_for(&object.uri));
    let index = Index::of(listed.chain(witness.stored()).collect());
    if index.digests.is_empty() && index.logs.is_empty() {
        let place = options.sources.join(", ");
        return Err(ScanError::NothingToRead(format!("neither digests nor log files of CloudTrail in {place}")));
    }
    if keys.is_none() && index.digests.is_empty() {
        let place = options.sources.join(", ");
        return Err(ScanError::NothingToRead(format!(
            "log files and no digest of them in {place}: nothing vouches for them. Digests lie beside the logs, in \
             CloudTrail-Digest, once the trail has log file validation switched on"
        )));
    }
    let Some(keys) = keys else { return Err(no_keys(&index)) };
    let places = &options.sources;
    let (pool, sources, index) = (&pool, &sources, &index);
    let verifier = Verifier { options, pool, sources, index, keys, resume, scope, reach, places, progress };
    let (bytes, objects) = (index.logs.iter().filter_map(|at| index.get(*at)?.size).sum(), index.logs.len() as u64);
    progress.found(objects + index.digests.values().map(|digests| digests.len() as u64).sum::<u64>(), bytes);
    progress.listed();
    let verdicts = verifier.run(witness)?;
    progress.finish();

    // What a scan has to say of accounts and of the time before a period is no matter here.
    let mut notices = sources.notices(&ScanOptions { accounts: Vec::new(), from: None, ..options.clone() });
    if index.others > 0 {
        notices.push(format!("{} left out: neither digest nor log file", human::count(index.others, "object")));
    }
    Ok(Verification {
        version: env!("CARGO_PKG_VERSION"),
        sources: options.sources.clone(),
        scope,
        keys: keys.len(),
        verdicts,
        notices,
    })
}

/// Objects that may be of use. On disk from the start: a chain is judged by what comes before the period too.
fn filter(options: &ScanOptions, to: Option<i64>, witness: &Witness<'_>) -> Filter {
    Filter {
        // Who reads logs for the keys of an account reads those of its callers too.
        accounts: if witness.is_there() { Vec::new() } else { options.accounts.clone() },
        regions: options.regions.clone(),
        from: None,
        to,
        digests: true,
    }
}

/// Says which keys are needed, and how to get them.
fn no_keys(index: &Index) -> ScanError {
    let mut regions: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for (stream, digests) in &index.digests {
        for (_, end) in digests {
            let span = regions.entry(&stream.region).or_insert((*end, *end));
            *span = (span.0.min(*end), span.1.max(*end));
        }
    }
    let day = |ms| DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true);
    let commands = regions.iter().map(|(region, (from, to))| {
        let (from, to) = (day(from - HOUR_MS), day(to + MARGIN_MS));
        format!("  aws cloudtrail list-public-keys --region {region} --start-time {from} --end-time {to} >> keys.json")
    });
    let commands: Vec<String> = commands.collect();
    ScanError::Usage(format!(
        "signatures cannot be checked without CloudTrail's public keys, which differ by Region; save them once with\n{}\n\
         and give them with --public-keys keys.json",
        commands.join("\n")
    ))
}

/// What all steps need.
struct Verifier<'v> {
    options: &'v ScanOptions,
    pool: &'v ThreadPool,
    sources: &'v Sources,
    index: &'v Index,
    keys: &'v PublicKeys,
    resume: Option<&'v Resume>,
    scope: Scope,
    /// The time of digests that are looked at: the scope, and that of objects that were read.
    reach: RangeInclusive<i64>,
    /// What was looked at, as the user named it.
    places: &'v [String],
    progress: &'v dyn Progress,
}

impl Verifier<'_> {
    fn run(&self, witness: &mut Witness<'_>) -> Result<Verdicts, ScanError> {
        let mut verdicts = Verdicts::default();
        let mut coverage = Coverage::default();
        let mut listed = vec![false; self.index.len()];
        for batch in self.batches(&mut verdicts) {
            let mut chains = self.chains(batch)?;
            self.logs(&mut chains, &mut listed, &mut verdicts, witness)?;
            for chain in &chains {
                for link in chain.links.iter().filter(|_| !chain.stream.backfill) {
                    let stream = &chain.stream;
                    let root = root_of(&link.found.object).to_owned();
                    let mut home = (root, stream.organization.clone(), stream.account.clone(), stream.region.clone());
                    coverage.add(&home, link.span(), link.is_proven());
                    // A lake may have been filled from where the digest was written, and that is not where it was found.
                    let written = link.digest().map(|digest| root_of(&digest.place.uri()).to_owned());
                    if let Some(written) = written.filter(|written| witness.is_of_lake() && *written != home.0) {
                        home.0 = written;
                        coverage.add(&home, link.span(), link.is_proven());
                    }
                }
                verdicts.chain(chain);
            }
        }
        coverage.settle();
        unlisted::tell(self.index, &listed, &coverage, self.scope, &mut verdicts, witness);
        for at in &self.index.unreadable {
            let Some(object) = self.index.get(*at) else { continue };
            verdicts.problem(unreadable(object));
        }
        if let Some((count, first)) = &witness.unhashed {
            let layout = Layout::of(first);
            verdicts.problem(Problem {
                kind: Kind::NotCovered,
                verdict: Kind::NotCovered.verdict(),
                object: first.clone(),
                account: layout.account.unwrap_or_default(),
                region: layout.region.unwrap_or_default(),
                from: None,
                to: None,
                detail: format!(
                    "{} of the lake without a hash, of an older keytrail: the same `keytrail ingest` once more adds it",
                    human::count(*count, "object")
                ),
            });
        }
        verdicts.finish(self.scope);
        Ok(verdicts)
    }

    /// Whole streams, some at a time.
    fn batches(&self, verdicts: &mut Verdicts) -> Vec<Vec<(&Stream, Vec<u32>)>> {
        let (from, to) = (*self.reach.start(), *self.reach.end());
        let wanted = from.saturating_sub(MARGIN_MS)..=to.saturating_add(HOUR_MS + MARGIN_MS);
        let mut batches: Vec<Vec<(&Stream, Vec<u32>)>> = Vec::new();
        let mut size = TOGETHER;
        for (stream, digests) in &self.index.digests {
            let last = digests.iter().max_by_key(|(_, end)| *end).and_then(|(at, _)| self.index.get(*at));
            let digests: Vec<u32> = digests.iter().filter(|(_, end)| wanted.contains(end)).map(|(at, _)| *at).collect();
            if digests.is_empty() {
                verdicts.elsewhere(stream, last.map_or("", |object| &object.uri));
                continue;
            }
            if size + digests.len() > TOGETHER {
                batches.push(Vec::new());
                size = 0;
            }
            size += digests.len();
            if let Some(batch) = batches.last_mut() {
                batch.push((stream, digests));
            }
        }
        batches
    }

    /// Reads the digests of some streams and judges them.
    fn chains(&self, batch: Vec<(&Stream, Vec<u32>)>) -> Result<Vec<Chain>, ScanError> {
        let numbers = batch.iter().flat_map(|(_, digests)| digests.iter());
        let objects = numbers.filter_map(|at| Some((*at, self.index.get(*at)?.clone()))).collect();
        let cap = self.options.max_inflated.min(MAX_DIGEST);
        let limits = Limits { max_inflated: cap, ..Limits::default() };
        let found = each(self.pool, self.sources, limits, self.progress, objects, true, |object, contents| {
            (parse(contents), object.uri.clone())
        })?;
        let mut found: BTreeMap<u32, _> = found.into_iter().collect();
        let mut work = Vec::new();
        for (stream, digests) in batch {
            let ends: BTreeMap<u32, i64> = self.index.digests.get(stream).into_iter().flatten().copied().collect();
            let mut of_stream = Vec::new();
            for at in digests {
                let (Some(((content, signature), object)), Some(end)) = (found.remove(&at), ends.get(&at)) else {
                    continue;
                };
                let signature = signature.or_else(|| self.sidecar(&object));
                of_stream.push(Found { object, end: *end, content, signature });
            }
            work.push((stream.clone(), of_stream));
        }
        let judged =
            || work.into_par_iter().map(|(stream, found)| judge(stream, found, self.keys, self.scope)).collect();
        Ok(self.pool.install(judged))
    }

    /// The signature that stands beside a digest on disk.
    fn sidecar(&self, digest: &str) -> Option<Signature> {
        /// What head-object prints is a page.
        const MOST: u64 = 64 << 10;
        let mut json = Vec::new();
        let sidecar = self.index.sidecar(digest)?.open().ok()?;
        std::io::Read::read_to_end(&mut std::io::Read::take(sidecar, MOST), &mut json).ok()?;
        Signature::of_head_object(&json)
    }
}

/// What a digest file states, and the signature that came with it.
fn parse(contents: Contents) -> (Result<(Digest, crate::integrity::Hash), Damage>, Option<Signature>) {
    match contents {
        Contents::Whole(whole) => {
            let metadata = whole.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let digest = Digest::parse(&whole.bytes).map(|digest| (digest, whole.hash));
            (digest.map_err(|error| Damage::Changed(error.to_string())), Signature::of_metadata(metadata))
        }
        Contents::Damaged(how) => (Err(Damage::Changed(how)), None),
        Contents::Gone => (Err(Damage::Unread("it was there when the folder was listed, and is gone".into())), None),
        Contents::Unread(why) => (Err(Damage::Unread(why)), None),
    }
}

fn unreadable(object: &Object) -> Problem {
    let layout = object.layout();
    let reason = object.skip.map_or("it could not be read", crate::decode::SkipReason::meaning);
    let detail = object.detail.as_ref().map_or_else(|| reason.to_string(), |detail| format!("{reason}: {detail}"));
    Problem {
        kind: Kind::NotCovered,
        verdict: Kind::NotCovered.verdict(),
        object: object.uri.clone(),
        account: layout.account.unwrap_or_default(),
        region: layout.region.unwrap_or_default(),
        from: None,
        to: None,
        detail,
    }
}

//! The log files that digests list.

use super::Verifier;
use super::index::root_of;
use super::read::{Contents, each};
use super::vouch::Witness;
use crate::decode::Limits;
use crate::finding::Vouched;
use crate::integrity::chain::Chain;
use crate::integrity::{Hash, Kind, Problem, Verdicts};
use crate::pipeline::ScanError;
use crate::source::Object;

/// A log file to be hashed.
struct Job {
    chain: usize,
    link: usize,
    hash: Hash,
    /// Its URI, or where it should stand.
    object: String,
}

/// What a log file came to.
enum Outcome {
    Matches,
    Differs(String),
    Missing,
    Unread(String),
}

impl Verifier<'_> {
    /// Hashes what the chains list, and marks it as listed.
    pub(super) fn logs(
        &self,
        chains: &mut [Chain],
        listed: &mut [bool],
        verdicts: &mut Verdicts,
        witness: &mut Witness<'_>,
    ) -> Result<(), ScanError> {
        let (mut jobs, mut objects, mut missing, mut known) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (chain_at, chain) in chains.iter().enumerate() {
            for (link_at, link) in chain.links.iter().enumerate() {
                let root = root_of(&link.found.object);
                for log in link.digest().into_iter().flat_map(|digest| &digest.logs) {
                    let found = self.index.find(&log.place, root);
                    if let Some(mark) = found.and_then(|at| listed.get_mut(at as usize)) {
                        *mark = true;
                    }
                    let was_read = found.and_then(|at| self.index.get(at)).is_some_and(|at| witness.knows(&at.uri));
                    if !link.in_scope && !was_read {
                        continue;
                    }
                    let object = match found {
                        Some(at) => self.index.get(at).cloned(),
                        // Listing a period leaves out what was delivered long before its digest.
                        None => self.sources.within(&log.place.bucket, &log.place.key),
                    };
                    let uri = object.as_ref().map_or_else(|| log.place.uri(), |object| object.uri.clone());
                    let job = Job { chain: chain_at, link: link_at, hash: log.hash, object: uri };
                    match object {
                        Some(object) if let Some(hash) = witness.hash(&object.uri) => known.push((job, hash)),
                        Some(object) => {
                            objects.push((u32::try_from(jobs.len()).unwrap_or(u32::MAX), object));
                            jobs.push(job);
                        }
                        None => missing.push(job),
                    }
                }
            }
        }
        let limits = Limits { max_inflated: self.options.max_inflated, ..Limits::default() };
        let read =
            each(self.pool, self.sources, limits, self.progress, objects, false, |_: &Object, contents| contents)?;
        for (at, contents) in read {
            let Some(job) = jobs.get(at as usize) else { continue };
            settle(chains, job, outcome(contents, &job.hash), verdicts, witness);
        }
        for (job, hash) in &known {
            let outcome = hash.map_or_else(unsound, |hash| compared(&hash, &job.hash));
            settle(chains, job, outcome, verdicts, witness);
        }
        for job in &missing {
            settle(chains, job, Outcome::Missing, verdicts, witness);
        }
        Ok(())
    }
}

fn outcome(contents: Contents, hash: &Hash) -> Outcome {
    match contents {
        Contents::Whole(whole) => compared(&whole.hash, hash),
        Contents::Damaged(how) => Outcome::Differs(how),
        Contents::Gone => Outcome::Missing,
        Contents::Unread(why) => Outcome::Unread(why),
    }
}

fn unsound() -> Outcome {
    Outcome::Differs("when its records were read, it was not the one gzip stream that CloudTrail writes".into())
}

fn compared(read: &Hash, listed: &Hash) -> Outcome {
    if read == listed { Outcome::Matches } else { Outcome::Differs("its content is not what the digest says".into()) }
}

fn settle(chains: &mut [Chain], job: &Job, outcome: Outcome, verdicts: &mut Verdicts, witness: &mut Witness<'_>) {
    let Some(chain) = chains.get_mut(job.chain) else { return };
    let (account, region) = (chain.stream.account.clone(), chain.stream.region.clone());
    let Some(link) = chain.links.get_mut(job.link) else { return };
    let tally = &mut verdicts.logs;
    let (kind, detail) = match outcome {
        Outcome::Matches if link.is_proven() => {
            tally.valid += 1;
            witness.vouch(&job.object, Vouched::Valid);
            return;
        }
        Outcome::Matches => {
            tally.unproven += 1;
            witness.vouch(&job.object, Vouched::Unproven);
            return;
        }
        Outcome::Differs(how) => {
            tally.invalid += 1;
            witness.vouch(&job.object, Vouched::Tampered);
            (Kind::LogTampered, how)
        }
        Outcome::Missing => {
            tally.missing += 1;
            (Kind::LogMissing, String::new())
        }
        Outcome::Unread(why) => {
            tally.unproven += 1;
            (Kind::NotCovered, why)
        }
    };
    let detail = match (detail.as_str(), &link.found.object) {
        ("", digest) => format!("listed by {digest}"),
        (how, digest) => format!("{how}; listed by {digest}"),
    };
    link.spoil(kind.verdict());
    let (from, to) = link.span();
    verdicts.problem(Problem {
        kind,
        verdict: kind.verdict(),
        object: job.object.clone(),
        account,
        region,
        from: Some(from),
        to: Some(to),
        detail,
    });
}

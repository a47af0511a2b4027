//! The log files that digests list.

use std::path::Path;

use super::Verifier;
use super::index::root_of;
use super::read::{Contents, each};
use super::witness::{Known, Witness};
use crate::decode::{Content, Limits};
use crate::finding::Vouched;
use crate::integrity::chain::Chain;
use crate::integrity::{Hash, Kind, Place, Problem, Verdict, Verdicts};
use crate::pipeline::ScanError;
use crate::pipeline::sources::filter;
use crate::source::{Layout, Object, tail};

/// A log file to be hashed.
#[derive(Clone)]
struct Job {
    chain: usize,
    link: usize,
    hash: Hash,
    /// Its URI, or where it should stand.
    object: String,
    /// Which of the objects that were read it is.
    position: Option<usize>,
}

/// What a log file came to.
enum Outcome {
    Matches,
    Differs(String),
    Missing(&'static str),
    Unread(String),
    /// A lake has its rows, and no hash.
    Unhashed,
}

/// A lake has no such log file, and nobody else has.
const NOWHERE: &str = "neither in the lake nor where it was delivered";

/// A lake has no such log file, and it is elsewhere.
const NOT_IN_LAKE: &str = "it is there and was not read: the lake does not have it, and `keytrail ingest` brings it in";

impl Verifier<'_> {
    /// Hashes what the chains list, and marks it as listed.
    pub(super) fn logs(
        &self,
        chains: &mut [Chain],
        listed: &mut [bool],
        verdicts: &mut Verdicts,
        witness: &mut Witness<'_>,
    ) -> Result<(), ScanError> {
        let (mut jobs, mut objects, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        for (chain_at, chain) in chains.iter().enumerate() {
            for (link_at, link) in chain.links.iter().enumerate() {
                let root = root_of(&link.found.object);
                for log in link.digest().into_iter().flat_map(|digest| &digest.logs) {
                    let copies = self.copies(&log.place, root, witness);
                    for at in &copies {
                        if let Some(mark) = listed.get_mut(*at as usize) {
                            *mark = true;
                        }
                    }
                    let copies: Vec<&Object> = copies.into_iter().filter_map(|at| self.index.get(at)).collect();
                    if !link.in_scope && !copies.iter().any(|object| witness.knows(&object.uri)) {
                        continue;
                    }
                    let place = copies.first().map_or_else(|| log.place.uri(), |object| object.uri.clone());
                    let job = Job { chain: chain_at, link: link_at, hash: log.hash, object: place, position: None };
                    let known = settled.len();
                    for object in &copies {
                        let of_name = witness.known(&object.uri).into_iter().map(|(at, known)| {
                            (
                                Job { object: object.uri.clone(), position: Some(at), ..job.clone() },
                                of(known, &log.hash),
                            )
                        });
                        settled.extend(of_name);
                    }
                    if settled.len() > known {
                        continue;
                    }
                    match self.elsewhere(&log.place, root, copies.first().copied(), witness) {
                        Elsewhere::Nobody => {}
                        Elsewhere::Settled(outcome) => settled.push((job, outcome)),
                        Elsewhere::Read(object)
                            if let Some(hash) = self.resume.and_then(|known| known.known(&object)) =>
                        {
                            self.progress.object(object.size.unwrap_or(0), 0, 0);
                            settled.push((job, compared(&hash, &log.hash)));
                        }
                        Elsewhere::Read(object) => {
                            objects.push((u32::try_from(jobs.len()).unwrap_or(u32::MAX), object));
                            jobs.push(job);
                        }
                    }
                }
            }
        }
        let limits = Limits { max_inflated: self.options.max_inflated, ..Limits::default() };
        let keep = |object: &Object, contents| {
            if let (Some(resume), Contents::Whole(whole)) = (self.resume, &contents) {
                resume.note(object, &whole.hash);
            }
            contents
        };
        let read = each(self.pool, self.sources, limits, self.progress, objects, false, keep)?;
        for (at, contents) in read {
            let Some(job) = jobs.get(at as usize) else { continue };
            let outcome = match outcome(contents, &job.hash) {
                Outcome::Matches if witness.is_of_lake() => Outcome::Unread(NOT_IN_LAKE.into()),
                Outcome::Missing(_) if witness.is_of_lake() => Outcome::Missing(NOWHERE),
                outcome => outcome,
            };
            settle(chains, job, outcome, verdicts, witness);
        }
        for (job, outcome) in settled {
            settle(chains, &job, outcome, verdicts, witness);
        }
        Ok(())
    }

    /// Objects that a digest means by a place: of lakes all that were filled from it, else one.
    fn copies(&self, place: &Place, root: &str, witness: &Witness<'_>) -> Vec<u32> {
        if witness.is_of_lake() {
            return self.index.copies(place, root);
        }
        self.index.find(place, root).into_iter().collect()
    }

    /// What is to be done about a log file that nobody has read.
    fn elsewhere(&self, place: &Place, root: &str, found: Option<&Object>, witness: &mut Witness<'_>) -> Elsewhere {
        // Listing a period leaves out what was delivered long before its digest.
        let by_name = || self.sources.within(&place.bucket, &place.key);
        if !witness.is_of_lake() {
            let object = found.cloned().or_else(by_name);
            return object.map_or(Elsewhere::Settled(Outcome::Missing("")), Elsewhere::Read);
        }
        if !filter(self.options).admits(&Layout::of(&place.key)) {
            return Elsewhere::Nobody;
        }
        if witness.is_beyond(self.scope, &place.key) {
            witness.beyond += 1;
            return Elsewhere::Nobody;
        }
        if found.is_some() {
            return Elsewhere::Settled(Outcome::Unread(NOT_IN_LAKE.into()));
        }
        if let Some(object) = by_name() {
            return Elsewhere::Read(object);
        }
        let beside = format!("{root}{}", tail(&place.key));
        let was_listed = self.places.iter().any(|source| {
            let in_bucket = source.starts_with("s3://") && beside.starts_with(source.as_str());
            in_bucket || Path::new(&beside).starts_with(source)
        });
        Elsewhere::Settled(if was_listed {
            Outcome::Missing(NOWHERE)
        } else {
            Outcome::Unread("the lake does not have it, and where it was delivered was not looked at".into())
        })
    }
}

/// What is to be done about a log file that nobody has read.
enum Elsewhere {
    /// Nobody asked for it.
    Nobody,
    /// Nothing more.
    Settled(Outcome),
    /// Look at it.
    Read(Object),
}

fn of(known: Known, listed: &Hash) -> Outcome {
    match known {
        Known::Held(Content::Whole(hash)) => compared(&hash, listed),
        Known::Held(Content::Unsound) => {
            Outcome::Differs("when its records were read, it was not the one gzip stream that CloudTrail writes".into())
        }
        Known::Unhashed => Outcome::Unhashed,
        Known::Unread => Outcome::Unread("it could not be read when the lake was filled".into()),
    }
}

fn outcome(contents: Contents, hash: &Hash) -> Outcome {
    match contents {
        Contents::Whole(whole) => compared(&whole.hash, hash),
        Contents::Damaged(how) => Outcome::Differs(how),
        Contents::Gone => Outcome::Missing(""),
        Contents::Unread(why) => Outcome::Unread(why),
    }
}

fn compared(read: &Hash, listed: &Hash) -> Outcome {
    if read == listed { Outcome::Matches } else { Outcome::Differs("its content is not what the digest says".into()) }
}

fn settle(chains: &mut [Chain], job: &Job, outcome: Outcome, verdicts: &mut Verdicts, witness: &mut Witness<'_>) {
    let Some(chain) = chains.get_mut(job.chain) else { return };
    let (account, region) = (chain.stream.account.clone(), chain.stream.region.clone());
    let Some(link) = chain.links.get_mut(job.link) else { return };
    let tally = &mut verdicts.logs;
    let mut vouch = |vouched| match job.position {
        Some(at) => witness.vouch(at, vouched),
        None => witness.vouch_all(&job.object, vouched),
    };
    let (kind, detail) = match outcome {
        Outcome::Matches if link.is_proven() => {
            tally.valid += 1;
            vouch(Vouched::Valid);
            return;
        }
        Outcome::Matches => {
            tally.unproven += 1;
            vouch(Vouched::Unproven);
            return;
        }
        Outcome::Differs(how) => {
            tally.invalid += 1;
            vouch(Vouched::Tampered);
            (Kind::LogTampered, how)
        }
        Outcome::Missing(how) => {
            tally.missing += 1;
            (Kind::LogMissing, how.into())
        }
        // Told once, for all of them.
        Outcome::Unhashed => {
            tally.unproven += 1;
            witness.note_unhashed(&job.object);
            link.spoil(Verdict::Incomplete);
            return;
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

//! One chain: what each of its digests proves, and what is missing between them.
//!
//! Judged from the newest digest to the oldest: a digest that is proven states what the one before it must hold.

use std::collections::BTreeMap;

use super::{
    Digest, DigestName, HOUR_MS, Hash, Interval, Kind, Place, Problem, PublicKeys, Scope, Sealed, Signature, Stream,
    Verdict,
};

/// Missing digests that are told one by one; of a longer hole the rest is told as one.
const TOLD: i64 = 48;

/// Digests of a regular chain meet to the second.
const SLACK_MS: i64 = 1000;

/// A digest file that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its URI.
    pub object: String,
    /// End of its time, as its name tells.
    pub end: i64,
    /// What it states, with the hash of its inflated bytes.
    pub content: Result<(Digest, Hash), Damage>,
    /// The signature that came with it.
    pub signature: Option<Signature>,
}

/// Why a digest file states nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Its bytes are not what CloudTrail writes: how.
    Changed(String),
    /// Its bytes could not be had: why.
    Unread(String),
}

/// What a digest is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// It states nothing, or nothing that can be believed.
    None,
    /// Nothing speaks against it, nothing proves it.
    Unproven,
    /// It is what CloudTrail wrote.
    Proven,
}

/// A digest of a chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// What was found.
    pub found: Found,
    /// Its time touches what was asked for.
    pub in_scope: bool,
    /// What it and its log files came to.
    pub verdict: Verdict,
    worth: Worth,
}

impl Link {
    /// What it states, unless that is known to be false.
    pub fn digest(&self) -> Option<&Digest> {
        self.found.content.as_ref().ok().map(|(digest, _)| digest).filter(|_| self.worth > Worth::None)
    }

    /// True when CloudTrail has stated it.
    pub fn is_proven(&self) -> bool {
        self.worth == Worth::Proven
    }

    /// Its time: as it states it once that is proven, else as its name tells. Nobody shall stretch it over a hole.
    pub fn span(&self) -> (i64, i64) {
        match self.digest().filter(|_| self.is_proven()) {
            Some(digest) => (digest.from, digest.to),
            None => (self.found.end.saturating_sub(HOUR_MS), self.found.end),
        }
    }

    /// Something about its log files is wrong.
    pub fn spoil(&mut self, verdict: Verdict) {
        self.verdict = self.verdict.max(verdict);
    }
}

/// A chain that was judged.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Which digests.
    pub stream: Stream,
    /// Digests that were found, oldest first.
    pub links: Vec<Link>,
    /// What is wrong with them and between them.
    pub problems: Vec<Problem>,
    /// Digests that are not there, as far as they can be counted.
    pub missing: u64,
    /// Time that no digest covers, with what that means.
    holes: Vec<(i64, i64, Verdict)>,
}

/// What a digest says of the one before it.
struct Claim {
    hash: Option<Hash>,
    signature: Option<String>,
    proven: bool,
    object: String,
}

/// Judges the digests of one stream.
pub fn judge(stream: Stream, mut found: Vec<Found>, keys: &PublicKeys, scope: Scope) -> Chain {
    found.sort_by(|a, b| (a.end, &a.object).cmp(&(b.end, &b.object)));
    let mut chain = Chain { stream, links: Vec::new(), problems: Vec::new(), missing: 0, holes: Vec::new() };
    // By the end of the digest that they are about.
    let mut claims: BTreeMap<i64, Vec<Claim>> = BTreeMap::new();
    while let Some(found) = found.pop() {
        let about = claims.get(&found.end).map(Vec::as_slice).unwrap_or_default();
        let (worth, problems) = weigh(&chain.stream, &found, about, keys);
        let mut link = Link { found, in_scope: false, verdict: Verdict::Valid, worth };
        link.in_scope = scope.touches(link.span());
        for (kind, object, detail) in problems {
            link.spoil(kind.verdict());
            chain.tell(scope, kind, kind.verdict(), object, link.span(), detail);
        }
        if let Some(digest) = link.digest()
            && let Some(end) = chain.before(digest)
            && let Some(previous) = &digest.previous
        {
            claims.entry(end).or_default().push(Claim {
                hash: previous.hash,
                signature: digest.previous_signature.clone(),
                proven: link.is_proven(),
                object: link.found.object.clone(),
            });
        }
        chain.links.push(link);
    }
    chain.links.reverse();
    chain.join(scope);
    chain
}

/// A problem of a digest: kind, object, detail.
type Flaw = (Kind, String, String);

/// What a digest is worth by itself and by what later digests claim of it.
fn weigh(stream: &Stream, found: &Found, claims: &[Claim], keys: &PublicKeys) -> (Worth, Vec<Flaw>) {
    let flaw = |kind, detail: &str| vec![(kind, found.object.clone(), detail.to_string())];
    let (digest, hash) = match &found.content {
        Ok(content) => (&content.0, content.1),
        Err(Damage::Changed(how)) => return (Worth::None, flaw(Kind::DigestTampered, how)),
        Err(Damage::Unread(why)) => return (Worth::None, flaw(Kind::NotCovered, why)),
    };
    if !DigestName::agrees(&found.object, &digest.place) || digest.account != stream.account {
        let detail = format!("it is the digest of another place: {}", digest.place.uri());
        return (Worth::None, flaw(Kind::DigestTampered, &detail));
    }
    let seals = |signature: &Signature| signature.seals(digest, &hash, keys);
    let stated = claims.iter().filter_map(|claim| {
        let hex = claim.signature.clone()?;
        Some(Signature { hex, algorithm: None })
    });
    let by_claim = stated.map(|signature| seals(&signature)).max_by_key(|sealed| *sealed == Sealed::Good);
    let own = found.signature.as_ref().map(seals);
    let good = own == Some(Sealed::Good) || by_claim == Some(Sealed::Good);
    let denied = claims.iter().find(|claim| claim.hash.is_some_and(|stated| stated != hash));
    match denied {
        Some(claim) if good => {
            let detail = "it names other content of the digest before it, which is signed as it is";
            return (Worth::Proven, vec![(Kind::ChainBroken, claim.object.clone(), detail.into())]);
        }
        Some(claim) if claim.proven => {
            return (
                Worth::None,
                flaw(Kind::DigestTampered, "the digest after it, which is signed, names other content"),
            );
        }
        _ => {}
    }
    // Neither of the two is proven, and they contradict each other: one of them is not CloudTrail's.
    let mut flaws: Vec<Flaw> = denied
        .map(|claim| {
            let detail = "it names other content of the digest before it";
            (Kind::ChainBroken, claim.object.clone(), detail.to_string())
        })
        .into_iter()
        .collect();
    let mut flaw = |kind, detail: &str| {
        flaws.push((kind, found.object.clone(), detail.to_string()));
        std::mem::take(&mut flaws)
    };
    let vouched = claims.iter().any(|claim| claim.proven && claim.hash == Some(hash));
    let worth = |vouched| if vouched { Worth::Proven } else { Worth::Unproven };
    match (own, by_claim) {
        (Some(Sealed::Bad), Some(Sealed::Good)) => {
            let detail = "the signature in its metadata was changed; the digest after it states the one that holds";
            (Worth::Proven, flaw(Kind::SignatureInvalid, detail))
        }
        _ if good => (Worth::Proven, Vec::new()),
        (None, None) => {
            let detail = "no metadata came with it, and no later digest is there that states it";
            (worth(vouched), flaw(Kind::SignatureMissing, detail))
        }
        (Some(Sealed::UnknownKey) | None, _) if by_claim != Some(Sealed::Bad) => {
            let detail = format!("signed with the key of fingerprint {}", digest.fingerprint);
            (worth(vouched), flaw(Kind::KeyUnknown, &detail))
        }
        // Vouched for, only what stands beside it was changed.
        _ => {
            let worth = if vouched { Worth::Proven } else { Worth::None };
            (worth, flaw(Kind::SignatureInvalid, "content, place or signature was changed"))
        }
    }
}

impl Chain {
    /// End of the digest before, when it is one of this stream.
    fn before(&self, digest: &Digest) -> Option<i64> {
        let name = DigestName::of(&digest.previous.as_ref()?.place.key)?;
        (name.stream == self.stream && name.end < digest.to).then_some(name.end)
    }

    fn tell(&mut self, scope: Scope, kind: Kind, verdict: Verdict, object: String, span: (i64, i64), detail: String) {
        if scope.touches(span) {
            let (account, region) = (self.stream.account.clone(), self.stream.region.clone());
            let (from, to) = (Some(span.0), Some(span.1));
            self.problems.push(Problem { kind, verdict, object, account, region, from, to, detail });
        }
    }

    /// Looks at what is between the digests, and before the first.
    fn join(&mut self, scope: Scope) {
        // Of copies of one digest, the best.
        let mut best: BTreeMap<i64, usize> = BTreeMap::new();
        for (at, link) in self.links.iter().enumerate() {
            let known = best.entry(link.found.end).or_insert(at);
            if self.links.get(*known).is_some_and(|known| known.worth < link.worth) {
                *known = at;
            }
        }
        let mut before: Option<Step> = None;
        for at in best.values() {
            let Some(link) = self.links.get(*at) else { continue };
            let step = Step {
                at: *at,
                span: link.span(),
                end: link.found.end,
                previous: link.digest().and_then(|digest| {
                    let place = digest.previous.as_ref()?.place.clone();
                    Some((self.before(digest)?, place))
                }),
                readable: link.digest().is_some(),
                object: link.found.object.clone(),
            };
            match &before {
                None => self.begin(scope, &step),
                Some(before) => self.between(scope, before, &step, &best),
            }
            before = Some(step);
        }
    }

    fn begin(&mut self, scope: Scope, first: &Step) {
        let (from, _) = first.span;
        if self.stream.backfill || scope.from.is_some_and(|wanted| from <= wanted) {
            return;
        }
        if let Some((end, place)) = &first.previous {
            let detail = "the first digest that is there names it; what came before it is not known";
            let span = (end.saturating_sub(HOUR_MS), from);
            self.lost(scope, span, place.uri(), Verdict::Incomplete, detail.into());
        }
    }

    fn between(&mut self, scope: Scope, before: &Step, step: &Step, all: &BTreeMap<i64, usize>) {
        let (from, to) = (before.span.1, step.span.0);
        let is_apart = !self.stream.backfill && to > from.saturating_add(SLACK_MS);
        match &step.previous {
            Some((end, _)) if *end == before.end => {
                let detail = "the digests on both sides follow each other, yet do not meet";
                self.apart(is_apart, scope, (from, to), &step.object, detail);
            }
            Some((end, place)) if !all.contains_key(end) => self.hole(scope, (from, to), *end, place, step),
            Some(_) => {
                let detail = "no digest after it names it".to_string();
                if let Some(link) = self.links.get_mut(before.at) {
                    link.spoil(Verdict::Invalid);
                }
                self.tell(scope, Kind::ChainBroken, Verdict::Invalid, before.object.clone(), before.span, detail);
            }
            None if step.readable => {
                let detail =
                    "a new chain begins after it: validation or logging was off, nothing proves what was delivered";
                self.apart(is_apart, scope, (from, to), &step.object, detail);
            }
            // What it names is not known: a digest every hour is.
            None if is_apart && to > from.saturating_add(HOUR_MS / 2) => {
                let key = DigestName::at(&step.object, to).unwrap_or_else(|| step.object.clone());
                for (span, object) in hours((from, to), to, &key) {
                    self.lost(scope, span, object, Verdict::Invalid, "no digest of this hour is there".into());
                }
            }
            None => {}
        }
    }

    /// Digests that the chain names, or that must have been there before those.
    fn hole(&mut self, scope: Scope, (from, to): (i64, i64), end: i64, place: &Place, step: &Step) {
        if self.stream.backfill || to <= from {
            let span = (end.saturating_sub(HOUR_MS), end);
            self.lost(scope, span, place.uri(), Verdict::Invalid, format!("named by {}", step.object));
            return;
        }
        for (at, (span, object)) in hours((from, to), end, &place.uri()).into_iter().enumerate() {
            let detail = if at == 0 {
                format!("named by {}", step.object)
            } else {
                "its hour lies between digests that are there; its name follows from theirs".into()
            };
            self.lost(scope, span, object, Verdict::Invalid, detail);
        }
    }

    fn lost(&mut self, scope: Scope, span: (i64, i64), object: String, verdict: Verdict, detail: String) {
        if scope.touches(span) {
            let hours = (span.1.saturating_sub(span.0).saturating_add(HOUR_MS / 2) / HOUR_MS).max(1);
            self.missing += if self.stream.backfill { 1 } else { hours.unsigned_abs() };
            self.holes.push((span.0, span.1, verdict));
        }
        self.tell(scope, Kind::DigestMissing, verdict, object, span, detail);
    }

    /// Time between two digests that no digest covers, if there is any.
    fn apart(&mut self, is_apart: bool, scope: Scope, span: (i64, i64), object: &str, detail: &str) {
        if !is_apart {
            return;
        }
        let span = scope.cut(span);
        if scope.touches(span) {
            self.holes.push((span.0, span.1, Verdict::Incomplete));
        }
        self.tell(scope, Kind::NotCovered, Verdict::Incomplete, object.to_string(), span, detail.to_string());
    }

    /// End of what the chain covers.
    pub fn end(&self) -> Option<i64> {
        self.links.iter().map(|link| link.span().1).max()
    }

    /// The time from its first digest to its last, as far as it was asked for: in between, all that is missing is told.
    pub fn told(&self) -> Option<(i64, i64)> {
        let links = self.links.iter().filter(|link| link.in_scope).map(Link::span);
        let spans = links.chain(self.holes.iter().map(|(from, to, _)| (*from, *to)));
        spans.reduce(|all, span| (all.0.min(span.0), all.1.max(span.1)))
    }

    /// What is known of which time.
    pub fn intervals(&self) -> Vec<Interval> {
        let interval = |from, to, verdict, digests, logs| {
            let stream = self.stream.clone();
            Interval { stream, from, to, verdict, digests, logs }
        };
        let links = self.links.iter().filter(|link| link.in_scope).map(|link| {
            let (from, to) = link.span();
            interval(from, to, link.verdict, 1, link.digest().map_or(0, |digest| digest.logs.len() as u64))
        });
        let holes = self.holes.iter().map(|(from, to, verdict)| interval(*from, *to, *verdict, 0, 0));
        Interval::join(links.chain(holes).collect())
    }
}

/// A digest on the way through the chain.
struct Step {
    at: usize,
    span: (i64, i64),
    end: i64,
    /// End and place of the digest before it.
    previous: Option<(i64, Place)>,
    readable: bool,
    object: String,
}

/// The hours of a hole, latest first, each with the URI of its digest. The latest digest ends at `end` and stands at `uri`.
fn hours((from, to): (i64, i64), end: i64, uri: &str) -> Vec<((i64, i64), String)> {
    let count = (to.saturating_sub(from).saturating_add(HOUR_MS / 2) / HOUR_MS).max(1);
    let told = count.min(TOLD);
    (0..told)
        .map(|hour| {
            let ends = if hour == 0 { to } else { to.saturating_sub(hour * HOUR_MS) };
            let starts = if hour + 1 == told { from } else { to.saturating_sub((hour + 1) * HOUR_MS) };
            let object = DigestName::at(uri, end.saturating_sub(hour * HOUR_MS)).filter(|_| hour > 0);
            ((starts, ends), object.unwrap_or_else(|| uri.to_string()))
        })
        .collect()
}

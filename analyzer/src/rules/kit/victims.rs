//! Whom a key that cannot be used hurts.

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Context, short_principal, short_service};
use super::draft::{Draft, text_or_null};
use super::outage::Failure;
use super::time::{instant, plural};
use crate::extract::FailureClass;
use crate::finding::{Detail, Evidence, Role};
use crate::rules::prelude::EVIDENCE;
use crate::view::KeyView;
use crate::view::activity::Series;
use crate::view::event::EventRef;

/// Victims that the details list.
const LISTED: usize = 100;

/// One resource, through one service, for one principal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Victim {
    resource: String,
    service: String,
    principal: String,
}

/// What happened to a victim. Retries only count.
struct Hurt {
    count: u64,
    first: EventRef,
    last: i64,
    error: String,
    name: String,
    kind: String,
}

/// All that one outage hurt.
pub struct Victims(BTreeMap<Victim, Hurt>);

/// Failures that may hurt somebody: cryptographic calls, grants that services ask for, other services' calls. Not the failed
/// calls of administrators, and a missing key only counts when the log knew it. Refusals and wrong keys count once an event
/// explains them.
pub fn is_victim(series: &Series, key: &KeyView, cx: &Context<'_>) -> bool {
    let explicable = |failure: &FailureClass| {
        failure.is_key_state() || matches!(failure, FailureClass::AccessDenied | FailureClass::InvalidCiphertext)
    };
    let Some(failure) = series.key.failure.filter(explicable) else { return false };
    let kms = cx.text(Some(series.key.source)) == "kms.amazonaws.com";
    let operation = cx.text(series.key.operation);
    let hurts = !kms || operation == "crypto" || operation == "grant";
    let known =
        failure.id() != "key-not-found" || !key.events.is_empty() || key.series.iter().any(|series| series.succeeded());
    hurts && known
}

impl Victims {
    /// Who these failures hurt.
    pub fn of(failures: &[Failure<'_>], cx: &Context<'_>) -> Self {
        let mut victims: BTreeMap<Victim, Hurt> = BTreeMap::new();
        // With S3 Bucket Keys KMS sees the bucket where S3 sees the object: then the bucket is the victim.
        let buckets: BTreeSet<&str> = failures
            .iter()
            .map(|failure| cx.text(failure.series.key.resource))
            .filter(|resource| resource.starts_with("arn:") && resource.contains(":s3:::") && !resource.contains('/'))
            .collect();
        for Failure { series, cell } in failures {
            let key = &series.key;
            let source = cx.text(Some(key.source));
            let service = match (cx.text(key.via), source) {
                ("", "kms.amazonaws.com") => "direct calls".to_string(),
                ("", service) | (service, _) => short_service(service),
            };
            let victim = Victim {
                resource: match cx.text(key.resource) {
                    "" => "(no resource named)".to_string(),
                    resource => match resource.split_once('/') {
                        Some((bucket, _)) if buckets.contains(bucket) => bucket.to_string(),
                        _ => resource.to_string(),
                    },
                },
                service,
                principal: cx.text(key.principal).to_string(),
            };
            victims
                .entry(victim)
                .and_modify(|hurt| {
                    hurt.count += u64::from(cell.count);
                    if cell.first < hurt.first {
                        hurt.first = cell.first;
                        hurt.error = cx.text(key.error).to_string();
                        hurt.name = cx.text(Some(key.name)).to_string();
                    }
                    hurt.last = hurt.last.max(cell.last());
                })
                .or_insert_with(|| Hurt {
                    count: u64::from(cell.count),
                    first: cell.first,
                    last: cell.last(),
                    error: cx.text(key.error).to_string(),
                    name: cx.text(Some(key.name)).to_string(),
                    kind: cx.text(key.kind).to_string(),
                });
        }
        Self(victims)
    }

    /// Failed calls, retries included.
    pub fn calls(&self) -> u64 {
        self.0.values().map(|hurt| hurt.count).sum()
    }

    /// How many, and through which services.
    pub fn summary(&self) -> String {
        let services: Vec<&str> = self.services().into_iter().collect();
        format!("{} in {}", plural(self.0.len() as u64, "victim"), services.join(", "))
    }

    fn services(&self) -> BTreeSet<&str> {
        self.0.keys().map(|victim| &*victim.service).collect()
    }

    /// Names the first of them in a finding.
    pub fn tell(&self, draft: &mut Draft, cx: &Context<'_>) {
        for (victim, hurt) in self.0.iter().take(EVIDENCE) {
            draft.fact(
                "victim",
                format!(
                    "{} through {} for {}: {} × {}, last {}",
                    cx.resource(&victim.resource),
                    victim.service,
                    short_principal(&victim.principal),
                    hurt.count,
                    hurt.error,
                    instant(hurt.last)
                ),
            );
        }
        if self.0.len() > EVIDENCE {
            draft.fact("victim", format!("and {} more", self.0.len() - EVIDENCE));
        }
    }

    /// Their details: services, how many, and the first hundred.
    pub fn detail(&self, draft: &mut Draft, cx: &Context<'_>) {
        let services = self.services().into_iter().map(|service| Detail::Text(service.to_string()));
        draft.detail("services", Detail::List(services.collect()));
        draft.detail("victims_total", Detail::Int(self.0.len() as i64));
        let victims = self.0.iter().take(LISTED).map(|(victim, hurt)| one(victim, hurt, cx));
        draft.detail("victims", Detail::List(victims.collect()));
    }

    /// The first failure of each of the first victims.
    pub fn evidence<'v>(&'v self, cx: &'v Context<'_>) -> impl Iterator<Item = Evidence> + 'v {
        self.0.values().take(EVIDENCE).map(|hurt| {
            let error = cx.dictionary.find(&hurt.error);
            cx.evidence(&hurt.first, &hurt.name, error, Role::Primary)
        })
    }
}

fn one(victim: &Victim, hurt: &Hurt, cx: &Context<'_>) -> Detail {
    Detail::Map(BTreeMap::from([
        ("resource", Detail::Text(cx.resource(&victim.resource).into_owned())),
        ("service", Detail::Text(victim.service.clone())),
        ("principal", Detail::Text(victim.principal.clone())),
        ("principal_type", text_or_null(&hurt.kind)),
        ("error_code", Detail::Text(hurt.error.clone())),
        ("count", Detail::Int(hurt.count as i64)),
        ("first", Detail::Time(hurt.first.time)),
        ("last", Detail::Time(hurt.last)),
    ]))
}

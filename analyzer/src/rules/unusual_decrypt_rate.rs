//! Rule `unusual-decrypt-rate`. Its page, `unusual_decrypt_rate.md`, says what it finds and what it misses.

use std::collections::{BTreeMap, BTreeSet};

use super::kit::baseline::{Model, Unusual, Verdict, judge};
use super::prelude::*;
use crate::extract::arn::is_service;
use crate::view::activity::{BUCKET_MS, Cell, Series};
use crate::view::breadth::Breadth;

pub(super) static RULE: Rule = Rule {
    id: "unusual-decrypt-rate",
    summary: "a principal decrypts with a key far more often than it used to",
    doc: include_str!("unusual_decrypt_rate.md"),
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    timing: Timing::Settled,
    attack: &["T1555.006", "T1530"],
    controls: &["SOC 2 CC7.2", "ISO 27001:2022 A.8.16", "NIST 800-53 r5 SI-4", "PCI DSS 4.0.1 10.4.1"],
    detect: Detect { key: Some(detect), mention: Some(young), account: Some(learning), ..Detect::NONE },
};

/// Buckets of a day.
const DAY_BUCKETS: i64 = DAY / BUCKET_MS;
/// Quiet buckets that one burst may have inside.
const BREAK: i64 = 3;

/// One bucket of one series.
type Sample<'v> = (&'v Series, &'v Cell);

/// Decrypts of one principal through one service.
struct Rate<'v> {
    principal: &'v str,
    via: &'v str,
    /// Bucket of the first call. A series is as old as that: how a principal behaves is not known from the time before it
    /// came.
    start: i64,
    /// True when a known reader of logs read nothing but logs.
    own: bool,
    /// Count and cells per bucket: Decrypt and ReEncrypt both decrypt.
    buckets: BTreeMap<i64, (u64, Vec<Sample<'v>>)>,
}

impl<'v> Rate<'v> {
    fn of(principal: &'v str, via: &'v str, group: &[&'v Series]) -> Self {
        let mut buckets: BTreeMap<i64, (u64, Vec<Sample<'v>>)> = BTreeMap::new();
        for series in group {
            for cell in &series.cells {
                let bucket = buckets.entry(cell.bucket()).or_default();
                bucket.0 += u64::from(cell.count);
                bucket.1.push((*series, cell));
            }
        }
        Self { principal, via, start: buckets.keys().next().copied().unwrap_or(0), own: false, buckets }
    }

    /// Sets the buckets apart in which a known reader of logs read nothing but logs. One other call makes a bucket an
    /// ordinary one, with all of its calls; and what is usual elsewhere is learned without the logs, else whoever reads
    /// them in bulk could read anything else in bulk.
    fn split(self, cx: &Context<'_>) -> Vec<Self> {
        if !is_s3(self.via) || !cx.settings.logs.is_reader(self.principal) {
            return vec![self];
        }
        let of_logs = |(series, _): &Sample<'_>| series.key.log_bucket.is_some();
        let (own, other) = self.buckets.into_iter().partition(|(_, (_, cells))| cells.iter().all(of_logs));
        vec![Self { buckets: other, ..self }, Self { own: true, buckets: own, ..self }]
    }
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    rates(key, cx).iter().flat_map(|rate| bursts(key, rate, cx)).collect()
}

fn decrypts(series: &Series, cx: &Context<'_>) -> bool {
    series.succeeded()
        && cx.text(series.key.operation) == "crypto"
        && matches!(cx.text(Some(series.key.name)), "Decrypt" | "ReEncrypt")
}

/// Busy series of a key that are younger than a day.
fn young(key: &KeyView, cx: &Context<'_>) -> Option<Mention> {
    let rates = rates(key, cx);
    // The two rates of a reader of logs are one pair.
    let mut unjudged: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for rate in &rates {
        let spans = judge_rate(rate, cx).unjudged;
        if spans > 0 {
            *unjudged.entry((rate.principal, rate.via)).or_default() += spans;
        }
    }
    let mention = || Mention {
        arn: key.arn.clone(),
        label: key.label().to_string(),
        count: unjudged.len() as u64,
        amount: unjudged.values().sum(),
        acts: Vec::new(),
    };
    (!unjudged.is_empty()).then(mention)
}

/// One row for all young series, because nothing says what is usual for them.
fn learning(view: &AccountView<'_>, cx: &Context<'_>) -> Vec<Draft> {
    let Some(first) = view.mentions.first() else { return Vec::new() };
    let pairs: u64 = view.mentions.iter().map(|key| key.count).sum();
    let spans: u64 = view.mentions.iter().map(|key| key.amount).sum();
    let mut draft = Draft::of_account(view.account, view.region, Severity::Info, Confidence::Low);
    draft.subject = vec!["learning".into()];
    draft.anchor = format!("{}/{}", view.account, view.region);
    draft.first_seen = cx.log_start();
    draft.last_seen = cx.as_of;
    draft.count = 1;
    draft.title = format!(
        "{} in {} had less than a day of history when they were busy: their rates were not judged",
        plural(pairs, "key and principal pair"),
        view.region
    );
    draft.fact("for example", first.label.as_str());
    draft.fact("five-minute spans not judged", spans.to_string());
    draft.detail("learning", Detail::Bool(true));
    draft.detail("pairs", Detail::Int(pairs as i64));
    draft.remediation =
        "Scan a longer period: after a day rates are judged with low confidence, after the warm-up with full.".into();
    vec![draft]
}

/// Decrypts per principal and service. Those that never come near the floor are left out, which is most of them: the
/// model says nothing of a count below it.
fn rates<'v>(key: &'v KeyView, cx: &Context<'v>) -> Vec<Rate<'v>> {
    let floor = u64::from(cx.settings.options.unusual_decrypt_rate.min_count);
    let mut groups: BTreeMap<(&str, &str), Vec<&Series>> = BTreeMap::new();
    for series in key.series.iter().filter(|series| decrypts(series, cx)) {
        groups.entry((cx.text(series.key.principal), cx.text(series.key.via))).or_default().push(series);
    }
    let most = |series: &&Series| series.cells.iter().map(|cell| u64::from(cell.count)).max().unwrap_or(0);
    groups.retain(|_, group| group.iter().map(most).sum::<u64>() >= floor);
    groups.into_iter().flat_map(|((principal, via), group)| Rate::of(principal, via, &group).split(cx)).collect()
}

fn judge_rate(rate: &Rate<'_>, cx: &Context<'_>) -> Verdict {
    let options = &cx.settings.options.unusual_decrypt_rate;
    let model = Model {
        min_count: u64::from(options.min_count),
        factor: options.factor,
        deviations: options.deviations,
        least_history: DAY_BUCKETS,
        season_history: i64::from(options.season_days) * DAY_BUCKETS,
    };
    let counts: Vec<(i64, u64)> = rate.buckets.iter().map(|(bucket, (count, _))| (*bucket, *count)).collect();
    judge(&counts, rate.start, &model)
}

fn bursts(key: &KeyView, rate: &Rate<'_>, cx: &Context<'_>) -> Vec<Draft> {
    let mut runs: Vec<Vec<Unusual>> = Vec::new();
    for unusual in judge_rate(rate, cx).unusual {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| unusual.bucket - last.bucket <= BREAK + 1) => run.push(unusual),
            _ => runs.push(vec![unusual]),
        }
    }
    let mut incident = String::new();
    let mut last = i64::MIN;
    let mut drafts = Vec::new();
    for run in runs {
        let (Some(first), Some(end)) = (run.first(), run.last()) else { continue };
        // Bursts with less than a quiet day between them are one incident.
        if first.bucket.saturating_sub(last) > DAY_BUCKETS {
            incident = format!("start:{}:{}:{}", rate.principal, rate.via, first.bucket * BUCKET_MS);
        }
        last = end.bucket;
        drafts.push(finding(key, rate, &run, &incident, cx));
    }
    drafts
}

fn finding(key: &KeyView, rate: &Rate<'_>, run: &[Unusual], incident: &str, cx: &Context<'_>) -> Draft {
    let &Rate { principal, via, own, .. } = rate;
    let options = &cx.settings.options.unusual_decrypt_rate;
    let peak = run.iter().max_by_key(|unusual| unusual.count).copied().unwrap_or(run[0]);
    let (from, to) = (run[0].bucket, run[run.len() - 1].bucket);
    let count: u64 = run.iter().map(|unusual| unusual.count).sum();
    let cells: Vec<Sample<'_>> =
        rate.buckets.range(from..=to).flat_map(|(_, (_, cells))| cells.iter().copied()).collect();
    let mut contexts = Breadth::default();
    cells.iter().for_each(|(_, cell)| contexts.merge(&cell.breadth));
    let (contexts, exact) = contexts.count();
    let ratio = peak.count as f64 / peak.expected.max(1.0);
    let warm = i64::from(options.warmup_days) * DAY_BUCKETS;
    let cold = run[0].history < warm;

    let severity = match (cold, ratio >= 20.0 || contexts >= 100) {
        _ if own => Severity::Info,
        (true, _) => Severity::Low,
        (false, true) => Severity::High,
        (false, false) => RULE.severity,
    };
    let confidence = if cold { Confidence::Low } else { RULE.confidence };
    let mut draft = Draft::of_key(key, severity, confidence);
    let kind = cells.first().map_or("", |(series, _)| cx.text(series.key.kind));
    draft.subject = vec![principal.to_string(), via.to_string()];
    draft.anchor = format!("start:{}", from * BUCKET_MS);
    draft.incident = Some(incident.to_string());
    draft.principal = Some(crate::finding::Principal {
        arn: principal.to_string(),
        kind: kind.to_string(),
        invoked_by: (!via.is_empty()).then(|| via.to_string()),
    });
    draft.first_seen = cells.iter().map(|(_, cell)| cell.first.time).min().unwrap_or(from * BUCKET_MS);
    draft.last_seen = cells.iter().map(|(_, cell)| cell.last()).max().unwrap_or(to * BUCKET_MS);
    draft.count = count;
    draft.status = if cx.as_of - draft.last_seen > DAY { Status::Closed } else { Status::Open };
    let how = if via.is_empty() { "directly".to_string() } else { format!("through {}", short_service(via)) };
    let span = length((to - from + 1) * BUCKET_MS);
    draft.title = format!(
        "{} decrypted {count} times with {} {how} in {span}: {}{}",
        short_principal(principal),
        key.label(),
        if own { "a known reader read the logs themselves".into() } else { format!("{ratio:.0} times what is usual") },
        if cold && !own { ", on little history" } else { "" }
    );
    if own {
        let names: BTreeSet<&str> = cells.iter().map(|(series, _)| cx.text(series.key.log_bucket)).collect();
        let names: Vec<&str> = names.into_iter().collect();
        draft.fact("own reads", format!("nothing but the logs in {}, by a known reader of logs", names.join(", ")));
    }
    draft.fact("peak", format!("{} in the 5 minutes from {}", peak.count, instant(peak.bucket * BUCKET_MS)));
    draft.fact("expected", format!("about {:.0}, at most {:.0}, in 5 minutes", peak.expected, peak.limit.floor()));
    draft.fact("ratio", format!("{ratio:.1} times what is usual"));
    let about = if exact { "" } else { "about " };
    draft.fact(
        "breadth",
        match contexts {
            0 => "no encryption contexts: what was read cannot be told".to_string(),
            contexts => format!(
                "{about}{} (each a secret, object, table or volume)",
                plural(contexts, "distinct encryption context")
            ),
        },
    );
    draft.fact(
        "history",
        match cold {
            true => format!(
                "cold start: only {} of history, {} days are wanted",
                length(run[0].history * BUCKET_MS),
                options.warmup_days
            ),
            false => format!("{} of this principal on this key", length(run[0].history * BUCKET_MS)),
        },
    );
    draft.detail("peak_count", Detail::Int(peak.count as i64));
    draft.detail("peak_at", Detail::Time(peak.bucket * BUCKET_MS));
    draft.detail("expected", Detail::Float(round(peak.expected)));
    draft.detail("limit", Detail::Float(round(peak.limit)));
    draft.detail("ratio", Detail::Float(round(ratio)));
    draft.detail("buckets", Detail::Int(to - from + 1));
    draft.detail("bucket_seconds", Detail::Int(BUCKET_MS / 1000));
    draft.detail("distinct_contexts", Detail::Int(contexts as i64));
    draft.detail("distinct_contexts_exact", Detail::Bool(exact));
    draft.detail("history_days", Detail::Float(round(run[0].history as f64 / DAY_BUCKETS as f64)));
    draft.detail("cold_start", Detail::Bool(cold));
    draft.detail("via", text_or_null(via));
    draft.detail("own_reads", Detail::Bool(own));
    let mut samples: Vec<Sample<'_>> =
        cells.iter().filter(|(_, cell)| run.iter().any(|unusual| unusual.bucket == cell.bucket())).copied().collect();
    samples.sort_by_key(|(_, cell)| cell.first);
    for (series, cell) in samples.iter().take(EVIDENCE) {
        draft.evidence.push(cx.evidence(&cell.first, cx.text(Some(series.key.name)), None, Role::Primary));
    }
    draft.remediation = match own {
        true => format!(
            "If keytrail or another reader of logs ran then, there is nothing to do. If none did, somebody else acts as {}: \
             end its sessions and read what it did besides.",
            short_principal(principal)
        ),
        false => format!(
            "Ask the owner of {} whether this was a planned job. If not, end its sessions (IAM: revoke sessions of the role, \
             deactivate the user's keys) and read which contexts it decrypted from the records below.",
            short_principal(principal)
        ),
    };
    draft
}

/// True for S3 calling on somebody's behalf.
fn is_s3(via: &str) -> bool {
    is_service(via) && short_service(via) == "s3"
}

/// Two decimals: more would suggest a precision that a quantile does not have.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

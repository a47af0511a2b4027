//! Rows to a report: views, findings, suppressions, and what is to be said beside them.

use rayon::ThreadPool;

use super::evidence::Evidence;
use super::ingest::Ingested;
use super::memory::prove;
use super::rows::Rows;
use super::{Chosen, ScanError, ScanOptions, Visit};
use crate::config::{Applied, Settings, Subject, SuppressionTracker};
use crate::finding::{Finding, Status};
use crate::frame::Dictionary;
use crate::report::inputs::Inputs;
use crate::report::{Report, Run, human};
use crate::rules::{self, Context, Evaluation};
use crate::source::Names;
use crate::view::event::EventIds;
use crate::view::settle::Unresolved;
use crate::view::{FoldContext, Stores};

/// What was read.
pub(super) struct Read<'r> {
    pub(super) ingested: Ingested,
    pub(super) rows: Rows,
    pub(super) evidence: &'r Evidence,
    pub(super) names: &'r Names,
    pub(super) dictionary: &'r Dictionary,
    /// Objects left out by their names.
    pub(super) pruned: u64,
    /// Every object, where they were remembered.
    pub(super) inputs: Option<Inputs>,
    /// What is to be said about how it was read.
    pub(super) notices: Vec<String>,
}

/// Folds the rows and runs the rules on them.
pub(super) fn judge<T: Send>(
    options: &ScanOptions,
    settings: &Settings,
    pool: &ThreadPool,
    (run, skipped): Chosen<'_>,
    read: Read<'_>,
    visit: &Visit<'_, T>,
) -> Result<(Report, Vec<T>), ScanError> {
    let Read { ingested, rows, evidence, names, dictionary, pruned, inputs, notices: told } = read;
    let asked = options.as_of.or(options.to);
    let across = &ingested.across;
    if let Some(path) = &options.events {
        rows.write_events(path, names, across, dictionary)?;
    }
    let as_of = across.as_of();
    let fold = FoldContext { dictionary, as_of, names, across, logs: &settings.logs };
    let (none, no_stores) = (EventIds::default(), Stores::default());
    let cx = Context {
        settings,
        dictionary,
        names,
        ids: &none,
        stores: &no_stores,
        log_start: across.span().map(|span| span.0).or(as_of).unwrap_or(0),
        as_of: as_of.unwrap_or(0),
        redact: options.redact,
        inventory: evidence.inventory.as_deref(),
    };
    // Without an instant to count from, nothing can be said of any key.
    let rules = if as_of.is_some() { run } else { &[] };
    let (settled, evaluation, visited) =
        pool.install(|| rows.evaluate(options, &fold, rules, (&cx, evidence), visit))?;

    let mut coverage = ingested.seen.finish(pruned, &settled, (&options.accounts, &options.regions));
    evidence.finish(&mut coverage);
    let mut notices = unseen(&evaluation);
    let findings =
        evaluation.finish(rules, &settled.documents, &Context { ids: &settled.ids, stores: &settled.stores, ..cx });
    let (mut findings, suppressions) = match as_of {
        Some(as_of) => suppress(within(findings, options), settings, as_of, &mut notices),
        None => Default::default(),
    };
    notices.extend(told);
    notices.extend(unresolved(settled.unresolved));
    if ingested.filtered > 0 {
        notices.push(format!(
            "{} about keys left out: outside the accounts or Regions asked for",
            rules::kit::time::plural(ingested.filtered, "record")
        ));
    }
    if ingested.lookback.objects > 0 {
        notices.push(format!(
            "before the period, {} were read for what was done to keys ({} as stored, --lookback)",
            human::count(ingested.lookback.objects, "object"),
            human::bytes(ingested.lookback.bytes)
        ));
    }
    if let Some(as_of) = asked {
        notices.push(format!("events after {} were left out", rules::kit::time::instant(as_of)));
    } else if settled.later > 0 {
        // A made-up date must not move the end of the log; what has one must not vanish either.
        notices.push(format!(
            "{} left out: younger than the delivery of the file that holds them",
            rules::kit::time::plural(settled.later, "event")
        ));
    }
    if let Some(inputs) = &inputs {
        prove(&mut findings, inputs);
        evidence.prove(&mut findings);
    }
    let report = Report {
        run: Run {
            version: env!("CARGO_PKG_VERSION"),
            settings_digest: evidence.digest(settings),
            as_of,
            from: options.from,
            to: options.to,
            sources: options.sources.clone(),
            rules_run: run.iter().map(|rule| rule.id).collect(),
            rules_skipped: skipped.to_vec(),
        },
        coverage,
        findings,
        suppressions,
        notices,
        inputs,
        integrity: None,
    };
    Ok((report, visited))
}

/// Keys of which the log must have missed something: the first few by name, then how many there are.
fn unseen(evaluation: &Evaluation) -> Vec<String> {
    const NAMED: usize = 5;
    let mut notices: Vec<String> = evaluation.unseen().take(NAMED).map(str::to_string).collect();
    let more = evaluation.unseen().count().saturating_sub(NAMED);
    if more > 0 {
        let keys = rules::kit::time::plural(more as u64, "more key");
        notices.push(format!("{keys} worked while unusable by the log: what undid it is missing from the log"));
    }
    notices
}

/// Says of how many failures the key cannot be told.
fn unresolved(count: Unresolved) -> Vec<String> {
    let notice = |count: u64, what: &str| {
        let verb = if count == 1 { "names" } else { "name" };
        let failures = rules::kit::time::plural(count, "failure");
        (count > 0).then(|| format!("{failures} of {what} {verb} a key that nothing else in the log tells"))
    };
    [notice(count.kms, "KMS"), notice(count.related, "other services")].into_iter().flatten().collect()
}

/// Findings of the reported period: those that it overlaps.
fn within(findings: Vec<Finding>, options: &ScanOptions) -> Vec<Finding> {
    let inside = |finding: &Finding| {
        options.from.is_none_or(|from| finding.last_seen >= from || finding.status == Status::Open)
            && options.to.is_none_or(|to| finding.first_seen <= to)
    };
    findings.into_iter().filter(inside).collect()
}

/// What suppressions are held against.
pub(crate) fn subject(finding: &Finding) -> Subject<'_> {
    Subject {
        rule: finding.rule,
        id: finding.id.as_str(),
        account: &finding.account,
        region: &finding.region,
        key_arn: finding.key.as_ref().map(|key| key.arn.as_str()),
        key_id: finding.key.as_ref().map(|key| key.id.as_str()),
        alias: finding.key.as_ref().and_then(|key| key.alias.as_deref()),
        principal: finding.principal.as_ref().map(|principal| principal.arn.as_str()),
    }
}

/// Marks the findings that the configuration accepts.
pub(super) fn accept(findings: &mut [Finding], settings: &Settings, tracker: &mut SuppressionTracker<'_>) {
    for finding in findings {
        if let Some(at) = tracker.suppress(&subject(finding)) {
            let entry = &settings.suppressions[at];
            let until = entry.until.map(|date| date.to_string());
            finding.status = Status::Suppressed { reason: entry.reason.clone(), until };
        }
    }
}

/// Applies the suppressions of the configuration, and says what each of them did.
fn suppress(
    mut findings: Vec<Finding>,
    settings: &Settings,
    as_of: i64,
    notices: &mut Vec<String>,
) -> (Vec<Finding>, Vec<Applied>) {
    let mut tracker = SuppressionTracker::new(&settings.suppressions, as_of);
    accept(&mut findings, settings, &mut tracker);
    notices.extend(tracker.notices());
    findings.sort_by_cached_key(Finding::sort_key);
    (findings, tracker.applied())
}

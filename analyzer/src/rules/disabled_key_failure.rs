//! Rule `disabled-key-failure`. Its page, `disabled_key_failure.md`, says what it finds and what it misses.

use std::collections::BTreeSet;

use super::kit::outage::{Failure, Outage, Undo, outages};
use super::kit::over::Over;
use super::kit::victims::{Victims, is_victim};
use super::kit::{latent, lost, moved, soak, undo};
use super::prelude::*;
use crate::extract::FailureClass;

pub(super) static RULE: Rule = Rule {
    id: "disabled-key-failure",
    summary: "calls fail because their key is disabled, to be deleted, without material, gone, or closed to them",
    doc: include_str!("disabled_key_failure.md"),
    severity: Severity::High,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1485", "T1489"],
    controls: &[
        "CIS AWS 3.0/5.0 4.7",
        "CIS AWS 7.0 5.7",
        "AWS FSBP KMS.3",
        "PCI DSS 4.0.1 3.7.5",
        "NIST 800-53 r5 SC-12(1)",
        "SOC 2 A1.2",
    ],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let mut failures: Vec<Failure<'_>> = key
        .series
        .iter()
        .filter(|series| is_victim(series, key, cx))
        .flat_map(|series| series.cells.iter().map(move |cell| Failure { series, cell }))
        .collect();
    if failures.is_empty() {
        return Vec::new();
    }
    failures.sort_by(|a, b| (&a.cell.first, a.series.key.name).cmp(&(&b.cell.first, b.series.key.name)));
    let quiet = i64::from(cx.settings.options.disabled_key_failure.quiet_hours) * HOUR;
    // Names and rights first: where they explain a failure, the state of the key does not.
    let mut found: Vec<(Outage<'_>, Vec<Failure<'_>>)> = Vec::new();
    let mut rest = failures;
    for by_right in [false, true] {
        let explained = if by_right { lost::outages(key, &rest, cx) } else { moved::outages(key, &rest, quiet, cx) };
        let taken: BTreeSet<usize> = explained.iter().flat_map(|outage| outage.failures.iter().copied()).collect();
        found.extend(explained.into_iter().map(|outage| own(outage, &rest)));
        rest = rest.into_iter().enumerate().filter(|(at, _)| !taken.contains(at)).map(|(_, failure)| failure).collect();
    }
    // A refusal or a wrong key that nothing explains is the caller's affair.
    rest.retain(|failure| failure.series.key.failure.is_some_and(FailureClass::is_key_state));
    found.extend(outages(key, &rest, quiet, cx).into_iter().map(|outage| own(outage, &rest)));
    found.iter().filter_map(|(outage, failures)| finding(key, outage, failures, cx)).collect()
}

fn own<'v>(outage: Outage<'v>, failures: &[Failure<'v>]) -> (Outage<'v>, Vec<Failure<'v>>) {
    let own = outage.failures.iter().map(|&at| failures[at]).collect();
    (outage, own)
}

fn finding(key: &KeyView, outage: &Outage<'_>, failures: &[Failure<'_>], cx: &Context<'_>) -> Option<Draft> {
    let victims = Victims::of(failures, cx);
    let first = failures.iter().map(|failure| &failure.cell.first).min()?;
    let last = failures.iter().map(|failure| failure.cell.last()).max()?;
    let count = victims.calls();
    let cause = outage.cause;
    // Before it is deleted, a key is switched off to see who still asks for it: that is what was found then.
    let soak = cause.is_some_and(|cause| soak::is_declared(key, outage, cause, cx));

    let final_state = outage.undo == Undo::None || outage.undo == Undo::CancelDeletion;
    // Other services that only say that the key failed may mean that they lack a right to it.
    let vague = cause.is_none()
        && failures.iter().all(|failure| failure.series.key.failure == Some(FailureClass::KeyUnspecified));
    let (severity, confidence) = match cause {
        _ if vague => (Severity::Medium, Confidence::Low),
        _ if soak => (Severity::Low, Confidence::High),
        _ if final_state && outage.over.is_none() => (Severity::Critical, Confidence::High),
        Some(_) if outage.unsure.is_some() => (RULE.severity, Confidence::Medium),
        Some(_) => (RULE.severity, Confidence::High),
        None => (RULE.severity, Confidence::Medium),
    };
    let mut draft = Draft::of_key(key, severity, confidence);
    draft.anchor = match cause {
        Some(cause) => cx.id(&cause.event),
        None => format!("start:{}", first.time),
    };
    draft.principal = cause.map(|cause| cx.principal(&cause.actor));
    draft.first_seen = first.time;
    draft.last_seen = last;
    draft.count = count;
    draft.status = if outage.over.is_some() { Status::Closed } else { Status::Open };
    let hurt = victims.summary();
    // Imported material ends when its owner said, not when it was imported.
    let began = outage.from.or(cause.map(|cause| cause.event.time));
    draft.title = match (cause, began) {
        (Some(cause), Some(began)) => {
            let soak = if soak { "a dependency is alive: " } else { "" };
            format!(
                "{soak}{} {} by {} at {}: {hurt}, the first after {}",
                key.label(),
                outage.what,
                cx.who(&cause.actor),
                instant(cause.event.time),
                length(first.time - began)
            )
        }
        _ if key.history.state_at(first.time).is_some() => {
            format!("{} {} since {}: {hurt}; cause not in the log", key.label(), outage.what, instant(first.time))
        }
        _ => format!("{} {} since {}: {hurt}; cause before the window", key.label(), outage.what, instant(first.time)),
    };

    match (cause, began) {
        (Some(cause), Some(began)) => {
            let name = cx.text(Some(cause.name));
            let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address"));
            draft.fact(
                "cause",
                format!("{name} by {} from {from} at {}", cx.who(&cause.actor), instant(cause.event.time)),
            );
            if began != cause.event.time {
                draft.fact("ended", format!("{}, as said when it was imported", instant(began)));
            }
            draft.fact(
                "first failure",
                format!("{} ({} after the cause)", instant(first.time), length(first.time - began)),
            );
            if let Some(unsure) = outage.unsure {
                draft.fact("not certain", unsure);
            }
        }
        _ => {
            draft.fact("cause", unknown_cause(key, first.time, cx));
            draft.fact("first failure", instant(first.time));
        }
    }
    if soak {
        draft.fact("soak", "declared: the key is switched off to see who still needs it");
    }
    if let Some(deadline) = outage.deadline {
        let left = deadline - cx.as_of;
        let left = if left > 0 { format!("{} left to cancel", length(left)) } else { "the window is over".into() };
        draft.fact("deletion", format!("{} ({left})", instant(deadline)));
    }
    if outage.waits_for_replicas {
        draft.fact("deletion", "the waiting period begins when the last replica is deleted");
    }
    draft.fact("victims", hurt);
    victims.tell(&mut draft, cx);
    draft.fact("failed calls", format!("{count} (retries included)"));
    latent::tell(
        &mut draft,
        key,
        began.unwrap_or(first.time),
        outage.over.is_none() && undo::is_whole(&outage.undo),
        cx,
    );
    draft.fact("now", now(outage, cx));

    draft.detail("cause", cause.map_or(Detail::Null, |cause| event_detail(cause, cx)));
    draft.detail("soak", Detail::Bool(soak));
    draft.detail("state", Detail::Text(outage.state.to_string()));
    draft.detail("deadline", outage.deadline.map_or(Detail::Null, Detail::Time));
    draft.detail("over", Detail::Bool(outage.over.is_some()));
    draft.detail("over_because", outage.over.as_ref().map_or(Detail::Null, |over| Detail::Text(over.id().into())));
    victims.detail(&mut draft, cx);

    if let Some(cause) = cause {
        draft.evidence.push(cx.control_evidence(cause, Role::Cause));
    }
    for control in outage.context.iter().take(3) {
        draft.evidence.push(cx.control_evidence(control, Role::Context));
    }
    draft.evidence.extend(victims.evidence(cx));
    match &outage.over {
        Some(Over::Success { operation, event: Some(event), .. }) => {
            draft.evidence.push(cx.evidence(event, operation, None, Role::Resolution));
        }
        Some(Over::Quiet(Some(control)) | Over::Again(control)) => {
            draft.evidence.push(cx.control_evidence(control, Role::Resolution));
        }
        Some(Over::Success { event: None, .. } | Over::Quiet(None)) | None => {}
    }
    draft.remediation = undo::text(key, outage, soak, cx);
    Some(draft)
}

/// Why the log does not tell the cause.
fn unknown_cause(key: &KeyView, first: i64, cx: &Context<'_>) -> String {
    match key.history.state_at(first) {
        Some(change) => {
            let last = &key.events[change.by];
            format!(
                "not in the log: before the first failure the last change of state is {} at {}; what came after it was not logged",
                cx.text(Some(last.name)),
                instant(last.event.time)
            )
        }
        None => format!(
            "before the window: the log starts {} and shows no event that made the key unusable; scan further back",
            instant(cx.log_start())
        ),
    }
}

fn now(outage: &Outage<'_>, cx: &Context<'_>) -> String {
    match &outage.over {
        Some(Over::Success { operation, time, .. }) => format!("over: {operation} succeeded at {}", instant(*time)),
        Some(Over::Quiet(_)) => format!(
            "over: usable for {} without a failure",
            length(i64::from(cx.settings.options.disabled_key_failure.quiet_hours) * HOUR)
        ),
        Some(Over::Again(_)) => "over: undone; what came after is an outage of its own".to_string(),
        None if outage.restored.is_some() => "undone; not yet proved by a success or a quiet day".to_string(),
        None if !undo::is_whole(&outage.undo) => "the key works; these callers still cannot use it".to_string(),
        None => format!("still {}", outage.state),
    }
}

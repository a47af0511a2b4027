//! Rule `key-deletion-scheduled`. Its page, `key_deletion_scheduled.md`, says what it finds and what it misses.

use super::kit::deletion::{self, Scheduled};
use super::kit::latent;
use super::kit::mass::{self, Act, Words};
use super::kit::outage::successes;
use super::kit::stretch::disproved;
use super::kit::usage::{last_use, uses};
use super::prelude::*;
use crate::view::history::{KeyState, StateChange};

pub(super) static RULE: Rule = Rule {
    id: "key-deletion-scheduled",
    summary: "a key waits for its deletion, or is deleted; use shortly before makes it serious",
    doc: include_str!("key_deletion_scheduled.md"),
    severity: Severity::Medium,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1485"],
    controls: &[
        "CIS AWS 3.0/5.0 4.7",
        "CIS AWS 7.0 5.7",
        "AWS FSBP KMS.3",
        "PCI DSS 4.0.1 3.7.5",
        "NIST 800-53 r5 SC-12(1)",
        "SOC 2 A1.2",
    ],
    detect: Detect { key: Some(detect), mention: Some(mention), account: Some(many), ..Detect::NONE },
};

/// How a waiting period ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Not yet, as far as the log shows.
    Waiting,
    /// Cancelled by this event.
    Cancelled(usize),
    /// The key is gone by this event.
    Deleted(usize),
    /// A call succeeded at this instant: it was cancelled where the log does not show it.
    Unseen(i64),
}

/// Where in the history the deletion began: by the call, or by what the log shows of its end when the call is older.
fn begun(key: &KeyView, cx: &Context<'_>) -> Vec<usize> {
    let states = &key.history.states;
    let scheduled = |change: &StateChange| {
        change.state == KeyState::PendingDeletion && cx.text(Some(key.events[change.by].name)) == "ScheduleKeyDeletion"
    };
    let begins = |at: &usize| {
        let before = at.checked_sub(1).map(|before| &states[before]);
        let goes_on =
            before.is_some_and(|before| matches!(before.state, KeyState::PendingDeletion | KeyState::Deleted));
        !goes_on && (scheduled(&states[*at]) || states[*at].state == KeyState::Deleted)
    };
    (0..states.len()).filter(begins).collect()
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let begun = begun(key, cx);
    // Of most keys: what follows sorts every success.
    if begun.is_empty() {
        return Vec::new();
    }
    let states = &key.history.states;
    let end = |at: usize| {
        if states[at].state == KeyState::Deleted {
            return End::Deleted(states[at].by);
        }
        let end = states[at + 1..].iter().find(|later| later.state != KeyState::PendingDeletion);
        end.map_or(End::Waiting, |later| match later.state {
            KeyState::Deleted => End::Deleted(later.by),
            _ => End::Cancelled(later.by),
        })
    };
    let successes = successes(key, cx);
    let end = |at: usize| {
        let next = states[at + 1..].iter().find(|later| later.state != KeyState::PendingDeletion);
        match disproved(states[at].at, next.map(|next| next.at), &successes) {
            Some(proof) if states[at].state == KeyState::PendingDeletion => End::Unseen(proof),
            _ => end(at),
        }
    };
    begun.into_iter().map(|at| finding(key, &states[at], end(at), cx)).collect()
}

fn mention(key: &KeyView, cx: &Context<'_>) -> Option<Mention> {
    let changes = begun(key, cx).into_iter().map(|at| &key.history.states[at]);
    let meant = |change: &&StateChange| {
        let own_mistake = uses(key, change.at, cx).is_none() && made_by_the_same(key, change, cx);
        change.state == KeyState::PendingDeletion && !own_mistake
    };
    let changes: Vec<&StateChange> = changes.filter(meant).collect();
    let days = cx.settings.options.key_deletion_scheduled.recent_days;
    let in_use =
        changes.iter().any(|change| uses(key, change.at, cx).is_some_and(|used| used.is_within(days, change.at)));
    mass::mention(key, changes.iter().map(|change| Act::of(&key.events[change.by], cx)).collect(), in_use)
}

fn many(view: &AccountView<'_>, cx: &Context<'_>) -> Vec<Draft> {
    let words = Words {
        call: "ScheduleKeyDeletion",
        done: "scheduled for deletion",
        idle: Severity::High,
        in_use: Severity::Critical,
        remediation: "aws kms cancel-key-deletion --key-id KEY_ARN, then aws kms enable-key --key-id KEY_ARN",
    };
    mass::findings(view, u64::from(cx.settings.options.key_deletion_scheduled.many_keys), &words)
}

fn finding(key: &KeyView, change: &StateChange, end: End, cx: &Context<'_>) -> Draft {
    let cause = &key.events[change.by];
    let who = cx.who(&cause.actor);
    let scheduled = Scheduled::of(cause, cx);
    let used = uses(key, change.at, cx);
    let days = cx.settings.options.key_deletion_scheduled.recent_days;
    let in_use = used.as_ref().is_some_and(|used| used.is_within(days, change.at));
    // KMS deletes by itself; who asked for it is then older than the log.
    let unseen = change.state == KeyState::Deleted;
    let own_mistake = used.is_none() && made_by_the_same(key, change, cx);

    let severity = match end {
        _ if own_mistake => Severity::Info,
        End::Cancelled(_) | End::Unseen(_) => Severity::Low,
        End::Deleted(_) if in_use => Severity::Critical,
        End::Waiting if in_use => Severity::High,
        End::Deleted(_) | End::Waiting => RULE.severity,
    };
    let mut draft = Draft::of_key(key, severity, RULE.confidence);
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&cause.actor));
    draft.first_seen = change.at;
    draft.last_seen = match end {
        End::Waiting => change.at,
        End::Unseen(proof) => proof,
        End::Cancelled(by) | End::Deleted(by) => key.events[by].event.time,
    };
    draft.count = 1;
    let cancelled = matches!(end, End::Cancelled(_) | End::Unseen(_));
    draft.status = if cancelled { Status::Closed } else { Status::Open };
    let last_use = last_use(used.as_ref(), key, change.at, cx);
    let what = if matches!(end, End::Deleted(_)) { "deleted, as scheduled" } else { "scheduled for deletion" };
    let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    if unseen {
        draft.title = format!("{} deleted at {}: {last_use}", key.label(), instant(change.at));
        draft.fact("cause", format!("not in the log, which starts {}", instant(cx.log_start())));
    } else {
        draft.title = format!("{} {what} by {who} at {}: {last_use}", key.label(), instant(change.at));
        draft.fact("cause", format!("ScheduleKeyDeletion by {who} from {from} at {}", instant(change.at)));
    }
    draft.fact("deletion", how(end, scheduled, key, cx));
    draft.fact(
        "last use",
        used.as_ref().map_or(last_use, |used| {
            format!("{} ({} before)", instant(used.last), length((change.at - used.last).max(0)))
        }),
    );
    if let Some(used) = &used {
        draft.fact("used by", used.by());
    }
    if !key.resources.is_empty() {
        draft.fact("protects", plural(key.resources.len() as u64 + key.resources_overflow, "known resource"));
    }
    latent::tell(&mut draft, key, change.at, !cancelled, cx);
    if let End::Cancelled(by) = end
        && let Some(now) = key.history.state_at(cx.as_of)
    {
        let disabled = now.state == KeyState::Disabled && now.by == by;
        let rest = if disabled { "; a cancelled key stays disabled, and nobody enabled it" } else { "" };
        draft.fact("now", format!("{}{rest}", now.state.id()));
    }
    draft.detail("window_days", if unseen { Detail::Null } else { Detail::Int(scheduled.window_days) });
    draft.detail("deadline", scheduled.at.filter(|_| !unseen).map_or(Detail::Null, Detail::Time));
    draft.detail("last_use", used.as_ref().map_or(Detail::Null, |used| Detail::Time(used.last)));
    draft.detail("calls", Detail::Int(used.as_ref().map_or(0, |used| used.calls) as i64));
    draft.detail("cancelled", Detail::Bool(cancelled));
    draft.detail("deleted", Detail::Bool(matches!(end, End::Deleted(_))));
    if !unseen {
        draft.evidence.push(cx.control_evidence(cause, Role::Cause));
    }
    match end {
        End::Waiting | End::Unseen(_) => {}
        End::Cancelled(by) => draft.evidence.push(cx.control_evidence(&key.events[by], Role::Resolution)),
        End::Deleted(by) => draft.evidence.push(cx.control_evidence(&key.events[by], Role::Primary)),
    }
    draft.remediation = remediation(key, end);
    draft
}

/// Whoever made the key takes it back within a day: a mistake of a deployment, when nobody used it.
fn made_by_the_same(key: &KeyView, change: &StateChange, cx: &Context<'_>) -> bool {
    key.history.created.is_some_and(|created| {
        let created = &key.events[created];
        let deleter = &key.events[change.by].actor;
        change.at - created.event.time <= DAY
            && !cx.text(deleter.principal).is_empty()
            && created.actor.principal == deleter.principal
    })
}

fn how(end: End, scheduled: Scheduled, key: &KeyView, cx: &Context<'_>) -> String {
    let window = scheduled.window_days;
    match end {
        End::Cancelled(by) => {
            let by = &key.events[by];
            format!("cancelled by {} at {}", cx.who(&by.actor), instant(by.event.time))
        }
        End::Deleted(by) => format!("deleted at {}: permanent", instant(key.events[by].event.time)),
        End::Unseen(proof) => format!(
            "cancelled, though the log does not show by whom: a call succeeded at {}, which no key does that waits for its deletion",
            instant(proof)
        ),
        End::Waiting => match scheduled.at {
            _ if scheduled.waits_for_replicas => "the waiting period begins when the last replica is deleted".into(),
            None => format!("not known: the record gives a window of {window} days, and KMS takes 7 to 30"),
            Some(at) if at > cx.as_of => {
                format!("{} ({} left to cancel, of {window} days)", instant(at), length(at - cx.as_of))
            }
            Some(at) => format!("{}: the window of {window} days is over", instant(at)),
        },
    }
}

fn remediation(key: &KeyView, end: End) -> String {
    match end {
        End::Waiting => format!(
            "If this was not meant to happen, cancel and enable (a cancelled key stays disabled):\n{}\n{}",
            deletion::cancel(&key.region, &key.arn),
            deletion::enable(&key.region, &key.arn)
        ),
        End::Cancelled(_) | End::Unseen(_) => {
            "The deletion was cancelled. See that the key is enabled where it is needed, and ask who scheduled it, and why.".into()
        }
        End::Deleted(_) => {
            "The key is deleted: what it encrypted cannot be read again. Restore the data from copies under another key.".into()
        }
    }
}

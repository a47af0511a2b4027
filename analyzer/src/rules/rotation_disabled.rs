//! Rule `rotation-disabled`. Its page, `rotation_disabled.md`, says what it finds and what it misses.

use super::prelude::*;
use crate::view::history::RotationChange;

pub(super) static RULE: Rule = Rule {
    id: "rotation-disabled",
    summary: "somebody switched automatic rotation off, or made its period longer than allowed",
    doc: include_str!("rotation_disabled.md"),
    severity: Severity::Medium,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1562"],
    controls: &[
        "CIS AWS 3.0/5.0 3.6",
        "CIS AWS 7.0 4.6",
        "AWS FSBP KMS.4",
        "PCI DSS 4.0.1 3.7.4",
        "NIST 800-53 r5 SC-12",
        "ISO 27001:2022 A.8.24",
    ],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

/// How a change of rotation made things worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worse {
    /// It is off.
    Off,
    /// The period is longer than allowed.
    Stretched {
        /// What it is set to, days.
        days: i64,
        /// What is allowed, days.
        longest: i64,
    },
}

/// The change that ended it.
#[derive(Clone, Copy)]
struct End<'k> {
    change: &'k RotationChange,
    /// True when it put something else in its place that has a finding of its own.
    worse: bool,
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let longest = i64::from(cx.settings.options.rotation_disabled.longest_period_days);
    let changes = &key.history.rotation;
    let worse: Vec<Option<Worse>> = changes.iter().map(|change| judge(change, longest)).collect();
    let mut drafts = Vec::new();
    for (at, verdict) in worse.iter().enumerate() {
        let before = at.checked_sub(1);
        // Doing it again while it is off already changes nothing.
        let Some(verdict) = verdict.filter(|_| before.is_none_or(|before| !goes_on(worse[before], worse[at]))) else {
            continue;
        };
        let end = (at + 1..changes.len()).find(|&later| !goes_on(worse[at], worse[later]));
        let end = end.map(|later| End { change: &changes[later], worse: worse[later].is_some() });
        drafts.push(finding(key, verdict, before.map(|before| &changes[before]), &changes[at], end, cx));
    }
    drafts
}

fn judge(change: &RotationChange, longest: i64) -> Option<Worse> {
    if !change.enabled {
        return Some(Worse::Off);
    }
    (change.period_days > longest).then_some(Worse::Stretched { days: change.period_days, longest })
}

/// True when the later change leaves the earlier finding as it is: off again, or stretched no further.
fn goes_on(earlier: Option<Worse>, later: Option<Worse>) -> bool {
    match (earlier, later) {
        (Some(Worse::Stretched { days: earlier, .. }), Some(Worse::Stretched { days: later, .. })) => later <= earlier,
        _ => earlier == later,
    }
}

/// Period that KMS takes and the configuration allows, days.
fn allowed(days: i64, longest: i64) -> i64 {
    days.min(longest).clamp(90, 2560)
}

fn finding(
    key: &KeyView,
    worse: Worse,
    before: Option<&RotationChange>,
    change: &RotationChange,
    end: Option<End<'_>>,
    cx: &Context<'_>,
) -> Draft {
    let longest = i64::from(cx.settings.options.rotation_disabled.longest_period_days);
    let ended = end.map(|end| end.change);
    let cause = &key.events[change.by];
    let who = cx.who(&cause.actor);
    let severity = if end.is_some() { Severity::Low } else { RULE.severity };
    let mut draft = Draft::of_key(key, severity, RULE.confidence);
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&cause.actor));
    draft.first_seen = change.at;
    draft.last_seen = ended.map_or(change.at, |end| end.at);
    draft.count = 1;
    draft.status = if end.is_some() { Status::Closed } else { Status::Open };
    draft.title = match worse {
        Worse::Off => format!("{}: automatic rotation switched off by {who} at {}", key.label(), instant(change.at)),
        Worse::Stretched { days, longest } => {
            format!("{}: rotation period set to {days} days by {who}, {longest} is the longest allowed", key.label())
        }
    };
    let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    let name = cx.text(Some(cause.name));
    draft.fact("cause", format!("{name} by {who} from {from} at {}", instant(change.at)));
    draft.fact("before", said(before));
    if let Some(last) =
        key.history.rotations.iter().rev().map(|&at| &key.events[at]).find(|e| e.event.time <= change.at)
    {
        draft.fact("last rotation", format!("{} ({} before)", instant(last.event.time), ago(last, change)));
        draft.evidence.push(cx.control_evidence(last, Role::Context));
    }
    draft.fact(
        "now",
        match ended {
            Some(end) => format!(
                "over: {} by {} at {}, after {}",
                said(Some(end)),
                cx.who(&key.events[end.by].actor),
                instant(end.at),
                length(end.at - change.at)
            ),
            None => format!("{} for {}", said(Some(change)), length(cx.as_of - change.at)),
        },
    );
    draft.detail("kind", Detail::Text(if worse == Worse::Off { "off" } else { "stretched" }.into()));
    draft.detail("period_days", if change.enabled { Detail::Int(change.period_days) } else { Detail::Null });
    let period = before.filter(|before| before.enabled).map(|before| before.period_days);
    draft.detail("period_days_before", period.map_or(Detail::Null, Detail::Int));
    draft.detail("ended", ended.map_or(Detail::Null, |end| Detail::Time(end.at)));
    draft.evidence.push(cx.control_evidence(cause, Role::Cause));
    if let Some(end) = ended {
        draft.evidence.push(cx.control_evidence(&key.events[end.by], Role::Resolution));
    }
    draft.remediation = match end {
        Some(end) if end.worse => "Not over: another finding of this rule speaks of what was set instead.".into(),
        Some(_) => "Nothing for the key: ask who changed its rotation, and why.".into(),
        None => format!(
            "If this was not meant to happen:\naws kms enable-key-rotation --region {} --key-id {}{}",
            word(&key.region),
            word(&key.arn),
            match (worse, period) {
                (Worse::Stretched { days, longest }, _) => {
                    format!(" --rotation-period-in-days {}", allowed(days, longest))
                }
                (Worse::Off, Some(days)) => format!(" --rotation-period-in-days {}", allowed(days, longest)),
                (Worse::Off, None) => String::new(),
            }
        ),
    };
    draft
}

fn said(change: Option<&RotationChange>) -> String {
    match change {
        None => "not in the log".into(),
        Some(change) if change.enabled => format!("on, every {} days", change.period_days),
        Some(_) => "off".into(),
    }
}

fn ago(event: &ControlEvent, change: &RotationChange) -> String {
    length(change.at - event.event.time)
}

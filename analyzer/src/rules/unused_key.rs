//! Rule `unused-key`. Its page, `unused_key.md`, says what it finds and what it misses.

use super::kit::told;
use super::kit::usage::uses;
use super::prelude::*;
use crate::view::history::KeyState;
use crate::view::inventory::price;

pub(super) static RULE: Rule = Rule {
    id: "unused-key",
    summary: "a customer managed key that nobody has used for long",
    doc: include_str!("unused_key.md"),
    severity: Severity::Low,
    confidence: Confidence::Medium,
    timing: Timing::Settled,
    attack: &[],
    controls: &["PCI DSS 4.0.1 3.7.5", "NIST 800-53 r5 SC-12", "ISO 27001:2022 A.8.24"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    quiet_since(key, cx).map(|since| finding(key, since, cx)).into_iter().collect()
}

/// The instant from which nobody used the key, when that is long enough ago.
fn quiet_since(key: &KeyView, cx: &Context<'_>) -> Option<Quiet> {
    let logged = || key.history.state_at(cx.as_of).map(|change| change.state);
    let state = told::state(key, cx).map(|(state, _)| state).or_else(logged);
    let kept = matches!(state, None | Some(KeyState::Enabled | KeyState::Disabled | KeyState::Transient));
    if key.is_aws_managed() || !is_customer_managed(key, cx) || !kept || has_open_grant(key, cx) {
        return None;
    }
    let used = uses(key, cx.as_of, cx);
    let created = key.history.created.map(|created| &key.events[created]);
    let (at, what) = match (&used, created) {
        (Some(used), _) => (used.last, Since::LastUse),
        (None, Some(created)) => (created.event.time, Since::Created),
        (None, None) => (cx.log_start(), Since::LogStart),
    };
    let limit = i64::from(cx.settings.options.unused_key.after_days) * DAY;
    (cx.as_of - at >= limit).then_some(Quiet { at, what, calls: used.map_or(0, |used| used.calls) })
}

/// Since when nobody used the key.
struct Quiet {
    at: i64,
    what: Since,
    calls: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    LastUse,
    Created,
    LogStart,
}

impl Since {
    fn id(self) -> &'static str {
        match self {
            Self::LastUse => "last-use",
            Self::Created => "created",
            Self::LogStart => "log-start",
        }
    }
}

/// Somebody manages it: the log has a call that AWS managed keys do not take.
fn is_customer_managed(key: &KeyView, cx: &Context<'_>) -> bool {
    let created = key.history.created.map(|created| cx.text(key.events[created].detail.key_manager));
    let managed = |control: &ControlEvent| {
        let name = cx.text(Some(control.name));
        control.error.is_none() && !matches!(name, "CreateGrant" | "RetireGrant" | "RevokeGrant" | "RotateKey")
    };
    created.map_or_else(|| key.events.iter().any(managed), |manager| manager != "AWS")
}

/// What a grant was given for may use the key without a call for months: an attached volume, a running database.
fn has_open_grant(key: &KeyView, cx: &Context<'_>) -> bool {
    key.history.grants.iter().any(|grant| told::is_open(key, grant))
        || told::older_grants(key, cx).is_some_and(|(_, open)| !open.is_empty())
}

fn finding(key: &KeyView, quiet: Quiet, cx: &Context<'_>) -> Draft {
    let whole_life = quiet.what == Since::Created;
    let confidence = if quiet.what == Since::LogStart { Confidence::Low } else { RULE.confidence };
    let mut draft = Draft::of_key(key, RULE.severity, confidence);
    // The start of the log is no property of the key: it must not enter the id.
    draft.anchor = match (quiet.what, key.history.created) {
        (Since::LastUse, _) => format!("last-use:{}", quiet.at),
        (_, Some(created)) => cx.id(&key.events[created].event),
        (_, None) => "never-seen-used".into(),
    };
    draft.first_seen = quiet.at;
    draft.last_seen = cx.as_of;
    draft.count = 1;
    let long = length(cx.as_of - quiet.at);
    draft.title = match quiet.what {
        Since::LastUse => format!("{}: not used for {long}, last at {}", key.label(), instant(quiet.at)),
        Since::Created => format!("{}: never used in the {long} since its creation", key.label()),
        Since::LogStart => format!("{}: no use in the {long} that the log covers", key.label()),
    };
    if let Some(created) = key.history.created {
        let created = &key.events[created];
        draft.fact("created", format!("{} by {}", instant(created.event.time), cx.who(&created.actor)));
        draft.evidence.push(cx.control_evidence(created, Role::Context));
    }
    let rotations = (key.history.rotations.len() as u64).min(price::ROTATIONS);
    let cents = (price::KEY_MONTH + price::ROTATION_MONTH * rotations) / 10_000;
    draft.fact("costs", format!("about ${}.{:02} a month", cents / 100, cents % 100));
    if let Some(last) = key.events.last() {
        let name = plain(cx.text(Some(last.name))).to_string();
        draft.fact("last change", format!("{name} at {} by {}", instant(last.event.time), cx.who(&last.actor)));
        if key.history.created.is_none_or(|created| key.events[created].event != last.event) {
            draft.evidence.push(cx.control_evidence(last, Role::Context));
        }
    }
    if !key.resources.is_empty() {
        let known = plural(key.resources.len() as u64 + key.resources_overflow, "known resource");
        draft.fact("protects", format!("{known}: old data may still need the key"));
    }
    draft.detail("since", Detail::Text(quiet.what.id().into()));
    draft.detail("quiet_days", Detail::Int((cx.as_of - quiet.at) / DAY));
    draft.detail("last_use", if quiet.what == Since::LastUse { Detail::Time(quiet.at) } else { Detail::Null });
    draft.detail("calls", Detail::Int(quiet.calls as i64));
    draft.detail("monthly_cost_usd_cents", Detail::Int(cents as i64));
    let never = if whole_life {
        ""
    } else {
        " Backups, snapshots and old objects may still need it, and leave no trace until they are read."
    };
    draft.remediation = format!(
        "Disable it and wait before you delete it; a disabled key costs the same and can be enabled at once.{never}\naws kms \
         disable-key --region {} --key-id {}",
        word(&key.region),
        word(&key.arn)
    );
    draft
}

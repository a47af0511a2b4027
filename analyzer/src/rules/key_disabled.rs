//! Rule `key-disabled`. Its page, `key_disabled.md`, says what it finds and what it misses.

use super::kit::deletion;
use super::kit::latent;
use super::kit::mass::{self, Act, Words};
use super::kit::usage::{last_use, uses};
use super::prelude::*;
use crate::view::history::{KeyState, StateChange};

pub(super) static RULE: Rule = Rule {
    id: "key-disabled",
    summary: "somebody switched a key off",
    doc: include_str!("key_disabled.md"),
    severity: Severity::Medium,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1489"],
    controls: &["CIS AWS 3.0/5.0 4.7", "CIS AWS 7.0 5.7", "NIST 800-53 r5 SC-12(1)", "SOC 2 A1.2"],
    detect: Detect { key: Some(detect), mention: Some(mention), account: Some(many), ..Detect::NONE },
};

/// Where in the history somebody switched the key off.
fn switched_off(key: &KeyView, cx: &Context<'_>) -> Vec<usize> {
    let states = &key.history.states;
    let off = |at: &usize| {
        let by_call = cx.text(Some(key.events[states[*at].by].name)) == "DisableKey";
        // What was unusable already is not switched off, whatever the call says.
        by_call && at.checked_sub(1).is_none_or(|before| !states[before].state.is_unusable())
    };
    (0..states.len()).filter(off).collect()
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let states = &key.history.states;
    let end = |at: usize| states[at + 1..].iter().find(|later| later.state != KeyState::Disabled);
    switched_off(key, cx).into_iter().map(|at| finding(key, &states[at], end(at), cx)).collect()
}

fn mention(key: &KeyView, cx: &Context<'_>) -> Option<Mention> {
    let changes: Vec<&StateChange> = switched_off(key, cx).into_iter().map(|at| &key.history.states[at]).collect();
    let days = cx.settings.options.key_disabled.used_within_days;
    let in_use =
        changes.iter().any(|change| uses(key, change.at, cx).is_some_and(|used| used.is_within(days, change.at)));
    mass::mention(key, changes.iter().map(|change| Act::of(&key.events[change.by], cx)).collect(), in_use)
}

fn many(view: &AccountView<'_>, cx: &Context<'_>) -> Vec<Draft> {
    let words = Words {
        call: "DisableKey",
        done: "disabled",
        idle: Severity::Medium,
        in_use: Severity::High,
        remediation: "aws kms enable-key --key-id KEY_ARN",
    };
    mass::findings(view, u64::from(cx.settings.options.key_disabled.many_keys), &words)
}

fn finding(key: &KeyView, change: &StateChange, end: Option<&StateChange>, cx: &Context<'_>) -> Draft {
    let cause = &key.events[change.by];
    let who = cx.who(&cause.actor);
    let used = uses(key, change.at, cx);
    let days = cx.settings.options.key_disabled.used_within_days;
    let in_use = used.as_ref().is_some_and(|used| used.is_within(days, change.at));
    let enabled = end.filter(|end| end.state == KeyState::Enabled);
    let severity = if enabled.is_none() && in_use { RULE.severity } else { Severity::Low };
    let mut draft = Draft::of_key(key, severity, RULE.confidence);
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&cause.actor));
    draft.first_seen = change.at;
    draft.last_seen = end.map_or(change.at, |end| end.at);
    draft.count = 1;
    draft.status = if end.is_some() { Status::Closed } else { Status::Open };
    let last_use = last_use(used.as_ref(), key, change.at, cx);
    draft.title = format!("{} disabled by {who} at {}: {last_use}", key.label(), instant(change.at));
    let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    draft.fact("cause", format!("DisableKey by {who} from {from} at {}", instant(change.at)));
    if let Some(used) = &used {
        draft.fact("last use", instant(used.last));
        draft.fact("used by", used.by());
    }
    latent::tell(&mut draft, key, change.at, end.is_none(), cx);
    draft.fact(
        "now",
        match end {
            Some(end) => {
                let event = &key.events[end.by];
                let name = plain(cx.text(Some(event.name))).to_string();
                let whole = length(end.at - change.at);
                format!(
                    "{} since {} by {} ({name}), after {whole}",
                    end.state.id(),
                    instant(end.at),
                    cx.who(&event.actor)
                )
            }
            None => format!("Disabled for {}", length(cx.as_of - change.at)),
        },
    );
    draft.detail("last_use", used.as_ref().map_or(Detail::Null, |used| Detail::Time(used.last)));
    draft.detail("calls", Detail::Int(used.as_ref().map_or(0, |used| used.calls) as i64));
    draft.detail("state", Detail::Text(end.map_or(change.state, |end| end.state).id().into()));
    draft.detail("ended", end.map_or(Detail::Null, |end| Detail::Time(end.at)));
    draft.evidence.push(cx.control_evidence(cause, Role::Cause));
    if let Some(end) = end {
        let role = if enabled.is_some() { Role::Resolution } else { Role::Context };
        draft.evidence.push(cx.control_evidence(&key.events[end.by], role));
    }
    draft.remediation = match end {
        None => format!("If this was not meant to happen:\n{}", deletion::enable(&key.region, &key.arn)),
        Some(_) if enabled.is_some() => "Nothing for the key: it is enabled. Ask who switched it off, and why.".into(),
        Some(end) if end.state == KeyState::PendingImport => {
            "The key lost its imported material since, and another finding speaks of that: import it again, then enable the key.".into()
        }
        Some(_) => "The key waits for its deletion since, or is gone: another finding speaks of that.".into(),
    };
    draft
}

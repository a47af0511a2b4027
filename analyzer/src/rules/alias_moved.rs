//! Rule `alias-moved`. Its page, `alias_moved.md`, says what it finds and what it misses.

use super::kit::moved::change;
use super::kit::usage::uses_between;
use super::prelude::*;
use crate::view::{AliasMove, Birth};

pub(super) static RULE: Rule = Rule {
    id: "alias-moved",
    summary: "an alias points at a key of somebody else since: what uses the name encrypts under that key",
    doc: include_str!("alias_moved.md"),
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    timing: Timing::Monotone,
    attack: &["T1486", "T1565"],
    controls: &["NIST 800-53 r5 SC-12", "SOC 2 CC7.2"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

/// A name that is free for no longer than this was moved, not given up.
const AT_ONCE: i64 = 10 * MINUTE;

/// What is odd about a move, and how bad that is.
struct Odd {
    id: &'static str,
    text: String,
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    if key.is_aws_managed() {
        return Vec::new();
    }
    let came = key.moves.iter().filter(|told| told.to.as_deref() == Some(&key.arn));
    came.filter_map(|told| finding(key, told, cx)).collect()
}

/// The key that the alias stood for before: its ARN, how it was made, and whether the name was free in between.
fn before(told: &AliasMove) -> Option<(&str, Option<&Birth>, bool)> {
    match (&told.from, &told.given_up) {
        (Some(arn), _) => Some((arn, told.from_birth.as_ref(), false)),
        (None, Some(old)) if told.at - old.at <= AT_ONCE => Some((&old.key, old.birth.as_ref(), true)),
        _ => None,
    }
}

fn finding(key: &KeyView, told: &AliasMove, cx: &Context<'_>) -> Option<Draft> {
    let (old, old_birth, freed) = before(told).filter(|(old, ..)| *old != key.arn)?;
    let by = change(key, told, cx)?;
    let birth = key.history.created.map(|created| &key.events[created]);
    let young = i64::from(cx.settings.options.alias_moved.young_days) * DAY;
    let is_young = birth.is_some_and(|birth| (0..=young).contains(&(told.at - birth.event.time)));
    let mover = cx.text(by.actor.principal);
    let maker = birth.map_or("", |birth| cx.text(birth.actor.principal));

    let mut odd: Vec<Odd> = Vec::new();
    let outside = |origin: &str| matches!(origin, "EXTERNAL" | "EXTERNAL_KEY_STORE");
    let origin = birth.map_or("", |birth| cx.text(birth.detail.key_origin));
    if outside(origin) && old_birth.is_none_or(|old| old.origin != origin) {
        let text = format!("the new key has material from outside AWS ({origin})");
        odd.push(Odd { id: "foreign-material", text });
    }
    match old_birth {
        Some(old) if is_young && !maker.is_empty() && !old.by.is_empty() && old.by != maker => {
            let text = format!(
                "the new key was made by {}, the old one by {}",
                short_principal(maker),
                short_principal(&old.by)
            );
            odd.push(Odd { id: "other-maker", text });
        }
        None if is_young && maker == mover => {
            let text =
                "whoever moved the alias made the new key shortly before; who made the old one is not in the log";
            odd.push(Odd { id: "own-key", text: text.to_string() });
        }
        _ => {}
    }
    if odd.is_empty() {
        return None;
    }
    if freed {
        let text = "the alias was deleted and made again, not updated".to_string();
        odd.push(Odd { id: "deleted-and-made-again", text });
    }

    let has = |id: &str| odd.iter().any(|odd| odd.id == id);
    let moved_on = told.until;
    let severity = match () {
        () if moved_on.is_some() => Severity::Low,
        () if has("other-maker") && (has("foreign-material") || freed) => Severity::High,
        () if has("foreign-material") || has("other-maker") => RULE.severity,
        () => Severity::Low,
    };
    let confidence = if has("other-maker") { Confidence::High } else { RULE.confidence };
    let mut draft = Draft::of_key(key, severity, confidence);
    draft.subject = vec![told.alias.clone()];
    draft.anchor = cx.id(&by.event);
    draft.principal = Some(cx.principal(&by.actor));
    draft.first_seen = told.at;
    draft.last_seen = moved_on.unwrap_or(told.at);
    draft.count = 1;
    draft.status = if moved_on.is_some() { Status::Closed } else { Status::Open };
    let who = cx.who(&by.actor);
    let id = |arn: &str| plain(arn.rsplit('/').next().unwrap_or(arn)).into_owned();
    draft.title = format!(
        "{} moved by {who} at {}: {}",
        plain(&told.alias),
        instant(told.at),
        odd.first().map_or("", |odd| &odd.text)
    );
    let from = plain(by.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    draft.fact("cause", format!("{} by {who} from {from} at {}", cx.text(Some(by.name)), instant(told.at)));
    draft.fact("from", id(old));
    draft.fact("to", id(&key.arn));
    for odd in &odd {
        draft.fact("because", odd.text.clone());
    }
    let until = moved_on.unwrap_or(cx.as_of);
    let used = uses_between(key, told.at, until, cx);
    if let Some(used) = &used {
        draft.fact("used since", format!("{} under the new key, by {}", plural(used.calls, "call"), used.by()));
    }
    draft.fact(
        "now",
        match moved_on {
            Some(at) => format!("changed again at {}, after {}", instant(at), length(at - told.at)),
            None => format!("so for {}", length(cx.as_of - told.at)),
        },
    );
    draft.detail("alias", Detail::Text(told.alias.clone()));
    draft.detail("from_key", Detail::Text(old.to_string()));
    draft.detail("from_made_by", text_or_null(old_birth.map_or("", |birth| &birth.by)));
    draft.detail("to_made_by", text_or_null(maker));
    draft.detail("to_origin", text_or_null(origin));
    draft.detail("reasons", Detail::List(odd.iter().map(|odd| Detail::Text(odd.id.into())).collect()));
    draft.detail("calls", Detail::Int(used.map_or(0, |used| used.calls) as i64));
    draft.detail("ended", moved_on.map_or(Detail::Null, Detail::Time));
    draft.evidence.push(cx.control_evidence(by, Role::Cause));
    draft.evidence.extend(birth.map(|birth| cx.control_evidence(birth, Role::Context)));
    draft.remediation = match moved_on {
        Some(_) => "The alias points elsewhere again. Look for what was encrypted under this key meanwhile, and keep the key until it is encrypted anew.".into(),
        None => format!(
            "If nobody can say why, point the alias back, and encrypt anew what was written meanwhile; do not delete this key before:\naws \
             kms update-alias --region {} --alias-name {} --target-key-id {}",
            word(&key.region),
            word(&told.alias),
            word(&id(old))
        ),
    };
    Some(draft)
}

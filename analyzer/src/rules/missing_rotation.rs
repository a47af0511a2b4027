//! Rule `missing-rotation`. Its page, `missing_rotation.md`, says what it finds and what it misses.

use super::kit::rotation::{
    Eligibility, Material, eligibility, is_answered, is_live, is_replica, is_said_replica, is_told, last_said,
    material, said_rotations, waiting_material, was_promoted,
};
use super::kit::{by_hand, told};
use super::prelude::*;
use crate::inventory::{Call, Fact, RotationStatus};
use crate::view::beside::Contradiction;

pub(super) static RULE: Rule = Rule {
    id: "missing-rotation",
    summary: "a key that could rotate does not, or has not within its cryptoperiod",
    doc: include_str!("missing_rotation.md"),
    severity: Severity::Medium,
    confidence: Confidence::High,
    timing: Timing::Settled,
    attack: &[],
    controls: &[
        "CIS AWS 3.0/5.0 3.6",
        "CIS AWS 7.0 4.6",
        "AWS FSBP KMS.4",
        "PCI DSS 4.0.1 3.7.4",
        "NIST 800-53 r5 SC-12",
        "ISO 27001:2022 A.8.24",
    ],
    detect: Detect { key: Some(detect), mention: Some(older), account: Some(born_before_the_log), ..Detect::NONE },
};

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let eligibility = eligibility(key, cx);
    let can = matches!(eligibility, Eligibility::Yes | Eligibility::OnDemand);
    // A key that another one took over is rotated: the old one stays for what it encrypted.
    if !can || !is_live(key, cx) || by_hand::replaced(key, cx).is_some() {
        return Vec::new();
    }
    let options = &cx.settings.options.missing_rotation;
    let mut drafts = Vec::new();
    if eligibility == Eligibility::Yes
        && let Some(draft) = not_enabled(key, cx, i64::from(options.off_after_hours) * HOUR)
    {
        drafts.push(draft);
    }
    if let Some(days) = options.cryptoperiod_days
        && let Some(draft) = not_rotated(key, cx, i64::from(days), i64::from(options.grace_days), eligibility)
    {
        drafts.push(draft);
    }
    drafts
}

/// First question: is automatic rotation on?
fn not_enabled(key: &KeyView, cx: &Context<'_>, patience: i64) -> Option<Draft> {
    let history = &key.history;
    let change = history.rotation_at(cx.as_of);
    let said = told::rotation(key, cx);
    match said {
        Some(fact) if fact.value.enabled => return disagree(key, fact, cx),
        Some(fact) if change.map_or(history.created.is_none(), |change| change.enabled) => {
            return said_off(key, fact, cx, patience);
        }
        _ => {}
    }
    let (since, cause) = match change {
        Some(change) if change.enabled => return None,
        Some(change) => (change.at, &key.events[change.by]),
        None => (key.events[history.created?].event.time, &key.events[history.created?]),
    };
    if cx.as_of - since < patience {
        return None;
    }
    let switched_off = change.is_some();
    let by_hand = by_hand::took_over(key);
    let (severity, confidence) = match by_hand {
        Some(_) => (Severity::Low, Confidence::Medium),
        None => (RULE.severity, RULE.confidence),
    };
    let mut draft = Draft::of_key(key, severity, confidence);
    draft.subject = vec!["enabled".into()];
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&cause.actor));
    draft.first_seen = since;
    draft.last_seen = cx.as_of;
    draft.count = 1;
    let who = cx.who(&cause.actor);
    draft.title = if switched_off {
        format!("{}: automatic rotation is off since {}, switched off by {who}", key.label(), instant(since))
    } else {
        format!("{}: automatic rotation was never switched on since {who} created the key", key.label())
    };
    draft.fact(
        if switched_off { "off since" } else { "created" },
        format!("{} ({} ago)", instant(since), length(cx.as_of - since)),
    );
    let failed: Vec<&ControlEvent> = key
        .events
        .iter()
        .filter(|control| control.error.is_some() && cx.text(Some(control.name)) == "EnableKeyRotation")
        .collect();
    if let Some(last) = failed.last() {
        draft.fact(
            "tried",
            format!(
                "{} failed to enable it at {} ({})",
                cx.who(&last.actor),
                instant(last.event.time),
                cx.text(last.error)
            ),
        );
    }
    if let Some(told) = by_hand {
        let alias = plain(&told.alias);
        draft.fact("rotated by hand", format!("it took {alias} over from another key at {}", instant(told.at)));
    }
    draft.detail("by_hand", by_hand.map_or(Detail::Null, |told| Detail::Time(told.at)));
    if let Some(last) = history.rotations.last() {
        draft.fact("last rotation", instant(key.events[*last].event.time));
    }
    draft.detail("question", Detail::Text("enabled".into()));
    draft.detail("enabled", Detail::Bool(false));
    draft.detail("since", Detail::Time(since));
    draft.detail("switched_off", Detail::Bool(switched_off));
    draft.detail("failed_attempts", Detail::Int(failed.len() as i64));
    draft.detail("rotations", Detail::Int(history.rotations.len() as i64));
    draft.evidence.push(cx.control_evidence(cause, Role::Cause));
    for control in failed.iter().rev().take(2) {
        draft.evidence.push(cx.control_evidence(control, Role::Context));
    }
    if let Some(fact) = said {
        told::cite(&mut draft, Call::GetKeyRotationStatus, &fact.stamp, Role::Context, cx);
    }
    draft.remediation = enable(key);
    Some(draft)
}

fn enable(key: &KeyView) -> String {
    format!("aws kms enable-key-rotation --region {} --key-id {}", word(&key.region), word(&key.arn))
}

/// The same question where KMS itself answered it, and the log does not say since when rotation is off: that nobody knows.
fn said_off(key: &KeyView, fact: &Fact<RotationStatus>, cx: &Context<'_>, patience: i64) -> Option<Draft> {
    let stamp = &fact.stamp;
    let created = told::kind(key).and_then(|kind| kind.created);
    if created.is_some_and(|created| cx.as_of.max(stamp.captured_at) - created < patience) {
        return None;
    }
    let mut draft = Draft::of_key(key, RULE.severity, RULE.confidence);
    draft.subject = vec!["enabled".into()];
    draft.anchor = "inventory".into();
    (draft.first_seen, draft.last_seen) = (stamp.captured_at, stamp.captured_at);
    draft.count = 1;
    draft.title = format!("{}: automatic rotation is off, seen in the inventory of {}", key.label(), told::when(stamp));
    draft.fact("off since", "not known: the log does not show it, and KMS tells no date");
    if let Some(change) = key.history.rotation_at(cx.as_of) {
        let by = &key.events[change.by];
        draft.fact("in the log", format!("switched on at {} by {}", instant(change.at), cx.who(&by.actor)));
        draft.fact("so", "what switched it off again is not in the log that was read");
        draft.evidence.push(cx.control_evidence(by, Role::Context));
    }
    if let Some(created) = created {
        draft.fact("created", format!("{}, as KMS says", instant(created)));
    }
    if let Some(last) = last_said(key) {
        draft.fact("last rotation", format!("{}, as KMS says", instant(last)));
    }
    draft.detail("question", Detail::Text("enabled".into()));
    draft.detail("enabled", Detail::Bool(false));
    draft.detail("since", Detail::Null);
    draft.detail("switched_off", Detail::Null);
    let rotations = key.history.rotations.len().max(said_rotations(key).map_or(0, |fact| fact.value.len()));
    draft.detail("rotations", Detail::Int(rotations as i64));
    told::cite(&mut draft, Call::GetKeyRotationStatus, stamp, Role::Primary, cx);
    draft.remediation = enable(key);
    Some(draft)
}

/// KMS says on, and the log, which reaches that far, says off: told, and decided for the later word.
fn disagree(key: &KeyView, fact: &Fact<RotationStatus>, cx: &Context<'_>) -> Option<Draft> {
    let is_it = |one: &&Contradiction| one.about == "rotation" && one.log_reaches;
    let one = key.beside.contradictions.iter().find(is_it)?;
    let mut draft = Draft::of_key(key, Severity::Info, Confidence::Low);
    draft.subject = vec!["disagree".into()];
    draft.anchor = "inventory".into();
    (draft.first_seen, draft.last_seen) = (one.stamp.captured_at, one.stamp.captured_at);
    draft.count = 1;
    draft.title = format!(
        "{}: automatic rotation is on in the inventory of {}, and not in the log",
        key.label(),
        told::when(&one.stamp)
    );
    draft.fact("in the log", one.log.clone());
    draft.fact("in the inventory", one.inventory.clone());
    draft.fact("so", "the call that switched it on is not in the log that was read");
    draft.detail("question", Detail::Text("disagree".into()));
    draft.detail("enabled", Detail::Bool(true));
    if let Some(change) = key.history.rotation_at(cx.as_of) {
        draft.evidence.push(cx.control_evidence(&key.events[change.by], Role::Context));
    }
    told::cite(&mut draft, Call::GetKeyRotationStatus, &fact.stamp, Role::Primary, cx);
    draft.remediation = "Find out where the log has a hole: keytrail verify".into();
    Some(draft)
}

/// Second question: did it rotate within the cryptoperiod?
fn not_rotated(key: &KeyView, cx: &Context<'_>, period: i64, grace: i64, eligibility: Eligibility) -> Option<Draft> {
    let Material { at: last, what, anchor, event, exact, rotated } = material(key, cx, eligibility)?;
    let due = last + period * DAY;
    if cx.as_of <= due + grace * DAY {
        return None;
    }
    // KMS lists all rotations: no gap in the logs hides one from it.
    let listed = said_rotations(key).map(|fact| &fact.stamp).filter(|stamp| stamp.captured_at > due + grace * DAY);
    let confidence = match (listed, exact) {
        (Some(_), true) => Confidence::High,
        (None, true) => Confidence::Medium,
        (_, false) => Confidence::Low,
    };
    let mut draft = Draft::of_key(key, RULE.severity, confidence);
    draft.subject = vec!["cryptoperiod".into()];
    draft.anchor = anchor;
    draft.first_seen = due;
    draft.last_seen = cx.as_of;
    draft.count = 1;
    draft.title = format!(
        "{}: key material is {}{} days old, the cryptoperiod is {period} days",
        key.label(),
        if exact { "" } else { "at least " },
        (cx.as_of - last) / DAY
    );
    let as_said = if event.is_none() { ", as KMS says" } else { "" };
    draft.fact(what, format!("{}{as_said}", instant(last)));
    draft.fact("was due", instant(due));
    draft.fact(
        "reading",
        match listed {
            Some(_) => "KMS lists no rotation since, and the log has none",
            None => "no RotateKey event in the logs that were read; gaps in them would hide one",
        },
    );
    if let Some(status) = told::rotation(key, cx).map(|fact| &fact.value) {
        let days = status.period_days.map_or(String::new(), |days| format!(", every {days} days"));
        let next = status.next.map_or(String::new(), |at| format!(", next at {}", instant(at)));
        let how = if status.enabled { format!("on{days}{next}") } else { "off".into() };
        draft.fact("automatic rotation", format!("{how}, as KMS says"));
    }
    draft.detail("question", Detail::Text("cryptoperiod".into()));
    draft.detail("cryptoperiod_days", Detail::Int(period));
    draft.detail("last_rotation", if rotated { Detail::Time(last) } else { Detail::Null });
    draft.detail("due", Detail::Time(due));
    draft.evidence.extend(event.map(|event| cx.control_evidence(event, Role::Context)));
    if let Some(fact) = said_rotations(key).filter(|_| event.is_none() || listed.is_some()) {
        let role = if event.is_none() { Role::Primary } else { Role::Context };
        told::cite(&mut draft, Call::ListKeyRotations, &fact.stamp, role, cx);
    }
    draft.remediation = if eligibility == Eligibility::OnDemand {
        if let Some(new) = waiting_material(key, last, cx) {
            draft.fact("waiting", format!("new material since {}, not rotated to yet", instant(new.event.time)));
        }
        format!(
            "Import new material, which comes beside the old one, then rotate to it:\naws kms import-key-material --region {0} --key-id {1} \
             --import-type NEW_KEY_MATERIAL ...\naws kms rotate-key-on-demand --region {0} --key-id {1}",
            word(&key.region),
            word(&key.arn)
        )
    } else {
        format!(
            "aws kms rotate-key-on-demand --region {0} --key-id {1}\naws kms enable-key-rotation --region {0} --key-id {1} \
             --rotation-period-in-days {period}",
            word(&key.region),
            word(&key.arn)
        )
    };
    Some(draft)
}

/// A key whose creation the log does not show, or a copy of one that it does not show.
fn older(key: &KeyView, cx: &Context<'_>) -> Option<Mention> {
    let eligibility = eligibility(key, cx);
    let older = key.history.created.is_none()
        && matches!(eligibility, Eligibility::Unknown | Eligibility::Yes)
        && is_live(key, cx)
        && key.history.rotation.is_empty()
        && key.history.rotations.is_empty()
        && !is_answered(key, eligibility, cx)
        && (was_used(key) || key.events.iter().any(|control| control.error.is_none()) || told::facts(key).is_some());
    // A replica has its primary's verdict, which is for the log of the primary's Region to tell.
    let copied = key.history.created.is_some_and(|created| is_replica(key, created)) && !was_promoted(key, cx);
    let alone = match &key.primary {
        None => copied || is_said_replica(key),
        Some(primary) => key.beside.primary_told && !is_told(primary, cx),
    };
    let orphan = alone && is_live(key, cx);
    (older || orphan).then(|| Mention {
        arn: key.arn.clone(),
        label: key.label().to_string(),
        count: 1,
        amount: u64::from(orphan),
        acts: Vec::new(),
    })
}

/// One row for all such keys, because for none of them can the log tell.
fn born_before_the_log(view: &AccountView<'_>, cx: &Context<'_>) -> Vec<Draft> {
    let unknown = view.mentions;
    let mut draft = Draft::of_account(view.account, view.region, Severity::Info, Confidence::Low);
    draft.subject = vec!["born-before-the-log".into()];
    draft.anchor = format!("{}/{}", view.account, view.region);
    draft.first_seen = cx.log_start();
    draft.last_seen = cx.as_of;
    draft.count = 1;
    let copies: u64 = unknown.iter().map(|key| key.amount).sum();
    let one = unknown.len() == 1;
    let because = match (copies == unknown.len() as u64, copies > 0) {
        (true, _) if one => "a copy of a key that the log does not show",
        (true, _) => "copies of keys that the log does not show",
        (false, true) => "older than the log, or copies of keys that it does not show",
        (false, false) => "older than the log",
    };
    draft.title = format!(
        "{} in {} {} {because}: whether {} cannot be told from it{}",
        plural(unknown.len() as u64, "key"),
        view.region,
        if one { "is" } else { "are" },
        if one { "it rotates" } else { "they rotate" },
        if cx.inventory.is_some() { ", and the inventory does not tell either" } else { "" },
    );
    const SHOWN: usize = 50;
    let labels: Vec<&str> = unknown.iter().take(5).map(|key| key.label.as_str()).collect();
    let more = unknown.len().saturating_sub(labels.len());
    draft.fact("keys", if more > 0 { format!("{} and {more} more", labels.join(", ")) } else { labels.join(", ") });
    draft.fact("log starts", instant(cx.log_start()));
    draft.detail("question", Detail::Text("born-before-the-log".into()));
    draft.detail("keys", Detail::List(unknown.iter().take(SHOWN).map(|key| Detail::Text(key.arn.clone())).collect()));
    draft.detail("keys_total", Detail::Int(unknown.len() as i64));
    draft.detail("copies", Detail::Int(copies as i64));
    draft.remediation = "Scan logs that reach back to the creation of the keys, or ask KMS: aws kms get-key-rotation-status --key-id KEY".into();
    vec![draft]
}

/// Some successful cryptographic call: the key exists and is not only asked about.
fn was_used(key: &KeyView) -> bool {
    key.series.iter().any(|series| series.succeeded() && series.key.operation.is_some())
}

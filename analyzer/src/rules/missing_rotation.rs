//! Rule `missing-rotation`. Its page, `missing_rotation.md`, says what it finds and what it misses.

use super::kit::by_hand;
use super::prelude::*;
use crate::view::history::KeyState;

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

/// Whether a key can rotate by itself at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Eligibility {
    /// It can.
    Yes,
    /// Only when its owner imports new material and asks for it.
    OnDemand,
    /// It cannot, or AWS does it: not applicable.
    No,
    /// The log does not show enough of the key.
    Unknown,
}

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
    let (since, cause) = match history.rotation_at(cx.as_of) {
        Some(change) if change.enabled => return None,
        Some(change) => (change.at, &key.events[change.by]),
        None => (key.events[history.created?].event.time, &key.events[history.created?]),
    };
    if cx.as_of - since < patience {
        return None;
    }
    let switched_off = history.rotation_at(cx.as_of).is_some();
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
    draft.remediation =
        format!("aws kms enable-key-rotation --region {} --key-id {}", word(&key.region), word(&key.arn));
    Some(draft)
}

/// Second question: did it rotate within the cryptoperiod?
fn not_rotated(key: &KeyView, cx: &Context<'_>, period: i64, grace: i64, eligibility: Eligibility) -> Option<Draft> {
    let history = &key.history;
    // Without a rotation the material is as old as the key, or as its first import; of a key older than the log it is only
    // known that it has not rotated since the first event that would have led to it.
    let enabled = || history.rotation.iter().find(|change| change.enabled).map(|change| change.by);
    let imported = imports(key, cx).next().filter(|_| eligibility == Eligibility::OnDemand);
    let (last, what) = match (history.rotations.last(), imported, history.created) {
        (Some(&rotation), ..) => (&key.events[rotation], "last rotation"),
        (None, Some(import), _) => (import, "first import"),
        (None, None, Some(created)) => (&key.events[created], "created, never rotated since"),
        (None, None, None) => (&key.events[enabled()?], "rotation enabled, no rotation since"),
    };
    let rotated = !history.rotations.is_empty();
    let due = last.event.time + period * DAY;
    if cx.as_of <= due + grace * DAY {
        return None;
    }
    let confidence = if rotated || history.created.is_some() { Confidence::Medium } else { Confidence::Low };
    let mut draft = Draft::of_key(key, RULE.severity, confidence);
    draft.subject = vec!["cryptoperiod".into()];
    draft.anchor = cx.id(&last.event);
    draft.first_seen = due;
    draft.last_seen = cx.as_of;
    draft.count = 1;
    draft.title = format!(
        "{}: key material is {}{} days old, the cryptoperiod is {period} days",
        key.label(),
        if rotated || history.created.is_some() { "" } else { "at least " },
        (cx.as_of - last.event.time) / DAY
    );
    draft.fact(what, instant(last.event.time));
    draft.fact("was due", instant(due));
    draft.fact("reading", "no RotateKey event in the logs that were read; gaps in them would hide one");
    draft.detail("question", Detail::Text("cryptoperiod".into()));
    draft.detail("cryptoperiod_days", Detail::Int(period));
    draft.detail("last_rotation", if rotated { Detail::Time(last.event.time) } else { Detail::Null });
    draft.detail("due", Detail::Time(due));
    draft.evidence.push(cx.control_evidence(last, Role::Context));
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

/// Imports of material that worked, in order of time.
fn imports<'v>(key: &'v KeyView, cx: &Context<'_>) -> impl Iterator<Item = &'v ControlEvent> {
    let is_import =
        |control: &&ControlEvent| control.error.is_none() && cx.text(Some(control.name)) == "ImportKeyMaterial";
    key.events.iter().filter(is_import)
}

/// New material that was imported since the first, or since a rotation, and that the key does not use yet. The first
/// material that a key gets, it uses at once.
fn waiting_material<'v>(key: &'v KeyView, since: &ControlEvent, cx: &Context<'_>) -> Option<&'v ControlEvent> {
    let waits = |control: &&ControlEvent| {
        control.event > since.event && cx.text(control.detail.import_type) == "NEW_KEY_MATERIAL"
    };
    imports(key, cx).filter(waits).last()
}

/// A key whose creation the log does not show, or a copy of one that it does not show.
fn older(key: &KeyView, cx: &Context<'_>) -> Option<Mention> {
    let older = key.history.created.is_none()
        && eligibility(key, cx) == Eligibility::Unknown
        && is_live(key, cx)
        && key.history.rotation.is_empty()
        && key.history.rotations.is_empty()
        && (was_used(key) || key.events.iter().any(|control| control.error.is_none()));
    // A replica has its primary's verdict, which is for the log of the primary's Region to tell.
    let orphan = key.primary.is_none()
        && is_live(key, cx)
        && key.history.created.is_some_and(|created| is_replica(key, created))
        && !was_promoted(key, cx);
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
        "{} in {} {} {because}: whether {} cannot be told from it",
        plural(unknown.len() as u64, "key"),
        view.region,
        if one { "is" } else { "are" },
        if one { "it rotates" } else { "they rotate" },
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

/// Enabled, as far as the log shows: a disabled or deleted key does not rotate, and need not.
fn is_live(key: &KeyView, cx: &Context<'_>) -> bool {
    key.history.state_at(cx.as_of).is_none_or(|change| matches!(change.state, KeyState::Enabled | KeyState::Transient))
}

/// Some successful cryptographic call: the key exists and is not only asked about.
fn was_used(key: &KeyView) -> bool {
    key.series.iter().any(|series| series.succeeded() && series.key.operation.is_some())
}

fn eligibility(key: &KeyView, cx: &Context<'_>) -> Eligibility {
    if key.is_aws_managed() || key.primary.is_some() {
        return Eligibility::No;
    }
    if let Some(created) = key.history.created {
        let detail = &key.events[created].detail;
        let is = |sym, expected: &[&str]| expected.contains(&cx.text(sym));
        let rotates = is(detail.key_spec, &["", "SYMMETRIC_DEFAULT"])
            && is(detail.key_usage, &["", "ENCRYPT_DECRYPT"])
            && is(detail.key_origin, &["", "AWS_KMS", "EXTERNAL"])
            && is(detail.key_manager, &["", "CUSTOMER"])
            && detail.custom_key_store_id.is_none()
            && (!is_replica(key, created) || was_promoted(key, cx));
        let role_unknown =
            key.id.starts_with("mrk-") && detail.multi_region_config.is_none() && key.history.rotation.is_empty();
        return match (rotates, role_unknown) {
            (true, false) if is(detail.key_origin, &["EXTERNAL"]) => Eligibility::OnDemand,
            (true, false) => Eligibility::Yes,
            (true, true) => Eligibility::Unknown,
            (false, _) => Eligibility::No,
        };
    }
    // KMS itself accepted a change of rotation: the key can rotate.
    if !key.history.rotation.is_empty() {
        return Eligibility::Yes;
    }
    let hint = |names: &[&str]| key.series.iter().any(|series| names.contains(&cx.text(Some(series.key.name))));
    let control = |names: &[&str]| key.events.iter().any(|control| names.contains(&cx.text(Some(control.name))));
    if hint(&[
        "Sign",
        "Verify",
        "GetPublicKey",
        "GenerateMac",
        "VerifyMac",
        "DeriveSharedSecret",
        "Encapsulate",
        "Decapsulate",
    ]) || control(&["ImportKeyMaterial", "DeleteImportedKeyMaterial", "DeleteExpiredKeyMaterial"])
    {
        return Eligibility::No;
    }
    Eligibility::Unknown
}

/// Made as a replica of a multi-Region key: it follows its primary.
fn is_replica(key: &KeyView, created: usize) -> bool {
    key.events[created].detail.multi_region_config.as_deref().is_some_and(|config| config.contains("\"REPLICA\""))
}

/// Became the primary since: KMS says so, or accepted a change of rotation, which it does of a primary only.
fn was_promoted(key: &KeyView, cx: &Context<'_>) -> bool {
    let promoted = |control: &ControlEvent| {
        control.error.is_none()
            && cx.text(Some(control.name)) == "UpdatePrimaryRegion"
            && cx.text(control.detail.primary_region) == key.region
    };
    !key.history.rotation.is_empty() || key.events.iter().any(promoted)
}

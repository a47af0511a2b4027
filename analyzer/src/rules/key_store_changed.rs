//! Rule `key-store-changed`. Its page, `key_store_changed.md`, says what it finds and what it misses.

use super::prelude::*;
use crate::view::stores::{StoreEvent, Stores};

pub(super) static RULE: Rule = Rule {
    id: "key-store-changed",
    summary: "a custom key store was disconnected, removed, or pointed at another place",
    doc: include_str!("key_store_changed.md"),
    severity: Severity::Medium,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1489", "T1565"],
    controls: &["NIST 800-53 r5 SC-12(1)", "SOC 2 A1.2"],
    detect: Detect { stores: Some(detect), ..Detect::NONE },
};

fn detect(stores: &Stores, cx: &Context<'_>) -> Vec<Draft> {
    let done = stores.events.iter().enumerate().filter(|(_, event)| event.control.error.is_none());
    done.filter_map(|(at, event)| match cx.text(Some(event.control.name)) {
        "DisconnectCustomKeyStore" => disconnected(stores, at, cx),
        "UpdateCustomKeyStore" => updated(event, cx),
        "DeleteCustomKeyStore" => Some(deleted(event, cx)),
        _ => None,
    })
    .collect()
}

/// All keys of the store stop at once. Doing it again while it is so already is no second finding.
fn disconnected(stores: &Stores, at: usize, cx: &Context<'_>) -> Option<Draft> {
    let outage = stores.outages.iter().find(|outage| outage.by == at)?;
    let event = &stores.events[at];
    let back = outage.until.map(|until| &stores.events[until].control);
    let began = event.control.event.time;
    let brief = i64::from(cx.settings.options.key_store_changed.back_within_minutes) * MINUTE;
    let severity = match back {
        Some(back) if back.event.time - began <= brief => Severity::Info,
        Some(_) => Severity::Low,
        None => RULE.severity,
    };
    let mut draft = draft(event, severity, "disconnected", cx);
    if let Some(back) = back {
        draft.status = Status::Closed;
        draft.last_seen = back.event.time;
        draft.evidence.push(cx.control_evidence(back, Role::Resolution));
    }
    draft.title = format!(
        "{} disconnected by {}: {}",
        name(event),
        cx.who(&event.control.actor),
        match back {
            Some(back) => format!("its keys could not be used for {}", length(back.event.time - began)),
            None => "none of its keys can be used".to_string(),
        }
    );
    draft.fact(
        "now",
        match back {
            Some(back) => format!("connected again by {} at {}", cx.who(&back.actor), instant(back.event.time)),
            None => format!("disconnected for {}", length(cx.as_of - began)),
        },
    );
    draft.detail("ended", back.map_or(Detail::Null, |back| Detail::Time(back.event.time)));
    draft.remediation = match back {
        Some(_) => "Nothing for the store: it is connected. Ask who disconnected it, and why.".into(),
        None => format!(
            "If this was not meant to happen:\naws kms connect-custom-key-store --region {} --custom-key-store-id {}",
            word(&event.region),
            word(&event.store)
        ),
    };
    Some(draft)
}

/// Another proxy, another cluster: from then on somebody else may answer for the keys. A new name changes nothing.
fn updated(event: &StoreEvent, cx: &Context<'_>) -> Option<Draft> {
    let detail = &event.control.detail;
    let told: serde_json::Map<String, serde_json::Value> =
        detail.xks.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let mut what: Vec<String> = told.keys().filter(|key| !key.eq_ignore_ascii_case("xksKeyId")).cloned().collect();
    what.extend(detail.cloud_hsm_cluster_id.map(|_| "cloudHsmClusterId".to_string()));
    what.sort();
    if what.is_empty() {
        return None;
    }
    // A new credential alone is what rotating it looks like.
    let place = what.iter().any(|member| !member.to_ascii_lowercase().contains("credential"));
    let severity = if place { Severity::High } else { Severity::Low };
    let mut draft = draft(event, severity, if place { "moved" } else { "credential" }, cx);
    draft.title = format!(
        "{} {} by {}",
        name(event),
        if place { "pointed at another place" } else { "given another credential" },
        cx.who(&event.control.actor)
    );
    draft.fact("changed", plain(&what.join(", ")).into_owned());
    for (member, value) in &told {
        if let Some(value) = value.as_str().filter(|_| !member.to_ascii_lowercase().contains("credential")) {
            draft.fact("new", format!("{} {}", plain(member), plain(value)));
        }
    }
    draft.detail("ended", Detail::Null);
    draft.detail("changed", Detail::List(what.into_iter().map(Detail::Text).collect()));
    draft.remediation = format!(
        "See where the store points now, and who runs that place; whoever does sees every plaintext that its keys protect:\naws kms \
         describe-custom-key-stores --region {} --custom-key-store-id {}",
        word(&event.region),
        word(&event.store)
    );
    Some(draft)
}

fn deleted(event: &StoreEvent, cx: &Context<'_>) -> Draft {
    let mut draft = draft(event, Severity::Low, "deleted", cx);
    draft.title = format!("{} deleted by {}: it held no key any more", name(event), cx.who(&event.control.actor));
    draft.detail("ended", Detail::Null);
    draft.remediation =
        "KMS deletes a store only when no key is left in it. See whether its keys were meant to go: their deletions are findings of their own.".into();
    draft
}

fn draft(event: &StoreEvent, severity: Severity, what: &'static str, cx: &Context<'_>) -> Draft {
    let control = &event.control;
    let mut draft = Draft::of_account(&event.account, &event.region, severity, RULE.confidence);
    draft.subject = vec![event.store.clone(), what.into()];
    draft.anchor = cx.id(&control.event);
    draft.principal = Some(cx.principal(&control.actor));
    (draft.first_seen, draft.last_seen, draft.count) = (control.event.time, control.event.time, 1);
    let from = plain(control.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    draft.fact(
        "cause",
        format!(
            "{} by {} from {from} at {}",
            cx.text(Some(control.name)),
            cx.who(&control.actor),
            instant(control.event.time)
        ),
    );
    draft.detail("store", text_or_null(&event.store));
    draft.detail("what", Detail::Text(what.into()));
    draft.evidence.push(cx.control_evidence(control, Role::Cause));
    draft
}

fn name(event: &StoreEvent) -> String {
    if event.store.is_empty() { "a custom key store".into() } else { format!("key store {}", plain(&event.store)) }
}

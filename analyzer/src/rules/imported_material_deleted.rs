//! Rule `imported-material-deleted`. Its page, `imported_material_deleted.md`, says what it finds and what it misses.

use super::kit::latent;
use super::kit::usage::{last_use, uses};
use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "imported-material-deleted",
    summary: "imported key material was deleted or expired: the key stops at once",
    doc: include_str!("imported_material_deleted.md"),
    severity: Severity::High,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1485", "T1486"],
    controls: &["PCI DSS 4.0.1 3.7.5", "NIST 800-53 r5 SC-12(1)", "SOC 2 A1.2"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    // A second deletion before the material is back takes nothing more away.
    let mut open: Option<usize> = None;
    let succeeded = key.events.iter().enumerate().filter(|(_, control)| control.error.is_none());
    for (at, control) in succeeded {
        match cx.text(Some(control.name)) {
            "DeleteImportedKeyMaterial" | "DeleteExpiredKeyMaterial" => {
                open.get_or_insert(at);
            }
            "ImportKeyMaterial" => {
                if let Some(cause) = open.take() {
                    drafts.push(finding(key, &key.events[cause], Some(control), cx));
                }
            }
            _ => {}
        }
    }
    drafts.extend(open.map(|cause| finding(key, &key.events[cause], None, cx)));
    drafts
}

fn finding(key: &KeyView, cause: &ControlEvent, back: Option<&ControlEvent>, cx: &Context<'_>) -> Draft {
    let at = cause.event.time;
    let who = cx.who(&cause.actor);
    let expired = cx.text(Some(cause.name)) == "DeleteExpiredKeyMaterial";
    let used = uses(key, at, cx);
    let days = cx.settings.options.imported_material_deleted.used_within_days;
    let in_use = used.as_ref().is_some_and(|used| used.is_within(days, at));
    let severity = match back {
        Some(_) => Severity::Low,
        None if in_use => RULE.severity,
        None => Severity::Medium,
    };
    let mut draft = Draft::of_key(key, severity, RULE.confidence);
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&cause.actor));
    draft.first_seen = at;
    draft.last_seen = back.map_or(at, |back| back.event.time);
    draft.count = 1;
    draft.status = if back.is_some() { Status::Closed } else { Status::Open };
    let last_use = last_use(used.as_ref(), key, at, cx);
    draft.title = if expired {
        format!("Imported material of {} expired at {}: {last_use}", key.label(), instant(at))
    } else {
        format!("Imported material of {} deleted by {who} at {}: {last_use}", key.label(), instant(at))
    };
    let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    draft.fact(
        "cause",
        if expired {
            format!("DeleteExpiredKeyMaterial by AWS KMS at {}", instant(at))
        } else {
            format!("DeleteImportedKeyMaterial by {who} from {from} at {}", instant(at))
        },
    );
    let material = cause.detail.key_material_id.as_deref();
    if let Some(material) = material {
        draft.fact("material", plain(material).to_string());
    }
    if let Some(used) = &used {
        draft.fact("last use", instant(used.last));
        draft.fact("used by", used.by());
    }
    if !key.resources.is_empty() {
        draft.fact("protects", plural(key.resources.len() as u64 + key.resources_overflow, "known resource"));
    }
    latent::tell(&mut draft, key, at, back.is_none(), cx);
    draft.fact(
        "now",
        match back {
            Some(back) => {
                let whole = length(back.event.time - at);
                format!("imported again by {} at {}, after {whole}", cx.who(&back.actor), instant(back.event.time))
            }
            None => format!("without its material for {}", length(cx.as_of - at)),
        },
    );
    draft.detail("last_use", used.as_ref().map_or(Detail::Null, |used| Detail::Time(used.last)));
    draft.detail("calls", Detail::Int(used.as_ref().map_or(0, |used| used.calls) as i64));
    draft.detail("expired", Detail::Bool(expired));
    draft.detail("key_material_id", text_or_null(material.unwrap_or_default()));
    draft.detail("imported_again", back.map_or(Detail::Null, |back| Detail::Time(back.event.time)));
    draft.evidence.push(cx.control_evidence(cause, Role::Cause));
    draft.evidence.extend(back.map(|back| cx.control_evidence(back, Role::Resolution)));
    draft.remediation = match back {
        Some(_) => {
            let ask = if expired { "extend its expiry before the next one" } else { "ask who deleted it, and why" };
            format!("Nothing for the key if all of its material is back; {ask}.")
        }
        None => format!(
            "AWS has no copy. Import the very same material again from where you keep it; only it can decrypt what it \
             encrypted:\naws kms get-parameters-for-import --region {region} --key-id {arn} --wrapping-algorithm \
             RSAES_OAEP_SHA_256 --wrapping-key-spec RSA_4096\naws kms import-key-material --region {region} --key-id {arn} \
             --encrypted-key-material fileb://MATERIAL --import-token fileb://TOKEN --expiration-model \
             KEY_MATERIAL_DOES_NOT_EXPIRE",
            region = word(&key.region),
            arn = word(&key.arn),
        ),
    };
    draft
}

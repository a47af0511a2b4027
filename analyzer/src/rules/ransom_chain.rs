//! Rule `ransom-chain`. Its page, `ransom_chain.md`, says what it finds and what it misses.

use super::prelude::*;

pub(super) static RULE: Rule = Rule {
    id: "ransom-chain",
    summary: "data was encrypted under imported key material that was then taken away, or soon expires",
    doc: include_str!("ransom_chain.md"),
    severity: Severity::Critical,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1486", "T1485"],
    controls: &["NIST 800-53 r5 SC-12(1)", "SOC 2 A1.2", "SOC 2 CC7.2"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

/// What was encrypted between the import and the loss of the material.
#[derive(Debug, Default)]
struct Encrypted {
    /// Calls that encrypt.
    calls: u64,
    /// Resources that were put under the key, or encrypted with it, for the first time.
    resources: Vec<String>,
    /// The importer made some of the calls.
    by_importer: bool,
}

/// How the material goes.
#[derive(Clone, Copy, Debug)]
enum Loss<'k> {
    /// Taken away by this event.
    Gone(&'k ControlEvent),
    /// Expires at this instant, as the import says.
    Expires(i64),
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let options = &cx.settings.options.ransom_chain;
    let within = i64::from(options.chain_days) * DAY;
    let fuse = i64::from(options.fuse_days) * DAY;
    let name = |control: &ControlEvent| cx.text(Some(control.name));
    let mut drafts = Vec::new();
    let mut import: Option<&ControlEvent> = None;
    let mut latest: Option<&ControlEvent> = None;
    for (at, control) in key.events.iter().enumerate().filter(|(_, control)| control.error.is_none()) {
        match name(control) {
            // The same material imported again is not new; what counts is when the key first worked.
            "ImportKeyMaterial" => {
                import.get_or_insert(control);
                latest = Some(control);
            }
            "DeleteImportedKeyMaterial" | "DeleteExpiredKeyMaterial" => {
                let back = key.events[at + 1..]
                    .iter()
                    .find(|later| later.error.is_none() && name(later) == "ImportKeyMaterial");
                let first = import.take().filter(|first| control.event.time - first.event.time <= within);
                drafts.extend(first.and_then(|first| finding(key, first, Loss::Gone(control), back, cx)));
            }
            _ => {}
        }
    }
    // Material that is imported again takes the expiry of the last import.
    if let (Some(_), Some(latest)) = (import, latest)
        && let Some(expires) = latest.detail.valid_to
        && expires > cx.as_of
        && expires - latest.event.time <= fuse
    {
        drafts.extend(finding(key, latest, Loss::Expires(expires), None, cx));
    }
    drafts
}

fn encrypted(key: &KeyView, import: &ControlEvent, until: i64, cx: &Context<'_>) -> Encrypted {
    let from = import.event.time;
    let mut all = Encrypted::default();
    for series in key.series.iter().filter(|series| series.succeeded()) {
        let name = cx.text(Some(series.key.name));
        let encrypts = name.starts_with("GenerateDataKey") || name == "Encrypt" || name.starts_with("ReEncrypt");
        let during = series.cells.iter().filter(|cell| encrypts && cell.first.time >= from && cell.first.time <= until);
        let calls: u64 = during.map(|cell| u64::from(cell.count)).sum();
        all.calls += calls;
        all.by_importer |= calls > 0 && series.key.principal == import.actor.principal;
    }
    let put = |first: i64| (from..=until).contains(&first);
    all.resources = key
        .resources
        .iter()
        .filter(|resource| put(resource.first) && (all.calls > 0 || resource.bindings > 0))
        .map(|resource| cx.resource(&resource.name).into_owned())
        .collect();
    all
}

fn finding(
    key: &KeyView,
    import: &ControlEvent,
    loss: Loss<'_>,
    back: Option<&ControlEvent>,
    cx: &Context<'_>,
) -> Option<Draft> {
    let until = match loss {
        Loss::Gone(gone) => gone.event.time,
        Loss::Expires(_) => cx.as_of,
    };
    let encrypted = encrypted(key, import, until, cx);
    if encrypted.calls == 0 && encrypted.resources.is_empty() {
        return None;
    }
    let importer = cx.who(&import.actor);
    let same = match loss {
        Loss::Gone(gone) => gone.actor.principal == import.actor.principal,
        Loss::Expires(_) => false,
    };
    let severity = match (loss, back) {
        (_, Some(_)) => Severity::Low,
        (Loss::Gone(_), None) => RULE.severity,
        (Loss::Expires(_), None) => Severity::High,
    };
    let confidence = if same || encrypted.by_importer { RULE.confidence } else { Confidence::Medium };
    let mut draft = Draft::of_key(key, severity, confidence);
    let cause = match loss {
        Loss::Gone(gone) => gone,
        Loss::Expires(_) => import,
    };
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&import.actor));
    draft.first_seen = import.event.time;
    draft.last_seen = back.map_or(cause.event.time, |back| back.event.time);
    draft.count = encrypted.calls;
    draft.status = if back.is_some() { Status::Closed } else { Status::Open };
    let what = if encrypted.resources.is_empty() {
        plural(encrypted.calls, "call")
    } else {
        plural(encrypted.resources.len() as u64, "resource")
    };
    let gap = length(until - import.event.time);
    draft.title = match loss {
        Loss::Gone(_) => {
            format!("{}: {what} encrypted under imported material, which was taken away after {gap}", key.label())
        }
        Loss::Expires(at) => {
            format!("{}: {what} encrypted under imported material that expires at {}", key.label(), instant(at))
        }
    };
    let from =
        |control: &ControlEvent| plain(control.actor.source_ip.as_deref().unwrap_or("an unknown address")).into_owned();
    draft.fact("imported", format!("by {importer} from {} at {}", from(import), instant(import.event.time)));
    draft.fact("encrypted", format!("{} since, {what}", plural(encrypted.calls, "call")));
    if !encrypted.resources.is_empty() {
        let shown: Vec<_> = encrypted.resources.iter().take(EVIDENCE).map(|name| plain(name)).collect();
        let more = encrypted.resources.len() - shown.len();
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        draft.fact("resources", format!("{}{rest}", shown.join(", ")));
    }
    draft.fact(
        "material",
        match (loss, back) {
            (_, Some(back)) => {
                format!("imported again by {} at {}", cx.who(&back.actor), instant(back.event.time))
            }
            (Loss::Gone(gone), None) => format!(
                "{} by {} from {} at {}",
                cx.text(Some(gone.name)),
                cx.who(&gone.actor),
                from(gone),
                instant(gone.event.time)
            ),
            (Loss::Expires(at), None) => format!("expires at {}, {} from now", instant(at), length(at - cx.as_of)),
        },
    );
    draft.detail("calls", Detail::Int(encrypted.calls as i64));
    draft.detail("resources", Detail::Int(encrypted.resources.len() as i64));
    draft.detail("same_principal", Detail::Bool(same));
    draft.detail("imported", Detail::Time(import.event.time));
    draft.detail("gone", if let Loss::Gone(gone) = loss { Detail::Time(gone.event.time) } else { Detail::Null });
    draft.detail("expires", if let Loss::Expires(at) = loss { Detail::Time(at) } else { Detail::Null });
    draft.evidence.push(cx.control_evidence(import, Role::Context));
    if let Loss::Gone(gone) = loss {
        draft.evidence.push(cx.control_evidence(gone, Role::Cause));
    }
    draft.evidence.extend(back.map(|back| cx.control_evidence(back, Role::Resolution)));
    draft.remediation = if back.is_some() {
        "The material is back. See that the data can be read, move it to a key of your own, and ask who did this, and why.".into()
    } else if matches!(loss, Loss::Expires(_)) {
        format!(
            "While the key still works, copy the data and encrypt it under a key of your own; then end the sessions of \
             {importer}, and see what else it encrypted:\naws kms describe-key --region {} --key-id {}",
            word(&key.region),
            word(&key.arn)
        )
    } else {
        format!(
            "End the sessions of {importer} and see what else it changed. Whoever holds the material can bring the data \
             back; else restore it from copies under another key:\naws kms describe-key --region {} --key-id {}",
            word(&key.region),
            word(&key.arn)
        )
    };
    Some(draft)
}

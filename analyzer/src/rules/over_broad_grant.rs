//! Rule `over-broad-grant`. Its page, `over_broad_grant.md`, says what it finds and what it misses.

use std::collections::BTreeMap;

use super::kit::breadth::{About, Shape, grantee_label, judge, list};
use super::kit::{grantee, told};
use super::prelude::*;
use crate::extract::arn;
use crate::inventory::{self, Call, Stamp};
use crate::view::history::Grant;

pub(super) static RULE: Rule = Rule {
    id: "over-broad-grant",
    summary: "a grant gives more of a key, or gives it to someone else, than a service needs",
    doc: include_str!("over_broad_grant.md"),
    severity: Severity::High,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1098", "T1078"],
    controls: &["PCI DSS 4.0.1 3.6.1", "NIST 800-53 r5 AC-6", "ISO 27001:2022 A.8.24", "SOC 2 CC6.3"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let mut shapes: BTreeMap<Shape, Vec<&Grant>> = BTreeMap::new();
    for grant in &key.history.grants {
        shapes.entry(Shape::of(&key.events[grant.created], cx)).or_default().push(grant);
    }
    let mut drafts: Vec<Draft> =
        shapes.into_iter().filter_map(|(shape, grants)| finding(key, &shape, &grants, cx)).collect();
    if let Some((stamp, open)) = told::older_grants(key, cx) {
        let mut shapes: BTreeMap<Shape, Vec<Older<'_>>> = BTreeMap::new();
        for (id, grant) in open {
            shapes.entry(Shape::said(grant)).or_default().push((id, grant));
        }
        drafts.extend(shapes.into_iter().filter_map(|(shape, grants)| older(key, &shape, &grants, stamp, cx)));
    }
    drafts
}

fn finding(key: &KeyView, shape: &Shape, grants: &[&Grant], cx: &Context<'_>) -> Option<Draft> {
    let verdict = judge(key, &about(key, grants, shape, cx), shape, cx)?;
    // A grant that ended within minutes did little: a mistake that was mended, unless it went to a stranger.
    let brief = i64::from(cx.settings.options.over_broad_grant.revoked_within_minutes) * MINUTE;
    let lasting = grants.iter().any(|grant| match grant.ended {
        Some(end) => {
            key.events[end].event.time - key.events[grant.created].event.time > brief || told::is_open(key, grant)
        }
        None => true,
    });
    let severity = match (lasting, verdict.foreign) {
        (true, _) => verdict.severity,
        (false, true) => Severity::Medium,
        (false, false) => return None,
    };

    let open: Vec<&&Grant> = grants.iter().filter(|grant| told::is_open(key, grant)).collect();
    let first = &key.events[grants[0].created];
    let detail = &first.detail;
    let mut draft = Draft::of_key(key, severity, RULE.confidence);
    draft.subject = vec![
        shape.creator.clone(),
        shape.grantee.clone(),
        shape.operations.join(","),
        format!("{}:{}", shape.direct, shape.constraints.join(",")),
    ];
    draft.anchor = cx.id(&first.event);
    draft.principal = Some(cx.principal(&first.actor));
    draft.first_seen = first.event.time;
    draft.last_seen = grants.iter().map(|grant| key.events[grant.ended.unwrap_or(grant.created)].event.time).max()?;
    draft.count = grants.len() as u64;
    draft.status = if open.is_empty() { Status::Closed } else { Status::Open };
    let whom = grantee_label(cx.text(detail.grantee_kind), cx.text(detail.grantee_account), &shape.grantee);
    draft.title = format!(
        "{} granted {} on {} to {whom}{}",
        cx.who(&first.actor),
        list(&shape.operations, 3),
        key.label(),
        if shape.constrained() { "" } else { " without constraints" }
    );
    let constrained = detail.grant_constraints.as_deref().map(|json| cx.constraints(json));
    draft.fact("why", verdict.reasons.join("; "));
    draft.fact("grantee", shape.grantee.clone());
    let operations = if shape.operations.is_empty() { "not in the record".into() } else { shape.operations.join(", ") };
    draft.fact("operations", operations);
    draft.fact("constraints", constrained.as_deref().unwrap_or("none"));
    draft.fact("retiring principal", detail.retiring_principal.as_deref().unwrap_or("none"));
    draft.fact(
        "created",
        format!("{} from {}", instant(first.event.time), first.actor.source_ip.as_deref().unwrap_or("?")),
    );
    draft.fact("open", format!("{} of {}", open.len(), plural(grants.len() as u64, "grant")));
    if let Some(end) = grants.iter().filter_map(|grant| grant.ended).max_by_key(|end| key.events[*end].event.time) {
        let ended = &key.events[end];
        draft.fact("ended", format!("{} by {}", instant(ended.event.time), cx.who(&ended.actor)));
    }

    let gone = grants.iter().filter(|grant| grant.ended.is_none() && !told::is_open(key, grant)).count() as u64;
    let back = grants.iter().filter(|grant| grant.ended.is_some() && told::is_open(key, grant)).count() as u64;
    if let Some(stamp) = told::facts(key).and_then(|facts| facts.grants.as_ref()).map(|fact| &fact.stamp) {
        if gone > 0 {
            draft.fact("not in the inventory", format!("{}: what ended it is not in the log", plural(gone, "grant")));
        }
        if back > 0 {
            draft.fact("ended in the log", format!("{}, and the inventory still has it", plural(back, "grant")));
        }
        if gone + back > 0 {
            told::cite(&mut draft, Call::ListGrants, stamp, Role::Context, cx);
        }
    }

    let ids = |grants: &mut dyn Iterator<Item = &Grant>| {
        let ids = grants.filter_map(|grant| key.events[grant.created].detail.grant_id.as_deref()).take(20);
        Detail::List(ids.map(|id| Detail::Text(id.to_string())).collect())
    };
    draft.detail("grantee", Detail::Text(shape.grantee.clone()));
    draft.detail("grantee_account", text_or_null(cx.text(detail.grantee_account)));
    draft.detail("grantee_kind", text_or_null(cx.text(detail.grantee_kind)));
    draft.detail("operations", Detail::List(shape.operations.iter().cloned().map(Detail::Text).collect()));
    draft.detail("constraints", constrained.map_or(Detail::Null, |text| Detail::Text(text.into_owned())));
    draft.detail("reasons", Detail::List(verdict.reasons.into_iter().map(Detail::Text).collect()));
    let used = grantee::has_used(key, &shape.grantee, cx.text(detail.grantee_account), first.event.time, cx);
    draft.detail("used", used.map_or(Detail::Null, Detail::Bool));
    draft.detail("chain", Detail::Int(i64::from(grantee::depth(key, first, cx))));
    draft.detail("open_grant_ids", ids(&mut open.iter().map(|grant| **grant)));
    draft.detail("grants_open", Detail::Int(open.len() as i64));
    draft.detail("grants_total", Detail::Int(grants.len() as i64));

    for grant in grants.iter().take(EVIDENCE) {
        draft.evidence.push(cx.control_evidence(&key.events[grant.created], Role::Primary));
    }
    for end in grants.iter().filter_map(|grant| grant.ended).take(2) {
        draft.evidence.push(cx.control_evidence(&key.events[end], Role::Resolution));
    }
    draft.remediation = match open.first().and_then(|grant| key.events[grant.created].detail.grant_id.as_deref()) {
        Some(id) => format!(
            "If nobody can say why it exists, end it:\naws kms revoke-grant --region {} --key-id {} --grant-id {}\nThen \
             look at what {} did with the key since {}.",
            word(&key.region),
            word(&key.arn),
            word(id),
            whom,
            instant(first.event.time)
        ),
        None => format!("The grant is gone. Check what {whom} did with the key while it stood."),
    };
    Some(draft)
}

/// What the log knows of a grant beyond its shape.
fn about<'c>(key: &KeyView, grants: &[&Grant], shape: &Shape, cx: &Context<'c>) -> About<'c> {
    let created = &key.events[grants[0].created];
    let (detail, creator) = (&created.detail, &created.actor);
    let account = cx.text(detail.grantee_account);
    let unused = i64::from(cx.settings.options.over_broad_grant.never_used_days) * DAY;
    let idle = |grant: &&Grant| {
        let since = key.events[grant.created].event.time;
        told::is_open(key, grant)
            && cx.as_of - since >= unused
            && grantee::has_used(key, &shape.grantee, account, since, cx) == Some(false)
    };
    About {
        kind: cx.text(detail.grantee_kind),
        account,
        unknown: detail.grant_operations.is_none(),
        retiring: detail.retiring_principal.is_some(),
        own: creator.arn.as_deref() == Some(shape.grantee.as_str()) || cx.text(creator.principal) == shape.grantee,
        depth: if shape.direct { grantee::depth(key, created, cx) } else { 0 },
        idle: grants.iter().all(idle).then_some(cx.as_of - created.event.time),
    }
}

/// A grant that only the inventory has, with its id.
type Older<'v> = (&'v String, &'v inventory::Grant);

/// Grants that KMS listed and that are older than the log: judged as others, but for who made them, which nobody knows.
fn older(key: &KeyView, shape: &Shape, grants: &[Older<'_>], stamp: &Stamp, cx: &Context<'_>) -> Option<Draft> {
    let (kind, account) = arn::grantee(&shape.grantee);
    let account = account.unwrap_or_default();
    let since = grants.iter().filter_map(|(_, grant)| grant.created).max().unwrap_or_default().max(cx.log_start());
    let used = grantee::has_used(key, &shape.grantee, account, since, cx);
    let unused = i64::from(cx.settings.options.over_broad_grant.never_used_days) * DAY;
    let about = About {
        kind,
        account,
        unknown: shape.operations.is_empty(),
        retiring: grants.iter().any(|(_, grant)| grant.retiring.is_some()),
        own: false,
        depth: 0,
        idle: Some(cx.as_of - since).filter(|idle| *idle >= unused && used == Some(false)),
    };
    let verdict = judge(key, &about, shape, cx)?;
    let mut draft = Draft::of_key(key, verdict.severity, Confidence::Medium);
    draft.subject =
        vec!["inventory".into(), shape.grantee.clone(), shape.operations.join(","), shape.constraints.join(",")];
    draft.anchor = "inventory".into();
    (draft.first_seen, draft.last_seen) = (stamp.captured_at, stamp.captured_at);
    draft.count = grants.len() as u64;
    let whom = grantee_label(kind, account, &shape.grantee);
    draft.title = format!(
        "{}: {whom} has a grant of {}{}, seen in the inventory of {}",
        key.label(),
        list(&shape.operations, 3),
        if shape.constrained() { "" } else { " without constraints" },
        told::when(stamp)
    );
    let first = grants.iter().map(|(_, grant)| *grant).min_by_key(|grant| grant.created)?;
    let constrained = first.constraints.as_deref().map(|json| cx.constraints(json));
    draft.fact("why", verdict.reasons.join("; "));
    draft.fact("grantee", shape.grantee.clone());
    let operations = if about.unknown { "not in the answer".into() } else { shape.operations.join(", ") };
    draft.fact("operations", operations);
    draft.fact("constraints", constrained.as_deref().unwrap_or("none"));
    draft.fact("retiring principal", first.retiring.as_deref().unwrap_or("none"));
    let when = first.created.map_or("not known when".into(), |at| format!("{}, as KMS says", instant(at)));
    let issuer = first.issuer.as_deref().map_or(String::new(), |issuer| format!("; issued by {}", plain(issuer)));
    draft.fact("created", format!("{when}; by whom is not known{issuer}"));
    draft.fact("open", plural(grants.len() as u64, "grant"));
    draft.detail("grantee", Detail::Text(shape.grantee.clone()));
    draft.detail("grantee_account", text_or_null(account));
    draft.detail("grantee_kind", text_or_null(kind));
    draft.detail("operations", Detail::List(shape.operations.iter().cloned().map(Detail::Text).collect()));
    draft.detail("constraints", constrained.map_or(Detail::Null, |text| Detail::Text(text.into_owned())));
    draft.detail("reasons", Detail::List(verdict.reasons.into_iter().map(Detail::Text).collect()));
    draft.detail("used", used.map_or(Detail::Null, Detail::Bool));
    let ids = grants.iter().take(20).map(|(id, _)| Detail::Text((*id).clone())).collect();
    draft.detail("open_grant_ids", Detail::List(ids));
    draft.detail("grants_open", Detail::Int(grants.len() as i64));
    draft.detail("grants_total", Detail::Int(grants.len() as i64));
    told::cite(&mut draft, Call::ListGrants, stamp, Role::Primary, cx);
    draft.remediation = format!(
        "If nobody can say why it exists, end it:\naws kms revoke-grant --region {} --key-id {} --grant-id {}\nThen look at \
         what {whom} did with the key, as far back as logs go.",
        word(&key.region),
        word(&key.arn),
        word(grants[0].0)
    );
    Some(draft)
}

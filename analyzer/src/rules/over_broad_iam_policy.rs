//! Rule `over-broad-iam-policy`. Its page, `over_broad_iam_policy.md`, says what it finds and what it misses.

use std::collections::{BTreeMap, BTreeSet};

use super::kit::policies::{self, Mark, Spell, mark, marks};
use super::prelude::*;
use crate::policy::{Exposure, Policy, judge_iam_policy};
use crate::view::documents::PolicyDocument;

pub(super) static RULE: Rule = Rule {
    id: "over-broad-iam-policy",
    summary: "an IAM policy gives rights on every key: decryption, grants or administration",
    doc: include_str!("over_broad_iam_policy.md"),
    severity: Severity::Medium,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1098"],
    controls: &["AWS FSBP KMS.1", "AWS FSBP KMS.2", "NIST 800-53 r5 AC-6", "ISO 27001:2022 A.8.24", "SOC 2 CC6.3"],
    detect: Detect { documents: Some(detect), ..Detect::NONE },
};

/// Account, holder and name of a policy: its versions follow each other.
type Slot<'d> = (&'d str, &'d str, &'d str);

fn detect(documents: &[PolicyDocument], cx: &Context<'_>) -> Vec<Draft> {
    let mut slots: BTreeMap<Slot<'_>, Vec<&PolicyDocument>> = BTreeMap::new();
    for document in documents.iter().filter(|document| document.error.is_none()) {
        let holder = document.holder.as_deref().unwrap_or_default();
        let slot = (cx.text(document.account), holder, cx.text(document.policy_name));
        slots.entry(slot).or_default().push(document);
    }
    slots.iter().flat_map(|(slot, versions)| of_slot(*slot, versions, cx)).collect()
}

fn of_slot(slot: Slot<'_>, versions: &[&PolicyDocument], cx: &Context<'_>) -> Vec<Draft> {
    let judge = |version: &&PolicyDocument| {
        let policy = Policy::parse(version.document.as_deref()?).ok()?;
        Some(judge_iam_policy(&policy))
    };
    let judged: Vec<Option<Vec<Exposure>>> = versions.iter().map(judge).collect();
    let held: Vec<Option<BTreeSet<Mark>>> =
        judged.iter().map(|exposures| exposures.as_ref().map(|exposures| marks(exposures))).collect();
    policies::spells(&held)
        .iter()
        .filter_map(|spell| finding(slot, versions, judged[spell.from].as_deref()?, spell, cx))
        .collect()
}

fn finding(
    (account, holder, policy_name): Slot<'_>,
    versions: &[&PolicyDocument],
    exposures: &[Exposure],
    spell: &Spell<Mark>,
    cx: &Context<'_>,
) -> Option<Draft> {
    let new: Vec<&Exposure> = exposures.iter().filter(|exposure| spell.what.contains(&mark(exposure))).collect();
    let worst = new.iter().max_by_key(|exposure| (exposure.severity, exposure.confidence))?;
    let cause = versions[spell.from];
    let end = spell.until.map(|until| versions[until]);
    let (severity, confidence) = (worst.severity, worst.confidence);
    let mut draft = Draft::of_account(account, cx.text(cause.region), severity, confidence);
    draft.subject = vec![holder.into(), policy_name.into()];
    draft.anchor = cx.id(&cause.event);
    draft.principal = Some(cx.principal(&cause.actor));
    draft.first_seen = cause.event.time;
    draft.last_seen = end.map_or(cause.event.time, |end| end.event.time);
    draft.count = 1;
    if end.is_some() {
        draft.status = Status::Closed;
        draft.severity = severity.min(Severity::Low);
    }
    let who = cx.who(&cause.actor);
    let of = if holder.is_empty() { "a policy".into() } else { short_principal(holder) };
    draft.title = format!("{of}: {} (written by {who})", plain(&worst.reason));
    let name = plain(cx.text(cause.name)).into_owned();
    let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    draft.fact("cause", format!("{name} by {who} from {from} at {}", instant(cause.event.time)));
    draft.fact("holder", if holder.is_empty() { "not in the log".into() } else { plain(holder).into_owned() });
    if !policy_name.is_empty() {
        draft.fact("policy", plain(policy_name).into_owned());
    }
    for exposure in new.iter().take(EVIDENCE) {
        let place = match exposure.sid.as_deref().filter(|sid| !sid.is_empty()) {
            Some(sid) => format!("statement {} ({})", exposure.statement + 1, plain(sid)),
            None => format!("statement {}", exposure.statement + 1),
        };
        draft.fact("allows", format!("{place}: {}", plain(&exposure.reason)));
    }
    draft.fact(
        "now",
        match end {
            Some(end) => format!("over: {} wrote another version at {}", cx.who(&end.actor), instant(end.event.time)),
            None => format!("as written, {} ago", length(cx.as_of - cause.event.time)),
        },
    );
    let texts = |items: BTreeSet<&str>| Detail::List(items.into_iter().map(|item| Detail::Text(item.into())).collect());
    draft.detail("holder", text_or_null(holder));
    draft.detail("policy_name", text_or_null(policy_name));
    draft.detail("kinds", texts(new.iter().map(|exposure| exposure.kind.id()).collect()));
    draft.detail("rights", texts(new.iter().flat_map(|e| e.actions.iter().map(|class| class.id())).collect()));
    draft.detail("ended", end.map_or(Detail::Null, |end| Detail::Time(end.event.time)));
    let evidence = |document: &PolicyDocument, role| cx.evidence(&document.event, cx.text(document.name), None, role);
    draft.evidence.push(evidence(cause, Role::Cause));
    draft.evidence.extend(end.map(|end| evidence(end, Role::Resolution)));
    draft.remediation = match end {
        Some(_) => "Nothing for the policy. See whether its holder decrypted anything in that time.".into(),
        None => "Name the keys in Resource, or bind the statement with kms:ViaService, kms:ResourceAliases or \
                 aws:ResourceTag conditions. Who may use a key is then decided in two places, not for all keys at once."
            .into(),
    };
    Some(draft)
}

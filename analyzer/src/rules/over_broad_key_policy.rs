//! Rule `over-broad-key-policy`. Its page, `over_broad_key_policy.md`, says what it finds and what it misses.

use std::collections::BTreeSet;

use super::kit::policies::{self, By, Mark, Spell, Standing, mark, marks};
use super::kit::told;
use super::prelude::*;
use crate::inventory::Call;
use crate::policy::{self, Exposure, Policy, diff, judge_key_policy};

pub(super) static RULE: Rule = Rule {
    id: "over-broad-key-policy",
    summary: "a key policy lets others in than its owner's account, or gives more than they need",
    doc: include_str!("over_broad_key_policy.md"),
    severity: Severity::High,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1098", "T1537"],
    controls: &["AWS FSBP KMS.5", "PCI DSS 4.0.1 3.6.1", "NIST 800-53 r5 AC-6", "ISO 27001:2022 A.8.24", "SOC 2 CC6.3"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    if key.is_aws_managed() {
        return Vec::new();
    }
    let versions = policies::standing(key, cx);
    let trusted = |account: &str| account != key.account && cx.settings.is_trusted(account);
    let member = |account: &str| cx.settings.accounts.is_member(account);
    let context = policy::Context {
        account: &key.account,
        trusted: &trusted,
        member: &member,
        organization: cx.settings.accounts.organization.as_deref(),
    };
    let judged: Vec<Option<Vec<Exposure>>> =
        versions.iter().map(|version| Some(judge_key_policy(version.policy.as_ref().ok()?, &context))).collect();
    let held: Vec<Option<BTreeSet<Mark>>> =
        judged.iter().map(|exposures| exposures.as_ref().map(|exposures| marks(exposures))).collect();
    let mut drafts: Vec<Draft> = policies::spells(&held)
        .iter()
        .filter_map(|spell| finding(key, &versions, judged[spell.from].as_deref()?, spell, cx))
        .collect();
    drafts.extend(versions.last().and_then(|version| unreadable(key, version, cx)));
    drafts
}

fn finding(
    key: &KeyView,
    versions: &[Standing<'_>],
    exposures: &[Exposure],
    spell: &Spell<Mark>,
    cx: &Context<'_>,
) -> Option<Draft> {
    let new: Vec<&Exposure> = exposures.iter().filter(|exposure| spell.what.contains(&mark(exposure))).collect();
    let worst = new.iter().max_by_key(|exposure| (exposure.severity, exposure.confidence))?;
    let cause = versions[spell.from].by;
    let end = spell.until.map(|until| versions[until].by);
    let severity = worst.severity;
    let mut draft = Draft::of_key(key, severity, worst.confidence);
    draft.first_seen = cause.at();
    draft.last_seen = end.map_or(cause.at(), |end| end.at());
    draft.count = 1;
    draft.status = if end.is_some() { Status::Closed } else { Status::Open };
    if end.is_some() {
        draft.severity = severity.min(Severity::Low);
    }
    match cause {
        By::Event(cause) => {
            draft.anchor = cx.id(&cause.event);
            draft.principal = Some(cx.principal(&cause.actor));
            let who = cx.who(&cause.actor);
            draft.title = format!("{}: {} (policy of {who})", key.label(), plain(&worst.reason));
            let name = plain(cx.text(Some(cause.name))).into_owned();
            let from = plain(cause.actor.source_ip.as_deref().unwrap_or("an unknown address"));
            draft.fact("cause", format!("{name} by {who} from {from} at {}", instant(cause.event.time)));
            draft.evidence.push(cx.control_evidence(cause, Role::Cause));
        }
        By::Said(stamp) => {
            // The next answer has another time: what it says is what tells one finding from another.
            draft.anchor = "inventory".into();
            let said = |(kind, who, rights): &Mark| format!("{kind}:{}:{}", who.join(","), rights.join(","));
            draft.subject = spell.what.iter().map(said).collect();
            let reason = plain(&worst.reason);
            let when = told::when(stamp);
            draft.title = format!("{}: {reason} (policy seen in the inventory of {when})", key.label());
            draft.fact("cause", "not in the log: who set the policy, and when, is not known");
            told::cite(&mut draft, Call::GetKeyPolicy, stamp, Role::Primary, cx);
        }
    }
    for exposure in new.iter().take(EVIDENCE) {
        draft.fact("allows", format!("{}: {}", statement(exposure), plain(&exposure.reason)));
    }
    if let Some(more @ 1..) = new.len().checked_sub(EVIDENCE) {
        draft.fact("allows", format!("and {more} more"));
    }
    let before = versions[..spell.from].last().map(|version| version.policy.as_ref().ok());
    let now = versions[spell.from].policy.as_ref().ok()?;
    let (gained, lost) = changes(before, now, &mut draft);
    draft.fact(
        "now",
        match end {
            Some(By::Event(set)) => format!(
                "over: {} set another policy at {}, after {}",
                cx.who(&set.actor),
                instant(set.event.time),
                length(set.event.time - cause.at())
            ),
            Some(By::Said(stamp)) => format!("over: KMS told another policy at {}", told::when(stamp)),
            None => match cause {
                By::Event(cause) => format!("in force for {}", length(cx.as_of - cause.event.time)),
                By::Said(stamp) => format!("in force at {}, and nobody set another one since", told::when(stamp)),
            },
        },
    );
    let texts = |items: BTreeSet<&str>| Detail::List(items.into_iter().map(|item| Detail::Text(item.into())).collect());
    draft.detail("kinds", texts(new.iter().map(|exposure| exposure.kind.id()).collect()));
    let principals = new.iter().flat_map(|exposure| exposure.principals.iter().map(String::as_str)).collect();
    draft.detail("principals", texts(principals));
    draft.detail("rights", texts(new.iter().flat_map(|e| e.actions.iter().map(|class| class.id())).collect()));
    draft.detail(
        "statements",
        texts(
            new.iter()
                .map(|exposure| statement(exposure))
                .collect::<BTreeSet<_>>()
                .iter()
                .map(String::as_str)
                .collect(),
        ),
    );
    draft.detail("gained", Detail::List(gained));
    draft.detail("lost", Detail::List(lost));
    draft.detail("ended", end.map_or(Detail::Null, |end| Detail::Time(end.at())));
    draft.evidence.extend(end.map(|end| match end {
        By::Event(end) => cx.control_evidence(end, Role::Resolution),
        By::Said(stamp) => cx.answer(Call::GetKeyPolicy, stamp, Role::Resolution),
    }));
    draft.remediation = match end {
        Some(_) => "Nothing for the policy. See what those whom it let in did with the key in that time.".into(),
        None => format!(
            "Name the principals that need the key, or bind the statement with aws:PrincipalOrgID, aws:SourceAccount or \
             kms:CallerAccount; see the policy first:\naws kms get-key-policy --region {} --key-id {}",
            word(&key.region),
            word(&key.arn)
        ),
    };
    Some(draft)
}

/// What the version changed, as facts and as details.
fn changes(before: Option<Option<&Policy>>, now: &Policy, draft: &mut Draft) -> (Vec<Detail>, Vec<Detail>) {
    let Some(Some(before)) = before else {
        let what = if before.is_some() { "unreadable" } else { "not in the log" };
        draft.fact("version before", what);
        return (Vec::new(), Vec::new());
    };
    let diff = diff(Some(before), now);
    let mut said = |label: &'static str, changes: &[policy::Change]| -> Vec<Detail> {
        for change in changes.iter().take(EVIDENCE) {
            draft.fact(label, plain(&change.text).into_owned());
        }
        if let Some(more @ 1..) = changes.len().checked_sub(EVIDENCE) {
            draft.fact(label, format!("and {more} more"));
        }
        changes.iter().take(100).map(|change| Detail::Text(change.text.clone())).collect()
    };
    let gained = said("gained", &diff.gained);
    (gained, said("lost", &diff.lost))
}

fn statement(exposure: &Exposure) -> String {
    match exposure.sid.as_deref().filter(|sid| !sid.is_empty()) {
        Some(sid) => format!("statement {} ({})", exposure.statement + 1, plain(sid)),
        None => format!("statement {}", exposure.statement + 1),
    }
}

/// The policy in force says nothing that can be judged: never read that as harmless.
fn unreadable(key: &KeyView, version: &Standing<'_>, cx: &Context<'_>) -> Option<Draft> {
    let reason = version.policy.as_ref().err()?;
    let at = version.by.at();
    let mut draft = Draft::of_key(key, Severity::Low, Confidence::Low);
    draft.subject = vec!["unreadable".into()];
    (draft.first_seen, draft.last_seen) = (at, at);
    draft.count = 1;
    draft.title = format!("{}: the policy in force cannot be judged: {reason}", key.label());
    match version.by {
        By::Event(cause) => {
            draft.anchor = cx.id(&cause.event);
            draft.principal = Some(cx.principal(&cause.actor));
            draft.fact("set", format!("by {} at {}", cx.who(&cause.actor), instant(at)));
            draft.evidence.push(cx.control_evidence(cause, Role::Cause));
        }
        By::Said(stamp) => {
            draft.anchor = "inventory".into();
            told::cite(&mut draft, Call::GetKeyPolicy, stamp, Role::Primary, cx);
        }
    }
    draft.detail("kinds", Detail::List(vec![Detail::Text("unreadable".into())]));
    draft.remediation = format!("aws kms get-key-policy --region {} --key-id {}", word(&key.region), word(&key.arn));
    Some(draft)
}

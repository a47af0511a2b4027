//! Rule `trail-key-cut-off`. Its page, `trail_key_cut_off.md`, says what it finds and what it misses.

use super::kit::policies::versions;
use super::kit::stretch::SETTLING;
use super::prelude::*;
use crate::policy::{ServiceCall, lets_service};
use crate::view::activity::Series;
use crate::view::resources::ResourceUse;

pub(super) static RULE: Rule = Rule {
    id: "trail-key-cut-off",
    summary: "the key that encrypts a trail's logs was taken from CloudTrail: the trail delivers nothing more",
    doc: include_str!("trail_key_cut_off.md"),
    severity: Severity::High,
    confidence: Confidence::High,
    timing: Timing::Monotone,
    attack: &["T1562.008"],
    controls: &["SOC 2 CC7.2"],
    detect: Detect { key: Some(detect), ..Detect::NONE },
};

/// CloudTrail asks for a data key at least every few hours while a trail delivers: a key that it left alone for longer is not
/// the trail's any more.
const STILL_USED: i64 = 2 * DAY;

/// CloudTrail's own name.
const CLOUDTRAIL: &str = "cloudtrail.amazonaws.com";

/// Under this name CloudTrail states the trail in the encryption context.
const TRAIL_CONTEXT: &str = "aws:cloudtrail:arn";

/// Most trails that are asked about, the most used ones: a key has one or two, and whoever may use it can make up names.
const TRAILS: usize = 32;

/// From when on CloudTrail cannot use the key.
struct Cut<'v> {
    by: &'v ControlEvent,
    back: Option<&'v ControlEvent>,
    /// Trails that it is about.
    trails: Vec<&'v ResourceUse>,
    /// The policy before it is not known: only that CloudTrail used the key says that it was let in.
    is_first: bool,
}

fn detect(key: &KeyView, cx: &Context<'_>) -> Vec<Draft> {
    let mut trails: Vec<&ResourceUse> = key.resources.iter().filter(|resource| is_trail(&resource.name)).collect();
    if trails.is_empty() {
        return Vec::new();
    }
    trails.sort_by_key(|trail| (std::cmp::Reverse(trail.uses), &trail.name));
    trails.truncate(TRAILS);
    trails.sort_by_key(|trail| &trail.name);
    let mut cuts = states(key, &trails);
    cuts.extend(policies(key, &trails, cx));
    cuts.iter().filter_map(|cut| finding(key, cut, cx)).collect()
}

fn is_trail(resource: &str) -> bool {
    // No trail has a longer name; whoever may use the key could make one up.
    const LONGEST: usize = 256;
    let mut fields = resource.splitn(6, ':');
    resource.len() <= LONGEST
        && fields.next() == Some("arn")
        && fields.nth(1) == Some("cloudtrail")
        && fields.nth(2).is_some_and(|rest| rest.starts_with("trail/"))
}

/// The key was made unusable altogether.
fn states<'v>(key: &'v KeyView, trails: &[&'v ResourceUse]) -> Vec<Cut<'v>> {
    let mut cuts: Vec<Cut<'v>> = Vec::new();
    for change in &key.history.states {
        let by = &key.events[change.by];
        let open = cuts.last_mut().filter(|cut| cut.back.is_none());
        match (change.state.is_unusable(), open) {
            (true, None) if key.history.created != Some(change.by) => {
                cuts.push(Cut { by, back: None, trails: trails.to_vec(), is_first: false });
            }
            (false, Some(cut)) => cut.back = Some(by),
            _ => {}
        }
    }
    cuts
}

/// A new policy took the right to make data keys from CloudTrail, for trails that the policy before let in; where that is older
/// than the log or cannot be read, for all that used the key.
fn policies<'v>(key: &'v KeyView, trails: &[&'v ResourceUse], cx: &Context<'_>) -> Vec<Cut<'v>> {
    let mut cuts: Vec<Cut<'v>> = Vec::new();
    let mut before: Option<Vec<&'v ResourceUse>> = None;
    for version in versions(key, cx) {
        let Ok(policy) = &version.policy else {
            before = None;
            continue;
        };
        let by = &key.events[version.by];
        let is_let_in = |trail: &&ResourceUse| {
            let context = [(TRAIL_CONTEXT, &*trail.name)];
            let (service, action, source) = (CLOUDTRAIL, "GenerateDataKey", &*trail.name);
            lets_service(policy, &key.account, &ServiceCall { service, action, source, context: &context })
        };
        let now: Vec<&'v ResourceUse> = trails.iter().copied().filter(is_let_in).collect();
        for cut in cuts.iter_mut().filter(|cut| cut.back.is_none()) {
            if cut.trails.iter().all(|trail| now.contains(trail)) {
                cut.back = Some(by);
            }
        }
        let is_first = before.is_none() && key.history.created != Some(version.by);
        let had = before.unwrap_or_else(|| if is_first { trails.to_vec() } else { Vec::new() });
        let lost: Vec<&'v ResourceUse> = had.into_iter().filter(|trail| !now.contains(trail)).collect();
        if !lost.is_empty() {
            cuts.push(Cut { by, back: None, trails: lost, is_first });
        }
        before = Some(now);
    }
    cuts
}

fn finding(key: &KeyView, cut: &Cut<'_>, cx: &Context<'_>) -> Option<Draft> {
    let at = cut.by.event.time;
    let used = |trail: &&ResourceUse| trail.first <= at && trail.last >= at - STILL_USED;
    let trails: Vec<&ResourceUse> = cut.trails.iter().copied().filter(used).collect();
    // Of several trails with the same key, another one may deliver on.
    let goes_on = trails.iter().any(|trail| trail.last > at + SETTLING);
    let trails: Vec<&str> = trails.into_iter().map(|trail| &*trail.name).collect();
    let first = trails.first()?;
    let by_trail = |series: &&Series| {
        series.succeeded() && [series.key.via, series.key.principal].into_iter().any(|who| cx.text(who) == CLOUDTRAIL)
    };
    let delivered = || key.series.iter().filter(by_trail).flat_map(|series| &series.cells);
    let last = delivered().map(|cell| cell.last()).filter(|last| *last <= at + SETTLING).max();
    let since = delivered().map(|cell| cell.first.time).filter(|time| goes_on && *time > at + SETTLING).min();
    // Reads of the logs alone do not make it the key of a trail that still writes.
    let last = last.filter(|last| *last >= at - STILL_USED)?;
    // It was not let in by the policy alone, then: the new one takes nothing.
    if cut.is_first && cut.back.is_none() && since.is_some() {
        return None;
    }
    let back = cut.back.map(|back| back.event.time).or(since);
    let severity = if back.is_some() { Severity::Medium } else { RULE.severity };
    let confidence = if cut.is_first { Confidence::Medium } else { RULE.confidence };
    let mut draft = Draft::of_key(key, severity, confidence);
    draft.subject = vec![(*first).to_string()];
    draft.anchor = cx.id(&cut.by.event);
    draft.principal = Some(cx.principal(&cut.by.actor));
    draft.first_seen = at;
    draft.last_seen = back.unwrap_or(at);
    draft.count = 1;
    draft.status = if back.is_some() { Status::Closed } else { Status::Open };
    let who = cx.who(&cut.by.actor);
    let name = |trail: &str| plain(trail.rsplit('/').next().unwrap_or(trail)).into_owned();
    let action = cx.text(Some(cut.by.name));
    draft.title = format!("{action} by {who} took the key of trail {} from CloudTrail at {}", name(first), instant(at));
    let from = plain(cut.by.actor.source_ip.as_deref().unwrap_or("an unknown address"));
    draft.fact("cause", format!("{action} by {who} from {from} at {}", instant(at)));
    for trail in trails.iter().take(3) {
        draft.fact("trail", plain(trail).into_owned());
    }
    if cut.is_first {
        draft.fact("before", "the policy before is not in the log; CloudTrail used the key under it".to_string());
    }
    draft.fact("last delivery", format!("{}, as far as its data keys show", instant(last)));
    draft.fact(
        "now",
        match back {
            Some(back) => {
                format!("over: CloudTrail can use it again since {}, after {}", instant(back), length(back - at))
            }
            None => format!("cut off for {}; what happens meanwhile is not in this trail", length(cx.as_of - at)),
        },
    );
    draft.detail("trails", Detail::List(trails.iter().map(|trail| Detail::Text((*trail).to_string())).collect()));
    draft.detail("last_delivery", Detail::Time(last));
    draft.detail("ended", back.map_or(Detail::Null, Detail::Time));
    draft.evidence.push(cx.control_evidence(cut.by, Role::Cause));
    draft.evidence.extend(cut.back.map(|back| cx.control_evidence(back, Role::Resolution)));
    draft.remediation = format!(
        "See whether the trail still delivers, and give it a key that it can use. For the time without it, read the event history of the \
         account (90 days) and other trails:\naws cloudtrail get-trail-status --region {} --name {} --query \
         '[IsLogging,LatestDeliveryTime,LatestDeliveryError]'",
        word(first.split(':').nth(3).unwrap_or(&key.region)),
        word(first)
    );
    Some(draft)
}

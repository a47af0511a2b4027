//! Keys that are switched off on trial before their deletion, to see who still needs them.

use super::context::Context;
use super::outage::Outage;
use crate::view::KeyView;
use crate::view::ledger::ControlEvent;

/// True if the key is declared to be switched off on trial, by the configuration or by a tag that it had when it was, and no
/// more than switched off. A tag that comes later may come from whoever wants the outage to look like a trial.
pub fn is_declared(key: &KeyView, outage: &Outage<'_>, cause: &ControlEvent, cx: &Context<'_>) -> bool {
    let deleted = |control: &ControlEvent| cx.text(Some(control.name)) == "ScheduleKeyDeletion";
    if cx.text(Some(cause.name)) != "DisableKey" || outage.context.iter().any(|control| deleted(control)) {
        return false;
    }
    let mut names = vec![key.arn.as_str(), key.id.as_str()];
    names.extend(key.aliases.iter().map(String::as_str));
    cx.settings.keys.soaks(&names)
        || cx.settings.keys.soak_tag.as_deref().is_some_and(|tag| has_tag(key, tag, cause.event.time, cx))
}

/// True if the key has a tag at an instant, as far as the log tells.
fn has_tag(key: &KeyView, tag: &str, at: i64, cx: &Context<'_>) -> bool {
    let mut has = false;
    for control in key.events.iter().filter(|control| control.error.is_none() && control.event.time <= at) {
        let detail = &control.detail;
        match cx.text(Some(control.name)) {
            "CreateKey" | "TagResource" => {
                let tags = detail.tags.as_deref().and_then(|json| serde_json::from_str(json).ok());
                let tags: serde_json::Map<String, serde_json::Value> = tags.unwrap_or_default();
                has |= tags.contains_key(tag);
            }
            "UntagResource" => {
                let gone: Vec<String> =
                    detail.tag_keys.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
                has &= !gone.iter().any(|one| one == tag);
            }
            _ => {}
        }
    }
    has
}

//! Trail control: windows in which a trail was stopped or did not log KMS.

use std::collections::BTreeMap;

use serde_json::Value;

use super::coverage::{BlindWindow, Blindness};
use super::event::EventRef;
use crate::frame::{Columns, Dictionary, Sym};

/// One call that changes what a trail logs.
#[derive(Clone, Debug)]
pub(super) struct TrailEvent {
    pub(super) event: EventRef,
    name: Option<Sym>,
    error: Option<Sym>,
    account: Option<Sym>,
    region: Option<Sym>,
    principal: Option<Sym>,
    trail: Option<Box<str>>,
    details: Option<Box<str>>,
}

impl TrailEvent {
    pub(super) fn read(columns: &Columns<'_>, row: usize, event: EventRef) -> Self {
        Self {
            event,
            name: columns.event_name.get(row),
            error: columns.error_code.get(row),
            account: columns.account.get(row),
            region: columns.region.get(row),
            principal: columns.principal.get(row),
            trail: columns.related_resource.get(row).map(Into::into),
            details: columns.details.get(row).map(Into::into),
        }
    }
}

/// Replays trail control into blind windows, sorted.
pub(super) fn blind_windows(mut events: Vec<TrailEvent>, dictionary: &Dictionary) -> Vec<BlindWindow> {
    events.sort_by_key(|control| control.event);
    let mut open: BTreeMap<(String, String, Blindness), BlindWindow> = BTreeMap::new();
    let mut done = Vec::new();
    for control in events.iter().filter(|control| control.error.is_none()) {
        let text = |sym: Option<Sym>| sym.map(|sym| dictionary.text(sym).to_string()).unwrap_or_default();
        let account = text(control.account);
        let trail = control.trail.as_deref().unwrap_or_default().to_string();
        let key = |what: Blindness| (account.clone(), short(&trail), what);
        let begin = |what: Blindness| BlindWindow {
            account: account.clone(),
            region: text(control.region),
            trail: trail.clone(),
            what,
            from: control.event.time,
            to: None,
            by: text(control.principal),
        };
        let mut now = |what: Blindness, blind: bool| {
            if blind {
                open.entry(key(what)).or_insert_with(|| begin(what));
            } else if let Some(window) = open.remove(&key(what)) {
                done.push(BlindWindow { to: Some(control.event.time), ..window });
            }
        };
        match text(control.name).as_str() {
            "StopLogging" | "DeleteTrail" => now(Blindness::Stopped, true),
            "StartLogging" => now(Blindness::Stopped, false),
            "PutEventSelectors" => {
                let selected = selected(control.details.as_deref().unwrap_or_default());
                for what in [Blindness::KmsExcluded, Blindness::WriteOnly, Blindness::NoManagementEvents] {
                    now(what, selected.contains(&what));
                }
            }
            _ => {}
        }
    }
    done.extend(open.into_values());
    done.sort();
    done
}

/// Trail name without the ARN: both spellings name one trail.
fn short(trail: &str) -> String {
    trail.rsplit('/').next().unwrap_or(trail).to_string()
}

/// What these event selectors do not log. Member names are compared without case: the API writes them in upper camel
/// case, CloudTrail in lower.
fn selected(details: &str) -> Vec<Blindness> {
    let Ok(details) = serde_json::from_str::<Value>(details) else { return Vec::new() };
    let mut blind = Vec::new();
    let classic = items(member(&details, "eventSelectors"));
    if !classic.is_empty() {
        let management =
            |selector: &&Value| member(selector, "includeManagementEvents").and_then(Value::as_bool) != Some(false);
        let kept: Vec<&Value> = classic.into_iter().filter(management).collect();
        if kept.is_empty() {
            return vec![Blindness::NoManagementEvents];
        }
        let excludes = |selector: &&Value| {
            items(member(selector, "excludeManagementEventSources"))
                .iter()
                .any(|source| source.as_str() == Some("kms.amazonaws.com"))
        };
        if kept.iter().all(excludes) {
            blind.push(Blindness::KmsExcluded);
        }
        let write_only =
            |selector: &&Value| member(selector, "readWriteType").and_then(Value::as_str) == Some("WriteOnly");
        if kept.iter().all(write_only) {
            blind.push(Blindness::WriteOnly);
        }
        return blind;
    }
    let advanced = items(member(&details, "advancedEventSelectors"));
    if advanced.is_empty() {
        return blind;
    }
    let fields =
        |selector: &Value| -> Vec<Value> { items(member(selector, "fieldSelectors")).into_iter().cloned().collect() };
    let says = |field: &Value, name: &str, list: &str, value: &str| {
        member(field, "field").and_then(Value::as_str) == Some(name)
            && items(member(field, list)).iter().any(|item| item.as_str() == Some(value))
    };
    let management: Vec<Vec<Value>> = advanced
        .iter()
        .map(|selector| fields(selector))
        .filter(|fields| fields.iter().any(|field| says(field, "eventCategory", "equals", "Management")))
        .collect();
    if management.is_empty() {
        return vec![Blindness::NoManagementEvents];
    }
    if management
        .iter()
        .all(|fields| fields.iter().any(|field| says(field, "eventSource", "notEquals", "kms.amazonaws.com")))
    {
        blind.push(Blindness::KmsExcluded);
    }
    if management.iter().all(|fields| fields.iter().any(|field| says(field, "readOnly", "equals", "false"))) {
        blind.push(Blindness::WriteOnly);
    }
    blind
}

fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn items(value: Option<&Value>) -> Vec<&Value> {
    value.and_then(Value::as_array).map(|items| items.iter().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Blindness, selected};

    #[test]
    fn selectors_tell_what_they_leave_out() {
        let cases = [
            (
                r#"{"eventSelectors":[{"readWriteType":"All","includeManagementEvents":true,"excludeManagementEventSources":["kms.amazonaws.com"]}]}"#,
                vec![Blindness::KmsExcluded],
            ),
            (
                r#"{"EventSelectors":[{"ReadWriteType":"WriteOnly","IncludeManagementEvents":true}]}"#,
                vec![Blindness::WriteOnly],
            ),
            (r#"{"eventSelectors":[{"includeManagementEvents":false}]}"#, vec![Blindness::NoManagementEvents]),
            (r#"{"eventSelectors":[{"readWriteType":"All"}]}"#, vec![]),
            (
                r#"{"advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Management"]},{"field":"eventSource","notEquals":["kms.amazonaws.com"]}]}]}"#,
                vec![Blindness::KmsExcluded],
            ),
            (
                r#"{"advancedEventSelectors":[{"fieldSelectors":[{"field":"eventCategory","equals":["Data"]}]}]}"#,
                vec![Blindness::NoManagementEvents],
            ),
            ("not json", vec![]),
        ];
        for (details, expected) in cases {
            assert_eq!(selected(details), expected, "{details}");
        }
    }
}

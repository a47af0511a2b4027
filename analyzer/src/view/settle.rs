//! Closes the folded views: everything sorted by text, names resolved, histories replayed. Nothing after this stage
//! depends on the order in which rows came.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt};

use super::coverage::{BlindWindow, Gap};
use super::event::EventIds;
use super::fold::{HOUR_MS, KeyFold, Loose, Span, Views, drain};
use super::history::History;
use super::key::{KeyView, parts};
use super::ledger::ControlEvent;
use super::resources::ResourceUse;
use super::trails::blind_windows;
use crate::frame::{Dictionary, Sym};

/// Round of what is counted after folding.
const LAST_ROUND: u32 = u32::MAX;

/// Views ready for the rules.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Keys by ARN.
    pub keys: Vec<KeyView>,
    /// Failures that a key caused, whose key nothing in the log tells.
    pub unresolved: u64,
    /// KMS events after deduplication.
    pub kms: u64,
    /// Other services' rows after deduplication.
    pub related: u64,
    /// Rows that said again what another row says.
    pub duplicates: u64,
    /// KMS events per operation.
    pub operations: BTreeMap<String, u64>,
    /// First and last event time.
    pub span: Option<Span>,
    /// Hours with rows, per account and Region of the log.
    pub hours: BTreeMap<(String, String), BTreeSet<i64>>,
    /// Windows in which a trail did not log KMS.
    pub blind: Vec<BlindWindow>,
    /// Texts of event ids that are not GUIDs.
    pub ids: EventIds,
}

impl Settled {
    /// The key with this ARN.
    pub fn key(&self, arn: &str) -> Option<&KeyView> {
        self.keys.binary_search_by(|key| key.arn.as_str().cmp(arn)).ok().map(|at| &self.keys[at])
    }
}

impl Views {
    /// Closes the views.
    pub fn settle(mut self, dictionary: &Dictionary) -> Settled {
        let text = |sym: Sym| dictionary.text(sym).to_string();
        let place = |sym: Option<Sym>| sym.map(text).unwrap_or_default();

        let mut keys: Vec<Draft> =
            drain(std::mem::take(&mut self.keys)).map(|(sym, fold)| draft(sym, fold, dictionary)).collect();
        keys.sort_by(|a, b| a.view.arn.cmp(&b.view.arn));

        let aliases = Aliases::new(&keys, &self.aliases, dictionary);
        let unresolved = resolve(&mut keys, std::mem::take(&mut self.loose), &aliases, dictionary);
        for (key, names) in aliases.current() {
            if let Some(at) = find(&keys, key) {
                keys[at].view.aliases = names;
            }
        }
        join_replicas(&mut keys, dictionary);

        Settled {
            keys: keys.into_iter().map(|key| key.settle(dictionary)).collect(),
            unresolved,
            kms: self.kms,
            related: self.related,
            duplicates: self.duplicates,
            operations: drain(self.operations).map(|(name, count)| (text(name), count)).collect(),
            span: self.span,
            hours: drain(self.hours)
                .map(|((account, region), hours)| ((place(account), place(region)), hours))
                .collect(),
            blind: blind_windows(self.trails, dictionary),
            ids: self.ids,
        }
    }
}

/// A key whose activity may still gain failures that named it only indirectly.
struct Draft {
    view: KeyView,
    fold: KeyFold,
}

impl Draft {
    fn settle(self, dictionary: &Dictionary) -> KeyView {
        KeyView { series: self.fold.activity.settle(dictionary), ..self.view }
    }
}

fn draft(sym: Sym, mut fold: KeyFold, dictionary: &Dictionary) -> Draft {
    let arn = dictionary.text(sym).to_string();
    let (account, region, id) = parts(&arn);
    let events: Vec<ControlEvent> = std::mem::take(&mut fold.ledger).settle(&|sym| dictionary.text(sym).to_string());
    let history = History::replay(&events, dictionary);
    let (resources, resources_overflow) = std::mem::take(&mut fold.resources).settle();
    let view = KeyView {
        sym,
        arn,
        id,
        account,
        region,
        aliases: Vec::new(),
        events,
        history,
        series: Vec::new(),
        resources,
        resources_overflow,
        primary: None,
    };
    Draft { view, fold }
}

fn find(keys: &[Draft], arn: &str) -> Option<usize> {
    keys.binary_search_by(|key| key.view.arn.as_str().cmp(arn)).ok()
}

/// Which key an alias pointed at, and when.
struct Aliases {
    /// Alias ARN → changes in order of time: the key it points at from then on, `None` once deleted.
    changes: BTreeMap<String, Vec<(i64, Option<String>)>>,
    /// Alias ARN → keys that a record named together with it, with the last such time.
    observed: BTreeMap<String, BTreeMap<String, i64>>,
}

impl Aliases {
    fn new(keys: &[Draft], observed: &HashMap<(Sym, Sym), Span>, dictionary: &Dictionary) -> Self {
        let mut changes: BTreeMap<String, Vec<(i64, Option<String>)>> = BTreeMap::new();
        for key in keys {
            for (alias, own) in &key.view.history.aliases {
                let own = own.iter().map(|&(at, points)| (at, points.then(|| key.view.arn.clone())));
                changes.entry(alias.clone()).or_default().extend(own);
            }
        }
        // A deletion and a creation within one second: the creation came last, or the alias would not exist.
        changes.values_mut().for_each(|list| list.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1))));
        let mut seen: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
        #[expect(clippy::iter_over_hash_type, reason = "goes into sorted maps")]
        for (&(alias, key), &(_, last)) in observed {
            seen.entry(dictionary.text(alias).into()).or_default().insert(dictionary.text(key).into(), last);
        }
        Self { changes, observed: seen }
    }

    /// The key that an alias pointed at.
    fn at(&self, alias: &str, time: i64) -> Option<&str> {
        let changed = self.changes.get(alias).and_then(|list| list.iter().rev().find(|change| change.0 <= time));
        match changed {
            Some((_, key)) => key.as_deref(),
            None => self.last_observed(alias),
        }
    }

    fn last_observed(&self, alias: &str) -> Option<&str> {
        self.observed.get(alias)?.iter().max_by_key(|(_, last)| **last).map(|(key, _)| key.as_str())
    }

    /// Key ARN → names of the aliases that point at it in the end.
    fn current(&self) -> BTreeMap<&str, Vec<String>> {
        let mut current: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for alias in self.changes.keys().chain(self.observed.keys()).collect::<BTreeSet<_>>() {
            if let Some(key) = self.at(alias, i64::MAX) {
                let name = alias.find("alias/").map_or(alias.as_str(), |at| &alias[at..]);
                current.entry(key).or_default().push(name.to_string());
            }
        }
        current.values_mut().for_each(|names| {
            names.sort();
            names.dedup();
        });
        current
    }
}

/// Gives failures that name no key to the key that their alias or resource leads to; returns how many lead nowhere.
fn resolve(keys: &mut [Draft], loose: Vec<Loose>, aliases: &Aliases, dictionary: &Dictionary) -> u64 {
    let wanted: BTreeSet<&str> = loose.iter().filter_map(|loose| loose.resource.as_deref()).collect();
    let mut owners: HashMap<&str, Vec<(i64, usize)>> = HashMap::new();
    for (at, key) in keys.iter().enumerate() {
        for ResourceUse { name, first, .. } in &key.view.resources {
            if let Some(name) = wanted.get(&**name) {
                owners.entry(name).or_default().push((*first, at));
            }
        }
    }
    owners.values_mut().for_each(|list| list.sort_unstable());
    let targets: Vec<Option<usize>> = loose
        .iter()
        .map(|loose| {
            let by_alias = loose.alias.and_then(|alias| aliases.at(dictionary.text(alias), loose.event.time));
            if let Some(at) = by_alias.and_then(|arn| find(keys, arn)) {
                return Some(at);
            }
            // The key that came to the resource last before it failed.
            let list = owners.get(loose.resource.as_deref()?)?;
            let before = list.iter().rev().find(|(first, _)| *first <= loose.event.time);
            before.or(list.first()).map(|&(_, at)| at)
        })
        .collect();
    let mut unresolved = 0;
    for (loose, target) in loose.into_iter().zip(targets) {
        match target {
            Some(at) => keys[at].fold.activity.add(loose.series, loose.event, None, LAST_ROUND),
            None => unresolved += 1,
        }
    }
    unresolved
}

/// Points every multi-Region replica at its primary: the key of the same account and id that was replicated, or that
/// became primary since.
fn join_replicas(keys: &mut [Draft], dictionary: &Dictionary) {
    let mut primary: BTreeMap<(String, String), (i64, String)> = BTreeMap::new();
    for key in keys.iter().filter(|key| key.view.id.starts_with("mrk-")) {
        for control in key.view.events.iter().filter(|control| control.error.is_none()) {
            let region = match dictionary.text(control.name) {
                "ReplicateKey" => key.view.region.clone(),
                "UpdatePrimaryRegion" => match control.detail.primary_region {
                    Some(region) => dictionary.text(region).to_string(),
                    None => continue,
                },
                _ => continue,
            };
            let known =
                primary.entry((key.view.account.clone(), key.view.id.clone())).or_insert((i64::MIN, String::new()));
            if (control.event.time, &region) > (known.0, &known.1) {
                *known = (control.event.time, region);
            }
        }
    }
    for key in keys {
        let view = &mut key.view;
        if let Some((_, region)) = primary.get(&(view.account.clone(), view.id.clone()))
            && *region != view.region
        {
            view.primary = Some(view.arn.replacen(&format!(":{}:", view.region), &format!(":{region}:"), 1));
        }
    }
}

/// Runs of hours without any log, between the first and the last hour of each account and Region.
pub fn gaps(hours: &BTreeMap<(String, String), BTreeSet<i64>>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for ((account, region), hours) in hours {
        for (before, after) in hours.iter().zip(hours.iter().skip(1)) {
            if after - before > 1 {
                gaps.push(Gap {
                    account: account.clone(),
                    region: region.clone(),
                    from: (before + 1) * HOUR_MS,
                    to: after * HOUR_MS,
                });
            }
        }
    }
    gaps
}

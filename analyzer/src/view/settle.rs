//! Closes the folded views: everything sorted by text, names resolved, histories replayed. Nothing after this stage
//! depends on the order in which rows came.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt, HashSet};

use super::across::Across;
use super::aliases::Aliases;
use super::beside::Beside;
use super::coverage::{BlindWindow, Gap};
use super::documents::PolicyDocument;
use super::event::EventIds;
use super::fold::{HOUR_MS, KeyFold, Loose, Span, Views, drain};
use super::history::History;
use super::key::{KeyView, parts};
use super::ledger::ControlEvent;
use super::resources::ResourceUse;
use super::stores::Stores;
use super::trails::blind_windows;
use crate::extract::FailureClass;
use crate::frame::{Dictionary, Sym};

/// Round of what is counted after folding.
const LAST_ROUND: u32 = u32::MAX;

/// Views ready for the rules.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Keys by ARN.
    pub keys: Vec<KeyView>,
    /// Failures that a key caused, whose key nothing in the log tells.
    pub unresolved: Unresolved,
    /// KMS events after deduplication.
    pub kms: u64,
    /// Other services' rows after deduplication.
    pub related: u64,
    /// Rows that said again what another row says.
    pub duplicates: u64,
    /// Rows after the instant that everything counts from: left out.
    pub later: u64,
    /// KMS events per operation.
    pub operations: BTreeMap<String, u64>,
    /// First and last event time.
    pub span: Option<Span>,
    /// Hours with rows, per account and Region of the log.
    pub hours: BTreeMap<(String, String), BTreeSet<i64>>,
    /// Windows in which a trail did not log KMS.
    pub blind: Vec<BlindWindow>,
    /// IAM policy documents in order of time.
    pub documents: Vec<PolicyDocument>,
    /// Custom key stores.
    pub stores: Stores,
    /// Texts of event ids that are not GUIDs.
    pub ids: EventIds,
}

impl Views {
    /// Closes the views of all rows at once.
    pub fn settle(mut self, across: &Across, dictionary: &Dictionary) -> Settled {
        let aliases = across.aliases(dictionary);
        let leads = self.leads(&aliases, dictionary);
        let (mut keys, pending) = self.take_keys(&leads, &aliases, dictionary);
        let (late, unresolved) = pending.resolve(std::mem::take(&mut self.loose), &aliases, dictionary);
        keys.extend(late);
        keys.sort_by(|a, b| a.arn.cmp(&b.arn));
        Settled { keys, unresolved, ..self.rest(dictionary) }
    }

    /// Where the failures that name no key lead. Ask once all rows without a key are folded.
    pub fn leads(&self, aliases: &Aliases<'_>, dictionary: &Dictionary) -> Leads {
        let mut leads = Leads::default();
        for loose in &self.loose {
            leads.keys.extend(by_alias(loose, aliases, dictionary));
            if let Some(resource) = loose.resource.as_deref() {
                leads.resources.insert(resource.into());
                leads.resources.extend(stem(resource).map(Into::into));
            }
        }
        leads
    }

    /// Takes the keys out, of which these views must have all rows: those that are complete, and those that failures
    /// without a key may lead to.
    pub fn take_keys(
        &mut self,
        leads: &Leads,
        aliases: &Aliases<'_>,
        dictionary: &Dictionary,
    ) -> (Vec<KeyView>, Pending) {
        let mut keys: Vec<Draft> =
            drain(std::mem::take(&mut self.keys)).map(|(sym, fold)| draft(sym, fold, aliases, dictionary)).collect();
        keys.sort_by(|a, b| a.view.arn.cmp(&b.view.arn));
        join_replicas(&mut keys, dictionary);
        let (pending, keys): (Vec<Draft>, Vec<Draft>) = keys.into_iter().partition(|key| leads.reach(&key.view));
        (keys.into_iter().map(|key| key.settle(dictionary)).collect(), Pending(pending))
    }

    /// Failures without a key, taken out.
    pub fn take_loose(&mut self) -> Vec<Loose> {
        std::mem::take(&mut self.loose)
    }

    /// Everything but the keys.
    pub fn rest(mut self, dictionary: &Dictionary) -> Settled {
        let text = |sym: Sym| dictionary.text(sym).to_string();
        let place = |sym: Option<Sym>| sym.map(text).unwrap_or_default();
        self.documents.sort_by_key(|document| document.event);
        Settled {
            keys: Vec::new(),
            unresolved: Unresolved::default(),
            kms: self.kms,
            related: self.related,
            duplicates: self.duplicates,
            later: self.later,
            operations: drain(self.operations).map(|(name, count)| (text(name), count)).collect(),
            span: self.span,
            hours: drain(self.hours)
                .map(|((account, region), hours)| ((place(account), place(region)), hours))
                .collect(),
            blind: blind_windows(self.trails, dictionary),
            documents: self.documents,
            stores: self.stores.settle(dictionary),
            ids: self.ids,
        }
    }

    /// Custom key stores. Ask once all rows without a key are folded.
    pub fn stores(&self, dictionary: &Dictionary) -> Stores {
        self.stores.settle(dictionary)
    }

    /// Texts of the event ids that are not GUIDs.
    pub fn ids(&self) -> &EventIds {
        &self.ids
    }
}

/// Keys and resources that failures without a key lead to.
#[derive(Clone, Debug, Default)]
pub struct Leads {
    keys: HashSet<Sym>,
    resources: HashSet<Box<str>>,
}

impl Leads {
    /// Adds the leads of other failures.
    pub fn merge(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.resources.extend(other.resources);
    }

    fn reach(&self, key: &KeyView) -> bool {
        let named = |name: &str| self.resources.contains(name);
        let wanted = |resource: &ResourceUse| named(&resource.name) || stem(&resource.name).is_some_and(named);
        self.keys.contains(&key.sym) || !self.resources.is_empty() && key.resources.iter().any(wanted)
    }
}

/// The ARN of a secret without the six characters that Secrets Manager adds to its name.
fn stem(resource: &str) -> Option<&str> {
    let (name, suffix) = resource.rsplit_once('-')?;
    let secret = name.starts_with("arn:") && name.contains(":secretsmanager:") && name.contains(":secret:");
    (secret && suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(name)
}

/// Failures that a key caused, whose key nothing in the log tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unresolved {
    /// Calls of KMS.
    pub kms: u64,
    /// Calls of other services.
    pub related: u64,
}

/// Keys whose activity may still gain failures that named them only indirectly.
#[derive(Debug, Default)]
pub struct Pending(Vec<Draft>);

impl Pending {
    /// Adds keys of other partitions.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Gives failures that name no key to the key that their alias or resource leads to; the keys by ARN, and how many
    /// failures lead nowhere.
    pub fn resolve(
        self,
        loose: Vec<Loose>,
        aliases: &Aliases<'_>,
        dictionary: &Dictionary,
    ) -> (Vec<KeyView>, Unresolved) {
        let mut keys = self.0;
        keys.sort_by(|a, b| a.view.arn.cmp(&b.view.arn));
        let at: HashMap<Sym, usize> = keys.iter().enumerate().map(|(at, key)| (key.view.sym, at)).collect();
        let mut owners: Owners = HashMap::new();
        for (at, key) in keys.iter().enumerate() {
            for ResourceUse { name, first, last, .. } in &key.view.resources {
                owners.entry(name.clone()).or_default().push((true, *first, *last, at));
                if let Some(stem) = stem(name) {
                    owners.entry(stem.into()).or_default().push((false, *first, *last, at));
                }
            }
        }
        let mut unresolved = Unresolved::default();
        let target = |loose: &Loose| {
            let named = by_alias(loose, aliases, dictionary).and_then(|key| at.get(&key).copied());
            named.or_else(|| by_resource(&keys, &owners, loose.resource.as_deref()?, loose.event.time))
        };
        let targets: Vec<Option<usize>> = loose.iter().map(target).collect();
        for (loose, target) in loose.into_iter().zip(targets) {
            match target {
                Some(at) => keys[at].fold.activity.add(loose.series, loose.event, None, LAST_ROUND),
                None if loose.series.operation.is_some() => unresolved.kms += 1,
                None => unresolved.related += 1,
            }
        }
        (keys.into_iter().map(|key| key.settle(dictionary)).collect(), unresolved)
    }
}

/// A key whose activity may still gain failures that named it only indirectly.
#[derive(Debug)]
struct Draft {
    view: KeyView,
    fold: KeyFold,
}

impl Draft {
    fn settle(self, dictionary: &Dictionary) -> KeyView {
        KeyView { series: self.fold.activity.settle(dictionary), ..self.view }
    }
}

fn draft(sym: Sym, mut fold: KeyFold, aliases: &Aliases<'_>, dictionary: &Dictionary) -> Draft {
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
        aliases: aliases.of(sym),
        events,
        history,
        series: Vec::new(),
        resources,
        resources_overflow,
        primary: None,
        moves: aliases.moves(sym),
        beside: Beside::default(),
    };
    Draft { view, fold }
}

/// The key that a failure's alias leads to.
fn by_alias(loose: &Loose, aliases: &Aliases<'_>, dictionary: &Dictionary) -> Option<Sym> {
    let gone = loose.series.failure == Some(FailureClass::KeyNotFound);
    aliases.at(dictionary.text(loose.alias?), loose.event.time, gone)
}

/// Which keys protect a resource, by its name and by its [`stem`]: whether it is the name itself, first and last use, and
/// the place of the key.
type Owners = HashMap<Box<str>, Vec<(bool, i64, i64, usize)>>;

/// The key that came to a resource last before it failed, of those that were unusable then if any was; else the first
/// one that came to it.
fn by_resource(keys: &[Draft], owners: &Owners, resource: &str, time: i64) -> Option<usize> {
    let named = owners.get(resource).into_iter().flatten();
    let bare = stem(resource).and_then(|stem| owners.get(stem)).into_iter().flatten().filter(|owner| owner.0);
    let known: Vec<_> = named.chain(bare).copied().collect();
    let unusable = |at: usize| keys[at].view.history.state_at(time).is_some_and(|change| change.state.is_unusable());
    let before = known.iter().filter(|owner| owner.1 <= time);
    let last = before.max_by_key(|&&(_, first, last, at)| (unusable(at), last.min(time), first, at));
    last.or_else(|| known.iter().min_by_key(|&&(_, first, _, at)| (first, at))).map(|owner| owner.3)
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

//! Deduplicated rows folded into views. Folding is free of order: any split of the units into batches gives the same
//! views, and [`Views::merge`] joins what was folded apart.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt};
use polars::prelude::PolarsResult;

use super::across::Across;
use super::activity::{Activity, SeriesKey};
use super::breadth::stable_hash;
use super::documents::PolicyDocument;
use super::event::{Actor, EventIds, EventRef, Texts};
use super::ledger::{ControlDetail, ControlEvent, Ledger};
use super::resources::Resources;
use super::stores::StoreRows;
use super::trails::TrailEvent;
use super::unit::{Named, Opened, Part, Twins, deduplicate};
use crate::config::Logs;
use crate::decode::Class;
use crate::extract::FailureClass;
use crate::frame::{Columns, Dictionary, Events, Sym};
use crate::source::Names;

/// Length of an hour, milliseconds.
pub const HOUR_MS: i64 = 3_600_000;

/// Everything that is folded of one key.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyFold {
    pub(super) ledger: Ledger,
    pub(super) activity: Activity,
    pub(super) resources: Resources,
}

/// A failure whose record names no key: only an alias, or only the resource that failed.
#[derive(Clone, Debug)]
pub struct Loose {
    pub(super) event: EventRef,
    pub(super) series: SeriesKey,
    pub(super) alias: Option<Sym>,
    pub(super) resource: Option<Box<str>>,
}

/// Account and Region of a log.
pub(super) type Place = (Option<Sym>, Option<Sym>);

/// First and last time that something was seen, milliseconds.
pub(super) type Span = (i64, i64);

/// What rows fold into.
#[derive(Clone, Debug, Default)]
pub struct Views {
    pub(super) keys: HashMap<Sym, KeyFold>,
    pub(super) loose: Vec<Loose>,
    pub(super) trails: Vec<TrailEvent>,
    pub(super) documents: Vec<PolicyDocument>,
    pub(super) stores: StoreRows,
    /// Hours with rows, per account and Region of the log.
    pub(super) hours: HashMap<Place, BTreeSet<i64>>,
    pub(super) operations: HashMap<Sym, u64>,
    pub(super) kms: u64,
    pub(super) related: u64,
    pub(super) duplicates: u64,
    /// Rows after the instant that everything counts from.
    pub(super) later: u64,
    /// Texts of the control plane that were seen lately.
    texts: Texts,
    /// Partitions folded so far.
    round: u32,
    pub(super) span: Option<Span>,
    /// Texts of event ids that are not GUIDs.
    pub(super) ids: EventIds,
    /// Calls that one account logged without their key, and another one with it.
    twins: Twins,
}

/// Codes of the texts that folding branches on.
struct Words {
    kms: Sym,
    failure: Sym,
    binding: Sym,
    trail_control: Sym,
    iam_policy: Sym,
    crypto: Sym,
    read: Sym,
    create_grant: Sym,
    key_store: Sym,
}

impl Words {
    fn new(dictionary: &Dictionary) -> Self {
        Self {
            kms: dictionary.intern(Class::Kms.id()),
            failure: dictionary.intern(Class::Failure.id()),
            binding: dictionary.intern(Class::Binding.id()),
            trail_control: dictionary.intern(Class::TrailControl.id()),
            iam_policy: dictionary.intern(Class::IamPolicy.id()),
            crypto: dictionary.intern("crypto"),
            read: dictionary.intern("read"),
            create_grant: dictionary.intern("CreateGrant"),
            key_store: dictionary.intern("key-store"),
        }
    }
}

impl Views {
    /// Deduplicates and folds one batch that holds all rows of its partitions.
    ///
    /// # Errors
    /// When a frame does not have the types of the column table.
    pub fn fold(events: &Events, context: &FoldContext<'_>) -> PolarsResult<Self> {
        Self::fold_parts(&[Part::whole(events)], context)
    }

    /// Deduplicates and folds one partition: all rows of its units, from as many batches as they are in.
    ///
    /// # Errors
    /// When a frame does not have the types of the column table.
    pub fn fold_parts(parts: &[Part<'_>], context: &FoldContext<'_>) -> PolarsResult<Self> {
        Self::default().and_fold(parts, context)
    }

    /// Adds one more partition to what was folded: cheaper than folding it apart and merging.
    ///
    /// # Errors
    /// When a frame does not have the types of the column table.
    pub fn and_fold(mut self, parts: &[Part<'_>], context: &FoldContext<'_>) -> PolarsResult<Self> {
        let FoldContext { dictionary, as_of, names, across, logs } = *context;
        let opened = Opened::new(parts)?;
        let unique = deduplicate(&opened, across, &mut self.twins, dictionary);
        self.duplicates += unique.duplicates;
        self.round += 1;
        let mut fold = Fold {
            views: self,
            names,
            words: Words::new(dictionary),
            log_buckets: logs.buckets.iter().map(|name| dictionary.intern(name)).collect(),
            dictionary,
            failures: HashMap::new(),
            hashes: HashMap::new(),
            hour: None,
            counted: None,
        };
        for named in unique.rows {
            let (columns, row) = opened.at(named.handle);
            let time = columns.event_time.get(row).unwrap_or(0);
            if as_of.is_none_or(|as_of| time <= as_of) {
                fold.row(columns, row, time, named);
            } else {
                fold.views.later += 1;
            }
        }
        Ok(fold.close())
    }

    /// Joins views of disjoint units.
    pub fn merge(mut self, other: Self) -> Self {
        if self.keys.len() < other.keys.len() {
            return other.merge(self);
        }
        for (key, theirs) in drain(other.keys) {
            let ours = self.keys.entry(key).or_default();
            ours.ledger.merge(theirs.ledger);
            ours.activity.merge(theirs.activity);
            ours.resources.merge(theirs.resources);
        }
        self.loose.extend(other.loose);
        self.trails.extend(other.trails);
        self.documents.extend(other.documents);
        self.stores.merge(other.stores);
        for (place, hours) in drain(other.hours) {
            self.hours.entry(place).or_default().extend(hours);
        }
        for (name, count) in drain(other.operations) {
            *self.operations.entry(name).or_default() += count;
        }
        self.kms += other.kms;
        self.related += other.related;
        self.duplicates += other.duplicates;
        self.later += other.later;
        self.round += other.round;
        self.ids.merge(other.ids);
        self.twins.extend(other.twins);
        if let Some(span) = other.span {
            widen(self.span.get_or_insert(span), span);
        }
        self
    }
}

pub(super) fn widen(span: &mut Span, other: Span) {
    *span = (span.0.min(other.0), span.1.max(other.1));
}

/// Moves the entries out; merging does not depend on their order.
pub(super) fn drain<K, V>(map: HashMap<K, V>) -> impl Iterator<Item = (K, V)> {
    map.into_iter()
}

/// What folding needs to know beside the rows.
#[derive(Clone, Copy)]
pub struct FoldContext<'c> {
    /// Texts of the codes.
    pub dictionary: &'c Dictionary,
    /// Rows after this instant are left out.
    pub as_of: Option<i64>,
    /// Names of the objects: some tell when they were delivered.
    pub names: &'c Names,
    /// What rows say about rows of other partitions.
    pub across: &'c Across,
    /// The log buckets: reading them is counted apart.
    pub logs: &'c Logs,
}

struct Fold<'d> {
    views: Views,
    names: &'d Names,
    words: Words,
    log_buckets: Vec<Sym>,
    dictionary: &'d Dictionary,
    /// Cause classes by code, so that their names are compared once.
    failures: HashMap<Sym, FailureClass>,
    /// Stable hashes of principals by code.
    hashes: HashMap<Sym, u64>,
    /// Account, Region and hour of the last row: the next one mostly says the same.
    hour: Option<(Place, i64)>,
    /// Operation of the last rows of KMS, and how many they were.
    counted: Option<(Sym, u64)>,
}

impl Fold<'_> {
    /// A record cannot be younger than its delivery: a made-up date must not move the end of the log.
    fn widen_span(&mut self, time: i64, object: u32) {
        if self.views.span.is_some_and(|span| span.0 <= time && time <= span.1) {
            return;
        }
        if self.names.delivered(object).is_none_or(|delivered| time <= delivered + HOUR_MS) {
            widen(self.views.span.get_or_insert((time, time)), (time, time));
        }
    }

    fn row(&mut self, columns: &Columns<'_>, row: usize, time: i64, named: Named) {
        let Named { id, guid, .. } = named;
        let event = EventRef { time, id, object: columns.object.get(row), record: columns.record.get(row) };
        if !guid {
            self.views.ids.remember(id, columns.event_id.get(row).unwrap_or_default());
        }
        let class = columns.class.get(row);
        let place = (columns.account.get(row), columns.region.get(row));
        let hour = Some((place, time.div_euclid(HOUR_MS)));
        if self.hour != hour {
            self.hour = hour;
            self.views.hours.entry(place).or_default().insert(time.div_euclid(HOUR_MS));
        }
        self.widen_span(time, event.object);

        let key = columns.key_arn.get(row);
        let succeeded = columns.error_code.get(row).is_none();
        // A cryptographic call that failed tells as well which key a resource is under.
        let vouches = succeeded || columns.operation.get(row) == Some(self.words.crypto);
        if let (Some(key), Some(resource), true) = (key, columns.resource.get(row), vouches) {
            let principal = columns.principal.get(row).map(|sym| (self.hash(sym), sym));
            let binding = class == Some(self.words.binding);
            self.views.keys.entry(key).or_default().resources.add(resource, time, principal, binding);
        }

        if class == Some(self.words.kms) {
            self.views.kms += 1;
            if let Some(name) = columns.event_name.get(row) {
                match &mut self.counted {
                    Some((last, count)) if *last == name => *count += 1,
                    _ => self.count_operation(Some((name, 1))),
                }
            }
            self.kms(columns, row, event, key);
            return;
        }
        self.views.related += 1;
        if class == Some(self.words.failure) {
            let series = self.series(columns, row, key.is_some());
            self.count(columns, row, event, series, key);
        } else if class == Some(self.words.trail_control) {
            self.views.trails.push(TrailEvent::read(columns, row, event));
        } else if class == Some(self.words.iam_policy) {
            let texts = &mut self.views.texts;
            let actor = actor(columns, row, texts);
            self.views.documents.push(PolicyDocument::read(columns, row, event, actor, texts));
        }
    }

    /// Books the run of rows that just ended, and begins the next one.
    fn count_operation(&mut self, next: Option<(Sym, u64)>) {
        if let Some((name, count)) = std::mem::replace(&mut self.counted, next) {
            *self.views.operations.entry(name).or_default() += count;
        }
    }

    fn close(mut self) -> Views {
        self.count_operation(None);
        self.views
    }

    fn kms(&mut self, columns: &Columns<'_>, row: usize, event: EventRef, key: Option<Sym>) {
        let operation = columns.operation.get(row);
        if operation == Some(self.words.crypto) || operation == Some(self.words.read) {
            let series = self.series(columns, row, key.is_some());
            self.count(columns, row, event, series, key);
            return;
        }
        // A service's CreateGrant is how a resource comes to use a key: when the key's state refuses it, that resource failed.
        let grant = columns.event_name.get(row) == Some(self.words.create_grant);
        if grant && columns.invoked_by.get(row).is_some() && columns.error_code.get(row).is_some() {
            let series = self.series(columns, row, key.is_some());
            self.count(columns, row, event, series, key);
        }
        let about_store = operation == Some(self.words.key_store);
        if let Some(name) = columns.event_name.get(row).filter(|_| key.is_some() || about_store) {
            let control = ControlEvent {
                event,
                name,
                error: columns.error_code.get(row),
                failure: self.failure(columns, row),
                actor: actor(columns, row, &mut self.views.texts),
                detail: Box::new(ControlDetail::read(columns, row, &mut self.views.texts)),
            };
            match key {
                Some(key) => self.views.keys.entry(key).or_default().ledger.add(control),
                None => {
                    let id = columns.event_id.get(row).unwrap_or_default();
                    self.views.stores.ids.intern(id);
                    self.views.stores.add(columns.account.get(row), columns.region.get(row), control);
                }
            }
        }
    }

    fn count(&mut self, columns: &Columns<'_>, row: usize, event: EventRef, series: SeriesKey, key: Option<Sym>) {
        let context = columns.context_hash(row);
        match key {
            Some(key) => self.views.keys.entry(key).or_default().activity.add(series, event, context, self.views.round),
            None if series.failure.is_some_and(FailureClass::is_key_state) => self.views.loose.push(Loose {
                event,
                series,
                alias: columns.alias.get(row),
                resource: columns.resource.get(row).map(Into::into),
            }),
            None => {}
        }
    }

    fn series(&mut self, columns: &Columns<'_>, row: usize, keyed: bool) -> SeriesKey {
        let failure = self.failure(columns, row);
        let victim = failure.is_some_and(FailureClass::is_key_state) || !keyed;
        SeriesKey {
            source: columns.event_source.get(row).unwrap_or(self.words.kms),
            name: columns.event_name.get(row).unwrap_or(self.words.kms),
            operation: columns.operation.get(row),
            principal: columns.principal.get(row),
            kind: columns.principal_type.get(row),
            via: columns.invoked_by.get(row),
            error: columns.error_code.get(row),
            failure,
            resource: columns.resource.get(row).filter(|_| victim).map(|name| self.dictionary.intern(name)),
            log_bucket: self.log_bucket(columns, row),
            alias: columns.alias.get(row).filter(|_| failure == Some(FailureClass::InvalidCiphertext)),
        }
    }

    /// The log bucket that a call read.
    fn log_bucket(&self, columns: &Columns<'_>, row: usize) -> Option<Sym> {
        if self.log_buckets.is_empty() || columns.error_code.get(row).is_some() {
            return None;
        }
        columns.bucket.get(row).filter(|bucket| self.log_buckets.contains(bucket))
    }

    fn failure(&mut self, columns: &Columns<'_>, row: usize) -> Option<FailureClass> {
        let sym = columns.failure.get(row)?;
        if let Some(&class) = self.failures.get(&sym) {
            return Some(class);
        }
        let class = FailureClass::from_id(self.dictionary.text(sym))?;
        self.failures.insert(sym, class);
        Some(class)
    }

    fn hash(&mut self, sym: Sym) -> u64 {
        let dictionary = self.dictionary;
        *self.hashes.entry(sym).or_insert_with(|| stable_hash(dictionary.text(sym)))
    }
}

fn actor(columns: &Columns<'_>, row: usize, texts: &mut Texts) -> Actor {
    let mut share = |text: Option<&str>| text.map(|text| texts.share(text));
    Actor {
        principal: columns.principal.get(row),
        kind: columns.principal_type.get(row),
        account: columns.principal_account.get(row),
        invoked_by: columns.invoked_by.get(row),
        call: columns.call.get(row),
        arn: share(columns.principal_arn.get(row)),
        session: share(columns.session_name.get(row)),
        source_identity: share(columns.source_identity.get(row)),
        source_ip: share(columns.source_ip.get(row)),
        user_agent: share(columns.user_agent.get(row)),
    }
}

//! One sink is told everything that it is to be told.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::Clock;
use super::message::{self, Alert, Bundle};
use super::plan::{self, Item, Memory, Situation};
use super::post::Post;
use super::state::{self, Ledger, State, Told};
use super::wire;
use crate::config::{AlertSink, Route};
use crate::finding::fingerprint;
use crate::lake::{Lake, Store, StoreError, Tag, When};

/// What came of one sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Messages that the other side took.
    pub(super) sent: u64,
    /// Changes that are not told yet and will be by a later run.
    pub(super) pending: u64,
    /// Incidents that got no message of their own because there were too many.
    pub(super) suppressed: u64,
    /// Why the sink was not told everything.
    pub(super) failed: Option<String>,
}

impl Outcome {
    fn fail(&mut self, reason: impl Into<String>, untold: usize) {
        self.failed.get_or_insert(reason.into());
        self.pending += untold as u64;
    }
}

/// Tells a sink what is in the report, without knowing what it was told before.
pub(super) fn without_state(sink: &AlertSink, situation: &Situation, clock: Clock) -> Outcome {
    let items = plan::items(situation, sink, &plan::Blank);
    let (mut pages, bundled): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| item.route == Route::Page);
    let most = situation.alerting.options.max_per_run as usize;
    let overflow = pages.split_off(most.min(pages.len()));
    let mut outcome = Outcome::default();
    let mut post = Post::new(sink, clock);
    for (at, item) in pages.iter().enumerate() {
        // The same content has the same id, whenever it is sent: what was seen before can be told from what is new.
        let parts = match item.subject(situation) {
            message::Subject::There(incident) => incident.tale.parts(),
            message::Subject::Gone(_) => Vec::new(),
        };
        let id = content_id("page", item.incident(situation), &parts);
        let alert = Alert::about(item.subject(situation), item.change, id, None, &situation.accounts);
        match post.send(&alert) {
            Ok(()) => outcome.sent += 1,
            Err(error) => {
                outcome.fail(error.message, pages.len() - at + overflow.len() + bundled.len());
                return outcome;
            }
        }
    }
    for (bundle, items) in [(Bundle::Overflow, overflow), (Bundle::Digest, bundled)] {
        let parts: Vec<String> = items.iter().map(|item| item.incident(situation).to_owned()).collect();
        let id = content_id(bundle.id(), &sink.name, &parts);
        let Some(alert) = bundled_alert(bundle, &items, id, situation) else { continue };
        match post.send(&alert) {
            Ok(()) => {
                outcome.sent += 1;
                outcome.suppressed += if bundle == Bundle::Overflow { items.len() as u64 } else { 0 };
            }
            Err(error) => outcome.fail(error.message, items.len()),
        }
    }
    outcome
}

fn content_id(kind: &str, about: &str, parts: &[String]) -> String {
    let mut all = vec!["alert content", kind, about];
    all.extend(parts.iter().map(String::as_str));
    fingerprint(&all).as_str().to_owned()
}

fn bundled_alert(bundle: Bundle, items: &[Item], id: String, situation: &Situation) -> Option<Alert> {
    let subjects: Vec<_> = items.iter().map(|item| (item.change, item.subject(situation))).collect();
    Alert::bundle(bundle, &subjects, id, &situation.accounts)
}

/// Why state could not be read or changed.
enum Trouble {
    /// Somebody else is at it: what they do not do, the next run does.
    Busy,
    /// The lake does not do what it should.
    Lake(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::Busy,
            StoreError::Failed { .. } => Self::Lake(format!("the state of alerts in the lake: {error}")),
        }
    }
}

/// One sink with its state in a lake.
pub(super) struct Desk<'d> {
    sink: &'d AlertSink,
    situation: &'d Situation,
    store: &'d dyn Store,
    clock: Clock,
    post: Post<'d>,
    outcome: Outcome,
    /// Messages in a row that were refused for good.
    refused: u32,
    /// True when nothing more is tried in this run.
    is_down: bool,
}

/// Refusals for good after which it is not the messages: a wrong password must not be tried twenty times.
const REFUSALS: u32 = 3;

/// The files of one sink.
struct Known<'k> {
    states: &'k BTreeMap<String, State>,
    ledger: &'k Ledger,
}

impl Memory for Known<'_> {
    /// An incident may have changed from one way of being told to the other: the last word counts.
    fn told(&self, incident: &str) -> Option<&Told> {
        let alone = self.states.get(incident).and_then(|state| state.told.as_ref());
        alone.into_iter().chain(self.ledger.told.get(incident)).max_by_key(|told| told.generation)
    }

    fn is_begun(&self, incident: &str) -> bool {
        self.states.get(incident).is_some_and(|state| state.lease_until.is_some())
    }

    fn known(&self) -> BTreeSet<&str> {
        self.states.keys().chain(self.ledger.told.keys()).map(String::as_str).collect()
    }
}

/// Tells a sink what it does not know yet. `first_is_summary` makes one message of everything that is there at first.
pub(super) fn with_state(
    sink: &AlertSink,
    situation: &Situation,
    clock: Clock,
    lake: &Lake,
    first_is_summary: bool,
) -> Outcome {
    let post = Post::new(sink, clock);
    let outcome = Outcome::default();
    let mut desk = Desk { sink, situation, store: lake.store(), clock, post, outcome, refused: 0, is_down: false };
    if let Err(Trouble::Lake(reason)) = desk.run(first_is_summary) {
        desk.outcome.fail(reason, 0);
    }
    desk.outcome
}

impl Desk<'_> {
    fn run(&mut self, first_is_summary: bool) -> Result<(), Trouble> {
        let (mut ledger, mut tag) = self.ledger()?;
        if !ledger.adopted {
            let items = self.unknown();
            match self.adopt(&mut ledger, &mut tag, &items, first_is_summary) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(trouble) => {
                    self.outcome.pending += items.len() as u64;
                    return Err(trouble);
                }
            }
        }
        let states = self.states()?;
        let items = plan::items(self.situation, self.sink, &Known { states: &states, ledger: &ledger });
        let (mut pages, bundled): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| item.route == Route::Page);
        let overflow = pages.split_off((self.situation.alerting.options.max_per_run as usize).min(pages.len()));

        let mut down = false;
        for item in &pages {
            if down {
                self.outcome.pending += 1;
                continue;
            }
            match self.page(item) {
                Ok(()) => {}
                Err(Trouble::Busy) => self.outcome.pending += 1,
                Err(Trouble::Lake(reason)) => {
                    self.outcome.fail(reason, 1);
                    down = true;
                }
            }
            down |= self.is_down;
        }
        let due = ledger.digest_at.is_none_or(|at| {
            self.situation.now >= at.saturating_add(60 * plan::minutes(self.situation.alerting.options.digest_hours))
        });
        for (bundle, items) in [(Bundle::Overflow, overflow), (Bundle::Digest, bundled)] {
            down |= self.is_down;
            if items.is_empty() {
                continue;
            }
            if down || (bundle == Bundle::Digest && !due) {
                self.outcome.pending += items.len() as u64;
                continue;
            }
            match self.bundle(bundle, &mut ledger, &mut tag, &items) {
                Ok(()) => {}
                Err(trouble) => {
                    self.outcome.pending += items.len() as u64;
                    if let Trouble::Lake(reason) = trouble {
                        self.outcome.fail(reason, 0);
                    }
                    down = true;
                }
            }
        }
        Ok(())
    }

    /// What there is to tell a sink that knows nothing.
    fn unknown(&self) -> Vec<Item> {
        plan::items(self.situation, self.sink, &plan::Blank)
    }

    /// The first run of a sink. False when it could not be finished.
    fn adopt(
        &mut self,
        ledger: &mut Ledger,
        tag: &mut Option<Tag>,
        items: &[Item],
        summary: bool,
    ) -> Result<bool, Trouble> {
        if !summary {
            ledger.adopted = true;
            self.put_ledger(ledger, tag)?;
            return Ok(true);
        }
        if self.is_leased(ledger.lease_until) {
            return Err(Trouble::Busy);
        }
        // What is over already is history; it is known from now on, and not told.
        let open: Vec<Item> = items.iter().filter(|item| self.is_open(item)).cloned().collect();
        ledger.adopted = true;
        ledger.digest_at = Some(self.situation.now);
        for item in items.iter().filter(|item| !self.is_open(item)) {
            ledger.told.insert(item.incident(self.situation).to_owned(), item.told(self.situation, false, 1));
        }
        if open.is_empty() {
            self.put_ledger(ledger, tag)?;
            return Ok(true);
        }
        self.bundle(Bundle::Summary, ledger, tag, &open)?;
        Ok(self.outcome.failed.is_none())
    }

    fn is_open(&self, item: &Item) -> bool {
        matches!(item.subject(self.situation), message::Subject::There(incident) if incident.tale.open)
    }

    /// Tells of one incident: takes the lease, sends, marks.
    fn page(&mut self, item: &Item) -> Result<(), Trouble> {
        let incident = item.incident(self.situation).to_owned();
        let path = state::state_path(&incident, &self.sink.name);
        let found = self.store.get(&path)?;
        let (before, tag) = match found {
            Some((bytes, tag)) => (Some(read(&path, wire::read_state(&bytes))?), Some(tag)),
            None => (None, None),
        };
        if let Some(before) = &before {
            if self.is_leased(before.lease_until) {
                return Err(Trouble::Busy);
            }
            // Somebody told it between our look at all states and this one.
            if before.told.as_ref().is_some_and(|told| told.generation > item.generation) {
                return Err(Trouble::Busy);
            }
        }
        // A lease that ran out: whoever had it may have sent its message. Ours is the same one again.
        let generation = match &before {
            Some(state) if state.lease_until.is_some() => state.generation,
            _ => item.generation + 1,
        };
        let told = before.as_ref().and_then(|state| state.told.clone());
        let mut state = State {
            incident: incident.clone(),
            sink: self.sink.name.clone(),
            generation,
            lease_until: Some(self.clock.lease()),
            told,
        };
        let tag = self.store.put(&path, &wire::write_state(&state), when(tag.as_ref()))?;

        let id = message::dedup(&incident, generation);
        let thread = Some(message::dedup(&incident, 1));
        let alert = Alert::about(item.subject(self.situation), item.change, id, thread, &self.situation.accounts);
        match self.post.send(&alert) {
            Ok(()) => {
                state.lease_until = None;
                state.told = Some(item.told(self.situation, true, generation));
                self.outcome.sent += 1;
                self.refused = 0;
                self.mark(&path, &wire::write_state(&state), &tag)
            }
            Err(error) => {
                self.release(&path, &mut state, &tag);
                self.refused += 1;
                self.is_down = error.transient || self.refused >= REFUSALS;
                self.outcome.fail(error.message, 1);
                Ok(())
            }
        }
    }

    /// After a failure the next run may try at once, under the same id: whether the other side got it is not always known.
    fn release(&self, path: &str, state: &mut State, tag: &Tag) {
        state.lease_until = Some(0);
        // If that fails too, the lease runs out by itself.
        let _ = self.store.put(path, &wire::write_state(state), When::Matches(tag));
    }

    /// Marks what was sent. Somebody who took over an expired lease has sent it as well, and marks it.
    fn mark(&self, path: &str, bytes: &[u8], tag: &Tag) -> Result<(), Trouble> {
        match self.store.put(path, bytes, When::Matches(tag)) {
            Ok(_) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(Trouble::Lake(format!("sent, and could not be marked: {error}; it will be sent again"))),
        }
    }

    /// Tells of many incidents at once: takes the lease of the ledger, sends, marks all in one swap.
    fn bundle(
        &mut self,
        bundle: Bundle,
        ledger: &mut Ledger,
        tag: &mut Option<Tag>,
        items: &[Item],
    ) -> Result<(), Trouble> {
        if self.is_leased(ledger.lease_until) {
            return Err(Trouble::Busy);
        }
        let mut leased = ledger.clone();
        // What is adopted with the summary is known when the summary is sent, not before.
        if bundle == Bundle::Summary {
            leased = Ledger { sink: ledger.sink.clone(), generation: ledger.generation, ..Ledger::default() };
            leased.lease_until = ledger.lease_until;
        }
        if leased.lease_until.is_none() {
            leased.generation += 1;
        }
        leased.lease_until = Some(self.clock.lease());
        self.put_ledger(&leased, tag)?;

        let id = fingerprint(&["alert bundle", &self.sink.name, &leased.generation.to_string()]);
        let alert = bundled_alert(bundle, items, id.as_str().to_owned(), self.situation);
        let sent = alert.map_or(Ok(()), |alert| self.post.send(&alert));
        match sent {
            Ok(()) => {
                self.outcome.sent += 1;
                if bundle == Bundle::Overflow {
                    self.outcome.suppressed += items.len() as u64;
                }
                ledger.generation = leased.generation;
                ledger.lease_until = None;
                if bundle != Bundle::Overflow {
                    ledger.digest_at = Some(self.situation.now);
                }
                for item in items {
                    let told = item.told(self.situation, false, item.generation + 1);
                    ledger.told.insert(item.incident(self.situation).to_owned(), told);
                }
                let situation = self.situation;
                ledger.prune(situation.now, |id| situation.incidents.iter().any(|incident| incident.id == id));
                match self.put_ledger(ledger, tag) {
                    Ok(()) | Err(Trouble::Busy) => Ok(()),
                    Err(trouble) => Err(trouble),
                }
            }
            Err(error) => {
                leased.lease_until = Some(0);
                // If that fails too, the lease runs out by itself.
                let _ = self.put_ledger(&leased, tag);
                self.is_down = true;
                self.outcome.fail(error.message, items.len());
                Ok(())
            }
        }
    }

    fn is_leased(&self, until: Option<i64>) -> bool {
        until.is_some_and(|until| until > self.clock.now())
    }

    fn ledger(&self) -> Result<(Ledger, Option<Tag>), Trouble> {
        let path = state::ledger_path(&self.sink.name);
        Ok(match self.store.get(&path)? {
            Some((bytes, tag)) => (read(&path, wire::read_ledger(&bytes))?, Some(tag)),
            None => (Ledger { sink: self.sink.name.clone(), ..Ledger::default() }, None),
        })
    }

    fn put_ledger(&self, ledger: &Ledger, tag: &mut Option<Tag>) -> Result<(), Trouble> {
        let path = state::ledger_path(&self.sink.name);
        *tag = Some(self.store.put(&path, &wire::write_ledger(ledger), when(tag.as_ref()))?);
        Ok(())
    }

    /// The states of all incidents that this sink was told of, or is being told of.
    fn states(&self) -> Result<BTreeMap<String, State>, Trouble> {
        let mut states = BTreeMap::new();
        for entry in self.store.list("alerts")? {
            if state::incident_of(&entry.path, &self.sink.name).is_none() {
                continue;
            }
            if let Some((bytes, _)) = self.store.get(&entry.path)? {
                let state = read(&entry.path, wire::read_state(&bytes))?;
                states.insert(state.incident.clone(), state);
            }
        }
        Ok(states)
    }
}

fn when(tag: Option<&Tag>) -> When<'_> {
    tag.map_or(When::Absent, When::Matches)
}

fn read<T>(path: &str, result: Result<T, String>) -> Result<T, Trouble> {
    result.map_err(|reason| Trouble::Lake(format!("{path} in the lake is damaged: {reason}")))
}

//! A sink whose state is in a lake: lease, message, mark.

use super::super::clock::Clock;
use super::super::message::{self, Alert, Bundle};
use super::super::plan::{self, Item, Situation};
use super::super::post::Post;
use super::super::state::{Ledger, State};
use super::files::{Files, Known, Trouble, when};
use super::{Outcome, bundled_alert};
use crate::config::{AlertSink, Route};
use crate::finding::fingerprint;
use crate::lake::{Lake, Tag, When};

/// One sink with its state in a lake.
struct Desk<'d> {
    sink: &'d AlertSink,
    situation: &'d Situation,
    files: Files<'d>,
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

/// Tells a sink what it does not know yet. `first_is_summary` makes one message of everything that is there at first.
pub(in crate::alert) fn with_state(
    sink: &AlertSink,
    situation: &Situation,
    clock: Clock,
    lake: &Lake,
    first_is_summary: bool,
    post: Post<'_>,
) -> Outcome {
    let files = Files { store: lake.store(), sink: &sink.name };
    let outcome = Outcome::default();
    let mut desk = Desk { sink, situation, files, clock, post, outcome, refused: 0, is_down: false };
    if let Err(Trouble::Lake(reason)) = desk.run(first_is_summary) {
        desk.outcome.fail(reason, 0);
    }
    desk.outcome
}

impl Desk<'_> {
    fn run(&mut self, first_is_summary: bool) -> Result<(), Trouble> {
        let (mut ledger, mut tag) = self.files.ledger()?;
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
        let states = self.files.states()?;
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
        // A record wakes nobody.
        let due = self.sink.channel.keeps_records()
            || ledger.digest_at.is_none_or(|at| {
                self.situation.now
                    >= at.saturating_add(60 * plan::minutes(self.situation.alerting.options.digest_hours))
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
            self.files.put_ledger(ledger, tag)?;
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
            self.files.put_ledger(ledger, tag)?;
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
        let (before, tag) = self.files.state(&incident)?.unzip();
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
        let tag = self.files.put_state(&state, when(tag.as_ref()))?;

        let id = message::dedup(&incident, generation);
        let thread = Some(message::dedup(&incident, 1));
        let mut alert = Alert::about(item.subject(self.situation), item.change, id, thread, &self.situation.accounts);
        alert.records = plan::records(std::slice::from_ref(item), self.situation);
        match self.post.send(&alert) {
            Ok(()) => {
                state.lease_until = None;
                state.told = Some(item.told(self.situation, true, generation));
                self.outcome.sent += 1;
                self.refused = 0;
                self.mark(&state, &tag)
            }
            Err(error) => {
                self.release(&mut state, &tag);
                self.refused += 1;
                self.is_down = error.transient || self.refused >= REFUSALS;
                self.outcome.fail(error.message, 1);
                Ok(())
            }
        }
    }

    /// After a failure the next run may try at once, under the same id: whether the other side got it is not always known.
    fn release(&self, state: &mut State, tag: &Tag) {
        state.lease_until = Some(0);
        // If that fails too, the lease runs out by itself.
        let _ = self.files.put_state(state, When::Matches(tag));
    }

    /// Marks what was sent. Somebody who took over an expired lease has sent it as well, and marks it.
    fn mark(&self, state: &State, tag: &Tag) -> Result<(), Trouble> {
        match self.files.put_state(state, When::Matches(tag)) {
            Ok(_) | Err(Trouble::Busy) => Ok(()),
            Err(Trouble::Lake(reason)) => {
                Err(Trouble::Lake(format!("sent, and could not be marked, so that it will be sent again: {reason}")))
            }
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
        self.files.put_ledger(&leased, tag)?;

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
                match self.files.put_ledger(ledger, tag) {
                    Ok(()) | Err(Trouble::Busy) => Ok(()),
                    Err(trouble) => Err(trouble),
                }
            }
            Err(error) => {
                leased.lease_until = Some(0);
                // If that fails too, the lease runs out by itself.
                let _ = self.files.put_ledger(&leased, tag);
                self.is_down = true;
                self.outcome.fail(error.message, items.len());
                Ok(())
            }
        }
    }

    fn is_leased(&self, until: Option<i64>) -> bool {
        until.is_some_and(|until| until > self.clock.now())
    }
}

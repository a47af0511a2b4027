//! One sink is told everything that it is to be told.

mod desk;
mod files;

pub(super) use self::desk::with_state;

use super::clock::Clock;
use super::message::{self, Alert, Bundle};
use super::plan::{self, Item, Situation};
use super::post::Post;
use crate::config::{AlertSink, Route};
use crate::finding::fingerprint;

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
        let mut alert = Alert::about(item.subject(situation), item.change, id, None, &situation.accounts);
        alert.records = plan::records(std::slice::from_ref(item), situation);
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
    let mut alert = Alert::bundle(bundle, &subjects, id, &situation.accounts)?;
    alert.records = plan::records(items, situation);
    Some(alert)
}

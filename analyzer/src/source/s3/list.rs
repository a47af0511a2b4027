//! Listing: asks for the pages that the plan wants, many at a time, and gives the objects in the order of their keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::error::Failure;
use super::pages;
use super::plan::{Entry, Page, Plan, Step, Task};
use super::window::Window;
use super::{Bucket, S3Error, S3Url, Session};
use crate::decode::SkipReason;
use crate::source::{Filter, Object, Place};

/// Keys that may wait for those before them: pages come in any order, objects do not.
const LOOK_AHEAD: usize = 20_000;

/// Keys of a page at most.
const PAGE: usize = 1000;

/// Listings under way at most, of one source.
const PARALLEL: usize = 16;

/// The objects of a prefix, in the order of their keys. It asks for more as it is consumed.
#[derive(Debug)]
pub struct Listing {
    chunks: mpsc::Receiver<Vec<Object>>,
    current: std::vec::IntoIter<Object>,
    counts: Counter,
    window: Window,
    walk: Option<JoinHandle<()>>,
    session: Session,
}

/// What a listing came to so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pages asked for.
    pub pages: u64,
    /// Keys that they showed.
    pub seen: u64,
    /// Keys among them that the filter left out.
    pub pruned: u64,
    /// Folders that the filter left out: their keys were never listed.
    pub pruned_folders: u64,
    /// Folders of other logs: their keys were never listed.
    pub skipped_folders: u64,
    /// Folders that could not be listed.
    pub failed_folders: u64,
}

/// Counts of a listing that somebody else consumes.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<Mutex<Counts>>);

impl Counter {
    /// What the listing came to so far.
    pub fn get(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Listing {
    pub(super) fn start(bucket: Bucket, url: &S3Url, filter: &Filter, window: Window) -> Result<Self, S3Error> {
        let counts = Counter::default();
        let mut walk = Walk {
            bucket: bucket.clone(),
            plan: Plan::new(filter.clone(), window),
            segments: BTreeMap::new(),
            waiting: BTreeSet::new(),
            running: JoinSet::new(),
            held: 0,
            counts: counts.clone(),
        };
        let mut first = walk.plan.start(&url.prefix);
        if let [Step::List(task)] = first.as_slice() {
            // Where the very first page is refused, everything is.
            let task = task.clone();
            counts.change(|counts| counts.pages += 1);
            let page = bucket.session.run(pages::get(&bucket, &task));
            let page = page.map_err(|failure| failure.into_error(url.to_string(), &bucket.name))?;
            first = walk.plan.page(&task, page);
        }
        walk.put(first);
        let (sender, chunks) = mpsc::channel(4);
        let walk = Some(bucket.session.runtime().spawn(walk.run(sender)));
        Ok(Self { chunks, current: Vec::new().into_iter(), counts, window, walk, session: bucket.session })
    }

    /// What it came to so far, also for somebody who does not consume it.
    pub fn counter(&self) -> Counter {
        self.counts.clone()
    }

    /// Days of delivery that are looked at, and whether files that come later may exist.
    pub fn window(&self) -> Window {
        self.window
    }
}

impl Iterator for Listing {
    type Item = Object;

    fn next(&mut self) -> Option<Object> {
        loop {
            if let Some(object) = self.current.next() {
                return Some(object);
            }
            match self.chunks.blocking_recv() {
                Some(chunk) => self.current = chunk.into_iter(),
                None => return end(&self.session, &mut self.walk),
            }
        }
    }
}

/// The end of a stream, unless its producer crashed: that shall not look like the end.
pub(super) fn end<T>(session: &Session, producer: &mut Option<JoinHandle<()>>) -> Option<T> {
    if let Some(producer) = producer.take()
        && let Err(error) = session.run(producer)
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
    None
}

/// A stretch of the keys, by where it begins.
enum Segment {
    Waiting(Task),
    Running,
    Ready(Vec<Object>),
}

/// A page that was asked for, and the task it belongs to.
type Answer = (Task, Result<Page, Failure>);

struct Walk {
    bucket: Bucket,
    plan: Plan,
    /// In the order of keys: only the first may be given to the consumer.
    segments: BTreeMap<String, Segment>,
    /// Those that wait.
    waiting: BTreeSet<String>,
    running: JoinSet<Answer>,
    /// Keys in segments that are ready.
    held: usize,
    counts: Counter,
}

impl Walk {
    async fn run(mut self, sender: mpsc::Sender<Vec<Object>>) {
        loop {
            while let Some(chunk) = self.take_ready() {
                if sender.send(chunk).await.is_err() {
                    return;
                }
            }
            self.start_tasks();
            match self.running.join_next().await {
                None => return,
                Some(Ok((task, answer))) => self.replace(&task, answer),
                // Only a bug ends a task like this.
                Some(Err(error)) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => return,
                },
            }
        }
    }

    /// The first segment, when its objects are known.
    fn take_ready(&mut self) -> Option<Vec<Object>> {
        let first = self.segments.first_entry()?;
        if !matches!(first.get(), Segment::Ready(_)) {
            return None;
        }
        let Segment::Ready(objects) = first.remove() else { return None };
        self.held -= objects.len();
        Some(objects)
    }

    /// Starts what waits, from the front. The front itself always may run: everything else waits for it.
    fn start_tasks(&mut self) {
        let parallel = PARALLEL.min(self.bucket.session.shared.options.parallel.max(1));
        while self.running.len() < parallel {
            let Some(at) = self.waiting.first() else { return };
            let is_front = self.segments.first_key_value().is_some_and(|(first, _)| first == at);
            if !is_front && self.held + (self.running.len() + 1) * PAGE > LOOK_AHEAD {
                return;
            }
            let Some(at) = self.waiting.pop_first() else { return };
            if let Some(segment) = self.segments.get_mut(&at)
                && let Segment::Waiting(task) = std::mem::replace(segment, Segment::Running)
            {
                let bucket = self.bucket.clone();
                self.counts.change(|counts| counts.pages += 1);
                self.running.spawn(async move {
                    let answer = pages::get(&bucket, &task).await;
                    (task, answer)
                });
            }
        }
    }

    fn replace(&mut self, task: &Task, answer: Result<Page, Failure>) {
        self.segments.remove(&task.at);
        match answer {
            Ok(page) => {
                let steps = self.plan.page(task, page);
                self.put(steps);
            }
            Err(failure) => {
                self.counts.change(|counts| counts.failed_folders += 1);
                let object = self.folder(&task.prefix, failure.reason, Some(refused(task, failure.detail)));
                self.put_ready(task.at.clone(), vec![object]);
            }
        }
    }

    fn put(&mut self, steps: Vec<Step>) {
        for step in steps {
            let at = step.at().to_owned();
            match step {
                Step::List(task) => {
                    self.waiting.insert(at.clone());
                    self.segments.insert(at, Segment::Waiting(task));
                }
                Step::Keys(entries) => {
                    let objects = entries.into_iter().map(|entry| self.object(entry)).collect();
                    self.put_ready(at, objects);
                }
                Step::Skip(folder, reason) => {
                    self.counts.change(|counts| counts.skipped_folders += 1);
                    let object = self.folder(&folder, reason, None);
                    self.put_ready(at, vec![object]);
                }
            }
        }
        let tally = self.plan.tally;
        self.counts.change(|counts| {
            (counts.seen, counts.pruned, counts.pruned_folders) = (tally.seen, tally.pruned, tally.pruned_folders);
        });
    }

    fn put_ready(&mut self, at: String, objects: Vec<Object>) {
        self.held += objects.len();
        self.segments.insert(at, Segment::Ready(objects));
    }

    fn object(&self, entry: Entry) -> Object {
        let uri = self.bucket.uri(&entry.key);
        let skip = self.plan.skip(&crate::source::Layout::of(&entry.key));
        let archived = entry.archived.filter(|_| skip.is_none()).map(|class| {
            format!("storage class {class}; restore it first (`aws s3api restore-object`), or a day of it with S3 Batch Operations")
        });
        Object {
            uri,
            size: Some(entry.size),
            skip: skip.or(archived.as_ref().map(|_| SkipReason::Archived)),
            detail: archived,
            etag: entry.etag,
            place: Place::S3(self.bucket.name.clone()),
        }
    }

    /// A whole folder, which is not listed or cannot be.
    fn folder(&self, prefix: &str, reason: SkipReason, detail: Option<String>) -> Object {
        let place = Place::S3(self.bucket.name.clone());
        Object { uri: self.bucket.uri(prefix), size: None, skip: Some(reason), detail, etag: None, place }
    }
}

fn refused(task: &Task, detail: String) -> String {
    if task.at == task.prefix {
        format!("nothing below this could be listed: {detail}")
    } else {
        format!("nothing below this could be listed from {} on: {detail}", task.at.trim_end_matches('\0'))
    }
}

//! What to list next: pure, so that it can be tested without a server.
//!
//! A listing begins with one task and goes on with what each page shows. Folders of the grammar are walked with a
//! delimiter, which shows what there is without listing it; what is not wanted is never listed. Days are listed flat: a
//! Region with few objects costs one request. When a page is not enough, the rest is listed folder by folder, in parallel:
//! years, then months, then days, and only those that exist.
//!
//! Every step has a place in the order of keys (`at`), and the steps that replace a task lie in the task's range: put in
//! order, they give all keys in order.

use super::place::Place;
use super::window::{Cut, Window};
use crate::decode::SkipReason;
use crate::source::{Filter, Layout};

/// One page of a listing.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) entries: Vec<Entry>,
    /// Folders, when listed with a delimiter.
    pub(super) folders: Vec<String>,
    /// Token of the next page.
    pub(super) next: Option<String>,
}

/// A key and what the listing says about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) etag: Option<Box<str>>,
    /// Storage class, when it has to be restored before it can be read.
    pub(super) archived: Option<String>,
}

/// A page to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Where its keys begin, in the order of keys.
    pub(super) at: String,
    pub(super) prefix: String,
    /// Stop at the next `/`.
    pub(super) delimited: bool,
    pub(super) start_after: Option<String>,
    pub(super) token: Option<String>,
    /// Keys from here on are not wanted.
    stop: Option<String>,
    /// What begins with this is another task's.
    except: Option<String>,
    place: Place,
}

/// A part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Keys, in order.
    Keys(Vec<Entry>),
    /// A folder that is not listed, because its name tells that there is nothing to read in it.
    Skip(String, SkipReason),
    /// More to ask for.
    List(Task),
}

impl Step {
    /// Its place in the order of keys.
    pub(super) fn at(&self) -> &str {
        match self {
            Self::Keys(keys) => keys.first().map_or("", |entry| &entry.key),
            Self::Skip(folder, _) => folder,
            Self::List(task) => &task.at,
        }
    }
}

/// What a listing came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Keys that pages showed.
    pub(super) seen: u64,
    /// Keys left out by the filter.
    pub(super) pruned: u64,
    /// Folders left out by the filter without listing them.
    pub(super) pruned_folders: u64,
}

/// Walking unknown folders costs a request each. Beyond so many they are listed flat: a thousand keys a request.
const WALKS: u32 = 500;

/// Decides what is listed.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    filter: Filter,
    window: Window,
    walks_left: u32,
    pub(super) tally: Tally,
}

impl Plan {
    pub(super) fn new(filter: Filter, window: Window) -> Self {
        Self { filter, window, walks_left: WALKS, tally: Tally::default() }
    }

    /// The first steps for a prefix that may begin and end anywhere.
    pub(super) fn start(&mut self, prefix: &str) -> Vec<Step> {
        let folder = &prefix[..prefix.rfind('/').map_or(0, |slash| slash + 1)];
        let steps = self.folder(folder);
        if folder == prefix {
            return steps;
        }
        // The prefix ends within a name: whatever the folder is, only the folders and keys that go on like this count.
        match steps.first() {
            Some(Step::Skip(_, reason)) => vec![Step::Skip(prefix.to_owned(), *reason)],
            Some(Step::List(_)) => {
                let place = Place::of(folder);
                let is_day = matches!(place, Place::Days(_)) && !place.has_few_folders();
                vec![Step::List(Task { delimited: !is_day, ..Task::flat(prefix, place) })]
            }
            _ => steps,
        }
    }

    /// The steps that replace a task once its page is there.
    pub(super) fn page(&mut self, task: &Task, page: Page) -> Vec<Step> {
        self.tally.seen += page.entries.len() as u64;
        if task.delimited { self.folders(task, page) } else { self.keys(task, page) }
    }

    /// The reason not to read what has such a name.
    pub(super) fn skip(&self, layout: &Layout) -> Option<SkipReason> {
        self.filter.skip(layout)
    }

    /// The steps for a whole folder.
    fn folder(&mut self, folder: &str) -> Vec<Step> {
        // The name of a file in it, which tells nothing. What stands in the folder of an account is that account's, even
        // if somebody copied another account's tree there.
        let layout = Layout::of(&format!("{folder}-"));
        if !self.admits(&layout) {
            self.tally.pruned_folders += 1;
            return Vec::new();
        }
        if let Some(reason) = self.skip(&layout) {
            return vec![Step::Skip(folder.to_owned(), reason)];
        }
        let place = Place::of(folder);
        let flat = Task::flat(folder, place);
        match place {
            Place::Open | Place::Odd => {
                let delimited = self.walks_left > 0;
                self.walks_left = self.walks_left.saturating_sub(1);
                vec![Step::List(Task { delimited, ..flat })]
            }
            Place::Tree => vec![Step::List(Task { delimited: true, ..flat })],
            // With a period, one request shows which years there are, and what does not belong there.
            Place::Region => vec![Step::List(Task { delimited: self.window.is_bounded(), ..flat })],
            Place::Days(days) => {
                let region = region_of(folder);
                match self.window.cut(days) {
                    Cut::Nothing => {
                        self.tally.pruned_folders += 1;
                        Vec::new()
                    }
                    Cut::Whole => vec![Step::List(flat)],
                    Cut::Days(days) => days
                        .into_iter()
                        .map(|day| format!("{region}{day}"))
                        .map(|day| Step::List(Task::flat(&day, Place::of(&day))))
                        .collect(),
                    Cut::Stretch(after, before) => {
                        let key = |day: String| format!("{region}{day}");
                        vec![Step::List(Task { start_after: after.map(key), stop: before.map(key), ..flat })]
                    }
                }
            }
        }
    }

    /// A page of keys.
    fn keys(&mut self, task: &Task, page: Page) -> Vec<Step> {
        let Page { mut entries, next, .. } = page;
        let last = entries.last().map(|entry| entry.key.clone());
        let before = entries.len();
        if let Some(stop) = &task.stop {
            entries.retain(|entry| entry.key < *stop);
        }
        let stopped = entries.len() < before;
        self.tally.pruned += (before - entries.len()) as u64;
        let mut steps = Vec::new();
        self.take(&mut steps, entries, task);
        match (last, next) {
            (Some(last), Some(token)) if !stopped => steps.extend(rest(task, &last, token)),
            // A page may be empty and not be the last one.
            (None, Some(token)) => steps.push(Step::List(Task { token: Some(token), ..task.clone() })),
            _ => {}
        }
        steps
    }

    /// A page of folders, and of keys beside them.
    fn folders(&mut self, task: &Task, page: Page) -> Vec<Step> {
        let Page { entries, mut folders, next } = page;
        let is_tree = |folder: &String| folder == "AWSLogs/" || folder.ends_with("/AWSLogs/");
        let unknown = matches!(task.place, Place::Open | Place::Odd);
        let is_empty = folders.is_empty() && entries.is_empty();
        if unknown && !is_empty && next.is_some() && task.token.is_none() && !folders.iter().any(is_tree) {
            // Somebody's own folders, over a thousand of them: flat costs fewer requests than one for each.
            self.tally.seen -= entries.len() as u64;
            return vec![Step::List(Task { delimited: false, ..task.clone() })];
        }
        folders.sort_unstable();
        let mut steps = Vec::new();
        let mut at = entries.last().map(|entry| format!("{}\0", entry.key));
        let mut entries = entries.into_iter().peekable();
        for folder in folders {
            let mut before = Vec::new();
            while let Some(entry) = entries.next_if(|entry| entry.key < folder) {
                before.push(entry);
            }
            self.take(&mut steps, before, task);
            at = at.max(Some(behind(&folder)));
            if task.except.as_ref() != Some(&folder) {
                steps.extend(self.folder(&folder));
            }
        }
        self.take(&mut steps, entries.collect(), task);
        if let Some(token) = next {
            let at = at.unwrap_or_else(|| task.at.clone());
            steps.push(Step::List(Task { at, token: Some(token), ..task.clone() }));
        }
        steps
    }

    /// Takes the keys that are wanted.
    fn take(&mut self, steps: &mut Vec<Step>, mut entries: Vec<Entry>, task: &Task) {
        if let Some(except) = &task.except {
            entries.retain(|entry| !entry.key.starts_with(except.as_str()));
        }
        // Folders that a console made: no content, and none expected.
        entries.retain(|entry| !(entry.key.ends_with('/') && entry.size == 0));
        let before = entries.len();
        entries.retain(|entry| self.admits(&Layout::of(&entry.key)));
        self.tally.pruned += (before - entries.len()) as u64;
        if !entries.is_empty() {
            steps.push(Step::Keys(entries));
        }
    }

    fn admits(&self, layout: &Layout) -> bool {
        self.filter.admits(layout) && self.window.admits(layout)
    }
}

impl Task {
    /// All keys below a prefix, page by page, whatever they are.
    pub(super) fn plain(prefix: &str, token: Option<String>) -> Self {
        Self { token, ..Self::flat(prefix, Place::Open) }
    }

    /// All keys below a prefix.
    fn flat(prefix: &str, place: Place) -> Self {
        Self {
            at: prefix.to_owned(),
            prefix: prefix.to_owned(),
            delimited: false,
            start_after: None,
            token: None,
            stop: None,
            except: None,
            place,
        }
    }
}

/// What is left of a flat listing behind the last key of a page.
fn rest(task: &Task, last: &str, token: String) -> Vec<Step> {
    let at = format!("{last}\0");
    let next = Task { at: at.clone(), token: Some(token), ..task.clone() };
    if !task.place.has_few_folders() {
        return vec![Step::List(next)];
    }
    let Some(slash) = last.get(task.prefix.len()..).and_then(|rest| rest.find('/')) else {
        return vec![Step::List(next)];
    };
    // The rest of this year (month, day), and the folders of the years behind it.
    let child = &last[..task.prefix.len() + slash + 1];
    let stop = task.stop.clone();
    let inner =
        Task { at, start_after: Some(last.to_owned()), stop: stop.clone(), ..Task::flat(child, Place::of(child)) };
    let outer = Task {
        at: behind(child),
        delimited: true,
        // Behind all that CloudTrail writes there. Should there be more, it shows as the child once again.
        start_after: Some(format!("{child}~")),
        except: Some(child.to_owned()),
        ..Task::flat(&task.prefix, task.place)
    };
    if stop.is_some_and(|stop| stop <= outer.at) {
        return vec![Step::List(inner)];
    }
    vec![Step::List(inner), Step::List(outer)]
}

/// The first text that sorts behind everything in a folder: `/` is followed by `0`.
fn behind(folder: &str) -> String {
    format!("{}0", folder.strip_suffix('/').unwrap_or(folder))
}

/// The folder of the Region that a folder of days is in.
fn region_of(folder: &str) -> &str {
    let mut region = folder.trim_end_matches('/');
    while let Some((up, part)) = region.rsplit_once('/') {
        if !(part.is_empty() || part.bytes().all(|byte| byte.is_ascii_digit())) {
            break;
        }
        region = up;
    }
    &folder[..(region.len() + 1).min(folder.len())]
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;

//! The objects of all sources, found by where a digest says that they were written.

use std::collections::BTreeMap;

use crate::decode::SkipReason;
use crate::integrity::{DigestName, Home, Place, Stream};
use crate::source::{Layout, Object, ObjectKind, tail};

/// What head-object printed of a digest file stands beside it under this ending.
const SIDECAR: &str = ".metadata.json";

/// All objects. They are held in memory: some 300 bytes each.
#[derive(Debug, Default)]
pub(super) struct Index {
    objects: Vec<Object>,
    /// Numbers of objects, in the order of their tails.
    by_tail: Vec<u32>,
    /// Digests by stream, each with the end that its name tells.
    pub(super) digests: BTreeMap<Stream, Vec<(u32, i64)>>,
    /// Sidecars by the URI of their digest.
    sidecars: BTreeMap<String, u32>,
    /// Log files.
    pub(super) logs: Vec<u32>,
    /// What could not be listed or read, and may hold anything.
    pub(super) unreadable: Vec<u32>,
    /// Objects that are neither.
    pub(super) others: u64,
}

impl Index {
    pub(super) fn of(objects: Vec<Object>) -> Self {
        let mut index = Self { objects, ..Self::default() };
        for (at, object) in (0u32..).zip(&mut index.objects) {
            let unreadable = object.skip.is_some_and(SkipReason::is_transient);
            if unreadable && object.uri.ends_with('/') {
                // A whole folder.
                index.unreadable.push(at);
            } else if let Some(name) = DigestName::of(&object.uri) {
                index.digests.entry(name.stream).or_default().push((at, name.end));
            } else if let Some(digest) = object.uri.strip_suffix(SIDECAR) {
                index.sidecars.insert(digest.to_owned(), at);
            } else if object.uri.ends_with('/') {
                // An empty object that a console shows as a folder.
                index.others += 1;
            } else if is_log(&object.uri) && object.skip != Some(SkipReason::Hidden) {
                index.logs.push(at);
            } else if unreadable {
                index.unreadable.push(at);
            } else {
                index.others += 1;
            }
            // A digest may list what a scan has no use for.
            if !unreadable {
                object.skip = None;
            }
        }
        let objects = &index.objects;
        let tail_of = |at: &u32| objects.get(*at as usize).map_or("", |object| tail(&object.uri));
        let mut by_tail: Vec<u32> = (0u32..).take(objects.len()).collect();
        by_tail.sort_unstable_by(|a, b| tail_of(a).cmp(tail_of(b)).then_with(|| a.cmp(b)));
        index.by_tail = by_tail;
        index
    }

    pub(super) fn get(&self, at: u32) -> Option<&Object> {
        self.objects.get(at as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn sidecar(&self, digest: &str) -> Option<&Object> {
        self.get(*self.sidecars.get(digest)?)
    }

    /// The object that was written to a place. Of copies, the one that stands where the digest does. Names are compared,
    /// never followed: nothing outside the sources is ever opened.
    pub(super) fn find(&self, place: &Place, root: &str) -> Option<u32> {
        let wanted = tail(&place.key);
        let in_tree = self.choose(wanted, place, root);
        // A folder without the tree, into which files were copied by their names.
        in_tree.or_else(|| self.choose(wanted.rsplit('/').next()?, place, root))
    }

    /// All objects that were written to a place, in trees and by their names alone; the copy that stands where the digest
    /// does first.
    pub(super) fn copies(&self, place: &Place, root: &str) -> Vec<u32> {
        let wanted = tail(&place.key);
        let name = wanted.rsplit('/').next().filter(|name| *name != wanted);
        let of_name = name.into_iter().flat_map(|name| self.written_to(name, place));
        let mut copies: Vec<u32> = self.written_to(wanted, place).chain(of_name).collect();
        copies.sort_by_key(|at| !self.stands_at(*at, root));
        copies
    }

    fn choose(&self, tail_wanted: &str, place: &Place, root: &str) -> Option<u32> {
        // False sorts first.
        self.written_to(tail_wanted, place).min_by_key(|at| !self.stands_at(*at, root))
    }

    fn stands_at(&self, at: u32, root: &str) -> bool {
        self.get(at).is_some_and(|object| root_of(&object.uri) == root)
    }

    fn written_to<'a>(&'a self, tail_wanted: &'a str, place: &'a Place) -> impl Iterator<Item = u32> + 'a {
        let tail_of = |at: u32| self.get(at).map_or("", |object| tail(&object.uri));
        let start = self.by_tail.partition_point(|at| tail_of(*at) < tail_wanted);
        let rest = self.by_tail.get(start..).unwrap_or_default().iter().copied();
        let same = rest.take_while(move |at| tail_of(*at) == tail_wanted);
        same.filter(|at| self.get(*at).is_some_and(|object| is_written_to(object, place)))
    }
}

/// In a bucket of that name the key is the key; any other place may be a copy.
fn is_written_to(object: &Object, place: &Place) -> bool {
    let in_bucket = object.uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    in_bucket.is_none_or(|(bucket, key)| bucket != place.bucket || key == place.key)
}

/// What comes before the tree.
pub(super) fn root_of(uri: &str) -> &str {
    uri.strip_suffix(tail(uri)).unwrap_or_default()
}

/// True for the name of a log file.
pub(super) fn is_log(uri: &str) -> bool {
    !uri.ends_with('/')
        && !uri.ends_with(SIDECAR)
        && DigestName::of(uri).is_none()
        && place_of(uri).kind == ObjectKind::CloudTrail
}

/// What the folders of a log file tell; its name only where it stands in no tree. Whoever moves a file into a folder makes
/// it a log of that folder.
fn place_of(uri: &str) -> Layout {
    let found = tail(uri);
    let Some((folders, name)) = found.rsplit_once(['/', '\\']) else { return Layout::of(found) };
    let mut layout = Layout::of(&format!("{folders}/-"));
    let named = Layout::of(name);
    if named.date == layout.date {
        layout.delivered = named.delivered;
    }
    layout
}

/// Where a log file stands.
pub(super) struct Standpoint {
    pub(super) home: Home,
    /// When it was delivered: its minute, or its day.
    pub(super) span: (i64, i64),
    /// True when its name is one that CloudTrail gives.
    pub(super) is_named: bool,
}

/// Where a log file stands, and when it was delivered.
pub(super) fn standpoint(uri: &str) -> Option<Standpoint> {
    let layout = place_of(uri);
    let span = layout.delivery_window()?;
    let is_named = layout.delivered.is_some();
    let home = (root_of(uri).to_owned(), layout.organization, layout.account?, layout.region?);
    Some(Standpoint { home, span, is_named })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(account: &str) -> String {
        let name = format!("{account}_CloudTrail_eu-west-1_20260901T1005Z_abcdefgh12345678.json.gz");
        format!("AWSLogs/{account}/CloudTrail/eu-west-1/2026/09/01/{name}")
    }

    fn place(key: &str) -> Place {
        Place { bucket: "trail-bucket".into(), key: key.into() }
    }

    #[test]
    fn a_copy_beside_the_digest_goes_first() {
        let key = log("111122223333");
        let index = Index::of(["a/", "b/", "c/x/"].map(|root| Object::file(format!("{root}{key}"))).to_vec());
        let found = |root: &str| index.get(index.find(&place(&format!("p/{key}")), root).unwrap()).unwrap().uri.clone();
        assert_eq!(found("b/"), format!("b/{key}"));
        assert_eq!(found("elsewhere/"), format!("a/{key}"));
    }

    #[test]
    fn names_are_compared_and_never_followed() {
        let index = Index::of(vec![Object::file("a/b"), Object::file(log("111122223333"))]);
        for key in ["/etc/passwd", "../../b/c", "AWSLogs/../a/c", "", "/", &log("444455556666")] {
            assert_eq!(index.find(&place(key), ""), None, "{key}");
        }
    }

    #[test]
    fn a_flat_folder_is_found_by_names() {
        let key = log("111122223333");
        let index = Index::of(vec![Object::file(format!("flat/{}", key.rsplit('/').next().unwrap()))]);
        assert_eq!(index.find(&place(&key), "flat/"), Some(0));
        assert_eq!(index.logs, [0]);
    }

    #[test]
    fn a_file_in_anothers_folder_is_a_log_of_that_folder() {
        let name = log("444455556666").rsplit('/').next().unwrap().to_owned();
        let moved = format!("x/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/{name}");
        let found = standpoint(&moved).unwrap();
        assert_eq!(found.home, ("x/".into(), None, "111122223333".into(), "eu-west-1".into()));
        assert_eq!((found.span.1 - found.span.0, found.is_named), (60_000, true));
        let found = standpoint("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01/a.json.gz").unwrap();
        assert_eq!((found.span.1 - found.span.0, found.is_named), (86_400_000, false));
    }
}

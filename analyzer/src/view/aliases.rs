//! Which key an alias pointed at, and when. Collected from every batch while objects are read: keys are folded and
//! evaluated apart, and each of them needs to know its names.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::{HashMap, HashMapExt, HashSet};

use super::fold::{Span, drain, widen};
use crate::frame::{Columns, Dictionary, Sym};

/// What rows say of aliases. Sets and spans: copies of a row change nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct AliasRows {
    /// Successful changes: alias, time, the key it points at from then on, `None` once deleted.
    changes: HashSet<(Sym, i64, Option<Sym>)>,
    /// Alias and key that one record named together, and when.
    observed: HashMap<(Sym, Sym), Span>,
    /// Keys that were made: key, when, by whom, origin.
    births: HashSet<(Sym, i64, Option<Sym>, Option<Sym>)>,
}

impl AliasRows {
    /// Collects from one row that names an alias.
    pub(super) fn read(&mut self, columns: &Columns<'_>, row: usize, alias: Sym, name: &str) {
        let time = columns.event_time.get(row).unwrap_or(0);
        let key = columns.key_arn.get(row);
        let succeeded = columns.error_code.get(row).is_none();
        let change = match name {
            "CreateAlias" | "UpdateAlias" => Some(key),
            "DeleteAlias" => Some(None),
            _ => None,
        };
        match change {
            // A refused change tells nothing: the alias points elsewhere, or nowhere.
            Some(_) if !succeeded => return,
            Some(to) if to.is_some() || name == "DeleteAlias" => {
                self.changes.insert((alias, time, to));
            }
            _ => {}
        }
        if let Some(key) = key {
            widen(self.observed.entry((alias, key)).or_insert((time, time)), (time, time));
        }
    }

    /// Collects from one row that makes a key.
    pub(super) fn read_birth(&mut self, columns: &Columns<'_>, row: usize) {
        let time = columns.event_time.get(row).unwrap_or(0);
        if let (Some(key), None) = (columns.key_arn.get(row), columns.error_code.get(row)) {
            self.births.insert((key, time, columns.principal.get(row), columns.key_origin.get(row)));
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.changes.extend(other.changes);
        self.births.extend(other.births);
        for (pair, span) in drain(other.observed) {
            widen(self.observed.entry(pair).or_insert(span), span);
        }
    }

    pub(super) fn settle<'d>(&self, as_of: Option<i64>, dictionary: &'d Dictionary) -> Aliases<'d> {
        let late = |time: i64| as_of.is_some_and(|as_of| time > as_of);
        let mut changes: BTreeMap<&str, Vec<Change<'_>>> = BTreeMap::new();
        let mut seen: BTreeMap<&str, BTreeMap<&str, Observed>> = BTreeMap::new();
        for &(alias, time, key) in self.changes.iter().filter(|change| !late(change.1)) {
            let key = key.map(|key| (dictionary.text(key), key));
            changes.entry(dictionary.text(alias)).or_default().push((time, key));
        }
        // A deletion and a creation within one second: the creation came last, or the alias would not exist.
        changes.values_mut().for_each(|list| list.sort_unstable());
        for (&(alias, key), &span) in self.observed.iter().filter(|(_, span)| !late(span.0)) {
            let born = self.changes.contains(&(alias, span.0, Some(key)));
            seen.entry(dictionary.text(alias)).or_default().insert(dictionary.text(key), Observed { key, span, born });
        }
        let mut aliases = Aliases { changes, seen, names: HashMap::new(), moves: HashMap::new() };
        aliases.names = aliases.current();
        let births = births(self.births.iter().filter(|birth| !late(birth.1)), dictionary);
        aliases.moves = aliases.all_moves(&births);
        aliases
    }
}

/// How a key was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Birth {
    /// When, milliseconds.
    pub at: i64,
    /// Stable identity of whoever made it; empty when the record names nobody.
    pub by: String,
    /// Origin of its material: `AWS_KMS`, `EXTERNAL`, ...; empty when the record has none.
    pub origin: String,
}

fn births<'d>(
    rows: impl Iterator<Item = &'d (Sym, i64, Option<Sym>, Option<Sym>)>,
    dictionary: &'d Dictionary,
) -> BTreeMap<&'d str, Birth> {
    let text = |sym: Option<Sym>| sym.map(|sym| dictionary.text(sym).to_string()).unwrap_or_default();
    let mut births: BTreeMap<&str, Birth> = BTreeMap::new();
    for &(key, at, by, origin) in rows {
        let birth = Birth { at, by: text(by), origin: text(origin) };
        let known = births.entry(dictionary.text(key)).or_insert_with(|| birth.clone());
        if birth < *known {
            *known = birth;
        }
    }
    births
}

/// An alias came to point at another key, or at none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasMove {
    /// Name of the alias, `alias/...`.
    pub alias: String,
    /// When, milliseconds.
    pub at: i64,
    /// ARN of the key that it pointed at before; `None` when it is new, or when no record tells.
    pub from: Option<String>,
    /// How that key was made, when the log shows it.
    pub from_birth: Option<Birth>,
    /// ARN of the key that it points at from then on; `None` when it was deleted.
    pub to: Option<String>,
    /// When it came to point at yet another key, or at none, milliseconds.
    pub until: Option<i64>,
    /// The key that the name belonged to until it was deleted, when it was taken again since.
    pub given_up: Option<GivenUp>,
}

/// The key that an alias pointed at until it was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// When the alias was deleted, milliseconds.
    pub at: i64,
    /// ARN of the key.
    pub key: String,
    /// How that key was made, when the log shows it.
    pub birth: Option<Birth>,
}

/// From when on an alias points at which key.
type Change<'d> = (i64, Option<(&'d str, Sym)>);

/// A key that records named together with an alias.
#[derive(Clone, Copy, Debug)]
struct Observed {
    key: Sym,
    span: Span,
    /// First seen through a change: before it, the alias did not point there.
    born: bool,
}

/// Which key an alias pointed at, and when.
#[derive(Clone, Debug)]
pub struct Aliases<'d> {
    /// Changes in order of time.
    changes: BTreeMap<&'d str, Vec<Change<'d>>>,
    seen: BTreeMap<&'d str, BTreeMap<&'d str, Observed>>,
    names: HashMap<Sym, Vec<String>>,
    moves: HashMap<Sym, Vec<AliasMove>>,
}

impl Aliases<'_> {
    /// Names of the aliases that point at a key in the end, sorted.
    pub(super) fn of(&self, key: Sym) -> Vec<String> {
        self.names.get(&key).cloned().unwrap_or_default()
    }

    /// When aliases came to point at a key, or ceased to, in order of time.
    pub(super) fn moves(&self, key: Sym) -> Vec<AliasMove> {
        self.moves.get(&key).cloned().unwrap_or_default()
    }

    fn all_moves(&self, births: &BTreeMap<&str, Birth>) -> HashMap<Sym, Vec<AliasMove>> {
        let mut moves: HashMap<Sym, Vec<AliasMove>> = HashMap::new();
        for (alias, changes) in &self.changes {
            let name = alias.find("alias/").map_or(*alias, |at| &alias[at..]);
            let mut now = changes.first().and_then(|change| self.before(alias, *change));
            for (at, change) in changes.iter().enumerate() {
                let (from, to) = (now, change.1);
                now = to;
                if from.map(|key| key.0) == to.map(|key| key.0) {
                    continue;
                }
                // The same change once more, as a retry or to blur the trail, changes nothing.
                let differs = |next: Option<(&str, Sym)>| next.map(|key| key.0) != to.map(|key| key.0);
                // A name that was given up and is taken again.
                let deleted = at.checked_sub(1).map(|before| changes[before]).filter(|before| before.1.is_none());
                let given_up = deleted.filter(|_| from.is_none()).and_then(|(deleted, _)| {
                    let old = changes[..at].iter().rev().find_map(|change| change.1);
                    let (old, _) = old.or_else(|| self.before(alias, changes[0]))?;
                    Some(GivenUp { at: deleted, birth: births.get(old).cloned(), key: old.to_string() })
                });
                let told = AliasMove {
                    alias: name.to_string(),
                    at: change.0,
                    from: from.map(|key| key.0.to_string()),
                    from_birth: from.and_then(|key| births.get(key.0).cloned()),
                    to: to.map(|key| key.0.to_string()),
                    until: changes[at + 1..].iter().find(|next| differs(next.1)).map(|next| next.0),
                    given_up,
                };
                for key in BTreeSet::from_iter([from, to].into_iter().flatten()) {
                    moves.entry(key.1).or_default().push(told.clone());
                }
            }
        }
        #[expect(clippy::iter_over_hash_type, reason = "each list is sorted by itself")]
        for list in moves.values_mut() {
            list.sort_by(|a, b| (a.at, &a.alias, &a.to).cmp(&(b.at, &b.alias, &b.to)));
        }
        moves
    }

    /// The key that an alias pointed at before its first change, where a record tells it; that of a deletion tells it itself.
    fn before(&self, alias: &str, (first, to): Change<'_>) -> Option<(&str, Sym)> {
        let before = |seen: &Observed| seen.span.0 < first || to.is_none() && seen.span.0 == first;
        let seen = self.seen.get(alias)?.iter().filter(|(_, seen)| before(seen));
        seen.max_by_key(|(arn, seen)| (seen.span.1.min(first), **arn)).map(|(arn, seen)| (*arn, seen.key))
    }

    /// The key that an alias pointed at. `gone` asks for the key of a deleted alias as well: calls through it fail.
    pub(super) fn at(&self, alias: &str, time: i64, gone: bool) -> Option<Sym> {
        let changes = self.changes.get(alias).map(Vec::as_slice).unwrap_or_default();
        let mut before = changes.iter().rev().filter(|change| change.0 <= time);
        match before.next() {
            Some((_, Some((_, key)))) => Some(*key),
            Some((at, None)) if gone => {
                before.find_map(|change| change.1).map(|(_, key)| key).or_else(|| self.observed(alias, *at))
            }
            Some((_, None)) => None,
            None => self.observed(alias, time),
        }
    }

    /// The key that was seen with an alias last before an instant, else first after it.
    fn observed(&self, alias: &str, time: i64) -> Option<Sym> {
        let keys = self.seen.get(alias)?;
        let before = keys.iter().filter(|(_, seen)| seen.span.0 <= time);
        let last = before.max_by_key(|(arn, seen)| (seen.span.1.min(time), seen.span.1, **arn));
        let after = || {
            let unborn = keys.iter().filter(|(_, seen)| seen.span.0 > time && !seen.born);
            unborn.min_by_key(|(arn, seen)| (seen.span.0, **arn))
        };
        last.or_else(after).map(|(_, seen)| seen.key)
    }

    fn current(&self) -> HashMap<Sym, Vec<String>> {
        let mut current: HashMap<Sym, Vec<String>> = HashMap::new();
        for alias in self.changes.keys().chain(self.seen.keys().filter(|alias| !self.changes.contains_key(*alias))) {
            if let Some(key) = self.at(alias, i64::MAX, false) {
                let name = alias.find("alias/").map_or(*alias, |at| &alias[at..]);
                current.entry(key).or_default().push(name.to_string());
            }
        }
        #[expect(clippy::iter_over_hash_type, reason = "each list is sorted by itself")]
        for names in current.values_mut() {
            names.sort();
            names.dedup();
        }
        current
    }
}

#[cfg(test)]
mod tests {
    use super::AliasRows;
    use crate::frame::Dictionary;

    #[test]
    fn aliases_lead_to_the_key_of_the_time() {
        let dictionary = Dictionary::default();
        let [alias, seen, old, new] = ["alias/a", "alias/b", "key/old", "key/new"].map(|text| dictionary.intern(text));
        let mut rows = AliasRows::default();
        rows.changes.extend([(alias, 10, Some(old)), (alias, 20, Some(new)), (alias, 30, None)]);
        rows.observed.extend([((alias, old), (10, 15)), ((alias, new), (20, 25))]);
        rows.observed.extend([((seen, old), (10, 15)), ((seen, new), (20, 25))]);
        let aliases = rows.settle(None, &dictionary);
        let at = |time| aliases.at("alias/a", time, false);
        assert_eq!([at(5), at(10), at(20), at(30)], [None, Some(old), Some(new), None]);
        assert_eq!(aliases.at("alias/a", 40, true), Some(new), "calls through a deleted alias fail");
        let at = |time| aliases.at("alias/b", time, false);
        assert_eq!([at(5), at(12), at(17), at(22)], [Some(old), Some(old), Some(old), Some(new)]);
        assert_eq!(aliases.of(new), ["alias/b"]);
        assert!(aliases.of(old).is_empty());
    }

    #[test]
    fn moves_know_both_keys_and_who_made_the_old_one() {
        let dictionary = Dictionary::default();
        let [alias, seen, old, new, eve] =
            ["arn:x:alias/a", "arn:x:alias/b", "key/old", "key/new", "eve"].map(|text| dictionary.intern(text));
        let mut rows = AliasRows::default();
        rows.changes.extend([(alias, 10, Some(old)), (alias, 20, None), (alias, 25, Some(new)), (seen, 30, Some(new))]);
        rows.changes.extend([(alias, 12, Some(old)), (alias, 27, Some(new))]);
        rows.observed.extend([((alias, old), (10, 20)), ((alias, new), (25, 25)), ((seen, old), (5, 9))]);
        rows.births.insert((old, 1, Some(eve), None));
        let aliases = rows.settle(None, &dictionary);
        let told = |key| -> Vec<_> {
            let moves = aliases.moves(key).into_iter();
            moves.map(|told| (told.alias, told.at, told.from, told.to, told.until)).collect()
        };
        let key = |text: &str| Some(text.to_string());
        let made = ("alias/a".to_string(), 10, None, key("key/old"), Some(20));
        let gone = ("alias/a".to_string(), 20, key("key/old"), None, Some(25));
        let again = ("alias/a".to_string(), 25, None, key("key/new"), None);
        let moved = ("alias/b".to_string(), 30, key("key/old"), key("key/new"), None);
        assert_eq!(told(old), [made, gone, moved.clone()]);
        assert_eq!(told(new), [again, moved]);
        let given_up = aliases.moves(new)[0].given_up.clone().unwrap();
        assert_eq!((given_up.at, given_up.key.as_str(), given_up.birth.unwrap().by.as_str()), (20, "key/old", "eve"));
        assert_eq!(aliases.moves(new)[1].from_birth.as_ref().unwrap().at, 1);
    }
}

//! Answers put together: what is known of each key, by the latest answer of each kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::Call;
use super::facts::{Aliases, Fact, KeyFacts, Place, Refusal, Stamp, Standing};
use super::read::{Answer, Body, Gathered, Misread, place_of};

/// What KMS said of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// By ARN.
    pub keys: BTreeMap<String, Arc<KeyFacts>>,
    /// By account and Region.
    pub places: BTreeMap<(String, String), Place>,
    /// What was asked and not answered, neither then nor later.
    pub refused: Vec<Refusal>,
    /// What could not be used.
    pub misread: Vec<Misread>,
    /// Files that answers stand in.
    pub files: u64,
    /// SHA-256 of every file that was read, hex, by its name.
    pub sums: BTreeMap<String, String>,
    /// One hash over all of them, and over the times of those that have to tell when something was said; hex.
    pub digest: String,
    /// First and last instant at which something was said, milliseconds.
    pub span: Option<(i64, i64)>,
    /// Answers that are younger than the instant that was asked for. Only what does not change, and what has a date of its
    /// own, was taken from them.
    pub later: u64,
}

impl Inventory {
    /// Everything that was said, up to an instant when one is given: how a key stood later says nothing of it.
    pub fn of(gathered: Gathered, until: Option<i64>) -> Self {
        let Gathered { mut answers, misread, files } = gathered;
        // The order of files must not matter, not even for what was said at the same time.
        answers.sort_by(|a, b| (&a.stamp, a.call, &a.key).cmp(&(&b.stamp, b.call, &b.key)));
        let mut merge = Merge { known: Known::of(&answers), until, ..Merge::default() };
        merge.inventory.misread = misread;
        merge.inventory.files = files;
        for answer in answers {
            merge.add(answer);
        }
        merge.finish()
    }

    /// True when nothing was said of any key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// When all keys of an account and Region were listed.
    pub fn listed(&self, account: &str, region: &str) -> Option<&Stamp> {
        self.places.get(&(account.to_string(), region.to_string()))?.listed.as_ref()
    }
}

/// ARNs by key id: some answers tell the id only.
#[derive(Default)]
struct Known(BTreeMap<String, Vec<String>>);

impl Known {
    fn of(answers: &[Answer]) -> Self {
        let mut known = Self::default();
        for answer in answers {
            match &answer.body {
                Body::Keys(arns, _) => arns.iter().for_each(|arn| known.add(arn)),
                Body::Aliases(aliases, _) => {
                    aliases.iter().filter_map(|alias| alias.1.as_ref()).for_each(|arn| known.add(arn))
                }
                _ => answer.key.iter().for_each(|arn| known.add(arn)),
            }
        }
        known
    }

    fn add(&mut self, arn: &str) {
        let Some((_, id)) = arn.split_once(":key/").filter(|_| place_of(arn).is_some()) else { return };
        let arns = self.0.entry(id.to_string()).or_default();
        if !arns.iter().any(|known| known == arn) {
            arns.push(arn.to_string());
        }
    }

    /// The one key of this ARN or id. Copies of a multi-Region key share the id: then the file has to name the Region.
    fn find(&self, key: &str, file: &str) -> Result<String, &'static str> {
        let id = key.split_once(":key/").map_or(key, |(_, id)| id);
        let arns = self.0.get(id).map(Vec::as_slice).unwrap_or_default();
        if let Some(arn) = arns.iter().find(|arn| *arn == key) {
            return Ok(arn.clone());
        }
        let named = |arn: &&String| place_of(arn).is_some_and(|(_, region)| file.contains(&region));
        match arns {
            [] => Err("it names a key by its id, and nothing beside it tells the ARN"),
            [arn] => Ok(arn.clone()),
            several => {
                let mut named = several.iter().filter(named);
                match (named.next(), named.next()) {
                    (Some(arn), None) => Ok(arn.clone()),
                    _ => {
                        Err("several Regions have a key of this id, and the name of the file does not tell the Region")
                    }
                }
            }
        }
    }
}

#[derive(Default)]
struct Merge {
    inventory: Inventory,
    keys: BTreeMap<String, KeyFacts>,
    known: Known,
    refused: BTreeMap<(Call, String, String, Option<String>), Refusal>,
    stores: BTreeMap<String, Fact<String>>,
    until: Option<i64>,
}

impl Merge {
    fn key(&mut self, arn: &str) -> &mut KeyFacts {
        self.keys.entry(arn.to_string()).or_insert_with(|| {
            let (account, region) = place_of(arn).unwrap_or_default();
            let id = arn.split_once(":key/").map_or(arn, |(_, id)| id).to_string();
            KeyFacts { arn: arn.to_string(), id, account, region, ..KeyFacts::default() }
        })
    }

    fn add(&mut self, answer: Answer) {
        let Answer { call, place, key, body, stamp, .. } = answer;
        let at = stamp.captured_at;
        let in_time = self.until.is_none_or(|until| at <= until);
        let (account, region) = place.clone().unwrap_or_default();
        let key = match key.map(|key| self.known.find(&key, &stamp.file)).transpose() {
            Ok(key) => key,
            Err(reason) => return self.misread(&stamp, format!("{}: {reason}", call.id())),
        };
        let span = self.inventory.span.get_or_insert((at, at));
        *span = (span.0.min(at), span.1.max(at));
        self.inventory.later += u64::from(!in_time);
        let asked = (call, account, region, key);
        if let Body::Refused(reason, detail) = body {
            let (call, account, region, key) = asked.clone();
            self.refused.insert(asked, Refusal { call, account, region, key, reason, detail, stamp });
            return;
        }
        self.refused.remove(&asked);
        let (_, account, region, key) = asked;
        match body {
            Body::Keys(arns, complete) => {
                let arns: Vec<String> = arns.into_iter().filter(|arn| place_of(arn).is_some()).collect();
                // A key that was there later may be younger than the instant; its own answer tells.
                for arn in &arns {
                    self.key(arn);
                }
                if complete && in_time && !account.is_empty() {
                    self.inventory.places.entry((account, region)).or_default().listed = Some(stamp);
                }
            }
            Body::Aliases(aliases, complete) if in_time => self.aliases(aliases, complete, (&account, &region), &stamp),
            Body::Stores(stores) if in_time => {
                for (id, state) in stores {
                    if let Some(value) = state {
                        self.stores.insert(id, Fact { value, stamp: stamp.clone() });
                    }
                }
            }
            Body::Aliases(..) | Body::Stores(_) | Body::Refused(..) => {}
            body => match key {
                Some(key) => self.of_key(&key, body, stamp, in_time),
                None => {
                    self.misread(&stamp, format!("{}: neither it nor the name of its file tells the key", call.id()))
                }
            },
        }
    }

    fn of_key(&mut self, arn: &str, body: Body, stamp: Stamp, in_time: bool) {
        let until = self.until;
        let facts = self.key(arn);
        match body {
            Body::Described(described) => {
                let (kind, standing) = *described;
                facts.kind = Some(Fact { value: kind, stamp: stamp.clone() });
                if in_time {
                    facts.standing = Some(Fact { value: standing, stamp });
                }
            }
            Body::Gone if in_time => {
                let value = Standing { state: Some("Deleted".into()), ..Standing::default() };
                facts.standing = Some(Fact { value, stamp });
            }
            // Each has its own date.
            Body::Rotations(mut value) => {
                value.retain(|rotation| until.is_none_or(|until| rotation.0 <= until));
                facts.rotations = Some(Fact { value, stamp });
            }
            Body::Rotation(value) if in_time => facts.rotation = Some(Fact { value, stamp }),
            Body::Policy(value) if in_time => facts.policy = Some(Fact { value, stamp }),
            Body::Grants(value) if in_time => facts.grants = Some(Fact { value, stamp }),
            Body::Tags(value) if in_time => facts.tags = Some(Fact { value, stamp }),
            _ => {}
        }
    }

    fn aliases(&mut self, aliases: Vec<(String, Option<String>)>, complete: bool, place: (&str, &str), stamp: &Stamp) {
        let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
        if complete {
            let here = self.keys.values().filter(|key| (key.account.as_str(), key.region.as_str()) == place);
            by_key.extend(here.map(|key| (key.arn.clone(), Vec::new())));
        }
        for (name, target) in aliases {
            let Some(target) = target.and_then(|target| self.known.find(&target, &stamp.file).ok()) else { continue };
            by_key.entry(target).or_default().push(name);
        }
        for (arn, mut names) in by_key {
            names.sort();
            names.dedup();
            let value = Aliases { names, all: complete };
            self.key(&arn).aliases = Some(Fact { value, stamp: stamp.clone() });
        }
    }

    fn misread(&mut self, stamp: &Stamp, reason: String) {
        self.inventory.misread.push(Misread { source: stamp.source.to_string(), reason });
    }

    fn finish(mut self) -> Inventory {
        for refusal in self.refused.values() {
            if let Some(key) = &refusal.key {
                self.keys.entry(key.clone()).and_modify(|facts| facts.refused.push(refusal.clone()));
            }
        }
        for facts in self.keys.values_mut() {
            let store = facts.kind.as_ref().and_then(|kind| kind.value.custom_key_store.as_ref());
            facts.store = store.and_then(|store| self.stores.get(store).cloned());
        }
        // A key that was made after the instant was not there.
        let until = self.until;
        let there = |facts: &KeyFacts| {
            let created = facts.kind.as_ref().and_then(|kind| kind.value.created);
            created.zip(until).is_none_or(|(created, until)| created <= until)
        };
        let mut inventory = self.inventory;
        inventory.keys = self
            .keys
            .into_iter()
            .filter(|(_, facts)| there(facts))
            .map(|(arn, facts)| (arn, Arc::new(facts)))
            .collect();
        inventory.refused = self.refused.into_values().collect();
        inventory.misread.sort();
        inventory
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::gather;
    use super::*;

    const A: &str = "arn:aws:kms:eu-west-1:111122223333:key/0d1e2f3a-4b5c-4d6e-8f90-a1b2c3d4e5f6";
    const EARLY: i64 = 1_780_000_000_000;
    const LATE: i64 = 1_790_000_000_000;

    fn rotation(enabled: bool) -> String {
        format!("{{\"KeyRotationEnabled\":{enabled},\"KeyId\":\"{A}\"}}")
    }

    fn of(files: &[(&str, i64, &str)], until: Option<i64>) -> Inventory {
        let mut gathered = Gathered::default();
        files.iter().for_each(|(name, at, text)| gather(&mut gathered, name, Some(*at), text.as_bytes()));
        Inventory::of(gathered, until)
    }

    #[test]
    fn the_latest_answer_counts_whatever_the_order_of_files() {
        let (on, off) = (rotation(true), rotation(false));
        for files in [[("a", EARLY, on.as_str()), ("b", LATE, &off)], [("b", LATE, &off), ("a", EARLY, on.as_str())]] {
            let inventory = of(&files, None);
            let fact = inventory.keys[A].rotation.clone().unwrap();
            assert!(!fact.value.enabled && fact.stamp.captured_at == LATE);
        }
    }

    #[test]
    fn what_was_said_later_says_nothing_of_before() {
        let described = format!(
            "{{\"KeyMetadata\":{{\"Arn\":\"{A}\",\"KeySpec\":\"SYMMETRIC_DEFAULT\",\"KeyState\":\"Disabled\",\"CreationDate\":1.7e9}}}}"
        );
        let rotations = format!(
            "{{\"Rotations\":[{{\"KeyId\":\"{A}\",\"RotationDate\":1.75e9}},{{\"KeyId\":\"{A}\",\"RotationDate\":1.785e9}}]}}"
        );
        let files = [("a", LATE, described.as_str()), ("b", LATE, rotations.as_str())];
        let inventory = of(&files, Some(EARLY));
        let key = &inventory.keys[A];
        assert!(key.standing.is_none() && key.kind.is_some());
        assert_eq!(key.rotations.as_ref().unwrap().value.len(), 1, "the second one came later");
        assert_eq!(inventory.later, 2);
        assert!(of(&files, Some(1_600_000_000_000)).keys.is_empty(), "the key is younger than that");
    }

    #[test]
    fn an_id_that_two_regions_share_needs_the_region() {
        let id = format!("mrk-{}", "0a".repeat(16));
        let arn = |region: &str| format!("arn:aws:kms:{region}:111122223333:key/{id}");
        let keys =
            format!("{{\"Keys\":[{{\"KeyArn\":\"{}\"}},{{\"KeyArn\":\"{}\"}}]}}", arn("eu-west-1"), arn("us-east-1"));
        let tags = "{\"Tags\":[]}";
        let inventory = of(
            &[
                ("keys", EARLY, &keys),
                (&format!("us-east-1/{id}.json"), EARLY, tags),
                (&format!("tags-{id}.json"), EARLY, tags),
                ("tags.json", EARLY, tags),
            ],
            None,
        );
        assert!(inventory.keys[&arn("us-east-1")].tags.is_some() && inventory.keys[&arn("eu-west-1")].tags.is_none());
        assert_eq!(inventory.misread.len(), 2, "{:?}", inventory.misread);
    }
}

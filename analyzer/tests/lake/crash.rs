//! Whatever call a writer is killed at, readers see the old state or the new one, and doing it again ends in the same.

use std::sync::Arc;

use keytrail::frame::Dictionary;
use keytrail::lake::{Lake, Store};

use crate::support::*;

/// Something that changes a lake.
type Step<'s> = &'s dyn Fn(&Lake) -> Result<(), keytrail::lake::LakeError>;

/// Kills `step` at every call that it makes, before and after the call takes effect.
fn killed_everywhere(before: &Memory, step: Step<'_>) {
    let open = |store: Arc<dyn Store>| Lake::open(store).unwrap();
    let old = content(&open(Arc::new(before.copy())));
    let whole = Arc::new(before.copy());
    step(&open(whole.clone())).unwrap();
    let new = content(&open(whole.clone()));
    open(whole.clone()).sweep().unwrap();
    assert_eq!(content(&open(whole.clone())), new, "sweeping changes nothing");
    let wanted = names(&open(whole));

    for late in [false, true] {
        for calls in 1.. {
            let store = Arc::new(before.copy());
            let killed = Arc::new(Killed::after(store.clone(), calls, late));
            let done = Lake::open(killed).and_then(|lake| step(&lake));
            let lake = open(store);
            let seen = content(&lake);
            assert!(seen == old || seen == new, "killed at call {calls}: {seen:#?}");
            step(&lake).unwrap();
            assert_eq!(content(&lake), new, "killed at call {calls} and done again");
            lake.sweep().unwrap();
            assert_eq!(content(&lake), new, "killed at call {calls}, done again and swept");
            assert_eq!(names(&lake), wanted, "killed at call {calls}");
            if done.is_ok() {
                assert!(calls > 1);
                break;
            }
        }
    }
}

fn empty() -> Memory {
    let store = Arc::new(Memory::default());
    Lake::open_or_create(store.clone()).unwrap();
    store.copy()
}

/// A lake after these steps.
fn after(steps: &[Step<'_>]) -> Memory {
    let store = Arc::new(empty());
    let lake = Lake::open(store.clone()).unwrap();
    steps.iter().for_each(|step| step(&lake).unwrap());
    store.copy()
}

fn write(objects: Vec<Given>) -> impl Fn(&Lake) -> Result<(), keytrail::lake::LakeError> {
    move |lake| batch(&objects).write(lake).map(|_| ())
}

#[test]
fn a_first_batch() {
    killed_everywhere(&empty(), &write(vec![given("1", 1, "a"), given("1", 2, "a")]));
}

#[test]
fn a_batch_with_known_new_and_changed_objects() {
    let first = write(vec![given("1", 1, "a"), given("1", 2, "a")]);
    let second = write(vec![given("1", 1, "a"), given("1", 2, "b"), given("1", 3, "a")]);
    killed_everywhere(&after(&[&first]), &second);
}

#[test]
fn compaction() {
    let steps: Vec<_> = (0..3).map(|number| write(vec![given("1", number, "a")])).collect();
    let steps: Vec<Step<'_>> = steps.iter().map(|step| step as Step<'_>).collect();
    let shard = given("1", 0, "a").row().unit.shard;
    killed_everywhere(&after(&steps), &|lake| lake.compact(&shard, 1).map(|_| ()));
}

#[test]
fn the_inbox() {
    let put = |object: Given| {
        move |lake: &Lake| {
            let dictionary = Dictionary::default();
            lake.write_inbox(object.row(), &[object.events(&dictionary)], &dictionary)
        }
    };
    killed_everywhere(&empty(), &put(given("1", 7, "a")));
    let steps: Vec<_> = (0..3).map(|number| put(given("1", number, "a"))).collect();
    let known = write(vec![given("1", 2, "a")]);
    let mut steps: Vec<Step<'_>> = steps.iter().map(|step| step as Step<'_>).collect();
    steps.push(&known);
    let shard = given("1", 0, "a").row().unit.shard;
    killed_everywhere(&after(&steps), &|lake| lake.absorb(&shard).map(|_| ()));
}

#[test]
fn sweeping() {
    let first = write(vec![given("1", 1, "a")]);
    let leftover = |lake: &Lake| {
        // A writer that is killed before it swaps.
        let memory = Arc::new(Memory::default());
        for file in lake.store().list("")? {
            let bytes = lake.store().get(&file.path)?.unwrap().0;
            memory.put(&file.path, &bytes, keytrail::lake::When::Always)?;
        }
        let killed = Arc::new(Killed::after(memory.clone(), 7, true));
        assert!(Lake::open(killed).and_then(|lake| batch(&[given("1", 5, "a")]).write(&lake)).is_err());
        for file in memory.list("events/")? {
            lake.store().put(&file.path, &memory.get(&file.path)?.unwrap().0, keytrail::lake::When::Always)?;
        }
        Ok(())
    };
    let before = after(&[&first, &leftover]);
    let lake = Lake::open(Arc::new(before.copy())).unwrap();
    let files = names(&lake).len();
    assert_eq!(lake.sweep().unwrap().removed, 3);
    assert_eq!(names(&lake).len() + 3, files);
    killed_everywhere(&before, &|lake| lake.sweep().map(|_| ()));
}

/// Shards become visible one by one, objects never in part.
#[test]
fn a_batch_of_several_shards() {
    let objects = vec![given("1", 1, "a"), given("2", 1, "a"), given("3", 1, "a")];
    for calls in 1..40 {
        let store = Arc::new(empty());
        let killed = Arc::new(Killed::after(store.clone(), calls, false));
        let _ = Lake::open(killed).and_then(|lake| batch(&objects).write(&lake));
        let lake = Lake::open(store).unwrap();
        let seen = content(&lake);
        let of = |kind: &str| seen.iter().filter(|line| line.starts_with(kind)).count();
        assert_eq!(of("event"), 3 * of("object"), "killed at call {calls}: {seen:#?}");
        batch(&objects).write(&lake).unwrap();
        assert_eq!(content(&lake).len(), 3 * 4);
    }
}

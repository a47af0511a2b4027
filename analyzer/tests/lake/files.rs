//! Files: any rows come back as they went.

use crate::support::*;

#[test]
fn a_batch_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake(&folder);
    let done = batch(&[given("111122223333", 1, "a"), given("222", 2, "a")]).write(&lake).unwrap();
    assert_eq!((done.added, done.rows), (2, 6));
    let content = content(&lake);
    assert_eq!(content.len(), 2 + 6, "{content:#?}");
    for name in names(&lake) {
        println!("{name}");
    }
    let again = batch(&[given("111122223333", 1, "a")]).write(&lake).unwrap();
    assert_eq!((again.added, again.unchanged, again.rows), (0, 1, 0));
    let changed = batch(&[given("111122223333", 1, "b")]).write(&lake).unwrap();
    assert_eq!((changed.replaced, changed.rows), (1, 3));
    let content = crate::support::content(&lake);
    assert_eq!(content.len(), 2 + 6, "{content:#?}");
    assert!(!format!("{content:?}").contains("Own1a"));
}

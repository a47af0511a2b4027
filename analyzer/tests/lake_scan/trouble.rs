//! What cannot be read: logs that can be read later, and files of the lake that cannot be read any more.

use std::fs;
use std::path::{Path, PathBuf};

use crate::logs::{settings, write};
use crate::run::{Done, assert_same, counted, files, ingest, scan};

/// A folder with logs and the lake that was made of them.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(seed: u64) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        write(settings(seed), &place.logs());
        place
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    fn lake(&self) -> PathBuf {
        self.folder.path().join("lake")
    }

    fn fill(&self, code: i32) -> [u64; 3] {
        counted(&ingest(&[self.logs()], &self.lake(), &[]).ended(code))
    }

    fn compare(&self, label: &str) -> Done {
        let lake = scan(&[self.lake()], &[]);
        assert_same(label, &scan(&[self.logs()], &[]), &lake);
        lake
    }
}

fn reasons(done: &Done) -> Vec<(String, String)> {
    let json = done.json();
    let text = |one: &serde_json::Value, name: &str| one[name].as_str().unwrap().to_owned();
    json["skipped"].as_array().unwrap().iter().map(|one| (text(one, "object"), text(one, "reason"))).collect()
}

/// A file that is there and cannot be read, until it is shown again.
#[cfg(unix)]
struct Hidden {
    file: PathBuf,
    /// Where its content is meanwhile.
    aside: Option<PathBuf>,
}

#[cfg(unix)]
impl Hidden {
    /// Takes the permission away; from root, who may read everything, the content: a link to nothing takes its place.
    fn new(file: &Path, aside: PathBuf) -> Self {
        mode(file, 0);
        let file = file.to_owned();
        if fs::read(&file).is_err() {
            return Self { file, aside: None };
        }
        mode(&file, 0o644);
        fs::rename(&file, &aside).unwrap();
        std::os::unix::fs::symlink("nowhere", &file).unwrap();
        Self { file, aside: Some(aside) }
    }

    fn show(self) {
        match self.aside {
            None => mode(&self.file, 0o644),
            Some(aside) => {
                fs::remove_file(&self.file).unwrap();
                fs::rename(aside, self.file).unwrap();
            }
        }
    }
}

#[cfg(unix)]
fn mode(file: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn what_could_not_be_read_is_read_next_time() {
    let place = Place::new(11);
    let all = files(&place.logs());
    let whole = scan(&[place.logs()], &[]);
    let file = all[4].clone();
    let hidden = Hidden::new(&file, place.folder.path().join("aside"));

    let first = ingest(&[place.logs()], &place.lake(), &[]).ended(4);
    assert_eq!(counted(&first), [all.len() as u64, 0, 0]);
    assert_eq!(reasons(&first), [(file.to_str().unwrap().to_owned(), "unreadable".to_owned())]);
    assert!(first.err.contains(file.to_str().unwrap()), "{}", first.err);
    let told = place.compare("while it cannot be read").ended(4);
    assert_eq!(reasons(&told), reasons(&first));
    assert_eq!(place.fill(4)[..2], [0, 0], "still not");

    hidden.show();
    assert_eq!(place.fill(0), [0, 1, all.len() as u64 - 1]);
    assert_same("once it can be read", &whole, &place.compare("once it can be read").ended(0));
}

#[test]
fn damaged_logs_stay_told_until_they_are_replaced() {
    let place = Place::new(12);
    let file = files(&place.logs())[7].clone();
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    place.fill(4);
    let told = place.compare("truncated").ended(4);
    assert_eq!(reasons(&told), [(file.to_str().unwrap().to_owned(), "truncated-gzip".to_owned())]);
    // What was read and proved damaged is not read again: it does not get better.
    assert_eq!(place.fill(0)[..2], [0, 0]);
    place.compare("still truncated").ended(4);
    fs::write(&file, &bytes).unwrap();
    assert_eq!(place.fill(0)[..2], [0, 1]);
    place.compare("replaced").ended(0);
}

/// The largest file below a folder of the lake.
fn largest(folder: &Path) -> PathBuf {
    files(folder).into_iter().max_by_key(|file| file.metadata().unwrap().len()).unwrap()
}

fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_part_is_told_and_the_rest_is_read() {
    for kind in ["events", "objects"] {
        let place = Place::new(13);
        place.fill(0);
        let whole = scan(&[place.lake()], &[]).ended(0).json();
        let part = largest(&place.lake().join(kind));
        damage(&part);
        let told = scan(&[place.lake()], &[]).ended(4);
        let [(object, reason)] = &reasons(&told)[..] else { panic!("{:?}", reasons(&told)) };
        assert_eq!(reason, "damaged-part");
        assert!(part.ends_with(object), "{object}");
        assert!(told.err.contains(object) && told.err.contains("ingest again"), "{}", told.err);
        let kms = |json: &serde_json::Value| json["coverage"]["records"]["kms"].as_u64().unwrap();
        assert!(0 < kms(&told.json()) && kms(&told.json()) < kms(&whole), "{kind}: the rest is read");
    }
}

#[test]
fn a_part_that_is_gone_is_told() {
    let place = Place::new(14);
    place.fill(0);
    let part = largest(&place.lake().join("events"));
    fs::remove_file(&part).unwrap();
    let told = scan(&[place.lake()], &[]);
    assert_ne!(told.code, 0);
    assert!(told.err.contains(part.file_name().unwrap().to_str().unwrap()), "{}", told.err);
}

#[test]
fn a_lake_that_cannot_be_asked_is_not_written() {
    let place = Place::new(15);
    place.fill(0);
    damage(&largest(&place.lake().join("objects")));
    let before = files(&place.lake());
    let refused = ingest(&[place.logs()], &place.lake(), &[]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("damaged") && refused.err.contains("ingest again"), "{}", refused.err);
    assert_eq!(files(&place.lake()), before);
}

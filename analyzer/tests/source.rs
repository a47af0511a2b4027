//! Listing files, folders and patterns on a real file system.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::io::Read;
use std::path::Path;

use keytrail::decode::SkipReason;
use keytrail::source::{Filter, Listing, ObjectKind, SourceError, list};

const DAY: &str = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/09/01";
const LOG: &str = "111122223333_CloudTrail_eu-west-1_20260901T1205Z_Ab3dEfGh1JkLmN0p.json.gz";

/// A folder with these files, each holding its own name.
fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    root
}

fn listing(root: &Path, sources: &[&str]) -> Listing {
    filtered(root, sources, &Filter::default())
}

fn filtered(root: &Path, sources: &[&str], filter: &Filter) -> Listing {
    list(&at(root, sources), filter).unwrap()
}

fn failure(root: &Path, sources: &[&str]) -> SourceError {
    list(&at(root, sources), &Filter::default()).unwrap_err()
}

fn at(root: &Path, sources: &[&str]) -> Vec<String> {
    sources.iter().map(|source| format!("{}/{source}", root.display())).collect()
}

/// Paths below the root, with the reason for which an object is skipped.
fn names(root: &Path, listing: &Listing) -> Vec<String> {
    let prefix = format!("{}/", root.display());
    let name = |uri: &str| uri.strip_prefix(&prefix).unwrap_or(uri).to_owned();
    let skip = |skip: Option<SkipReason>| skip.map_or_else(String::new, |reason| format!(" [{}]", reason.id()));
    listing.objects.iter().map(|object| format!("{}{}", name(&object.uri), skip(object.skip))).collect()
}

fn bytes_of(object: &keytrail::source::Object) -> String {
    let mut text = String::new();
    object.open().unwrap().read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_folder_is_walked_to_its_ends_in_order() {
    let root = tree(&["logs/b.json", "logs/a/z.json", "logs/a.json", "logs/B.json", "other.json"]);
    let listing = listing(root.path(), &["logs"]);
    assert_eq!(names(root.path(), &listing), ["logs/B.json", "logs/a.json", "logs/a/z.json", "logs/b.json"]);
    assert_eq!(listing.objects[1].size, Some("logs/a.json".len() as u64));
    assert_eq!(bytes_of(&listing.objects[1]), "logs/a.json");
}

#[test]
fn names_that_prove_what_is_inside_are_listed_with_the_reason() {
    let account = "AWSLogs/111122223333";
    let day = "eu-west-1/2026/09/01";
    let digest = format!("{account}/CloudTrail-Digest/{day}/x.json.gz");
    let insight = format!("{account}/CloudTrail-Insight/{day}/x.json.gz");
    let config = format!("{account}/Config/{day}/x.json.gz");
    let log = format!("{DAY}/{LOG}");
    let root = tree(&[&digest, &insight, &config, &log, ".DS_Store", ".git/objects/x", "notes.txt"]);
    let listing = listing(root.path(), &[""]);
    let mut expected = vec![
        ".DS_Store [hidden]".to_owned(),
        ".git [hidden]".to_owned(),
        format!("{digest} [digest]"),
        format!("{insight} [insight]"),
        format!("{config} [other-service]"),
        log,
        "notes.txt".to_owned(),
    ];
    expected.sort();
    assert_eq!(names(root.path(), &listing), expected);
    let log = listing.objects.iter().find(|object| object.uri.ends_with(LOG)).unwrap();
    assert_eq!(log.layout().kind, ObjectKind::CloudTrail);
    assert_eq!(log.layout().account.as_deref(), Some("111122223333"));
}

#[test]
fn a_hidden_file_named_by_itself_is_read() {
    let root = tree(&[".hidden.json", ".folder/a.json"]);
    assert_eq!(
        names(root.path(), &listing(root.path(), &[".hidden.json", ".folder"])),
        [".folder/a.json", ".hidden.json"]
    );
}

#[test]
fn a_file_that_is_named_twice_is_listed_once() {
    let root = tree(&["logs/a.json", "logs/b.json"]);
    let listing = listing(root.path(), &["logs", "logs/a.json", "./logs/b.json", "logs/../logs", "logs/*.json"]);
    let names = names(root.path(), &listing);
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names.iter().filter(|name| name.ends_with("a.json")).count(), 1, "{names:?}");
}

#[test]
fn the_order_of_sources_does_not_matter() {
    let root = tree(&["a/1.json", "b/2.json", "c/3.json"]);
    assert_eq!(listing(root.path(), &["a", "b", "c/3.json"]), listing(root.path(), &["c/3.json", "b", "a"]));
}

#[test]
fn patterns_stay_within_a_folder_unless_told_otherwise() {
    let root = tree(&["logs/a.json", "logs/b.txt", "logs/deep/c.json", "logs/.d.json", "logs/deep/e/f.json"]);
    let of = |pattern: &str| names(root.path(), &listing(root.path(), &[pattern]));
    assert_eq!(of("logs/*.json"), ["logs/a.json"]);
    assert_eq!(of("logs/**/*.json"), ["logs/a.json", "logs/deep/c.json", "logs/deep/e/f.json"]);
    assert_eq!(of("logs/d*"), ["logs/deep/c.json", "logs/deep/e/f.json"]);
    assert_eq!(of("logs/deep/**"), ["logs/deep/c.json", "logs/deep/e/f.json"]);
    assert_eq!(
        of("logs/**"),
        ["logs/.d.json [hidden]", "logs/a.json", "logs/b.txt", "logs/deep/c.json", "logs/deep/e/f.json"]
    );
    assert_eq!(of("l*/**"), of("logs/**"));
    assert_eq!(of("logs/**/*"), ["logs/a.json", "logs/b.txt", "logs/deep/c.json", "logs/deep/e/f.json"]);
    assert_eq!(of("logs/[ab].*"), ["logs/a.json", "logs/b.txt"]);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_that_file() {
    let root = tree(&["a[1].json", "a1.json"]);
    assert_eq!(names(root.path(), &listing(root.path(), &["a[1].json"])), ["a[1].json"]);
}

#[test]
fn what_nobody_asked_for_is_counted_and_not_listed() {
    let log = format!("{DAY}/{LOG}");
    let late = log.replace("2026/09/01", "2026/10/20").replace("20260901", "20261020");
    let other = log.replace("eu-west-1", "us-east-1");
    let root = tree(&[&log, &late, &other, "export.ndjson"]);
    let filter = Filter { regions: vec!["eu-west-1".into()], ..Filter::default() };
    let listing = filtered(root.path(), &["AWSLogs", "export.ndjson"], &filter);
    assert_eq!(names(root.path(), &listing), [log.clone(), late, "export.ndjson".into()]);
    assert_eq!(listing.pruned, 1);

    let noon = listing.objects[0].layout().delivered.unwrap();
    let filter = Filter { from: Some(noon - 60_000), to: Some(noon + 60_000), ..filter };
    let listing = filtered(root.path(), &["AWSLogs", "export.ndjson"], &filter);
    assert_eq!(names(root.path(), &listing), [log, "export.ndjson".into()]);
    assert_eq!(listing.pruned, 2);
}

#[test]
fn an_empty_folder_is_an_empty_listing() {
    let root = tree(&[]);
    assert_eq!(listing(root.path(), &[""]), Listing::default());
}

#[test]
fn standard_input_is_one_object() {
    let root = tree(&["a.json"]);
    let file = format!("{}/a.json", root.path().display());
    let listing = list(&["-".into(), file, "-".into()], &Filter::default()).unwrap();
    let uris: Vec<&str> = listing.objects.iter().map(|object| object.uri.as_str()).collect();
    assert_eq!(uris.len(), 2);
    assert_eq!(uris[0], "-");
    assert_eq!(listing.objects[0].path(), None);
}

#[test]
fn a_source_that_is_not_there_says_what_to_try() {
    let root = tree(&["a.json"]);
    for (source, start, hint) in [
        ("nope.json", "there is no file or folder `", "check the path"),
        ("*.gz", "nothing matches `", "`**` crosses folders"),
        ("a/[.gz", "`", "is not a valid pattern"),
    ] {
        let message = failure(root.path(), &[source]).to_string();
        assert!(message.starts_with(start) && message.contains(hint), "{message}");
    }
    let message = list(&["s3://logs/AWSLogs/".into()], &Filter::default()).unwrap_err().to_string();
    assert_eq!(
        message,
        "s3 sources are not built into this version yet; sync the prefix first with `aws s3 sync s3://logs/AWSLogs/ FOLDER`, then scan FOLDER"
    );
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_in_a_circle_end() {
        let root = tree(&["logs/a.json", "logs/deep/b.json"]);
        symlink("..", root.path().join("logs/deep/up")).unwrap();
        symlink("deep", root.path().join("logs/again")).unwrap();
        let names = names(root.path(), &listing(root.path(), &["logs"]));
        assert_eq!(names, ["logs/a.json", "logs/again/b.json"], "each file once, by its first name");
    }

    #[test]
    fn a_link_out_of_the_folder_is_followed() {
        let root = tree(&["logs/a.json", "elsewhere/b.json"]);
        symlink("../elsewhere", root.path().join("logs/more")).unwrap();
        symlink("a.json", root.path().join("logs/z.json")).unwrap();
        assert_eq!(names(root.path(), &listing(root.path(), &["logs"])), ["logs/a.json", "logs/more/b.json"]);
    }

    #[test]
    fn an_entry_that_cannot_be_looked_at_is_told() {
        let root = tree(&["logs/a.json"]);
        symlink("gone.json", root.path().join("logs/broken.json")).unwrap();
        let listing = listing(root.path(), &["logs"]);
        assert_eq!(names(root.path(), &listing), ["logs/a.json", "logs/broken.json [unreadable]"]);
        assert!(listing.objects[1].detail.as_ref().unwrap().contains("No such file"));
        let message = failure(root.path(), &["logs/broken.json"]).to_string();
        assert!(message.contains("is a link to something that does not exist"), "{message}");
    }

    #[test]
    fn a_pipe_is_read_only_when_it_is_named() {
        let root = tree(&["logs/a.json"]);
        let pipe = root.path().join("logs/pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(names(root.path(), &listing(root.path(), &["logs"])), ["logs/a.json", "logs/pipe [unreadable]"]);
        assert_eq!(names(root.path(), &listing(root.path(), &["logs/p*"])), ["logs/pipe [unreadable]"]);

        let named = listing(root.path(), &["logs/pipe"]);
        assert_eq!((named.objects[0].skip, named.objects[0].size), (None, None));
        let writer = std::thread::spawn(move || fs::write(pipe, "through").unwrap());
        assert_eq!(bytes_of(&named.objects[0]), "through");
        writer.join().unwrap();
    }

    #[test]
    fn names_that_are_not_utf8_are_read_and_told_apart() {
        let root = tree(&["a\u{fffd}.json", "a\u{fffd}.json (2)"]);
        for name in [b"a\xff.json".as_slice(), b"a\xfe.json"] {
            fs::write(root.path().join(OsStr::from_bytes(name)), name).unwrap();
        }
        let listing = list(&[root.path().display().to_string()], &Filter::default()).unwrap();
        let found = names(root.path(), &listing);
        assert_eq!(
            found,
            ["a\u{fffd}.json", "a\u{fffd}.json (2)", "a\u{fffd}.json (3)", "a\u{fffd}.json (4)"],
            "each has its own name"
        );
        let mut held: Vec<Vec<u8>> = Vec::new();
        for object in &listing.objects {
            let mut bytes = Vec::new();
            object.open().unwrap().read_to_end(&mut bytes).unwrap();
            held.push(bytes);
        }
        held.sort();
        held.dedup();
        assert_eq!(held.len(), 4, "each opens its own file");
    }
}

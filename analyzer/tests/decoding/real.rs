//! Real files, where they are at hand: the fast path keeps what parsing everything keeps.

use std::path::{Path, PathBuf};

use keytrail::decode::{Class, SkipReason};

use super::support::{decode, decode_within, expected, gzip, parse_everything, windows};

/// Real logs lie beside the repository, never in it.
fn shared(folder: &str) -> Option<Vec<PathBuf>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    if !root.is_dir() {
        println!("skipped: there is no {}", root.display());
        return None;
    }
    let mut folders = vec![root];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Some(files)
}

#[test]
fn attack_simulations_keep_every_kms_record() {
    let Some(files) = shared("invictus") else { return };
    let (mut records, mut kms) = (0, 0);
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let (report, memory) = decode(&bytes);
        assert_eq!(report.skip, None, "{file:?}");
        assert_eq!(report.rejected.total(), 0, "{file:?}");
        assert!(report.first.is_some_and(|first| first.time.is_some() && first.region.is_some()), "{file:?}");
        let all = parse_everything(&bytes);
        assert_eq!(report.records, all.len() as u64, "{file:?}");
        assert_eq!(memory.kept, expected(&all), "{file:?}");
        for window in [300, 4_000, 70_000] {
            assert_eq!(decode_within(windows(window), &bytes).1.kept, memory.kept, "{file:?}");
        }
        let packed = gzip(&bytes);
        assert_eq!(decode(&packed).1.kept, memory.kept, "{file:?}");
        assert_eq!(decode_within(windows(4_000), &packed).1.kept, memory.kept, "{file:?}");
        records += report.records;
        kms += memory.kept.iter().filter(|kept| kept.class == Class::Kms).count();
    }
    assert_eq!((records, kms), (2_900, 240));
}

#[test]
fn other_real_files_keep_every_kms_record() {
    for (folder, kms) in [("kms-guide-examples", 67), ("versions", 0), ("key-policies", 2), ("traildiscover", 2)] {
        let Some(files) = shared(folder) else { return };
        let mut found = 0;
        for file in files {
            let stored = std::fs::read(&file).unwrap();
            let (report, memory) = decode(&stored);
            assert_eq!((report.skip, report.rejected.total()), (None, 0), "{file:?}");
            let mut plain = Vec::new();
            if stored.starts_with(&[0x1f, 0x8b]) {
                std::io::Read::read_to_end(&mut flate2_members(&stored), &mut plain).unwrap();
            } else {
                plain = stored;
            }
            let all = parse_everything(&plain);
            assert_eq!(report.records, all.len() as u64, "{file:?}");
            assert_eq!(memory.kept, expected(&all), "{file:?}");
            found += memory.kept.iter().filter(|kept| kept.class == Class::Kms).count();
        }
        assert_eq!(found, kms, "{folder}");
    }
}

#[test]
fn other_formats_are_told_apart() {
    let Some(files) = shared("formats") else { return };
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let expected = match name.split('.').next().unwrap() {
            _ if name.contains("invalid-json") => SkipReason::NotJson,
            "digest" => SkipReason::Digest,
            "insight" => SkipReason::Insight,
            _ => SkipReason::Aggregated,
        };
        assert_eq!(decode(&std::fs::read(&file).unwrap()).0.skip, Some(expected), "{name}");
    }
}

#[expect(clippy::disallowed_types, reason = "the reference must not go through the code under test")]
fn flate2_members(bytes: &[u8]) -> flate2::read::MultiGzDecoder<&[u8]> {
    flate2::read::MultiGzDecoder::new(bytes)
}

//! Logs to scan: small, with everything that CloudTrail does to a trail.

use std::path::{Path, PathBuf};

use keytrail_fixtures::bulk::{Bulk, Settings};

/// A folder of the repository.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// Logs of three accounts in two Regions over ten days, of which most records are of KMS.
pub(crate) fn settings(seed: u64) -> Settings {
    Settings { seed, raw_mb: 2, files: 24, kms_share: 0.6, regions: 2, days: 10, ..Settings::default() }
}

/// Writes them, and every fifth file a second time under another name: CloudTrail promises at least one delivery.
pub(crate) fn write(settings: Settings, root: &Path) {
    let bulk = Bulk::new(settings);
    bulk.write(root, 2).unwrap();
    for index in (0..bulk.len()).step_by(5) {
        let path = root.join(bulk.path(index));
        let mut again = path.to_str().unwrap().to_owned();
        again.replace_range(again.len() - 13..again.len() - 8, "again");
        std::fs::copy(&path, again).unwrap();
    }
}

//! A file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::failure::Failure;

/// A file that was opened for a result: opened before the run, so that a long scan does not end at a wrong path.
pub(super) struct Output {
    path: PathBuf,
    to: To,
}

enum To {
    /// Written beside its place, then renamed into it.
    Beside(NamedTempFile),
    /// A pipe or a device: there is nothing to rename.
    Device(File),
}

impl Output {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let cannot = |why: &dyn std::fmt::Display| Failure::usage(format!("cannot write to {}: {why}", path.display()));
        let to = match fs::metadata(path) {
            Ok(there) if there.is_dir() => {
                let hint = format!("name a file in it, for example {}", path.join("findings.json").display());
                return Err(cannot(&"it is a folder").hint(hint));
            }
            Ok(there) if !there.is_file() => {
                To::Device(OpenOptions::new().write(true).open(path).map_err(|error| cannot(&error))?)
            }
            _ => {
                // Through a symbolic link: the file that it names is replaced, not the link.
                let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
                let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                if !folder.is_dir() {
                    let hint = format!("mkdir -p {}", folder.display());
                    return Err(cannot(&format!("there is no folder {}", folder.display())).hint(hint));
                }
                // Only the kind: the error itself names the temporary file, which means nothing to the user.
                To::Beside(beside(folder).map_err(|error| cannot(&error.kind()))?)
            }
        };
        Ok(Self { path: path.to_path_buf(), to })
    }

    /// Tells whether a file could be written here, and leaves nothing behind.
    pub(super) fn check(path: &Path) -> Result<(), Failure> {
        Self::open(path).map(drop)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of it and puts the file in its place.
    pub(super) fn write(self, bytes: &[u8]) -> Result<(), Failure> {
        let Self { path, to } = self;
        let cannot =
            |error: std::io::Error| Failure::could_not_run(format!("cannot write {}: {error}", path.display()));
        match to {
            To::Device(mut file) => file.write_all(bytes).map_err(cannot),
            To::Beside(mut file) => {
                file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(cannot)?;
                let place = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
                file.persist(place).map(drop).map_err(|error| cannot(error.error))
            }
        }
    }
}

fn beside(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".keytrail-");
    // As any new file: what the umask leaves. The default is for secrets and would keep other users from their own CI artifact.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_when_it_is_written_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings.json");
        let output = Output::open(&path).unwrap();
        assert!(!path.exists());
        output.write(b"{}").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{}");

        drop(Output::open(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"{}", "a run that fails leaves what was there");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "and nothing beside it");
    }

    #[test]
    fn a_wrong_path_is_told_before_the_run() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_path_buf(), folder.path().join("no/such/folder/x.json")] {
            let failure = Output::open(&path).map(drop).unwrap_err();
            assert!(failure.hint.is_some(), "{failure:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        Output::open(&link).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

//! A file, or a folder of files, that appears whole or not at all.

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::failure::Failure;

/// A file that a result can be written to.
pub(super) struct Output {
    path: PathBuf,
}

impl Output {
    /// Tells before a long run whether `path` can be written to. Leaves nothing there: the folder may be one of those that
    /// are about to be scanned.
    pub(super) fn check(path: &Path) -> Result<Self, Failure> {
        let cannot = |why: &dyn Display| Failure::usage(format!("cannot write to {}: {why}", path.display()));
        if path.is_dir() {
            let hint = format!("name a file in it, for example {}", path.join("findings.json").display());
            return Err(cannot(&"it is a folder").hint(hint));
        }
        if !is_device(path) {
            let place = place(path);
            let folder = folder(&place);
            if !folder.is_dir() {
                let hint = format!("mkdir -p {}", folder.display());
                return Err(cannot(&format!("there is no folder {}", folder.display())).hint(hint));
            }
            // Only the kind: the error itself names the temporary file, which means nothing to the user.
            beside(folder).map_err(|error| cannot(&error.kind()))?;
        }
        Ok(Self { path: path.to_path_buf() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all of it beside its place and renames it into it.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.write_with(|file| file.write_all(bytes))
    }

    /// As [`Self::write`], for what shall not be in memory as a whole.
    pub(super) fn write_with(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
        let written = if is_device(&self.path) {
            OpenOptions::new().write(true).open(&self.path).and_then(|mut file| write(&mut file))
        } else {
            replace(&place(&self.path), write)
        };
        match written {
            // A pipe whose reader has seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::could_not_run(format!("cannot write {}: {error}", self.path.display())))
            }
            _ => Ok(()),
        }
    }
}

/// A folder that is not there yet.
pub(super) struct NewFolder {
    path: PathBuf,
}

impl NewFolder {
    /// Tells before a long run whether the folder can be made. Nothing is made yet, but for folders above it.
    pub(super) fn check(path: &Path) -> Result<Self, Failure> {
        if path.symlink_metadata().is_ok() {
            let story = format!("{} is there already: evidence is not mixed with other files", path.display());
            return Err(Failure::usage(story).hint("name a folder that does not exist yet"));
        }
        let cannot = |error: io::Error| Failure::usage(format!("cannot write to {}: {}", path.display(), error.kind()));
        fs::create_dir_all(folder(path)).map_err(cannot)?;
        beside(folder(path)).map_err(cannot)?;
        Ok(Self { path: path.to_path_buf() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes all files in a folder beside its place and renames that: a run that fails leaves nothing that the next one
    /// would have to mistrust.
    pub(super) fn write(self, files: &[(&str, Vec<u8>)]) -> Result<(), Failure> {
        let failed =
            |error: io::Error| Failure::could_not_run(format!("cannot write {}: {error}", self.path.display()));
        let beside = tempfile::Builder::new().prefix(".keytrail-").tempdir_in(folder(&self.path)).map_err(failed)?;
        // The temporary folder is closed to others, as it should be; what stands there in the end is as the umask has it.
        let whole = beside.path().join("whole");
        fs::create_dir(&whole).map_err(failed)?;
        for (name, bytes) in files {
            let mut file = fs::File::create_new(whole.join(name)).map_err(failed)?;
            file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        fs::rename(&whole, &self.path).map_err(failed)
    }
}

fn replace(place: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut file = beside(folder(place))?;
    write(&mut file)?;
    file.as_file().sync_all()?;
    file.persist(place).map(drop).map_err(|error| error.error)
}

/// A pipe or a device: there is nothing to rename.
fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Through a symbolic link: the file that it names is replaced, not the link.
fn place(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

fn folder(place: &Path) -> &Path {
    place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn beside(folder: &Path) -> io::Result<NamedTempFile> {
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
        let output = Output::check(&path).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0, "the folder may be scanned meanwhile");
        output.write(b"{}").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"{}");

        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "and nothing beside it");
    }

    #[test]
    fn a_folder_appears_with_all_its_files_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("evidence/2026");
        let twice = [("a.csv", b"1".to_vec()), ("a.csv", b"2".to_vec())];
        NewFolder::check(&path).unwrap().write(&twice).unwrap_err();
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
        NewFolder::check(&path).unwrap().write(&twice[..1]).unwrap();
        assert_eq!(fs::read(path.join("a.csv")).unwrap(), b"1");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "and nothing beside it");
        NewFolder::check(&path).map(drop).unwrap_err();
    }

    #[test]
    fn a_wrong_path_is_told_before_the_run() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_path_buf(), folder.path().join("no/such/folder/x.json")] {
            let failure = Output::check(&path).map(drop).unwrap_err();
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
        Output::check(&link).unwrap().write(b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

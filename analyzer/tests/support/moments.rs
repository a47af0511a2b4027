//! Random moments in the life of a process.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use keytrail_fixtures::Rng;

/// A number of the environment.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().unwrap())
}

/// How long something takes.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

/// When to kill.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// So long after the start.
    After(Duration),
    /// As soon as so many more files stand in the lake: most of a run's time is reading, most of what can break is writing.
    Files(usize),
    /// As soon as a file that stood in the lake is gone: something has just taken its place, or is about to.
    Gone,
}

impl Moment {
    /// Some moment of a run that takes so long and writes so many files.
    pub(crate) fn draw(rng: &mut Rng, whole: Duration, files: usize) -> Self {
        if rng.chance(0.5) {
            Self::After(whole.mul_f64(rng.unit() * 0.9))
        } else {
            Self::Files(1 + rng.index(files.div_ceil(2)))
        }
    }
}

/// Kills on drop: a test that fails leaves no process behind.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a command whose words nobody reads.
pub(crate) fn start(mut command: Command) -> Running {
    Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// Sends a signal at the moment given, and gives how the process ended: `None` for a status of its own means that it was
/// killed.
pub(crate) fn kill(mut running: Running, signal: &str, moment: Moment, lake: &Path) -> ExitStatus {
    let (start, before) = (Instant::now(), files(lake));
    loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            return status;
        }
        let due = match moment {
            Moment::After(duration) => start.elapsed() >= duration,
            Moment::Files(more) => count(lake) >= before.len().saturating_add(more),
            Moment::Gone => before.iter().any(|file| !file.exists()),
        };
        if due {
            break;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    // It may have ended by itself just now.
    if signal == "KILL" {
        drop(running.0.kill());
    } else {
        let pid = running.0.id().to_string();
        let script = "kill -s \"$1\" \"$2\"";
        drop(Command::new("sh").args(["-c", script, "sh", signal, &pid]).stderr(Stdio::null()).status());
    }
    running.0.wait().unwrap()
}

/// Files in a lake, temporary ones too.
pub(crate) fn count(lake: &Path) -> usize {
    files(lake).len()
}

fn files(lake: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(lake).into_iter().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

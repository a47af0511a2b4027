//! How far a run is, on standard error: a bar on a terminal, a line a minute elsewhere, nothing with `--quiet`.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::terminal::Terminal;
use crate::pipeline::Progress;
use crate::report::human;

/// The display that suits where standard error goes.
pub(super) fn display(terminal: &Terminal<'_>) -> Box<dyn Progress> {
    if terminal.quiet {
        Box::new(Silent)
    } else if terminal.around.err_is_terminal {
        Box::new(Bar::new())
    } else {
        Box::new(Lines::new())
    }
}

/// Says nothing.
struct Silent;

impl Progress for Silent {}

/// What was found and what is done so far.
#[derive(Default)]
struct Counts {
    found: AtomicU64,
    found_bytes: AtomicU64,
    listed: AtomicBool,
    objects: AtomicU64,
    bytes: AtomicU64,
    records: AtomicU64,
}

impl Counts {
    fn found(&self, objects: u64, bytes: u64) {
        self.found.fetch_add(objects, Ordering::Relaxed);
        self.found_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn object(&self, compressed: u64, records: u64) {
        self.objects.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(compressed, Ordering::Relaxed);
        self.records.fetch_add(records, Ordering::Relaxed);
    }

    /// Objects, bytes, records, speed, and how long it may yet take: what is left of the stored bytes takes about as long
    /// as what was read.
    fn line(&self, elapsed: Duration) -> String {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (found, objects) = (get(&self.found), get(&self.objects));
        let (found_bytes, bytes, records) = (get(&self.found_bytes), get(&self.bytes), get(&self.records));
        let listed = self.listed.load(Ordering::Relaxed);
        let more = if listed { "" } else { "+" };
        let seconds = elapsed.as_secs_f64().max(0.001);
        let mut line = format!("{} of {}{more} objects", human::number(objects), human::number(found));
        let _ = write!(line, ", {} of {}{more}", human::bytes(bytes), human::bytes(found_bytes));
        let _ = write!(line, ", {}/s", human::count((records as f64 / seconds) as u64, "event"));
        if !listed {
            line.push_str(", still listing");
        } else if bytes > 0 && found_bytes > bytes {
            let left = (found_bytes - bytes) as f64 / bytes as f64 * seconds;
            let _ = write!(line, ", {} left", human::duration((left * 1000.0) as i64));
        }
        line
    }
}

/// A bar over the stored bytes.
struct Bar {
    bar: ProgressBar,
    counts: Arc<Counts>,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let counts = Arc::new(Counts::default());
        let shown = Arc::clone(&counts);
        let line = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // A template that cannot be written is a bar that is not shown.
            let _ = out.write_str(&shown.line(state.elapsed()));
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {line}") {
            bar.set_style(style.with_key("line", line).progress_chars("=> "));
        }
        Self { bar, counts }
    }
}

impl Progress for Bar {
    fn found(&self, objects: u64, bytes: u64) {
        self.counts.found(objects, bytes);
        self.bar.inc_length(bytes);
    }

    fn listed(&self) {
        self.counts.listed.store(true, Ordering::Relaxed);
    }

    fn object(&self, compressed: u64, _inflated: u64, records: u64) {
        self.counts.object(compressed, records);
        self.bar.inc(compressed);
    }

    fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A run that breaks off leaves no half bar under its error.
impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Time between two lines: a log file shall not be filled by them, and nobody shall think that the run hangs.
const PACE: Duration = Duration::from_secs(60);

/// A line now and then.
struct Lines {
    counts: Counts,
    began: Instant,
    /// When the last line was written.
    last: Mutex<Instant>,
}

impl Lines {
    fn new() -> Self {
        let began = now();
        Self { counts: Counts::default(), began, last: Mutex::new(began) }
    }

    fn tell(&self) {
        let now = now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(*last) >= PACE {
            *last = now;
            // Nobody is left to tell when standard error is gone.
            let _ = writeln!(io::stderr(), "{}", self.counts.line(now.duration_since(self.began)));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the progress display shows how long it takes")]
fn now() -> Instant {
    Instant::now()
}

impl Progress for Lines {
    fn found(&self, objects: u64, bytes: u64) {
        self.counts.found(objects, bytes);
        self.tell();
    }

    fn listed(&self) {
        self.counts.listed.store(true, Ordering::Relaxed);
    }

    fn object(&self, compressed: u64, _inflated: u64, records: u64) {
        self.counts.object(compressed, records);
        self.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_done_and_what_is_left() {
        let counts = Counts::default();
        counts.found(10, 4000);
        counts.object(1000, 50);
        let line = |counts: &Counts| counts.line(Duration::from_secs(10));
        assert_eq!(line(&counts), "1 of 10+ objects, 1000 B of 3.9 KiB+, 5 events/s, still listing");
        counts.listed.store(true, Ordering::Relaxed);
        assert_eq!(line(&counts), "1 of 10 objects, 1000 B of 3.9 KiB, 5 events/s, 30 s left");
        assert_eq!(line(&Counts::default()), "0 of 0+ objects, 0 B of 0 B+, 0 events/s, still listing");
    }
}

//! The progress bar: on a terminal only, on standard error.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::pipeline::Progress;
use crate::report::human;

/// Says nothing.
pub(super) struct Silent;

impl Progress for Silent {}

/// A bar over the stored bytes: what is left of those takes about as long as what was read.
pub(super) struct Bar {
    bar: ProgressBar,
    records: Arc<AtomicU64>,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self { bar, records: Arc::new(AtomicU64::new(0)) }
    }
}

impl Progress for Bar {
    fn found(&self, objects: u64, bytes: u64) {
        let records = Arc::clone(&self.records);
        let count = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            // A template that cannot be written is a bar that is not shown.
            let _ = out.write_str(&human::count(records.load(Ordering::Relaxed), "record"));
        };
        let template = if bytes == 0 {
            "{spinner} {binary_bytes} read, {records}"
        } else {
            "{bar:30} {binary_bytes} of {binary_total_bytes}, {records}, {eta} left"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.with_key("records", count).progress_chars("=> "));
        }
        if bytes > 0 {
            self.bar.set_length(bytes);
        }
        self.bar.println(format!("reading {}, {}", human::count(objects, "object"), human::bytes(bytes)));
    }

    fn object(&self, compressed: u64, _inflated: u64, records: u64) {
        self.records.fetch_add(records, Ordering::Relaxed);
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

//! How far a long job is: a bar on a terminal, now and then a plain line otherwise.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::{complain, thousands};

/// A job of so many steps.
pub(crate) struct Progress {
    bar: ProgressBar,
    every: u64,
}

impl Progress {
    /// Starts a job; tells of it on standard error.
    pub(crate) fn start(what: &str, steps: usize) -> Self {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, every: (steps / 4).max(1) }
    }

    /// One step more.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        let done = self.bar.position();
        if self.bar.is_hidden() && done.is_multiple_of(self.every) {
            let text = |steps: u64| thousands(i64::try_from(steps).unwrap_or(i64::MAX));
            complain(&format!("{} {} of {}", self.bar.message(), text(done), text(self.bar.length().unwrap_or(done))));
        }
    }

    /// Prints a line without disturbing the bar.
    pub(crate) fn note(&self, line: &str) {
        self.bar.suspend(|| complain(line));
    }

    /// Ends the job.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

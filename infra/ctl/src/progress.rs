//! Progress of a load: a bar on a terminal, otherwise a line after each quarter.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{output::print_error, values::group_digits};

/// The progress of a load.
pub(crate) struct LoadProgress {
    bar: ProgressBar,
    steps_per_line: u64,
}

impl LoadProgress {
    /// Shows the progress on standard error, from 0 to `steps`.
    pub(crate) fn start(name: &str, steps: usize) -> Self {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, steps_per_line: (steps / 4).max(1) }
    }

    /// Counts one more step.
    pub(crate) fn advance(&self) {
        self.bar.inc(1);
        let done = self.bar.position();
        if self.bar.is_hidden() && done.is_multiple_of(self.steps_per_line) {
            let grouped = |steps: u64| group_digits(i64::try_from(steps).unwrap_or(i64::MAX));
            print_error(&format!(
                "{} {} of {}",
                self.bar.message(),
                grouped(done),
                grouped(self.bar.length().unwrap_or(done))
            ));
        }
    }

    /// Prints a line above the bar.
    pub(crate) fn print_above(&self, line: &str) {
        self.bar.suspend(|| print_error(line));
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

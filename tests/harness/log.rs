//! Captured log lines of one thread.
//!
//! One subscriber serves all threads, and each thread captures its own lines. With one subscriber per test, tracing could
//! cache a line as disabled while the subscriber of another test comes or goes.

use std::{
    cell::RefCell,
    io,
    sync::{Arc, Mutex, Once},
};

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::dynamic_filter_fn,
    layer::{Filter, SubscriberExt},
    util::SubscriberInitExt,
};

/// The captured lines.
#[derive(Clone, Default)]
pub struct CapturedLog(Arc<Mutex<Vec<u8>>>);

/// Captures the lines of its thread until it is dropped.
pub struct CaptureGuard(());

/// The format of captured lines.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LineFormat {
    Text,
    Json,
}

thread_local! {
    static CAPTURE: RefCell<Option<(LineFormat, Level, CapturedLog)>> = const { RefCell::new(None) };
}

static SUBSCRIBER: Once = Once::new();

/// Whether this thread captures a line in this format.
fn is_captured<S: Subscriber>(layer_format: LineFormat) -> impl Filter<S> {
    dynamic_filter_fn(move |metadata: &Metadata<'_>, _| {
        CAPTURE.with_borrow(|capture| {
            capture.as_ref().is_some_and(|(format, level, _)| *format == layer_format && metadata.level() <= level)
        })
    })
}

impl CapturedLog {
    /// Captures the lines of this thread, up to `level`, as text until the guard is dropped.
    pub fn start(level: Level) -> (Self, CaptureGuard) {
        Self::capture(LineFormat::Text, level)
    }

    /// Captures lines of JSON, as a function writes them.
    pub fn start_json(level: Level) -> (Self, CaptureGuard) {
        Self::capture(LineFormat::Json, level)
    }

    fn capture(format: LineFormat, level: Level) -> (Self, CaptureGuard) {
        SUBSCRIBER.call_once(|| {
            let text = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Writer);
            let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| Writer);
            let json = json.with_current_span(false).with_span_list(false);
            let subscriber = tracing_subscriber::registry().with(text.with_filter(is_captured(LineFormat::Text)));
            subscriber.with(json.with_filter(is_captured(LineFormat::Json))).init();
        });
        let log = Self::default();
        CAPTURE.set(Some((format, level, log.clone())));
        (log, CaptureGuard(()))
    }

    /// All captured lines.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Drop for CaptureGuard {
    fn drop(&mut self) {
        CAPTURE.set(None);
    }
}

/// Writes to the captured lines of this thread.
struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURE.with_borrow(|capture| {
            if let Some((.., log)) = capture {
                log.0.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

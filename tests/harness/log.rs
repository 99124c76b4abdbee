//! Everything that is logged on a thread, kept to be looked at.
//!
//! There is one subscriber for all threads, and each keeps its own lines. With one for each test, a line that is logged while another
//! test's comes or goes could be taken for one that nobody wants.

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

/// What was logged.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

/// As long as it is there, what is logged on its thread is kept.
pub struct Keeping(());

/// How lines are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
}

thread_local! {
    static KEPT: RefCell<Option<(Form, Level, Log)>> = const { RefCell::new(None) };
}

static SUBSCRIBER: Once = Once::new();

/// What this thread wants to keep in a form.
fn wanted<S: Subscriber>(as_it_is: Form) -> impl Filter<S> {
    dynamic_filter_fn(move |metadata: &Metadata<'_>, _| {
        KEPT.with_borrow(|kept| {
            kept.as_ref().is_some_and(|(form, level, _)| *form == as_it_is && metadata.level() <= level)
        })
    })
}

impl Log {
    /// Keeps what is logged on this thread from now on, as long as the guard is.
    pub fn start(level: Level) -> (Self, Keeping) {
        Self::keep(Form::Text, level)
    }

    /// The same as lines of JSON, as a function writes them.
    pub fn start_json(level: Level) -> (Self, Keeping) {
        Self::keep(Form::Json, level)
    }

    fn keep(form: Form, level: Level) -> (Self, Keeping) {
        SUBSCRIBER.call_once(|| {
            let text = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Writer);
            let json = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(|| Writer);
            let json = json.with_current_span(false).with_span_list(false);
            let subscriber = tracing_subscriber::registry().with(text.with_filter(wanted(Form::Text)));
            subscriber.with(json.with_filter(wanted(Form::Json))).init();
        });
        let log = Self::default();
        KEPT.set(Some((form, level, log.clone())));
        (log, Keeping(()))
    }

    /// All of it.
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        KEPT.set(None);
    }
}

/// Writes to what this thread keeps.
struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.with_borrow(|kept| {
            if let Some((.., log)) = kept {
                log.0.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

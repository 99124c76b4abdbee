//! The embedded DynamoDB: an engine on SQLite, on a thread of its own, reached over the wire like any other.

use std::{
    fs::{File, OpenOptions, TryLockError},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use dynoxide::Database;
use http::request::Parts;
use shared::host::{Bytes, Limits, Listening, serve};
use tokio::sync::{oneshot, watch};

use crate::dynamodb;

/// What `DynamoDB` takes, and connections that stay open for longer than a client keeps one without use.
const DYNAMODB_LIMITS: Limits =
    Limits { body: 16 * 1024 * 1024, body_time: Duration::from_secs(30), head_time: Duration::from_mins(5) };

/// A running engine; ends when dropped.
pub struct Engine {
    address: SocketAddr,
    fault: watch::Receiver<Option<String>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts an engine in memory, or on a file that is created if it is missing and that no other stack may use
    /// meanwhile; port 0 is any free one.
    pub fn start(data: Option<&Path>, port: u16) -> anyhow::Result<Self> {
        let file = data.map(DataFile::lock).transpose()?;
        let database = match &file {
            None => Database::memory()?,
            Some(file) => file.open()?,
        };
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| format!("port {port} for DynamoDB"))?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (faults, fault) = watch::channel(None);
        let answer = request_handler(database, file.as_ref().map(|file| file.path.clone()), Arc::new(faults));
        let serving = async move {
            let listening = tokio::net::TcpListener::from_std(listener).and_then(Listening::of)?;
            serve(listening, DYNAMODB_LIMITS, answer, async { drop(stopped.await) }).await
        };
        let serve = move || {
            if let Err(error) = runtime.block_on(serving) {
                tracing::error!(%error, "the engine can't listen");
            }
            // Connections that were cut off hold the database until the runtime ends; only then may others have the file.
            drop(runtime);
            drop(file);
        };
        let thread = std::thread::Builder::new().name("dynamodb".into()).spawn(serve)?;
        Ok(Self { address, fault, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first fault of the store itself, as a sentence: a full disk, or a damaged file. `None` until there is one.
    #[must_use]
    pub fn fault(&self) -> watch::Receiver<Option<String>> {
        self.fault.clone()
    }

    /// Ends it, and waits until its file is closed.
    pub fn stop(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended too, which is all that matters here.
            let _ = thread.join();
        }
    }
}

/// How each request is answered; the first fault of the store is kept.
fn request_handler(
    database: Database,
    file: Option<PathBuf>,
    faults: Arc<watch::Sender<Option<String>>>,
) -> impl Fn(Parts, Bytes) -> std::future::Ready<shared::host::Response> + Clone {
    move |request, body| {
        let record_fault = |error: &str| {
            faults.send_if_modified(|fault| {
                let is_first = fault.is_none();
                if is_first {
                    *fault = Some(describe_fault(file.as_deref(), error));
                }
                is_first
            });
        };
        std::future::ready(dynamodb::answer(&database, &request, &body, record_fault))
    }
}

/// What is wrong with the store, for the developer.
fn describe_fault(file: Option<&Path>, error: &str) -> String {
    let store = file.map_or("the embedded DynamoDB".to_owned(), |file| format!("data file {}", file.display()));
    let error = error.trim_start_matches("Internal error: ");
    let names_any = |texts: &[&str]| texts.iter().any(|sign| error.contains(sign));
    if names_any(&["disk is full"]) {
        format!("{store} can't be written: the disk is full")
    } else if names_any(&["malformed"]) {
        format!("{store} is damaged: {error}")
    } else if names_any(&["not a database", "not a valid SQLite database"]) {
        format!("{store} is damaged, or is no database")
    } else {
        format!("{store} can't be read or written: {error}")
    }
}

/// A data file that is this process's alone, also if the process ends by force.
struct DataFile {
    path: PathBuf,
    _lock: File,
}

impl DataFile {
    fn lock(file: &Path) -> anyhow::Result<Self> {
        Self::lock_file(file).with_context(|| format!("data file {}", file.display()))
    }

    fn lock_file(file: &Path) -> anyhow::Result<Self> {
        let path = canonical_path(file)?;
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        // SQLite has locks of its own on the data file, so this one is beside it.
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(lock)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!("another local stack uses it"),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn open(&self) -> anyhow::Result<Database> {
        let name = self.path.to_str().context("the data file's name is not UTF-8")?;
        Database::new(name).map_err(|error| anyhow!(describe_fault(Some(&self.path), &error.to_string())))
    }
}

/// The one path of a file by whichever name, so that each file has one lock.
fn canonical_path(file: &Path) -> std::io::Result<PathBuf> {
    match file.canonicalize() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).canonicalize()?;
            Ok(folder.join(file.file_name().ok_or(error)?))
        }
        found => found,
    }
}

//! The embedded DynamoDB: an engine on SQLite that runs on its own thread and answers over HTTP.

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
use shared::host::{Bytes, HttpLimits, Listener, serve};
use tokio::sync::{oneshot, watch};

use crate::dynamodb;

/// Body size as DynamoDB limits it. Connections stay open for longer than a client keeps an idle one.
const DYNAMODB_LIMITS: HttpLimits = HttpLimits {
    body_bytes_max: 16 * 1024 * 1024,
    body_timeout: Duration::from_secs(30),
    head_timeout: Duration::from_mins(5),
};

/// A running engine. Dropping the engine stops it.
pub struct Engine {
    address: SocketAddr,
    fault: watch::Receiver<Option<String>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts an engine in memory or on a data file. Port 0 selects a free port.
    ///
    /// A missing file is created. Fails if another local stack uses the file, if the file is damaged, or if the port is
    /// taken.
    pub fn start(data: Option<&Path>, port: u16) -> anyhow::Result<Self> {
        let file = data
            .map(|file| DataFile::lock(file).with_context(|| format!("data file {}", file.display())))
            .transpose()?;
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
            let listening = tokio::net::TcpListener::from_std(listener).and_then(Listener::from_tcp)?;
            serve(listening, DYNAMODB_LIMITS, answer, async { drop(stopped.await) }).await
        };
        let serve = move || {
            if let Err(error) = runtime.block_on(serving) {
                tracing::error!(%error, "the embedded DynamoDB can't listen");
            }
            // Aborted connections hold the database until the runtime ends. The file must stay locked until then.
            drop(runtime);
            drop(file);
        };
        let thread = std::thread::Builder::new().name("dynamodb".into()).spawn(serve)?;
        Ok(Self { address, fault, stop: Some(stop), thread: Some(thread) })
    }

    /// The URL at which the engine answers.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first fault of the store itself, as a sentence: a full disk or a damaged file. `None` if there was none.
    #[must_use]
    pub fn fault(&self) -> watch::Receiver<Option<String>> {
        self.fault.clone()
    }

    /// Stops the engine and waits until its data file is closed.
    pub fn stop(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has closed the file too.
            let _ = thread.join();
        }
    }
}

/// Answers every request and publishes the first fault of the store.
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

/// Describes a fault of the store for the developer. The engine reports faults as texts only.
fn describe_fault(file: Option<&Path>, error: &str) -> String {
    let store = file.map_or("the embedded DynamoDB".to_owned(), |file| format!("data file {}", file.display()));
    let error = error.trim_start_matches("Internal error: ");
    let names_any = |texts: &[&str]| texts.iter().any(|text| error.contains(text));
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

/// A data file, locked for this process. The operating system releases the lock when the process ends.
struct DataFile {
    path: PathBuf,
    _lock: File,
}

impl DataFile {
    fn lock(file: &Path) -> anyhow::Result<Self> {
        let path = canonical_path(file)?;
        let mut lock = path.clone().into_os_string();
        lock.push(".lock");
        // SQLite locks the data file itself, so this lock needs a file of its own.
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

/// The canonical path of a file that may not exist yet, so that each file has one lock under every name.
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

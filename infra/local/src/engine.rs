//! The embedded DynamoDB: an engine on SQLite, on a thread of its own, reached over the wire like any other.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    thread::JoinHandle,
};

use dynoxide::Database;
use tokio::sync::oneshot;

/// A running engine; ends when dropped.
pub struct Engine {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts an engine in memory, or on a file that is created if it is missing; port 0 is any free one.
    pub fn start(data: Option<&Path>, port: u16) -> Result<Self, String> {
        let database = match data {
            None => Database::memory().map_err(|error| error.to_string()),
            Some(file) => open(file),
        }?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|error| format!("port {port} for DynamoDB: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async move {
                let listener = match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!(%error, "the engine can't listen"),
                };
                let stop = async { drop(stopped.await) };
                if let Err(error) = dynoxide::server::serve_with_shutdown(listener, database, stop).await {
                    tracing::error!(%error, "the engine ended");
                }
            });
        };
        let thread = std::thread::Builder::new().name("dynamodb".into()).spawn(serve);
        let thread = thread.map_err(|error| error.to_string())?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Ends it, and waits until its file is closed.
    pub fn end(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has ended too, which is all that matters here.
            let _ = thread.join();
        }
    }
}

fn open(file: &Path) -> Result<Database, String> {
    let name = file.to_str().ok_or("the data file's name is not UTF-8")?;
    Database::new(name).map_err(|error| format!("data file {name} can't be read: {error}"))
}

//! The HTTP server outside Lambda: HTTP/1 alone, and limits on what a client may send and how long it may take.

use std::{convert::Infallible, net::SocketAddr, pin::pin, time::Duration};

use http::{HeaderValue, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    Request,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::{
    answer,
    problem_stream::ProblemStream,
    url::{Response, problem, response},
};
use crate::domain::rejection::Rejection;

/// A server that answers until it is told to stop.
pub struct Listener {
    tcp: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Listener {
    /// Takes an address; port 0 is any free one.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        Self::from_tcp(TcpListener::bind(address).await?)
    }

    /// Takes what listens already.
    pub fn from_tcp(tcp: TcpListener) -> std::io::Result<Self> {
        let address = tcp.local_addr()?;
        Ok(Self { tcp, address })
    }
}

/// What a client may send, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// The largest body that is taken off the wire, in bytes.
    pub body_bytes_max: usize,
    /// How long a whole body may take; then the answer is 408.
    pub body_timeout: Duration,
    /// How long the head of a request may take, from when one could come; then the connection is closed. A connection
    /// that is kept open without a request is closed by this, too.
    pub head_timeout: Duration,
}

impl Default for HttpLimits {
    /// A body of 6 MiB, as Lambda itself takes: the host refuses far smaller ones, in its turn; a client that is cut off
    /// while it sends may never see a refusal. Head and body take at most 30 seconds each.
    fn default() -> Self {
        let time = Duration::from_secs(30);
        Self { body_bytes_max: 6 * 1024 * 1024, body_timeout: time, head_timeout: time }
    }
}

/// How long requests in flight may take to finish once the server is told to stop. Cloud Run ends a process ten seconds
/// after it has asked it to.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(8);

/// How long the server waits after it could not take a connection, as when there are too many.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Answers every request by `answer` until `stop`; requests in flight are finished then, within [`SHUTDOWN_GRACE`].
pub async fn serve<A, F>(
    listener: Listener,
    limits: HttpLimits,
    answer: A,
    stop: impl Future<Output = ()> + Send,
) -> std::io::Result<()>
where
    A: Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let (stopping, stopped) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = listener.tcp.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection = serve_connection(stream, limits, answer.clone(), stopped.clone());
                    drop(connections.spawn(connection));
                }
                Err(_) => tokio::time::sleep(ACCEPT_RETRY_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop((listener, answer, stopping));
    let finished = async { while connections.join_next().await.is_some() {} };
    // What does not finish in time is cut off.
    let _ = tokio::time::timeout(SHUTDOWN_GRACE, finished).await;
    Ok(())
}

/// One connection, until either side closes it.
async fn serve_connection<A, F>(stream: TcpStream, limits: HttpLimits, answer: A, mut stopped: watch::Receiver<()>)
where
    A: Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // An answer is small, and its reader waits for it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let response = respond(request, limits, answer.clone());
        async move { Ok::<_, Infallible>(response.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .serve_connection(TokioIo::new(ProblemStream::new(stream)), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // How a connection broke is its client's matter.
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn respond<A, F>(request: Request<Incoming>, limits: HttpLimits, answer: A) -> Response
where
    A: Fn(Parts, Bytes) -> F,
    F: Future<Output = Response>,
{
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, limits.body_bytes_max).collect();
    let mut rejected = match tokio::time::timeout(limits.body_timeout, body).await {
        Ok(Ok(body)) => return answer(parts, body.to_bytes()).await,
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            response(&answer::http_answer(&Err(Rejection::BodyTooLarge.into())))
        }
        Ok(Err(_)) => problem(StatusCode::BAD_REQUEST, "malformed_request", "The body breaks off, or is malformed."),
        Err(_) => problem(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body took too long to arrive."),
    };
    rejected.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    rejected
}

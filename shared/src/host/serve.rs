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
pub struct Listening {
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Listening {
    /// Takes an address; port 0 is any free one.
    pub async fn on(address: SocketAddr) -> std::io::Result<Self> {
        Self::of(TcpListener::bind(address).await?)
    }

    /// Takes what listens already.
    pub fn of(listener: TcpListener) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }
}

/// What a client may send, and how long it may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest body that is taken off the wire, in bytes.
    pub body: usize,
    /// How long a whole body may take; then the answer is 408.
    pub body_time: Duration,
    /// How long the head of a request may take, from when one could come; then the connection is closed. A connection
    /// that is kept open without a request is closed by this, too.
    pub head_time: Duration,
}

impl Default for Limits {
    /// A body of 6 MiB, as Lambda itself takes: the host refuses far smaller ones, in its turn; a client that is cut off
    /// while it sends may never see a refusal. Head and body take at most 30 seconds each.
    fn default() -> Self {
        let time = Duration::from_secs(30);
        Self { body: 6 * 1024 * 1024, body_time: time, head_time: time }
    }
}

/// How long requests in flight may take to finish once the server is told to stop. Cloud Run ends a process ten seconds
/// after it has asked it to.
const GRACE: Duration = Duration::from_secs(8);

/// How long the server waits after it could not take a connection, as when there are too many.
const PAUSE: Duration = Duration::from_secs(1);

/// Answers every request by `answer` until `stop`; requests in flight are finished then, within [`GRACE`].
pub async fn serve<A, F>(
    listening: Listening,
    limits: Limits,
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
            accepted = listening.listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, limits, answer.clone(), stopped.clone()))),
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop((listening, answer, stopping));
    let finished = async { while connections.join_next().await.is_some() {} };
    // What does not finish in time is cut off.
    let _ = tokio::time::timeout(GRACE, finished).await;
    Ok(())
}

/// One connection, until either side closes it.
async fn converse<A, F>(stream: TcpStream, limits: Limits, answer: A, mut stopped: watch::Receiver<()>)
where
    A: Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // An answer is small, and its reader waits for it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answered = respond(request, limits, answer.clone());
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .serve_connection(TokioIo::new(ProblemStream::new(stream)), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // How a connection broke is its client's matter.
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn respond<A, F>(request: Request<Incoming>, limits: Limits, answer: A) -> Response
where
    A: Fn(Parts, Bytes) -> F,
    F: Future<Output = Response>,
{
    let (parts, body) = request.into_parts();
    let mut refused = match tokio::time::timeout(limits.body_time, Limited::new(body, limits.body).collect()).await {
        Ok(Ok(body)) => return answer(parts, body.to_bytes()).await,
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            response(&answer::http(&Err(Rejection::BodyTooLarge.into())))
        }
        Ok(Err(_)) => problem(StatusCode::BAD_REQUEST, "malformed_request", "The body breaks off, or is malformed."),
        Err(_) => problem(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body took too long to arrive."),
    };
    refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    refused
}

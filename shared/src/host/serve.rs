//! The HTTP server outside Lambda. It speaks HTTP/1 only, and limits the size and the time of a request.

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

/// A socket that accepts connections.
pub struct Listener {
    tcp: TcpListener,
    /// The address of the socket.
    pub address: SocketAddr,
}

impl Listener {
    /// Binds an address. Port 0 selects a free port.
    pub async fn bind(address: SocketAddr) -> std::io::Result<Self> {
        Self::from_tcp(TcpListener::bind(address).await?)
    }

    /// A listener on a bound socket.
    pub fn from_tcp(tcp: TcpListener) -> std::io::Result<Self> {
        let address = tcp.local_addr()?;
        Ok(Self { tcp, address })
    }
}

/// Limits on a request.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// The largest body that the server reads, in bytes.
    pub body_bytes_max: usize,
    /// The time to receive the whole body. After this time, the server answers 408.
    pub body_timeout: Duration,
    /// The time to receive the head of a request, counted from the moment the connection is idle. After this time, the
    /// server closes the connection, including an idle one.
    pub head_timeout: Duration,
}

impl Default for HttpLimits {
    /// A body of 6 MiB, as in Lambda, and 30 seconds each for head and body.
    ///
    /// The host itself rejects bodies over 256 KiB. This limit is higher because a client that is cut off while it
    /// sends may never see the response.
    fn default() -> Self {
        let time = Duration::from_secs(30);
        Self { body_bytes_max: 6 * 1024 * 1024, body_timeout: time, head_timeout: time }
    }
}

/// The time for requests in flight after the server is asked to stop. Cloud Run kills a process ten seconds after
/// SIGTERM.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(8);

/// The pause after a failed accept, for example while too many files are open.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Answers every request through `answer` until `stop` resolves. Requests in flight then have [`SHUTDOWN_GRACE`] to
/// finish.
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
    // Requests that do not finish in time are cut off.
    let _ = tokio::time::timeout(SHUTDOWN_GRACE, finished).await;
    Ok(())
}

/// Serves one connection until either side closes it.
async fn serve_connection<A, F>(stream: TcpStream, limits: HttpLimits, answer: A, mut stopped: watch::Receiver<()>)
where
    A: Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    // An answer is small, and the client waits for it.
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
        // A broken connection is not an error of the server.
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
        Ok(Err(_)) => problem(StatusCode::BAD_REQUEST, "malformed_request", "The body is incomplete or malformed."),
        Err(_) => problem(StatusCode::REQUEST_TIMEOUT, "request_timeout", "The body took too long to arrive."),
    };
    rejected.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    rejected
}

//! The server of the stand-in: which request gets which reply.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{Stream, StreamExt, stream};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::{
    body::{Bytes, Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{
    received_request::ReceivedRequest,
    replies::{ApiReply, Closed, respond},
};
use crate::{World, waits::RecordedWaits, world::WorldSetup};

#[derive(Default)]
struct State {
    script: VecDeque<ApiReply>,
    default_reply: Option<ApiReply>,
    random_faults: Option<(fastrand::Rng, usize)>,
    requests: Vec<ReceivedRequest>,
    in_flight: usize,
    in_flight_max: usize,
}

/// The stand-in.
#[derive(Clone)]
pub struct Anthropic {
    state: Arc<Mutex<State>>,
    url: String,
}

/// A world whose functions call a stand-in, with these settings. Waits are recorded and return at once.
pub async fn world_with_claude(settings: &[(&'static str, &str)]) -> (World, Anthropic, RecordedWaits) {
    let (anthropic, waits) = (Anthropic::start().await, RecordedWaits::default());
    let mut environment =
        vec![("ANTHROPIC_BASE_URL", anthropic.url()), ("ANTHROPIC_API_KEY", "sk-ant-of-the-tests".to_owned())];
    environment.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let world = World::with(WorldSetup { environment, sleeper: waits.sleeper(), ..WorldSetup::default() }).await;
    (world, anthropic, waits)
}

impl Anthropic {
    /// Starts the stand-in on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let anthropic = Self { state: Arc::default(), url };
        let state = Arc::clone(&anthropic.state);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
            }
        });
        anthropic
    }

    /// The base URL.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Sets the replies to the next requests, one each. Later requests get [`ApiReply::Verdicts`], or the reply of
    /// [`Self::always`].
    pub fn script(&self, replies: impl IntoIterator<Item = ApiReply>) {
        self.state.lock().unwrap().script = replies.into_iter().collect();
    }

    /// Sets the reply to every request without a scripted reply.
    pub fn always(&self, reply: ApiReply) {
        self.state.lock().unwrap().default_reply = Some(reply);
    }

    /// Replies with a transient fault to one in `one_in` of the requests without a scripted reply.
    pub fn at_random(&self, seed: u64, one_in: usize) {
        self.state.lock().unwrap().random_faults = Some((fastrand::Rng::with_seed(seed), one_in));
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The largest number of requests in flight at once.
    pub fn in_flight_max(&self) -> usize {
        self.state.lock().unwrap().in_flight_max
    }
}

impl State {
    fn next(&mut self) -> ApiReply {
        let random = self.random_faults.as_mut().and_then(|(rng, one_in)| {
            let hit = rng.usize(0..*one_in) == 0;
            hit.then(|| rng.choice(ApiReply::transient_faults()).unwrap())
        });
        self.script.pop_front().or(random).or_else(|| self.default_reply.clone()).unwrap_or(ApiReply::Verdicts)
    }
}

/// Counts a request until its reply is sent or the client disconnects.
struct InFlight(Arc<Mutex<State>>);

impl InFlight {
    fn begin(state: &Arc<Mutex<State>>, request: ReceivedRequest) -> (Self, ApiReply) {
        let mut locked = state.lock().unwrap();
        locked.requests.push(request);
        locked.in_flight += 1;
        locked.in_flight_max = locked.in_flight_max.max(locked.in_flight);
        let reply = locked.next();
        drop(locked);
        (Self(Arc::clone(state)), reply)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.lock().unwrap().in_flight -= 1;
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<StreamBody<impl Stream<Item = Result<Frame<Bytes>, Closed>>>>, Closed> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let received = ReceivedRequest { line: format!("{} {}", parts.method, parts.uri.path()), headers, body };
    let (_in_flight, reply) = InFlight::begin(&state, received.clone());
    match &reply {
        ApiReply::Delayed(delay) => tokio::time::sleep(*delay).await,
        ApiReply::AfterBarrier(barrier) | ApiReply::RateLimitedAfterBarrier(barrier, _) => {
            barrier.wait().await;
        }
        ApiReply::Hang => std::future::pending().await,
        ApiReply::Close => return Err(Closed),
        _ => {}
    }
    let trickled = if matches!(reply, ApiReply::Trickle) { usize::MAX } else { 0 };
    let trickle = stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(b" ")))).take(trickled).then(|byte| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        byte
    });
    Ok(respond(&reply, &received).map(|chunks| StreamBody::new(stream::iter(chunks).chain(trickle))))
}

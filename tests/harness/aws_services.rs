//! Stand-ins for AWS services that `ctl` calls: one SQS queue, and a service with scripted replies.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use http::{Response, StatusCode, request::Parts};
use serde_json::{Value, json};
use shared::host::{Body, Bytes, HttpLimits, Listener, serve};

/// Starts a server that replies with `answer`. Returns its URL.
async fn start<F>(answer: impl Fn(Parts, Bytes) -> F + Clone + Send + Sync + 'static) -> String
where
    F: Future<Output = (u16, Value)> + Send + 'static,
{
    let listening = Listener::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let url = format!("http://{}", listening.address);
    let respond = move |parts, body| {
        let answer = answer(parts, body);
        async move {
            let (status, body) = answer.await;
            let response = Response::builder().status(StatusCode::from_u16(status).unwrap());
            response.body(Body::from(body.to_string())).unwrap()
        }
    };
    tokio::spawn(serve(listening, HttpLimits::default(), respond, std::future::pending()));
    url
}

/// A request: its target, which is `x-amz-target` or else method and path, and its body.
pub type ServiceRequest = (String, Value);

/// A service with scripted replies.
pub struct StubService {
    /// Its URL.
    pub url: String,
    requests: Arc<Mutex<Vec<ServiceRequest>>>,
}

impl StubService {
    /// Starts a service that replies to each request with the status and body of `answer`.
    pub async fn start(answer: impl Fn(&ServiceRequest) -> (u16, Value) + Clone + Send + Sync + 'static) -> Self {
        let requests: Arc<Mutex<Vec<ServiceRequest>>> = Arc::default();
        let recorded = Arc::clone(&requests);
        let url = start(move |parts: Parts, body| {
            let header = parts.headers.get("x-amz-target").map(|name| name.to_str().unwrap().to_owned());
            let target = header.unwrap_or_else(|| format!("{} {}", parts.method, parts.uri.path()));
            let request = (target, serde_json::from_slice(&body).unwrap_or_default());
            recorded.lock().unwrap().push(request.clone());
            std::future::ready(answer(&request))
        })
        .await;
        Self { url, requests }
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<ServiceRequest> {
        self.requests.lock().unwrap().clone()
    }
}

struct Message {
    id: String,
    body: String,
    hidden_until: Instant,
    /// The number of receives. Only the latest receipt handle is valid.
    receive_count: u32,
}

/// SQS with one queue.
pub struct StubQueue {
    /// Its URL.
    pub url: String,
    messages: Arc<Mutex<Vec<Message>>>,
    redeliver_after: Arc<Mutex<Option<u32>>>,
}

impl StubQueue {
    /// Starts a queue that holds these messages.
    pub async fn start(name: &'static str, bodies: impl IntoIterator<Item = String>) -> Self {
        let message =
            |(number, body)| Message { id: format!("m{number}"), body, hidden_until: Instant::now(), receive_count: 0 };
        let messages = Arc::new(Mutex::new(bodies.into_iter().enumerate().map(message).collect::<Vec<_>>()));
        let (queued, redeliver_after) = (Arc::clone(&messages), Arc::<Mutex<Option<u32>>>::default());
        let countdown = Arc::clone(&redeliver_after);
        let url = start(move |parts: Parts, body| {
            let action = parts.headers["x-amz-target"].to_str().unwrap().strip_prefix("AmazonSQS.").unwrap().to_owned();
            let request: Value = serde_json::from_slice(&body).unwrap();
            let mut messages = queued.lock().unwrap();
            let reply = answer(name, &action, &request, &mut messages);
            let mut countdown = countdown.lock().unwrap();
            if let Some(others) = countdown.filter(|_| action == "ReceiveMessage") {
                *countdown = others.checked_sub(1);
                if others == 0 {
                    messages[0].hidden_until = Instant::now();
                }
            }
            drop(countdown);
            drop(messages);
            std::future::ready(reply)
        })
        .await;
        Self { url, messages, redeliver_after }
    }

    /// Makes the first message visible again once it and `others` more messages have been received.
    pub fn redeliver_after(&self, others: u32) {
        *self.redeliver_after.lock().unwrap() = Some(others);
    }

    /// The bodies of the messages in the queue, in order.
    pub fn remaining(&self) -> Vec<String> {
        self.messages.lock().unwrap().iter().map(|message| message.body.clone()).collect()
    }

    /// The number of messages that could be received now.
    pub fn visible_count(&self) -> usize {
        self.messages.lock().unwrap().iter().filter(|message| message.hidden_until <= Instant::now()).count()
    }

    /// The number of receives of each message in the queue.
    pub fn receive_counts(&self) -> Vec<u32> {
        self.messages.lock().unwrap().iter().map(|message| message.receive_count).collect()
    }
}

fn answer(name: &str, action: &str, request: &Value, messages: &mut Vec<Message>) -> (u16, Value) {
    let now = Instant::now();
    let hidden_until = |request: &Value| now + Duration::from_secs(request["VisibilityTimeout"].as_u64().unwrap());
    match action {
        "GetQueueUrl" if request["QueueName"] == name => (200, json!({"QueueUrl": format!("http://queue/{name}")})),
        "GetQueueUrl" => {
            (400, json!({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "There is no such queue."}))
        }
        "ReceiveMessage" => {
            let max = usize::try_from(request["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
            let mut received = Vec::new();
            for message in messages.iter_mut().filter(|message| message.hidden_until <= now).take(max) {
                message.hidden_until = hidden_until(request);
                message.receive_count += 1;
                let receipt = format!("{} {}", message.id, message.receive_count);
                received.push(json!({"MessageId": message.id, "ReceiptHandle": receipt, "Body": message.body}));
            }
            (200, json!({"Messages": received}))
        }
        "ChangeMessageVisibility" => {
            message_of(messages, request).hidden_until = hidden_until(request);
            (200, json!({}))
        }
        "ChangeMessageVisibilityBatch" => {
            let entries = request["Entries"].as_array().unwrap();
            entries.iter().for_each(|entry| message_of(messages, entry).hidden_until = hidden_until(entry));
            (200, json!({"Successful": [], "Failed": []}))
        }
        "DeleteMessage" => {
            let id = message_of(messages, request).id.clone();
            messages.retain(|message| message.id != id);
            (200, json!({}))
        }
        other => panic!("{other} is not implemented here"),
    }
}

fn message_of<'a>(messages: &'a mut [Message], request: &Value) -> &'a mut Message {
    let receipt = request["ReceiptHandle"].as_str().unwrap();
    let has_receipt = |message: &&mut Message| format!("{} {}", message.id, message.receive_count) == receipt;
    messages.iter_mut().find(has_receipt).unwrap_or_else(|| panic!("{receipt} is not a valid receipt"))
}

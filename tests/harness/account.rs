//! Stand-ins for services of the account that a stack is in: one queue of SQS, and a service that answers as it is told.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use http::{Response, StatusCode, request::Parts};
use serde_json::{Value, json};
use shared::host::{Body, Bytes, HttpLimits, Listener, serve};

/// Starts what answers each request so; answers where.
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

/// What a service is asked: its method and path, or what it is named in a header, and the body.
pub type Asked = (String, Value);

/// A service that answers as it is told.
pub struct Service {
    /// Where it answers.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Service {
    /// Starts one that answers so, with a status and a body.
    pub async fn start(answer: impl Fn(&Asked) -> (u16, Value) + Clone + Send + Sync + 'static) -> Self {
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let written = Arc::clone(&asked);
        let url = start(move |parts: Parts, body| {
            let named = parts.headers.get("x-amz-target").map(|name| name.to_str().unwrap().to_owned());
            let what = named.unwrap_or_else(|| format!("{} {}", parts.method, parts.uri.path()));
            let asked = (what, serde_json::from_slice(&body).unwrap_or_default());
            written.lock().unwrap().push(asked.clone());
            std::future::ready(answer(&asked))
        })
        .await;
        Self { url, asked }
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

struct Message {
    id: String,
    body: String,
    hidden_until: Instant,
    /// How often it was received. Only the latest receipt is good.
    received: u32,
}

/// SQS, with one queue.
pub struct Queue {
    /// Where it answers.
    pub url: String,
    messages: Arc<Mutex<Vec<Message>>>,
    comes_back: Arc<Mutex<Option<u32>>>,
}

impl Queue {
    /// Starts one with these messages.
    pub async fn start(name: &'static str, bodies: impl IntoIterator<Item = String>) -> Self {
        let message =
            |(place, body)| Message { id: format!("m{place}"), body, hidden_until: Instant::now(), received: 0 };
        let messages = Arc::new(Mutex::new(bodies.into_iter().enumerate().map(message).collect::<Vec<_>>()));
        let (held, comes_back) = (Arc::clone(&messages), Arc::<Mutex<Option<u32>>>::default());
        let after = Arc::clone(&comes_back);
        let url = start(move |parts: Parts, body| {
            let action = parts.headers["x-amz-target"].to_str().unwrap().strip_prefix("AmazonSQS.").unwrap().to_owned();
            let asked: Value = serde_json::from_slice(&body).unwrap();
            let mut messages = held.lock().unwrap();
            let answered = answer(name, &action, &asked, &mut messages);
            let mut after = after.lock().unwrap();
            if let Some(others) = after.filter(|_| action == "ReceiveMessage") {
                *after = others.checked_sub(1);
                if others == 0 {
                    messages[0].hidden_until = Instant::now();
                }
            }
            drop(after);
            drop(messages);
            std::future::ready(answered)
        })
        .await;
        Self { url, messages, comes_back }
    }

    /// Once the first message was received, it can be received again after so many others were.
    pub fn give_back_after(&self, others: u32) {
        *self.comes_back.lock().unwrap() = Some(others);
    }

    /// The messages that are left, in order.
    pub fn left(&self) -> Vec<String> {
        self.messages.lock().unwrap().iter().map(|message| message.body.clone()).collect()
    }

    /// How many could be received now.
    pub fn visible(&self) -> usize {
        self.messages.lock().unwrap().iter().filter(|message| message.hidden_until <= Instant::now()).count()
    }

    /// How often each message that is left was received.
    pub fn received(&self) -> Vec<u32> {
        self.messages.lock().unwrap().iter().map(|message| message.received).collect()
    }
}

fn answer(name: &str, action: &str, asked: &Value, messages: &mut Vec<Message>) -> (u16, Value) {
    let now = Instant::now();
    let hidden_until = |asked: &Value| now + Duration::from_secs(asked["VisibilityTimeout"].as_u64().unwrap());
    match action {
        "GetQueueUrl" if asked["QueueName"] == name => (200, json!({"QueueUrl": format!("http://queue/{name}")})),
        "GetQueueUrl" => {
            (400, json!({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "There is no such queue."}))
        }
        "ReceiveMessage" => {
            let most = usize::try_from(asked["MaxNumberOfMessages"].as_u64().unwrap()).unwrap();
            let mut taken = Vec::new();
            for message in messages.iter_mut().filter(|message| message.hidden_until <= now).take(most) {
                message.hidden_until = hidden_until(asked);
                message.received += 1;
                let receipt = format!("{} {}", message.id, message.received);
                taken.push(json!({"MessageId": message.id, "ReceiptHandle": receipt, "Body": message.body}));
            }
            (200, json!({"Messages": taken}))
        }
        "ChangeMessageVisibility" => {
            received(messages, asked).hidden_until = hidden_until(asked);
            (200, json!({}))
        }
        "ChangeMessageVisibilityBatch" => {
            let entries = asked["Entries"].as_array().unwrap();
            entries.iter().for_each(|entry| received(messages, entry).hidden_until = hidden_until(entry));
            (200, json!({"Successful": [], "Failed": []}))
        }
        "DeleteMessage" => {
            let id = received(messages, asked).id.clone();
            messages.retain(|message| message.id != id);
            (200, json!({}))
        }
        other => panic!("{other} is not known here"),
    }
}

fn received<'a>(messages: &'a mut [Message], asked: &Value) -> &'a mut Message {
    let receipt = asked["ReceiptHandle"].as_str().unwrap();
    let is_it = |message: &&mut Message| format!("{} {}", message.id, message.received) == receipt;
    messages.iter_mut().find(is_it).unwrap_or_else(|| panic!("{receipt} is no good receipt"))
}

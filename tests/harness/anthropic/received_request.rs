//! A request as the stand-in received it.

use std::collections::HashMap;

use hyper::body::Bytes;
use serde_json::Value;

/// A request that the stand-in received.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// The method and the path.
    pub line: String,
    /// The headers, with names in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: Bytes,
}

impl ReceivedRequest {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The content of the user message, as JSON.
    pub fn message(&self) -> Value {
        serde_json::from_str(self.json()["messages"][0]["content"].as_str().unwrap()).unwrap()
    }

    /// The customers of the request.
    pub fn customers(&self) -> Vec<Value> {
        self.message()["customers"].as_array().unwrap().clone()
    }
}

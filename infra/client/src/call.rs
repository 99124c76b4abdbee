//! A call of an operation, and its HTTP request.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};
use shared::{domain::time, host::InFunction, inbound::operation::Operation};

/// The characters that are escaped in a segment of a path: all but the unreserved ones of RFC 3986.
const ESCAPED_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A call of the operation `O`.
pub struct Call<O> {
    http: HttpCall,
    operation: PhantomData<fn() -> O>,
}

/// The HTTP request of a call, without address and credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpCall {
    /// The name of the function.
    pub function: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path with its query, percent-encoded.
    pub path: String,
    /// The headers, with names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body. A request that takes its fields from the query has none.
    pub body: Option<Value>,
}

/// A request that HTTP cannot carry.
#[derive(Debug, thiserror::Error)]
pub enum UnwritableRequest {
    /// The request has no JSON.
    #[error("the request cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// The request is no object of fields.
    #[error("the request is not an object")]
    NotAnObject,
    /// The path needs a field that the request does not have.
    #[error("the request has no field {0}, which is a part of the path")]
    NoPathField(&'static str),
    /// A path or a query needs one text for a field, but the field is a list or an object.
    #[error("the field {0} has no place in a path or a query")]
    NotAText(String),
}

impl<O: InFunction> Call<O> {
    /// A call with this request.
    pub fn new(request: &O::Request) -> Result<Self, UnwritableRequest> {
        Ok(Self { http: HttpCall::of::<O>(request)?, operation: PhantomData })
    }

    /// Sets the clock of a local stack for this call. A deployed function ignores it.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        self.with_header("x-regulars-now", time::text(now))
    }

    /// Refuses to replace what the operation would create.
    #[must_use]
    pub fn only_create(self) -> Self {
        self.with_header("if-none-match", "*".to_owned())
    }

    /// The HTTP request.
    #[must_use]
    pub const fn http(&self) -> &HttpCall {
        &self.http
    }

    fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.http.headers.push((name, value));
        self
    }
}

impl HttpCall {
    /// The HTTP request of a call of the operation `O`. An operation without a route does not compile.
    ///
    /// The fields in the path of the route come from the request. The other fields are the body of a POST or PUT, and
    /// the query of any other method.
    pub fn of<O: InFunction>(request: &O::Request) -> Result<Self, UnwritableRequest> {
        const { assert!(!O::OPERATION.method.is_empty(), "the operation has no HTTP route") };
        match serde_json::to_value(request).map_err(UnwritableRequest::Json)? {
            Value::Object(fields) => Self::from_fields(O::FUNCTION, &O::OPERATION, fields),
            _ => Err(UnwritableRequest::NotAnObject),
        }
    }

    fn from_fields(
        function: &'static str,
        operation: &Operation,
        mut fields: Map<String, Value>,
    ) -> Result<Self, UnwritableRequest> {
        let segments = operation.path.split('/').map(|segment| {
            let Some(name) = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
                return Ok(segment.to_owned());
            };
            let value = fields.remove(name).ok_or(UnwritableRequest::NoPathField(name))?;
            Ok(utf8_percent_encode(&text(name, &value)?, ESCAPED_IN_PATH).to_string())
        });
        let mut path = segments.collect::<Result<Vec<_>, UnwritableRequest>>()?.join("/");
        let body = if operation.takes_body() {
            Some(Value::Object(fields))
        } else {
            let mut query = form_urlencoded::Serializer::new(String::new());
            for (name, value) in &fields {
                query.append_pair(name, &text(name, value)?);
            }
            if !fields.is_empty() {
                path = format!("{path}?{}", query.finish());
            }
            None
        };
        Ok(Self { function, method: operation.method, path, headers: Vec::new(), body })
    }
}

/// A value as a path or a query holds it.
fn text(name: &str, value: &Value) -> Result<String, UnwritableRequest> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(UnwritableRequest::NotAText(name.to_owned())),
    }
}

//! Raw event in, one typed call out.
//!
//! A function is called in four ways: by an EventBridge schedule or event, through its function URL, directly with
//! `{operation, …fields}`, and (outside Lambda) over HTTP on a port, which the host turns into the function-URL form.
//! All of them become a [`Call`]: an operation and a map of fields, so that they can't differ in what they do.

pub mod bundle;
pub mod cursor;
pub mod fields;
pub mod loyalty;
pub mod operation;

use aws_lambda_events::{eventbridge::EventBridgeEvent, lambda_function_urls::LambdaFunctionUrlRequest};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use serde_json::{Map, Value};

use crate::domain::rejection::{FieldError, Rejection};
use fields::{FieldErrors, Readable};
use operation::Operation;

/// Largest body that is read, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// The field that names an org.
const ORG: &str = "orgId";

/// The field that names where a list goes on, and so an org.
const CURSOR: &str = "cursor";

/// What a call says, by name.
pub type Fields = Map<String, Value>;

/// A raw event, told apart.
#[derive(Debug)]
pub enum Incoming {
    /// A request to the function's URL, or to its port.
    Http(HttpRequest),
    /// An event of the shop platform.
    Event {
        /// Its `detail-type`.
        name: String,
        /// Its `detail`.
        detail: Fields,
    },
    /// The function's schedule.
    Schedule,
    /// A direct invocation, authorised by IAM.
    Direct(Fields),
}

/// An HTTP request, before anything in it is believed.
#[derive(Debug, Default)]
pub struct HttpRequest {
    /// As sent.
    pub method: String,
    /// As sent, still percent-encoded.
    pub path: String,
    /// As sent, still percent-encoded.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, decoded; unbounded here.
    pub body: Vec<u8>,
}

/// An event that has none of the known forms.
#[derive(Debug)]
pub struct UnknownForm(pub String);

/// Tells a raw event's kind.
pub fn classify(raw: Value) -> Result<Incoming, UnknownForm> {
    let unknown = |error: serde_json::Error| UnknownForm(error.to_string());
    if raw.pointer("/requestContext/http").is_some() {
        return HttpRequest::from_url_event(serde_json::from_value(raw).map_err(unknown)?).map(Incoming::Http);
    }
    if raw.get("detail-type").is_some() && raw.get("source").is_some() {
        let event: EventBridgeEvent = serde_json::from_value(raw).map_err(unknown)?;
        if event.detail_type == "Scheduled Event" {
            return Ok(Incoming::Schedule);
        }
        let detail = match event.detail {
            Value::Object(detail) => detail,
            _ => Map::new(),
        };
        return Ok(Incoming::Event { name: event.detail_type, detail });
    }
    match raw {
        Value::Object(fields) => Ok(Incoming::Direct(fields)),
        _ => Err(UnknownForm("neither an HTTP request nor an EventBridge event nor an object of fields".into())),
    }
}

impl HttpRequest {
    fn from_url_event(event: LambdaFunctionUrlRequest) -> Result<Self, UnknownForm> {
        let text = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            BASE64_STANDARD.decode(text).map_err(|error| UnknownForm(error.to_string()))?
        } else {
            text.into_bytes()
        };
        Ok(Self {
            method: event.request_context.http.method.unwrap_or_default(),
            path: event.raw_path.unwrap_or_else(|| "/".into()),
            query: event.raw_query_string.unwrap_or_default(),
            headers: event.headers,
            body,
        })
    }

    /// The `Authorization` header.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.headers.get(header::AUTHORIZATION)?.to_str().ok()
    }

    /// Whether the body is small enough to be read.
    pub fn check_size(&self) -> Result<(), Rejection> {
        if self.body.len() > MAX_BODY { Err(Rejection::BodyTooLarge) } else { Ok(()) }
    }

    /// Which of `operations` this asks for.
    pub fn route<'a>(&self, operations: impl Iterator<Item = &'a Operation>) -> Result<&'a Operation, Rejection> {
        let mut allow: Vec<&str> = Vec::new();
        for operation in operations.filter(|operation| operation.path_fields(&self.path).is_some()) {
            if operation.method == self.method {
                return Ok(operation);
            }
            allow.push(operation.method);
        }
        if allow.is_empty() {
            return Err(Rejection::UnknownRoute);
        }
        Err(Rejection::MethodNotAllowed { allow: allow.join(", ") })
    }

    /// The request as a call: fields from the path, and from the body (POST, PUT) or the query (GET, DELETE).
    pub fn into_call(self, operation: &'static Operation) -> Result<Call, Rejection> {
        let mut faults = Vec::new();
        let takes_body = matches!(self.method.as_str(), "POST" | "PUT");
        let mut fields = if takes_body { self.body_fields(&mut faults)? } else { Map::new() };
        let mut other_orgs = Vec::new();
        let mut overridden = |name: &str, value: &Value| {
            let text = value.as_str();
            other_orgs.extend(text.filter(|_| name == ORG).map(str::to_owned));
            other_orgs.extend(text.filter(|_| name == CURSOR).and_then(cursor::org_of).filter(|org| !org.is_empty()));
        };
        if !takes_body && let Ok(Value::Object(ignored)) = serde_json::from_slice(&self.body) {
            ignored.iter().for_each(|(name, value)| overridden(name, value));
        }
        for (name, value) in form_urlencoded::parse(self.query.as_bytes()) {
            let value = Value::String(value.into_owned());
            if takes_body {
                overridden(&name, &value);
                faults.push(FieldError::new(name, "is a query parameter, which this request does not take"));
            } else if let Some(other) = fields.insert(name.clone().into_owned(), value) {
                overridden(&name, &other);
                faults.push(FieldError::new(name, "is given twice"));
            }
        }
        for (name, value) in operation.path_fields(&self.path).unwrap_or_default() {
            if let Some(other) = fields.insert(name.to_owned(), Value::String(value)) {
                overridden(name, &other);
                faults.push(FieldError::new(name, "is given by the path; leave it out elsewhere"));
            }
        }
        let only_create = self.headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*");
        Ok(Call { only_create, faults, other_orgs, ..Call::from_fields(operation, fields) })
    }

    fn body_fields(&self, faults: &mut Vec<FieldError>) -> Result<Fields, Rejection> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        let body: Value = serde_json::from_slice(&self.body)
            .map_err(|error| Rejection::UnreadableJson { detail: error.to_string() })?;
        if let Value::Object(fields) = body {
            return Ok(fields);
        }
        faults.push(FieldError::new("", "must be an object"));
        Ok(Map::new())
    }
}

/// One typed call, however it came.
#[derive(Debug)]
pub struct Call {
    /// What is asked for.
    pub operation: &'static Operation,
    /// `If-None-Match: *`: create, don't replace.
    pub only_create: bool,
    /// Made by the function's schedule: nobody reads the answer.
    pub by_schedule: bool,
    fields: Fields,
    faults: Vec<FieldError>,
    /// Orgs that were named beside the one in the fields.
    other_orgs: Vec<String>,
    ignores_unknown: bool,
}

impl Call {
    /// A call by an event of the shop platform, whose other fields are nobody's business here.
    #[must_use]
    pub fn from_event(operation: &'static Operation, detail: Fields) -> Self {
        Self { ignores_unknown: true, ..Self::from_fields(operation, detail) }
    }

    /// A call by the function's schedule.
    #[must_use]
    pub fn from_schedule(operation: &'static Operation) -> Self {
        Self { by_schedule: true, ..Self::from_fields(operation, Map::new()) }
    }

    /// A direct invocation with these fields: `operation` names one, or is left out where there is only one.
    pub fn from_direct(operations: &[&'static Operation], mut fields: Fields) -> Result<Self, Rejection> {
        let operation = match (fields.remove("operation"), operations) {
            (Some(Value::String(name)), _) => operations.iter().find(|operation| operation.name == name),
            (None, [only]) => Some(only),
            _ => None,
        };
        let names: Vec<_> = operations.iter().map(|operation| operation.name).collect();
        let operation =
            operation.ok_or_else(|| Rejection::invalid("operation", format!("must be one of {}", names.join(", "))))?;
        Ok(Self::from_fields(operation, fields))
    }

    const fn from_fields(operation: &'static Operation, fields: Fields) -> Self {
        let faults = Vec::new();
        let other_orgs = Vec::new();
        Self { operation, only_create: false, by_schedule: false, fields, faults, other_orgs, ignores_unknown: false }
    }

    /// The org it names, readable or not.
    #[must_use]
    pub fn org(&self) -> Option<&str> {
        self.fields.get(ORG)?.as_str()
    }

    /// Every org that it names, readable or not, wherever it does.
    pub fn orgs(&self) -> impl Iterator<Item = &str> {
        self.other_orgs.iter().map(String::as_str).chain(self.org())
    }

    /// The org that its cursor was given for, if it has a cursor that can be read.
    #[must_use]
    pub fn cursor_org(&self) -> Option<String> {
        if self.ignores_unknown {
            return None;
        }
        cursor::org_of(self.fields.get(CURSOR)?.as_str()?).filter(|org| !org.is_empty())
    }

    /// Reads the fields into a request: all faults at once, or none.
    pub fn read<T: Readable>(self) -> Result<T, Rejection> {
        let Self { mut fields, faults, ignores_unknown, .. } = self;
        let mut outcome = T::read(&fields);
        if let (true, Err(errors)) = (ignores_unknown, &outcome) {
            errors.unknown().for_each(|name| drop(fields.remove(name)));
            outcome = T::read(&fields);
        }
        match outcome {
            Ok(request) if faults.is_empty() => Ok(request),
            Ok(_) => Err(FieldErrors::from(faults).into()),
            Err(errors) => Err(errors.after(faults).into()),
        }
    }
}

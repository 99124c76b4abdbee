//! Raw event in, one typed call out.
//!
//! A function is called in four ways: by an EventBridge schedule or event, through its function URL, directly with
//! `{operation, …fields}`, and (outside Lambda) over HTTP on a port, which the host turns into the function-URL form.
//! All of them become a [`Call`]: an operation and a map of fields, so that they can't differ in what they do.

pub mod bundle;
pub mod bundles;
pub mod cursor;
pub mod fields;
pub mod json;
pub mod loyalty;
pub mod operation;

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::domain::{
    ids::OrgId,
    rejection::{FieldError, Rejection},
};
use fields::{FieldErrors, FromFields};
pub use json::Fields;
use json::Json;
use operation::Operation;

/// Largest body that is read, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// How a body begins that is compressed by gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The field that names an org.
const ORG: &str = "orgId";

/// The field that names where a list goes on, and so an org.
const CURSOR: &str = "cursor";

/// A raw event, told apart.
#[derive(Debug)]
pub enum Incoming {
    /// A request to the function's URL, or to its port.
    Http(HttpRequest),
    /// An event of the shop platform.
    Event {
        /// Its `detail-type`.
        name: String,
        /// Its `detail`, or why that can't be read.
        detail: Result<Fields, Rejection>,
    },
    /// The function's schedule.
    Schedule,
    /// A direct invocation, authorised by IAM; or why it can't be read.
    Direct(Result<Fields, Rejection>),
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

/// What tells the kinds of events apart.
#[derive(Deserialize)]
struct Kinds<'a> {
    #[serde(rename = "requestContext", default)]
    context: Option<ContextKind>,
    #[serde(rename = "detail-type", default)]
    detail_type: Option<String>,
    #[serde(default)]
    source: Option<IgnoredAny>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ContextKind {
    #[serde(default)]
    http: Option<IgnoredAny>,
}

/// Tells a raw event's kind.
pub fn classify(raw: &RawValue) -> Result<Incoming, UnknownForm> {
    let text = raw.get();
    if !text.starts_with('{') {
        let why = "neither an HTTP request nor an EventBridge event nor an object of fields";
        return Err(UnknownForm(why.into()));
    }
    // One whose own members have other types is no event of either kind: its fields are a direct invocation's.
    let Ok(Kinds { context, detail_type, source, detail }) = serde_json::from_str(text) else {
        return Ok(Incoming::Direct(fields_of(raw)));
    };
    if context.and_then(|context| context.http).is_some() {
        let event = serde_json::from_str(text).map_err(|error| UnknownForm(error.to_string()))?;
        return HttpRequest::from_url_event(event).map(Incoming::Http);
    }
    match (detail_type, source) {
        (Some(name), Some(IgnoredAny)) if name == "Scheduled Event" => Ok(Incoming::Schedule),
        (Some(name), Some(IgnoredAny)) => {
            let detail = detail.filter(|detail| detail.get().starts_with('{'));
            Ok(Incoming::Event { name, detail: detail.map_or_else(|| Ok(Fields::default()), fields_of) })
        }
        _ => Ok(Incoming::Direct(fields_of(raw))),
    }
}

/// The fields of an object.
fn fields_of(raw: &RawValue) -> Result<Fields, Rejection> {
    Ok(if let Json::Object(fields) = Json::of(raw)? { fields } else { Fields::default() })
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

    /// The `Authorization` header; `None` where there is none, or more than one. A function URL joins those of one name by a
    /// comma, and no secret and no key matches what is joined.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        let mut given = self.headers.get_all(header::AUTHORIZATION).iter();
        given.next().filter(|_| given.next().is_none())?.to_str().ok()
    }

    /// The method by which it is routed: what may be asked for by GET may be asked for by HEAD.
    fn asked_by(&self) -> &str {
        if self.is_head() { "GET" } else { &self.method }
    }

    /// Whether the answer is to have no body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// Refuses a body in an encoding: one that a header names, or that the body shows.
    pub fn check_encoding(&self) -> Result<(), Rejection> {
        if self.body.is_empty() {
            return Ok(());
        }
        let named = |name| self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let encodings = named(header::CONTENT_ENCODING).flat_map(|value| value.split(',')).map(str::trim);
        let encoding = encodings.map(str::to_owned).find(|encoding| !encoding.eq_ignore_ascii_case("identity"));
        let parameters = named(header::CONTENT_TYPE).flat_map(|value| value.split(';').skip(1)).map(str::trim);
        let charsets = parameters.filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"').to_owned())
        });
        let is_utf_8 = |charset: &String| ["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
        let charset = charsets.into_iter().find(|charset| !is_utf_8(charset));
        let shown = self.body.starts_with(&GZIP).then(|| "gzip".to_owned());
        match encoding.filter(|encoding| !encoding.is_empty()).or(charset).or(shown) {
            Some(encoding) => Err(Rejection::UnsupportedEncoding { encoding }),
            None => Ok(()),
        }
    }

    /// Whether the body is small enough to be read.
    pub fn check_size(&self) -> Result<(), Rejection> {
        if self.body.len() > MAX_BODY { Err(Rejection::BodyTooLarge) } else { Ok(()) }
    }

    /// Which of `operations` this asks for.
    pub fn route<'a>(&self, operations: impl Iterator<Item = &'a Operation>) -> Result<&'a Operation, Rejection> {
        let mut allow: Vec<&str> = Vec::new();
        for operation in operations.filter(|operation| operation.path_fields(&self.path).is_some()) {
            if operation.method == self.asked_by() {
                return Ok(operation);
            }
            allow.push(operation.method);
            if operation.method == "GET" {
                allow.push("HEAD");
            }
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
        let mut fields = if takes_body { self.body_fields(&mut faults)? } else { Fields::default() };
        let mut other_orgs = Vec::new();
        let mut overridden = |name: &str, value: &Json| {
            let text = value.as_str();
            other_orgs.extend(text.filter(|_| name == ORG).map(str::to_owned));
            other_orgs.extend(text.filter(|_| name == CURSOR).and_then(cursor::org_of).filter(|org| !org.is_empty()));
        };
        if !takes_body && let Ok(Json::Object(ignored)) = Json::parse(&self.body) {
            ignored.iter().for_each(|(name, value)| overridden(name, value));
        }
        for (name, value) in form_urlencoded::parse(self.query.as_bytes()) {
            let value = Json::Text(value.into_owned());
            if takes_body {
                overridden(&name, &value);
                faults.push(FieldError::new(name, "is a query parameter, which this request does not take"));
            } else if fields.insert(name.clone().into_owned(), value).is_some() {
                return Err(Rejection::duplicate_field(&name));
            }
        }
        for (name, value) in operation.path_fields(&self.path).unwrap_or_default() {
            if let Some(other) = fields.insert(name.to_owned(), Json::Text(value)) {
                overridden(name, &other);
                faults.push(FieldError::new(name, "is given by the path; leave it out elsewhere"));
            }
        }
        let only_create = self.headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*");
        Ok(Call { only_create, faults, other_orgs, ..Call::from_fields(operation, fields) })
    }

    fn body_fields(&self, faults: &mut Vec<FieldError>) -> Result<Fields, Rejection> {
        if self.body.is_empty() {
            return Ok(Fields::default());
        }
        if let Json::Object(fields) = Json::parse(&self.body)? {
            return Ok(fields);
        }
        faults.push(FieldError::new("", "must be an object"));
        Ok(Fields::default())
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
        Self { by_schedule: true, ..Self::from_fields(operation, Fields::default()) }
    }

    /// A direct invocation with these fields: `operation` names one, or is left out where there is only one.
    pub fn from_direct(operations: &[&'static Operation], mut fields: Fields) -> Result<Self, Rejection> {
        let operation = match (fields.remove("operation"), operations) {
            (Some(Json::Text(name)), _) => operations.iter().find(|operation| operation.name == name),
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

    /// The org it names, if it is an id: what is not is too long for a log.
    #[must_use]
    pub fn org_id(&self) -> Option<OrgId> {
        OrgId::try_from(self.org()?.to_owned()).ok()
    }

    /// Whether it was made by an event of the shop platform.
    #[must_use]
    pub const fn is_event(&self) -> bool {
        self.ignores_unknown
    }

    /// Every org that it names, readable or not, wherever it does.
    pub fn orgs(&self) -> impl Iterator<Item = &str> + Clone {
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
    pub fn read<T: FromFields>(self) -> Result<T, Rejection> {
        self.read_with(|_| Vec::new())
    }

    /// The same, with rules between fields, or of a field and what else is known: their faults are told with all others. They
    /// are asked what is wrong with fields that may be wrong by themselves.
    pub fn read_with<T: FromFields>(self, across: impl FnOnce(&Fields) -> Vec<FieldError>) -> Result<T, Rejection> {
        let Self { mut fields, mut faults, ignores_unknown, .. } = self;
        faults.extend(across(&fields));
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

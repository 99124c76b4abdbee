//! An HTTP request, from a function URL or from a port.

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};

use super::{
    call::Call,
    cursor,
    fields::{CURSOR, ORG_ID},
    json::{Fields, Json},
    operation::Operation,
};
use crate::domain::rejection::{FieldError, Rejection};

/// The largest body that is decoded, in bytes.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// The first bytes of a gzip stream.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// An HTTP request that is not validated yet.
#[derive(Debug, Default)]
pub struct HttpRequest {
    /// The method.
    pub method: String,
    /// The path, percent-encoded.
    pub path: String,
    /// The query, percent-encoded.
    pub query: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, decoded from base64. Its size is not checked yet.
    pub body: Vec<u8>,
}

/// The reasons why the kind of an event is unknown.
#[derive(Debug, thiserror::Error)]
pub enum UnknownEvent {
    /// The event is not a JSON object.
    #[error("the event is neither an HTTP request nor an EventBridge event nor an object of fields")]
    NotAnObject,
    /// The event has a request context but not the form of a function-URL event.
    #[error("the function-URL event cannot be decoded")]
    FunctionUrl(#[source] serde_json::Error),
    /// A function-URL event declares a base64 body, but the body is not base64.
    #[error("the body is not valid base64")]
    Body(#[source] base64::DecodeError),
}

impl HttpRequest {
    pub(super) fn from_url_event(event: LambdaFunctionUrlRequest) -> Result<Self, UnknownEvent> {
        let text = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            BASE64_STANDARD.decode(text).map_err(UnknownEvent::Body)?
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

    /// The `Authorization` header, or `None` if there is none or more than one.
    ///
    /// A function URL joins several headers by commas. The joined text matches no credential.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        let mut values = self.headers.get_all(header::AUTHORIZATION).iter();
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    }

    /// The method for routing. A HEAD request has the route of the GET request.
    fn routing_method(&self) -> &str {
        if self.is_head() { "GET" } else { &self.method }
    }

    /// Whether the answer must have no body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// Rejects a body that is compressed or not in UTF-8, by its headers or by its first bytes.
    pub fn check_encoding(&self) -> Result<(), Rejection> {
        if self.body.is_empty() {
            return Ok(());
        }
        let header_values = |name| self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let encodings = header_values(header::CONTENT_ENCODING).flat_map(|value| value.split(',')).map(str::trim);
        let encoding = encodings.map(str::to_owned).find(|encoding| !encoding.eq_ignore_ascii_case("identity"));
        let parameters = header_values(header::CONTENT_TYPE).flat_map(|value| value.split(';').skip(1)).map(str::trim);
        let charsets = parameters.filter_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"').to_owned())
        });
        let is_utf_8 = |charset: &String| ["utf-8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known));
        let charset = charsets.into_iter().find(|charset| !is_utf_8(charset));
        let detected = self.body.starts_with(&GZIP_MAGIC).then(|| "gzip".to_owned());
        match encoding.filter(|encoding| !encoding.is_empty()).or(charset).or(detected) {
            Some(encoding) => Err(Rejection::UnsupportedEncoding { encoding }),
            None => Ok(()),
        }
    }

    /// Rejects a body over [`BODY_BYTES_MAX`].
    pub fn check_size(&self) -> Result<(), Rejection> {
        if self.body.len() > BODY_BYTES_MAX { Err(Rejection::BodyTooLarge) } else { Ok(()) }
    }

    /// The declaration of the operation with the route of this request. Fails with `UnknownRoute`, or with
    /// `MethodNotAllowed` if the path has other methods. Of a path that is also one with a parameter, such as
    /// `/customers/search`, only those without it are named, as in the document.
    pub fn route<D: AsRef<Operation>>(&self, declared: &'static [D]) -> Result<&'static D, Rejection> {
        let parameters = |declared: &'static D| Some((declared, declared.as_ref().match_path(&self.path)?.len()));
        let matching: Vec<(&'static D, usize)> = declared.iter().filter_map(parameters).collect();
        if let Some((found, _)) = matching.iter().find(|(found, _)| found.as_ref().method == self.routing_method()) {
            return Ok(found);
        }
        let Some(fewest) = matching.iter().map(|(_, parameters)| *parameters).min() else {
            return Err(Rejection::UnknownRoute);
        };
        let closest = matching.iter().filter(|(_, parameters)| *parameters == fewest);
        let methods = closest.flat_map(|(found, _)| match found.as_ref().method {
            "GET" => vec!["GET", "HEAD"],
            method => vec![method],
        });
        Err(Rejection::MethodNotAllowed { allow: methods.collect::<Vec<_>>().join(", ") })
    }

    /// The call that the request makes. Fields come from the path, and from the body (POST, PUT) or the query (GET,
    /// DELETE).
    pub fn into_call(self, operation: &Operation) -> Result<Call, Rejection> {
        let mut faults = Vec::new();
        let takes_body = operation.takes_body();
        let mut fields = if takes_body { self.body_fields(&mut faults)? } else { Fields::default() };
        let mut other_orgs = Vec::new();
        let mut collect_orgs = |name: &str, value: &Json| {
            let text = value.as_str();
            other_orgs.extend(text.filter(|_| name == ORG_ID).map(str::to_owned));
            other_orgs
                .extend(text.filter(|_| name == CURSOR).and_then(cursor::decode_org).filter(|org| !org.is_empty()));
        };
        if !takes_body && let Ok(Json::Object(ignored_body)) = Json::parse(&self.body) {
            ignored_body.iter().for_each(|(name, value)| collect_orgs(name, value));
        }
        for (name, value) in form_urlencoded::parse(self.query.as_bytes()) {
            let value = Json::Text(value.into_owned());
            if takes_body {
                collect_orgs(&name, &value);
                faults.push(FieldError::new(name, "is a query parameter, which this request does not take"));
            } else if fields.insert(name.clone().into_owned(), value).is_some() {
                return Err(Rejection::duplicate_field(&name));
            }
        }
        for (name, value) in operation.match_path(&self.path).unwrap_or_default() {
            if let Some(overridden) = fields.insert(name.to_owned(), Json::Text(value)) {
                collect_orgs(name, &overridden);
                faults.push(FieldError::new(name, "is given by the path; leave it out elsewhere"));
            }
        }
        let only_create = self.headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*");
        Ok(Call::from_request(operation, fields, only_create, faults, other_orgs))
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

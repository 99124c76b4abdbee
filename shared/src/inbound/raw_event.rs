//! A raw event, and which of the four ways of calling it is.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    http_request::{HttpRequest, UnknownEvent},
    json::{Fields, Json},
};
use crate::domain::rejection::Rejection;

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

/// What tells the kinds of events apart.
#[derive(Deserialize)]
struct EventMarkers<'a> {
    #[serde(rename = "requestContext", default)]
    context: Option<RequestContextMarker>,
    #[serde(rename = "detail-type", default)]
    detail_type: Option<String>,
    #[serde(default)]
    source: Option<IgnoredAny>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RequestContextMarker {
    #[serde(default)]
    http: Option<IgnoredAny>,
}

/// Tells a raw event's kind.
pub fn classify(raw: &RawValue) -> Result<Incoming, UnknownEvent> {
    let text = raw.get();
    if !text.starts_with('{') {
        let why = "neither an HTTP request nor an EventBridge event nor an object of fields";
        return Err(UnknownEvent(why.into()));
    }
    // One whose own members have other types is no event of either kind: its fields are a direct invocation's.
    let Ok(EventMarkers { context, detail_type, source, detail }) = serde_json::from_str(text) else {
        return Ok(Incoming::Direct(object_fields(raw)));
    };
    if context.and_then(|context| context.http).is_some() {
        let event = serde_json::from_str(text).map_err(|error| UnknownEvent(error.to_string()))?;
        return HttpRequest::from_url_event(event).map(Incoming::Http);
    }
    match (detail_type, source) {
        (Some(name), Some(IgnoredAny)) if name == "Scheduled Event" => Ok(Incoming::Schedule),
        (Some(name), Some(IgnoredAny)) => {
            let detail = detail.filter(|detail| detail.get().starts_with('{'));
            Ok(Incoming::Event { name, detail: detail.map_or_else(|| Ok(Fields::default()), object_fields) })
        }
        _ => Ok(Incoming::Direct(object_fields(raw))),
    }
}

/// The fields of an object.
fn object_fields(raw: &RawValue) -> Result<Fields, Rejection> {
    Ok(if let Json::Object(fields) = Json::from_raw(raw)? { fields } else { Fields::default() })
}

//! A raw event, and its kind.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    http_request::{HttpRequest, UnknownEvent},
    json::{Fields, Json},
};
use crate::domain::rejection::Rejection;

/// A raw event of a known kind.
#[derive(Debug)]
pub enum Incoming {
    /// A request to the function's URL or port.
    Http(HttpRequest),
    /// An event of the shop platform.
    Event {
        /// The `detail-type`.
        name: String,
        /// The `detail`, or the rejection of a `detail` that cannot be decoded.
        detail: Result<Fields, Rejection>,
    },
    /// The function's schedule.
    Schedule,
    /// A direct invocation, authorized by IAM, or the rejection of an invocation that cannot be decoded.
    Direct(Result<Fields, Rejection>),
}

/// The members that determine the kind of an event.
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

/// Determines the kind of a raw event.
pub fn classify(raw: &RawValue) -> Result<Incoming, UnknownEvent> {
    let text = raw.get();
    if !text.starts_with('{') {
        return Err(UnknownEvent::NotAnObject);
    }
    // An object whose members have other types is a direct invocation with fields of these names.
    let Ok(EventMarkers { context, detail_type, source, detail }) = serde_json::from_str(text) else {
        return Ok(Incoming::Direct(object_fields(raw)));
    };
    if context.and_then(|context| context.http).is_some() {
        let event = serde_json::from_str(text).map_err(UnknownEvent::FunctionUrl)?;
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

/// The fields of a JSON object. A value of another kind has no fields.
fn object_fields(raw: &RawValue) -> Result<Fields, Rejection> {
    Ok(if let Json::Object(fields) = Json::from_raw(raw)? { fields } else { Fields::default() })
}

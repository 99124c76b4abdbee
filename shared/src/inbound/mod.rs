//! Raw event in, one typed call out.
//!
//! A function is called in four ways: by an `EventBridge` schedule or event, through its function URL, directly with
//! `{operation, …fields}`, and (outside Lambda) over HTTP on a port, which the host turns into the function-URL form. All
//! of them become a [`Call`]: an operation and a map of fields. So all entry points behave identically.
//!
//! | to find | look in |
//! |---|---|
//! | which of the four ways an event is | [`raw_event`] |
//! | routes, encodings and fields of an HTTP request | [`http_request`] |
//! | the call that all four become | [`call`] |
//! | how a value is decoded from a field, with every fault named | [`fields`] |
//! | bundles, loyalty settings and the bundles of an order as requests write them | [`bundle`], [`loyalty`], [`ordered_bundles`] |
//! | JSON that keeps digits and rejects duplicate members | [`json`] |
//! | where a list continues | [`cursor`] |
//! | name, route, event and schedule of an operation | [`operation`] |

pub mod bundle;
pub mod call;
pub mod cursor;
pub mod fields;
pub mod http_request;
pub mod json;
pub mod loyalty;
pub mod operation;
pub mod ordered_bundles;
pub mod raw_event;

pub use call::Call;
pub use http_request::{BODY_BYTES_MAX, HttpRequest};
pub use json::Fields;
pub use raw_event::{Incoming, classify};

//! A raw event becomes one typed call.
//!
//! A function has four entry points: an `EventBridge` schedule or event, its function URL, a direct invocation with
//! `{operation, …fields}`, and HTTP on a port outside Lambda. The host turns a request on a port into a function-URL
//! event. All four entry points decode into a [`Call`], an operation with a map of fields, so they behave identically.
//!
//! | to find | look in |
//! |---|---|
//! | the kind of an event | [`raw_event`] |
//! | routes, encodings and fields of an HTTP request | [`http_request`] |
//! | the call that every event becomes | [`call`] |
//! | decoding of fields, with every fault reported | [`fields`] |
//! | bundles, loyalty settings and the bundles of an order in requests | [`bundle`], [`loyalty`], [`ordered_bundles`] |
//! | bounded lists in requests | `list` |
//! | dates in requests | [`date`] |
//! | profiles of customers and orgs, merge patches | [`profile`] |
//! | JSON that keeps digits and rejects duplicate members | [`json`] |
//! | the position at which a list continues | [`cursor`] |
//! | the schemas of values in requests | `schemas` |
//! | name, route, event and schedule of an operation | [`operation`] |

pub mod bundle;
pub mod call;
pub mod cursor;
pub mod date;
pub mod fields;
pub mod http_request;
pub mod json;
mod list;
pub mod loyalty;
pub mod operation;
pub mod ordered_bundles;
pub mod profile;
pub mod raw_event;
mod schemas;

pub use call::{Call, CallInfo};
pub use http_request::{BODY_BYTES_MAX, HttpRequest};
pub use json::Fields;
pub use raw_event::{Incoming, classify};

//! The host of every function, which turns a raw event into a raw answer.
//!
//! The local stack and the tests pass the same bytes to the host as Lambda. They therefore exercise decoding,
//! credentials, the status table and the metrics record.
//!
//! | to find | look in |
//! |---|---|
//! | the declaration of an operation | `declared` |
//! | operations as the host performs them, and functions as lists of operations | `operation` |
//! | operations that load, replay, decide and commit | `money` |
//! | operations that return a page of a list | `list` |
//! | operations that work through every org | `job` |
//! | rows of a history, readable or not | `rows` |
//! | everything that an operation needs besides its request | `context` |
//! | clock and deadline of a call | `invocation` |
//! | decoding, permission, timeout and metrics record of a call | `dispatch` |
//! | when a rotated secret is read again | `authorize` |
//! | answers, and the one status table | `answer` |
//! | requests of a port as function-URL events | `url` |
//! | web pages of other origins that may call, outside Lambda | `cors` |
//! | the HTTP server outside Lambda | `serve`, `problem_stream` |
//! | a function as a process | `run` |

mod answer;
mod authorize;
mod context;
mod cors;
mod declared;
mod dispatch;
mod invocation;
mod job;
mod list;
mod money;
mod operation;
mod problem_stream;
mod rows;
mod run;
mod serve;
mod url;

pub use crate::failure::retry_conflicts;
pub use answer::{Reply, http_status};
pub use context::Context;
pub use cors::Cors;
pub use declared::{Declared, Success, Tag, Visitor};
pub use dispatch::Host;
pub use hyper::body::Bytes;
pub use invocation::{Invocation, InvocationError};
pub use job::JobOperation;
pub use list::{List, ListOperation, PageRequest, RowPage};
pub use money::MoneyOperation;
pub use operation::{Entry, Function, Handler, InFunction};
pub use rows::{RecordedRow, UnreadReason, UnreadRecord};
pub use run::run;
pub use serve::{HttpLimits, Listener, serve};
pub use url::{Body, Response, problem, response, stop_signal, url_event};

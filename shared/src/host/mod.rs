//! The host of every function, which turns a raw event into a raw answer.
//!
//! The local stack and the tests pass the same bytes to the host as Lambda. They therefore exercise decoding,
//! credentials, the status table and the metrics record.
//!
//! | to find | look in |
//! |---|---|
//! | functions, operations and the context of a call | `operation` |
//! | clock and deadline of a call | `invocation` |
//! | decoding, permission, timeout and metrics record of a call | `dispatch` |
//! | when a rotated secret is read again | `authorize` |
//! | answers, and the one status table | `answer` |
//! | a page of a list | `list` |
//! | requests of a port as function-URL events | `url` |
//! | the HTTP server outside Lambda | `serve`, `problem_stream` |
//! | a function as a process | `run` |

mod answer;
mod authorize;
mod dispatch;
mod invocation;
mod list;
mod operation;
mod problem_stream;
mod run;
mod serve;
mod url;

pub use crate::failure::retry_conflicts;
pub use answer::Reply;
pub use dispatch::Host;
pub use hyper::body::Bytes;
pub use invocation::{Invocation, InvocationError};
pub use list::List;
pub use operation::{Context, Function, Handler, Pending};
pub use run::run;
pub use serve::{HttpLimits, Listener, serve};
pub use url::{Body, Response, problem, response, stop_signal, url_event};

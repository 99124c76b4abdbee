//! Typed calls of the operations of every function.
//!
//! A caller names the operation and builds its request. The declaration of the operation gives the function, the route
//! and the type of the answer. So a change of the contract that breaks a caller breaks the build.
//!
//! This crate sends nothing: `infra/ctl` sends calls over HTTP, and the tests send them to their world.
//!
//! | to find | look in |
//! |---|---|
//! | a call, and its HTTP request | `call` |
//! | the answer to a call: accepted, or refused with a problem | `answer` |
//! | values of requests, by the rules of the functions | `value` |

mod answer;
mod call;
mod value;

pub use answer::{Accepted, FieldFault, HttpAnswer, Outcome, Problem, UnreadableAnswer};
pub use call::{Call, HttpCall, UnwritableRequest};
pub use value::{InvalidValue, value};

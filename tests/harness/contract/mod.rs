//! Checks calls against the API documents.
//!
//! Every call of a [`World`](crate::World) passes through [`check`]. The documents are open for new fields, as clients
//! must ignore what they do not know. Here they are closed: an answer with a field that its document does not mention
//! fails the test.
//!
//! | to find | look in |
//! |---|---|
//! | the check of a call | [`check`](mod@check) |
//! | the schemas of requests and answers, compiled | [`validators`] |
//! | what the tests have seen of the documents | [`seen`] |

pub mod check;
pub mod seen;
pub mod validators;

pub use check::{check, check_event};

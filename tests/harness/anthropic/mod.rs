//! A stand-in for Anthropic's Messages API.
//!
//! By default it repeats the statistical probability of every customer. Replies can be scripted, one by one, for all
//! requests or at random. Every request is recorded.

mod received_request;
mod replies;
mod server;

pub use received_request::ReceivedRequest;
pub use replies::ApiReply;
pub use server::{Anthropic, world_with_claude};

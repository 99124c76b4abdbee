//! Claude's opinion of who is about to leave, over Anthropic's Messages API.
//!
//! | room | what it does |
//! |---|---|
//! | `input` | what goes in: figures under running numbers, and nothing that says who somebody is |
//! | `prompt` | the request's body: instructions, figures, and the schema that the answer is forced into |
//! | `answer` | what comes out, checked: what is right is kept, the rest is not guessed at |
//! | `client` | what is asked when, what is asked again, and when Claude is given up |
//! | `api` | one request over HTTP, and what its answer means |
//! | `limits` | what an answer's headers say about when to come back |
//! | `switch_off` | why Claude is not asked any more |
//! | `pace` | who may send when |
//!
//! A customer whom Claude has left out or got wrong is asked about once more, and then gone without: that is for the
//! statistical model. So are all of them once Claude is switched off, which lasts as long as a [`Claude`]: one call of
//! the function.

mod answer;
mod api;
mod client;
mod input;
mod limits;
mod pace;
mod prompt;
mod switch_off;

pub use answer::{LONGEST_REASONING, Verdict};
pub use client::{Claude, DOWN_AFTER, FIRST_PAUSE, SILENT_AFTER, TIMEOUTS, TRIES};
pub use input::ClaudeInput;
pub use limits::LONGEST_RESET;
pub use switch_off::SwitchOffReason;

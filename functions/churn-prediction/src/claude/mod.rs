//! Scores customers with Claude, through Anthropic's Messages API.
//!
//! | module | content |
//! |---|---|
//! | `input` | the figures of a customer, without name, address or id |
//! | `prompt` | the body of a request: instructions, figures, and the schema of the answer |
//! | `answer` | reads and validates an answer |
//! | `client` | batches, retries, and switching Claude off |
//! | `api` | sends one HTTP request and classifies the response |
//! | `limits` | reads the wait that a response's headers ask for |
//! | `switch_off` | the reasons for switching Claude off |
//! | `pace` | spaces the requests of a call |
//!
//! Claude is asked once more about a customer without a valid verdict. After that, the statistical model alone scores
//! the customer. Once Claude is switched off, the statistical model scores all remaining customers. A [`Claude`] lives
//! for one call of the function and stays switched off for the rest of the call.

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

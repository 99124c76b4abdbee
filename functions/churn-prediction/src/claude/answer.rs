//! Reads and validates an answer of Claude.
//!
//! The schema constrains the shape of an answer only. This module checks that each customer has exactly one verdict and
//! that values are in range. It also rejects truncated answers, refusals and prose.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use shared::{
    domain::{churn::risk::Probability, text::SingleLine},
    error::chain,
};

/// The longest reasoning, in characters: the limit of a [`SingleLine`]. A longer reasoning is truncated.
pub const LONGEST_REASONING: usize = 200;

/// Claude's prediction for a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The probability that the customer places no order within the horizon.
    pub probability: Probability,
    /// The reasoning, in one sentence.
    pub reasoning: SingleLine,
}

#[derive(Deserialize)]
struct Message {
    stop_reason: Option<String>,
    #[serde(default)]
    content: Vec<Block>,
}

/// A content block of the answer. Blocks other than text, such as thinking, are ignored.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        text: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Verdicts {
    /// Untyped, so that a malformed verdict does not invalidate the others.
    verdicts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawVerdict {
    customer: usize,
    reasoning: String,
    churn_probability: serde_json::Number,
}

/// The verdicts on the `asked` customers of a request, in the order of their row numbers.
///
/// A customer without exactly one valid verdict has `None`.
pub(super) fn read(body: &[u8], asked: usize) -> Vec<Option<Verdict>> {
    let raw_verdicts = verdicts(body).unwrap_or_else(|error| {
        tracing::warn!(error = chain(&error), "an answer of Claude cannot be used");
        Vec::new()
    });
    let mut found: HashMap<usize, Vec<Option<Verdict>>> = HashMap::new();
    for RawVerdict { customer, reasoning, churn_probability } in
        raw_verdicts.into_iter().filter_map(|raw| RawVerdict::deserialize(raw).ok())
    {
        let verdict = probability(&churn_probability).zip(one_line(&reasoning));
        let verdict = verdict.map(|(probability, reasoning)| Verdict { probability, reasoning });
        found.entry(customer).or_default().push(verdict);
    }
    // If a customer has two verdicts, at least one of them belongs to another customer.
    let only = |verdicts: Vec<Option<Verdict>>| <[_; 1]>::try_from(verdicts).ok().and_then(|[verdict]| verdict);
    (1..=asked).map(|customer| found.remove(&customer).and_then(only)).collect()
}

/// Why an answer of Claude cannot be used.
#[derive(Debug, thiserror::Error)]
enum UnusableAnswer {
    #[error("the answer is not a message")]
    NotAMessage(#[source] serde_json::Error),
    /// The model was cut off, refused to answer, or stopped for an unknown reason.
    #[error("the model stopped by {0:?}")]
    Stopped(Option<String>),
    #[error("the answer does not match the schema")]
    NotInSchema(#[source] serde_json::Error),
}

fn verdicts(body: &[u8]) -> Result<Vec<Value>, UnusableAnswer> {
    let message: Message = serde_json::from_slice(body).map_err(UnusableAnswer::NotAMessage)?;
    if message.stop_reason.as_deref() != Some("end_turn") {
        return Err(UnusableAnswer::Stopped(message.stop_reason));
    }
    let texts = message.content.into_iter().filter_map(|block| match block {
        Block::Text { text } => Some(text),
        Block::Other => None,
    });
    let text: String = texts.collect();
    let Verdicts { verdicts } = serde_json::from_str(&text).map_err(UnusableAnswer::NotInSchema)?;
    Ok(verdicts)
}

/// The probability, to two decimals. Returns `None` if the number is not a percentage.
fn probability(number: &serde_json::Number) -> Option<Probability> {
    number.as_f64().and_then(Probability::from_percent)
}

/// The text as one line. Returns `None` for a text without visible characters.
fn one_line(text: &str) -> Option<SingleLine> {
    let visible = text.chars().filter(|char| !is_invisible(*char));
    let plain: String = visible.map(|char| if char.is_control() { ' ' } else { char }).collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let truncated: String = line.chars().take(LONGEST_REASONING).collect();
    SingleLine::try_from(truncated.trim_end().to_owned()).ok()
}

/// Whether a character is invisible and changes how its neighbours are displayed, such as a direction mark or a joiner.
const fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

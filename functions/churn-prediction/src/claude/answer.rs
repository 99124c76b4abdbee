//! What Claude answered, checked. A schema binds the shape of an answer, not what it says: whether every customer is in
//! it once, and within bounds, is seen to here, as is what no schema prevents (an answer cut off, a refusal, prose).

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;
use shared::{
    domain::{churn::risk::Probability, text::SingleLine},
    error::chain,
};

/// The longest reasoning, in characters; what is beyond is cut off. A line may be no longer.
pub const LONGEST_REASONING: usize = 200;

/// What Claude makes of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How likely no order in the horizon is.
    pub probability: Probability,
    /// Why, in a sentence.
    pub reasoning: SingleLine,
}

#[derive(Deserialize)]
struct Message {
    stop_reason: Option<String>,
    #[serde(default)]
    content: Vec<Block>,
}

/// A block of the answer. Others than text, such as what the model thought, are passed over.
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
    /// One by one, so that what is wrong with the one is not held against the others.
    verdicts: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    customer: usize,
    reasoning: String,
    churn_probability: serde_json::Number,
}

/// The verdicts on so many customers, in the order in which they were numbered; `None` where there is none that can be
/// used.
pub(super) fn read(body: &[u8], asked: usize) -> Vec<Option<Verdict>> {
    let given = verdicts(body).unwrap_or_else(|error| {
        tracing::warn!(error = chain(&error), "an answer of Claude's can't be used");
        Vec::new()
    });
    let mut found: HashMap<usize, Vec<Option<Verdict>>> = HashMap::new();
    for Given { customer, reasoning, churn_probability } in
        given.into_iter().filter_map(|one| Given::deserialize(one).ok())
    {
        let verdict = probability(&churn_probability).zip(one_line(&reasoning));
        let verdict = verdict.map(|(probability, reasoning)| Verdict { probability, reasoning });
        found.entry(customer).or_default().push(verdict);
    }
    // Of two verdicts on one customer, at least one is meant for another.
    let only = |verdicts: Vec<Option<Verdict>>| <[_; 1]>::try_from(verdicts).ok().and_then(|[verdict]| verdict);
    (1..=asked).map(|customer| found.remove(&customer).and_then(only)).collect()
}

/// Why an answer of Claude cannot be used.
#[derive(Debug, thiserror::Error)]
enum UnusableAnswer {
    #[error("the answer is not a message")]
    NotAMessage(#[source] serde_json::Error),
    /// The answer was cut off, refused, or stopped for a reason that is not known.
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

/// The probability, to two decimals; `None` if it is none.
fn probability(number: &serde_json::Number) -> Option<Probability> {
    number.as_f64().and_then(Probability::from_percent)
}

/// The text as one line; `None` if there is nothing in it.
fn one_line(text: &str) -> Option<SingleLine> {
    let seen = text.chars().filter(|char| !is_invisible(*char));
    let plain: String = seen.map(|char| if char.is_control() { ' ' } else { char }).collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(LONGEST_REASONING).collect();
    SingleLine::try_from(cut.trim_end().to_owned()).ok()
}

/// What is not to be seen and changes how the rest is: marks of direction, joiners and the like.
const fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

//! Free text given by people: names, reasons, addresses. Bounded, and without control characters, so that it can be
//! logged and listed.

use serde::{Deserialize, Serialize};

/// One line of text, 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Line(String);

/// Why a text is not a line.
pub const RULE: &str = "must be 1 to 200 characters without control characters";

impl Line {
    /// A text of ours.
    pub(super) fn fixed(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Line {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let length = text.chars().count();
        let fits = (1..=200).contains(&length) && !text.chars().any(char::is_control) && !text.trim().is_empty();
        if fits { Ok(Self(text)) } else { Err(RULE) }
    }
}

/// Some text, of several lines if need be, up to 2,000 characters; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Description(String);

/// Why a text is not a description.
pub const DESCRIPTION_RULE: &str = "must be at most 2000 characters, without control characters but line breaks";

impl TryFrom<String> for Description {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.chars().count() <= 2000 && text.chars().all(|char| char == '\n' || !char.is_control());
        if fits { Ok(Self(text)) } else { Err(DESCRIPTION_RULE) }
    }
}

//! Free text given by people: names, reasons, addresses. Bounded, and without control characters, so that it can be
//! logged and listed.
//!
//! A request is held to more: nothing in a text may be invisible, or turn around what is beside it. What was stored before
//! that was a rule is read as it is.

use serde::{Deserialize, Serialize};

/// One line of text, 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SingleLine(String);

/// Why a text is not a line.
pub const LINE_RULE: &str = "must be 1 to 200 characters without control or invisible characters";

/// Why a text is not an e-mail address.
pub const EMAIL_RULE: &str = "must be an e-mail address of at most 200 characters, as ada@example.com";

/// Why a text is not a telephone number.
pub const PHONE_RULE: &str = "must be a telephone number of 3 to 20 digits, with +, spaces, ( ) . - / if any";

/// Whether a character is not seen, or changes how others are: marks and overrides of direction, zero-width space, word joiner
/// and the like, separators of lines. Joiners (U+200C, U+200D) are letters of names in some scripts.
fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

impl SingleLine {
    /// A text of ours.
    pub(super) fn from_static(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that a request may give.
    pub fn reject_hidden(self) -> Result<Self, &'static str> {
        if self.0.chars().any(is_hidden) { Err(LINE_RULE) } else { Ok(self) }
    }

    /// One that is an e-mail address: something before one `@`, and after it a name with a dot, or another that has none.
    ///
    /// Only what can't be one is refused. Whether somebody reads it, only a letter to it can tell.
    pub fn validate_email(self) -> Result<Self, &'static str> {
        let is_label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
        let is_plain = !self.0.chars().any(|char| char.is_whitespace() || "<>()[],;:\\\"".contains(char));
        let is_address = self.0.split_once('@').is_some_and(|(local, domain)| {
            (1..=64).contains(&local.chars().count())
                && !local.starts_with('.')
                && !local.ends_with('.')
                && !local.contains("..")
                && !domain.contains('@')
                && domain.split('.').all(is_label)
        });
        if is_plain && is_address { Ok(self) } else { Err(EMAIL_RULE) }
    }

    /// One that is a telephone number, as people write it.
    pub fn validate_phone(self) -> Result<Self, &'static str> {
        let digits = self.0.chars().filter(char::is_ascii_digit).count();
        let rest = self.0.strip_prefix('+').unwrap_or(&self.0);
        let has_allowed_characters = rest.chars().all(|char| char.is_ascii_digit() || " ().-/".contains(char));
        if has_allowed_characters && (3..=20).contains(&digits) { Ok(self) } else { Err(PHONE_RULE) }
    }
}

impl TryFrom<String> for SingleLine {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let length = text.chars().count();
        let fits = (1..=200).contains(&length) && !text.chars().any(char::is_control) && !text.trim().is_empty();
        if fits { Ok(Self(text)) } else { Err(LINE_RULE) }
    }
}

/// Some text, of several lines if need be, up to 2,000 characters; may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Description(String);

/// Why a text is not a description.
pub const DESCRIPTION_RULE: &str =
    "must be at most 2000 characters, without control characters but line breaks, and without invisible ones";

impl Description {
    /// One that a request may give.
    pub fn reject_hidden(self) -> Result<Self, &'static str> {
        if self.0.chars().any(is_hidden) { Err(DESCRIPTION_RULE) } else { Ok(self) }
    }
}

impl TryFrom<String> for Description {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.chars().count() <= 2000 && text.chars().all(|char| char == '\n' || !char.is_control());
        if fits { Ok(Self(text)) } else { Err(DESCRIPTION_RULE) }
    }
}

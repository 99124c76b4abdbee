//! Free text: names, reasons, addresses. A text is bounded and has no control characters, so that it can be logged and
//! listed.
//!
//! A text in a request may not contain characters that are invisible or that change the direction of the text beside
//! them. Items stored before this rule existed may contain these characters and are still read.

use serde::{Deserialize, Serialize};

/// One line of text with 1 to 200 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SingleLine(String);

/// The rule for a line of text, as an error message.
pub const LINE_RULE: &str = "must be 1 to 200 characters without control or invisible characters";

/// The rule for e-mail addresses, as an error message.
pub const EMAIL_RULE: &str = "must be an e-mail address of at most 200 characters, such as ada@example.com";

/// The rule for telephone numbers, as an error message.
pub const PHONE_RULE: &str =
    "must be a telephone number of 3 to 20 digits, optionally with a leading +, spaces and ( ) . - /";

/// Whether a character is invisible or changes how its neighbours are displayed: direction marks and overrides, the
/// zero-width space, word joiners and line separators. The joiners U+200C and U+200D are allowed, because they are part
/// of names in some scripts.
fn is_hidden(char: char) -> bool {
    matches!(char,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

impl SingleLine {
    /// A text from the source code. The caller guarantees that the text is a line.
    pub(super) fn from_static(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// The text as the request wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Accepts a line without hidden characters. Fails with [`LINE_RULE`].
    pub fn reject_hidden(self) -> Result<Self, &'static str> {
        if self.0.chars().any(is_hidden) { Err(LINE_RULE) } else { Ok(self) }
    }

    /// Accepts an e-mail address: a local part, one `@`, and a domain name. Fails with [`EMAIL_RULE`].
    ///
    /// The check rejects only texts that cannot be an address. It does not show that the mailbox exists.
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

    /// Accepts a telephone number with the usual separators. Fails with [`PHONE_RULE`].
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

/// A text with up to 2,000 characters, which may be empty and may have several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Description(String);

/// The rule for descriptions, as an error message.
pub const DESCRIPTION_RULE: &str =
    "must be at most 2000 characters, without invisible characters and without control characters except line breaks";

impl Description {
    /// Accepts a description without hidden characters. Fails with [`DESCRIPTION_RULE`].
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

//! The errors of the fields of a request.

/// One invalid field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The path of the field, for example `tiers[2].threshold`. It is empty for the body itself.
    pub field: String,
    /// The rule that the field breaks.
    pub message: String,
}

impl FieldError {
    /// The error of one field. Long texts are truncated, because they may come from the request.
    #[must_use]
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: truncate_echo(field.into()), message: truncate_echo(message.into()) }
    }
}

/// The errors of the fields of a request. An answer lists a limited number of them and counts the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvalidFields {
    listed: Vec<FieldError>,
    more: usize,
}

impl InvalidFields {
    /// The maximum number of listed errors.
    pub const LISTED_MAX: usize = 100;

    /// Adds an error, which is only counted if the list is full.
    pub fn push(&mut self, fault: FieldError) {
        if self.listed.len() < Self::LISTED_MAX {
            self.listed.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// Appends other errors.
    #[must_use]
    pub fn merge(mut self, others: Self) -> Self {
        let more = others.more;
        others.listed.into_iter().for_each(|fault| self.push(fault));
        self.more += more;
        self
    }

    /// The listed errors.
    #[must_use]
    pub fn listed(&self) -> &[FieldError] {
        &self.listed
    }

    /// The number of errors that are not listed.
    #[must_use]
    pub const fn unlisted(&self) -> usize {
        self.more
    }
}

impl From<Vec<FieldError>> for InvalidFields {
    fn from(faults: Vec<FieldError>) -> Self {
        let mut all = Self::default();
        for fault in faults {
            all.push(fault);
        }
        all
    }
}

/// The maximum length of a text from a request in an answer, in characters.
const ECHOED_CHARS_MAX: usize = 200;

/// Truncates a text from a request.
pub(super) fn truncate_echo(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(ECHOED_CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

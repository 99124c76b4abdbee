//! Contacts by which a customer is found at the till: telephone numbers, e-mail addresses and loyalty cards.

use phonenumber::{Mode, PhoneNumber, country, metadata::DATABASE};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::{names::named, text::SingleLine};

/// A country, by its two letters in ISO 3166.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Country(country::Id);

/// The rule for countries, as an error message.
pub const COUNTRY_RULE: &str = "must be the two letters of a country in ISO 3166, such as US";

/// The rule for telephone numbers of an org, as an error message.
pub const DIALLED_RULE: &str =
    "must be a telephone number as it is dialled in the org's country, or begin with + and a country code";

impl Country {
    /// The two letters.
    #[must_use]
    pub fn code(&self) -> &str {
        self.0.as_ref()
    }
}

impl Default for Country {
    fn default() -> Self {
        Self(country::Id::US)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.code().to_owned()
    }
}

impl TryFrom<String> for Country {
    type Error = &'static str;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        code.parse().map(Self).map_err(|_| COUNTRY_RULE)
    }
}

/// What a contact is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "camelCase")]
pub enum ContactKind {
    /// A telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// The number of a loyalty card.
    CardNumber,
}

named!(ContactKind);

impl ContactKind {
    /// The largest number of customers who share a contact. A family shares a telephone number.
    #[must_use]
    pub const fn holders_max(self) -> usize {
        match self {
            Self::Phone | Self::Email => 10,
            Self::CardNumber => 1,
        }
    }
}

/// A contact in the form in which contacts are compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    /// What it is.
    pub kind: ContactKind,
    /// A telephone number as E.164, an address in lower case, or a card to the letter.
    pub value: String,
}

impl Contact {
    /// A telephone number, as E.164. A number without `+` is dialled in `country`. An extension is left out. Fails with
    /// [`DIALLED_RULE`].
    pub fn phone(text: &SingleLine, country: Country) -> Result<Self, &'static str> {
        let number = dialled(text.as_str().trim_start(), country).ok_or(DIALLED_RULE)?;
        Ok(Self { kind: ContactKind::Phone, value: number.format().mode(Mode::E164).to_string() })
    }

    /// An e-mail address, without regard to case.
    #[must_use]
    pub fn email(text: &SingleLine) -> Self {
        Self { kind: ContactKind::Email, value: text.as_str().to_lowercase() }
    }

    /// A loyalty card.
    #[must_use]
    pub fn card(text: &SingleLine) -> Self {
        Self { kind: ContactKind::CardNumber, value: text.as_str().to_owned() }
    }
}

/// Parses a telephone number as it is dialled in a country. The library removes the trunk prefix of the country it is given
/// from every number, so it is given none with a number of another country.
fn dialled(text: &str, country: Country) -> Option<PhoneNumber> {
    if text.starts_with(['+', '\u{FF0B}']) {
        return phonenumber::parse(None, text).ok();
    }
    let number = phonenumber::parse(Some(country.0), text).ok()?;
    if number.code().source() == country::Source::Default || number.code().source() == country::Source::Number {
        return Some(number);
    }
    phonenumber::parse(None, format!("+{}", without_international_prefix(text, country)?)).ok()
}

/// The text after the digits with which a country dials abroad, such as `00` or `011`.
fn without_international_prefix(text: &str, country: Country) -> Option<&str> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let prefix = DATABASE.by_id(country.code())?.international_prefix()?.find(&digits)?;
    let last = text.char_indices().filter(|(_, char)| char.is_ascii_digit()).nth(prefix.end().checked_sub(1)?)?.0;
    text.get(last + 1..)
}

//! Contacts by which a customer is found at the till: telephone numbers, e-mail addresses and loyalty cards.

use phonenumber::{Mode, country};
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
        let number = phonenumber::parse(Some(country.0), text.as_str()).map_err(|_| DIALLED_RULE)?;
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

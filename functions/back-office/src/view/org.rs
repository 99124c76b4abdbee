//! An org as answers show it.

use shared::{
    domain::{
        contact::Country,
        ids::OrgId,
        money::Currency,
        org::{Org, OrgProfile},
        text::SingleLine,
        zone::Zone,
    },
    views::LoyaltyView,
};

/// An org.
#[declare::answer]
pub struct OrgView {
    /// The id of the org.
    pub org_id: OrgId,
    /// The name of the shop, for people.
    pub name: SingleLine,
    /// The time zone of the org's days and clock times.
    #[schemars(with = "Zone")]
    pub timezone: String,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The country in which telephone numbers without a country code are dialled.
    #[schemars(with = "Country")]
    pub country: String,
    /// Whether the org may be deleted.
    pub disposable: bool,
    /// The loyalty settings. Absent until they are set.
    pub loyalty: Option<LoyaltyView>,
}

impl From<Org> for OrgView {
    fn from(Org { id, profile, disposable, loyalty, .. }: Org) -> Self {
        let OrgProfile { name, timezone, currency, country } = profile;
        let loyalty = loyalty.map(|loyalty| LoyaltyView::from(&loyalty.settings));
        let (timezone, country) = (timezone.name().to_owned(), country.code().to_owned());
        Self { org_id: id, name, timezone, currency, country, disposable, loyalty }
    }
}

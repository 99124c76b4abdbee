//! An org as answers show it.

use shared::{
    domain::{
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
    /// Whether the org may be deleted.
    pub disposable: bool,
    /// The loyalty settings. Absent until they are set.
    pub loyalty: Option<LoyaltyView>,
}

impl From<Org> for OrgView {
    fn from(Org { id, profile, disposable, loyalty, .. }: Org) -> Self {
        let OrgProfile { name, timezone, currency } = profile;
        let loyalty = loyalty.map(|loyalty| LoyaltyView::from(&loyalty.settings));
        Self { org_id: id, name, timezone: timezone.name().to_owned(), currency, disposable, loyalty }
    }
}

//! An org as answers show it.

use serde::Serialize;
use shared::{
    domain::{
        ids::OrgId,
        money::Currency,
        org::{Org, OrgProfile},
        text::SingleLine,
    },
    views::LoyaltyView,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrgView {
    org_id: OrgId,
    name: SingleLine,
    timezone: &'static str,
    currency: Currency,
    disposable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    loyalty: Option<LoyaltyView>,
}

impl From<Org> for OrgView {
    fn from(Org { id, profile, disposable, loyalty, .. }: Org) -> Self {
        let OrgProfile { name, timezone, currency } = profile;
        let loyalty = loyalty.map(|loyalty| LoyaltyView::from(&loyalty.settings));
        Self { org_id: id, name, timezone: timezone.name(), currency, disposable, loyalty }
    }
}

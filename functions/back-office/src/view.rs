//! How orgs, customers and lists are answered. What depends on today's date is worked out here and never stored.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer, ser::SerializeMap};
use shared::domain::{
    customer::{Customer, Person},
    ids::{CustomerId, OrgId},
    loyalty::LoyaltySettings,
    money::Money,
    org::{Org, OrgProfile},
    points::Points,
    segment::{Segment, segment_at},
    text::Line,
    tier, time,
};

/// A page of a list, under the list's own name.
pub(crate) struct List<T> {
    pub(crate) name: &'static str,
    pub(crate) rows: Vec<T>,
    pub(crate) cursor: Option<String>,
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.name, &self.rows)?;
        if let Some(cursor) = &self.cursor {
            map.serialize_entry("cursor", cursor)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrgView {
    org_id: OrgId,
    #[serde(flatten)]
    profile: OrgProfile,
    disposable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    loyalty: Option<LoyaltySettings>,
}

impl From<Org> for OrgView {
    fn from(Org { id, profile, disposable, loyalty, deleting: _ }: Org) -> Self {
        Self { org_id: id, profile, disposable, loyalty: loyalty.map(|loyalty| loyalty.settings) }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerView {
    org_id: OrgId,
    customer_id: CustomerId,
    #[serde(flatten)]
    person: Person,
    points: Points,
    lifetime_value: Money,
    order_count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    average_order_value: Option<Money>,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    first_order_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    last_order_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tier: Option<Line>,
    #[serde(serialize_with = "time::serialize_option", skip_serializing_if = "Option::is_none")]
    tier_updated_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier_progress: Option<u8>,
    pub(crate) segment: Segment,
    #[serde(skip_serializing_if = "Option::is_none")]
    days_since_last_order: Option<u32>,
}

impl CustomerView {
    /// The customer as at `now`. Who holds no tier yet stands at the lowest, where the org has settings.
    pub(crate) fn new(org: &Org, customer: Customer, now: DateTime<Utc>) -> Self {
        let settings = org.loyalty.as_ref().map(|loyalty| &loyalty.settings);
        let held = customer.standing.as_ref().map(|standing| standing.tier.clone());
        let tier = held.or_else(|| settings.map(|settings| settings.tiers.at(0).name.clone()));
        let progress = settings.zip(tier.as_ref());
        Self {
            org_id: org.id.clone(),
            points: customer.points,
            lifetime_value: customer.lifetime_value,
            order_count: customer.order_count(),
            average_order_value: customer.average_order_value(),
            first_order_at: customer.orders.map(|orders| orders.first_at),
            last_order_at: customer.last_order_at(),
            tier_updated_at: customer.standing.as_ref().map(|standing| standing.since),
            tier_progress: progress
                .and_then(|(settings, tier)| tier::progress(settings, tier, customer.lifetime_value)),
            tier,
            segment: segment_at(customer.orders, customer.lifetime_value, now),
            days_since_last_order: customer.last_order_at().map(|last| time::days_between(last, now)),
            customer_id: customer.id,
            person: customer.person,
        }
    }
}

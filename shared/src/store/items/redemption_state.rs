//! The stored form of what an order redeemed: one bundle, or points. It is a redemption, or the mark of a void that
//! came first.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::{
    domain::redemption_state::RedemptionState,
    store::{attributes::Item, rows::Unread},
};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) struct RedemptionStateForm<F> {
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    redemption: Option<F>,
    #[serde(default)]
    voided_before: bool,
    version: u64,
}

impl<F> RedemptionStateForm<F> {
    /// A redemption.
    pub(in crate::store) const fn redeemed(redemption: F, version: u64) -> Self {
        Self { redemption: Some(redemption), voided_before: false, version }
    }

    /// The mark of a void that came first.
    pub(in crate::store) const fn voided_before() -> Self {
        Self { redemption: None, voided_before: true, version: 1 }
    }
}

/// Describes a redemption that cannot be read. A newer release wrote the record if the redemption names a kind, or if
/// the record holds another map instead of a redemption.
pub(in crate::store) fn unread_redemption(item: &Item) -> Unread {
    let kind = match item.get("redemption").map(|redemption| redemption.as_m()) {
        Some(Ok(redemption)) => redemption.get("kind").and_then(|kind| kind.as_s().ok()).cloned(),
        Some(Err(_)) => None,
        None => item.iter().find(|(_, value)| matches!(value, AttributeValue::M(_))).map(|(name, _)| name.clone()),
    };
    Unread::new(item, kind, "redemption", "at")
}

impl<F: TryInto<R, Error = &'static str>, R> TryFrom<RedemptionStateForm<F>> for (RedemptionState<R>, u64) {
    type Error = &'static str;

    fn try_from(
        RedemptionStateForm { redemption, voided_before, version }: RedemptionStateForm<F>,
    ) -> Result<Self, Self::Error> {
        let value = match redemption {
            Some(form) => RedemptionState::Redeemed(form.try_into()?),
            None if voided_before => RedemptionState::VoidedBefore,
            None => return Err("neither a redemption nor the mark of a void"),
        };
        Ok((value, version))
    }
}

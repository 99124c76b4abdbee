//! The terms of a bundle: its offer, its schedule and its limits.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use super::schedule::Schedule;
use crate::domain::{
    ids::ProductId,
    money::Money,
    names::named,
    text::{Description, SingleLine},
};

/// The terms that a PUT of the bundle replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleTerms {
    /// The products and their price.
    pub offer: Offer,
    /// The state that the operator requests.
    pub desired_state: DesiredState,
    /// When the bundle is active.
    pub schedule: Schedule,
    /// The maximum number of redemptions. `None` for no limit.
    pub max_redemptions: Option<UseLimit>,
    /// The maximum number of redemptions for each customer. `None` for no limit.
    pub per_customer_limit: Option<UseLimit>,
    /// Whether only recorded customers may redeem the bundle. Otherwise, a customer can exceed the per-customer limit
    /// under another spelling of the customer id.
    pub known_customers_only: bool,
}

/// The products of a bundle and their price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The name of the bundle.
    pub name: SingleLine,
    /// The description for customers.
    pub description: Option<Description>,
    /// The type of promotion. It is a label and does not change the rules.
    pub kind: BundleType,
    /// The products.
    pub products: Products,
    /// The price with and without the bundle.
    pub price: Price,
}

/// The type of promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum BundleType {
    /// Buy one, get one.
    Bogo,
    /// Any combination of several products.
    MixMatch,
    /// A percentage off.
    Percentage,
    /// One price for all products.
    FixedPrice,
    /// A discount that grows with the quantity.
    Tiered,
}

named!(BundleType);

/// The price of the products with and without the bundle. The bundle price never exceeds the original total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    original_total: Money,
    bundle_price: Money,
    savings: Money,
}

/// The rule for the price of a bundle, as an error message.
pub const PRICE_RULE: &str = "must not be above originalTotal";

impl Price {
    /// A price from its two amounts. Fails with [`PRICE_RULE`] if the bundle price is above the original total.
    pub fn new(original_total: Money, bundle_price: Money) -> Result<Self, &'static str> {
        let savings = original_total.minus(bundle_price).ok_or(PRICE_RULE)?;
        Ok(Self { original_total, bundle_price, savings })
    }

    /// The price of the products without the bundle.
    #[must_use]
    pub const fn original_total(&self) -> Money {
        self.original_total
    }

    /// The price of the bundle.
    #[must_use]
    pub const fn bundle_price(&self) -> Money {
        self.bundle_price
    }

    /// The amount that one redemption saves.
    #[must_use]
    pub const fn savings(&self) -> Money {
        self.savings
    }
}

/// One product of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The id of the product.
    pub product_id: ProductId,
    /// The name of the product.
    pub name: SingleLine,
    /// The quantity in the bundle.
    pub required_qty: Quantity,
    /// The price of one unit without the bundle.
    pub original_price: Money,
}

/// 1 to 100 products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Products(Vec<Product>);

/// The rule for the original total of a bundle, as an error message.
pub const TOTAL_RULE: &str = "must be the sum of requiredQty x originalPrice over the products";

/// The rule for the number of products, as an error message.
pub const PRODUCTS_RULE: &str = "must be 1 to 100 products";

impl TryFrom<Vec<Product>> for Products {
    type Error = &'static str;

    fn try_from(products: Vec<Product>) -> Result<Self, Self::Error> {
        if (1..=100).contains(&products.len()) { Ok(Self(products)) } else { Err(PRODUCTS_RULE) }
    }
}

impl Products {
    /// The products, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.0.iter()
    }

    /// Whether a total is the sum of quantity times price over all products. Bundles stored before this rule existed
    /// may have another total.
    #[must_use]
    pub fn add_up_to(&self, total: Money) -> bool {
        let cost =
            |product: &Product| i128::from(product.required_qty.get()) * i128::from(product.original_price.minor());
        self.iter().map(cost).sum::<i128>() == i128::from(total.minor())
    }
}

macro_rules! count_from_one {
    ($(#[$doc:meta])* $name:ident, $max:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "i64")]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The rule for this number, as an error message.
            pub const RULE: &str = $rule;

            /// The smallest and the largest number.
            pub const BOUNDS: (i64, i64) = (1, $max);

            /// The number.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0.get()
            }
        }

        impl TryFrom<i64> for $name {
            type Error = &'static str;

            fn try_from(number: i64) -> Result<Self, Self::Error> {
                let number = u64::try_from(number).ok().filter(|number| *number <= $max);
                number.and_then(NonZeroU64::new).map(Self).ok_or(Self::RULE)
            }
        }
    };
}

count_from_one!(
    /// The quantity of a product in a bundle.
    Quantity, 10_000, "must be a whole number from 1 to 10000"
);
count_from_one!(
    /// A maximum number of redemptions.
    UseLimit, 1_000_000_000, "must be a whole number from 1 to 1000000000"
);

/// The state that an operator requests of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum DesiredState {
    /// Not visible yet.
    #[default]
    Draft,
    /// Active by its schedule.
    Published,
    /// Not active for now.
    Paused,
    /// Ended for good.
    Ended,
}

named!(DesiredState);

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

/// What people set of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleTerms {
    /// What is sold.
    pub offer: Offer,
    /// What the operator wants of it.
    pub desired_state: DesiredState,
    /// When it is to be on.
    pub schedule: Schedule,
    /// How often it can be redeemed; without, as often as anybody likes.
    pub max_redemptions: Option<UseLimit>,
    /// How often one customer can redeem it.
    pub per_customer_limit: Option<UseLimit>,
    /// Whether only customers on record may redeem it: a limit a customer is then not passed by another spelling of an id.
    pub known_customers_only: bool,
}

/// What a bundle sells, and for how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub name: SingleLine,
    /// What people are told of it.
    pub description: Option<Description>,
    /// What sort of deal it is; a label, the rules are the same.
    pub kind: BundleType,
    /// What it holds.
    pub products: Products,
    /// What it would cost without the deal, and what it costs.
    pub price: Price,
}

/// What sort of deal a bundle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub enum BundleType {
    /// Buy one, get one.
    Bogo,
    /// Any of several products.
    MixMatch,
    /// A share off.
    Percentage,
    /// One price for all.
    FixedPrice,
    /// The more, the cheaper.
    Tiered,
}

named!(BundleType);

/// What a bundle would cost without the deal, and what it costs: never more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    original_total: Money,
    bundle_price: Money,
    savings: Money,
}

/// Why an amount is not the price of a bundle.
pub const PRICE_RULE: &str = "must not be above originalTotal";

impl Price {
    /// A price that is not above the original total.
    pub fn new(original_total: Money, bundle_price: Money) -> Result<Self, &'static str> {
        let savings = original_total.minus(bundle_price).ok_or(PRICE_RULE)?;
        Ok(Self { original_total, bundle_price, savings })
    }

    /// What the products cost without the deal.
    #[must_use]
    pub const fn original_total(&self) -> Money {
        self.original_total
    }

    /// What the bundle costs.
    #[must_use]
    pub const fn bundle_price(&self) -> Money {
        self.bundle_price
    }

    /// The difference: what one redemption saves its customer.
    #[must_use]
    pub const fn savings(&self) -> Money {
        self.savings
    }
}

/// One product of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub product_id: ProductId,
    /// Its name.
    pub name: SingleLine,
    /// How many of it the bundle takes.
    pub required_qty: Quantity,
    /// What one costs without the deal.
    pub original_price: Money,
}

/// 1 to 100 products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Products(Vec<Product>);

/// Why an amount is not the total of a bundle.
pub const TOTAL_RULE: &str = "must be the sum of requiredQty x originalPrice over the products";

/// Why a list is not the products of a bundle.
pub const PRODUCTS_RULE: &str = "must be 1 to 100 products";

impl TryFrom<Vec<Product>> for Products {
    type Error = &'static str;

    fn try_from(products: Vec<Product>) -> Result<Self, Self::Error> {
        if (1..=100).contains(&products.len()) { Ok(Self(products)) } else { Err(PRODUCTS_RULE) }
    }
}

impl Products {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Product> {
        self.0.iter()
    }

    /// Whether a total is the sum of what they cost without the deal, each as often as the bundle takes it. Bundles from
    /// before this was a rule may have another.
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
            /// Why a number is not one.
            pub const RULE: &str = $rule;

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
    /// How many of a product a bundle takes.
    Quantity, 10_000, "must be a whole number from 1 to 10000"
);
count_from_one!(
    /// How often something can be redeemed.
    UseLimit, 1_000_000_000, "must be a whole number from 1 to 1000000000"
);

/// What the operator wants of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum DesiredState {
    /// Not to be seen yet.
    #[default]
    Draft,
    /// On, as its schedule says.
    Published,
    /// Off for now.
    Paused,
    /// Over for good.
    Ended,
}

named!(DesiredState);

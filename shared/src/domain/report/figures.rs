//! The figures of a week, each beside its target where it has one, and how they read.

use chrono::NaiveDate;

use super::week::DAYS_PER_WEEK;
use crate::domain::{
    decimal::TwoPlaceDecimal,
    money::{Currency, Money},
    text::SingleLine,
};

/// Changes of status that are on record in time, in percent.
pub const TRANSITIONS_TARGET_PERCENT: u32 = 95;
/// Active customers who have a score, in percent.
pub const SCORED_TARGET_PERCENT: u32 = 100;
/// Customers who earn points in a week, in percent.
pub const EARNING_TARGET_PERCENT: u32 = 30;
/// How customers are spread over four tiers, from the lowest, in percent. A ladder of another height has no target.
pub const TIERS_TARGET_PERCENT: [u32; 4] = [60, 25, 10, 5];

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// How many percent it should be, where that is known.
    pub target: Option<u32>,
}

impl Share {
    /// In percent, floored to two decimals; `None` of nothing.
    #[must_use]
    pub fn percent(&self) -> Option<TwoPlaceDecimal> {
        let hundredths = u128::from(self.count).checked_mul(10_000)?.checked_div(u128::from(self.of))?;
        i64::try_from(hundredths).ok().map(TwoPlaceDecimal::from_hundredths)
    }

    fn text(&self) -> String {
        let Some(percent) = self.percent() else { return "none".into() };
        let target = self.target.map_or_else(String::new, |target| format!(" (target {target} %)"));
        format!("{} of {}, {} %{target}", self.count, self.of, percent)
    }
}

/// What happens so many times in a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WeeklyCount(pub u64);

impl WeeklyCount {
    /// A day, floored to two decimals.
    #[must_use]
    pub fn per_day(self) -> TwoPlaceDecimal {
        let hundredths = u128::from(self.0) * 100 / u128::from(DAYS_PER_WEEK);
        TwoPlaceDecimal::from_hundredths(i64::try_from(hundredths).unwrap_or(i64::MAX))
    }

    fn text(self) -> String {
        format!("{}, {} a day", self.0, self.per_day())
    }
}

/// How many customers hold a tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierShare {
    /// The tier.
    pub name: SingleLine,
    /// Its customers.
    pub share: Share,
}

/// Orders, and what they came to on average.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderAverage {
    /// How many.
    pub count: u64,
    /// What was paid on average, floored to the cent; `None` without any.
    pub average: Option<Money>,
}

impl OrderAverage {
    fn text(&self) -> String {
        self.average.map_or_else(|| "none".into(), |average| format!("{} ({})", average.decimal(), self.count))
    }
}

/// Customers who were told to be at risk and whose time is over: how many had left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftAtRisk {
    /// Those whose time was over in this week.
    pub this_week: Share,
    /// Those whose time was over in the same days four weeks before; `None` where so old predictions are not kept.
    pub month_before: Option<Share>,
}

/// A week in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekFigures {
    /// The first day, in the org's zone.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// What amounts are in.
    pub currency: Currency,
    /// Changes of bundles' status that the clock made due: how many went on record in time.
    pub transitions: Share,
    /// Bundles redeemed, and not given back.
    pub redemptions: WeeklyCount,
    /// What they saved customers.
    pub savings: Money,
    /// Orders that were awarded.
    pub awards: WeeklyCount,
    /// Changes of tier.
    pub tier_changes: WeeklyCount,
    /// Customers who were active when scores were last made: how many have one.
    pub scored: Share,
    /// Customers: how many earned points.
    pub earning: Share,
    /// Customers by the tier they hold, from the lowest; one that is listed no more is not here.
    pub tiers: Vec<TierShare>,
    /// Customers at risk: how many left.
    pub left_at_risk: LeftAtRisk,
    /// Awarded orders with a bundle.
    pub bundle_orders: OrderAverage,
    /// Awarded orders without.
    pub other_orders: OrderAverage,
}

impl WeekFigures {
    /// Whether there is nothing to tell: no customer, and nothing has happened.
    #[must_use]
    pub fn has_no_activity(&self) -> bool {
        self.earning.of == 0 && self.awards.0 == 0 && self.redemptions.0 == 0 && self.transitions.of == 0
    }

    /// As people read it, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} to {}", self.from, self.to)];
        if self.has_no_activity() {
            lines.push("  There is nothing to report: no customers, and nothing has happened.".into());
            return lines;
        }
        let mut line = |name: &str, value: String| lines.push(format!("  {name:<26}{value}"));
        let currency = self.currency.as_str();
        line("transitions in time", self.transitions.text());
        let saved =
            format!("{}, saving {} {currency} (target above 0)", self.redemptions.text(), self.savings.decimal());
        line("bundles redeemed", saved);
        line("orders awarded", self.awards.text());
        line("tier changes", self.tier_changes.text());
        line("active customers scored", self.scored.text());
        line("customers earning", self.earning.text());
        for tier in &self.tiers {
            line(&format!("in {}", tier.name.as_str()), tier.share.text());
        }
        let LeftAtRisk { this_week, month_before } = &self.left_at_risk;
        let before = month_before.map_or_else(String::new, |share| format!("; a month before {}", share.text()));
        line("at risk who left", format!("{}{before}", this_week.text()));
        let orders = format!("{}; others {}", self.bundle_orders.text(), self.other_orders.text());
        line("average with a bundle", format!("{orders}, in {currency}"));
        lines
    }
}

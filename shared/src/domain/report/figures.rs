//! The figures of a week, their targets and their text.

use chrono::NaiveDate;

use super::week::DAYS_PER_WEEK;
use crate::domain::{
    decimal::TwoPlaceDecimal,
    money::{Currency, Money},
    text::SingleLine,
};

/// Target for status changes that are recorded in time, in percent.
pub const TRANSITIONS_TARGET_PERCENT: u32 = 95;
/// Target for active customers with a score, in percent.
pub const SCORED_TARGET_PERCENT: u32 = 100;
/// Target for customers who earn points in a week, in percent.
pub const EARNING_TARGET_PERCENT: u32 = 30;
/// Target for the distribution of customers over four tiers, lowest first, in percent. A ladder with another number of
/// tiers has no target.
pub const TIERS_TARGET_PERCENT: [u32; 4] = [60, 25, 10, 5];

/// A count as a share of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// The count.
    pub count: u64,
    /// The total.
    pub of: u64,
    /// The target in percent, if there is one.
    pub target: Option<u32>,
}

impl Share {
    /// The share in percent, floored to two decimals. Returns `None` if the total is 0.
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

/// The number of events in a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WeeklyCount(pub u64);

impl WeeklyCount {
    /// Events per day, floored to two decimals.
    #[must_use]
    pub fn per_day(self) -> TwoPlaceDecimal {
        let hundredths = u128::from(self.0) * 100 / u128::from(DAYS_PER_WEEK);
        TwoPlaceDecimal::from_hundredths(i64::try_from(hundredths).unwrap_or(i64::MAX))
    }

    fn text(self) -> String {
        format!("{}, {} a day", self.0, self.per_day())
    }
}

/// The share of customers in one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierShare {
    /// The name of the tier.
    pub name: SingleLine,
    /// The share of all customers.
    pub share: Share,
}

/// The number of orders, and their average total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderAverage {
    /// The number of orders.
    pub count: u64,
    /// The average amount paid, floored to the minor unit. `None` without orders.
    pub average: Option<Money>,
}

impl OrderAverage {
    fn text(&self) -> String {
        self.average.map_or_else(|| "none".into(), |average| format!("{} ({})", average.decimal(), self.count))
    }
}

/// Of the customers predicted to be at risk whose horizon has ended, the share who left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftAtRisk {
    /// Predictions whose horizon ended in this week.
    pub this_week: Share,
    /// Predictions whose horizon ended in the same days four weeks earlier. `None` if predictions of that age are not
    /// stored.
    pub month_before: Option<Share>,
}

/// The figures of a week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeekFigures {
    /// The first day, in the org's time zone.
    pub from: NaiveDate,
    /// The last day, in the org's time zone.
    pub to: NaiveDate,
    /// The currency of all amounts.
    pub currency: Currency,
    /// Of the status changes that the clock made due, the share recorded in time.
    pub transitions: Share,
    /// Bundle redemptions that were not voided.
    pub redemptions: WeeklyCount,
    /// The total that these redemptions saved customers.
    pub savings: Money,
    /// Awarded orders.
    pub awards: WeeklyCount,
    /// Changes of tier.
    pub tier_changes: WeeklyCount,
    /// Of the customers who were active when scores were last computed, the share with a score.
    pub scored: Share,
    /// Of all customers, the share who earned points.
    pub earning: Share,
    /// The share of customers in each tier, lowest tier first. Tiers that the settings no longer list are missing.
    pub tiers: Vec<TierShare>,
    /// Of the customers at risk, the share who left.
    pub left_at_risk: LeftAtRisk,
    /// Awarded orders with a bundle.
    pub bundle_orders: OrderAverage,
    /// Awarded orders without a bundle.
    pub other_orders: OrderAverage,
}

impl WeekFigures {
    /// Whether the org has no customers and nothing happened in the week.
    #[must_use]
    pub fn has_no_activity(&self) -> bool {
        self.earning.of == 0 && self.awards.0 == 0 && self.redemptions.0 == 0 && self.transitions.of == 0
    }

    /// The figures as text for people, one line each.
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

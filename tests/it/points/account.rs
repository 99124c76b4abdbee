//! A customer and the records of their orders, changed by the domain alone, without a store.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use harness::{rules, vectors::money};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::{
    domain::{
        customer::{Customer, CustomerProfile},
        earning::{
            adjustment,
            award::{Award, Order},
            refund::{self, Refund},
        },
        ids::OrderId,
        ledger::Entry,
        lots::account::PointsFigures,
        loyalty::{Loyalty, LoyaltySettings, Tier, Tiers},
        money::Currency,
        org::{Org, OrgProfile},
        points_hold::{self, HoldMinutes, HoldRequest},
        points_redemption::{self, PointsRedemption, PointsValuation},
        rejection::Rejection,
        zone::Zone,
    },
    inbound::{Fields, fields::FromFields, json::Json, loyalty::SettingsFields},
};

/// An operation of a customer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Step {
    pub(super) at: DateTime<Utc>,
    pub(super) op: String,
    pub(super) order: Option<String>,
    pub(super) total: Option<Value>,
    pub(super) fulfilled_at: Option<DateTime<Utc>>,
    pub(super) points: Option<i64>,
    pub(super) order_total: Option<Value>,
    pub(super) minutes: Option<i64>,
    pub(super) refund_id: Option<String>,
    pub(super) expect: Value,
}

/// The settings of a row: rate 1, and one tier.
pub(super) fn settings(row: &Value) -> LoyaltySettings {
    let Json::Object(fields) = Json::parse(row.to_string().as_bytes()).unwrap() else { panic!("{row}") };
    let fields: Fields = fields;
    let settings = LoyaltySettings::from(SettingsFields::read(&fields).unwrap());
    let lowest: Tier = settings.tiers.iter().next().unwrap().clone();
    LoyaltySettings { tiers: Tiers::try_from(vec![lowest]).unwrap(), ..settings }
}

pub(super) fn org(timezone: &str, settings: LoyaltySettings) -> Org {
    Org {
        id: "shop".to_owned().try_into().unwrap(),
        profile: OrgProfile {
            name: "Shop".to_owned().try_into().unwrap(),
            timezone: timezone.parse().unwrap(),
            currency: Currency::default(),
            country: shared::domain::contact::Country::default(),
        },
        zone_since: None,
        disposable: false,
        deleting: false,
        loyalty: Some(Loyalty::replaced(None, settings)),
    }
}

/// What the store keeps of a customer.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) org: Org,
    pub(super) customer: Customer,
    pub(super) awards: HashMap<String, Award>,
    pub(super) refunds: HashMap<String, Refund>,
    pub(super) redemptions: HashMap<String, PointsRedemption>,
    blocked: Vec<String>,
    pub(super) entries: Vec<Entry>,
}

impl Account {
    pub(super) fn new(org: Org) -> Self {
        let customer = Customer::new("ada".to_owned().try_into().unwrap(), CustomerProfile::default());
        let (awards, refunds, redemptions) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { org, customer, awards, refunds, redemptions, blocked: Vec::new(), entries: Vec::new() }
    }

    fn loyalty(&self) -> &Loyalty {
        self.org.loyalty.as_ref().unwrap()
    }

    fn zone(&self) -> Zone {
        self.org.profile.timezone
    }

    fn valuation(&self) -> PointsValuation<'_> {
        PointsValuation::new(&self.loyalty().settings, &self.org.profile.currency)
    }

    /// Whether the order of a step can be redeemed or held: it was neither voided nor redeemed.
    fn require_open(&self, order: &str) -> Result<(), Rejection> {
        if self.blocked.iter().any(|blocked| blocked == order) {
            return Err(Rejection::AlreadyVoided);
        }
        if self.redemptions.contains_key(order) { Err(Rejection::AlreadyRedeemed) } else { Ok(()) }
    }

    fn record(&mut self, customer: Customer, entries: Vec<Entry>) {
        self.customer = customer;
        self.entries.extend(entries);
    }

    pub(super) fn play(&mut self, step: &Step) -> Result<(), Rejection> {
        let order = step.order.clone().unwrap_or_default();
        let order_id = || -> OrderId { order.clone().try_into().unwrap() };
        match step.op.as_str() {
            "read" => {}
            "award" => {
                let sold = Order {
                    id: order_id(),
                    customer: self.customer.id.clone(),
                    total: money(step.total.as_ref().unwrap()),
                    equity_status: false,
                    fulfilled_at: step.fulfilled_at.unwrap_or(step.at),
                };
                let awarded = rules::award(&self.customer, self.loyalty(), self.zone(), sold, step.at)?;
                self.awards.insert(order, awarded.award);
                self.record(awarded.customer, awarded.entries);
            }
            "adjust" => {
                let (id, reason) = ("a1".to_owned().try_into().unwrap(), "test".to_owned().try_into().unwrap());
                let change = step.points.unwrap().try_into().unwrap();
                let adjusted = adjustment::adjust(&self.customer, &self.org, id, change, reason, step.at)?;
                self.record(adjusted.customer, adjusted.entries);
            }
            "refund" => {
                let (id, asked) = (step.refund_id.clone().unwrap(), step.total.as_ref().map(money));
                let refund_id = id.clone().try_into().unwrap();
                let award = &self.awards[&order];
                let refunded = refund::refund(&self.customer, self.loyalty(), award, refund_id, asked, step.at)?;
                self.awards.insert(order, refunded.award);
                self.refunds.insert(id, refunded.refund);
                self.record(refunded.customer, refunded.entries);
            }
            "voidRefund" => {
                let made = self.refunds[step.refund_id.as_ref().unwrap()].clone();
                let (total, rules) = (made.total.unwrap(), (self.loyalty(), self.zone()));
                let voided = refund::void(&self.customer, rules, &self.awards[&order], made, total, step.at)?;
                self.awards.insert(order, voided.award);
                self.refunds.insert(voided.refund.id.to_string(), voided.refund);
                self.record(voided.customer, voided.entries);
            }
            "hold" | "redeem" => self.check_out(step, &order)?,
            "release" => {
                let released = points_hold::release(&self.customer, &order_id(), step.at);
                self.record(released.customer, released.entries);
            }
            "void" => {
                if let Some(redemption) = self.redemptions.remove(&order) {
                    let voided = points_redemption::void(&self.customer, self.zone(), redemption, step.at)?;
                    self.record(voided.customer, voided.entries);
                } else {
                    let released = points_hold::release(&self.customer, &order_id(), step.at);
                    self.record(released.customer, released.entries);
                }
                self.blocked.push(order);
            }
            other => panic!("{other}"),
        }
        Ok(())
    }

    fn check_out(&mut self, step: &Step, order: &str) -> Result<(), Rejection> {
        self.require_open(order)?;
        let order_id: OrderId = order.to_owned().try_into().unwrap();
        let (points, total) = (step.points.unwrap().try_into().unwrap(), money(step.order_total.as_ref().unwrap()));
        if step.op == "hold" {
            let minutes = step.minutes.map_or_else(HoldMinutes::default, |minutes| minutes.try_into().unwrap());
            let request = HoldRequest { order: order_id, points, order_total: total, minutes };
            let held = points_hold::hold(&self.customer, self.valuation(), request, step.at)?;
            self.record(held.customer, held.entries);
        } else {
            let redeemed =
                points_redemption::redeem(&self.customer, self.valuation(), order_id, points, total, step.at)?;
            self.redemptions.insert(order.to_owned(), redeemed.redemption);
            self.record(redeemed.customer, redeemed.entries);
        }
        Ok(())
    }

    /// The figures at an instant, as the vectors write them.
    pub(super) fn figures(&self, at: DateTime<Utc>) -> Value {
        let PointsFigures { points, available, pending, held, expiring } = self.customer.account.figures(at);
        let seconds = |at: &DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let expiring: Vec<Value> =
            expiring.iter().map(|(at, points)| json!({"at": seconds(at), "points": points})).collect();
        json!({
            "points": points, "availablePoints": available, "pendingPoints": pending, "heldPoints": held,
            "expiringPoints": expiring,
        })
    }
}

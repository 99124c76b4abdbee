//! Orders that change: requests, and steps of a scenario.

use points_award::{
    amend::{AmendOrder, AmendmentRequest},
    read::{GetAward, GetAwardRequest},
};
use serde_json::{Value, json};

use crate::{Request, Scenario, scenario, valid, world::ORG};

/// The request to set what an order came to.
pub fn amend(customer: &str, order: &str, total: &str, as_of: &str) -> Request {
    Request::of::<AmendOrder>(&AmendmentRequest {
        org_id: valid(ORG),
        customer_id: Some(valid(customer)),
        order_id: valid(order),
        order_total: valid(total),
        as_of: valid(as_of),
        cancelled: false,
        currency: None,
    })
}

/// The request to cancel an order.
pub fn cancel(customer: &str, order: &str, as_of: &str) -> Request {
    amend(customer, order, "0", as_of).with(&json!({"cancelled": true}))
}

/// The request to award an order, which amends the recorded award.
pub fn award_state(customer: &str, order: &str, total: &str, as_of: &str) -> Request {
    scenario::award(customer, order, total, &json!({"amends": true, "asOf": as_of}))
}

/// The request to read the award of an order.
pub fn get_award(order: &str) -> Request {
    Request::of::<GetAward>(&GetAwardRequest { org_id: valid(ORG), order_id: valid(order) })
}

impl Scenario {
    /// Sets what an order came to.
    pub fn amend(self, customer: &str, order: &str, total: &str, as_of: &str) -> Self {
        self.send(amend(customer, order, total, as_of))
    }

    /// Cancels an order.
    pub fn cancel(self, customer: &str, order: &str, as_of: &str) -> Self {
        self.send(cancel(customer, order, as_of))
    }

    /// Awards an order, or amends the recorded award.
    pub fn award_state(self, customer: &str, order: &str, total: &str, as_of: &str) -> Self {
        self.send(award_state(customer, order, total, as_of))
    }

    /// Expects these fields in the award of an order.
    pub fn expect_award(self, order: &str, part: Value) -> Self {
        self.send(get_award(order)).accepted().expect(part)
    }
}

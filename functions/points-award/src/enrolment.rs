//! Enrols a customer with their first order.

use shared::{
    domain::{
        contact::ContactKind,
        customer::{Customer, CustomerProfile},
        ids::CustomerId,
        loyalty::Enrolment,
        org::Org,
        rejection::Rejection,
    },
    failure::Failure,
    host::Context,
    inbound::profile::NewCustomer,
    profiles::{self, ProfileWrites},
    telemetry::metric::Metric,
};

/// A customer to enrol, and the look-ups by which they are found.
pub(crate) struct Plan {
    pub(crate) customer: Customer,
    pub(crate) writes: ProfileWrites,
    /// The fields that are left out of the profile.
    left_out: Vec<String>,
}

impl Plan {
    /// Counts the customer, and logs and counts what is left out of the profile. Called once the customer is enrolled.
    pub(crate) fn record(&self, context: &Context, org: &Org) {
        let customer = &self.customer.id;
        context.metric(Metric::CustomersEnrolled, 1_i64);
        for field in &self.left_out {
            tracing::warn!(org = %org.id, %customer, field, "a contact is left out of an enrolment");
            context.metric(Metric::ContactsLeftOut, 1_i64);
        }
    }
}

/// Whether a first order enrols a customer of the org.
pub(crate) fn enrols(org: &Org) -> bool {
    org.loyalty_in_force().is_ok_and(|loyalty| loyalty.settings.enrolment == Enrolment::FirstOrder)
}

/// Plans the enrolment of a customer who is not known. A contact that is invalid, or that as many customers share as may
/// share it, is left out. It holds up no order.
pub(crate) async fn plan(
    context: &Context,
    org: &Org,
    customer: &CustomerId,
    new: Option<&NewCustomer>,
) -> Result<Plan, Failure> {
    let mut profile = new.map(NewCustomer::profile).unwrap_or_default();
    let faults = new.map(NewCustomer::faults).unwrap_or_default();
    let mut left_out: Vec<String> = faults.into_iter().map(|fault| fault.field).collect();
    if profiles::check_phone(org, &profile).is_err() {
        left_out.push(ContactKind::Phone.name().to_owned());
        profile.phone = None;
    }
    loop {
        let new = Customer::new(customer.clone(), CustomerProfile::default());
        match profiles::plan(&context.store, org, &new, &profile, None).await {
            Err(Failure::Rejected(Rejection::ContactShared { contact })) => {
                left_out.push(contact.name().to_owned());
                match contact {
                    ContactKind::Phone => profile.phone = None,
                    ContactKind::Email => profile.email = None,
                    ContactKind::CardNumber => profile.card_number = None,
                }
            }
            writes => {
                let writes = writes?;
                let customer = Customer { profile, found_by: writes.found_by.clone(), ..new };
                return Ok(Plan { customer, writes, left_out });
            }
        }
    }
}

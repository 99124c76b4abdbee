//! Enrols a customer with their first order.

use shared::{
    domain::{
        contact::{Contact, ContactKind},
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
}

/// Whether a first order enrols a customer of the org.
pub(crate) fn enrols(org: &Org) -> bool {
    org.loyalty_in_force().is_ok_and(|loyalty| loyalty.settings.enrolment == Enrolment::FirstOrder)
}

/// Plans the enrolment of a customer who is not known. A contact that is invalid, or that as many customers share as may
/// share it, is left out, logged and counted. It holds up no order.
pub(crate) async fn plan(
    context: &Context,
    org: &Org,
    customer: &CustomerId,
    new: Option<&NewCustomer>,
) -> Result<Plan, Failure> {
    let mut profile = new.map(NewCustomer::profile).unwrap_or_default();
    for fault in new.map(NewCustomer::faults).unwrap_or_default() {
        leave_out(context, org, customer, &fault.field);
    }
    if profiles::check_phone(org, &profile).is_err() {
        leave_out(context, org, customer, ContactKind::Phone.name());
        profile.phone = None;
    }
    loop {
        let contacts: Vec<Contact> = profiles::contacts(org, &profile).collect();
        let (_, lookups) = context.store.customer_and_lookups(&org.id, None, contacts.iter()).await?;
        let none = CustomerProfile::default();
        match profiles::plan(&context.store, org, customer, (&none, &profile), Some(lookups)).await {
            Err(Failure::Rejected(Rejection::ContactShared { contact })) => {
                leave_out(context, org, customer, contact.name());
                match contact {
                    ContactKind::Phone => profile.phone = None,
                    ContactKind::Email => profile.email = None,
                    ContactKind::CardNumber => profile.card_number = None,
                }
            }
            writes => return Ok(Plan { customer: Customer::new(customer.clone(), profile), writes: writes? }),
        }
    }
}

fn leave_out(context: &Context, org: &Org, customer: &CustomerId, field: &str) {
    tracing::warn!(org = %org.id, %customer, field, "a contact is left out of an enrolment");
    context.metric(Metric::ContactsLeftOut, 1_i64);
}

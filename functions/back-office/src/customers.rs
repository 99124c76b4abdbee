//! Customers: create or replace, read, erase.

use shared::{
    domain::{
        customer::{Customer, CustomerProfile},
        erasure,
        ids::{CustomerId, OrgId},
        lookups::FoundBy,
        lots::due::apply_due,
        org::Org,
        rejection::{RefusalCode, Rejection},
        text::SingleLine,
    },
    failure::{Failure, Retry},
    host::{Context, Declared, Handler, Reply, Success, Tag, retry_conflicts},
    inbound::{
        operation::{Callers, Operation},
        profile::{CardNumber, Email, Phone},
    },
    profiles,
    store::{ContactLookups, Versioned},
    telemetry::metric::Metric,
};

use crate::view::CustomerView;

/// Creates or replaces the profile of a customer.
pub struct PutCustomer;

/// The profile of a customer. An absent field is removed from the profile.
#[declare::request]
pub struct PutCustomerRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The first name. Absent: none.
    pub first_name: Option<SingleLine>,
    /// The last name. Absent: none.
    pub last_name: Option<SingleLine>,
    /// The e-mail address. Absent: none.
    pub email: Option<Email>,
    /// The telephone number. Absent: none.
    pub phone: Option<Phone>,
    /// The number of a loyalty card, which no other customer has. Absent: none.
    pub card_number: Option<CardNumber>,
    /// Whether the customer's orders earn with the equity multiplier. Absent: unknown, as if false.
    pub equity_status: Option<bool>,
}

impl Declared for PutCustomer {
    const OPERATION: Operation = Operation::new("putCustomer", "PUT", "/orgs/{orgId}/customers/{customerId}");
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Create or replace a customer";
    const DESCRIPTION: &'static str =
        "Replaces the whole profile. The points, the tier and the order figures of an existing customer stay.";
    const SUCCESS: &'static [Success] = &[Success::Created, Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::UnknownOrg, RefusalCode::AlreadyExists, RefusalCode::CardTaken, RefusalCode::ContactShared];
    const METRICS: &'static [Metric] = &[];

    type Request = PutCustomerRequest;
    type Answer = CustomerView;
}

impl Handler for PutCustomer {
    async fn handle(context: &Context, request: PutCustomerRequest) -> Result<Reply<CustomerView>, Failure> {
        let PutCustomerRequest { org_id, customer_id, first_name, last_name, equity_status, .. } = request;
        let profile = CustomerProfile {
            first_name,
            last_name,
            email: request.email.map(|Email(email)| email),
            phone: request.phone.map(|Phone(phone)| phone),
            card_number: request.card_number.map(|CardNumber(card)| card),
            equity_status,
        };
        let org = context.org(&org_id).await?;
        profiles::check_phone(&org, &profile)?;
        retry_conflicts(context.deadline, || replace(context, &org, &customer_id, &profile)).await
    }
}

async fn replace(
    context: &Context,
    org: &Org,
    id: &CustomerId,
    profile: &CustomerProfile,
) -> Result<Reply<CustomerView>, Failure> {
    let contacts = FoundBy::of(profile, org.profile.country).contacts;
    let (current, lookups) = context.store.customer_and_lookups(&org.id, Some(id), contacts.iter()).await?;
    match current {
        Some(current) if current.value.is_erased() && !erasure::is_complete(&current.value) => {
            erase_current(context, org, &current).await?;
            Err(Failure::Retry(Retry::Contended))
        }
        Some(current) if current.value.is_erased() => {
            let customer = enrol_anew(context, org, &current, profile, lookups).await?;
            Ok(Reply::created(customer))
        }
        Some(_) if context.call.only_create => Err(Rejection::AlreadyExists.into()),
        Some(current) => Ok(Reply::done(write_profile(context, org, &current, profile, Some(lookups)).await?)),
        None => {
            let new = Customer::new(id.clone(), profile.clone());
            let writes = profiles::plan(&context.store, org, &new, profile, Some(lookups)).await?;
            let customer = Customer { found_by: writes.found_by.clone(), ..new };
            let mut transaction = context.store.transaction(org);
            transaction.create_customer(&customer)?;
            writes.add_to(&mut transaction, id)?;
            transaction.commit().await?;
            Ok(Reply::created(CustomerView::new(org, customer, context.now)))
        }
    }
}

/// Enrols an erased id anew, on the version of its tombstone, so that the keys of its entries go on.
async fn enrol_anew(
    context: &Context,
    org: &Org,
    tombstone: &Versioned<Customer>,
    profile: &CustomerProfile,
    lookups: ContactLookups,
) -> Result<CustomerView, Failure> {
    let writes = profiles::plan(&context.store, org, &tombstone.value, profile, Some(lookups)).await?;
    let new = erasure::enrol_anew(&tombstone.value, profile.clone());
    let customer = Customer { found_by: writes.found_by.clone(), ..new };
    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&customer, tombstone, &[])?;
    writes.add_to(&mut transaction, &customer.id)?;
    transaction.commit().await?;
    Ok(CustomerView::new(org, customer, context.now))
}

/// Replaces the profile of a customer, with the look-ups by which the customer is found. `lookups` are those of the new
/// contacts, or `None` if they are not loaded.
pub(crate) async fn write_profile(
    context: &Context,
    org: &Org,
    current: &Versioned<Customer>,
    profile: &CustomerProfile,
    lookups: Option<ContactLookups>,
) -> Result<CustomerView, Failure> {
    let writes = profiles::plan(&context.store, org, &current.value, profile, lookups).await?;
    if *profile == current.value.profile && writes.is_empty_for(&current.value) {
        return Ok(CustomerView::new(org, current.value.clone(), context.now));
    }
    context.store.make_room_for_due(org, current, context.now).await?;
    let found_by = writes.found_by.clone();
    let mut customer = Customer { profile: profile.clone(), found_by, ..current.value.clone() };
    let entries = apply_due(&mut customer, context.now);
    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&customer, current, &entries)?;
    writes.add_to(&mut transaction, &customer.id)?;
    transaction.commit().await?;
    Ok(CustomerView::new(org, customer, context.now))
}

/// One customer.
#[declare::request]
pub struct CustomerRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
}

/// Reads a customer.
pub struct GetCustomer;

impl Declared for GetCustomer {
    const OPERATION: Operation =
        Operation::new("getCustomer", "GET", "/orgs/{orgId}/customers/{customerId}").callers(Callers::READ_AND_TILL);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Read a customer";
    const DESCRIPTION: &'static str = "";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::UnknownCustomer];
    const METRICS: &'static [Metric] = &[];

    type Request = CustomerRequest;
    type Answer = CustomerView;
}

impl Handler for GetCustomer {
    async fn handle(context: &Context, request: CustomerRequest) -> Result<Reply<CustomerView>, Failure> {
        let CustomerRequest { org_id, customer_id } = request;
        let org = context.org(&org_id).await?;
        let customer = context.store.customer(&org_id, &customer_id).await?;
        let customer = customer.filter(|customer| !customer.value.is_erased()).ok_or(Rejection::UnknownCustomer)?;
        Ok(Reply::done(CustomerView::new(&org, customer.value, context.now)))
    }
}

/// Erases a customer. The entries of the ledger are kept.
pub struct EraseCustomer;

impl Declared for EraseCustomer {
    const OPERATION: Operation = Operation::new("eraseCustomer", "DELETE", "/orgs/{orgId}/customers/{customerId}");
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Erase a customer";
    const DESCRIPTION: &'static str = "Removes all personal data, the look-ups by which the customer is found and the \
        last churn prediction. Holds end, and one entry brings the balance to 0. The activity stays. What is sent for \
        the customer later is refused as `customer_erased`, until a `putCustomer` enrols the id anew with nothing.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::UnknownCustomer];
    const METRICS: &'static [Metric] = &[];

    type Request = CustomerRequest;
    type Answer = CustomerView;
}

impl Handler for EraseCustomer {
    async fn handle(context: &Context, request: CustomerRequest) -> Result<Reply<CustomerView>, Failure> {
        let CustomerRequest { org_id, customer_id } = request;
        let org = context.org(&org_id).await?;
        retry_conflicts(context.deadline, || erase(context, &org, &customer_id)).await
    }
}

async fn erase(context: &Context, org: &Org, id: &CustomerId) -> Result<Reply<CustomerView>, Failure> {
    let current = context.store.customer(&org.id, id).await?.ok_or(Rejection::UnknownCustomer)?;
    let is_erased = erasure::is_complete(&current.value);
    let tombstone = if is_erased { current.value } else { erase_current(context, org, &current).await? };
    Ok(Reply::done(CustomerView::new(org, tombstone, context.now)))
}

/// Erases a customer, or what a release that knows no erasures has written for an erased one. Returns the tombstone.
async fn erase_current(context: &Context, org: &Org, current: &Versioned<Customer>) -> Result<Customer, Failure> {
    context.store.make_room_for_due(org, current, context.now).await?;
    let none = CustomerProfile::default();
    let writes = profiles::plan(&context.store, org, &current.value, &none, None).await?;
    let (tombstone, entries) = erasure::erase(&current.value, context.now);
    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&tombstone, current, &entries)?;
    transaction.delete_risk_level(&tombstone.id)?;
    writes.add_to(&mut transaction, &tombstone.id)?;
    transaction.commit().await?;
    Ok(tombstone)
}

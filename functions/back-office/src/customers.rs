//! Customers: create or replace, read, list, erase. Also lists the ledger of a customer.

use deserr::Deserr;
use shared::{
    domain::{
        churn::risk::RiskLevel,
        customer::{Customer, CustomerProfile},
        ids::{CustomerId, OrgId},
        org::Org,
        rejection::Rejection,
        segment::Segment,
        text::SingleLine,
    },
    failure::Failure,
    host::{Context, List, Reply, retry_conflicts},
    inbound::{
        Call,
        cursor::{Cursor, CursorScope},
        fields::{Email, PageSize, Phone},
    },
    store::{Page, Row, StoreError, Versioned},
};

use crate::{
    pages::{ListRow, Listing, filtered_page},
    view::{CustomerView, EntryView},
};

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct CustomerFields {
    org_id: OrgId,
    customer_id: CustomerId,
    #[deserr(default)]
    first_name: Option<SingleLine>,
    #[deserr(default)]
    last_name: Option<SingleLine>,
    #[deserr(default)]
    email: Option<Email>,
    #[deserr(default)]
    phone: Option<Phone>,
    #[deserr(default)]
    equity_status: Option<bool>,
}

pub(crate) async fn put(context: &Context, call: Call) -> Result<Reply, Failure> {
    let only_create = call.only_create;
    let fields: CustomerFields = call.read()?;
    let CustomerFields { org_id, customer_id, first_name, last_name, email, phone, equity_status } = fields;
    let (email, phone) = (email.map(|Email(email)| email), phone.map(|Phone(phone)| phone));
    let profile = CustomerProfile { first_name, last_name, email, phone, equity_status };
    let org = context.org(&org_id).await?;
    retry_conflicts(context.deadline, || replace(context, &org, &customer_id, &profile, only_create)).await
}

async fn replace(
    context: &Context,
    org: &Org,
    id: &CustomerId,
    profile: &CustomerProfile,
    only_create: bool,
) -> Result<Reply, Failure> {
    let mut transaction = context.store.transaction(org);
    match context.store.customer(&org.id, id).await? {
        Some(_) if only_create => Err(Rejection::AlreadyExists.into()),
        Some(current) => {
            let customer = Customer { profile: profile.clone(), ..current.value.clone() };
            transaction.replace_customer(&customer, &current, &[])?;
            transaction.commit().await?;
            Ok(Reply::ok(&CustomerView::new(org, customer, context.now)))
        }
        None => {
            let customer = Customer::new(id.clone(), profile.clone());
            transaction.create_customer(&customer)?;
            transaction.commit().await?;
            Ok(Reply::created(&CustomerView::new(org, customer, context.now)))
        }
    }
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct CustomerRequest {
    org_id: OrgId,
    customer_id: CustomerId,
}

pub(crate) async fn get(context: &Context, call: Call) -> Result<Reply, Failure> {
    let CustomerRequest { org_id, customer_id } = call.read()?;
    let org = context.org(&org_id).await?;
    let customer = context.store.customer(&org_id, &customer_id).await?.ok_or(Rejection::UnknownCustomer)?;
    Ok(Reply::ok(&CustomerView::new(&org, customer.value, context.now)))
}

/// Erases the profile of a customer. The points, the order figures and the ledger are kept.
pub(crate) async fn erase(context: &Context, call: Call) -> Result<Reply, Failure> {
    let CustomerRequest { org_id, customer_id } = call.read()?;
    let org = context.org(&org_id).await?;
    retry_conflicts(context.deadline, || erase_profile(context, &org, &customer_id)).await
}

async fn erase_profile(context: &Context, org: &Org, id: &CustomerId) -> Result<Reply, Failure> {
    let current = context.store.customer(&org.id, id).await?.ok_or(Rejection::UnknownCustomer)?;
    let customer = Customer { profile: CustomerProfile::default(), ..current.value.clone() };
    let mut transaction = context.store.transaction(org);
    transaction.replace_customer(&customer, &current, &[])?;
    transaction.commit().await?;
    Ok(Reply::ok(&CustomerView::new(org, customer, context.now)))
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct CustomersPage {
    org_id: OrgId,
    #[deserr(default)]
    tier: Option<SingleLine>,
    #[deserr(default)]
    segment: Option<Segment>,
    #[deserr(default)]
    risk_level: Option<RiskLevel>,
    #[deserr(default)]
    limit: PageSize,
    #[deserr(default)]
    cursor: Option<Cursor>,
}

pub(crate) async fn list(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let CustomersPage { org_id, tier, segment, risk_level, limit, cursor } = call.read()?;
    let risk_index = risk_level.filter(|_| tier.is_none() && segment.is_none());
    // The two lists have different orders, so a cursor of one is not valid for the other.
    let scope = CursorScope { operation, org: org_id.as_str(), qualifier: risk_index.map_or("", RiskLevel::name) };
    let list = List::begin(scope, limit, cursor)?;
    let org = context.org(&org_id).await?;

    let filters = tier.is_some() || segment.is_some() || risk_level.is_some();
    let horizon_days = org.loyalty.as_ref().map_or(0, |loyalty| loyalty.settings.active_days.get());
    let view = |customer: Customer| {
        let has_level = |level| {
            let churn = customer.churn.as_ref().filter(|_| customer.orders.is_some());
            churn.is_some_and(|churn| churn.level() == level && churn.is_within_horizon(horizon_days, context.now))
        };
        let matches_risk = risk_level.is_none_or(has_level);
        let view = CustomerView::new(&org, customer, context.now);
        let matches_profile = tier.as_ref().is_none_or(|tier| view.tier.as_ref() == Some(tier))
            && segment.is_none_or(|segment| view.segment == segment);
        (matches_risk && matches_profile).then_some(view)
    };
    let (org_id, store) = (&org_id, &context.store);
    let (rows, next) = if let Some(level) = risk_index {
        let fetch = |after, size| customers_at_risk(context, org_id, level, after, size);
        let view = |customer: Option<_>| customer.and_then(view).map(|view| ListRow::Read(Box::new(view)));
        filtered_page(&list, filters, fetch, view).await?
    } else {
        let fetch = |after: Option<String>, size| async move { store.customers(org_id, after.as_deref(), size).await };
        let listing = Listing { org: Some(org_id), name: "customerId", filters };
        let view = |listed| listing.row(listed, |customer: Versioned<_>| view(customer.value));
        filtered_page(&list, filters, fetch, view).await?
    };
    Ok(list.answer_rows("customers", &rows, next))
}

/// Returns a page of the customers at a risk level, with their current data. The value of an outdated index row is
/// `None`.
async fn customers_at_risk(
    context: &Context,
    org: &OrgId,
    level: RiskLevel,
    after: Option<String>,
    size: usize,
) -> Result<Page<Option<Customer>>, StoreError> {
    let page = context.store.customers_at_risk(org, level, context.now, after.as_deref(), size).await?;
    let ids: Vec<CustomerId> = page.rows.iter().filter_map(|row| row.value.clone()).collect();
    let mut found = context.store.customers_by_id(org, &ids).await?;
    let rows = page.rows.into_iter().map(|Row { value, position }| {
        let value = value.and_then(|id| found.remove(&id));
        Row { value, position }
    });
    Ok(Page { rows: rows.collect(), next: page.next })
}

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct ActivityPage {
    org_id: OrgId,
    customer_id: CustomerId,
    #[deserr(default)]
    limit: PageSize,
    #[deserr(default)]
    cursor: Option<Cursor>,
}

pub(crate) async fn activity(context: &Context, call: Call) -> Result<Reply, Failure> {
    let operation = call.operation.name;
    let ActivityPage { org_id, customer_id, limit, cursor } = call.read()?;
    let list =
        List::begin(CursorScope { operation, org: org_id.as_str(), qualifier: customer_id.as_str() }, limit, cursor)?;
    context.org(&org_id).await?;
    let page = context.store.ledger(&org_id, &customer_id, list.after(), list.size()).await?;
    if list.is_empty(&page) {
        // The customer is new, or does not exist.
        context.store.customer(&org_id, &customer_id).await?.ok_or(Rejection::UnknownCustomer)?;
    }
    Ok(list.answer("entries", page, |row| Some(row.map(EntryView::from))))
}

//! Lists the customers of an org.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        churn::risk::RiskLevel,
        customer::Customer,
        ids::{CustomerId, OrgId},
        org::Org,
        rejection::{FieldError, RefusalCode},
        segment::Segment,
        text::SingleLine,
    },
    failure::Failure,
    host::{Context, Declared, List, ListOperation, PageRequest, RowPage, Success, Tag, UnreadReason},
    inbound::{
        CallInfo, Fields,
        cursor::Cursor,
        fields::PageSize,
        operation::{Callers, Operation},
        profile::{CardNumber, Email, Phone},
    },
    store::{Page, Row, StoreError, Versioned},
    telemetry::metric::Metric,
};

use crate::{
    pages::{ListRow, Listing, filtered_page},
    search,
    view::CustomerView,
};

/// Lists the customers of an org.
pub struct ListCustomers;

/// A page of an org's customers. A customer must match every given filter.
#[declare::request]
pub struct CustomersRequest {
    /// The org.
    pub org_id: OrgId,
    /// Only customers in the tier with this name. Absent: every tier.
    pub tier: Option<SingleLine>,
    /// Only customers in this segment. Absent: every segment.
    pub segment: Option<Segment>,
    /// Only customers whose last churn prediction has this level and still looks ahead. Absent: every customer.
    pub risk_level: Option<RiskLevel>,
    /// The customers with this telephone number. A number without a country code is dialled in the org's country. Does not
    /// go with another filter. Absent: every customer.
    pub phone: Option<Phone>,
    /// The customers with this e-mail address, without regard to case. Does not go with another filter. Absent: every
    /// customer.
    pub email: Option<Email>,
    /// The customer with this loyalty card, to the letter. Does not go with another filter. Absent: every customer.
    pub card_number: Option<CardNumber>,
    /// The largest number of customers. Absent: 50.
    #[declare(default)]
    pub limit: PageSize,
    /// The `cursor` of the page before. Absent: the list from its start.
    pub cursor: Option<Cursor>,
}

/// Customers of an org.
#[declare::answer]
pub struct CustomersAnswer {
    /// The customers, by last order, newest first. With `riskLevel` alone, by lifetime value at the last churn
    /// prediction, highest first.
    pub customers: Vec<CustomerRow>,
    /// Where the list continues. Absent on the last page.
    pub cursor: Option<String>,
}

/// A customer in a list.
pub type CustomerRow = ListRow<CustomerView, UnreadableCustomer>;

/// A customer that cannot be read.
#[declare::answer]
pub struct UnreadableCustomer {
    /// The id of the customer.
    pub customer_id: CustomerId,
    /// Why the customer cannot be read.
    pub error: UnreadReason,
}

impl From<CustomerId> for UnreadableCustomer {
    fn from(customer_id: CustomerId) -> Self {
        Self { customer_id, error: UnreadReason::Internal }
    }
}

impl Declared for ListCustomers {
    const OPERATION: Operation =
        Operation::new("listCustomers", "GET", "/orgs/{orgId}/customers").callers(Callers::READ);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "List customers";
    const DESCRIPTION: &'static str = "With `riskLevel` alone, lists customers by lifetime value, otherwise by last \
        order. With a filter, a page may be short or empty although the list continues. Without a filter, a customer \
        that cannot be read has an `error`.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::InvalidCursor, RefusalCode::UnknownOrg];
    const METRICS: &'static [Metric] = &[];

    type Request = CustomersRequest;
    type Answer = CustomersAnswer;

    fn check(fields: &Fields, _: DateTime<Utc>, _: CallInfo) -> Vec<FieldError> {
        let is_set = |name: &&str| fields.is_set(name);
        let contacts = CONTACTS.into_iter().filter(is_set);
        let others = contacts.clone().count() + FILTERS.into_iter().filter(is_set).count();
        let fault = |name| FieldError::new(name, "does not go with another filter");
        contacts.filter(|_| others > 1).map(fault).collect()
    }
}

/// The filters by a contact, which go alone.
const CONTACTS: [&str; 3] = ["phone", "email", "cardNumber"];

/// All other filters.
const FILTERS: [&str; 3] = ["tier", "segment", "riskLevel"];

impl CustomersRequest {
    const fn has_filter(&self) -> bool {
        self.tier.is_some() || self.segment.is_some() || self.risk_level.is_some()
    }

    /// The risk level whose index gives the list, if the level is the only filter.
    fn index_level(&self) -> Option<RiskLevel> {
        self.risk_level.filter(|_| self.tier.is_none() && self.segment.is_none())
    }

    /// The view of a customer who matches every filter.
    fn view(&self, context: &Context, org: &Org, customer: Customer) -> Option<CustomerView> {
        let horizon_days = org.loyalty.as_ref().map_or(0, |loyalty| loyalty.settings.active_days.get());
        let has_level = |level| {
            let churn = customer.churn.as_ref().filter(|_| customer.orders.is_some());
            churn.is_some_and(|churn| churn.level() == level && churn.is_within_horizon(horizon_days, context.now))
        };
        // A release that knows no erasures may have listed an erased customer.
        let matches_risk = !customer.is_erased() && self.risk_level.is_none_or(has_level);
        let view = CustomerView::new(org, customer, context.now);
        let matches_profile = self.tier.as_ref().is_none_or(|tier| view.tier.as_ref() == Some(tier))
            && self.segment.is_none_or(|segment| view.segment == segment);
        (matches_risk && matches_profile).then_some(view)
    }
}

impl ListOperation for ListCustomers {
    type Row = CustomerRow;

    fn page(request: &CustomersRequest) -> PageRequest<'_> {
        PageRequest {
            org: request.org_id.as_str(),
            // The two lists have different orders, so a cursor of one is not valid for the other.
            qualifier: request.index_level().map_or("", RiskLevel::name),
            limit: request.limit,
            cursor: request.cursor.clone(),
        }
    }

    async fn rows(
        context: &Context,
        request: &CustomersRequest,
        list: &List<'_>,
    ) -> Result<RowPage<CustomerRow>, Failure> {
        let (org_id, filters) = (&request.org_id, request.has_filter());
        let org = context.org(org_id).await?;
        let CustomersRequest { phone, email, card_number, .. } = request;
        if let Some(contact) = search::contact(&org, phone.as_ref(), email.as_ref(), card_number.as_ref())? {
            let RowPage { rows, next } = search::with_contact(context, &org, &contact).await?;
            return Ok(RowPage { rows: rows.into_iter().map(ListRow::Read).collect(), next });
        }
        let view = |customer| request.view(context, &org, customer);
        if let Some(level) = request.index_level() {
            let fetch = |after, size| customers_at_risk(context, org_id, level, after, size);
            let view = |customer: Option<_>| customer.and_then(view).map(ListRow::Read);
            return filtered_page(list, filters, fetch, view).await;
        }
        let store = &context.store;
        let fetch = |after: Option<String>, size| async move { store.customers(org_id, after.as_deref(), size).await };
        let listing = Listing { org: Some(org_id), name: "customerId", filters };
        let view = |listed| listing.row(listed, |customer: Versioned<_>| view(customer.value));
        filtered_page(list, filters, fetch, view).await
    }

    fn answer(customers: Vec<CustomerRow>, cursor: Option<String>) -> CustomersAnswer {
        CustomersAnswer { customers, cursor }
    }
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

//! Finds customers by a contact or by the beginning of their name.

use chrono::{DateTime, Utc};
use shared::{
    domain::{
        contact::Contact,
        ids::{CustomerId, OrgId},
        lookups::{search_form, searched_name},
        org::Org,
        org_key::KeyScope,
        rejection::{FieldError, RefusalCode, Rejection},
        text::SingleLine,
    },
    failure::Failure,
    host::{Context, Declared, List, ListOperation, PageRequest, RowPage, Success, Tag},
    inbound::{
        CallInfo, Fields,
        cursor::Cursor,
        fields::PageSize,
        operation::{Callers, Operation},
        profile::{CardNumber, Email, Phone},
    },
    store::Page,
    telemetry::metric::Metric,
};

use crate::view::CustomerView;

/// Finds customers.
pub struct SearchCustomers;

/// A search for customers, by one of the four.
#[declare::request]
pub struct SearchRequest {
    /// The org.
    pub org_id: OrgId,
    /// A telephone number. A number without a country code is dialled in the org's country.
    pub phone: Option<Phone>,
    /// An e-mail address, without regard to case.
    pub email: Option<Email>,
    /// The number of a loyalty card, to the letter.
    pub card_number: Option<CardNumber>,
    /// The beginning of the last name, then of the first name, without regard to case.
    pub name_prefix: Option<SingleLine>,
    /// The largest number of customers. Absent: 50.
    #[declare(default)]
    pub limit: PageSize,
    /// The `cursor` of the page before. Absent: the list from its start.
    pub cursor: Option<Cursor>,
}

/// The customers found.
#[declare::answer]
pub struct SearchAnswer {
    /// The customers. By name: in the order of the names.
    pub customers: Vec<CustomerView>,
    /// Where the list continues. Absent on the last page.
    pub cursor: Option<String>,
}

/// The names of the four.
const CRITERIA: [&str; 4] = ["phone", "email", "cardNumber", "namePrefix"];

impl Declared for SearchCustomers {
    const OPERATION: Operation =
        Operation::new("searchCustomers", "POST", "/orgs/{orgId}/customers/search").callers(Callers::READ_AND_TILL);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Find customers";
    const DESCRIPTION: &'static str = "By a telephone number, an e-mail address, a loyalty card, or the beginning of \
        the name, with nothing personal in the URL. By a contact it finds a customer as soon as the request that set \
        the contact was answered. By name the list may lag behind by moments. A key with the scope `till` finds customers by \
        a contact only.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::InvalidCursor, RefusalCode::UnknownOrg, RefusalCode::ScopeNotAllowed];
    const METRICS: &'static [Metric] = &[];

    type Request = SearchRequest;
    type Answer = SearchAnswer;

    fn check(fields: &Fields, _: DateTime<Utc>, _: CallInfo) -> Vec<FieldError> {
        let given: Vec<&str> = CRITERIA.into_iter().filter(|name| fields.is_set(name)).collect();
        match given[..] {
            [_] => Vec::new(),
            [] => vec![FieldError::new("", format!("goes with one of {}", CRITERIA.join(", ")))],
            [_, ref others @ ..] => {
                others.iter().map(|name| FieldError::new(*name, "does not go with another criterion")).collect()
            }
        }
    }
}

impl ListOperation for SearchCustomers {
    type Row = CustomerView;

    fn page(request: &SearchRequest) -> PageRequest<'_> {
        let prefix = request.name_prefix.as_ref().map_or("", SingleLine::as_str);
        PageRequest {
            org: request.org_id.as_str(),
            qualifier: prefix,
            limit: request.limit,
            cursor: request.cursor.clone(),
        }
    }

    async fn rows(
        context: &Context,
        request: &SearchRequest,
        list: &List<'_>,
    ) -> Result<RowPage<CustomerView>, Failure> {
        let SearchRequest { org_id, phone, email, card_number, name_prefix, .. } = request;
        // A till may find the customer before it, and not go through all of them.
        if let (Some(scope @ KeyScope::Till), Some(_)) = (context.call.scope, name_prefix) {
            return Err(Rejection::ScopeNotAllowed { scope, allowed: Callers::READ.scopes() }.into());
        }
        let org = context.org(org_id).await?;
        if let Some(contact) = contact(&org, phone.as_ref(), email.as_ref(), card_number.as_ref())? {
            return with_contact(context, &org, &contact).await;
        }
        let prefix = name_prefix.as_ref().map(|prefix| search_form(prefix.as_str())).unwrap_or_default();
        let page = context.store.customers_named(org_id, &prefix, list.after(), list.size()).await?;
        let Page { rows, next } = page;
        let ids: Vec<CustomerId> = rows.into_iter().filter_map(|row| row.value).collect();
        let mut found = context.store.customers_by_id(org_id, &ids).await?;
        let named = ids.iter().filter_map(|id| found.remove(id)).filter(|customer| {
            // The list may lag behind the customer, or a release without it may have changed the name.
            searched_name(&customer.profile).is_some_and(|name| name.starts_with(&prefix))
        });
        Ok(RowPage { rows: named.map(|customer| CustomerView::new(&org, customer, context.now)).collect(), next })
    }

    fn answer(customers: Vec<CustomerView>, cursor: Option<String>) -> SearchAnswer {
        SearchAnswer { customers, cursor }
    }
}

/// The contact that a request names.
pub(crate) fn contact(
    org: &Org,
    phone: Option<&Phone>,
    email: Option<&Email>,
    card: Option<&CardNumber>,
) -> Result<Option<Contact>, Rejection> {
    let number = phone.map(|Phone(text)| Contact::phone(text, org.profile.country));
    let number = number.transpose().map_err(|rule| Rejection::invalid("phone", rule))?;
    let address = email.map(|Email(text)| Contact::email(text));
    Ok(number.or(address).or_else(|| card.map(|CardNumber(text)| Contact::card(text))))
}

/// The customers who have a contact.
pub(crate) async fn with_contact(
    context: &Context,
    org: &Org,
    contact: &Contact,
) -> Result<RowPage<CustomerView>, Failure> {
    let found = context.store.customers_with(org, contact).await?.into_iter();
    Ok(RowPage { rows: found.map(|customer| CustomerView::new(org, customer, context.now)).collect(), next: None })
}

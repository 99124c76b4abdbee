//! `ctl migrate contacts`: makes the look-ups of customers from before customers were found by their contacts.
//!
//! A patch without fields makes the look-ups that a customer lacks, and writes nothing if there are none. The migration
//! goes through the list of customers, newest order first. A customer who orders meanwhile moves to its start, so the
//! start is read again until no customer has moved there.

use std::process::ExitCode;

use anyhow::Context;
use back_office::{
    customer_list::{CustomersRequest, ListCustomers},
    orgs::{GetOrg, OrgRequest},
    pages::ListRow,
    patch::{PatchCustomer, PatchCustomerRequest},
    search::{SearchCustomers, SearchRequest},
    view::CustomerView,
};
use chrono::{DateTime, Utc};
use client::{Call, value};
use futures::{StreamExt, TryStreamExt, stream};
use shared::{
    domain::{
        contact::{Contact, ContactKind, Country},
        ids::{CustomerId, OrgId},
        time,
    },
    inbound::profile::{CardNumber, Email, Patch, Phone},
};

use crate::{
    api::Api,
    list::{PagedList, Pages},
    output::{print_error, print_line},
    values::group_digits,
};

/// After this many pages the position is printed.
const PAGES_PER_POSITION: usize = 100;

/// A migration of an org.
pub(crate) struct ContactMigration<'a> {
    pub(crate) api: &'a Api,
    pub(crate) org: &'a OrgId,
    pub(crate) dry_run: bool,
    pub(crate) in_flight: u16,
}

/// Where a pass over the list continues.
struct Position {
    /// The last order of the first customer of the pass. The next pass ends there.
    newest: Option<DateTime<Utc>>,
    cursor: Option<String>,
}

impl Position {
    fn to_text(&self) -> String {
        let newest = self.newest.map(time::text).unwrap_or_default();
        format!("{newest}/{}", self.cursor.as_deref().unwrap_or_default())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let (newest, cursor) = text.split_once('/').context("--from is not a position of a migration")?;
        let newest = (!newest.is_empty()).then(|| time::parse(newest)).transpose();
        let newest = newest.map_err(|_| anyhow::anyhow!("--from is not a position of a migration"))?;
        Ok(Self { newest, cursor: (!cursor.is_empty()).then(|| cursor.to_owned()) })
    }
}

#[derive(Default)]
struct Totals {
    customers: i64,
    /// Customers who were not found by each of their contacts, and now are, or would be.
    made: i64,
    /// Contacts that cannot have a look-up.
    unfound: i64,
}

impl ContactMigration<'_> {
    /// Runs the migration from a position, or from the start, and prints the totals.
    pub(crate) async fn run(&self, from: Option<&str>) -> anyhow::Result<ExitCode> {
        let org = self.api.call(&Call::<GetOrg>::new(&OrgRequest { org_id: self.org.clone() })?).await?.answer;
        let country = Country::try_from(org.country).map_err(anyhow::Error::msg)?;
        let mut totals = Totals::default();
        let mut position = from.map(Position::parse).transpose()?;
        let mut done_until = None;
        loop {
            let newest = self.pass(country, position.take(), done_until, &mut totals).await?;
            if newest <= done_until || self.dry_run {
                break;
            }
            done_until = newest;
        }
        print_line(&format!(
            "{} customers; {} {} found by contacts from now on; contacts without a look-up: {}",
            group_digits(totals.customers),
            group_digits(totals.made),
            if self.dry_run { "would be" } else { "are" },
            group_digits(totals.unfound),
        ));
        Ok(ExitCode::SUCCESS)
    }

    /// Goes through the list down to the customers who had no order after `until`. Returns the newest order of the list.
    async fn pass(
        &self,
        country: Country,
        from: Option<Position>,
        until: Option<DateTime<Utc>>,
        totals: &mut Totals,
    ) -> anyhow::Result<Option<DateTime<Utc>>> {
        let is_resumed = from.is_some();
        let mut position = from.unwrap_or(Position { newest: None, cursor: None });
        let request = CustomersRequest {
            org_id: self.org.clone(),
            tier: None,
            segment: None,
            risk_level: None,
            phone: None,
            email: None,
            card_number: None,
            limit: value(1)?,
            cursor: None,
        };
        let mut pages = Pages::<ListCustomers>::of(request);
        for nth in 1_usize.. {
            let page = async {
                let page = self.api.call(&pages.call(position.cursor.clone())?).await?;
                let (rows, next) = ListCustomers::into_rows(page.answer);
                let customers: Vec<CustomerView> = rows.into_iter().filter_map(readable).collect();
                if nth == 1 && !is_resumed {
                    position.newest = customers.first().and_then(|customer| customer.last_order_at);
                }
                let wanted = customers.iter().filter(|customer| until.is_none() || customer.last_order_at > until);
                let migrated: Vec<(bool, i64)> = stream::iter(wanted.map(|customer| self.migrate(country, customer)))
                    .buffer_unordered(self.in_flight.into())
                    .try_collect()
                    .await?;
                let is_last = until.is_some() && migrated.len() < customers.len();
                anyhow::Ok((migrated, next.filter(|_| !is_last)))
            };
            let (migrated, next) =
                page.await.with_context(|| format!("continue with --from {}", position.to_text()))?;
            for (made, unfound) in migrated {
                totals.customers += 1;
                totals.made += i64::from(made);
                totals.unfound += unfound;
            }
            position.cursor = next;
            if position.cursor.is_none() {
                break;
            }
            if nth.is_multiple_of(PAGES_PER_POSITION) {
                print_error(&format!("{} customers, --from {}", group_digits(totals.customers), position.to_text()));
            }
        }
        Ok(position.newest)
    }

    /// Makes the look-ups of a customer. Returns whether some were missing that can be made, and the number of contacts
    /// that cannot have a look-up.
    async fn migrate(&self, country: Country, customer: &CustomerView) -> anyhow::Result<(bool, i64)> {
        let missing = self.missing(country, customer).await?;
        let (undialled, missing): (Vec<_>, Vec<_>) = missing.into_iter().partition(|(_, is_dialled)| !is_dialled);
        let mut unfound = undialled.len();
        for _ in undialled {
            let code = country.code();
            print_error(&format!("customer {}: phone cannot be dialled in {code}", customer.customer_id));
        }
        if self.dry_run {
            return Ok((!missing.is_empty(), i64::try_from(unfound)?));
        }
        let patch = Call::<PatchCustomer>::new(&empty_patch(self.org, &customer.customer_id))?;
        if let Err(problem) = self.api.outcome(&patch).await? {
            print_error(&format!("customer {}: {problem}", customer.customer_id));
        }
        let mut still = if missing.is_empty() { Vec::new() } else { self.missing(country, customer).await? };
        still.retain(|(_, is_dialled)| *is_dialled);
        for (kind, _) in &still {
            unfound += 1;
            let name = kind.name();
            print_error(&format!("customer {}: too many customers have the {name}", customer.customer_id));
        }
        Ok((missing.len() > still.len(), i64::try_from(unfound)?))
    }

    /// The contacts by which a customer is not found, each with whether it can be looked up at all.
    async fn missing(&self, country: Country, customer: &CustomerView) -> anyhow::Result<Vec<(ContactKind, bool)>> {
        let mut missing = Vec::new();
        for (kind, search) in self.searches(customer)? {
            let phone = customer.phone.as_ref().filter(|_| kind == ContactKind::Phone);
            if phone.is_some_and(|phone| Contact::phone(phone, country).is_err()) {
                missing.push((kind, false));
                continue;
            }
            let found = self.api.outcome(&Call::<SearchCustomers>::new(&search)?).await?;
            let is_found =
                |found: &Vec<CustomerView>| found.iter().any(|other| other.customer_id == customer.customer_id);
            if !found.is_ok_and(|found| is_found(&found.answer.customers)) {
                missing.push((kind, true));
            }
        }
        Ok(missing)
    }

    /// A search by each contact of a customer.
    fn searches(&self, customer: &CustomerView) -> anyhow::Result<Vec<(ContactKind, SearchRequest)>> {
        let by = || -> anyhow::Result<SearchRequest> {
            Ok(SearchRequest {
                org_id: self.org.clone(),
                phone: None,
                email: None,
                card_number: None,
                name_prefix: None,
                limit: value(100)?,
                cursor: None,
            })
        };
        let mut searches = Vec::new();
        if let Some(phone) = &customer.phone {
            searches.push((ContactKind::Phone, SearchRequest { phone: Some(Phone(phone.clone())), ..by()? }));
        }
        if let Some(email) = &customer.email {
            searches.push((ContactKind::Email, SearchRequest { email: Some(Email(email.clone())), ..by()? }));
        }
        if let Some(card) = &customer.card_number {
            let card_number = Some(CardNumber(card.clone()));
            searches.push((ContactKind::CardNumber, SearchRequest { card_number, ..by()? }));
        }
        Ok(searches)
    }
}

/// The customer of a row. An unreadable one is reported.
fn readable(row: <ListCustomers as shared::host::ListOperation>::Row) -> Option<CustomerView> {
    match row {
        ListRow::Read(customer) => Some(customer),
        ListRow::Unreadable(unreadable) => {
            print_error(&format!("customer {}: cannot be read", unreadable.customer_id));
            None
        }
    }
}

fn empty_patch(org: &OrgId, customer: &CustomerId) -> PatchCustomerRequest {
    PatchCustomerRequest {
        org_id: org.clone(),
        customer_id: customer.clone(),
        first_name: Patch::Keep,
        last_name: Patch::Keep,
        email: Patch::Keep,
        phone: Patch::Keep,
        card_number: Patch::Keep,
        equity_status: Patch::Keep,
    }
}

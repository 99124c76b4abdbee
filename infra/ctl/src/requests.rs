//! Requests that several commands send. Optional fields are left out unless a function here names them.

use back_office::{
    activity::ActivityRequest,
    bundle_lists::{BundlesRequest, TransitionsRequest},
    customer_list::CustomersRequest,
    customers::PutCustomerRequest,
    orgs::PutOrgRequest,
};
use client::value;
use points_award::award::AwardRequest;
use serde_json::Map;
use shared::{
    domain::{
        bundle::terms::{BundleType, DesiredState, Product, Products},
        contact::Country,
        ids::{BundleId, CustomerId, OrderId, OrgId},
        money::Money,
        text::SingleLine,
        zone::Zone,
    },
    inbound::{
        bundle::BundleFields,
        fields::{OrgCurrency, PageSize},
        loyalty::SettingsFields,
    },
};
use weekly_report::report::ReportRequest;

/// A disposable org with the default time zone and currency.
pub(crate) fn disposable_org(org: &OrgId, name: SingleLine) -> PutOrgRequest {
    PutOrgRequest {
        org_id: org.clone(),
        name,
        timezone: Zone::default(),
        currency: OrgCurrency::default(),
        country: Country::default(),
        disposable: Some(true),
    }
}

/// The loyalty settings at their defaults.
pub(crate) fn default_settings() -> anyhow::Result<SettingsFields> {
    Ok(value(Map::new())?)
}

/// A customer without a profile.
pub(crate) fn empty_customer(org: &OrgId, customer: &CustomerId) -> PutCustomerRequest {
    PutCustomerRequest {
        org_id: org.clone(),
        customer_id: customer.clone(),
        first_name: None,
        last_name: None,
        email: None,
        phone: None,
        card_number: None,
        equity_status: None,
    }
}

/// The list of every customer.
pub(crate) fn all_customers(org: &OrgId) -> CustomersRequest {
    CustomersRequest {
        org_id: org.clone(),
        tier: None,
        segment: None,
        risk_level: None,
        phone: None,
        email: None,
        card_number: None,
        limit: PageSize::default(),
        cursor: None,
    }
}

/// The list of every bundle.
pub(crate) fn all_bundles(org: &OrgId) -> BundlesRequest {
    BundlesRequest { org_id: org.clone(), status: None, limit: PageSize::default(), cursor: None }
}

/// The list of the transitions of a bundle.
pub(crate) fn transitions_of(org: &OrgId, bundle: &BundleId) -> TransitionsRequest {
    TransitionsRequest { org_id: org.clone(), bundle_id: bundle.clone(), limit: PageSize::default(), cursor: None }
}

/// The ledger of a customer.
pub(crate) fn activity_of(org: &OrgId, customer: &CustomerId) -> ActivityRequest {
    ActivityRequest { org_id: org.clone(), customer_id: customer.clone(), limit: PageSize::default(), cursor: None }
}

/// The award of an order that is fulfilled now.
pub(crate) fn award(org: &OrgId, customer: &CustomerId, order: OrderId, total: Money) -> AwardRequest {
    AwardRequest {
        org_id: org.clone(),
        customer_id: customer.clone(),
        order_id: order,
        order_total: total,
        equity_status: None,
        fulfilled_at: None,
        amends: false,
        as_of: None,
        currency: None,
        customer: None,
    }
}

/// A published bundle of two compact discs, without a schedule and without limits.
pub(crate) fn two_discs(org: &OrgId, bundle: &BundleId, name: SingleLine) -> anyhow::Result<BundleFields> {
    let discs = Product {
        product_id: value("cd")?,
        name: value("Compact disc")?,
        required_qty: value(2)?,
        original_price: value(15)?,
    };
    Ok(BundleFields {
        org_id: org.clone(),
        bundle_id: bundle.clone(),
        name,
        description: None,
        kind: BundleType::FixedPrice,
        products: Products::try_from(vec![discs]).map_err(anyhow::Error::msg)?,
        original_total: value(30)?,
        bundle_price: value("24.50")?,
        start_date: None,
        end_date: None,
        days_of_week: None,
        time_start: None,
        time_end: None,
        max_redemptions: None,
        per_customer_limit: None,
        known_customers_only: false,
        desired_state: Some(DesiredState::Published),
    })
}

/// The report of the last week of one org.
pub(crate) fn report_of(org: &OrgId) -> ReportRequest {
    ReportRequest { org_id: Some(org.clone()), cursor: None, dry_run: false }
}

//! Checks the back office: a customer keeps the given fields, and an org's key is accepted for its org only, until
//! revoked.

use std::time::Duration;

use anyhow::Context;
use back_office::{
    customers::{CustomerRequest, GetCustomer, PutCustomer, PutCustomerRequest},
    keys::{CreateKey, CreateKeyRequest, DeleteKey, DeleteKeyRequest},
    loyalty::GetLoyalty,
    orgs::OrgRequest,
    view::CustomerView,
};
use client::{Call, value};
use shared::{
    clock::Stopwatch,
    domain::{
        org_key::KeyScope,
        rejection::{RefusalCode, RejectionKind},
    },
    host::Success,
};

use super::{
    expected::{Field, Step, field},
    test_shop::{CheckResult, TestShop, poll_until},
};
use crate::requests;

/// Longest time for which a process with a cache may accept a revoked key, with a reserve.
const REVOCATION_TIME_MAX: Duration = Duration::from_secs(75);

/// An org other than the org of the key. It need not exist, because the key is rejected before any lookup.
const OTHER_ORG: &str = "verify-elsewhere";

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    let ada = shop.register("ada").await?;
    let has_name = |customer: &CustomerView| -> Vec<Field> { vec![field("firstName", &customer.first_name, "Ada")] };
    let profile = PutCustomerRequest {
        first_name: Some(value("Ada")?),
        email: Some(value("ada@example.com")?),
        ..requests::empty_customer(&shop.org, &ada)
    };
    shop.check::<PutCustomer>("a customer that gets a name", &profile, Success::Done, has_name).await?;
    shop.check_customer(&ada, |customer| {
        vec![field("firstName", &customer.first_name, "Ada"), field("email", &customer.email, "ada@example.com")]
    })
    .await?;
    let request = CreateKeyRequest { org_id: shop.org.clone(), name: value("till")?, scope: KeyScope::Manage };
    let created = shop.check::<CreateKey>("a new key of the org", &request, Success::Created, |_| Vec::new()).await?;

    let till = shop.with_secret(&created.key);
    till.check_customer(&ada, has_name).await?;
    let elsewhere = CustomerRequest { org_id: value(OTHER_ORG)?, customer_id: ada.clone() };
    till.check_refusal::<GetCustomer>("the org's key at another org", &elsewhere, RefusalCode::OtherOrg).await?;
    let org = OrgRequest { org_id: shop.org.clone() };
    till.check_refusal::<GetLoyalty>("the org's key at the settings", &org, RefusalCode::OtherOrg).await?;

    let key = DeleteKeyRequest { org_id: shop.org.clone(), key_id: created.key_id };
    let seconds = revoke(shop, &till, &key, &shop.customer_request(&ada)).await?;
    Ok(format!(
        "a customer keeps the given fields; an org's key is accepted for its org only, and rejected {seconds:.1} s after its \
         revocation"
    ))
}

/// Revokes the key and waits until it is rejected. Returns the seconds in between.
async fn revoke(
    shop: &TestShop,
    till: &TestShop,
    key: &DeleteKeyRequest,
    customer: &CustomerRequest,
) -> anyhow::Result<f64> {
    shop.check::<DeleteKey>("a key that is revoked", key, Success::Done, |answer| {
        vec![field("revoked", answer.revoked, true)]
    })
    .await?;
    let watch = Stopwatch::start();
    let step = Step { label: "the customer by the revoked key", call: Call::<GetCustomer>::new(customer)? };
    let refused = poll_until(REVOCATION_TIME_MAX, async || {
        let problem = till.send(&step).await?.problem();
        Ok(problem.is_of_kind(RejectionKind::Unauthorized).then_some(()))
    });
    refused.await?.with_context(|| {
        format!(
            "a revoked key: expected 401 within {} seconds, the key is still accepted",
            REVOCATION_TIME_MAX.as_secs()
        )
    })?;
    Ok(watch.elapsed().as_secs_f64())
}

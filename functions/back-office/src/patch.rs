//! Changes single fields of a customer's profile.

use shared::{
    domain::{
        customer::CustomerProfile,
        ids::{CustomerId, OrgId},
        org::Org,
        rejection::{RefusalCode, Rejection},
        text::SingleLine,
    },
    failure::Failure,
    host::{Context, Declared, Handler, Reply, Success, Tag, retry_conflicts},
    inbound::{
        operation::Operation,
        profile::{CardNumber, Email, Patch, Phone},
    },
    profiles,
    telemetry::metric::Metric,
};

use crate::{customers::write_profile, view::CustomerView};

/// Changes fields of a customer's profile.
pub struct PatchCustomer;

/// A merge patch (RFC 7396) of the profile of a customer. An absent field stays, and a null removes the field.
#[declare::request]
pub struct PatchCustomerRequest {
    /// The org.
    pub org_id: OrgId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The first name.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub first_name: Patch<SingleLine>,
    /// The last name.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub last_name: Patch<SingleLine>,
    /// The e-mail address.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub email: Patch<Email>,
    /// The telephone number.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub phone: Patch<Phone>,
    /// The number of a loyalty card, which no other customer has.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub card_number: Patch<CardNumber>,
    /// Whether the customer's orders earn with the equity multiplier.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    pub equity_status: Patch<bool>,
}

impl PatchCustomerRequest {
    fn apply(&self, profile: &CustomerProfile) -> CustomerProfile {
        CustomerProfile {
            first_name: self.first_name.clone().apply(&profile.first_name, |name| name),
            last_name: self.last_name.clone().apply(&profile.last_name, |name| name),
            email: self.email.clone().apply(&profile.email, |Email(email)| email),
            phone: self.phone.clone().apply(&profile.phone, |Phone(phone)| phone),
            card_number: self.card_number.clone().apply(&profile.card_number, |CardNumber(card)| card),
            equity_status: self.equity_status.clone().apply(&profile.equity_status, |status| status),
        }
    }
}

impl Declared for PatchCustomer {
    const OPERATION: Operation = Operation::new("patchCustomer", "PATCH", "/orgs/{orgId}/customers/{customerId}");
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Change fields of a customer";
    const DESCRIPTION: &'static str = "A merge patch (RFC 7396): named fields change, null removes a field, and all \
        others stay.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::UnknownCustomer,
        RefusalCode::CustomerErased,
        RefusalCode::CardTaken,
        RefusalCode::ContactShared,
    ];
    const METRICS: &'static [Metric] = &[];

    type Request = PatchCustomerRequest;
    type Answer = CustomerView;
}

impl Handler for PatchCustomer {
    async fn handle(context: &Context, request: PatchCustomerRequest) -> Result<Reply<CustomerView>, Failure> {
        let org = context.org(&request.org_id).await?;
        retry_conflicts(context.deadline, || patch(context, &org, &request)).await
    }
}

async fn patch(context: &Context, org: &Org, request: &PatchCustomerRequest) -> Result<Reply<CustomerView>, Failure> {
    let current = context.store.customer(&org.id, &request.customer_id).await?.ok_or(Rejection::UnknownCustomer)?;
    current.value.check_not_erased(None)?;
    let after = request.apply(&current.value.profile);
    if matches!(request.phone, Patch::Set(_)) {
        profiles::check_phone(org, &after)?;
    }
    Ok(Reply::done(write_profile(context, org, &current, &after, None).await?))
}

//! Read-only operations: the redemptions of a bundle, its counters, and the eligibility of a customer.

use shared::{
    domain::{
        bundle::{
            redemption::{Fulfilment, admit},
            state::Bundle,
            terms::UseLimit,
        },
        ids::{BundleId, CustomerId, OrgId},
        money::Money,
        rejection::{RefusalCode, Rejection},
    },
    failure::Failure,
    host::{Context, Declared, Handler, List, ListOperation, PageRequest, RecordedRow, Reply, RowPage, Success, Tag},
    inbound::{
        cursor::Cursor,
        fields::PageSize,
        operation::{Callers, Operation},
    },
    telemetry::metric::Metric,
};

use crate::redeem::{BundleRedemptionView, missing_bundle, require_known_customer};

/// Lists the redemptions of a bundle, newest first. Voided redemptions stay in the list, with `voidedAt`.
pub struct ListBundleRedemptions;

/// A page of the redemptions of a bundle.
#[declare::request]
pub struct BundleRedemptionsRequest {
    /// The org.
    pub org_id: OrgId,
    /// The bundle.
    pub bundle_id: BundleId,
    /// The largest number of rows.
    #[declare(default)]
    pub limit: PageSize,
    /// Where the page begins: the cursor of the page before.
    pub cursor: Option<Cursor>,
}

/// A page of the redemptions of a bundle.
#[declare::answer]
pub struct BundleRedemptionsAnswer {
    /// The redemptions, newest first.
    pub redemptions: Vec<RecordedRow<BundleRedemptionView>>,
    /// Where the next page begins. Absent on the last page.
    pub cursor: Option<String>,
}

impl Declared for ListBundleRedemptions {
    const OPERATION: Operation = Operation::new("list", "GET", "/redemptions").callers(Callers::READ);
    const TAG: Tag = Tag::Orders;
    const SUMMARY: &'static str = "List the redemptions of a bundle";
    const DESCRIPTION: &'static str = "Newest first. A voided redemption stays in the list with its `voidedAt`.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::UnknownOrg, RefusalCode::BundleNotFound, RefusalCode::InvalidCursor];
    const METRICS: &'static [Metric] = &[];

    type Request = BundleRedemptionsRequest;
    type Answer = BundleRedemptionsAnswer;
}

impl ListOperation for ListBundleRedemptions {
    type Row = RecordedRow<BundleRedemptionView>;

    fn page(request: &BundleRedemptionsRequest) -> PageRequest<'_> {
        let BundleRedemptionsRequest { org_id, bundle_id, limit, cursor } = request;
        PageRequest { org: org_id.as_str(), qualifier: bundle_id.as_str(), limit: *limit, cursor: cursor.clone() }
    }

    async fn rows(
        context: &Context,
        request: &BundleRedemptionsRequest,
        list: &List<'_>,
    ) -> Result<RowPage<Self::Row>, Failure> {
        let BundleRedemptionsRequest { org_id, bundle_id, .. } = request;
        context.org(org_id).await?;
        let page = context.store.bundle_redemptions(org_id, bundle_id, list.after(), list.size()).await?;
        if list.is_empty(&page) {
            // The bundle has no redemption, or does not exist.
            load_bundle(context, org_id, bundle_id).await?;
        }
        Ok(RowPage::of(page, |row| Some(RecordedRow::from(row))))
    }

    fn answer(redemptions: Vec<Self::Row>, cursor: Option<String>) -> BundleRedemptionsAnswer {
        BundleRedemptionsAnswer { redemptions, cursor }
    }
}

/// Reports whether a customer may redeem a bundle now. The rule is the one that [`crate::redeem`] applies.
pub struct CheckEligibility;

/// The bundle and the customer.
#[declare::request]
pub struct EligibilityRequest {
    /// The org.
    pub org_id: OrgId,
    /// The bundle.
    pub bundle_id: BundleId,
    /// The customer.
    pub customer_id: CustomerId,
}

/// Whether the customer may redeem the bundle now.
#[declare::answer]
pub struct EligibilityAnswer {
    /// Whether a redemption would be accepted now.
    pub can_redeem: bool,
    /// The number of orders of the customer that have redeemed the bundle.
    pub current_count: u64,
    /// The largest number of orders of one customer. Absent: no limit.
    pub max_allowed: Option<UseLimit>,
    /// The code with which a redemption would be refused.
    pub code: Option<RefusalCode>,
    /// The reason for people.
    pub reason: Option<String>,
}

impl Declared for CheckEligibility {
    const OPERATION: Operation = Operation::new("eligibility", "GET", "/eligibility").callers(Callers::READ_AND_TILL);
    const TAG: Tag = Tag::Checkout;
    const SUMMARY: &'static str = "Check whether a customer may redeem a bundle";
    const DESCRIPTION: &'static str = "Applies the rules of a redemption at this moment and writes nothing.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[
        RefusalCode::UnknownOrg,
        RefusalCode::BundleNotFound,
        RefusalCode::BundleDeleted,
        RefusalCode::UnknownCustomer,
        RefusalCode::CustomerErased,
    ];
    const METRICS: &'static [Metric] = &[];

    type Request = EligibilityRequest;
    type Answer = EligibilityAnswer;
}

impl Handler for CheckEligibility {
    async fn handle(context: &Context, request: EligibilityRequest) -> Result<Reply<EligibilityAnswer>, Failure> {
        let EligibilityRequest { org_id, bundle_id, customer_id } = request;
        let org = context.org(&org_id).await?;
        let (bundle, current_count) =
            context.store.bundle_and_customer_count(&org_id, &bundle_id, &customer_id).await?;
        let Some(bundle) = bundle else { return Err(missing_bundle(context, &org, &bundle_id).await?.into()) };
        let bundle = bundle.value;
        require_known_customer(context, &org, &bundle, &customer_id).await?;
        let fulfilment = Fulfilment { at: context.now, now: context.now, was_active: false, savings: None };
        let refusal = admit(&bundle, org.profile.timezone, current_count, fulfilment).err();
        Ok(Reply::done(EligibilityAnswer {
            can_redeem: refusal.is_none(),
            current_count,
            max_allowed: bundle.terms.per_customer_limit,
            code: refusal.as_ref().map(Rejection::refusal),
            reason: refusal.as_ref().map(ToString::to_string),
        }))
    }
}

/// Returns the counters of a bundle. The counters are stored with the bundle, so its redemptions are not read.
pub struct GetBundleStats;

/// The bundle.
#[declare::request]
pub struct StatsRequest {
    /// The org.
    pub org_id: OrgId,
    /// The bundle.
    pub bundle_id: BundleId,
}

/// The counters of a bundle, without voided redemptions.
#[declare::answer]
pub struct StatsAnswer {
    /// The number of redemptions.
    pub total_redemptions: u64,
    /// The number of customers with a redemption.
    pub unique_customers: u64,
    /// The sum of the savings, in the org's currency.
    pub total_savings: Money,
    /// The average savings of a redemption, floored. 0 without redemptions.
    pub average_savings: Money,
}

impl Declared for GetBundleStats {
    const OPERATION: Operation = Operation::new("stats", "GET", "/stats").callers(Callers::READ);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "Get the counters of a bundle";
    const DESCRIPTION: &'static str = "Voided redemptions do not count.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::UnknownOrg, RefusalCode::BundleNotFound];
    const METRICS: &'static [Metric] = &[];

    type Request = StatsRequest;
    type Answer = StatsAnswer;
}

impl Handler for GetBundleStats {
    async fn handle(context: &Context, request: StatsRequest) -> Result<Reply<StatsAnswer>, Failure> {
        let StatsRequest { org_id, bundle_id } = request;
        context.org(&org_id).await?;
        let usage = load_bundle(context, &org_id, &bundle_id).await?.usage;
        Ok(Reply::done(StatsAnswer {
            total_redemptions: usage.redemptions,
            unique_customers: usage.customers,
            total_savings: usage.savings,
            average_savings: usage.average_savings(),
        }))
    }
}

async fn load_bundle(context: &Context, org: &OrgId, id: &BundleId) -> Result<Bundle, Failure> {
    let bundle = context.store.bundle(org, id).await?;
    Ok(bundle.ok_or(Rejection::BundleNotFound)?.value)
}

//! Lists the bundles of an org, and the transitions of a bundle.

use shared::{
    domain::{
        bundle::{state::Bundle, status::BundleStatus},
        ids::{BundleId, OrgId},
        rejection::{RefusalCode, Rejection},
    },
    failure::Failure,
    host::{Context, Declared, List, ListOperation, PageRequest, RecordedRow, RowPage, Success, Tag, UnreadReason},
    inbound::{
        cursor::Cursor,
        fields::PageSize,
        operation::{Callers, Operation},
    },
    store::Versioned,
    telemetry::metric::Metric,
    views::TransitionView,
};

use crate::{
    pages::{ListRow, Listing, filtered_page},
    view::BundleView,
};

/// Lists the bundles of an org.
pub struct ListBundles;

/// A page of an org's bundles.
#[declare::request]
pub struct BundlesRequest {
    /// The org.
    pub org_id: OrgId,
    /// Only bundles with this recorded status. Absent: every bundle.
    pub status: Option<BundleStatus>,
    /// The largest number of bundles. Absent: 50.
    #[declare(default)]
    pub limit: PageSize,
    /// The `cursor` of the page before. Absent: the list from its start.
    pub cursor: Option<Cursor>,
}

/// Bundles of an org.
#[declare::answer]
pub struct BundlesAnswer {
    /// The bundles, by id.
    pub bundles: Vec<BundleRow>,
    /// Where the list continues. Absent on the last page.
    pub cursor: Option<String>,
}

/// A bundle in a list.
pub type BundleRow = ListRow<BundleView, UnreadableBundle>;

/// A bundle that cannot be read.
#[declare::answer]
pub struct UnreadableBundle {
    /// The id of the bundle.
    pub bundle_id: BundleId,
    /// Why the bundle cannot be read.
    pub error: UnreadReason,
}

impl From<BundleId> for UnreadableBundle {
    fn from(bundle_id: BundleId) -> Self {
        Self { bundle_id, error: UnreadReason::Internal }
    }
}

impl Declared for ListBundles {
    const OPERATION: Operation = Operation::new("listBundles", "GET", "/orgs/{orgId}/bundles").callers(Callers::READ);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "List bundles";
    const DESCRIPTION: &'static str = "Returns bundles by id, each with its recorded status, which may lag behind the \
        clock by some minutes. With a filter, a page may be short or empty although the list continues. Without a \
        filter, a bundle that cannot be read has an `error`.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] = &[RefusalCode::InvalidCursor, RefusalCode::UnknownOrg];
    const METRICS: &'static [Metric] = &[];

    type Request = BundlesRequest;
    type Answer = BundlesAnswer;
}

impl ListOperation for ListBundles {
    type Row = BundleRow;

    fn page(request: &BundlesRequest) -> PageRequest<'_> {
        PageRequest {
            org: request.org_id.as_str(),
            qualifier: "",
            limit: request.limit,
            cursor: request.cursor.clone(),
        }
    }

    async fn rows(context: &Context, request: &BundlesRequest, list: &List<'_>) -> Result<RowPage<BundleRow>, Failure> {
        let BundlesRequest { org_id, status, .. } = request;
        let org = context.org(org_id).await?;
        let view = |bundle: Box<Versioned<Bundle>>| {
            let wanted = status.is_none_or(|status| bundle.value.recorded.status == status);
            wanted.then(|| BundleView::recorded(&org, bundle.value))
        };
        let listing = Listing { org: Some(org_id), name: "bundleId", filters: status.is_some() };
        let view = |listed| listing.row(listed, view);
        let store = &context.store;
        let fetch = |after: Option<String>, size| async move { store.bundles(org_id, after.as_deref(), size).await };
        filtered_page(list, status.is_some(), fetch, view).await
    }

    fn answer(bundles: Vec<BundleRow>, cursor: Option<String>) -> BundlesAnswer {
        BundlesAnswer { bundles, cursor }
    }
}

/// Lists the transitions of a bundle.
pub struct ListTransitions;

/// A page of a bundle's transitions.
#[declare::request]
pub struct TransitionsRequest {
    /// The org.
    pub org_id: OrgId,
    /// The bundle.
    pub bundle_id: BundleId,
    /// The largest number of transitions. Absent: 50.
    #[declare(default)]
    pub limit: PageSize,
    /// The `cursor` of the page before. Absent: the list from its start.
    pub cursor: Option<Cursor>,
}

/// Transitions of a bundle.
#[declare::answer]
pub struct TransitionsAnswer {
    /// The transitions, newest first.
    pub transitions: Vec<RecordedRow<TransitionView>>,
    /// Where the list continues. Absent on the last page.
    pub cursor: Option<String>,
}

impl Declared for ListTransitions {
    const OPERATION: Operation =
        Operation::new("listTransitions", "GET", "/orgs/{orgId}/bundles/{bundleId}/transitions").callers(Callers::READ);
    const TAG: Tag = Tag::BackOffice;
    const SUMMARY: &'static str = "List the transitions of a bundle";
    const DESCRIPTION: &'static str = "Returns every change of the bundle's status or desired state, newest first. A \
        transition that this release cannot read has an `error`.";
    const SUCCESS: &'static [Success] = &[Success::Done];
    const REFUSALS: &'static [RefusalCode] =
        &[RefusalCode::InvalidCursor, RefusalCode::UnknownOrg, RefusalCode::BundleNotFound];
    const METRICS: &'static [Metric] = &[];

    type Request = TransitionsRequest;
    type Answer = TransitionsAnswer;
}

impl ListOperation for ListTransitions {
    type Row = RecordedRow<TransitionView>;

    fn page(request: &TransitionsRequest) -> PageRequest<'_> {
        PageRequest {
            org: request.org_id.as_str(),
            qualifier: request.bundle_id.as_str(),
            limit: request.limit,
            cursor: request.cursor.clone(),
        }
    }

    async fn rows(
        context: &Context,
        request: &TransitionsRequest,
        list: &List<'_>,
    ) -> Result<RowPage<RecordedRow<TransitionView>>, Failure> {
        let TransitionsRequest { org_id, bundle_id, .. } = request;
        context.org(org_id).await?;
        let page = context.store.transitions(org_id, bundle_id, list.after(), list.size()).await?;
        if list.is_empty(&page) {
            // The bundle never changed, or does not exist.
            context.store.bundle(org_id, bundle_id).await?.ok_or(Rejection::BundleNotFound)?;
        }
        Ok(RowPage::of(page, |row| Some(row.into())))
    }

    fn answer(transitions: Vec<RecordedRow<TransitionView>>, cursor: Option<String>) -> TransitionsAnswer {
        TransitionsAnswer { transitions, cursor }
    }
}

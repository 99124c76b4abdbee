//! After a release with newer zone rules: every org is marked once, and the job judges its bundles anew, as after a change of
//! its zone. What is due by older rules may be due at another instant by these.

use std::time::Duration;

use shared::{
    domain::{ids::OrgId, zone},
    error::chain,
    failure::{Failure, retry_conflicts_within},
    host::Context,
    store::{StoreError, ZoneMarking},
};

/// Orgs in a page, after which it is kept how far this is.
const PAGE: usize = 20;

/// What a page, and the answer, may take. A page that is cut off is marked again, to no harm.
const PAGE_RESERVE: Duration = Duration::from_secs(2);

/// Marks all orgs, from where an earlier run has stopped, as far as the call's time goes: the next run goes on.
pub(crate) async fn mark_orgs(context: &Context, mut marking: ZoneMarking) -> Result<(), Failure> {
    let store = &context.store;
    while context.deadline.remaining() > PAGE_RESERVE {
        let page = store.org_ids(marking.after.as_ref(), PAGE).await?;
        let ids: Vec<OrgId> = page.rows.into_iter().map(|row| row.value).collect();
        if !ids.is_empty() {
            mark(context, &ids).await?;
            marking.after = ids.last().cloned();
        }
        if page.next.is_none() {
            store.save_zone_marking(None).await?;
            tracing::info!(zone_data = zone::data_version(), "all orgs are marked for newer zone rules");
            return Ok(());
        }
        store.save_zone_marking(Some(&marking)).await?;
    }
    Ok(())
}

/// Marks each of some orgs. One that is gone is left out; so is one that can't be read, whose bundles can't be judged.
async fn mark(context: &Context, ids: &[OrgId]) -> Result<(), Failure> {
    let Context { store, now, deadline, .. } = context;
    for id in ids {
        retry_conflicts_within(*deadline, || async {
            let org = match store.org_versioned(id).await {
                Err(StoreError::Broken(error)) => {
                    tracing::error!(org = %id, error = chain(&error), "an org can't be marked for newer zone rules");
                    None
                }
                read => read?.map(|org| org.value),
            };
            match org.filter(|org| !org.deleting) {
                Some(org) => Ok(store.mark_org_for_zone_rules(&org, *now).await?),
                None => Ok(()),
            }
        })
        .await?;
    }
    Ok(())
}

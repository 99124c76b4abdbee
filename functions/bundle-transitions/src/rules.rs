//! Marks every org once after a release with newer time zone rules.
//!
//! The job then evaluates the bundles of a marked org again, as after a change of its zone. Under newer rules a bundle
//! may fall due at another instant.

use std::time::Duration;

use shared::{
    domain::{ids::OrgId, zone},
    error::chain,
    failure::{Failure, retry_conflicts_within},
    host::Context,
    store::{StoreError, ZoneMarking},
};

/// The number of orgs in a page. The position is saved after each page.
const PAGE_SIZE: usize = 20;

/// The time that a page, and the answer, may take. An interrupted page is marked again, and marking is idempotent.
const PAGE_RESERVE: Duration = Duration::from_secs(2);

/// Marks orgs from the position of an earlier run, until the time of the call is used up. The next run continues.
pub(crate) async fn mark_orgs(context: &Context, mut marking: ZoneMarking) -> Result<(), Failure> {
    let store = &context.store;
    while context.deadline.remaining() > PAGE_RESERVE {
        let page = store.org_ids(marking.after.as_ref(), PAGE_SIZE).await?;
        let ids: Vec<OrgId> = page.rows.into_iter().map(|row| row.value).collect();
        if !ids.is_empty() {
            mark_page(context, &ids).await?;
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

/// Marks a page of orgs. Deleted orgs are skipped. Unreadable orgs are skipped too: their bundles cannot be evaluated.
async fn mark_page(context: &Context, ids: &[OrgId]) -> Result<(), Failure> {
    let Context { store, now, deadline, .. } = context;
    for id in ids {
        retry_conflicts_within(*deadline, || async {
            let org = match store.org_versioned(id).await {
                Err(StoreError::Broken(error)) => {
                    tracing::error!(org = %id, error = chain(&error), "an org can't be marked for newer zone rules");
                    None
                }
                loaded => loaded?.map(|org| org.value),
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

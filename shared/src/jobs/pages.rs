//! Reads complete lists, or leaves the org to the next call.

use std::{ops::ControlFlow, time::Duration};

use super::sweep::Sweep;
use crate::{
    error::chain,
    failure::Failure,
    retry::{self, Retryable},
    store::{Page, StoreError},
};

/// The time to report that one call cannot read an org.
const FINAL_STEP_RESERVE: Duration = Duration::from_secs(3);

/// Reads, with up to two retries while the store is unavailable and time is left.
pub async fn retry_unavailable<T, F>(sweep: &Sweep<'_>, read: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    const RETRIES: usize = 2;
    const FIRST_PAUSE: Duration = Duration::from_secs(1);
    const PAUSE_MAX: Duration = Duration::from_secs(2);

    read.retry(retry::backoff(FIRST_PAUSE, PAUSE_MAX).with_max_times(RETRIES))
        .when(|error| matches!(error, StoreError::Unavailable(_)) && !sweep.is_near_deadline())
        .notify(|error, _| tracing::warn!(error = chain(error), "a read is retried"))
        .await
}

/// Passes every row of a list to `take`, page by page, until `take` breaks.
pub async fn for_each_row<T, F>(
    sweep: &Sweep<'_>,
    page: impl Fn(Option<String>) -> F,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) -> Result<(), Failure>
where
    F: Future<Output = Result<Page<T>, StoreError>>,
{
    let mut after = None;
    loop {
        check_time(sweep)?;
        let Page { rows, next } = retry_unavailable(sweep, || page(after.clone())).await?;
        if rows.into_iter().try_for_each(|row| take(row.value)).is_break() || next.is_none() {
            return Ok(());
        }
        after = next;
    }
}

/// Fails if there is no time left for another page.
///
/// If the call has made progress, the failure is transient and the next call reads the org. Otherwise the org had a
/// whole call to itself, and another call would have no more time. The failure is then internal, and the sweep
/// continues with other orgs.
pub fn check_time(sweep: &Sweep<'_>) -> Result<(), Failure> {
    if sweep.should_stop() {
        return Err(Failure::unavailable("no time is left for the org"));
    }
    if sweep.deadline.remaining() < FINAL_STEP_RESERVE {
        return Err(Failure::internal("the org is more than one call can read"));
    }
    Ok(())
}

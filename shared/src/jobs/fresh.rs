//! Commits of values that a list returned. A list may lag behind the stored value.

use crate::{
    clock::Deadline,
    failure::{Failure, retry_conflicts_within},
};

/// Commits a change of a listed value.
///
/// After a conflict, or without a usable listed value, `load` reads the stored value and the change is decided again.
/// Returns `None` if no change is needed or the value no longer exists.
pub async fn commit_listed<V, T, L, C>(
    deadline: Deadline,
    mut listed: Option<V>,
    load: impl Fn() -> L,
    commit: impl Fn(V) -> C,
) -> Result<Option<T>, Failure>
where
    L: Future<Output = Result<Option<V>, Failure>>,
    C: Future<Output = Result<Option<T>, Failure>>,
{
    retry_conflicts_within(deadline, || {
        let (listed, load, commit) = (listed.take(), &load, &commit);
        async move {
            let value = match listed {
                Some(value) => Some(value),
                None => load().await?,
            };
            match value {
                Some(value) => commit(value).await,
                None => Ok(None),
            }
        }
    })
    .await
}

//! A run: the due index, shard by shard side by side, page by page.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use deserr::Deserr;
use futures::{future::join_all, lock};
use shared::{
    clock::Stopwatch,
    domain::{
        bundle::transition::Transition,
        ids::{BundleId, OrgId},
        org::Org,
    },
    event::{
        Call,
        cursor::{Cursor, Scope},
    },
    failure::Failure,
    host::{Context, Reply},
    store::{Due, DueItem, Listed, RezoneMark, Row},
    upkeep::{AT_ONCE, Upkeep, Upkept},
};

use crate::{
    answer::{Answer, Changed, Failed, Found},
    progress::Progress,
};

/// Bundles in a page.
const PAGE: usize = 100;

/// What a chunk of a page, and the answer, may take.
const MARGIN: Duration = Duration::from_secs(5);

/// A run that has found so much stops and hands on: an answer has a largest size.
const ENOUGH: usize = 5_000;

#[derive(Deserr)]
#[deserr(rename_all = camelCase, deny_unknown_fields)]
struct Request {
    #[deserr(default)]
    org_id: Option<OrgId>,
    #[deserr(default)]
    cursor: Option<Cursor>,
    #[deserr(default)]
    dry_run: bool,
}

/// One call, its part of a run.
struct Run<'a> {
    upkeep: Upkeep<'a>,
    only: Option<OrgId>,
    /// Held while they are read, so that no two shards read one.
    orgs: lock::Mutex<HashMap<OrgId, Option<Arc<Org>>>>,
    found: Mutex<Found>,
}

pub(crate) async fn handle(context: &Context, call: Call) -> Result<Reply, Failure> {
    let watch = Stopwatch::start();
    let operation = call.operation.name;
    let Request { org_id, cursor, dry_run } = call.read()?;
    let scope = Scope { operation, org: org_id.as_ref().map_or("", OrgId::as_str), of: "" };
    let progress = match cursor {
        Some(cursor) => Progress::read(&scope.position(&cursor)?)?,
        None => Progress::begin(context.now),
    };
    if let Some(org_id) = &org_id {
        context.org(org_id).await?;
    }

    let upkeep = Upkeep { store: &context.store, now: progress.began(), deadline: context.deadline, dry_run };
    let run = Run { upkeep, only: org_id.clone(), orgs: lock::Mutex::default(), found: Mutex::default() };
    let ends = join_all(progress.shards().map(|(shard, after)| run.shard(shard, after))).await;
    // A shard that can't be read fails the call: it is made again, and finds the others done.
    let left = ends.into_iter().collect::<Result<Vec<_>, Failure>>()?.into_iter().flatten().collect();

    let cursor = progress.left(left).map(|left| scope.cursor(&left.position()));
    let found = run.found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let figures = [("TransitionsPerformed", found.transitions.len()), ("ErrorsEncountered", found.errors.len())];
    let reply = Reply::ok(&Answer::new(found, watch.elapsed(), cursor));
    let measured = figures.into_iter().map(|(name, count)| (name, i64::try_from(count).unwrap_or(i64::MAX)));
    Ok(measured.fold(reply, |reply, (name, count)| if dry_run { reply } else { reply.measuring(name, count) }))
}

impl Run<'_> {
    /// Works through a shard; answers where it goes on if it had to stop.
    async fn shard(&self, shard: u8, mut after: Option<String>) -> Result<Option<(u8, Option<String>)>, Failure> {
        let Upkeep { store, now, deadline, .. } = self.upkeep;
        loop {
            let page = store.due(shard, now, after.as_deref(), PAGE).await?;
            let wanted = |row: &Row<Due>| self.only.as_ref().is_none_or(|only| row.value.org == *only);
            self.learn(page.rows.iter().filter(|row| wanted(row)).map(|row| &row.value.org)).await?;
            for rows in page.rows.chunks(AT_ONCE) {
                if deadline.left() < MARGIN || self.is_enough() {
                    return Ok(Some((shard, after)));
                }
                join_all(rows.iter().filter(|row| wanted(row)).map(|row| self.one(&row.value))).await;
                after = rows.last().map(|row| row.position.clone());
            }
            if page.next.is_none() {
                return Ok(None);
            }
            after = page.next;
        }
    }

    /// Loads those orgs that this call has not met yet.
    async fn learn(&self, orgs: impl Iterator<Item = &OrgId>) -> Result<(), Failure> {
        let mut known = self.orgs.lock().await;
        let mut new: Vec<OrgId> = orgs.filter(|org| !known.contains_key(org)).cloned().collect();
        new.sort();
        new.dedup();
        if new.is_empty() {
            return Ok(());
        }
        let found = self.upkeep.store.orgs_now(&new).await?;
        known.extend(new.into_iter().map(|org| (org, None)));
        let there = found.into_iter().map(|org| org.value).filter(|org| !org.deleting);
        known.extend(there.map(|org| (org.id.clone(), Some(Arc::new(org)))));
        Ok(())
    }

    async fn one(&self, due: &Due) {
        // Of an org that is gone, or going, nothing is on record any more.
        let Some(org) = self.orgs.lock().await.get(&due.org).cloned().flatten() else {
            return;
        };
        match &due.what {
            DueItem::Bundle(Listed::Readable(image)) => {
                let bundle = image.value.id.clone();
                let outcome = self.upkeep.bundle(&org, image.as_ref().clone()).await;
                self.note(&org.id, bundle, outcome);
            }
            DueItem::Bundle(Listed::Unreadable { bundle, why }) => {
                self.note(&org.id, bundle.clone(), Err(Failure::Bug(why.clone())));
            }
            DueItem::Rezone(mark) => self.rezone(&org, mark).await,
        }
    }

    /// Finishes what a change of an org's time zone has begun.
    async fn rezone(&self, org: &Org, mark: &RezoneMark) {
        let ended = async {
            let (upkept, complete) = self.upkeep.rezone(org).await?;
            // What can't be read can't be judged; it is reported once, not with every run.
            let again = |failure: &Failure| matches!(failure, Failure::Retry(_));
            let done = complete && !upkept.iter().any(|upkept| upkept.outcome.as_ref().is_err_and(again));
            for Upkept { bundle, outcome } in upkept {
                self.note(&org.id, bundle, outcome);
            }
            if done && !self.upkeep.dry_run {
                self.upkeep.store.end_rezone(org, mark).await?;
            }
            Ok::<_, Failure>(())
        };
        if let Err(failure) = ended.await {
            tracing::warn!(org = %org.id, ?failure, "bundles are still to be judged by the new time zone");
        }
    }

    /// Keeps what came of a bundle for the answer, and logs it.
    fn note(&self, org: &OrgId, bundle: BundleId, outcome: Result<Vec<Transition>, Failure>) {
        match outcome {
            Ok(transitions) => {
                for transition in &transitions {
                    let (from, to) = (transition.from.name(), transition.to.name());
                    tracing::info!(%org, %bundle, from, to, at = %transition.at, dry_run = self.upkeep.dry_run, "transition");
                }
                let changed = transitions.into_iter().map(|transition| Changed {
                    org_id: org.clone(),
                    bundle_id: bundle.clone(),
                    transition,
                });
                with(&self.found, |found| found.transitions.extend(changed));
            }
            Err(failure) => {
                tracing::error!(%org, %bundle, ?failure, "not brought up to date");
                let error = failure.code();
                let failed = Failed { org_id: org.clone(), bundle_id: bundle, error };
                with(&self.found, |found| found.errors.push(failed));
            }
        }
    }

    fn is_enough(&self) -> bool {
        with(&self.found, |found| found.transitions.len() + found.errors.len() >= ENOUGH)
    }
}

fn with<T, R>(what: &Mutex<T>, look: impl FnOnce(&mut T) -> R) -> R {
    look(&mut what.lock().unwrap_or_else(PoisonError::into_inner))
}

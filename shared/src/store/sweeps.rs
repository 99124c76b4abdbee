//! What is on record of sweeps over all orgs: how far one is that had to stop, for those who can't hand a cursor on, and when
//! the last one ended, for those who watch that they go on. And by which zone rules bundles are judged.

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata, operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue,
};
use chrono::{DateTime, Utc};

use super::{
    Item, Store, StoreError,
    keys::{self, Key, text},
    transact::Change,
};
use crate::domain::{ids::OrgId, org::Org, time, zone};

const POSITION: &str = "position";
const ENDED: &str = "ended";

const MARKED: &str = "marked";
const MARKING: &str = "marking";
const AFTER: &str = "after";

/// What the job that runs most often watches, besides what is due.
#[derive(Debug)]
pub struct Watched<const N: usize> {
    /// Since when the next sweep by each of some operations is waited for.
    pub waited_since: [DateTime<Utc>; N],
    /// Where marking all orgs goes on, if their bundles are to be judged by newer zone rules.
    pub newer_rules: Option<Marking>,
}

/// How far all orgs are marked, for their bundles to be judged by newer zone rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marking {
    /// The last org that is; `None`: none yet.
    pub after: Option<OrgId>,
}

const NOT_OUTLASTED: &str = "attribute_not_exists(ended) OR ended <= :new";

/// One that began later is not put back by one that began before.
const NOT_OUTDONE: &str = "attribute_not_exists(began) OR began <= :new";

impl Store {
    /// Where the last sweep by this operation goes on, if it has not ended.
    pub async fn sweep_position(&self, operation: &str) -> Result<Option<String>, StoreError> {
        let [item] = self.get([&keys::sweep(operation)]).await?;
        Ok(item.and_then(|item| item.get(POSITION)?.as_s().ok().cloned()))
    }

    /// Keeps where a sweep that began then goes on (`None`: it has ended), unless one that began later has said so.
    pub async fn keep_sweep_position(
        &self,
        operation: &str,
        began: DateTime<Utc>,
        position: Option<&str>,
    ) -> Result<(), StoreError> {
        let update = self.update_unless(&keys::sweep(operation), NOT_OUTDONE, text(&time::text(began)));
        self.unless_outdone(
            match position {
                Some(position) => {
                    let update = update.update_expression("SET began = :new, #position = :position");
                    update.expression_attribute_values(":position", text(position))
                }
                None => update.update_expression("SET began = :new REMOVE #position"),
            }
            // `position` is a reserved word.
            .expression_attribute_names("#position", POSITION),
        )
        .await
    }

    /// Puts on record when a sweep by this operation ended, unless a later one has.
    pub async fn end_sweep(&self, operation: &str, ended: DateTime<Utc>) -> Result<(), StoreError> {
        let update = self.update_unless(&keys::sweep_ended(operation), NOT_OUTLASTED, text(&time::text(ended)));
        self.unless_outdone(update.update_expression("SET ended = :new")).await
    }

    /// An update of an item, not a put: attributes that are not known here stay.
    fn update_unless(&self, key: &Key, condition: &str, new: AttributeValue) -> UpdateItemFluentBuilder {
        let update = self.client.update_item().table_name(self.table.as_ref()).set_key(Some(key.to_item()));
        update.condition_expression(condition).expression_attribute_values(":new", new)
    }

    async fn unless_outdone(&self, update: UpdateItemFluentBuilder) -> Result<(), StoreError> {
        match update.send().await {
            Err(error) if error.code() != Some("ConditionalCheckFailedException") => Err(error.into()),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Since when the next sweep by each of some operations is waited for: when the last one ended, or, before the first,
    /// when this was first asked, which is put on record. In the same read: whether the zone rules of this process are newer
    /// than those by which bundles are judged.
    pub async fn watched<const N: usize>(
        &self,
        operations: [&str; N],
        now: DateTime<Utc>,
    ) -> Result<Watched<N>, StoreError> {
        let (ended, zone_data) = (operations.map(keys::sweep_ended), keys::zone_data());
        let wanted: Vec<_> = ended.iter().chain([&zone_data]).collect();
        let found = self.get_all(&wanted).await?;
        let item = |key: &Key| found.iter().find(|item| key.is_of(item));
        let mut since = [now; N];
        for ((operation, key), since) in operations.into_iter().zip(&ended).zip(&mut since) {
            match item(key) {
                // The state machine writes the clock of its own service, with as many decimals as that gives.
                Some(item) => {
                    let ended = item.get(ENDED).and_then(|ended| time::parse(ended.as_s().ok()?).ok());
                    *since =
                        ended.ok_or_else(|| StoreError::broken(format!("when {operation} ended can't be read")))?;
                }
                None => self.end_sweep(operation, now).await?,
            }
        }
        let is_first = ended.iter().chain([&zone_data]).all(|key| item(key).is_none());
        let newer_rules = match marking(item(&zone_data)) {
            // Nothing was ever judged but by these rules.
            Some(_) if is_first => {
                self.keep_marking(None).await?;
                None
            }
            marking => marking,
        };
        Ok(Watched { waited_since: since, newer_rules })
    }

    /// Marks orgs: all bundles of each are judged anew by the job, as after a change of its zone. It
    /// must still be there.
    pub async fn mark_for_newer_rules(&self, org: &Org, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.transaction(org);
        transaction.record_time_zone_change(org.profile.timezone, now)?;
        transaction.check(&keys::org(&org.id), Change::default().require_present("version"))?;
        transaction.commit().await
    }

    /// Keeps how far all orgs are marked for the zone rules of this process; `None`: all of them are.
    pub async fn keep_marking(&self, marking: Option<&Marking>) -> Result<(), StoreError> {
        let (key, data) = (keys::zone_data().to_item(), text(zone::data_version()));
        let update = self.client.update_item().table_name(self.table.as_ref()).set_key(Some(key));
        let update = if let Some(Marking { after }) = marking {
            let after = text(after.as_ref().map_or("", OrgId::as_str));
            let update = update.update_expression("SET marking = :data, #after = :after");
            update.expression_attribute_values(":after", after)
        } else {
            update.update_expression("SET marked = :data REMOVE marking, #after")
        };
        let update = update.expression_attribute_names("#after", AFTER);
        update.expression_attribute_values(":data", data).send().await.map(drop).map_err(Into::into)
    }
}

/// Where marking goes on by what is on record of it; `None`: bundles are judged by these rules, or by newer ones.
fn marking(item: Option<&Item>) -> Option<Marking> {
    let attribute = |name: &str| Some(item?.get(name)?.as_s().ok()?.as_str());
    let data = zone::data_version();
    // Releases sort as texts. Processes with older rules leave what newer ones have done.
    let is_newer = |name: &str| attribute(name).is_some_and(|at| at > data);
    if attribute(MARKED).is_some_and(|marked| marked >= data) || is_newer(MARKING) {
        return None;
    }
    let is_begun = attribute(MARKING) == Some(data);
    let after = attribute(AFTER).filter(|_| is_begun).and_then(|after| OrgId::try_from(after.to_owned()).ok());
    Some(Marking { after })
}

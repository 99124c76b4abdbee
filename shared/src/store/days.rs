//! The records of closed days of orgs.

use chrono::NaiveDate;

use super::{
    attributes::number,
    error::StoreError,
    items::{
        closed_day::{COUNTED, ClosedDayForm, unread_day},
        form,
    },
    keys,
    pages::{PartitionList, PositionForm},
    rows::{HistoryRow, Page},
    table::Store,
    transact::{Change, Transaction},
};
use crate::domain::{
    ids::OrgId,
    liability::{ClosedDay, LateDay},
    time,
};

/// Days, both included.
#[derive(Debug, Clone, Copy, Default)]
pub struct DayRange {
    /// The first day. `None` for the first on record.
    pub from: Option<NaiveDate>,
    /// The last day. `None` for the last on record.
    pub to: Option<NaiveDate>,
}

fn day_list(org: &OrgId, is_newest_first: bool) -> PartitionList {
    let position = PositionForm::Id(|text| time::parse_day(text).is_ok());
    PartitionList { pk: keys::org_partition(org), sk_prefix: keys::DAY_PREFIX, is_newest_first, position }
}

impl Store {
    /// The newest records of an org, newest first.
    pub async fn newest_days(&self, org: &OrgId, limit: usize) -> Result<Vec<ClosedDay>, StoreError> {
        let read = |item| form::read::<ClosedDayForm, _>("a closed day", item);
        let page = self.partition_page(&day_list(org, true), None, limit, read).await?;
        Ok(page.rows.into_iter().map(|row| row.value).collect())
    }

    /// A page of the records of an org, oldest first.
    pub async fn closed_days(
        &self,
        org: &OrgId,
        DayRange { from, to }: DayRange,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<HistoryRow<ClosedDay>>, StoreError> {
        let list = day_list(org, false);
        // A list begins after a position, whether or not there is an item at it. There is no position before 1970.
        let before = from.and_then(|from| from.pred_opt()).map(|day| day.to_string());
        let before = before.filter(|day| time::parse_day(day).is_ok());
        let after = after.max(before.as_deref());
        let mut page = self
            .partition_page(&list, after, limit, |item| {
                let read = form::read::<ClosedDayForm, _>("a closed day", item.clone());
                Ok(HistoryRow::from_read(read, || unread_day(&item)))
            })
            .await?;
        if let Some(last) = to.map(|to| to.to_string()) {
            // Dates sort as texts.
            let found = page.rows.len();
            page.rows.retain(|row| row.position <= last);
            page.next = page.next.filter(|next| page.rows.len() == found && *next < last);
        }
        Ok(page)
    }
}

impl Transaction<'_> {
    /// Records an unrecorded day of an org, which must exist. `late` are the earlier days whose late
    /// entries the record counts.
    pub fn close_day(&mut self, day: &ClosedDay, late: &[LateDay]) -> Result<(), StoreError> {
        let org = &self.org.id;
        let key = keys::closed_day(org, day.date);
        self.check(&keys::org(org), Change::default().require_present("pk"))?;
        for LateDay { date, counted, found } in late {
            let change = Change::default().set(COUNTED, number(found.0)).require(COUNTED, "=", number(counted.0));
            self.update(&keys::closed_day(org, *date), change)?;
        }
        self.create(&key, None, &ClosedDayForm::from(day))
    }
}

//! Past orders from a CSV file: each row checked, the good ones grouped by customer in the order of their dates.

use std::{collections::BTreeMap, fs::File, path::Path};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;
use shared::domain::{
    ids::{CustomerId, OrderId},
    money::Money,
    rate::plain_decimal,
    time,
};

/// One order of the file.
#[derive(Debug)]
pub(crate) struct PastOrder {
    /// Where it stands in the file; the header is line 1.
    pub(crate) line: u64,
    pub(crate) id: OrderId,
    pub(crate) customer: CustomerId,
    pub(crate) fulfilled_at: DateTime<Utc>,
    pub(crate) total: Money,
}

/// A row that is not loaded, and why.
#[derive(Debug)]
pub(crate) struct BadRow {
    pub(crate) line: u64,
    pub(crate) why: String,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct PastOrders {
    /// By customer, each in the order of their dates, those of one date in the order of the file.
    pub(crate) by_customer: BTreeMap<CustomerId, Vec<PastOrder>>,
    pub(crate) bad_rows: Vec<BadRow>,
}

impl PastOrders {
    /// How many orders there are to load.
    pub(crate) fn count(&self) -> usize {
        self.by_customer.values().map(Vec::len).sum()
    }
}

#[derive(Deserialize)]
struct Row<'a> {
    order_id: &'a str,
    customer_id: &'a str,
    fulfilled_at: Option<&'a str>,
    date: Option<&'a str>,
    amount: &'a str,
}

/// Reads a file. A file that can't be read, or has not the columns, is an error; a row that is wrong is a bad row.
pub(crate) fn read(file: &Path) -> Result<PastOrders, String> {
    let name = file.display();
    let opened = File::open(file).map_err(|error| format!("{name}: {error}"))?;
    // Rows of uneven length are read as far as they go and refused one by one.
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(opened);
    let headers = reader.headers().map_err(|error| format!("{name}: {error}"))?.clone();
    let has = |column: &str| headers.iter().any(|header| header == column);
    let missing: Vec<_> = ["order_id", "customer_id", "amount"].into_iter().filter(|column| !has(column)).collect();
    if !missing.is_empty() {
        return Err(format!("{name}: no column {}", missing.join(", ")));
    }
    if !has("date") && !has("fulfilled_at") {
        return Err(format!("{name}: no column date or fulfilled_at"));
    }

    let mut orders = PastOrders::default();
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                match parse(&record, &headers, line) {
                    Ok(order) => orders.by_customer.entry(order.customer.clone()).or_default().push(order),
                    Err(why) => orders.bad_rows.push(BadRow { line, why }),
                }
            }
            Err(error) if error.is_io_error() => return Err(format!("{name}: {error}")),
            Err(error) => orders.bad_rows.push(BadRow { line, why: error.to_string() }),
        }
    }
    orders.by_customer.values_mut().for_each(|orders| orders.sort_by_key(|order| order.fulfilled_at));
    Ok(orders)
}

fn parse(record: &csv::StringRecord, headers: &csv::StringRecord, line: u64) -> Result<PastOrder, String> {
    let row: Row<'_> = record.deserialize(Some(headers)).map_err(|_| "some columns are missing".to_owned())?;
    let at = row.fulfilled_at.or(row.date).ok_or("has no date")?;
    let named = |column: &str, rule: &str| format!("{column} {rule}");
    Ok(PastOrder {
        line,
        id: row.order_id.to_owned().try_into().map_err(|rule| named("order_id", rule))?,
        customer: row.customer_id.to_owned().try_into().map_err(|rule| named("customer_id", rule))?,
        fulfilled_at: instant(at)
            .ok_or_else(|| format!("{at:?} is neither a date as 1997-01-31 nor an RFC 3339 instant"))?,
        total: amount(row.amount).ok_or_else(|| named("amount", shared::domain::money::RULE))?,
    })
}

/// An instant, or a bare date, which is midnight UTC.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let midnight = text.parse::<NaiveDate>().ok().map(|date| date.and_time(NaiveTime::MIN).and_utc());
    midnight.or_else(|| time::parse(text).ok()).filter(|at| time::parse(&time::text(*at)).is_ok())
}

fn amount(text: &str) -> Option<Money> {
    plain_decimal(text).and_then(|value| Money::requested(value).ok())
}

//! Reads past orders from a CSV file, checks each row, and groups the orders by customer.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;
use shared::{
    clock,
    domain::{
        decimal::plain_decimal,
        ids::{CustomerId, OrderId},
        money::Money,
        time::{self, FutureTolerance},
    },
};

/// One order of the file.
#[derive(Debug)]
pub(crate) struct PastOrder {
    /// Line in the file; the header is line 1.
    pub(crate) line: u64,
    pub(crate) id: OrderId,
    pub(crate) customer: CustomerId,
    pub(crate) fulfilled_at: DateTime<Utc>,
    pub(crate) total: Money,
}

/// A row that cannot be loaded, with the reason.
#[derive(Debug)]
pub(crate) struct BadRow {
    pub(crate) line: u64,
    pub(crate) reason: String,
}

/// The contents of a file.
#[derive(Debug, Default)]
pub(crate) struct PastOrders {
    /// The orders of each customer by date, and in the order of the file within a date.
    pub(crate) by_customer: BTreeMap<CustomerId, Vec<PastOrder>>,
    pub(crate) bad_rows: Vec<BadRow>,
}

impl PastOrders {
    /// Splits the orders into the orders up to the cutoff and the orders after it. The bad rows stay with the first
    /// part.
    pub(crate) fn split_at(self, cutoff: DateTime<Utc>) -> (Self, Self) {
        let mut after = Self::default();
        let mut before = Self { bad_rows: self.bad_rows, ..Self::default() };
        for (customer, mut orders) in self.by_customer {
            let later = orders.split_off(orders.partition_point(|order| order.fulfilled_at <= cutoff));
            for (part, orders) in [(&mut before, orders), (&mut after, later)] {
                if !orders.is_empty() {
                    part.by_customer.insert(customer.clone(), orders);
                }
            }
        }
        (before, after)
    }

    /// Number of orders to load.
    pub(crate) fn count(&self) -> usize {
        self.by_customer.values().map(Vec::len).sum()
    }
}

#[derive(Deserialize)]
struct CsvRow<'a> {
    order_id: &'a str,
    customer_id: &'a str,
    fulfilled_at: Option<&'a str>,
    date: Option<&'a str>,
    amount: &'a str,
}

/// Reads a file. Fails if the file cannot be read or lacks a column. An invalid row becomes a bad row.
pub(crate) fn read_file(file: &Path) -> anyhow::Result<PastOrders> {
    let name = file.display();
    let text = fs::read(file).with_context(|| name.to_string())?;
    let mut lines = LineCounter::new(&text);
    // A row of another length must become a bad row, not end the reading.
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_slice());
    let headers = reader.headers().with_context(|| name.to_string())?.clone();
    let has_column = |column: &str| headers.iter().any(|header| header == column);
    let missing: Vec<_> =
        ["order_id", "customer_id", "amount"].into_iter().filter(|column| !has_column(column)).collect();
    if !missing.is_empty() {
        bail!("{name}: no column {}", missing.join(", "));
    }
    if !has_column("date") && !has_column("fulfilled_at") {
        bail!("{name}: no column date or fulfilled_at");
    }

    let mut orders = PastOrders::default();
    let mut record = csv::StringRecord::new();
    loop {
        let row_start = reader.position().byte();
        let read = reader.read_record(&mut record);
        let (line, last_line) = (lines.line_at(row_start), lines.line_up_to(reader.position().byte()));
        let parsed = match read {
            Ok(false) => break,
            Ok(true) => parse_row(&record, &headers, line),
            Err(error) => Err(error.into()),
        };
        match parsed {
            Ok(order) => orders.by_customer.entry(order.customer.clone()).or_default().push(order),
            Err(error) if last_line > line => {
                let reason = format!("{error:#} (the row goes on to line {last_line}: is a quote left open?)");
                orders.bad_rows.push(BadRow { line, reason });
            }
            Err(error) => orders.bad_rows.push(BadRow { line, reason: format!("{error:#}") }),
        }
    }
    orders.by_customer.values_mut().for_each(|orders| orders.sort_by_key(|order| order.fulfilled_at));
    Ok(orders)
}

/// Numbers lines as an editor does. The CSV reader's own count depends on the line endings.
struct LineCounter<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    const fn new(text: &'a [u8]) -> Self {
        Self { text, counted: 0, line: 1 }
    }

    /// The line of the first byte at or after `byte` that is not part of a line ending.
    fn line_at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        let blank_bytes = self.text.get(byte..).unwrap_or_default();
        let blank_bytes = blank_bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.count_to(byte.saturating_add(blank_bytes))
    }

    /// The line of the last byte before `byte` that is not part of a line ending.
    fn line_up_to(&mut self, byte: u64) -> u64 {
        let read = self.text.get(..usize::try_from(byte).unwrap_or(usize::MAX)).unwrap_or(self.text);
        self.count_to(read.trim_ascii_end().len())
    }

    fn count_to(&mut self, byte: usize) -> u64 {
        let bytes = self.text.get(self.counted..byte).unwrap_or_default();
        let byte_after = |index: usize| self.text.get(self.counted + index + 1);
        let line_ends = bytes.iter().enumerate().filter(|(index, byte)| match byte {
            b'\n' => true,
            b'\r' => byte_after(*index) != Some(&b'\n'),
            _ => false,
        });
        self.line += u64::try_from(line_ends.count()).unwrap_or(0);
        self.counted = self.counted.max(byte.min(self.text.len()));
        self.line
    }
}

fn parse_row(record: &csv::StringRecord, headers: &csv::StringRecord, line: u64) -> anyhow::Result<PastOrder> {
    let row: CsvRow<'_> = record.deserialize(Some(headers)).map_err(|_| anyhow!("some columns are missing"))?;
    let fulfilled_at = row.fulfilled_at.or(row.date).context("the date is missing")?;
    let in_column = |column: &str, rule: &str| anyhow!("{column} {rule}");
    Ok(PastOrder {
        line,
        id: row.order_id.to_owned().try_into().map_err(|rule| in_column("order_id", rule))?,
        customer: row.customer_id.to_owned().try_into().map_err(|rule| in_column("customer_id", rule))?,
        fulfilled_at: parse_fulfilled_at(fulfilled_at)?,
        total: parse_amount(row.amount).ok_or_else(|| in_column("amount", shared::domain::money::AMOUNT_RULE))?,
    })
}

/// Parses an instant, or a date, which means midnight UTC. Rejects an instant in the future.
fn parse_fulfilled_at(text: &str) -> anyhow::Result<DateTime<Utc>> {
    let is_date = text.len() == "1997-01-31".len();
    let date = text.parse::<NaiveDate>().ok().filter(|_| is_date);
    let fulfilled_at = date
        .map_or_else(|| time::parse(text), |date| time::parse(&time::text(date.and_time(NaiveTime::MIN).and_utc())));
    let fulfilled_at =
        fulfilled_at.map_err(|_| anyhow!("{text:?} is neither a date as 1997-01-31 nor an RFC 3339 instant"))?;
    let (ahead, _) = FutureTolerance::Day.bound();
    if fulfilled_at <= clock::now() + ahead { Ok(fulfilled_at) } else { bail!("{text:?} is yet to come") }
}

fn parse_amount(text: &str) -> Option<Money> {
    plain_decimal(text).and_then(|value| Money::from_request(value).ok())
}

//! Past orders from a CSV file: each row checked, the good ones grouped by customer in the order of their dates.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, anyhow, bail};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::Deserialize;
use shared::{
    clock,
    domain::{
        ids::{CustomerId, OrderId},
        money::Money,
        rate::plain_decimal,
        time::{self, FutureTolerance},
    },
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
    pub(crate) reason: String,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct PastOrders {
    /// By customer, each in the order of their dates, those of one date in the order of the file.
    pub(crate) by_customer: BTreeMap<CustomerId, Vec<PastOrder>>,
    pub(crate) bad_rows: Vec<BadRow>,
}

impl PastOrders {
    /// Those fulfilled up to an instant, and those after it; the bad rows stay with the first.
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

    /// How many orders there are to load.
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

/// Reads a file. A file that can't be read, or has not the columns, is an error; a row that is wrong is a bad row.
pub(crate) fn read_file(file: &Path) -> anyhow::Result<PastOrders> {
    let name = file.display();
    let text = fs::read(file).with_context(|| name.to_string())?;
    let mut lines = LineCounter::new(&text);
    // Rows of uneven length are read as far as they go and refused one by one.
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

/// Numbers lines as an editor does: the reader's own count depends on how lines end.
struct LineCounter<'a> {
    text: &'a [u8],
    counted: usize,
    line: u64,
}

impl<'a> LineCounter<'a> {
    const fn new(text: &'a [u8]) -> Self {
        Self { text, counted: 0, line: 1 }
    }

    /// The line of the first byte at or after this one that ends no line.
    fn line_at(&mut self, byte: u64) -> u64 {
        let byte = usize::try_from(byte).unwrap_or(usize::MAX);
        let blank_bytes = self.text.get(byte..).unwrap_or_default();
        let blank_bytes = blank_bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.count_to(byte.saturating_add(blank_bytes))
    }

    /// The line of the last byte before this one that ends no line.
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
    let fulfilled_at = row.fulfilled_at.or(row.date).context("has no date")?;
    let in_column = |column: &str, rule: &str| anyhow!("{column} {rule}");
    Ok(PastOrder {
        line,
        id: row.order_id.to_owned().try_into().map_err(|rule| in_column("order_id", rule))?,
        customer: row.customer_id.to_owned().try_into().map_err(|rule| in_column("customer_id", rule))?,
        fulfilled_at: parse_fulfilled_at(fulfilled_at)?,
        total: parse_amount(row.amount).ok_or_else(|| in_column("amount", shared::domain::money::RULE))?,
    })
}

/// An instant, or a bare date, which is midnight UTC. A past order has been fulfilled.
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
    plain_decimal(text).and_then(|value| Money::requested(value).ok())
}

//! Checks the weekly report: it counts every customer, each in one tier.

use anyhow::{Context, bail};
use back_office::customer_list::ListCustomers;
use shared::host::Success;
use weekly_report::{report::ReportWeek, view::WeekFiguresView};

use super::{
    expected::field,
    test_shop::{CheckResult, INDEX_LAG_MAX, TestShop, poll_until},
};
use crate::requests;

pub(crate) async fn check(shop: &TestShop) -> CheckResult {
    let all = async || -> anyhow::Result<Option<WeekFiguresView>> {
        let (customers, figures) = (count_customers(shop).await?, report_figures(shop).await?);
        Ok((figures.earning.of == customers && customers > 0).then_some(figures))
    };
    let Some(figures) = poll_until(INDEX_LAG_MAX, all).await? else {
        let counted = report_figures(shop).await?.earning.of;
        let customers = count_customers(shop).await?;
        bail!("the report of the org: expected {customers} customers, came {counted}");
    };
    let customers = figures.earning.of;
    let in_tiers: u64 = figures.tiers.iter().map(|tier| tier.share.count).sum();
    if in_tiers != customers {
        bail!("the report of the org: expected {customers} customers in its tiers, came {in_tiers}");
    }
    Ok(format!("the report has the last week of {customers} customers"))
}

async fn count_customers(shop: &TestShop) -> anyhow::Result<u64> {
    Ok(u64::try_from(shop.list::<ListCustomers>(requests::all_customers(&shop.org)).await?.len())?)
}

async fn report_figures(shop: &TestShop) -> anyhow::Result<WeekFiguresView> {
    let (label, request) = ("the report of the org", requests::report_of(&shop.org));
    let answer = shop.check::<ReportWeek>(label, &request, Success::Done, |answer| {
        let org = answer.orgs.first().map(|org| &org.org_id);
        vec![field("success", answer.success, true), field("orgs/0/orgId", org, &shop.org)]
    });
    let week = answer.await?.orgs.into_iter().next();
    week.map(|week| week.figures).with_context(|| format!("{label} has no figures"))
}

//! `ctl load` awards a purchase log. A second run changes nothing, and invalid rows are reported.

use std::{collections::BTreeMap, fs};

use harness::{
    audit::cents,
    customers::per_tier,
    programs::{self, LocalStack, ProgramOutput},
};
use serde_json::{Value, json};

const PURCHASE_LOG: &str = "tests/data/cdnow-sample.csv";

struct Shop {
    stack: LocalStack,
    http: reqwest::Client,
}

impl Shop {
    async fn open() -> Self {
        let shop = Self { stack: LocalStack::start(&[]).await, http: programs::http() };
        for (path, body) in [("/orgs/shop", json!({"name": "Shop"})), ("/orgs/shop/loyalty", json!({}))] {
            let put = shop.http.put(shop.back_office(path)).bearer_auth("local-secret").json(&body);
            assert_eq!(put.send().await.unwrap().status(), 201);
        }
        shop
    }

    fn back_office(&self, path: &str) -> String {
        format!("{}/lambda-url/back-office{path}", self.stack.url)
    }

    async fn load(&self, file: &str) -> ProgramOutput {
        let mut ctl = programs::command("ctl");
        programs::run(ctl.args(["load", file, "--org", "shop", "--url", &self.stack.url])).await
    }

    async fn get(&self, path: &str) -> Value {
        let get = self.http.get(self.back_office(path)).bearer_auth("local-secret");
        get.send().await.unwrap().json().await.unwrap()
    }

    async fn customers(&self) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("/orgs/shop/customers?limit=100{cursor}")).await;
            all.extend(page["customers"].as_array().unwrap().clone());
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}

impl Shop {
    /// The run lowers inactive customers, a second run changes nothing, and an order restores the tier.
    async fn recalculates_as_of_july_1998(&self) {
        let july = "1998-07-01T00:00:00Z";
        let at = |function: &str, path: &str| {
            let post = self.http.post(format!("{}/lambda-url/{function}{path}", self.stack.url));
            post.bearer_auth("local-secret").header("x-regulars-now", july)
        };
        let run = async || -> Value {
            at("tier-recalculation", "/").json(&json!({})).send().await.unwrap().json().await.unwrap()
        };
        let first = run().await;
        assert_eq!((&first["success"], first.get("cursor")), (&json!(true), None), "{first}");
        assert_eq!(first["results"][0]["customers"], 2_357);
        let customers = self.customers().await;
        let tiers = BTreeMap::from([("Bronze", 2_149), ("Silver", 145), ("Gold", 44), ("Platinum", 19)]);
        assert_eq!(per_tier(&customers), tiers);
        assert_eq!(run().await["summary"]["totalChanged"], 0);

        let lowered = customers
            .iter()
            .find(|customer| customer["tier"] == "Bronze" && cents(&customer["lifetimeValue"]) >= 50_000);
        let id = &lowered.expect("somebody fell from Gold or higher")["customerId"];
        let order = json!({"orgId": "shop", "customerId": id, "orderId": "back", "orderTotal": 1});
        let award: Value = at("points-award", "/awards").json(&order).send().await.unwrap().json().await.unwrap();
        assert_eq!((&award["tierChange"]["from"], &award["tierChange"]["cause"]), (&json!("Bronze"), &json!("order")));
        assert!(["Gold", "Platinum"].contains(&award["tier"].as_str().unwrap()), "{award}");
        assert_eq!(run().await["summary"]["totalChanged"], 0);
    }
}

fn scratch(text: &str) -> String {
    let file = std::env::temp_dir().join(format!("regulars-orders-{:016x}.csv", fastrand::u64(..)));
    fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_purchase_log_gives_the_same_points_and_tiers_when_loaded_twice() {
    let shop = Shop::open().await;
    let first = shop.load(PURCHASE_LOG).await;
    assert_eq!(first.code, Some(0), "{}", first.err);
    let summary = "6,919 orders awarded, 0 were there already, 0 rows not loaded; 2,357 customers created; 239,444 points for 244,091.94";
    assert!(first.out.starts_with(summary), "{}", first.out);
    let after_one = shop.customers().await;

    let second = shop.load(PURCHASE_LOG).await;
    let summary = "0 orders awarded, 6,919 were there already, 0 rows not loaded; 0 customers created; 239,444 points";
    assert!(second.out.starts_with(summary), "{}", second.out);
    let customers = shop.customers().await;
    assert_eq!(customers, after_one);

    let sum = |name: &str| customers.iter().map(|customer| customer[name].as_i64().unwrap()).sum::<i64>();
    assert_eq!((customers.len(), sum("orderCount"), sum("points")), (2_357, 6_919, 239_444));
    assert_eq!(customers.iter().map(|customer| cents(&customer["lifetimeValue"])).sum::<i64>(), 24_409_194);
    let tiers = BTreeMap::from([("Bronze", 2_077), ("Silver", 204), ("Gold", 56), ("Platinum", 20)]);
    assert_eq!(per_tier(&customers), tiers);

    shop.recalculates_as_of_july_1998().await;
}

#[tokio::test]
async fn bad_rows_are_reported_by_line_and_reason_and_the_rest_is_loaded() {
    let shop = Shop::open().await;
    let file = scratch(
        "order_id,customer_id,date,quantity,amount\n\
         o1,ada,2026-01-01,1,10.00\n\
         o#2,ada,2026-01-02,1,10.00\n\
         o3,ada,01/03/2026,1,10.00\n\
         o4,ada,2026-01-04,1,10.001\n\
         o5,ada,2026-01-05\n\
         \"o6\",\"ada\",2026-01-06T09:30:00+01:00,1,\"7.5\"\n\
         o1,ada,2026-01-07,1,99.00\n\
         o8,bo,2026-01-08,1,-3\n",
    );
    let ended = shop.load(&file).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let complaints: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("line ")).collect();
    let starts = |number: usize, start: &str| assert!(complaints[number].starts_with(start), "{}", complaints[number]);
    assert_eq!(complaints.len(), 6, "{}", ended.err);
    starts(0, "line 3: order_id must be 1 to 128 characters");
    starts(1, "line 4: \"01/03/2026\" is neither a date");
    starts(2, "line 5: amount must be an amount");
    starts(3, "line 6: some columns are missing");
    starts(4, "line 9: amount must be an amount");
    starts(5, "line 8: 409 idempotency_mismatch");
    assert!(
        ended.out.starts_with("2 orders awarded, 0 were there already, 6 rows not loaded; 1 customers created"),
        "{}",
        ended.out
    );
    let ada = shop.get("/orgs/shop/customers/ada").await;
    assert_eq!((&ada["points"], &ada["lastOrderAt"]), (&json!(17), &json!("2026-01-06T08:30:00.000Z")));
}

#[tokio::test]
async fn a_stopped_load_resumes_at_its_position() {
    let shop = Shop::open().await;
    let mut ctl = programs::command("ctl");
    let mut child = ctl.args(["load", PURCHASE_LOG, "--org", "shop", "--url", &shop.stack.url]).spawn().unwrap();
    let some = async { while shop.get("/orgs/shop/customers?limit=100").await["cursor"].is_null() {} };
    tokio::time::timeout(programs::WAIT_MAX, some).await.expect("customers appear");
    child.kill().await.unwrap();
    let rest = shop.load(PURCHASE_LOG).await;
    assert_eq!(rest.code, Some(0), "{}", rest.err);
    assert!(!rest.out.contains(" 0 were there already"), "something was there: {}", rest.out);
    assert!(!rest.out.starts_with("0 orders awarded"), "something was left: {}", rest.out);
    let points: i64 = shop.customers().await.iter().map(|customer| customer["points"].as_i64().unwrap()).sum();
    assert_eq!(points, 239_444);
}

#[tokio::test]
async fn an_unloadable_file_is_reported_in_one_clear_line() {
    let shop = Shop::open().await;
    for (file, says) in [
        ("missing.csv".to_owned(), "missing.csv"),
        (scratch("order_id,amount,date\n"), "no column customer_id"),
        (scratch("order_id,customer_id,amount\n"), "no column date or fulfilled_at"),
    ] {
        let ended = shop.load(&file).await;
        assert_eq!((ended.code, ended.err.lines().count()), (Some(1), 1), "{ended:?}");
        assert!(ended.err.contains(says), "{}", ended.err);
    }
    let mut ctl = programs::command("ctl");
    let elsewhere = programs::run(ctl.args(["load", PURCHASE_LOG, "--org", "nowhere", "--url", &shop.stack.url])).await;
    assert_eq!(
        (elsewhere.code, elsewhere.err.as_str()),
        (Some(1), "ctl: org nowhere: 404 unknown_org: There is no org with this id.\n")
    );
    let mut ctl = programs::command("ctl");
    let wrong = ctl.args(["load", PURCHASE_LOG, "--org", "shop", "--url", &shop.stack.url]).env("CRON_SECRET", "wrong");
    assert!(programs::run(wrong).await.err.contains("401 unauthorized"));
}

#[tokio::test]
async fn the_demo_shows_its_results_and_the_next_steps() {
    let log = "o1,ada,2026-01-01,250\no2,bo,2026-01-02,10.50\no3,cy,1998-05-01,300\n";
    let file = scratch(&format!("order_id,customer_id,date,amount\n{log}"));
    // The program that `make run` uses.
    let mut stack = programs::command("local");
    let demo = programs::binary("demo");
    let stack = stack.args(["--port", "0", "--", demo.to_str().unwrap(), &file]).env("CRON_SECRET", "nobodys-business");
    let ended = programs::run(stack).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let row = |name: &str| {
        let line = ended.out.lines().find(|line| line.trim_start().starts_with(name));
        line.unwrap_or_else(|| panic!("no {name} in {}", ended.out)).rsplit(' ').next().unwrap().to_owned()
    };
    let rows = ["orders ", "customers ", "points outstanding", "lifetime value", "Bronze ", "Silver ", "Gold "];
    assert_eq!(rows.map(row), ["3", "3", "560", "560.50", "1", "2", "0"]);
    assert!(ended.out.contains("3 customers, 0 promoted, 0 lowered"), "{}", ended.out);
    // On the date of the predictions the org had no customers.
    let nobody = ["critical           0           -           -", "low                0           -           -"];
    assert!(nobody.iter().all(|row| ended.out.contains(row)), "{}", ended.out);
    assert!(
        ended.out.contains("curl -s -H \"Authorization: Bearer $CRON_SECRET\" 'http://127.0.0.1:"),
        "{}",
        ended.out
    );
    assert!(!ended.out.contains("nobodys-business"));

    for line in [
        "  all-week           1       1        57    313.50  expired     48 customer_limit_reached",
        "  happy-hour         5       5        10     55.00  expired     95 bundle_not_active",
        "  first-forty        2       2        40    220.00  expired     15 bundle_not_active, 49 limit_reached",
        "  1998-07-11 16:00  first-forty    expired -> active    redemption voided",
        "  cy             300     $60.00     500  insufficient_points",
        // Orders of another time than the demonstration's can't be spent yet.
        "  ada              0     $40.00     250  insufficient_points",
        "  cy        a refund of $30.00                       -30",
        "  cy        the card declined the refund             +30",
        "  cy        the order was edited to $95.00           +15",
        "  cy        another org: 1 point for each $3         +26        26",
        "  1998-05          300         0         0           300",
        "The account of cy: 395 points, 300 available, 95 pending, 0 held",
        "      300 expire at 1999-05-01 04:00",
        "  15:14:59    till-6 is left, a second before the end          200     100      395",
        "  15:15:00    the hold of till-6 has lapsed                    300       0      395",
        "  15:24:00    till-7 is paid: $5.00 off                        200       0      295",
        "The job at 01:00 on 15 July 1998: 0 expired points of 0 customers recorded",
    ] {
        assert!(ended.out.contains(line), "{line}\n{}", ended.out);
    }
}

#[tokio::test]
async fn the_weekly_report_of_the_demo_matches_its_ledgers() {
    let stack = LocalStack::start(&[]).await;
    let known = (1..=25).chain(100..=110).map(|number| format!("o{number},c{number:04},1998-06-01,40\n"));
    let file = scratch(&format!("order_id,customer_id,date,amount\n{}", known.collect::<String>()));
    let demo = programs::run(programs::command("ctl").args(["demo", &file, "--url", &stack.url])).await;
    assert_eq!(demo.code, Some(0), "{demo:?}");

    let http = programs::http();
    let read = async |path: String| -> Value {
        let request = http.get(format!("{}/lambda-url/{path}", stack.url)).bearer_auth("local-secret");
        request.send().await.unwrap().json().await.unwrap()
    };
    let is_in_week = |at: &Value| ("1998-07-06T04".."1998-07-13T04").contains(&at.as_str().unwrap());
    let customers = read("back-office/orgs/demo/customers?limit=100".into()).await["customers"].clone();
    let customers = customers.as_array().unwrap();
    let (mut awards, mut earners) = (0, 0);
    for customer in customers {
        let id = customer["customerId"].as_str().unwrap();
        let entries = read(format!("back-office/orgs/demo/customers/{id}/activity?limit=100")).await;
        assert!(entries.get("cursor").is_none(), "a page holds them");
        let entries = entries["entries"].as_array().unwrap();
        let earned = entries.iter().filter(|entry| entry["kind"] == "points_earned" && is_in_week(&entry["at"]));
        let earned = earned.count();
        awards += earned;
        earners += usize::from(earned > 0);
    }
    let mut redeemed = 0;
    for bundle in ["all-week", "happy-hour", "late-night", "first-forty", "recalled"] {
        let page = read(format!("bundle-redemption/redemptions?orgId=demo&bundleId={bundle}&limit=100")).await;
        assert!(page.get("cursor").is_none(), "a page holds them");
        let held_tier = page["redemptions"].as_array().unwrap().iter().filter(|row| row["voidedAt"].is_null());
        redeemed += held_tier.filter(|row| is_in_week(&row["redeemedAt"])).count();
    }
    assert!(awards > redeemed && redeemed > 100 && earners > 30, "{awards} {redeemed} {earners}");
    let all = customers.len();
    for line in [
        "1998-07-06 to 1998-07-12".to_owned(),
        format!("  bundles redeemed          {redeemed}, "),
        format!("  orders awarded            {awards}, "),
        format!("  customers earning         {earners} of {all}, "),
    ] {
        assert!(demo.out.contains(&line), "{line}\n{}", demo.out);
    }
}

#[tokio::test]
async fn line_numbers_match_an_editor_for_every_line_ending() {
    let shop = Shop::open().await;
    for (number, ending) in ["\n", "\r\n", "\r"].into_iter().enumerate() {
        let rows = [
            "order_id,customer_id,date,amount",
            "",
            "",
            &format!("a{number},ada,1997-01-01,bad"),
            &format!("b{number},ada,1997-01-01,10"),
            &format!("c{number},ada,2999-01-01,10"),
            &format!("d{number},ada,1997-01-01,\"10"),
            &format!("e{number},ada,1997-01-01,10"),
        ];
        let ended = shop.load(&scratch(&rows.join(ending))).await;
        let complaints: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("line ")).collect();
        let begins =
            |number: usize, start: &str| assert!(complaints[number].starts_with(start), "{ending:?}: {}", ended.err);
        begins(0, "line 4: amount must be");
        begins(1, "line 6: \"2999-01-01\" is yet to come");
        begins(2, "line 7: amount must be");
        assert!(complaints[2].ends_with("(the row goes on to line 8: is a quote left open?)"), "{ended:?}");
        assert!(ended.out.starts_with("1 orders awarded, 0 were there already, 3 rows not loaded"), "{ended:?}");
    }
}

//! The body of a request.
//!
//! The instructions are the same in every request, come first and are marked as cacheable. The figures follow in the
//! user's message.
//!
//! The instructions are longer than the shortest prompt that the default model caches (512 tokens). A model with a
//! higher minimum does not cache them. The schema is the same for any number of customers, because the API caches a
//! prompt separately for each schema.
//!
//! Temperature, effort and thinking are not set, because some models reject the values that others need. The model may
//! therefore think before it answers, and its thinking counts towards `max_tokens`.

use serde::Serialize;
use serde_json::json;

use super::input::ClaudeInput;

/// The tokens reserved for the model's thinking.
const THINKING_TOKENS: usize = 8_000;

/// The tokens reserved for one verdict.
const VERDICT_TOKENS: usize = 300;

const INSTRUCTIONS: &str = "\
You judge how likely customers of a retail shop are to leave. The message holds JSON: `horizonDays`, and `customers`, a \
list of customers under running numbers, each with the figures known about them. Judge every customer by their own \
figures alone; the customers of one message have nothing to do with each other.

A customer leaves if they place no order within the coming `horizonDays` days. Everybody in the list has ordered within \
the last `horizonDays` days, so nobody has left yet. For each customer, give the probability, from 0 to 100, that they \
will place no order within the coming `horizonDays` days. Use the whole range and up to two decimals: among customers \
whom you give 30, about 30 in 100 should turn out to have left.

The figures:
- `daysSinceLastOrder`: whole days since the last order. It means little by itself: hold it against how often this \
customer orders. Forty days are long for somebody who orders weekly, and nothing for somebody who orders twice a year.
- `orders`: how many orders there were. A customer with one order has not yet shown that they come back, and most such \
customers do not.
- `lifetimeValue` and `averageOrderValue`: what all orders, and an order on average, came to, in the shop's currency.
- `daysSinceFirstOrder`: whole days since the first order: how long there has been anything to observe. Over a short \
time, few orders say little.
- `ordersPerMonth`: orders for each month since the first order, at least one month.
- `trend`: whether the recent orders follow each other at shorter (`increasing`), equal (`stable`) or longer \
(`declining`) intervals.
- `segment`: what the shop calls such a customer: `new`, `loyal`, `frequent`, `high_value` and `vip` are good customers \
of different kinds; `slipping`, `at_risk` and `churned` have not ordered for 30, 60 and 90 days.
- `tier`: the name of their level in the shop's loyalty programme. Names differ from shop to shop and need not tell an \
order.
- `points`: their balance of loyalty points. Points not yet spent are a reason to come back; a balance below zero is the \
rest of a refund.
- `statisticalProbability`: the same probability, as a statistical model of purchase histories has worked it out from \
the number and the times of the orders alone, fitted to this shop's customers. It is well calibrated on average. Treat it \
as strong evidence: start from it, and move away from it only as far as figures that it does not know (amounts, trend, \
points, tier) give you a reason to.

Then word the reasoning: one sentence in English, at most 200 characters, for a marketer who decides whom to write to. \
Say which figures tell the most about this customer, in plain words (`has not ordered for 62 days, though usually every \
two weeks`). Invent nothing: no reasons, events, products or feelings that the figures do not show. Name no customer, \
do not mention running numbers or field names, do not mention the statistical model, and give no advice.

Answer with one verdict for every customer of the message, under the customer's running number: each exactly once, none \
left out, and no other number.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    horizon_days: u32,
    customers: Vec<Numbered<'a>>,
}

#[derive(Serialize)]
struct Numbered<'a> {
    customer: usize,
    #[serde(flatten)]
    row: &'a ClaudeInput,
}

/// The body of a request about these customers, numbered from 1.
pub(super) fn request(model: &str, horizon_days: u32, rows: &[&ClaudeInput]) -> Vec<u8> {
    let customers = rows.iter().zip(1..).map(|(row, customer)| Numbered { customer, row }).collect();
    // The serialization of structs with string keys cannot fail.
    let message = serde_json::to_string(&Message { horizon_days, customers }).unwrap_or_default();
    let verdict = json!({
        "type": "object",
        "properties": {
            "customer": {"type": "integer"},
            "reasoning": {"type": "string"},
            "churnProbability": {"type": "number"},
        },
        "required": ["customer", "reasoning", "churnProbability"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {"verdicts": {"type": "array", "items": verdict}},
        "required": ["verdicts"],
        "additionalProperties": false,
    });
    let body = json!({
        "model": model,
        "max_tokens": THINKING_TOKENS + VERDICT_TOKENS * rows.len(),
        "system": [{"type": "text", "text": INSTRUCTIONS, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": message}],
        "output_config": {"format": {"type": "json_schema", "schema": schema}},
    });
    body.to_string().into_bytes()
}

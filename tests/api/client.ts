// A shop, written against the types that openapi-typescript makes of the OpenAPI document. The compiler checks each path
// and field. Then the calls run on a local stack, whose address and secret are in the environment.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./openapi.js";

const { REGULARS_URL: baseUrl, CRON_SECRET: secret } = process.env;
assert(baseUrl && secret);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${secret}` } });

const orgId = "of-the-client";
const path = { orgId };
await client.PUT("/lambda-url/back-office/orgs/{orgId}", { params: { path }, body: { name: "A shop" } });
const settings = await client.PUT("/lambda-url/back-office/orgs/{orgId}/loyalty", { params: { path }, body: {} });
assert.equal(settings.data?.redemptionMode, "proportional");

const customer = { orgId, customerId: "ada" };
await client.PUT("/lambda-url/back-office/orgs/{orgId}/customers/{customerId}", {
  params: { path: customer },
  body: { firstName: "Ada" },
});
const order = { ...customer, orderId: "first", orderTotal: "149.99" };

const awarded = await client.POST("/lambda-url/points-award/awards", { body: order });
assert.equal(awarded.response.status, 201);
assert.equal(awarded.data?.pointsAwarded, 149);

const repeated = await client.POST("/lambda-url/points-award/awards", { body: order });
assert.equal(repeated.response.status, 200);
assert.deepEqual(repeated.data, { ...awarded.data, replayed: true });

const considered = { ...customer, points: 100, orderTotal: order.orderTotal };
const quoted = await client.POST("/lambda-url/points-redemption/quotes", { body: considered });
assert(quoted.data?.isValid);

const redeemed = await client.POST("/lambda-url/points-redemption/redemptions", { body: { ...order, points: 100 } });
assert.equal(redeemed.response.status, 201);
assert.equal(redeemed.data?.value, quoted.data.value);

const { data: read } = await client.GET("/lambda-url/back-office/orgs/{orgId}/customers/{customerId}", {
  params: { path: customer },
});
assert.equal(read?.points, redeemed.data.balance);

const refused = await client.POST("/lambda-url/points-redemption/redemptions", {
  body: { ...order, customerId: "nobody", orderId: "of-nobody", points: 100 },
});
assert.equal(refused.error?.code, "unknown_customer");

// @ts-expect-error: the document has no such path.
void (() => client.GET("/lambda-url/points-award/nothing"));
// @ts-expect-error: a total is a number or a text.
void (() => client.POST("/lambda-url/points-award/awards", { body: { ...order, orderTotal: true } }));

console.log("the TypeScript client: compiled, and its calls succeeded");

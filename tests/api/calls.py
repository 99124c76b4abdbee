"""Calls of a local stack, whose address and secret are in the environment of every command that it runs."""

import json
import os
import urllib.request

URL, SECRET = os.environ["REGULARS_URL"], os.environ["CRON_SECRET"]


def call(method, path, body=None):
    """The answer to a request that must succeed. The path begins with the name of the function."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {SECRET}"}
    request = urllib.request.Request(f"{URL}/lambda-url/{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def make_org():
    """An org `demo` with customers who have points and orders, and bundles on sale."""
    org = "back-office/orgs/demo"
    call("PUT", org, {"name": "Demo", "currency": "USD"})
    call("PUT", f"{org}/loyalty", {})
    product = {"productId": "coffee", "name": "Coffee", "requiredQty": 2, "originalPrice": "4.50"}
    terms = {"type": "bogo", "products": [product], "originalTotal": "9.00", "bundlePrice": "7.50"}
    for bundle in ("breakfast", "lunch", "dinner"):
        call("PUT", f"{org}/bundles/{bundle}", terms | {"name": bundle.title(), "desiredState": "published"})
    for customer in ("ada", "bea", "cy", "dee", "eli", "flo"):
        call("PUT", f"{org}/customers/{customer}", {"firstName": customer.title()})
        gift = {"adjustmentId": "welcome", "points": 900_000, "reason": "welcome"}
        call("POST", f"{org}/customers/{customer}/adjustments", gift)
        order = {"orgId": "demo", "customerId": customer, "orderId": f"order-of-{customer}"}
        call("POST", "points-award/awards", order | {"orderTotal": "49.99"})
        call("POST", "points-redemption/redemptions", order | {"orderTotal": "49.99", "points": 100})
        call("POST", "bundle-redemption/redemptions", order | {"bundleId": "breakfast"})


if __name__ == "__main__":
    make_org()

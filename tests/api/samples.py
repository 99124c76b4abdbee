"""Runs each `curl` line of the OpenAPI document on a local stack that `demo` has prepared, as after `make run`."""

import json
import os
import shutil
import subprocess
import sys

# An order in which all of them succeed. What an earlier one made, a later one reads, changes or deletes.
ORDER = """
    back-office.putOrg back-office.getOrg back-office.listOrgs back-office.deleteOrg
    back-office.putLoyalty back-office.getLoyalty
    back-office.postKey back-office.listKeys back-office.deleteKey
    back-office.putCustomer back-office.patchCustomer back-office.getCustomer back-office.listCustomers
    back-office.searchCustomers back-office.eraseCustomer
    back-office.putBundle back-office.getBundle back-office.listBundles
    back-office.transitionBundle back-office.listTransitions back-office.deleteBundle
    back-office.putBundle bundle-redemption.eligibility bundle-redemption.redeem bundle-redemption.list
    bundle-redemption.stats bundle-redemption.void
    back-office.adjust points-award.award points-award.amend points-award.getAward points-award.refund points-award.voidRefund back-office.listActivity
    points-redemption.options points-redemption.quote points-redemption.hold points-redemption.release
    points-redemption.redeem points-redemption.list points-redemption.void
    bundle-transitions.transition tier-recalculation.recalculate points-expiry.expire back-office.listLiability
    churn-prediction.predict weekly-report.report
""".split()


def samples(document):
    """The `curl` line of each operation."""
    operations = (operation for path in document["paths"].values() for operation in path.values())
    shown = (operation for operation in operations if "x-codeSamples" in operation)
    return {operation["operationId"]: operation["x-codeSamples"][0]["source"] for operation in shown}


def run(line):
    """The status and the answer."""
    output = subprocess.run(line + r" -w '\n%{http_code}'", shell=True, capture_output=True, text=True, check=True).stdout
    body, status = output.rsplit("\n", 1)
    return int(status), json.loads(body)


def main():
    if shutil.which("curl") is None:
        print("the curl lines were skipped: there is no curl")
        return 0
    with open(sys.argv[1]) as file:
        document = json.load(file)
    lines = samples(document)
    assert set(lines) == set(ORDER), set(lines) ^ set(ORDER)
    failures = 0
    # No sample can know the id of a key.
    example_key, key = "k4hXyq2mLzRt8", None
    for name in ORDER:
        line = lines[name].replace(document["servers"][0]["url"], os.environ["REGULARS_URL"])
        if name == "back-office.deleteKey":
            assert example_key in line
            line = line.replace(example_key, key)
        status, answer = run(line)
        key = answer.get("keyId", key)
        if not 200 <= status < 300:
            failures += 1
            print(f"{name}: {status} {answer}\n  {line}")
    print(f"curl lines of the document: {len(ORDER) - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""What schemathesis has to know besides the document: https://schemathesis.readthedocs.io/en/stable/guides/extending/

A request that its schema allows may break a rule that no schema expresses. So 422 is among the expected statuses of
`positive_data_acceptance`, and the check `refused_by_schema` finds every refusal that a schema should have announced.
"""

import re

import schemathesis
from schemathesis import GenerationMode

# The rules that no schema expresses, as the product words them.
RULES = re.compile(
    "|".join(
        [
            # Between fields.
            r"must be after startDate",
            r"must not be above originalTotal",
            r"must be the sum of requiredQty x originalPrice over the products",
            r"goes with .*",
            r"does not go with .*",
            r"occurs twice",
            r"must have a different .* for each (redemption )?tier",
            r"must have a lowest tier with threshold 0",
            r"must be month if months is above 3",
            # Numbering plans.
            r"must be a telephone number as it is dialled .*",
            # The time of the request.
            r"must be at most (5 minutes|24 hours) ahead",
            # Registries: ISO 4217 and the time zones.
            r"must be the ISO 4217 code .*",
            r"must be an IANA time zone, .*",
            r"must be the two letters of a country .*",
        ]
    )
)


def is_positive(case):
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Rounds generated numbers. A schema cannot limit decimals: `multipleOf` is at odds with floats."""
    if is_positive(case) and isinstance(case.body, dict):
        case.body = rounded(case.body)


def rounded(value):
    match value:
        case dict():
            return {name: rounded(member) for name, member in value.items()}
        case list():
            return [rounded(element) for element in value]
        case float() if not value.is_integer():
            return max(round(value, 2), 0.01)
        case _:
            return value


@schemathesis.check
def refused_by_schema(ctx, response, case):
    """A request that its schema allows is refused with 422 only by rules that no schema expresses."""
    if response.status_code != 422 or not is_positive(case):
        return
    problem = response.json()
    # No schema knows which cursors there are.
    if problem["code"] == "invalid_cursor":
        return
    # The profile of a customer whom an order enrols is checked in requests, and not in events, which have the same schema.
    errors = [error for error in problem.get("errors", []) if not error["field"].startswith("customer.")]
    unknown = [error for error in errors if not RULES.fullmatch(error["message"])]
    assert not unknown, f"the schema does not announce {problem['code']}: {unknown}"

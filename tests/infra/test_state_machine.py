"""The state machine of the sweeps, played by moto's interpreter of its language against the local stack's functions."""

import json
import types
from datetime import datetime, timedelta, timezone
import urllib.request
import uuid

import boto3
import pytest
import yaml
from conftest import ROOT, LocalStack
from moto.server import ThreadedMotoServer
from moto.stepfunctions.parser.asl.utils import boto_client

ROLE = "arn:aws:iam::123456789012:role/any"

# What the functions call what they do, as the template has it.
SWEEPS = {"points-expiry": "expire", "tier-recalculation": "recalculate", "churn-prediction": "predict"}
OPERATIONS = {**SWEEPS, "points-award": "award"}


class Cloud:
    """Step Functions and SQS, of moto; what a machine calls of Lambda and DynamoDB is the local stack's."""

    def __init__(self, stack):
        self.server = ThreadedMotoServer(port=0, verbose=False)
        self.server.start()
        host, port = self.server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        settings = json.dumps({"stepfunctions": {"execute_state_machine": True}}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/config", settings, method="POST"))
        self.stack = stack
        self.machines, self.queues = self.client("stepfunctions"), self.client("sqs")
        self.calls = []
        self.queue = self.queues.create_queue(QueueName=uuid.uuid4().hex)["QueueUrl"]

    def client(self, service, **options):
        return boto3.client(service, endpoint_url=self.endpoint, **options)

    def route(self, service_name, endpoint_url=None, **options):
        """The client that a machine's task is given."""
        endpoint = {"lambda": self.stack.url, "dynamodb": self.stack.dynamodb}.get(service_name, self.endpoint)
        client = boto3.client(service_name, endpoint_url=endpoint, **options)
        if service_name == "lambda":
            note = lambda params, **_: self.calls.append(json.loads(params["Payload"]))
            client.meta.events.register("provide-client-params.lambda.Invoke", note)
        return client

    def swept(self, function):
        """How a sweep ends, and what is left in the queue."""
        definition = yaml.safe_load((ROOT / "infra/sweep.asl.yaml").read_text())
        # As written, but that it waits less where it tries again.
        text = json.dumps(hurried(definition))
        filled = {
            "Function": function,
            "Operation": OPERATIONS[function],
            "Table": self.stack.table,
            "DeadLetters": self.queue,
        }
        for name, value in filled.items():
            text = text.replace("${" + name + "}", value)
        text = text.replace('"${OrgsAtOnce}"', "2").replace('"Limit": 500', '"Limit": 2')
        machine = self.machines.create_state_machine(name=uuid.uuid4().hex, definition=text, roleArn=ROLE)
        run = self.machines.start_execution(
            stateMachineArn=machine["stateMachineArn"], name=uuid.uuid4().hex, input="{}"
        )
        while True:
            state = self.machines.describe_execution(executionArn=run["executionArn"])
            if state["status"] != "RUNNING":
                break
        left = []
        while messages := self.queues.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                left.append((json.loads(message["Body"]), message["MessageAttributes"]["Error"]["StringValue"]))
                self.queues.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return state["status"], left


def hurried(node):
    """A definition whose retries wait a second and are two."""
    if isinstance(node, list):
        return [hurried(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {name: hurried(value) for name, value in node.items()}
    if "ToleratedFailurePercentage" in node:
        # The interpreter reads it with a point alone.
        node["ToleratedFailurePercentage"] = float(node["ToleratedFailurePercentage"])
    if "IntervalSeconds" in node:
        node |= {"IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.0}
        node.pop("MaxDelaySeconds", None)
        node.pop("JitterStrategy", None)
    return node


@pytest.fixture
def stack(tmp_path):
    """Functions that have no time: each call of a sweep does what it must, and answers a cursor."""
    template = (ROOT / "infra/template.yaml").read_text().replace("Timeout: 840", "Timeout: 5")
    hurried = tmp_path / "template.yaml"
    hurried.write_text(template)
    stack = LocalStack(hurried)
    yield stack
    stack.end()


@pytest.fixture
def cloud(stack, monkeypatch):
    cloud = Cloud(stack)
    monkeypatch.setattr(boto_client, "boto3", types.SimpleNamespace(client=cloud.route))
    yield cloud
    cloud.server.stop()


def orgs(stack, count):
    for number in range(count):
        org = f"shop-{number}"
        stack.invoke("back-office", operation="putOrg", orgId=org, name="Shop")
        stack.invoke("back-office", operation="putLoyalty", orgId=org)
        stack.invoke("back-office", operation="putCustomer", orgId=org, customerId="ada")
        stack.invoke("points-award", operation="award", orgId=org, customerId="ada", orderId="o1", orderTotal=250)
        stack.invoke("back-office", operation="putLoyalty", orgId=org, tiers=[{"name": "All", "threshold": 0}])


def tier(stack, org):
    return stack.invoke("back-office", operation="getCustomer", orgId=org, customerId="ada")["tier"]


def ended(stack, operation):
    """When a sweep came to its end, if that is on record."""
    table = boto3.client("dynamodb", endpoint_url=stack.dynamodb)
    key = {"pk": {"S": f"SWEEP#{operation}"}, "sk": {"S": "ENDED"}}
    item = table.get_item(TableName=stack.table, Key=key).get("Item")
    return item and datetime.fromisoformat(item["ended"]["S"])


def test_the_template_names_the_operation_that_its_function_has(template):
    sweeps = [resource["Properties"] for resource in template["Resources"].values() if "DefinitionUri" in resource.get("Properties", {})]
    named = {
        sweep["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}-"): sweep["DefinitionSubstitutions"]["Operation"]
        for sweep in sweeps
    }
    assert named == SWEEPS


def test_that_it_came_to_its_end_goes_on_record_as_the_functions_read_it(cloud, stack):
    assert ended(stack, "recalculate") is None
    began = datetime.now(timezone.utc) - timedelta(seconds=1)
    assert cloud.swept("tier-recalculation") == ("SUCCEEDED", [])
    assert began <= ended(stack, "recalculate") <= datetime.now(timezone.utc)
    on_record = ended(stack, "recalculate")
    # It waits for the next of each: what is on record it can read and leaves, what is not it puts there.
    assert stack.invoke("bundle-transitions")["success"]
    assert (ended(stack, "recalculate"), ended(stack, "predict") is None) == (on_record, False)
    assert ended(stack, "expire") is not None


def test_every_org_is_swept_page_by_page(cloud, stack):
    orgs(stack, 5)
    assert {tier(stack, f"shop-{number}") for number in range(5)} == {"Silver"}
    assert cloud.swept("tier-recalculation") == ("SUCCEEDED", [])
    assert {tier(stack, f"shop-{number}") for number in range(5)} == {"All"}


def test_an_org_is_called_with_its_cursor_until_it_answers_none(cloud, stack):
    orgs(stack, 1)
    for number in range(40):
        customer = f"c{number}"
        stack.invoke("back-office", operation="putCustomer", orgId="shop-0", customerId=customer)
        order = {"orgId": "shop-0", "customerId": customer, "orderId": f"o-{customer}", "orderTotal": 40}
        stack.invoke("points-award", operation="award", **order)
    assert cloud.swept("churn-prediction") == ("SUCCEEDED", [])
    assert len(cloud.calls) > 2
    assert all(call["orgId"] == "shop-0" for call in cloud.calls)
    assert ["cursor" in call for call in cloud.calls] == [False] + [True] * (len(cloud.calls) - 1)
    customers = stack.invoke("back-office", operation="listCustomers", orgId="shop-0", limit=100)["customers"]
    assert all("churnProbability" in customer for customer in customers), "all of them are scored"


def test_with_no_orgs_there_is_nothing_to_do(cloud):
    assert cloud.swept("churn-prediction") == ("SUCCEEDED", [])


def test_what_fails_is_left_in_the_queue_as_the_call_that_failed_and_holds_up_no_other(cloud, stack):
    orgs(stack, 3)
    table = boto3.client("dynamodb", endpoint_url=stack.dynamodb)
    table.update_item(
        TableName=stack.table,
        Key={"pk": {"S": "ORG#shop-1"}, "sk": {"S": "ORG"}},
        UpdateExpression="SET #name = :number",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":number": {"N": "1"}},
    )
    assert cloud.swept("tier-recalculation") == ("SUCCEEDED", [({"orgId": "shop-1"}, "internal")])
    assert [tier(stack, org) for org in ("shop-0", "shop-2")] == ["All", "All"]


def test_what_is_refused_is_left_in_the_queue_too(cloud, stack):
    orgs(stack, 1)
    # A function that has no operation for such a call.
    assert cloud.swept("points-award") == ("SUCCEEDED", [({"orgId": "shop-0"}, "invalid_fields")])


def test_where_the_orgs_can_not_be_listed_the_call_for_all_is_left_in_the_queue(cloud, stack):
    stack.table = "no-such-table"
    status, left = cloud.swept("tier-recalculation")
    assert status == "FAILED"
    assert [body for body, _ in left] == [{}]


def test_a_sweep_of_which_the_end_can_not_be_put_on_record_is_left_in_the_queue(cloud, stack, monkeypatch):
    monkeypatch.setitem(OPERATIONS, "tier-recalculation", "x" * 3000)
    status, left = cloud.swept("tier-recalculation")
    assert (status, [body for body, _ in left]) == ("FAILED", [{}])

"""The commands that operate a deployed stack, as a program, against moto: somebody else's idea of AWS."""

import io
import json
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from datetime import datetime, timedelta, timezone

import boto3
import pytest
from conftest import FUNCTIONS, ROOT

CTL = os.environ.get("CTL", ROOT / "target/debug/ctl")
REGION = "eu-west-1"

# Nothing here is AWS, and nothing may be taken for it.
NOBODY = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Account:
    """An account of moto's."""

    def __init__(self, url):
        self.url = url

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="nobody",
            aws_secret_access_key="nothing",
        )

    def post(self, path, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        urllib.request.urlopen(urllib.request.Request(self.url + path, data, {"content-type": "application/json"}))

    def ctl(self, *arguments):
        """Runs the command line; answers its exit code, what it printed and what it complained of, by lines."""
        environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": self.url, **NOBODY}
        ended = subprocess.run([CTL, *arguments], env=environment, capture_output=True, text=True, timeout=60)
        return ended.returncode, ended.stdout.splitlines(), ended.stderr.splitlines()


@pytest.fixture(scope="module")
def moto():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | NOBODY)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def account(moto):
    account = Account(moto)
    account.post("/moto-api/reset")
    account.post("/moto-api/config", {"lambda": {"use_docker": False}})
    return account


def schedule(account, job, stack="regulars", **changes):
    """A schedule with every field that there is."""
    soon = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
    fields = {
        "Name": f"{stack}-{job}",
        "Description": "Says what it is for",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "America/New_York",
        "State": "ENABLED",
        "StartDate": soon,
        "EndDate": soon + timedelta(days=365),
        "KmsKeyArn": f"arn:aws:kms:{REGION}:123456789012:key/k",
        "ActionAfterCompletion": "DELETE",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "Target": {
            "Arn": f"arn:aws:lambda:{REGION}:123456789012:function:{stack}-{job}:live",
            "RoleArn": "arn:aws:iam::123456789012:role/scheduler",
            "Input": '{"dryRun": true}',
            "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{REGION}:123456789012:{stack}-{job}-failures"},
            "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 5},
        },
    }
    account.client("scheduler").create_schedule(**fields | changes)


def said(account, job, stack="regulars"):
    answer = account.client("scheduler").get_schedule(Name=f"{stack}-{job}", GroupName="default")
    del answer["ResponseMetadata"]
    return answer


def but_for_the_state(answer):
    return {name: value for name, value in answer.items() if name not in ("State", "LastModificationDate")}


def test_pausing_and_resuming_a_job_change_its_state_and_nothing_else(account):
    schedule(account, "tier-recalculation")
    schedule(account, "churn-prediction")
    before, other = said(account, "tier-recalculation"), said(account, "churn-prediction")
    for act, state, word in [("pause", "DISABLED", "paused"), ("resume", "ENABLED", "on")]:
        assert account.ctl("jobs", act, "tier-recalculation") == (0, [f"tier-recalculation   is {word} now"], [])
        after = said(account, "tier-recalculation")
        assert after["State"] == state
        assert but_for_the_state(after) == but_for_the_state(before)
    assert said(account, "churn-prediction") == other


def test_a_job_that_is_paused_already_is_not_written(account):
    schedule(account, "bundle-transitions", State="DISABLED")
    before = said(account, "bundle-transitions")
    assert account.ctl("jobs", "pause", "bundle-transitions") == (0, ["bundle-transitions   is paused already"], [])
    assert said(account, "bundle-transitions") == before


def test_all_jobs_are_paused_and_listed_and_one_that_is_not_there_is_told(account):
    schedule(account, "bundle-transitions", ScheduleExpression="rate(5 minutes)", ScheduleExpressionTimezone="UTC")
    schedule(account, "tier-recalculation", State="DISABLED")
    schedule(account, "churn-prediction")
    missing = [f"{job:20} there is no schedule regulars-{job}" for job in ("points-expiry", "weekly-report")]
    code, out, err = account.ctl("jobs", "pause")
    assert (code, err) == (0, [])
    assert out == [
        "bundle-transitions   is paused now",
        "tier-recalculation   is paused already",
        "churn-prediction     is paused now",
        *missing,
    ]
    account.ctl("jobs", "resume", "churn-prediction")
    code, out, err = account.ctl("jobs", "list")
    assert (code, err) == (0, [])
    assert out == [
        "bundle-transitions   paused   rate(5 minutes)        UTC",
        "tier-recalculation   paused   cron(0 3 * * ? *)      America/New_York",
        "churn-prediction     on       cron(0 3 * * ? *)      America/New_York",
        *missing,
    ]


def test_the_jobs_of_another_stack_are_left_alone(account):
    schedule(account, "bundle-transitions")
    schedule(account, "bundle-transitions", stack="other")
    before = said(account, "bundle-transitions")
    assert account.ctl("jobs", "pause", "bundle-transitions", "--stack", "other")[0] == 0
    assert said(account, "bundle-transitions") == before
    assert said(account, "bundle-transitions", stack="other")["State"] == "DISABLED"


def code(text):
    """A function's code, another for each text."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("bootstrap", text)
    return archive.getvalue()


def function(account, name, versions, live):
    """A function of which so many versions were published, and the alias that everything calls it by."""
    account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    named, client = f"regulars-{name}", account.client("lambda")
    client.create_function(
        FunctionName=named,
        Runtime="provided.al2023",
        Role=f"arn:aws:iam::123456789012:role/{name}",
        Handler="bootstrap",
        Code={"ZipFile": code("1")},
    )
    for version in range(1, versions + 1):
        client.update_function_code(FunctionName=named, ZipFile=code(f"{name} {version}"))
        assert client.publish_version(FunctionName=named)["Version"] == str(version)
    client.create_alias(FunctionName=named, Name="live", FunctionVersion=str(live))


def live(account, name):
    return account.client("lambda").get_alias(FunctionName=f"regulars-{name}", Name="live")["FunctionVersion"]


NEXT = (
    "The stack still says the newer version. Deploying unchanged code and settings changes nothing; deploying changed ones "
    "publishes a version and moves the alias there."
)


def test_a_function_is_set_back_to_the_version_before_by_number_and_to_one_that_is_named(account):
    function(account, "points-award", 11, 11)
    assert account.ctl("rollback", "points-award") == (0, ["points-award: 11 -> 10", NEXT], [])
    newer = "(11 is published, and was not live)"
    assert account.ctl("rollback", "points-award") == (0, [f"points-award: 10 -> 9 {newer}", NEXT], [])
    assert account.ctl("rollback", "points-award", "--to", "3") == (0, [f"points-award: 9 -> 3 {newer}", NEXT], [])
    assert account.ctl("rollback", "points-award", "--to", "3") == (0, ["points-award: 3 already"], [])
    ended = account.ctl("rollback", "points-award", "--to", "12")
    assert ended == (1, [], ["ctl: points-award has no version 12, only 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"])
    assert live(account, "points-award") == "3"


def test_a_function_that_is_named_and_has_no_version_before_is_an_error(account):
    function(account, "points-award", 1, 1)
    assert account.ctl("rollback", "points-award") == (1, [], ["ctl: points-award: 1, and there is none before it"])


def test_a_version_that_was_deleted_is_passed_over(account):
    function(account, "points-award", 4, 4)
    account.client("lambda").delete_function(FunctionName="regulars-points-award", Qualifier="3")
    assert account.ctl("rollback", "points-award") == (0, ["points-award: 4 -> 2", NEXT], [])


def test_all_functions_are_set_back_and_what_is_refused_of_one_holds_up_no_other(account):
    deploying = "back-office"
    for name in FUNCTIONS:
        function(account, name, 1 if name == "churn-prediction" else 2, 1 if name == "churn-prediction" else 2)
    account.client("lambda").update_alias(
        FunctionName=f"regulars-{deploying}",
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}},
    )
    ended, out, err = account.ctl("rollback")
    assert ended == 1
    refused = "is being deployed: stop that deployment in CodeDeploy, which sets it back by itself"
    assert err == [f"ctl: {deploying} {refused}"]
    alone = {"churn-prediction": "churn-prediction: 1, and there is none before it"}
    assert out == [alone.get(name, f"{name}: 2 -> 1") for name in FUNCTIONS if name != deploying] + [NEXT]
    assert all(live(account, name) == "1" for name in FUNCTIONS)


def test_a_stack_that_is_not_there_is_told_as_such_and_nothing_is_changed(account):
    function(account, "points-award", 2, 2)
    schedule(account, "bundle-transitions")
    asked = f"in {REGION}: is regulars-x the stack's name?"
    for arguments, missing in [
        (["jobs", "list"], "schedule regulars-x-bundle-transitions"),
        (["jobs", "run", "bundle-transitions"], "schedule regulars-x-bundle-transitions"),
        (["jobs", "pause", "bundle-transitions"], "schedule regulars-x-bundle-transitions"),
        (["rollback", "points-award"], "function regulars-x-points-award with the alias live"),
        (["rollback"], "function regulars-x-back-office with the alias live"),
        (["redrive", "points-award"], "queue regulars-x-points-award-failures"),
        (["logs", "points-award"], "log group /aws/lambda/regulars-x-points-award"),
        (["verify"], "URL of the function regulars-x-back-office with the alias live"),
    ]:
        assert account.ctl(*arguments, "--stack", "regulars-x") == (1, [], [f"ctl: there is no {missing} {asked}"])
    assert live(account, "points-award") == "2"
    assert said(account, "bundle-transitions")["State"] == "ENABLED"


def test_what_a_function_failed_is_replayed_and_only_what_is_done_with_leaves_the_queue(account):
    function(account, "tier-recalculation", 1, 1)
    sqs = account.client("sqs")
    queue = sqs.create_queue(QueueName="regulars-tier-recalculation-failures")["QueueUrl"]
    for org in ("a", "b", "c"):
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"orgId": org}))
    listed = (0, ["the call for a", "the call for b", "the call for c"], [])
    code, out, err = account.ctl("redrive", "tier-recalculation", "--dry-run")
    assert (code, out[:3], err) == listed
    assert out[3:] == ["3 in regulars-tier-recalculation-failures; nothing was changed"]

    results = [
        {"success": True, "cursor": "on"},
        {"success": True},
        {"code": "unknown_org", "status": 404, "detail": "Gone."},
        {"code": "invalid_fields", "status": 422, "detail": "Wrong."},
    ]
    answers = {"results": [json.dumps(result) for result in results], "region": REGION}
    account.post("/moto-api/static/lambda-simple/response", answers)
    assert account.ctl("redrive", "tier-recalculation") == (
        1,
        [
            "the call for a: replayed in 2 calls",
            "the call for b: refused for good: unknown_org: Gone.",
            "the call for c: still failing: invalid_fields: Wrong.",
            "1 replayed, 1 refused for good, 1 still failing",
        ],
        [],
    )
    left = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"]) for message in left] == [{"orgId": "c"}]


def test_log_lines_are_printed_oldest_first_as_far_back_as_is_asked(account):
    logs, group, now = account.client("logs"), "/aws/lambda/regulars-points-award", int(time.time() * 1000)
    logs.create_log_group(logGroupName=group)
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    lines = [(3600, "one", "long ago"), (120, "one", '{"level":"INFO"}'), (60, "two", '{"level":"ERROR"}\n')]
    for ago, stream, message in lines:
        event = {"timestamp": now - ago * 1000, "message": message}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    def printed(*more):
        code, out, err = account.ctl("logs", "points-award", *more)
        assert (code, err) == (0, [])
        return [line.split(" ", 1)[1] for line in out]

    assert printed() == ['{"level":"INFO"}', '{"level":"ERROR"}']
    assert printed("--since", "2h")[0] == "long ago"
    assert printed("--filter", "ERROR") == ['{"level":"ERROR"}']


def test_what_is_deployed_is_what_was_built_and_not_the_template_as_it_is_written():
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
    stacks = {"staging": "regulars-staging", "production": "regulars"}
    for environment, stack in stacks.items():
        commands = settings[environment]
        assert commands["build"]["parameters"]["template_file"] == "infra/template.yaml"
        assert commands["deploy"]["parameters"]["stack_name"] == stack
    for environment, commands in settings.items():
        if environment != "version":
            assert "template_file" not in commands.get("global", {}).get("parameters", {})
            assert "template_file" not in commands["deploy"]["parameters"]

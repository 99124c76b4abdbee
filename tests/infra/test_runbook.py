"""Every command of the runbook, as it is written there, against stand-ins: moto for the account, a local stack for its functions."""

import http.server
import json
import os
import re
import subprocess
import threading
import time
import urllib.request

import pytest
from conftest import PROGRAMS, ROOT, SECRET, LocalStack
from test_operations import FUNCTIONS, NOBODY, REGION, Account, function, moto, schedule  # noqa: F401

RUNBOOK = (ROOT / "infra/RUNBOOK.md").read_text()
JOBS = ["bundle-transitions", "points-expiry", "tier-recalculation", "churn-prediction", "weekly-report"]


def commands():
    """The commands of the runbook, in its order: those in lines of code and those in sentences."""
    blocks = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"```sh\n.*?```", "", RUNBOOK, flags=re.DOTALL)
    spans = re.findall(r"`((?:make|ctl) [^`]*)`", prose)
    return lines + [" ".join(span.split()) for span in spans]


RUN = [command for command in dict.fromkeys(commands()) if "†" not in command]


class Front(http.server.BaseHTTPRequestHandler):
    """The account's API: calls of functions and their URLs are the local stack's, everything else is moto's."""

    moto = stack = ""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/url") or "/url?" in self.path:
            name = self.path.split("/functions/")[1].split("/")[0].removeprefix("regulars-")
            url = f"{self.stack}/lambda-url/{name}/"
            told = {"FunctionUrl": url, "AuthType": "NONE", "FunctionArn": "a", "CreationTime": "n", "LastModifiedTime": "n"}
            return self.reply(200, {"content-type": "application/json"}, json.dumps(told).encode())
        there = self.stack if "/invocations" in self.path else self.moto
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "content-length")}
        request = urllib.request.Request(there + self.path, body or None, headers, method=self.command)
        try:
            with urllib.request.urlopen(request) as answer:
                self.reply(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            self.reply(answer.code, answer.headers, answer.read())

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def stack():
    stack = LocalStack()
    stack.invoke("back-office", operation="putOrg", orgId="shop", name="Shop")
    yield stack
    stack.end()


@pytest.fixture(scope="module")
def deployed(moto, stack):  # noqa: F811
    """An account in which everything is deployed that the commands are about; they run one after the other, as one would."""
    account = Account(moto)
    account.post("/moto-api/reset")
    account.post("/moto-api/config", {"lambda": {"use_docker": False}})
    for name in FUNCTIONS:
        function(account, name, 13, 13)
        account.client("sqs").create_queue(QueueName=f"regulars-{name}-failures")
        logs = account.client("logs")
        group = {"logGroupName": f"/aws/lambda/regulars-{name}", "logStreamName": "2026/11/24/[13]0"}
        logs.create_log_group(logGroupName=group["logGroupName"])
        logs.create_log_stream(**group)
        line = json.dumps({"level": "ERROR", "message": "said by a test", "withoutClaude": "unauthorized"})
        two_hours_ago = int((time.time() - 7200) * 1000)
        logs.put_log_events(**group, logEvents=[{"timestamp": two_hours_ago, "message": line}])
    machines = account.client("stepfunctions")
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    for job in JOBS:
        target = f"arn:aws:lambda:{REGION}:123456789012:function:regulars-{job}:live"
        if job in ("points-expiry", "tier-recalculation", "churn-prediction"):
            role = "arn:aws:iam::123456789012:role/sweeps"
            made = machines.create_state_machine(name=f"regulars-{job}", definition=definition, roleArn=role)
            target = made["stateMachineArn"]
        role = "arn:aws:iam::123456789012:role/scheduler"
        schedule(account, job, Target={"Arn": target, "RoleArn": role, "Input": "{}"})
    secrets = account.client("secretsmanager")
    secrets.create_secret(Name="regulars-cron-secret", SecretString=SECRET)
    front = type("Here", (Front,), {"moto": account.url, "stack": stack.url})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_the_runbook_has_commands_and_marks_those_that_are_not_run():
    assert len(RUN) > 20, RUN
    for command in commands():
        assert command.startswith(("make ", "ctl ", "for function in ")) or "†" in command, command


def test_the_saved_queries_that_it_names_are_there(template):
    named = set(re.findall(r"`<stack>/([^`]+)`", RUNBOOK))
    there = {
        resource["Properties"]["Name"]["Fn::Sub"].removeprefix("${AWS::StackName}/")
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Logs::QueryDefinition"
    }
    assert named and named <= there, named - there


@pytest.mark.parametrize("command", RUN)
def test_a_command_does_what_it_should(command, deployed):
    environment = {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "AWS_ENDPOINT_URL": deployed,
        **{name: os.environ[name] for name in ("CARGO_HOME", "RUSTUP_HOME", "CARGO_TARGET_DIR") if name in os.environ},
        **NOBODY,
    }
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in done.stderr.lower(), done.stderr
    # Of what looks back far enough, and asks for such lines.
    if re.search(r"SINCE=|--since", command):
        assert "said by a test" in done.stdout, command

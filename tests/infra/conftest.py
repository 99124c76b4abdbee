"""What the checks of the infrastructure share: the template, and the local stack as a process."""

import copy
import json
import os
import subprocess
from pathlib import Path

import boto3
import cfnlint.decode
import pytest
from samtranslator.translator.transform import transform

ROOT = Path(__file__).resolve().parents[2]
# Every folder with a manifest is one function.
FUNCTIONS = sorted(manifest.parent.name for manifest in (ROOT / "functions").glob("*/Cargo.toml"))
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
SECRET = "a-secret-of-the-checks"

# Nothing here is AWS, and nothing may be taken for it.
os.environ |= {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}


def read(path):
    """A template as plain data."""
    document, problems = cfnlint.decode.decode(str(path))
    assert not problems, problems
    return document


class NoManagedPolicies:
    """The template uses none by name; were it to, the translation fails."""

    def load(self):
        return {}


def translated(template):
    """What SAM makes of a template before CloudFormation sees it."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        # What `sam deploy` uploads first.
        for uploaded in ("CodeUri", "DefinitionUri"):
            if uploaded in properties:
                properties[uploaded] = "s3://bucket/key"
    return transform(template, {}, NoManagedPolicies())


@pytest.fixture(scope="session")
def template():
    return read(ROOT / "infra/template.yaml")


class LocalStack:
    """The local stack as a process. While it has a command to run, no schedule of its own does."""

    def __init__(self, template="infra/template.yaml"):
        command = [PROGRAMS / "local", "--port", "0", "--dynamodb-port", "0", "--template", template]
        self.process = subprocess.Popen(
            [*command, "--", "sleep", "600"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"CRON_SECRET": SECRET},
        )
        for line in self.process.stdout:
            match line.split():
                case ["dynamodb", endpoint, "table", table]:
                    self.dynamodb, self.table = endpoint, table
                case ["ready", url]:
                    self.url = url
                    return
        raise RuntimeError("the local stack did not get ready")

    def invoke(self, function, **payload):
        functions = boto3.client("lambda", endpoint_url=self.url)
        answer = functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        body = json.load(answer["Payload"])
        assert "FunctionError" not in answer, body
        assert "code" not in body, body
        return body

    def end(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture
def stack():
    stack = LocalStack()
    yield stack
    stack.end()

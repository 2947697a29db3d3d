"""Tests of check-ecs and of a redeployment: boto3 over the wire to moto, and to a script of what moto does not know."""

from __future__ import annotations

import base64
import io
import json
import shlex
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from otelctl.adapters.ecs import AwsContainers
from otelctl.cli.errors import UsageError
from otelctl.cli.redeploy import Target, redeploy, require_terminal
from otelctl.cli.session import Session
from otelctl.facts.ecs import EcsAbsent, EcsService, RoleAbsent, RolePolicies, SecretVersions, Simulated
from otelctl.facts.store import SecretAbsent, StoredSecret, StoreFault
from otelctl.model import CheckResult, Status
from tests.support.aws_overlay import Overlay, aws_overlay
from tests.support.moto import ENVIRONMENT, environment, moto_server
from tests.support.program import Result, run

REGION = ENVIRONMENT["AWS_DEFAULT_REGION"]
ACCOUNT = "123456789012"
SECRET = "prod/app"
TOKEN = "glc_" + base64.b64encode(b'{"o":"1","n":"ci","k":"planted-planted-key","m":{"r":"prod-eu-west-2"}}').decode()
HEADER = "Authorization=Basic " + base64.b64encode(f"123456:{TOKEN}".encode()).decode()
REVERSED = "Authorization=Basic " + base64.b64encode(f"{TOKEN}:123456".encode()).decode()
ENDPOINT = "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp"
GOOD = {
    "db_password": "hunter22-hunter22",
    "otel_exporter_otlp_endpoint": ENDPOINT,
    "otel_exporter_otlp_headers": HEADER,
}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/exec"
TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
STOPPED = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Yield the URL of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def overlay(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Overlay]:
    """Yield a script before moto, to which boto3 is led by its own variable."""
    with aws_overlay(moto) as overlay:
        for name, value in environment(overlay.url).items():
            monkeypatch.setenv(name, value)
        overlay.simulate("allowed")
        yield overlay


class Stack:
    """A cluster, a service, a task definition, a role and a secret in moto, all of this test's own."""

    def __init__(self, overlay: Overlay, name: str) -> None:
        self.overlay = overlay
        self.name = name
        self.ecs = boto3.client("ecs")
        self.secrets = boto3.client("secretsmanager")
        self.iam = boto3.client("iam")
        self.cluster = f"c-{name}"
        self.service = f"s-{name}"
        self.arn = self.secrets.create_secret(Name=f"{SECRET}-{name}", SecretString=json.dumps(GOOD))["ARN"]
        self.role = self.iam.create_role(
            RoleName=f"exec-{name}",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]}),
        )["Role"]["Arn"]
        self.ecs.create_cluster(clusterName=self.cluster)
        self.definition = ""
        self.tasks = 0
        self.running: list[dict[str, Any]] = []
        self.stopped: list[dict[str, Any]] = []
        self.deployment: dict[str, Any] = {"rolloutState": "COMPLETED"}

    def secret(self, key: str) -> str:
        """Return the valueFrom of a key."""
        return f"{self.arn}:{key}::"

    def wire(self, **changes: Any) -> None:
        """Register the task definition, with changes to its container, and run the service with it."""
        container: Any = {
            "name": "app",
            "image": "app",
            "memory": 64,
            "environment": [{"name": "OTEL_SERVICE_NAME", "value": "shop"}],
            "secrets": [
                {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "valueFrom": self.secret("otel_exporter_otlp_endpoint")},
                {"name": "OTEL_EXPORTER_OTLP_HEADERS", "valueFrom": self.secret("otel_exporter_otlp_headers")},
            ],
            **changes,
        }
        self.definition = self.ecs.register_task_definition(
            family=f"f-{self.name}",
            executionRoleArn=self.role,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[container],
        )["taskDefinition"]["taskDefinitionArn"]
        self.ecs.create_service(
            cluster=self.cluster,
            serviceName=self.service,
            taskDefinition=self.definition,
            desiredCount=1,
            launchType="FARGATE",
            platformVersion="LATEST",
        )
        self.running = [self.task(started=time.time() + 3600)]
        self.overlay.answers |= {
            "ListTasks": self._list,
            "DescribeTasks": self._describe,
            "DescribeServices": self._service,
            "UpdateService": lambda _: {"service": self._service({})["services"][0]},
        }

    def task(self, *, created: float | None = None, started: float | None = None, **more: Any) -> dict[str, Any]:
        """Return a task as DescribeTasks shows it."""
        self.tasks += 1
        return {
            "taskArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{self.cluster}/{self.tasks:032x}",
            "taskDefinitionArn": self.definition,
            "createdAt": created or (started or time.time()) - 30,
            "lastStatus": "RUNNING" if started else "STOPPED",
            "startedBy": "ecs-svc/1",
            "containers": [],
            **({"startedAt": started} if started else {}),
            **more,
        }

    def stop(self, reason: str, code: str = "TaskFailedToStart", **more: Any) -> None:
        """Have a task stopped, later than the running ones were created."""
        self.stopped.append(self.task(created=time.time() + 7200, stoppedReason=reason, stopCode=code, **more))

    def _list(self, params: dict[str, Any]) -> dict[str, Any]:
        tasks = self.stopped if params["desiredStatus"] == "STOPPED" else self.running
        return {"taskArns": [task["taskArn"] for task in tasks]}

    def _describe(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"tasks": [task for task in [*self.running, *self.stopped] if task["taskArn"] in params["tasks"]]}

    def _service(self, _: dict[str, Any]) -> dict[str, Any]:
        running = len(self.running)
        deployment = {"id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": self.definition, "desiredCount": 1}
        return {
            "services": [
                {
                    "serviceArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{self.cluster}/{self.service}",
                    "serviceName": self.service,
                    "clusterArn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{self.cluster}",
                    "status": "ACTIVE",
                    "launchType": "FARGATE",
                    "platformVersion": "1.4.0",
                    "taskDefinition": self.definition,
                    "desiredCount": 1,
                    "runningCount": running,
                    "deployments": [{**deployment, "runningCount": running, **self.deployment}],
                }
            ]
        }

    def check(self, *options: str) -> Result:
        """Run check-ecs on the service."""
        named = options or ("--cluster", self.cluster, "--service", self.service)
        result = run("check-ecs", *named, "--format", "json", variables=environment(self.overlay.url))
        for planted in (TOKEN, "planted-planted-key", GOOD["db_password"], HEADER, REVERSED):
            assert planted not in result.stdout + result.stderr
        return result


@pytest.fixture
def stack(overlay: Overlay, request: pytest.FixtureRequest) -> Stack:
    """Return an account with one healthy service."""
    stack = Stack(overlay, f"t{abs(hash(request.node.name)) % 10**9}")
    stack.wire()
    return stack


def test_a_healthy_service_gives_no_finding(stack: Stack) -> None:
    """Every check of a service that is wired, allowed and up to date passes."""
    result = stack.check()
    assert (result.code, result.found) == (0, [])
    assert {check["status"] for check in result.report["checks"]} == {"passed"}


def test_a_task_definition_alone(stack: Stack) -> None:
    """A family is checked without a service; what only a service can tell is skipped, and says why."""
    result = stack.check("--task-definition", f"f-{stack.name}")
    assert (result.code, result.found) == (0, [])
    assert result.check("tasks")["status"] == result.check("starts")["status"] == "skipped"


@pytest.mark.parametrize("form", ["text", "junit", "github", "markdown"])
def test_every_format_has_the_same_end(stack: Stack, form: str) -> None:
    """A finding gives exit code 1 whatever the format, and no format shows a value."""
    stack.secrets.put_secret_value(
        SecretId=stack.arn, SecretString=json.dumps({**GOOD, "otel_exporter_otlp_headers": REVERSED})
    )
    named = ("--cluster", stack.cluster, "--service", stack.service, "--format", form)
    result = run("check-ecs", *named, variables=environment(stack.overlay.url))
    assert result.code == 1
    assert "AUTH-REVERSED" in result.stdout
    assert TOKEN not in result.stdout + result.stderr


def test_the_stored_header_is_judged_and_the_advised_command_mends_it(stack: Stack) -> None:
    """A reversed header is found where the container gets it; the command stores it mended and deploys the service."""
    reversed_ = {**GOOD, "otel_exporter_otlp_headers": REVERSED}
    stack.secrets.put_secret_value(SecretId=stack.arn, SecretString=json.dumps(reversed_))
    found = stack.check().finding("AUTH-REVERSED")
    assert "container app" in found["subject"]
    command = shlex.split(found["fix"][0]["command"])
    key = f"{stack.arn}#otel_exporter_otlp_headers"
    service = f"{stack.cluster}/{stack.service}"
    assert command == (
        ["otelctl", "push-secret", "--secret-id", stack.arn, "--from-secret", key, "--redeploy", service, "--fix"]
    )
    mended = run(*command[1:], "--yes", "--no-check", "--format", "json", variables=environment(stack.overlay.url))
    assert (mended.code, mended.found) == (0, []), mended
    assert {each["id"]: each["status"] for each in mended.report["checks"]}["deploy"] == "passed"
    assert json.loads(stack.secrets.get_secret_value(SecretId=stack.arn)["SecretString"]) == GOOD
    assert TOKEN not in mended.stdout + mended.stderr


def test_a_service_named_by_arns_is_deployed_by_the_advised_command(stack: Stack) -> None:
    """What --cluster and --service take, a name or an ARN, becomes what --redeploy takes."""
    reversed_ = {**GOOD, "otel_exporter_otlp_headers": REVERSED}
    stack.secrets.put_secret_value(SecretId=stack.arn, SecretString=json.dumps(reversed_))
    lead = f"arn:aws:ecs:{REGION}:{ACCOUNT}"
    arns = (f"{lead}:cluster/{stack.cluster}", f"{lead}:service/{stack.cluster}/{stack.service}")
    for cluster, service, named in (
        (*arns, arns[1]),
        (stack.cluster, arns[1], arns[1]),
        (arns[0], stack.service, f"{stack.cluster}/{stack.service}"),
    ):
        options = ("--cluster", cluster, "--service", service, "--format", "json")
        result = run("check-ecs", *options, variables=environment(stack.overlay.url))
        words = shlex.split(result.finding("AUTH-REVERSED")["fix"][0]["command"])
        assert words[words.index("--redeploy") + 1] == named


def test_keys_of_the_users_own_are_mended_under_their_names(stack: Stack) -> None:
    """Headers and endpoint under other keys are read, mended and written under these."""
    stack.secrets.put_secret_value(SecretId=stack.arn, SecretString=json.dumps({"url": ENDPOINT, "hdr": REVERSED}))
    stack.wire(
        secrets=[
            {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "valueFrom": stack.secret("url")},
            {"name": "OTEL_EXPORTER_OTLP_HEADERS", "valueFrom": stack.secret("hdr")},
        ]
    )
    command = shlex.split(stack.check().finding("AUTH-REVERSED")["fix"][0]["command"])
    mended = run(*command[1:], "--yes", "--no-check", "--format", "json", variables=environment(stack.overlay.url))
    assert (mended.code, mended.found) == (0, []), mended
    stored = json.loads(stack.secrets.get_secret_value(SecretId=stack.arn)["SecretString"])
    assert stored == {"url": ENDPOINT, "hdr": HEADER}


def test_the_stored_endpoint_is_judged_and_the_advised_command_mends_it(stack: Stack) -> None:
    """An endpoint without /otlp in the secret is written right, and the service deployed anew."""
    wrong = {**GOOD, "otel_exporter_otlp_endpoint": ENDPOINT.removesuffix("/otlp")}
    stack.secrets.put_secret_value(SecretId=stack.arn, SecretString=json.dumps(wrong))
    command = shlex.split(stack.check().finding("URL-OTLP-MISSING")["fix"][0]["command"])
    assert command[-4:] == ["--redeploy", f"{stack.cluster}/{stack.service}", "--endpoint", ENDPOINT]
    mended = run(*command[1:], "--yes", "--no-check", "--format", "json", variables=environment(stack.overlay.url))
    assert (mended.code, mended.found) == (0, []), mended
    assert json.loads(stack.secrets.get_secret_value(SecretId=stack.arn)["SecretString"]) == GOOD


@pytest.mark.parametrize(
    ("variable", "value_from"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "{arn}:otel_exporter_otlp_endpoint:AWSPREVIOUS:"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "{arn}:otel_exporter_otlp_endpoint::"),
    ],
    ids=["another version", "another variable"],
)
def test_a_header_whose_endpoint_is_kept_elsewhere_is_printed_mended(
    stack: Stack, variable: str, value_from: str
) -> None:
    """Where push-secret would store an endpoint that is not kept its way, the command prints and writes nothing."""
    text = json.dumps({**GOOD, "otel_exporter_otlp_headers": REVERSED})
    stack.secrets.put_secret_value(SecretId=stack.arn, SecretString=text)
    stack.wire(
        secrets=[
            {"name": variable, "valueFrom": value_from.format(arn=stack.arn)},
            {"name": "OTEL_EXPORTER_OTLP_HEADERS", "valueFrom": stack.secret("otel_exporter_otlp_headers")},
        ]
    )
    command = shlex.split(stack.check().finding("AUTH-REVERSED")["fix"][0]["command"])
    assert command == ["otelctl", "inspect-auth", "--fix", "--from-secret", f"{stack.arn}#otel_exporter_otlp_headers"]
    mended = run(*command[1:], variables=environment(stack.overlay.url))
    assert mended.stdout.strip() == HEADER


def test_a_key_that_is_not_there(stack: Stack) -> None:
    """A missing JSON key is named beside the names that are there, and no value."""
    stack.secrets.put_secret_value(SecretId=stack.arn, SecretString='{"db_password": "hunter22-hunter22"}')
    result = stack.check()
    assert result.found == ["ECS-KEY-MISSING", "ECS-KEY-MISSING"]
    assert "db_password" in result.finding("ECS-KEY-MISSING")["summary"]


def test_tasks_older_than_the_value(stack: Stack) -> None:
    """Tasks that started before the current version run with the old header; the command that mends it is AWS's own."""
    stack.running = [stack.task(started=time.time() - 3600), stack.task(started=time.time() + 3600)]
    found = stack.check().finding("ECS-TASKS-STALE")
    assert found["summary"].startswith("1 of 2 running tasks")
    assert found["fix"][0]["command"] == (
        f"aws ecs update-service --cluster {stack.cluster} --service {stack.service} --region {REGION} "
        "--force-new-deployment"
    )


def test_a_value_that_went_back(stack: Stack) -> None:
    """After a return to an older version, a task that started before it may run with either: a warning, no error."""
    versions = {"ARN": stack.arn, "Name": "x", "LastChangedDate": 3000.0}
    stack.overlay.answers["DescribeSecret"] = versions
    stack.overlay.answers["ListSecretVersionIds"] = {
        "ARN": stack.arn,
        "Versions": [
            {"VersionId": "1" * 32, "VersionStages": ["AWSCURRENT"], "CreatedDate": 1000.0},
            {"VersionId": "2" * 32, "VersionStages": ["AWSPREVIOUS"], "CreatedDate": 2000.0},
        ],
    }
    stack.running = [stack.task(started=2500.0)]
    result = stack.check()
    assert (result.code, result.found) == (0, ["ECS-TASKS-UNSURE"])
    stack.running = [stack.task(started=3500.0, created=3400.0)]
    assert stack.check().found == []
    stack.running = [stack.task(started=1500.0, created=1400.0)]
    assert stack.check().found == []


REASONS = {
    "ECS-STOP-JSON-KEY": STOPPED + "unable to retrieve secret from asm: service call has been retried 1 time(s): "
    "retrieved secret from Secrets Manager did not contain json key otel_exporter_otlp_headers",
    "ECS-STOP-NETWORK": STOPPED + "unable to retrieve secret from asm: RequestError: send request failed caused by: "
    'Post "https://secretsmanager.eu-west-1.amazonaws.com/": dial tcp 10.0.0.1:443: i/o timeout. Please check your '
    "task network configuration.",
}


@pytest.mark.parametrize("code", REASONS)
def test_a_stop_reason_is_read(stack: Stack, code: str) -> None:
    """Tasks that fail to start are read with their reasons, said once and counted."""
    stack.stop(REASONS[code])
    stack.stop(REASONS[code])
    stack.deployment = {"rolloutState": "IN_PROGRESS", "failedTasks": 2}
    result = stack.check()
    assert (result.code, result.found) == (1, [code])
    assert result.finding(code)["summary"].startswith("ECS stopped 2 tasks: ResourceInitializationError")


def test_a_failure_that_is_over(stack: Stack) -> None:
    """A task that failed before the running ones came up says nothing of today."""
    stack.stopped = [
        stack.task(created=1000.0, stoppedReason=REASONS["ECS-STOP-JSON-KEY"], stopCode="TaskFailedToStart")
    ]
    assert stack.check().found == []


def test_a_secret_in_a_stop_reason_is_masked(stack: Stack) -> None:
    """What ECS echoes of a value does not get out: every value of the secret is known by then."""
    stack.stop(f"{STOPPED}unexpected {TOKEN} and {GOOD['db_password']}")
    assert stack.check().found == ["ECS-STOP-OTHER"]


PERMISSIONS = [
    ("ecs:DescribeServices", "definition"),
    ("ecs:DescribeTaskDefinition", "definition"),
    ("secretsmanager:GetSecretValue", "secret"),
    ("secretsmanager:DescribeSecret", "tasks"),
    ("secretsmanager:ListSecretVersionIds", "tasks"),
    ("ecs:ListTasks", "tasks"),
    ("ecs:DescribeTasks", "tasks"),
]


@pytest.mark.parametrize(("action", "check"), PERMISSIONS)
def test_what_may_not_be_read_is_unknown(stack: Stack, action: str, check: str) -> None:
    """A missing permission of ours gives UNKNOWN with its name and exit code 3, and no finding about the service."""
    stack.overlay.deny(action)
    result = stack.check()
    assert result.code == 3
    assert set(result.found) == {"ECS-NOT-PERMITTED"}
    assert result.check(check)["status"] == "unknown"
    assert f"may not do {action}" in result.finding("ECS-NOT-PERMITTED")["summary"]


def test_a_role_that_iam_denies(stack: Stack) -> None:
    """IAM's simulation on the execution role is certain where the secret has no policy of its own."""
    stack.overlay.simulate("implicitDeny")
    found = stack.check().finding("ECS-ROLE-DENIED")
    assert found["certainty"] == "certain"
    (asked,) = stack.overlay.asked("SimulatePrincipalPolicy")
    assert (asked["PolicySourceArn"], asked["ResourceArns.member.1"]) == (stack.role, stack.arn)
    command = found["fix"][0]["command"]
    assert command == f"otelctl render ecs-json --secret-arn {stack.arn} --role {stack.role}"
    assert run(*command.split()[1:]).code == 0


def test_a_secret_with_a_policy_of_its_own(stack: Stack) -> None:
    """Where the secret has a resource policy, which may allow the role, a denial is likely only."""
    stack.secrets.put_resource_policy(SecretId=stack.arn, ResourcePolicy='{"Version":"2012-10-17","Statement":[]}')
    stack.overlay.simulate("implicitDeny")
    assert stack.check().finding("ECS-ROLE-DENIED")["certainty"] == "likely"


def test_a_role_that_can_only_be_read(stack: Stack) -> None:
    """Without SimulatePrincipalPolicy policies are read: none that allows is likely a denial, one that does is fine."""
    stack.overlay.deny("iam:SimulatePrincipalPolicy")
    assert stack.check().finding("ECS-ROLE-DENIED")["certainty"] == "likely"
    statement = {"Effect": "Allow", "Action": "secretsmanager:Get*", "Resource": stack.arn[:-6] + "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    stack.iam.put_role_policy(RoleName=f"exec-{stack.name}", PolicyName="own", PolicyDocument=policy)
    assert stack.check().found == []
    stack.iam.delete_role_policy(RoleName=f"exec-{stack.name}", PolicyName="own")
    arn = stack.iam.create_policy(PolicyName=f"p-{stack.name}", PolicyDocument=policy)["Policy"]["Arn"]
    stack.iam.attach_role_policy(RoleName=f"exec-{stack.name}", PolicyArn=arn)
    assert stack.check().found == []


def test_a_role_that_cannot_be_read(stack: Stack) -> None:
    """Without any permission in IAM the role is unknown, said once for both variables, and the rest is checked."""
    stack.overlay.deny("iam:SimulatePrincipalPolicy")
    stack.overlay.deny("iam:GetRole")
    result = stack.check()
    assert (result.code, result.found) == (3, ["ECS-NOT-PERMITTED"])
    assert "iam:SimulatePrincipalPolicy" in result.finding("ECS-NOT-PERMITTED")["summary"]
    assert result.check("tasks")["status"] == "passed"


def test_the_role_is_gone(stack: Stack) -> None:
    """A role that IAM does not know is told by IAM's own answer."""
    stack.overlay.answers["GetRole"] = (404, "NoSuchEntity", "The role with name exec cannot be found.")
    stack.overlay.answers["SimulatePrincipalPolicy"] = (404, "NoSuchEntity", "Policy Source does not exist")
    assert stack.check().found == ["ECS-ROLE-ABSENT"]


def test_the_role_trusts_another_service(stack: Stack) -> None:
    """A role that only EC2 may assume is no execution role."""
    trust = {"Version": "2012-10-17", "Statement": [{**TRUST, "Principal": {"Service": "ec2.amazonaws.com"}}]}
    stack.iam.update_assume_role_policy(RoleName=f"exec-{stack.name}", PolicyDocument=json.dumps(trust))
    assert stack.check().found == ["ECS-ROLE-TRUST"]


def test_a_key_of_ones_own(stack: Stack) -> None:
    """A secret under a KMS key needs kms:Decrypt on it, asked for as Secrets Manager would use it."""
    stack.overlay.answers["DescribeSecret"] = {"ARN": stack.arn, "KmsKeyId": "0000-1111", "LastChangedDate": 1.0}
    stack.overlay.simulate("allowed", {"kms:Decrypt": "implicitDeny"})
    found = stack.check().finding("ECS-ROLE-KMS")
    assert f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0000-1111" in found["summary"]
    assert found["certainty"] == "likely"
    asked = stack.overlay.asked("SimulatePrincipalPolicy")[-1]
    assert asked["ContextEntries.member.1.ContextKeyValues.member.1"] == f"secretsmanager.{REGION}.amazonaws.com"
    command = found["fix"][0]["command"]
    assert run(*command.split()[1:]).code == 0


def test_plain_variables_never_show(stack: Stack, overlay: Overlay) -> None:
    """A header in plain text is warned of, a grpc exporter and a disabled SDK beside it too, and no value is shown."""
    other = Stack(overlay, f"{stack.name}p")
    plain = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT,
        "OTEL_EXPORTER_OTLP_HEADERS": HEADER,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_SDK_DISABLED": "true",
        "DATABASE_URL": "postgres://u:hunter22-hunter22@db/x",
    }
    other.wire(environment=[{"name": name, "value": value} for name, value in plain.items()], secrets=[])
    result = other.check()
    assert result.found == ["ECS-HEADERS-PLAIN", "ECS-SDK-OFF", "ECS-GRPC-GATEWAY"]
    assert result.check("role")["status"] == "skipped"


def test_a_value_from_with_wrong_colons(stack: Stack, overlay: Overlay) -> None:
    """What ECS calls an invalid ARN format is told before it is deployed, with the form that was meant."""
    other = Stack(overlay, f"{stack.name}c")
    wrong = {"name": "OTEL_EXPORTER_OTLP_HEADERS", "valueFrom": f"{other.arn}:otel_exporter_otlp_headers"}
    endpoint = {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "valueFrom": other.secret("otel_exporter_otlp_endpoint")}
    other.wire(secrets=[endpoint, wrong])
    result = other.check()
    assert result.found == ["ECS-ARN-COLONS"]
    assert other.secret("otel_exporter_otlp_headers") in result.finding("ECS-ARN-COLONS")["fix"][0]["command"]


def test_a_credential_pasted_into_value_from_is_not_shown(stack: Stack, overlay: Overlay) -> None:
    """What stands where an ARN belongs is masked in every format, and nobody is asked for it by that name."""
    other = Stack(overlay, f"{stack.name}p")
    pasted = base64.b64encode(b"123456:hunter2hunter2hunter").decode()
    for text in ("123456:hunter2hunter2hunter2", pasted):
        other.wire(secrets=[{"name": "OTEL_EXPORTER_OTLP_HEADERS", "valueFrom": text}])
        for form in ("text", "json", "junit", "github", "markdown"):
            options = ("--task-definition", other.definition, "--format", form)
            result = run("check-ecs", *options, variables=environment(overlay.url))
            assert (result.code, "ECS-ARN-FORM" in result.stdout) == (1, True)
            assert "hunter2" not in result.stdout + result.stderr
            assert pasted not in result.stdout + result.stderr
        asked = [params for name, params in overlay.calls if name != "RegisterTaskDefinition"]
        assert text not in json.dumps(asked)


def test_a_secret_named_by_its_name(stack: Stack, overlay: Overlay) -> None:
    """A bare name, which ECS takes for a parameter, is told where a secret of that name exists."""
    other = Stack(overlay, f"{stack.name}n")
    other.wire(secrets=[{"name": "OTEL_EXPORTER_OTLP_HEADERS", "valueFrom": f"{SECRET}-{other.name}"},
                        {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "valueFrom": "/otel/endpoint"}])  # fmt: skip
    result = other.check()
    assert result.found == ["ECS-SECRET-NAME", "ECS-PARAMETER-ABSENT"]
    assert "/otel/endpoint" in result.finding("ECS-PARAMETER-ABSENT")["summary"]
    assert other.secret("otel_exporter_otlp_headers") in result.finding("ECS-SECRET-NAME")["fix"][0]["command"]


def test_what_is_not_there(stack: Stack) -> None:
    """Cluster, service and task definition that do not exist are each named, and the rest is skipped."""
    del stack.overlay.answers["DescribeServices"]
    assert stack.check("--cluster", "nowhere", "--service", "x").found == ["ECS-CLUSTER-NOT-FOUND"]
    assert stack.check("--cluster", stack.cluster, "--service", "x").found == ["ECS-SERVICE-NOT-FOUND"]
    result = stack.check("--task-definition", "nothing:3")
    assert result.found == ["ECS-TASK-DEFINITION-NOT-FOUND"]
    assert {check["status"] for check in result.report["checks"][1:]} == {"skipped"}


def test_no_way_to_aws() -> None:
    """An endpoint where nothing listens, and a shell without credentials, are told as what they are."""
    dead = run("check-ecs", "--task-definition", "x", "--format", "json", "--timeout", "1",
               variables={**environment("http://127.0.0.1:9"), "AWS_MAX_ATTEMPTS": "1"})  # fmt: skip
    assert dead.found == ["ECS-API-UNREACHABLE"]
    bare = {
        name: value
        for name, value in environment().items()
        if not name.startswith("AWS_A") and name != "AWS_SECRET_ACCESS_KEY"
    }
    assert run("check-ecs", "--task-definition", "x", "--format", "json", variables=bare).found == [
        "AWS-NO-CREDENTIALS"
    ]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--cluster", "c"),
        ("--service", "s"),
        ("--cluster", "c", "--service", "s", "--task-definition", "t"),
        ("--task-definition", " "),
        ("--task-definition", "t", "--timeout", "soon"),
    ],
)
def test_wrong_use(options: tuple[str, ...]) -> None:
    """Options that do not name one thing give one line and exit code 2."""
    result = run("check-ecs", *options)
    assert result.code == 2
    assert result.stderr.startswith("otelctl: ")
    assert result.stderr.count("\n") == 1


class Hurried:
    """The clock of this machine, in which a nap takes no time and is counted as if it had."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds, naps included."""
        return time.monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        """Count a nap."""
        self.slept += seconds


def deploy(stack: Stack, answer: str = "y", **options: Any) -> tuple[CheckResult, ...]:
    """Deploy the stack's service anew, confirmed by `answer` where it asks."""
    session = Session(Tty(answer), io.StringIO(), io.StringIO(), {}, [], "push-secret")
    target = Target(stack.cluster, stack.service)
    return tuple(redeploy(session, target, AwsContainers(), Hurried(), secret_arn=stack.arn, **options))


class Tty(io.StringIO):
    """A terminal on which somebody types."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def rollouts(stack: Stack, *states: dict[str, Any]) -> None:
    """Have DescribeServices show one state after the other, and stay at the last."""
    left = list(states)

    def answer(params: dict[str, Any]) -> dict[str, Any]:
        stack.deployment = left.pop(0) if len(left) > 1 else left[0]
        return stack._service(params)

    stack.overlay.answers["DescribeServices"] = answer


def codes(results: tuple[CheckResult, ...]) -> list[str]:
    """Return the codes of all findings."""
    return [finding.code for result in results for finding in result.findings]


def test_a_redeployment_that_becomes_stable(stack: Stack) -> None:
    """A confirmed deployment is forced and watched until ECS calls it completed."""
    rollouts(stack, {"rolloutState": "IN_PROGRESS"}, {"rolloutState": "IN_PROGRESS"}, {"rolloutState": "COMPLETED"})
    results = deploy(stack)
    assert [result.status for result in results] == [Status.PASSED, Status.PASSED]
    assert stack.overlay.asked("UpdateService")[0]["forceNewDeployment"] is True
    assert len(stack.overlay.asked("DescribeServices")) == 3


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_a_redeployment_that_is_not_confirmed(stack: Stack, answer: str) -> None:
    """Anything but a yes deploys nothing; a yes beforehand does not ask."""
    assert {result.status for result in deploy(stack, answer)} == {Status.SKIPPED}
    assert stack.overlay.asked("UpdateService") == []
    assert {result.status for result in deploy(stack, answer, yes=True)} == {Status.PASSED}


def test_nobody_to_confirm() -> None:
    """Without a terminal, and without a yes, it is refused in one line before anything is done."""
    session = Session(io.StringIO(), io.StringIO(), io.StringIO(), {}, [], "push-secret")
    with pytest.raises(UsageError, match="add --yes"):
        require_terminal(session, yes=False)
    require_terminal(session, yes=True)


def test_a_redeployment_whose_tasks_do_not_start(stack: Stack) -> None:
    """Two tasks that stop for a known reason end the watching; ECS tries on for ever, and is not said to have ended."""
    stack.stop(REASONS["ECS-STOP-JSON-KEY"])
    stack.stop(REASONS["ECS-STOP-JSON-KEY"])
    stack.stopped.append(
        {
            **stack.stopped[0],
            "taskArn": "arn:other",
            "startedBy": "ecs-svc/0",
            "stoppedReason": "CannotPullContainerError",
        }
    )
    rollouts(stack, {"rolloutState": "IN_PROGRESS"}, {"rolloutState": "IN_PROGRESS", "failedTasks": 2})
    results = deploy(stack)
    assert codes(results) == ["ECS-STOP-JSON-KEY", "ECS-DEPLOY-UNSETTLED"]
    assert "ECS tries on" in results[1].findings[1].summary


def test_a_service_named_by_its_arn_is_deployed_where_the_arn_says(stack: Stack) -> None:
    """Region and account of an ARN hold: the service of the same name in the shell's own region is left alone."""
    arn = f"arn:aws:ecs:us-east-1:999999999999:service/{stack.cluster}/{stack.service}"
    variables = environment(stack.overlay.url)
    options = (
        "push-secret",
        "--secret-id",
        stack.arn,
        "--endpoint",
        ENDPOINT,
        "--yes",
        "--no-check",
        "--format",
        "json",
    )
    stack.secrets.put_secret_value(SecretId=stack.arn, SecretString="{}")
    given = {**variables, "OTEL_EXPORTER_OTLP_HEADERS": HEADER}
    refused = run(*options, "--redeploy", arn, "--region", REGION, variables=given)
    assert (refused.code, "us-east-1" in refused.stderr) == (2, True)
    assert stack.secrets.get_secret_value(SecretId=stack.arn)["SecretString"] == "{}"
    stack.overlay.answers.clear()
    result = run(*options, "--redeploy", arn, variables=given)
    assert (result.code, result.found) == (1, ["ECS-CLUSTER-NOT-FOUND"]), result
    (found,) = [one for check in result.report["checks"] for one in check["findings"]]
    assert "us-east-1" in found["summary"]


def test_a_redeployment_that_the_breaker_stops(stack: Stack) -> None:
    """Where ECS gives up, its own words are shown, and the reason in them where there is one."""
    rollouts(
        stack,
        {"rolloutState": "FAILED", "rolloutStateReason": "ECS deployment circuit breaker: tasks failed to start."},
    )
    (finding,) = deploy(stack)[1].findings
    assert "circuit breaker" in finding.summary


def test_a_redeployment_that_does_not_end(stack: Stack) -> None:
    """Watching is bounded, and what is not known then is said as unknown."""
    rollouts(stack, {"rolloutState": "IN_PROGRESS", "pendingCount": 1})
    results = deploy(stack, wait=60.0)
    assert codes(results) == ["ECS-DEPLOY-UNSETTLED"]
    assert results[1].status is Status.UNKNOWN
    assert 10 <= len(stack.overlay.asked("DescribeServices")) <= 13


def test_a_redeployment_that_another_one_replaces(stack: Stack) -> None:
    """A deployment that vanishes behind a later one is not known to its end, but why its tasks stopped is."""
    stack.deployment = {"rolloutState": "IN_PROGRESS", "createdAt": 1000.0}
    stack.stop(REASONS["ECS-STOP-JSON-KEY"])
    before = {"rolloutState": "COMPLETED", "id": "ecs-svc/0", "createdAt": 500.0}
    later = {"rolloutState": "COMPLETED", "id": "ecs-svc/2", "createdAt": 2000.0}
    rollouts(stack, before, {"rolloutState": "IN_PROGRESS", "createdAt": 1000.0}, later)
    stop, unsettled = deploy(stack)[1].findings
    assert stop.code == "ECS-STOP-JSON-KEY"
    assert (unsettled.code, unsettled.evidence["state"]) == (
        "ECS-DEPLOY-UNSETTLED",
        "another deployment has taken its place",
    )
    assert len(stack.overlay.asked("DescribeServices")) == 3


def test_a_redeployment_that_may_not_be(stack: Stack) -> None:
    """Without ecs:UpdateService nothing is watched, and the permission is named."""
    stack.overlay.deny("ecs:UpdateService")
    results = deploy(stack)
    assert codes(results) == ["ECS-NOT-PERMITTED"]
    assert results[1].status is Status.SKIPPED


def test_a_service_that_moto_deploys(stack: Stack) -> None:
    """moto's own update of a service is taken as well."""
    del stack.overlay.answers["UpdateService"]
    del stack.overlay.answers["DescribeServices"]
    service = AwsContainers().deploy(stack.cluster, stack.service)
    assert isinstance(service, EcsService)
    assert service.task_definition == stack.definition


def test_the_adapter_on_moto(stack: Stack) -> None:
    """What is there is a fact of its own kind, what is not there another, and nothing raises."""
    adapter = AwsContainers()
    assert isinstance(adapter.secret(stack.arn, REGION, "", ""), StoredSecret)
    assert isinstance(adapter.secret(stack.arn, REGION, "NOSUCH", ""), SecretAbsent)
    assert isinstance(adapter.secret("nothing", REGION, "", ""), SecretAbsent)
    described = adapter.versions(stack.arn, REGION)
    assert isinstance(described, SecretVersions)
    assert described.current is not None
    assert isinstance(adapter.versions("nothing", REGION), SecretAbsent)
    assert adapter.resource_policy(stack.arn, REGION) == ""
    role = adapter.role(stack.role)
    assert isinstance(role, RolePolicies)
    assert role.whole
    assert isinstance(adapter.role(ROLE), RoleAbsent)
    assert isinstance(adapter.task_definition("nothing"), EcsAbsent)
    assert isinstance(adapter.simulate(stack.role, "a:B", "*", {}), Simulated)
    assert isinstance(AwsContainers(profile="nobody").task_definition("x"), StoreFault)


def test_many_tasks_come_in_pages(stack: Stack) -> None:
    """Tasks are listed page by page and described a hundred at a time."""
    stack.running = [stack.task(started=1.0 + number, taskArn=f"arn:task/{number}") for number in range(250)]
    pages: dict[str, Callable[[], list[str]]] = {
        "": lambda: [f"arn:task/{number}" for number in range(150)],
        "2": lambda: [f"arn:task/{number}" for number in range(150, 250)],
    }

    def listed(params: dict[str, Any]) -> dict[str, Any]:
        token = params.get("nextToken", "")
        return {"taskArns": pages[token](), **({} if token else {"nextToken": "2"})}

    stack.overlay.answers["ListTasks"] = listed
    tasks = AwsContainers().tasks(stack.cluster, stack.service, stopped=False)
    assert isinstance(tasks, tuple)
    assert len(tasks) == 250
    assert [len(params["tasks"]) for params in stack.overlay.asked("DescribeTasks")] == [100, 100, 50]

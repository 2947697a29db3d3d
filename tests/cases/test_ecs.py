"""What is told of the way of a secret into a container of Amazon ECS, from facts as AWS gives them."""

from __future__ import annotations

import base64
import dataclasses
import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from otelctl.diagnose import ecs as judge
from otelctl.ecs import Use, uses
from otelctl.facts.ecs import (
    EcsAbsent,
    EcsContainer,
    EcsDeployment,
    EcsService,
    EcsTask,
    EcsTaskDefinition,
    RoleAbsent,
    RolePolicies,
    SecretVersions,
    Simulated,
)
from otelctl.facts.store import SecretAbsent, StoredSecret, StoreFault
from otelctl.model import Certainty, Finding, Severity
from otelctl.secret import Secret
from tests.cases.marks import case, near_miss

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-AbCdEf"
DEFINITION = "arn:aws:ecs:eu-west-1:123456789012:task-definition/shop:7"
ROLE = "arn:aws:iam::123456789012:role/svc/exec"
GATEWAY = "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp"
ENDPOINT, HEADERS = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS"
KEY = "otel_exporter_otlp_headers"
TOKEN = "glc_" + base64.b64encode(b'{"o":"1","n":"ci","k":"planted-planted-key","m":{"r":"prod-eu-west-2"}}').decode()
HEADER = "Authorization=Basic " + base64.b64encode(f"123456:{TOKEN}".encode()).decode()
PLACE = judge.Place("eu-west-1", "prod", "shop", "shop:7", "--cluster prod --service shop")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def definition(*containers: EcsContainer) -> EcsTaskDefinition:
    """Return a task definition of these containers."""
    return EcsTaskDefinition(DEFINITION, "shop", 7, containers, ROLE, fargate=True)


def container(
    plain: dict[str, str] | None = None, secrets: dict[str, str] | None = None, name: str = "app", files: int = 0
) -> EcsContainer:
    """Return a container with these variables."""
    environment = tuple((key, Secret(value)) for key, value in (plain or {}).items())
    return EcsContainer(name, environment, tuple((secrets or {}).items()), ("s3",) * files)


def used(value_from: str, variable: str = HEADERS) -> Use:
    """Return how a container uses a valueFrom."""
    (use,) = uses(definition(container(secrets={variable: value_from})))
    return use


def codes(findings: tuple[Finding, ...]) -> list[str]:
    """Return the codes; the words are filled in on the way, so that a placeholder without a value fails."""
    for finding in findings:
        assert finding.subject
        assert finding.summary + finding.cause + "".join(f"{step.text}{step.command}" for step in finding.fix)
    return [finding.code for finding in findings]


def fault(code: str, message: str = "the text", status: int | None = 400, service: str = "ecs") -> StoreFault:
    """Return what a service refused."""
    detail = {"service": service, "region": "eu-west-1", "endpoint": f"https://{service}.eu-west-1.amazonaws.com"}
    return StoreFault("DescribeServices", code, message, status, detail)


# Reading


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        pytest.param(
            fault("AccessDeniedException", "User: arn:aws:iam::1:user/ci is not authorized to perform: ecs:X on y"),
            "ECS-NOT-PERMITTED",
            marks=[case("ECS-NOT-PERMITTED"), near_miss("ECS-API-FAULT")],
        ),
        pytest.param(fault("AccessDenied", "no", 403, "iam"), "ECS-NOT-PERMITTED", marks=case("ECS-NOT-PERMITTED")),
        pytest.param(
            fault("AccessDeniedException", "Access to KMS is not allowed", 400, "secretsmanager"),
            "ECS-NOT-PERMITTED",
            marks=[case("ECS-NOT-PERMITTED"), near_miss("ECS-STOP-KMS", "ECS-ROLE-KMS")],
        ),
        pytest.param(
            fault("EndpointConnection", status=None),
            "ECS-API-UNREACHABLE",
            marks=[case("ECS-API-UNREACHABLE"), near_miss("ECS-STOP-NETWORK")],
        ),
        pytest.param(
            fault("ThrottlingException", "Rate exceeded"),
            "ECS-API-FAULT",
            marks=[case("ECS-API-FAULT"), near_miss("ECS-API-UNREACHABLE")],
        ),
        pytest.param(fault("ServerException", "x", 500), "ECS-API-FAULT", marks=case("ECS-API-FAULT")),
        pytest.param(
            fault("ExpiredTokenException", "The security token included in the request is expired"),
            "AWS-TOKEN-EXPIRED",
            marks=near_miss("ECS-NOT-PERMITTED", "ECS-API-FAULT"),
        ),
        pytest.param(fault("NoCredentials", status=None), "AWS-NO-CREDENTIALS", marks=near_miss("ECS-API-UNREACHABLE")),
        pytest.param(
            fault("DecryptionFailure", service="secretsmanager"), "AWS-DECRYPTION", marks=near_miss("ECS-API-FAULT")
        ),
    ],
)
def test_a_refusal(fact: StoreFault, code: str) -> None:
    """What keeps us from looking has one finding, and none that blames the service."""
    (finding,) = judge.judge_fault(fact, PLACE, "what it runs", ARN)
    assert codes((finding,)) == [code]
    if code == "ECS-NOT-PERMITTED":
        assert finding.severity is Severity.UNKNOWN


@case("ECS-NOT-PERMITTED")
def test_the_missing_permission_is_named() -> None:
    """The action is AWS's own where it names one, the operation otherwise, and KMS where KMS said no."""
    denied = "User: arn:aws:iam::1:user/ci is not authorized to perform: ecs:ListTasks on resource: *"
    (first,) = judge.judge_fault(fault("AccessDeniedException", denied), PLACE, "x")
    (second,) = judge.judge_fault(fault("AccessDenied", "no"), PLACE, "x")
    (third,) = judge.judge_fault(fault("AccessDeniedException", "Access to KMS is not allowed"), PLACE, "x")
    actions = [one.evidence["action"] for one in (first, second, third)]
    assert actions == ["ecs:ListTasks", "ecs:DescribeServices", "kms:Decrypt"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        pytest.param(
            "cluster",
            "ECS-CLUSTER-NOT-FOUND",
            marks=[case("ECS-CLUSTER-NOT-FOUND"), near_miss("ECS-SERVICE-NOT-FOUND")],
        ),
        pytest.param(
            "service",
            "ECS-SERVICE-NOT-FOUND",
            marks=[case("ECS-SERVICE-NOT-FOUND"), near_miss("ECS-CLUSTER-NOT-FOUND")],
        ),
        pytest.param(
            "task definition",
            "ECS-TASK-DEFINITION-NOT-FOUND",
            marks=[case("ECS-TASK-DEFINITION-NOT-FOUND"), near_miss("ECS-SERVICE-NOT-FOUND")],
        ),
    ],
)
def test_what_is_not_there(kind: str, code: str) -> None:
    """Each kind of thing that ECS does not know has a row of its own, which names it."""
    (finding,) = judge.judge_absent(EcsAbsent(kind, "gone-x"), PLACE)
    assert codes((finding,)) == [code]
    assert "gone-x" in finding.summary


@near_miss("ECS-TASK-DEFINITION-NOT-FOUND")
def test_an_odd_client_exception_is_no_absence() -> None:
    """A ClientException about something else stays a fault."""
    assert codes(judge.judge_fault(fault("ClientException", "too many"), PLACE, "x")) == ["ECS-API-FAULT"]


# The variables


def variables(*containers: EcsContainer, values: dict[str, str] | None = None) -> list[str]:
    """Return the codes of the variables; `values` were read from the secrets of container app."""
    read = {("app", name): Secret(value) for name, value in (values or {}).items()}
    return codes(judge.judge_variables(definition(*containers), read, PLACE, ARN))


WIRED = {ENDPOINT: f"{ARN}:otel_exporter_otlp_endpoint::", HEADERS: f"{ARN}:{KEY}::"}


@near_miss("ECS-NOT-WIRED", "ECS-ENDPOINT-MISSING", "ECS-HEADERS-MISSING", "ECS-VARIABLE-TWICE", "ECS-HEADERS-PLAIN")
@near_miss("ECS-SDK-OFF", "ECS-GRPC-GATEWAY")
@pytest.mark.parametrize(
    ("containers", "values"),
    [
        ([container(secrets=WIRED)], {ENDPOINT: GATEWAY, HEADERS: HEADER}),
        ([container(secrets=WIRED)], {}),
        ([container({ENDPOINT: GATEWAY}, {HEADERS: WIRED[HEADERS]})], {HEADERS: HEADER}),
        ([container({ENDPOINT: "http://localhost:4318"}), container(secrets=WIRED, name="collector")], {}),
        ([container({ENDPOINT: "http://localhost:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})], {}),
        ([container({ENDPOINT: GATEWAY}, files=1)], {}),
        ([container(secrets={HEADERS: WIRED[HEADERS]}, files=1)], {}),
        ([container({"OTEL_SDK_DISABLED": "false", "OTEL_TRACES_EXPORTER": "otlp"}, WIRED)], {ENDPOINT: GATEWAY}),
        ([container({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}, WIRED)], {}),
        ([container({"OTEL_TRACES_SAMPLER_ARG": "0"}, WIRED)], {}),
        ([container({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_ENABLED": "true"}, WIRED)], {}),
        ([container({HEADERS: "X-Scope-OrgID=shop", ENDPOINT: "http://tempo.internal:4318"})], {}),
        ([container(secrets={"GRAFANA_API_TOKEN": ARN, "GRAFANA_OTLP_ENDPOINT": ARN})], {}),
    ],
)
def test_a_healthy_wiring(containers: list[EcsContainer], values: dict[str, str]) -> None:
    """Set-ups that work, sidecars, env files and quiet constants among them, give no finding."""
    assert variables(*containers, values=values) == []


@case("ECS-NOT-WIRED")
@near_miss("ECS-ENDPOINT-MISSING")
def test_no_container_is_wired() -> None:
    """One container without any variable is certain; where others or files may do it, it is likely."""
    for containers, certainty in (
        ([container({"OTEL_SERVICE_NAME": "x"})], Certainty.CERTAIN),
        ([container(), container(name="b")], Certainty.LIKELY),
        ([container(files=1)], Certainty.LIKELY),
    ):
        (finding,) = judge.judge_variables(definition(*containers), {}, PLACE, "")
        assert codes((finding,)) == ["ECS-NOT-WIRED"]
        assert finding.certainty is certainty


@pytest.mark.parametrize(
    ("containers", "values", "code"),
    [
        pytest.param(
            [container(secrets={HEADERS: WIRED[HEADERS]})],
            {HEADERS: HEADER},
            "ECS-ENDPOINT-MISSING",
            marks=[case("ECS-ENDPOINT-MISSING"), near_miss("ECS-HEADERS-MISSING")],
        ),
        pytest.param(
            [container({ENDPOINT: GATEWAY})],
            {},
            "ECS-HEADERS-MISSING",
            marks=[case("ECS-HEADERS-MISSING"), near_miss("ECS-NOT-WIRED")],
        ),
        pytest.param(
            [container(secrets={ENDPOINT: WIRED[ENDPOINT]})],
            {ENDPOINT: GATEWAY},
            "ECS-HEADERS-MISSING",
            marks=case("ECS-HEADERS-MISSING"),
        ),
        pytest.param(
            [container({ENDPOINT: GATEWAY}, WIRED)],
            {},
            "ECS-VARIABLE-TWICE",
            marks=[case("ECS-VARIABLE-TWICE"), near_miss("ECS-HEADERS-PLAIN")],
        ),
        pytest.param(
            [container({ENDPOINT: GATEWAY, HEADERS: HEADER})],
            {},
            "ECS-HEADERS-PLAIN",
            marks=[case("ECS-HEADERS-PLAIN"), near_miss("ECS-VARIABLE-TWICE")],
        ),
        pytest.param(
            [container({ENDPOINT: GATEWAY, "GRAFANA_API_TOKEN": "glc_x"})],
            {},
            "ECS-HEADERS-PLAIN",
            marks=[case("ECS-HEADERS-PLAIN"), near_miss("ECS-HEADERS-MISSING")],
        ),
        *(
            pytest.param([container({name: value}, WIRED)], {}, "ECS-SDK-OFF", marks=case("ECS-SDK-OFF"))
            for name, value in (
                ("OTEL_SDK_DISABLED", "TRUE"),
                ("OTEL_ENABLED", "false"),
                ("OTEL_ENABLED", "0"),
                ("OTEL_TRACES_EXPORTER", "none"),
                ("OTEL_TRACES_SAMPLER", "always_off"),
            )
        ),
        pytest.param(
            [container({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.0"}, WIRED)],
            {},
            "ECS-SDK-OFF",
            marks=case("ECS-SDK-OFF"),
        ),
        pytest.param(
            [container({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, WIRED)],
            {ENDPOINT: GATEWAY},
            "ECS-GRPC-GATEWAY",
            marks=case("ECS-GRPC-GATEWAY"),
        ),
        pytest.param(
            [container({ENDPOINT: GATEWAY, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc"}, {HEADERS: ARN})],
            {},
            "ECS-GRPC-GATEWAY",
            marks=case("ECS-GRPC-GATEWAY"),
        ),
    ],
)
def test_a_variable_in_the_way(containers: list[EcsContainer], values: dict[str, str], code: str) -> None:
    """Each mistake beside the two variables gives its one finding."""
    assert variables(*containers, values=values) == [code]


# valueFrom


@near_miss("ECS-ARN-COLONS", "ECS-ARN-FORM", "ECS-SECRET-REGION", "ECS-VERSION-PINNED")
@pytest.mark.parametrize(
    "text",
    [
        ARN,
        f"{ARN}:{KEY}::",
        f"{ARN}:::",
        f"{ARN}:{KEY}:AWSCURRENT:",
        "arn:aws-us-gov:secretsmanager:eu-west-1:123456789012:secret:x-AbCdEf:k::",
        "/otel/headers",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/otel/headers",
    ],
)
def test_a_value_from_that_ecs_reads(text: str) -> None:
    """Every form that ECS documents, of this region and of the current version, gives no finding."""
    assert codes(judge.judge_use(used(text), PLACE, definition())) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(
            pytest.param(ARN + suffix, "ECS-ARN-COLONS", marks=[case("ECS-ARN-COLONS"), near_miss("ECS-ARN-FORM")])
            for suffix in (":", f":{KEY}", f":{KEY}:", f":{KEY}:::")
        ),
        *(
            pytest.param(text, "ECS-ARN-FORM", marks=[case("ECS-ARN-FORM"), near_miss("ECS-ARN-COLONS")])
            for text in (
                "",
                "prod/app:key::",
                "${SECRET_ARN}:key::",
                f"{ARN}:a:b:c:d",
                "arn:aws:secretsmanager:region:aws_account_id:secret:name-AbCdEf",
                "arn:aws:secretsmanager:eu-west-1:123456789012:prod/app",
                "arn:aws:s3:eu-west-1:123456789012:secret:x",
                "arn:aws:ssm:eu-west-1:123456789012:parameter/x:key::",
                f" {ARN}",
            )
        ),
        pytest.param(
            ARN.replace("eu-west-1", "us-east-1") + ":k::",
            "ECS-SECRET-REGION",
            marks=[case("ECS-SECRET-REGION"), near_miss("ECS-ARN-FORM")],
        ),
        pytest.param(f"{ARN}:k:AWSPREVIOUS:", "ECS-VERSION-PINNED", marks=case("ECS-VERSION-PINNED")),
        pytest.param(f"{ARN}:k::{'a' * 32}", "ECS-VERSION-PINNED", marks=case("ECS-VERSION-PINNED")),
        pytest.param(f"{ARN}:k:AWSCURRENT:{'a' * 32}", "ECS-VERSION-PINNED", marks=case("ECS-VERSION-PINNED")),
    ],
)
def test_a_value_from_that_is_wrong(text: str, code: str) -> None:
    """The form alone tells what is wrong with it, and what was meant is a command away."""
    (finding,) = judge.judge_use(used(text), PLACE, definition())
    assert codes((finding,)) == [code]
    if code == "ECS-ARN-COLONS" and KEY in text:
        assert finding.fix[0].command == f"printf '%s\\n' {ARN}:{KEY}::"


SHORT = ARN.removesuffix("-AbCdEf")


@case("ECS-ARN-PARTIAL")
@near_miss("ECS-SECRET-NAME")
def test_an_arn_without_its_last_six() -> None:
    """The whole ARN that the service gives back proves it; without it, the spelling makes it likely."""
    use = used(f"{SHORT}:{KEY}::")
    (finding,) = judge.judge_name(use, SecretVersions(ARN), PLACE)
    assert codes((finding,)) == ["ECS-ARN-PARTIAL"]
    assert (finding.certainty, finding.severity) == (Certainty.CERTAIN, Severity.WARNING)
    assert finding.fix[0].command == f"printf '%s\\n' {ARN}:{KEY}::"
    (finding,) = judge.judge_unread_name(use, PLACE)
    assert (codes((finding,)), finding.certainty) == (["ECS-ARN-PARTIAL"], Certainty.LIKELY)


@near_miss("ECS-ARN-PARTIAL", "ECS-SECRET-NAME")
def test_an_arn_with_its_last_six() -> None:
    """A whole ARN is fine, read or not; so is a parameter's name, and a name that nobody could ask about."""
    use = used(f"{ARN}:{KEY}::")
    assert judge.judge_name(use, SecretVersions(ARN), PLACE) == judge.judge_unread_name(use, PLACE) == ()
    for fact in (SecretAbsent("otel"), fault("AccessDeniedException", service="secretsmanager")):
        assert judge.judge_name(used("otel"), fact, PLACE) == ()
    assert judge.judge_unread_name(used("otel"), PLACE) == ()


@case("ECS-SECRET-NAME")
@near_miss("ECS-ARN-PARTIAL", "ECS-ARN-FORM")
def test_a_secret_by_its_name() -> None:
    """A name that is a secret's gets the ARN with the key under which push-secret stores it."""
    (finding,) = judge.judge_name(used("prod/app"), SecretVersions(ARN), PLACE)
    assert codes((finding,)) == ["ECS-SECRET-NAME"]
    assert finding.fix[0].command == f"printf '%s\\n' {ARN}:{KEY}::"


@pytest.mark.parametrize(
    ("version", "family", "text", "found"),
    [
        pytest.param("1.3.0", "Linux", f"{ARN}:k::", ["ECS-PLATFORM"], marks=case("ECS-PLATFORM")),
        pytest.param("1.4.0", "Linux", f"{ARN}:k::", [], marks=near_miss("ECS-PLATFORM")),
        pytest.param("LATEST", "", f"{ARN}:k::", [], marks=near_miss("ECS-PLATFORM")),
        pytest.param("1.0.0", "WINDOWS_SERVER_2022_CORE", f"{ARN}:k::", [], marks=near_miss("ECS-PLATFORM")),
        pytest.param("1.3.0", "Linux", ARN, [], marks=near_miss("ECS-PLATFORM")),
    ],
)
def test_the_platform(version: str, family: str, text: str, found: list[str]) -> None:
    """JSON keys need Fargate 1.4.0 on Linux; a whole secret does not, and EC2 has no platform version."""
    service = EcsService("a", "shop", "prod", "ACTIVE", DEFINITION, 1, 1, version, family, fargate=True)
    assert codes(judge.judge_platform(service, [used(text)], PLACE)) == found
    ec2 = dataclasses.replace(service, fargate=False)
    assert judge.judge_platform(ec2, [used(text)], PLACE) == ()


# What the secret holds


NO_TEXTS: tuple[object, ...] = (None, 1_234_567, {"a": 1}, [], 1e-9, 10.0**30)


def stored(text: str | None) -> StoredSecret:
    """Return a secret's current version."""
    return StoredSecret(ARN, None if text is None else Secret(text), "v1")


@pytest.mark.parametrize(
    ("text", "fact", "found"),
    [
        pytest.param(
            f"{ARN}:{KEY}::",
            stored(json.dumps({KEY: HEADER})),
            [],
            marks=near_miss("ECS-KEY-MISSING", "ECS-KEY-NOT-TEXT", "ECS-WHOLE-SECRET", "ECS-VERSION-ABSENT"),
        ),
        pytest.param(ARN, stored(HEADER), [], marks=near_miss("ECS-WHOLE-SECRET")),
        pytest.param(
            f"{ARN}:{KEY}::",
            stored(json.dumps({KEY.upper(): HEADER})),
            ["ECS-KEY-MISSING"],
            marks=[case("ECS-KEY-MISSING"), near_miss("ECS-KEY-NOT-TEXT")],
        ),
        *(
            pytest.param(f"{ARN}:{KEY}::", stored(json.dumps({KEY: value})), [], marks=near_miss("ECS-KEY-NOT-TEXT"))
            for value in (123456, 0, True, 0.25, 1.0)
        ),
        *(
            pytest.param(
                f"{ARN}:{KEY}::",
                stored(json.dumps({KEY: value})),
                ["ECS-KEY-NOT-TEXT"],
                marks=[case("ECS-KEY-NOT-TEXT"), near_miss("ECS-KEY-MISSING")],
            )
            for value in NO_TEXTS
        ),
        pytest.param(
            ARN,
            stored(json.dumps({KEY: HEADER})),
            ["ECS-WHOLE-SECRET"],
            marks=[case("ECS-WHOLE-SECRET"), near_miss("ECS-KEY-MISSING")],
        ),
        pytest.param(
            f"{ARN}:{KEY}:OLD:",
            SecretAbsent(ARN, empty=True),
            ["ECS-VERSION-ABSENT"],
            marks=case("ECS-VERSION-ABSENT"),
        ),
        pytest.param(f"{ARN}:{KEY}::", SecretAbsent(ARN, empty=True), ["AWS-SECRET-EMPTY"]),
        pytest.param(f"{ARN}:{KEY}::", SecretAbsent(ARN), ["AWS-SECRET-NOT-FOUND"]),
        pytest.param(f"{ARN}:{KEY}::", stored(None), ["AWS-SECRET-BINARY"]),
        pytest.param(f"{ARN}:{KEY}::", stored(HEADER), ["AWS-SECRET-NOT-JSON"], marks=near_miss("ECS-KEY-MISSING")),
        pytest.param(f"{ARN}:{KEY}::", stored("[1]"), ["AWS-SECRET-NOT-OBJECT"]),
        pytest.param(f"{ARN}:{KEY}::", stored("[" * 200_000), ["AWS-SECRET-TOO-DEEP"]),
    ],
)
def test_what_the_secret_holds(text: str, fact: StoredSecret | SecretAbsent, found: list[str]) -> None:
    """What a valueFrom reads is judged as ECS would read it, by names and kinds alone."""
    findings, value = judge.judge_secret(used(text), fact, PLACE)
    assert codes(findings) == found
    assert (value is not None) == (found == [])
    assert HEADER not in "".join(finding.summary for finding in findings)


@pytest.mark.parametrize(
    ("variable", "value", "found"),
    [
        (HEADERS, HEADER, []),
        (HEADERS, "Authorization: Basic MTIz", ["AUTH-COLON-SYNTAX"]),
        (ENDPOINT, GATEWAY, []),
        (ENDPOINT, "http://collector.internal:4317", []),
        (ENDPOINT, "otlp-gateway-prod-eu-west-2.grafana.net/otlp", ["URL-SCHEME-MISSING"]),
        (ENDPOINT, GATEWAY.removesuffix("/otlp"), ["URL-OTLP-MISSING"]),
        ("GRAFANA_INSTANCE_ID", "x", []),
    ],
)
def test_what_the_container_gets(variable: str, value: str, found: list[str]) -> None:
    """The value itself is judged by the rules for headers and endpoints, with the container as the place."""
    findings = judge.judge_value(used(f"{ARN}:k::", variable), Secret(value), None, "")
    assert codes(findings)[:1] == found
    assert all("container app" in finding.subject for finding in findings)


# The execution role

READ = judge.Permission("secretsmanager:GetSecretValue", ARN, ARN)
DECRYPT = judge.Permission("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/1", ARN, kms=True)
NOT_ALLOWED = fault("AccessDenied", "not authorized", 403, "iam")


def policy(
    effect: str = "Allow", action: str = "secretsmanager:GetSecretValue", resource: str = ARN, **more: object
) -> str:
    """Return a policy of one statement."""
    return json.dumps({"Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]})


def permission(
    wanted: judge.Permission,
    simulated: str | Simulated | StoreFault,
    documents: tuple[str, ...] | StoreFault = NOT_ALLOWED,
    own: str | StoreFault = "",
    *,
    whole: bool = True,
) -> list[tuple[str, str]]:
    """Return codes and certainties of one permission."""
    verdict = Simulated(wanted.action, wanted.resource, simulated) if isinstance(simulated, str) else simulated
    role = RolePolicies(ROLE, "", documents, whole) if isinstance(documents, tuple) else documents
    findings = judge.judge_permission(ROLE, wanted, PLACE, simulated=verdict, policies=role, resource_policy=own)
    return list(zip(codes(findings), (finding.certainty.value for finding in findings), strict=True))


@case("ECS-ROLE-DENIED")
def test_the_role_may_not_read() -> None:
    """IAM's verdict is certain unless the secret's own policy may change it; read policies make it likely."""
    denied = "ECS-ROLE-DENIED"
    assert permission(READ, "implicitDeny") == [(denied, "certain")]
    assert permission(READ, "implicitDeny", own=policy()) == [(denied, "likely")]
    assert permission(READ, "implicitDeny", own=NOT_ALLOWED) == [(denied, "likely")]
    assert permission(READ, NOT_ALLOWED, ()) == [(denied, "likely")]
    assert permission(READ, NOT_ALLOWED, (policy(action="secretsmanager:ListSecrets"),)) == [(denied, "likely")]


@case("ECS-ROLE-DENIED")
def test_a_simulation_that_lacks_a_value_is_no_proof() -> None:
    """Where a policy decides by a tag or a VPC endpoint that IAM was told nothing of, the denial is only possible."""
    for decision in ("implicitDeny", "explicitDeny"):
        verdict = Simulated(READ.action, ARN, decision, ("secretsmanager:ResourceTag/app",))
        assert permission(READ, verdict) == [("ECS-ROLE-DENIED", "possible")]
    assert permission(READ, Simulated(READ.action, ARN, "allowed", ("aws:SourceVpce",))) == []


@case("ECS-ROLE-KMS")
@near_miss("ECS-ROLE-DENIED")
def test_the_role_may_not_decrypt() -> None:
    """A key's own policy may allow what the role's do not: likely."""
    assert permission(DECRYPT, "implicitDeny") == [("ECS-ROLE-KMS", "likely")]


@case("ECS-ROLE-DENY")
@near_miss("ECS-ROLE-DENIED", "ECS-ROLE-KMS")
def test_an_outright_deny_is_no_missing_permission() -> None:
    """What a policy denies is not mended by another permission: its own finding, certain, whatever else allows it."""
    deny = [("ECS-ROLE-DENY", "certain")]
    assert permission(READ, "explicitDeny", own=policy()) == deny
    assert permission(DECRYPT, "explicitDeny") == deny
    assert permission(READ, NOT_ALLOWED, (policy(), policy("Deny", "secretsmanager:*", "*"))) == deny


@case("ECS-ROLE-PARAMETER")
@near_miss("ECS-ROLE-DENIED", "ECS-ROLE-DENY")
def test_a_parameter_that_the_role_may_not_read() -> None:
    """A parameter has a permission of its own, and the command prints the very statement."""
    wanted = judge.Permission("ssm:GetParameters", "arn:aws:ssm:eu-west-1:123456789012:parameter/x", "")
    assert permission(wanted, "implicitDeny") == [("ECS-ROLE-PARAMETER", "certain")]
    verdict = Simulated(wanted.action, wanted.resource, "implicitDeny")
    (finding,) = judge.judge_permission(
        ROLE, wanted, PLACE, simulated=verdict, policies=NOT_ALLOWED, resource_policy=""
    )
    words = shlex.split(finding.fix[0].command or "")
    statement = {"Effect": "Allow", "Action": wanted.action, "Resource": wanted.resource}
    assert (words[0], json.loads(words[-1])) == ("printf", statement)


@near_miss("ECS-ROLE-PARAMETER", "ECS-ROLE-DENY")
def test_a_secret_that_the_role_may_not_read_is_no_parameter() -> None:
    """Nothing allows is not the same as something denies, and a secret is none of the Parameter Store's."""
    assert permission(READ, "implicitDeny") == [("ECS-ROLE-DENIED", "certain")]


@near_miss("ECS-ROLE-DENIED", "ECS-ROLE-KMS")
def test_the_role_may() -> None:
    """What IAM or the policies allow gives no finding, with wildcards and in either spelling."""
    assert permission(READ, "allowed") == permission(DECRYPT, "allowed") == []
    for one in (
        policy(),
        policy(action="SecretsManager:get*"),
        policy(resource="*"),
        policy(resource=ARN[:-6] + "??????"),
    ):
        assert permission(READ, NOT_ALLOWED, (one,)) == []
    assert permission(READ, NOT_ALLOWED, (policy(),), whole=False) == []


@near_miss("ECS-ROLE-DENIED")
@case("ECS-NOT-PERMITTED")
def test_the_role_cannot_be_told() -> None:
    """A condition, a policy that was not read, or a role that was not read leave it open, and name what is missing."""
    unknown = [("ECS-NOT-PERMITTED", "certain")]
    assert permission(READ, NOT_ALLOWED, (policy(Condition={"Bool": {"aws:x": "true"}}),)) == unknown
    assert permission(READ, NOT_ALLOWED, (), whole=False) == unknown
    assert permission(READ, NOT_ALLOWED) == unknown


TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}


def trust(changes: Mapping[str, object]) -> RolePolicies:
    """Return a role with a trust policy."""
    return RolePolicies(ROLE, json.dumps({"Statement": [{**TRUST, **changes}]}), ())


@case("ECS-ROLE-TRUST", "ECS-ROLE-ABSENT", "ECS-ROLE-MISSING")
def test_a_role_that_ecs_cannot_use() -> None:
    """No role, a role that is gone and a role that trusts somebody else are three findings."""
    assert codes(judge.judge_no_role(PLACE, ARN, "app")) == ["ECS-ROLE-MISSING"]
    assert codes(judge.judge_role(ROLE, RoleAbsent(ROLE), PLACE, ARN)) == ["ECS-ROLE-ABSENT"]
    others: list[dict[str, object]] = [{"Principal": {"Service": "ec2.amazonaws.com"}}, {"Effect": "Deny"}]
    for changes in others:
        (finding,) = judge.judge_role(ROLE, trust(changes), PLACE, ARN)
        assert codes((finding,)) == ["ECS-ROLE-TRUST"]
        assert "--role-name exec " in (finding.fix[0].command or "")


@near_miss("ECS-ROLE-TRUST", "ECS-ROLE-ABSENT", "ECS-ROLE-MISSING")
def test_a_role_that_ecs_can_use() -> None:
    """The service among others, in a list, with a condition on the account; and a role that was not read."""
    services = ["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"]
    ours: list[dict[str, object]] = [
        {},
        {"Principal": {"Service": services}},
        {"Condition": {"StringEquals": {}}},
        {"Action": ["sts:*"]},
    ]
    for changes in ours:
        assert judge.judge_role(ROLE, trust(changes), PLACE, ARN) == ()
    assert judge.judge_role(ROLE, NOT_ALLOWED, PLACE, ARN) == ()


# Parameters, and secrets that were made anew


@case("ECS-PARAMETER-ABSENT")
def test_a_parameter_that_is_not_there() -> None:
    """What the Parameter Store does not hold is named with its region, where the container wants it."""
    use = used("/otel/nothere", HEADERS)
    findings, value = judge.judge_parameter(use, SecretAbsent("/otel/nothere"), PLACE)
    assert (codes(findings), value) == (["ECS-PARAMETER-ABSENT"], None)
    assert "/otel/nothere" in findings[0].summary


@near_miss("ECS-PARAMETER-ABSENT")
def test_a_parameter_that_is_there() -> None:
    """What is read is what the container gets; what may not be read is not called absent."""
    use = used("/otel/headers", HEADERS)
    assert judge.judge_parameter(use, stored(HEADER), PLACE) == ((), Secret(HEADER))
    findings, value = judge.judge_parameter(use, fault("AccessDeniedException", "no", 400, "ssm"), PLACE)
    assert (codes(findings), value) == (["ECS-NOT-PERMITTED"], None)


@case("ECS-SECRET-REMADE")
def test_a_secret_that_was_made_anew() -> None:
    """An ARN that leads nowhere, beside a secret of the very name: the valueFrom with the ARN that is there."""
    there = ARN[:-6] + "ZyXwVu"
    findings, _ = judge.judge_secret(used(f"{ARN}:{KEY}::"), SecretAbsent(ARN), PLACE, SecretVersions(there))
    assert codes(findings) == ["ECS-SECRET-REMADE"]
    assert f"{there}:{KEY}::" in (findings[0].fix[0].command or "")


@near_miss("ECS-SECRET-REMADE")
@pytest.mark.parametrize(
    "namesake", [None, SecretAbsent("prod/app"), SecretVersions(ARN.replace("prod/app", "prod/app2")),
                 SecretVersions(ARN.replace("123456789012", "999999999999"))]
)  # fmt: skip
def test_a_secret_that_is_not_there_at_all(namesake: SecretVersions | SecretAbsent | None) -> None:
    """Another name, another account or nothing is no secret made anew."""
    findings, _ = judge.judge_secret(used(f"{ARN}:{KEY}::"), SecretAbsent(ARN), PLACE, namesake)
    assert codes(findings) == ["AWS-SECRET-NOT-FOUND"]


@case("ECS-KEY-MISSING")
@pytest.mark.parametrize(
    ("asked", "variable", "held", "command"),
    [
        ("hdr", HEADERS, "{}", f"otelctl push-secret --secret-id {ARN} --headers-key hdr"),
        (HEADERS.lower(), HEADERS, "{}", f"otelctl push-secret --secret-id {ARN}"),
        ("URL", ENDPOINT, '{"x": "y"}', f"otelctl push-secret --secret-id {ARN} --endpoint-key URL"),
        ("URL", ENDPOINT, '{"url": "y"}', f"printf '%s\\n' {ARN}:url::"),
        (
            "id",
            "GRAFANA_INSTANCE_ID",
            "{}",
            f"aws secretsmanager get-secret-value --secret-id {ARN} --query SecretString --output text | jq keys",
        ),
    ],
)
def test_a_missing_key_is_mended_by_its_own_name(asked: str, variable: str, held: str, command: str) -> None:
    """The push puts the value under the key that is asked for; one that differs in case alone is named instead."""
    findings, _ = judge.judge_secret(used(f"{ARN}:{asked}::", variable), stored(held), PLACE)
    assert codes(findings) == ["ECS-KEY-MISSING"]
    assert findings[0].fix[0].command == command


@pytest.mark.parametrize("text", ['{"k": NaN}', '{"k": Infinity}'])
def test_what_go_cannot_read_is_no_json(text: str) -> None:
    """NaN and Infinity, which Python reads, stop a task: ECS cannot read a key from such a text."""
    findings, _ = judge.judge_secret(used(f"{ARN}:k::"), stored(text), PLACE)
    assert codes(findings) == ["AWS-SECRET-NOT-JSON"]


@case("ECS-ARN-FORM")
@pytest.mark.parametrize(
    "text", ["123456:hunter2hunter2hunter2", "x-api-key=abcdefabcdefabcdef99", "Basic MTIzOmFiYw==", "MTIzNDU2OmFiYmFi"]
)
def test_a_credential_in_the_place_of_an_arn(text: str) -> None:
    """What the secret should hold, pasted where its ARN belongs, is told as that; the redactor is to be told of it."""
    use = used(text)
    assert judge.pasted(use)
    findings = judge.judge_use(use, PLACE, definition())
    assert codes(findings) == ["ECS-ARN-FORM"]
    assert "is a credential" in findings[0].summary


@pytest.mark.parametrize("text", ["prod/app:headers::", f"{ARN}:k", "prod app", "/otel/headers"])
def test_a_wrong_name_is_no_credential(text: str) -> None:
    """A name or an ARN in a wrong form is shown as it is."""
    use = used(text)
    assert not judge.pasted(use)


# Tasks


def test_what_stands_in_plain_text_is_judged_too() -> None:
    """Endpoint and header under environment are held to the same rules as those from a secret, and empty is absent."""
    bare = GATEWAY.removesuffix("/otlp")
    reversed_ = "Authorization=Basic " + base64.b64encode(b"glc_abcdefghijklmnop:123456").decode()
    given = container({ENDPOINT: bare, HEADERS: reversed_})
    found = codes(judge.judge_variables(definition(given), {}, PLACE, ARN))
    assert {"URL-OTLP-MISSING", "AUTH-REVERSED"} <= set(found)
    empty = container({ENDPOINT: GATEWAY, HEADERS: ""})
    assert codes(judge.judge_variables(definition(empty), {}, PLACE, ARN)) == ["ECS-HEADERS-MISSING"]
    fine = container({ENDPOINT: "http://collector.internal:4318"})
    assert codes(judge.judge_variables(definition(fine), {}, PLACE, ARN)) == []


def service(desired: int, running: int, failed: int = 0) -> EcsService:
    """Return a service with one deployment."""
    primary = EcsDeployment("d", "PRIMARY", DEFINITION, failed=failed)
    return EcsService("arn", "shop", "prod", "ACTIVE", DEFINITION, desired, running, deployments=(primary,))


@case("ECS-NO-TASK-RUNS", "ECS-TASKS-SHORT")
@near_miss("ECS-NO-TASK-RUNS", "ECS-TASKS-SHORT")
def test_how_many_tasks_run() -> None:
    """None is an outage, fewer or failing ones a warning, and what was told with its reason is not told twice."""

    def found(one: EcsService, *, told: bool = False) -> list[str]:
        return codes(judge.judge_counts(one, PLACE, told=told))

    assert found(service(3, 0, 12)) == found(service(3, 0), told=True) == ["ECS-NO-TASK-RUNS"]
    assert found(service(3, 2)) == found(service(3, 3, 1)) == ["ECS-TASKS-SHORT"]
    assert found(service(3, 2), told=True) == found(service(3, 3)) == found(service(0, 0)) == []
    assert found(service(3, 4)) == []


@case("ECS-TASKS-REVISION")
@near_miss("ECS-TASKS-REVISION")
def test_tasks_of_another_revision() -> None:
    """What was found holds for one revision; tasks of another one are counted and named."""
    other = DEFINITION[:-1] + "6"
    (finding,) = judge.judge_revisions([task(1, 0), task(1, 0, task_definition=other)], DEFINITION, PLACE)
    assert codes((finding,)) == ["ECS-TASKS-REVISION"]
    assert finding.summary.startswith("1 of 2 ")
    assert judge.judge_revisions([task(1, 0), task(None, 0, task_definition=other)], DEFINITION, PLACE) == ()


def task(started: int | None, created: int | None = None, **more: object) -> EcsTask:
    """Return a task of minutes after noon."""

    def at(minutes: int | None) -> datetime | None:
        return None if minutes is None else NOON + timedelta(minutes=minutes)

    known = EcsTask("arn:aws:ecs:x:1:task/prod/abc", DEFINITION, "RUNNING", at(created), at(started))
    return dataclasses.replace(known, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tasks", "versions", "found"),
    [
        pytest.param(
            [task(-5, -6), task(5, 4)],
            SecretVersions(ARN, current=NOON),
            ["ECS-TASKS-STALE"],
            marks=[case("ECS-TASKS-STALE"), near_miss("ECS-TASKS-UNSURE")],
        ),
        pytest.param(
            [task(5, 4), task(None, -5)],
            SecretVersions(ARN, current=NOON, changed=NOON + timedelta(hours=1)),
            [],
            marks=near_miss("ECS-TASKS-STALE", "ECS-TASKS-UNSURE"),
        ),
        pytest.param([task(-5)], SecretVersions(ARN), [], marks=near_miss("ECS-TASKS-STALE")),
        pytest.param(
            [task(1, -1)],
            SecretVersions(ARN, current=NOON),
            ["ECS-TASKS-UNSURE"],
            marks=[case("ECS-TASKS-UNSURE"), near_miss("ECS-TASKS-STALE")],
        ),
        pytest.param(
            [task(15, 14)],
            SecretVersions(ARN, "", NOON, NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)),
            ["ECS-TASKS-UNSURE"],
            marks=case("ECS-TASKS-UNSURE"),
        ),
        pytest.param(
            [task(25, 24)],
            SecretVersions(ARN, "", NOON, NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)),
            [],
            marks=near_miss("ECS-TASKS-UNSURE"),
        ),
    ],
)
def test_running_tasks(tasks: list[EcsTask], versions: SecretVersions, found: list[str]) -> None:
    """A task has what was current when it started, which is compared with the time of the version."""
    assert codes(judge.judge_tasks(tasks, versions, PLACE)) == found


@case("ECS-TASKS-STALE")
@near_miss("ECS-TASKS-UNSURE")
def test_old_tasks_by_what_has_changed() -> None:
    """That the value changed is certain only where the version before was read; another key's change is none of it."""
    made = SecretVersions(ARN, "", NOON, NOON - timedelta(minutes=10))
    (stale,) = judge.judge_tasks([task(-5, -6)], made, PLACE, same=False)
    (unread,) = judge.judge_tasks([task(-5, -6)], made, PLACE, same=None)
    (older,) = judge.judge_tasks([task(-15, -16)], made, PLACE, same=True)
    assert codes((stale, unread, older)) == ["ECS-TASKS-STALE"] * 3
    assert [one.certainty.value for one in (stale, unread, older)] == ["certain", "likely", "likely"]


@near_miss("ECS-TASKS-STALE", "ECS-TASKS-UNSURE")
def test_a_change_of_somebody_elses_key_leaves_running_tasks_alone() -> None:
    """A new password beside our keys asks for no deployment for our sake."""
    made = SecretVersions(ARN, "", NOON, NOON - timedelta(minutes=10))
    assert judge.judge_tasks([task(-5, -6), task(1, -1)], made, PLACE, same=True) == ()
    now, before = stored('{"k": "v", "db": "new"}'), stored('{"db": "old", "k": "v"}')
    assert judge.same_values(now, before, ["k"]) is True
    assert judge.same_values(now, before, ["k", "db"]) is False
    assert judge.same_values(now, before, [""]) is False
    assert judge.same_values(now, now, [""]) is True
    assert judge.same_values(now, SecretAbsent(ARN), ["k"]) is None
    assert judge.same_values(now, stored("text"), ["k"]) is False


# The words of amazon-ecs-agent, of the ECS guide's stopped task errors, and of reports in public.
HEAD = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
ASM = HEAD + "unable to retrieve secret from asm: service call has been retried 1 time(s): "
FETCH = ASM + f"failed to fetch secret {ARN} from secrets manager: "
ASM_5 = ASM.replace("1 time", "5 time")
STOPS = [
    (
        "ECS-STOP-JSON-KEY",
        ASM + "retrieved secret from Secrets Manager did not contain json key otel_headers",
    ),
    (
        "ECS-STOP-NOT-JSON",
        ASM + "invalid character '\\'' looking for beginning of value",
    ),
    (
        "ECS-STOP-NOT-JSON",
        HEAD + "unable to retrieve secret from asm: invalid character 'a' looking for beginning of object key string",
    ),
    (
        "ECS-STOP-NOT-JSON",
        ASM + "json: cannot unmarshal string into Go value of type map[string]interface {}",
    ),
    (
        "ECS-STOP-DENIED",
        FETCH + "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/exec/1 is not "
        "authorized to perform: secretsmanager:GetSecretValue on resource: x because no identity-"
        "based policy allows the secretsmanager:GetSecretValue action",
    ),
    (
        "ECS-STOP-DENIED",
        FETCH + "operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, "
        "RequestID: 1, api error AccessDeniedException: User: arn:aws:sts::1:assumed-role/exec/1 "
        "is not authorized",
    ),
    (
        "ECS-STOP-DENIED",
        HEAD + "unable to retrieve secrets from ssm: AccessDeniedException: User: "
        "arn:aws:sts::1:assumed-role/exec/1 is not authorized to perform: ssm:GetParameters on "
        "resource: x",
    ),
    (
        "ECS-STOP-KMS",
        FETCH + "AccessDeniedException: Access to KMS is not allowed status code: 400, request id: 1",
    ),
    (
        "ECS-STOP-NETWORK",
        HEAD + "unable to retrieve secret from asm: RequestError: send request failed caused by: Post "
        '"https://secretsmanager.eu-west-1.amazonaws.com/": dial tcp 10.0.0.1:443: i/o timeout. '
        "Please check your task network configuration.",
    ),
    (
        "ECS-STOP-NETWORK",
        ASM_5 + "failed to fetch secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-"
        "AbCdEf from secrets manager: RequestCanceled: request context canceled caused by: "
        "context deadline exceeded",
    ),
    (
        "ECS-STOP-NETWORK",
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot "
            "pull registry auth from Amazon ECR: There is a connection issue between the task and "
            "Amazon ECR."
        ),
    ),
    (
        "ECS-STOP-ARN",
        ASM + "trying to retrieve secret with value arn:aws:secretsmanager:eu-"
        "west-1:123456789012:secret:prod/app-AbCdEf:k resulted in error: an invalid ARN format "
        "for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again.",
    ),
    (
        "ECS-STOP-NOT-FOUND",
        FETCH + "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
    ),
    (
        "ECS-STOP-NOT-FOUND",
        (
            "ResourceInitializationError: The task can't retrieve the secret with ARN "
            f"'{ARN}' from AWS Secrets "
            "Manager. Check that the secret ARN is correct"
        ),
    ),
    (
        "ECS-STOP-NOT-FOUND",
        HEAD + "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid "
        "ssm parameters: prod/app",
    ),
    (
        "ECS-STOP-VERSION",
        FETCH + "ResourceNotFoundException: Secrets Manager can't find the specified secret value for "
        "staging label: NOSUCH",
    ),
    (
        "ECS-STOP-VERSION",
        FETCH + "InvalidParameter: 1 validation error(s) found. - minimum field size of 32, "
        "GetSecretValueInput.VersionId.",
    ),
    (
        "ECS-STOP-SECRET-DELETED",
        FETCH + "InvalidRequestException: You can't perform this operation on the secret because it was "
        "marked for deletion.",
    ),
    (
        "ECS-STOP-ROLE",
        (
            "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/svc/exec' that was "
            "provided for this task. Please verify that the role being passed has the proper trust "
            "relationship and permissions"
        ),
    ),
    (
        "ECS-STOP-IMAGE",
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
            "resolve ref shop:1: not found"
        ),
    ),
    (
        "ECS-STOP-IMAGE",
        HEAD + "unable to retrieve ecr registry auth: service call has been retried 3 time(s): AccessDeniedException: "
        "User: arn:aws:sts::1:assumed-role/exec/1 is not authorized to perform: ecr:GetAuthorizationToken on "
        "resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action",
    ),
    (
        "ECS-STOP-OTHER",
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times",
    ),
    (
        "ECS-STOP-OTHER",
        (
            "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to "
            "create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
        ),
    ),
    (
        "ECS-STOP-OTHER",
        (
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: Failed to "
            'resolve "fs-1.efs.eu-west-1.amazonaws.com": Network is unreachable : unsuccessful EFS utils command'
        ),
    ),
    (
        "ECS-STOP-OTHER",
        (
            "ResourceInitializationError: failed to download env files: file download command: non empty error stream: "
            "RequestCanceled: request context canceled caused by: context deadline exceeded"
        ),
    ),
]

NEXT_OF_KIN = {
    "ECS-STOP-JSON-KEY": ["ECS-STOP-NOT-JSON"],
    "ECS-STOP-NOT-JSON": ["ECS-STOP-JSON-KEY"],
    "ECS-STOP-DENIED": ["ECS-STOP-KMS", "ECS-STOP-ROLE"],
    "ECS-STOP-KMS": ["ECS-STOP-DENIED"],
    "ECS-STOP-NETWORK": ["ECS-STOP-OTHER"],
    "ECS-STOP-ARN": ["ECS-STOP-NOT-FOUND"],
    "ECS-STOP-NOT-FOUND": ["ECS-STOP-VERSION", "ECS-STOP-SECRET-DELETED"],
    "ECS-STOP-VERSION": ["ECS-STOP-NOT-FOUND", "ECS-STOP-ARN"],
    "ECS-STOP-ROLE": ["ECS-STOP-DENIED"],
    "ECS-STOP-IMAGE": ["ECS-STOP-NETWORK", "ECS-STOP-EXITED"],
    "ECS-STOP-OTHER": ["ECS-STOP-IMAGE", "ECS-STOP-NOT-FOUND", "ECS-STOP-NETWORK"],
}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(code, reason, marks=[case(code), near_miss(*NEXT_OF_KIN.get(code, ()))], id=f"{code}-{number}")
        for number, (code, reason) in enumerate(STOPS)
    ],
)
def test_a_stop_reason_has_one_cause(code: str, reason: str) -> None:
    """ECS's own words give exactly one finding, in a task's reason, a container's, and a deployment's."""
    stopped = task(None, 0, stop_code="TaskFailedToStart", reasons=(reason,))
    (finding,) = judge.judge_stops([stopped], [], PLACE, ARN, ROLE)
    assert codes((finding,)) == [code]
    stopped = task(None, 0, stop_code="TaskFailedToStart", reasons=("Task failed to start", reason))
    assert codes(judge.judge_stops([stopped, stopped], [], PLACE, "", "")) == [code]
    event = judge.judge_event(f"(service shop) was unable to place a task. Reason: {reason}.", PLACE, ARN, "")
    assert codes(event) == ([] if code == "ECS-STOP-OTHER" else [code])


@case("ECS-STOP-DENIED", "ECS-STOP-JSON-KEY")
def test_a_stop_reason_gives_the_names() -> None:
    """Principal, action, key and secret in the words go into the finding and its commands."""
    reasons = dict(reversed(STOPS))
    (denied,) = judge.judge_event(reasons["ECS-STOP-DENIED"], PLACE, "", ROLE)
    assert denied.evidence["principal"] == "arn:aws:sts::123456789012:assumed-role/exec/1"
    assert denied.fix[0].command == f"otelctl render ecs-json --secret-arn {ARN} --role {ROLE}"
    (key,) = judge.judge_event(reasons["ECS-STOP-JSON-KEY"] + ".", PLACE, ARN, "")
    assert key.evidence["json_key"] == "otel_headers"


@case("ECS-STOP-EXITED")
@near_miss("ECS-STOP-OTHER")
def test_a_program_that_ends() -> None:
    """An essential container that exits with an error is told as that, with its code."""
    reasons = ("Essential container in task exited",)
    stopped = task(-5, -6, stop_code="EssentialContainerExited", reasons=reasons, exit_code=1)
    (finding,) = judge.judge_stops([stopped], [], PLACE, ARN, "")
    assert codes((finding,)) == ["ECS-STOP-EXITED"]
    assert "exit code 1" in finding.summary


@near_miss("ECS-STOP-EXITED", "ECS-STOP-OTHER", "ECS-STOP-SECRET-DELETED", "ECS-STOP-JSON-KEY")
@pytest.mark.parametrize(
    "stopped",
    [
        task(None, 0, stop_code="ServiceSchedulerInitiated", reasons=("Scaling activity (x)",), exit_code=143),
        task(None, 0, stop_code="UserInitiated", reasons=("Task stopped by user",), exit_code=137),
        task(None, 0, stop_code="SpotInterruption", reasons=("Your Spot Task was interrupted.",)),
        task(-5, -6, stop_code="EssentialContainerExited", reasons=("Essential container in task exited",)),
        task(None, -60, stop_code="TaskFailedToStart", reasons=(STOPS[0][1],)),
        task(None, 0, stop_code="TaskFailedToStart", reasons=(STOPS[0][1],), task_definition=DEFINITION[:-1] + "6"),
    ],
)  # fmt: skip
def test_a_task_that_was_meant_to_stop(stopped: EcsTask) -> None:
    """Deployments, people and Spot stop healthy tasks; and what a later start has overtaken is over."""
    assert judge.judge_stops([stopped], [task(-10, -11)], PLACE, ARN, ROLE) == ()


@near_miss("ECS-STOP-OTHER")
@case("ECS-STOP-JSON-KEY")
def test_a_failed_revision_is_not_overtaken_by_an_older_one() -> None:
    """After a roll-back the older revision runs, and why the newer one failed still stands."""
    stopped = task(None, 0, stop_code="TaskFailedToStart", reasons=(STOPS[0][1],))
    older = task(5, 4, task_definition=DEFINITION.replace(":7", ":6"))
    assert codes(judge.judge_stops([stopped], [older], PLACE, ARN, ROLE)) == ["ECS-STOP-JSON-KEY"]


# Deployments


@case("ECS-DEPLOY-FAILED")
@near_miss("ECS-DEPLOY-UNSETTLED")
def test_a_deployment_that_failed() -> None:
    """A deployment that ECS gave up is told in ECS's words, or by the tasks that did not start."""
    failed = EcsDeployment("ecs-svc/1", "PRIMARY", DEFINITION, "FAILED", "circuit breaker: tasks failed to start")
    (finding,) = judge.judge_deployments([failed], PLACE)
    assert codes((finding,)) == ["ECS-DEPLOY-FAILED"]
    assert "circuit breaker" in finding.summary
    assert (
        "3 tasks did not start" in judge.judge_failed(dataclasses.replace(failed, reason="", failed=3), PLACE).summary
    )


@near_miss("ECS-DEPLOY-FAILED", "ECS-DEPLOY-UNSETTLED")
@pytest.mark.parametrize("rollout", ["COMPLETED", "IN_PROGRESS", ""])
def test_a_deployment_that_goes_on(rollout: str) -> None:
    """One that is done, on its way, or of a service without rollout states is no failure."""
    going = EcsDeployment("ecs-svc/1", "PRIMARY", DEFINITION, rollout, "ECS deployment in progress.", failed=1)
    assert judge.judge_deployments([going], PLACE) == ()


@case("ECS-DEPLOY-UNSETTLED")
@near_miss("ECS-DEPLOY-FAILED")
def test_a_deployment_that_was_not_seen_to_end() -> None:
    """Where watching ended first, it is unknown, and the command waits on."""
    (finding,) = judge.judge_unsettled(PLACE, 900.4, "1 of 2 new tasks run")
    assert codes((finding,)) == ["ECS-DEPLOY-UNSETTLED"]
    assert (finding.severity, finding.evidence["seconds"]) == (Severity.UNKNOWN, "900")

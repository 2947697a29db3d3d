"""Tests of what is known of ECS without asking it: valueFrom, policies, and the snippets that wire a secret in."""

from __future__ import annotations

import contextlib
import json
import string
from typing import Any

import hcl2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl.cli.errors import UsageError
from otelctl.cli.redeploy import Target, parse
from otelctl.ecs import (
    Decision,
    Reference,
    Store,
    ValueFromError,
    decide,
    read_value_from,
    reads_json_keys,
    role_name,
    trusts,
    value_from,
)
from otelctl.render.ecs import Wiring, as_json, as_terraform
from tests.support.program import run

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/app-AbCdEf"
ROLE = "arn:aws:iam::123456789012:role/svc/exec"
KMS = "arn:aws:kms:eu-west-1:123456789012:key/1234-abcd"

names = st.text(string.ascii_letters + string.digits + "/_+=.@-", min_size=1, max_size=40)
keys = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters=":"), min_size=1, max_size=30
)


@given(
    names, st.one_of(st.just(""), keys), st.sampled_from(["", "AWSCURRENT", "blue"]), st.sampled_from(["", "v" * 32])
)
def test_what_is_written_is_read(name: str, key: str, stage: str, version: str) -> None:
    """Each part of a valueFrom that is put together is read back, whatever the key is called."""
    arn = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{name}-AbCdEf"
    reference = read_value_from(f"{arn}:{key}:{stage}:{version}")
    assert reference == Reference(
        f"{arn}:{key}:{stage}:{version}", Store.SECRETS_MANAGER, "eu-west-1", "123456789012", f"{name}-AbCdEf", arn,
        key, stage, version,
    )  # fmt: skip
    assert reference.suffixed
    assert read_value_from(value_from(arn, key)).json_key == key


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing that stands in a valueFrom raises anything but what says what is wrong with it."""
    for candidate in (text, f"arn:aws:{text}", ARN + text):
        with contextlib.suppress(ValueFromError):
            assert read_value_from(candidate).text == candidate


@given(st.text(":ab", max_size=12))
def test_what_is_mended_can_be_read(after: str) -> None:
    """The form that is said to have been meant is one that ECS reads."""
    try:
        read_value_from(ARN + after)
    except ValueFromError as error:
        if error.mended:
            read_value_from(error.mended)


@pytest.mark.parametrize(
    ("after", "mended"),
    [
        (":", ARN),
        ("::", ARN),
        (":key", f"{ARN}:key::"),
        (":key:", f"{ARN}:key::"),
        (":key:stage", f"{ARN}:key:stage:"),
        (":key:::", f"{ARN}:key::"),
        (":a:b:c:d", ""),
    ],
)
def test_colons_are_mended_where_it_is_clear_what_was_meant(after: str, mended: str) -> None:
    """Missing and surplus colons at the end are put right; a fourth word is not guessed at."""
    with pytest.raises(ValueFromError, match="where ECS takes none or three") as caught:
        read_value_from(ARN + after)
    assert caught.value.mended == mended


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        (f"{ARN}:k::", ""),
        (f"{ARN}:k:AWSCURRENT:", ""),
        (f"{ARN}:k:AWSPREVIOUS:", "stage AWSPREVIOUS"),
        (f"{ARN}:k:blue:v1", "stage blue and version v1"),
    ],
)
def test_what_holds_a_reference_to_one_version(text: str, pinned: str) -> None:
    """AWSCURRENT by its name is no pin; any other stage, and a version, is."""
    assert read_value_from(text).pinned == pinned


def test_platforms_and_roles() -> None:
    """Versions compare as numbers, and a role's name comes without its path."""
    assert [reads_json_keys("LINUX", version) for version in ("1.3.0", "1.4.0", "1.10.0", "LATEST", "")] == [
        False, True, True, True, True,
    ]  # fmt: skip
    assert reads_json_keys("WINDOWS_SERVER_2019_FULL", "1.0.0")
    assert (role_name(ROLE), role_name("exec")) == ("exec", "exec")


def document(*statements: dict[str, Any]) -> str:
    """Return a policy."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ALLOW = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": ARN}


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([], Decision.IMPLICIT_DENY),
        ([ALLOW], Decision.ALLOWED),
        ([{**ALLOW, "Action": ["kms:Decrypt", "secretsmanager:*"]}], Decision.ALLOWED),
        ([{**ALLOW, "Resource": "arn:aws:secretsmanager:*:*:secret:prod/*"}], Decision.ALLOWED),
        ([{**ALLOW, "Resource": ARN.removesuffix("-AbCdEf")}], Decision.IMPLICIT_DENY),
        ([{**ALLOW, "Resource": ARN.removesuffix("AbCdEf") + "??????"}], Decision.ALLOWED),
        ([{**ALLOW, "Resource": ARN.replace("prod", "PROD")}], Decision.IMPLICIT_DENY),
        ([ALLOW, {**ALLOW, "Effect": "Deny"}], Decision.EXPLICIT_DENY),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], Decision.ALLOWED),
        ([{"Effect": "Allow", "NotAction": "secretsmanager:*", "Resource": "*"}], Decision.IMPLICIT_DENY),
        ([{"Effect": "Allow", "Action": "*", "NotResource": ARN}], Decision.IMPLICIT_DENY),
        ([{**ALLOW, "Condition": {"Bool": {"a": "b"}}}], Decision.DEPENDS),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": {"Bool": {"a": "b"}}}], Decision.DEPENDS),
    ],
)
def test_policies_together(statements: list[dict[str, Any]], decision: Decision) -> None:
    """A deny beats every allow, wildcards match, actions in any case, resources in their own."""
    assert decide([document(*statements)], "secretsmanager:GetSecretValue", ARN) is decision


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "no JSON", '{"Statement": 1}', '{"Statement": [1, null]}', "[" * 99_999]
)
def test_a_policy_that_is_none(text: str) -> None:
    """A document that cannot be read allows nothing by mistake, and raises nothing."""
    assert decide([text], "a:B", "*") in {Decision.DEPENDS, Decision.IMPLICIT_DENY}
    assert isinstance(trusts(text, "ecs-tasks.amazonaws.com"), bool)


WIRINGS = [
    Wiring(ARN, "otel_exporter_otlp_endpoint", "otel_exporter_otlp_headers", "app"),
    Wiring(ARN, 'a"b\\c', "${x}%{y}", "side-car", ROLE, KMS),
    Wiring(ARN, "ключ", "k" * 200, "app", "exec"),
]


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_json_snippet(wiring: Wiring) -> None:
    """The JSON is what a task definition and a policy take, and its policy allows what its secrets need."""
    rendered = json.loads(as_json(wiring))
    (container,) = rendered["taskDefinition"]["containerDefinitions"]
    assert container["name"] == wiring.container
    references = {one["name"]: read_value_from(one["valueFrom"]) for one in container["secrets"]}
    assert references["OTEL_EXPORTER_OTLP_ENDPOINT"].json_key == wiring.endpoint_key
    assert references["OTEL_EXPORTER_OTLP_HEADERS"].json_key == wiring.headers_key
    policy = json.dumps(rendered["policy"])
    assert decide([policy], "secretsmanager:GetSecretValue", ARN) is Decision.ALLOWED
    assert (decide([policy], "kms:Decrypt", KMS) is Decision.ALLOWED) == bool(wiring.kms_key)
    assert rendered["taskDefinition"].get("executionRoleArn") == (ROLE if wiring.role == ROLE else None)


def literal(value: str) -> str:
    """Return the text of a string of HCL as the parser hands it out: quoted, templates escaped."""
    text: str = json.loads(value)
    return text.replace("$${", "${").replace("%%{", "%{")


@pytest.mark.parametrize("wiring", WIRINGS)
def test_the_terraform_snippet(wiring: Wiring) -> None:
    """A parser of HCL reads the same keys, the same role and the same permissions from it."""
    parsed = hcl2.loads(as_terraform(wiring))
    (block,) = parsed["locals"]
    secrets = {literal(one["name"]): literal(one["valueFrom"]) for one in block["otel_secrets"]}
    assert secrets == dict(wiring.secrets)
    assert [literal(one["name"]) for one in block["otel_environment"]] == ["OTEL_EXPORTER_OTLP_PROTOCOL"]
    statements = parsed["data"][0]['"aws_iam_policy_document"']['"otel_secret"']["statement"]
    found = [(literal(one["actions"][0]), literal(one["resources"][0])) for one in statements]
    assert found == [(action, resource) for _, action, resource in wiring.statements]
    attached = parsed["resource"][0]['"aws_iam_role_policy"']['"otel_secret"']
    if wiring.role:
        assert literal(attached["role"]) == "exec"
        assert "variable" not in parsed
    else:
        assert attached["role"] == "${var.otel_execution_role}"
        assert list(parsed["variable"][0]) == ['"otel_execution_role"']


@pytest.mark.parametrize("what", ["ecs-json", "ecs-terraform"])
def test_the_command_prints_the_snippet(what: str) -> None:
    """The user's own ARN, keys, container and role are in the snippet, and nothing else is printed."""
    result = run(
        "render", what, "--secret-arn", ARN, "--endpoint-key", "e", "--headers-key", "h", "--container", "web",
        "--role", ROLE, "--kms-key", KMS,
    )  # fmt: skip
    wiring = Wiring(ARN, "e", "h", "web", ROLE, KMS)
    assert (result.code, result.stderr) == (0, "")
    assert result.stdout == (as_json(wiring) if what == "ecs-json" else as_terraform(wiring))


@pytest.mark.parametrize(
    "options",
    [
        ("ecs-yaml", "--secret-arn", ARN),
        ("ecs-json",),
        ("ecs-json", "--secret-arn", ""),
        ("ecs-json", "--secret-arn", "prod/app"),
        ("ecs-json", "--secret-arn", ARN.removesuffix("-AbCdEf")),
        ("ecs-json", "--secret-arn", f"{ARN}:key::"),
        ("ecs-json", "--secret-arn", f"{ARN}:"),
        ("ecs-json", "--secret-arn", ARN.replace("123456789012", "ACCOUNT")),
        ("ecs-json", "--secret-arn", "arn:aws:ssm:eu-west-1:123456789012:parameter/x-AbCdEf"),
        ("ecs-json", "--secret-arn", f"{ARN}\n"),
        ("ecs-json", "--secret-arn", ARN, "--container", "a b"),
        ("ecs-json", "--secret-arn", ARN, "--endpoint-key", "a:b"),
        ("ecs-json", "--secret-arn", ARN, "--headers-key", ""),
        ("ecs-json", "--secret-arn", ARN, "--headers-key", "same", "--endpoint-key", "same"),
        ("ecs-terraform", "--secret-arn", ARN, "--role", "two words"),
        ("ecs-terraform", "--secret-arn", ARN, "--kms-key", "alias/mine"),
    ],
)
def test_what_cannot_be_wired_in_is_refused(options: tuple[str, ...]) -> None:
    """A wrong ARN, key, name or role gives one line and exit code 2, and nothing on standard output."""
    result = run("render", *options)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith("otelctl: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("prod/shop", Target("prod", "shop")),
        (
            "arn:aws:ecs:eu-west-1:123456789012:service/prod/shop",
            Target("prod", "shop", "eu-west-1", "arn:aws:ecs:eu-west-1:123456789012:cluster/prod"),
        ),
    ],
)
def test_a_service_by_name_or_arn(text: str, target: Target) -> None:
    """CLUSTER/SERVICE names a service of the caller, an ARN one of its own region and account."""
    assert parse(text) == target
    assert str(target) == "prod/shop"


@pytest.mark.parametrize("text", ["", "shop", "prod/", "/shop", "a/b/c", "prod/shop\n", "arn:aws:ecs:x:1:service/shop"])
def test_no_service(text: str) -> None:
    """Anything else is refused with the form that is wanted."""
    with pytest.raises(UsageError, match="CLUSTER/SERVICE"):
        parse(text)

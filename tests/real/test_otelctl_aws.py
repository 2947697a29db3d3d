"""`otelctl push-secret` against AWS Secrets Manager as moto plays it over HTTP: what is stored, kept and refused."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from otelctl.gateway import Gateway, Tenant
from tests.real.conftest import Moto
from tests.support.gateway import authorization, basic, tenant
from tests.support.parts import free_ports
from tests.support.program import COMMAND, Result, environment, run

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

ENDPOINT_KEY, HEADERS_KEY = "otel_exporter_otlp_endpoint", "otel_exporter_otlp_headers"

# Forms of numbers, strings and white space that a parser would not give back as they were.
BEFORE = (
    '{\n\t"DATABASE_URL": "postgres://app:hunter2-hunter2@db/shop",\n\t"WORKERS": 4, "RATE": 1.10, "LIMIT": 1E+3,'
    '\n\t"BIG": 123456789012345678901234567890, "NAME": "Zo\\u00eb \\/ ü",\n\t"NESTED": {"z": [1, 2.0], "a": null}\n}\n'
)
HUNTER = "hunter2-hunter2"


@pytest.fixture(scope="module")
def stack() -> Tenant:
    """The stack whose credential is to be stored."""
    return tenant()


@pytest.fixture
def gateway(stack: Tenant) -> Iterator[Gateway]:
    """The gateway that takes the credential, and has met no bug of its own when the test is over."""
    with Gateway([stack]) as running:
        yield running
    assert running.crashes == ()


@pytest.fixture
def client(moto: Moto) -> Iterator[SecretsManagerClient]:
    """A client of the tests' own, so that what is stored is judged by other eyes than otelctl's."""
    made = boto3.session.Session(
        aws_access_key_id=moto.variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=moto.variables["AWS_SECRET_ACCESS_KEY"],
        region_name=moto.variables["AWS_DEFAULT_REGION"],
    ).client("secretsmanager", endpoint_url=moto.url)
    yield made
    made.close()


@pytest.fixture
def variables(moto: Moto, gateway: Gateway, stack: Tenant) -> dict[str, str]:
    """What a user has set: AWS, the endpoint, and the credential in its two parts."""
    return {
        **moto.variables,
        "OTEL_EXPORTER_OTLP_ENDPOINT": gateway.url,
        "GRAFANA_INSTANCE_ID": stack.instance_id,
        "GRAFANA_API_TOKEN": stack.token.reveal(),
    }


def push(variables: dict[str, str], *more: str, name: str = "app", yes: bool = True) -> Result:
    """Run push-secret with a report in JSON."""
    arguments = ["push-secret", "--secret-id", name, "--format", "json", *(["--yes"] if yes else []), *more]
    return run(*arguments, variables=variables)


def stored(client: SecretsManagerClient, name: str = "app") -> str:
    """Return the text of the current version."""
    return client.get_secret_value(SecretId=name)["SecretString"]


def versions(client: SecretsManagerClient) -> dict[str, list[str]]:
    """Return each version that has a label, with its labels."""
    return client.describe_secret(SecretId="app")["VersionIdsToStages"]


def assert_shows_no_secret(result: Result, stack: Tenant) -> None:
    """Hold that neither our credential nor what else the secret holds is in what a run wrote."""
    for secret in (stack.token.reveal()[8:], authorization(stack).removeprefix("Basic ")[8:], HUNTER):
        assert secret not in result.stdout + result.stderr


# Writing


def test_the_two_keys_are_added_and_nothing_else_changes(
    client: SecretsManagerClient, variables: dict[str, str], gateway: Gateway, stack: Tenant
) -> None:
    """Every other key keeps its place and its very characters, and the two new ones hold what an exporter needs."""
    client.create_secret(Name="app", SecretString=BEFORE)
    result = push(variables)
    assert (result.code, result.found, result.stderr) == (0, [], "")
    after = stored(client)
    kept = BEFORE.rstrip().removesuffix("}").rstrip()
    assert after.startswith(kept)
    document = json.loads(after)
    assert list(document) == [*json.loads(BEFORE), ENDPOINT_KEY, HEADERS_KEY]
    assert document[ENDPOINT_KEY] == gateway.url
    assert document[HEADERS_KEY] == f"Authorization={authorization(stack)}"
    assert result.report["facts"]["added"] == f"{ENDPOINT_KEY}, {HEADERS_KEY}"
    assert_shows_no_secret(result, stack)


def test_the_labels_are_as_a_plain_write_leaves_them(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """After the write the new version is current and the one before previous, and no label of ours is left."""
    first = client.create_secret(Name="app", SecretString=BEFORE)["VersionId"]
    result = push(variables)
    assert versions(client) == {result.report["facts"]["version"]: ["AWSCURRENT"], first: ["AWSPREVIOUS"]}


def test_what_was_stored_is_healthy_when_it_is_read_from_there(
    client: SecretsManagerClient, variables: dict[str, str], moto: Moto, gateway: Gateway, stack: Tenant
) -> None:
    """With nothing but AWS in the environment, check-endpoint and send-test-span take all they need from the secret."""
    client.create_secret(Name="app", SecretString=BEFORE)
    assert push(variables).code == 0
    before = len(gateway.received)
    for command in ("check-endpoint", "send-test-span", "smoke"):
        result = run(command, "--from-secret", "app", "--format", "json", variables=moto.variables)
        assert (result.code, result.found) == (0, [])
        assert_shows_no_secret(result, stack)
    later = gateway.received[before:]
    assert {getattr(one.header("authorization"), "reveal", str)() for one in later} == {authorization(stack)}


def test_a_second_push_writes_nothing(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """What is stored already is not stored again: the version stays, and the report says so."""
    client.create_secret(Name="app", SecretString=BEFORE)
    assert push(variables).code == 0
    before = versions(client)
    result = push(variables)
    assert (result.code, result.found) == (0, [])
    assert result.report["facts"]["unchanged"] == f"{ENDPOINT_KEY}, {HEADERS_KEY}"
    assert versions(client) == before


def test_other_keys_can_be_named(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """The keys are those that options name, and an old value under one of them is replaced in its place."""
    client.create_secret(Name="app", SecretString='{"otlp_headers": "old", "x": 1}')
    result = push(variables, "--endpoint-key", "otlp_url", "--headers-key", "otlp_headers")
    assert result.code == 0
    assert list(json.loads(stored(client))) == ["otlp_headers", "x", "otlp_url"]
    facts = result.report["facts"]
    assert (facts["changed"], facts["added"]) == ("otlp_headers", "otlp_url")


def test_a_secret_is_made_where_that_was_asked_for(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """Without --create a missing secret is a finding, with it there is one that holds the two keys alone."""
    missing = push(variables)
    assert (missing.code, missing.found) == (1, ["AWS-SECRET-NOT-FOUND"])
    assert client.list_secrets()["SecretList"] == []
    assert push(variables, "--create").code == 0
    assert list(json.loads(stored(client))) == [ENDPOINT_KEY, HEADERS_KEY]


def test_a_secret_is_known_by_its_arn(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """An ARN names the secret as well as its name does."""
    arn = client.create_secret(Name="app", SecretString=BEFORE)["ARN"]
    assert push(variables, name=arn).code == 0
    assert HEADERS_KEY in json.loads(stored(client))


def test_several_secrets_are_written_in_one_call(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """Each secret keeps its own other keys and takes the same two; one that is missing stops none of the others."""
    client.create_secret(Name="app", SecretString='{"a": 1}')
    client.create_secret(Name="worker", SecretString='{"b": 2}')
    result = push(variables, "--secret-id", "missing", "--secret-id", "worker")
    assert (result.code, result.found) == (1, ["AWS-SECRET-NOT-FOUND"])
    assert list(json.loads(stored(client))) == ["a", ENDPOINT_KEY, HEADERS_KEY]
    assert list(json.loads(stored(client, "worker"))) == ["b", ENDPOINT_KEY, HEADERS_KEY]


def test_writers_at_once_lose_nothing_of_each_other(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """Four processes that push under different keys at the same time all succeed, and all their keys are there."""
    client.create_secret(Name="app", SecretString=BEFORE)
    writers = [
        subprocess.Popen(
            [*COMMAND, "push-secret", "--secret-id", "app", "--yes", "--headers-key", f"H{number}"],
            env=environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(4)
    ]
    assert [writer.wait(50) for writer in writers] == [0] * 4
    assert set(json.loads(stored(client))) == {*json.loads(BEFORE), ENDPOINT_KEY, "H0", "H1", "H2", "H3"}


# Not writing


def test_a_dry_run_shows_the_names_and_writes_nothing(
    client: SecretsManagerClient, variables: dict[str, str], stack: Tenant
) -> None:
    """--dry-run stops after the plan, which names keys and no values."""
    client.create_secret(Name="app", SecretString=BEFORE)
    before = versions(client)
    result = push(variables, "--dry-run", yes=False)
    assert (result.code, result.found) == (0, [])
    assert result.report["facts"]["would_be_added"] == f"{ENDPOINT_KEY}, {HEADERS_KEY}"
    assert versions(client) == before
    assert_shows_no_secret(result, stack)


def test_nothing_is_written_without_a_yes(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """Where nobody can be asked, a run without --yes is wrong use and says what is missing."""
    client.create_secret(Name="app", SecretString=BEFORE)
    result = run("push-secret", "--secret-id", "app", variables=variables, stdin="y\n")
    assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "add --yes" in result.stderr
    assert stored(client) == BEFORE


def test_a_credential_that_the_gateway_refuses_is_not_stored(
    client: SecretsManagerClient, variables: dict[str, str]
) -> None:
    """The endpoint is asked first; --no-check stores what cannot be asked about."""
    client.create_secret(Name="app", SecretString=BEFORE)
    wrong = {**variables, "GRAFANA_INSTANCE_ID": "1"}
    refused = push(wrong)
    assert (refused.code, refused.found) == (1, ["AUTH-INVALID"])
    assert stored(client) == BEFORE
    assert push(wrong, "--no-check").code == 0
    assert stored(client) != BEFORE


def test_a_reversed_header_is_not_stored_even_unchecked(
    client: SecretsManagerClient, variables: dict[str, str], stack: Tenant
) -> None:
    """What is certain offline needs no gateway: a reversed header is refused with --no-check as well."""
    client.create_secret(Name="app", SecretString=BEFORE)
    header = f"Authorization={basic(stack.token.reveal(), stack.instance_id)}"
    result = push({**variables, "OTEL_EXPORTER_OTLP_HEADERS": header}, "--no-check")
    assert (result.code, result.found) == (1, ["AUTH-REVERSED"])
    assert stored(client) == BEFORE
    assert_shows_no_secret(result, stack)


def test_a_gateway_that_is_away_keeps_everything_as_it_is(
    client: SecretsManagerClient, variables: dict[str, str]
) -> None:
    """An endpoint that cannot be reached is a finding, and nothing is written."""
    client.create_secret(Name="app", SecretString=BEFORE)
    (port,) = free_ports(1)
    result = push({**variables, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}/otlp"})
    assert (result.code, result.found) == (1, ["NET-REFUSED"])
    assert stored(client) == BEFORE


# What AWS holds or refuses

UNFIT = {
    "not JSON": ("hunter2-hunter2", "AWS-SECRET-NOT-JSON"),
    "an array": ('["hunter2-hunter2"]', "AWS-SECRET-NOT-OBJECT"),
    "a key twice": ('{"a": "hunter2-hunter2", "a": 2}', "AWS-SECRET-DUPLICATE-KEYS"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_secret_that_is_no_object_is_left_alone(
    client: SecretsManagerClient, variables: dict[str, str], stack: Tenant, name: str
) -> None:
    """A text into which two keys cannot go without loss is named, not shown, and stays."""
    text, code = UNFIT[name]
    client.create_secret(Name="app", SecretString=text)
    result = push(variables)
    assert (result.code, result.found) == (1, [code])
    assert stored(client) == text
    assert_shows_no_secret(result, stack)


def test_a_binary_secret_is_left_alone(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """A secret of bytes is named as one."""
    client.create_secret(Name="app", SecretBinary=b'{"a": 1}')
    result = push(variables)
    assert (result.code, result.found) == (1, ["AWS-SECRET-BINARY"])
    assert client.get_secret_value(SecretId="app")["SecretBinary"] == b'{"a": 1}'


def test_a_deleted_secret_is_told_from_a_missing_one(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """A secret that is marked for deletion can be brought back, and the finding says how."""
    client.create_secret(Name="app", SecretString=BEFORE)
    client.delete_secret(SecretId="app", RecoveryWindowInDays=7)
    result = push(variables)
    assert (result.code, result.found) == (1, ["AWS-SECRET-DELETED"])
    commands = [step["command"] for step in result.finding("AWS-SECRET-DELETED")["fix"]]
    assert any(command and "restore-secret" in command for command in commands)


def test_another_region_does_not_have_it(client: SecretsManagerClient, variables: dict[str, str]) -> None:
    """A secret of another region is not found, and the finding names the region that was asked."""
    client.create_secret(Name="app", SecretString=BEFORE)
    result = push(variables, "--region", "us-east-2")
    assert (result.code, result.found) == (1, ["AWS-SECRET-NOT-FOUND"])
    assert "us-east-2" in json.dumps(result.finding("AWS-SECRET-NOT-FOUND"))


WITHOUT = {
    "credentials": (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "AWS-NO-CREDENTIALS"),
    "region": (("AWS_DEFAULT_REGION",), "AWS-NO-REGION"),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_an_incomplete_set_up_of_aws_has_its_code(variables: dict[str, str], name: str) -> None:
    """What botocore lacks is named before any request."""
    names, code = WITHOUT[name]
    result = push({key: value for key, value in variables.items() if key not in names})
    assert (result.code, result.found) == (1, [code])


def test_a_profile_that_is_not_there_is_named(variables: dict[str, str], tmp_path: Path) -> None:
    """A profile comes from the user's files, and one that they lack is a finding."""
    (tmp_path / "config").write_text("[profile other]\nregion = eu-west-1\n")
    result = push({**variables, "AWS_CONFIG_FILE": str(tmp_path / "config")}, "--profile", "nobody")
    assert (result.code, result.found) == (1, ["AWS-PROFILE"])


def test_a_profile_is_used(client: SecretsManagerClient, variables: dict[str, str], tmp_path: Path) -> None:
    """Region, keys and endpoint come from a profile of the user's files as botocore reads them."""
    client.create_secret(Name="app", SecretString=BEFORE)
    (tmp_path / "config").write_text(
        f"[profile work]\nregion = eu-west-1\nendpoint_url = {variables['AWS_ENDPOINT_URL']}\n"
        "aws_access_key_id = testing\naws_secret_access_key = testing\n"
    )
    bare = {name: value for name, value in variables.items() if not name.startswith("AWS_")}
    result = push({**bare, "AWS_CONFIG_FILE": str(tmp_path / "config")}, "--profile", "work")
    assert (result.code, result.found) == (0, [])
    assert HEADERS_KEY in json.loads(stored(client))


def test_an_endpoint_of_aws_that_is_away_has_its_code(variables: dict[str, str]) -> None:
    """Where nothing listens at AWS_ENDPOINT_URL, the finding is about AWS and not about the gateway."""
    (port,) = free_ports(1)
    result = push({**variables, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}, name=f"app-{uuid.uuid4()}")
    assert (result.code, result.found) == (3, ["AWS-UNREACHABLE"])

"""What AWS Secrets Manager does, as far as moto plays it: the facts that push-secret's writes rest on."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError
from mypy_boto3_secretsmanager import SecretsManagerClient
from mypy_boto3_secretsmanager.type_defs import GetSecretValueResponseTypeDef

from tests.real.conftest import Moto

MINE = "OTELCTL"


@pytest.fixture
def client(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManagerClient]:
    """A client that boto3 sets up from the environment, as it does for a user."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in moto.variables.items():
        monkeypatch.setenv(name, value)
    client = boto3.session.Session().client("secretsmanager")
    yield client
    client.close()


def put_aside(client: SecretsManagerClient, text: str) -> str:
    """Store a version that is not the current one, and return its id."""
    return client.put_secret_value(
        SecretId="app", SecretString=text, ClientRequestToken=str(uuid.uuid4()), VersionStages=[MINE]
    )["VersionId"]


def current(client: SecretsManagerClient) -> GetSecretValueResponseTypeDef:
    """Read the current version."""
    return client.get_secret_value(SecretId="app")


def make_current(client: SecretsManagerClient, new: str, expected: str) -> None:
    """Make a version the current one if `expected` still is."""
    client.update_secret_version_stage(
        SecretId="app", VersionStage="AWSCURRENT", MoveToVersionId=new, RemoveFromVersionId=expected
    )


def test_a_version_put_aside_is_current_only_when_moved(client: SecretsManagerClient) -> None:
    """A value stored under a label of one's own leaves AWSCURRENT alone until the label is moved."""
    first = client.create_secret(Name="app", SecretString="{}")["VersionId"]
    second = put_aside(client, '{"a": 1}')
    assert current(client)["VersionId"] == first
    make_current(client, second, first)
    assert current(client)["SecretString"] == '{"a": 1}'


def test_a_label_that_somebody_moved_is_not_moved_again(client: SecretsManagerClient) -> None:
    """Moving AWSCURRENT away from a version that no longer holds it fails, and the other's value stays."""
    first = client.create_secret(Name="app", SecretString="{}")["VersionId"]
    mine = put_aside(client, '{"mine": 1}')
    client.put_secret_value(SecretId="app", SecretString='{"theirs": 1}')
    with pytest.raises(ClientError) as caught:
        make_current(client, mine, first)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    assert current(client)["SecretString"] == '{"theirs": 1}'


def test_nothing_is_left_of_the_test_before(client: SecretsManagerClient) -> None:
    """Each test begins with no secret at all."""
    with pytest.raises(ClientError) as caught:
        current(client)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"

"""Tests of the AWS store and of the push on it: boto3 over the wire, against moto behind a proxy as strict as AWS."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from otelctl.adapters.aws import LABEL, AwsStore
from otelctl.facts.store import (
    Guard,
    Refusal,
    RefusalReason,
    SecretAbsent,
    StoreConflict,
    StoredSecret,
    StoreFault,
    Written,
)
from otelctl.push import Pushed, Unverified, apply
from otelctl.secret import Secret
from tests.support.aws_overlay import aws_overlay
from tests.support.aws_proxy import AwsProxy, Trouble, aws_proxy
from tests.support.moto import environment, moto_server

ROUNDS = int(os.environ.get("OTELCTL_ROUNDS", "3"))
"""How often the races and the kills are run; `OTELCTL_ROUNDS=200` for the figures of the reliability page."""

NAME = "prod/app"
BEFORE = '{"db_password": "hunter22-hunter22", "ratio": 1e400, "port": 1.10}'
TOKEN = "glc_planted-planted-planted"
WANTED = {"otel_exporter_otlp_endpoint": Secret("https://g.example/otlp"), "otel_exporter_otlp_headers": Secret(TOKEN)}
LOST = Trouble(lost=True)
CUT = Trouble(cut=True)

pytestmark = pytest.mark.timeout(60 + 4 * ROUNDS)


class RealClock:
    """The clock of this machine, with naps cut short."""

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait a tenth of what was asked for."""
        time.sleep(seconds / 10)


class RealEntropy:
    """The randomness of this machine."""

    def bytes(self, count: int) -> bytes:
        """Return that many random bytes."""
        return os.urandom(count)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Yield the URL of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def proxy(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    """Yield a proxy before moto to which boto3 is led by its own variable."""
    with aws_proxy(moto) as proxy:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in environment(proxy.url).items():
            monkeypatch.setenv(name, value)
        yield proxy


class World:
    """A view past the proxy: what moto really holds."""

    def __init__(self, url: str) -> None:
        self.client: Any = boto3.client(
            "secretsmanager",
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )

    def make(self, text: str | None = BEFORE) -> None:
        """Make the secret anew."""
        if self.client.list_secrets(IncludePlannedDeletion=True)["SecretList"]:
            self.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
        self.client.create_secret(Name=NAME, **({} if text is None else {"SecretString": text}))

    def text(self) -> str:
        """Return the current value."""
        value: str = self.client.get_secret_value(SecretId=NAME, VersionStage="AWSCURRENT")["SecretString"]
        return value

    def versions(self) -> dict[str, list[str]]:
        """Return the labels of each version."""
        versions: dict[str, list[str]] = self.client.describe_secret(SecretId=NAME)["VersionIdsToStages"]
        return versions

    def labels(self) -> list[str]:
        """Return every label in use, sorted."""
        return sorted(label for labels in self.versions().values() for label in labels)

    def put(self, **keys: str) -> None:
        """Add keys as a script does: read, change, plain put-secret-value."""
        text = f"{self.text()[:-1]}, {json.dumps(keys)[1:]}"
        self.client.put_secret_value(SecretId=NAME, SecretString=text)


@pytest.fixture
def world(moto: str) -> World:
    """Return the view past the proxy, with the secret made anew."""
    world = World(moto)
    world.make()
    return world


def stored(store: AwsStore) -> StoredSecret:
    """Read a secret that must be there."""
    found = store.read()
    assert isinstance(found, StoredSecret), found
    return found


def push(store: AwsStore, wanted: dict[str, Secret] = WANTED) -> object:
    """Read and apply, as the command does."""
    found = store.read()
    assert isinstance(found, StoredSecret | SecretAbsent), found
    return apply(store, found, wanted, RealClock(), RealEntropy())


def expected(before: str = BEFORE) -> str:
    """Return the text before with our two keys at its end."""
    ours = ", ".join(f"{json.dumps(key)}: {json.dumps(value.reveal())}" for key, value in WANTED.items())
    return f"{before[:-1]}, {ours}}}"


def test_a_push_merges_by_the_swap_and_leaves_no_label(proxy: AwsProxy, world: World) -> None:
    """Our keys arrive, every other byte stays, the version before is AWSPREVIOUS, and no label of ours is left."""
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert result.written is not None
    assert result.written.guard is Guard.SWAP
    assert result.label_left is None
    assert world.text() == expected()
    assert world.labels() == ["AWSCURRENT", "AWSPREVIOUS"]
    assert proxy.operations() == [
        "GetSecretValue",
        "GetSecretValue",
        "UpdateSecretVersionStage",
        "PutSecretValue",
        "UpdateSecretVersionStage",
        "UpdateSecretVersionStage",
        "GetSecretValue",
    ]


def test_an_unchanged_secret_is_not_written(proxy: AwsProxy, world: World) -> None:
    """A second push of the same values makes no version and moves no label."""
    push(AwsStore(NAME))
    before = world.versions()
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert result.written is None
    assert world.versions() == before
    assert proxy.operations().count("PutSecretValue") == 1


def test_kms_key_tags_and_description_stay(proxy: AwsProxy, world: World) -> None:
    """A push touches nothing of the secret but its value."""
    world.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    tags = [{"Key": "team", "Value": "a"}]
    world.client.create_secret(Name=NAME, SecretString=BEFORE, KmsKeyId="alias/mine", Tags=tags, Description="ours")
    push(AwsStore(NAME))
    about = world.client.describe_secret(SecretId=NAME)
    assert (about["KmsKeyId"], about["Tags"], about["Description"]) == ("alias/mine", tags, "ours")
    assert "UpdateSecret" not in proxy.operations()


def test_an_absent_secret_is_made(proxy: AwsProxy, world: World) -> None:
    """Where there is no secret, applying makes one with our keys alone; a lost answer makes no second try fail."""
    world.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    proxy.next("CreateSecret", LOST)
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert json.loads(world.text()) == {key: value.reveal() for key, value in WANTED.items()}
    assert len(world.versions()) == 1


def test_a_secret_without_a_value_gets_its_first(proxy: AwsProxy, world: World) -> None:
    """A secret that was made empty, as Terraform does, is told from an absent one and takes our keys."""
    world.make(None)
    store = AwsStore(NAME)
    assert store.read() == SecretAbsent(NAME, empty=True)
    assert isinstance(push(store), Pushed)
    assert json.loads(world.text()) == {key: value.reveal() for key, value in WANTED.items()}
    assert world.labels() == ["AWSCURRENT"]
    assert "CreateSecret" not in proxy.operations()


def test_a_secret_that_somebody_else_made_first_is_merged(proxy: AwsProxy, world: World) -> None:
    """When the secret appears between our read and our create, our keys join what it holds."""
    world.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
    proxy.next("CreateSecret", Trouble(before=lambda: world.make('{"theirs":1}')))
    assert isinstance(push(AwsStore(NAME)), Pushed)
    assert json.loads(world.text())["theirs"] == 1
    assert TOKEN in world.text()


def test_a_foreign_put_between_read_and_swap_survives(proxy: AwsProxy, world: World) -> None:
    """A plain put-secret-value between our read and our swap is a conflict; our next try builds on it."""
    move = "UpdateSecretVersionStage"
    proxy.next(move, Trouble(), Trouble(before=lambda: world.put(theirs="late")))
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert result.written is not None
    assert result.written.attempts == 2
    assert json.loads(world.text())["theirs"] == "late"
    assert TOKEN in world.text()
    assert world.labels() == ["AWSCURRENT", "AWSPREVIOUS"]


def test_a_foreign_put_right_after_our_swap_is_built_upon(proxy: AwsProxy, world: World) -> None:
    """Somebody who read before us and writes after us loses our keys; the read-back sees it and puts them again."""
    stale = f'{BEFORE[:-1]}, "theirs": "late"}}'
    overwrite = Trouble(after=lambda: world.client.put_secret_value(SecretId=NAME, SecretString=stale))
    proxy.next("UpdateSecretVersionStage", Trouble(), overwrite)
    assert isinstance(push(AwsStore(NAME)), Pushed)
    assert json.loads(world.text())["theirs"] == "late"
    assert TOKEN in world.text()


@pytest.mark.parametrize("code", ["InvalidParameterException", "InvalidRequestException", "SomethingNewException"])
def test_a_conflict_is_seen_by_reading_and_not_by_the_code(proxy: AwsProxy, world: World, code: str) -> None:
    """Whatever code the service gives to a swap that lost, AWSCURRENT on another version makes it a conflict."""
    store = AwsStore(NAME)
    before = stored(store)
    refuse = Trouble(before=lambda: world.put(theirs="x"), answer=(400, code, "no"))
    proxy.next("UpdateSecretVersionStage", Trouble(), refuse)
    result = store.replace(Secret('{"ours":1}'), before)
    assert isinstance(result, StoreConflict)
    assert result.found == next(key for key, labels in world.versions().items() if "AWSCURRENT" in labels)
    assert world.labels() == ["AWSCURRENT", "AWSPREVIOUS"]


def test_a_refused_swap_without_a_conflict_is_a_fault(proxy: AwsProxy, world: World) -> None:
    """When AWSCURRENT still is where we read it, a refusal of the swap is passed on as what it is."""
    store = AwsStore(NAME)
    refuse = Trouble(answer=(400, "InvalidRequestException", "not now"))
    proxy.next("UpdateSecretVersionStage", Trouble(), refuse)
    result = store.replace(Secret("{}"), stored(store))
    assert isinstance(result, StoreFault)
    assert (result.code, result.operation) == ("InvalidRequestException", "UpdateSecretVersionStage")
    assert world.text() == BEFORE
    assert LABEL not in world.labels()


@pytest.mark.parametrize("trouble", [LOST, CUT], ids=["answer lost", "request lost"])
@pytest.mark.parametrize("step", range(4), ids=["claim", "put", "swap", "drop"])
def test_a_lost_answer_makes_no_second_version(proxy: AwsProxy, world: World, step: int, trouble: Trouble) -> None:
    """A connection that breaks at any step, before or after the work was done, costs a repeat and nothing else."""
    if step == 1:
        proxy.next("PutSecretValue", trouble)
    else:
        proxy.next("UpdateSecretVersionStage", *[Trouble()] * (0, 0, 1, 2)[step], trouble)
    assert isinstance(push(AwsStore(NAME)), Pushed)
    assert world.text() == expected()
    assert world.labels() == ["AWSCURRENT", "AWSPREVIOUS"]
    assert len(world.versions()) == 2


def test_a_rerun_after_a_dead_connection_uses_the_version_that_is_there(proxy: AwsProxy, world: World) -> None:
    """When every answer to the put was lost and the label stayed, the next run adopts that version, and makes none."""
    proxy.next("PutSecretValue", *[LOST] * 4)
    proxy.next("UpdateSecretVersionStage", Trouble(), *[CUT] * 8)
    assert isinstance(push(AwsStore(NAME)), StoreFault)
    assert world.text() == BEFORE
    assert LABEL in world.labels()
    assert isinstance(push(AwsStore(NAME)), Pushed)
    assert world.text() == expected()
    assert world.labels() == ["AWSCURRENT", "AWSPREVIOUS"]
    assert len(world.versions()) == 2


@pytest.mark.parametrize("status", [400, 503])
def test_throttling_is_waited_out(proxy: AwsProxy, world: World, status: int) -> None:
    """A throttle or a server's error is tried again, and the push arrives."""
    code = "ThrottlingException" if status == 400 else "InternalServiceError"
    proxy.next("PutSecretValue", Trouble(answer=(status, code, "Rate exceeded")))
    assert isinstance(push(AwsStore(NAME)), Pushed)
    assert world.text() == expected()


def test_endless_throttling_ends(proxy: AwsProxy, world: World) -> None:
    """After four tries a throttled call is a fault, and nothing was changed."""
    proxy.always["PutSecretValue"] = Trouble(answer=(400, "ThrottlingException", "Rate exceeded"))
    result = push(AwsStore(NAME))
    assert isinstance(result, StoreFault)
    assert result.code == "ThrottlingException"
    assert proxy.operations().count("PutSecretValue") == 4
    assert world.text() == BEFORE
    assert world.labels() == ["AWSCURRENT"]


def test_without_the_permission_to_swap_the_write_compares(proxy: AwsProxy, world: World) -> None:
    """Where UpdateSecretVersionStage is denied, the write still arrives, names the weaker guard and leaves no label."""
    proxy.deny("UpdateSecretVersionStage")
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert result.written is not None
    assert (result.written.guard, result.written.displaced) == (Guard.COMPARE, None)
    assert world.text() == expected()
    assert world.labels() == ["AWSCURRENT", "AWSPREVIOUS"]
    assert len(world.versions()) == 2


def test_a_policy_that_allows_our_label_but_not_the_swap_is_met(proxy: AwsProxy, world: World) -> None:
    """Where only moving AWSCURRENT is denied, the label is dropped again and the write compares."""
    denied = Trouble(answer=(400, "AccessDeniedException", "not authorized to perform: x"))
    proxy.next("UpdateSecretVersionStage", Trouble(), denied)
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert result.written is not None
    assert result.written.guard is Guard.COMPARE
    assert world.text() == expected()
    assert LABEL not in world.labels()


def test_a_comparing_write_sees_a_change_before_it(proxy: AwsProxy, world: World) -> None:
    """Without the swap, a change that came before the comparison is a conflict, and survives."""
    denied = Trouble(before=lambda: world.put(theirs="x"), answer=(400, "AccessDeniedException", "no"))
    proxy.deny("UpdateSecretVersionStage")
    proxy.next("UpdateSecretVersionStage", denied)
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert json.loads(world.text())["theirs"] == "x"
    assert TOKEN in world.text()


def test_a_comparing_write_names_what_it_put_aside(proxy: AwsProxy, world: World) -> None:
    """Without the swap, a change between comparison and put is overwritten, and its version is named."""
    proxy.deny("UpdateSecretVersionStage")
    proxy.next("PutSecretValue", Trouble(before=lambda: world.put(theirs="x")))
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert result.written is not None
    displaced = result.written.displaced
    assert displaced is not None
    assert world.versions()[displaced] == ["AWSPREVIOUS"]


def test_a_label_that_shows_late_is_nobodys_write(moto: str, proxy: AwsProxy, world: World) -> None:
    """Without the swap, what still stands under AWSPREVIOUS as it did before our put is not told as overwritten."""
    world.put(more="1")
    before = world.client.get_secret_value(SecretId=NAME, VersionStage="AWSPREVIOUS")
    shown = {key: before[key] for key in ("ARN", "Name", "VersionId", "VersionStages", "SecretString")}
    with aws_overlay(moto) as overlay, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", overlay.url)
        overlay.deny("secretsmanager:UpdateSecretVersionStage")
        overlay.answers["GetSecretValue"] = lambda one: shown if one["VersionStage"] == "AWSPREVIOUS" else None
        result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert result.written is not None
    assert (result.written.guard, result.written.displaced) == (Guard.COMPARE, None)
    assert proxy.calls == []


def test_a_lost_answer_of_a_comparing_write_is_settled(proxy: AwsProxy, world: World) -> None:
    """Without the swap too, a put whose every answer was lost is found by reading, and makes one version."""
    proxy.deny("UpdateSecretVersionStage")
    proxy.next("PutSecretValue", *[LOST] * 4)
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert len(world.versions()) == 2


@pytest.mark.parametrize("kind", ["compare", "create", "first value"])
@pytest.mark.parametrize("refused", [False, True], ids=["no answer", "a refusal"])
def test_a_write_without_an_answer_is_not_called_a_failure(
    proxy: AwsProxy, world: World, kind: str, refused: bool
) -> None:
    """Where put or create got no answer and reading does not either, it is unknown what became of it; a no is a no."""
    store = AwsStore(NAME)
    operation = "CreateSecret" if kind == "create" else "PutSecretValue"
    trouble = Trouble(answer=(400, "AccessDeniedException", "no")) if refused else LOST

    def break_reading() -> None:
        proxy.always["GetSecretValue"] = CUT

    proxy.always[operation] = dataclasses.replace(trouble, before=break_reading)
    if kind == "compare":
        proxy.deny("UpdateSecretVersionStage")
        result = store.replace(Secret(expected()), stored(store))
    else:
        world.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)
        if kind == "first value":
            world.client.create_secret(Name=NAME)
        result = store.create(Secret(expected()))
    assert isinstance(result, StoreFault)
    assert (result.operation, result.detail.get("outcome")) == (operation, None if refused else "unknown")
    if not refused:
        assert world.text() == expected()
    proxy.always.clear()


def test_ctrl_c_leaves_no_label(proxy: AwsProxy, world: World) -> None:
    """An interrupt in the middle of a write drops our label, and the old value stays whole."""
    store = AwsStore(NAME)
    before = stored(store)
    proxy.next(
        "UpdateSecretVersionStage", Trouble(), Trouble(before=lambda: os.kill(os.getpid(), signal.SIGINT), cut=True)
    )
    with pytest.raises(KeyboardInterrupt):
        store.replace(Secret("{}"), before)
    assert world.text() == BEFORE
    assert LABEL not in world.labels()


INTERRUPT = Trouble(before=lambda: os.kill(os.getpid(), signal.SIGINT), cut=True)


def test_ctrl_c_while_the_label_is_dropped_leaves_none(proxy: AwsProxy, world: World) -> None:
    """An interrupt of the very last step drops our label all the same, and the new value is whole."""
    store = AwsStore(NAME)
    before = stored(store)
    proxy.next("UpdateSecretVersionStage", Trouble(), Trouble(), INTERRUPT)
    with pytest.raises(KeyboardInterrupt):
        store.replace(Secret("{}"), before)
    assert world.text() == "{}"
    assert LABEL not in world.labels()


@pytest.mark.parametrize(
    ("operation", "skipped"), [("GetSecretValue", 1), ("UpdateSecretVersionStage", 0)], ids=["read", "drop"]
)
def test_ctrl_c_after_a_first_value_leaves_no_label(
    proxy: AwsProxy, world: World, operation: str, skipped: int
) -> None:
    """A secret that was empty keeps no label of ours either, wherever after the put the interrupt comes."""
    world.make(None)
    proxy.next(operation, *[Trouble()] * skipped, INTERRUPT)
    with pytest.raises(KeyboardInterrupt):
        AwsStore(NAME).create(Secret("{}"))
    assert world.labels() == ["AWSCURRENT"]


@pytest.mark.usefixtures("proxy")
def test_a_stale_label_is_found_by_a_run_that_writes_nothing(world: World) -> None:
    """A label of a killed run is dropped even when the next run finds its values in place."""
    push(AwsStore(NAME))
    version = next(iter(world.versions()))
    world.client.update_secret_version_stage(SecretId=NAME, VersionStage=LABEL, MoveToVersionId=version)
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert (result.written, result.label_left) == (None, None)
    assert LABEL not in world.labels()


def test_a_label_that_cannot_be_dropped_is_reported(proxy: AwsProxy, world: World) -> None:
    """When the last step is refused, the write counts and the label that is left is named."""
    refuse = Trouble(answer=(400, "AccessDeniedException", "no"))
    proxy.next("UpdateSecretVersionStage", Trouble(), Trouble(), *[refuse] * 3)
    result = push(AwsStore(NAME))
    assert isinstance(result, Pushed)
    assert result.label_left == LABEL
    assert world.text() == expected()


@pytest.mark.usefixtures("proxy")
def test_a_way_back_is_the_same_swap(world: World) -> None:
    """Restoring the previous value makes no version, and is a conflict where somebody wrote in between."""
    push(AwsStore(NAME))
    store = AwsStore(NAME)
    current, previous = stored(store), store.read_previous()
    assert isinstance(previous, StoredSecret)
    assert store.restore(previous, current) == Written(previous.version, Guard.SWAP)
    assert world.text() == BEFORE
    assert len(world.versions()) == 2
    assert isinstance(store.restore(previous, current), Written)
    world.put(theirs="x")
    assert isinstance(store.restore(previous, current), StoreConflict)


def test_a_way_back_without_the_swap_puts_the_text_again(proxy: AwsProxy, world: World) -> None:
    """Without the permission to swap, the previous text becomes a new version under the weaker guard."""
    push(AwsStore(NAME))
    store = AwsStore(NAME)
    current, previous = stored(store), store.read_previous()
    assert isinstance(previous, StoredSecret)
    proxy.deny("UpdateSecretVersionStage")
    result = store.restore(previous, current)
    assert isinstance(result, Written)
    assert result.guard is Guard.COMPARE
    assert world.text() == BEFORE


def test_binary_and_foreign_texts_are_left_alone(proxy: AwsProxy, world: World) -> None:
    """A binary secret and one that is no JSON object are refused before anything is written."""
    world.make('["a list"]')
    assert push(AwsStore(NAME)) == Refusal(RefusalReason.NOT_OBJECT, "an array")
    world.client.put_secret_value(SecretId=NAME, SecretBinary=b"\x00\x01")
    assert push(AwsStore(NAME)) == Refusal(RefusalReason.BINARY)
    assert set(proxy.operations()) == {"GetSecretValue"}


def test_a_secret_that_vanishes_meanwhile_is_not_made_again(proxy: AwsProxy, world: World) -> None:
    """A secret that was deleted between our read and our write stays deleted."""
    gone = Trouble(before=lambda: world.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True))
    proxy.next("UpdateSecretVersionStage", gone)
    result = push(AwsStore(NAME))
    assert isinstance(result, StoreFault | SecretAbsent)
    assert "CreateSecret" not in proxy.operations()


@pytest.mark.usefixtures("proxy")
def test_a_secret_marked_for_deletion_is_not_written(world: World) -> None:
    """A secret that waits for its deletion gives the service's own refusal."""
    world.client.delete_secret(SecretId=NAME)
    result = AwsStore(NAME).read()
    world.client.restore_secret(SecretId=NAME)
    assert isinstance(result, StoreFault)
    assert result.code == "InvalidRequestException"
    assert "marked for deletion" in result.message


@pytest.mark.usefixtures("proxy", "world")
def test_a_read_back_that_differs_is_reported() -> None:
    """When the value under the version just written is not what was written, the push says so."""
    before = stored(AwsStore(NAME))

    class Forgetful(AwsStore):
        def read(self) -> StoredSecret | SecretAbsent | StoreFault:
            """Read, as a store would that kept the version and lost the text."""
            found = super().read()
            assert isinstance(found, StoredSecret)
            return StoredSecret(found.identity, Secret("{}"), found.version)

    assert isinstance(apply(Forgetful(NAME), before, WANTED, RealClock(), RealEntropy()), Unverified)


@pytest.mark.usefixtures("world")
def test_no_message_brings_back_what_was_sent(proxy: AwsProxy) -> None:
    """A server that echoes the request in its error, with control characters and at length, gives a clean line."""
    text = Secret(expected())
    echo = f"bad\x1b[2J\nrequest: {text.reveal()} {json.dumps(text.reveal())} " + "x" * 100_000
    proxy.next("PutSecretValue", Trouble(answer=(400, "InvalidParameterException", echo)))
    store = AwsStore(NAME)
    result = store.replace(text, stored(store))
    assert isinstance(result, StoreFault)
    assert result.message.startswith("bad [2J request: ••••")
    assert "hunter22" not in result.message
    assert "planted" not in result.message
    assert len(result.message) <= 600


def test_an_endpoint_that_is_not_aws_is_named(proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 200 without the fields of the service, and a refused connection, are facts with their own words."""
    proxy.always["GetSecretValue"] = Trouble(answer=(200, "x", "hello"))
    result = AwsStore(NAME).read()
    assert isinstance(result, StoreFault)
    assert result.code == "NotSecretsManager"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:pass@127.0.0.1:9")
    result = AwsStore(NAME).read()
    assert isinstance(result, StoreFault)
    assert result.code == "EndpointConnection"
    assert result.detail["endpoint"] == "http://127.0.0.1:9"
    assert result.detail["region"] == "eu-west-1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "not a url")
    result = AwsStore(NAME).read()
    assert isinstance(result, StoreFault)
    assert result.code == "InvalidEndpoint"


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"AWS_ACCESS_KEY_ID": ""}, "NoCredentials"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "PartialCredentials"),
        ({"AWS_DEFAULT_REGION": ""}, "NoRegion"),
        ({"AWS_DEFAULT_REGION": "eu west"}, "InvalidRegion"),
        ({"AWS_PROFILE": "nobody"}, "ProfileNotFound"),
    ],
)
def test_what_never_reaches_the_service_has_a_word(
    proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], code: str
) -> None:
    """Missing credentials, region and profile are told apart without a request."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    if "AWS_ACCESS_KEY_ID" in variables:
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    result = AwsStore(NAME).read()
    assert isinstance(result, StoreFault)
    assert result.code == code
    assert proxy.calls == []


WEB_IDENTITY = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ci", "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token"}
CONTAINER = "AWS_CONTAINER_CREDENTIALS_FULL_URI"


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        ({"credential_process": "echo no JSON"}, "CredentialRetrieval", "Expecting value"),
        ({"credential_process": "echo []"}, "CredentialRetrieval", "list"),
        ({"credential_process": "printf '"}, "CredentialRetrieval", "No closing quotation"),
        ({"credential_process": "/nowhere/program"}, "CredentialRetrieval", "/nowhere/program"),
        (WEB_IDENTITY, "CredentialRetrieval", "/nowhere/token"),
        ({CONTAINER: "http://192.0.2.1/x"}, "CredentialRetrieval", "192.0.2.1"),
        (
            {CONTAINER: "http://127.0.0.1:9/x", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token"},
            "CredentialRetrieval",
            "/nowhere/token",
        ),
        ({"AWS_METADATA_SERVICE_TIMEOUT": "abc"}, "Config", "abc"),
    ],
    ids=str,
)
def test_a_source_of_credentials_that_fails_is_no_wrong_endpoint(
    proxy: AwsProxy,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: dict[str, str],
    code: str,
    said: str,
) -> None:
    """What botocore passes on unwrapped, of a process, a file, an address or a number, is a fact with its own words."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    config = tmp_path / "config"
    config.write_text("[default]\n" + "".join(f"{key}={value}\n" for key, value in variables.items() if key.islower()))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    for name, value in variables.items():
        if name.isupper():
            monkeypatch.setenv(name, value)
    result = AwsStore(NAME).read()
    assert isinstance(result, StoreFault)
    assert (result.code, said in result.message) == (code, True)
    assert proxy.calls == []


@pytest.mark.usefixtures("proxy")
def test_a_mistake_of_ours_is_not_the_callers_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What neither botocore nor its sources of credentials raised is passed on as it is."""
    monkeypatch.setattr("otelctl.adapters.boto._session", None)
    with pytest.raises(TypeError):
        AwsStore(NAME).read()


@pytest.mark.parametrize("foreign", [False, True], ids=["eight of ours", "and a plain put-secret-value"])
def test_eight_writers_lose_no_key(proxy: AwsProxy, world: World, foreign: bool) -> None:
    """Eight writers at once, each with its own key, all arrive; a foreign key put between read and swap stays too."""
    stores = [AwsStore(NAME) for _ in range(8)]
    for store in stores:
        store.read()
    for number in range(ROUNDS):
        world.make()
        start = threading.Barrier(8)

        def write(index: int, number: int = number, start: threading.Barrier = start) -> object:
            found = stored(stores[index])
            start.wait()
            return apply(stores[index], found, {f"key{index}": Secret(str(number))}, RealClock(), RealEntropy())

        if foreign:
            # One at a time, in the gap between somebody's claim and swap, so that the foreign write itself is whole.
            trouble = Trouble(before=lambda: world.put(foreign="x"))
            proxy.next("UpdateSecretVersionStage", *[Trouble()] * random.randrange(12), trouble)  # noqa: S311
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(write, range(8)))
        assert all(isinstance(result, Pushed) for result in results), results
        keys = json.loads(world.text(), parse_float=str)
        assert {f"key{index}" for index in range(8)} <= set(keys)
        assert keys["ratio"] == "1e400"
        assert not foreign or keys["foreign"] == "x"
        assert world.labels() == ["AWSCURRENT", "AWSPREVIOUS"]


WRITER = """
import sys
from otelctl.adapters.aws import AwsStore
from otelctl.push import apply
from otelctl.secret import Secret
from tests.loopback.test_aws_store import NAME, WANTED, RealClock, RealEntropy
store = AwsStore(NAME)
print(apply(store, store.read(), WANTED, RealClock(), RealEntropy()))
"""

STEPS = [
    *[("UpdateSecretVersionStage", number, side) for number in range(3) for side in ("before", "after")],
    ("PutSecretValue", 0, "before"),
    ("PutSecretValue", 0, "after"),
    ("GetSecretValue", 1, "before"),
    ("GetSecretValue", 2, "before"),
]


@pytest.mark.parametrize("number", range(max(ROUNDS, len(STEPS))))
def test_a_killed_write_leaves_the_old_or_the_new(proxy: AwsProxy, world: World, number: int) -> None:
    """SIGKILL at each step, then at random moments: the secret is old or new, and a rerun converges without a label."""
    reached = threading.Event()
    hold = threading.Event()

    def stop() -> None:
        reached.set()
        hold.wait(20)

    if number < len(STEPS):
        operation, skipped, side = STEPS[number]
        proxy.next(operation, *[Trouble()] * skipped, Trouble(before=stop) if side == "before" else Trouble(after=stop))
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", WRITER], cwd=root, stdout=subprocess.DEVNULL) as writer:
        if number < len(STEPS):
            assert reached.wait(20)
        else:
            while not proxy.calls and writer.poll() is None:
                time.sleep(0.002)
            time.sleep(random.uniform(0, 0.06))  # noqa: S311
        writer.kill()
    hold.set()
    proxy.waiting.clear()
    proxy.settle()
    assert world.text() in (BEFORE, expected())
    assert isinstance(push(AwsStore(NAME)), Pushed)
    assert world.text() == expected()
    assert world.labels() == ["AWSCURRENT", "AWSPREVIOUS"]

"""Tests of Parameter Store as a store, and of the push on it: boto3 over the wire, against moto behind a proxy."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from otelctl.adapters.ssm import SsmStore
from otelctl.diagnose.store import judge_store
from otelctl.facts.store import Guard, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.plan import plan_exactly
from otelctl.push import Pushed, apply
from otelctl.secret import Secret
from tests.support.aws_overlay import Answer, aws_overlay
from tests.support.aws_proxy import AwsProxy, Trouble, aws_proxy
from tests.support.moto import environment, moto_server
from tests.support.parts import ask

KEYS = ("endpoint", "headers")
ENDPOINT, HEADERS = "/shop/prod/endpoint", "/shop/prod/headers"
PLANTED = "Authorization=Basic cGxhbnRlZC1wbGFudGVkLXBsYW50ZWQ="
WANTED = {"endpoint": Secret("https://g.example/otlp"), "headers": Secret(PLANTED)}


class StillClock:
    """A clock on which waiting takes no time."""

    def now(self) -> datetime:
        """Return the epoch."""
        return datetime(1970, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return zero."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Wait no time."""


class Zeros:
    """Randomness that is none."""

    def bytes(self, count: int) -> bytes:
        """Return zeros."""
        return bytes(count)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Yield the URL of a moto server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def proxy(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsProxy]:
    """Yield a proxy before an empty moto, to which boto3 is led by its own variable."""
    assert ask(f"{moto}/moto-api/reset").status == 200
    with aws_proxy(moto) as proxy:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in environment(proxy.url).items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture
def client(moto: str) -> Iterator[Any]:
    """A view past the proxy: what moto really holds."""
    made = boto3.client(
        "ssm",
        endpoint_url=moto,
        region_name="eu-west-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    yield made
    made.close()


def store(prefix: str = "/shop/prod") -> SsmStore:
    """Return the store."""
    return SsmStore(prefix, KEYS, timeout=5)


def stored(found: object) -> StoredSecret:
    """Return what must have been read."""
    assert isinstance(found, StoredSecret), found
    return found


def held(client: Any) -> dict[str, tuple[str, int, str]]:
    """Return value, version and type of each parameter."""
    found = client.get_parameters(Names=[ENDPOINT, HEADERS], WithDecryption=True)["Parameters"]
    return {one["Name"]: (one["Value"], one["Version"], one["Type"]) for one in found}


def push() -> object:
    """Read and apply the wanted values."""
    target = store()
    found = target.read()
    assert isinstance(found, StoredSecret | SecretAbsent), found
    return apply(target, found, WANTED, StillClock(), Zeros(), planner=plan_exactly)


@pytest.mark.parametrize("prefix", ["/shop/prod", "shop/prod", "/shop/prod/"])
def test_two_secure_strings_are_made(proxy: AwsProxy, client: Any, prefix: str) -> None:
    """Where there were none, both parameters are SecureStrings of version 1 under the prefix, however it is written."""
    target = store(prefix)
    assert target.read() == SecretAbsent(prefix)
    made = target.create(Secret(json.dumps({"endpoint": "e", "headers": "h"})))
    assert made == Written("1.1", Guard.COMPARE)
    assert held(client) == {ENDPOINT: ("e", 1, "SecureString"), HEADERS: ("h", 1, "SecureString")}
    found = stored(target.read())
    assert found.text is not None
    assert (json.loads(found.text.reveal()), found.version) == ({"endpoint": "e", "headers": "h"}, "1.1")
    assert proxy.operations().count("PutParameter") == 2


def test_only_what_changes_is_written(proxy: AwsProxy, client: Any) -> None:
    """A second push writes nothing, and one with another header alone writes no endpoint."""
    assert isinstance(push(), Pushed)
    before = proxy.operations().count("PutParameter")
    again = push()
    assert isinstance(again, Pushed)
    assert again.written is None
    assert proxy.operations().count("PutParameter") == before
    client.put_parameter(Name=HEADERS, Value="old", Overwrite=True)
    assert isinstance(push(), Pushed)
    assert proxy.operations().count("PutParameter") == before + 1
    assert {name: (value, version) for name, (value, version, _) in held(client).items()} == {
        ENDPOINT: (WANTED["endpoint"].reveal(), 1),
        HEADERS: (PLANTED, 3),
    }


def test_one_that_is_missing_is_made_beside_the_other(proxy: AwsProxy, client: Any) -> None:
    """With one of the two there, the other is added, and the first keeps its version where it is right."""
    client.put_parameter(Name=ENDPOINT, Value=WANTED["endpoint"].reveal(), Type="SecureString")
    assert stored(store().read()).version == "1.0"
    assert isinstance(push(), Pushed)
    assert {name: version for name, (_, version, _) in held(client).items()} == {ENDPOINT: 1, HEADERS: 1}
    assert proxy.operations().count("PutParameter") == 1


def test_what_an_overwrite_would_reset_is_given_again(proxy: AwsProxy, client: Any) -> None:
    """KMS key, tier, pattern and description of a parameter are as before, and so are its tags."""
    tags = [{"Key": "team", "Value": "shop"}]
    about = {"KeyId": "alias/shop", "Tier": "Advanced", "Description": "ours", "AllowedPattern": "^Auth.*"}
    client.put_parameter(Name=HEADERS, Value="Authorization=old", Type="SecureString", Tags=tags, **about)
    assert isinstance(push(), Pushed)
    filters = [{"Key": "Name", "Values": [HEADERS]}]
    (now,) = client.describe_parameters(ParameterFilters=filters)["Parameters"]
    assert {name: now[name] for name in about} == about
    assert client.list_tags_for_resource(ResourceType="Parameter", ResourceId=HEADERS)["TagList"] == tags
    (put,) = [params for operation, params in proxy.calls if params.get("Name") == HEADERS and operation[:3] == "Put"]
    assert put["KeyId"] == "alias/shop"


@pytest.mark.parametrize("found", [True, False], ids=["on a later page", "on none"])
def test_an_empty_page_is_not_the_last(moto: str, proxy: AwsProxy, client: Any, found: bool) -> None:
    """The description is looked for on pages after empty ones; without it nothing is written."""
    put = {"Name": HEADERS, "Value": "old", "Type": "SecureString", "KeyId": "alias/shop"}
    client.put_parameter(**put)
    client.put_parameter(Name=ENDPOINT, Value=WANTED["endpoint"].reveal(), Type="SecureString")

    def empty(params: dict[str, Any]) -> Answer | None:
        page = int(params.get("NextToken", "0")) + 1
        if found and page == 3:
            # moto knows no token of ours.
            (one,) = client.describe_parameters(ParameterFilters=params["ParameterFilters"])["Parameters"]
            return {"Parameters": [{name: one[name] for name in ("Name", "Type", "KeyId")}]}
        return {"Parameters": []} if page == 5 else {"Parameters": [], "NextToken": str(page)}

    with aws_overlay(moto) as overlay, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", overlay.url)
        overlay.answers["DescribeParameters"] = empty
        outcome = push()
        asked = overlay.asked("PutParameter")
    if found:
        assert isinstance(outcome, Pushed)
        assert [one["KeyId"] for one in asked] == ["alias/shop"]
    else:
        assert isinstance(outcome, StoreFault)
        assert (outcome.operation, outcome.code, asked) == ("DescribeParameters", "NotDescribed", [])
        assert held(client)[HEADERS][:2] == ("old", 1)
    assert proxy.calls == []


@pytest.mark.usefixtures("proxy")
def test_a_plain_parameter_is_named(client: Any) -> None:
    """A String is told of by its name, since Parameter Store cannot make it a SecureString; its type stays."""
    client.put_parameter(Name=HEADERS, Value="old", Type="String")
    found = stored(store().read())
    assert found.exposed == (HEADERS,)
    assert isinstance(push(), Pushed)
    assert held(client)[HEADERS] == (PLANTED, 2, "String")


# Others at the same time


@pytest.mark.usefixtures("proxy")
def test_a_change_since_the_read_is_a_conflict(client: Any) -> None:
    """What somebody wrote between our read and our comparison is not overwritten, and nothing of ours is written."""
    push()
    before = stored(store().read())
    client.put_parameter(Name=HEADERS, Value="theirs", Overwrite=True)
    outcome = store().replace(Secret(json.dumps({"endpoint": "e", "headers": "h"})), before)
    assert outcome == StoreConflict("/shop/prod", "1.1", "1.2")
    assert held(client)[HEADERS][0] == "theirs"
    assert held(client)[ENDPOINT][0] == WANTED["endpoint"].reveal()


def test_a_conflict_is_planned_anew(proxy: AwsProxy, client: Any) -> None:
    """After a conflict the values are read again and then written."""
    client.put_parameter(Name=HEADERS, Value="old", Type="SecureString")

    def theirs() -> None:
        client.put_parameter(Name=HEADERS, Value="theirs", Overwrite=True)

    # The first reading is ours, the second is the comparison's.
    proxy.next("GetParameters", Trouble(), Trouble(before=theirs))
    outcome = push()
    assert isinstance(outcome, Pushed)
    assert outcome.written is not None
    assert (outcome.written.attempts, outcome.written.displaced) == (2, None)
    assert held(client)[HEADERS][0] == PLANTED


def test_a_change_after_the_comparison_is_told(proxy: AwsProxy, client: Any) -> None:
    """What was overwritten unseen is named by parameter and version, under which it can still be read."""
    client.put_parameter(Name=HEADERS, Value="old", Type="SecureString")

    def theirs() -> None:
        client.put_parameter(Name=HEADERS, Value="theirs", Overwrite=True)

    proxy.next("PutParameter", Trouble(), Trouble(before=theirs))
    outcome = push()
    assert isinstance(outcome, Pushed)
    assert outcome.written is not None
    assert outcome.written.displaced == f"{HEADERS}:2"
    assert client.get_parameter(Name=outcome.written.displaced)["Parameter"]["Version"] == 2


def test_a_call_repeated_after_a_lost_answer_displaces_nobody(proxy: AwsProxy, client: Any) -> None:
    """When the answer to a write is lost and botocore repeats it, the version between is our own."""
    client.put_parameter(Name=HEADERS, Value="old", Type="SecureString")
    proxy.next("PutParameter", Trouble(), Trouble(lost=True))
    outcome = push()
    assert isinstance(outcome, Pushed)
    assert outcome.written is not None
    assert (outcome.written.displaced, outcome.written.version) == (None, "1.3")


def test_one_that_somebody_made_first_is_not_overwritten_unseen(proxy: AwsProxy, client: Any) -> None:
    """A parameter that appears before ours is a conflict, which is settled by reading it."""

    def theirs() -> None:
        client.put_parameter(Name=ENDPOINT, Value="theirs", Type="SecureString")

    proxy.next("PutParameter", Trouble(before=theirs))
    outcome = push()
    assert isinstance(outcome, Pushed)
    assert outcome.written is not None
    assert outcome.written.attempts == 2
    assert held(client)[ENDPOINT][:2] == (WANTED["endpoint"].reveal(), 2)


# Refusals


def codes(fact: object) -> list[str]:
    """Return the codes that a fault comes to; nothing of what was sent may be in it."""
    assert isinstance(fact, StoreFault), fact
    assert PLANTED[20:40] not in repr(fact)
    findings = judge_store(fact, place="ssm:/shop/prod", subject="--to", region="eu-west-1")
    return [finding.code for finding in findings]


def denied(operation: str) -> Trouble:
    """Return how IAM denies an operation of this service."""
    message = f"User: arn:aws:iam::1:user/ci is not authorized to perform: ssm:{operation} on resource: x because …"
    return Trouble(answer=(400, "AccessDeniedException", message))


@pytest.mark.parametrize("operation", ["GetParameters", "PutParameter", "DescribeParameters"])
def test_each_permission_that_is_missing_is_named(proxy: AwsProxy, client: Any, operation: str) -> None:
    """A denied call is a fault with the action in it, and nothing was written."""
    client.put_parameter(Name=ENDPOINT, Value="old", Type="SecureString")
    before = stored(store().read())
    proxy.always[operation] = denied(operation)
    fact = store().replace(Secret(json.dumps({k: v.reveal() for k, v in WANTED.items()})), before)
    assert codes(fact) == ["STORE-SSM-DENIED"]
    assert isinstance(fact, StoreFault)
    assert f"ssm:{operation}" in fact.message
    assert held(client) == {ENDPOINT: ("old", 1, "SecureString")}


def test_a_write_that_stops_between_the_two_is_told_and_a_rerun_ends_it(proxy: AwsProxy, client: Any) -> None:
    """Where the second parameter is refused, the first is named as written; pushing again writes the second alone."""
    proxy.next("PutParameter", Trouble(), denied("PutParameter"))
    fact = push()
    assert codes(fact) == ["STORE-SSM-HALF"]
    assert isinstance(fact, StoreFault)
    assert fact.detail["written"] == ENDPOINT
    assert list(held(client)) == [ENDPOINT]
    assert isinstance(push(), Pushed)
    assert {name: version for name, (_, version, _) in held(client).items()} == {ENDPOINT: 1, HEADERS: 1}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((400, "InvalidKeyId", "the key is disabled"), "STORE-SSM-KMS"),
        ((400, "ParameterMaxVersionLimitExceeded", "labels"), "STORE-SSM-LIMIT"),
        ((400, "ThrottlingException", "Rate exceeded"), "STORE-SSM-THROTTLED"),
        ((400, "ValidationException", f"Value '{PLANTED}' is too long"), "STORE-SSM-INVALID"),
        ((500, "InternalServerError", "sorry"), "STORE-SSM-FAULT"),
        ((400, "ExpiredTokenException", "expired"), "AWS-TOKEN-EXPIRED"),
    ],
)
def test_each_refusal_of_a_write_has_its_code(proxy: AwsProxy, answer: tuple[int, str, str], code: str) -> None:
    """What the service answers is a fault with its own code, without the value that was sent."""
    proxy.always["PutParameter"] = Trouble(answer=answer)
    assert codes(push()) == [code]


@pytest.mark.usefixtures("proxy")
@pytest.mark.parametrize("prefix", ["/aws/x", "ssm"])
def test_a_reserved_name_is_refused_by_the_service(prefix: str) -> None:
    """Names that begin with aws or ssm are the service's own, and it says so."""
    fact = store(prefix).create(Secret('{"endpoint": "e"}'))
    assert set(codes(fact)) <= {"STORE-SSM-INVALID", "STORE-SSM-DENIED"}


def test_what_never_reached_the_service_has_its_code(proxy: AwsProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, no region, nothing that listens, and a server of another kind are told apart."""
    proxy.always["GetParameters"] = Trouble(answer=(200, "", ""))
    assert codes(store().read()) == ["STORE-SSM-FAULT"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert codes(store().read()) == ["STORE-SSM-UNREACHABLE"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    assert codes(store().read()) == ["AWS-ENDPOINT-URL"]
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    assert codes(store().read()) == ["AWS-NO-CREDENTIALS"]
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert codes(store().read()) == ["AWS-NO-REGION"]

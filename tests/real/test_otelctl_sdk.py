"""The OpenTelemetry SDK for Python with what otelctl made and judged: its own exporters against the embedded gateway.

What the SDK sends is what counts: a header that otelctl prints must reach the wire as meant, a set-up that it calls
healthy must export, one that it finds wrong must not, and what it mends must.
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest
from dotenv import dotenv_values

from otelctl.gateway import Gateway, Received, Tenant
from otelctl.secret import Secret
from otelctl.settings import Signal
from tests.real.conftest import Nginx
from tests.support.ca import Authority
from tests.support.gateway import authorization, basic, tenant
from tests.support.program import Result, environment, run, run_line

HEADERS, ENDPOINT = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT"

INVENTED = tenant()
# base64 of the pair ends in no, one and two signs of padding.
STACKS = [Tenant(INVENTED.instance_id[:length], INVENTED.token, frozenset(Signal)) for length in (4, 5, 6)]
STACK = STACKS[0]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that knows the stacks, and has met no bug of its own when the test is over."""
    with Gateway(STACKS) as running:
        yield running
    assert running.crashes == ()


def export(variables: Mapping[str, str]) -> int:
    """Run an application that exports one item of each signal, and return 0 where it believes that all were taken."""
    return subprocess.run(
        [sys.executable, "-m", "tests.support.application"],
        env=environment({"OTEL_EXPORTER_OTLP_TIMEOUT": "5", **variables}),
        capture_output=True,
        timeout=50,
        check=False,
    ).returncode


def check(variables: Mapping[str, str], *more: str) -> Result:
    """Check what the variables say, every signal, and report in JSON."""
    return run("check-endpoint", "--signal", "all", "--format", "json", *more, variables=variables)


def encoded(stack: Tenant, form: str) -> str:
    """Return what encode-auth prints for a stack, without the end of the line."""
    result = run("encode-auth", stack.instance_id, "--as", form, variables={"GRAFANA_API_TOKEN": stack.token.reveal()})
    assert (result.code, result.stderr, result.stdout.count("\n")) == (0, "", 1)
    return result.stdout.removesuffix("\n")


def sent(received: Received, name: str = "authorization") -> str:
    """Return a header as it came over the wire."""
    value = received.header(name)
    return value.reveal() if isinstance(value, Secret) else value


def parsed(stack: Tenant, form: str) -> str:
    """Return the value that the variable gets from a form, as the form's own reader gives it."""
    text = encoded(stack, form)
    if form == "dotenv":
        values = dotenv_values(stream=io.StringIO(f"BEFORE=1\n{text}\nAFTER=2\n"))
        assert set(values) == {"BEFORE", HEADERS, "AFTER"}
        return values[HEADERS] or ""
    if form == "json":
        document: dict[str, str] = json.loads(text)
        return document[HEADERS.lower()]
    return text


# What otelctl makes


@pytest.mark.parametrize("form", ["otlp-headers", "percent-encoded", "dotenv", "json"])
@pytest.mark.parametrize("stack", STACKS, ids=["no padding", "one", "two"])
def test_what_was_made_reaches_the_wire_as_meant(gateway: Gateway, stack: Tenant, form: str) -> None:
    """In every form that ends in the variable, the SDK sends the very Authorization of the pair, for every signal."""
    variables = {ENDPOINT: gateway.url, HEADERS: parsed(stack, form)}
    assert export(variables) == 0
    meant = "Basic " + base64.b64encode(f"{stack.instance_id}:{stack.token.reveal()}".encode()).decode()
    assert [sent(one) for one in gateway.received] == [meant] * 3
    result = check(variables)
    assert (result.code, result.found) == (0, [])
    assert [sent(one) for one in gateway.received[3:]] == [meant] * 3


def test_the_three_stacks_pad_in_three_ways() -> None:
    """The stacks of these tests have base64 with no, one and two signs of padding."""
    assert sorted(len(text) - len(text.rstrip("=")) for text in map(authorization, STACKS)) == [0, 1, 2]


# What otelctl calls healthy


def test_a_probe_is_what_the_exporter_sends(gateway: Gateway) -> None:
    """With the same variables, the SDK and check-endpoint go to the same paths with the same headers that matter."""
    variables = {ENDPOINT: gateway.url, HEADERS: f"{encoded(STACK, 'otlp-headers')},x-tenant=a%20b"}
    assert export(variables) == 0
    assert check(variables).code == 0
    names = ("authorization", "content-type", "x-tenant")

    def kinds(received: tuple[Received, ...]) -> set[tuple[str, ...]]:
        return {(one.method, one.path, *(sent(one, name) for name in names)) for one in received}

    assert kinds(gateway.received[3:]) == kinds(gateway.received[:3])


def test_a_span_is_compressed_where_the_exporter_does(gateway: Gateway) -> None:
    """The variable for compression makes both of them send gzip."""
    variables = {
        ENDPOINT: gateway.url,
        HEADERS: encoded(STACK, "otlp-headers"),
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    }
    assert export(variables) == 0
    assert run("send-test-span", variables=variables).code == 0
    assert [sent(one, "content-encoding") for one in gateway.received] == ["gzip"] * 4


def test_per_signal_variables_come_first_for_both(gateway: Gateway) -> None:
    """A signal's own endpoint and headers win over the generic ones, in the SDK as in otelctl."""
    right = encoded(STACK, "otlp-headers")
    variables = {ENDPOINT: "http://127.0.0.1:1/otlp", HEADERS: "Authorization=Basic bm9uZTpub25l"}
    for signal in Signal:
        variables[f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"] = f"{gateway.url}/v1/{signal}"
        variables[f"OTEL_EXPORTER_OTLP_{signal.upper()}_HEADERS"] = right
    assert export(variables) == 0
    result = check(variables)
    assert (result.code, result.found) == (0, [])
    assert len({(one.path, sent(one)) for one in gateway.received}) == 3


def test_a_private_authority_is_trusted_by_both(authority: Authority) -> None:
    """The variable for the certificate makes both trust a private authority, and without it both refuse."""
    with Gateway(STACKS, tls=authority.good().server_context()) as gateway:
        endpoint = gateway.url.replace("127.0.0.1", "localhost")
        variables = {ENDPOINT: endpoint, HEADERS: encoded(STACK, "otlp-headers")}
        # The SDK tries again until its time is over.
        assert export({**variables, "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}) == 1
        assert check(variables).found == ["NET-TLS-UNTRUSTED"]
        variables["OTEL_EXPORTER_OTLP_CERTIFICATE"] = str(authority.file)
        assert export(variables) == 0
        result = check(variables)
        assert (result.code, result.found) == (0, [])


# What otelctl finds wrong

RIGHT = authorization(STACK)
PAYLOAD = RIGHT.removeprefix("Basic ")
PAIR = f"{STACK.instance_id}:{STACK.token.reveal()}"
MISTAKES = {
    "AUTH-REVERSED": f"Authorization={basic(STACK.token.reveal(), STACK.instance_id)}",
    "AUTH-QUOTED": f'Authorization="{RIGHT}"',
    "AUTH-COLON-SYNTAX": f"Authorization: {RIGHT}",
    "AUTH-NAME-MISSING": RIGHT,
    "AUTH-NOT-ENCODED": f"Authorization=Basic {PAIR}",
    "AUTH-DOUBLE-ENCODED": f"Authorization=Basic {base64.b64encode(PAYLOAD.encode()).decode()}",
    "AUTH-TRAILING-NEWLINE": f"Authorization={basic(STACK.instance_id, STACK.token.reveal() + chr(10))}",
    "AUTH-LINE-WRAPPED": f"Authorization=Basic {PAYLOAD[:76]}\n{PAYLOAD[76:]}",
    "AUTH-SCHEME": f"Authorization=Bearer {STACK.token.reveal()}",
}
# Of a token alone nobody can tell the stack.
MENDABLE = [code for code in MISTAKES if code != "AUTH-SCHEME"]


@pytest.mark.parametrize("code", MISTAKES)
def test_a_header_that_the_sdk_fails_with_has_its_code(gateway: Gateway, code: str) -> None:
    """Each way to spoil the variable makes the SDK's export fail, and is the one finding of the check."""
    variables = {ENDPOINT: gateway.url, HEADERS: MISTAKES[code]}
    assert export(variables) == 1
    result = run("check-endpoint", "--format", "json", variables=variables)
    assert (result.code, result.found) == (1, [code])


@pytest.mark.parametrize("code", MENDABLE)
def test_what_fix_prints_makes_the_sdk_export(gateway: Gateway, code: str) -> None:
    """The mended header, put where the spoilt one was by the advised line, is what the SDK's export needed."""
    variables = {ENDPOINT: gateway.url, HEADERS: MISTAKES[code]}
    line = f'export {HEADERS}="$(otelctl inspect-auth --fix)" && {sys.executable} -m tests.support.application'
    assert run_line(line, variables=variables).code == 0
    assert {sent(one) for one in gateway.received} == {RIGHT}


@pytest.mark.parametrize(
    ("place", "code"),
    [("page", "OTLP-NOT-OTLP"), ("redirect", "OTLP-NOT-OTLP"), ("permanent_redirect", "OTLP-REDIRECT")],
)
def test_what_the_sdk_takes_for_success_is_found(nginx: Nginx, place: str, code: str) -> None:
    """The SDK reports success to a web page and to a redirect and loses the data; check-endpoint names them."""
    variables = {ENDPOINT: getattr(nginx, place), HEADERS: f"Authorization={nginx.credential.header}"}
    assert export(variables) == 0
    result = run("check-endpoint", "--format", "json", variables=variables)
    assert (result.code, result.found) == (1, [code])


def test_a_path_that_the_sdk_fails_with_is_mended(gateway: Gateway) -> None:
    """Without /otlp the SDK's export fails, and it passes with the endpoint that the finding advises."""
    variables = {ENDPOINT: gateway.url.removesuffix("/otlp"), HEADERS: encoded(STACK, "otlp-headers")}
    assert export(variables) == 1
    wrong = run("check-endpoint", "--format", "json", variables=variables)
    assert wrong.found == ["URL-OTLP-MISSING"]
    (command,) = (step["command"] for step in wrong.finding("URL-OTLP-MISSING")["fix"] if step["command"])
    assert run_line(f"{command} && {sys.executable} -m tests.support.application", variables=variables).code == 0

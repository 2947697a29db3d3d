"""The table of otelctl.sdk held to the SDKs themselves: what it predicts is what arrives, byte for byte.

Each case sets variables in a process with a real SDK, the oldest and the newest behaviours of each, and compares what
the embedded gateway (or, for gRPC, a server that records) received with what the table says of that version.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from otelctl.gateway import Gateway
from otelctl.sdk import Language, Prediction, Sdk, Wire, method_path, predict
from otelctl.secret import Secret
from otelctl.settings import Layer, Signal, SourceKind
from tests.support.gateway import authorization, tenant
from tests.support.sdks import NODE, PYTHON, App, Calls, calls, node_app, python_app

pytestmark = pytest.mark.timeout(600)

VERSIONS = [*((Language.PYTHON, one) for one in PYTHON), *((Language.NODE, one) for one in NODE)]
STACK = tenant()
BASIC = authorization(STACK)
WATCHED = ("authorization", "x-a", "x-b")


@dataclass(frozen=True, slots=True)
class Under:
    """One version of one SDK in an application, and where it may send."""

    sdk: Sdk
    app: App
    gateway: Gateway
    calls: Calls

    def filled(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Put the addresses of the servers into the variables."""
        http = self.gateway.url.removesuffix("/otlp")
        places = {"{http}": http, "{grpc}": f"http://{self.calls.address}", "{address}": self.calls.address}
        return {
            name: functools.reduce(lambda text, place: text.replace(*place), places.items(), value)
            for name, value in variables.items()
        }


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Gateway, Calls]]:
    """The embedded gateway, and a gRPC server that records."""
    with Gateway([STACK]) as gateway, calls() as recording:
        yield gateway, recording


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda one: f"{one[0]}-{one[1]}")
def under(request: pytest.FixtureRequest, servers: tuple[Gateway, Calls]) -> Under:
    """One SDK after the other."""
    language, version = request.param
    app = python_app(version) if language is Language.PYTHON else node_app(version)
    return Under(Sdk(language, tuple(int(part) for part in version.split("."))), app, *servers)


Sent = tuple[str, str, tuple[tuple[str, str], ...]]


def predicted(under: Under, variables: Mapping[str, str]) -> set[Sent]:
    """Return what the table says will arrive: path, protocol, and the headers watched."""
    layers = (Layer(SourceKind.VARIABLE, "", variables, {}),)
    predictions = [predict(layers, under.sdk, signal) for signal in Signal]
    return {_expected(one) for one in predictions if one.silence is None and _answers(under, one)}


def _answers(under: Under, one: Prediction) -> bool:
    """Tell whether the server at the predicted address speaks the predicted protocol: the other one takes nothing."""
    address = under.calls.address if one.protocol is Wire.GRPC else f"127.0.0.1:{under.gateway.port}"
    return urlsplit(one.url).netloc == address


def _expected(one: Prediction) -> Sent:
    path = method_path(one.signal) if one.protocol is Wire.GRPC else urlsplit(one.url).path
    headers = {name: value.reveal() for name, value in one.headers.sent}
    if one.compression != "none":
        headers["content-encoding"] = one.compression
    assert one.protocol is not None
    return path, one.protocol.value, _watched(headers)


def _watched(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in headers.items() if name in (*WATCHED, "content-encoding")))


def arrived(under: Under, variables: Mapping[str, str]) -> set[Sent]:
    """Run the application, and return what came."""
    requests, invoked = len(under.gateway.received), len(under.calls.received)
    # An exporter whose server takes nothing may try again for minutes: what came came.
    with contextlib.suppress(subprocess.TimeoutExpired):
        under.app.run({"OTEL_METRIC_EXPORT_INTERVAL": "60000", **variables}, seconds=15)
    found: set[Sent] = set()
    for item in under.gateway.received[requests:]:
        headers = {name.lower(): value.reveal() if isinstance(value, Secret) else value for name, value in item.headers}
        protocol = {"application/json": Wire.JSON, "application/x-protobuf": Wire.PROTOBUF}[headers["content-type"]]
        found.add((item.path, protocol.value, _watched(headers)))
    for method, metadata in under.calls.received[invoked:]:
        found.add((method, Wire.GRPC.value, _watched(metadata)))
    return found


BASE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "{http}/otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}
GRPC = {"OTEL_EXPORTER_OTLP_ENDPOINT": "{grpc}", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
HEADERS, TRACES = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_"
ENCODED = BASIC.replace(" ", "%20")

CASES = {
    "a literal space": {**BASE, HEADERS: f"Authorization={BASIC}"},
    "a percent-encoded space": {**BASE, HEADERS: f"Authorization={ENCODED}"},
    "everything encoded": {**BASE, HEADERS: f"Authorization={ENCODED.replace('=', '%3D')}"},
    "several, with spaces around": {**BASE, HEADERS: f" x-a = 1 , Authorization={ENCODED}, x-b=2 "},
    "a space and an escape": {**BASE, HEADERS: "x-a=a b%20c"},
    "quotes": {**BASE, HEADERS: 'x-a="1",x-b=2'},
    "a semicolon": {**BASE, HEADERS: "x-a=1;2,x-b=2"},
    "a colon for the equals sign": {**BASE, HEADERS: f"Authorization: {BASIC},x-b=2"},
    "no name": {**BASE, HEADERS: f"{BASIC},x-b=2"},
    "no value": {**BASE, HEADERS: "x-a=,x-b=2"},
    "a bad escape": {**BASE, HEADERS: "x-a=100%,x-b=2"},
    "a plus": {**BASE, HEADERS: "x-a=1+1,x-b=2%2B2"},
    "the same twice": {**BASE, HEADERS: "x-a=1,X-A=2"},
    "headers of one signal": {**BASE, HEADERS: "x-a=1", f"{TRACES}HEADERS": "x-b=2"},
    "an empty variable of one signal": {**BASE, HEADERS: "x-a=1", f"{TRACES}HEADERS": "", f"{TRACES}ENDPOINT": ""},
    "a slash at the end": {**BASE, "OTEL_EXPORTER_OTLP_ENDPOINT": "{http}/otlp/"},
    "no path": {**BASE, "OTEL_EXPORTER_OTLP_ENDPOINT": "{http}"},
    "a signal's URL as the base": {**BASE, "OTEL_EXPORTER_OTLP_ENDPOINT": "{http}/otlp/v1/traces"},
    "an endpoint of one signal": {**BASE, f"{TRACES}ENDPOINT": "{http}/otlp/v1/other"},
    "an endpoint of one signal without a path": {**BASE, f"{TRACES}ENDPOINT": "{http}"},
    "no protocol, port of HTTP": {"OTEL_EXPORTER_OTLP_ENDPOINT": "{http}/otlp"},
    "no protocol, port of gRPC": {"OTEL_EXPORTER_OTLP_ENDPOINT": "{grpc}"},
    "JSON": {**BASE, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"},
    "a protocol that is none": {**BASE, "OTEL_EXPORTER_OTLP_PROTOCOL": "thrift"},
    "a protocol of one signal": {**BASE, f"{TRACES}PROTOCOL": "grpc", f"{TRACES}ENDPOINT": "{grpc}"},
    "gRPC": {**GRPC, HEADERS: f"Authorization={ENCODED},x-a=1"},
    "gRPC and a literal space": {**GRPC, HEADERS: f"Authorization={BASIC},x-a=1"},
    "gRPC and a path": {**GRPC, "OTEL_EXPORTER_OTLP_ENDPOINT": "{grpc}/otlp"},
    "gzip": {**BASE, "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"},
    "switched off": {**BASE, "OTEL_SDK_DISABLED": "true"},
    "switched off by what is not true": {**BASE, "OTEL_SDK_DISABLED": "1"},
    "no traces": {**BASE, "OTEL_TRACES_EXPORTER": "none"},
    "traces to the console": {**BASE, "OTEL_TRACES_EXPORTER": "console"},
    "every exporter named": {
        **BASE, "OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "none",
    },
    "a configuration file": {**BASE, "OTEL_CONFIG_FILE": "/nowhere/otel.yaml"},
}  # fmt: skip


@pytest.mark.parametrize("variables", CASES.values(), ids=CASES.keys())
def test_what_arrives_is_what_the_table_predicts(under: Under, variables: dict[str, str]) -> None:
    """Path, protocol and the bytes of the headers of each signal, or nothing, are as predicted for this version."""
    given = under.filled(variables)
    assert arrived(under, given) == predicted(under, given)


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_TIMEOUT", f"{TRACES}TIMEOUT"])
def test_a_timeout_is_counted_in_the_predicted_unit(under: Under, name: str) -> None:
    """Against a server that never answers, an export ends after as many seconds as the table makes of the number."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[float] = []

        def hold() -> None:
            connection, _ = server.accept()
            began = time.monotonic()
            with connection:
                while connection.recv(65536):
                    pass
            held.append(time.monotonic() - began)

        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.getsockname()[1]}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            name: "1" if under.sdk.language is Language.PYTHON else "1000",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
        }
        prediction = predict((Layer(SourceKind.VARIABLE, "", variables, {}),), under.sdk, Signal.TRACES)
        under.app.run(variables)
        thread.join(10)
    assert held
    assert held[0] == pytest.approx(prediction.timeout, abs=0.7)
    # In the other unit, or with the default, it would be another number.
    assert prediction.timeout in (1.0, 10.0)

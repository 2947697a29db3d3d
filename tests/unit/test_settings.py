"""Settings: which value wins, and where it came from."""

from __future__ import annotations

import pytest

from otelctl.secret import Secret
from otelctl.settings import (
    Layer,
    Setting,
    Signal,
    Source,
    SourceKind,
    endpoint,
    find,
    headers,
    is_per_signal,
    option,
    set_command,
)

GENERIC, TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


def environ(**values: str) -> Layer:
    """Return the environment's layer."""
    return Layer(SourceKind.VARIABLE, "", values, {})


def env_file(**values: str) -> Layer:
    """Return the layer of a file whose first line is 3."""
    return Layer(SourceKind.ENV_FILE, ".env", values, {name: line for line, name in enumerate(values, 3)})


def test_per_signal_wins_over_generic() -> None:
    """A per-signal variable wins over the generic one, and that over Grafana's own (protocol/exporter.md)."""
    layer = {GENERIC: "https://generic", TRACES: "https://traces", "GRAFANA_OTLP_ENDPOINT": "https://grafana"}
    for gone, value in ((None, "https://traces"), (TRACES, "https://generic"), (GENERIC, "https://grafana")):
        layer.pop(gone or "", None)
        found = endpoint([environ(**layer)], Signal.TRACES)
        assert found is not None
        assert found.value == value
    assert endpoint([environ(**{TRACES: "https://traces"})], Signal.LOGS) is None


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_empty_equals_unset(empty: str) -> None:
    """An empty variable is as good as none (sdk-environment-variables.md)."""
    found = endpoint([environ(**{TRACES: empty, GENERIC: "https://generic"})], Signal.TRACES)
    assert found is not None
    assert found.source.name == GENERIC
    assert find([environ(**{TRACES: empty})], TRACES) is None


def test_an_earlier_layer_wins_as_a_whole() -> None:
    """A source that was named wins over the environment, even with its generic variable over the per-signal one."""
    found = endpoint([env_file(**{GENERIC: "https://file"}), environ(**{TRACES: "https://environ"})], Signal.TRACES)
    assert found == Setting("https://file", Source(SourceKind.ENV_FILE, GENERIC, ".env:3"))


def test_a_source_tells_its_place() -> None:
    """A source is shown by its name, with the file and line where there is one."""
    layer = env_file(A="1", B="2")
    assert [str(layer.source(name)) for name in ("A", "B", "C")] == ["A, .env:3", "B, .env:4", "C, .env"]
    assert str(environ(A="1").source("A")) == "A"


def test_headers_are_secret() -> None:
    """Headers come as a Secret, per-signal before generic."""
    found = headers([environ(OTEL_EXPORTER_OTLP_HEADERS="a=1", OTEL_EXPORTER_OTLP_LOGS_HEADERS="b=2")], Signal.LOGS)
    assert found is not None
    assert found.value == Secret("b=2")
    assert "b=2" not in repr(found)
    assert headers([], Signal.LOGS) is None


def test_one_more_option() -> None:
    """PROTOCOL and the others follow the same rule."""
    layer = environ(OTEL_EXPORTER_OTLP_PROTOCOL="grpc", OTEL_EXPORTER_OTLP_METRICS_PROTOCOL="http/json")
    values = [option([layer], signal, "PROTOCOL") for signal in (Signal.METRICS, Signal.TRACES)]
    assert [one.value for one in values if one] == ["http/json", "grpc"]


@pytest.mark.parametrize(
    ("name", "per_signal"),
    [(TRACES, True), ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", True), (GENERIC, False), ("ENDPOINT", False), ("", False)],
)
def test_what_is_used_as_it_is(name: str, per_signal: bool) -> None:
    """A URL from a per-signal variable is used as it is, any other is a base."""
    assert is_per_signal(Source(SourceKind.VARIABLE, name)) is per_signal


def test_a_command_sets_a_variable_alone() -> None:
    """A value goes back by `export` where a variable held it, quoted; any other place needs another command."""
    assert set_command(Source(SourceKind.VARIABLE, "A"), "b c$d", "x") == "export A='b c$d'"
    for kind in set(SourceKind) - {SourceKind.VARIABLE}:
        assert set_command(Source(kind, "A"), "b", "otelctl x") == "otelctl x"

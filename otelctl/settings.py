"""Settings: every value with the place that it came from. Pure: variables come in as a mapping.

Sources: OpenTelemetry specification protocol/exporter.md (names, per-signal before generic, empty equals unset).
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from otelctl.secret import Secret

Value = TypeVar("Value")

INSTANCE_ID = "GRAFANA_INSTANCE_ID"
API_TOKEN = "GRAFANA_API_TOKEN"  # noqa: S105  the name of a variable, not a token
GRAFANA_ENDPOINT = "GRAFANA_OTLP_ENDPOINT"


class Signal(enum.StrEnum):
    """A signal of OpenTelemetry that OTLP carries."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"


class Protocol(enum.StrEnum):
    """The values of OTEL_EXPORTER_OTLP_PROTOCOL (specification: protocol/exporter.md)."""

    HTTP_PROTOBUF = "http/protobuf"
    HTTP_JSON = "http/json"
    GRPC = "grpc"


class SourceKind(enum.StrEnum):
    """The kind of place that a value came from."""

    ARGUMENT = "argument"
    OPTION = "option"
    VARIABLE = "variable"
    ENV_FILE = "env file"
    FILE = "file"
    STDIN = "standard input"
    KEYRING = "keyring"
    SECRET = "secret store"  # noqa: S105  a word, not a password
    TASK_DEFINITION = "task definition"
    PROMPT = "prompt"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from: `name` is the variable, option or key, `place` the file and line or the store.

    `writer` is the command that writes another value there, up to that value; empty where there is none.
    """

    kind: SourceKind
    name: str
    place: str = ""
    writer: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.name}, {self.place}" if self.place else self.name


@dataclass(frozen=True, slots=True)
class Setting(Generic[Value]):
    """A value and its source."""

    value: Value
    source: Source


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How to shake hands: trust the system's CAs or `ca_file`, show a client certificate, or verify nothing."""

    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """One place that holds variables, as `os.environ` or one .env file does; `lines` tells the line of each."""

    kind: SourceKind
    place: str
    values: Mapping[str, str]
    lines: Mapping[str, int]

    def source(self, name: str) -> Source:
        """Return the source of one of its variables."""
        line = self.lines.get(name)
        return Source(self.kind, name, f"{self.place}:{line}" if self.place and line else self.place)


def find(layers: Sequence[Layer], *names: str) -> Setting[str] | None:
    """Return the first of `names` that any layer sets, layer by layer; an empty value equals an unset one."""
    for layer in layers:
        for name in names:
            value = layer.values.get(name, "")
            if value.strip():
                return Setting(value, layer.source(name))
    return None


def signal_variable(signal: Signal, what: str) -> str:
    """Return the per-signal name of a variable: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`."""
    return f"OTEL_EXPORTER_OTLP_{signal.value.upper()}_{what}"


def endpoint(layers: Sequence[Layer], signal: Signal) -> Setting[str] | None:
    """Return the endpoint that an exporter of the signal takes, or Grafana's own variable where none is set."""
    return find(layers, signal_variable(signal, "ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT", GRAFANA_ENDPOINT)


def is_per_signal(source: Source) -> bool:
    """Tell whether a URL is used as it is: it came from a per-signal variable."""
    return any(source.name == signal_variable(signal, "ENDPOINT") for signal in Signal)


def headers(layers: Sequence[Layer], signal: Signal) -> Setting[Secret] | None:
    """Return the headers string that an exporter of the signal takes."""
    found = find(layers, signal_variable(signal, "HEADERS"), "OTEL_EXPORTER_OTLP_HEADERS")
    return Setting(Secret(found.value), found.source) if found else None


def option(layers: Sequence[Layer], signal: Signal, what: str) -> Setting[str] | None:
    """Return one more setting of an exporter: PROTOCOL, COMPRESSION, CERTIFICATE, CLIENT_KEY, CLIENT_CERTIFICATE."""
    return find(layers, signal_variable(signal, what), f"OTEL_EXPORTER_OTLP_{what}")


def set_command(source: Source, value: str, again: str) -> str:
    """Return the command that puts `value` where the old one came from; `again` where no single command does."""
    if source.writer:
        return f"{source.writer} {shlex.quote(value)}"
    return f"export {source.name}={shlex.quote(value)}" if source.kind is SourceKind.VARIABLE else again

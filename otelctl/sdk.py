"""What each OpenTelemetry SDK makes of the variables: a table, each row with its source, and what follows. Pure.

The rows are about an SDK that is set up from variables: `opentelemetry-instrument` (Python), `NodeSDK` (Node),
autoconfigure (Java), `autoexport` (Go), `AddOtlpExporter` (.NET). What code sets by itself, no variable tells. The rows
of Python and Node are held to the real SDKs by `tests/real/test_sdk_table.py`.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import unquote, unquote_plus, urlsplit

from otelctl.secret import Secret
from otelctl.settings import Layer, Setting, Signal, find, signal_variable

Value = TypeVar("Value", covariant=True)  # noqa: PLC0105  a value is only ever read


class Language(enum.StrEnum):
    """The languages whose SDKs are known here."""

    PYTHON = "python"
    NODE = "node"
    JAVA = "java"
    GO = "go"
    DOTNET = "dotnet"


@dataclass(frozen=True, slots=True)
class Sdk:
    """An SDK; without a version the newest one that is known.

    Node has two counts: 0.41 is that of `@opentelemetry/sdk-node`, 1.15 that of `@opentelemetry/core`.
    """

    language: Language
    version: tuple[int, ...] = ()

    def __str__(self) -> str:
        name = {Language.NODE: "Node", Language.DOTNET: ".NET"}.get(self.language, self.language.capitalize())
        return f"{name} {'.'.join(map(str, self.version))}".strip()


class Proof(enum.StrEnum):
    """How a row is known."""

    RUN = "the real SDK is run in the tests"
    READ = "read in its source"
    REPORTED = "documented or reported, not read"
    UNVERIFIED = "not verified"


@dataclass(frozen=True, slots=True)
class Row(Generic[Value]):
    """One thing that one SDK does, from version `since` on until a later row says otherwise.

    `stable` is the same version in Node's other count (see `Sdk`).
    """

    language: Language
    value: Value
    source: str
    proof: Proof
    since: tuple[int, ...] = ()
    stable: tuple[int, ...] = ()

    def covers(self, sdk: Sdk) -> bool:
        """Tell whether the SDK is this one, and not older than the row."""
        if sdk.language is not self.language:
            return False
        if self.stable and sdk.version and sdk.version[0] > 0:
            return sdk.version >= self.stable
        return not sdk.version or sdk.version >= self.since


class Wire(enum.StrEnum):
    """The protocols, as the variable spells them."""

    GRPC = "grpc"
    PROTOBUF = "http/protobuf"
    JSON = "http/json"


class Otherwise(enum.StrEnum):
    """What becomes of a protocol that an SDK does not have."""

    SILENT = "nothing is exported"
    HTTP = "http/protobuf is taken"
    DEFAULT = "its default is taken"


class GrpcPath(enum.StrEnum):
    """What becomes of a path in the endpoint under gRPC, whose URLs have none of their own."""

    DROPPED = "dropped"
    KEPT = "put before the method"
    DIALLED = "made part of the address, which then cannot be dialled"
    STOPS = "an error at the start"


class Join(enum.StrEnum):
    """How the base URL and the signal's path come together."""

    TEXT = "appended as text"
    ONCE = "appended unless it is there"
    PATH = "appended to the path"


class HeaderForm(enum.StrEnum):
    """The readers of `*_HEADERS`."""

    STRICT = "Python before 1.27: percent-encoded alone"
    LIBERAL = "Python: percent-encoded, else as it is"
    BAGGAGE_ONE_EQUALS = "Node before 0.41.2: one = in an entry"
    BAGGAGE_THROWS = "Node: decoded, a bad % is an exception"
    BAGGAGE = "Node: decoded, a bad % drops the entry"
    JAVA_RAW = "Java before 1.35: as it is"
    JAVA = "Java: decoded as a form is, + is a space"
    GO = "Go: decoded as a path is"
    DOTNET_RAW = ".NET before 1.8: as it is"
    DOTNET_SPLIT = ".NET before 1.13: decoded before it is split"
    DOTNET = ".NET: decoded before it is split, a piece without = is of the value before it"


class Unit(enum.StrEnum):
    """What a bare number in `*_TIMEOUT` counts."""

    SECONDS = "s"
    MILLISECONDS = "ms"


_ALL = frozenset(Signal)
_BOTH = frozenset({Wire.GRPC, Wire.PROTOBUF})
_EVERY = frozenset(Wire)
_P, _N, _J, _G, _D = Language
_PYTHON = "https://github.com/open-telemetry/opentelemetry-python/blob/main/"
_HTTP = f"{_PYTHON}exporter/opentelemetry-exporter-otlp-proto-http/src/opentelemetry/exporter/otlp/proto/http/"
_CONFIGURATOR = f"{_PYTHON}opentelemetry-sdk/src/opentelemetry/sdk/_configuration/__init__.py"
_RE = f"{_PYTHON}opentelemetry-api/src/opentelemetry/util/re.py"
_PY_GRPC = (
    f"{_PYTHON}exporter/opentelemetry-exporter-otlp-proto-grpc/src/opentelemetry/exporter/otlp/proto/grpc/exporter.py"
)
_DISTRO = (
    "https://github.com/open-telemetry/opentelemetry-python-contrib/blob/main/"
    "opentelemetry-distro/src/opentelemetry/distro/__init__.py"
)
_JS = "https://github.com/open-telemetry/opentelemetry-js/blob/main/"
_SDK_NODE = f"{_JS}experimental/packages/opentelemetry-sdk-node/src/"
_JS_HTTP = f"{_JS}experimental/packages/otlp-exporter-base/src/configuration/otlp-node-http-env-configuration.ts"
_JS_SHARED = f"{_JS}experimental/packages/otlp-exporter-base/src/configuration/shared-env-configuration.ts"
_JS_GRPC = f"{_JS}experimental/packages/otlp-grpc-exporter-base/src/configuration/otlp-grpc-env-configuration.ts"
_BAGGAGE = f"{_JS}packages/opentelemetry-core/src/baggage/utils.ts"
_JAVA = "https://github.com/open-telemetry/opentelemetry-java/blob/main/"
_JAVA_OTLP = f"{_JAVA}exporters/otlp/all/src/main/java/io/opentelemetry/exporter/otlp/internal/OtlpConfigUtil.java"
_JAVA_CONFIG = (
    f"{_JAVA}sdk-extensions/autoconfigure-spi/src/main/java/io/opentelemetry/sdk/autoconfigure/spi/internal/"
    "DefaultConfigProperties.java"
)
_JAVA_DOCS = "https://opentelemetry.io/docs/languages/java/configuration/"
_GO = "https://github.com/open-telemetry/opentelemetry-go/blob/main/exporters/otlp/otlptrace/otlptracehttp/internal/"
_GO_ENV = f"{_GO}envconfig/envconfig.go"
_GO_OTLP = f"{_GO}otlpconfig/envconfig.go"
_GO_AUTO = "https://github.com/open-telemetry/opentelemetry-go-contrib/blob/main/exporters/autoexport/spans.go"
_GO_DISABLED = "https://github.com/open-telemetry/opentelemetry-go/issues/3559"
_NET = (
    "https://github.com/open-telemetry/opentelemetry-dotnet/blob/main/src/OpenTelemetry.Exporter.OpenTelemetryProtocol/"
)
_NET_OPTIONS = f"{_NET}OtlpExporterOptions.cs"
_NET_EXTENSIONS = f"{_NET}OtlpExporterOptionsExtensions.cs"
_NET_README = f"{_NET}README.md"

RUN, READ, REPORTED, UNVERIFIED = Proof

DEFAULT_PROTOCOL = (
    Row(_P, Wire.GRPC, _DISTRO, RUN),
    Row(_N, Wire.PROTOBUF, f"{_SDK_NODE}utils.ts", RUN),
    # The agent takes http/protobuf from 2.0 on; autoconfigure, whose versions these are, takes gRPC.
    Row(_J, Wire.GRPC, _JAVA_OTLP, READ),
    Row(_G, Wire.PROTOBUF, _GO_AUTO, READ),
    # .NET Framework and .NET Standard take http/protobuf from 1.12 on.
    Row(_D, Wire.GRPC, _NET_OPTIONS, READ),
)
"""The protocol where no variable names one."""

PROTOCOLS = (
    Row(_P, _BOTH, _CONFIGURATOR, RUN),
    Row(_N, _EVERY, f"{_SDK_NODE}utils.ts", RUN),
    Row(_J, _BOTH, _JAVA_OTLP, READ),
    Row(_G, _BOTH, _GO_AUTO, READ),
    Row(_D, _BOTH, _NET_OPTIONS, READ),
)
"""The protocols that can be had."""

OTHER_PROTOCOL = (
    Row(_P, Otherwise.SILENT, _CONFIGURATOR, RUN),
    Row(_N, Otherwise.HTTP, f"{_SDK_NODE}utils.ts", RUN),
    Row(_J, Otherwise.SILENT, _JAVA_OTLP, UNVERIFIED),
    Row(_G, Otherwise.SILENT, _GO_AUTO, READ),
    Row(_D, Otherwise.DEFAULT, _NET_OPTIONS, READ),
)
"""What becomes of any other one."""

EXPORTED = (
    Row(_P, _ALL - {Signal.LOGS}, _DISTRO, RUN),
    Row(_P, _ALL, _DISTRO, RUN, (1, 29)),
    Row(_N, frozenset({Signal.TRACES}), f"{_SDK_NODE}TracerProviderWithEnvExporter.ts", RUN),
    Row(_N, _ALL - {Signal.METRICS}, f"{_SDK_NODE}sdk.ts", RUN, (0, 53), (1, 26)),
    Row(_N, _ALL, f"{_SDK_NODE}sdk.ts", RUN, (0, 209), (2, 3)),
    Row(_J, _ALL, _JAVA_DOCS, REPORTED),
    Row(_G, _ALL, _GO_AUTO, READ),
    Row(_D, _ALL, _NET_README, REPORTED),
)
"""The signals that go out where no `OTEL_*_EXPORTER` is set."""

EXPORTABLE = (
    Row(_P, _ALL, _CONFIGURATOR, RUN),
    Row(_N, frozenset({Signal.TRACES}), f"{_SDK_NODE}TracerProviderWithEnvExporter.ts", RUN),
    Row(_N, _ALL - {Signal.METRICS}, f"{_SDK_NODE}sdk.ts", RUN, (0, 53), (1, 26)),
    Row(_N, _ALL, f"{_SDK_NODE}sdk.ts", RUN, (0, 57), (1, 30)),
    Row(_J, _ALL, _JAVA_DOCS, REPORTED),
    Row(_G, _ALL, _GO_AUTO, READ),
    Row(_D, _ALL, _NET_README, REPORTED),
)
"""The signals that variables can have exported at all; the others go out where code asks for it."""

JOIN = (
    Row(_P, Join.TEXT, f"{_HTTP}_common/__init__.py", RUN),
    Row(_N, Join.TEXT, _JS_HTTP, RUN),
    Row(_J, Join.PATH, _JAVA_OTLP, READ),
    Row(_G, Join.PATH, _GO_OTLP, READ),
    Row(_D, Join.ONCE, _NET_EXTENSIONS, READ),
)
"""How the base URL becomes a signal's."""

GRPC_PATH = (
    Row(_P, GrpcPath.DROPPED, _PY_GRPC, RUN),
    Row(_N, GrpcPath.DROPPED, _JS_GRPC, RUN),
    Row(_J, GrpcPath.STOPS, _JAVA_OTLP, READ),
    Row(_G, GrpcPath.DIALLED, _GO_OTLP, READ),
    Row(_D, GrpcPath.DROPPED, _NET_EXTENSIONS, READ),
    Row(_D, GrpcPath.KEPT, _NET_EXTENSIONS, READ, (1, 11)),
)
"""What becomes of a path under gRPC."""

HEADERS = (
    Row(_P, HeaderForm.STRICT, _RE, RUN),
    Row(_P, HeaderForm.LIBERAL, _RE, RUN, (1, 27)),
    Row(_N, HeaderForm.BAGGAGE_ONE_EQUALS, _BAGGAGE, RUN),
    Row(_N, HeaderForm.BAGGAGE_THROWS, _BAGGAGE, RUN, (0, 41, 2), (1, 15, 2)),
    Row(_N, HeaderForm.BAGGAGE, _BAGGAGE, RUN, (0, 209), (2, 3)),
    Row(_J, HeaderForm.JAVA_RAW, _JAVA_OTLP, REPORTED),
    Row(_J, HeaderForm.JAVA, _JAVA_OTLP, READ, (1, 35)),
    Row(_G, HeaderForm.GO, _GO_ENV, READ),
    Row(_D, HeaderForm.DOTNET_RAW, _NET_EXTENSIONS, READ),
    Row(_D, HeaderForm.DOTNET_SPLIT, _NET_EXTENSIONS, READ, (1, 8)),
    # In the source of 2025 and later; which version was the first to have it is not verified.
    Row(_D, HeaderForm.DOTNET, _NET_EXTENSIONS, UNVERIFIED, (1, 13)),
)
"""How the headers are read."""

HEADERS_MERGED = (
    Row(_P, False, f"{_HTTP}_common/__init__.py", RUN),
    Row(_N, True, _JS_HTTP, RUN),
    Row(_J, False, _JAVA_OTLP, READ),
    Row(_G, False, _GO_OTLP, READ),
    Row(_D, False, _NET_OPTIONS, UNVERIFIED),
)
"""Whether a signal's own headers are added to the general ones instead of taking their place."""

TIMEOUT = (
    Row(_P, Unit.SECONDS, f"{_HTTP}_common/__init__.py", RUN),
    Row(_N, Unit.MILLISECONDS, _JS_SHARED, RUN),
    Row(_J, Unit.MILLISECONDS, _JAVA_CONFIG, READ),
    Row(_G, Unit.MILLISECONDS, _GO_ENV, READ),
    Row(_D, Unit.MILLISECONDS, _NET_OPTIONS, READ),
)
"""The unit of a time-out."""

TIMEOUT_GENERAL = (
    Row(_P, True, f"{_HTTP}_common/__init__.py", RUN),
    Row(_N, False, f"{_JS}experimental/packages/otlp-exporter-base/src/util.ts", RUN),
    Row(_N, True, _JS_SHARED, RUN, (0, 54), (1, 27)),
    Row(_J, True, _JAVA_OTLP, READ),
    Row(_G, True, _GO_OTLP, READ),
    Row(_D, True, _NET_OPTIONS, READ),
)
"""Whether OTEL_EXPORTER_OTLP_TIMEOUT counts; in older Node the default of the signal's own variable beats it."""

COMPRESSION = (
    Row(_P, frozenset({"gzip", "deflate"}), f"{_HTTP}_common/__init__.py", RUN),
    Row(_N, frozenset({"gzip"}), _JS_SHARED, RUN),
    Row(_J, frozenset({"gzip"}), _JAVA_OTLP, REPORTED),
    Row(_G, frozenset({"gzip"}), _GO_OTLP, READ),
    Row(_D, frozenset[str](), _NET_OPTIONS, UNVERIFIED),
)
"""What `*_COMPRESSION` can ask for besides none."""

DISABLED = (
    Row(_P, True, f"{_PYTHON}opentelemetry-sdk/src/opentelemetry/sdk/trace/__init__.py", RUN),
    Row(_N, True, f"{_SDK_NODE}sdk.ts", RUN),
    Row(_J, True, _JAVA_DOCS, REPORTED),
    Row(_G, False, _GO_DISABLED, READ),
    Row(_D, False, "https://github.com/open-telemetry/opentelemetry-dotnet/issues/4155", REPORTED),
    Row(_D, True, "https://github.com/open-telemetry/opentelemetry-dotnet/pull/6568", REPORTED, (1, 15)),
)
"""Whether OTEL_SDK_DISABLED switches it off."""

CONFIG_FILE = (
    Row(_P, False, _CONFIGURATOR, RUN),
    Row(_P, True, _CONFIGURATOR, RUN, (1, 43)),
    Row(_N, False, f"{_SDK_NODE}sdk.ts", RUN),
    Row(_J, True, _JAVA_DOCS, UNVERIFIED),
    Row(_G, False, _GO_AUTO, UNVERIFIED),
    Row(_D, False, _NET_README, UNVERIFIED),
)
"""Whether OTEL_CONFIG_FILE takes the place of all other variables."""

PER_SIGNAL = (
    Row(_P, True, f"{_HTTP}_common/__init__.py", RUN),
    Row(_N, True, _JS_HTTP, RUN),
    Row(_J, True, _JAVA_OTLP, READ),
    Row(_G, True, _GO_OTLP, READ),
    # UseOtlpExporter reads them, AddOtlpExporter does not.
    Row(_D, False, _NET_OPTIONS, UNVERIFIED),
)
"""Whether the variables of one signal are read."""

EMPTY_IS_SET = (
    Row(_P, True, f"{_HTTP}trace_exporter/__init__.py", RUN),
    Row(_P, False, f"{_HTTP}_common/__init__.py", RUN, (1, 45)),
    Row(_N, False, _JS_HTTP, RUN),
    Row(_J, False, _JAVA_CONFIG, UNVERIFIED),
    Row(_G, False, _GO_ENV, READ),
    Row(_D, False, _NET_OPTIONS, UNVERIFIED),
)
"""Whether OTLP over HTTP takes an empty endpoint or headers variable for a value, against the specification."""

TABLE: tuple[Row[object], ...] = (
    *DEFAULT_PROTOCOL, *PROTOCOLS, *OTHER_PROTOCOL, *EXPORTED, *EXPORTABLE, *JOIN, *GRPC_PATH, *HEADERS,
    *HEADERS_MERGED, *TIMEOUT, *TIMEOUT_GENERAL, *COMPRESSION, *DISABLED, *CONFIG_FILE, *PER_SIGNAL, *EMPTY_IS_SET,
)  # fmt: skip
"""Every row."""


def row(rows: Sequence[Row[Value]], sdk: Sdk) -> Row[Value]:
    """Return the row of a part of the table that holds for an SDK: the last one that covers it."""
    return [one for one in rows if one.covers(sdk)][-1]


class Dropped(enum.StrEnum):
    """Why an entry of the headers is not sent."""

    NO_EQUALS = "it has no ="
    NAME = "its name is not one of a header"
    EMPTY = "its name or its value is empty"
    SPACE = "it has a space that is not percent-encoded"
    CHARACTER = "it has a character that must be percent-encoded"
    EQUALS = "it has a second ="
    PERCENT = "a % in it is followed by something else than two hex digits"


class Changed(enum.StrEnum):
    """How a value is sent otherwise than it was meant."""

    CUT = "cut at the semicolon"
    PLUS = "each + made a space"
    RAW = "percent-encoding left in it"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the headers as an SDK takes it: sent, changed and sent, or dropped. `name` is in lower case."""

    name: str
    value: Secret
    dropped: Dropped | None = None
    changed: Changed | None = None


@dataclass(frozen=True, slots=True)
class Headers:
    """What an SDK makes of `*_HEADERS`. `stops` says that it is an error at the start: nothing is sent."""

    entries: tuple[Entry, ...] = ()
    stops: Dropped | None = None

    @property
    def sent(self) -> tuple[tuple[str, Secret], ...]:
        """The headers that go out, the last of a name."""
        if self.stops is not None:
            return ()
        return tuple({one.name: one.value for one in self.entries if one.dropped is None}.items())


_KEY = re.compile(r"[\x21\x23-\x27\x2a\x2b\x2d\x2e\x30-\x39\x41-\x5a\x5e-\x7a\x7c\x7e]+")
_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_LIBERAL = re.compile(r"[\x20\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


def read_headers(form: HeaderForm, text: str) -> Headers:
    """Return what the reader of that form makes of the value of a `*_HEADERS` variable."""
    entries: list[Entry] = []
    for piece in _pieces(form, text):
        entry = _READERS[form](piece)
        entries.append(entry)
        if entry.dropped is not None and _stops(form, entry.dropped):
            return Headers(tuple(entries), entry.dropped)
    return Headers(tuple(entries))


def _pieces(form: HeaderForm, text: str) -> list[str]:
    """Split at the commas, as each reader does; a reader of .NET decodes the whole first."""
    if form in {HeaderForm.DOTNET, HeaderForm.DOTNET_SPLIT}:
        text = unquote(text)
    pieces = [piece.strip() for piece in text.split(",")]
    if form in {HeaderForm.DOTNET_RAW, HeaderForm.DOTNET_SPLIT}:
        return pieces  # an empty one is an error there
    pieces = [piece for piece in pieces if piece]
    if form is not HeaderForm.DOTNET:
        return pieces
    joined: list[str] = []
    for piece in pieces:
        if joined and "=" not in piece:
            joined[-1] += f",{piece}"
        else:
            joined.append(piece)
    return joined


_STRICT_READERS = frozenset({
    HeaderForm.JAVA, HeaderForm.JAVA_RAW, HeaderForm.DOTNET, HeaderForm.DOTNET_SPLIT, HeaderForm.DOTNET_RAW,
})  # fmt: skip

# They leave the name to the HTTP client, which refuses it, and the request with it.
_BAGGAGE_READERS = frozenset({HeaderForm.BAGGAGE_ONE_EQUALS, HeaderForm.BAGGAGE_THROWS, HeaderForm.BAGGAGE})


def _stops(form: HeaderForm, dropped: Dropped) -> bool:
    if form in _STRICT_READERS:
        return dropped is not Dropped.EMPTY
    if form in {HeaderForm.BAGGAGE_THROWS, HeaderForm.BAGGAGE_ONE_EQUALS} and dropped is Dropped.PERCENT:
        return True
    return form in _BAGGAGE_READERS and dropped is Dropped.NAME


def _split(piece: str) -> tuple[str, str, Dropped | None]:
    name, equals, value = piece.partition("=")
    fault = None if equals else Dropped.NO_EQUALS
    return name.strip(), value.strip(), fault


def _entry(name: str, value: str, dropped: Dropped | None = None, changed: Changed | None = None) -> Entry:
    return Entry(name.lower(), Secret(value), dropped, changed)


def _python(piece: str, *, liberal: bool) -> Entry:
    name, value, fault = _split(piece)
    if fault is None and not _KEY.fullmatch(name):
        fault = Dropped.NAME
    if fault is None and _VALUE.fullmatch(value):
        return _entry(unquote(name).strip(), unquote(value).strip())
    if fault is None and liberal and _LIBERAL.fullmatch(value):
        # What has a space in it counts as not encoded, and is sent as it is.
        return _entry(name, value, changed=Changed.RAW if _PERCENT.search(value) else None)
    if fault is None:
        fault = Dropped.SPACE if _LIBERAL.fullmatch(value) else Dropped.CHARACTER
    return _entry(name, value, fault)


def _node(piece: str, *, one_equals: bool = False) -> Entry:
    pair, semicolon, _ = piece.partition(";")
    name, value, fault = _split(pair)
    if fault is None and one_equals and "=" in value:
        fault = Dropped.EQUALS
    if fault is None and _BAD_PERCENT.search(pair):
        fault = Dropped.PERCENT
    if fault is None and not (name and value):
        fault = Dropped.EMPTY
    if fault is None and not _TOKEN.fullmatch(unquote(name)):
        fault = Dropped.NAME
    if fault is not None:
        return _entry(name, value, fault)
    return _entry(unquote(name), unquote(value), changed=Changed.CUT if semicolon else None)


def _java(piece: str, *, decodes: bool) -> Entry:
    name, value, fault = _split(piece)
    if fault is None and not _TOKEN.fullmatch(name):
        fault = Dropped.NAME
    if fault is None and not value:
        fault = Dropped.EMPTY
    if fault is None and decodes and _BAD_PERCENT.search(value):
        fault = Dropped.PERCENT
    if fault is not None:
        return _entry(name, value, fault)
    if not decodes:
        return _entry(name, value, changed=Changed.RAW if _PERCENT.search(value) else None)
    return _entry(name, unquote_plus(value), changed=Changed.PLUS if "+" in value else None)


def _go(piece: str) -> Entry:
    name, value, fault = _split(piece)
    if fault is None and not _TOKEN.fullmatch(name):
        fault = Dropped.NAME
    if fault is None and _BAD_PERCENT.search(value):
        fault = Dropped.PERCENT
    return _entry(name, value, fault) if fault else _entry(name, unquote(value).strip())


def _dotnet(piece: str, *, decoded: bool) -> Entry:
    name, value, fault = _split(piece)
    if fault is None and not _TOKEN.fullmatch(name):
        fault = Dropped.NAME
    changed = Changed.RAW if not decoded and _PERCENT.search(value) else None
    return _entry(name, value, fault, changed)


_READERS: dict[HeaderForm, Callable[[str], Entry]] = {
    HeaderForm.STRICT: lambda piece: _python(piece, liberal=False),
    HeaderForm.LIBERAL: lambda piece: _python(piece, liberal=True),
    HeaderForm.BAGGAGE_ONE_EQUALS: lambda piece: _node(piece, one_equals=True),
    HeaderForm.BAGGAGE_THROWS: _node,
    HeaderForm.BAGGAGE: _node,
    HeaderForm.JAVA_RAW: lambda piece: _java(piece, decodes=False),
    HeaderForm.JAVA: lambda piece: _java(piece, decodes=True),
    HeaderForm.GO: _go,
    HeaderForm.DOTNET_RAW: lambda piece: _dotnet(piece, decoded=False),
    HeaderForm.DOTNET_SPLIT: lambda piece: _dotnet(piece, decoded=True),
    HeaderForm.DOTNET: lambda piece: _dotnet(piece, decoded=True),
}


class Silence(enum.StrEnum):
    """Why an SDK sends nothing of a signal over OTLP."""

    DISABLED = "switched off by OTEL_SDK_DISABLED"
    CONFIG_FILE = "OTEL_CONFIG_FILE decides"
    EXPORTER = "goes to another exporter, or to none"
    UNASKED = "goes out only where its exporter is named"
    CODE = "goes out only where code asks for it"
    PROTOCOL = "it does not have this protocol"
    HEADERS = "the headers are an error, and nothing is sent"
    PATH = "a path under gRPC is an error at its start"
    URL = "the endpoint is no URL"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one SDK does with one signal.

    `url` is where it POSTs; under gRPC the address, with the path that it puts before the method. `timeout` is in
    seconds. Where it sends nothing, `silence` says why and the rest is as far as it is known.
    """

    sdk: Sdk
    signal: Signal
    protocol: Wire | None
    url: str = ""
    headers: Headers = Headers()
    timeout: float = 10.0
    compression: str = "none"
    silence: Silence | None = None


def method_path(signal: Signal) -> str:
    """Return the path of a signal's method in gRPC."""
    service = {Signal.TRACES: "trace.v1.Trace", Signal.METRICS: "metrics.v1.Metrics", Signal.LOGS: "logs.v1.Logs"}[
        signal
    ]
    return f"/opentelemetry.proto.collector.{service}Service/Export"


def setting(layers: Sequence[Layer], sdk: Sdk, signal: Signal, what: str) -> Setting[str] | None:
    """Return the setting of an exporter that an SDK takes for a signal; `what` is ENDPOINT, PROTOCOL, ….

    None where it is not set.
    """
    names = _names(sdk, signal, what)
    if what in {"ENDPOINT", "HEADERS"} and row(EMPTY_IS_SET, sdk).value:
        found = _present(layers, names)
        if found is not None and not found.value.strip() and protocol_of(layers, sdk, signal) is not Wire.GRPC:
            return found
    return find(layers, *names)


def _names(sdk: Sdk, signal: Signal, what: str) -> tuple[str, ...]:
    general = f"OTEL_EXPORTER_OTLP_{what}"
    return (signal_variable(signal, what), general) if row(PER_SIGNAL, sdk).value else (general,)


def _present(layers: Sequence[Layer], names: Sequence[str]) -> Setting[str] | None:
    """Return the first of the variables that is there at all, be it empty."""
    for layer in layers:
        for name in names:
            if name in layer.values:
                return Setting(layer.values[name], layer.source(name))
    return None


def exporters(layers: Sequence[Layer], signal: Signal) -> tuple[str, ...]:
    """Return the names in OTEL_TRACES_EXPORTER and its like; none where it is not set."""
    found = find(layers, f"OTEL_{signal.value.upper()}_EXPORTER")
    return tuple(name.strip() for name in found.value.split(",") if name.strip()) if found else ()


def is_true(text: str) -> bool:
    """Tell whether a boolean variable is true: `true`, in any case, and nothing else (specification)."""
    return text.strip().lower() == "true"


def predict(layers: Sequence[Layer], sdk: Sdk, signal: Signal) -> Prediction:
    """Return what an SDK that is set up from these variables does with a signal."""
    protocol = protocol_of(layers, sdk, signal)
    headers = headers_of(layers, sdk, signal)
    url, silence = _url(layers, sdk, signal, protocol) if protocol else ("", Silence.PROTOCOL)
    if headers.stops is not None:
        silence = Silence.HEADERS
    return Prediction(
        sdk,
        signal,
        protocol,
        url,
        headers,
        timeout_of(layers, sdk, signal),
        _compression(layers, sdk, signal),
        _switched_off(layers, sdk, signal) or silence,
    )


def _switched_off(layers: Sequence[Layer], sdk: Sdk, signal: Signal) -> Silence | None:
    disabled = find(layers, "OTEL_SDK_DISABLED")
    if find(layers, "OTEL_CONFIG_FILE") and row(CONFIG_FILE, sdk).value:
        return Silence.CONFIG_FILE
    if disabled and is_true(disabled.value) and row(DISABLED, sdk).value:
        return Silence.DISABLED
    names = exporters(layers, signal)
    if sdk.language is Language.DOTNET:
        return None  # code adds the exporter, no variable
    if signal not in row(EXPORTABLE, sdk).value:
        return Silence.CODE
    if not names:
        return None if signal in row(EXPORTED, sdk).value else Silence.UNASKED
    return None if "otlp" in names else Silence.EXPORTER


def protocol_of(layers: Sequence[Layer], sdk: Sdk, signal: Signal) -> Wire | None:
    """Return the protocol that an SDK takes, None where it takes none."""
    named = setting(layers, sdk, signal, "PROTOCOL")
    default = row(DEFAULT_PROTOCOL, sdk).value
    if named is None:
        return default
    text = named.value.strip()
    if text in row(PROTOCOLS, sdk).value:
        return Wire(text)
    match row(OTHER_PROTOCOL, sdk).value:
        case Otherwise.SILENT:
            return None
        case Otherwise.HTTP:
            return Wire.PROTOBUF
        case Otherwise.DEFAULT:
            return default


def headers_of(layers: Sequence[Layer], sdk: Sdk, signal: Signal) -> Headers:
    """Return what an SDK makes of the headers for a signal."""
    form = row(HEADERS, sdk).value
    if row(HEADERS_MERGED, sdk).value:
        found = [find(layers, name) for name in reversed(_names(sdk, signal, "HEADERS"))]
    else:
        found = [setting(layers, sdk, signal, "HEADERS")]
    read = [read_headers(form, one.value) for one in found if one is not None]
    stops = next((one.stops for one in read if one.stops), None)
    return Headers(tuple(entry for one in read for entry in one.entries), stops)


def timeout_of(layers: Sequence[Layer], sdk: Sdk, signal: Signal) -> float:
    """Return the time-out of an export in seconds; the default, 10, where the variable holds no number."""
    names = _names(sdk, signal, "TIMEOUT") if row(TIMEOUT_GENERAL, sdk).value else (signal_variable(signal, "TIMEOUT"),)
    named = find(layers, *names)
    text = named.value.strip() if named else ""
    units = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    suffix = text.lstrip("0123456789").strip() if sdk.language is Language.JAVA else ""
    if suffix in units:
        text = text.removesuffix(suffix).strip()
    try:
        value = float(text)
    except ValueError:
        return 10.0
    return value * units.get(suffix, units[row(TIMEOUT, sdk).value])


def _compression(layers: Sequence[Layer], sdk: Sdk, signal: Signal) -> str:
    named = setting(layers, sdk, signal, "COMPRESSION")
    text = named.value.strip().lower() if named else "none"
    return text if text in row(COMPRESSION, sdk).value else "none"


def _url(layers: Sequence[Layer], sdk: Sdk, signal: Signal, protocol: Wire) -> tuple[str, Silence | None]:
    named = setting(layers, sdk, signal, "ENDPOINT")
    own = named is not None and named.source.name == signal_variable(signal, "ENDPOINT")
    text = named.value.strip() if named else f"http://localhost:{4317 if protocol is Wire.GRPC else 4318}"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return text, Silence.URL
    if protocol is Wire.GRPC:
        return _grpc(sdk, text)
    if not usable:
        return text, Silence.URL
    if own:
        return (text if parts.path else f"{text}/"), None
    path = f"v1/{signal.value}"
    match row(JOIN, sdk).value:
        case Join.TEXT:
            return f"{text.removesuffix('/')}/{path}", None
        case Join.PATH:
            return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/{path}", None
        case Join.ONCE:
            bare = text.removesuffix("/")
            return (text if bare.lower().endswith(path) else f"{bare}/{path}"), None


def _grpc(sdk: Sdk, text: str) -> tuple[str, Silence | None]:
    """Return the address that a gRPC exporter dials, with a scheme for whether TLS is spoken."""
    if "://" not in text:
        # Python and Node take an address without a scheme, and speak TLS to it.
        taken = sdk.language in {Language.PYTHON, Language.NODE}
        return (f"https://{text.partition('/')[0]}" if taken else text), None if taken else Silence.URL
    parts = urlsplit(text)
    address = f"{parts.scheme}://{parts.netloc}"
    path = parts.path.rstrip("/")
    match row(GRPC_PATH, sdk).value:
        case GrpcPath.STOPS:
            return address, Silence.PATH if path else None
        case GrpcPath.KEPT | GrpcPath.DIALLED:
            return address + path, None
        case GrpcPath.DROPPED:
            return address, None

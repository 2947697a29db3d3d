"""The options that several commands share, and the parsing of their values."""

from __future__ import annotations

import enum
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from otelctl.cli.errors import UsageError
from otelctl.model import Severity
from otelctl.settings import Signal

if TYPE_CHECKING:
    from otelctl.diagnose.credential import Consumer
    from otelctl.settings import TlsOptions


class Format(enum.StrEnum):
    """How a report goes out."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    GITHUB = "github"
    MARKDOWN = "markdown"


class FailOn(enum.StrEnum):
    """The least severity that makes a run fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Wire(enum.StrEnum):
    """The protocols that --protocol takes."""

    PROTOBUF = "http/protobuf"
    JSON = "http/json"
    GRPC = "grpc"
    AUTO = "auto"


class Signals(enum.StrEnum):
    """What --signal takes."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"
    ALL = "all"


_CREDENTIAL, _NETWORK, _OUTPUT = "Credential", "Network", "Output"

FormatOption = Annotated[Format, typer.Option("--format", help="How the report goes out.")]
FailOnOption = Annotated[FailOn, typer.Option("--fail-on", help="The least severity that gives exit code 1.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show evidence and references.")]
EnvFileOption = Annotated[
    Path | None,
    typer.Option("--env-file", metavar="PATH", help="Read variables from a .env file; wins over the environment."),
]
KeyringOption = Annotated[
    str | None,
    typer.Option("--keyring", metavar="PROFILE", help="Take ID, token and endpoint from the system's keyring."),
]
FromSecretOption = Annotated[
    str | None,
    typer.Option(
        "--from-secret",
        metavar="NAME[#KEY[,KEY]]",
        help="Take both from a secret of AWS Secrets Manager; after #, the key of the headers and of the endpoint.",
    ),
]
TokenFileOption = Annotated[
    Path | None, typer.Option("--token-file", metavar="PATH", help="Read the token from a file; - is standard input.")
]
HeaderFileOption = Annotated[
    Path | None,
    typer.Option("--header-file", metavar="PATH", help="Read the headers from a file; - is standard input."),
]
ProtocolOption = Annotated[
    Wire | None,
    typer.Option(
        "--protocol",
        help="In place of OTEL_EXPORTER_OTLP_PROTOCOL; auto finds out what the port speaks, and compares.",
    ),
]
SignalOption = Annotated[Signals, typer.Option("--signal", help="The signal, or all of them.")]
TimeoutOption = Annotated[
    str,
    typer.Option(
        "--timeout", metavar="SECONDS", help="Bound of each stage; the whole takes at most three times as long."
    ),
]
InsecureOption = Annotated[bool, typer.Option("--insecure", help="Do not verify the server's certificate.")]
CaFileOption = Annotated[
    Path | None, typer.Option("--ca-file", metavar="PATH", help="Trust these CAs (PEM) instead of the system's.")
]
ClientCertOption = Annotated[
    Path | None, typer.Option("--client-cert", metavar="PATH", help="Client certificate (PEM).")
]
ClientKeyOption = Annotated[
    Path | None, typer.Option("--client-key", metavar="PATH", help="Key of the client certificate (PEM).")
]
ShowSettingsOption = Annotated[
    bool, typer.Option("--show-settings", help="Show each setting with its source, masked, and stop.")
]


def seconds(text: str, option: str, *, most: float = 3600.0, zero: bool = False) -> float:
    """Return a number of seconds; raises UsageError for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (0 < value <= most or (zero and value == 0)):
        raise UsageError(
            f"{option}: {text[:40]!r} is not a number of seconds from {'0' if zero else 'above 0'} to {most:g}"
        )
    return value


def attributes(given: Sequence[str], service: str) -> dict[str, str]:
    """Return the attributes of --attribute; raises UsageError for one without `=` and for an empty service name."""
    values: dict[str, str] = {}
    for attribute in given:
        key, equals, value = attribute.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--attribute: {attribute[:60]!r} is not KEY=VALUE")
        values[key.strip()] = value
    if not service.strip():
        raise UsageError("--service: the service name is empty; give one to find it by")
    return values


def signals(choice: Signals) -> tuple[Signal, ...]:
    """Return the signals that --signal names."""
    return tuple(Signal) if choice is Signals.ALL else (Signal(choice.value),)


def tls(insecure: bool, ca_file: str | None, client_cert: str | None, client_key: str | None) -> TlsOptions:
    """Return how to shake hands; raises UsageError where a key stands without its certificate."""
    if client_key and not client_cert:
        raise UsageError("--client-key needs --client-cert: a key without its certificate proves nothing")
    if insecure and ca_file:
        raise UsageError("--insecure and --ca-file exclude each other: give one of them")
    from otelctl.settings import TlsOptions  # noqa: PLC0415  7 ms that only a command with a connection is worth

    return TlsOptions(ca_file, client_cert, client_key, insecure)


def words(given: Mapping[str, str | Path | bool | None]) -> str:
    """Return options as a command has them: those that have a value, and the flags that are set."""
    each = [[name] if value is True else [name, str(value)] for name, value in given.items() if value]
    return "".join(f" {shlex.join(one)}" for one in each)


def readable(**files: Path | None) -> None:
    """Raise UsageError for a file that cannot be read, before anything rests on it: `ca_file` is --ca-file's."""
    for name, path in files.items():
        if path is None:
            continue
        try:
            with path.open("rb") as file:
                file.read(1)
        except OSError as error:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option}: {path} cannot be read: {error.strerror}; give a PEM file") from None


def pem(*, ca_file: Path | None, client_cert: Path | None, client_key: Path | None, keyed: bool) -> None:
    """Raise UsageError for a file that holds nothing of what its option is for; `keyed` says that a key is configured.

    What is no regular file (a pipe) can be read once only, and is left to whoever needs it.
    """
    for option, path, what, named in (
        ("--ca-file", ca_file, b"CERTIFICATE-----", "certificate"),
        ("--client-cert", client_cert, b"CERTIFICATE-----", "certificate"),
        ("--client-key", client_key, b"PRIVATE KEY-----", "private key"),
        ("--client-key", None if keyed else client_cert, b"PRIVATE KEY-----", "private key"),
    ):
        if path is None or not path.is_file():
            continue
        if what not in path.read_bytes():
            raise UsageError(f"{option}: {path} holds no {named} in PEM; give a file that does")


_LANGUAGES = ("python", "node", "go", "java", "dotnet", "erlang", "elixir", "curl")


def consumer(text: str | None) -> Consumer | None:
    """Return the SDK that `python`, `java@1.30` and the like name; raises UsageError for another language."""
    if text is None:
        return None
    from otelctl.diagnose.credential import Consumer  # noqa: PLC0415  only a judgement for one SDK needs it

    language, _, version = text.lower().partition("@")
    if language not in _LANGUAGES:
        raise UsageError(
            f"--sdk: {text[:40]!r} is no SDK known here; give one of {', '.join(_LANGUAGES)}, as python@1.26"
        )
    try:
        numbers = tuple(int(part) for part in version.split(".")) if version else ()
    except ValueError:
        raise UsageError(f"--sdk: {version[:40]!r} is no version; write it as in python@1.26") from None
    return Consumer(language, numbers)


def severity(fail_on: FailOn) -> Severity:
    """Return the severity that --fail-on names."""
    return Severity(fail_on.value)

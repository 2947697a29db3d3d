"""What the checks of an endpoint have in hand: the target that they are aimed at, and the run as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from otelctl.credential import Header, read_header
from otelctl.endpoint import Endpoint
from otelctl.model import Certainty, Finding
from otelctl.secret import Redactor, Secret
from otelctl.settings import Protocol, Setting, Signal, SourceKind, TlsOptions

if TYPE_CHECKING:
    # Whoever sends nothing does without these.
    from datetime import datetime

    from google.protobuf.message import Message

    from otelctl.diagnose.grpc import Detected
    from otelctl.facts.wire import Certificate, Proxy
    from otelctl.otlp import SyntheticLog, SyntheticMetrics, SyntheticTrace
    from otelctl.ports import Link, World


@dataclass(frozen=True, slots=True)
class Target:
    """What one run is aimed at: one endpoint with the settings that an exporter of these signals would have.

    `per_signal` says that the URL is used as it is. `mend_command` puts the mended header in its place, `fix_command`
    prints it. `timeout` bounds each stage and `deadline` the whole, in seconds. `gzip` compresses what is sent.
    `plaintext` is *_INSECURE, which gRPC reads where no scheme says it; `detect` finds out what the port speaks,
    whatever `protocol` says.
    `stores` says that a store is to hold the settings: under which names they came does not matter then.
    """

    endpoint: Setting[str]
    headers: Setting[Secret] | None
    signals: tuple[Signal, ...]
    protocol: Setting[str]
    per_signal: bool = False
    mend_command: str = "otelctl inspect-auth --fix"
    fix_command: str = "otelctl inspect-auth --fix"
    tls: TlsOptions = field(default_factory=TlsOptions)
    timeout: float = 10.0
    deadline: float = 30.0
    gzip: bool = False
    disabled: Setting[str] | None = None
    exporter: Setting[str] | None = None
    trace: SyntheticTrace | None = None
    metrics: SyntheticMetrics | None = None
    log: SyntheticLog | None = None
    plaintext: Setting[str] | None = None
    detect: bool = False
    stores: bool = False

    def payload(self, signal: Signal) -> Message | None:
        """Return what is sent of a signal, None where nothing is."""
        made = {Signal.TRACES: self.trace, Signal.METRICS: self.metrics, Signal.LOGS: self.log}[signal]
        return made.request if made is not None else None


@dataclass(slots=True)
class Run:
    """One run as it goes: its world, its target, and what the checks so far have learned.

    `suspicions` are findings that are not certain, put aside until an answer bears them out. `detected` is what the
    port was found to speak, `given` the endpoint before that; `leaf` is the certificate that was seen.
    """

    world: World
    target: Target
    redact: Redactor
    endpoint: Endpoint | None = None
    header: Header | None = None
    suspicions: list[Finding] = field(default_factory=list)
    link: Link | None = None
    proxy: Proxy | None = None
    accepted: set[Signal] = field(default_factory=set)
    date: tuple[str, datetime] | None = None
    leaf: Certificate | None = None
    detected: Detected | None = None
    given: Endpoint | None = None

    def __post_init__(self) -> None:
        headers = self.target.headers
        if headers is None:
            return
        self.header = header = read_header(headers.value.reveal())
        hidden = [header.token, header.wire, header.meant, *(value for _, value in header.other)]
        if not header.numeric:
            hidden.append(header.instance_id)  # what stands there may be a token
        for secret in hidden:
            if secret is not None:
                self.redact.add(secret)

    @property
    def url(self) -> str:
        """The endpoint as it is shown."""
        return self.endpoint.url if self.endpoint else "ENDPOINT"

    @property
    def subject(self) -> str:
        """Where the endpoint came from."""
        return str(self.target.endpoint.source)

    @property
    def grpc(self) -> bool:
        """Whether gRPC is spoken."""
        return self.target.protocol.value == Protocol.GRPC if self.detected is None else self.detected.grpc

    @property
    def asked(self) -> Setting[str] | None:
        """The setting that names a protocol, None where nothing does."""
        protocol = self.target.protocol
        return None if protocol.source.kind is SourceKind.DEFAULT else protocol

    @property
    def confidential(self) -> bool:
        """Whether the headers hold what nobody else may read."""
        return self.header is not None and self.header.confidential

    def put_aside(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """Keep what is certain; put what is only suspected aside until the answer is known."""
        sure = [one for one in findings if one.certainty is Certainty.CERTAIN]
        self.suspicions += [one for one in findings if one not in sure]
        return tuple(sure)

    def suspected(self, *codes: str) -> tuple[Finding, ...]:
        """Return what was put aside under these codes."""
        return tuple(one for one in self.suspicions if one.code in codes)

    def close(self) -> None:
        """Close the connection, if one is open."""
        if self.link is not None:
            self.link.close()

"""Judges what gRPC alone shows: of the endpoint, of the way to it, and of a call without a status. Pure.

A status that a receiver answered is judged as its twin of HTTP (otlp.as_http), by the judges of those.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from otelctl.catalog import endpoint as endpoint_catalog
from otelctl.catalog import grpc as catalog
from otelctl.catalog import network as wire
from otelctl.catalog import otlp as otlp_catalog
from otelctl.catalog import settings as settings_catalog
from otelctl.endpoint import GRPC_PORT, HTTP_PORT, Endpoint, GrafanaHost
from otelctl.facts.wire import Fault, FaultKind, Greeted, HttpAnswer, Secured, Stage
from otelctl.model import Certainty, Diagnosis, Finding
from otelctl.settings import Protocol, Setting, Signal, set_command

_CERTAIN, _LIKELY = Certainty.CERTAIN, Certainty.LIKELY


@dataclass(frozen=True, slots=True)
class Place:
    """The endpoint that facts are about, where it came from, and the setting that asks for gRPC."""

    at: Endpoint
    subject: str
    protocol: Setting[str]

    def found(self, row: Diagnosis, certainty: Certainty, **evidence: object) -> tuple[Finding]:
        """Return the finding; of what is known of the endpoint, it takes what the row's words ask for."""
        known = {
            "url": self.at.url,
            "host": self.at.host,
            "address": self.at.origin,
            "mend_command": self.over_http(),
            "mended": self._port(HTTP_PORT, GRPC_PORT).url,
        } | evidence
        return (row.found(certainty, self.subject, **{name: known[name] for name in row.placeholders}),)

    def over_http(self) -> str:
        """Return the command that has HTTP spoken in place of gRPC."""
        again = f"otelctl check-endpoint {self.at.url} --protocol http/protobuf"
        return set_command(self.protocol.source, Protocol.HTTP_PROTOBUF.value, again)

    def _port(self, wrong: int, right: int) -> Endpoint:
        return replace(self.at, port=right, port_written=True) if self.at.port == wrong else self.at


def judge_endpoint(setting: Setting[str], endpoint: Endpoint, *, credential: bool) -> tuple[Finding, ...]:
    """Return what the URL shows before anything is sent; `credential` says that one would go along."""
    subject = str(setting.source)
    found: list[Finding] = []

    def mend(right: Endpoint) -> str:
        return set_command(setting.source, right.url, f"otelctl check-endpoint {right.url}")

    if endpoint.username is not None or endpoint.password is not None:
        found.append(endpoint_catalog.USERINFO.found(_CERTAIN, subject, url=endpoint.url))
    if endpoint.grafana is GrafanaHost.STACK:
        found.append(endpoint_catalog.UI_HOST.found(_LIKELY, subject, host=endpoint.host))
    if not endpoint.tls and credential and not endpoint.private:
        right = replace(endpoint, scheme="https")
        found.append(endpoint_catalog.PLAINTEXT.found(_CERTAIN, subject, url=endpoint.url, mend_command=mend(right)))
    if endpoint.path.strip("/") and endpoint.grafana is not GrafanaHost.GATEWAY:
        found.append(
            catalog.PATH_DROPPED.found(
                _CERTAIN,
                subject,
                url=endpoint.url,
                path=endpoint.path,
                address=endpoint.origin,
                mend_command=mend(endpoint.with_path("")),
            )
        )
    return tuple(found)


class Spoken(enum.StrEnum):
    """What a peer speaks, by what it said after HTTP/2's preface."""

    HTTP2 = "HTTP/2"
    HTTP1 = "HTTP/1"
    TLS = "TLS"
    OTHER = "another protocol"


# How servers greet a client that forgot TLS (network.py's judge has the sources).
_PLAIN_ON_TLS = (
    b"plain HTTP request was sent to HTTPS",
    b"HTTP request to an HTTPS server",
    b"SSL-enabled server port",
)


def spoken(first: bytes) -> Spoken:
    """Tell a protocol by its first bytes: SETTINGS or GOAWAY of HTTP/2, a status line, a TLS record, or none."""
    if len(first) >= 9 and first[0] == 0 and first[3] in (0x04, 0x07) and first[5:9] == b"\0\0\0\0":
        return Spoken.HTTP2
    if first[:1] in (b"\x15", b"\x16") and first[1:2] == b"\x03":
        return Spoken.TLS
    bare = first.startswith((b"400 Bad Request", b"505 HTTP Version Not Supported"))  # as HTTP/0.9 had it
    if bare or first.startswith(b"HTTP/") or first.lstrip()[:5].lower() in (b"<!doc", b"<html"):
        return Spoken.TLS if any(words in first for words in _PLAIN_ON_TLS) else Spoken.HTTP1
    return Spoken.OTHER


def judge_secure(fact: Secured | Fault, place: Place) -> tuple[Finding, ...]:
    """Return what a handshake that offered h2 shows for gRPC; nothing where it is as any other."""
    if isinstance(fact, Secured):
        if fact.alpn == "h2":
            return ()
        return _no_http2(fact.alpn or "no protocol at all", fact.certificate.issuer, place)
    if fact.kind is FaultKind.ALPN:
        return _no_http2("none of it, by an alert", "not shown", place)
    if fact.kind is FaultKind.NOT_TLS and spoken(fact.first_bytes) is Spoken.HTTP2:
        plain = replace(place.at, scheme="http", port_written=True)
        return place.found(
            wire.TLS_ON_PLAIN, _CERTAIN, spoken="HTTP/2 without TLS, as a gRPC port speaks", mended=plain.url
        )
    return ()


def _no_http2(chosen: str, issuer: str, place: Place) -> tuple[Finding, ...]:
    if place.at.grafana is GrafanaHost.GATEWAY:
        return _at_gateway(place)
    return place.found(wire.ALPN, _CERTAIN, chosen=chosen, issuer=issuer or "an unnamed issuer")


def _at_gateway(place: Place) -> tuple[Finding, ...]:
    """Return what is wrong at Grafana Cloud's gateway, which is known to speak no gRPC and was now seen not to."""
    source = place.protocol.source
    command = place.over_http()
    return (settings_catalog.GRPC_GATEWAY.found(_CERTAIN, str(source), variable=source.name, mend_command=command),)


def judge_greeting(fact: Greeted | Fault, place: Place, *, tls_instead: bool = False) -> tuple[Finding, ...]:
    """Return what a port's answer to HTTP/2's preface shows; nothing where it speaks HTTP/2, or is as any other.

    `tls_instead` says that the port hung up, and shook hands by TLS when it was asked to.
    """
    if isinstance(fact, Fault):
        if tls_instead:
            return _forgot_tls("a closed connection, and a TLS handshake as it should be", place)
        return ()
    kind = spoken(fact.first_bytes)
    if kind is Spoken.TLS:
        said = "a TLS alert" if fact.first_bytes[:1] == b"\x15" else "HTTP 400, that this port wants HTTPS"
        return _forgot_tls(said, place)
    if kind is Spoken.HTTP1:
        return on_http_port(_status_line(fact.first_bytes), place)
    return ()


def _forgot_tls(said: str, place: Place) -> tuple[Finding, ...]:
    mended = replace(place.at, scheme="https", port_written=True).url
    return place.found(wire.PLAIN_ON_TLS, _CERTAIN, spoken=said, mended=mended)


def on_http_port(said: str, place: Place) -> tuple[Finding, ...]:
    """Return that an HTTP server answers where gRPC is asked for; at known HTTP ports the setting's words say it."""
    if place.at.grafana is GrafanaHost.GATEWAY:
        return _at_gateway(place)
    if place.at.port == HTTP_PORT:
        return (
            endpoint_catalog.PORT_PROTOCOL.found(
                _CERTAIN,
                str(place.protocol.source),
                port=HTTP_PORT,
                theirs="OTLP over HTTP",
                ours="grpc",
                mend_command=place.over_http(),
            ),
        )
    return place.found(wire.GRPC_ON_HTTP_PORT, _CERTAIN, spoken=said)


def _status_line(first: bytes) -> str:
    line = first.split(b"\r", 1)[0].split(b"\n", 1)[0][:60].decode("latin-1")
    return f"`{' '.join(''.join(char if char.isprintable() else ' ' for char in line).split())}`"


def judge_fault(fault: Fault, place: Place) -> tuple[Finding, ...]:
    """Return what became of a call that got no status; nothing where it is as any other fault of the wire."""
    text = fault.text or "no reason given"
    if fault.kind is FaultKind.NO_LIBRARY:
        return place.found(catalog.NOT_INSTALLED, _CERTAIN, text=text, mended=_http_twin(place.at).url)
    if fault.stage is not Stage.RECEIVE:
        return ()
    if fault.kind in (FaultKind.RESET, FaultKind.CLOSED):
        return place.found(catalog.BROKEN_OFF, _CERTAIN, text=text)
    if fault.kind is FaultKind.NOT_HTTP and "http1.x" in text:
        return on_http_port("HTTP/1", place)
    if fault.kind in (FaultKind.NOT_GRPC, FaultKind.TOO_LARGE, FaultKind.NOT_HTTP):
        return place.found(catalog.BAD_ANSWER, _CERTAIN, text=text)
    return ()


def _http_twin(at: Endpoint) -> Endpoint:
    return replace(at, port=HTTP_PORT, port_written=True) if at.port == GRPC_PORT else at


# What an HTTP server or proxy says that knows gRPC's paths for what they are, or never looked at them.
_MEANT = frozenset({401, 403, 407, 429, 500, 502, 503, 504})


def judge_http(answer: HttpAnswer, place: Place) -> tuple[Finding, ...]:
    """Return that a call was answered by plain HTTP/2, where the status is not that of a proxy before a receiver."""
    if not answer.reason.startswith("HTTP ") or answer.status in _MEANT:
        return ()
    return on_http_port(f"{answer.reason} by HTTP/2, and not in the form of gRPC", place)


def judge_unimplemented(
    text: str, signal: Signal, place: Place, *, works: Signal | None, refused: bool
) -> tuple[Finding, ...]:
    """Return what UNIMPLEMENTED means: `works` is another signal that the server takes or, if `refused`, guards."""
    if works is None:
        again = "otelctl check-endpoint http://localhost:4317 --protocol grpc"
        return place.found(catalog.NO_OTLP, _CERTAIN, text=text or "no text", again_command=again)
    return place.found(
        otlp_catalog.UNIMPLEMENTED,
        _LIKELY if refused else _CERTAIN,
        posted=place.at.origin,
        status="UNIMPLEMENTED",
        works=works.value,
        signal=signal.value,
    )


@dataclass(frozen=True, slots=True)
class Detected:
    """What a port was found to speak: OTLP over which protocol's wire, and whether by TLS."""

    grpc: bool
    tls: bool

    def __str__(self) -> str:
        return f"{'gRPC' if self.grpc else 'HTTP'} {'by TLS' if self.tls else 'without TLS'}"


def judge_agreement(asked: Setting[str] | None, detected: Detected, place: Place) -> tuple[Finding, ...]:
    """Return where the settings ask for something else than the port speaks; `asked` is None where they name none."""
    found: list[Finding] = []
    if asked is not None and (asked.value == Protocol.GRPC) is not detected.grpc:
        right = Protocol.GRPC if detected.grpc else Protocol.HTTP_PROTOBUF
        again = f"otelctl check-endpoint {place.at.url} --protocol {right.value}"
        found.append(
            settings_catalog.PROTOCOL_DIFFERS.found(
                _CERTAIN,
                str(asked.source),
                variable=asked.source.name,
                asked=asked.value,
                address=place.at.origin,
                spoken="gRPC" if detected.grpc else "HTTP",
                mend_command=set_command(asked.source, right.value, again),
            )
        )
    if place.at.tls and not detected.tls:
        mended = replace(place.at, scheme="http", port_written=True).url
        found += place.found(wire.TLS_ON_PLAIN, _CERTAIN, spoken=f"{detected}", mended=mended)
    if detected.tls and not place.at.tls:
        mended = replace(place.at, scheme="https", port_written=True).url
        found += place.found(wire.PLAIN_ON_TLS, _CERTAIN, spoken="what is no HTTP; it speaks TLS", mended=mended)
    return tuple(found)

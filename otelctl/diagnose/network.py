"""Judges what happened on the wire: facts of a connection in, findings out. Pure.

`url` is the user's endpoint, `subject` says where it came from. Facts that show a stage done give no finding.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from otelctl import endpoint
from otelctl.catalog import network as rows
from otelctl.facts.wire import Certificate, Connected, Fault, FaultKind, HttpAnswer, Proxy, Resolved, Secured, Stage
from otelctl.model import Certainty, Diagnosis, Finding

_CERTAIN, _LIKELY, _POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE

# How much of a text or a body is looked at or shown.
_BODY_READ = 4096
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Place:
    """The endpoint that a fact is about, and every value that words about it may need."""

    at: endpoint.Endpoint
    subject: str

    def found(self, row: Diagnosis, certainty: Certainty, **evidence: object) -> tuple[Finding]:
        """Return the finding; of what is known of the endpoint, it takes what the row's words ask for."""
        known = {
            "url": self.at.url,
            "mended": self.other_scheme().url,
            "host": self.at.host,
            "address": self.at.origin,
        } | evidence
        chosen = {name: value for name, value in known.items() if name in row.placeholders}
        return (row.found(certainty, self.subject, **chosen),)

    def other_scheme(self) -> endpoint.Endpoint:
        """Return the endpoint with http for https, or the other way round, on the same port."""
        other = "http" if self.at.scheme == "https" else "https"
        default = {("http", 80), ("https", 443)}
        keeps_port = self.at.port_written or (self.at.scheme, self.at.port) not in default
        port = self.at.port if keeps_port else {"http": 80, "https": 443}[other]
        return replace(self.at, scheme=other, port=port, port_written=keeps_port)

    @property
    def likelier(self) -> str:
        """The URL that is likelier to be meant: https:// for http://, else the default port, where neither is so."""
        if self.at.scheme != "https":
            return self.other_scheme().url
        return self.at.url if self.at.port == 443 else self.http_port(self.at.scheme).url

    def http_port(self, scheme: str) -> endpoint.Endpoint:
        """Return the endpoint at the port where OTLP over HTTP lives by default."""
        return replace(self.at, scheme=scheme, port=endpoint.HTTP_PORT, port_written=True)


def judge_resolve(fact: Resolved | Fault, *, url: str, subject: str) -> tuple[Finding, ...]:
    """Judge the look-up of the host's name, or of the proxy's."""
    return judge_fault(fact, url=url, subject=subject) if isinstance(fact, Fault) else ()


def judge_connect(fact: Connected | Fault, *, url: str, subject: str) -> tuple[Finding, ...]:
    """Judge the TCP connection and the proxy's tunnel; a proxy before this machine itself is worth a warning."""
    if isinstance(fact, Fault):
        return judge_fault(fact, url=url, subject=subject)
    place = _Place(endpoint.parse(url), subject)
    if fact.proxy is not None and place.at.loopback:
        return place.found(rows.PROXY_LOOPBACK, _CERTAIN, proxy=fact.proxy)
    return ()


def judge_secure(fact: Secured | Fault, *, url: str, subject: str) -> tuple[Finding, ...]:
    """Judge the TLS handshake."""
    return judge_fault(fact, url=url, subject=subject) if isinstance(fact, Fault) else ()


def judge_fault(fault: Fault, *, url: str, subject: str) -> tuple[Finding, ...]:
    """Judge any stage that failed, an exchange too; it always gives a finding."""
    place = _Place(endpoint.parse(url), subject)
    if fault.proxy is not None and fault.stage in (Stage.DNS, Stage.TCP, Stage.PROXY):
        found = _judge_proxy(fault, fault.proxy, place)
        if place.at.loopback:
            found += place.found(rows.PROXY_LOOPBACK, _CERTAIN, proxy=_address(fault.proxy))
        return found
    if fault.stage is Stage.DNS:
        row = rows.DNS if fault.kind is FaultKind.NAME_NOT_FOUND else rows.DNS_RESOLVER
        return place.found(row, _CERTAIN, text=fault.text, seconds=_seconds(fault))
    if fault.stage is Stage.TLS:
        return _judge_tls(fault, place)
    if fault.stage is Stage.TCP:
        return _judge_tcp(fault, place)
    return _judge_exchange(fault, place)


# Stages

_TCP_ROWS: Mapping[FaultKind, Diagnosis] = {
    FaultKind.REFUSED: rows.REFUSED,
    FaultKind.UNREACHABLE: rows.UNREACHABLE,
    FaultKind.TIMEOUT: rows.TIMEOUT,
    FaultKind.RESET: rows.RESET,
}


def _judge_tcp(fault: Fault, place: _Place) -> tuple[Finding, ...]:
    row = _TCP_ROWS.get(fault.kind, rows.FAILED)
    return place.found(
        row,
        _CERTAIN,
        text=fault.text,
        seconds=_seconds(fault),
        stage=fault.stage,
        when="while connecting",
        mended=place.likelier,
    )


def _named(proxy: Proxy) -> dict[str, str]:
    """Return what words about a proxy need: the variable is the one that named it, where one did."""
    variable = proxy.source if proxy.source.isidentifier() else "HTTPS_PROXY"
    return {"proxy": _address(proxy), "source": proxy.source, "variable": variable}


def _judge_proxy(fault: Fault, proxy: Proxy, place: _Place) -> tuple[Finding, ...]:
    row = {
        FaultKind.PROXY_AUTH: rows.PROXY_AUTH,
        FaultKind.PROXY_DENIED: rows.PROXY_REFUSED,
        FaultKind.PROXY_KIND: rows.PROXY_KIND,
    }.get(fault.kind, rows.PROXY_BROKEN if fault.stage is Stage.PROXY else rows.PROXY_UNREACHABLE)
    text = fault.text
    if fault.first_bytes and row is rows.PROXY_BROKEN:
        text = f"{text}; it said `{_shown(fault.first_bytes)}`"
    return place.found(row, _CERTAIN, **_named(proxy), text=text, seconds=_seconds(fault))


_TLS_ROWS: Mapping[FaultKind, tuple[Diagnosis, Certainty]] = {
    FaultKind.CERT_HOSTNAME: (rows.TLS_HOSTNAME, _CERTAIN),
    FaultKind.CERT_EXPIRED: (rows.TLS_EXPIRED, _CERTAIN),
    FaultKind.CERT_NOT_YET_VALID: (rows.TLS_NOT_YET_VALID, _CERTAIN),
    FaultKind.CLIENT_CERT_WANTED: (rows.TLS_CLIENT_CERT, _CERTAIN),
    FaultKind.CLIENT_CERT_REFUSED: (rows.TLS_CLIENT_CERT_REFUSED, _CERTAIN),
    FaultKind.LOCAL_FILE: (rows.CERT_FILE, _CERTAIN),
    FaultKind.TIMEOUT: (rows.TIMEOUT_TLS, _CERTAIN),
    FaultKind.RESET: (rows.RESET_TLS, _CERTAIN),
    FaultKind.CLOSED: (rows.RESET_TLS, _CERTAIN),
}

# Authorities that browsers trust, as their issuer names spell them; a private one may imitate them, hence LIKELY.
_PUBLIC = re.compile(
    r"Let's Encrypt|Internet Security Research|Google Trust|DigiCert|Amazon|Sectigo|COMODO|USERTRUST|GlobalSign|"
    r"Microsoft (?:RSA|ECC|Azure|TLS)|Entrust|GoDaddy|Starfield|ZeroSSL|SSL\.com|Buypass|Certum|Cloudflare|IdenTrust",
    re.IGNORECASE,
)


def _judge_tls(fault: Fault, place: _Place) -> tuple[Finding, ...]:
    if fault.kind is FaultKind.NOT_TLS:
        return _judge_not_tls(fault, place)
    if fault.kind is FaultKind.ALPN:
        mended = place.http_port(place.at.scheme).url
        spoken = "the TLS alert that it has no HTTP/1.1 to offer (no_application_protocol)"
        return place.found(rows.HTTP_ON_GRPC_PORT, _LIKELY, spoken=spoken, mended=mended)
    leaf = fault.certificate
    about: dict[str, object] = {
        "text": fault.text,
        "seconds": _seconds(fault),
        "file": fault.file,
        "holder": (leaf.subject if leaf else "") or place.at.host,
        "issuer": (leaf.issuer if leaf else "") or "an issuer that could not be read",
        "names": (", ".join(leaf.names[:8]) if leaf else "") or "no host name at all",
        "mend_command": _by_its_name(leaf, place),
        "begins": _date(leaf.not_before) if leaf else "a later date",
        "ends": _date(leaf.not_after) if leaf else "an earlier date",
    }
    if fault.kind is FaultKind.CERT_UNTRUSTED:
        row, certainty = rows.TLS_UNTRUSTED, _CERTAIN
        if leaf is not None and not leaf.self_signed and _PUBLIC.search(leaf.issuer):
            row, certainty = rows.TLS_NO_ROOTS, _LIKELY
        elif leaf is not None and place.at.host.lower().endswith(".grafana.net"):
            row, certainty = rows.TLS_INTERCEPTED, _LIKELY
        return place.found(row, certainty, **about)
    row, certainty = _TLS_ROWS.get(fault.kind, (rows.TLS_FAILED, _CERTAIN))
    return place.found(row, certainty, **about)


def _by_its_name(leaf: Certificate | None, place: _Place) -> str:
    """Return the command that checks the one name of a certificate, or that shows what it holds.

    The server chose the name: it is a command only where the endpoint is near, and so no stranger's.
    """
    names = [name for name in leaf.names if "*" not in name] if leaf else []
    if leaf is not None and len(names) == 1 == len(leaf.names) and place.at.private and _NAME.fullmatch(names[0]):
        return f"otelctl check-endpoint {shlex.quote(replace(place.at, host=names[0]).url)}"
    host = shlex.quote(place.at.host)
    return f"openssl s_client -connect {shlex.quote(place.at.origin)} -servername {host} -showcerts </dev/null"


_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


def _judge_not_tls(fault: Fault, place: _Place) -> tuple[Finding, ...]:
    """Judge a peer that answered a TLS hello with something else."""
    first = fault.first_bytes
    if _is_http2(first):
        mended = place.http_port("http").url
        return place.found(
            rows.TLS_ON_PLAIN, _CERTAIN, spoken="HTTP/2 without TLS, as a gRPC port speaks", mended=mended
        )
    if _is_http1(first):
        return place.found(rows.TLS_ON_PLAIN, _CERTAIN, spoken=f"plain HTTP (`{_shown(first)}`)")
    return place.found(rows.NOT_HTTP, _CERTAIN, first=_shown(first), spoken=_service(first))


def _judge_exchange(fault: Fault, place: _Place) -> tuple[Finding, ...]:
    """Judge a request that got no answer of HTTP."""
    first = fault.first_bytes
    if fault.kind is FaultKind.BAD_REQUEST:
        return place.found(rows.BAD_REQUEST, _CERTAIN, text=fault.text)
    if fault.kind is FaultKind.TIMEOUT:
        what = "the beginning of an answer, and no end of its headers" if first else "no answer"
        return place.found(rows.TIMEOUT_ANSWER, _CERTAIN, what=what, seconds=_seconds(fault))
    if fault.kind is FaultKind.TOO_LARGE:
        return place.found(rows.BAD_ANSWER, _CERTAIN, text="headers without end")
    if first and fault.kind in (FaultKind.NOT_HTTP, FaultKind.CLOSED, FaultKind.RESET):
        return _judge_first_bytes(first, fault, place)
    if fault.kind in (FaultKind.CLOSED, FaultKind.RESET):
        when = "before it had read the request" if fault.stage is Stage.SEND else "without an answer"
        return place.found(rows.RESET, _CERTAIN, when=when, text=fault.text, mended=place.likelier)
    return place.found(rows.FAILED, _CERTAIN, stage=fault.stage, text=fault.text)


def _judge_first_bytes(first: bytes, fault: Fault, place: _Place) -> tuple[Finding, ...]:
    """Judge a peer by what it said instead of an answer of HTTP."""
    if _is_http2(first):
        # A server that speaks HTTP/2 unasked is a gRPC server as far as anybody has seen, not by any rule.
        spoken = "an HTTP/2 SETTINGS frame"
        mended = place.http_port(place.at.scheme).url
        return place.found(rows.HTTP_ON_GRPC_PORT, _LIKELY, spoken=spoken, mended=mended)
    if first[:1] in (b"\x15", b"\x16") and first[1:2] == b"\x03" and place.at.scheme == "http":
        return place.found(rows.PLAIN_ON_TLS, _CERTAIN, spoken="a TLS alert")
    if first.startswith(b"HTTP/"):
        return place.found(rows.BAD_ANSWER, _CERTAIN, text=fault.text)
    return place.found(rows.NOT_HTTP, _CERTAIN, first=_shown(first), spoken=_service(first))


# What servers say. nginx: src/http/ngx_http_special_response.c (497, 496, 495); Go: net/http/server.go; Apache httpd:
# modules/ssl/ssl_engine_kernel.c; Tomcat: its NIO endpoint's fixed answer. Load balancers built on them say the same.
_PLAIN_ON_TLS = (
    "the plain http request was sent to https port",
    "client sent an http request to an https server",
    "speaking plain http to an ssl-enabled server port",
    "this combination of host and port requires tls",
)
_CLIENT_CERT_WANTED = "no required ssl certificate was sent"
_CLIENT_CERT_REFUSED = "the ssl certificate error"
# What a gRPC server answers with, to any request, and a proxy before it passes on as HTTP/1.1 (PROTOCOL-HTTP2.md).
_GRPC_TYPES = frozenset({"application/grpc", "application/grpc+proto"})
_MONGO = "trying to access mongodb over http on the native driver port"


def judge_answer(answer: HttpAnswer, *, url: str, subject: str, proxy: Proxy | None = None) -> tuple[Finding, ...]:
    """Judge an answer as far as the way to the endpoint shows in it; such a finding overrides what its status says.

    A body that broke off is a finding only where the body decides, which is for 2xx and 400: another status has said
    enough. A body that was cut at our own limit (`truncated`) is left to those who read bodies.
    """
    place = _Place(endpoint.parse(url), subject)
    if answer.header("content-type").partition(";")[0].strip().lower() in _GRPC_TYPES:
        spoken = f"HTTP {answer.status}, in the form of gRPC"
        return place.found(rows.HTTP_ON_GRPC_PORT, _CERTAIN, spoken=spoken, mended=place.http_port(place.at.scheme).url)
    text = answer.body[:_BODY_READ].decode("utf-8", "replace").lower()
    # Only a proxy that plain HTTP goes through can answer so: a tunnel's end is the endpoint.
    if proxy is not None and (answer.status == 407 or (answer.status >= 400 and answer.header("x-squid-error"))):
        row, certainty = (rows.PROXY_AUTH, _CERTAIN) if answer.status == 407 else (rows.PROXY_REFUSED, _LIKELY)
        said = _plain(f"{answer.status} {answer.reason} {answer.header('x-squid-error')}")
        return place.found(row, certainty, **_named(proxy), text=said)
    if answer.status == 400:
        said = next((phrase for phrase in _PLAIN_ON_TLS if phrase in text), "")
        if said and place.at.scheme == "http":
            return place.found(rows.PLAIN_ON_TLS, _CERTAIN, spoken=f"HTTP 400, “{said}”")
        if _CLIENT_CERT_WANTED in text:
            return place.found(rows.TLS_CLIENT_CERT, _CERTAIN, text=f"HTTP 400, “{_CLIENT_CERT_WANTED}”")
        if _CLIENT_CERT_REFUSED in text:
            return place.found(rows.TLS_CLIENT_CERT_REFUSED, _CERTAIN, text=f"HTTP 400, “{_CLIENT_CERT_REFUSED}”")
    if _MONGO in text:
        return place.found(rows.NOT_HTTP, _CERTAIN, first=_MONGO, spoken="this is MongoDB")
    if answer.body_fault is not None and (200 <= answer.status < 300 or answer.status == 400):
        return _judge_body(answer, answer.body_fault, place)
    return ()


def _judge_body(answer: HttpAnswer, fault: FaultKind, place: _Place) -> tuple[Finding, ...]:
    size, seconds = len(answer.body), f"{answer.seconds:.1f}"
    if fault is FaultKind.TIMEOUT:
        return place.found(rows.TIMEOUT_BODY, _CERTAIN, status=answer.status, size=size, seconds=seconds)
    if fault in (FaultKind.CLOSED, FaultKind.RESET, FaultKind.TLS_OTHER):
        return place.found(rows.ANSWER_CUT, _CERTAIN, status=answer.status, size=size)
    what = "is not compressed as its header says" if fault is FaultKind.BAD_ENCODING else "breaks its own chunking"
    return place.found(rows.BAD_ANSWER, _CERTAIN, text=f"HTTP {answer.status}, and the body {what}")


def judge_clock(
    date_header: str, now: datetime, *, url: str, subject: str, tolerance_seconds: int = 120
) -> tuple[Finding, ...]:
    """Judge the clocks by an answer's Date header against `now`, which is when the answer came, in UTC.

    A header that is missing or no date tells nothing. Who of the two is wrong cannot be proven: LIKELY.
    """
    try:
        there = parsedate_to_datetime(date_header)
        there = (there if there.tzinfo else there.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return ()
    apart = now - there
    if abs(apart) <= timedelta(seconds=tolerance_seconds):
        return ()
    return _Place(endpoint.parse(url), subject).found(
        rows.CLOCK,
        _LIKELY,
        apart=_span(abs(apart)),
        direction="ahead of" if apart > timedelta(0) else "behind",
        here=_date(now),
        there=_date(there),
    )


# Words for bytes and times


def _is_http2(first: bytes) -> bool:
    """Whether these bytes begin with a SETTINGS or GOAWAY frame of the connection itself (RFC 9113, 4.1 and 6.5)."""
    return len(first) >= 9 and first[0] == 0 and first[3] in (0x04, 0x07) and first[5:9] == b"\0\0\0\0"


def _is_http1(first: bytes) -> bool:
    """Whether these bytes are of an HTTP/1 server: a status line, or the body alone, as HTTP/0.9 had it.

    Python's http.server answers so what it cannot read.
    """
    start = first.lstrip()[:5].lower()
    return first.startswith(b"HTTP/") or start in (b"<!doc", b"<html") or bool(_BARE_STATUS.match(first))


_BARE_STATUS = re.compile(rb"(?:400 Bad Request|505 HTTP Version Not Supported)\b")

_GREETINGS: tuple[tuple[re.Pattern[bytes], str], ...] = (
    (re.compile(rb"SSH-"), "this is an SSH server"),
    (re.compile(rb"220[ -].*FTP", re.IGNORECASE), "this is an FTP server"),
    (re.compile(rb"220[ -]"), "this is a mail server (SMTP)"),
    (re.compile(rb"-(?:ERR|NOAUTH|DENIED|MISCONF)"), "this is Redis"),
    (re.compile(rb"\+OK"), "this is a mail server (POP3)"),
    (re.compile(rb"\* OK"), "this is a mail server (IMAP)"),
    (re.compile(rb"...\x00[\x0a\xff]", re.DOTALL), "this is MySQL or MariaDB"),
    (re.compile(rb"E\x00\x00..S(?:FATAL|ERROR)", re.DOTALL), "this is PostgreSQL"),
    (re.compile(rb"AMQP"), "this is RabbitMQ or another AMQP broker"),
    (re.compile(rb"INFO \{"), "this is NATS"),
    (re.compile(rb"ERROR\r\n"), "this is memcached"),
    (re.compile(rb"RFB \d"), "this is VNC"),
    (re.compile(rb"(?:GET|POST) "), "it echoes what it is sent"),
)


def _service(first: bytes) -> str:
    return next((name for pattern, name in _GREETINGS if pattern.match(first)), "a protocol that otelctl does not know")


def _shown(first: bytes) -> str:
    """Return the first line of what a peer said, as far as it can be printed, or its first bytes in hex."""
    line = re.split(r"[\x00-\x1f\x7f-\x9f]", first.decode("utf-8", "replace"), maxsplit=1)[0]
    return _plain(line)[:_SHOWN] if len(line) > 2 else first[:12].hex(" ")


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text[:200]).split())


def _address(proxy: Proxy) -> str:
    return f"[{proxy.host}]:{proxy.port}" if ":" in proxy.host else f"{proxy.host}:{proxy.port}"


def _seconds(fault: Fault) -> str:
    return f"{fault.seconds:.1f}"


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _span(apart: timedelta) -> str:
    """Return a duration in the unit that a person would use."""
    seconds = int(apart.total_seconds())
    if seconds < 7200:
        return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"
    return f"{seconds // 3600} hours" if seconds < 172800 else f"{seconds // 86400} days"

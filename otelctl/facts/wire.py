"""What was seen of a connection, and of what went over it. Times are in seconds, sizes in bytes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime

from otelctl.secret import Secret
from otelctl.settings import TlsOptions


class Stage(enum.StrEnum):
    """The stage of a connection at which something happened."""

    DNS = "dns"
    TCP = "tcp"
    PROXY = "proxy"
    TLS = "tls"
    SEND = "send"
    RECEIVE = "receive"


class FaultKind(enum.StrEnum):
    """What the operating system, the TLS library or the HTTP parser reported, in one word."""

    NAME_NOT_FOUND = "name_not_found"
    RESOLVER_FAILED = "resolver_failed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    RESET = "reset"
    CLOSED = "closed"
    CERT_UNTRUSTED = "cert_untrusted"
    CERT_HOSTNAME = "cert_hostname"
    CERT_EXPIRED = "cert_expired"
    CERT_NOT_YET_VALID = "cert_not_yet_valid"
    CERT_OTHER = "cert_other"
    CLIENT_CERT_WANTED = "client_cert_wanted"
    CLIENT_CERT_REFUSED = "client_cert_refused"
    ALPN = "alpn"
    NOT_TLS = "not_tls"
    TLS_OTHER = "tls_other"
    NOT_HTTP = "not_http"
    BAD_REQUEST = "bad_request"
    BAD_ENCODING = "bad_encoding"
    NOT_GRPC = "not_grpc"
    NO_LIBRARY = "no_library"
    PROXY_AUTH = "proxy_auth"
    PROXY_DENIED = "proxy_denied"
    PROXY_KIND = "proxy_kind"
    TOO_LARGE = "too_large"
    LOCAL_FILE = "local_file"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The leaf certificate that a server showed; `der` is the whole of it."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    self_signed: bool
    der: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Fault:
    """A stage that failed.

    `text` is the library's own message, without control characters. `first_bytes` holds what the peer
    said first where it was not what was expected; `certificate` the leaf where the fault is about it;
    `status` the proxy's answer to CONNECT; `proxy` the one that stands between, where one does; `file` the local
    file that could not be used.
    """

    stage: Stage
    kind: FaultKind
    text: str
    seconds: float
    first_bytes: bytes = b""
    certificate: Certificate | None = None
    status: int | None = None
    proxy: Proxy | None = None
    file: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The addresses of a host, in the order in which they will be tried."""

    host: str
    addresses: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Connected:
    """An open TCP connection; `proxy` is `host:port` of the proxy where one stands between."""

    address: str
    port: int
    seconds: float
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class Secured:
    """A finished TLS handshake. `alpn` is what the server selected; `verified` is False under --insecure."""

    version: str
    cipher: str
    alpn: str | None
    certificate: Certificate
    verified: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy between here and the endpoint, and the variable that named it.

    `scheme` is as written there; `tls` says that the proxy itself is spoken to by TLS.
    """

    host: str
    port: int
    tls: bool
    source: str
    username: str | None = None
    password: Secret | None = None
    scheme: str = "http"


@dataclass(frozen=True, slots=True)
class Route:
    """One way to one host. `timeout` bounds each stage, `deadline` the whole, both in seconds.

    `alpn` is what a TLS handshake offers to speak; `tunnel` asks a proxy for a way through without TLS too, as gRPC
    does.
    """

    host: str
    port: int
    tls: TlsOptions | None
    proxy: Proxy | None
    timeout: float
    deadline: float
    alpn: tuple[str, ...] = ("http/1.1",)
    tunnel: bool = False


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, exactly as it will go out. `path` is the origin form; header values are secrets until sent.

    Of the answer's body, `keep` bytes are kept.
    """

    method: str
    path: str
    headers: tuple[tuple[str, Secret], ...]
    body: bytes
    keep: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer. Header names are lower case; values and `body` are as received, bounded and decompressed.

    `truncated` says that more followed than was kept. `body_fault` says why the body stopped early, if it did.
    `seconds` runs from the first byte sent to the last one kept.
    """

    status: int
    reason: str
    http_version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float
    truncated: bool = False
    body_fault: FaultKind | None = None

    @property
    def shown(self) -> str:
        """The status as its protocol writes it: 503, or UNAVAILABLE where the answer came over gRPC."""
        return self.reason if self.http_version == "gRPC" else str(self.status)

    def header(self, name: str) -> str:
        """Return the first header of that lower-case name, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Greeted:
    """What a peer said first after HTTP/2's preface (RFC 9113, 3.4), whatever protocol it speaks."""

    first_bytes: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class RpcRequest:
    """One unary gRPC call: `method` as in `/package.Service/Method`, the message in protobuf, and its metadata.

    `leaf` is the certificate to trust in place of any authority, where a route with `insecure` verifies none.
    """

    method: str
    metadata: tuple[tuple[str, Secret], ...]
    message: bytes
    gzip: bool = False
    leaf: Certificate | None = None


@dataclass(frozen=True, slots=True)
class RpcAnswer:
    """How a call ended: the status (0 is OK), its text, and the message where one came; all of it bounded.

    `metadata` holds headers and trailers that are text; `details` is grpc-status-details-bin, a google.rpc.Status.
    `http_status` is set where a server answered by HTTP/2 and not in the form of gRPC: `code` is then made from it.
    """

    code: int
    name: str
    text: str
    metadata: tuple[tuple[str, str], ...]
    details: bytes
    message: bytes
    seconds: float
    http_status: int | None = None
    truncated: bool = False

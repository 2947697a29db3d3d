"""What adapters saw: facts without an opinion. Times are in seconds, sizes in bytes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime

from otelctl.secret import Secret
from otelctl.settings import Signal as Signal  # noqa: PLC0414 - whoever speaks of facts speaks of signals


class Protocol(enum.StrEnum):
    """The values of OTEL_EXPORTER_OTLP_PROTOCOL (specification: protocol/exporter.md)."""

    HTTP_PROTOBUF = "http/protobuf"
    HTTP_JSON = "http/json"
    GRPC = "grpc"


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
class TlsOptions:
    """How to shake hands: trust the system's CAs or `ca_file`, show a client certificate, or verify nothing."""

    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    insecure: bool = False


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
class StoredSecret:
    """A secret as a store holds it: its text (None where it is binary), and the version that was read.

    `identity` is what the store calls it (an ARN, a path); `previous` the version before, where the store keeps one.
    `exposed` names what the store holds unencrypted; `alike` names of what it holds beside the text that differ from
    ours in case alone.
    """

    identity: str
    text: Secret | None
    version: str
    previous: str | None = None
    labels: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SecretAbsent:
    """The store answered and holds no such value; `empty` where the secret itself exists and waits for its first.

    `alike` names what it holds under names that differ from ours in case alone.
    """

    identity: str
    empty: bool = False
    alike: tuple[str, ...] = ()


class Guard(enum.StrEnum):
    """What keeps a write from overwriting somebody else's: the store's own swap, or a comparison just before."""

    SWAP = "swap"
    COMPARE = "compare"


@dataclass(frozen=True, slots=True)
class Written:
    """A finished write: the version that it made, and how it was guarded.

    `attempts` counts the tries that conflicts cost. `displaced` is the version of somebody else that a write without
    the swap put aside unseen; `label_left` the staging label of ours that could not be dropped.
    """

    version: str
    guard: Guard
    attempts: int = 1
    displaced: str | None = None
    label_left: str | None = None


@dataclass(frozen=True, slots=True)
class StoreConflict:
    """Somebody else changed the secret between our read and our write; nothing of ours is in it."""

    identity: str
    expected: str
    found: str | None


@dataclass(frozen=True, slots=True)
class StoreFault:
    """A store's refusal: the operation, the service's error code and message (redacted), and the HTTP status.

    `code` is the service's own (`AccessDeniedException`) or a word for what never reached it
    (`NoCredentials`, `NoRegion`, `EndpointConnection`, `ConnectTimeout`, `ProfileNotFound`).
    """

    operation: str
    code: str
    message: str
    status: int | None = None
    detail: dict[str, str] = field(default_factory=dict)


class RefusalReason(enum.StrEnum):
    """Why a stored text cannot take our keys without losing something."""

    BINARY = "binary"
    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    DUPLICATE_KEYS = "duplicate_keys"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    UNWRITABLE = "unwritable"
    SYNTAX = "syntax"
    NOT_YAML = "not_yaml"
    NO_MANIFEST = "no_manifest"
    SEVERAL_MANIFESTS = "several_manifests"
    IMMUTABLE = "immutable"
    ENCRYPTED = "encrypted"
    ALIAS = "alias"
    NO_PAIR = "no_pair"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A stored text that is left alone.

    `detail` says where or what, never a value; `keys` are the names that it is about (of keys, of manifests); `size` is
    in bytes of UTF-8.
    """

    reason: RefusalReason
    detail: str = ""
    keys: tuple[str, ...] = ()
    size: int = 0


@dataclass(frozen=True, slots=True)
class EcsContainer:
    """One container of a task definition: its plain variables, and its `secrets` as (name, valueFrom).

    `env_files` are the objects in S3 from which it reads more variables; what they hold is not known.
    """

    name: str
    environment: tuple[tuple[str, Secret], ...] = ()
    secrets: tuple[tuple[str, str], ...] = ()
    env_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EcsTaskDefinition:
    """One revision of a task definition; `execution_role` is empty where it has none."""

    arn: str
    family: str
    revision: int
    containers: tuple[EcsContainer, ...]
    execution_role: str = ""
    fargate: bool = False


@dataclass(frozen=True, slots=True)
class EcsDeployment:
    """One deployment of a service. `rollout` is IN_PROGRESS, COMPLETED, FAILED, or empty where ECS tells none."""

    id: str
    status: str
    task_definition: str
    rollout: str = ""
    reason: str = ""
    desired: int = 0
    running: int = 0
    pending: int = 0
    failed: int = 0
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class EcsService:
    """A service as ECS describes it; `task_definition` is the ARN of the revision that it is to run."""

    arn: str
    name: str
    cluster: str
    status: str
    task_definition: str
    desired: int = 0
    running: int = 0
    platform_version: str = ""
    platform_family: str = ""
    fargate: bool = False
    deployments: tuple[EcsDeployment, ...] = ()


@dataclass(frozen=True, slots=True)
class EcsTask:
    """A task: running (`started` is set), on its way, or stopped with the reasons that ECS gives.

    `reasons` are the task's own and those of its containers; `exit_code` is the first that is not 0.
    """

    arn: str
    task_definition: str
    status: str
    created: datetime | None = None
    started: datetime | None = None
    deployment: str = ""
    stop_code: str = ""
    reasons: tuple[str, ...] = ()
    exit_code: int | None = None
    platform_version: str = ""


@dataclass(frozen=True, slots=True)
class EcsAbsent:
    """ECS answered and knows no such thing: `kind` is `cluster`, `service` or `task definition`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class SecretVersions:
    """What Secrets Manager says of a secret besides its value.

    `arn` is the whole one; `kms_key` is empty for the key of the service. `current` and `previous` tell when the
    versions under AWSCURRENT and AWSPREVIOUS were made; `changed` when anything of the secret was last changed.
    """

    arn: str
    kms_key: str = ""
    current: datetime | None = None
    previous: datetime | None = None
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoleAbsent:
    """IAM answered and knows no such role."""

    role: str


@dataclass(frozen=True, slots=True)
class RolePolicies:
    """What could be read of a role: its trust policy and the documents of its policies, as JSON.

    `whole` is False where a boundary, or a policy that could not be read, may change the outcome.
    """

    role: str
    trust: str
    documents: tuple[str, ...]
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Simulated:
    """IAM's own verdict on one action: `allowed`, `explicitDeny` or `implicitDeny`."""

    action: str
    resource: str
    decision: str


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

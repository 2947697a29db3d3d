"""OTLP endpoints: what a URL means, where an exporter will POST, and what Grafana's host names tell. Pure.

Sources: OpenTelemetry specification protocol/exporter.md (base and per-signal URLs, default ports), the OTLP
specification (paths), Grafana Cloud's documentation of the OTLP gateway (host names, `/otlp`).
"""

from __future__ import annotations

import enum
import ipaddress
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from otelctl.secret import Secret
from otelctl.settings import Signal

HTTP_PORT = 4318
GRPC_PORT = 4317

_SIGNAL_PATH = re.compile(r"/v1/(?P<signal>traces|metrics|logs)/?$")
_SIGNALS = frozenset(Signal)
_GATEWAY = re.compile(r"^otlp-gateway-(?P<zone>[a-z0-9-]+?)(?:\.(?P<nest>[a-z0-9-]+))?\.grafana\.net$")
_QUERY = re.compile(
    r"^(?:tempo|prometheus|logs|profiles|graphite|loki|mimir|influx)-[a-z0-9-]+(?:\.[a-z0-9-]+)?\.grafana\.net$"
)
_ZONE = re.compile(r"-(?P<zone>[a-z]{2}-[a-z]+-\d{1,2})$")
_HOST = re.compile(r"^(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?$")


class EndpointError(ValueError):
    """A text that is no URL that an exporter could use; the message is one sentence saying what is wrong."""


class GrafanaHost(enum.StrEnum):
    """What a host below grafana.net is for."""

    GATEWAY = "OTLP gateway"
    QUERY = "database host"
    STACK = "stack's user interface"
    NONE = "not Grafana Cloud's"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A parsed URL. `path` starts with a slash or is empty; `port` is the scheme's own where none was written."""

    scheme: str
    host: str
    port: int
    path: str
    port_written: bool
    query: str = ""
    username: Secret | None = None
    password: Secret | None = None

    @property
    def url(self) -> str:
        """The URL without user information and query, as it is shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.port_written else ""
        return f"{self.scheme}://{host}{port}{self.path}"

    @property
    def origin(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def tls(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme == "https"

    @property
    def loopback(self) -> bool:
        """Whether the host is this machine."""
        address = _address(self.host)
        return self.host == "localhost" if address is None else address.is_loopback

    @property
    def private(self) -> bool:
        """Whether the host is this machine, in a private range, or a name that no public DNS holds."""
        host = self.host.rstrip(".")
        if self.loopback:
            return True
        if (address := _address(host)) is not None:
            return any(address in network for network in _PRIVATE) or address.is_link_local or address.is_unspecified
        return "." not in host or host.endswith((".local", ".internal", ".localhost", ".svc", ".cluster.local", ".lan"))

    @property
    def grafana(self) -> GrafanaHost:
        """What this host is at Grafana Cloud."""
        host = self.host.rstrip(".").lower()
        if not host.endswith(".grafana.net"):
            return GrafanaHost.NONE
        if host.startswith(("otlp-gateway-", "otlp.")):
            return GrafanaHost.GATEWAY
        if _QUERY.match(host):
            return GrafanaHost.QUERY
        return GrafanaHost.STACK if host.count(".") == 2 else GrafanaHost.GATEWAY

    @property
    def zone(self) -> str:
        """The zone in a gateway's host name (`prod-eu-west-2`), empty where it has none."""
        match = _GATEWAY.match(self.host.rstrip(".").lower())
        return match["zone"] if match else ""

    @property
    def gateway_zone(self) -> str:
        """The zone of the gateway that belongs to a database host, as far as its name tells; else empty."""
        match = _ZONE.search(self.host.partition(".")[0].lower())
        return f"prod-{match['zone']}" if match else ""

    @property
    def target(self) -> str:
        """The path and query as a request line has them."""
        return (self.path or "/") + (f"?{self.query}" if self.query else "")

    def with_path(self, path: str) -> Endpoint:
        """Return the same endpoint with another path."""
        return replace(self, path=path)


# RFC 1918 and 4193, and RFC 6598, whose addresses lie behind a carrier's or a cloud's NAT.
_PRIVATE = tuple(
    ipaddress.ip_network(one) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


# What documentation, ours too, writes where the reader's own value belongs; hosts are looked at in their own letters.
_PLACEHOLDER = re.compile(
    r"<[\w .-]{1,40}>|\$?\{[\w .:-]{1,60}\}|\$[A-Za-z_]\w*|"
    r"(?<![A-Za-z0-9])(?:YOUR[-_A-Z]*|ZONE|REGION)(?![A-Za-z0-9])|(?<=otlp-gateway-)zone(?=\.)"
)


def placeholder_of(text: str) -> str:
    """Return the placeholder in the host of a URL that nobody filled in (`ZONE`, `<zone>`, `${HOST}`), or nothing."""
    rest = text.partition("://")[2] or text
    match = _PLACEHOLDER.search(re.split(r"[/?#]", rest.rpartition("@")[2], maxsplit=1)[0])
    return match[0] if match else ""


_SCHEMES = {"grpc": "http", "grpcs": "https"}
_LIKE_HTTP = re.compile(r"^h?t{1,3}p(?P<tls>s*)$|^h{1,2}t{1,3}p?(?P<tls2>s*)$", re.IGNORECASE)


def respelled(text: str) -> Endpoint | None:
    """Return the endpoint that a misspelt one is likely to mean, None where it cannot be told or nothing is misspelt.

    Quotation marks and white space around it go; `htp://`, `grpc://` and the like become http://, or https://.
    """
    mended = text.strip().strip("\"'`\u2018\u2019\u201c\u201d").strip()
    scheme, colon, rest = mended.partition("://")
    if colon and scheme.lower() not in ("http", "https"):
        match = _LIKE_HTTP.match(scheme)
        if match is not None:
            mended = f"{'https' if match['tls'] or match['tls2'] else 'http'}://{rest}"
        elif scheme.lower() in _SCHEMES:
            mended = f"{_SCHEMES[scheme.lower()]}://{rest}"
    if mended == text:
        return None
    try:
        return parse(mended)
    except EndpointError:
        return None


def parse(text: str) -> Endpoint:
    """Parse an endpoint as exporters do; raises EndpointError with a clause that names what is wrong."""
    if not text.strip():
        raise EndpointError("the endpoint is empty")
    text = text.strip()
    if any(char.isspace() or not char.isprintable() for char in text):
        raise EndpointError("the endpoint holds white space or control characters")
    if placeholder := placeholder_of(text):
        raise EndpointError(f"the endpoint holds {placeholder}, a placeholder")
    if "://" not in text:
        raise EndpointError("the endpoint has no scheme")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise EndpointError("the port or the host of the endpoint cannot be read") from error
    scheme = parts.scheme.lower()
    if scheme not in {"http", "https"}:
        raise EndpointError(f"the scheme {scheme[:20]!r} is not http or https")
    host = parts.hostname or ""
    if not host or not (_HOST.match(host) or ":" in host):
        raise EndpointError("the endpoint has no valid host name")
    if port == 0:
        raise EndpointError("port 0 cannot be connected to")
    return Endpoint(
        scheme=scheme,
        host=host,
        port=port or (443 if scheme == "https" else 80),
        path=parts.path,
        port_written=port is not None,
        query=parts.query,
        username=Secret(unquote(parts.username)) if parts.username else None,
        password=Secret(unquote(parts.password)) if parts.password else None,
    )


def parse_grpc(text: str, *, insecure: bool) -> Endpoint:
    """Parse an endpoint as gRPC exporters do: a URL, or `host:port`, for which `insecure` says that there is no TLS.

    The specification lets a scheme win over *_INSECURE, which is false by default. A port that is not written is 443
    for gRPC, whatever the scheme. Raises EndpointError.
    """
    text = text.strip().removeprefix("dns:///")
    if "://" not in text:
        text = f"{'http' if insecure else 'https'}://{text}"
    found = parse(text)
    return found if found.port_written else replace(found, port=443, port_written=found.scheme == "http")


def signal_endpoint(base: Endpoint, signal: Signal) -> Endpoint:
    """Return where an exporter POSTs a signal when `base` is OTEL_EXPORTER_OTLP_ENDPOINT: `v1/<signal>` is appended."""
    return base.with_path(f"{base.path.rstrip('/')}/v1/{signal.value}")


def names_signal(path: str) -> bool:
    """Tell whether a path ends in a signal's own path already."""
    return bool(_SIGNAL_PATH.search(path))


def signal_of(path: str) -> Signal | None:
    """Return the signal whose path this ends in."""
    match = _SIGNAL_PATH.search(path)
    return Signal(match["signal"]) if match else None


def without_signal(path: str) -> str:
    """Return a path as a base has it: without signal paths, their `/v1`, and slashes at its end."""
    pieces = path.split("/")
    while pieces:
        if pieces[-1] in {"", "v1"}:
            pieces.pop()
        elif len(pieces) > 1 and pieces[-2] == "v1" and pieces[-1] in _SIGNALS:
            del pieces[-2:]
        else:
            break
    return "/".join(pieces)


def gateway_base(endpoint: Endpoint) -> Endpoint:
    """Return the base URL that Grafana Cloud's gateway wants: https, no port, `/otlp`."""
    return replace(endpoint, scheme="https", port=443, port_written=False, path="/otlp", query="")


def region_matches(region: str, zone: str) -> bool:
    """Tell whether a token's region may belong to an endpoint's zone.

    Regions are seen as `prod-eu-west-2`, `eu-west-2` and, newer, as a bare `eu`; anything else cannot be compared
    and counts as a match.
    """
    if not region or not zone:
        return True
    ours = region.lower().removeprefix("prod-")
    theirs = zone.lower().removeprefix("prod-")
    if not re.match(r"^[a-z]{2}(?:-[a-z0-9-]+)?$", ours):
        return True
    return theirs == ours or theirs.startswith(ours + "-")


class Variant(enum.StrEnum):
    """A way in which a configured path may be wrong, by the path that would be right instead."""

    OTLP_ADDED = "with /otlp"
    OTLP_DROPPED = "without /otlp"
    SIGNAL_ONCE = "with the signal's path once"
    SIGNAL_ADDED = "with the signal's path"
    SLASH_DROPPED = "without the slash at its end"
    OTHER_SIGNAL = "for another signal"
    ELSEWHERE = "at a receiver's usual path"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A path on the same host that may take what the configured one does not.

    `value` is what the setting would have to hold, `posted` where the request then goes.
    """

    variant: Variant
    value: Endpoint
    posted: Endpoint
    signal: Signal


def alternatives(configured: Endpoint, signal: Signal, *, per_signal: bool) -> tuple[Alternative, ...]:
    """Return the paths worth trying where a receiver answers 404, the likeliest first."""
    found: list[Alternative] = []
    base = configured.with_path(without_signal(configured.path))

    def add(variant: Variant, value: Endpoint) -> None:
        posted = signal_endpoint(value, signal)
        found.append(Alternative(variant, posted if per_signal else value, posted, signal))

    path = configured.path.rstrip("/")
    if per_signal and path == signal_endpoint(base, signal).path:
        if path != configured.path:
            add(Variant.SLASH_DROPPED, base)
    elif path != base.path and (names_signal(path) or not per_signal):
        add(Variant.SIGNAL_ONCE, base)
    elif per_signal:
        add(Variant.SIGNAL_ADDED, base)
    if base.path.endswith("/otlp"):
        add(Variant.OTLP_DROPPED, base.with_path(base.path.removesuffix("/otlp")))
    else:
        add(Variant.OTLP_ADDED, base.with_path(f"{base.path}/otlp"))
    for usual in ("/otlp", ""):
        add(Variant.ELSEWHERE, base.with_path(usual))
    found += [
        Alternative(Variant.OTHER_SIGNAL, configured, signal_endpoint(base, other), other)
        for other in Signal
        if other is not signal
    ]
    refused = configured if per_signal else signal_endpoint(configured, signal)
    once: dict[str, Alternative] = {}
    for one in found:
        if one.posted.path != refused.path:
            once.setdefault(one.posted.path, one)
    return tuple(once.values())

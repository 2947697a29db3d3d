"""The proxy settings of this machine."""

from __future__ import annotations

import ipaddress
import os
import urllib.request
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from otelctl.facts.wire import Proxy
from otelctl.secret import Secret

_PORTS = {"http": 80, "https": 443}
_SOCKS_PORT = 1080


class SystemProxies:
    """Answers ports.Proxies as Python's own clients would: *_PROXY and NO_PROXY, else the system's settings."""

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """Return the proxy for a URL's scheme, host and port, or None where none is set, or NO_PROXY excepts it.

        NO_PROXY takes names, suffixes, `host:port` and, for addresses, networks such as `10.0.0.0/8`, which the
        standard library leaves out and exporters built on requests or Go take. A variable that holds no URL gives
        a proxy with an empty host: there is a setting, and nothing can be reached through it. The scheme `grpc` goes
        by the rules of gRPC's own library.
        """
        if scheme == "grpc":
            return _proxy_of_grpc(host, os.environ)
        proxies = urllib.request.getproxies()
        scheme = scheme.lower()
        key = scheme if scheme in proxies else "all"
        url = proxies.get(key)
        if not url:
            return None
        shown = f"[{host}]" if ":" in host else host
        if urllib.request.proxy_bypass(f"{shown}:{port}") or _in_network(host, proxies.get("no", "")):
            return None
        return _parse(url, _source(key, os.environ))


def _in_network(host: str, exceptions: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    for entry in exceptions.split(","):
        try:
            if address in ipaddress.ip_network(entry.strip().strip("[]"), strict=False):
                return True
        except ValueError:
            continue
    return False


def _proxy_of_grpc(host: str, variables: Mapping[str, str]) -> Proxy | None:
    """Return the proxy that gRPC's C core takes, which C++, Python and others share (its http_proxy_mapper.cc).

    It reads the variables in lower case alone, the one for https before the one for http whatever is spoken to the
    endpoint, and leaves a proxy aside that is not written as http://host.
    """
    name = next((one for one in ("grpc_proxy", "https_proxy", "http_proxy") if variables.get(one)), None)
    if name is None or not variables[name].startswith("http://"):
        return None
    excepted = variables.get("no_grpc_proxy") or variables.get("no_proxy") or ""
    for entry in (one.strip() for one in excepted.split(",")):
        if entry and (host.lower().endswith(entry.lower()) or _in_network(host, entry)):
            return None
    return _parse(variables[name], name)


def _source(key: str, variables: Mapping[str, str]) -> str:
    """Name the variable that set it; the lower-case spelling wins, as in urllib."""
    for name in (f"{key}_proxy", f"{key.upper()}_PROXY"):
        if variables.get(name):
            return name
    return "the system's proxy settings"


def _parse(url: str, source: str) -> Proxy:
    """Read a proxy's URL; a bare `host:port` means http, as every client takes it."""
    text = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return Proxy("", 0, tls=False, source=source)
    return Proxy(
        host=parts.hostname or "",
        port=port or _PORTS.get(parts.scheme, _SOCKS_PORT),
        tls=parts.scheme == "https",
        source=source,
        username=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else Secret(unquote(parts.password)),
        scheme=parts.scheme,
    )

"""What every machine has: a clock and randomness; and what stands for a network where there is to be none."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from otelctl.facts.wire import Fault, Proxy, Route, RpcAnswer, RpcRequest
    from otelctl.ports import Link


class SystemClock:
    """Answers ports.Clock."""

    def now(self) -> datetime:
        """Return the time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class SystemEntropy:
    """Answers ports.Entropy."""

    def bytes(self, count: int) -> bytes:
        """Return that many random bytes."""
        return os.urandom(count)


class Nowhere:
    """No way out: answers `ports.Network`, `ports.Proxies` and `ports.Rpc` for checks that send nothing.

    Being asked is a mistake of ours, and raises RuntimeError.
    """

    def open(self, route: Route) -> Link:
        """Raise RuntimeError."""
        raise _offline(route.host)

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """Raise RuntimeError."""
        del scheme, port
        raise _offline(host)

    def call(self, route: Route, request: RpcRequest) -> RpcAnswer | Fault:
        """Raise RuntimeError."""
        del request
        raise _offline(route.host)


def _offline(host: str) -> RuntimeError:
    return RuntimeError(f"a check that sends nothing asks for {host}")

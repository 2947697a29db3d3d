"""A real gRPC server on loopback, by grpcio, that answers as a test wants and keeps what it was sent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
import grpc

from tests.support.ca import Authority, Certificate

Answer = Callable[[str, bytes, Any], bytes]
"""From a method, a message and grpcio's context to the answer; a status is set on the context."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that arrived."""

    method: str
    message: bytes
    metadata: dict[str, str]


@dataclass(slots=True)
class Server:
    """A running server; `port` is on 127.0.0.1."""

    port: int
    calls: list[Call] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The endpoint without TLS."""
        return f"http://127.0.0.1:{self.port}"


def accept(method: str, message: bytes, context: Any) -> bytes:  # noqa: ARG001 - the form of an answer
    """Accept whatever comes, with an empty message."""
    return b""


def failing(code: int, text: str = "", *trailers: tuple[str, str | bytes]) -> Answer:
    """Answer every call with this status."""

    def answer(method: str, message: bytes, context: Any) -> bytes:  # noqa: ARG001 - the form of an answer
        context.set_trailing_metadata(trailers)
        context.set_code(next(one for one in grpc.StatusCode if one.value[0] == code))
        context.set_details(text)
        return b""

    return answer


@contextmanager
def serving(
    answer: Answer = accept, certificate: Certificate | None = None, client_ca: Authority | None = None
) -> Iterator[Server]:
    """Serve on a free port until the block ends, by TLS where a certificate is given."""
    server = grpc.server(futures.ThreadPoolExecutor(2), compression=grpc.Compression.Gzip)
    running = Server(0)

    def handle(details: Any) -> Any:
        def called(message: bytes, context: Any) -> bytes:
            running.calls.append(Call(details.method, message, dict(context.invocation_metadata())))
            return answer(details.method, message, context)

        return grpc.unary_unary_rpc_method_handler(called)

    class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
        def service(self, handler_call_details: Any) -> Any:
            return handle(handler_call_details)

    server.add_generic_rpc_handlers((Handler(),))
    if certificate is None:
        running.port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = (certificate.key_file.read_bytes(), certificate.cert_file.read_bytes())
        roots = None if client_ca is None else client_ca.file.read_bytes()
        credentials = grpc.ssl_server_credentials([pair], roots, client_ca is not None)
        running.port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield running
    finally:
        server.stop(None).wait(5)

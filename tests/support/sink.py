"""An OTLP backend on loopback that keeps what it is sent: the far end of a Collector's pipeline.

It is not the embedded gateway of otelctl on purpose: what a Collector exports is judged by other code than ours.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.parts import wait_until


@dataclass(frozen=True, slots=True)
class Received:
    """One request that arrived, its body unpacked."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Sink:
    """The backend; below `/status/N` it answers N instead of 200."""

    url: str
    requests: list[Received] = field(default_factory=list)

    def answering(self, status: int) -> str:
        """Return the base URL under which every request is answered with this status."""
        return f"{self.url}/status/{status}"

    def spans(self, trace_id: bytes, count: int = 1, seconds: float = 10) -> list[Span]:
        """Wait until that many spans of a trace have arrived, and return what is there in the order of arrival."""

        def found() -> list[Span]:
            return [span for span in self._spans() if span.trace_id == trace_id]

        wait_until(lambda: len(found()) >= count, seconds)
        return found()

    def _spans(self) -> Iterator[Span]:
        for request in list(self.requests):
            if request.path.endswith("/v1/traces"):
                for resource in ExportTraceServiceRequest.FromString(request.body).resource_spans:
                    for scope in resource.scope_spans:
                        yield from scope.spans


@contextmanager
def serving() -> Iterator[Sink]:
    """Serve until the block ends."""
    requests: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            requests.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            steps = self.path.split("/")
            self.send_response(int(steps[2]) if steps[1] == "status" else 200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Sink(f"http://127.0.0.1:{server.server_address[1]}", requests)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

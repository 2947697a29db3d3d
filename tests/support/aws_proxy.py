"""A thin proxy before moto that answers as AWS documents where moto is laxer, and that makes trouble on request."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

DELETED = "You can't perform this operation on the secret because it was marked for deletion."
MANAGED = "The secret is managed by another service, and you must use that service to update it."
NO_VALUE = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
KMS = "Access to KMS is not allowed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to one request: `before` and `after` run around the forwarding, `answer` takes its place.

    `answer` is a status, an error code and a message. `lost` cuts the connection after the server has done its
    work; `cut` before it has seen anything.
    """

    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    answer: tuple[int, str, str] | None = None
    lost: bool = False
    cut: bool = False


@dataclass(slots=True)
class AwsProxy:
    """The proxy's memory.

    `calls` is every request with its parameters, `finished` how many of them are done with, `waiting` the trouble
    that is to come.
    """

    upstream: str
    url: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    finished: int = 0
    waiting: dict[str, list[Trouble]] = field(default_factory=lambda: defaultdict(list))
    always: dict[str, Trouble] = field(default_factory=dict)

    def next(self, operation: str, *troubles: Trouble) -> None:
        """Meet the next requests of an operation with these, one each."""
        self.waiting[operation].extend(troubles)

    def deny(self, operation: str) -> None:
        """Answer every request of an operation as IAM does where it is not allowed."""
        message = (
            f"User: arn:aws:iam::123456789012:user/ci is not authorized to perform: secretsmanager:{operation} on "
            f"resource: app because no identity-based policy allows the secretsmanager:{operation} action"
        )
        self.always[operation] = Trouble(answer=(400, "AccessDeniedException", message))

    def operations(self) -> list[str]:
        """Return the operations asked for so far, in order."""
        return [operation for operation, _ in self.calls]

    def settle(self) -> None:
        """Wait until no request is under way, that of a writer which was killed included."""
        deadline = time.monotonic() + 20
        while self.finished < len(self.calls):
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def trouble_for(self, operation: str) -> Trouble:
        """Return what is to happen to the request that has just come."""
        if self.waiting[operation]:
            return self.waiting[operation].pop(0)
        return self.always.get(operation, Trouble())


def _forward(upstream: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=20)
    try:
        connection.request("POST", "/", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _strict(
    upstream: str, operation: str, params: dict[str, Any], headers: dict[str, str]
) -> tuple[int, str, str] | None:
    """Return the refusal that AWS documents and moto does not make."""
    if len(str(params.get("SecretString", "")).encode("utf-8", "surrogatepass")) > 65_536:
        message = (
            "1 validation error detected: Value at 'secretString' failed to satisfy constraint: Member must have "
            "length less than or equal to 65536"
        )
        return 400, "ValidationException", message
    if operation not in {"GetSecretValue", "PutSecretValue", "UpdateSecretVersionStage"}:
        return None
    describe = {**headers, "X-Amz-Target": "secretsmanager.DescribeSecret"}
    status, body = _forward(upstream, describe, json.dumps({"SecretId": params["SecretId"]}).encode())
    about = json.loads(body)
    if status != 200:
        return None
    if about.get("DeletedDate"):
        return 400, "InvalidRequestException", DELETED
    if operation == "PutSecretValue" and about.get("OwningService"):
        return 400, "InvalidRequestException", MANAGED
    if operation == "GetSecretValue" and not about.get("VersionIdsToStages"):
        return 400, "ResourceNotFoundException", NO_VALUE
    return None


@contextlib.contextmanager
def aws_proxy(upstream: str) -> Iterator[AwsProxy]:
    """Start a proxy on loopback before the moto server at `upstream`."""
    proxy = AwsProxy(upstream)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Take one request."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            params = json.loads(body)
            proxy.calls.append((operation, params))
            try:
                self.handle_call(operation, params, body)
            finally:
                with lock:
                    proxy.finished += 1

        def handle_call(self, operation: str, params: dict[str, Any], body: bytes) -> None:
            """Forward one request, with the trouble that waits for it."""
            trouble = proxy.trouble_for(operation)
            self.close_connection = True
            if trouble.before:
                trouble.before()
            if trouble.cut:
                return
            kept = ("Content-Type", "X-Amz-Target", "Authorization", "X-Amz-Date")
            headers = {name: self.headers[name] for name in kept if name in self.headers}
            refusal = trouble.answer or _strict(upstream, operation, params, headers)
            if refusal:
                status, code, message = refusal
                answer = json.dumps({"__type": code, "message": message}).encode()
            else:
                status, answer = _forward(upstream, headers, body)
            if trouble.after:
                trouble.after()
            if trouble.lost:
                return
            self.close_connection = False
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            # A writer that was killed meanwhile does not hear it.
            with contextlib.suppress(OSError):
                self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

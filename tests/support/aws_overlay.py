"""A thin server that answers some operations of AWS from a script, as AWS documents them, and leaves the rest to moto.

moto starts no tasks for a service, knows no stop reasons, no deployments that fail and no SimulatePrincipalPolicy.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

Answer = dict[str, Any] | tuple[int, str, str] | str
"""What one operation answers: a JSON body, a refusal (status, code, message), or the XML result of an IAM query."""


@dataclass(slots=True)
class Overlay:
    """The script: `answers` by operation, an answer or a function of the parameters; `calls` is what was asked."""

    upstream: str
    url: str = ""
    answers: dict[str, Answer | Callable[[dict[str, Any]], Answer | None]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def deny(self, action: str, *, status: int = 400, who: str = "arn:aws:iam::123456789012:user/ci") -> None:
        """Answer `service:Operation` as IAM does where no policy allows it."""
        code = "AccessDenied" if action.startswith("iam:") else "AccessDeniedException"
        message = f"User: {who} is not authorized to perform: {action} because no identity-based policy allows it"
        self.answers[action.partition(":")[2]] = (403 if code == "AccessDenied" else status, code, message)

    def simulate(self, decision: str, actions: Mapping[str, str] | None = None) -> None:
        """Answer SimulatePrincipalPolicy with one decision, but for some actions with others."""

        def answer(params: dict[str, Any]) -> Answer:
            action, resource = params["ActionNames.member.1"], params["ResourceArns.member.1"]
            return (
                "<IsTruncated>false</IsTruncated><EvaluationResults><member>"
                f"<EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}</EvalResourceName>"
                f"<EvalDecision>{(actions or {}).get(action, decision)}</EvalDecision></member></EvaluationResults>"
            )

        self.answers["SimulatePrincipalPolicy"] = answer

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """Return the parameters of each call of an operation."""
        return [params for name, params in self.calls if name == operation]


@contextlib.contextmanager
def aws_overlay(upstream: str) -> Iterator[Overlay]:
    """Start the server on loopback, before the moto server at `upstream`."""
    overlay = Overlay(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Take one request."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            target = self.headers.get("X-Amz-Target", "")
            if target:
                operation, params = target.rpartition(".")[2], json.loads(body)
            else:
                params = dict(parse_qsl(body.decode()))
                operation = params["Action"]
            overlay.calls.append((operation, params))
            scripted = overlay.answers.get(operation)
            answer = scripted(params) if callable(scripted) else scripted
            if answer is None:
                self.reply(*self.forward(body))
            elif target:
                self.reply(*_as_json(answer))
            else:
                self.reply(*_as_xml(operation, answer))

        def forward(self, body: bytes) -> tuple[int, str, bytes]:
            """Have moto answer."""
            connection = http.client.HTTPConnection(urlsplit(overlay.upstream).netloc, timeout=20)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            try:
                connection.request("POST", self.path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.getheader("Content-Type", ""), answer.read()
            finally:
                connection.close()

        def reply(self, status: int, kind: str, body: bytes) -> None:
            """Send one answer."""
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    overlay.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield overlay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _as_json(answer: Answer) -> tuple[int, str, bytes]:
    if isinstance(answer, tuple):
        status, code, message = answer
        return status, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": message}).encode()
    return 200, "application/x-amz-json-1.1", json.dumps(answer).encode()


def _as_xml(operation: str, answer: Answer) -> tuple[int, str, bytes]:
    if isinstance(answer, tuple):
        status, code, message = answer
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
            "<RequestId>1</RequestId></ErrorResponse>"
        )
        return status, "text/xml", body.encode()
    body = f"<{operation}Response><{operation}Result>{answer}</{operation}Result></{operation}Response>"
    return 200, "text/xml", body.encode()

"""What tests need to speak to the embedded gateway: a stack, its header, and a client that sends what it is told."""

from __future__ import annotations

import base64
import http.client
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from otelctl.gateway import Tenant, invent_credential
from otelctl.settings import Signal

TRANSCRIPTS = Path(__file__).parent.parent / "transcripts"


def tenant(*scopes: Signal) -> Tenant:
    """Return an invented stack whose token may write these signals, or all where none is named."""
    made = invent_credential(os.urandom)
    return Tenant(made.instance_id, made.token, frozenset(scopes or Signal))


def basic(left: str, right: str) -> str:
    """Return the value of an Authorization header for a pair."""
    return "Basic " + base64.b64encode(f"{left}:{right}".encode()).decode()


def authorization(stack: Tenant) -> str:
    """Return the right header for a stack."""
    return basic(stack.instance_id, stack.token.reveal())


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as http.client reads it; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def send(
    port: int,
    path: str = "/otlp/v1/traces",
    *,
    headers: Mapping[str, str],
    body: bytes = b"{}",
    method: str = "POST",
    host: str = "127.0.0.1",
) -> Reply:
    """Send one request and return the answer."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def transcripts() -> list[dict[str, Any]]:
    """Return the recorded exchanges of `tests/transcripts/http.jsonl`."""
    lines = (TRANSCRIPTS / "http.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]

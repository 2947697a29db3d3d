"""Starting and stopping the real parts: free ports, processes that are ready when a test gets them, plain requests."""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

REQUIRED = "OTELCTL_REQUIRE_REAL"


@dataclass(frozen=True, slots=True)
class Credential:
    """A user and a password as Basic authentication sends them."""

    user: str
    password: str

    @property
    def header(self) -> str:
        """The value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def missing(reason: str) -> NoReturn:
    """Skip a test for want of a part, or fail it where the environment says that every part must be there."""
    if os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{reason} ({REQUIRED}=1)", pytrace=False)
    pytest.skip(reason)


def program(name: str) -> str:
    """Return the path of a program, looked for where system services live too."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if found is None:
        missing(f"{name} is not installed")
    return found


def free_ports(count: int) -> list[int]:
    """Return that many different free TCP ports of the loopback address.

    Somebody else may take one before the part listens on it: then the part ends, and `running` says so.
    """
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for sock in sockets:
            sock.bind(("127.0.0.1", 0))
        return [sock.getsockname()[1] for sock in sockets]


def listening(*ports: int) -> bool:
    """Say whether something accepts connections on all these ports."""
    for port in ports:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
    return True


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true; return whether it came true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    ready: Callable[[], bool],
    log: Path,
    variables: Mapping[str, str] | None = None,
    seconds: float = 30,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends, and enter it when the program is ready; its output goes to `log`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(variables or {})},
        )
    try:
        came = wait_until(lambda: process.poll() is not None or ready(), seconds)
        if not came or process.poll() is not None:
            state = "did not get ready" if process.poll() is None else f"ended with {process.returncode}"
            raise RuntimeError(f"{command[0]} {state}:\n{log.read_text(errors='replace')[-4000:]}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ask(
    url: str,
    *,
    method: str = "POST",
    body: bytes = b"{}",
    headers: Mapping[str, str] | None = None,
    credential: Credential | None = None,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Send one request with nothing but the standard library; redirects are not followed, and no status raises."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    sent = {"Content-Type": "application/json", **(headers or {})}
    if credential is not None:
        sent["Authorization"] = credential.header
    with contextlib.closing(connection):
        connection.request(method, parts.path or "/", body=body or None, headers=sent)
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

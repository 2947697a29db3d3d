"""Hostile servers met by whole commands: bounded in time and memory, clean documents, no command of theirs obeyed."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
import time
import unicodedata
import xml.etree.ElementTree as ET

import jsonschema
import pytest

from otelctl.cli.options import Format
from tests.loopback.test_hostile_servers import CASES, GREEDY, Hostile
from tests.support import inprocess, program
from tests.support.servers import OK, Script, Scripted, answering, http, read_request

SCHEMA = json.loads((program.ROOT / "otelctl/render/report.schema.json").read_text("utf-8"))
TIMEOUT = 0.5
SLACK = 1.5
RUDE = (
    "\x1b]0;owned\x07\x1b[2J[red]no[/red] [/v1/traces] [link=file:///x]y[/link] \u202eevil\u2066 \x9b31m\x00\r\n\x1b[1A"
)


def clean(output: bytes) -> None:
    """Fail where an output holds anything that steers a terminal but line ends."""
    text = output.decode("utf-8")
    odd = {char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    assert odd == set(), (odd, text)


@pytest.mark.parametrize("hostile", CASES, ids=lambda hostile: hostile.name)
def test_a_command_survives_a_hostile_server(hostile: Hostile) -> None:
    """The run ends within its bound, with the same verdict as a clean document and as clean text that names a code."""
    with Scripted(hostile.script) as server:
        url = f"http://127.0.0.1:{server.port}"
        started = time.monotonic()
        told = inprocess.run("check-endpoint", url, "--timeout", str(TIMEOUT), "--format", "json")
        took = time.monotonic() - started
        shown = inprocess.run("check-endpoint", url, "--timeout", str(TIMEOUT), "--verbose")
    assert took < 3 * TIMEOUT + SLACK
    assert (told.stderr, shown.stderr) == (b"", b"")
    document = json.loads(told.stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["exit_code"] == told.code
    assert "INTERNAL-CRASH" not in told.stdout.decode()
    clean(told.stdout)
    clean(shown.stdout)
    assert len(told.stdout) < 40_000
    found = [finding["code"] for check in document["checks"] for finding in check["findings"]]
    assert set(hostile.codes) <= set(found)
    # The second run may meet another of a server's moods, so only the sound ones are compared.
    if told.code == 1 and shown.code == 1:
        assert re.match(r"(?:\S )?✗ [A-Z]+-[A-Z0-9-]+  ", shown.stdout.decode())


@pytest.mark.parametrize("form", [one.value for one in Format])
@pytest.mark.parametrize(
    "answer",
    [
        http("401 Unauthorized", RUDE.encode()),
        http("404 Not Found", RUDE.encode(), "Content-Type: text/html"),
        http("400 Bad Request", json.dumps({"code": 3, "message": RUDE}).encode(), "Content-Type: application/json"),
        http(
            "200 OK",
            json.dumps({"partialSuccess": {"rejectedSpans": 1, "errorMessage": RUDE}}).encode(),
            "Content-Type: application/json",
        ),
        http("302 Found", b"", "Location: https://x/\x1b[31m[red]".replace("\x1b", "%1b")),
        http("500 [red]Sorry[/red]", b"\xff\xfe\xfa" * 40, "Content-Type: text/plain; charset=utf-16"),
        http("503 Unavailable", ("A" * 3000 + "\u0301" * 3000).encode()),
    ],
    ids=["401", "404", "RPC", "partial", "redirect", "500", "503"],
)
def test_no_format_lets_a_servers_text_steer_anything(answer: bytes, form: str) -> None:
    """Escapes, markup, bidirectional marks and invalid UTF-8 arrive as harmless text in each format, coloured too."""
    with Scripted(answering(*[answer] * 12)) as server:
        url = f"http://127.0.0.1:{server.port}/otlp"
        for variables in ({}, {"FORCE_COLOR": "1", "TERM": "xterm"}):
            for command in ("check-endpoint", "send-test-span"):
                ended = inprocess.run(command, url, "--format", form, "-v", "--timeout", "2", variables=variables)
                assert ended.code in (0, 1, 3), ended
                plain = re.sub(rb"\x1b\[[0-9;]*m", b"", ended.stdout) if variables else ended.stdout
                clean(plain)
                assert b"INTERNAL-CRASH" not in plain
                if form == "junit":
                    ET.fromstring(plain)  # noqa: S314 - our own document
                elif form == "json":
                    jsonschema.validate(json.loads(plain), SCHEMA)


def obeyed(output: str) -> list[str]:
    """Return the lines of an output that GitHub's runner takes for commands (actions/runner, ActionCommand.cs)."""
    found, stopped = [], ""
    for line in output.splitlines():
        text = line.lstrip()
        if stopped:
            if text == f"::{stopped}::":
                stopped = ""
            continue
        if stop := re.match(r"::stop-commands::(.+)", text):
            stopped = stop.group(1)
        elif (text.startswith("::") and "::" in text[2:]) or "##[" in line:
            found.append(line)
    assert not stopped, "commands stay stopped to the end of the step"
    return found


_ORDERS = (
    "::error::owned",
    "::add-mask::a",
    "::stop-commands::mine",
    "##[error]owned",
    "##[add-path]/tmp",
    "::group::x",
)


@pytest.mark.parametrize("form", [one.value for one in Format])
@pytest.mark.parametrize("command", ["check-endpoint", "send-test-span", "smoke"])
def test_a_runner_obeys_no_server(command: str, form: str) -> None:
    """In CI a server's text, at the start of a line or inside, gives no command; annotations are all our own."""
    spread = " ".join(f"{'word ' * number}{order}" for number, order in enumerate(_ORDERS * 2))
    body = "\n".join([spread, *_ORDERS])
    for status in ("400 Bad Request", "401 Unauthorized", "500 Oops"):
        with Scripted(answering(*[http(status, body.encode(), "Content-Type: text/plain")] * 12)) as server:
            url = f"http://127.0.0.1:{server.port}/otlp"
            variables = {"GITHUB_ACTIONS": "true", "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic MTIzNDU2OmhleQ=="}
            ended = inprocess.run(command, url, "--format", form, variables=variables)
        assert ended.code in (1, 3)
        for output in (ended.stdout, ended.stderr):
            for line in obeyed(output.decode()):
                assert re.match(r"::(?:error|warning|notice) title=[A-Z]+-[A-Z0-9-]+ ", line), line
        if command == "smoke":
            assert obeyed(ended.stdout.decode()) or obeyed(ended.stderr.decode())


_COMMAND = """
import io, sys
from otelctl.cli.app import run
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
sound, *hostile = sys.argv[1:]
run(["smoke", "http://127.0.0.1:" + sound, "--timeout", "1"])
idle = peak()
for port in hostile:
    run(["smoke", "http://127.0.0.1:" + port, "--timeout", "1", "--format", "json"])
print(peak() - idle, file=sys.stderr)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_hostile_servers_cost_a_command_little_memory() -> None:
    """After all the greedy servers the peak of the whole command is within 16 MiB of what it was after a sound one."""
    scripts: list[Script] = [answering(*[OK] * 4), *(one.script for one in CASES if one.name in GREEDY)]
    servers = [Scripted(script) for script in scripts]
    for server in servers:
        server.__enter__()
    try:
        ended = subprocess.run(
            [sys.executable, "-c", _COMMAND, *(str(server.port) for server in servers)],
            env=program.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=55,
            check=True,
        )
    finally:
        for server in servers:
            server.__exit__(None, None, None)
    assert int(ended.stderr) < 16 * 1024 * 1024


def test_the_whole_run_is_bounded_however_many_answers_hang() -> None:
    """A server that answers each question just before the time-out costs at most three time-outs in all."""

    def slow(conn: socket.socket, over: threading.Event) -> None:
        while read_request(conn):
            over.wait(0.4)
            conn.sendall(http("404 Not Found"))

    with Scripted(slow) as server:
        url = f"http://127.0.0.1:{server.port}/otlp"
        started = time.monotonic()
        ended = inprocess.run("smoke", url, "--signal", "all", "--timeout", "0.5")
        took = time.monotonic() - started
    assert ended.code in (1, 3)
    assert took < 1.5 + SLACK

"""Ctrl-C ends every command at once with 130, one line, and nothing half-written."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import program
from tests.support.parts import wait_until
from tests.support.planted import INSTANCE, PLANTED, TOKEN
from tests.support.servers import Scripted, http, read_request, silent

AWS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def start(arguments: Sequence[str], variables: dict[str, str], cwd: Path | None = None) -> subprocess.Popen[bytes]:
    """Start a command whose standard input stays open and empty."""
    return subprocess.Popen(
        [*program.COMMAND, *arguments],
        env=program.environment({**PLANTED, **variables}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
    )


def interrupted(process: subprocess.Popen[bytes]) -> tuple[bytes, str]:
    """Send what Ctrl-C sends; return both outputs, having checked the code, the time, and that one line says it."""
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    try:
        # Not communicate(): that would close standard input, and a command that waits there would go on.
        code = process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    took = time.monotonic() - started
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdin is not None
    stdout, stderr = process.stdout.read(), process.stderr.read().decode()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    assert code == 130, stderr
    assert stderr.splitlines()[-1] == "otelctl: interrupted"
    assert "Traceback" not in stderr
    assert took < 3
    return stdout, stderr


HANGING = [
    ("check-endpoint", "{url}"),
    ("check-endpoint", "{url}", "{url}"),
    ("check-endpoint", "{tls}"),
    ("send-test-span", "{url}"),
    ("smoke", "{url}", "--junit", "report.xml"),
    ("push-secret", "--secret-id", "app", "--yes", "--endpoint", "{url}"),
    ("inspect-auth", "--from-secret", "app"),
]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("arguments", HANGING, ids=" ".join)
def test_while_a_server_says_nothing(arguments: tuple[str, ...], form: str, tmp_path: Path) -> None:
    """A probe, a handshake or a call to AWS that hangs: no report is begun, no file written; JSON is one document."""
    with Scripted(silent) as server:
        url, tls = f"http://127.0.0.1:{server.port}", f"https://127.0.0.1:{server.port}"
        filled = [one.format(url=url, tls=tls) for one in arguments]
        process = start([*filled, "--format", form], {**AWS, "AWS_ENDPOINT_URL": url}, tmp_path)
        assert wait_until(lambda: server.connections > 0 or process.poll() is not None, 20)
        time.sleep(0.1)
        stdout, stderr = interrupted(process)
    assert stderr == "otelctl: interrupted\n"
    assert list(tmp_path.iterdir()) == []
    if form == "text":
        assert stdout == b""
    else:
        document = json.loads(stdout)
        assert (document["exit_code"], document["error"], document["checks"]) == (130, "interrupted", [])


def test_while_waiting_for_an_endpoint_to_come_up(tmp_path: Path) -> None:
    """In the pause between two tries of `smoke --wait`."""
    process = start(["smoke", "http://127.0.0.1:1", "--wait", "60", "--junit", "report.xml"], {}, tmp_path)
    assert process.stderr is not None
    assert b"trying again" in process.stderr.readline()
    stdout, _ = interrupted(process)
    assert stdout == b""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [("encode-auth", INSTANCE), ("inspect-auth",), ("encode-auth", INSTANCE, "--token-file", "-")]
)
def test_while_standard_input_is_awaited(arguments: tuple[str, ...]) -> None:
    """A command that reads a pipe to which nothing comes."""
    process = start(arguments, {"GRAFANA_API_TOKEN": ""})
    assert wait_until(lambda: _sleeping_in_read(process.pid), 20)
    assert interrupted(process) == (b"", "otelctl: interrupted\n")


def _sleeping_in_read(pid: int) -> bool:
    """Tell whether a process waits for its standard input: it has begun, sleeps, and uses no time while watched."""

    def seen() -> tuple[str, int]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0], int(fields[11]) + int(fields[12])

    try:
        before = seen()
        time.sleep(0.3)
        return before == seen() and before[0] == "S" and before[1] > 2
    except OSError:
        return False


@pytest.mark.parametrize("milliseconds", [0, 20, 40, 60, 80, 100, 130, 160, 200, 250])
def test_while_it_is_still_starting(milliseconds: int) -> None:
    """In the first moments, whatever is being loaded, there is no traceback of ours once the program has begun."""
    code = "import os, sys; sys.argv[1:] = ['explain']; from otelctl.__main__ import main; os.write(1, b'go'); main()"
    with Path(os.devnull).open("rb") as nothing:
        process = subprocess.Popen(
            [program.COMMAND[0], "-c", code],
            env=program.environment(),
            stdin=nothing,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 2) == b"go"
    time.sleep(0.015 + milliseconds / 1000)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) in ((130, b"otelctl: interrupted\n"), (0, b""))


class _Store:
    """A Secrets Manager that says nothing more once it is given a value."""

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.labels: list[str] = []

    def __call__(self, conn: socket.socket, over: threading.Event) -> None:
        while request := read_request(conn):
            head, _, body = request.decode("latin-1").partition("\r\n\r\n")
            operation = head.partition("secretsmanager.")[2].split("\r\n")[0]
            self.operations.append(operation)
            self.labels.append(json.loads(body).get("VersionStage", ""))
            if operation == "PutSecretValue":
                over.wait(30)
                return
            answer = {
                "ARN": "arn:x",
                "Name": "app",
                "VersionId": "v" * 32,
                "VersionStages": ["AWSCURRENT"],
                "SecretString": '{"A": 1}',
            }
            conn.sendall(http("200 OK", json.dumps(answer).encode(), "Content-Type: application/x-amz-json-1.1"))


def test_while_a_secret_is_written() -> None:
    """After Ctrl-C while the value is put beside the current one, nothing makes it the current one."""
    store = _Store()
    with Scripted(store) as server:
        variables = {**AWS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}"}
        arguments = [
            "push-secret",
            "--secret-id",
            "app",
            "--yes",
            "--no-check",
            "--endpoint",
            "http://127.0.0.1:1/otlp",
        ]
        process = start(arguments, variables)
        assert wait_until(lambda: "PutSecretValue" in store.operations or process.poll() is not None, 20)
        stdout, _ = interrupted(process)
    assert stdout == b""
    put = store.operations.index("PutSecretValue")
    assert "AWSCURRENT" not in store.labels[put:]


# On a terminal, by the key itself.


def _at_prompt(arguments: Sequence[str], variables: dict[str, str], question: str, keys: bytes) -> tuple[int, str]:
    """Run a command on a terminal that is its own, type keys when it asks, and return the code and what showed."""
    pid, leader = pty.fork()
    if pid == 0:
        environment = program.environment({"TERM": "xterm", **variables})
        os.execvpe(program.COMMAND[0], [*program.COMMAND, *arguments], environment)  # noqa: S606 - on its terminal
    shown, pressed, end = b"", False, time.monotonic() + 30
    try:
        while time.monotonic() < end:
            if not select.select([leader], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(leader, 65536)
            except OSError:
                piece = b""
            if not piece:
                break
            shown += piece
            if question.encode() in shown and not pressed:
                time.sleep(0.1)  # the prompt has turned the echo off only after it showed
                os.write(leader, keys)
                pressed = True
        assert pressed, shown
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(leader)


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        (("encode-auth", INSTANCE, "--prompt"), "(not shown)"),
        (("encode-auth",), "Instance ID"),
    ],
    ids=["token", "instance ID"],
)
def test_at_a_prompt(arguments: tuple[str, ...], question: str) -> None:
    """Ctrl-C at a prompt, hidden or not, in the middle of a line."""
    code, shown = _at_prompt(arguments, {}, question, TOKEN[:10].encode() + b"\x03")
    assert code == 130
    assert shown.rstrip().endswith("otelctl: interrupted")
    assert "Traceback" not in shown
    assert question == "Instance ID" or TOKEN[:10] not in shown


def test_the_end_of_input_at_a_prompt() -> None:
    """Ctrl-D at the hidden prompt gives no token, which is said in a line."""
    code, shown = _at_prompt(("encode-auth", INSTANCE, "--prompt"), {}, "(not shown)", b"\x04")
    assert code in (1, 2, 130)
    assert "Traceback" not in shown
    assert "Authorization" not in shown


def test_at_the_question_whether_to_write() -> None:
    """Ctrl-C in place of a yes writes nothing."""
    store = _Store()
    with Scripted(store) as server:
        variables = {**PLANTED, **AWS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}"}
        arguments = ("push-secret", "--secret-id", "app", "--no-check", "--endpoint", "http://127.0.0.1:1/otlp")
        code, shown = _at_prompt(arguments, variables, "[y/N]", b"\x03")
    assert code == 130
    assert "Traceback" not in shown
    assert set(store.operations) == {"GetSecretValue"}


def test_with_progress_on_the_screen() -> None:
    """The cursor comes back, and the line that moved is gone."""
    with Scripted(silent) as server:
        url = f"http://127.0.0.1:{server.port}"
        code, shown = _at_prompt(("check-endpoint", url), {}, "accepts traces", b"\x03")
    assert code == 130
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert "Traceback" not in shown

"""Exit codes: the same in every format, whatever becomes of the output, in any locale and on any kind of terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from otelctl.cli.options import Format
from otelctl.gateway import Gateway
from tests.support import inprocess, program
from tests.support.gateway import authorization, basic, tenant

FORMATS = [one.value for one in Format]
REFUSED = "http://127.0.0.1:1"
WARNED = {"OTEL_TRACES_EXPORTER": "none"}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Run an embedded gateway with one stack."""
    with Gateway([tenant()]) as running:
        yield running


def right(gateway: Gateway) -> dict[str, str]:
    """Return the variables of a healthy set-up."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": gateway.url,
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={authorization(gateway.tenants[0])}",
    }


def wrong(gateway: Gateway) -> dict[str, str]:
    """Return those of a reversed pair."""
    stack = gateway.tenants[0]
    reversed_pair = basic(stack.token.reveal(), stack.instance_id)
    return {**right(gateway), "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={reversed_pair}"}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("command", ["inspect-auth", "check-endpoint", "send-test-span", "smoke"])
def test_the_format_has_no_say(command: str, form: str, gateway: Gateway) -> None:
    """0 where all is well, 1 where something was found, 2 for wrong use: in each format the same, as the JSON says."""
    for variables, extra, code in (
        (right(gateway), (), 0),
        (wrong(gateway), (), 1),
        (right(gateway), ("--no-such-option",), 2),
    ):
        ended = inprocess.run(command, "--format", form, *extra, variables=variables)
        assert ended.code == code, ended
        if form == "json":
            document = json.loads(ended.stdout)
            assert (document["exit_code"], document["ok"]) == (code, code == 0)


@pytest.mark.parametrize("form", FORMATS)
def test_the_least_severity_that_fails(form: str, gateway: Gateway) -> None:
    """A warning fails a run only with --fail-on warning or notice, in each format alike."""
    variables = {**right(gateway), **WARNED}
    for fail_on, code in (("error", 0), ("warning", 1), ("notice", 1)):
        ended = inprocess.run("check-endpoint", "--format", form, "--fail-on", fail_on, variables=variables)
        assert ended.code == code, (fail_on, ended)


@pytest.mark.parametrize("form", FORMATS)
def test_what_cannot_be_told_is_neither(form: str, gateway: Gateway) -> None:
    """Behind a proxy of a kind that cannot be probed through, the question stays open: 3, in each format alike."""
    variables = {**right(gateway), "http_proxy": "socks5://127.0.0.1:1080"}
    assert inprocess.run("check-endpoint", "--format", form, variables=variables).code == 3


def _shell(line: str, variables: Mapping[str, str]) -> program.Result:
    """Run a line of a shell in which $OTELCTL is the command."""
    ended = subprocess.run(
        ["/bin/sh", "-c", line],
        env={**program.environment(variables), "OTELCTL": " ".join(program.COMMAND)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return program.Result(ended.returncode, ended.stdout, ended.stderr)


# The shell's own status is the last command's, so the code of otelctl goes out by another way.
_CODE = "; echo code $? >&3"

QUIET = ("--version", "--help", "explain", "explain NET-REFUSED --format json", f"check-endpoint {REFUSED}")


@pytest.mark.parametrize("arguments", QUIET)
def test_a_reader_that_goes_away_changes_nothing(arguments: str) -> None:
    """`| head -0` ends the output without a word, and the exit code stays what it is."""
    ended = _shell(f"exec 3>&1; {{ $OTELCTL {arguments}{_CODE}; }} | head -0", {})
    expected = 1 if REFUSED in arguments else 0
    assert (ended.stdout, ended.stderr) == (f"code {expected}\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a Linux device")
@pytest.mark.parametrize("arguments", [*QUIET, "smoke --local --format junit", "encode-auth 123456"])
def test_a_full_disk_is_told(arguments: str, gateway: Gateway) -> None:
    """Where the result cannot be written, one line says so, and the code is 3: a cut report is no healthy one."""
    token = gateway.tenants[0].token.reveal()
    ended = _shell(f"$OTELCTL {arguments} >/dev/full", {"GRAFANA_API_TOKEN": token})
    assert ended.stderr == "otelctl: the output cannot be written: No space left on device\n"
    assert ended.code == 3


def test_a_full_disk_for_messages_changes_nothing() -> None:
    """A message that cannot be written is lost, the result and the code are not."""
    assert _shell("$OTELCTL check-endpoint --nonsense 2>/dev/full", {}) == program.Result(2, "", "")
    assert _shell("$OTELCTL encode-auth me@example.com 2>/dev/full", {"GRAFANA_API_TOKEN": "x"}).code == 1


@pytest.mark.parametrize("closing", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("arguments", "code"), [("--version", 0), ("--help", 0), (QUIET[4], 1), ("--nonsense", 2)])
def test_closed_streams_change_nothing(arguments: str, code: int, closing: str) -> None:
    """With standard streams closed the code is the same, there is no traceback, and no socket takes their place."""
    ended = _shell(f"$OTELCTL {arguments} {closing}", {})
    assert ended.code == code
    assert "Traceback" not in ended.stderr
    if ">&-" in closing.split():
        assert ended.stdout == ""


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "cp1252"},
    ],
    ids=str,
)
def test_another_encoding_spoils_nothing(locale: dict[str, str], gateway: Gateway) -> None:
    """Where the encoding lacks the signs, ASCII stands for them, and every command ends as it would in UTF-8."""
    variables = {**wrong(gateway), **locale}
    for arguments, code in (
        (("check-endpoint",), 1),
        (("inspect-auth", "-v"), 1),
        (("explain", "AUTH-REVERSED"), 0),
        (("explain", "ünknöwn"), 2),
        (("send-test-span", "--service", "Müller ✓", "--header-file", "/nowhere/✗"), 2),
    ):
        ended = subprocess.run(
            [*program.COMMAND, *arguments],
            env=program.environment(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=50,
            check=False,
        )
        assert ended.returncode == code, ended
        assert ended.stderr == b"" or code == 2
        assert b"Traceback" not in ended.stderr
        text = (ended.stdout + ended.stderr).decode("latin-1")
        assert "x AUTH-REVERSED" in text or code != 1, text
        assert ended.stdout.isascii() or locale["PYTHONIOENCODING"] != "ascii"


@pytest.mark.parametrize("form", ["json", "github", "markdown"])
def test_documents_survive_another_encoding(form: str, gateway: Gateway) -> None:
    """A format for machines is what it is in UTF-8, or its escapes."""
    variables = {**wrong(gateway), "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    ended = program.run("check-endpoint", "--format", form, variables=variables)
    assert ended.code == 1
    assert "AUTH-REVERSED" in ended.stdout
    if form == "json":
        assert ended.report["primary"] == "AUTH-REVERSED"


# Terminals.


def on_terminal(
    arguments: tuple[str, ...],
    variables: Mapping[str, str],
    *,
    columns: int = 80,
    typed: Callable[[str], bytes | None] | None = None,
) -> tuple[int, str]:
    """Run a command with all streams on one terminal; return the code and what showed, the typed keys' echo too.

    `typed` is asked, with all that showed so far, what to type next.
    """
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, columns))
    process = subprocess.Popen(
        [*program.COMMAND, *arguments],
        env={**program.environment(variables), "TERM": "xterm", **variables},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    shown = b""
    end = time.monotonic() + 40
    try:
        while time.monotonic() < end:
            if select.select([leader], [], [], 0.05)[0]:
                try:
                    piece = os.read(leader, 65536)
                except OSError:
                    piece = b""
                if not piece:
                    break
                shown += piece
            keys = typed(shown.decode("utf-8", "replace")) if typed else None
            if keys is not None:
                os.write(leader, keys)
        return process.wait(10), shown.decode("utf-8", "replace")
    finally:
        process.kill()
        process.wait()
        os.close(leader)


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")


def test_a_screen_gets_colours_and_progress(gateway: Gateway) -> None:
    """On a terminal there are colours and a sign of life, wiped away; what stays begins with the cause."""
    code, shown = on_terminal(("check-endpoint",), wrong(gateway))
    assert code == 1
    assert "\x1b[1;31m" in shown
    assert "\x1b[?25l" in shown, "the cursor is hidden while something is under way"
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "and shown again"
    report = _plain(shown[shown.rindex("\x1b[?25h") :]).strip()
    assert report.startswith("✗ AUTH-REVERSED")


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_colours_can_be_turned_off(variables: dict[str, str], gateway: Gateway) -> None:
    """NO_COLOR and TERM=dumb leave the text alone; a dumb terminal gets no animation either."""
    code, shown = on_terminal(("check-endpoint",), {**wrong(gateway), **variables})
    assert code == 1
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)
    if "TERM" in variables:
        assert "\x1b" not in shown
        assert shown.startswith("✗ AUTH-REVERSED")


@pytest.mark.parametrize("columns", [1, 20, 40, 300])
def test_a_narrow_screen_breaks_nothing(columns: int, gateway: Gateway) -> None:
    """However narrow or wide a terminal is, the code, the words and the whole command are there."""
    code, shown = on_terminal(("check-endpoint",), wrong(gateway), columns=columns)
    assert code == 1
    assert 'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl inspect-auth --fix)"' in _plain(shown)


def test_the_hidden_prompt_hides() -> None:
    """The token that is typed is not echoed, and the header that it makes is right."""
    secret = tenant()
    token = secret.token.reveal()
    asked: list[str] = []

    def typed(shown: str) -> bytes | None:
        if "(not shown)" in shown and not asked:
            asked.append(shown)
            return f"{token}\n".encode()
        return None

    code, shown = on_terminal(("encode-auth", secret.instance_id, "--prompt"), {}, typed=typed)
    assert code == 0
    assert asked
    assert token not in shown
    assert f"Authorization={authorization(secret)}" in _plain(shown)


def test_the_prompts_ask_for_both_on_a_terminal() -> None:
    """With nothing given, a terminal is asked for the ID, which shows, and for the token, which does not."""
    secret = tenant()
    answers = {"Instance ID": secret.instance_id, "Token (not shown)": secret.token.reveal()}

    def typed(shown: str) -> bytes | None:
        for question in list(answers):
            if question in shown:
                return f"{answers.pop(question)}\n".encode()
        return None

    code, shown = on_terminal(("encode-auth",), {}, typed=typed)
    assert code == 0
    assert secret.token.reveal() not in shown
    assert f"Authorization={authorization(secret)}" in _plain(shown)

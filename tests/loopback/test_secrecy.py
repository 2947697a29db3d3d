"""No command shows a secret: not in a report, a file, an error, a crash, or what a server says back."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from otelctl.cli.app import COMMANDS
from otelctl.cli.options import Format
from tests.support import inprocess, program
from tests.support.inprocess import Ended
from tests.support.planted import HEADERS, INPUTS, INSTANCE, KEY, PLANTED, REVERSED, RIGHT, TOKEN, leak, leaking_files
from tests.support.servers import Scripted, http, read_request, silent

FORMATS = [one.value for one in Format]
PROBING = ("check-endpoint", "send-test-span", "smoke")
AWS = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": KEY,
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
}


def silent_about_it(ended: Ended) -> None:
    """Fail where any of the credential shows in an output."""
    for name, output in (("stdout", ended.stdout), ("stderr", ended.stderr)):
        shown = leak(output)
        assert shown is None, f"{name} shows {shown!r}:\n{output.decode('utf-8', 'replace')}"
    assert b"Traceback" not in ended.stdout + ended.stderr


# What a server makes of the Authorization that it was sent, and where it puts it.


@dataclass(frozen=True, slots=True)
class Sent:
    """What a server was sent: the request, the value of its Authorization, and the pair in it."""

    request: bytes
    value: str
    pair: str


Echo = Callable[[Sent], bytes]


def _spoken(status: str, *headers: str, text: str = "") -> Callable[[Callable[[Sent], str]], Echo]:
    def made(spell: Callable[[Sent], str]) -> Echo:
        return lambda sent: http(status, text.format(spell(sent)).encode(), *headers)

    return made


def _key(sent: Sent) -> str:
    del sent
    return KEY


def _reversed(sent: Sent) -> str:
    del sent
    return REVERSED


def _nothing(value: str) -> bytes:
    del value
    return b""


_BODY = _spoken("401 Unauthorized", "Content-Type: application/json", text='{{"status":"error","error":"for {}"}}')


def _raw(head: str, body: Callable[[str], bytes] = lambda value: value.encode()) -> Echo:
    def answer(sent: Sent) -> bytes:
        content = body(sent.value)
        return head.format(value=sent.value, length=len(content)).encode("latin-1") + b"\r\n\r\n" + content

    return answer


ECHOES: dict[str, Echo] = {
    "as it came": _BODY(lambda sent: sent.value),
    "decoded": _BODY(lambda sent: sent.pair),
    "the token alone": _BODY(lambda sent: sent.pair.partition(":")[2]),
    "the key alone": _BODY(_key),
    "turned round": _BODY(_reversed),
    "percent-encoded": _BODY(lambda sent: quote(sent.value, safe="")),
    "every byte percent-encoded": _BODY(lambda sent: "".join(f"%{byte:02x}" for byte in sent.pair.encode())),
    "base64 again": _BODY(lambda sent: base64.b64encode(sent.value.encode()).decode()),
    "base64 of most of it": _BODY(lambda sent: base64.b64encode(sent.pair[8:].encode()).decode()),
    "base64 for URLs": _BODY(lambda sent: base64.urlsafe_b64encode(sent.pair.encode()).decode()),
    "in hex": _BODY(lambda sent: sent.pair.encode().hex()),
    "escaped": _BODY(lambda sent: "".join(f"\\u{ord(char):04x}" for char in sent.pair)),
    "a piece of it": _BODY(lambda sent: sent.pair[20:40]),
    "over lines": _spoken("400 Bad Request", text="bad\n{}")(
        lambda sent: "\n".join(sent.value[start : start + 10] for start in range(0, len(sent.value), 10))
    ),
    "as HTML": _spoken("200 OK", "Content-Type: text/html", text="<html><title>{}</title></html>")(
        lambda sent: sent.value
    ),
    "as it came, 200": _spoken("200 OK", "Content-Type: text/plain", text="{}")(lambda sent: sent.value),
    "as it came, 400": _spoken("400 Bad Request", "Content-Type: text/plain", text="{}")(lambda sent: sent.value),
    "as it came, 403": _spoken("403 Forbidden", text="{}")(lambda sent: sent.value),
    "as it came, 404": _spoken("404 Not Found", text="{}")(lambda sent: sent.value),
    "as it came, 429": _spoken("429 Too Many Requests", text="{}")(lambda sent: sent.value),
    "as it came, 500": _spoken("500 Internal Server Error", text="{}")(lambda sent: sent.value),
    "partial success": _spoken(
        "200 OK",
        "Content-Type: application/json",
        text='{{"partialSuccess":{{"rejectedSpans":"1","errorMessage":"{}"}}}}',
    )(lambda sent: sent.pair),
    "a status of RPC": _spoken("400 Bad Request", "Content-Type: application/json", text='{{"code":3,"message":"{}"}}')(
        lambda sent: sent.pair
    ),
    "as the reason": _raw("HTTP/1.1 401 {value}\r\nContent-Length: {length}", _nothing),
    "as a header": _raw(
        "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm={value}\r\nServer: {value}\r\nVia: {value}\r\n"
        "Content-Type: {value}\r\nRetry-After: {value}\r\nContent-Length: {length}",
        _nothing,
    ),
    "as a location": _raw(
        "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/?next={value}\r\nContent-Length: {length}",
        _nothing,
    ),
    "as a date": _raw("HTTP/1.1 200 OK\r\nDate: {value}\r\nContent-Length: {length}", _nothing),
    "in chunks": _raw(
        "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked",
        lambda value: b"".join(b"1\r\n%c\r\n" % byte for byte in value.encode()) + b"0\r\n\r\n",
    ),
    "in broken chunks": _raw("HTTP/1.1 401 No\r\nTransfer-Encoding: chunked", lambda value: b"zz\r\n" + value.encode()),
    "compressed": _raw(
        "HTTP/1.1 401 No\r\nContent-Encoding: gzip\r\nContent-Length: {length}",
        lambda value: gzip.compress(value.encode()),
    ),
    "instead of HTTP": lambda sent: sent.value.encode() + b"\r\n",
    "the whole request": lambda sent: sent.request,
    "as a length": _raw("HTTP/1.1 200 OK\r\nContent-Length: {value}"),
}


def echoing(echo: Echo) -> Scripted:
    """Return a server that answers each request with what it was sent as Authorization, in its own way."""

    def script(conn: socket.socket, over: threading.Event) -> None:
        del over
        while request := read_request(conn):
            found = re.search(rb"(?i)^authorization: *(.*?)\r$", request, re.MULTILINE)
            value = found.group(1).decode("latin-1") if found else "none"
            try:
                pair = base64.b64decode(value.rpartition(" ")[2]).decode()
            except ValueError:
                pair = value
            conn.sendall(echo(Sent(request, value, pair)))

    return Scripted(script)


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES.keys())
def test_a_server_may_say_the_credential_back(echo: Echo) -> None:
    """However a server spells the Authorization it was sent, and wherever it puts it, no output shows any of it."""
    with echoing(echo) as server:
        url = f"http://127.0.0.1:{server.port}/otlp"
        for command, form in (("check-endpoint", "text"), ("check-endpoint", "json"), ("send-test-span", "text")):
            for headers in (HEADERS, INPUTS["reversed"]):
                ended = inprocess.run(
                    command,
                    url,
                    "--format",
                    form,
                    "--verbose",
                    "--timeout",
                    "2",
                    variables={"OTEL_EXPORTER_OTLP_HEADERS": headers},
                )
                silent_about_it(ended)
                assert ended.stdout, ended.stderr


@pytest.mark.parametrize(("command", "form"), list(itertools.product(PROBING, FORMATS)))
def test_no_format_shows_what_a_server_says_back(command: str, form: str, tmp_path: Path) -> None:
    """Every format keeps the credential out of all that it writes, with the summary and the JUnit file of a CI run."""
    summary, junit = tmp_path / "summary.md", tmp_path / "report.xml"
    extra = ("--junit", str(junit)) if command == "smoke" else ()
    ci = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "FORCE_COLOR": "1"}
    for echo in (ECHOES["as it came"], ECHOES["partial success"], ECHOES["as a location"]):
        with echoing(echo) as server:
            url = f"http://127.0.0.1:{server.port}/otlp"
            for given in (PLANTED, {"OTEL_EXPORTER_OTLP_HEADERS": INPUTS["encoded twice"]}):
                ended = inprocess.run(command, url, "--format", form, "-v", *extra, variables={**given, **ci})
                silent_about_it(ended)
                if form == "json":
                    json.loads(ended.stdout)
    assert leaking_files(tmp_path) == []
    assert not extra or (summary.exists() and junit.exists())


# What the user holds, wherever it is.


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("text", INPUTS.values(), ids=INPUTS.keys())
def test_inspect_auth_says_all_but_the_secret(text: str, form: str, tmp_path: Path) -> None:
    """Whatever form the header is in, and wherever it comes from, inspect-auth shows none of it in any format."""
    file, env_file = tmp_path / "header", tmp_path / ".env"
    file.write_text(text)
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    env_file.write_text(f'OTEL_EXPORTER_OTLP_HEADERS="{quoted}"\n')
    url = "https://otlp-gateway-prod-us-east-0.grafana.net/otlp"
    for arguments, stdin, variables in (
        ((), text.encode(), {}),
        ((), b"", {"OTEL_EXPORTER_OTLP_HEADERS": text}),
        (("--header-file", str(file), "--endpoint", url), b"", {}),
        (("--env-file", str(env_file), "--sdk", "python@1.20"), b"", {}),
    ):
        ended = inprocess.run("inspect-auth", "--format", form, "-v", *arguments, variables=variables, stdin=stdin)
        silent_about_it(ended)
        assert ended.code in (0, 1)
        assert ended.stdout or form == "github", "only annotations may be none"


@pytest.mark.parametrize("text", INPUTS.values(), ids=INPUTS.keys())
def test_show_settings_masks_what_it_shows(text: str) -> None:
    """--show-settings shows each setting with its source, and the headers as a mask."""
    ended = inprocess.run(
        "check-endpoint",
        "--show-settings",
        variables={
            "OTEL_EXPORTER_OTLP_HEADERS": text,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{KEY}:{TOKEN}@127.0.0.1:1",
        },
    )
    silent_about_it(ended)
    assert "OTEL_EXPORTER_OTLP_HEADERS" in ended.stdout.decode()


def test_encode_auth_prints_the_header_and_says_nothing_else_of_it(tmp_path: Path) -> None:
    """On standard output the header, in any form; on standard error, refused or put right, none of it."""
    swapped = tmp_path / "swapped"
    swapped.write_text(INSTANCE)
    ended = inprocess.run("encode-auth", INSTANCE, variables=PLANTED)
    assert ended == Ended(0, f"{HEADERS}\n".encode(), b"")
    for arguments, stdin, variables in (
        ((TOKEN, "--token-file", str(swapped)), b"", {}),
        ((INSTANCE,), f"  '{TOKEN}' \n".encode(), {}),
        (("--strict", TOKEN, "--token-file", str(swapped)), b"", {}),
        ((INSTANCE,), TOKEN[:-12].encode(), {}),
        ((INSTANCE,), f"glsa_{KEY}".encode(), {}),
        ((INSTANCE,), KEY.encode(), {}),
        (("me@example.com",), TOKEN.encode(), {}),
        ((f"{INSTANCE}:{TOKEN}",), TOKEN.encode(), {}),
        ((INSTANCE,), HEADERS.encode(), {}),
        ((INSTANCE,), RIGHT.encode(), {}),
    ):
        ended = inprocess.run("encode-auth", *arguments, variables=variables, stdin=stdin)
        silent_about_it(Ended(ended.code, b"", ended.stderr))
        if ended.code:
            assert ended.stdout == b""
        else:
            assert ended.stdout == f"{HEADERS}\n".encode()


def test_mending_a_header_shows_it_on_standard_output_alone() -> None:
    """`inspect-auth --fix` prints the mended header where it can be mended, and else nothing of it anywhere."""
    for text in INPUTS.values():
        ended = inprocess.run("inspect-auth", "--fix", stdin=text.encode())
        silent_about_it(Ended(ended.code, b"" if ended.code == 0 else ended.stdout, ended.stderr))


# Where it has no business: in the arguments.


def _parameters(command: str) -> Iterator[list[str]]:
    """Yield for each parameter of a command the arguments that put something into it, `{}` for the something."""
    from otelctl.cli.app import build  # noqa: PLC0415 - the group is made once for all cases

    group = build()
    found = group.get_command(None, command)
    for parameter in found.params:
        if parameter.param_type_name == "argument":
            yield ["{}"]
        elif not parameter.is_flag:
            yield [parameter.opts[0], "{}"]
            yield [f"{parameter.opts[0]}={{}}"]
    yield from (["--{}"], ["--unknown={}"], ["-{}"], ["--format", "{}"], ["--format", "json", "--unknown={}"])
    yield ["one", "two", "{}", "--unknown"]


MISPLACED = {
    "token": TOKEN,
    "header": HEADERS,
    "reversed": REVERSED,
    "percent-encoded": INPUTS["percent-encoded"],
    "as JSON": json.dumps({"token": TOKEN}),
    "bearer": f"Bearer {TOKEN}",
    "in a URL": f"http://{INSTANCE}:{TOKEN}@127.0.0.1:1/{TOKEN}/?token={TOKEN}#{REVERSED}",
    "in a path": f"/nowhere/{TOKEN}",
}


@pytest.mark.parametrize(("command", "text"), list(itertools.product(COMMANDS, MISPLACED)))
def test_a_credential_given_as_an_argument_is_not_repeated(
    command: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given where an option, its value or an argument is expected, the credential is in no error and no report."""
    monkeypatch.chdir(tmp_path)  # where it names a file to write
    for shape in _parameters(command):
        arguments = [one.replace("{}", MISPLACED[text]) for one in shape]
        bounded = ("--timeout", "1") if command in (*PROBING, "push-secret") and "--timeout" not in shape[0] else ()
        local = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", **AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
        ended = inprocess.run(command, *bounded, *arguments, variables=local)
        silent_about_it(ended)


@pytest.mark.parametrize("text", MISPLACED)
def test_a_credential_in_place_of_a_command_is_not_repeated(text: str) -> None:
    """Given where the command is expected, in text and in JSON."""
    for arguments in ([MISPLACED[text]], ["--format", "json", MISPLACED[text]], [f"--{MISPLACED[text]}"]):
        silent_about_it(inprocess.run(*arguments))


def test_a_known_credential_is_known_in_arguments_too() -> None:
    """What a variable holds is masked in an error, even where its spelling there looks like nothing."""
    for spelling in (KEY, TOKEN.encode().hex(), base64.b64encode(RIGHT.encode()).decode()):
        ended = inprocess.run("check-endpoint", "--timeout", spelling, variables=PLANTED)
        silent_about_it(ended)
        assert ended.code == 2


# Stores.


class _Kept(KeyringBackend):
    """A keyring in memory, that can be told to fail with what it holds in its message."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[str, str] = {}
        self.failing = False

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept."""
        if self.failing:
            raise keyring.errors.KeyringError(f"cannot unlock {self.kept} with {TOKEN}")
        return self.kept.get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        if self.failing:
            raise keyring.errors.PasswordSetError(f"cannot keep {password}")
        self.kept[f"{service} {username}"] = password


@pytest.fixture
def kept() -> Iterator[_Kept]:
    """Return a keyring in place of the system's."""
    before = keyring.get_keyring()
    ours = _Kept()
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


def test_the_keyring_gives_nothing_away(kept: _Kept) -> None:
    """Saving, using and failing to reach a credential in the keyring shows none of it."""
    saved = inprocess.run("encode-auth", INSTANCE, "--keyring", "work", "--save", variables=PLANTED)
    assert saved.code == 0
    silent_about_it(Ended(0, b"", saved.stderr))
    assert leak(str(kept.kept))
    with echoing(ECHOES["as it came"]) as server:
        url = f"http://127.0.0.1:{server.port}/otlp"
        for arguments in (("inspect-auth", "-v"), ("check-endpoint", url, "-v"), ("smoke", url, "--format", "json")):
            ended = inprocess.run(*arguments, "--keyring", "work")
            silent_about_it(ended)
            assert ended.code in (0, 1)
            assert b"planted" in ended.stdout
    kept.failing = True
    for line in ("inspect-auth", f"encode-auth {INSTANCE} --save", "check-endpoint http://127.0.0.1:1"):
        ended = inprocess.run(*line.split(), "--keyring", "work", variables=PLANTED)
        silent_about_it(ended)
        assert ended.code == 2


def _secrets_manager(stored: str) -> Scripted:
    """Return a Secrets Manager that holds one secret, and refuses every change with all that it was sent."""

    def script(conn: socket.socket, over: threading.Event) -> None:
        del over
        while request := read_request(conn):
            head, _, body = request.partition(b"\r\n\r\n")
            if b"secretsmanager.GetSecretValue" in head:
                document = {"ARN": "arn:x", "Name": "app", "VersionId": "v1" * 16, "VersionStages": ["AWSCURRENT"]}
                answer, status = {**document, "SecretString": stored}, "200 OK"
            else:
                message = f"{body.decode()} {request.decode('latin-1')}"
                answer, status = {"__type": "InvalidParameterException", "message": message}, "400 Bad Request"
            conn.sendall(http(status, json.dumps(answer).encode(), "Content-Type: application/x-amz-json-1.1"))

    return Scripted(script)


@pytest.mark.parametrize("form", FORMATS)
def test_a_secret_store_gives_nothing_away(form: str) -> None:
    """Read with --from-secret, planned, refused by the store with the value in its message: nothing shows."""
    stored = json.dumps(
        {"DATABASE_URL": f"postgres://app:{KEY}@db/shop", "otel_exporter_otlp_headers": INPUTS["reversed"]}
    )
    with _secrets_manager(stored) as store:
        variables = {**AWS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store.port}"}
        local = {**PLANTED, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
        for arguments, given in (
            (("inspect-auth", "--from-secret", "app"), {}),
            (("inspect-auth", "--from-secret", "app#DATABASE_URL"), {}),
            (("check-endpoint", "http://127.0.0.1:1", "--from-secret", "app"), {}),
            (("push-secret", "--secret-id", "app", "--no-check", "--dry-run"), local),
            (("push-secret", "--secret-id", "app", "--no-check", "--yes"), local),
            (("push-secret", "--secret-id", "app", "--no-check"), local),
        ):
            ended = inprocess.run(*arguments, "--format", form, "-v", variables={**variables, **given})
            silent_about_it(ended)
            assert ended.code in (0, 1, 2), ended


# Crashes, files, processes.

_SABOTAGE = """
import json, os, socket, sys
planted = os.environ.get("PLANTED", "")
class Broken(Exception):
    def __repr__(self):
        return "Broken(%r)" % (planted,)
def broken(*arguments, **named):
    raise Broken("no luck with %s and %s and %r" % (planted, planted.encode().hex(), arguments))
import typer
if os.environ["SABOTAGE"] == "reading":
    import otelctl.credential
    otelctl.credential.read_header = otelctl.credential.read_token = broken
elif os.environ["SABOTAGE"] == "connecting":
    socket.socket.connect = broken
elif os.environ["SABOTAGE"] == "looking up":
    socket.getaddrinfo = broken
elif os.environ["SABOTAGE"] == "writing":
    import otelctl.render.text
    otelctl.render.text.lines = broken
elif os.environ["SABOTAGE"] == "redacting":
    json.loads = broken
"""


def sabotaged(sabotage: str, arguments: tuple[str, ...], folder: Path) -> program.Result:
    """Run a command in which one thing raises an exception that holds the credential."""
    (folder / "sitecustomize.py").write_text(_SABOTAGE)
    variables = {"PYTHONPATH": f"{folder}{os.pathsep}{program.ROOT}", "SABOTAGE": sabotage, "PLANTED": TOKEN}
    ended = program.run(*arguments, variables={**PLANTED, "OTEL_EXPORTER_OTLP_HEADERS": HEADERS, **variables})
    for output in (ended.stdout, ended.stderr):
        assert leak(output) is None, output
        assert "Traceback" not in output
    return ended


@pytest.mark.parametrize(
    ("sabotage", "arguments"),
    [
        ("reading", ("inspect-auth",)),
        ("reading", ("encode-auth", INSTANCE)),
        ("connecting", ("check-endpoint", "http://127.0.0.1:1", "-v")),
        ("connecting", ("smoke", "http://127.0.0.1:1", "--format", "json")),
        ("writing", ("inspect-auth",)),
        ("writing", ("check-endpoint", "http://127.0.0.1:1")),
    ],
)
def test_a_crash_shows_nothing(sabotage: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    """A mistake of ours whose exception holds the credential ends with 3, in a line or a report without any of it."""
    ended = sabotaged(sabotage, arguments, tmp_path)
    assert ended.code == 3, ended
    assert "INTERNAL-CRASH" in ended.stdout + ended.stderr
    assert "no luck with" in ended.stdout + ended.stderr


def test_a_crash_in_a_thread_shows_nothing(tmp_path: Path) -> None:
    """What the resolver's thread leaves unhandled is not printed on its way out."""
    ended = sabotaged("looking up", ("check-endpoint", "http://127.0.0.1:1", "--timeout", "1"), tmp_path)
    assert ended.code in (1, 3)
    assert ended.stderr == ""


def test_a_crash_of_the_redaction_shows_nothing(tmp_path: Path) -> None:
    """Where not even the crash can be told safely, one line names its kind alone."""
    ended = sabotaged("redacting", ("inspect-auth",), tmp_path)
    assert ended == program.Result(3, "", "otelctl: INTERNAL-CRASH: otelctl itself failed here: Broken\n")


def test_nothing_is_left_in_a_file(tmp_path: Path) -> None:
    """Home, temporary and working directory hold nothing of the credential after the commands have run."""
    places = {name: tmp_path / name for name in ("home", "tmp", "cwd")}
    for place in places.values():
        place.mkdir()
    with echoing(ECHOES["as it came"]) as server:
        url = f"http://127.0.0.1:{server.port}/otlp"
        variables = {**PLANTED, "HOME": str(places["home"]), "TMPDIR": str(places["tmp"])}
        for arguments in (
            ("encode-auth", INSTANCE),
            ("check-endpoint", url),
            ("smoke", url, "--junit", "report.xml"),
            ("smoke", "--local", "--junit", "local.xml"),
        ):
            program.run(*arguments, variables=variables, cwd=places["cwd"])
    assert leaking_files(tmp_path) == []
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["local.xml", "report.xml"]


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="reads the process list from /proc")
def test_the_process_list_shows_nothing(tmp_path: Path) -> None:
    """While a request is under way, no command line and no environment of otelctl or a child of it holds the token."""
    header = tmp_path / "header"
    header.write_text(HEADERS)
    with Scripted(silent) as server:
        process = subprocess.Popen(
            [*program.COMMAND, "check-endpoint", f"http://127.0.0.1:{server.port}", "--header-file", str(header)],
            env=program.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(500):
                if server.connections:
                    break
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.02)
            assert server.connections
            family = [process.pid, *_descendants(process.pid)]
            seen = [Path(f"/proc/{pid}/{what}").read_bytes() for pid in family for what in ("cmdline", "environ")]
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert any(b"check-endpoint" in one for one in seen)
    assert [leak(one.replace(b"\0", b" ")) for one in seen] == [None] * len(seen)


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from _descendants(int(child))


def test_the_leak_is_found() -> None:
    """The detector itself finds the credential in each spelling, coloured and wrapped too, and no other text."""
    assert leak("the instance ID 1048576, token planted, region prod-eu-west-2, Authorization=Basic ••••") is None
    for text in (TOKEN, RIGHT, REVERSED, quote(RIGHT), KEY, TOKEN.encode().hex(), RIGHT[30:44]):
        assert leak(f"before {text} after")
        assert leak(f"before {text[:20]}\n   {text[20:]} after".encode())
    assert leak(f"\x1b[1m{TOKEN[:8]}\x1b[0m{TOKEN[8:]}")

"""`find-trace` and `--verify` as a user runs them: against recorded bytes over sockets, and the embedded gateway."""

from __future__ import annotations

import json
import re
import shlex
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from otelctl import otlp
from otelctl.gateway import Gateway, Tenant
from otelctl.otlp import decode_request
from otelctl.settings import Protocol, Signal
from tests.support import backend
from tests.support.backend import CHILD, MISSING, ROOT, TRACE, serving
from tests.support.gateway import authorization, send, tenant
from tests.support.program import Result, run, run_line, sending
from tests.support.servers import Scripted, dripping, flooding, hanging_up, read_request, silent

TEMPO = backend.tempo()


def find(url: str, *more: str, trace_id: str = TRACE, option: str = "--tempo-url", **variables: str) -> Result:
    """Run find-trace with a report in JSON."""
    arguments = (trace_id, option, url, "--timeout", "2", "--within", "0", *more, "--format", "json")
    return run("find-trace", *arguments, variables=variables)


@pytest.fixture
def recorded() -> Iterator[str]:
    """A Tempo that answers with the bytes that were recorded."""
    with Scripted(serving(TEMPO)) as server:
        yield f"http://127.0.0.1:{server.port}"


def test_the_recorded_trace_is_found_and_drawn(recorded: str) -> None:
    """Tempo's own bytes are a trace that is there and whole, drawn below its facts, within 80 columns."""
    shown = run("find-trace", TRACE, "--tempo-url", recorded)
    assert shown.code == 0, shown.stdout + shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("✓ ")
    assert re.search(r"^    GET /v1/x +154 ms  █{20}$", shown.stdout, re.MULTILINE)
    assert re.search(r"^      SELECT +150 ms  █+$", shown.stdout, re.MULTILINE)
    drawn = [line for line in lines if "█" in line]
    assert max(map(len, drawn)) <= 80


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_json_has_the_trace_as_otlp(version: str) -> None:
    """The report's `trace` is OTLP JSON that an OTLP decoder reads, whichever version of the API gave it."""
    hidden = f"/api/v2/traces/{TRACE}" if version == "v1" else ""
    with Scripted(serving({path: said for path, said in TEMPO.items() if path != hidden})) as server:
        result = find(f"http://127.0.0.1:{server.port}/")
    assert result.code == 0, result.stdout
    body = json.dumps(result.report["trace"]).encode()
    request = decode_request(Signal.TRACES, otlp.content_type(Protocol.HTTP_JSON), body)
    assert {span.span_id.hex() for _, span in otlp.iter_spans(request)} == {ROOT, CHILD}
    assert result.report["facts"]["spans"] == "2"


def test_a_trace_that_is_not_there_is_waited_for(recorded: str) -> None:
    """An absent trace is asked for until --within is over, and not much longer."""
    began = time.monotonic()
    result = run("find-trace", MISSING, "--tempo-url", recorded, "--within", "1.5", "--format", "json")
    assert (result.code, result.found) == (1, ["TRACE-ABSENT"])
    assert 1.5 <= time.monotonic() - began < 6
    assert "trace" not in result.report


def test_leading_zeros_are_put_back(recorded: str) -> None:
    """A short ID, as Tempo's search prints it, is the ID padded to 32 digits."""
    assert find(recorded, trace_id="1").found == ["TRACE-ABSENT"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("xyz", "--tempo-url", "http://127.0.0.1:1"), "hex"),
        (("0", "--tempo-url", "http://127.0.0.1:1"), "zeros"),
        ((TRACE,), "GRAFANA_TEMPO_URL"),
        ((TRACE, "--tempo-url", "http://127.0.0.1:1", "--jaeger-url", "http://127.0.0.1:1"), "exclude"),
        ((TRACE, "--tempo-url", "http://127.0.0.1:1", "--tempo-user", "1"), "GRAFANA_TEMPO_TOKEN"),
        ((TRACE, "--jaeger-url", "http://127.0.0.1:1", "--tempo-user", "1"), "--backend-header-file"),
        ((TRACE, "--tempo-url", "http://127.0.0.1:1", "--within", "soon"), "--within"),
        ((TRACE, "--tempo-url", "http://127.0.0.1:1", "--tenant", "a\nb"), "--tenant"),
    ],
)
def test_wrong_use_is_one_line(arguments: tuple[str, ...], word: str) -> None:
    """Wrong use ends with 2, nothing on standard output, and one line that says what to do."""
    result = run("find-trace", *arguments)
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert word in result.stderr


@pytest.mark.parametrize("form", ["text", "json", "junit", "github", "markdown"])
def test_every_format_has_the_same_exit_code(recorded: str, form: str) -> None:
    """Found gives 0 and absent 1, whatever the format."""
    for trace_id, code in ((TRACE, 0), (MISSING, 1)):
        result = run("find-trace", trace_id, "--tempo-url", recorded, "--within", "0", "--format", form)
        assert result.code == code, result.stdout + result.stderr
        assert result.stdout or (form, code) == ("github", 0)


@pytest.fixture
def stack() -> Tenant:
    """A stack whose token may write and read."""
    return tenant()


@pytest.fixture
def gateway(stack: Tenant) -> Iterator[Gateway]:
    """The embedded gateway with that stack."""
    with Gateway([stack]) as running:
        yield running
        assert not running.crashes


def reading(stack: Tenant) -> dict[str, str]:
    """Return the variables of a credential for reading."""
    return {"GRAFANA_TEMPO_USER": stack.instance_id, "GRAFANA_TEMPO_TOKEN": stack.token.reveal()}


@pytest.mark.parametrize("command", ["send-test-span", "smoke"])
def test_what_was_sent_is_proven(gateway: Gateway, stack: Tenant, command: str) -> None:
    """--verify finds every span that was accepted, by its ID, says how long that took, and shows the trace."""
    variables = {**sending(authorization(stack)), **reading(stack), "GRAFANA_TEMPO_URL": gateway.tempo_url}
    result = run(command, gateway.url, "--verify", "--format", "json", variables=variables)
    assert (result.code, result.found) == (0, []), result.stdout
    assert result.check("whole")["detail"] == "all 2 spans that were sent are there"
    assert re.fullmatch(r"\d+\.\d{3} s", result.report["facts"]["visible_after"])
    assert result.report["facts"]["trace_id"] in json.dumps(result.report["trace"])


def test_accepted_and_not_landed(gateway: Gateway, stack: Tenant) -> None:
    """Where the spans were accepted and the backend is another, that is TRACE-NOT-FOUND, and its advice can be run."""
    variables = sending(authorization(stack))
    with Scripted(serving({path: TEMPO[path] for path in ("/api/echo",)})) as other:
        url = f"http://127.0.0.1:{other.port}"
        options = ("--verify", "--tempo-url", url, "--within", "1", "--tenant", "team-a", "--format", "json")
        result = run("send-test-span", gateway.url, *options, variables=variables)
        assert (result.code, result.found) == (1, ["TRACE-NOT-FOUND"])
        trace_id = result.report["facts"]["trace_id"]
        command = result.finding("TRACE-NOT-FOUND")["fix"][0]["command"]
        assert shlex.split(command) == shlex.split(
            f"otelctl find-trace {trace_id} --tempo-url {url} --within 300 --tenant team-a"
        )


def test_a_refused_span_is_not_looked_for(gateway: Gateway) -> None:
    """Where the endpoint refuses, the backend is not asked."""
    with Scripted(serving(TEMPO)) as server:
        url = f"http://127.0.0.1:{server.port}"
        result = run("send-test-span", gateway.url, "--verify", "--tempo-url", url, "--format", "json")
        assert server.connections == 0
    assert result.code == 1
    assert "query" not in [check["id"] for check in result.report["checks"]]


def test_a_write_only_token_is_not_an_absence(stack: Tenant) -> None:
    """A token without traces:read is told as that, and its text is nowhere in the output."""
    blind = Tenant(stack.instance_id, stack.token, stack.scopes, frozenset())
    with Gateway([blind]) as running:
        for form in ("text", "json", "junit", "github", "markdown"):
            arguments = ("find-trace", TRACE, "--tempo-url", running.tempo_url, "--format", form, "--verbose")
            result = run(*arguments, variables=reading(stack))
            assert result.code == 1
            assert "TRACE-READ-SCOPE" in result.stdout
            assert stack.token.reveal() not in result.stdout + result.stderr
            assert authorization(stack).split()[1] not in result.stdout + result.stderr


def test_the_advised_command_finds_it(gateway: Gateway, stack: Tenant) -> None:
    """Without /tempo in the URL the path is settled, and the command that is advised finds the trace."""
    variables = {**sending(authorization(stack)), **reading(stack)}
    sent = run("send-test-span", gateway.url, "--format", "json", variables=variables).report["facts"]["trace_id"]
    wrong = gateway.tempo_url.removesuffix("/tempo")
    result = run("find-trace", sent, "--tempo-url", wrong, "--format", "json", variables=variables)
    assert result.found == ["TRACE-URL-PATH"]
    again = run_line(result.finding("TRACE-URL-PATH")["fix"][0]["command"], variables=variables)
    assert again.code == 0, again.stdout


def test_the_read_side_is_tempo_s(gateway: Gateway, stack: Tenant) -> None:
    """The gateway's read side answers as Tempo was recorded to, byte for byte where nothing is found."""
    headers = {"Authorization": authorization(stack)}
    for path in (f"/api/traces/{MISSING}", f"/api/v2/traces/{MISSING}", "/api/traces/xyz", "/api/echo"):
        said = send(gateway.port, f"/tempo{path}", headers=headers, body=b"", method="GET")
        assert (said.status, said.body) == (TEMPO[path].answer.status, TEMPO[path].body)
    other = send(gateway.port, "/tempo/api/echo", headers={}, body=b"", method="GET")
    assert other.status == 401


def test_traces_of_another_stack_are_not_shown(stack: Tenant) -> None:
    """A stack reads its own traces alone."""
    other = tenant()
    with Gateway([stack, other]) as running:
        made = run("send-test-span", running.url, "--format", "json", variables=sending(authorization(stack)))
        trace_id = made.report["facts"]["trace_id"]
        assert find(running.tempo_url, trace_id=trace_id, **reading(stack)).code == 0
        assert find(running.tempo_url, trace_id=trace_id, **reading(other)).found == ["TRACE-ABSENT"]


def test_a_traceparent_goes_from_script_to_script(gateway: Gateway, stack: Tenant, tmp_path: Path) -> None:
    """--print-traceparent prints it alone, and --traceparent-file hands it on: the second run continues the trace."""
    variables = {**sending(authorization(stack)), **reading(stack)}
    file = tmp_path / "traceparent"
    first, second = (
        run("send-test-span", gateway.url, "--traceparent-file", file, "--print-traceparent", variables=variables)
        for _ in range(2)
    )
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01\n", first.stdout)
    assert "✓" in first.stderr
    assert second.stdout != first.stdout
    assert second.stdout.split("-")[1] == first.stdout.split("-")[1]
    assert file.read_text() == second.stdout
    found = find(gateway.tempo_url, trace_id=second.stdout.strip(), **reading(stack))
    assert (found.code, found.report["facts"]["spans"]) == (0, "4")


def test_a_file_that_names_no_trace_sends_nothing(gateway: Gateway, tmp_path: Path) -> None:
    """A traceparent file with something else in it is left alone, and nothing is sent."""
    file = tmp_path / "notes.txt"
    file.write_text("precious\n")
    result = run("send-test-span", gateway.url, "--traceparent-file", file)
    assert (result.code, result.stdout) == (2, "")
    assert file.read_text() == "precious\n"
    assert gateway.received == ()


HOSTILE_NAME = "\x1b]0;owned\x07\u202e ✓ 9 checks passed\r\n::error::x [red]" + "A" * 100_000


def test_hostile_names_do_no_harm() -> None:
    """Names that steer terminals, imitate our lines or are endless stay in their column, on one line."""
    document = json.loads(TEMPO[f"/api/v2/traces/{TRACE}"].body)
    for resource in document["trace"]["resourceSpans"]:
        resource["resource"]["attributes"] = [{"key": "service.name", "value": {"stringValue": HOSTILE_NAME + "s"}}]
        resource["scopeSpans"][0]["spans"][0]["name"] = HOSTILE_NAME
    said = backend.answer(200, json.dumps(document).encode())
    with Scripted(serving({f"/api/v2/traces/{TRACE}": said})) as server:
        result = run("find-trace", TRACE, "--tempo-url", f"http://127.0.0.1:{server.port}")
    assert result.code == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", result.stdout)
    assert "\n::" not in result.stdout
    assert len(result.stdout) < 5000


@pytest.mark.parametrize(
    ("script", "codes"),
    [
        (silent, ["NET-TIMEOUT-ANSWER"]),
        (hanging_up, ["NET-ANSWER-CUT", "NET-RESET"]),
        (flooding(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", iter(lambda: b'{"trace":' * 8000, b"")),
         ["TRACE-ANSWER-UNREADABLE"]),
        (dripping(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", iter(lambda: b"{", b""), 0.05),
         ["NET-TIMEOUT-BODY"]),
        (flooding(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", [b'{"trace":' + b"[" * 200_000]),
         ["TRACE-ANSWER-UNREADABLE", "TRACE-URL-OTHER", "TRACE-URL-UI"]),
    ],
    ids=["silent", "hanging up", "endless", "dripping", "nested"],
)  # fmt: skip
def test_hostile_backends_are_bounded(script: object, codes: list[str]) -> None:
    """A backend that never ends, never answers or nests without end costs seconds, and is told as what it is."""
    began = time.monotonic()
    with Scripted(script) as server:  # type: ignore[arg-type]
        result = find(f"http://127.0.0.1:{server.port}")
    assert result.code in (1, 3), result.stdout
    assert result.found, result.stdout
    assert set(result.found) <= set(codes)
    assert time.monotonic() - began < 20


def test_a_slow_backend_is_asked_until_it_has_all() -> None:
    """Spans that become visible one after the other are waited for, and the delay is measured."""
    whole = TEMPO[f"/api/v2/traces/{TRACE}"]
    half = json.loads(whole.body)
    del half["trace"]["resourceSpans"][1]
    turns = iter([TEMPO[f"/api/v2/traces/{MISSING}"], backend.answer(200, json.dumps(half).encode()), whole])
    lock = threading.Lock()

    def script(conn: object, over: threading.Event) -> None:  # noqa: ARG001 - the form of a script
        request = read_request(conn)  # type: ignore[arg-type]
        with lock:
            said = next(turns) if request else None
        if said is not None:
            conn.sendall(said.wire)  # type: ignore[attr-defined]

    with Scripted(script) as server:
        result = run(
            "find-trace", TRACE, "--tempo-url", f"http://127.0.0.1:{server.port}", "--within", "20", "--format", "json"
        )
    assert (result.code, result.found) == (0, [])
    assert result.report["facts"]["spans"] == "2"


def test_what_was_learned_as_secret_is_masked_in_the_trace(gateway: Gateway, stack: Tenant) -> None:
    """A token that an application put into an attribute is masked in the trace that is shown."""
    variables = {**sending(authorization(stack)), **reading(stack)}
    attribute = f"leak={stack.token.reveal()}"
    made = run("send-test-span", gateway.url, "--attribute", attribute, "--format", "json", variables=variables)
    found = find(gateway.tempo_url, trace_id=made.report["facts"]["trace_id"], **reading(stack))
    assert found.code == 0
    assert stack.token.reveal() not in found.stdout
    assert json.dumps("••••")[1:-1] in found.stdout

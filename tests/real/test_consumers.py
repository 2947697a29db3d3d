"""Each form that encode-auth prints, read by the program that it is for: what reaches the wire is what was meant."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values

from otelctl.gateway import Gateway, Tenant
from otelctl.secret import Secret
from otelctl.settings import Signal
from tests.support.gateway import authorization, tenant
from tests.support.parts import missing, program
from tests.support.program import Result, environment, run, run_line
from tests.support.servers import Scripted, http, read_request

HEADERS, ENDPOINT = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT"

INVENTED = tenant()
# base64 of the pair ends in no, one and two signs of padding.
STACKS = [Tenant(INVENTED.instance_id[:length], INVENTED.token, frozenset(Signal)) for length in (4, 5, 6)]
PADDINGS = pytest.mark.parametrize("stack", STACKS, ids=["four digits", "five digits", "six digits"])

APPLICATION = f"exec '{sys.executable}' -m tests.support.application"
"""The line of a shell that starts an application with the SDK, set up by the shell's variables."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that knows the stacks, and has met no bug of its own when the test is over."""
    with Gateway(STACKS) as running:
        yield running
    assert running.crashes == ()


def encode(stack: Tenant, form: str) -> Result:
    """Run encode-auth for a stack."""
    result = run("encode-auth", stack.instance_id, "--as", form, variables={"GRAFANA_API_TOKEN": stack.token.reveal()})
    assert (result.code, result.stderr) == (0, "")
    return result


def on_the_wire(gateway: Gateway) -> set[str]:
    """Return each different Authorization that came, all of them accepted."""
    assert gateway.received
    assert {one.status for one in gateway.received} == {200}
    values = [one.header("authorization") for one in gateway.received]
    return {value.reveal() if isinstance(value, Secret) else value for value in values}


def token_of(stack: Tenant) -> dict[str, str]:
    """Return the variable that encode-auth takes the token from."""
    return {"GRAFANA_API_TOKEN": stack.token.reveal()}


# Shells


def shell_at_hand(name: str) -> str:
    """Return a shell; without it the test is skipped, or fails where every real part must be there."""
    return shutil.which(name) or missing(f"{name} is not installed")


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "zsh", "ksh"])
@PADDINGS
def test_a_shell_evaluates_what_is_for_shells(gateway: Gateway, stack: Tenant, shell: str) -> None:
    """`eval` of the form for shells exports the variable, and the SDK of a program started next sends it as meant."""
    line = f"""
        set -eu
        eval "$(otelctl encode-auth {stack.instance_id} --as shell)"
        unset GRAFANA_API_TOKEN
        {APPLICATION}
    """
    variables = {ENDPOINT: gateway.url, **token_of(stack)}
    result = run_line(line, variables=variables, shell=shell_at_hand(shell))
    assert (result.code, result.stdout, result.stderr) == (0, "", "")
    assert on_the_wire(gateway) == {authorization(stack)}


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "zsh", "ksh"])
def test_a_shell_sources_it_from_a_file(gateway: Gateway, tmp_path: Path, shell: str) -> None:
    """The form for shells can stand in a file that is sourced, before other lines."""
    stack, file = STACKS[1], tmp_path / "environment"
    file.write_text(encode(stack, "shell").stdout + "export AFTER=1\n")
    line = f". '{file}' && test \"$AFTER\" = 1 && {APPLICATION}"
    result = run_line(line, variables={ENDPOINT: gateway.url}, shell=shell_at_hand(shell))
    assert (result.code, result.stderr) == (0, "")
    assert on_the_wire(gateway) == {authorization(stack)}


@pytest.mark.parametrize("form", ["otlp-headers", "percent-encoded"])
def test_a_shell_takes_the_plain_form_by_substitution(gateway: Gateway, form: str) -> None:
    """`export …="$(otelctl encode-auth …)"`, as findings advise it, sets the variable that the SDK reads as meant."""
    line = f"""
        export {HEADERS}="$(otelctl encode-auth {STACKS[0].instance_id} --as {form})" || exit
        {APPLICATION}
    """
    result = run_line(line, variables={ENDPOINT: gateway.url, **token_of(STACKS[0])})
    assert (result.code, result.stderr) == (0, "")
    assert on_the_wire(gateway) == {authorization(STACKS[0])}


# No package of Debian's brings PowerShell, so not even CI asks for it.
@pytest.mark.skipif(shutil.which("pwsh") is None, reason="pwsh is not installed, and is not to be had from Debian")
@PADDINGS
def test_powershell_evaluates_what_is_for_powershell(gateway: Gateway, stack: Tenant, tmp_path: Path) -> None:
    """PowerShell sets the variable from the form for it, and the SDK of a program started next sends it as meant."""
    file = tmp_path / "environment.ps1"
    file.write_text(encode(stack, "powershell").stdout)
    command = f". '{file}'; & '{sys.executable}' -m tests.support.application; exit $LASTEXITCODE"
    ended = subprocess.run(
        ["pwsh", "-NoProfile", "-NonInteractive", "-Command", command],
        env={**environment({ENDPOINT: gateway.url}), "HOME": str(tmp_path)},
        capture_output=True,
        timeout=50,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert on_the_wire(gateway) == {authorization(stack)}


# Files


@PADDINGS
def test_python_dotenv_reads_what_is_for_env_files(gateway: Gateway, stack: Tenant, tmp_path: Path) -> None:
    """python-dotenv reads the line among others, and an SDK with that variable sends it as meant."""
    file = tmp_path / ".env"
    file.write_text(f"# credentials\nBEFORE=1\n{encode(stack, 'dotenv').stdout}AFTER=2\n")
    values = {name: value for name, value in dotenv_values(file).items() if value is not None}
    assert (set(values), values["AFTER"]) == ({"BEFORE", HEADERS, "AFTER"}, "2")
    assert run_line(APPLICATION, variables={ENDPOINT: gateway.url, HEADERS: values[HEADERS]}).code == 0
    assert on_the_wire(gateway) == {authorization(stack)}


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
def test_a_shell_reads_what_is_for_env_files_too(gateway: Gateway, tmp_path: Path, shell: str) -> None:
    """Many source a .env file with `set -a`: the line means the same there."""
    file = tmp_path / ".env"
    file.write_text(encode(STACKS[2], "dotenv").stdout)
    line = f"set -a; . '{file}'; set +a; {APPLICATION}"
    assert run_line(line, variables={ENDPOINT: gateway.url}, shell=shell_at_hand(shell)).code == 0
    assert on_the_wire(gateway) == {authorization(STACKS[2])}


def test_otelctl_reads_its_own_env_file(gateway: Gateway, tmp_path: Path) -> None:
    """What was printed for a .env file is healthy when it is checked from there."""
    file = tmp_path / ".env"
    file.write_text(f"{ENDPOINT}={gateway.url}\n{encode(STACKS[0], 'dotenv').stdout}")
    result = run("check-endpoint", "--env-file", file, "--signal", "all", "--format", "json")
    assert (result.code, result.found) == (0, [])
    assert on_the_wire(gateway) == {authorization(STACKS[0])}


@PADDINGS
@pytest.mark.parametrize("reader", ["json", "jq"])
def test_json_is_read_as_json(gateway: Gateway, stack: Tenant, reader: str) -> None:
    """The JSON form is one object with the key that push-secret uses, and its value is what an SDK sends as meant."""
    text = encode(stack, "json").stdout
    if reader == "jq":
        jq = [program("jq"), "--raw-output", "--exit-status", ".otel_exporter_otlp_headers"]
        value = subprocess.run(jq, input=text, capture_output=True, text=True, check=True).stdout.removesuffix("\n")
    else:
        ((key, value),) = json.loads(text).items()
        assert key == "otel_exporter_otlp_headers"
    assert run_line(APPLICATION, variables={ENDPOINT: gateway.url, HEADERS: value}).code == 0
    assert on_the_wire(gateway) == {authorization(stack)}


# curl

POST = "--silent --show-error --fail --header 'Content-Type: application/json' --data '{}'"


@PADDINGS
def test_curl_reads_its_form_from_a_pipe(gateway: Gateway, stack: Tenant) -> None:
    """The form for curl, piped into `--config -`, makes curl send the header as meant."""
    program("curl")
    line = f"otelctl encode-auth {stack.instance_id} --as curl | curl --config - {POST} {gateway.url}/v1/traces"
    result = run_line(line, variables=token_of(stack))
    assert (result.code, result.stdout, result.stderr) == (0, '{"partialSuccess":{}}', "")
    assert on_the_wire(gateway) == {authorization(stack)}


@pytest.mark.parametrize(("form", "option"), [("curl", "--config "), ("http-header", "--header @")])
@PADDINGS
def test_curl_reads_files(gateway: Gateway, stack: Tenant, form: str, option: str, tmp_path: Path) -> None:
    """The form for curl as a configuration file, and the HTTP header as a file of headers, are sent as meant."""
    program("curl")
    file = tmp_path / "header"
    file.write_text(encode(stack, form).stdout)
    result = run_line(f"curl {option}'{file}' {POST} {gateway.url}/v1/traces")
    assert (result.code, result.stderr) == (0, "")
    assert on_the_wire(gateway) == {authorization(stack)}


@pytest.mark.parametrize(("form", "option"), [("curl", ["--config", "-"]), ("http-header", ["--header", "@-"])])
def test_the_process_list_does_not_show_the_token(form: str, option: list[str]) -> None:
    """While curl waits for an answer with the header in hand, its command line and environment hold no part of it."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("there is no /proc here to read command lines from")
    stack = STACKS[0]
    seen: list[tuple[bytes, bytes]] = []
    children: list[subprocess.Popen[bytes]] = []

    def script(conn: socket.socket, over: threading.Event) -> None:  # noqa: ARG001 - the form of a script
        request = read_request(conn)
        place = Path(f"/proc/{children[0].pid}")
        seen.append((request, (place / "cmdline").read_bytes() + (place / "environ").read_bytes()))
        conn.sendall(http("200 OK", b"{}"))

    with Scripted(script) as server:
        with subprocess.Popen(
            [program("curl"), *option, "--silent", "--data", "{}", f"http://127.0.0.1:{server.port}/v1/traces"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment(),
        ) as curl:
            children.append(curl)
            curl.communicate(encode(stack, form).stdout.encode(), timeout=30)
        assert curl.returncode == 0
    ((request, shown),) = seen
    assert f"\r\nAuthorization: {authorization(stack)}\r\n".encode() in request
    assert b"--data" in shown
    for part in (stack.token.reveal(), authorization(stack).removeprefix("Basic ")):
        assert part.encode() not in shown

"""What is wrong on the command line is said in one line, with exit code 2, for every option of every command."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from otelctl.cli.app import COMMANDS, build
from tests.support import inprocess
from tests.support.program import ROOT

SCHEMA = json.loads((ROOT / "otelctl/render/report.schema.json").read_text("utf-8"))
MISSING = "/nowhere/file"
# Everything else is well, so that the one bad input is what is complained of; nothing listens on port 1.
SOUND = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
    "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic MTIzNDU2OmdsY19leUpySWpvaWVIbDZJbjA9",
    "GRAFANA_INSTANCE_ID": "123456",
    "GRAFANA_API_TOKEN": "glc_eyJvIjoiMSIsIm4iOiJhIiwiayI6InJhbmRvbWtleSJ9",
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf"
NEEDED = {
    "push-secret": ("--secret-id", "app"),
    "find-trace": ("4bf92f3577b34da6a3ce929d0e0e4736", "--tempo-url", "http://127.0.0.1:1", "--within", "0"),
    "queries": ("--service", "shop"),
    "check-ecs": ("--cluster", "main", "--service", "shop"),
    "render": ("ecs-json", "--secret-arn", ARN),
}
"""What a command cannot do without, its argument first."""

_CERTIFICATE = str(ROOT / "tests" / "loopback" / "certificate.pem")
_FILE = (MISSING, "/", "")
_NUMBER = ("", "x", "nan", "-inf", "1e9", "-1", "1,5", "10s")

BAD: dict[str, tuple[str, ...]] = {
    "--as": ("nonsense", ""),
    "--backend-header-file": _FILE,
    "--backend-token-file": _FILE,
    "--check": ("", " "),
    "--container": ("", "a b"),
    "--attribute": ("nonsense", "=x", ""),
    "--ca-file": _FILE,
    "--client-cert": _FILE,
    "--client-key": _FILE,
    "--endpoint-key": ("", "otel_exporter_otlp_headers"),
    "--env-file": _FILE,
    "--fail-on": ("nonsense", "unknown", ""),
    "--format": ("nonsense", "TEXT ", ""),
    "--from-secret": ("", "#key"),
    "--grafana-url": ("nonsense", "", "ftp://x", "https://"),
    "--header-file": _FILE,
    "--headers-key": ("", "otel_exporter_otlp_endpoint"),
    "--junit": ("/nowhere/report.xml", "/"),
    "--kms": ("", " ", "alias/without-create"),
    "--kms-key": ("nonsense", "arn:aws:kms:x"),
    "--keyring": ("", "there-is-none"),
    "--parent": ("nonsense", "", "00-0-0-01", f"00-{'0' * 32}-{'1' * 16}-01", f"ff-{'1' * 32}-{'1' * 16}-01"),
    "--protocol": ("nonsense", "http", ""),
    "--redeploy": ("", "nonsense", "/", "a/"),
    "--role": ("a role", "arn:aws:iam::1:role/x"),
    "--sdk": ("cobol", "python@x", "@1", ""),
    "--secret-arn": ("", "nonsense", "arn:aws:s3:::bucket"),
    "--secret-id": ("", " "),
    "--service": ("", " "),
    "--signal": ("nonsense", "spans", ""),
    "--slow": ("", "nonsense", "-1s", "5"),
    "--task-definition": ("", " "),
    "--tenant": ("", " ", "ü"),
    "--timeout": (*_NUMBER, "0"),
    "--to": ("", "nonsense", "dotenv:", "s3:bucket", "ssm:/"),
    "--token-file": _FILE,
    "--traceparent-file": ("/nowhere/file", "/"),
    "--wait": _NUMBER,
    "--within": _NUMBER,
}
"""The bad values of each option that takes one, whichever command has it."""

BAD_OF: dict[tuple[str, str], tuple[str, ...]] = {
    ("inspect-auth", "--endpoint"): ("nonsense", "", "ftp://x", "https://", "http://x:99999"),
    ("check-ecs", "--cluster"): ("", " "),
    ("explain", "code"): ("NO-SUCH-CODE", "", "\x1b[31m", "💥"),
    ("find-trace", "trace_id"): ("nonsense", "", "0" * 32, "1" * 33),
    ("render", "what"): ("nonsense", ""),
    ("traceparent", "value"): ("nonsense", "", f"00-{'0' * 32}-{'1' * 16}-01", "Root=1-x"),
}
"""Those of one command's own option or argument."""

JUDGED = {
    ("encode-auth", "instance_id"),
    ("check-endpoint", "endpoints"),
    ("send-test-span", "endpoint"),
    ("smoke", "endpoint"),
    ("push-secret", "--endpoint"),
    ("push-secret", "--profile"),
    ("push-secret", "--region"),
    ("check-ecs", "--profile"),
    ("check-ecs", "--region"),
    *itertools.product(("send-test-span", "smoke", "find-trace"), ("--tempo-url", "--jaeger-url", "--tempo-user")),
    ("send-test-metric", "endpoint"),
    ("send-test-log", "endpoint"),
}
"""Inputs in which nothing is wrong use: what is wrong in them is diagnosed, with a code and what mends it."""


def _parameters() -> list[Any]:
    group = build()
    found = []
    for command in COMMANDS:
        for parameter in group.get_command(None, command).params:
            name = parameter.name if parameter.param_type_name == "argument" else parameter.opts[0]
            found.append((command, name, parameter))
    return found


PARAMETERS = _parameters()
VALUED = [
    (command, name)
    for command, name, parameter in PARAMETERS
    if parameter.param_type_name == "argument" or not parameter.is_flag
]
FLAGS = [
    (command, name)
    for command, name, parameter in PARAMETERS
    if parameter.param_type_name == "option" and parameter.is_flag
]
CASES = [
    (command, name, value)
    for command, name in VALUED
    if (command, name) not in JUDGED
    for value in BAD_OF.get((command, name), BAD.get(name, ()))
]


def _arguments(command: str, *wrong: str, argument: bool = False) -> list[str]:
    """Return a command line that is sound but for what is wrong, in place of its argument or at the end."""
    needed = NEEDED.get(command, ())
    if argument and needed[:1] and not needed[0].startswith("-"):
        return [command, *wrong, *needed[1:]]
    return [command, *needed, *wrong]


def _has_format(command: str) -> bool:
    return (command, "--format") in VALUED


def refused(arguments: list[str], named: str, stdin: bytes = b"") -> str:
    """Return the line in which a command line was refused, having checked all that holds for every refusal."""
    ended = inprocess.run(*arguments, variables=SOUND, stdin=stdin)
    said = ended.stderr.decode()
    assert ended.code == 2, (arguments, ended)
    assert said.startswith("otelctl: "), said
    assert said.count("\n") == 1, said
    assert said.endswith("\n"), said
    assert said.strip().isprintable(), said
    assert len(said) < 400, said
    assert named in said or f"--backend-{named[2:]}" in said, said  # find-trace takes both names
    assert "Traceback" not in said
    if _json(arguments):
        document = json.loads(ended.stdout)
        jsonschema.validate(document, SCHEMA)
        assert document["exit_code"] == 2
        assert document["ok"] is False
        assert document["error"] in said
        assert document["command"] in (*COMMANDS, "otelctl")
    else:
        assert ended.stdout == b"", ended
    return said


def _json(arguments: list[str]) -> bool:
    return any(pair == ("--format", "json") for pair in itertools.pairwise(arguments))


def test_every_parameter_has_its_bad_input() -> None:
    """Each option and argument of each command is in the tables of this file, and the tables name no other."""
    known = {pair for pair in VALUED if pair in JUDGED or pair in BAD_OF or pair[1] in BAD}
    assert set(VALUED) - known == set()
    assert JUDGED | BAD_OF.keys() <= set(VALUED)
    assert BAD.keys() <= {name for _, name in VALUED}


@pytest.mark.parametrize(("command", "name", "value"), CASES)
def test_a_bad_value_is_refused_in_one_line(command: str, name: str, value: str) -> None:
    """The line names the option, says what is wrong with the value and what to give; the same in JSON."""
    option = name.startswith("-")
    wrong = (name, value) if option else (value,)
    said = refused(_arguments(command, *wrong, argument=not option), name if option else "")
    assert len(said.split()) > 5, "a name alone helps nobody"
    if _has_format(command) and name != "--format":
        refused([*_arguments(command, *wrong, argument=not option), "--format", "json"], name if option else "")
    if option:
        refused(_arguments(command, f"{name}={value}"), name)


@pytest.mark.parametrize(("command", "name"), [pair for pair in VALUED if pair[1].startswith("-")])
def test_a_missing_value_is_refused(command: str, name: str) -> None:
    """An option at the end of the line without its value is named."""
    refused([command, name], name)


@pytest.mark.parametrize(("command", "name"), FLAGS)
def test_a_flag_takes_no_value(command: str, name: str) -> None:
    """`--flag=value` is refused by the flag's name."""
    refused(_arguments(command, f"{name}=yes"), name)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_refused(command: str) -> None:
    """An option that no command has is named, in JSON too."""
    refused(_arguments(command, "--no-such-option"), "--no-such-option")
    refused(_arguments(command, "--no-such-option", "--format", "json"), "" if _has_format(command) else "--")


@pytest.mark.parametrize("command", [one for one in COMMANDS if one != "check-endpoint"])
def test_a_surplus_argument_is_refused(command: str) -> None:
    """One argument more than a command takes is named."""
    takes = sum(parameter.param_type_name == "argument" for name, _, parameter in PARAMETERS if name == command)
    needed = NEEDED.get(command, ())
    missing = takes - len([one for one in needed[:1] if not one.startswith("-")])
    refused([command, *needed, *["1"] * missing, "surplus"], "surplus")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["nonsense"], "nonsense"),
        (["encode-aut"], "encode-auth"),
        (["--nonsense"], "--nonsense"),
        (["--format", "json", "nonsense"], "--format"),
        ([""], "''"),
        (["encode-auth", "--save"], "--keyring"),
        (["encode-auth", "--prompt"], "GRAFANA_API_TOKEN"),
        (["check-endpoint", "--client-key", __file__], "--client-cert"),
        (["check-endpoint", "--insecure", "--ca-file", __file__], "--insecure"),
        (["check-endpoint", "--ca-file", __file__], "--ca-file"),
        (["send-test-span", "--client-cert", __file__], "--client-cert"),
        (["check-endpoint", "--client-cert", _CERTIFICATE], "--client-key"),
        (["check-endpoint", "--client-cert", _CERTIFICATE, "--client-key", _CERTIFICATE], "--client-key"),
        (["smoke", "--local", "--signal", "all"], "--signal"),
        (["check"], "check-endpoint"),
        (["smoke", "--local", "http://127.0.0.1:1"], "--local"),
        (["smoke", "--local", "--env-file", __file__], "--local"),
        (["push-secret"], "--secret-id"),
        (["push-secret", "--secret-id", "a", "--endpoint-key", "k", "--headers-key", "k"], "--headers-key"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_go_together_is_refused(arguments: list[str], named: str) -> None:
    """A command that is none, an option that needs or excludes another: the other one is named."""
    refused(arguments, named)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["encode-auth"], ("INSTANCE_ID", "GRAFANA_INSTANCE_ID")),
        (["inspect-auth"], ("OTEL_EXPORTER_OTLP_HEADERS",)),
        (["check-endpoint"], ("OTEL_EXPORTER_OTLP_ENDPOINT",)),
        (["send-test-span"], ("OTEL_EXPORTER_OTLP_ENDPOINT",)),
        (["smoke"], ("OTEL_EXPORTER_OTLP_ENDPOINT",)),
        (["push-secret", "--secret-id", "a", "--endpoint", "http://127.0.0.1:1"], ("GRAFANA_API_TOKEN",)),
    ],
)
def test_what_is_not_there_is_asked_for(arguments: list[str], names: tuple[str, ...]) -> None:
    """Without any setting, the line names the variable or the argument that would give it."""
    ended = inprocess.run(*arguments)
    said = ended.stderr.decode()
    assert (ended.code, ended.stdout, said.count("\n")) == (2, b"", 1)
    assert any(name in said for name in names), said


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * (2 << 20)], ids=["no text", "too much"])
@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("encode-auth", "--token-file"),
        ("encode-auth", "--env-file"),
        ("inspect-auth", "--header-file"),
        ("check-endpoint", "--env-file"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused(command: str, option: str, content: bytes, tmp_path: Path) -> None:
    """A file, or standard input as `-`, that is no text or too large is named, and not read to its end."""
    path = tmp_path / "file"
    path.write_bytes(content)
    refused([command, option, str(path)], option)
    if option != "--env-file":
        refused([command, option, "-"], option, stdin=content)


def test_control_characters_of_an_argument_stay_out_of_the_line() -> None:
    """What steers a terminal is not repeated, in a value, an option, or the name of a file."""
    for arguments in (
        ["check-endpoint", "--timeout", "\x1b]0;owned\x07"],
        ["check-endpoint", "--\x1b[2Jx"],
        ["\x1b[31m"],
        ["inspect-auth", "--header-file", "/nowhere/\x1b[31m\u202e"],
        ["inspect-auth", "--sdk", "\x1b[31m"],
        ["send-test-span", "--attribute", "\x1b[31m\n\n"],
        ["check-endpoint", "--format", "\x9b31m"],
    ):
        refused(arguments, "")


def test_a_value_that_no_encoding_has_is_refused(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, which reach Python as lone surrogates, break no error line and no document."""
    odd = os.fsdecode(b"\xff\xfe")
    for arguments in (
        ["check-endpoint", "--timeout", odd],
        ["explain", odd],
        [odd],
        ["inspect-auth", "--header-file", str(tmp_path / odd)],
        ["explain", odd, "--format", "json"],
    ):
        ended = inprocess.run(*arguments, variables=SOUND)
        assert ended.code == 2, ended
        assert ended.stderr.decode().count("\n") == 1

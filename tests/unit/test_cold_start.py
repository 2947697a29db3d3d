"""What the quick commands load: a command that asks nobody must not pay for what asks the network, AWS or a keyring."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.program import ROOT, environment

HEAVY = (
    "asyncio",
    "boto3",
    "botocore",
    "concurrent.futures",
    "dotenv",
    "google.protobuf",
    "grpc",
    "h11",
    "httpcore",
    "keyring",
    "multiprocessing",
    "opentelemetry",
    "pydantic",
    "requests",
    "rich",
    "ssl",
    "urllib3",
    "xml",
)
OURS = (
    "otelctl.adapters.aws",
    "otelctl.adapters.keychain",
    "otelctl.adapters.network",
    "otelctl.checks",
    "otelctl.engine",
    "otelctl.facts",
    "otelctl.gateway",
    "otelctl.otlp",
    "otelctl.ports",
)
TOKEN = "glc_eyJvIjoiNjU0MzIxIiwibiI6ImV4YW1wbGUiLCJrIjoibm90LWEtcmVhbC1rZXkiLCJtIjp7InIiOiJwcm9kLWV1LXdlc3QtMiJ9fQ=="

HEADER = (
    "Authorization=Basic MTIzNDU2OmdsY19leUp2SWpvaU5qVTBNekl4SWl3aWJpSTZJbVY0WVcxd2JHVWlMQ0pySWpv"
    "aWJtOTBMV0V0Y21WaGJDMXJaWGtpTENKdElqcDdJbklpT2lKd2NtOWtMV1YxTFhkbGMzUXRNaUo5ZlE9PQ=="
)

_REPORTING = """
import sys
sys.argv = ["otelctl", *sys.argv[1:]]
from otelctl.__main__ import main
try:
    main()
finally:
    print("\\n".join(sys.modules), file=sys.stderr)
"""


def _loaded(*arguments: str) -> set[str]:
    """Return the modules that a run has loaded at its end; it must have ended well."""
    ended = subprocess.run(
        [sys.executable, "-c", _REPORTING, *arguments],
        env=environment({"GRAFANA_API_TOKEN": TOKEN, "OTEL_EXPORTER_OTLP_HEADERS": HEADER}),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    return set(ended.stderr.split("\n"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        ("encode-auth", "123456"),
        ("encode-auth", "123456", "--as", "shell"),
        ("inspect-auth",),
        ("inspect-auth", "--format", "json"),
        ("inspect-auth", "--fix"),
        ("inspect-auth", "--endpoint", "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp", "--sdk", "python@1.38"),
        ("explain",),
        ("explain", "NET-REFUSED"),
        ("queries", "--service", "shop", "--grafana-url", "https://x.grafana.net"),
        ("queries", "--check", '{ resource.service.name = "shop" }'),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ],
    ids=" ".join,
)
def test_a_quick_command_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """None of the libraries that talk to somebody is loaded, nor any module of ours that stands on one."""
    loaded = _loaded(*arguments)
    assert "otelctl" in loaded
    assert [name for name in (*HEAVY, *OURS) if name in loaded] == []


def test_the_version_loads_no_command() -> None:
    """`--version` answers before even the command line's library is loaded."""
    assert [name for name in _loaded("--version") if name.partition(".")[0] in ("typer", "pydantic")] == []


@pytest.mark.parametrize("command", ["encode-auth", "inspect-auth", "explain"])
def test_a_command_does_not_load_the_others(command: str) -> None:
    """Only the module of the command that runs is loaded."""
    arguments = ("encode-auth", "123456") if command == "encode-auth" else (command,)
    modules = {"encode_auth", "inspect_auth", "explain", "push_secret", "check_endpoint", "send_test_span", "smoke"}
    loaded = {name.removeprefix("otelctl.cli.") for name in _loaded(*arguments) if name.startswith("otelctl.cli.")}
    assert loaded & modules == {command.replace("-", "_")}

"""Real OpenTelemetry SDKs, each version in a folder outside the repository, and a gRPC server that records."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent import futures
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from tests.support.parts import missing

# The version of the SDK, and that of the distro which `opentelemetry-instrument` comes with.
PYTHON = {"1.26.0": "0.47b0", "1.44.0": "0.65b0", "1.45.1": "0.66b1"}
# The version of sdk-node, and of the API that it wants. The last one is the newest that Node 18 and 20 run.
NODE = {"0.41.1": "1.4.1", "0.57.2": "1.9.0", "0.223.0": "1.9.0"}

_PYTHON_APP = """
from opentelemetry import _logs, metrics, trace
trace.get_tracer("otelctl").start_span("span").end()
metrics.get_meter("otelctl").create_counter("counter").add(1)
logs = _logs.get_logger_provider()
try:
    from opentelemetry._logs import LogRecord
    logs.get_logger("otelctl").emit(LogRecord(timestamp=1, observed_timestamp=1, body="record"))
except TypeError:
    pass  # before 1.29 nothing exports logs unless asked to
for provider in (trace.get_tracer_provider(), metrics.get_meter_provider(), logs):
    getattr(provider, "shutdown", lambda: None)()
"""

_NODE_APP = """
const { NodeSDK } = require('@opentelemetry/sdk-node');
const api = require('@opentelemetry/api');
const sdk = new NodeSDK({ autoDetectResources: false, instrumentations: [] });
sdk.start();
api.trace.getTracer('otelctl').startSpan('span').end();
api.metrics.getMeter('otelctl').createCounter('counter').add(1);
try { require('@opentelemetry/api-logs').logs.getLogger('otelctl').emit({ body: 'record' }); } catch (e) {}
sdk.shutdown().catch(() => {}).finally(() => process.exit(0));
"""


@dataclass(frozen=True, slots=True)
class App:
    """An application with one of each signal in it, set up by variables alone."""

    command: tuple[str, ...]
    folder: Path

    def run(self, variables: Mapping[str, str], seconds: float = 40) -> subprocess.CompletedProcess[str]:
        """Run it to its end, with nothing of ours in its environment."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            self.command,
            env={**environment, "NODE_PATH": str(self.folder / "node_modules"), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def python_app(version: str) -> App:
    """Return an application on that version of opentelemetry-python, started by `opentelemetry-instrument`."""
    folder = _cache() / f"sdk-python-{version}-py{sys.version_info.major}.{sys.version_info.minor}"
    binary = folder / "bin"
    if not (folder / "complete").exists():
        _fresh(folder)
        _install([sys.executable, "-m", "venv", str(folder)], folder)
        names = ("sdk", "exporter-otlp-proto-http", "exporter-otlp-proto-grpc")
        wanted = [f"opentelemetry-{name}=={version}" for name in names] + [f"opentelemetry-distro=={PYTHON[version]}"]
        pip = [str(binary / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        _install([*pip, *wanted], folder)
        (folder / "app.py").write_text(_PYTHON_APP)
        (folder / "complete").touch()
    return App((str(binary / "opentelemetry-instrument"), str(binary / "python"), str(folder / "app.py")), folder)


def node_app(version: str) -> App:
    """Return an application on that version of @opentelemetry/sdk-node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing("node and npm are not installed")
    folder = _cache() / f"sdk-node-{version}"
    if not (folder / "complete").exists():
        _fresh(folder)
        wanted = [f"@opentelemetry/sdk-node@{version}", f"@opentelemetry/api@{NODE[version]}"]
        quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        _install([npm, "install", *quiet, "--prefix", str(folder), *wanted], folder)
        (folder / "app.cjs").write_text(_NODE_APP)
        (folder / "complete").touch()
    return App((node, str(folder / "app.cjs")), folder)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otelctl"


def _fresh(folder: Path) -> None:
    """Begin with an empty folder: what a run left half-done is of no use."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _install(command: list[str], folder: Path) -> None:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        missing(f"{folder.name} cannot be installed: {error}")
    if ended.returncode:
        missing(f"{folder.name} cannot be installed: {ended.stderr.strip()[-300:]}")


@dataclass(slots=True)
class Calls(grpc.GenericRpcHandler):  # type: ignore[misc]
    """A gRPC server that says yes to every call, and keeps its method and metadata."""

    address: str = ""
    received: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Take one call."""
        metadata = dict(handler_call_details.invocation_metadata)
        self.received.append((handler_call_details.method, metadata))
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: b"")


@contextlib.contextmanager
def calls() -> Iterator[Calls]:
    """Serve gRPC in plain text on loopback while the block runs."""
    handler = Calls()
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=(handler,))
    handler.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield handler
    finally:
        server.stop(None).wait()

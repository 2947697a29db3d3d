"""Measures otelctl against named peers, side by side in one run: what counts is the ratio, on this machine, now.

    python bench/run.py [--quick] [start | probe | push]

Each round runs ours and the peer's once, in turns as to who is first; a row holds both medians, the median of the
rounds' ratios with the least and the greatest, and the median difference.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from otelctl.gateway import Gateway, Tenant, invent_credential  # noqa: E402 - as above
from otelctl.settings import Signal  # noqa: E402 - the path comes first
from tests.support.ca import Authority  # noqa: E402 - as above
from tests.support.moto import environment, moto_server  # noqa: E402 - as above

# Both are started as a file that is run, as an installed console script is.
_OURS = "import sys\nfrom otelctl.__main__ import main\nsys.exit(main())\n"
_BARE = """import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("one")
def one(name: str = "x") -> None:
    print(name)


@app.command("two")
def two(name: str = "x") -> None:
    print(name)


app()
"""
_AWS_UPDATE = """
"$AWS" secretsmanager get-secret-value --secret-id peer --query SecretString --output text |
jq --compact-output --arg url "$URL" --rawfile headers "$HEADERS_FILE" \\
    '. + {otel_exporter_otlp_endpoint: $url, otel_exporter_otlp_headers: ($headers | rtrimstr("\\n"))}' |
"$AWS" secretsmanager put-secret-value --secret-id peer --secret-string file:///dev/stdin
"""

Step = Callable[[int], None]
"""One run of one side, told the number of its round."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the rounds of one comparison gave, in seconds."""

    what: str
    peer: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    def cells(self) -> tuple[str, ...]:
        """Return the row as it is shown."""
        pairs = list(zip(self.ours, self.theirs, strict=True))
        ratios = [mine / other for mine, other in pairs]
        difference = statistics.median(mine - other for mine, other in pairs)
        return (
            self.what,
            f"{statistics.median(self.ours) * 1000:.0f} ms",
            self.peer,
            f"{statistics.median(self.theirs) * 1000:.0f} ms",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
            f"{difference * 1000:+.0f} ms",
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run keeps its files, how many rounds it goes, and how both programs of the first comparison start."""

    folder: Path
    rounds: int

    def file(self, name: str, text: str) -> Path:
        """Write a file and return its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def otelctl(self, *arguments: str) -> list[str]:
        """Return the command that runs otelctl with these arguments."""
        return [sys.executable, str(self.folder / "program.py"), *arguments]

    def compare(self, what: str, ours: Step, peer: str, theirs: Step) -> Row:
        """Run both sides in turns; the first round of each only warms the caches."""
        times: tuple[list[float], list[float]] = ([], [])
        for number in range(self.rounds + 1):
            both = [(ours, times[0]), (theirs, times[1])]
            for step, kept in both if number % 2 else reversed(both):
                started = time.perf_counter()
                step(number)
                if number:
                    kept.append(time.perf_counter() - started)
        return Row(what, peer, tuple(times[0]), tuple(times[1]))


def _run(command: Sequence[str], variables: Mapping[str, str]) -> None:
    """Run a command to its end; raise where it does not end well, for then it was something else that was measured."""
    ended = subprocess.run(
        list(command), env=dict(variables), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise RuntimeError(f"{command[:3]} ended with {ended.returncode}: {ended.stderr or ended.stdout}")


def _step(command: Sequence[str], variables: Mapping[str, str]) -> Step:
    def step(number: int) -> None:
        del number
        _run(command, variables)

    return step


def _variables(tenant: Tenant) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "GRAFANA_INSTANCE_ID": tenant.instance_id,
        "GRAFANA_API_TOKEN": tenant.token.reveal(),
    }


def start(place: Place, tenant: Tenant) -> Iterator[Row]:
    """Compare the start of the commands that ask nobody with a program of two commands and the same library."""
    variables = _variables(tenant)
    bare = _step([sys.executable, str(place.file("bare.py", _BARE)), "one"], variables)
    for arguments in (["--version"], ["encode-auth"], ["inspect-auth"], ["explain", "AUTH-REVERSED"]):
        yield place.compare(
            " ".join(arguments), _step(place.otelctl(*arguments), variables), "bare typer program", bare
        )


def probe(place: Place, tenant: Tenant) -> Iterator[Row]:
    """Compare check-endpoint with the same request by curl, on loopback, with TLS and without."""
    curl = _found("curl")
    if curl is None:
        return
    authority = Authority.create(place.folder / "ca")
    header = "Authorization: Basic " + _pair(tenant)
    common = [
        curl, "--silent", "--show-error", "--fail", "--output", os.devnull, "--cacert", str(authority.file),
        "--header", f"@{place.file('header', header)}", "--header", "Content-Type: application/x-protobuf",
        "--data-binary", f"@{place.file('empty', '')}",
    ]  # fmt: skip
    for label, context in (("plain", None), ("TLS", authority.good().server_context())):
        with Gateway([tenant], tls=context) as gateway:
            variables = _variables(tenant)
            ours = place.otelctl("check-endpoint", gateway.url, "--ca-file", str(authority.file))
            theirs = [*common, f"{gateway.url}/v1/{Signal.TRACES.value}"]
            yield place.compare(f"check-endpoint, {label}", _step(ours, variables), "curl", _step(theirs, variables))


def push(place: Place, tenant: Tenant) -> Iterator[Row]:
    """Compare push-secret with the pipe of aws and jq that people write, on the same moto server."""
    aws, jq = _found("aws"), _found("jq")
    if aws is None or jq is None:
        return
    headers = place.file("headers", f"Authorization=Basic {_pair(tenant)}\n")
    with moto_server() as url:
        variables = {**environment(url), **_variables(tenant), "AWS": aws, "HEADERS_FILE": str(headers)}
        for name in ("ours", "peer"):
            secret = json.dumps({"DATABASE_URL": "postgres://app@db/shop", "WORKERS": 4})
            _run([aws, "secretsmanager", "create-secret", "--name", name, "--secret-string", secret], variables)

        def ours(number: int) -> None:
            endpoint = f"http://127.0.0.1:{4318 + number}/otlp"
            options = ("--secret-id", "ours", "--endpoint", endpoint, "--yes", "--no-check")
            _run(place.otelctl("push-secret", *options), variables)

        def theirs(number: int) -> None:
            endpoint = f"http://127.0.0.1:{4318 + number}/otlp"
            _run(["/bin/sh", "-c", _AWS_UPDATE], {**variables, "URL": endpoint})

        yield place.compare("push-secret --no-check", ours, "aws | jq | aws", theirs)
        _same(url)


def _same(url: str) -> None:
    """Raise where the two secrets do not hold the same in the end: then the two sides did not do the same work."""
    held = []
    for name in ("ours", "peer"):
        request = urllib.request.Request(
            url,
            json.dumps({"SecretId": name}).encode(),
            {
                "X-Amz-Target": "secretsmanager.GetSecretValue",
                "Content-Type": "application/x-amz-json-1.1",
                "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/eu-west-1/secretsmanager/aws4_request",
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            held.append(json.loads(json.loads(answer.read())["SecretString"]))
    if held[0] != held[1]:
        raise RuntimeError("the two sides of push-secret wrote different values")


def _pair(tenant: Tenant) -> str:
    import base64  # noqa: PLC0415 - here alone

    return base64.b64encode(f"{tenant.instance_id}:{tenant.token.reveal()}".encode()).decode()


def _found(name: str) -> str | None:
    """Return a program's own path, behind a shim of pyenv that would be measured too; say so where it is missing."""
    path = shutil.which(name)
    if path is None:
        print(f"skipped: {name} is not installed")
        return None
    if "shims" in Path(path).parts and (pyenv := shutil.which("pyenv")):
        with contextlib.suppress(subprocess.CalledProcessError):
            return subprocess.run([pyenv, "which", name], capture_output=True, text=True, check=True).stdout.strip()
    return path


def machine() -> str:
    """Say what kind of machine this is."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    # A machine that is busy with something else widens every range below.
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} x {model}, {system}{load}"


def peers() -> str:
    """Say which versions the peers have."""
    said = [f"typer {version('typer')}", f"moto {version('moto')}"]
    for name, flag in (("curl", "--version"), ("aws", "--version"), ("jq", "--version")):
        if path := shutil.which(name):
            ended = subprocess.run([path, flag], capture_output=True, text=True, check=False)
            said.append(" ".join(ended.stdout.split("\n")[0].split()[:2]))
    return ", ".join(said)


def table(rows: Sequence[Row]) -> str:
    """Return the rows under their headings, aligned."""
    cells = [("what", "ours", "peer", "theirs", "ratio (min-max)", "difference"), *(row.cells() for row in rows)]
    sizes = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ("  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)


def main() -> None:
    """Run the comparisons that are asked for and print the table."""
    comparisons = {"start": start, "probe": probe, "push": push}
    parser = argparse.ArgumentParser(description="Measure otelctl against named peers.")
    parser.add_argument("--quick", action="store_true", help="three rounds in place of fifteen")
    parser.add_argument("only", nargs="*", metavar="start|probe|push", help="these comparisons alone")
    wanted = parser.parse_args()
    if unknown := set(wanted.only) - comparisons.keys():
        parser.error(f"no such comparison: {', '.join(unknown)}")
    tenant = invent_credential(os.urandom)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), 3 if wanted.quick else 15)
        place.file("program.py", _OURS)
        for name in wanted.only or comparisons:
            rows += comparisons[name](place, tenant)
    print(f"{machine()}\n{peers()}; {place.rounds} rounds\n")
    print(table(rows))


if __name__ == "__main__":
    main()

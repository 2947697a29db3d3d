"""otelctl as a user runs it: a process of its own, with nothing in its environment but what a test puts there."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

COMMAND = (sys.executable, "-m", "otelctl")
"""The words that start otelctl, wherever the working directory is, in `environment`."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> dict[str, Any]:
        """The report of a run with `--format json`: all of standard output."""
        report: dict[str, Any] = json.loads(self.stdout)
        return report

    @property
    def found(self) -> list[str]:
        """The codes of all findings of a JSON report, in the order of the checks."""
        return [finding["code"] for check in self.report["checks"] for finding in check["findings"]]

    def check(self, name: str) -> dict[str, Any]:
        """Return one check of a JSON report by its id."""
        found: dict[str, Any] = next(check for check in self.report["checks"] if check["id"] == name)
        return found

    def finding(self, code: str) -> dict[str, Any]:
        """Return the first finding with this code of a JSON report."""
        found: dict[str, Any] = next(
            finding for check in self.report["checks"] for finding in check["findings"] if finding["code"] == code
        )
        return found


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return a whole environment: no OTEL_*, AWS_*, proxy or CI variable of whoever runs the tests, and no home."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "HOME": os.devnull,
        "LC_ALL": "C.UTF-8",
        **(variables or {}),
    }


def sending(authorization: str) -> dict[str, str]:
    """Return the variable by which an exporter is told to send this value of Authorization."""
    return {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={authorization}"}


def run(
    *arguments: str | Path,
    variables: Mapping[str, str] | None = None,
    stdin: str = "",
    cwd: Path | None = None,
    seconds: float = 50,
) -> Result:
    """Run one command line to its end; standard input is a pipe that holds `stdin`."""
    return _run([*COMMAND, *map(str, arguments)], variables, stdin, cwd, seconds)


def run_line(
    line: str, *, variables: Mapping[str, str] | None = None, shell: str = "sh", seconds: float = 50
) -> Result:
    """Run a line in a shell where `otelctl` is a command, as a user types or pastes what a finding advises."""
    otelctl = f'otelctl() {{ {shlex.join(COMMAND)} "$@"; }}\n'
    return _run([shell, "-c", otelctl + line], variables, "", None, seconds)


def _run(
    command: list[str], variables: Mapping[str, str] | None, stdin: str, cwd: Path | None, seconds: float
) -> Result:
    ended = subprocess.run(
        command,
        env=environment(variables),
        input=stdin.encode(),
        capture_output=True,
        cwd=cwd,
        timeout=seconds,
        check=False,
    )
    return Result(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

"""otelctl in this very process, for tests that run it hundreds of times: the same entry, with captured streams."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from unittest.mock import patch

from otelctl.cli.app import run as entry


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, and every byte that it wrote."""

    code: int
    stdout: bytes
    stderr: bytes


def run(*arguments: str, variables: Mapping[str, str] | None = None, stdin: bytes = b"") -> Ended:
    """Run one command line with no variables but these; standard input is no terminal."""
    streams = [io.TextIOWrapper(io.BytesIO(data), "utf-8") for data in (stdin, b"", b"")]
    with (
        patch.dict(os.environ, {"HOME": os.devnull, **(variables or {})}, clear=True),
        patch.object(sys, "stdin", streams[0]),
        patch.object(sys, "stdout", streams[1]),
        patch.object(sys, "stderr", streams[2]),
    ):
        code = entry(arguments)
    written = []
    for stream in streams[1:]:
        stream.flush()
        raw = stream.buffer
        assert isinstance(raw, io.BytesIO)
        written.append(raw.getvalue())
    return Ended(code, *written)

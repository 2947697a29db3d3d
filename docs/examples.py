"""The runs that README.md shows between `<!-- example: NAME -->` and `<!-- /example -->`, taken anew by generate.py."""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

INSTANCE = "123456"
# In the shape of a real token, so that what it says of itself can be shown; it opens nothing.
TOKEN = (
    "glc_" + base64.b64encode(b'{"o":"654321","n":"example","k":"not-a-real-key","m":{"r":"prod-eu-west-2"}}').decode()
)


# The mistake that otelctl was written for: the pair as Grafana's own page shows it.
_REVERSED = base64.b64encode(f"{TOKEN}:{INSTANCE}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Example:
    """Lines that a person types into one shell, one after the other.

    `variables` are exported before, and GRAFANA_API_TOKEN is always TOKEN. `gateway` starts the embedded gateway, which
    knows INSTANCE and TOKEN, and exports its address as OTEL_EXPORTER_OTLP_ENDPOINT.
    """

    commands: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    gateway: bool = False


EXAMPLES = {
    "failing": Example(
        ("otelctl check-endpoint",),
        {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Basic {_REVERSED}"},
        gateway=True,
    ),
    "mended": Example(
        (
            'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl inspect-auth --fix)"',
            "otelctl check-endpoint",
        ),
        {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Basic {_REVERSED}"},
        gateway=True,
    ),
    "send": Example(
        (
            f'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl encode-auth {INSTANCE})"',
            "otelctl send-test-span",
        ),
        gateway=True,
    ),
}


def environment(root: Path) -> dict[str, str]:
    """Return the variables of a shell in which the examples run: no setting of whoever runs them gets in."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(root),
        "PYTHONIOENCODING": "utf-8",
        "PYTHON": sys.executable,
        "HOME": os.environ.get("HOME", "/"),
        "GRAFANA_API_TOKEN": TOKEN,
    }


# What differs from run to run, and what stands for it.
_VOLATILE = (
    # A stage that takes less than a millisecond shows no time at all.
    (r"(?m)  (\d+ ms|\d+\.\d s)$", ""),
    (r"\b\d+ ms\b|\b\d+\.\d s\b", "1 ms"),
    (r"\b00-[0-9a-f]{32}-[0-9a-f]{16}-01\b", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    (r"\b[0-9a-f]{32}\b", "4bf92f3577b34da6a3ce929d0e0e4736"),
    (r"\b[0-9a-f]{16}\b", "00f067aa0ba902b7"),
    (r"\b(127\.0\.0\.1|localhost)(:| port )\d{4,5}\b", r"\g<1>\g<2>4318"),
    (r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "2026-01-01T00:00:00Z"),
)


def steady(output: str) -> str:
    """Return an output without what changes from run to run."""
    for pattern, stand_in in _VOLATILE:
        output = re.sub(pattern, stand_in, output)
    return output

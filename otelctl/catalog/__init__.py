"""The catalogue: every diagnosis that otelctl knows, a module an area.

An area word names the module here, the judging module in `otelctl.diagnose`, the cases in `tests/cases` and the
prefix of its codes, so a code tells its three files.
"""

from __future__ import annotations

import importlib

from otelctl.model import Diagnosis

AREAS = {
    "settings": "CONF",
    "credential": "AUTH",
    "env": "ENV",
    "endpoint": "URL",
    "network": "NET",
    "otlp": "OTLP",
    "grpc": "GRPC",
    "backend": "TRACE",
    "query": "QUERY",
    "aws": "AWS",
    "store": "STORE",
    "ecs": "ECS",
    "internal": "INTERNAL",
}


def rows(area: str) -> tuple[Diagnosis, ...]:
    """Return the rows of one area, in the order in which they are written."""
    found: tuple[Diagnosis, ...] = importlib.import_module(f"otelctl.catalog.{area}").ROWS
    return found


def every() -> dict[str, Diagnosis]:
    """Return every diagnosis by its code, areas in order."""
    return {row.code: row for area in AREAS for row in rows(area)}


def area_of(code: str) -> str | None:
    """Return the area word of a code, or None when its prefix is not ours."""
    prefix = code.partition("-")[0]
    return next((area for area, ours in AREAS.items() if ours == prefix), None)


def lookup(code: str) -> Diagnosis | None:
    """Return the diagnosis of a code, in any case; only its area's module is loaded."""
    wanted = code.upper()
    area = area_of(wanted)
    if area is None:
        return None
    return next((row for row in rows(area) if row.code == wanted), None)

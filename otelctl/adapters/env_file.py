"""Reads .env files with python-dotenv, keeping the line of each variable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

LIMIT = 1 << 20
"""A .env file is read up to this many bytes; a larger one is refused."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A statement that no reader takes, and why; `ours` says that it names a variable of OpenTelemetry or Grafana."""

    line: int
    reason: str
    ours: bool


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The variables of a .env file as an application that loads it sees them, the line of each, and what is broken."""

    values: Mapping[str, str]
    lines: Mapping[str, int]
    broken: tuple[Broken, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that could not be read, and why."""

    path: str
    reason: str


def read_text(path: Path) -> str | Unreadable:
    """Return the text of a small UTF-8 file, or why it cannot be had."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        return Unreadable(str(path), error.strerror or type(error).__name__)
    if len(data) > LIMIT:
        return Unreadable(str(path), f"larger than {LIMIT >> 10} KiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Unreadable(str(path), "not UTF-8 text")


def read(path: Path) -> EnvFile | Unreadable:
    """Read a .env file; `${NAME}` in its values is expanded from the file, else from the environment."""
    text = read_text(path)
    if isinstance(text, Unreadable):
        return text
    from dotenv import main, parser  # noqa: PLC0415  only a command that was given a file needs it

    parsed = list(parser.parse_stream(StringIO(text)))
    broken = tuple(
        _broken(one.original.string.strip(), one.original.line + _leading_lines(one.original.string))
        for one in parsed
        if one.error
    )
    bindings = [one for one in parsed if one.key is not None]
    lines = {
        # A binding's text begins where the one before ended: blank lines and comments before it are its own.
        str(one.key): one.original.line + _leading_lines(one.original.string)
        for one in bindings
    }
    resolved = main.resolve_variables(((str(one.key), one.value) for one in bindings), override=True)
    return EnvFile({key: value or "" for key, value in resolved.items()}, lines, broken)


def _broken(text: str, line: int) -> Broken:
    """Return what is known of a statement that python-dotenv passes over; its value may be a secret and stays here."""
    name, _, value = text.partition("=")
    quoted = value.lstrip()[:1] in {'"', "'"}
    reason = "the quote is not closed" if quoted else "it is no NAME=value"
    return Broken(line, reason, bool(re.match(r"(?:export\s+)?(?:OTEL|GRAFANA)_", name.strip())))


def _leading_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")

"""The page of one diagnosis, and the list of all: what `explain` prints and what docs/codes holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from otelctl.model import Diagnosis, Severity, Step
from otelctl.render.line import Line, Style, columns, in_ascii, join
from otelctl.render.markdown import escape
from otelctl.render.markdown import steps as markdown_steps
from otelctl.render.text import prose, steps_lines
from otelctl.render.wording import url

SCHEMA = "otelctl.codes/1"
"""Names the shape of the JSON form."""

_SAYS = {
    Severity.ERROR: "error: breaks the export",
    Severity.UNKNOWN: "unknown: the question could not be answered",
    Severity.WARNING: "warning: loses or endangers something",
    Severity.NOTICE: "notice: worth knowing, breaks nothing",
}
# Commands that a judge puts together for the case in hand, as they read where the variable is at fault.
_GENERAL = {
    "{mend_command}": 'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl inspect-auth --fix)"',
    "{renew_command}": 'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl encode-auth --prompt)"',
    "{set_command}": 'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl encode-auth --prompt)"',
    "{encode_command}": 'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl inspect-auth --fix --as percent-encoded)"',
}
_RETIRED = "Retired: this version no longer reports it."


class _Names(dict[str, str]):
    """Fills each placeholder with its own name, as `<instance-id>`."""

    def __missing__(self, key: str) -> str:
        return f"<{key.replace('_', '-')}>"


def _general(template: str) -> str:
    return template.format_map(_Names())


def _fix(diagnosis: Diagnosis) -> tuple[Step, ...]:
    """Return the steps in general words; a command that is put together only for a case in hand has no general form."""
    steps = []
    for step in diagnosis.fix:
        if step.command is None:
            steps.append(Step(_general(step.text)))
        elif step.command in _GENERAL and diagnosis.code.startswith("AUTH-"):
            steps.append(Step(_general(step.text), _GENERAL[step.command]))
        elif re.fullmatch(r"\{\w+_command\}", step.command):
            steps.append(Step(f"{_general(step.text)} The report of a run holds the command, with your own values."))
        else:
            steps.append(Step(_general(step.text), _general(step.command)))
    return tuple(steps)


def lines(diagnosis: Diagnosis, *, width: int = 80, ascii_only: bool = False) -> list[Line]:
    """Return the page as lines of styled pieces, wrapped to `width` columns but for its commands."""

    def page() -> Iterator[Line]:
        yield ((f"{diagnosis.code}  ", Style.PLAIN), (diagnosis.title, Style.STRONG))
        yield from prose(f"{_SAYS[diagnosis.severity]}; known since {diagnosis.since}", width, Style.FAINT)
        if diagnosis.retired:
            yield from prose(_RETIRED, width, Style.WARNING)
        for heading, text in (("What is seen", diagnosis.summary), ("Why", diagnosis.cause)):
            yield ()
            yield ((heading, Style.STRONG),)
            yield from prose(_general(text), width)
        if diagnosis.fix:
            yield ()
            yield (("What mends it", Style.STRONG),)
            yield from list(steps_lines(_fix(diagnosis), width))[1:]
        yield ()
        for reference in (url(diagnosis), *diagnosis.references):
            yield ((f"  {reference}", Style.FAINT),)

    return [in_ascii(line) for line in page()] if ascii_only else list(page())


def text(diagnosis: Diagnosis, *, width: int = 80, ascii_only: bool = False) -> str:
    """Return the page as text without styles."""
    return join(lines(diagnosis, width=width, ascii_only=ascii_only))


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the page as JSON's types; placeholders stand as `<name>`."""
    return {
        "code": diagnosis.code,
        "title": diagnosis.title,
        "severity": diagnosis.severity.value,
        "summary": _general(diagnosis.summary),
        "cause": _general(diagnosis.cause),
        "fix": [{"text": step.text, "command": step.command} for step in _fix(diagnosis)],
        "references": list(diagnosis.references),
        "since": diagnosis.since,
        "retired": diagnosis.retired,
        "url": url(diagnosis),
    }


def markdown(diagnosis: Diagnosis) -> str:
    """Return the page as it stands in docs/codes."""
    out = [f"# {diagnosis.code}: {escape(diagnosis.title)}", ""]
    out += [f"{_SAYS[diagnosis.severity].capitalize()}. Known since {diagnosis.since}.", ""]
    if diagnosis.retired:
        out += [f"**{_RETIRED}**", ""]
    out += ["## What is seen", "", _words(_general(diagnosis.summary)), ""]
    out += ["## Why", "", _words(_general(diagnosis.cause)), ""]
    if diagnosis.fix:
        out += ["## What mends it", "", *markdown_steps(_fix(diagnosis), _words)]
    if diagnosis.references:
        out += ["## See", "", *(f"- {_link(reference)}" for reference in diagnosis.references), ""]
    return "\n".join(out)


def index_lines(diagnoses: Iterable[Diagnosis], *, width: int = 80, ascii_only: bool = False) -> list[Line]:
    """Return all codes with their titles as aligned lines, the retired ones left out."""
    rows = [row for row in diagnoses if not row.retired]
    size = max((len(row.code) for row in rows), default=0)

    def index() -> Iterator[Line]:
        for row in rows:
            lead = f"{row.code:<{size}}  "
            if size + 2 + columns(row.title) > width:
                yield ((row.code, Style.PLAIN),)
                lead = "    "
            yield ((lead, Style.PLAIN), (row.title, Style.FAINT))

    return [in_ascii(line) for line in index()] if ascii_only else list(index())


def index_document(diagnoses: Iterable[Diagnosis]) -> dict[str, Any]:
    """Return every page as one JSON document."""
    return {"schema": SCHEMA, "codes": [document(row) for row in diagnoses]}


def index_markdown(areas: Mapping[str, Sequence[Diagnosis]]) -> str:
    """Return the index page of docs/codes: a table of the codes of each area."""
    out = ["# What otelctl can find", "", "Each page is also in the program: `otelctl explain CODE`.", ""]
    for area, rows in areas.items():
        if not rows:
            continue
        out += [f"## {area.capitalize()}", "", "| code | problem | severity |", "|---|---|---|"]
        for row in rows:
            severity = "retired" if row.retired else row.severity.value
            out.append(f"| [{row.code}]({row.code}.md) | {escape(row.title)} | {severity} |")
        out.append("")
    return "\n".join(out)


def _words(words: str) -> str:
    """Return words of the catalogue as Markdown; what they set in backticks stays code."""
    return "".join(
        piece if piece.startswith("`") else _spaced(piece) for piece in re.split(r"(`[^`\n]+`)", words) if piece
    )


def _spaced(piece: str) -> str:
    """Escape a piece of a sentence; the spaces at its ends stay."""
    before = " " if piece[:1].isspace() else ""
    after = " " if piece[-1:].isspace() and piece.strip() else ""
    return f"{before}{escape(piece.strip())}{after}"


def _link(reference: str) -> str:
    return f"<{reference}>" if re.fullmatch(r"https?://[^\s<>]+", reference) else _words(reference)

"""The words and the hygiene that every format shares."""

from __future__ import annotations

import unicodedata

from otelctl.model import Certainty, Diagnosis, Finding, Report, Severity, Status

DOCS_URL = "https://github.com/otelctl/otelctl/blob/main/docs/codes/"
"""Where the page of a diagnosis is; its file name follows."""

HEDGE = {Certainty.CERTAIN: "", Certainty.LIKELY: "likely: ", Certainty.POSSIBLE: "possibly: "}
"""What stands before a title that the evidence does not prove."""


RANK = (Severity.ERROR, Severity.UNKNOWN, Severity.WARNING, Severity.NOTICE)
"""Severities, the worst first."""


def url(diagnosis: Diagnosis) -> str:
    """Return the address of the page of a diagnosis."""
    return f"{DOCS_URL}{diagnosis.code}.md"


def hedged(finding: Finding) -> str:
    """Return the title of a finding, with how sure it is unless it is certain."""
    return HEDGE[finding.certainty] + finding.title


def leading(report: Report, fail_on: Severity) -> Finding | None:
    """Return the finding that a run is told by: its root cause, or the worst where it fails by `fail_on` alone."""
    if report.primary is not None or report.exit_code(fail_on) == 0:
        return report.primary
    return min(report.findings, key=lambda finding: RANK.index(finding.severity), default=None)


def duration(seconds: float) -> str:
    """Return a time for people: `3 ms`, `1.2 s`; nothing for what took no time worth a number."""
    if seconds < 0.0005:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s"


def printable(text: str) -> str:
    """Return `text` without what could steer a terminal or reorder a line: each such character becomes U+FFFD.

    Line breaks stay (all in one form), since each format has its own use for them; tabs become spaces. Adapters clean
    server text already; this second look costs little and covers the user's own values as well.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(char if char == "\n" or unicodedata.category(char) not in _STEERING else "\ufffd" for char in text)


# Control, format (bidirectional overrides and zero-width characters), surrogates, line and paragraph separators.
_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def counts(statuses: list[Status]) -> str:
    """Return how the checks of a run ended, as `6 checks passed, 1 warned, 2 skipped`."""
    words = {
        Status.FAILED: "failed",
        Status.UNKNOWN: "could not be told",
        Status.CRASHED: "crashed",
        Status.PASSED: "passed",
        Status.WARNED: "warned",
        Status.SKIPPED: "skipped",
    }
    parts = [(statuses.count(status), word) for status, word in words.items() if status in statuses]
    if not parts:
        return "nothing was checked"
    (number, word), *others = parts
    return ", ".join([f"{number} check{'' if number == 1 else 's'} {word}", *(f"{n} {w}" for n, w in others)])

"""A report as GitHub Actions annotations (docs.github.com/actions, "Workflow commands for GitHub Actions")."""

from __future__ import annotations

from otelctl.model import Finding, Report, Severity
from otelctl.render.wording import hedged, printable

_COMMAND = {
    Severity.ERROR: "error",
    Severity.UNKNOWN: "error",
    Severity.WARNING: "warning",
    Severity.NOTICE: "notice",
}


def render(report: Report) -> str:
    """Return one workflow command for each finding, the root cause first, each on a line of its own."""
    primary = report.primary
    first = [] if primary is None else [primary]
    others = [finding for finding in report.findings if finding is not primary]
    return "".join(f"{_annotation(finding)}\n" for finding in [*first, *others])


def guarded(text: str, token: str) -> str:
    """Return `text` so that the runner shows it and obeys nothing in it.

    A line of a server's answer may read as a workflow command. The runner stops listening until it meets `token`
    again, which must be random: who writes the text must not know it.
    """
    ending = "" if text.endswith("\n") else "\n"
    return f"::stop-commands::{token}\n{text}{ending}::{token}::\n"


def _annotation(finding: Finding) -> str:
    commands = [step.command or step.text for step in finding.fix]
    where = [f"Where: {finding.subject}"] if finding.subject else []
    message = "\n".join([finding.summary, finding.cause, *where, *commands, f"otelctl explain {finding.code}"])
    title = f"{finding.code} {hedged(finding)}"
    return f"::{_COMMAND[finding.severity]} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

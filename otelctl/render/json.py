"""A report for programs: one JSON document, whose keys are only ever added to (`report.schema.json`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from otelctl.model import CheckResult, Finding, Report, Severity
from otelctl.render.wording import leading, url

SCHEMA = "otelctl.report/1"
"""Names the shape; the number grows only if a key changes its meaning."""


def document(report: Report, fail_on: Severity = Severity.ERROR) -> dict[str, Any]:
    """Return a report as JSON's types; `fail_on` is what the exit code was decided by."""
    exit_code = report.exit_code(fail_on)
    primary = leading(report, fail_on)
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "command": report.command,
        "version": report.version,
        "target": report.target,
        "ok": exit_code == 0,
        "exit_code": exit_code,
        "primary": None if primary is None else primary.code,
        "checks": [_check(result) for result in report.results],
        "facts": _facts(report.facts),
    }
    if report.trace is not None:
        found["trace"] = report.trace
    return found


def error_document(command: str, version: str, message: str, exit_code: int) -> dict[str, Any]:
    """Return the document of a run that ended before its first check: a wrong option, an interrupt."""
    return {
        "schema": SCHEMA,
        "command": command,
        "version": version,
        "target": "",
        "ok": False,
        "exit_code": exit_code,
        "primary": None,
        "checks": [],
        "facts": {},
        "error": message,
    }


def _facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Return facts by names for programs: `trace_id` for what a person reads as "Trace ID"."""
    found: dict[str, str] = {}
    for label, value in facts.items():
        name = slug = re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or "fact"
        number = 2
        while name in found:
            name, number = f"{slug}_{number}", number + 1
        found[name] = value
    return found


def dump(value: Mapping[str, Any]) -> str:
    """Return JSON text with a line break at its end.

    All but ASCII is escaped: then no encoding of a pipe can spoil it, and no control character reaches a terminal.
    So is the start of `##[command]`, which CI runners obey anywhere in a line.
    """
    return json.dumps(value, indent=2).replace("##[", "#\\u0023[") + "\n"


def _check(result: CheckResult) -> dict[str, Any]:
    return {
        "id": result.check,
        "title": result.title,
        "status": result.status.value,
        "seconds": round(result.seconds, 6),
        "reason": result.reason,
        "detail": result.detail,
        "findings": [_finding(finding) for finding in result.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "title": finding.title,
        "severity": finding.severity.value,
        "certainty": finding.certainty.value,
        "subject": finding.subject,
        "summary": finding.summary,
        "cause": finding.cause,
        "evidence": dict(finding.evidence),
        "fix": [{"text": step.text, "command": step.command} for step in finding.fix],
        "url": url(finding.diagnosis),
    }

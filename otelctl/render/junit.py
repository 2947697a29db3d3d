"""A report as JUnit XML, as CI systems read it: one suite, a test case for each check."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from otelctl.model import CheckResult, Report, Severity, Status
from otelctl.render.wording import hedged

# XML 1.0, production [2]: what a document may not hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_COUNTED = {
    Severity.ERROR: (Severity.ERROR,),
    Severity.WARNING: (Severity.ERROR, Severity.WARNING),
    Severity.NOTICE: (Severity.ERROR, Severity.WARNING, Severity.NOTICE),
}


def render(report: Report, fail_on: Severity = Severity.ERROR) -> str:
    """Return a report as an XML document.

    What counts by `fail_on` is a `failure`, what could not be told an `error`, a held-up check `skipped`; any other
    finding is in the `system-out` of its check.
    """
    suite = ET.Element("testsuite", name=_legal(f"otelctl {report.command}"))
    properties = ET.SubElement(suite, "properties")
    for name, value in {"version": report.version, "target": report.target, **report.facts}.items():
        ET.SubElement(properties, "property", name=_legal(name), value=_legal(value))
    for result in report.results:
        _case(suite, report, result, _COUNTED[fail_on])
    suite.set("tests", str(len(report.results)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("time", f"{sum(result.seconds for result in report.results):.3f}")
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    # CI runners obey `##[command]` anywhere in a line that goes to their log.
    text = ET.tostring(root, encoding="unicode").replace("##[", "#&#35;[")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + text + "\n"


def _case(suite: ET.Element, report: Report, result: CheckResult, counted: tuple[Severity, ...]) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        name=_legal(result.title),
        classname=_legal(f"otelctl.{report.command}.{result.check}"),
        time=f"{result.seconds:.3f}",
    )
    if result.status is Status.SKIPPED:
        ET.SubElement(case, "skipped", message=_legal(result.reason))
        return
    failing = [finding for finding in result.findings if finding.severity in counted]
    untold = [finding for finding in result.findings if finding.severity is Severity.UNKNOWN]
    worst = next(iter([*failing, *untold]), None)
    told = [
        "\n".join(
            [
                f"{finding.code}  {hedged(finding)}",
                finding.summary,
                finding.cause,
                *(["Where: " + finding.subject] if finding.subject else []),
                *(line for step in finding.fix for line in (step.text, step.command) if line),
            ]
        )
        for finding in result.findings
    ]
    text = _legal("\n\n".join(told))
    if worst is not None:
        tag = "failure" if failing else "error"
        message = f"{worst.code} {hedged(worst)}: {worst.summary}"
        ET.SubElement(case, tag, message=_legal(message), type=_legal(worst.code)).text = text
    elif result.status in (Status.CRASHED, Status.UNKNOWN):
        ET.SubElement(case, "error", message=_legal(result.reason), type=result.status.value)
    elif text or result.detail:
        ET.SubElement(case, "system-out").text = text or _legal(result.detail)


def _legal(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)

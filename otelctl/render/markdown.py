"""A report as Markdown, for the step summary of a CI run; and the escaping that all our Markdown shares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from otelctl.model import CheckResult, Finding, Report, Severity, Status, Step
from otelctl.render.wording import counts, duration, hedged, leading, printable, url

_SIGN = {
    Status.PASSED: "✓",
    Status.WARNED: "!",
    Status.FAILED: "✗",
    Status.UNKNOWN: "?",
    Status.CRASHED: "?",
    Status.SKIPPED: "–",
}
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def render(report: Report, fail_on: Severity = Severity.ERROR) -> str:
    """Return a report as a heading, the facts, the table of checks and each finding with what mends it."""
    primary = leading(report, fail_on)
    findings = [*([] if primary is None else [primary]), *(one for one in report.findings if one is not primary)]
    verdict = counts([result.status for result in report.results])
    heading = f"{primary.code}: {hedged(primary)}" if primary is not None else verdict
    target = f": {code_span(report.target)}" if report.target else ""
    out = [f"## {escape(f'otelctl {report.command}')}{target}", "", f"**{escape(heading)}**", ""]
    if report.facts:
        out += ["| | |", "|---|---|"]
        out += [f"| {escape(label)} | {_cell(value)} |" for label, value in report.facts.items()]
        out.append("")
    if report.trace is not None:
        from otelctl.render import waterfall  # noqa: PLC0415  few reports have a trace
        from otelctl.render.line import join  # noqa: PLC0415  as above

        out += [fenced(join(waterfall.lines(report.trace)).rstrip("\n")), ""]
    if report.results:
        out += ["| | check | | time |", "|---|---|---|---|"]
        out += [_row(result) for result in report.results]
        out.append("")
    for finding in findings:
        out += _finding(finding)
    return "\n".join(out)


def escape(text: str) -> str:
    """Return `text` as one line of Markdown that shows just this text: no markup, no HTML, no link made of a URL."""
    text = " ".join(printable(text).split("\n"))
    text = re.sub(r"[\\`*\[\]|~#@!$]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text)
    text = re.sub(r"[&<>]", lambda found: _ENTITY[found.group()], text)
    text = re.sub(r":(?=//)|(?i:(?<=www)\.)", r"\\\g<0>", text)
    return re.sub(r"^(\s*)([-+=]|\d+(?=[.)]))", _defused, text)


def _defused(found: re.Match[str]) -> str:
    """Keep the start of a line from being a list, a rule or a heading."""
    space, sign = found.groups()
    return f"{space}&#{ord(sign[0])};{sign[1:]}"


def code_span(text: str) -> str:
    """Return `text` as a code span, in more backticks than it holds in a row."""
    text = " ".join(printable(text).split("\n"))
    ticks = "`" * (_longest_run(text) + 1)
    edge = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{edge}{text}{edge}{ticks}"


def fenced(text: str, language: str = "") -> str:
    """Return `text` as a code block, in a fence longer than any run of backticks inside."""
    text = printable(text)
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def steps(fix: Sequence[Step], words: Callable[[str], str] = escape) -> Iterator[str]:
    """Yield the lines of what mends something: each text as `words` escapes it, each command in a block of its own."""
    for step in fix:
        yield from (words(step.text), "")
        if step.command is not None:
            yield from (fenced(step.command, "sh"), "")


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _cell(value: str) -> str:
    """Return a value for a cell of a table, where even a code span must not hold a bare pipe."""
    return code_span(value).replace("|", "\\|")


def _row(result: CheckResult) -> str:
    codes = ", ".join(dict.fromkeys(finding.code for finding in result.findings))
    said = "; ".join(part for part in (codes, result.detail or result.reason) if part)
    return f"| {_SIGN[result.status]} | {escape(result.title)} | {escape(said)} | {duration(result.seconds)} |"


def _finding(finding: Finding) -> Iterator[str]:
    yield from (f"### [{finding.code}]({url(finding.diagnosis)}) {escape(hedged(finding))}", "")
    yield from (escape(finding.summary), "", escape(finding.cause), "")
    if finding.subject:
        yield from (f"Where: {code_span(finding.subject)}", "")
    yield from steps(finding.fix)

"""A report for people: the first line names the cause, the next the command that mends it, or what does in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otelctl.model import CheckResult, Finding, Report, Severity, Status, Step
from otelctl.render.line import Line, Style, columns, in_ascii, join
from otelctl.render.wording import RANK, counts, duration, hedged, leading, printable, url

_SIGN = {
    Status.PASSED: ("✓", Style.GOOD),
    Status.WARNED: ("!", Style.WARNING),
    Status.FAILED: ("✗", Style.BAD),
    Status.UNKNOWN: ("?", Style.WARNING),
    Status.CRASHED: ("?", Style.WARNING),
    Status.SKIPPED: ("–", Style.FAINT),
}
_SEVERITY_SIGN = {
    Severity.ERROR: _SIGN[Status.FAILED],
    Severity.UNKNOWN: _SIGN[Status.UNKNOWN],
    Severity.WARNING: _SIGN[Status.WARNED],
    Severity.NOTICE: ("i", Style.FAINT),
}


def lines(
    report: Report,
    *,
    fail_on: Severity = Severity.ERROR,
    width: int = 80,
    ascii_only: bool = False,
    verbose: bool = False,
) -> list[Line]:
    """Return a report as lines of styled pieces.

    A run that fails by `fail_on`, as its exit code does, is told by its cause, any other one by its verdict. Prose is
    wrapped to `width` columns; commands and the values of facts never are. `ascii_only` keeps to ASCII for an output
    whose encoding lacks our signs. `verbose` adds the evidence, the page and the references of each finding.
    """
    out: list[Line] = []
    primary = leading(report, fail_on)
    others = [finding for finding in report.findings if finding is not primary]
    others.sort(key=lambda finding: RANK.index(finding.severity))
    told: list[Finding] = []

    def blocks(findings: Sequence[Finding]) -> None:
        brief = False
        for finding in findings:
            # What the same command mends, or was said before, takes no block of its own.
            again = not verbose and any(_alike(finding, one) for one in told)
            if out and not (again and brief):
                out.append(())
            out.extend(_again(finding, told, width) if again else _finding(finding, width, verbose=verbose))
            told.append(finding)
            brief = again

    if primary is not None:
        blocks([primary])
        blocks(others)
        out.extend(_facts(report, gap=bool(out)))
        out.extend(_drawn(report, width, ascii_only=ascii_only))
    else:
        out.extend(_verdict(report, width))
        out.extend(_facts(report, gap=bool(out)))
        out.extend(_drawn(report, width, ascii_only=ascii_only))
        blocks(others)
    if report.results:
        out.append(())
        for result in report.results:
            out.extend(_check(result, width))
    return [in_ascii(line) for line in out] if ascii_only else out


def plain(
    report: Report,
    *,
    fail_on: Severity = Severity.ERROR,
    width: int = 80,
    ascii_only: bool = False,
    verbose: bool = False,
) -> str:
    """Return a report as text without styles, with a line break at its end."""
    return join(lines(report, fail_on=fail_on, width=width, ascii_only=ascii_only, verbose=verbose))


def _verdict(report: Report, width: int) -> Iterator[Line]:
    """Yield the first line of a run in which nothing failed; a target too long for it follows whole."""
    if not report.results:
        return
    statuses = [result.status for result in report.results]
    untold = next((one for one in (Status.FAILED, Status.CRASHED, Status.UNKNOWN) if one in statuses), None)
    passed = Status.PASSED if {Status.PASSED, Status.WARNED} & set(statuses) else Status.SKIPPED
    sign, style = _SIGN[untold or passed]
    target = printable(report.target).replace("\n", " ")
    verdict = f" {counts(statuses)}"
    fits = columns(sign + verdict + ": " + target) <= width
    yield ((sign, style), (f"{verdict}: {target}" if target and fits else verdict, Style.STRONG))
    if target and not fits:
        yield ((f"  {target}", Style.PLAIN),)


def _mend(finding: Finding) -> str | None:
    """Return the command that mends a finding, None where it has none."""
    return finding.fix[0].command if finding.fix else None


def _alike(finding: Finding, other: Finding) -> bool:
    """Tell whether two findings share their code or the command that mends them."""
    return finding.code == other.code or _mend(finding) == _mend(other) is not None


def _again(finding: Finding, told: Sequence[Finding], width: int) -> Iterator[Line]:
    """Yield a finding in a line, and what it saw and where if that was not `told` with one of its code."""
    sign, style = _SEVERITY_SIGN[finding.severity]
    yield ((sign, style), (f" {finding.code}  ", style), (hedged(finding), Style.PLAIN))
    same = [one for one in told if one.code == finding.code]
    if same and finding.summary not in {one.summary for one in same}:
        yield from prose(finding.summary, width)
    if finding.subject and finding.subject not in {one.subject for one in told}:
        yield from prose(f"Where: {finding.subject}", width)


def _finding(finding: Finding, width: int, *, verbose: bool) -> Iterator[Line]:
    """Yield the block of one finding."""
    sign, style = _SEVERITY_SIGN[finding.severity]
    head = f" {finding.code}  "
    yield ((sign, style), (head, style), (hedged(finding), Style.STRONG))
    steps = finding.fix
    # A first step without a command says that none mends this: that of a later step would only look around.
    first = next(iter(steps), None)
    if first is not None and first.command is not None:
        yield from command_lines(first.command)
    elif first is not None:
        yield from prose(first.text, width)
    yield ()
    yield from prose(finding.summary, width)
    yield from prose(finding.cause, width)
    if finding.subject:
        yield from prose(f"Where: {finding.subject}", width)
    yield from steps_lines(steps, width, first)
    if verbose:
        for name, value in finding.evidence.items():
            yield from prose(f"{name} = {value}", width, Style.FAINT)
        yield from prose(f"Page: {url(finding.diagnosis)}", width, Style.FAINT)
        for reference in finding.diagnosis.references:
            yield from prose(f"See: {reference}", width, Style.FAINT)
    yield ()
    yield from command_lines(f"otelctl explain {finding.code}", Style.FAINT)


def steps_lines(steps: Sequence[Step], width: int, told: Step | None = None) -> Iterator[Line]:
    """Yield numbered steps after an empty line.

    Of the step `told`, whose command (or else whose text) stands on top of the block already, that part is left out.
    """
    rest = [step for step in steps if step is not told or step.command is not None]
    if not rest:
        return
    yield ()
    for number, step in enumerate(rest, 1):
        lead = f"{number}. " if len(rest) > 1 else ""
        text = f"{step.text.rstrip('.:')}: the command above." if step is told and len(rest) > 1 else step.text
        yield from prose(text, width, lead=lead)
        if step.command is not None and step is not told:
            yield from command_lines(step.command)


def command_lines(command: str, style: Style = Style.COMMAND) -> Iterator[Line]:
    """Yield a command ready to be copied: whole, indented by two spaces, nothing around it.

    Where a quoted value goes over several lines, the later ones start at the margin: spaces would change the value.
    """
    for number, line in enumerate(printable(command).split("\n")):
        yield (("" if number else "  ", Style.PLAIN), (line, style))


def prose(text: str, width: int, style: Style = Style.PLAIN, *, lead: str = "") -> Iterator[Line]:
    """Yield text wrapped to `width` columns, indented by two, what follows `lead` hanging after it."""
    room = max(width - 2 - len(lead), 20)
    before = "  " + lead
    for paragraph in printable(text).split("\n"):
        for line in wrap(paragraph, room):
            yield ((before + line, style),)
            before = "  " + " " * len(lead)


def wrap(text: str, room: int) -> list[str]:
    """Return `text` in lines of at most `room` columns; a word that is longer stays whole, so that it can be copied."""
    out: list[str] = []
    used = 0
    for word in text.split():
        size = columns(word)
        if out and used + 1 + size <= room:
            out[-1] += f" {word}"
            used += 1 + size
        else:
            out.append(word)
            used = size
    return out


def _facts(report: Report, *, gap: bool) -> Iterator[Line]:
    """Yield what the run has to show as an aligned block; a value stays whole, on as many lines as it brings."""
    if not report.facts:
        return
    if gap:
        yield ()
    size = max(columns(label) for label in report.facts)
    for label, value in report.facts.items():
        margin = "  " + label + " " * (size - columns(label)) + "  "
        for line in printable(value).split("\n"):
            yield ((margin, Style.FAINT), (line, Style.PLAIN))
            margin = " " * columns(margin)


def _drawn(report: Report, width: int, *, ascii_only: bool) -> Iterator[Line]:
    """Yield the trace of a report as a waterfall after an empty line."""
    if report.trace is None:
        return
    from otelctl.render import waterfall  # noqa: PLC0415  it stands on OTLP's codec, and few reports have a trace

    drawn = waterfall.lines(report.trace, width=width, ascii_only=ascii_only)
    if drawn:
        yield ()
        yield from drawn


def _check(result: CheckResult, width: int) -> Iterator[Line]:
    """Yield one row of the list of checks: sign, title, what was measured or found, how long it took."""
    sign, style = _SIGN[result.status]
    parts = [result.title]
    if result.status is Status.SKIPPED:
        parts.append(f"skipped, {result.reason}" if result.reason else "skipped")
    parts += dict.fromkeys(finding.code for finding in result.findings)
    parts += [part for part in (result.detail, duration(result.seconds)) if part]
    faint = Style.FAINT if result.status is Status.SKIPPED else Style.PLAIN
    rows = _flow([printable(part).replace("\n", " ") for part in parts], max(width - 4, 20))
    yield (("  ", Style.PLAIN), (sign, style), (f" {rows[0]}", faint))
    for row in rows[1:]:
        yield ((f"      {row}", faint),)


def _flow(parts: Sequence[str], room: int) -> list[str]:
    """Return parts two spaces apart, on one line where they fit; a part that does not starts a line of its own."""
    rows = [""]
    for part in parts:
        joined = f"{rows[-1]}  {part}" if rows[-1] else part
        if columns(joined) <= room:
            rows[-1] = joined
            continue
        broken = wrap(part, room - 2) or [""]
        if not rows[-1]:
            rows.pop()
        rows.extend(broken)
    return rows

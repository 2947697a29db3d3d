"""How a report leaves: cleaned, in the format asked for, with the exit code that every format shares."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from otelctl import __version__
from otelctl.cli.errors import Stop, UsageError
from otelctl.cli.options import FailOn, Format, severity
from otelctl.cli.session import Session
from otelctl.model import CheckResult, Finding, Report, Severity, Status


def emit(session: Session, report: Report, form: Format, fail_on: FailOn, *, verbose: bool = False) -> Stop:
    """Write a report to standard output and return the end of the command to raise."""
    level = severity(fail_on)
    report = session.redacted(report)
    if form is Format.TEXT:
        from otelctl.render import text  # noqa: PLC0415  each format is loaded only to be used

        terminal = session.terminal
        lines = text.lines(report, fail_on=level, width=terminal.width, ascii_only=terminal.ascii_only, verbose=verbose)
        if on_github(session):
            from otelctl.render import github  # noqa: PLC0415  as above
            from otelctl.render.line import join  # noqa: PLC0415  as above

            terminal.raw(github.guarded(join(lines), os.urandom(16).hex()))
        else:
            terminal.write(lines)
    else:
        session.terminal.raw(rendered(report, form, level))
    return Stop(report.exit_code(level))


def refuse(session: Session, findings: Sequence[Finding]) -> Stop:
    """Show findings that keep a command from its result, in the format asked for; return the end of it to raise."""
    results = (CheckResult("input", "the input is usable", Status.FAILED, tuple(findings)),)
    report = session.redacted(Report(session.command, __version__, "", results))
    # From the bare arguments, since what is refused can be among them.
    asked, junit = session.given("--format"), session.given("--junit")
    form = Format(asked) if asked in list(Format) else Format.TEXT
    if junit:
        write_file(session, Path(junit), rendered(report, Format.JUNIT, Severity.ERROR), "--junit")
    if form is not Format.TEXT:
        session.terminal.raw(rendered(report, form, Severity.ERROR))
    else:
        from otelctl.render import text  # noqa: PLC0415  each format is loaded only to be used

        session.terminal.tell(text.lines(report, ascii_only=session.terminal.ascii_only_messages))
    if session.command == "smoke":
        announce(session, report, form, Severity.ERROR)
    return Stop(report.exit_code())


def announce(session: Session, report: Report, form: Format, level: Severity) -> None:
    """Annotate the run and write its step summary, where GitHub Actions runs this; `form` is what was written."""
    if not on_github(session):
        return
    annotations = rendered(report, Format.GITHUB, level)
    if form is Format.TEXT:
        # On the stream of the guarded report, so that they come after its end; the two streams have no order.
        session.terminal.raw(annotations)
    elif form is not Format.GITHUB:
        # Workflow commands are read from both streams; stdout is one document.
        session.terminal.tell([((line, ""),) for line in annotations.splitlines()])
    if summary := session.variables.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(rendered(report, Format.MARKDOWN, level))
        except OSError as error:
            session.say(f"otelctl: the step summary cannot be written: {error.strerror}")


def rendered(report: Report, form: Format, level: Severity) -> str:
    """Return a cleaned report in a format for machines."""
    if form is Format.JSON:
        from otelctl.render import json  # noqa: PLC0415  as above

        return json.dump(json.document(report, level))
    if form is Format.JUNIT:
        from otelctl.render import junit  # noqa: PLC0415  as above

        return junit.render(report, level)
    if form is Format.GITHUB:
        from otelctl.render import github  # noqa: PLC0415  as above

        return github.render(report)
    from otelctl.render import markdown  # noqa: PLC0415  as above

    return markdown.render(report, level)


def on_github(session: Session) -> bool:
    """Tell whether GitHub Actions reads the output, and obeys commands in it."""
    return session.variables.get("GITHUB_ACTIONS") == "true"


def writable(path: Path, option: str) -> None:
    """Raise UsageError where a file that an option names could not be written: told before the work, not after it."""
    try:
        folder, parent = path.is_dir(), path.parent.is_dir()
    except OSError as error:
        raise UsageError(f"{option}: {str(path)[:200]} cannot be written: {error.strerror}") from None
    if folder:
        raise UsageError(f"{option}: {path} is a directory; give the name of a file")
    if not parent:
        raise UsageError(f"{option}: there is no directory {path.parent} to write {path.name} in; make it first")


def write_file(session: Session, path: Path, text: str, option: str) -> None:
    """Write a report to a file that an option names, whole or not at all; raises UsageError where that fails."""
    content = session.clean(text).encode("utf-8", "replace")
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)  # a pipe or a device
            return
        try:
            part.write_bytes(content)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{option}: {path} cannot be written: {error.strerror}") from None

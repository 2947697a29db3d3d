"""The types of a judgement: what can be wrong, what was found, and the report of a run."""

from __future__ import annotations

import enum
import functools
import shlex
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Severity(enum.StrEnum):
    """How much a diagnosis matters.

    ERROR breaks the export. WARNING loses or endangers something. NOTICE is worth knowing and breaks nothing.
    UNKNOWN says that the question could not be answered, which is neither good nor bad news.
    """

    ERROR = "error"
    UNKNOWN = "unknown"
    WARNING = "warning"
    NOTICE = "notice"


class Certainty(enum.StrEnum):
    """How sure the evidence makes us: CERTAIN is proven by it, LIKELY fits best, POSSIBLE is one of several."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


class Status(enum.StrEnum):
    """What became of one check."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a sentence, and the command that does it where one exists.

    Both may hold `{placeholders}`; in a command each value is quoted for a POSIX shell.
    """

    text: str
    command: str | None = None


def _fields(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A row of the catalogue: something that goes wrong in the field, in words with `{placeholders}`.

    `title` names the problem, `summary` says what was seen, `cause` why it happens, `fix` what mends it.
    `since` is the version that knew it first; a retired row stays and says so.
    """

    code: str
    title: str
    severity: Severity
    summary: str
    cause: str
    fix: tuple[Step, ...]
    references: tuple[str, ...] = ()
    since: str = "0.1.0"
    retired: bool = False

    @property
    def placeholders(self) -> frozenset[str]:
        """The names of the evidence that the words need."""
        return _placeholders(self)

    def found(self, certainty: Certainty, subject: str = "", **evidence: object) -> Finding:
        """Return this diagnosis as met, with its evidence.

        `subject` says where the wrong value lives (`OTEL_EXPORTER_OTLP_HEADERS, .env:3`).
        Raises ValueError when evidence is missing or has no place in the words.
        """
        given = frozenset(evidence)
        if given != self.placeholders:
            missing = ", ".join(sorted(self.placeholders - given))
            surplus = ", ".join(sorted(given - self.placeholders))
            raise ValueError(f"{self.code}: missing evidence [{missing}], surplus evidence [{surplus}]")
        return Finding(self, certainty, subject, {name: str(value) for name, value in evidence.items()})


@functools.cache
def _placeholders(diagnosis: Diagnosis) -> frozenset[str]:
    names = _fields(diagnosis.summary) | _fields(diagnosis.cause)
    for step in diagnosis.fix:
        names |= _fields(step.text) | _fields(step.command or "")
    return names


_CHECK = "otelctl check-endpoint "
_PUSH = "otelctl push-secret "
_REPEATS = (_CHECK, _PUSH, "otelctl send-test-span ", "otelctl smoke ", "otelctl find-trace ")
# What the AWS tool needs too. It takes both before the service; its own list of profiles stumbles over a wrong one.
_AWS, _AWS_OPTIONS, _AWS_PROFILES = "aws ", ("--profile", "--region"), "aws configure list-profiles"


@dataclass(frozen=True, slots=True)
class Finding:
    """One diagnosis met in one place.

    `options` are those with which an advised command of ours reads and writes the same places (` --env-file .env`); of
    them the AWS tool is given the profile and the region.
    `instead` stands in for `otelctl check-endpoint` in advised commands where another command met the finding.
    """

    diagnosis: Diagnosis
    certainty: Certainty
    subject: str
    evidence: Mapping[str, str]
    options: str = ""
    instead: str = ""

    @property
    def code(self) -> str:
        """The code of the diagnosis."""
        return self.diagnosis.code

    @property
    def severity(self) -> Severity:
        """The severity of the diagnosis."""
        return self.diagnosis.severity

    @property
    def title(self) -> str:
        """The problem, by name."""
        return self.diagnosis.title

    @property
    def summary(self) -> str:
        """What was seen, with the evidence filled in."""
        return self.diagnosis.summary.format_map(self.evidence)

    @property
    def cause(self) -> str:
        """Why it happens, with the evidence filled in."""
        return self.diagnosis.cause.format_map(self.evidence)

    @property
    def fix(self) -> tuple[Step, ...]:
        """What mends it, with the evidence filled in.

        Values in commands are quoted for a POSIX shell, but for evidence whose name ends in `_command`: that is a
        command already, which a judge of ours has put together.
        """
        quoted = {
            name: value if name.endswith("_command") else shlex.quote(value) for name, value in self.evidence.items()
        }

        def filled(command: str) -> str:
            text = command.format_map(quoted)
            if self.instead and text.startswith(_CHECK):
                text = f"{self.instead} {text.removeprefix(_CHECK)}"
            if text.startswith(_AWS) and text != _AWS_PROFILES:
                return f"aws{_without(self.options, text, _AWS_OPTIONS)} {text.removeprefix(_AWS)}"
            return text + _without(self.options, text) if text.startswith(_REPEATS) else text

        return tuple(
            Step(step.text.format_map(self.evidence), None if step.command is None else filled(step.command))
            for step in self.diagnosis.fix
        )


def _without(options: str, command: str, only: tuple[str, ...] = ()) -> str:
    """Return options without those that a command names itself: standing last, the old value would win.

    `only` are those that the command takes, where it does not take all. What makes a place anew rolls nothing back.
    """
    named = {word for word in command.split() if word.startswith("--")}
    if "--create" in named:
        named.add("--rollback")
    kept: list[str] = []
    keep = True
    for word in shlex.split(options):
        if word.startswith("--"):
            keep = word not in named and (not only or word in only)
        if keep:
            kept.append(word)
    return f" {shlex.join(kept)}" if kept else ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check gave. `title` is the good state that it looked for; `detail` what it measured.

    `reason` says why it was skipped or how it crashed; `seconds` is the wall time that it took.
    """

    check: str
    title: str
    status: Status
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
    detail: str = ""
    reason: str = ""


def status_of(findings: tuple[Finding, ...]) -> Status:
    """Return the status that findings give to the check which made them."""
    severities = {finding.severity for finding in findings}
    if Severity.ERROR in severities:
        return Status.FAILED
    if Severity.UNKNOWN in severities:
        return Status.UNKNOWN
    if Severity.WARNING in severities:
        return Status.WARNED
    return Status.PASSED


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run: its checks in order, what it was aimed at (redacted), and what it has to show.

    `facts` are the results worth reading besides the checks (a trace ID, a link), in display order, by label; `trace`
    is a trace as OTLP JSON, to be drawn.
    """

    command: str
    version: str
    target: str
    results: tuple[CheckResult, ...]
    facts: Mapping[str, str] = field(default_factory=dict)
    trace: Mapping[str, Any] | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings in the order of the checks."""
        return tuple(finding for result in self.results for finding in result.findings)

    @property
    def primary(self) -> Finding | None:
        """The root cause: the earliest certain error, else the earliest error, else what could not be told."""
        errors = [finding for finding in self.findings if finding.severity is Severity.ERROR]
        certain = [finding for finding in errors if finding.certainty is Certainty.CERTAIN]
        unknown = [finding for finding in self.findings if finding.severity is Severity.UNKNOWN]
        return next(iter([*certain[:1], *errors, *unknown]), None)

    def exit_code(self, fail_on: Severity = Severity.ERROR) -> int:
        """Return 0 when healthy, 1 when something was found, 3 when it could not be told.

        `fail_on` WARNING makes warnings count as findings; NOTICE notices too. The output format has no say.
        """
        counted = {
            Severity.ERROR: {Severity.ERROR},
            Severity.WARNING: {Severity.ERROR, Severity.WARNING},
            Severity.NOTICE: {Severity.ERROR, Severity.WARNING, Severity.NOTICE},
        }[fail_on]
        if any(finding.severity in counted for finding in self.findings):
            return 1
        if any(result.status in (Status.CRASHED, Status.UNKNOWN) for result in self.results):
            return 3
        return 0

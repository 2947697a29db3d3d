"""Runs a table of checks: in order, each after what it needs, each fenced."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Generic, TypeVar

from otelctl.catalog.internal import CRASH
from otelctl.model import Certainty, CheckResult, Finding, Status, status_of
from otelctl.ports import Clock

Run = TypeVar("Run")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the body of a check gives back: its findings, and what it measured in a few words.

    `skipped` says why there was nothing to check (plain HTTP has no handshake); it holds up no other check.
    """

    findings: tuple[Finding, ...] = ()
    detail: str = ""
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Check(Generic[Run]):
    """One question. `title` is the good state; `needs` names the checks that must not have failed before it."""

    id: str
    title: str
    needs: tuple[str, ...]
    body: Callable[[Run], Outcome]


_HOLDS_UP = frozenset({Status.FAILED, Status.UNKNOWN, Status.CRASHED})


def run(
    checks: Sequence[Check[Run]],
    state: Run,
    clock: Clock,
    redact: Callable[[str], str],
    before: Callable[[Check[Run]], None] = lambda _check: None,
) -> Iterator[CheckResult]:
    """Run the checks one after the other and yield each result as it comes.

    A check whose need failed, or was itself held up, is skipped and names the check at the root. A body that
    raises becomes INTERNAL-CRASH; `redact` cleans what the exception said. `before` is told of each check that starts.
    """
    held_up_by: dict[str, str] = {}
    for check in checks:
        root = next((held_up_by[need] for need in check.needs if need in held_up_by), None)
        if root is not None:
            held_up_by[check.id] = root
            yield CheckResult(check.id, check.title, Status.SKIPPED, reason=f"waits for: {root}")
            continue
        before(check)
        started = clock.monotonic()
        try:
            outcome = check.body(state)
        except Exception as error:  # noqa: BLE001 - the fence: a crash of one check is its result
            finding = crash(error, redact)
            held_up_by[check.id] = check.title
            seconds = clock.monotonic() - started
            yield CheckResult(check.id, check.title, Status.CRASHED, (finding,), seconds, reason=finding.summary)
            continue
        seconds = clock.monotonic() - started
        if outcome.skipped:
            yield CheckResult(check.id, check.title, Status.SKIPPED, reason=outcome.skipped)
            continue
        status = status_of(outcome.findings)
        if status in _HOLDS_UP:
            held_up_by[check.id] = check.title
        yield CheckResult(check.id, check.title, status, outcome.findings, seconds, outcome.detail)


def crash(error: BaseException, redact: Callable[[str], str]) -> Finding:
    """Return INTERNAL-CRASH for an exception: its type, its redacted text and the innermost place of ours."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = frames[-1] if frames else None
    place = f"{PurePath(frame.filename).name}:{frame.lineno}" if frame else "an unknown place"
    text = " ".join(redact(str(error)).split())[:200]
    return CRASH.found(Certainty.CERTAIN, "otelctl", error=type(error).__name__, text=text, place=place)

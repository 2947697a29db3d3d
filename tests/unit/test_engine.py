"""The engine: order, needs, fences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl.engine import Check, Outcome, crash, run
from otelctl.model import Certainty, CheckResult, Diagnosis, Finding, Severity, Status, Step


@dataclass(slots=True)
class Ticking:
    """A clock on which each look takes a second."""

    seconds: float = 0.0

    def now(self) -> datetime:
        """Return some day."""
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return a second more than before."""
        self.seconds += 1
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Go on at once."""


@dataclass(slots=True)
class State:
    """What the bodies did, in order."""

    ran: list[str] = field(default_factory=list)


def finding(severity: Severity) -> Finding:
    """Return a finding of this severity."""
    return Diagnosis("AUTH-X", "It is so", severity, "Seen.", "Because.", (Step("Do."),)).found(Certainty.CERTAIN)


def check(name: str, *needs: str, outcome: Outcome | Exception = Outcome()) -> Check[State]:  # noqa: B008 - immutable
    """Return a check that notes its name and gives the outcome."""

    def body(state: State) -> Outcome:
        state.ran.append(name)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Check(name, f"{name} is good", needs, body)


def results(*checks: Check[State], redact: Callable[[str], str] = str) -> tuple[list[CheckResult], State]:
    """Run the checks."""
    state = State()
    return list(run(checks, state, Ticking(), redact)), state


def test_checks_run_in_order_each_with_its_time() -> None:
    """Checks run one after the other; each result has the check's title, measurement and seconds."""
    found, state = results(check("a"), check("b", "a", outcome=Outcome(detail="7 of 7")))
    assert state.ran == ["a", "b"]
    assert [(one.check, one.title, one.status, one.seconds, one.detail) for one in found] == [
        ("a", "a is good", Status.PASSED, 1.0, ""),
        ("b", "b is good", Status.PASSED, 1.0, "7 of 7"),
    ]


@pytest.mark.parametrize(
    ("outcome", "status", "holds_up"),
    [
        (Outcome(), Status.PASSED, False),
        (Outcome((finding(Severity.NOTICE),)), Status.PASSED, False),
        (Outcome((finding(Severity.WARNING),)), Status.WARNED, False),
        (Outcome((finding(Severity.UNKNOWN),)), Status.UNKNOWN, True),
        (Outcome((finding(Severity.ERROR),)), Status.FAILED, True),
        (Outcome(skipped="nothing to check"), Status.SKIPPED, False),
        (ValueError("x"), Status.CRASHED, True),
    ],
)
def test_what_holds_up_another(outcome: Outcome | Exception, status: Status, holds_up: bool) -> None:
    """What failed, crashed or could not tell holds up those that need it; a warning and nothing to do do not."""
    found, state = results(check("a", outcome=outcome), check("b", "a"), check("c"))
    assert [one.status for one in found] == [status, Status.SKIPPED if holds_up else Status.PASSED, Status.PASSED]
    assert state.ran == (["a", "c"] if holds_up else ["a", "b", "c"])


def test_what_waits_names_the_root() -> None:
    """A check at the end of a chain names the check that failed first, not the one before it."""
    failed = Outcome((finding(Severity.ERROR),))
    found, _ = results(check("a", outcome=failed), check("b", "a"), check("c", "b"), check("d", "c", "b"))
    assert {one.reason for one in found[1:]} == {"waits for: a is good"}


def test_a_crash_is_fenced_and_redacted() -> None:
    """A check that raises is told with its type and redacted text on one line; the others go on."""
    found, state = results(
        check("a", outcome=RuntimeError("hunter2\nsecond line")),
        check("b"),
        redact=lambda text: text.replace("hunter2", "•"),
    )
    assert state.ran == ["a", "b"]
    assert found[0].findings[0].evidence["text"] == "• second line"
    assert "hunter2" not in repr(found[0])


def test_results_come_as_they_are_made() -> None:
    """A result is there before the next check starts, and each start is told of."""
    state, told = State(), list[str]()
    stream = run([check("a"), check("b", "a")], state, Ticking(), str, lambda one: told.append(one.id))
    assert next(stream).check == "a"
    assert (state.ran, told) == (["a"], ["a"])
    assert next(stream).check == "b"
    assert told == ["a", "b"]


def test_a_crash_without_a_traceback() -> None:
    """An exception that was never raised is told as well."""
    assert crash(ValueError("x"), str).evidence["place"] == "an unknown place"


@given(data=st.data())
def test_only_what_depends_on_a_failure_waits(data: st.DataObject) -> None:
    """In any table: a check runs exactly when nothing that it rests on, however far, failed."""
    count = data.draw(st.integers(1, 8))
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    needs = [data.draw(st.sets(st.integers(0, at - 1))) if at else set() for at in range(count)]
    failed = Outcome((finding(Severity.ERROR),))
    _, state = results(
        *(
            check(str(at), *map(str, sorted(needs[at])), outcome=failed if at in bad else Outcome())
            for at in range(count)
        )
    )
    held: set[int] = set()
    for at in range(count):
        if needs[at] & (held | bad):
            held.add(at)
    assert state.ran == [str(at) for at in range(count) if at not in held]

"""The diagnosis of our own mistakes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from otelctl.engine import Check, Outcome, run
from otelctl.model import CheckResult, Status
from tests.cases.marks import case, near_miss


class _Still:
    """A clock on which no time passes."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Go on at once."""


def _run(body: Callable[[None], Outcome]) -> CheckResult:
    (result,) = run([Check("a", "all is well", (), body)], None, _Still(), lambda text: text.replace("hunter2", "••••"))
    return result


@case("INTERNAL-CRASH")
def test_a_check_that_raises_is_our_mistake() -> None:
    """An exception in a check is told as ours, with its place and without the secret in its text."""

    def body(_state: None) -> Outcome:
        raise KeyError("hunter2")

    result = _run(body)
    (finding,) = result.findings
    assert (result.status, finding.code) == (Status.CRASHED, "INTERNAL-CRASH")
    assert finding.evidence["error"] == "KeyError"
    assert finding.evidence["place"].startswith("test_internal.py:")
    assert "hunter2" not in finding.summary


@near_miss("INTERNAL-CRASH")
def test_an_interrupt_is_no_mistake() -> None:
    """Ctrl-C during a check goes through to the program and is no finding."""

    def body(_state: None) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _run(body)


@near_miss("INTERNAL-CRASH")
def test_nothing_to_check_is_no_mistake() -> None:
    """A check that has nothing to do is skipped with its reason and has no finding."""
    result = _run(lambda _state: Outcome(skipped="plain HTTP has no handshake"))
    assert (result.status, result.findings) == (Status.SKIPPED, ())

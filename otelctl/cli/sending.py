"""What the commands that send telemetry share: one exchange, and what became of each signal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from otelctl.checks.run import Target
from otelctl.checks.table import SENDS
from otelctl.cli import probing
from otelctl.cli.session import Session
from otelctl.cli.sources import Sources
from otelctl.model import CheckResult, Report, Status
from otelctl.settings import Signal

_FINE = (Status.PASSED, Status.WARNED)


def now_ns(session: Session) -> int:
    """Return the time of day in nanoseconds since the epoch."""
    return int(session.offline.clock.now().timestamp() * 1_000_000_000)


def report(
    session: Session, command: str, target: Target, given: Sources, wanted: probing.Wanted, facts: Mapping[str, str]
) -> Report:
    """Send what the target holds, and return the report, with the facts where it was accepted."""
    made = probing.report(session, command, [target], options=probing.repeated(given, wanted), send=True, probe=False)
    accepted = all(accepts(made.results, signal) for signal in target.signals)
    return dataclasses.replace(made, facts=facts) if accepted else made


def accepts(results: Iterable[CheckResult], signal: Signal) -> bool:
    """Tell whether a signal was sent, and accepted wherever it was sent."""
    sent = [one for one in results if _id(one) == SENDS[signal]]
    return bool(sent) and all(one.status in _FINE for one in sent)


def outcomes(results: Sequence[CheckResult], signals: Sequence[Signal]) -> dict[str, str]:
    """Return what became of each signal in a word or two: which of them a token may write is what people ask."""
    return {f"{signal.value.capitalize()}": _outcome(results, signal) for signal in signals}


def _outcome(results: Sequence[CheckResult], signal: Signal) -> str:
    own = [one for one in results if _id(one) in (signal.value, SENDS[signal])]
    codes = [finding.code for one in own if one.status not in _FINE for finding in one.findings]
    if codes:
        return f"refused, {codes[0]}"
    return "accepted" if accepts(results, signal) else "not reached"


def _id(result: CheckResult) -> str:
    """Return the check's own id: among several endpoints, theirs stands before it."""
    return result.check.rpartition(" ")[2]

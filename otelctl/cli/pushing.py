"""One place on its way through `push-secret`: read, planned, confirmed, written, read back. Each place by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from otelctl import push
from otelctl.cli import probing
from otelctl.cli.errors import UsageError
from otelctl.cli.places import Place
from otelctl.cli.session import Session
from otelctl.diagnose.aws import judge_previous, judge_return
from otelctl.diagnose.store import judge_declined
from otelctl.engine import Check, Outcome, run
from otelctl.facts.store import Refusal, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.model import CheckResult, Finding, Status
from otelctl.plan import Action, Change, Plan, alike, shown
from otelctl.ports import RevertibleStore, SecretStore
from otelctl.secret import Secret

_DONE = {Action.CREATE: "added", Action.UPDATE: "changed", Action.KEEP: "unchanged", Action.DELETE: "removed"}
_BAD = (Status.FAILED, Status.UNKNOWN, Status.CRASHED)
_NO_TERMINAL = "there is no terminal to confirm at; add --yes"


@dataclass(slots=True)
class Push:
    """One place and what has become of it so far.

    `many` says that others stand beside it in the report; `options` are what advised commands carry on.
    """

    session: Session
    place: Place
    create: bool
    many: bool
    options: str = ""
    failed: bool = False
    store: SecretStore | None = None
    stored: StoredSecret | SecretAbsent | None = None
    previous: StoredSecret | None = None
    plan: Plan | None = None
    written: Written | None = None
    verified: bool = False
    kept_back: str = ""

    @property
    def changes(self) -> bool:
        """Whether there is something to write."""
        return not self.failed and self.plan is not None and not self.plan.unchanged

    @property
    def stays(self) -> bool:
        """Whether there is nothing to write."""
        return not self.failed and self.plan is not None and self.plan.unchanged

    @property
    def region(self) -> str:
        """The region of AWS in use, where there is one."""
        return str(getattr(self.store, "region", ""))

    @property
    def arn(self) -> str:
        """The ARN of a secret that was read."""
        identity = self.stored.identity if isinstance(self.stored, StoredSecret) else ""
        return identity if identity.startswith("arn:") else ""

    def run(self, check: Check[Push], started: Callable[[str], None]) -> Iterator[CheckResult]:
        """Run one check, unless an earlier one failed."""
        if self.failed:
            return
        clock = self.session.offline.clock
        check = dataclasses.replace(check, title=f"{self.place.noun} {check.title}")
        for result in run((check,), self, clock, self.session.clean, lambda check: started(check.title)):
            self.failed = result.status in _BAD
            yield self.told(result)

    def told(self, result: CheckResult) -> CheckResult:
        """Return a result as the report has it: its commands with the options, its place named beside others."""
        result = probing.with_options(result, self.options)
        return probing.labelled(result, self.place.name) if self.many else result

    def facts(self) -> dict[str, str]:
        """Return what became of the keys, by names alone."""
        if self.plan is None or (self.failed and not self.verified and not self.kept_back):
            return {}
        lead = "" if self.verified or self.plan.unchanged else "Would be "
        named: dict[str, list[str]] = {}
        for change in self.plan.changes:
            named.setdefault((lead + _DONE[change.action]).capitalize(), []).append(shown(change.key))
        facts = {label: ", ".join(keys) for label, keys in named.items()}
        if self.plan.others:
            facts["Not touched"] = f"{len(self.plan.others)}: {', '.join(map(shown, self.plan.others))}"
        if self.written is not None:
            facts["Version"] = self.written.version
        elif self.plan.unchanged:
            facts["Written"] = "nothing, it holds these values already"
        elif self.kept_back:
            facts["Written"] = f"nothing ({self.kept_back})"
        return facts


def facts(pushes: Sequence[Push]) -> dict[str, str]:
    """Return what became of all places: the labels are ours, and where there are several each has a line of its own."""
    lines: dict[str, list[str]] = {}
    for one in pushes:
        lead = f"{shown(one.place.name)}: " if one.many else ""
        for label, value in one.facts().items():
            lines.setdefault(label, []).append(lead + value)
    return {label: "\n".join(values) for label, values in lines.items()}


def distinct(pushes: Sequence[Push]) -> list[Push]:
    """Return the places, once read, without those that are one secret with an earlier one, by name and by ARN."""
    found: dict[tuple[str, str], Push] = {}
    for one in pushes:
        found.setdefault((one.arn, "" if one.arn else one.place.name), one)
    return list(found.values())


def write_all(pushes: Sequence[Push], write: Check[Push], *, dry_run: bool, yes: bool) -> Iterator[CheckResult]:
    """Write every place that changes and is confirmed, and yield each result.

    A place that stays as it is loses what a killed run left beside it, which a result tells where it cannot be removed.
    Raises UsageError where nobody can be asked; but where another place has failed, the report comes first. An
    interrupt goes on to the caller, after the places that it kept from being written were yielded.
    """
    waiting = [one for one in pushes if one.changes]
    for one in pushes:
        if one.stays and not dry_run:
            yield from (result for result in one.run(_TIDY, lambda _title: None) if result.findings)
    if waiting and not dry_run and not yes and not _terminal(waiting[0].session):
        if not any(one.failed for one in pushes):
            names = ", ".join(one.place.name for one in waiting)
            raise UsageError(f"nothing was written to {names}: {_NO_TERMINAL}")
        for one in waiting:
            one.kept_back = _NO_TERMINAL
        return
    while waiting:
        begun = False
        one = waiting[0]
        try:
            if dry_run:
                one.kept_back = "--dry-run"
            elif not yes and not _confirmed(one):
                one.kept_back = "it was not confirmed"
                yield from one.run(dataclasses.replace(write, body=_declined), lambda _title: None)
            else:
                begun = True
                with one.session.terminal.progress() as progress:
                    yield from one.run(write, progress.start)
        except KeyboardInterrupt:
            if begun:
                waiting.pop(0).failed = True
                yield _broken_off(one, write, "interrupted; it holds the old value or the new one")
            for later in waiting:
                later.kept_back = "interrupted"
                yield _broken_off(later, write, "interrupted before it was written")
            raise
        waiting.pop(0)


def _broken_off(one: Push, write: Check[Push], words: str) -> CheckResult:
    title = f"{one.place.noun} {write.title}"
    return one.told(CheckResult(write.id, title, Status.UNKNOWN, detail=words))


def _terminal(session: Session) -> bool:
    return session.stdin is not None and session.stdin.isatty()


def _confirmed(one: Push) -> bool:
    """Show the names that would change, and ask."""
    session = one.session
    assert session.stdin is not None  # noqa: S101  just seen
    assert one.plan is not None  # noqa: S101  it changes something
    session.say(f"{one.place.name}:")
    for line in one.plan.diff():
        session.say(f"  {line}")
    session.say("Write this? [y/N] ")
    return session.stdin.readline().strip().lower() in ("y", "yes")


def _declined(one: Push) -> Outcome:
    return Outcome(judge_declined(one.place.subject))


def _opened(one: Push) -> SecretStore:
    if one.store is None:
        one.store = one.place.open()
    return one.store


def _learned(one: Push, stored: StoredSecret) -> None:
    if stored.text is not None:
        one.place.learn(one.session, stored.text)


def _read(one: Push) -> Outcome:
    fact = _opened(one).read()
    if isinstance(fact, SecretAbsent) and one.create and (fact.empty or one.place.makable):
        one.stored = fact
        return Outcome(detail="there is none yet; --create makes it")
    if isinstance(fact, StoredSecret):
        one.stored = fact
        _learned(one, fact)
        return Outcome(one.place.judge.store(fact, one.region), f"version {fact.version}")
    return Outcome(one.place.judge.store(fact, one.region))


def _plan(one: Push) -> Outcome:
    assert one.stored is not None  # noqa: S101  it was read before
    wanted = one.place.wanted
    proposed = wanted if isinstance(wanted, Refusal) else push.propose(one.stored, wanted, one.place.planner)
    if isinstance(proposed, Refusal):
        return Outcome(one.place.judge.refusal(proposed))
    outcome = _shown(one, proposed)
    return dataclasses.replace(outcome, findings=outcome.findings + _key_case(one, proposed, one.stored.alike))


def _key_case(one: Push, proposed: Plan, beside: Sequence[str]) -> tuple[Finding, ...]:
    """Return warnings of names that differ from ours in case alone; those of a keyring's entry are not the user's."""
    wanted = one.place.wanted
    if isinstance(wanted, Refusal) or one.place.noun == "the keyring":
        return ()
    found: list[Finding] = []
    # In the order of `Given.named`.
    for option, key in zip(("--endpoint-key", "--headers-key"), wanted, strict=True):
        if others := alike(key, (*proposed.others, *beside)):
            found += one.place.judge.key_case(option, key, others)
    return tuple(found)


def _shown(one: Push, proposed: Plan) -> Outcome:
    one.plan = proposed
    lines = "; ".join(proposed.diff()[: len(proposed.changes)])
    return Outcome(one.place.judge.plan(proposed), "nothing to change" if proposed.unchanged else lines)


def _write(one: Push) -> Outcome:
    assert one.stored is not None  # noqa: S101  it was read before
    wanted, world = one.place.wanted, one.session.offline
    assert not isinstance(wanted, Refusal)  # noqa: S101  it was planned before
    store, planner = _opened(one), one.place.planner
    return _judged(one, push.apply(store, one.stored, wanted, world.clock, world.entropy, planner=planner))


def _tidy(one: Push) -> Outcome:
    left = _opened(one).tidy()
    return Outcome(one.place.judge.left(left) if left else ())


def _judged(
    one: Push, outcome: push.Pushed | push.Unverified | Refusal | SecretAbsent | StoreConflict | StoreFault
) -> Outcome:
    judge = one.place.judge
    if isinstance(outcome, push.Unverified):
        return Outcome(judge.readback(outcome.written, outcome.found))
    if isinstance(outcome, Refusal):
        return Outcome(judge.refusal(outcome))
    if not isinstance(outcome, push.Pushed):
        return Outcome(judge.store(outcome, one.region))
    one.plan, one.written, one.verified = outcome.plan, outcome.written, True
    left = judge.left(outcome.label_left) if outcome.label_left else ()
    if outcome.written is None:
        return Outcome(left, "it has come to hold these values since it was read")
    # What was left behind is named once, whoever tells of it.
    findings = judge.store(outcome.written, one.region)
    said = {finding.code for finding in findings}
    findings += tuple(finding for finding in left if finding.code not in said)
    again = f" after {outcome.written.attempts - 1} conflicts" if outcome.written.attempts > 1 else ""
    return Outcome(findings, f"written {one.place.guarded[outcome.written.guard]}{again}, read back the same")


def _read_both(one: Push) -> Outcome:
    read = _read(one)
    if not isinstance(one.stored, StoredSecret):
        return read
    # Only a secret of Secrets Manager gets here: the other places keep no former value.
    before = cast("RevertibleStore", _opened(one)).read_previous()
    findings = judge_previous(before, secret_id=one.place.name, subject=one.place.subject, region=one.region)
    if isinstance(before, StoredSecret):
        one.previous = before
        _learned(one, before)
        return Outcome(detail=f"version {one.stored.version}, before it version {before.version}")
    return Outcome(findings)


def _plan_return(one: Push) -> Outcome:
    assert isinstance(one.stored, StoredSecret)  # noqa: S101  both were read before
    assert one.previous is not None  # noqa: S101  as above
    proposed = push.propose_return(one.stored, one.previous)
    if isinstance(proposed, Refusal):
        # A text that broke is what a rollback is for; only the names cannot be told.
        same = one.stored.text is not None and one.stored.text == one.previous.text
        whole = () if same else (Change("the whole text, whose keys cannot be compared", Action.UPDATE),)
        proposed = Plan(Secret(""), whole)
    outcome = _shown(one, proposed)
    if proposed.unchanged:
        return outcome
    newer = judge_return(one.stored, one.previous, secret_id=one.place.name, subject=one.place.subject)
    return dataclasses.replace(outcome, findings=outcome.findings + newer)


def _return(one: Push) -> Outcome:
    assert isinstance(one.stored, StoredSecret)  # noqa: S101  both were read before
    assert one.previous is not None  # noqa: S101  as above
    assert one.plan is not None  # noqa: S101  as above
    store, clock = cast("RevertibleStore", _opened(one)), one.session.offline.clock
    return _judged(one, push.revert(store, one.stored, one.previous, one.plan, clock))


# What each title says of goes before it: the secret, the file.
READ: Check[Push] = Check("read", "can be read", (), _read)
PLAN: Check[Push] = Check("plan", "takes the two values", (), _plan)
_TIDY: Check[Push] = Check("tidy", "keeps nothing that a killed run left", (), _tidy)
WRITE: Check[Push] = Check("write", "holds the two values, as read back", (), _write)

READ_BOTH: Check[Push] = Check("read", "can be read, and its value before", (), _read_both)
PLAN_RETURN: Check[Push] = Check("plan", "can return to its value before", (), _plan_return)
RETURN: Check[Push] = Check("write", "holds its value before again, as read back", (), _return)

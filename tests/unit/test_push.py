"""Tests of the loop around a guarded write, on a store in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from otelctl.adapters.file_store import FileStore
from otelctl.facts.store import Refusal, RefusalReason, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.plan import Action, Plan
from otelctl.push import ATTEMPTS, Pushed, apply, propose, propose_return, revert
from otelctl.secret import Secret

WANTED = {"k": Secret("planted-value")}


class StillClock:
    """A clock on which waiting takes no time and is written down."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return the epoch."""
        return datetime(1970, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return zero."""
        return 0.0

    def sleep(self, seconds: float) -> None:
        """Write the wait down."""
        self.slept.append(seconds)


class Bytes:
    """Randomness that is always the same byte."""

    def __init__(self, byte: int) -> None:
        self.byte = byte

    def bytes(self, count: int) -> bytes:
        """Return that many of it."""
        return b"%c" % self.byte * count


class Meddled(FileStore):
    """A file store before each of whose writes somebody else does something."""

    def __init__(self, path: Path, meddle: Callable[[int], object]) -> None:
        super().__init__(path)
        self.meddle = meddle
        self.writes = 0

    def _write(self, text: Secret, expected: str | None) -> Written | StoreConflict | StoreFault:
        self.writes += 1
        self.meddle(self.writes)
        return super()._write(text, expected)


def run(store: FileStore, clock: StillClock | None = None, byte: int = 0) -> object:
    """Read and apply."""
    found = store.read()
    assert isinstance(found, StoredSecret | SecretAbsent)
    return apply(store, found, WANTED, clock or StillClock(), Bytes(byte))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a secret with a key of somebody else."""
    path = tmp_path / "secret.json"
    path.write_text('{"theirs": 0}')
    return path


def test_a_conflict_is_planned_anew(path: Path) -> None:
    """After conflicts our key joins the latest text, and the tries are counted."""

    def meddle(write: int) -> None:
        if write <= 3:
            path.write_text(f'{{"theirs": {write}}}')

    result = run(Meddled(path, meddle))
    assert isinstance(result, Pushed)
    assert result.written is not None
    assert result.written.attempts == 4
    assert json.loads(path.read_text()) == {"theirs": 3, "k": "planted-value"}


@pytest.mark.parametrize(("byte", "longest"), [(0x00, 0.0), (0xFF, 2.0)])
def test_conflicts_without_end_are_given_up(path: Path, byte: int, longest: float) -> None:
    """After a bounded number of tries the conflict is the result; the waits are jittered and bounded too."""
    clock = StillClock()
    store = Meddled(path, lambda write: path.write_text(f'{{"theirs": {write}}}'))
    assert isinstance(run(store, clock, byte), StoreConflict)
    assert store.writes == ATTEMPTS
    assert len(clock.slept) == ATTEMPTS - 1
    assert max(clock.slept) == longest
    assert sum(clock.slept) < 20


def test_somebody_elses_same_values_end_the_loop(path: Path) -> None:
    """When the other writer brought our very values, nothing more is written."""
    store = Meddled(path, lambda _: path.write_text('{"k": "planted-value"}'))
    result = run(store)
    assert isinstance(result, Pushed)
    assert result.written is None
    assert store.writes == 1


class Late(FileStore):
    """A file store that goes on showing what was there before a write, for a number of reads."""

    def __init__(self, path: Path, reads: int) -> None:
        super().__init__(path)
        self.reads = reads
        self.shown: StoredSecret | SecretAbsent | StoreFault | None = None
        self.writes = 0

    def read(self) -> StoredSecret | SecretAbsent | StoreFault:
        """Read what is shown, or what is there."""
        if self.shown is None or self.reads == 0:
            return super().read()
        self.reads -= 1
        return self.shown

    def _write(self, text: Secret, expected: str | None) -> Written | StoreConflict | StoreFault:
        self.writes += 1
        shown, self.shown = super().read(), None
        outcome = super()._write(text, expected)
        self.shown = shown
        return outcome


@pytest.mark.parametrize("absent", [False, True], ids=["replaced", "made"])
def test_a_write_that_shows_late_is_waited_for(path: Path, absent: bool) -> None:
    """A read-back that still gives what we replaced is read again, for a bounded time, and is no conflict."""
    if absent:
        path.unlink()
    clock, store = StillClock(), Late(path, 3)
    result = run(store, clock)
    assert isinstance(result, Pushed)
    assert result.written is not None
    assert (result.written.attempts, store.writes) == (1, 1)
    assert len(clock.slept) == 3
    assert sum(clock.slept) < 2


def test_a_write_that_shows_very_late_is_ours(path: Path) -> None:
    """Where our version is found only by the next try, the write is reported as ours, with the keys that it added."""
    store = Late(path, 4)
    result = run(store)
    assert isinstance(result, Pushed)
    assert result.written is not None
    assert [(change.key, change.action) for change in result.plan.changes] == [("k", Action.CREATE)]
    assert (result.written.attempts, store.writes) == (1, 1)


class Returning(Late):
    """A late store that keeps a former value."""

    def read_previous(self) -> StoredSecret:
        """Return the value before."""
        return StoredSecret("x", Secret("{}"), "v0")

    def restore(self, previous: StoredSecret, expected: StoredSecret) -> Written | StoreConflict | StoreFault:
        """Write the value before."""
        assert previous.text is not None
        return self._write(previous.text, expected.version)


def test_a_return_that_shows_late_is_waited_for(path: Path) -> None:
    """A rollback whose read-back still gives the value that it took back is no conflict."""
    store = Returning(path, 2)
    now = store.read()
    assert isinstance(now, StoredSecret)
    shown = propose_return(now, store.read_previous())
    assert isinstance(shown, Plan)
    assert isinstance(revert(store, now, store.read_previous(), shown, StillClock()), Pushed)


def test_a_text_that_broke_meanwhile_is_refused(path: Path) -> None:
    """A conflict with a text that takes no keys ends in the refusal, and the text stays."""
    result = run(Meddled(path, lambda _: path.write_text("[]")))
    assert isinstance(result, Refusal)
    assert result.reason is RefusalReason.NOT_OBJECT
    assert path.read_text() == "[]"


def test_a_secret_that_vanished_is_not_made_again(path: Path) -> None:
    """Only a run that began with an absent secret makes one."""
    assert run(Meddled(path, lambda _: path.unlink())) == SecretAbsent(str(path))
    assert not path.exists()
    assert isinstance(run(FileStore(path)), Pushed)
    assert path.exists()


def test_a_proposal_never_shows_a_value(path: Path) -> None:
    """What is shown before a write names keys alone, also when everything is printed."""
    found = FileStore(path).read()
    assert isinstance(found, StoredSecret)
    assert "planted" not in repr(propose(found, WANTED))
    assert propose(StoredSecret("x", None, "v1"), WANTED) == Refusal(RefusalReason.BINARY)

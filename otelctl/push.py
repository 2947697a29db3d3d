"""Gets wanted keys into a stored secret: plan, guarded write, read back; again where somebody was faster."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from otelctl.facts.store import Refusal, RefusalReason, SecretAbsent, StoreConflict, StoredSecret, StoreFault, Written
from otelctl.plan import Plan, Planner, difference, plan
from otelctl.ports import Clock, Entropy, RevertibleStore, SecretStore
from otelctl.secret import Secret

ATTEMPTS = 12
"""How often a write is planned anew after a conflict; eight writers at once settle in fewer."""

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_SETTLING = (0.1, 0.3, 0.9)
"""Seconds before each further look for a write of ours: AWS may show the version before it for a moment."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The secret holds the wanted keys, as read back.

    `written` is None where it held them before. `label_left` is a staging label of ours that could not be dropped.
    """

    plan: Plan
    written: Written | None
    label_left: str | None = None


@dataclass(frozen=True, slots=True)
class Unverified:
    """The store said that it wrote, and the value read back is not what was written, or could not be read."""

    plan: Plan
    written: Written
    found: StoredSecret | SecretAbsent | StoreFault


def propose(
    stored: StoredSecret | SecretAbsent, wanted: Mapping[str, Secret], planner: Planner = plan
) -> Plan | Refusal:
    """Return what a write of the wanted keys would change, or why the stored text is left alone.

    `planner` knows the format of the text; without one it is a JSON object.
    """
    if isinstance(stored, SecretAbsent):
        text = None
    elif stored.text is None:
        return Refusal(RefusalReason.BINARY)
    else:
        text = stored.text.reveal()
    return planner(text, {key: value.reveal() for key, value in wanted.items()})


def apply(
    store: SecretStore,
    stored: StoredSecret | SecretAbsent,
    wanted: Mapping[str, Secret],
    clock: Clock,
    entropy: Entropy,
    *,
    planner: Planner = plan,
) -> Pushed | Unverified | Refusal | SecretAbsent | StoreConflict | StoreFault:
    """Write the wanted keys, starting from what was read, and verify them.

    After a conflict the secret is read and planned anew with the same wanted keys, so that whatever the others wrote
    stays; after ATTEMPTS tries the last conflict is the result. A secret that vanishes meanwhile is not made again:
    that comes back as SecretAbsent.
    """
    may_create = isinstance(stored, SecretAbsent)
    unseen: dict[str, Pushed] = {}
    attempt = 1
    while True:
        outcome = _attempt(store, stored, wanted, planner, clock=clock, attempt=attempt, unseen=unseen)
        if not isinstance(outcome, StoreConflict) or attempt == ATTEMPTS:
            return outcome
        clock.sleep(_pause(attempt, entropy))
        attempt += 1
        now = store.read()
        if isinstance(now, StoreFault) or (isinstance(now, SecretAbsent) and not may_create):
            return now
        stored = now


def _attempt(
    store: SecretStore,
    stored: StoredSecret | SecretAbsent,
    wanted: Mapping[str, Secret],
    planner: Planner,
    *,
    clock: Clock,
    attempt: int,
    unseen: dict[str, Pushed],
) -> Pushed | Unverified | Refusal | StoreConflict | StoreFault:
    """Plan and write once. `unseen` are the earlier writes of ours, by version, that were not found on reading back."""
    proposed = propose(stored, wanted, planner)
    if isinstance(proposed, Refusal):
        return proposed
    before = stored.version if isinstance(stored, StoredSecret) else None
    if proposed.unchanged:
        # Perhaps what we wrote, which the store shows only now.
        ours = unseen.get(before or "", Pushed(proposed, None))
        return dataclasses.replace(ours, label_left=store.tidy())
    outcome = store.create(proposed.text) if isinstance(stored, SecretAbsent) else store.replace(proposed.text, stored)
    if not isinstance(outcome, Written):
        return outcome
    outcome = dataclasses.replace(outcome, attempts=attempt)
    pushed = Pushed(proposed, outcome, outcome.label_left)
    found = _read_back(store, before, clock)
    if isinstance(found, StoredSecret):
        if found.text == proposed.text:
            return pushed
        if found.version != outcome.version:
            # Somebody wrote right after us. If they kept our keys, all is well; else it is planned on what they left.
            later = propose(found, wanted, planner)
            if isinstance(later, Plan) and later.unchanged:
                return pushed
            unseen[outcome.version] = pushed
            return StoreConflict(store.identity, outcome.version, found.version)
    return Unverified(proposed, outcome, found)


def _read_back(store: SecretStore, before: str | None, clock: Clock) -> StoredSecret | SecretAbsent | StoreFault:
    """Read what was written just now; a few times, while it still is the version `before`, None for an absent one."""
    found = store.read()
    for pause in _SETTLING:
        if isinstance(found, StoreFault) or (found.version if isinstance(found, StoredSecret) else None) != before:
            break
        clock.sleep(pause)
        found = store.read()
    return found


def propose_return(stored: StoredSecret, previous: StoredSecret) -> Plan | Refusal:
    """Return what a return to the value before would change, key by key, or why its names cannot be told."""
    if stored.text is None or previous.text is None:
        return Refusal(RefusalReason.BINARY)
    return difference(stored.text.reveal(), previous.text.reveal())


def revert(
    store: RevertibleStore, stored: StoredSecret, previous: StoredSecret, shown: Plan, clock: Clock
) -> Pushed | Unverified | StoreConflict | StoreFault:
    """Make `previous` the current value again where `stored` still is, and verify it.

    A conflict is the result, and no reason to try again: what was shown and confirmed is not what it would do now.
    """
    outcome = store.restore(previous, stored)
    if not isinstance(outcome, Written):
        return outcome
    found = _read_back(store, stored.version, clock)
    if isinstance(found, StoredSecret):
        if found.version != outcome.version:
            return StoreConflict(store.identity, outcome.version, found.version)
        if found.text == previous.text:
            # A push that was killed may be what is taken back.
            return Pushed(shown, outcome, store.tidy())
    return Unverified(shown, outcome, found)


def _pause(attempt: int, entropy: Entropy) -> float:
    """Return a random wait in seconds, up to a bound that doubles, so that writers who met once part."""
    bound: float = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
    return bound * int.from_bytes(entropy.bytes(2), "big") / 0xFFFF

"""What a write would change, by names: the result of every planner."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from otelctl.facts.store import Refusal, RefusalReason
from otelctl.secret import Secret


class Action(enum.StrEnum):
    """What happens to one key; its value is the sign before the key in a diff."""

    CREATE = "+"
    UPDATE = "~"
    KEEP = "="
    DELETE = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """One key and what happens to it."""

    key: str
    action: Action


@dataclass(frozen=True, slots=True)
class Plan:
    """The text to write, what it changes, and the names of the keys that it does not touch, in their order.

    `shadowed` are wanted keys that stand in the text once more, where no reader looks; that place is left as it is.
    """

    text: Secret
    changes: tuple[Change, ...]
    others: tuple[str, ...] = ()
    shadowed: tuple[str, ...] = ()

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to write."""
        return all(change.action is Action.KEEP for change in self.changes)

    def diff(self) -> tuple[str, ...]:
        """Return the plan as lines of names, never of values: `+ new`, `~ changed`, `= as it was`."""
        lines = [f"{change.action} {shown(change.key)}" for change in self.changes]
        if self.others:
            names = ", ".join(map(shown, self.others))
            lines.append(f"  not touched ({len(self.others)}): {names}")
        return tuple(lines)


Planner = Callable[[str | None, Mapping[str, str]], Plan | Refusal]
"""How a text, or None where there is none yet, takes wanted values by their keys, or why it cannot."""


def shown(name: str) -> str:
    """Return a name as it stands in a list: as it is, or in quotes with escapes where it holds what does not print."""
    return name if name.isprintable() and name else json.dumps(name)


def alike(key: str, others: Iterable[str]) -> tuple[str, ...]:
    """Return those names that differ from a key in case alone."""
    return tuple(name for name in others if name != key and name.casefold() == key.casefold())


def unwritable(wanted: Mapping[str, str]) -> Refusal | None:
    """Return why a file of text cannot hold one of these values: control characters, or half a pair of surrogates."""
    for key, value in wanted.items():
        if not all(char.isprintable() or char == "\u00a0" for char in value):
            detail = f"the value for {shown(key)} holds a line break or another character that does not print"
            return Refusal(RefusalReason.UNWRITABLE, detail, (key,))
    return None

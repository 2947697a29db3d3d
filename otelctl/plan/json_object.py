"""Merges wanted keys into a stored JSON object by splicing, so that every other byte stays as it is.

Nothing is parsed and written anew: a number like `1e400` or `1.10`, an escape, the order and the spaces of the other
keys survive because they are never touched. Positions come from the scanners of Python's own json module.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import NoReturn

from otelctl.facts.store import Refusal, RefusalReason
from otelctl.plan.change import Action, Change, Plan, shown
from otelctl.secret import Secret

MAX_BYTES = 65_536
"""The most that a value of AWS Secrets Manager holds, in bytes (API reference: SecretString)."""

_SPACE = " \t\n\r"


def plan(stored: str | None, wanted: Mapping[str, str]) -> Plan | Refusal:
    """Return how `stored` takes the wanted keys, or why it cannot.

    `stored` is the text of a JSON object, or None where there is none yet. A key whose value already is the wanted
    string stays byte for byte, whatever escapes it is written with.
    """
    if stored is None:
        text = json.dumps(dict(wanted))
        return _within_limit(text, tuple(Change(key, Action.CREATE) for key in wanted), ())
    scanned = _scan(stored)
    if isinstance(scanned, Refusal):
        return scanned
    members = {member.key: member for member in scanned.members}
    changes: list[Change] = []
    edits: list[tuple[int, int, str]] = []
    added: list[tuple[str, str]] = []
    for key, value in wanted.items():
        member = members.get(key)
        if member is None:
            changes.append(Change(key, Action.CREATE))
            added.append((json.dumps(key), json.dumps(value)))
        elif member.string == value:
            changes.append(Change(key, Action.KEEP))
        else:
            changes.append(Change(key, Action.UPDATE))
            edits.append((member.value_start, member.value_end, json.dumps(value)))
    if added:
        edits.append(_addition(stored, scanned, added))
    text = stored
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    others = tuple(key for key in members if key not in wanted)
    return _within_limit(text, tuple(changes), others) if edits else Plan(Secret(text), tuple(changes), others)


def plan_exactly(stored: str | None, wanted: Mapping[str, str]) -> Plan | Refusal:
    """Return how a store that holds these keys and no other takes them: its text has them in the order wanted."""
    planned = plan(stored, wanted)
    if isinstance(planned, Refusal) or planned.unchanged:
        return planned
    return dataclasses.replace(planned, text=Secret(json.dumps(dict(wanted))))


def difference(old: str, new: str) -> Plan | Refusal:
    """Return what a return from `old` to `new` does, key by key: the preview of a rollback. Both are JSON objects."""
    before, after = _scan(old), _scan(new)
    if isinstance(before, Refusal):
        return before
    if isinstance(after, Refusal):
        return after
    had = {member.key: member for member in before.members}
    has = {member.key: member for member in after.members}
    changes = [Change(key, Action.DELETE) for key in had if key not in has]
    changes += [
        Change(key, Action.CREATE if key not in had else Action.UPDATE)
        for key in has
        if key not in had or had[key].written(old) != has[key].written(new)
    ]
    changed = {change.key for change in changes}
    return Plan(Secret(new), tuple(changes), tuple(key for key in has if key not in changed))


def _within_limit(text: str, changes: tuple[Change, ...], others: tuple[str, ...]) -> Plan | Refusal:
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return Refusal(RefusalReason.TOO_LARGE, f"{size} bytes after the change, {MAX_BYTES} at most", size=size)
    return Plan(Secret(text), changes, others)


@dataclass(frozen=True, slots=True)
class _Member:
    """One `"key": value` of an object, by its positions; `string` is the value where it is a string."""

    key: str
    key_start: int
    key_end: int
    value_start: int
    value_end: int
    string: str | None

    def written(self, text: str) -> tuple[bool, str]:
        """Return what tells two values apart: what a string says, and how anything else is written."""
        if self.string is not None:
            return True, self.string
        return False, text[self.value_start : self.value_end]


@dataclass(frozen=True, slots=True)
class _Object:
    """The top-level object: the positions of its braces, and its members in order."""

    opening: int
    closing: int
    members: tuple[_Member, ...]


def _constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no value of JSON though some tools take it for one")


# Numbers stay text: 1e400 is no float, and an integer of 5,000 digits no error.
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_constant)


def _scan(text: str) -> _Object | Refusal:
    try:
        return _scan_object(text)
    except RecursionError:
        return Refusal(RefusalReason.TOO_DEEP, "the values are nested too deep to be read")
    except json.JSONDecodeError as error:
        return Refusal(RefusalReason.NOT_JSON, f"{error.msg} at line {error.lineno}, column {error.colno}")
    except ValueError as error:
        return Refusal(RefusalReason.NOT_JSON, str(error))


def _scan_object(text: str) -> _Object | Refusal:
    if text.startswith("\ufeff"):
        return Refusal(RefusalReason.NOT_JSON, "a byte order mark (U+FEFF), which is not seen, stands before it")
    opening = _skip(text, 0)
    if text[opening : opening + 1] != "{":
        value, end = _DECODER.raw_decode(text, opening)
        _expect_end(text, end)
        names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
        # A number comes back as str by parse_int and parse_float; only a quotation mark makes a string.
        kind = "a number" if isinstance(value, str) and text[opening] != '"' else names[type(value)]
        return Refusal(RefusalReason.NOT_OBJECT, kind)
    members: list[_Member] = []
    at = _skip(text, opening + 1)
    while text[at : at + 1] != "}" or members:
        key_start = at
        if text[at : at + 1] != '"':
            raise json.JSONDecodeError("Expecting a property name in double quotes", text, at)
        key, key_end = scanstring(text, at + 1, True)
        at = _skip(text, key_end)
        if text[at : at + 1] != ":":
            raise json.JSONDecodeError("Expecting ':'", text, at)
        value_start = _skip(text, at + 1)
        value, value_end = _DECODER.raw_decode(text, value_start)
        string = value if text[value_start] == '"' else None
        members.append(_Member(key, key_start, key_end, value_start, value_end, string))
        at = _skip(text, value_end)
        if text[at : at + 1] == "}":
            break
        if text[at : at + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' or '}'", text, at)
        at = _skip(text, at + 1)
    _expect_end(text, at + 1)
    twice = [key for key, count in Counter(member.key for member in members).items() if count > 1]
    if twice:
        return Refusal(RefusalReason.DUPLICATE_KEYS, ", ".join(map(shown, twice)), tuple(twice))
    return _Object(opening, at, tuple(members))


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _expect_end(text: str, at: int) -> None:
    at = _skip(text, at)
    if at != len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _addition(text: str, scanned: _Object, added: list[tuple[str, str]]) -> tuple[int, int, str]:
    """Return the edit that appends members in the style of those that are there."""
    if scanned.members:
        last = scanned.members[-1]
        if len(scanned.members) > 1:
            comma = text[scanned.members[-2].value_end : last.key_start]
        else:
            lead = text[scanned.opening + 1 : last.key_start]
            spaced = lead or text[last.key_end : last.value_start].endswith(" ")
            comma = "," + (lead if "\n" in lead else " " if spaced else "")
        colon = text[last.key_end : last.value_start]
        new = "".join(comma + key + colon + value for key, value in added)
        return last.value_end, last.value_end, new
    inner = text[scanned.opening + 1 : scanned.closing]
    if "\n" in inner:
        newline = "\r\n" if "\r\n" in inner else "\n"
        lead = newline + inner.rpartition("\n")[2] + "  "
        comma = "," + lead
    else:
        lead, comma = inner, ", "
    at = scanned.opening + 1
    return at, at, lead + comma.join(f"{key}: {value}" for key, value in added)

"""Writes wanted variables into the text of a .env file, and changes no other byte of it.

Positions are those that python-dotenv's parser reports, which is the reader that Python applications have. What comes
out is parsed once more: where another variable would read differently, or ours not as wanted, the text is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from otelctl.facts.store import Refusal, RefusalReason
from otelctl.plan.change import Action, Change, Plan, unwritable
from otelctl.secret import Secret

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""The names that python-dotenv and a shell both take."""

_BOM = "\ufeff"
# What needs no quotes in python-dotenv nor in a shell.
_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
_NAME = re.compile(r"\s*(?P<export>export[^\S\r\n]+)?(?:'[^']+'|[^=#\s]+)")
_EQUALS = re.compile(r"[^\S\r\n]*=(?P<gap>[^\S\r\n]*)")
_QUOTED = {
    "'": re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL),
    '"': re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL),
}


@dataclass(frozen=True, slots=True)
class _Binding:
    """One statement of the file: its text from `start` on, and what python-dotenv makes of it."""

    key: str | None
    value: str | None
    text: str
    start: int
    line: int
    error: bool


def plan_dotenv(stored: str | None, wanted: Mapping[str, str]) -> Plan | Refusal:
    """Return how a .env file takes the wanted variables.

    A value stands as before where it already is the wanted one. A changed one keeps its quotes as far as they can hold
    it, in a form that a shell reads alike; a new one follows the lines that are there (`export`, quotes, line ends).
    Where a variable is set more than once the last one counts, and is the one that changes.
    """
    if refusal := unwritable(wanted) or _interpolated(wanted):
        return refusal
    text = stored or ""
    lead = _BOM if text.startswith(_BOM) else ""
    text = text[len(lead) :]
    before = _parse(text)
    quotes = _quotes(before)
    changes: list[Change] = []
    added: list[str] = []
    edits: list[tuple[int, int, str]] = []
    for key, value in wanted.items():
        last = next((binding for binding in reversed(before) if binding.key == key), None)
        if last is None:
            changes.append(Change(key, Action.CREATE))
            added.append(f"{_export(before)}{key}={_written(value, '', quotes)}")
        elif last.value == value:
            changes.append(Change(key, Action.KEEP))
        else:
            changes.append(Change(key, Action.UPDATE))
            edits.append(_edit(last, value, quotes))
    new = text
    for start, end, written in sorted(edits, reverse=True):
        new = new[:start] + written + new[end:]
    if added:
        newline = _newline(text)
        if new and not new.endswith(("\n", "\r")):
            new += newline
        new += "".join(line + newline for line in added)
    if not _reads_as(new, before, wanted):
        broken = next((binding for binding in before if binding.error), None)
        where = f"the statement in line {broken.line} is broken" if broken else "its syntax is ambiguous"
        return Refusal(RefusalReason.SYNTAX, where)
    names = [binding.key for binding in before if binding.key is not None]
    return Plan(
        Secret(lead + new),
        tuple(changes),
        tuple(dict.fromkeys(name for name in names if name not in wanted)),
        tuple(key for key in wanted if names.count(key) > 1),
    )


def values(text: str) -> Iterator[str]:
    """Yield every value of a .env file."""
    return (binding.value for binding in _parse(text.removeprefix(_BOM)) if binding.value)


def _interpolated(wanted: Mapping[str, str]) -> Refusal | None:
    """Return why a value cannot be kept: python-dotenv expands `${…}` within any quotes and knows no escape for it."""
    for key, value in wanted.items():
        if "${" in value:
            return Refusal(RefusalReason.UNWRITABLE, f"the value for {key} holds ${{, which is always expanded", (key,))
    return None


def _parse(text: str) -> list[_Binding]:
    from dotenv.parser import parse_stream  # noqa: PLC0415  only this format needs it

    found: list[_Binding] = []
    at = 0
    for one in parse_stream(StringIO(text)):
        blank = len(one.original.string) - len(one.original.string.lstrip())
        line = one.original.line + one.original.string[:blank].count("\n")
        found.append(_Binding(one.key, one.value, one.original.string, at, line, one.error))
        at += len(one.original.string)
    return found


def _edit(binding: _Binding, value: str, quotes: str) -> tuple[int, int, str]:
    """Return the edit, by positions in the file, that gives one variable its new value."""
    text = binding.text
    name = _NAME.match(text)
    if name is None:
        raise ValueError("a statement with a key begins with it")
    equals = _EQUALS.match(text, name.end())
    if equals is None:
        at = binding.start + name.end()
        return at, at, "=" + _written(value, "", quotes)
    at = equals.end()
    quote = text[at : at + 1]
    if quote in _QUOTED and (match := _QUOTED[quote].match(text, at)):
        return binding.start + at, binding.start + match.end(), _written(value, quote, quotes)
    rest = re.split(r"[\r\n]", text[at:], maxsplit=1)[0]
    if not rest or (rest.startswith("#") and equals["gap"]):
        # Nothing but a comment: the value goes right after the sign, and what follows stays apart from it.
        at = binding.start + equals.start("gap")
        return at, at, _written(value, "", quotes)
    old = re.split(r"\s+#", rest, maxsplit=1)[0].rstrip()
    return binding.start + at, binding.start + at + len(old), _written(value, "", quotes)


def _written(value: str, quote: str, quotes: str) -> str:
    """Return a value as it is written: in these quotes, none where that is enough, or the others where they must be.

    `quotes` are those that the file uses elsewhere. In each form but the last a shell reads what python-dotenv reads.
    """
    plain = {
        "": value if _BARE.fullmatch(value) else None,
        "'": None if re.search(r"['\\]", value) else f"'{value}'",
        '"': None if re.search(r'["\\$`]', value) else f'"{value}"',
    }
    for form in (plain[quote], plain[quotes], plain['"'], plain["'"]):
        if form is not None:
            return form
    if not re.search(r"[$`]", value):
        return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    return "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"


def _quotes(bindings: list[_Binding]) -> str:
    """Return the quotes that the file used last, double ones where it has none."""
    for binding in reversed(bindings):
        if binding.key is not None and (match := re.search(r"=[^\S\r\n]*(['\"])", binding.text)):
            return match[1]
    return '"'


def _export(bindings: list[_Binding]) -> str:
    """Return the `export ` that a new line needs to look like all the others."""
    named = [match for binding in bindings if binding.key is not None and (match := _NAME.match(binding.text))]
    return "export " if named and all(match["export"] for match in named) else ""


def _newline(text: str) -> str:
    if "\r\n" in text:
        return "\r\n"
    return "\r" if "\r" in text and "\n" not in text else "\n"


def _reads_as(text: str, before: list[_Binding], wanted: Mapping[str, str]) -> bool:
    """Tell whether every other statement reads as before, and the last of each of ours gives the wanted value."""
    after = _parse(text)
    ours = {binding.key: binding.value for binding in after if binding.key in wanted}
    return ours == dict(wanted) and _others(before, wanted) == _others(after, wanted)


def _others(bindings: list[_Binding], wanted: Mapping[str, str]) -> list[tuple[str | None, str | None, str]]:
    """Return what must not change: the other variables, and the text of what could not be read."""
    return [
        (binding.key, binding.value, binding.text.strip() if binding.error else "")
        for binding in bindings
        if binding.error or (binding.key is not None and binding.key not in wanted)
    ]

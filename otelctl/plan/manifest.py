"""Writes wanted keys into the Secret of a Kubernetes manifest, and changes no other byte of the file.

Positions are those of ruamel.yaml's parser; values are spliced in there, so that comments, order, quotes, indentation
and the documents beside stay as they are. Nothing is constructed from the YAML: no tag is acted on, no alias followed.
What comes out is parsed once more, and refused where anything but our values reads differently.

Source of the rules: the Secret of the Kubernetes API, v1 (`stringData` wins over `data`, `immutable`).
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from otelctl.facts.store import Refusal, RefusalReason
from otelctl.plan.change import Action, Change, Plan, Planner, shown, unwritable
from otelctl.secret import Secret

DEFAULT_NAME = "otel-exporter-otlp"
"""The name of a Secret that is made where none was given."""

KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
"""The keys that a Secret takes (Kubernetes API: Secret.data)."""

_DEEPEST = 100
_BOM = "\ufeff"
_TRUE = {"true", "yes", "on", "y"}
# A plain scalar that every YAML takes for a string: no keyword or number is so long and begins with a letter.
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9+/_.-]{6,}={0,2}|https?://[A-Za-z0-9._:/-]*[A-Za-z0-9_/-]")
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{5,}")


class _NoPlaceError(Exception):
    """The layout of the file leaves no place where a key could be added."""


@dataclass(slots=True)
class _Node:
    """One node, by its positions in the text. `kind` is `scalar`, `mapping`, `sequence` or `alias`."""

    kind: str
    start: int
    end: int
    value: str = ""
    style: str = ""
    flow: bool = False
    marked: bool = False
    children: list[_Node] = field(default_factory=list)

    def pairs(self) -> list[tuple[_Node, _Node]]:
        """Return the entries of a mapping; nothing else has any."""
        if self.kind != "mapping":
            return []
        return list(zip(self.children[::2], self.children[1::2], strict=True))

    def get(self, key: str) -> _Node | None:
        """Return the value under a key of a mapping."""
        return next((value for name, value in self.pairs() if name.kind == "scalar" and name.value == key), None)

    def text(self, key: str) -> str:
        """Return the scalar under a key, or an empty text."""
        found = self.get(key)
        return found.value if found is not None and found.kind == "scalar" else ""


def planner(name: str = "") -> Planner:
    """Return the planner for the Secret of that name, or for the only one where the name is empty."""
    return functools.partial(plan_manifest, name=name)


def plan_manifest(stored: str | None, wanted: Mapping[str, str], *, name: str = "") -> Plan | Refusal:
    """Return how a manifest takes the wanted keys.

    A key stays where it is, in `stringData` or, in base64, in `data`, with its quotes as far as they can hold the
    value; a new one goes where the others are. A new manifest has the given name.
    """
    if refusal := unwritable(wanted):
        return refusal
    if stored is None or not stored.strip(_BOM + " \t\r\n"):
        created = tuple(Change(key, Action.CREATE) for key in wanted)
        return Plan(Secret((stored or "") + _new(name or DEFAULT_NAME, wanted)), created)
    lead = _BOM if stored.startswith(_BOM) else ""
    text = stored[len(lead) :]
    documents = _parse(text)
    secret = documents if isinstance(documents, Refusal) else _choose(documents, name)
    if isinstance(secret, Refusal):
        return secret
    if refusal := _unfit(secret, wanted):
        return refusal
    no_place = Refusal(RefusalReason.SYNTAX, "its layout leaves no safe place for the change")
    try:
        changes, edits = _edits(text, secret, wanted)
    except _NoPlaceError:
        return no_place
    new = text
    for start, end, written in sorted(edits, reverse=True):
        new = new[:start] + written + new[end:]
    if not _reads_as(new, text, name, wanted):
        return no_place
    held = {part: [key.value for key, _ in _entries(secret, part)] for part in ("stringData", "data")}
    names = dict.fromkeys([*held["stringData"], *held["data"]])
    return Plan(
        Secret(lead + new),
        tuple(changes),
        tuple(key for key in names if key not in wanted),
        tuple(key for key in wanted if key in held["stringData"] and key in held["data"]),
    )


def values(text: str) -> Iterator[str]:
    """Yield every value of every Secret of a manifest, as it stands there and decoded."""
    documents = _parse(text.removeprefix(_BOM))
    for document in [] if isinstance(documents, Refusal) else documents:
        for part in ("stringData", "data"):
            for _, value in _entries(document, part):
                if value.value:
                    yield value.value
                if decoded := _decoded(value.value):
                    yield decoded


def _parse(text: str) -> list[_Node] | Refusal:
    """Return the root of each document that is not empty."""
    from ruamel.yaml import YAML  # noqa: PLC0415  20 ms that only this format is worth
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415  as above

    try:
        return _roots(YAML(typ="rt", pure=True).parse(text))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        # The rest of what ruamel says quotes the file, and with it values.
        return Refusal(RefusalReason.NOT_YAML, f"the parser stops{where}")
    except RecursionError:
        return Refusal(RefusalReason.TOO_DEEP, "the values are nested too deep to be read")
    except ValueError:
        # ruamel lets what int() and chr() raise through, for a broken escape or %YAML line.
        return Refusal(RefusalReason.NOT_YAML, "the parser stops at an escape or a directive")


def _roots(events: Any) -> list[_Node]:
    found: list[_Node] = []
    open_: list[_Node] = []
    for event in events:
        kind = type(event).__name__.removesuffix("Event")
        start, end = event.start_mark.index, event.end_mark.index
        if kind in ("MappingEnd", "SequenceEnd"):
            open_.pop().end = end
            continue
        if kind in ("MappingStart", "SequenceStart"):
            node = _Node(kind.removesuffix("Start").lower(), start, end, flow=bool(event.flow_style))
        elif kind == "Scalar":
            node = _Node("scalar", start, end, event.value, event.style or "")
        elif kind == "Alias":
            node = _Node("alias", start, end)
        else:
            continue
        node.marked = kind == "Alias" or event.anchor is not None or bool(getattr(event, "tag", None))
        (open_[-1].children if open_ else found).append(node)
        if kind in ("MappingStart", "SequenceStart"):
            if len(open_) == _DEEPEST:
                raise RecursionError
            open_.append(node)
    return found


def _choose(documents: list[_Node], name: str) -> _Node | Refusal:
    """Return the Secret that is meant."""
    secrets = [document for document in documents if document.text("kind") == "Secret"]
    names = tuple(_name(document) for document in secrets)
    sealed = [document for document in documents if document.text("kind") == "SealedSecret"]
    chosen = [document for document in secrets if not name or _name(document) == name]
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        return Refusal(RefusalReason.SEVERAL_MANIFESTS, f"{len(chosen)} Secrets", names)
    if sealed:
        return Refusal(RefusalReason.ENCRYPTED, "a SealedSecret")
    kinds = ", ".join(dict.fromkeys(shown(document.text("kind") or "none") for document in documents))
    detail = f"no Secret called {shown(name)}" if secrets else f"no Secret; the kinds are: {kinds or 'none'}"
    return Refusal(RefusalReason.NO_MANIFEST, detail, names)


def _name(document: _Node) -> str:
    metadata = document.get("metadata")
    return metadata.text("name") if metadata is not None else ""


def _unfit(secret: _Node, wanted: Mapping[str, str]) -> Refusal | None:
    """Return why this Secret is left alone."""
    parts = {part: node for part in ("stringData", "data") if (node := secret.get(part)) is not None}
    for where, node in (("the document", secret), *parts.items()):
        twice = [key for key, count in Counter(key.value for key, _ in node.pairs()).items() if count > 1]
        if node.kind == "mapping" and twice:
            return Refusal(RefusalReason.DUPLICATE_KEYS, f"in {where}", tuple(twice))
    scalars = [value.value for part in parts for _, value in _entries(secret, part)]
    if secret.get("sops") is not None or any(value.startswith("ENC[") for value in scalars):
        return Refusal(RefusalReason.ENCRYPTED, "a file of SOPS")
    if secret.text("immutable").lower() in _TRUE:
        return Refusal(RefusalReason.IMMUTABLE, "immutable: true", (_name(secret),))
    for part, node in parts.items():
        if node.marked or any(key.value == "<<" for key, _ in node.pairs()):
            return Refusal(RefusalReason.ALIAS, part, (part,))
        if node.kind != "mapping" and not (node.kind == "scalar" and node.value in ("", "~", "null")):
            return Refusal(RefusalReason.NOT_OBJECT, f"a {node.kind} under {part}")
        for key, value in node.pairs():
            if key.value in wanted and (value.marked or key.marked):
                return Refusal(RefusalReason.ALIAS, f"{part}.{key.value}", (key.value,))
            if key.value in wanted and value.kind != "scalar":
                return Refusal(RefusalReason.NOT_OBJECT, f"a {value.kind} under {part}.{key.value}")
    return None


def _entries(document: _Node, part: str) -> list[tuple[_Node, _Node]]:
    node = document.get(part)
    return node.pairs() if node is not None and node.kind == "mapping" else []


def _decoded(text: str) -> str | None:
    """Return what base64 says, None where it is none or no text."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _edits(text: str, secret: _Node, wanted: Mapping[str, str]) -> tuple[list[Change], list[tuple[int, int, str]]]:
    changes: list[Change] = []
    edits: list[tuple[int, int, str]] = []
    added: dict[str, str] = {}
    for key, value in wanted.items():
        entries = [
            (part, name, node)
            for part in ("stringData", "data")
            for name, node in _entries(secret, part)
            if name.value == key
        ]
        part, name, node = entries[0] if entries else ("", None, None)
        if name is None or node is None:
            changes.append(Change(key, Action.CREATE))
            added[key] = value
        elif (node.value if part == "stringData" else _decoded(node.value)) == value and _is_text(node):
            changes.append(Change(key, Action.KEEP))
        else:
            changes.append(Change(key, Action.UPDATE))
            written = value if part == "stringData" else _encoded(value)
            edits.append(_replaced(text, name, node, written))
    if added:
        edits.append(_addition(text, secret, added))
    return changes, edits


def _is_text(node: _Node) -> bool:
    """Tell whether a scalar is a string to Kubernetes, which refuses a number or a boolean in its place."""
    return bool(node.style) or bool(_PLAIN.fullmatch(node.value)) or " " in node.value


def _scalar(value: str, style: str) -> str:
    """Return a value as a scalar on one line, in this style where that can hold it, else in double quotes."""
    if style == "" and _PLAIN.fullmatch(value):
        return value
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value, ensure_ascii=False)


def _replaced(text: str, key: _Node, node: _Node, value: str) -> tuple[int, int, str]:
    if node.start == node.end:
        # The parser puts the place of what is not there behind the comments that follow.
        at = text.index(":", key.end) + 1
        return at, at, " " + _scalar(value, '"')
    end = node.end
    if node.style in ("|", ">"):
        # The lines of a block, without the empty ones after it.
        end = node.start + len(text[node.start : node.end].rstrip())
    return node.start, end, _scalar(value, node.style)


def _addition(text: str, secret: _Node, added: Mapping[str, str]) -> tuple[int, int, str]:
    """Return the edit that adds keys: at the top of `stringData`, of `data` in base64, or in a new `stringData`.

    At the top, because there no comment, block scalar or blank line can be in the way.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    part = next((part for part in ("stringData", "data") if secret.get(part) is not None), "stringData")
    style = next((value.style for _, value in reversed(_entries(secret, part)) if value.style in ("'", '"')), '"')
    write = _encoded if part == "data" else str
    items = [(key, _scalar(write(value), style)) for key, value in added.items()]
    node = secret.get(part)
    if node is None:
        return _new_part(text, secret, items, newline)
    if node.kind == "mapping" and node.flow:
        return _into_flow(text, node, items)
    if node.children:
        indent = _indent(text, node)
        at = _after_line(text, _key(secret, part).end)
    else:
        indent = _indent(text, secret) + "  "
        at = _after_line(text, _key(secret, part).end)
    lines = "".join(f"{indent}{_plain_key(key)}: {value}{newline}" for key, value in items)
    if not node.children and text[node.start : node.end]:
        # `data: null` or `data: ~`: the word goes, the keys come below.
        return node.start, at, text[node.end : at].rstrip("\r\n") + newline + lines
    return at, at, _broken(text, at, newline) + lines


def _new_part(text: str, secret: _Node, items: list[tuple[str, str]], newline: str) -> tuple[int, int, str]:
    if secret.flow:
        inner = ", ".join(f"{json.dumps(key)}: {value}" for key, value in items)
        return _into_flow(text, secret, [("stringData", "{" + inner + "}")])
    indent = _indent(text, secret)
    last = secret
    while not last.flow and last.children:
        last = last.children[-1]
    # After the last entry, or, where that is a block scalar whose end is hard to tell, after the line of `kind`.
    at = _after_line(text, last.end if last.style not in ("|", ">") else _key(secret, "kind").end)
    lines = "".join(f"{indent}  {_plain_key(key)}: {value}{newline}" for key, value in items)
    return at, at, f"{_broken(text, at, newline)}{indent}stringData:{newline}{lines}"


def _into_flow(text: str, node: _Node, items: list[tuple[str, str]]) -> tuple[int, int, str]:
    """Return the edit that puts entries at the start of `{…}`, with the spaces that are there."""
    at = node.start + 1
    inner = ", ".join(f"{json.dumps(key)}: {value}" for key, value in items)
    if not node.children:
        return at, at, inner
    lead = text[at : node.children[0].start]
    blank = lead if not lead.strip() else ""
    return at, at, f"{blank}{inner},{'' if lead else ' '}"


def _key(mapping: _Node, name: str) -> _Node:
    return next(key for key, _ in mapping.pairs() if key.value == name)


def _indent(text: str, mapping: _Node) -> str:
    """Return the white space before the keys of a block mapping."""
    lead = text[text.rfind("\n", 0, mapping.children[0].start) + 1 : mapping.children[0].start]
    if lead.strip():
        raise _NoPlaceError
    return lead


def _after_line(text: str, at: int) -> int:
    """Return the position after the line break that ends the line of a position."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _broken(text: str, at: int, newline: str) -> str:
    """Return the line break that is missing before a position, at the end of a file without one."""
    return newline if at and text[at - 1] != "\n" else ""


def _plain_key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)


def _new(name: str, wanted: Mapping[str, str]) -> str:
    lines = "".join(f"  {_plain_key(key)}: {_scalar(value, chr(34))}\n" for key, value in wanted.items())
    head = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {json.dumps(name, ensure_ascii=False)}\ntype: Opaque\n"
    return f"{head}stringData:\n{lines}"


def _reads_as(new: str, old: str, name: str, wanted: Mapping[str, str]) -> bool:
    """Tell whether every node but ours reads as before, and ours give the wanted values."""
    after, before = _parse(new), _parse(old)
    if isinstance(after, Refusal) or isinstance(before, Refusal):
        return False
    secret = _choose(after, name)
    if isinstance(secret, Refusal):
        return False
    found = {key.value: _decoded(value.value) or "" for key, value in _entries(secret, "data")}
    found |= {key.value: value.value for key, value in _entries(secret, "stringData")}
    if any(found.get(key) != value for key, value in wanted.items()):
        return False
    ours = frozenset(wanted)
    return [_outline(node, ours) for node in after] == [_outline(node, ours) for node in before]


def _outline(document: _Node, ours: frozenset[str]) -> list[object]:
    """Return all that a document says, without our keys below `data` and `stringData`."""
    said: list[object] = []
    if document.text("kind") != "Secret":
        return [_said(document)]
    for key, value in document.pairs():
        if key.value in ("data", "stringData"):
            kept = [(_said(name), _said(one)) for name, one in value.pairs() if name.value not in ours]
            said += [(key.value, kept)] if kept else []
        else:
            said.append((_said(key), _said(value)))
    return said


def _said(node: _Node) -> object:
    return node.kind, node.value, node.style, node.marked, [_said(child) for child in node.children]

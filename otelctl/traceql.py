"""TraceQL: queries that work, and the forms that are known not to. Pure.

Sources: Tempo's grammar and lexer (pkg/traceql/expr.y, lexer.go), and a real Tempo's answers (tests/transcripts):
an attribute without a scope and a comparison inside `select` are parse errors; `by (span.name)` parses, and groups by
an attribute that is called name.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONGEST = 16 * 1024
"""How many characters a query may have that is looked at."""


def quote(text: str) -> str:
    """Return a text as a string of TraceQL, whose escapes are Go's (strconv.Unquote)."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(char) or (char if char.isprintable() else _escaped(char)) for char in text) + '"'


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


@dataclass(frozen=True, slots=True)
class Query:
    """A query for one purpose; `metrics` says that it gives series, which only the metrics API and Explore answer."""

    purpose: str
    text: str
    metrics: bool = False


def queries(service: str, slow: str = "1s") -> tuple[Query, ...]:
    """Return the queries that a service's owner asks first; `slow` is a duration as TraceQL writes it."""
    own = f"resource.service.name = {quote(service)}"
    return (
        Query("By service", f"{{ {own} }}"),
        Query("Slow", f"{{ {own} && duration > {slow} }}"),
        Query("Errors", f"{{ {own} && status = error }}"),
        Query("Database", f"{{ {own} && (span.db.system != nil || span.db.system.name != nil) }}"),
        Query("Rate by span name", f"{{ {own} }} | rate() by (name)", metrics=True),
        Query("p95 by span name", f"{{ {own} }} | quantile_over_time(duration, 0.95) by (name)", metrics=True),
    )


_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")


def is_duration(text: str) -> bool:
    """Tell whether a text is a duration of TraceQL, as 100ms or 1.5s."""
    return bool(_DURATION.fullmatch(text))


class Mistake(enum.StrEnum):
    """A form that is known not to do what it looks like."""

    UNSCOPED = "unscoped"
    SELECT_COMPARES = "select_compares"
    BY_ATTRIBUTE = "by_attribute"
    UNCLOSED = "unclosed"


@dataclass(frozen=True, slots=True)
class Slip:
    """One mistake in one place: what stands there, and what should.

    For UNCLOSED, `right` is empty: what was meant cannot be known.
    """

    mistake: Mistake
    wrong: str
    right: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A query looked at: its mistakes in order, and the query without them (empty where it cannot be mended)."""

    slips: tuple[Slip, ...]
    mended: str


class _Kind(enum.Enum):
    TEXT = enum.auto()  # a string, a comment, a number: nothing inside is looked at
    SPACE = enum.auto()
    ATTRIBUTE = enum.auto()  # with a scope
    WORD = enum.auto()
    SIGN = enum.auto()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    text: str


# An attribute's name ends where lexer.go's isAttributeRune says so; parts of it may be quoted.
_NAME = r"""(?:"(?:[^"\\]|\\.)*"|[^\s{}()=~!<>&|^,"])+"""
_SCOPES = r"(?:parent\.(?:resource\.|span\.)?|resource\.|span\.|event\.|link\.|instrumentation\.|\.)"
_TOKENS = re.compile(
    rf"""(?P<space>\s+)
    |(?P<text>"(?:[^"\\]|\\.)*"|`[^`]*`|//[^\n]*|/\*.*?\*/|\d[\w.µ]*)
    |(?P<attribute>{_SCOPES}{_NAME})
    |(?P<word>[^\W\d]\w*(?::\w+|(?:\.{_NAME})?))
    |(?P<sign>=~|!~|!=|<=|>=|<<|>>|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)


def _tokens(text: str) -> list[_Token]:
    return [_Token(_Kind[(match.lastgroup or "sign").upper()], match[0]) for match in _TOKENS.finditer(text)]


def check(text: str) -> Checked:
    """Return the known mistakes of a query, and the query without them. What it does not know, it does not judge.

    Raises ValueError for a query of more than LONGEST characters.
    """
    if len(text) > LONGEST:
        raise ValueError(f"the query has more than {LONGEST} characters")
    tokens = _tokens(text)
    unclosed = _unclosed(tokens)
    if unclosed is not None:
        return Checked((unclosed,), "")
    slips: list[Slip] = []
    tokens = [_scoped(token, slips) for token in tokens]
    tokens = _named_groups(tokens, slips)
    tokens = _selects(tokens, slips)
    return Checked(tuple(slips), "".join(token.text for token in tokens).strip())


_CLOSES = {"}": "{", ")": "("}


def _unclosed(tokens: Sequence[_Token]) -> Slip | None:
    """Return the string, brace or parenthesis that is opened and not closed, or closed and not opened."""
    waiting: list[str] = []
    for token in tokens:
        if token.kind is not _Kind.SIGN:
            continue
        if token.text in ('"', "`"):
            return Slip(Mistake.UNCLOSED, token.text, "")
        if token.text in "{(":
            waiting.append(token.text)
        elif token.text in _CLOSES and (not waiting or waiting.pop() != _CLOSES[token.text]):
            return Slip(Mistake.UNCLOSED, token.text, "")
    return Slip(Mistake.UNCLOSED, waiting[-1], "") if waiting else None


# First words of attributes by the semantic conventions, where they are on resources and where on spans.
_ON_RESOURCES = frozenset(
    {
        "service", "deployment", "k8s", "host", "container", "cloud", "telemetry", "process", "os", "device",
        "webengine", "aws", "gcp", "azure", "heroku",
    }
)  # fmt: skip


_ON_SPANS = frozenset(
    {
        "http", "url", "db", "rpc", "messaging", "server", "client", "network", "net", "peer", "code", "error", "faas",
        "user", "user_agent", "graphql", "gen_ai", "enduser", "thread",
    }
)  # fmt: skip


def _scoped(token: _Token, slips: list[Slip]) -> _Token:
    """Give an attribute without a scope the one that it has by the semantic conventions, else TraceQL's dot for any."""
    if token.kind is not _Kind.WORD or "." not in token.text:
        return token
    first = token.text.partition(".")[0]
    scope = "resource" if first in _ON_RESOURCES else "span" if first in _ON_SPANS else ""
    right = f"{scope}.{token.text}"
    slips.append(Slip(Mistake.UNSCOPED, token.text, right))
    return _Token(_Kind.ATTRIBUTE, right)


_INTRINSIC = frozenset({"span.name", "span.duration", "span.status", "span.kind"})


def _named_groups(tokens: list[_Token], slips: list[Slip]) -> list[_Token]:
    """Group by the intrinsic where an attribute of the same name stands in a `by`."""
    out = list(tokens)
    for first, last in _calls(tokens, "by"):
        for place in range(first, last):
            if tokens[place].text in _INTRINSIC and tokens[place].kind is _Kind.ATTRIBUTE:
                right = tokens[place].text.removeprefix("span.")
                slips.append(Slip(Mistake.BY_ATTRIBUTE, f"by ({tokens[place].text})", f"by ({right})"))
                out[place] = _Token(_Kind.WORD, right)
    return out


def _calls(tokens: Sequence[_Token], name: str) -> Iterator[tuple[int, int]]:
    """Yield where the arguments of each call of that name begin, and where its closing parenthesis is."""
    for place, token in enumerate(tokens):
        if token.kind is not _Kind.WORD or token.text != name:
            continue
        at = _next(tokens, place + 1)
        if at is None or tokens[at].text != "(":
            continue
        depth = 0
        for end in range(at, len(tokens)):
            if tokens[end].kind is _Kind.SIGN:
                depth += {"(": 1, ")": -1}.get(tokens[end].text, 0)
            if depth == 0:
                yield at + 1, end
                break


def _next(tokens: Sequence[_Token], place: int) -> int | None:
    """Return the place of the first token from `place` on that is no white space."""
    return next((at for at in range(place, len(tokens)) if tokens[at].kind is not _Kind.SPACE), None)


_COMPARES = frozenset({"=", "!=", "=~", "!~", "<", "<=", ">", ">="})


def _selects(tokens: list[_Token], slips: list[Slip]) -> list[_Token]:
    """Move what a `select` compares into a filter, where comparisons belong; what it only names stays selected."""
    for first, last in reversed(list(_calls(tokens, "select"))):
        parts = _split(tokens[first:last])
        compared = [_join(part) for part in parts if any(_compares(token) for token in part)]
        if not compared:
            continue
        condition = " && ".join(f"({part})" if "||" in part else part for part in compared)
        kept = [_join(part) for part in parts if not any(_compares(token) for token in part)]
        start = max(at for at in range(first) if tokens[at].text == "select")
        before, after = tokens[:start], tokens[last + 1 :]
        selected = f"select({', '.join(kept)})" if kept else ""
        wrong = f"select({_join(tokens[first:last])})"
        mended, right = _filtered(before, condition, selected)
        slips.append(Slip(Mistake.SELECT_COMPARES, wrong, right))
        tokens = [*mended, *after]
    return tokens


def _compares(token: _Token) -> bool:
    return token.kind is _Kind.SIGN and token.text in _COMPARES


def _filtered(before: Sequence[_Token], condition: str, selected: str) -> tuple[list[_Token], str]:
    """Return the tokens before a `select` with the condition in the filter that it follows, or in one of its own.

    The second value is the filter that holds the condition now.
    """
    text = _join(before)
    head = re.fullmatch(r"\{([^{}]*)\}\s*\|", text)
    if head is not None and not any(
        token.kind is _Kind.TEXT and ("{" in token.text or "}" in token.text) for token in before
    ):
        inside = head[1].strip()
        if "||" in inside:
            inside = f"({inside})"
        filtered = f"{{ {inside} && {condition} }}" if inside else f"{{ {condition} }}"
        rest = f" | {selected}" if selected else ""
        return [_Token(_Kind.TEXT, filtered + rest)], filtered
    filtered = f"{{ {condition} }}"
    lead = f"{text} " if text else ""
    return [_Token(_Kind.TEXT, f"{lead}{filtered}" + (f" | {selected}" if selected else ""))], filtered


def _split(tokens: Sequence[_Token]) -> list[list[_Token]]:
    """Split arguments at the commas that stand in no parentheses of their own."""
    parts: list[list[_Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.kind is _Kind.SIGN:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if token.text == "," and depth == 0:
                parts.append([])
                continue
        parts[-1].append(token)
    return parts


def _join(tokens: Sequence[_Token]) -> str:
    return "".join(token.text for token in tokens).strip()

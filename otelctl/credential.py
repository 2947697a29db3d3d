"""The credential of Grafana Cloud's OTLP gateway: `Authorization=Basic base64(instanceID:token)`, made and read.

Sources: grafana.com/docs/grafana-cloud/send-data/otlp (the header), RFC 7617 (Basic), the OpenTelemetry specification
protocol/exporter.md (`*_HEADERS`: `k=v` pairs, percent-encoded). Everything here is pure.
"""

from __future__ import annotations

import base64
import binascii
import enum
import json
import re
from dataclasses import dataclass
from urllib.parse import unquote

from otelctl.secret import Secret

_QUOTES = "\"'`“”‘’"
_VARIABLE = re.compile(
    r"^\s*(?:-\s+)?(?:export\s+|set\s+|ENV\s+|\$env:)?[\"']?(?P<name>OTEL_EXPORTER_OTLP(?:_[A-Z]+)?_HEADERS)[\"']?\s*[=:]\s*",
    re.IGNORECASE,
)
_COLON = re.compile(r"^\s*[\"']?(?:proxy-)?authorization[\"']?\s*:\s*", re.IGNORECASE)
_NAMED = re.compile(r"^\s*[\"']?authorization[\"']?\s*=\s*", re.IGNORECASE)
_SCHEME = re.compile(r"^(?P<scheme>basic|bearer)(?P<gap>(?:\s|%20|\+|%2520|%09)+|$)", re.IGNORECASE)
_BASE64 = re.compile(r"^[A-Za-z0-9+/_-]+={0,2}$")
_PLACEHOLDER = re.compile(
    r"^<.*>$|^\[.*\]$|^\{\{.*\}\}$|^\$\{?[A-Za-z_]\w*\}?$|^%[A-Za-z_]\w*%$|"
    r"^(?:glc_|glsa_)?(?:x{3,}|\*{3,}|\.{3,}|…+|•+)|^(?:glc_|glsa_)(?:\.\.\.|…|<|your|example|abc(?:123)?$|token$)|"
    r"^(?:your|my|the|insert|paste|enter)[-_ ]?.*(?:token|key|password|secret|id|instance|here)|"
    r"^(?:changeme|change[-_]me|replace[-_]?me|todo|token|password|secret|example|dummy|placeholder|none|null|undefined)$",
    re.IGNORECASE,
)


class TokenKind(enum.StrEnum):
    """What a token is, as far as its spelling tells."""

    ACCESS_POLICY = "access policy token"
    TRUNCATED = "access policy token, incomplete"
    SERVICE_ACCOUNT = "service account token"
    LEGACY_KEY = "legacy API key"
    PLACEHOLDER = "placeholder"
    EMPTY = "empty"
    OTHER = "unknown kind"


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says of itself; nothing of its secret part is here. Absent fields are empty."""

    kind: TokenKind
    org: str = ""
    name: str = ""
    region: str = ""


def _clean(value: object) -> str:
    text = value if isinstance(value, str) else str(value) if isinstance(value, int) else ""
    return "".join(char for char in text if char.isprintable())[:80]


def read_token(text: str) -> Token:
    """Return what a token says of itself, by its prefix and the JSON that an access policy token holds.

    An access policy token is `glc_` and base64, in any variant, of `{"o": org, "n": name, "k": key, "m": {"r": region}}`.
    """
    if not text:
        return Token(TokenKind.EMPTY)
    if is_placeholder(text):
        return Token(TokenKind.PLACEHOLDER)
    if text.startswith("glsa_"):
        return Token(TokenKind.SERVICE_ACCOUNT)
    if text.startswith("eyJrIjoi"):
        return Token(TokenKind.LEGACY_KEY)
    if not text.startswith("glc_"):
        return Token(TokenKind.OTHER)
    try:
        payload = json.loads(_unbase64(text[4:]))
    except (ValueError, RecursionError):
        return Token(TokenKind.TRUNCATED)
    if not isinstance(payload, dict) or not payload.get("k"):
        return Token(TokenKind.TRUNCATED)
    meta = payload.get("m")
    region = meta.get("r") if isinstance(meta, dict) else ""
    return Token(TokenKind.ACCESS_POLICY, _clean(payload.get("o")), _clean(payload.get("n")), _clean(region))


def is_placeholder(text: str) -> bool:
    """Tell whether a value is an example that nobody replaced, or a variable that nobody expanded."""
    return bool(_PLACEHOLDER.search(text))


def looks_like_token(text: str) -> bool:
    """Tell whether a text has a Grafana token's prefix."""
    return text.startswith(("glc_", "glsa_", "eyJ"))


def header_value(instance_id: Secret, token: Secret) -> Secret:
    """Return `Basic base64(instanceID:token)`, on one line (RFC 7617)."""
    pair = f"{instance_id.reveal()}:{token.reveal()}".encode()
    return Secret("Basic " + base64.b64encode(pair).decode())


def strip_stray(text: str) -> str:
    """Return a pasted value without the white space and quotes around it, and without line breaks inside."""
    text = "".join(text.split("\n")).replace("\r", "").strip().strip("\ufeff\u200b\u00a0")
    while len(text) >= 2 and text[0] in _QUOTES and text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text.strip(_QUOTES).strip()


class Form(enum.StrEnum):
    """The form in which a header was given."""

    VARIABLE_LINE = "variable line"
    OTLP_HEADERS = "OTLP headers value"
    HTTP_HEADER = "HTTP header line"
    HEADER_VALUE = "header value"
    BASE64 = "base64 alone"
    PAIR = "pair, not encoded"
    TOKEN = "token alone"
    OTHER_HEADERS = "headers without Authorization"
    EMPTY = "empty"


class Trait(enum.StrEnum):
    """Something seen in a header's text that a careful hand would not have left there."""

    COLON_SYNTAX = "colon_syntax"
    NAME_MISSING = "name_missing"
    SCHEME_MISSING = "scheme_missing"
    VALUE_MISSING = "value_missing"
    PERCENT_ENCODED = "percent_encoded"
    LITERAL_SPACE = "literal_space"
    PERCENT_TWICE = "percent_twice"
    QUOTED = "quoted"
    WRAPPED = "wrapped"
    NOT_ENCODED = "not_encoded"
    NOT_BASE64 = "not_base64"
    ENCODED_TWICE = "encoded_twice"
    NO_COLON = "no_colon"
    REVERSED = "reversed"
    TRAILING_NEWLINE = "trailing_newline"
    STRAY_SPACE = "stray_space"
    PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class Header:
    """What a header is, whatever form it came in.

    `instance_id` and `token` are in their right slots, cleaned, where they could be told. `wire` is the value of
    Authorization that an exporter which follows the specification will send, None where it sends none; `other` holds
    the headers beside it, by lower-case name.
    """

    form: Form
    traits: frozenset[Trait]
    scheme: str
    instance_id: Secret | None
    token: Secret | None
    claims: Token
    wire: Secret | None
    other: tuple[tuple[str, Secret], ...] = ()

    def mended(self) -> Secret | None:
        """Return the right value of Authorization, where both halves are known and fit to be sent."""
        if self.instance_id is None or self.token is None:
            return None
        if not self.instance_id.reveal().isdigit() or self.claims.kind in (TokenKind.EMPTY, TokenKind.PLACEHOLDER):
            return None
        return header_value(self.instance_id, self.token)


def _unbase64(text: str) -> str:
    """Decode base64 of any variant, padded or not; raises ValueError."""
    packed = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _unquote_ends(text: str) -> str:
    while text and text[0] in _QUOTES and (len(text) == 1 or text[-1] == text[0] or text[-1] not in _QUOTES):
        text = text[1:-1] if len(text) > 1 and text[-1] == text[0] else text[1:]
    return text


def read_header(text: str) -> Header:
    """Read a header in any form that people have: a variable line, `k=v`, `k: v`, a bare value, base64, a pair.

    Never raises: what can't be made out is told by the traits.
    """
    traits: set[Trait] = set()
    text = text.strip("\r\n\t \ufeff")
    line = _VARIABLE.match(text)
    body = text[line.end() :] if line else text
    form = Form.VARIABLE_LINE if line else Form.OTLP_HEADERS
    body = body.rstrip(",") if line and body.startswith('"') else body
    if len(body) >= 2 and body[0] in _QUOTES and body[-1] == body[0]:
        # Around a variable line's value the quotes are the shell's or the .env file's own syntax.
        if not line:
            traits.add(Trait.QUOTED)
        body = body[1:-1].strip()
    if not body.strip():
        return Header(Form.EMPTY, frozenset({Trait.VALUE_MISSING}), "", None, None, Token(TokenKind.EMPTY), None)

    value, others, form = _authorization(body, form, traits)
    if value is None:
        return Header(
            Form.OTHER_HEADERS, frozenset(traits), "", None, None, Token(TokenKind.EMPTY), None, tuple(others)
        )
    reading = _read_value(value, form, traits)
    dropped = traits & {Trait.COLON_SYNTAX, Trait.NAME_MISSING, Trait.QUOTED, Trait.WRAPPED, Trait.VALUE_MISSING}
    wire = None if dropped else Secret(unquote(value).strip())
    return Header(
        reading.form, frozenset(traits), reading.scheme, reading.instance_id, reading.token, reading.claims, wire,
        tuple(others),
    )  # fmt: skip


def _authorization(
    body: str, form: Form, traits: set[Trait]
) -> tuple[str | None, list[tuple[str, Secret]], Form]:
    """Return the value of Authorization in a headers string, the headers beside it, and the form they came in."""
    if colon := _COLON.match(body):
        traits.add(Trait.COLON_SYNTAX)
        return body[colon.end() :], [], Form.HTTP_HEADER
    others: list[tuple[str, Secret]] = []
    value: str | None = None
    entries = [entry for entry in body.split(",") if entry.strip()]
    for entry in entries:
        if named := _NAMED.match(entry):
            value = entry[named.end() :]
        elif colon := _COLON.match(entry):
            traits.add(Trait.COLON_SYNTAX)
            value = entry[colon.end() :]
        elif re.match(r"^\s*[A-Za-z0-9!#$&'*.^_|~-]+\s*=", entry) and not _bare(entry):
            name, _, rest = entry.partition("=")
            others.append((name.strip().lower(), Secret(unquote(rest.strip()))))
        elif value is None and len(entries) == 1:
            value = entry
            traits.add(Trait.NAME_MISSING)
            form = Form.HEADER_VALUE
    return value, others, form


def _bare(entry: str) -> bool:
    """Tell a bare credential from a `k=v` pair: base64 padding looks like one."""
    text = entry.strip()
    return bool(_SCHEME.match(text) or _BASE64.match("".join(text.split())) or looks_like_token(text) or ":" in text)


@dataclass(slots=True)
class _Value:
    form: Form
    scheme: str = ""
    instance_id: Secret | None = None
    token: Secret | None = None
    claims: Token = Token(TokenKind.EMPTY)


def _read_value(value: str, form: Form, traits: set[Trait]) -> _Value:
    stripped = value.strip()
    if any(quote in stripped for quote in ('"', "“", "”")) or stripped[:1] in _QUOTES or stripped[-1:] in _QUOTES:
        if stripped.strip(_QUOTES):
            traits.add(Trait.QUOTED)
        stripped = stripped.strip(_QUOTES).replace('"', "").strip()
    if re.search(r"%25(?:20|3[dD]|2[bBfF])", stripped):
        traits.add(Trait.PERCENT_TWICE)
        stripped = unquote(stripped)
    if re.search(r"%(?:20|3[dD]|2[bBfF]|3[aA]|09)", stripped):
        traits.add(Trait.PERCENT_ENCODED)
        stripped = unquote(stripped)
    scheme = ""
    if match := _SCHEME.match(stripped):
        scheme = match["scheme"].lower()
        if match["gap"].startswith(" ") and Trait.PERCENT_ENCODED not in traits:
            traits.add(Trait.LITERAL_SPACE)
        stripped = stripped[match.end() :]
    payload = stripped.strip()
    if not payload:
        traits.add(Trait.VALUE_MISSING)
        return _Value(form, scheme)
    if is_placeholder(payload):
        traits.add(Trait.PLACEHOLDER)
        return _Value(form, scheme, claims=Token(TokenKind.PLACEHOLDER))
    if re.search(r"\s|\\n", payload) and ":" not in payload:
        traits.add(Trait.WRAPPED)
        payload = re.sub(r"\s+|\\n", "", payload)
    if scheme == "bearer":
        found = _Value(form, scheme)
        _split(payload, found, traits) if ":" in payload else _only_token(payload, found)
        return found
    if not scheme:
        traits.add(Trait.SCHEME_MISSING)
    found = _Value(form, scheme or "")
    if looks_like_token(payload) and ":" not in payload:
        found.form = Form.TOKEN if Trait.NAME_MISSING in traits else form
        traits.update({Trait.NOT_ENCODED, Trait.NO_COLON})
        _only_token(payload, found)
        return found
    if ":" in payload:
        traits.add(Trait.NOT_ENCODED)
        found.form = Form.PAIR if not scheme and Trait.NAME_MISSING in traits else form
        _split(payload, found, traits)
        return found
    if not scheme and Trait.NAME_MISSING in traits:
        found.form = Form.BASE64
    try:
        decoded = _unbase64(payload)
    except ValueError:
        traits.add(Trait.NOT_BASE64)
        return found
    for _ in range(2):
        inner = re.sub(r"^(?:authorization\s*[=:]\s*)?basic\s+", "", decoded.strip(), flags=re.IGNORECASE)
        if ":" in inner and inner == decoded.strip():
            break
        try:
            again = inner if ":" in inner else _unbase64("".join(inner.split()))
        except ValueError:
            break
        traits.add(Trait.ENCODED_TWICE)
        decoded = again
    if ":" not in decoded:
        traits.add(Trait.NO_COLON)
        if looks_like_token(decoded.strip()):
            _only_token(decoded.strip(), found)
        return found
    _split(decoded, found, traits)
    return found


def _only_token(text: str, found: _Value) -> None:
    found.token = Secret(text)
    found.claims = read_token(text)


def _split(pair: str, found: _Value, traits: set[Trait]) -> None:
    """Put the halves of a pair into their slots, and note what clings to them."""
    if pair.endswith(("\n", "\r")):
        traits.add(Trait.TRAILING_NEWLINE)
        pair = pair.rstrip("\r\n")
    left, _, right = pair.partition(":")
    if left != left.strip() or right != right.strip():
        traits.add(Trait.STRAY_SPACE)
    left, right = left.strip(), right.strip()
    bare_left, bare_right = left.strip(_QUOTES), right.strip(_QUOTES)
    if (bare_left, bare_right) != (left, right) and (bare_left.isdigit() or looks_like_token(bare_right)):
        traits.add(Trait.QUOTED)
        left, right = bare_left, bare_right
    if looks_like_token(left) and right.isdigit():
        traits.add(Trait.REVERSED)
        left, right = right, left
    found.instance_id = Secret(left)
    found.token = Secret(right)
    found.claims = read_token(right)
    if found.claims.kind is TokenKind.PLACEHOLDER or is_placeholder(left):
        traits.add(Trait.PLACEHOLDER)

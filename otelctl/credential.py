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
_NAME = r"OTEL_EXPORTER_OTLP(?:_[A-Z]+)?_HEADERS"
# A line of a shell, a Dockerfile, PowerShell, .env, YAML or JSON that sets the variable.
_VARIABLE = re.compile(
    rf"^[ \t]*(?:-[ \t]+)?(?P<lead>[\"'])?(?:export[ \t]+|set[ \t]+|ENV[ \t]+|\$env:)?{_NAME}"
    r"(?P<close>[\"'])?[ \t]*[=:][ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
# Base64 holds no underscore and no colon, so neither of these can begin a line of a wrapped credential.
_NEXT_VARIABLE = re.compile(r"\n[ \t]*(?:export[ \t]+)?[A-Z][A-Z0-9]*_[A-Z0-9_]*=")
_ENTRIES = re.compile(r",|\r?\n(?=[A-Za-z][A-Za-z0-9-]*(?::|=[^=\s]))")
_COLON = re.compile(r"^\s*(?:-H\s*|(?:--)?header[\s=]+)?[\"']?(?:proxy-)?authorization[\"']?\s*:\s*", re.IGNORECASE)
_NAMED = re.compile(r"^\s*[\"']?authorization[\"']?\s*=\s*", re.IGNORECASE)
_OTHER = re.compile(r"^\s*(?P<name>[A-Za-z0-9!#$&'*.^_|~-]+)\s*=")
_OTHER_COLON = re.compile(r"^\s*(?P<name>x-[A-Za-z0-9-]+)\s*:", re.IGNORECASE)
_INVISIBLE = "\u00a0\u00ad\u200b\u200c\u200d\u2060\u202f\u2007\ufeff"
_SCHEME = re.compile(rf"^(?P<scheme>basic|bearer)(?P<gap>[\s+{_INVISIBLE}]+|$)", re.IGNORECASE)
_CURL_HEADER = re.compile(r"(?<!\S)(?:-H\s*|--header[\s=]+)([\"'])(.*?)\1", re.DOTALL)
# Other schemes that receivers of OTLP ask for; any other first word may be half of a wrapped credential.
_OTHER_SCHEME = re.compile(
    r"^(?P<scheme>api-?key|api-?token|token|key|secret|digest|negotiate|oauth|dpop|splunk|signature|aws4-hmac-sha256)\s+",
    re.IGNORECASE,
)
_AGAIN = re.compile(r"^\s*(?:authorization\s*[=:]\s*)?basic\s+", re.IGNORECASE)
_TWICE = re.compile(r"^\s*(?:authorization\s*[=:]\s*(?:basic(?:\s+|$))?|basic(?:\s+|$))", re.IGNORECASE)
_CONFIDENTIAL = re.compile(r"auth|key|token|secret|password|cookie|credential|dsn|team")
_BASE64 = re.compile(r"^[A-Za-z0-9+/_-]+={0,2}$")
# What stands where something is to be put: brackets, a variable, crosses.
_BLANK = re.compile(
    r"^<.*>$|^\[.*\]$|^\{\{.*\}\}$|^\$\{?[A-Za-z_]\w*\}?$|^%[A-Za-z_]\w*%$|^\$\{.*\}$|"
    # A substitution that no shell has made: the command stands where what it prints belongs.
    r"^\$\(|^`[^`]*`?$|"
    r"^(?:glc_|glsa_)?(?:x{3,}|\*{3,}|\.{3,}|…+|•+)|^(?:glc_|glsa_)(?:\.\.\.|…|<|your|example|abc(?:123)?$|token$)",
    re.IGNORECASE,
)
# Words of guides, each of which may be somebody's user name or password as well.
_EXAMPLE = re.compile(
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
    WHOLE = "whole pair or header"
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

    An access policy token is `glc_` and base64, in any variant, of `{"o": org, "n": name, "k": key, "m": {"r": zone}}`.
    """
    if not text:
        return Token(TokenKind.EMPTY)
    if is_placeholder(text):
        return Token(TokenKind.PLACEHOLDER)
    if _whole(text):
        return Token(TokenKind.WHOLE)
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


def _whole(text: str) -> bool:
    """Tell whether a text in a token's place holds instance ID and token, as a pair, as base64 or as a header."""
    bare = _AGAIN.sub("", text.strip().strip(_QUOTES))
    if ":" not in bare:
        try:
            bare = _unbase64("".join(bare.split()))
        except ValueError:
            return False
    left, _, right = bare.partition(":")
    return (is_instance_id(left) and looks_like_token(right)) or (looks_like_token(left) and is_instance_id(right))


def is_placeholder(text: str) -> bool:
    """Tell whether a value is an example that nobody replaced, or a variable that nobody expanded."""
    return is_blank(text) or bool(_EXAMPLE.match(text))


def is_blank(text: str) -> bool:
    """Tell whether a value has the form of a place to be filled, which no credential has."""
    return bool(_BLANK.match(text))


def is_instance_id(text: str) -> bool:
    """Tell whether a text has the form of an instance ID: digits alone, as ASCII has them."""
    return text.isascii() and text.isdigit()


def looks_like_token(text: str) -> bool:
    """Tell whether a text has a Grafana token's prefix."""
    return text.startswith(("glc_", "glsa_", "eyJ"))


def header_value(instance_id: Secret, token: Secret) -> Secret:
    """Return `Basic base64(instanceID:token)`, on one line (RFC 7617)."""
    pair = f"{instance_id.reveal()}:{token.reveal()}".encode("utf-8", "surrogatepass")
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
    TOKEN = "token alone"  # noqa: S105  words, not a password
    JSON = "JSON object"
    CURL = "curl command"
    OTHER_HEADERS = "headers without Authorization"
    URL = "URL"
    EMPTY = "empty"


class Trait(enum.StrEnum):
    """Something seen in a header's text that a careful hand would not have left there."""

    COLON_SYNTAX = "colon_syntax"
    ENCLOSED = "enclosed"
    NAME_MISSING = "name_missing"
    NAME_MISSPELT = "name_misspelt"
    PREFIX_TWICE = "prefix_twice"
    ODD_SPACE = "odd_space"
    SCHEME_MISSING = "scheme_missing"
    VALUE_MISSING = "value_missing"
    PERCENT_ENCODED = "percent_encoded"
    LITERAL_SPACE = "literal_space"
    PERCENT_TWICE = "percent_twice"
    PLUS_FOR_SPACE = "plus_for_space"
    QUOTED = "quoted"
    PAIR_QUOTED = "pair_quoted"
    WRAPPED = "wrapped"
    NOT_ENCODED = "not_encoded"
    NOT_BASE64 = "not_base64"
    BASE64_VARIANT = "base64_variant"
    ENCODED_TWICE = "encoded_twice"
    HALF_MISSING = "half_missing"
    REVERSED = "reversed"
    TRAILING_NEWLINE = "trailing_newline"
    STRAY_SPACE = "stray_space"
    PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class Header:
    """What a header is, whatever form it came in.

    `instance_id` and `token` are in their right slots, cleaned, where they could be told. `wire` is the value of
    Authorization that an exporter which follows the specification will send, None where it sends none; `meant` the
    value without the faults of syntax that keep it from being sent. `other` holds the headers beside it, by
    lower-case name. `name` is what stands in the place of `Authorization` where that is misspelt.
    """

    form: Form
    traits: frozenset[Trait]
    scheme: str = ""
    instance_id: Secret | None = None
    token: Secret | None = None
    claims: Token = Token(TokenKind.EMPTY)
    wire: Secret | None = None
    meant: Secret | None = None
    other: tuple[tuple[str, Secret], ...] = ()
    name: str = ""

    @property
    def confidential(self) -> bool:
        """Whether any of these headers is nobody else's business; the name of a tenant is no secret."""
        return self.meant is not None or any(_CONFIDENTIAL.search(name) for name, _ in self.other)

    @property
    def numeric(self) -> bool:
        """Whether what stands in the place of the instance ID can be one."""
        return self.instance_id is not None and is_instance_id(self.instance_id.reveal())

    def mended(self) -> Secret | None:
        """Return the right value of Authorization, where both halves are known and fit to be sent."""
        if self.instance_id is None or self.token is None:
            return None
        if not self.numeric or not self.token.reveal().isprintable():
            return None
        if self.claims.kind in (TokenKind.EMPTY, TokenKind.PLACEHOLDER):
            return None
        return header_value(self.instance_id, self.token)


def _unbase64(text: str) -> str:
    """Decode base64 of any variant, padded or not, to text; raises ValueError.

    Text that is not UTF-8 is read as Latin-1, in which Basic credentials were written before (RFC 7617, section 2).
    """
    packed = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    try:
        return data.decode()
    except UnicodeDecodeError:
        decoded = data.decode("latin-1")
        if ":" not in decoded or not all(char.isprintable() or char in "\r\n" for char in decoded):
            raise
        return decoded


# What exporters drop: they send no Authorization, or not this one.
_DROPPED = frozenset(
    {
        Trait.COLON_SYNTAX,
        Trait.ENCLOSED,
        Trait.NAME_MISSING,
        Trait.NAME_MISSPELT,
        Trait.QUOTED,
        Trait.WRAPPED,
        Trait.VALUE_MISSING,
    }
)


def read_header(text: str) -> Header:
    """Read a header in any form that people have: a variable line, `k=v`, `k: v`, a bare value, base64, a pair.

    Never raises: what can't be made out is told by the traits.
    """
    traits: set[Trait] = set()
    body, form = _body(text.strip("\r\n\t \ufeff"), traits)
    if not body:
        return Header(Form.EMPTY, frozenset({Trait.VALUE_MISSING}))
    if re.fullmatch(r"https?://[^\s,]+", body, re.IGNORECASE):
        return Header(Form.URL, frozenset())
    value, others, form = _authorization(body, form, traits)
    name = ""
    if value is None:
        misspelt = next((one for one in others if _misspelt(*one)), None)
        if misspelt is None:
            return Header(Form.OTHER_HEADERS, frozenset(traits), other=tuple(others))
        traits.add(Trait.NAME_MISSPELT)
        others.remove(misspelt)
        name, value = misspelt[0], misspelt[1].reveal()
    reading = _read_value(value, form, traits)
    return Header(
        reading.form,
        frozenset(traits),
        reading.scheme,
        reading.instance_id,
        reading.token,
        reading.claims,
        None if traits & _DROPPED else Secret(unquote(value).strip()),
        Secret(f"{reading.scheme.capitalize()} {reading.payload}".strip()) if reading.payload else None,
        tuple(others),
        name,
    )


def _body(text: str, traits: set[Trait]) -> tuple[str, Form]:
    """Return what the variable holds, without the name and the quotes of a line that sets it, and the form."""
    if (inside := _enclosed(text)) is not None:
        traits.add(Trait.ENCLOSED)
        return inside
    line = _VARIABLE.search(text)
    if line is None:
        if len(text) >= 2 and text[0] in _QUOTES and text[-1] == text[0]:
            traits.add(Trait.QUOTED)
            text = text[1:-1]
        return text.strip(), Form.OTLP_HEADERS
    body = text[line.end() :]
    if following := _NEXT_VARIABLE.search(body):
        body = body[: following.start()].rstrip()
    lead = line["lead"] if not line["close"] else ""
    if lead and body.endswith(lead):
        body = body[:-1]
    if body[:1] in {'"', "'"}:
        # These quotes are the syntax of the shell or of the file, and end the value.
        end = body.find(body[0], 1)
        rest = body[end + 1 :].strip()
        if end > 0 and (not rest or rest[0] in ",;#}"):
            body = body[1:end]
    else:
        body = re.split(r"\s#", body, maxsplit=1)[0]
    return body.strip(), Form.VARIABLE_LINE


def _enclosed(text: str) -> tuple[str, Form] | None:
    """Return the headers string in a JSON object or in a curl command, and which it is; None where it is in neither."""
    if text.startswith("{") and text.endswith("}"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            return None
        named = {str(name).lower(): value for name, value in document.items() if isinstance(value, str)}
        whole = next((value for name, value in named.items() if re.fullmatch(_NAME, name, re.IGNORECASE)), None)
        if whole is None and "authorization" in named:
            whole = f"Authorization={named['authorization']}"
        return None if whole is None else (whole.strip(), Form.JSON)
    if re.match(r"\s*curl\s", text):
        found = [one[1] for one in _CURL_HEADER.findall(text)]
        if any(_COLON.match(one) for one in found):
            return ",".join(re.sub(r"\s*:\s*", "=", one, count=1) for one in found), Form.CURL
    return None


def _authorization(body: str, form: Form, traits: set[Trait]) -> tuple[str | None, list[tuple[str, Secret]], Form]:
    """Return the value of Authorization in a headers string, the headers beside it, and the form they came in."""
    others: list[tuple[str, Secret]] = []
    value: str | None = None
    entries = [entry for entry in _ENTRIES.split(body) if entry.strip()]
    for entry in entries:
        if named := _NAMED.match(entry):
            value = entry[named.end() :]
        elif colon := _COLON.match(entry):
            traits.add(Trait.COLON_SYNTAX)
            value, form = entry[colon.end() :], Form.HTTP_HEADER
        elif (other := _OTHER.match(entry)) and not _bare(entry, alone=len(entries) == 1):
            others.append((other["name"].lower(), Secret(unquote(entry[other.end() :].strip()))))
        elif other := _OTHER_COLON.match(entry):
            traits.add(Trait.COLON_SYNTAX)
            others.append((other["name"].lower(), Secret(entry[other.end() :].strip())))
        elif value is None and _bare(entry, alone=len(entries) == 1):
            traits.add(Trait.NAME_MISSING)
            value, form = entry, Form.HEADER_VALUE
    if value is None and not others:
        traits.add(Trait.NAME_MISSING)
        value, form = body, Form.HEADER_VALUE
    return value, others, form


def _misspelt(name: str, value: Secret) -> bool:
    """Tell whether a header is Authorization with a letter or two gone wrong: its value is what belongs there."""
    return name.isalpha() and bool(_SCHEME.match(value.reveal())) and 0 < _distance(name, "authorization") <= 2


def _distance(one: str, other: str) -> int:
    """Return how many letters have to be put in, left out or changed to make one text the other."""
    if abs(len(one) - len(other)) > 2:
        return 3
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, wanted in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (char != wanted))
    return row[-1]


def _bare(entry: str, *, alone: bool) -> bool:
    """Tell a bare credential from a `k=v` pair: base64 padding looks like one. Beside others it must be plain."""
    text = entry.strip()
    if _SCHEME.match(text) or looks_like_token(text):
        return True
    return alone and (bool(_BASE64.match("".join(text.split()))) or not _OTHER.match(text))


@dataclass(slots=True)
class _Value:
    form: Form
    scheme: str = ""
    payload: str = ""
    instance_id: Secret | None = None
    token: Secret | None = None
    claims: Token = Token(TokenKind.EMPTY)


def _read_value(value: str, form: Form, traits: set[Trait]) -> _Value:
    """Read the value of Authorization: its encoding, its scheme, and what follows."""
    stripped = _decoded(_without_quotes(value.strip(), traits), traits)
    found = _Value(form)
    payload = _after_scheme(stripped, found, traits)
    if not payload:
        traits.add(Trait.VALUE_MISSING)
        return found
    found.payload = payload
    if is_placeholder(payload):
        traits.add(Trait.PLACEHOLDER)
        found.claims = Token(TokenKind.PLACEHOLDER)
        return found
    joined = re.sub(r"\s+|\\n", "", payload)
    if joined != payload and _BASE64.match(joined) and found.scheme in {"", "basic", "bearer"}:
        traits.add(Trait.WRAPPED)
        found.payload = joined
    if found.scheme == "bearer":
        _read_bearer(found, traits)
    elif found.scheme in {"", "basic"}:
        _read_basic(found, traits)
    return found


def _after_scheme(text: str, found: _Value, traits: set[Trait]) -> str:
    """Read the scheme, and the name and scheme that were put before it once more; return what follows."""
    if named := re.match(r"authorization\s*[=:]\s*", text, re.IGNORECASE):
        traits.add(Trait.PREFIX_TWICE)
        text = text[named.end() :]
    if match := _SCHEME.match(text):
        found.scheme = match["scheme"].lower()
        if set(match["gap"]) & set(_INVISIBLE):
            traits.add(Trait.ODD_SPACE)
        elif "+" in match["gap"]:
            traits.add(Trait.PLUS_FOR_SPACE)
        elif match["gap"] and Trait.PERCENT_ENCODED not in traits:
            traits.add(Trait.LITERAL_SPACE)
    elif match := _OTHER_SCHEME.match(text):
        found.scheme = match["scheme"].lower()
    payload = text[match.end() :].strip() if match else text.strip()
    while found.scheme and (again := _TWICE.match(payload)):
        traits.add(Trait.PREFIX_TWICE)
        found.scheme, payload = "basic", payload[again.end() :].strip()
    if set(payload) & set(_INVISIBLE):
        traits.add(Trait.ODD_SPACE)
        payload = payload.translate(dict.fromkeys(map(ord, _INVISIBLE)))
    return payload


def _without_quotes(text: str, traits: set[Trait]) -> str:
    if '"' in text or "“" in text or "”" in text or text[:1] in _QUOTES or text[-1:] in _QUOTES:
        if bare := text.strip(_QUOTES):
            traits.add(Trait.QUOTED)
        return bare.replace('"', "").strip()
    return text


def _decoded(text: str, traits: set[Trait]) -> str:
    """Undo percent-encoding as often as it was done."""
    if re.search(r"%25(?:20|3[dD]|2[bBfF])", text):
        traits.add(Trait.PERCENT_TWICE)
        text = unquote(text)
    if re.search(r"%(?:20|3[dD]|2[bBfF]|3[aA]|09|[cC]2%[aA]0)", text):
        traits.add(Trait.PERCENT_ENCODED)
        text = unquote(text)
    return text


def _read_bearer(found: _Value, traits: set[Trait]) -> None:
    """Read what follows Bearer: a token, or what should have followed Basic."""
    if ":" in found.payload:
        _split(found.payload, found, traits)
        return
    try:
        decoded = _unbase64(found.payload)
    except ValueError:
        decoded = ""
    left, _, right = decoded.partition(":")
    if is_instance_id(left) and looks_like_token(right):
        _split(decoded, found, traits)
    else:
        _only_token(found.payload, found)


def _read_basic(found: _Value, traits: set[Trait]) -> None:
    """Read what follows Basic, or stands where that is missing."""
    payload, nameless = found.payload, Trait.NAME_MISSING in traits
    if not found.scheme:
        traits.add(Trait.SCHEME_MISSING)
    if looks_like_token(payload) and ":" not in payload:
        found.form = Form.TOKEN if nameless else found.form
        traits.update({Trait.NOT_ENCODED, Trait.HALF_MISSING})
        _only_token(payload, found)
        return
    if ":" in payload:
        traits.add(Trait.NOT_ENCODED)
        found.form = Form.PAIR if nameless and not found.scheme else found.form
        _split(payload, found, traits)
        return
    try:
        decoded = _unbase64(payload)
    except ValueError:
        traits.add(Trait.NOT_BASE64)
        return
    if nameless and not found.scheme:
        found.form = Form.BASE64
    if len(payload) % 4 or re.search(r"[-_]", payload):
        traits.add(Trait.BASE64_VARIANT)
    if (deeper := _decode_again(decoded)) is not None:
        traits.add(Trait.ENCODED_TWICE)
        decoded = deeper
    if ":" in decoded:
        _split(decoded, found, traits)
        return
    traits.add(Trait.HALF_MISSING)
    if looks_like_token(decoded.strip()):
        _only_token(decoded.strip(), found)


def _decode_again(decoded: str, depth: int = 2) -> str | None:
    """Return the pair that stands one encoding deeper, or two, or None where this is no encoding of one."""
    inner = _AGAIN.sub("", decoded.strip())
    if ":" in inner:
        return inner if inner != decoded.strip() else None
    try:
        again = _unbase64("".join(inner.split()))
    except ValueError:
        return None
    if depth > 1 and (deeper := _decode_again(again, depth - 1)) is not None:
        return deeper
    return again if ":" in again else None


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
    if (bare_left, bare_right) != (left, right) and (is_instance_id(bare_left) or looks_like_token(bare_right)):
        traits.add(Trait.PAIR_QUOTED)
        left, right = bare_left, bare_right
    if looks_like_token(left + right) and not (left and right):
        traits.add(Trait.HALF_MISSING)
        _only_token(left or right, found)
        return
    if _is_reversed(left, right):
        traits.add(Trait.REVERSED)
        left, right = right, left
    found.instance_id = Secret(left)
    found.token = Secret(right)
    found.claims = read_token(right)
    if found.claims.kind is TokenKind.PLACEHOLDER or is_placeholder(left):
        traits.add(Trait.PLACEHOLDER)


def _is_reversed(left: str, right: str) -> bool:
    """Tell whether a token stands where the instance ID belongs, and something else where the token does."""
    if is_instance_id(right):
        return looks_like_token(left)
    return left.startswith(("glc_", "glsa_")) and not looks_like_token(right)

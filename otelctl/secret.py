"""Secrets: values that never show themselves, and the redaction of every form in which they travel."""

from __future__ import annotations

import base64
import binascii
import json
import re
import threading
from collections.abc import Iterable, Iterator
from typing import NoReturn, final
from urllib.parse import quote, quote_plus

MASK = "••••"

# Shorter runs than this occur by chance in honest text; longer ones can only come from the secret.
_WINDOW = 12

# What follows Basic or Bearer is taken for a credential where it looks less like a word than `authentication` does.
_NO_WORD = r"(?=[A-Za-z0-9+/_.~-]{0,64}(?:[0-9=%]|[a-z][A-Z]))"
_TOKEN_SHAPED = re.compile(
    r"(?:glc|glsa)_[A-Za-z0-9+/=_-]{6,}|\beyJ[A-Za-z0-9+/=_.-]{12,}|"
    rf"\b(?i:basic)(?:\s{{1,8}}|%20|\+){_NO_WORD}(?:[A-Za-z0-9+/_-]|%2[BbFf]){{12,}}(?:=|%3[Dd])*|"
    rf"\b(?i:bearer)(?:\s{{1,8}}|%20|\+){_NO_WORD}[A-Za-z0-9._~+/=-]{{12,}}|"
    # base64 that holds `glc_` or `glsa_`, at each of the three alignments. It begins where the run of its letters
    # does: a search from each letter anew would take the square of a stranger's megabyte.
    r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]*"
    r"(?:Z2xjX|dsY1[89+/_-]|nbGNf|Z2xzYV[89+/_-]|dsc2Ff|nbHNhX)[A-Za-z0-9+/_=-]{8,}"
)


# Words of a header that are no part of its secret.
_AROUND = frozenset({"authorization:", "authorization=basic", "authorization=bearer", "basic", "bearer"})
# Words of the commands that otelctl advises, which a line that sets the variable may hold unexpanded.
_OURS = re.compile(r"[$`(\"']*(?:otelctl|encode-auth|inspect-auth|--prompt|--fix)[)`\"']*")

# As html.escape does it, whose module brings the tables of all entities along.
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})


@final
class Secret:
    """A value that is shown as a mask wherever it is printed, formatted or logged.

    Only adapters and the codecs that put it on the wire call `reveal`.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac  # noqa: PLC0415 - it loads OpenSSL, which a quick command does without

        ours, theirs = (one.encode("utf-8", "surrogatepass") for one in (self._text, other._text))
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never serialised")


def _base64_cores(data: bytes) -> Iterator[str]:
    """Yield what base64 makes of `data` at each of the three alignments that it can have inside other data."""
    for lead in range(3):
        text = base64.b64encode(b"\0" * lead + data).decode()
        # The first characters hold bits of the lead, the last ones bits of what follows: neither is the secret's,
        # unless nothing follows.
        start = (0, 2, 3)[lead]
        stop = len(text) - (0, 3, 2)[(lead + len(data)) % 3]
        for core in (text[start:stop], text[start:]):
            if core:
                yield core
                yield core.translate(str.maketrans("+/", "-_"))


def _embedded(text: str) -> Iterator[str]:
    """Yield the secrets that `text` holds inside: the token of a Basic header, the key of an access policy token."""
    value = text.rsplit(None, 1)[-1] if text.split() else ""
    candidates = [value, value.removeprefix("glc_")]
    if ":" in value:
        candidates += value.split(":", 1)
    for candidate in candidates:
        packed = re.sub(r"\s+", "", candidate)
        if len(packed) < _WINDOW:
            continue
        try:
            decoded = base64.b64decode(packed.translate(str.maketrans("-_", "+/")) + "=" * (-len(packed) % 4)).decode()
        except (binascii.Error, ValueError):
            continue
        if not decoded.startswith("{"):
            yield decoded
            continue
        # What the token says of org, name and region is no secret, and is shown; its key is.
        try:
            key = json.loads(decoded).get("k")
        except (ValueError, AttributeError):
            key = decoded
        if isinstance(key, str):
            yield key


def _forms(text: str) -> Iterator[str]:
    """Yield every spelling of one text that a shell, an SDK, a server or a log may give it."""
    data = text.encode("utf-8", "surrogatepass")
    yield text
    for escaped in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield from _escapes(escaped)
    yield "".join(f"%{byte:02X}" for byte in data)
    yield "".join(f"%{byte:02x}" for byte in data)
    yield json.dumps(text)[1:-1]
    yield json.dumps(text)[1:-1].replace("/", "\\/")
    yield "".join(f"\\u{ord(char):04x}" for char in text)
    yield "".join(f"\\x{byte:02x}" for byte in data)
    yield text.translate(_HTML)
    yield data.hex()
    yield data.hex().upper()
    yield text.replace("'", "'\"'\"'")
    yield text.replace("'", "'\\''")
    yield re.sub(r"([^A-Za-z0-9_@%+=:,./-])", r"\\\1", text)
    for core in set(_base64_cores(data)):
        yield core
        yield from _escapes(quote(core, safe=""))
        yield from _base64_cores(core.encode())


def _escapes(text: str) -> Iterator[str]:
    """Yield a percent-encoded text, and as .NET and others write it: escapes in lower case."""
    yield text
    yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


class Redactor:
    """Replaces secrets by a mask in every encoding in which they can travel.

    Knows each secret as it is, percent-encoded, escaped for JSON, HTML and shells, in hex, in base64 at every
    alignment (so also inside a pair `id:token`, in both orders) and twice over, and any fragment of those of
    twelve characters or more, broken over lines too. Texts shorter than four characters and numbers shorter than
    twelve are not held to be secrets: an instance ID is public, and masking `200` in an answer would hide the answer.
    Neither are the words that stand around a credential: a command that sets the variable again names it.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        # Told but not yet spelt out, which takes milliseconds: a run that shows nothing need not do it.
        self._told: list[str] = []
        self._seen: set[str] = set()
        self._whole: set[str] = set()
        self._windows: set[str] = set()
        # Endpoints are checked side by side, each learning secrets that the others must not show either.
        self._lock = threading.Lock()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: Secret) -> None:
        """Take one more secret into account from now on."""
        with self._lock:
            self._told.append(secret.reveal().strip())

    def _spell_out(self) -> None:
        forms: set[str] = set()
        while self._told:
            text = self._told.pop()
            words = [word for word in text.split() if word.lower() not in _AROUND and not _OURS.fullmatch(word.lower())]
            inner = [one for word in (text, *words) for one in _embedded(word)]
            # Long words cover the text that they make up; short ones could be anybody's, the text they make up not.
            whole = () if all(len(word) >= _WINDOW for word in words) else (text,)
            for part in {*whole, *words, *inner} - self._seen:
                self._seen.add(part)
                if len(part) >= _WINDOW or (len(part) >= 4 and not part.isdigit()):
                    forms.update(_forms(part))
        cut = ""
        # The longest first: a token's forms are in those of its pair.
        for form in sorted(forms, key=len, reverse=True):
            packed = "".join(form.split())
            if len(packed) < _WINDOW:
                if len(packed) >= 4 and not packed.isdigit():
                    self._whole.add(form)
            elif packed not in cut:
                self._windows |= _cut(packed)
                cut += f"\0{packed}"
        self._windows -= _public_windows()

    def __call__(self, text: str) -> str:
        """Return `text` with every occurrence of a known secret replaced by the mask."""
        with self._lock:
            if self._told:
                self._spell_out()
            wholes = sorted(self._whole, key=len, reverse=True)
        for whole in wholes:
            if whole in text:
                text = text.replace(whole, MASK)
        if not self._windows or len(text) < _WINDOW:
            return text
        # White space does not count: a secret is as readable when it is wrapped.
        places = [place for place, char in enumerate(text) if not char.isspace()]
        packed = "".join(text.split())
        out: list[str] = []
        clear_from = 0
        for first in range(len(packed) - _WINDOW + 1):
            if packed[first : first + _WINDOW] not in self._windows:
                continue
            start = places[first]
            if start > clear_from or not out:
                out += [text[clear_from:start], MASK]
            clear_from = places[first + _WINDOW - 1] + 1
        return "".join([*out, text[clear_from:]])


def _cut(text: str) -> set[str]:
    """Return every run of twelve characters of a text."""
    return {text[i : i + _WINDOW] for i in range(len(text) - _WINDOW + 1)}


def _public_windows() -> set[str]:
    """Return the runs of what stands around a credential in a variable or a header, and is no secret."""
    found: set[str] = set()
    for name in ("HEADERS", "TRACES_HEADERS", "METRICS_HEADERS", "LOGS_HEADERS"):
        for mark in ("=", '="', "='", ":", ': "'):
            words = f"export OTEL_EXPORTER_OTLP_{name}{mark}Authorization=Basic"
            found |= _cut("".join(words.split()))
            for command in ("encode-auth --prompt)", "encode-auth)", "inspect-auth --fix)"):
                found |= _cut("".join(f"export OTEL_EXPORTER_OTLP_{name}{mark}$(otelctl {command}".split()))
    for name in ("Authorization", "authorization"):
        for mark in ("=", ":"):
            for gap in ("%20", "%2520", "+"):
                found |= _cut(f"{name}{mark}Basic{gap}") | _cut(f"{name}{mark}Bearer{gap}")
    return found


def mask_tokens(text: str) -> str:
    """Return a text without what has a Grafana token's or an Authorization value's shape, whosever it is.

    The redactor knows the secrets of this run; this catches one that came from elsewhere, in an argument or an answer.
    """
    return _TOKEN_SHAPED.sub(MASK, text)

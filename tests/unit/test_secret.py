"""Secrets: that they never show themselves, and that the redactor finds them in every form in which they travel."""

from __future__ import annotations

import base64
import copy
import html
import json
import pickle
import re
import string
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otelctl.secret import MASK, Redactor, Secret, _public_windows, mask_tokens

RUN = 12
KIB64 = 64 * 1024


def runs(text: str) -> set[str]:
    """Return every run of twelve characters of a text, white space apart."""
    packed = "".join(text.split())
    return {packed[i : i + RUN] for i in range(len(packed) - RUN + 1)}


# As Grafana Cloud makes them, as an own server may have them, and any text at all of a header's characters.
_KEYS = st.text(string.ascii_letters + string.digits + "+/", min_size=16, max_size=40)
GRAFANAS = st.builds(
    lambda key, name: (
        "glc_" + base64.b64encode(json.dumps({"o": "654321", "n": name, "k": key, "m": {"r": "eu"}}).encode()).decode()
    ),
    _KEYS,
    st.text(string.ascii_lowercase + "-", max_size=20),
)
TOKENS = st.one_of(
    GRAFANAS,
    st.builds(lambda key: f"glsa_{key}", _KEYS),
    st.text(string.printable.strip(), min_size=RUN, max_size=80),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x2FFF, exclude_categories=("Z", "C")), min_size=RUN),
).filter(lambda text: not runs(text) & _public_windows())


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text and the part of it, from `start` to `end`, whose characters hold bits of the token alone."""

    text: str
    start: int
    end: int

    def within(self, before: str, after: str = "") -> Encoded:
        """Return it with something else around it."""
        return Encoded(f"{before}{self.text}{after}", self.start + len(before), self.end + len(before))

    def base64(self) -> Encoded:
        """Return base64 of it: three bytes to four characters, so that those at the edges are shared."""
        data = self.text.encode()
        start, end = (len(self.text[:at].encode()) for at in (self.start, self.end))
        return Encoded(base64.b64encode(data).decode(), -(-start * 4 // 3), end * 4 // 3)

    @property
    def part(self) -> str:
        """The token's part."""
        return self.text[self.start : self.end]


def whole(text: str) -> Encoded:
    """Return a text that is the token's from end to end."""
    return Encoded(text, 0, len(text))


def wrapped(encoded: Encoded) -> Encoded:
    """Return it as a tool wraps it; white space is taken out before runs are looked for."""
    part = encoded.part
    return whole("\n".join(part[i : i + 19] for i in range(0, len(part), 19)))


def pair(token: str, instance_id: str = "123456") -> Encoded:
    """Return base64 of instance ID and token."""
    return whole(token).within(f"{instance_id}:").base64()


# What the class promises in its docstring, by that name.
ENCODINGS: dict[str, Callable[[str], Encoded]] = {
    "as it is": whole,
    "percent": lambda token: whole(quote(token, safe="")),
    "percent, lower case": lambda token: whole(re.sub("%..", lambda match: match[0].lower(), quote(token, safe=""))),
    "percent, slashes kept": lambda token: whole(quote(token)),
    "percent, form": lambda token: whole(quote_plus(token)),
    "percent, each byte": lambda token: whole("".join(f"%{byte:02X}" for byte in token.encode())),
    "percent, each byte, lower case": lambda token: whole("".join(f"%{byte:02x}" for byte in token.encode())),
    "JSON": lambda token: whole(json.dumps(token)[1:-1]),
    "JSON, slashes escaped": lambda token: whole(json.dumps(token)[1:-1].replace("/", "\\/")),
    "HTML": lambda token: whole(html.escape(token)),
    "shell": lambda token: whole(token.replace("'", "'\"'\"'")),
    "shell, each sign": lambda token: whole(re.sub(r"([^A-Za-z0-9_@%+=:,./-])", r"\\\1", token)),
    "hex": lambda token: whole(token.encode().hex()),
    "hex, upper case": lambda token: whole(token.encode().hex().upper()),
    "base64": lambda token: whole(token).base64(),
    "base64 for URLs": lambda token: whole(base64.urlsafe_b64encode(token.encode()).decode()),
    "base64 of id:token": pair,
    "base64 of a longer id:token": lambda token: pair(token, "1234567"),
    "base64 of another id:token": lambda token: pair(token, "12345678"),
    "base64 of token:id": lambda token: whole(token).within("", ":123456").base64(),
    "base64 of a longer token:id": lambda token: whole(token).within("Basic ", ":1234567").base64(),
    "base64 of base64": lambda token: pair(token).base64(),
    "base64 of Basic and base64": lambda token: pair(token).within("Basic ").base64(),
    "base64, wrapped": lambda token: wrapped(pair(token)),
    "base64, percent-encoded": lambda token: whole(quote(pair(token).part, safe="")),
}


def left(shown: str) -> set[str]:
    """Return the runs that a redacted text still shows; none of them reaches over a mask."""
    return {run for piece in shown.split(MASK) for run in runs(piece)}


@pytest.mark.parametrize("name", ENCODINGS)
@given(token=TOKENS, before=st.text("ab ,:{[('\n", max_size=9), after=st.text("yz ,:}])'\n", max_size=9))
@settings(max_examples=25, deadline=None)
@example(token="glc_eyJvIjoiMSIsIm4iOiJ4IiwiayI6InNlY3JldHNlY3JldCJ9", before="", after="")
def test_no_run_of_a_token_survives_in_any_encoding(name: str, token: str, before: str, after: str) -> None:
    """Wherever an encoding of a token stands in a text, no twelve characters of it in a row are left."""
    encoded = ENCODINGS[name](token)
    shown = Redactor([Secret(token)])(f"{before}{encoded.text}{after}")
    assert MASK in shown
    assert not left(shown) & runs(encoded.part)


@pytest.mark.parametrize("name", ENCODINGS)
@given(token=TOKENS, data=st.data())
@settings(max_examples=15, deadline=None)
def test_no_fragment_of_a_token_survives(name: str, token: str, data: st.DataObject) -> None:
    """A piece of an encoded token, as a server that cuts its echo leaves one, is masked from twelve characters on."""
    part = "".join(ENCODINGS[name](token).part.split())
    first = data.draw(st.integers(0, len(part) - RUN))
    piece = part[first : data.draw(st.integers(first + RUN, len(part)))]
    shown = Redactor([Secret(token)])(f"unknown credential `{piece}`, cut")
    assert not left(shown) & runs(part)
    assert shown.startswith("unknown ")


@given(token=TOKENS)
@settings(max_examples=60, deadline=None)
def test_what_a_header_holds_is_known_from_the_header(token: str) -> None:
    """Told a whole header alone, the redactor knows the token inside it as well."""
    header = "Authorization=Basic " + base64.b64encode(f"123456:{token}".encode()).decode()
    assert not left(Redactor([Secret(header)])(f"x {token} y")) & runs(token)


@given(key=_KEYS)
@settings(max_examples=30, deadline=None)
def test_the_key_inside_a_token_is_known_from_the_token(key: str) -> None:
    """Told an access policy token, the redactor knows the key in its JSON, and shows its name and region."""
    claims = {"o": "654321", "n": "a-name-that-may-be-shown", "k": key, "m": {"r": "prod-eu-west-2"}}
    token = "glc_" + base64.b64encode(json.dumps(claims).encode()).decode()
    shown = Redactor([Secret(token)])(json.dumps(claims))
    assert key not in shown
    assert "a-name-that-may-be-shown" in shown
    assert "prod-eu-west-2" in shown


HONEST = [
    "200 OK: an empty request was accepted by https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/traces",
    'export OTEL_EXPORTER_OTLP_HEADERS="$(otelctl inspect-auth --fix)"',
    "export OTEL_EXPORTER_OTLP_TRACES_HEADERS='Authorization=Basic …'",
    '{"status":"error","error":"authentication error: legacy auth cannot be upgraded because the host is not found"}',
    "Basic authentication takes the user first; Bearer authentication takes a token.",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736, span 00f067aa0ba902b7, instance ID 123456",
    "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUQ\n",
    "",
]


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_is_left_alone(text: str) -> None:
    """Neither the redactor, told a credential, nor the mask for tokens of strangers touches what holds no secret."""
    header = "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Basic MTIzNDU2OmdsY19zM2NyM3RzM2NyM3Q="
    assert Redactor([Secret(header), Secret("glc_s3cr3ts3cr3t"), Secret("123456"), Secret("ab")])(text) == text
    assert mask_tokens(text) == text


@given(text=st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_without_secrets_any_text_is_left_alone(text: str) -> None:
    """A redactor that knows nothing changes nothing."""
    assert Redactor()(text) == text


@given(secret=st.text(max_size=60), text=st.text(max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_secret_and_no_text_break_it(secret: str, text: str) -> None:
    """Any text can be a secret or be redacted, lone surrogates of an undecodable variable included."""
    assert isinstance(Redactor([Secret(secret)])(text), str)
    assert isinstance(mask_tokens(text), str)
    assert Secret(secret) == Secret(secret)


def test_surrogates_can_be_secret() -> None:
    """A variable whose bytes are no UTF-8, as os.environ gives it, is compared and redacted."""
    value = b"tok\xffen-of-an-odd-shell".decode("utf-8", "surrogateescape")
    assert Secret(value) == Secret(value)
    assert value not in Redactor([Secret(value)])(f"x {value} y")


STRANGERS = [
    "glc_eyJvIjoiNjU0MzIxIiwibiI6InQiLCJrIjoiczNjcjN0In0=",
    "glsa_abcdefghijklmnop_12345678",
    "eyJrIjoiT0tTcG1pUlY2RnVKZTFVaDFsNFZXdE9ZWmNrMkZYbk",
    "Basic MTIzNDU2OmdsY19zZWNyZXQ=",
    "basic%20MTIzNDU2OmdsY19zZWNyZXQ%3D",
    "BASIC MTIzNDU2OmdsY19zZWNyZXQ=",
    "Bearer abcd1234efgh5678",
    "MTIzNDU2OmdsY19leUp2SWpvaU5qVTBNekl4SWl3aWF5STZJbk1pZlE9PQ==",
    "MTIzNDU2NzpnbGNfZXlKdklqb2lOalUwTXpJeElpd2lheUk2SW5NaWZRPT0=",
    "MTIzNDU2Nzg6Z2xjX2V5SnZJam9pTmpVME16SXhJaXdpYXlJNkluTWlmUT09",
    "123456%3Aglc_eyJvIjoiNjU0MzIxIn0%3D",
    "token_glc_eyJvIjoiNjU0MzIxIn0",
]


@pytest.mark.parametrize("text", STRANGERS)
def test_tokens_of_strangers_are_masked_by_their_shape(text: str) -> None:
    """A token or credential that nobody told of is masked by its shape, in quotes, addresses and sentences too."""
    for whole in (text, f'"{text}"', f"https://x.example/?auth={text}&y=1", f"got <{text}>, sorry"):
        shown = mask_tokens(whole)
        assert MASK in shown
        assert not left(shown) & runs(text)


HOSTILE = {
    "one letter": "A" * KIB64,
    "letters and hyphens": "A-" * (KIB64 // 2),
    "almost a token in base64": "Z2xj" * (KIB64 // 4),
    "almost a token, again and again": "dsY1 " * (KIB64 // 5),
    "Basic again and again": "basic " * (KIB64 // 6),
    "Basic and plus signs": "basic+" * (KIB64 // 6),
    "Basic and no end of space": "basic" + " " * KIB64,
    "Bearer again and again": "bearer%20" * (KIB64 // 9),
    "escapes cut short": "basic " + "%2" * (KIB64 // 2),
    "hex": "0123456789abcdef" * (KIB64 // 16),
    "tokens": "glc_" * (KIB64 // 4),
    "web tokens": "eyJ." * (KIB64 // 4),
    "equals signs": "=" * KIB64,
}


def _milliseconds(work: Callable[[], object]) -> float:
    """Return the least time of three, which is the machine's own."""
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken) * 1000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_takes_long(text: str) -> None:
    """64 KiB of anything are cleaned within a tenth of a second: a hostile body must not cost its square."""
    redact = Redactor([Secret("glc_eyJvIjoiMSIsIm4iOiJ4IiwiayI6InNlY3JldHNlY3JldCJ9"), Secret("A" * 40)])
    redact("")
    assert _milliseconds(lambda: redact(text)) < 100
    assert _milliseconds(lambda: mask_tokens(text)) < 100


def test_a_secret_shows_a_mask_alone() -> None:
    """str, repr, format and an f-string of a secret are the mask; its truth and equality work."""
    secret = Secret("hunter2hunter2")
    assert {str(secret), repr(secret), f"{secret}", f"{secret!r:>40}".strip(), format(secret, ">3")} == {MASK}
    assert secret
    assert not Secret("")
    assert secret == Secret("hunter2hunter2")
    assert secret != Secret("hunter3hunter3")
    assert secret != "hunter2hunter2"
    assert len({secret, Secret("hunter2hunter2")}) == 1


def test_a_secret_leaves_no_process() -> None:
    """A secret cannot be pickled or copied into something that shows it."""
    for leave in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="never serialised"):
            leave(Secret("hunter2hunter2"))

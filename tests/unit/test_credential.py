"""Reading and making the header: every form that people have, and any text at all."""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from otelctl.credential import (
    Form,
    Header,
    TokenKind,
    Trait,
    header_value,
    is_instance_id,
    read_header,
    read_token,
    strip_stray,
)
from otelctl.render.header import As, render
from otelctl.secret import Secret

ID = "123456"
TOKEN = "glc_" + base64.b64encode(b'{"o":"654321","n":"a-name","k":"s3cr3t","m":{"r":"prod-eu-west-2"}}').decode()
PACKED = base64.b64encode(f"{ID}:{TOKEN}".encode()).decode()
RIGHT = f"Authorization=Basic {PACKED}"
NAME = "OTEL_EXPORTER_OTLP_HEADERS"

# Whole lines, as they stand in shells, files and manifests; each sets the right header.
LINES = [
    f"{NAME}={RIGHT}",
    f'export {NAME}="{RIGHT}"',
    f"export {NAME}='{RIGHT}'  # production",
    f'  {NAME} = "{RIGHT}"',
    f"{NAME}={RIGHT} # production",
    f'- {NAME}="{RIGHT}"',
    f'- "{NAME}={RIGHT}"',
    f'{NAME}: "{RIGHT}"',
    f'"{NAME}": "{RIGHT}",',
    f'{{"{NAME.lower()}": "{RIGHT}"}}',
    f"$env:{NAME} = '{RIGHT}'",
    f"ENV {NAME}={RIGHT}",
    f"set {NAME}={RIGHT}",
    f"\ufeff{NAME}={RIGHT}\r\n",
    f"A_VARIABLE=1\n# a comment\n{NAME}={RIGHT}\nANOTHER_ONE=2\n",
    f"OTEL_EXPORTER_OTLP_TRACES_HEADERS={RIGHT}",
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_sets_the_variable(line: str) -> None:
    """A whole line of a shell, a file or a manifest is read as the value that it sets, its own quotes left out."""
    header = read_header(line)
    if line.startswith("{"):  # a document: its line does not begin with the name
        header = read_header(line[1:-1])
    assert header.form is Form.VARIABLE_LINE
    assert header.traits <= {Trait.LITERAL_SPACE}
    assert header.wire == header.mended() == Secret(f"Basic {PACKED}")


@pytest.mark.parametrize("form", As)
def test_every_form_that_is_written_is_read_back(form: As) -> None:
    """What encode-auth prints in any form, inspect-auth reads as the same credential."""
    text = render(Secret(f"Basic {PACKED}"), form)
    header = read_header(json.loads(text)[NAME.lower()] if form is As.JSON else text)
    assert header.mended() == Secret(f"Basic {PACKED}")
    if form not in (As.HTTP_HEADER, As.CURL):
        assert header.traits <= {Trait.LITERAL_SPACE, Trait.PERCENT_ENCODED}


MENDED = [
    f"Authorization=Basic {base64.b64encode(f'{TOKEN}:{ID}'.encode()).decode()}",
    f"Authorization=Basic%20{quote(PACKED, safe='')}",
    f"Authorization=Basic%2520{PACKED}",
    f"Authorization=Basic+{PACKED}",
    f"Authorization=Basic {PACKED[:76]}\n{PACKED[76:]}",
    f"Authorization=Basic {PACKED[:76]}\\n{PACKED[76:]}",
    f'Authorization="Basic {PACKED}"',
    f"Authorization: Basic {PACKED}",
    f'-H "Authorization: Basic {PACKED}"',
    f"Authorization: Basic {PACKED}\r\nX-Scope-OrgID: 1",
    f"Basic {PACKED}",
    PACKED,
    f"{ID}:{TOKEN}",
    f"Authorization=Basic {ID}:{TOKEN}",
    f"Authorization=Basic {base64.b64encode(PACKED.encode()).decode()}",
    f"Authorization=Basic {base64.b64encode(f'Basic {PACKED}'.encode()).decode()}",
    f"Authorization=Basic {base64.b64encode(base64.b64encode(PACKED.encode())).decode()}",
    f"Authorization=Bearer {PACKED}",
    f"Authorization={PACKED.rstrip('=')}",
    f"X-Scope-OrgID=1,authorization=basic {PACKED}",
]


@pytest.mark.parametrize("text", MENDED)
def test_what_can_be_mended_is(text: str) -> None:
    """However it is mangled: where both halves can be told, the right value comes out of it."""
    assert read_header(text).mended() == Secret(f"Basic {PACKED}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Authorization=Basic",
        "X-Scope-OrgID=1",
        TOKEN,
        f"Authorization=Basic {base64.b64encode(b'my-stack:glc_x').decode()}",
        f"Authorization=Basic {base64.b64encode(f'{ID}:'.encode()).decode()}",
        f"Authorization=Basic {base64.b64encode(f'{ID}:glc_xxxxxx'.encode()).decode()}",
        "Authorization=ApiKey abc",
        "Authorization=Bearer abc",
    ],
)
def test_what_cannot_be_mended_is_not(text: str) -> None:
    """Where a half is missing, or is no instance ID or token, no header is made up."""
    assert read_header(text).mended() is None


def test_headers_beside_are_kept() -> None:
    """Other headers are read with their names in lower case and their values decoded, wherever they stand."""
    header = read_header(f"X-Scope-OrgID=a%20b, {RIGHT} ,x-b=c=d,x-url=http://h:1/")
    assert header.other == (
        ("x-scope-orgid", Secret("a b")),
        ("x-b", Secret("c=d")),
        ("x-url", Secret("http://h:1/")),
    )
    assert header.wire == Secret(f"Basic {PACKED}")


@pytest.mark.parametrize(
    ("text", "confidential"),
    [
        (RIGHT, True),
        ("Authorization=Bearer abc", True),
        ("x-api-key=abc", True),
        ("x-honeycomb-team=abc", True),
        ("X-Scope-OrgID=1", False),
        ("", False),
    ],
)
def test_what_is_nobody_elses_business(text: str, confidential: bool) -> None:
    """Authorization and headers named for keys are confidential; the name of a tenant is not."""
    assert read_header(text).confidential is confidential


TOKENS = [
    ("", TokenKind.EMPTY),
    (TOKEN, TokenKind.ACCESS_POLICY),
    (TOKEN.rstrip("="), TokenKind.ACCESS_POLICY),
    (TOKEN.replace("+", "-").replace("/", "_"), TokenKind.ACCESS_POLICY),
    (TOKEN[:-9], TokenKind.TRUNCATED),
    ("glc_", TokenKind.TRUNCATED),
    ("glc_" + base64.b64encode(b"[]").decode(), TokenKind.TRUNCATED),
    ("glc_" + base64.b64encode(b'{"k":""}').decode(), TokenKind.TRUNCATED),
    ("glc_" + base64.b64encode(b"[" * 100_000).decode(), TokenKind.TRUNCATED),
    ("glc_" + base64.b64encode(b'{"k":"x","o":' + b"9" * 5000 + b"}").decode(), TokenKind.TRUNCATED),
    ("glsa_4bc", TokenKind.SERVICE_ACCOUNT),
    ("eyJrIjoiabc", TokenKind.LEGACY_KEY),
    ("eyJhbGciabc", TokenKind.OTHER),
    ("hunter2", TokenKind.OTHER),
    ("glc_xxxx", TokenKind.PLACEHOLDER),
    ("<token>", TokenKind.PLACEHOLDER),
    ("$TOKEN", TokenKind.PLACEHOLDER),
]


@pytest.mark.parametrize(("text", "kind"), TOKENS)
def test_kinds_of_tokens(text: str, kind: TokenKind) -> None:
    """A token's kind is told by its spelling, and an access policy token by what it holds."""
    assert read_token(text).kind is kind


def test_what_a_token_says_of_itself() -> None:
    """Org, name and region are read, whatever types they have, printable and bounded; the key never is."""
    token = read_token(TOKEN)
    assert (token.org, token.name, token.region) == ("654321", "a-name", "prod-eu-west-2")
    odd = {"o": 7, "n": "\x1b[31m" + "x" * 200, "k": "s3cr3t", "m": "no object"}
    token = read_token("glc_" + base64.b64encode(json.dumps(odd).encode()).decode())
    assert (token.org, token.name, token.region) == ("7", "[31m" + "x" * 76, "")
    assert "s3cr3t" not in repr(token)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (" abc\n", "abc"),
        ('"abc"', "abc"),
        ("“abc”", "abc"),
        ("' \"abc\" '", "abc"),
        ("ab\r\nc", "abc"),
        ("\ufeffabc\u200b", "abc"),
        ('"abc', "abc"),
        ("", ""),
        ('"', ""),
    ],
)
def test_stray_characters(text: str, clean: str) -> None:
    """White space, quotes and line breaks that came along with a copied value are left out."""
    assert strip_stray(text) == clean


@pytest.mark.parametrize(
    ("text", "good"), [("1", True), (ID, True), ("", False), ("²", False), ("١٢", False), ("-1", False)]
)
def test_instance_ids(text: str, good: bool) -> None:
    """An instance ID is digits of ASCII alone."""
    assert is_instance_id(text) is good


ANY = st.one_of(
    st.text(),
    st.lists(
        st.sampled_from(
            ["Authorization", "authorization", "Basic", "Bearer", " ", "=", ":", ",", "%20", "%2520", "+", '"', "'",
             "\n", "\\n", PACKED, TOKEN, ID, "glc_", "glsa_x", "X-Scope-OrgID", "x-a", NAME, "export ", "<", "${X}",
             "%", "\ud800"]
        )
    ).map("".join),
)  # fmt: skip


@given(text=ANY)
@example(text="Authorization=Basic \ud800")
@example(text="Authorization=Basic %ff%fe")
@example(text="123456:\ud800")
@settings(max_examples=400, deadline=None)
def test_any_text_is_read(text: str) -> None:
    """No text makes the reader raise, and what it mends is one line of Basic."""
    header = read_header(text)
    assert isinstance(header, Header)
    mended = header.mended()
    if mended is not None:
        assert mended.reveal().startswith("Basic ")
        assert len(mended.reveal().splitlines()) == 1
        assert read_header(f"Authorization={mended.reveal()}").wire == mended
    assert isinstance(strip_stray(text), str)


@given(
    instance_id=st.text("0123456789", min_size=1, max_size=10),
    token=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60),
)
@settings(max_examples=200, deadline=None)
def test_a_header_holds_what_was_put_into_it(instance_id: str, token: str) -> None:
    """Whatever the token: the header is base64 of the pair, on one line, and reads back as nothing else."""
    value = header_value(Secret(instance_id), Secret(f"glc_{token}")).reveal()
    assert base64.b64decode(value.removeprefix("Basic ")).decode() == f"{instance_id}:glc_{token}"
    header = read_header(f"Authorization={value}")
    assert header.wire == Secret(value)
    assert header.instance_id == Secret(instance_id)


MIB = 1 << 20
LARGE = {
    "letters": "A" * MIB,
    "spaces": "Authorization=Basic" + " " * MIB + "x",
    "space within": "x" + " " * MIB + "y",
    "commas": "," * MIB,
    "pairs": "a=b," * (MIB // 4),
    "bare words": "basic," * (MIB // 6),
    "quotes": '"' * MIB,
    "lines": "\n" * MIB + "x",
    "lines of spaces": ("\n" + " " * 15) * (MIB // 16) + "x",
    "lines of names": "A_A\n" * (MIB // 4),
    "underscores": f"{NAME}=x\nA" + "_" * MIB,
    "escapes": "Authorization=Basic%20" + "%2520" * (MIB // 5),
    "plus signs": "Authorization=Basic" + "+" * MIB,
    "backslashes": "Authorization=Basic " + "\\n" * (MIB // 2),
    "base64 of base64": "Authorization=Basic " + base64.b64encode(base64.b64encode(b"A" * (MIB // 2))).decode(),
    "colons": "Authorization=Basic " + ":" * MIB,
    "placeholder": "Authorization=Basic my" + "to" * (MIB // 2),
    "brackets": "Authorization=Basic <" + "<" * MIB,
    "token": "glc_" + "e" * MIB,
    "names": "X-" + "a" * MIB + ":",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_mebibyte_is_read_in_linear_time(text: str) -> None:
    """A mebibyte of anything is read within seconds: the square of its length would take hours."""
    started = time.perf_counter()
    read_header(text)
    assert time.perf_counter() - started < 8

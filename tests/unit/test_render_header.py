"""The forms of a credential, byte by byte."""

from __future__ import annotations

import json
import shlex

import pytest

from otelctl.credential import read_header
from otelctl.render.header import As, render
from otelctl.secret import Secret

BASIC = "Basic MTIzNDU2OmdsY19leGFtcGxl"
OTHERS = (("x-scope-orgid", Secret("team a,b")), ("x-note", Secret('it\'s "so"\\')))


@pytest.mark.parametrize("form", [As.OTLP_HEADERS, As.PERCENT_ENCODED, As.DOTENV, As.SHELL, As.JSON])
def test_the_headers_beside_it_stay(form: As) -> None:
    """Reading a rendered form gives Authorization and each header beside it back, whatever is in their values."""
    text = render(Secret(BASIC), form, OTHERS)
    if form is As.SHELL:
        text = shlex.split(text)[1].partition("=")[2]
    elif form is As.JSON:
        text = json.loads(text)["otel_exporter_otlp_headers"]
    header = read_header(text)
    assert header.wire == Secret(BASIC)
    assert header.other == OTHERS


def test_a_line_for_each_header_where_the_place_takes_lines() -> None:
    """The forms for HTTP and curl carry the values as they are, curl's quotes escaped by its manual."""
    assert render(Secret(BASIC), As.HTTP_HEADER, OTHERS).splitlines() == [
        f"Authorization: {BASIC}",
        "x-scope-orgid: team a,b",
        'x-note: it\'s "so"\\',
    ]
    assert render(Secret(BASIC), As.CURL, OTHERS).splitlines()[2] == 'header = "x-note: it\'s \\"so\\"\\\\"'


def test_alone_it_is_one_line() -> None:
    """Without headers beside it, every form is one line."""
    assert all("\n" not in render(Secret(BASIC), form) for form in As)

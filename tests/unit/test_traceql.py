"""TraceQL: quoting, the queries that are advised, and the command that shows and checks them."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl.traceql import LONGEST, check, is_duration, queries, quote
from tests.support.program import run


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_quoted_text_is_one_string(text: str) -> None:
    """Whatever the text, its string holds no raw quote, line break or control character, and reads back as it was."""
    quoted = quote(text)
    assert quoted.isprintable()
    assert check(f"{{ name = {quoted} }}").slips == ()
    if text.isprintable():
        assert json.loads(quoted) == text


@given(st.text(alphabet="{}()\"`'|.&= abyselctnmdur0123/*>\\", max_size=200))
def test_checking_never_fails_and_mends_at_once(text: str) -> None:
    """Any text can be checked, and what comes out mended has none of the mistakes left."""
    checked = check(text)
    if checked.mended:
        assert check(checked.mended).slips == ()


@pytest.mark.parametrize("piece", ['"', "/*", "by(", "select(a>", "{", "\\", "service.name ", "`"])
def test_checking_takes_its_time_only_once(piece: str) -> None:
    """The longest query that is looked at takes seconds at most, however it is made."""
    began = time.monotonic()
    check((piece * LONGEST)[:LONGEST])
    assert time.monotonic() - began < 10


def test_a_longer_query_is_refused() -> None:
    """More than the limit is refused, not cut."""
    with pytest.raises(ValueError, match="characters"):
        check(" " * (LONGEST + 1))


def test_the_queries_are_those_that_work() -> None:
    """The queries have the forms that a real Tempo was seen to take."""
    by_purpose = {query.purpose: query.text for query in queries("shop", "100ms")}
    own = 'resource.service.name = "shop"'
    assert by_purpose["By service"] == f"{{ {own} }}"
    assert by_purpose["Slow"] == f"{{ {own} && duration > 100ms }}"
    assert by_purpose["Errors"] == f"{{ {own} && status = error }}"
    assert by_purpose["Rate by span name"] == f"{{ {own} }} | rate() by (name)"
    assert by_purpose["p95 by span name"] == f"{{ {own} }} | quantile_over_time(duration, 0.95) by (name)"


def test_durations() -> None:
    """A duration has a unit."""
    assert all(map(is_duration, ("100ms", "1.5s", "1m30s", "2h", "10µs")))
    assert not any(map(is_duration, ("", "100", "s", "1 s", "1s }", "-1s")))


@pytest.mark.parametrize("form", ["text", "json", "junit", "github", "markdown"])
def test_check_has_one_exit_code(form: str) -> None:
    """A known mistake gives 1 and none gives 0, in every format; a likely one gives 1 with --fail-on warning."""
    assert run("queries", "--check", '{ service.name = "x" }', "--format", form).code == 1
    assert run("queries", "--check", '{ resource.service.name = "x" }', "--format", form).code == 0
    likely = ("queries", "--check", "{} | rate() by (span.name)", "--format", form)
    assert run(*likely).code == 0
    assert run(*likely, "--fail-on", "warning").code == 1


def test_the_second_line_mends() -> None:
    """The first line names the mistake, and the second holds the whole query without it."""
    result = run("queries", "--check", '{ service.name = "it\'s" } | select(duration > 100ms)')
    first, second, *_ = result.stdout.splitlines()
    assert first == "✗ QUERY-UNSCOPED  An attribute has no scope"
    assert second.startswith("  otelctl queries --check '{ resource.service.name = \"it'")
    assert "&& duration > 100ms }" in second


def test_links_lead_to_explore() -> None:
    """With a Grafana URL each query has its link, which holds the query."""
    facts = run("queries", "--service", "shop", "--grafana-url", "https://x.grafana.net", "--format", "json").report[
        "facts"
    ]
    assert facts["errors_in_explore"].startswith("https://x.grafana.net/explore?schemaVersion=1&orgId=1&panes=")
    assert "status%20%3D%20error" in facts["errors_in_explore"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--service", "x", "--check", "{}"),
        ("--service", " "),
        ("--service", "x", "--slow", "1"),
        ("--check", " "),
        ("--service", "x", "--grafana-url", "grafana"),
    ],
)
def test_wrong_use_is_one_line(arguments: tuple[str, ...]) -> None:
    """Wrong use ends with 2 and one line."""
    result = run("queries", *arguments)
    assert (result.code, result.stdout, result.stderr.count("\n")) == (2, "", 1)

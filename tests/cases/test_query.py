"""What is told of a TraceQL query: the forms that are known to be wrong, and those that look like them."""

from __future__ import annotations

import pytest

from otelctl.diagnose.query import judge_query
from otelctl.traceql import check, queries
from tests.cases.marks import case, near_miss

UNSCOPED, SELECT, BY, UNCLOSED = "QUERY-UNSCOPED", "QUERY-SELECT-COMPARES", "QUERY-BY-ATTRIBUTE", "QUERY-UNCLOSED"

WRONG = [
    pytest.param('{ service.name = "x" }', '{ resource.service.name = "x" }', [UNSCOPED], marks=[case(UNSCOPED)]),
    pytest.param('{service.name="shop"}', '{resource.service.name="shop"}', [UNSCOPED], marks=[]),
    pytest.param("{ http.status_code >= 500 }", "{ span.http.status_code >= 500 }", [UNSCOPED], marks=[]),
    pytest.param("{ our.own = 1 }", "{ .our.own = 1 }", [UNSCOPED], marks=[]),
    pytest.param("{} | rate() by (service.name)", "{} | rate() by (resource.service.name)", [UNSCOPED], marks=[]),
    pytest.param("{} | select(duration > 100ms)", "{ duration > 100ms }", [SELECT], marks=[case(SELECT)]),
    pytest.param(
        '{ resource.service.name = "x" } | select(duration > 100ms)',
        '{ resource.service.name = "x" && duration > 100ms }',
        [SELECT],
        marks=[near_miss(UNSCOPED)],
    ),
    pytest.param(
        "{ .a || .b } | select(span.c, status = error || duration > 1s)",
        "{ (.a || .b) && (status = error || duration > 1s) } | select(span.c)",
        [SELECT],
        marks=[],
    ),
    pytest.param(
        '{ name = "}" } | select(duration > 1s) | count() > 2',
        '{ name = "}" } | { duration > 1s } | count() > 2',
        [SELECT],
        marks=[],
    ),
    pytest.param("{} | rate() by (span.name)", "{} | rate() by (name)", [BY], marks=[case(BY)]),
    pytest.param(
        "{} | quantile_over_time(duration, 0.95) by(resource.service.name, span.name)",
        "{} | quantile_over_time(duration, 0.95) by(resource.service.name, name)",
        [BY],
        marks=[],
    ),
    pytest.param(
        '{ service.name = "x" } | select(duration > 1s) | rate() by (span.name)',
        '{ resource.service.name = "x" && duration > 1s } | rate() by (name)',
        [UNSCOPED, BY, SELECT],
        marks=[],
    ),
    pytest.param('{ name = "x }', "", [UNCLOSED], marks=[case(UNCLOSED)]),
    pytest.param("{ name = `x }", "", [UNCLOSED], marks=[]),
    pytest.param("{ (.a = 1 }", "", [UNCLOSED], marks=[]),
    pytest.param("{ .a = 1 } }", "", [UNCLOSED], marks=[]),
]

FINE = [
    '{ resource.service.name = "x" }',
    '{ .service.name = "x" }',
    '{ name = "service.name" }',
    "{ name =~ `{service.name} | select(duration > 1s)` }",
    '{ span."service.name" = 1 && span."a (b" = "\\"" }',
    '{ parent.resource.service.name = "x" || parent.service.name = "x" }',
    '{ event.exception.type = "x" && link.a.b = 1 && instrumentation.a.b = 2 }',
    '{ trace:rootService = "x" && span:name = "y" && duration > 1.5s && 1.1 < .a }',
    '{ .a } // service.name = "x" } | select(duration > 1s)',
    '{ .a /* by (span.name) " */ }',
    "{} | select(duration, span.http.status_code)",
    "{ duration > 100ms } | select(name)",
    "{} | rate() by (name)",
    "{} | by (span.http.route) | count() > 2",
    '{ span.name = "an attribute of that name" }',
    '{ name = "by (span.name)" } | rate() by (name) with (sample=0.1)',
    "({ .a } | count() > 1) >> ({ .b })",
    "{ true } | by(3 * .field - 2) | max(duration) < 1s",
    "{ (-(3 / 2) * .test - parent.blerg + .other)^3 = 2 }",
]


@pytest.mark.parametrize(("query", "mended", "codes"), WRONG)
def test_a_wrong_form_is_told_and_mended(query: str, mended: str, codes: list[str]) -> None:
    """Each known mistake is told by its code, the query is mended as a whole, and the mended one has none left."""
    checked = check(query)
    findings = judge_query(checked, "--check")
    assert [finding.code for finding in findings] == codes
    assert checked.mended == mended
    for finding in findings:
        assert finding.summary
        assert finding.fix
        if mended:
            assert "otelctl queries --check" in (finding.fix[0].command or "")
    if mended:
        assert check(mended).slips == ()


@near_miss(UNSCOPED, SELECT, BY, UNCLOSED)
@pytest.mark.parametrize("query", FINE)
def test_what_looks_like_a_mistake_and_is_none(query: str) -> None:
    """Scopes, strings, comments, quoted names and what `select` and `by` really take are left alone, to the letter."""
    checked = check(query)
    assert judge_query(checked, "--check") == ()
    assert checked.mended == query


@near_miss(UNSCOPED, SELECT, BY, UNCLOSED)
@pytest.mark.parametrize(
    "service", ["shop", 'a "quoted" \\ one', "new\nline", "{ service.name", "naïve 名前", "a\x00b"]
)
def test_our_own_queries_have_no_mistakes(service: str) -> None:
    """Whatever a service is called, the queries that are advised for it have none of the mistakes."""
    for query in queries(service):
        assert check(query.text).slips == ()
        assert "\n" not in query.text

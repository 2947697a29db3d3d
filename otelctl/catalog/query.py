"""What goes wrong in a TraceQL query that looks right."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_DOC = "https://grafana.com/docs/tempo/latest/traceql/construct-traceql-queries/"
_METRICS = "https://grafana.com/docs/tempo/latest/metrics-from-traces/metrics-queries/"

_MENDED = Step("Use the mended query; this says whether anything is left.", "otelctl queries --check {mended}")

UNSCOPED = Diagnosis(
    "QUERY-UNSCOPED",
    "An attribute has no scope",
    Severity.ERROR,
    "The query has {wrong}, where TraceQL wants {right}.",
    "An attribute begins with its scope: resource. for what describes the service, span. for what describes the "
    "operation, or a dot alone for either. Tempo answers `unknown identifier` to anything else.",
    (_MENDED,),
    (_DOC,),
)
SELECT_COMPARES = Diagnosis(
    "QUERY-SELECT-COMPARES",
    "select is given a comparison",
    Severity.ERROR,
    "The query has {wrong}.",
    "select names attributes to show with the spans found; it filters nothing, and a comparison in it is a syntax "
    "error. What is compared belongs into the braces: {right}.",
    (_MENDED,),
    (_DOC,),
)
BY_ATTRIBUTE = Diagnosis(
    "QUERY-BY-ATTRIBUTE",
    "by names an attribute, not the span's own field",
    Severity.WARNING,
    "The query has {wrong}, which is valid and means an attribute of that name.",
    "The span's own fields have no scope: {right}. Spans seldom have an attribute of that name, and then all of them "
    "fall into one group, nil.",
    (_MENDED,),
    (_METRICS,),
)
UNCLOSED = Diagnosis(
    "QUERY-UNCLOSED",
    "A quote, brace or parenthesis has no partner",
    Severity.ERROR,
    "The query has {wrong} without its partner.",
    'Where it belongs is not for a program to guess. A quote inside a string is written as \\".',
    (Step("Add the missing one, or remove the odd one, and check the query again."),),
    (_DOC,),
)

ROWS = (UNSCOPED, SELECT_COMPARES, BY_ATTRIBUTE, UNCLOSED)

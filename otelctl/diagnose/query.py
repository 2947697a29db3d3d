"""Judges a TraceQL query by the mistakes that are known of it."""

from __future__ import annotations

from otelctl.catalog import query as catalog
from otelctl.model import Certainty, Finding
from otelctl.traceql import Checked, Mistake, Slip

_ROWS = {
    Mistake.UNSCOPED: catalog.UNSCOPED,
    Mistake.SELECT_COMPARES: catalog.SELECT_COMPARES,
    Mistake.BY_ATTRIBUTE: catalog.BY_ATTRIBUTE,
    Mistake.UNCLOSED: catalog.UNCLOSED,
}


def judge_query(checked: Checked, subject: str) -> tuple[Finding, ...]:
    """Return a finding for each mistake of a query, each once; every one of them advises the whole query mended."""
    return tuple(_judge(checked, slip, subject) for slip in dict.fromkeys(checked.slips))


def _judge(checked: Checked, slip: Slip, subject: str) -> Finding:
    row = _ROWS[slip.mistake]
    # An attribute of such a name may exist; whether it does, only the data knows.
    certainty = Certainty.LIKELY if slip.mistake is Mistake.BY_ATTRIBUTE else Certainty.CERTAIN
    known = {"wrong": slip.wrong, "right": slip.right, "mended": checked.mended}
    return row.found(certainty, subject, **{name: known[name] for name in row.placeholders})

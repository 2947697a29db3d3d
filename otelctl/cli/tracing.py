"""What the commands that send a span share: the trace from options, and where to look for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from otelctl.cli import options as opt
from otelctl.cli import sources
from otelctl.cli.errors import Stop, UsageError
from otelctl.cli.output import writable
from otelctl.cli.session import Session
from otelctl.endpoint import EndpointError, parse
from otelctl.propagation import TraceParent
from otelctl.traceql import queries

if TYPE_CHECKING:
    from otelctl.model import Report
    from otelctl.otlp import SyntheticTrace

SERVICE = "otelctl-test"


def trace(session: Session, service: str, attributes: Sequence[str], parent: str | None) -> SyntheticTrace:
    """Return a synthetic trace; raises UsageError for an attribute without `=` or a traceparent that is none."""
    values = opt.attributes(attributes, service)
    above = None
    if parent is not None:
        try:
            above = TraceParent.parse(parent)
        except ValueError as error:
            raise UsageError(f"--parent: {error}; W3C's form is 00-<trace id>-<span id>-01") from None
    from otelctl.otlp import synthetic_trace  # noqa: PLC0415  who only wants a link sends nothing

    clock, entropy = session.offline.clock, session.offline.entropy
    now_ns = int(clock.now().timestamp() * 1_000_000_000)
    return synthetic_trace(service=service, attributes=values, now_ns=now_ns, entropy=entropy.bytes, parent=above)


def parent_of(session: Session, parent: str | None, file: Path | None) -> str | None:
    """Return the traceparent to continue: the one that was given, or what a file names; None where neither names one.

    A file that is not there, or is empty, begins a trace; one that cannot be written is told before anything is sent.
    """
    if file is None:
        return parent
    writable(file, "--traceparent-file")
    if parent is not None or not file.exists():
        return parent
    text, _ = sources.read_file(session, file, "the traceparent", "--traceparent-file")
    if not text.strip():
        return None
    try:
        return str(TraceParent.parse(text.strip()))
    except ValueError as error:
        raise UsageError(f"--traceparent-file: {file} names no trace: {error}") from None


def printed(session: Session, report: Report, traceparent: str | None, fail_on: opt.FailOn, *, verbose: bool) -> Stop:
    """Write a report to standard error, and the traceparent, where there is one, to standard output alone."""
    from otelctl.render import text  # noqa: PLC0415  each format is loaded only to be used

    level = opt.severity(fail_on)
    cleaned, terminal = session.redacted(report), session.terminal
    terminal.tell(text.lines(cleaned, fail_on=level, ascii_only=terminal.ascii_only_messages, verbose=verbose))
    if traceparent is not None:
        terminal.raw(f"{traceparent}\n")
    return Stop(cleaned.exit_code(level))


def facts(sent: SyntheticTrace, service: str, grafana_url: str | None) -> dict[str, str]:
    """Return what a person needs to find the trace: its ids, a query that works, and a link."""
    found = {
        "Trace ID": sent.trace_id,
        "Span ID": sent.server_span_id,
        "traceparent": sent.traceparent,
        "TraceQL": queries(service)[0].text,
    }
    if grafana_url is not None:
        found["Explore"] = explore_link(grafana_url, sent.trace_id)
    return found


def explore_link(grafana_url: str, query: str) -> str:
    """Return the link to a query, or to a trace by its ID, in Grafana's Explore (`/explore?schemaVersion=1&panes=…`).

    Raises UsageError for a text that is no URL.

    Grafana picks the default Tempo data source where the pane names the type alone.
    """
    try:
        base = parse(grafana_url)
    except EndpointError as error:
        what = str(error).replace("the endpoint", "the address")
        raise UsageError(f"--grafana-url: {what}; give it as https://STACK.grafana.net") from None
    source = {"type": "tempo", "uid": "grafanacloud-traces"}
    pane = {
        "datasource": source["uid"],
        "queries": [{"refId": "A", "datasource": source, "queryType": "traceql", "query": query, "limit": 20}],
        "range": {"from": "now-1h", "to": "now"},
    }
    panes = quote(json.dumps({"otl": pane}, separators=(",", ":")), safe="")
    return f"{base.url.rstrip('/')}/explore?schemaVersion=1&orgId=1&panes={panes}"

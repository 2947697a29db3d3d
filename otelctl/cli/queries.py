"""`otelctl queries`: TraceQL that works for a service, and what is wrong with a query that does not. Offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from otelctl import __version__
from otelctl.cli import options as opt
from otelctl.cli import session as sessions
from otelctl.cli import sources, tracing
from otelctl.cli.errors import Stop, UsageError
from otelctl.cli.output import emit
from otelctl.model import CheckResult, Report, status_of
from otelctl.traceql import is_duration, queries

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("queries", short_help="Print TraceQL that works, or mend it.")
def show_queries(
    context: typer.Context,
    service: Annotated[
        str | None, typer.Option("--service", metavar="NAME", help="The service.name to write queries for.")
    ] = None,
    check: Annotated[
        str | None, typer.Option("--check", metavar="QUERY", help="Look for known mistakes in this query; - is stdin.")
    ] = None,
    slow: Annotated[str, typer.Option("--slow", metavar="DURATION", help="What counts as slow, as 500ms.")] = "1s",
    grafana_url: Annotated[
        str | None, typer.Option("--grafana-url", metavar="URL", help="The stack's Grafana, for links to Explore.")
    ] = None,
    output: opt.FormatOption = opt.Format.TEXT,
    fail_on: opt.FailOnOption = opt.FailOn.ERROR,
    verbose: opt.VerboseOption = False,
) -> None:
    """Print TraceQL for a service (all, slow, errors, database, rate, p95), or check a query for known mistakes.

    Without findings, --check says that none of the mistakes known here is in the query, not that Tempo takes it.
    """
    session = sessions.of(context)
    if (service is None) == (check is None):
        raise UsageError("give either --service NAME for queries that work, or --check QUERY to look at one of yours")
    if check is not None:
        raise _checked(session, check, grafana_url, output, fail_on, verbose=verbose)
    if not service or not service.strip():
        raise UsageError("--service: the service name is empty")
    if not is_duration(slow):
        raise UsageError(f"--slow: {slow[:40]!r} is no duration; write it as 500ms or 1.5s")
    facts: dict[str, str] = {}
    for query in queries(service, slow):
        facts[query.purpose] = query.text
        if grafana_url is not None:
            facts[f"{query.purpose}, in Explore"] = tracing.explore_link(grafana_url, query.text)
    raise emit(session, Report("queries", __version__, "", (), facts), output, fail_on, verbose=verbose)


def _checked(
    session: sessions.Session,
    given: str,
    grafana_url: str | None,
    output: opt.Format,
    fail_on: opt.FailOn,
    *,
    verbose: bool,
) -> Stop:
    from otelctl.diagnose.query import judge_query  # noqa: PLC0415  only a check judges
    from otelctl.traceql import check  # noqa: PLC0415  as above

    query, subject = given, "--check"
    if given == "-":
        query, source = sources.read_file(session, Path("-"), "the query", "--check")
        subject = str(source)
    query = query.strip()
    if not query:
        raise UsageError("--check: the query is empty")
    try:
        checked = check(query)
    except ValueError as error:
        raise UsageError(f"--check: {error}") from None
    findings = judge_query(checked, subject)
    title = "the query has none of the known mistakes"
    result = CheckResult("query", title, status_of(findings), findings)
    facts: dict[str, str] = {}
    if findings and checked.mended:
        facts["Mended"] = checked.mended
    if grafana_url is not None and checked.mended:
        facts["Explore"] = tracing.explore_link(grafana_url, checked.mended)
    return emit(session, Report("queries", __version__, "", (result,), facts), output, fail_on, verbose=verbose)

"""`otelctl find-trace`: is this trace in its backend, whole, and how does it look."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from otelctl import __version__
from otelctl.cli import options as opt
from otelctl.cli import proof, sources
from otelctl.cli import session as sessions
from otelctl.cli.errors import UsageError
from otelctl.cli.output import emit
from otelctl.model import Report

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("find-trace", short_help="Ask Tempo or Jaeger for a trace, and draw it.")
def find_trace(
    context: typer.Context,
    trace_id: Annotated[
        str, typer.Argument(metavar="TRACE_ID", help="The trace ID in hex, or a traceparent that holds it.")
    ],
    tempo_url: proof.TempoOption = None,
    jaeger_url: proof.JaegerOption = None,
    within: proof.WithinOption = "10",
    tenant: proof.TenantOption = None,
    tempo_user: proof.UserOption = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            "--backend-token-file",
            metavar="PATH",
            help="Read the token from a file; - is standard input.",
        ),
    ] = None,
    header_file: Annotated[
        Path | None,
        typer.Option(
            "--header-file",
            "--backend-header-file",
            metavar="PATH",
            help="Read the headers from a file, as Authorization=…; - is standard input.",
        ),
    ] = None,
    env_file: opt.EnvFileOption = None,
    timeout: opt.TimeoutOption = "10",
    insecure: opt.InsecureOption = False,
    ca_file: opt.CaFileOption = None,
    client_cert: opt.ClientCertOption = None,
    client_key: opt.ClientKeyOption = None,
    output: opt.FormatOption = opt.Format.TEXT,
    fail_on: opt.FailOnOption = opt.FailOn.ERROR,
    verbose: opt.VerboseOption = False,
) -> None:
    """Ask Tempo or Jaeger whether a trace is there and whole, and draw it.

    With --format json the report has the trace in the key `trace`, as OTLP JSON.
    """
    from otelctl.backend import trace_id as read_id  # noqa: PLC0415  wrong options are told without it
    from otelctl.propagation import TraceParent  # noqa: PLC0415  as above

    session = sessions.of(context)
    try:
        wanted_id = TraceParent.parse(trace_id).trace_id if trace_id.count("-") == 3 else read_id(trace_id)
    except ValueError as error:
        raise UsageError(f"TRACE_ID: {error}") from None
    asked = proof.Asked(
        tempo_url,
        jaeger_url,
        opt.seconds(within, "--within", zero=True),
        tenant,
        tempo_user,
        token_file,
        header_file,
        proof.tls_options(insecure, ca_file, client_cert, client_key),
    )
    given = sources.gather(session, env_file=env_file)
    opt.readable(ca_file=ca_file, client_cert=client_cert, client_key=client_key)
    paths = [str(path) if path is not None else None for path in (ca_file, client_cert, client_key)]
    wanted = proof.quest(session, given, asked, wanted_id, opt.seconds(timeout, "--timeout"), opt.tls(insecure, *paths))
    found = proof.search(session, wanted, asked.options(given))
    facts = {"Trace ID": wanted_id, **found.facts} if found.trace is not None else {}
    target = f"trace {wanted_id}"
    report = Report("find-trace", __version__, target, found.results, facts, found.trace)
    raise emit(session, report, output, fail_on, verbose=verbose)

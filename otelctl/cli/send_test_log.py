"""`otelctl send-test-log`: a log record, tied to a trace where one is named, and what the server said to it."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from otelctl.cli import options as opt
from otelctl.cli import probing, sending, sources, tracing
from otelctl.cli import session as sessions
from otelctl.cli.errors import UsageError
from otelctl.cli.output import emit
from otelctl.settings import Signal

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("send-test-log", short_help="Send one log record.")
def send_test_log(
    context: typer.Context,
    endpoint: Annotated[
        str | None, typer.Argument(metavar="ENDPOINT", help="The value of OTEL_EXPORTER_OTLP_ENDPOINT.")
    ] = None,
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="The service.name.")] = tracing.SERVICE,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", metavar="KEY=VALUE", help="An attribute of the record.")
    ] = None,
    parent: Annotated[
        str | None,
        typer.Option("--parent", "--trace-parent", metavar="TRACEPARENT", help="Put it into this W3C trace."),
    ] = None,
    gzip: Annotated[bool | None, typer.Option("--gzip/--no-gzip", help="Compress, else as the settings say.")] = None,
    protocol: opt.ProtocolOption = None,
    env_file: opt.EnvFileOption = None,
    header_file: opt.HeaderFileOption = None,
    keyring: opt.KeyringOption = None,
    from_secret: opt.FromSecretOption = None,
    timeout: opt.TimeoutOption = "10",
    insecure: opt.InsecureOption = False,
    ca_file: opt.CaFileOption = None,
    client_cert: opt.ClientCertOption = None,
    client_key: opt.ClientKeyOption = None,
    output: opt.FormatOption = opt.Format.TEXT,
    fail_on: opt.FailOnOption = opt.FailOn.ERROR,
    verbose: opt.VerboseOption = False,
) -> None:
    """Send one log record of severity INFO, in a trace where --parent names one, and show the query that finds it.

    This ingests one record. Accepted is not yet stored: the query shows whether it landed.
    """
    session = sessions.of(context)
    given = sources.gather(
        session, env_file=env_file, keyring=keyring, from_secret=from_secret, header_file=header_file
    )
    wanted = probing.Wanted(
        () if endpoint is None else (endpoint,),
        (Signal.LOGS,),
        protocol,
        opt.seconds(timeout, "--timeout"),
        insecure,
        ca_file,
        client_cert,
        client_key,
    )
    values = opt.attributes(attribute or [], service)
    from otelctl.otlp import TraceParent, synthetic_log  # noqa: PLC0415  only what is sent is made

    trace_id = span_id = ""
    if parent is not None:
        try:
            above = TraceParent.parse(parent)
        except ValueError as error:
            raise UsageError(f"--parent: {error}; W3C's form is 00-<trace id>-<span id>-01") from None
        trace_id, span_id = above.trace_id, above.span_id
    now_ns = sending.now_ns(session)
    sent = synthetic_log(service=service, attributes=values, now_ns=now_ns, trace_id=trace_id, span_id=span_id)
    (target,) = probing.targets(session, given, wanted)
    target = dataclasses.replace(target, log=sent, gzip=target.gzip if gzip is None else gzip)
    facts = {"Body": sent.body, "LogQL": _query(service)}
    if sent.trace_id:
        facts |= {"Trace ID": sent.trace_id, "Span ID": sent.span_id}
    report = sending.report(session, "send-test-log", target, given, wanted, facts)
    raise emit(session, report, output, fail_on, verbose=verbose)


def _query(service: str) -> str:
    """Return the query for the record in Loki, where service.name is the label service_name."""
    name = service.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{service_name="{name}"}}'

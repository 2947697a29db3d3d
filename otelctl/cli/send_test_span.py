"""`otelctl send-test-span`: a real trace of two spans, and what the server said to it."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from otelctl.cli import options as opt
from otelctl.cli import probing, sources, tracing
from otelctl.cli import session as sessions
from otelctl.cli.output import emit
from otelctl.facts import Signal
from otelctl.model import Status

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("send-test-span")
def send_test_span(
    context: typer.Context,
    endpoint: Annotated[
        str | None, typer.Argument(metavar="ENDPOINT", help="The value of OTEL_EXPORTER_OTLP_ENDPOINT.")
    ] = None,
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="The service.name.")] = tracing.SERVICE,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", metavar="KEY=VALUE", help="An attribute of the server span.")
    ] = None,
    parent: Annotated[
        str | None, typer.Option("--parent", metavar="TRACEPARENT", help="Continue this W3C trace.")
    ] = None,
    gzip: Annotated[bool | None, typer.Option("--gzip/--no-gzip", help="Compress, else as the settings say.")] = None,
    grafana_url: Annotated[
        str | None, typer.Option("--grafana-url", metavar="URL", help="The stack's Grafana, for a link to Explore.")
    ] = None,
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
    """Send a synthetic trace, a server span with a child, and show its trace ID and where to look for it.

    This ingests two spans. An accepted span is not yet a stored one: the link and the query show whether it landed.
    """
    session = sessions.of(context)
    given = sources.gather(
        session, env_file=env_file, keyring=keyring, from_secret=from_secret, header_file=header_file
    )
    wanted = probing.Wanted(
        () if endpoint is None else (endpoint,),
        (Signal.TRACES,),
        protocol,
        opt.seconds(timeout, "--timeout"),
        insecure,
        ca_file,
        client_cert,
        client_key,
    )
    sent = tracing.trace(session, service, attribute or [], parent)
    facts = tracing.facts(sent, service, grafana_url)
    (target,) = probing.targets(session, given, wanted)
    target = dataclasses.replace(target, trace=sent, gzip=target.gzip if gzip is None else gzip)
    report = probing.report(
        session, "send-test-span", [target], options=probing.repeated(given, wanted), send=True, probe=False
    )
    if any(result.check == "send" and result.status in (Status.PASSED, Status.WARNED) for result in report.results):
        report = dataclasses.replace(report, facts=facts)
    raise emit(session, report, output, fail_on, verbose=verbose)

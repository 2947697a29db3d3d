"""`otelctl send-test-metric`: a counter, a gauge and a histogram, and what the server said to them."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from otelctl.cli import options as opt
from otelctl.cli import probing, sending, sources, tracing
from otelctl.cli import session as sessions
from otelctl.cli.output import emit
from otelctl.settings import Signal

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("send-test-metric", short_help="Send a counter, a gauge and a histogram.")
def send_test_metric(
    context: typer.Context,
    endpoint: Annotated[
        str | None, typer.Argument(metavar="ENDPOINT", help="The value of OTEL_EXPORTER_OTLP_ENDPOINT.")
    ] = None,
    service: Annotated[str, typer.Option("--service", metavar="NAME", help="The service.name.")] = tracing.SERVICE,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", metavar="KEY=VALUE", help="An attribute of every point.")
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
    """Send a counter, a gauge and a histogram of one point each, and show the queries that find them.

    This ingests one point of each, cumulative. Accepted is not yet stored: the queries show whether they landed.
    """
    session = sessions.of(context)
    given = sources.gather(
        session, env_file=env_file, keyring=keyring, from_secret=from_secret, header_file=header_file
    )
    wanted = probing.Wanted(
        () if endpoint is None else (endpoint,),
        (Signal.METRICS,),
        protocol,
        opt.seconds(timeout, "--timeout"),
        insecure,
        ca_file,
        client_cert,
        client_key,
    )
    values = opt.attributes(attribute or [], service)
    from otelctl.otlp import synthetic_metrics  # noqa: PLC0415  only what is sent is made

    sent = synthetic_metrics(service=service, attributes=values, now_ns=sending.now_ns(session))
    (target,) = probing.targets(session, given, wanted)
    target = dataclasses.replace(target, metrics=sent, gzip=target.gzip if gzip is None else gzip)
    facts = {"Metrics": ", ".join(sent.names), "PromQL": _query(service)}
    report = sending.report(session, "send-test-metric", target, given, wanted, facts)
    raise emit(session, report, output, fail_on, verbose=verbose)


def _query(service: str) -> str:
    """Return the query for the counter in Mimir or Prometheus: dots become underscores, service.name is the job."""
    job = service.replace("\\", "\\\\").replace('"', '\\"')
    return f'otelctl_test_runs_total{{job="{job}"}}'

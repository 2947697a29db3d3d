"""`otelctl send-test-span`: a real trace of two spans, and what the server said to it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from otelctl.cli import options as opt
from otelctl.cli import probing, proof, sources, tracing
from otelctl.cli import session as sessions
from otelctl.cli.errors import UsageError
from otelctl.cli.output import emit, write_file
from otelctl.model import Status
from otelctl.settings import Signal

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("send-test-span", short_help="Send a trace of two spans.")
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
    traceparent_file: Annotated[
        Path | None,
        typer.Option(
            "--traceparent-file",
            metavar="PATH",
            help="Continue the trace that this file names, if it names one, and write what was sent there.",
        ),
    ] = None,
    print_traceparent: Annotated[
        bool,
        typer.Option(
            "--print-traceparent", help="Print the traceparent alone to stdout, for a script; the report to stderr."
        ),
    ] = False,
    verify: proof.VerifyOption = False,
    tempo_url: proof.TempoOption = None,
    jaeger_url: proof.JaegerOption = None,
    within: proof.WithinOption = "60",
    tenant: proof.TenantOption = None,
    tempo_user: proof.UserOption = None,
    token_file: proof.TokenOption = None,
    backend_header_file: proof.HeaderOption = None,
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

    This ingests two spans. An accepted span is not yet a stored one: --verify asks the backend whether it landed.
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
    if print_traceparent and output is not opt.Format.TEXT:
        raise UsageError("--print-traceparent prints nothing else to stdout: leave --format out")
    sent = tracing.trace(session, service, attribute or [], tracing.parent_of(session, parent, traceparent_file))
    asked = proof.Asked(
        tempo_url,
        jaeger_url,
        opt.seconds(within, "--within", zero=True),
        tenant,
        tempo_user,
        token_file,
        backend_header_file,
        proof.tls_options(insecure, ca_file, client_cert, client_key),
    )
    facts = tracing.facts(sent, service, grafana_url)
    (target,) = probing.targets(session, given, wanted)
    tls = opt.tls(insecure, *(None if path is None else str(path) for path in (ca_file, client_cert, client_key)))
    verification = proof.verification(session, given, asked, sent, wanted.timeout, tls, verify=verify)
    target = dataclasses.replace(target, trace=sent, gzip=target.gzip if gzip is None else gzip)
    report = probing.report(
        session, "send-test-span", [target], options=probing.repeated(given, wanted), send=True, probe=False
    )
    landed = any(one.check == "send" and one.status in (Status.PASSED, Status.WARNED) for one in report.results)
    if landed:
        report = dataclasses.replace(report, facts=facts)
        if traceparent_file is not None:
            write_file(session, traceparent_file, f"{sent.traceparent}\n", "--traceparent-file")
        if verification is not None:
            report = proof.added(session, report, verification)
    if print_traceparent:
        raise tracing.printed(session, report, sent.traceparent if landed else None, fail_on, verbose=verbose)
    raise emit(session, report, output, fail_on, verbose=verbose)

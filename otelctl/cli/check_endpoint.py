"""`otelctl check-endpoint`: what an endpoint answers, what that means, and what mends it."""

from __future__ import annotations

from typing import Annotated

import typer

from otelctl import __version__
from otelctl.cli import options as opt
from otelctl.cli import probing, sources
from otelctl.cli import session as sessions
from otelctl.cli.output import emit
from otelctl.model import Report

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("check-endpoint", short_help="Probe an endpoint and say what it answers.")
def check_endpoint(
    context: typer.Context,
    endpoints: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ENDPOINT", help="The value of OTEL_EXPORTER_OTLP_ENDPOINT; several are checked in turn."
        ),
    ] = None,
    signal: opt.SignalOption = opt.Signals.TRACES,
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
    show_settings: opt.ShowSettingsOption = False,
    output: opt.FormatOption = opt.Format.TEXT,
    fail_on: opt.FailOnOption = opt.FailOn.ERROR,
    verbose: opt.VerboseOption = False,
) -> None:
    """Probe an endpoint with an empty request, and say what the answer means and what mends it.

    Leaves nothing behind. Endpoint and credential come from the arguments, the sources named by options, or the
    OTEL_EXPORTER_OTLP_* and GRAFANA_* variables.
    """
    session = sessions.of(context)
    given = sources.gather(
        session, env_file=env_file, keyring=keyring, from_secret=from_secret, header_file=header_file
    )
    wanted = probing.Wanted(
        tuple(endpoints or ()),
        opt.signals(signal),
        protocol,
        opt.seconds(timeout, "--timeout"),
        insecure,
        ca_file,
        client_cert,
        client_key,
    )
    chosen = probing.targets(session, given, wanted)
    if show_settings:
        facts = probing.settings_facts(chosen)
        shown = Report(
            "check-endpoint", __version__, ", ".join(probing.shown(one.endpoint) for one in chosen), (), facts
        )
        raise emit(session, shown, output, fail_on)
    report = probing.report(session, "check-endpoint", chosen, options=probing.repeated(given, wanted))
    raise emit(session, report, output, fail_on, verbose=verbose)

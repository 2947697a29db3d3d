"""`otelctl smoke`: inspect, check and send as one step of CI, with one verdict."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from otelctl import __version__
from otelctl.checks.run import Target
from otelctl.cli import options as opt
from otelctl.cli import probing, proof, sending, sources, tracing
from otelctl.cli import session as sessions
from otelctl.cli.errors import Stop, UsageError
from otelctl.cli.output import announce, emit, rendered, writable, write_file
from otelctl.model import CheckResult, Report, Status
from otelctl.otlp import SyntheticLog, SyntheticMetrics, SyntheticTrace, encode, synthetic_log, synthetic_metrics
from otelctl.settings import Protocol, Signal

app = typer.Typer(add_completion=False, rich_markup_mode=None)

# What an endpoint shows while it is coming up; anything else does not mend itself.
_COMING_UP = frozenset(
    {"NET-DNS", "NET-REFUSED", "NET-RESET", "NET-TIMEOUT", "NET-UNREACHABLE", "NET-PROXY-REFUSED", "OTLP-503"}
)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


@app.command("smoke", short_help="Inspect, check and send as one step of CI.")
def smoke(
    context: typer.Context,
    endpoint: Annotated[
        str | None, typer.Argument(metavar="ENDPOINT", help="The value of OTEL_EXPORTER_OTLP_ENDPOINT.")
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Rehearse the whole job against an embedded gateway on this machine.")
    ] = False,
    wait: Annotated[
        str, typer.Option("--wait", metavar="SECONDS", help="Try again for so long while the endpoint is coming up.")
    ] = "0",
    junit: Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report as well.")] = None,
    signal: opt.SignalOption = opt.Signals.TRACES,
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", help="The test span's service.name.")
    ] = tracing.SERVICE,
    grafana_url: Annotated[
        str | None, typer.Option("--grafana-url", metavar="URL", help="The stack's Grafana, for a link to Explore.")
    ] = None,
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
    """Inspect the credential, check the endpoint and send a test span: one verdict, made for CI. Never prompts.

    With --signal it sends what is asked for instead, and for several of them shows what became of each.

    On GitHub Actions it also annotates the run and writes the step summary.
    """
    session = sessions.of(context)
    patience = opt.seconds(wait, "--wait", zero=True)
    bound = opt.seconds(timeout, "--timeout")
    if junit is not None:
        writable(junit, "--junit")
    sent = tracing.trace(session, service, [], None)
    facts = tracing.facts(sent, service, grafana_url)
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
    if local:
        if endpoint is not None or any((env_file, header_file, keyring, from_secret)):
            raise UsageError("--local brings its own endpoint and credential: leave the others out")
        if signal is not opt.Signals.TRACES:
            raise UsageError("--local sends a span, and no other signal: leave --signal out")
        if verify:
            raise UsageError("--local shows itself what arrived: leave --verify out")
        report = _rehearse(session, sent, facts, bound)
    else:
        given = sources.gather(
            session, env_file=env_file, keyring=keyring, from_secret=from_secret, header_file=header_file
        )
        wanted = probing.Wanted(
            () if endpoint is None else (endpoint,),
            opt.signals(signal),
            protocol,
            bound,
            insecure,
            ca_file,
            client_cert,
            client_key,
        )
        metrics, log = _beside(sent, service)
        chosen = [
            dataclasses.replace(target, trace=sent, metrics=metrics, log=log)
            for target in probing.targets(session, given, wanted)
        ]
        if verify and Signal.TRACES not in wanted.signals:
            raise UsageError("--verify looks for the test span: let --signal include traces")
        tls = opt.tls(insecure, *(None if path is None else str(path) for path in (ca_file, client_cert, client_key)))
        verification = proof.verification(session, given, asked, sent, bound, tls, verify=verify)
        report = _checked(session, chosen, probing.repeated(given, wanted), facts, patience)
        if verification is not None and sending.accepts(report.results, Signal.TRACES):
            report = proof.added(session, report, verification)
    raise _finish(session, report, output, fail_on, junit, verbose=verbose)


def _beside(sent: SyntheticTrace, service: str) -> tuple[SyntheticMetrics, SyntheticLog]:
    """Return the metrics and the log record that go with a trace; the record is in its last span."""
    metrics = synthetic_metrics(service=service, attributes={}, now_ns=sent.end_ns)
    log = synthetic_log(
        service=service, attributes={}, now_ns=sent.end_ns, trace_id=sent.trace_id, span_id=sent.client_span_id
    )
    return metrics, log


def _checked(
    session: sessions.Session,
    chosen: list[Target],
    options: str,
    facts: Mapping[str, str],
    patience: float,
) -> Report:
    """Run the checks, and again while the endpoint is coming up and `patience` seconds are not over."""
    clock = session.world.clock
    started, pause = clock.monotonic(), _FIRST_PAUSE
    while True:
        report = probing.report(session, "smoke", chosen, options=options, send=True)
        left = patience - (clock.monotonic() - started)
        primary = report.primary
        if primary is None or primary.code not in _COMING_UP or left <= 0:
            break
        session.say(f"{primary.code}: {primary.title}; trying again for {left:.0f} s")
        clock.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
    signals = tuple(dict.fromkeys(signal for target in chosen for signal in target.signals))
    matrix = sending.outcomes(report.results, signals) if len(signals) > 1 else {}
    landed = facts if sending.accepts(report.results, Signal.TRACES) else {}
    return dataclasses.replace(report, facts={**matrix, **landed})


def _rehearse(session: sessions.Session, sent: SyntheticTrace, facts: Mapping[str, str], timeout: float) -> Report:
    from otelctl.cli.rehearsal import rehearsal  # noqa: PLC0415  the gateway is loaded only to be run
    from otelctl.engine import run  # noqa: PLC0415  as above

    found: list[CheckResult] = []
    arrived: dict[str, str] = {}
    target = "the embedded gateway"
    with rehearsal(session) as parts, session.terminal.progress() as progress:
        clock = session.world.clock
        found += run(parts.before(), parts, clock, session.clean, lambda check: progress.start(check.title))
        if all(result.status is Status.PASSED for result in found):
            aim = parts.target(sent, timeout)
            target = f"the embedded gateway, {probing.shown(aim.endpoint)}"
            found += probing.results(session, session.world, aim, send=True, started=progress.start)
            found += run(parts.after(sent, timeout), parts, clock, session.clean)
        arrived = {f"Arrived {number}": line for number, line in enumerate(parts.arrived, 1)}
        kept = parts.gateway.wait_for_trace(sent.trace_id, 0) if arrived else None
        message = None if kept is None else kept.message
        trace = None if message is None else json.loads(encode(message, Protocol.HTTP_JSON))
    return Report("smoke", __version__, target, tuple(found), {**facts, **arrived} if arrived else {}, trace)


def _finish(
    session: sessions.Session,
    report: Report,
    output: opt.Format,
    fail_on: opt.FailOn,
    junit: Path | None,
    *,
    verbose: bool,
) -> Stop:
    """Write the side outputs that were asked for, or that the CI system takes, then the report."""
    level = opt.severity(fail_on)
    cleaned = session.redacted(report)
    if junit is not None:
        write_file(session, junit, rendered(cleaned, opt.Format.JUNIT, level), "--junit")
    end = emit(session, report, output, fail_on, verbose=verbose)
    announce(session, cleaned, output, level)
    return end

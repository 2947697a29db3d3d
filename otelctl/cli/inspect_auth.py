"""`otelctl inspect-auth`: what a header is, what is wrong with it, and its mended form."""

from __future__ import annotations

from typing import Annotated

import typer

from otelctl import __version__
from otelctl.cli import options as opt
from otelctl.cli import session as sessions
from otelctl.cli import sources
from otelctl.cli.errors import Stop, UsageError
from otelctl.cli.output import emit, refuse
from otelctl.credential import Header, Trait, read_header
from otelctl.diagnose.credential import judge_header, judge_region
from otelctl.endpoint import Endpoint, EndpointError, GrafanaHost, parse
from otelctl.model import CheckResult, Report, Severity, Status, status_of
from otelctl.render.header import As, render
from otelctl.secret import Secret
from otelctl.settings import Setting, Signal, Source, SourceKind

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("inspect-auth", short_help="Say what a header is and what is wrong with it.")
def inspect_auth(
    context: typer.Context,
    header_file: opt.HeaderFileOption = None,
    env_file: opt.EnvFileOption = None,
    keyring: opt.KeyringOption = None,
    from_secret: opt.FromSecretOption = None,
    signal: Annotated[Signal, typer.Option("--signal", help="Whose per-signal variable comes first.")] = Signal.TRACES,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", metavar="URL", help="Judge for this endpoint, its zone included.")
    ] = None,
    sdk: Annotated[
        str | None, typer.Option("--sdk", metavar="NAME[@VERSION]", help="Judge for this SDK, as python@1.26.")
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Print the mended header, and nothing else.")] = False,
    form: Annotated[As, typer.Option("--as", help="The form of the mended header.")] = As.OTLP_HEADERS,
    output: opt.FormatOption = opt.Format.TEXT,
    fail_on: opt.FailOnOption = opt.FailOn.ERROR,
    verbose: opt.VerboseOption = False,
) -> None:
    """Say what a header is and what is wrong with it, never its secret part.

    Reads --header-file, --env-file, --keyring or --from-secret, else standard input if something is piped in, else
    OTEL_EXPORTER_OTLP_HEADERS.
    """
    session = sessions.of(context)
    consumer = opt.consumer(sdk)
    given = sources.gather(
        session, env_file=env_file, keyring=keyring, from_secret=from_secret, header_file=header_file
    )
    named = any(one is not None for one in (header_file, env_file, keyring, from_secret))
    setting = (None if named else _piped(session)) or given.headers(session, signal)
    if setting is None:
        raise UsageError(
            "there is no header to inspect: set OTEL_EXPORTER_OTLP_HEADERS, pipe one in, or give --env-file, "
            "--header-file, --keyring or --from-secret"
        )
    header = read_header(setting.value.reveal())
    for secret in (header.token, header.wire, *(value for _, value in header.other)):
        if secret is not None:
            session.learn(secret)
    if fix:
        raise _fix(context, header, setting.source, form)
    target = _endpoint(endpoint)
    grafana = None if target is None or target.loopback else target.grafana is not GrafanaHost.NONE
    findings = judge_header(
        header, setting.source, given.mend_command(signal, setting.source), grafana=grafana, consumer=consumer
    )
    if target is not None:
        findings += judge_region(header.claims, target.zone, str(setting.source))
    result = CheckResult("credential", "the credential is well formed", status_of(findings), findings)
    report = Report("inspect-auth", __version__, str(setting.source), (result,), _facts(header, setting.source, target))
    raise emit(session, report, output, fail_on, verbose=verbose)


def _piped(session: sessions.Session) -> Setting[Secret] | None:
    if session.stdin is None or session.stdin.isatty():
        return None
    text = sources.read_stdin(session, "a header", "the header")
    if not text.strip():
        return None
    return Setting(session.learn(Secret(text)), Source(SourceKind.STDIN, "standard input"))


def _endpoint(text: str | None) -> Endpoint | None:
    if text is None:
        return None
    try:
        return parse(text)
    except EndpointError as error:
        raise UsageError(f"--endpoint: {error}; give a URL as https://otlp-gateway-ZONE.grafana.net/otlp") from None


def _fix(context: typer.Context, header: Header, source: Source, form: As) -> Stop:
    session = sessions.of(context)
    mended = header.mended()
    if mended is None:
        findings = list(judge_header(header, source, "otelctl encode-auth --prompt", grafana=None))
        if findings:
            session.say("otelctl: this header cannot be mended from what it holds")
            return refuse(session, findings)
        raise UsageError(f"--fix: {source} holds no instance ID and token that could be put right")
    # What the mended header still shows: a token that is cut or of another kind is no better for being in its place.
    rest = judge_header(
        read_header(f"Authorization={mended.reveal()}"), source, "otelctl encode-auth --prompt", grafana=None
    )
    if status_of(rest) is Status.FAILED:
        session.say("otelctl: this header cannot be mended from what it holds")
        return refuse(session, [one for one in rest if one.severity is Severity.ERROR])
    session.terminal.raw(render(mended, form, header.other) + "\n")
    return Stop(0)


def _facts(header: Header, source: Source, endpoint: Endpoint | None) -> dict[str, str]:
    """Return what the header says of itself, without its secret part."""
    facts = {"Source": str(source), "Form": header.form.value}
    if Trait.PERCENT_ENCODED in header.traits:
        facts["Form"] += ", percent-encoded"
    if header.scheme:
        facts["Scheme"] = header.scheme.capitalize()
    if header.instance_id is not None and header.instance_id.reveal().isdigit():
        facts["Instance ID"] = header.instance_id.reveal()
    claims = header.claims
    if header.token is not None:
        facts["Token"] = claims.kind.value
    said = {"Token name": claims.name, "Organisation": claims.org, "Region": claims.region}
    facts |= {label: value for label, value in said.items() if value}
    if endpoint is not None and endpoint.zone:
        facts["Endpoint zone"] = endpoint.zone
    if header.other:
        facts["Other headers"] = ", ".join(name for name, _ in header.other)
    return facts

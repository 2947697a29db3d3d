"""`otelctl check-env`: what SDKs will make of the variables, without sending anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from otelctl import __version__, settings
from otelctl.cli import options as opt
from otelctl.cli import session as sessions
from otelctl.cli import sources
from otelctl.cli.errors import UsageError
from otelctl.cli.output import emit
from otelctl.credential import read_header
from otelctl.diagnose import credential as credential_judge
from otelctl.diagnose import endpoint as endpoint_judge
from otelctl.diagnose import env as judge
from otelctl.diagnose import settings as settings_judge
from otelctl.endpoint import EndpointError, GrafanaHost, parse
from otelctl.model import Certainty, CheckResult, Finding, Report, Severity, status_of
from otelctl.sdk import Changed, Headers, Language, Prediction, Sdk, Silence, Wire, predict
from otelctl.secret import Secret
from otelctl.settings import Layer, Setting, Signal

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command("check-env", short_help="Say what each SDK makes of the settings.")
def check_env(
    context: typer.Context,
    sdk: Annotated[
        list[str] | None,
        typer.Option("--sdk", metavar="NAME[@VERSION]", help="Judge for this SDK, as python@1.45; else for all five."),
    ] = None,
    signal: opt.SignalOption = opt.Signals.ALL,
    env_file: opt.EnvFileOption = None,
    output: opt.FormatOption = opt.Format.TEXT,
    fail_on: opt.FailOnOption = opt.FailOn.ERROR,
    verbose: opt.VerboseOption = False,
) -> None:
    """Say where each SDK will send with the variables that are set, by which protocol and with which headers.

    Sends nothing. It is told for SDKs that are set up from variables (opentelemetry-instrument, NodeSDK, the Java
    autoconfiguration, Go's autoexport, .NET's AddOtlpExporter); what code sets by itself is not seen.
    """
    session = sessions.of(context)
    sdks = _sdks(sdk or [])
    given = sources.gather(session, env_file=env_file)
    signals = opt.signals(signal)
    for one in signals:
        if found := settings.headers(given.layers, one):
            _learn(session, found)
    again = f"otelctl check-env{given.options}"
    results = tuple(
        CheckResult(name, title, status_of(findings), findings)
        for name, title, findings in _checks(given, signals, sdks, again)
    )
    facts = _facts([predict(given.layers, one, each) for each in signals for one in sdks], sdks)
    target = ", ".join(str(one) for one in sdks)
    raise emit(session, Report("check-env", __version__, target, results, facts), output, fail_on, verbose=verbose)


def _sdks(texts: Sequence[str]) -> tuple[Sdk, ...]:
    found: list[Sdk] = []
    for text in texts or ["all"]:
        if text.lower() == "all":
            found += [Sdk(language) for language in Language]
            continue
        language, _, version = text.lower().partition("@")
        if language not in set(Language):
            raise UsageError(
                f"--sdk: {text[:40]!r} is no SDK known here; give one of {', '.join(Language)}, as python@1.45, or all"
            )
        try:
            numbers = tuple(int(part) for part in version.split(".")) if version else ()
        except ValueError:
            raise UsageError(f"--sdk: {version[:40]!r} is no version; write it as in python@1.45") from None
        found.append(Sdk(Language(language), numbers))
    return tuple(dict.fromkeys(found))


def _learn(session: sessions.Session, found: Setting[Secret]) -> None:
    """Never show a value of these headers, be they encoded or not."""
    header = read_header(session.learn(found.value).reveal())
    for secret in (header.token, header.wire, header.meant, *(value for _, value in header.other)):
        if secret is not None:
            session.learn(secret)


def _checks(
    given: sources.Sources, signals: Sequence[Signal], sdks: Sequence[Sdk], again: str
) -> Iterator[tuple[str, str, tuple[Finding, ...]]]:
    """Yield each check: its id, the good state, and what speaks against it."""
    layers = given.layers
    yield (
        "variables",
        "every variable is one that SDKs read",
        (
            *judge.judge_names(layers, again),
            *judge.judge_booleans(layers, again),
            *judge.each(judge.judge_empty, layers, signals, sdks, again),
            *judge.judge_config_file(layers, sdks, again),
        ),
    )
    yield "export", "nothing keeps telemetry from being exported", _export(layers, signals, again)
    yield "endpoint", "the endpoint is an OTLP URL", _endpoint(layers, signals)
    yield "protocol", "every SDK takes the protocol that the endpoint is for", _protocol(layers, signals, sdks, again)
    yield "headers", "every SDK sends the headers", _headers(given, signals, sdks, again)
    yield (
        "timeout",
        "the time-out is counted in the unit that is meant",
        judge.each(judge.judge_timeout, layers, signals, sdks, again),
    )
    yield (
        "resource",
        "resource and propagators can be read",
        (*judge.judge_resource(layers, again), *judge.judge_propagators(layers, again)),
    )


def _export(layers: Sequence[Layer], signals: Sequence[Signal], again: str) -> tuple[Finding, ...]:
    found: list[Finding] = [*settings_judge.judge_switches(settings.find(layers, "OTEL_SDK_DISABLED"), None)]
    for signal in signals:
        exporter = settings.find(layers, f"OTEL_{signal.value.upper()}_EXPORTER")
        found += settings_judge.judge_switches(None, exporter)
        found += judge.judge_exporter(layers, signal, again)
    if Signal.TRACES in signals:
        found += judge.judge_sampler(layers, again)
    return tuple(found)


def _endpoint(layers: Sequence[Layer], signals: Sequence[Signal]) -> tuple[Finding, ...]:
    """Return what is certain of the endpoints; what is only suspected is for check-endpoint, which asks them."""
    found: dict[tuple[str, str], Finding] = {}
    for signal in signals:
        setting = settings.find(layers, settings.signal_variable(signal, "ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT")
        if setting is None:
            continue
        try:
            endpoint = parse(setting.value)
        except EndpointError as error:
            judged = endpoint_judge.judge_unreadable(setting, str(error))
        else:
            judged = endpoint_judge.judge_endpoint(
                setting,
                endpoint,
                signal,
                per_signal=settings.is_per_signal(setting.source),
                credential=settings.headers(layers, signal) is not None,
            )
        for finding in judged:
            if finding.certainty is Certainty.CERTAIN or finding.severity is not Severity.ERROR:
                found.setdefault((finding.code, finding.subject), finding)
    return (*judge.judge_absent_endpoint(layers, signals), *found.values())


def _protocol(
    layers: Sequence[Layer], signals: Sequence[Signal], sdks: Sequence[Sdk], again: str
) -> tuple[Finding, ...]:
    found: dict[tuple[str, str], Finding] = {}
    for signal in signals:
        named = settings.option(layers, signal, "PROTOCOL")
        if named is None:
            continue
        endpoint = settings.find(layers, settings.signal_variable(signal, "ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT")
        try:
            parsed = parse(endpoint.value) if endpoint else None
        except EndpointError:
            parsed = None
        for finding in settings_judge.judge_protocol(named, parsed):
            if finding.severity is Severity.ERROR:
                found.setdefault((finding.code, finding.subject), finding)
    return (*found.values(), *judge.each(judge.judge_protocol, layers, signals, sdks, again))


def _headers(given: sources.Sources, signals: Sequence[Signal], sdks: Sequence[Sdk], again: str) -> tuple[Finding, ...]:
    """Return what is wrong with the credential, for each SDK asked about, then with the other headers."""
    layers = given.layers
    found: dict[tuple[str, str], Finding] = {}
    for signal in signals:
        setting = settings.headers(layers, signal)
        if setting is None:
            continue
        header = read_header(setting.value.reveal())
        mend = given.mend_command(signal, setting.source)
        for sdk in sdks:
            consumer = credential_judge.Consumer(sdk.language.value, sdk.version)
            judged = credential_judge.judge_header(
                header, setting.source, mend, grafana=_grafana(layers, signal), consumer=consumer
            )
            for finding in judged:
                if finding.severity is not Severity.NOTICE and finding.certainty is Certainty.CERTAIN:
                    found.setdefault((finding.code, finding.subject), finding)
    others = judge.each(judge.judge_headers, layers, signals, sdks, again)
    # A fault of the credential has its own page, with what mends it.
    known = {finding.subject for finding in found.values()}
    credential = ("authorization", "without a name")
    rest = [one for one in others if one.subject not in known or one.evidence["name"] not in credential]
    return (*found.values(), *rest)


def _grafana(layers: Sequence[Layer], signal: Signal) -> bool | None:
    endpoint = settings.endpoint(layers, signal)
    try:
        parsed = parse(endpoint.value) if endpoint else None
    except EndpointError:
        return None
    return None if parsed is None or parsed.loopback else parsed.grafana is not GrafanaHost.NONE


def _facts(predictions: Sequence[Prediction], sdks: Sequence[Sdk]) -> dict[str, str]:
    """Return what becomes of each signal, SDKs that do the same in one line."""
    groups: dict[tuple[Signal, str], list[Sdk]] = {}
    for one in predictions:
        groups.setdefault((one.signal, _said(one)), []).append(one.sdk)
    return {
        f"{signal.capitalize()}, {'all' if len(some) == len(sdks) > 1 else ', '.join(str(one) for one in some)}": said
        for (signal, said), some in groups.items()
    }


def _said(one: Prediction) -> str:
    if one.silence not in (None, Silence.HEADERS, Silence.PATH, Silence.URL):
        return f"nothing: {one.silence}"
    words = [f"{one.protocol} to {_shown(one)}"]
    words += _headers_of(one.headers)
    if one.compression != "none":
        words.append(one.compression)
    if one.timeout != 10.0:
        words.append(f"time-out {one.timeout:g} s")
    said = ", ".join(words)
    return f"{said}; but {one.silence}" if one.silence else said


def _shown(one: Prediction) -> str:
    """Return where it sends, without user information and query."""
    try:
        url = parse(one.url).url
    except EndpointError:
        return "an endpoint that is no URL"
    if one.protocol is not Wire.GRPC:
        return url
    scheme, _, address = url.partition("://")
    return f"{address} with TLS" if scheme == "https" else address


def _headers_of(headers: Headers) -> list[str]:
    """Return each header that is sent, its value masked: the scheme, and how many bytes it has."""
    how = {entry.name: entry.changed for entry in headers.entries if entry.dropped is None}
    sent = [f"{name}: {_masked(value, how.get(name))}" for name, value in headers.sent if _is_name(name)]
    names = dict(headers.sent)
    return sent + [f"{name} dropped" for name in _dropped(headers) if name not in names and _is_name(name)]


def _dropped(headers: Headers) -> list[str]:
    return list(dict.fromkeys(entry.name for entry in headers.entries if entry.dropped is not None))


def _is_name(name: str) -> bool:
    """Tell whether a header's name may be shown: what is none may be a value that lost its name."""
    return judge.shown_name(name) == name


def _masked(value: Secret, changed: Changed | None) -> str:
    text = value.reveal()
    scheme = re.match(r"(?:Basic|Bearer)(?: |%20|\+|$)", text, re.IGNORECASE)
    size = len(text.encode("utf-8", "surrogatepass"))
    said = f"{scheme.group() if scheme else ''}•••• ({size} bytes)"
    return f"{said}, {changed}" if changed else said

"""What the commands that talk to an endpoint share: from options to targets, from targets to a report."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from otelctl import __version__, settings
from otelctl.checks.offline import OFFLINE
from otelctl.checks.run import Run, Target
from otelctl.cli import options as opt
from otelctl.cli.errors import UsageError
from otelctl.cli.session import Session
from otelctl.cli.sources import Sources, no_credential
from otelctl.endpoint import EndpointError, parse, parse_grpc, signal_endpoint
from otelctl.engine import Check, run
from otelctl.model import CheckResult, Finding, Report, status_of
from otelctl.ports import World
from otelctl.secret import Secret
from otelctl.settings import Protocol, Setting, Signal, Source, SourceKind

_AT_ONCE = 8
_DEFAULT = Source(SourceKind.DEFAULT, "the default")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options of a probing command ask for."""

    endpoints: tuple[str, ...]
    signals: tuple[Signal, ...]
    protocol: opt.Wire | None
    timeout: float
    insecure: bool
    ca_file: Path | None
    client_cert: Path | None
    client_key: Path | None


def targets(session: Session, given: Sources, wanted: Wanted) -> tuple[Target, ...]:
    """Return what to check: a target for each endpoint, or for each different one that the signals are set to.

    Raises UsageError where no endpoint is named anywhere, or a file that an option names cannot be read.
    """
    opt.readable(ca_file=wanted.ca_file, client_cert=wanted.client_cert, client_key=wanted.client_key)
    if wanted.endpoints:
        chosen: list[tuple[Setting[str], tuple[Signal, ...]]] = [
            (Setting(url, Source(SourceKind.ARGUMENT, "ENDPOINT")), wanted.signals) for url in wanted.endpoints
        ]
    else:
        chosen = _configured(given, wanted.signals)
    for setting, _ in chosen:
        no_credential(session, setting)
    found = tuple(_target(session, given, wanted, setting, signals) for setting, signals in chosen)
    opt.pem(
        ca_file=wanted.ca_file,
        client_cert=wanted.client_cert,
        client_key=wanted.client_key,
        keyed=all(target.tls.client_key for target in found),
    )
    return found


def _configured(given: Sources, signals: Sequence[Signal]) -> list[tuple[Setting[str], tuple[Signal, ...]]]:
    by_setting: dict[Setting[str], tuple[Signal, ...]] = {}
    for signal in signals:
        found = settings.endpoint(given.layers, signal)
        if found is None:
            raise UsageError(
                "no endpoint: give one as the argument, or set OTEL_EXPORTER_OTLP_ENDPOINT (Grafana Cloud's is "
                "https://otlp-gateway-ZONE.grafana.net/otlp)"
            )
        by_setting[found] = (*by_setting.get(found, ()), signal)
    return list(by_setting.items())


def _target(
    session: Session, given: Sources, wanted: Wanted, endpoint: Setting[str], signals: tuple[Signal, ...]
) -> Target:
    first, layers = signals[0], given.layers

    def configured(option: Path | None, variable: str) -> str | None:
        if option is not None:
            return str(option)
        found = settings.option(layers, first, variable)
        return found.value if found else None

    protocol = settings.option(layers, first, "PROTOCOL")
    detect = wanted.protocol is opt.Wire.AUTO
    if wanted.protocol is not None and not detect:
        protocol = Setting(wanted.protocol.value, Source(SourceKind.OPTION, "--protocol"))
    compression = settings.option(layers, first, "COMPRESSION")
    headers = given.headers(session, first)
    for part in endpoint.value.partition("://")[2].rpartition("@")[0].split(":"):
        session.learn(Secret(part))
    return Target(
        endpoint=dataclasses.replace(
            endpoint, source=dataclasses.replace(endpoint.source, writer=given.writer(endpoint.source))
        ),
        headers=headers,
        signals=signals,
        protocol=protocol or Setting(Protocol.HTTP_PROTOBUF.value, _DEFAULT),
        per_signal=settings.is_per_signal(endpoint.source),
        mend_command=given.mend_command(first, headers.source if headers else None),
        fix_command=given.fix_command(first, headers.source if headers else None),
        tls=opt.tls(
            wanted.insecure,
            None if wanted.insecure and wanted.ca_file is None else configured(wanted.ca_file, "CERTIFICATE"),
            configured(wanted.client_cert, "CLIENT_CERTIFICATE"),
            configured(wanted.client_key, "CLIENT_KEY"),
        ),
        timeout=wanted.timeout,
        deadline=3 * wanted.timeout,
        gzip=compression is not None and compression.value.strip().lower() == "gzip",
        disabled=settings.find(layers, "OTEL_SDK_DISABLED"),
        exporter=settings.find(layers, f"OTEL_{first.value.upper()}_EXPORTER"),
        plaintext=settings.option(layers, first, "INSECURE"),
        detect=detect,
        stores=session.command == "push-secret",
    )


def results(
    session: Session,
    world: World,
    target: Target,
    *,
    send: bool = False,
    probe: bool = True,
    offline: bool = False,
    started: Callable[[str], None] = lambda _title: None,
) -> Iterator[CheckResult]:
    """Run the checks of one target and yield each result; the connection is closed at the end.

    `offline` runs those that send nothing. No answer will decide then: what they only suspect of the credential counts,
    and what they suspect of the endpoint is said as a note.
    """
    state = Run(world, target, session.redactor)
    rows = OFFLINE if offline else _table(target, send=send, probe=probe)

    def before(check: Check[Run]) -> None:
        started(check.title)

    try:
        for result in run(rows, state, world.clock, session.clean, before):
            suspected = _of_credential(state) if offline and result.check == "credential" else ()
            yield _suspected(result, suspected) if suspected else result
        if offline:
            session.note(*(one for one in state.suspicions if one not in _of_credential(state)))
    finally:
        state.close()


def _table(target: Target, *, send: bool, probe: bool) -> tuple[Check[Run], ...]:
    from otelctl.checks.table import table  # noqa: PLC0415  what sends nothing does without all that this brings

    sends = [signal for signal in target.signals if send and target.payload(signal) is not None]
    grpc = target.protocol.value == Protocol.GRPC
    return table(target.signals, send=sends, probe=probe, grpc=grpc, detect=target.detect)


def _of_credential(state: Run) -> tuple[Finding, ...]:
    return tuple(one for one in state.suspicions if one.code.startswith("AUTH-"))


def _suspected(result: CheckResult, findings: tuple[Finding, ...]) -> CheckResult:
    """Return a result that has these findings too; one that is a finding already is not repeated."""
    every = result.findings + tuple(one for one in findings if one not in result.findings)
    return dataclasses.replace(result, status=status_of(every), findings=every)


def repeated(given: Sources, wanted: Wanted) -> str:
    """Return the options with which another command reads the same settings in the same way."""
    return given.options + opt.words(
        {
            "--protocol": wanted.protocol,
            "--ca-file": wanted.ca_file,
            "--client-cert": wanted.client_cert,
            "--client-key": wanted.client_key,
            "--insecure": wanted.insecure,
        }
    )


def with_options(result: CheckResult, options: str) -> CheckResult:
    """Return a result whose findings advise commands with these options (see `repeated`)."""
    findings = tuple(dataclasses.replace(one, options=options) for one in result.findings)
    return dataclasses.replace(result, findings=findings)


def report(
    session: Session,
    command: str,
    chosen: Sequence[Target],
    *,
    options: str = "",
    send: bool = False,
    probe: bool = True,
    facts: Mapping[str, str] | None = None,
) -> Report:
    """Check targets side by side, show progress, and return the report of them all, in the order given.

    `options` are added to the commands that findings advise (see `repeated`).
    """
    world = session.world  # wired once, before threads ask for it

    def check(target: Target, started: Callable[[str], None]) -> list[CheckResult]:
        done = results(session, world, target, send=send, probe=probe, started=started)
        found = [with_options(result, options) for result in done]
        return found if len(chosen) == 1 else [labelled(result, shown(target.endpoint)) for result in found]

    with session.terminal.progress() as progress:
        if len(chosen) == 1:
            found = check(chosen[0], progress.start)
        else:
            found = _side_by_side([functools.partial(check, target, progress.start) for target in chosen])
    named = ", ".join(shown(target.endpoint) for target in chosen)
    return Report(command, __version__, named, tuple(found), facts or {})


def _side_by_side(tasks: Sequence[Callable[[], list[CheckResult]]]) -> list[CheckResult]:
    """Run tasks at once and return their results in order; what one of them raises is raised here.

    The threads are daemons, so that an interrupt ends the program without waiting for a slow server.
    """
    import threading  # noqa: PLC0415  one endpoint needs no threads

    done: list[list[CheckResult] | BaseException] = [[] for _ in tasks]

    def work(number: int) -> None:
        try:
            done[number] = tasks[number]()
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            done[number] = error

    for first in range(0, len(tasks), _AT_ONCE):
        batch = range(first, min(first + _AT_ONCE, len(tasks)))
        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in batch]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return [result for each in done if not isinstance(each, BaseException) for result in each]


def labelled(result: CheckResult, label: str) -> CheckResult:
    """Return a result that says which of several things it is about."""
    return dataclasses.replace(result, check=f"{label} {result.check}", title=f"{label}: {result.title}")


def shown(setting: Setting[str]) -> str:
    """Return an endpoint as it may be shown: without user information and query."""
    try:
        return parse(setting.value).url
    except EndpointError:
        return "".join(char for char in setting.value.rpartition("@")[2] if char.isprintable())[:100]


def settings_facts(chosen: Sequence[Target]) -> dict[str, str]:
    """Return each setting with its source, secrets masked, for --show-settings."""
    facts: dict[str, str] = {}
    for target in chosen:
        lead = f"{shown(target.endpoint)}: " if len(chosen) > 1 else ""
        facts[f"{lead}Endpoint"] = f"{shown(target.endpoint)}  ({target.endpoint.source})"
        for signal in target.signals:
            facts[f"{lead}{signal.value.capitalize()} go to"] = _posts(target, signal)
        headers = target.headers
        facts[f"{lead}Headers"] = f"{headers.value}  ({headers.source})" if headers else "none"
        facts[f"{lead}Protocol"] = f"{target.protocol.value}  ({target.protocol.source})"
        facts[f"{lead}Compression"] = "gzip" if target.gzip else "none"
        facts[f"{lead}Timeout"] = f"{target.timeout:g} s a stage, {target.deadline:g} s in all"
        if target.tls.ca_file:
            facts[f"{lead}CA file"] = target.tls.ca_file
        if target.tls.client_cert:
            facts[f"{lead}Client certificate"] = target.tls.client_cert
        if target.tls.insecure:
            facts[f"{lead}Certificate"] = "not verified (--insecure)"
    return facts


def _posts(target: Target, signal: Signal) -> str:
    from otelctl.otlp import service  # noqa: PLC0415  as in `_table`

    text, plaintext = target.endpoint.value, target.plaintext
    try:
        if target.protocol.value == Protocol.GRPC:
            insecure = plaintext is not None and plaintext.value.strip().lower() == "true"
            return f"{parse_grpc(text, insecure=insecure).with_path('').url}  {service(signal)}"
        endpoint = parse(text)
    except EndpointError as error:
        return str(error)
    return endpoint.url if target.per_signal else signal_endpoint(endpoint, signal).url

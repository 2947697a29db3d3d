"""What the commands that look for a trace in its backend share: from options to a quest, from it to a report."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from otelctl.cli import sources as settings_sources
from otelctl.cli.errors import UsageError
from otelctl.cli.session import Session
from otelctl.cli.sources import Sources
from otelctl.settings import Setting, Source, SourceKind, find

if TYPE_CHECKING:
    from otelctl.checks_backend import Quest
    from otelctl.model import CheckResult, Report
    from otelctl.otlp import SyntheticTrace
    from otelctl.settings import TlsOptions

URL, USER, TOKEN = "GRAFANA_TEMPO_URL", "GRAFANA_TEMPO_USER", "GRAFANA_TEMPO_TOKEN"

VerifyOption = Annotated[
    bool,
    typer.Option("--verify", help="Then ask the backend until every span sent is there."),
]
TempoOption = Annotated[
    str | None,
    typer.Option(
        "--tempo-url", metavar="URL", help=f"Tempo's query API, in Grafana Cloud with /tempo at its end; else {URL}."
    ),
]
JaegerOption = Annotated[
    str | None,
    typer.Option("--jaeger-url", metavar="URL", help="Jaeger's query API, port 16686."),
]
WithinOption = Annotated[
    str,
    typer.Option("--within", metavar="SECONDS", help="How long to ask until the trace is whole."),
]
TenantOption = Annotated[
    str | None,
    typer.Option("--tenant", metavar="NAME", help="The tenant, sent as X-Scope-OrgID."),
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--tempo-user",
        metavar="ID",
        help=f"The traces user ID, which is not the OTLP instance ID; else {USER}. The token is {TOKEN}, or else "
        "GRAFANA_API_TOKEN.",
    ),
]
TokenOption = Annotated[
    Path | None,
    typer.Option(
        "--backend-token-file", metavar="PATH", help="Read the token for reading from a file; - is standard input."
    ),
]
HeaderOption = Annotated[
    Path | None,
    typer.Option(
        "--backend-header-file",
        metavar="PATH",
        help="Read the headers for reading from a file, as Authorization=…; - is standard input.",
    ),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say of the backend; `tls` are those that say how to shake hands, as on a command line."""

    tempo_url: str | None
    jaeger_url: str | None
    within: float
    tenant: str | None = None
    user: str | None = None
    token_file: Path | None = None
    header_file: Path | None = None
    tls: str = ""

    def options(self, given: Sources) -> str:
        """Return the options with which another command reads the trace in the same way."""
        text = f" --env-file {shlex.quote(given.env_file)}" if given.env_file else ""
        for option, value in (
            ("--tenant", self.tenant),
            ("--tempo-user", self.user),
            ("--backend-token-file", self.token_file),
            ("--backend-header-file", self.header_file),
        ):
            if value is not None:
                text += f" {option} {shlex.quote(str(value))}"
        return text + self.tls


def tls_options(insecure: bool, ca_file: Path | None, client_cert: Path | None, client_key: Path | None) -> str:
    """Return options for TLS as they stand on a command line."""
    files = (("--ca-file", ca_file), ("--client-cert", client_cert), ("--client-key", client_key))
    text = "".join(f" {option} {shlex.quote(str(file))}" for option, file in files if file is not None)
    return text + (" --insecure" if insecure else "")


def quest(session: Session, given: Sources, asked: Asked, trace_id: str, timeout: float, tls: TlsOptions) -> Quest:
    """Return what to look for and where; raises UsageError where no backend is named, or no credential can be made."""
    from otelctl.backend import Backend  # noqa: PLC0415  only a search needs the query APIs
    from otelctl.checks_backend import Quest  # noqa: PLC0415  as above

    if asked.tempo_url is not None and asked.jaeger_url is not None:
        raise UsageError("--tempo-url and --jaeger-url exclude each other: give the one that has the trace")
    tenant = asked.tenant
    if tenant is not None and (not tenant.strip() or not tenant.isascii() or not tenant.isprintable()):
        raise UsageError(f"--tenant: {tenant[:40]!r} is no name that a header can carry")
    if asked.jaeger_url is not None:
        kind, url = Backend.JAEGER, Setting(asked.jaeger_url, Source(SourceKind.OPTION, "--jaeger-url"))
    else:
        found = find(given.layers, URL) if asked.tempo_url is None else None
        if asked.tempo_url is not None:
            found = Setting(asked.tempo_url, Source(SourceKind.OPTION, "--tempo-url"))
        if found is None:
            raise UsageError(f"no backend to ask: give --tempo-url or --jaeger-url, or set {URL}")
        kind, url = Backend.TEMPO, found
    from otelctl.secret import Secret  # noqa: PLC0415  as above

    for part in url.value.partition("://")[2].rpartition("@")[0].split(":"):
        session.learn(Secret(part))
    return Quest(
        backend=kind,
        url=url,
        headers=_headers(session, given, asked, tempo=kind is Backend.TEMPO),
        tenant=tenant.strip() if tenant else None,
        trace_id=trace_id,
        within=asked.within,
        timeout=timeout,
        tls=tls,
    )


def _headers(session: Session, given: Sources, asked: Asked, *, tempo: bool) -> Any:
    """Return the headers for reading: those of a file, or for Tempo a pair of user and token; None where neither is."""
    from otelctl.credential import header_value, looks_like_token, strip_stray  # noqa: PLC0415  only to be used
    from otelctl.secret import Secret  # noqa: PLC0415  as above

    if asked.header_file is not None:
        if asked.user is not None or asked.token_file is not None:
            raise UsageError("--backend-header-file holds the whole credential: leave user and token out")
        text, source = settings_sources.read_file(session, asked.header_file, "the headers", "--backend-header-file")
        return Setting(session.learn(Secret(text)), source)
    if not tempo:
        if asked.user is not None or asked.token_file is not None:
            raise UsageError("--tempo-user and --backend-token-file are Tempo's; for Jaeger give --backend-header-file")
        return None
    user = Setting(asked.user, Source(SourceKind.OPTION, "--tempo-user")) if asked.user else find(given.layers, USER)
    if asked.token_file is not None:
        text, source = settings_sources.read_file(session, asked.token_file, "the token", "--backend-token-file")
        token = Setting(text, source)
        session.learn(Secret(text))
    else:
        token_found = find(given.layers, TOKEN, "GRAFANA_API_TOKEN")
        if token_found is None and user is not None:
            raise UsageError(f"a traces user ID without a token: set {TOKEN}, or give --backend-token-file")
        if token_found is None or user is None:
            return None  # a token for sending alone is nobody's business here
        token = token_found
    if user is None:
        raise UsageError(f"a token without its user: give --tempo-user, or set {USER}")
    name, secret = strip_stray(user.value), strip_stray(token.value)
    if looks_like_token(name) and secret.isdigit():
        name, secret = secret, name
    session.learn(Secret(secret))
    made = f"Authorization={header_value(Secret(name), Secret(secret)).reveal()}"
    source = dataclasses.replace(token.source, name=f"{user.source.name} and {token.source.name}")
    return Setting(session.learn(Secret(made)), source)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a search gave: its checks, what there is to show, and the trace as OTLP JSON where one was found."""

    results: tuple[CheckResult, ...]
    facts: Mapping[str, str]
    trace: Mapping[str, Any] | None


def search(session: Session, wanted: Quest, options: str) -> Proof:
    """Look for the trace until it is whole or the time is over; findings advise `find-trace` with these options."""
    from otelctl.checks_backend import begin, table  # noqa: PLC0415  only a search needs the query APIs
    from otelctl.diagnose.backend import OPTIONS  # noqa: PLC0415  as above
    from otelctl.engine import run  # noqa: PLC0415  as above

    state = begin(session.world, wanted, session.redactor)
    instead = f"otelctl find-trace {wanted.trace_id} {OPTIONS[wanted.backend]}"
    results: list[CheckResult] = []
    try:
        with session.terminal.progress() as progress:
            for result in run(
                table(), state, session.world.clock, session.clean, lambda check: progress.start(check.title)
            ):
                findings = tuple(dataclasses.replace(one, options=options, instead=instead) for one in result.findings)
                results.append(dataclasses.replace(result, findings=findings))
    finally:
        state.close()
    facts: dict[str, str] = {}
    reading = state.reading
    if reading.spans:
        services = sorted({span.service or "(no service.name)" for span in reading.spans})
        begin_ns = min(span.start_ns for span in reading.spans)
        end_ns = max(span.end_ns for span in reading.spans)
        facts["Spans"] = str(len(reading.spans))
        facts["Services"] = ", ".join(_short(name) for name in services[:8]) + (", …" if len(services) > 8 else "")
        facts["Duration"] = f"{max(0, end_ns - begin_ns) / 1e6:.3f} ms"
        if state.reply is not None:
            facts["Trace URL"] = state.reply.asked
        if wanted.since is not None and state.visible is not None:
            facts["Visible after"] = f"{state.visible - wanted.since:.3f} s"
    return Proof(tuple(results), facts, reading.document if reading.spans else None)


@dataclass(frozen=True, slots=True)
class Verification:
    """What --verify asks for, made before anything is sent, so that a wrong option sends nothing."""

    quest: Quest
    options: str


def verification(
    session: Session,
    given: Sources,
    asked: Asked,
    sent: SyntheticTrace,
    timeout: float,
    tls: TlsOptions,
    *,
    verify: bool,
) -> Verification | None:
    """Return how to prove that a trace landed; None without --verify, whose options then make no sense."""
    if not verify:
        named: dict[str, object] = {
            "--tempo-url": asked.tempo_url,
            "--jaeger-url": asked.jaeger_url,
            "--tenant": asked.tenant,
        }
        named |= {"--tempo-user": asked.user, "--backend-token-file": asked.token_file}
        named |= {"--backend-header-file": asked.header_file}
        odd = next((option for option, value in named.items() if value is not None), None)
        if odd is not None:
            raise UsageError(f"{odd} says where to read the trace: add --verify")
        return None
    made = quest(session, given, asked, sent.trace_id, timeout, tls)
    ids = frozenset({sent.server_span_id, sent.client_span_id})
    return Verification(dataclasses.replace(made, sent=ids), asked.options(given))


def added(session: Session, report: Report, verification: Verification) -> Report:
    """Return the report of a run whose spans were accepted just now, with what became of them in the backend."""
    wanted = dataclasses.replace(verification.quest, since=session.world.clock.monotonic())
    proof = search(session, wanted, verification.options)
    return dataclasses.replace(
        report, results=(*report.results, *proof.results), facts={**report.facts, **proof.facts}, trace=proof.trace
    )


def _short(name: str) -> str:
    line = " ".join(name.split())
    return line if len(line) <= 60 else line[:59] + "…"

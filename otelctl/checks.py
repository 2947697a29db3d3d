"""The ordered tables of checks: the product on one screen.

`table` reads from top to bottom as the way of a request. A row's title is the good state, its needs are the rows
that must hold before it is worth asking. The bodies fetch facts through ports and have judges judge them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from otelctl import __version__, otlp
from otelctl.credential import Header, is_instance_id, read_header
from otelctl.diagnose import credential as credential_judge
from otelctl.diagnose import endpoint as endpoint_judge
from otelctl.diagnose import network as network_judge
from otelctl.diagnose import otlp as otlp_judge
from otelctl.diagnose import settings as settings_judge
from otelctl.diagnose.otlp import Exchange
from otelctl.endpoint import (
    Alternative,
    Endpoint,
    EndpointError,
    GrafanaHost,
    alternatives,
    parse,
    signal_endpoint,
    without_signal,
)
from otelctl.engine import Check, Outcome
from otelctl.facts import (
    Connected,
    Fault,
    HttpRequest,
    Protocol,
    Proxy,
    Resolved,
    Route,
    Secured,
    Signal,
    TlsOptions,
)
from otelctl.model import Certainty, Finding, Severity
from otelctl.ports import Link, World
from otelctl.secret import Redactor, Secret
from otelctl.settings import Setting, Source, SourceKind

if TYPE_CHECKING:
    from google.protobuf.message import Message

_TEXT = 160

SENDS = {Signal.TRACES: "send", Signal.METRICS: "send-metrics", Signal.LOGS: "send-logs"}
"""The check that sends each signal in earnest."""

_SENT = {Signal.TRACES: "a test span", Signal.METRICS: "test metrics", Signal.LOGS: "a test log record"}
_ACCEPTED = {
    Signal.TRACES: "the span was accepted",
    Signal.METRICS: "the metrics were accepted",
    Signal.LOGS: "the log record was accepted",
}


@dataclass(frozen=True, slots=True)
class Target:
    """What one run is aimed at: one endpoint with the settings that an exporter of these signals would have.

    `per_signal` says that the URL is used as it is. `mend_command` prints or sets the mended header. `timeout` bounds
    each stage and `deadline` the whole, in seconds. `gzip` compresses what is sent.
    """

    endpoint: Setting[str]
    headers: Setting[Secret] | None
    signals: tuple[Signal, ...]
    protocol: Setting[str]
    per_signal: bool = False
    mend_command: str = "otelctl inspect-auth --fix"
    tls: TlsOptions = field(default_factory=TlsOptions)
    timeout: float = 10.0
    deadline: float = 30.0
    gzip: bool = False
    disabled: Setting[str] | None = None
    exporter: Setting[str] | None = None
    trace: otlp.SyntheticTrace | None = None
    metrics: otlp.SyntheticMetrics | None = None
    log: otlp.SyntheticLog | None = None

    def payload(self, signal: Signal) -> Message | None:
        """Return what is sent of a signal, None where nothing is."""
        made = {Signal.TRACES: self.trace, Signal.METRICS: self.metrics, Signal.LOGS: self.log}[signal]
        return made.request if made is not None else None


@dataclass(slots=True)
class Run:
    """One run as it goes: its world, its target, and what the checks so far have learned.

    `suspicions` are findings that are not certain, put aside until an answer bears them out.
    """

    world: World
    target: Target
    redact: Redactor
    endpoint: Endpoint | None = None
    header: Header | None = None
    suspicions: list[Finding] = field(default_factory=list)
    link: Link | None = None
    proxy: Proxy | None = None
    accepted: set[Signal] = field(default_factory=set)
    date: tuple[str, datetime] | None = None

    def __post_init__(self) -> None:
        headers = self.target.headers
        if headers is None:
            return
        self.header = header = read_header(headers.value.reveal())
        hidden = [header.token, header.wire, header.meant, *(value for _, value in header.other)]
        if not _numeric(header):
            hidden.append(header.instance_id)  # what stands there may be a token
        for secret in hidden:
            if secret is not None:
                self.redact.add(secret)

    @property
    def url(self) -> str:
        """The endpoint as it is shown."""
        return self.endpoint.url if self.endpoint else "ENDPOINT"

    @property
    def subject(self) -> str:
        """Where the endpoint came from."""
        return str(self.target.endpoint.source)

    def close(self) -> None:
        """Close the connection, if one is open."""
        if self.link is not None:
            self.link.close()


def table(signals: Collection[Signal], *, send: Iterable[Signal] = (), probe: bool = True) -> tuple[Check[Run], ...]:
    """Return the checks of an endpoint: whether each signal is taken and, at the end, whether each of `send` is."""
    path = ("settings", "endpoint", "credential", "dns", "tcp", "tls")
    rows = [
        Check("settings", "the settings name a protocol that can be checked", (), _settings),
        Check("endpoint", "the endpoint is an OTLP URL", (), _endpoint),
        Check("credential", "the credential is well formed", (), _credential),
        Check("dns", "the host name resolves", ("endpoint",), _dns),
        Check("tcp", "the port takes connections", ("dns",), _tcp),
        Check("tls", "TLS is sound", ("tcp",), _tls),
    ]
    if probe:
        rows += [
            Check(signal.value, f"the endpoint accepts {signal.value}", path, _Probe(signal)) for signal in signals
        ]
    for signal in send:
        needs = (*path, signal.value) if probe and signal in signals else path
        rows.append(Check(SENDS[signal], f"the endpoint accepts {_SENT[signal]}", needs, _Send(signal)))
    rows.append(Check("clock", "this clock agrees with the server's", ("tls",), _clock))
    return tuple(rows)


def _split(run: Run, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Keep what is certain; put what is only suspected aside until the answer is known."""
    sure = [one for one in findings if one.certainty is Certainty.CERTAIN]
    run.suspicions += [one for one in findings if one not in sure]
    return tuple(sure)


def _parse(run: Run) -> Endpoint | None:
    try:
        return parse(run.target.endpoint.value)
    except EndpointError:
        return None


def _settings(run: Run) -> Outcome:
    target = run.target
    findings = settings_judge.judge_protocol(target.protocol, _parse(run))
    switches = settings_judge.judge_switches(target.disabled, target.exporter)
    return Outcome((*findings, *switches), target.protocol.value)


def _endpoint(run: Run) -> Outcome:
    target = run.target
    text = target.endpoint.value
    try:
        run.endpoint = parse(text)
    except EndpointError as error:
        if target.protocol.value != Protocol.GRPC or "://" in text:
            return Outcome(endpoint_judge.judge_unreadable(target.endpoint, str(error)))
        return _grpc_target(run, error)
    for secret in (run.endpoint.username, run.endpoint.password, Secret(run.endpoint.query)):
        if secret is not None:
            run.redact.add(secret)
    findings = endpoint_judge.judge_endpoint(
        target.endpoint,
        run.endpoint,
        target.signals[0],
        per_signal=target.per_signal,
        credential=run.header is not None and run.header.confidential,
    )
    return Outcome(_split(run, findings), f"{run.url} from {run.subject}")


def _grpc_target(run: Run, problem: EndpointError) -> Outcome:
    """Take `host:port`, which a gRPC exporter may be given (specification: protocol/exporter.md), as far as TCP."""
    setting = run.target.endpoint
    try:
        run.endpoint = parse(f"http://{setting.value.strip()}")
    except EndpointError:
        return Outcome(endpoint_judge.judge_unreadable(setting, str(problem)))
    return Outcome(detail=f"{run.endpoint.origin} from {run.subject}")


def grafana_of(endpoint: Endpoint | None) -> bool | None:
    """Return whether Grafana Cloud's rules for credentials apply; None where the host alone cannot tell."""
    if endpoint is None or endpoint.loopback:
        return None
    return endpoint.grafana is not GrafanaHost.NONE


def _credential(run: Run) -> Outcome:
    headers, endpoint = run.target.headers, run.endpoint
    grafana = grafana_of(endpoint)
    if headers is None:
        if endpoint is not None and endpoint.grafana is GrafanaHost.GATEWAY:
            return Outcome(credential_judge.judge_absent(endpoint.host))
        return Outcome(skipped="no OTLP headers are configured")
    header = run.header
    assert header is not None  # noqa: S101  it was read when the run began
    judged = credential_judge.judge_header(header, headers.source, run.target.mend_command, grafana=grafana)
    findings = [one for one in judged if one.severity is not Severity.NOTICE]
    if endpoint is not None:
        findings += credential_judge.judge_region(header.claims, endpoint.zone, str(headers.source))
    return Outcome(_split(run, findings), describe(header, headers.source))


def describe(header: Header, source: Source) -> str:
    """Say in a few words what a header is, and where it came from, without its secret part."""
    said = [f"instance ID {header.instance_id.reveal()}"] if _numeric(header) and header.instance_id else []
    claims = header.claims
    said += [f"{label} {value}" for label, value in (("token", claims.name), ("region", claims.region)) if value]
    if not said:
        said = [header.scheme.capitalize() or header.form.value]
    return f"{', '.join(said)} from {source}"


def _numeric(header: Header) -> bool:
    return header.instance_id is not None and is_instance_id(header.instance_id.reveal())


def _dns(run: Run) -> Outcome:
    endpoint, target = run.endpoint, run.target
    assert endpoint is not None  # noqa: S101  the table has it after `endpoint`
    proxy = run.proxy = run.world.proxies.proxy_for(endpoint.scheme, endpoint.host, endpoint.port)
    tls = target.tls if endpoint.tls else None
    run.link = run.world.network.open(Route(endpoint.host, endpoint.port, tls, proxy, target.timeout, target.deadline))
    fact = run.link.resolve()
    findings = network_judge.judge_resolve(fact, url=run.url, subject=run.subject)
    detail = ", ".join(fact.addresses[:2]) if isinstance(fact, Resolved) else ""
    return Outcome(findings, f"proxy {proxy.host}:{proxy.port} ({proxy.source}), {detail}" if proxy else detail)


def _tcp(run: Run) -> Outcome:
    assert run.link is not None  # noqa: S101  the table has it after `dns`
    fact = run.link.connect()
    findings = network_judge.judge_connect(fact, url=run.url, subject=run.subject)
    return Outcome(findings, f"{fact.address} port {fact.port}" if isinstance(fact, Connected) else "")


def _tls(run: Run) -> Outcome:
    assert run.link is not None and run.endpoint is not None  # noqa: S101, PT018  the table has it after `tcp`
    if not run.endpoint.tls:
        return Outcome(skipped="plain HTTP")
    fact = run.link.secure()
    findings = network_judge.judge_secure(fact, url=run.url, subject=run.subject)
    if not isinstance(fact, Secured):
        return Outcome(findings)
    alpn = f", {fact.alpn}" if fact.alpn else ""
    until = fact.certificate.not_after.date().isoformat()
    verified = "" if fact.verified else ", NOT verified (--insecure)"
    return Outcome(findings, f"{fact.version}{alpn}, {fact.certificate.issuer} until {until}{verified}")


def _authorization(run: Run) -> Secret | None:
    """Return what goes out as Authorization: what an exporter sends, or what was meant where it sends none.

    A probe of what was meant tells whether syntax alone is at fault.
    """
    header = run.header
    return None if header is None else header.wire or header.mended() or header.meant


def _headers(run: Run, protocol: Protocol, *, gzip: bool) -> tuple[tuple[str, Secret], ...]:
    """Return the headers of one request, as an exporter with these settings sends them."""
    fields = {"user-agent": Secret(f"otelctl/{__version__}"), "content-type": Secret(otlp.content_type(protocol))}
    if gzip:
        fields["content-encoding"] = Secret("gzip")
    if run.header is not None:
        fields |= {name: value for name, value in run.header.other if name not in fields}
    authorization = _authorization(run)
    if authorization is not None:
        fields["authorization"] = authorization
    return tuple(fields.items())


def _exchange(
    run: Run, posted: Endpoint, signal: Signal, protocol: Protocol, body: bytes | None = None
) -> Exchange | Fault:
    """Send one request: `body`, or an empty one, which leaves nothing behind."""
    assert run.link is not None  # noqa: S101  the table has it after `tcp`
    empty = body is None
    gzip = run.target.gzip and not empty
    sent = otlp.empty_request(protocol) if body is None else body
    answer = run.link.exchange(HttpRequest("POST", posted.target, _headers(run, protocol, gzip=gzip), sent))
    if isinstance(answer, Fault):
        return answer
    if run.date is None and answer.header("date"):
        run.date = (answer.header("date"), run.world.clock.now())
    read = otlp.read_answer(signal, answer.header("content-type"), answer.body, truncated=answer.truncated)
    text = run.redact(read.message or answer.reason)
    return Exchange(run.url, posted, run.subject, answer, read, text[:_TEXT], protocol, len(sent), empty)


def _protocol(run: Run) -> Protocol:
    return Protocol(run.target.protocol.value)


def _posted(run: Run, signal: Signal) -> Endpoint:
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    return run.endpoint if run.target.per_signal else signal_endpoint(run.endpoint, signal)


@dataclass(frozen=True, slots=True)
class _Probe:
    """The body of a signal's check: an empty request, which leaves nothing behind."""

    signal: Signal

    def __call__(self, run: Run) -> Outcome:
        posted = _posted(run, self.signal)
        exchange = _exchange(run, posted, self.signal, _protocol(run))
        if isinstance(exchange, Exchange) and otlp_judge.doubtful(exchange):
            # An empty protobuf body is the empty message, but some receivers take it for no body at all.
            settled = _exchange(run, posted, self.signal, Protocol.HTTP_JSON)
            if isinstance(settled, Exchange) and (otlp_judge.accepted(settled) or otlp_judge.reached(settled)):
                exchange = settled
        return _judge(run, self.signal, exchange)


@dataclass(frozen=True, slots=True)
class _Send:
    """The body of the check that sends a signal in earnest."""

    signal: Signal

    def __call__(self, run: Run) -> Outcome:
        payload = run.target.payload(self.signal)
        assert payload is not None  # noqa: S101  the caller sets it with `send`
        protocol = _protocol(run)
        body = otlp.encode(payload, protocol, gzip=run.target.gzip)
        exchange = _exchange(run, _posted(run, self.signal), self.signal, protocol, body)
        return _judge(run, self.signal, exchange)


def _judge(run: Run, signal: Signal, exchange: Exchange | Fault) -> Outcome:
    if isinstance(exchange, Fault):
        return Outcome(_no_answer(run, exchange))
    answer = exchange.answer
    findings = network_judge.judge_answer(answer, url=run.url, subject=run.subject, proxy=run.proxy)
    if findings:
        return Outcome(findings, f"{answer.status}")
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    findings = endpoint_judge.judge_zone(answer, exchange.text or "no text", run.endpoint, run.subject)
    findings = findings or _judge_status(run, signal, exchange)
    if any(finding.severity in (Severity.ERROR, Severity.UNKNOWN) for finding in findings):
        return Outcome(findings, f"{answer.status}, {otlp_judge.describe(exchange)}")
    run.accepted.add(signal)
    return Outcome(findings, _fine(run, signal, exchange))


def _no_answer(run: Run, fault: Fault) -> tuple[Finding, ...]:
    findings = network_judge.judge_fault(fault, url=run.url, subject=run.subject)
    suspected = _suspected(run, "URL-PORT-PROTOCOL")
    if suspected and any(one.code == "NET-HTTP-ON-GRPC-PORT" for one in findings):
        return suspected  # the same in the words of the setting that is wrong
    return (*findings, *suspected)


# What a wrong host or path answers, whatever the credential is worth.
_ELSEWHERE = frozenset({400, 401, 403, 404, 405})


def _judge_status(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    status = exchange.answer.status
    if status in _ELSEWHERE and not otlp_judge.reached(exchange):
        wrong_place = _suspected(run, "URL-QUERY-HOST", "URL-UI-HOST", "URL-PROMETHEUS-PATH")
        if wrong_place:
            return wrong_place
    if status in (401, 403):
        return otlp_judge.wants_tenant(exchange) or _refused(run, signal, exchange)
    if status == 404:
        return _not_found(run, signal, exchange)
    return otlp_judge.judge_answer(exchange)


def _fine(run: Run, signal: Signal, exchange: Exchange) -> str:
    """Say what exactly was shown to be fine, and no more."""
    status = exchange.answer.status
    sent = run.header is not None and run.header.wire is not None
    if otlp_judge.reached(exchange):
        # Who reads the body before the credential has shown nothing of it; Grafana Cloud's gateway reads it after.
        checked = sent and exchange.posted.grafana is GrafanaHost.GATEWAY
        credential = "the credential is accepted, " if checked else ""
        return f"{status}, {credential}the receiver wants content in a request"
    credential = "the credential is accepted, " if sent else ""
    accepted = "an empty request was accepted" if exchange.empty else _ACCEPTED[signal]
    return f"{status}, {credential}{accepted}"


def _suspected(run: Run, *codes: str) -> tuple[Finding, ...]:
    return tuple(one for one in run.suspicions if one.code in codes)


def _refused(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    header, headers = run.header, run.target.headers
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    known = header.instance_id.reveal() if header is not None and header.instance_id and _numeric(header) else None
    elsewhere = None
    if known is not None and credential_judge.unknown_pair(exchange.answer):
        elsewhere = _accepting(run, signal, run.endpoint)
    findings = credential_judge.judge_refusal(
        credential_judge.Refused(
            answer=exchange.answer,
            text=exchange.text or "no text",
            grafana=bool(grafana_of(run.endpoint)),
            sent=_authorization(run) is not None,
            suspects=[one for one in run.suspicions if one.code.startswith("AUTH-") and one.severity is Severity.ERROR],
            probed=signal in run.accepted and not exchange.empty,
            elsewhere=elsewhere,
            host=run.endpoint.origin,
            url=run.url,
            signal=signal,
            subject=str(headers.source) if headers else run.subject,
            instance_id=known or "unknown",
        )
    )
    if any(one.code == "AUTH-INVALID" for one in findings):
        findings += _suspected(run, "AUTH-REGION")
    return findings


def _accepting(run: Run, refused: Signal, endpoint: Endpoint) -> Signal | None:
    """Return another signal for which the same credential is accepted."""
    base = endpoint.with_path(without_signal(endpoint.path)) if run.target.per_signal else endpoint
    for signal in Signal:
        if signal is refused:
            continue
        if signal in run.accepted:
            return signal
        exchange = _exchange(run, signal_endpoint(base, signal), signal, _protocol(run))
        if isinstance(exchange, Fault):
            return None
        if otlp_judge.accepted(exchange):
            return signal
    return None


def _not_found(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    """Find out which path the receiver takes instead: an empty request to each path worth trying settles it."""
    endpoint, target = run.endpoint, run.target
    assert endpoint is not None  # noqa: S101  the table has it after `endpoint`
    tried: list[Alternative] = []
    likely: Alternative | None = None
    working: tuple[Alternative, Certainty] | None = None
    for alternative in alternatives(endpoint, signal, per_signal=target.per_signal):
        answer = _exchange(run, alternative.posted, alternative.signal, _protocol(run))
        if isinstance(answer, Fault):
            break
        tried.append(alternative)
        if _takes_otlp(answer):
            working = (alternative, Certainty.CERTAIN)
            break
        if answer.answer.status in (401, 403) and likely is None:
            likely = alternative  # something is guarded there that is not where the request went
    if working is None and likely is not None:
        working = (likely, Certainty.LIKELY)
    return endpoint_judge.judge_not_found(
        target.endpoint, endpoint, exchange.posted, signal=signal, working=working, tried=tuple(tried)
    )


def _takes_otlp(exchange: Exchange) -> bool:
    """Tell whether a receiver is at a path: it accepts, or refuses for the credential in a receiver's own words."""
    if otlp_judge.accepted(exchange) or otlp_judge.reached(exchange):
        return True
    return exchange.answer.status == 401 and bool(credential_judge.gateway_error(exchange.answer.body))


def _clock(run: Run) -> Outcome:
    if run.date is None:
        return Outcome(skipped="no answer with a date came")
    header, seen = run.date
    findings = network_judge.judge_clock(header, seen, url=run.url, subject=run.subject)
    return Outcome(findings)


def argument(name: str, value: str) -> Setting[str]:
    """Return a setting that was given on the command line."""
    return Setting(value, Source(SourceKind.ARGUMENT, name))

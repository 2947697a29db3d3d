"""The checks that ask an endpoint for a signal, empty or in earnest, and whom an answer is shown to."""

from __future__ import annotations

from dataclasses import dataclass

from otelctl import otlp
from otelctl.checks.offline import grafana_of
from otelctl.checks.requests import ask, authorization_of, call, posted_to, protocol_of
from otelctl.checks.run import Run
from otelctl.checks.way import place
from otelctl.diagnose import credential as credential_judge
from otelctl.diagnose import endpoint as endpoint_judge
from otelctl.diagnose import grpc as grpc_judge
from otelctl.diagnose import network as network_judge
from otelctl.diagnose import otlp as otlp_judge
from otelctl.diagnose.otlp import Exchange
from otelctl.endpoint import Alternative, Endpoint, GrafanaHost, alternatives, signal_endpoint, without_signal
from otelctl.engine import Outcome
from otelctl.facts.wire import Fault
from otelctl.model import Certainty, Finding, Severity
from otelctl.settings import Protocol, Signal

_ACCEPTED = {
    Signal.TRACES: "the span was accepted",
    Signal.METRICS: "the metrics were accepted",
    Signal.LOGS: "the log record was accepted",
}


@dataclass(frozen=True, slots=True)
class Probe:
    """The body of a signal's check: an empty request, which leaves nothing behind."""

    signal: Signal

    def __call__(self, run: Run) -> Outcome:
        """Ask, and have the answer judged."""
        posted = posted_to(run, self.signal)
        exchange = ask(run, posted, self.signal, protocol_of(run))
        if isinstance(exchange, Exchange) and otlp_judge.doubtful(exchange):
            # An empty protobuf body is the empty message, but some receivers take it for no body at all.
            settled = ask(run, posted, self.signal, Protocol.HTTP_JSON)
            if isinstance(settled, Exchange) and (otlp_judge.accepted(settled) or otlp_judge.reached(settled)):
                exchange = settled
        return _judge(run, self.signal, exchange)


@dataclass(frozen=True, slots=True)
class Send:
    """The body of the check that sends a signal in earnest."""

    signal: Signal

    def __call__(self, run: Run) -> Outcome:
        """Send, and have the answer judged."""
        payload = run.target.payload(self.signal)
        assert payload is not None  # noqa: S101  the caller sets it with `send`
        protocol = protocol_of(run)
        # gRPC compresses each message by itself, inside its frame.
        body = otlp.encode(payload, protocol, gzip=run.target.gzip and protocol is not Protocol.GRPC)
        exchange = ask(run, posted_to(run, self.signal), self.signal, protocol, body)
        return _judge(run, self.signal, exchange)


def _judge(run: Run, signal: Signal, exchange: Exchange | Fault) -> Outcome:
    if isinstance(exchange, Fault):
        return Outcome(_no_answer(run, exchange))
    answer = exchange.answer
    if run.grpc:
        findings = grpc_judge.judge_http(answer, place(run))
    else:
        proxy = None if exchange.posted.tls else run.proxy  # through a tunnel, the endpoint itself answers
        findings = network_judge.judge_answer(answer, url=run.url, subject=run.subject, proxy=proxy)
    if findings:
        return Outcome(findings, answer.shown)
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    findings = endpoint_judge.judge_zone(answer, exchange.text or "no text", run.endpoint, run.subject)
    findings = findings or _judge_status(run, signal, exchange)
    if any(finding.severity in (Severity.ERROR, Severity.UNKNOWN) for finding in findings):
        return Outcome(findings, f"{answer.shown}, {otlp_judge.describe(exchange)}")
    run.accepted.add(signal)
    return Outcome(findings, _fine(run, signal, exchange))


def _no_answer(run: Run, fault: Fault) -> tuple[Finding, ...]:
    findings = grpc_judge.judge_fault(fault, place(run)) if run.grpc else ()
    if findings:
        return findings
    findings = network_judge.judge_fault(fault, url=run.url, subject=run.subject)
    suspected = run.suspected("URL-PORT-PROTOCOL")
    if suspected and any(one.code == "NET-HTTP-ON-GRPC-PORT" for one in findings):
        return suspected  # the same in the words of the setting that is wrong
    return (*findings, *suspected)


# What a wrong host or path answers, whatever the credential is worth.
_ELSEWHERE = frozenset({400, 401, 403, 404, 405})


def _judge_status(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    status = exchange.answer.status
    if status in _ELSEWHERE and not otlp_judge.reached(exchange):
        wrong_place = run.suspected("URL-QUERY-HOST", "URL-UI-HOST", "URL-PROMETHEUS-PATH")
        if wrong_place:
            return wrong_place
    if status in (401, 403):
        return otlp_judge.wants_tenant(exchange) or _refused(run, signal, exchange)
    if status == 404:
        return _unimplemented(run, signal, exchange) if run.grpc else _not_found(run, signal, exchange)
    return otlp_judge.judge_answer(exchange)


def _fine(run: Run, signal: Signal, exchange: Exchange) -> str:
    """Say what exactly was shown to be fine, and no more."""
    status = exchange.answer.shown
    sent = run.header is not None and run.header.wire is not None
    if otlp_judge.reached(exchange):
        # Who reads the body before the credential has shown nothing of it; Grafana Cloud's gateway reads it after.
        checked = sent and exchange.posted.grafana is GrafanaHost.GATEWAY
        credential = "the credential is accepted, " if checked else ""
        return f"{status}, {credential}the receiver wants content in a request"
    # Elsewhere nobody may have looked at it.
    looked = exchange.posted.grafana is GrafanaHost.GATEWAY
    credential = ("the credential is accepted, " if looked else "sent with the credential, ") if sent else ""
    accepted = "an empty request was accepted" if exchange.empty else _ACCEPTED[signal]
    return f"{status}, {credential}{accepted}"


def _refused(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    header, headers = run.header, run.target.headers
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    known = header.instance_id.reveal() if header is not None and header.instance_id and header.numeric else None
    elsewhere = None
    if known is not None and credential_judge.unknown_pair(exchange.answer):
        elsewhere = _accepting(run, signal, run.endpoint)
    findings = credential_judge.judge_refusal(
        credential_judge.Refused(
            answer=exchange.answer,
            text=exchange.text or "no text",
            words=exchange.words,
            grafana=bool(grafana_of(run.endpoint)),
            sent=authorization_of(run) is not None,
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
        findings += run.suspected("AUTH-REGION")
    return findings


def _accepting(run: Run, refused: Signal, endpoint: Endpoint) -> Signal | None:
    """Return another signal for which the same credential is accepted."""
    base = endpoint.with_path(without_signal(endpoint.path)) if run.target.per_signal else endpoint
    for signal in Signal:
        if signal is refused:
            continue
        if signal in run.accepted:
            return signal
        exchange = ask(run, signal_endpoint(base, signal), signal, protocol_of(run))
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
        answer = ask(run, alternative.posted, alternative.signal, protocol_of(run))
        if isinstance(answer, Fault):
            break
        tried.append(alternative)
        if takes_otlp(answer):
            working = (alternative, Certainty.CERTAIN)
            break
        if answer.answer.status in (401, 403) and likely is None:
            likely = alternative  # something is guarded there that is not where the request went
    if working is None and likely is not None:
        working = (likely, Certainty.LIKELY)
    return endpoint_judge.judge_not_found(
        target.endpoint, endpoint, exchange.posted, signal=signal, working=working, tried=tuple(tried)
    )


def _unimplemented(run: Run, signal: Signal, exchange: Exchange) -> tuple[Finding, ...]:
    """Find out whether the server takes another signal, or no OTLP at all."""
    works, refused = next((one for one in Signal if one in run.accepted), None), False
    for other in Signal:
        if works is not None or other is signal:
            continue
        answer = call(run, other, None)
        if isinstance(answer, Fault):
            break
        refused = answer.answer.status in (401, 403)
        if refused or otlp_judge.accepted(answer) or otlp_judge.reached(answer):
            works = other
    return grpc_judge.judge_unimplemented(exchange.text, signal, place(run), works=works, refused=refused)


def takes_otlp(exchange: Exchange) -> bool:
    """Tell whether a receiver is at a path: it accepts, or refuses for the credential in a receiver's own words."""
    if otlp_judge.accepted(exchange) or otlp_judge.reached(exchange):
        return True
    return exchange.answer.status == 401 and bool(credential_judge.gateway_error(exchange.answer.body))

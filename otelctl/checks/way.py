"""The way to an endpoint, a stage at a time: name, proxy, port, TLS, and what the port speaks."""

from __future__ import annotations

from dataclasses import replace

from otelctl import otlp
from otelctl.checks.offline import PATH_DROPPED
from otelctl.checks.requests import HTTP, HTTP2, content, route
from otelctl.checks.run import Run
from otelctl.diagnose import grpc as grpc_judge
from otelctl.diagnose import network as network_judge
from otelctl.engine import Outcome
from otelctl.facts.wire import (
    Connected,
    Fault,
    FaultKind,
    Greeted,
    HttpAnswer,
    HttpRequest,
    Resolved,
    RpcAnswer,
    RpcRequest,
    Secured,
    Stage,
)
from otelctl.settings import Protocol


def place(run: Run) -> grpc_judge.Place:
    """Return what gRPC's judge needs to know besides a fact."""
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    return grpc_judge.Place(run.endpoint, run.subject, run.target.protocol)


def dns(run: Run) -> Outcome:
    """Find the addresses of the host, or of the proxy before it."""
    endpoint = run.endpoint
    assert endpoint is not None  # noqa: S101  the table has it after `endpoint`
    scheme = "grpc" if run.grpc else endpoint.scheme
    proxy = run.proxy = run.world.proxies.proxy_for(scheme, endpoint.host, endpoint.port)
    run.link = run.world.network.open(route(run))
    fact = run.link.resolve()
    findings = network_judge.judge_resolve(fact, url=run.url, subject=run.subject)
    detail = ", ".join(fact.addresses[:2]) if isinstance(fact, Resolved) else ""
    return Outcome(findings, f"proxy {proxy.host}:{proxy.port} ({proxy.source}), {detail}" if proxy else detail)


def tcp(run: Run) -> Outcome:
    """Connect to the port."""
    assert run.link is not None  # noqa: S101  the table has it after `dns`
    fact = run.link.connect()
    findings = network_judge.judge_connect(fact, url=run.url, subject=run.subject)
    return Outcome(findings, f"{fact.address} port {fact.port}" if isinstance(fact, Connected) else "")


def tls(run: Run) -> Outcome:
    """Shake hands, and look at the certificate."""
    assert run.link is not None and run.endpoint is not None  # noqa: S101, PT018  the table has it after `tcp`
    if not run.endpoint.tls:
        return Outcome(skipped="plain HTTP/2" if run.grpc else "plain HTTP")
    fact = run.link.secure()
    if run.grpc and isinstance(fact, Fault) and fact.kind is FaultKind.ALPN:
        fact = _look(run, tls=True)[0] or fact  # offered HTTP/1 too, it shows its certificate and what it chooses
    findings = grpc_judge.judge_secure(fact, place(run)) if run.grpc else ()
    findings = findings or network_judge.judge_secure(fact, url=run.url, subject=run.subject)
    if not isinstance(fact, Secured):
        return Outcome(findings)
    run.leaf = fact.certificate
    alpn = f", {fact.alpn}" if fact.alpn else ""
    until = fact.certificate.not_after.date().isoformat()
    verified = "" if fact.verified else ", NOT verified (--insecure)"
    return Outcome(findings, f"{fact.version}{alpn}, {fact.certificate.issuer} until {until}{verified}")


def http2(run: Run) -> Outcome:
    """Greet the port by HTTP/2, so that what speaks something else is named by what it says."""
    assert run.link is not None and run.endpoint is not None  # noqa: S101, PT018  the table has it after `tcp`
    fact = run.link.greet()
    hung_up = isinstance(fact, Fault) and fact.kind in (FaultKind.CLOSED, FaultKind.RESET)
    tls_instead = hung_up and not run.endpoint.tls and _speaks_tls(*_look(run, tls=True))
    findings = grpc_judge.judge_greeting(fact, place(run), tls_instead=tls_instead)
    if not findings and isinstance(fact, Greeted) and _kind(fact) is grpc_judge.Spoken.HTTP2:
        return Outcome(run.suspected(PATH_DROPPED))
    if findings:
        return Outcome(findings)
    return Outcome(network_judge.judge_fault(_as_fault(fact), url=run.url, subject=run.subject))


def _look(run: Run, *, tls: bool, alpn: tuple[str, ...] = (*HTTP2, *HTTP)) -> tuple[Secured | None, Greeted | Fault]:
    """Return what a connection of its own shows of a port: the handshake if TLS is spoken, and the greeting."""
    link = run.world.network.open(route(run, tls=tls, alpn=alpn))
    try:
        for step in (link.resolve, link.connect):
            fact = step()
            if isinstance(fact, Fault):
                return None, fact
        secured = link.secure() if tls else None
        if isinstance(secured, Fault):
            return None, secured
        return secured, link.greet()
    finally:
        link.close()


def _kind(fact: Greeted | Fault) -> grpc_judge.Spoken | None:
    """Return what a peer speaks by its first bytes, None where it said nothing."""
    return grpc_judge.spoken(fact.first_bytes) if fact.first_bytes else None


def _as_fault(fact: Greeted | Fault) -> Fault:
    if isinstance(fact, Fault):
        return fact
    return Fault(Stage.RECEIVE, FaultKind.NOT_HTTP, "no HTTP", fact.seconds, fact.first_bytes)


_OTLP = (grpc_judge.Spoken.HTTP1, grpc_judge.Spoken.HTTP2)
# Faults of a handshake that only a peer that speaks TLS can cause.
_OF_TLS = frozenset(
    {
        FaultKind.CERT_UNTRUSTED,
        FaultKind.CERT_HOSTNAME,
        FaultKind.CERT_EXPIRED,
        FaultKind.CERT_NOT_YET_VALID,
        FaultKind.CERT_OTHER,
        FaultKind.CLIENT_CERT_WANTED,
        FaultKind.CLIENT_CERT_REFUSED,
    }
)


def _speaks_tls(secured: Secured | None, said: Greeted | Fault) -> bool:
    return secured is not None or (isinstance(said, Fault) and said.kind in _OF_TLS)


def spoken(run: Run) -> Outcome:
    """Find out what the port speaks, by TLS or not, and go on with that."""
    endpoint = run.endpoint
    assert endpoint is not None and run.link is not None  # noqa: S101, PT018  the table has it after `tcp`
    tls = endpoint.tls
    secured, said = _look(run, tls=tls)
    if secured is None and _kind(said) is not grpc_judge.Spoken.OTHER and (tls or _kind(said) not in _OTLP):
        other, answer = _look(run, tls=not tls)
        if _speaks_tls(other, answer) or _kind(answer) in (*_OTLP, grpc_judge.Spoken.OTHER):
            tls, secured, said = not tls, other, answer
    run.given, run.endpoint = endpoint, endpoint
    if tls is not endpoint.tls:
        run.endpoint = replace(endpoint, scheme="https" if tls else "http", port_written=True)
    if isinstance(said, Fault) or _kind(said) not in _OTLP:
        return Outcome(network_judge.judge_fault(_as_fault(said), url=run.url, subject=run.subject))
    run.leaf = secured.certificate if secured else None
    detected = grpc_judge.Detected(_kind(said) is grpc_judge.Spoken.HTTP2 and _takes_grpc(run), tls)
    if endpoint.tls and not tls and run.confidential and not endpoint.private:
        # The user asked for TLS: the credential does not go out without it.
        return Outcome(grpc_judge.judge_agreement(None, detected, replace(place(run), at=endpoint)), str(detected))
    run.detected = detected
    run.proxy = run.world.proxies.proxy_for("grpc" if run.grpc else run.endpoint.scheme, endpoint.host, endpoint.port)
    run.link.close()
    run.link = run.world.network.open(route(run))
    for step in (run.link.resolve, run.link.connect):
        fact = step()
        if isinstance(fact, Fault):
            return Outcome(network_judge.judge_fault(fact, url=run.url, subject=run.subject), str(detected))
    return Outcome(detail=str(detected))


def _takes_grpc(run: Run) -> bool:
    """Tell whether HTTP/2 on a port is gRPC's: an HTTP server may speak it too, or one port both."""
    asked = run.asked
    if asked is not None and asked.value != Protocol.GRPC and _takes_http(run):
        return False
    request = RpcRequest(otlp.method(run.target.signals[0]), (), b"", leaf=run.leaf)
    fact = run.world.rpc.call(route(run, alpn=HTTP2), request)
    if isinstance(fact, RpcAnswer) and fact.http_status is None:
        return True
    return not _takes_http(run)


def _takes_http(run: Run) -> bool:
    """Tell whether a port answers HTTP/1.1, to a request without a credential, as an HTTP server does."""
    link = run.world.network.open(route(run, alpn=HTTP))
    try:
        answer = link.exchange(HttpRequest("POST", "/v1/traces", content(Protocol.HTTP_JSON), b"{}"))
    finally:
        link.close()
    return isinstance(answer, HttpAnswer) and not network_judge.judge_answer(answer, url=run.url, subject="")


def agreement(run: Run) -> Outcome:
    """Compare what the port was found to speak with what the settings ask for."""
    assert run.detected is not None and run.given is not None  # noqa: S101, PT018  the table has it after `spoken`
    asked = run.asked
    findings = grpc_judge.judge_agreement(asked, run.detected, replace(place(run), at=run.given))
    if run.grpc:
        findings += run.suspected(PATH_DROPPED)
    if asked is None and not findings:
        return Outcome(skipped="no setting names a protocol")
    return Outcome(findings, f"{asked.value} from {asked.source}" if asked else "")


def clock(run: Run) -> Outcome:
    """Compare this clock with the date of the first answer."""
    if run.date is None:
        return Outcome(skipped="no answer with a date came")
    header, seen = run.date
    findings = network_judge.judge_clock(header, seen, url=run.url, subject=run.subject)
    return Outcome(findings)

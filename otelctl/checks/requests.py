"""How a request goes out, over HTTP or gRPC, as an exporter with the same settings sends it; and what comes back."""

from __future__ import annotations

from dataclasses import replace

from otelctl import __version__, otlp
from otelctl.checks.run import Run
from otelctl.diagnose.otlp import Exchange
from otelctl.endpoint import Endpoint, signal_endpoint
from otelctl.facts.wire import Fault, HttpRequest, Route, RpcRequest
from otelctl.secret import Secret
from otelctl.settings import Protocol, Signal, Source, SourceKind

_TEXT = 160


HTTP, HTTP2 = ("http/1.1",), ("h2",)


def route(run: Run, *, tls: bool | None = None, alpn: tuple[str, ...] | None = None) -> Route:
    """Return the way to the endpoint: by TLS as its scheme says, and offering what the protocol needs."""
    endpoint, target = run.endpoint, run.target
    assert endpoint is not None  # noqa: S101  the table has it after `endpoint`
    offered = alpn or (HTTP2 if run.grpc else HTTP)
    return Route(
        endpoint.host,
        endpoint.port,
        target.tls if (endpoint.tls if tls is None else tls) else None,
        run.proxy,
        target.timeout,
        target.deadline,
        offered,
        tunnel="h2" in offered,
    )


def authorization_of(run: Run) -> Secret | None:
    """Return what goes out as Authorization: what an exporter sends, or what was meant where it sends none.

    A probe of what was meant tells whether syntax alone is at fault.
    """
    header = run.header
    return None if header is None else header.wire or header.mended() or header.meant


def content(protocol: Protocol) -> tuple[tuple[str, Secret], ...]:
    """Return the headers that need no setting: who asks, and in which format."""
    agent = Secret(f"otelctl/{__version__}")
    return (("user-agent", agent), ("content-type", Secret(otlp.content_type(protocol))))


def _headers(run: Run, protocol: Protocol, *, gzip: bool) -> tuple[tuple[str, Secret], ...]:
    """Return the headers of one request, as an exporter with these settings sends them."""
    fields = dict(content(protocol))
    if gzip:
        fields["content-encoding"] = Secret("gzip")
    if run.header is not None:
        fields |= {name: value for name, value in run.header.other if name not in fields}
    authorization = authorization_of(run)
    if authorization is not None:
        fields["authorization"] = authorization
    return tuple(fields.items())


def ask(run: Run, posted: Endpoint, signal: Signal, protocol: Protocol, body: bytes | None = None) -> Exchange | Fault:
    """Send one request: `body`, or an empty one, which leaves nothing behind."""
    if protocol is Protocol.GRPC:
        return call(run, signal, body)
    assert run.link is not None  # noqa: S101  the table has it after `tcp`
    empty = body is None
    gzip = run.target.gzip and not empty
    sent = otlp.empty_request(protocol) if body is None else body
    answer = run.link.exchange(HttpRequest("POST", posted.target, _headers(run, protocol, gzip=gzip), sent))
    if isinstance(answer, Fault):
        return answer
    read = otlp.read_answer(signal, answer.header("content-type"), answer.body, truncated=answer.truncated)
    return _seen(run, Exchange(run.url, posted, run.subject, answer, read, "", protocol, len(sent), empty))


def _seen(run: Run, exchange: Exchange) -> Exchange:
    """Return an exchange with the words of its answer, cleaned; the server's time is kept for the clock.

    Cleaned before anybody cuts them: what is left of a secret after a cut may be too short to be known again.
    """
    raw = exchange.answer
    headers = tuple((name, run.redact(value)) for name, value in raw.headers)
    answer = replace(raw, reason=run.redact(raw.reason), headers=headers)
    if run.date is None and answer.header("date"):
        run.date = (answer.header("date"), run.world.clock.now())
    if run.target.headers is not None:
        exchange = replace(exchange, tenant_command=_with_tenant(run.target.headers.source, run.target.fix_command))
    return replace(exchange, answer=answer, text=(run.redact(exchange.read.message) or answer.reason)[:_TEXT])


def _with_tenant(source: Source, fix_command: str) -> str:
    """Return the command that adds a tenant's header to the headers of that source, and loses none of them."""
    variable = source.kind is SourceKind.VARIABLE
    if variable and source.name.endswith("_HEADERS"):
        return f'export {source.name}="${source.name},X-Scope-OrgID=TENANT"'
    made = "otelctl encode-auth" if variable else fix_command
    return f'export OTEL_EXPORTER_OTLP_HEADERS="$({made}),X-Scope-OrgID=TENANT"'


# What gRPC says by itself, and takes from nobody.
_RESERVED = ("user-agent", "content-type", "content-encoding", "te", "host", "connection")


def call(run: Run, signal: Signal, body: bytes | None) -> Exchange | Fault:
    """Make one call over gRPC, with the headers as metadata; its answer is read as its twin of HTTP."""
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    fields = _headers(run, Protocol.GRPC, gzip=False)
    metadata = tuple((name.lower(), value) for name, value in fields if name.lower() not in _RESERVED)
    gzip = run.target.gzip and body is not None
    request = RpcRequest(otlp.method(signal), metadata, body or b"", gzip=gzip, leaf=run.leaf)
    answer = run.world.rpc.call(route(run), request)
    if isinstance(answer, Fault):
        return answer
    twin, read, posted = otlp.as_http(answer), otlp.read_rpc(signal, answer), run.endpoint.with_path("")
    size = len(request.message)
    return _seen(run, Exchange(run.url, posted, run.subject, twin, read, "", Protocol.GRPC, size, body is None))


def protocol_of(run: Run) -> Protocol:
    """Return what is spoken: what the settings ask for, or what the port was found to speak."""
    if run.grpc:
        return Protocol.GRPC
    asked = run.target.protocol.value
    return Protocol.HTTP_PROTOBUF if asked == Protocol.GRPC else Protocol(asked)


def posted_to(run: Run, signal: Signal) -> Endpoint:
    """Return where a request for a signal goes: the endpoint itself, or the signal's path below it."""
    assert run.endpoint is not None  # noqa: S101  the table has it after `endpoint`
    return run.endpoint if run.target.per_signal else signal_endpoint(run.endpoint, signal)

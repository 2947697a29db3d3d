"""Judges a receiver's answer over OTLP/HTTP: status, headers, content type and bytes together.

Source: opentelemetry-proto docs/specification.md, "OTLP/HTTP Response"; what else is matched is in the recorded
answers of real servers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from otelctl.catalog import endpoint as endpoint_catalog
from otelctl.catalog import otlp as catalog
from otelctl.endpoint import Endpoint, EndpointError, GrafanaHost, names_signal, parse, without_signal
from otelctl.facts.wire import HttpAnswer
from otelctl.model import Certainty, Finding
from otelctl.otlp import Answer, AnswerKind
from otelctl.settings import Protocol

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, as far as a judge needs them.

    `text` is the answer's own words, redacted and bounded. `empty` tells that the request held no telemetry.
    `tenant_command` adds the header of a tenant to those that are configured.
    """

    url: str
    posted: Endpoint
    subject: str
    answer: HttpAnswer
    read: Answer
    text: str
    protocol: Protocol
    size: int
    empty: bool
    tenant_command: str = "export OTEL_EXPORTER_OTLP_HEADERS=X-Scope-OrgID=TENANT"

    @property
    def words(self) -> str:
        """All that the answer says, to be matched and never shown: `text` is cut for people to read."""
        return self.read.message or self.text


# google.rpc's PERMISSION_DENIED and UNAUTHENTICATED, and the HTTP statuses that some servers write in their place.
_NOT_PAST_AUTH = frozenset({7, 16, 401, 403})


def accepted(exchange: Exchange) -> bool:
    """Tell whether the receiver took the request as a whole: 200 with an OTLP success, or 204 without a body.

    204 is what some receivers answer to logs. A 200 alone proves nothing: web pages give it as well.
    """
    answer, read = exchange.answer, exchange.read
    if answer.status == 204:
        return read.kind is AnswerKind.EMPTY or read.kind is AnswerKind.SUCCESS
    if answer.status not in (200, 202):
        return False
    return read.kind is AnswerKind.SUCCESS or (read.kind is AnswerKind.PARTIAL and read.rejected == 0)


def reached(exchange: Exchange) -> bool:
    """Tell whether a receiver read our empty request past any authentication, though it wants content in it."""
    return (
        exchange.empty
        and exchange.answer.status in (400, 422)
        and exchange.read.kind is AnswerKind.STATUS
        and exchange.read.code not in _NOT_PAST_AUTH
        and not _by_text(exchange)
    )


def doubtful(exchange: Exchange) -> bool:
    """Tell whether the answer to an empty protobuf body leaves open what an empty JSON object would settle."""
    if not exchange.empty or exchange.protocol is not Protocol.HTTP_PROTOBUF:
        return False
    if exchange.answer.status in (200, 202):
        return exchange.read.kind in (AnswerKind.EMPTY, AnswerKind.UNREADABLE)
    return exchange.answer.status in (400, 411, 422) and not _by_text(exchange)


def judge_answer(exchange: Exchange) -> tuple[Finding, ...]:
    """Return what an answer other than 401, 403 and 404 means; nothing when it is an acceptance."""
    answer, read, subject = exchange.answer, exchange.read, exchange.subject
    if read.kind is AnswerKind.PARTIAL and answer.status in (200, 202):
        text = exchange.text or "no message"
        if read.rejected:
            return (
                *_by_text(exchange),
                catalog.PARTIAL.found(CERTAIN, subject, rejected=read.rejected, text=text, url=exchange.url),
            )
        return (catalog.PARTIAL_WARNING.found(CERTAIN, subject, text=text, url=exchange.url),) if read.message else ()
    if accepted(exchange) or reached(exchange):
        return ()
    if known := _by_text(exchange):
        return known
    if answer.status < 300:
        return _judge_2xx(exchange)
    if answer.status < 400:
        return _judge_redirect(exchange)
    return _judge_error(exchange)


def _judge_2xx(exchange: Exchange) -> tuple[Finding, ...]:
    what = describe(exchange)
    posted, status = exchange.posted.url, exchange.answer.shown
    if exchange.read.kind in (AnswerKind.HTML, AnswerKind.JSON_OTHER, AnswerKind.TEXT, AnswerKind.STATUS):
        if exchange.posted.grafana is GrafanaHost.STACK:
            return (endpoint_catalog.UI_HOST.found(CERTAIN, exchange.subject, host=exchange.posted.host),)
        certainty = CERTAIN if exchange.read.kind is AnswerKind.HTML else LIKELY
        return (catalog.NOT_OTLP.found(certainty, exchange.subject, posted=posted, status=status, what=what),)
    return (_unclear(exchange, what),)


_LOGIN = re.compile(r"(?:^|[/_.-])(?:log-?in|sign-?in|sso|oauth2?|saml|auth)(?:$|[/_.-])", re.IGNORECASE)


def _judge_redirect(exchange: Exchange) -> tuple[Finding, ...]:
    answer, posted = exchange.answer, exchange.posted
    if posted.grafana is GrafanaHost.STACK:
        return (endpoint_catalog.UI_HOST.found(CERTAIN, exchange.subject, host=posted.host),)
    # What a server writes there may be anything; only an address that could be an endpoint goes into a command.
    location = "".join(char for char in answer.header("location") if char.isprintable())[:200]
    try:
        target = parse(urljoin(posted.url, location))
    except (ValueError, EndpointError):
        target = None
    if target is None or not location:
        return (_unclear(exchange, f"a redirect to `{location or 'nowhere'}`"),)
    status = answer.status
    if target.host.lower() != posted.host.lower():
        # Never a command: it would send the credential to a host that the server chose.
        return (
            catalog.REDIRECT_AWAY.found(
                CERTAIN, exchange.subject, posted=posted.url, status=status, location=target.url
            ),
        )
    if _LOGIN.search(target.path):
        what = f"a redirect to a login page, {target.path}"
        return (catalog.NOT_OTLP.found(LIKELY, exchange.subject, posted=posted.url, status=status, what=what),)
    base = target.with_path(without_signal(target.path)) if names_signal(posted.path) else target
    return (
        catalog.REDIRECT.found(
            CERTAIN,
            exchange.subject,
            posted=posted.url,
            status=status,
            location=target.url,
            target=base.url,
        ),
    )


def _judge_error(exchange: Exchange) -> tuple[Finding, ...]:
    answer, subject, url = exchange.answer, exchange.subject, exchange.url
    posted, text = exchange.posted.url, exchange.text or "no text"
    match answer.status:
        case 405:
            return (catalog.METHOD.found(CERTAIN, subject, posted=posted, text=text, url=url),)
        case 413:
            return (
                catalog.TOO_LARGE.found(
                    CERTAIN, subject, posted=posted, status=answer.shown, size=exchange.size, text=text
                ),
            )
        case 415:
            other = Protocol.HTTP_PROTOBUF if exchange.protocol is Protocol.HTTP_JSON else Protocol.HTTP_JSON
            return (
                catalog.MEDIA_TYPE.found(
                    CERTAIN,
                    subject,
                    posted=posted,
                    content_type=exchange.protocol.value,
                    text=text,
                    url=url,
                    other=other.value,
                ),
            )
        case 429:
            wait = retry_after(answer)
            return (
                catalog.RATE.found(CERTAIN, subject, posted=posted, status=answer.shown, text=text, url=url, wait=wait),
            )
        case 500:
            return (
                catalog.SERVER_ERROR.found(CERTAIN, subject, posted=posted, status=answer.shown, text=text, url=url),
            )
        case 502 | 503 | 504:
            return (
                catalog.UNAVAILABLE.found(
                    CERTAIN, subject, posted=posted, status=answer.shown, text=text, url=url, stage=_stage(exchange)
                ),
            )
        case 400 | 422 if exchange.read.kind is AnswerKind.STATUS:
            return (catalog.REJECTED.found(CERTAIN, subject, posted=posted, status=answer.shown, text=text, url=url),)
        case _:
            return (_unclear(exchange, describe(exchange)),)


def _unclear(exchange: Exchange, what: str) -> Finding:
    return catalog.UNCLEAR.found(
        CERTAIN,
        exchange.subject,
        posted=exchange.posted.url,
        status=exchange.answer.shown,
        what=what,
        text=exchange.text or "no text",
    )


# What servers are known to say, and how sure that makes it.
_WORDS = (
    (re.compile(r"\bno org id\b", re.IGNORECASE), catalog.TENANT, CERTAIN),
    (
        re.compile(
            r"trace ids must be 128 bit|span ids must be 64 bit|ID\.UnmarshalJSON|invalid length for (?:Trace|Span)ID",
            re.IGNORECASE,
        ),
        catalog.BAD_IDS,
        CERTAIN,
    ),
    (re.compile(r"invalid temporality and type combination", re.IGNORECASE), catalog.TEMPORALITY, CERTAIN),
    (re.compile(r"timestamp too old", re.IGNORECASE), catalog.TOO_OLD, CERTAIN),
    (re.compile(r"too far behind|(?:sample|timestamp).{0,40}out of bounds", re.IGNORECASE), catalog.TOO_OLD, LIKELY),
    (re.compile(r"RATE_LIMITED|ingestion rate limit"), catalog.RATE_LIMITED, CERTAIN),
    (re.compile(r"request body too large", re.IGNORECASE), catalog.TOO_LARGE, CERTAIN),
)


def _by_text(exchange: Exchange) -> tuple[Finding, ...]:
    """Match the words that Tempo, Mimir and the Collector are known to use, in an error or a partial success."""
    if exchange.read.kind is AnswerKind.HTML:
        return ()
    for pattern, row, sure in _WORDS:
        if pattern.search(exchange.words):
            evidence: dict[str, object] = {
                "posted": exchange.posted.url,
                "status": exchange.answer.shown,
                "text": exchange.text,
                "url": exchange.url,
                "size": exchange.size,
                "tenant_command": exchange.tenant_command,
            }
            return (row.found(sure, exchange.subject, **{name: evidence[name] for name in row.placeholders}),)
    return ()


def wants_tenant(exchange: Exchange) -> tuple[Finding, ...]:
    """Return OTLP-TENANT where a 401 is not about the credential but about the missing tenant."""
    return tuple(finding for finding in _by_text(exchange) if finding.code == catalog.TENANT.code)


def retry_after(answer: HttpAnswer) -> str:
    """Return what Retry-After asks for in words: seconds, or until an HTTP date (RFC 9110, 10.2.3)."""
    value = answer.header("retry-after").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return f"{int(value)} s"
    if re.fullmatch(r"[A-Za-z]{3}, [0-9]{2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} GMT", value):
        return f"until {value}"
    return "for a time that it does not name"


def _stage(exchange: Exchange) -> str:
    """Say who answered with 502, 503 or 504, as far as the body tells."""
    text = f"{exchange.text} {exchange.answer.header('server')}".lower()
    if exchange.read.kind is AnswerKind.STATUS:
        return "The receiver itself says so: what it passes the data on to does not take it now."
    for name in ("nginx", "envoy", "cloudflare", "awselb", "haproxy", "traefik"):
        if name in text:
            return f"A proxy before the receiver answered ({name}): what stands behind it did not."
    return "The receiver, or a proxy before it, answered."


def describe(exchange: Exchange) -> str:
    """Say in a few words what the body of an answer is."""
    return {
        AnswerKind.HTML: "an HTML page",
        AnswerKind.JSON_OTHER: "JSON that is not OTLP's",
        AnswerKind.TEXT: "plain text",
        AnswerKind.EMPTY: "no body",
        AnswerKind.UNREADABLE: "bytes that are neither OTLP nor text",
        AnswerKind.STATUS: "an error in OTLP's form",
        AnswerKind.PARTIAL: "a partial success",
        AnswerKind.SUCCESS: "an OTLP success",
    }[exchange.read.kind]

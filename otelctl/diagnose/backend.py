"""Judges what a backend says of a trace: its URL, its refusals, and what is there of the trace.

Source of the texts that are matched: recorded answers, and the answers of Grafana Cloud's authentication as the field
reports them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from otelctl.backend import Backend, Found, Reading
from otelctl.catalog import backend as catalog
from otelctl.endpoint import GRPC_PORT, HTTP_PORT, Endpoint, GrafanaHost
from otelctl.facts.wire import HttpAnswer
from otelctl.model import Certainty, Diagnosis, Finding
from otelctl.otlp import Answer, AnswerKind

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY

OPTIONS = {Backend.TEMPO: "--tempo-url", Backend.JAEGER: "--jaeger-url"}
_EXAMPLES = {
    Backend.TEMPO: "https://tempo-prod-NN-ZONE.grafana.net/tempo",
    Backend.JAEGER: "http://localhost:16686",
}
_CREDENTIALS = {
    Backend.TEMPO: "--tempo-user USER_ID --backend-token-file TOKEN_FILE",
    Backend.JAEGER: "--backend-header-file HEADER_FILE",
}
_SHOWN = 5

_BODIES = {
    AnswerKind.HTML: "an HTML page",
    AnswerKind.TEXT: "plain text",
    AnswerKind.EMPTY: "no body",
    AnswerKind.UNREADABLE: "bytes that are no text",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked of whom: a trace by its ID, of a backend at a URL that a setting named.

    `after_sending` says that its spans had been accepted before; `credential` that one went along.
    """

    backend: Backend
    url: str
    subject: str
    trace_id: str
    after_sending: bool = False
    credential: bool = False

    def found(self, row: Diagnosis, certainty: Certainty, **evidence: object) -> tuple[Finding]:
        """Return the finding; of what is known of the question, it takes what the row's words ask for."""
        known: dict[str, object] = {
            "url": self.url,
            "trace_id": self.trace_id,
            "option": OPTIONS[self.backend],
            "example": _EXAMPLES[self.backend],
            "with_command": _CREDENTIALS[self.backend],
        }
        known |= evidence
        return (row.found(certainty, self.subject, **{name: known[name] for name in row.placeholders}),)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer, as far as a judge needs it: where it came from, and its own words, redacted and bounded."""

    asked: str
    answer: HttpAnswer
    body: Answer
    text: str


def judge_unreadable(question: Question, problem: str) -> tuple[Finding, ...]:
    """Return why a text is no URL; `problem` is the sentence of endpoint.EndpointError."""
    return question.found(catalog.URL_UNREADABLE, CERTAIN, problem=problem)


def judge_url(question: Question, endpoint: Endpoint) -> tuple[Finding, ...]:
    """Return what the URL shows before anything is asked: it takes spans, or would have a credential in the clear."""
    host, path = endpoint.host.lower(), endpoint.path.rstrip("/")
    if endpoint.grafana is GrafanaHost.GATEWAY and host.startswith("otlp-gateway-"):
        return question.found(
            catalog.URL_GATEWAY, CERTAIN, what="Grafana Cloud's OTLP gateway, which takes spans alone"
        )
    if path.endswith("/v1/traces"):
        return question.found(catalog.URL_GATEWAY, CERTAIN, what="the path at which a receiver takes spans")
    if question.credential and not endpoint.tls and not endpoint.private:
        port = endpoint.port if endpoint.port_written else 443
        return question.found(catalog.PLAINTEXT, CERTAIN, right=replace(endpoint, scheme="https", port=port).url)
    return ()


def judge_header(question: Question, source: str) -> tuple[Finding, ...]:
    """Return that a configured credential cannot be sent."""
    return question.found(catalog.HEADER, CERTAIN, source=source)


def transient(status: int) -> bool:
    """Tell whether asking again may give another status: limits, and servers that come up."""
    return status == 429 or status >= 500


def judge_refusal(question: Question, reply: Reply) -> tuple[Finding, ...]:
    """Return why the backend did not answer the question, where status and words alone tell; else nothing."""
    status, text = reply.answer.status, reply.text or "no text"
    shown = {"asked": reply.asked, "status": status, "text": text}
    if re.search(r"\bno org id\b", text, re.IGNORECASE):
        return question.found(catalog.TENANT, CERTAIN, **shown)
    if status in (401, 403):
        if "scope" in text.lower():
            return question.found(catalog.READ_SCOPE, CERTAIN, **shown)
        if not question.credential or "no credentials provided" in text:
            return question.found(catalog.NO_CREDENTIAL, CERTAIN, **shown)
        # A policy without the scope, or an IP that is not on its list, may give a bare 403.
        return question.found(catalog.REFUSED, CERTAIN if status == 401 else LIKELY, **shown)
    if transient(status):
        return question.found(catalog.FAILING, CERTAIN, **shown)
    return ()


def judge_elsewhere(
    question: Question, reply: Reply, working: tuple[Backend, str] | None, tried: tuple[str, ...], endpoint: Endpoint
) -> tuple[Finding, ...]:
    """Return what is at a URL that gave no answer of the query API; `working` is who answers, below which path."""
    status, text = reply.answer.status, reply.text or "no text"
    shown = {"asked": reply.asked, "status": status, "text": text}
    if working is not None:
        backend, path = working
        right = replace(endpoint, path=path, query="").url
        if backend is not question.backend:
            return question.found(
                catalog.URL_KIND, CERTAIN, **shown, backend=backend.value, right=right, right_option=OPTIONS[backend]
            )
        return question.found(catalog.URL_PATH, CERTAIN, **shown, backend=backend.value, right=right)
    if endpoint.port in (HTTP_PORT, GRPC_PORT) and status in (404, 405):
        what = f"port {endpoint.port}, at which receivers take spans"
        return question.found(catalog.URL_GATEWAY, LIKELY, what=what)
    if 300 <= status < 400 or reply.body.kind is AnswerKind.HTML:
        what = "a redirect" if 300 <= status < 400 else "an HTML page"
        return question.found(catalog.URL_UI, CERTAIN if status < 400 else LIKELY, **shown, what=what)
    if status in (404, 405):
        places = ", ".join(tried) or "no other path"
        return question.found(catalog.URL_OTHER, CERTAIN, **shown, tried=places)
    return _unreadable(question, reply)


def _unreadable(question: Question, reply: Reply) -> tuple[Finding, ...]:
    what = "more than can be read" if reply.answer.truncated else _BODIES.get(reply.body.kind, "JSON of another kind")
    text = reply.text or "no text"
    status = reply.answer.status
    return question.found(catalog.UNREADABLE, CERTAIN, asked=reply.asked, status=status, what=what, text=text)


def judge_unread(question: Question, reply: Reply, reading: Reading) -> tuple[Finding, ...]:
    """Return that the query API answered with what cannot be read as a trace."""
    return _unreadable(question, replace(reply, text=reading.text or reply.text))


def judge_presence(question: Question, reading: Reading, seconds: float) -> tuple[Finding, ...]:
    """Return whether the trace is missing after so many seconds of asking, or since its spans were accepted."""
    if reading.found is Found.TRACE:
        return ()
    row = catalog.NOT_FOUND if question.after_sending else catalog.ABSENT
    return question.found(row, CERTAIN, seconds=_seconds(seconds))


def judge_whole(question: Question, reading: Reading, sent: frozenset[str], seconds: float) -> tuple[Finding, ...]:
    """Return what is missing from a trace that is there. `sent` are the ids of spans known to have been accepted."""
    found: list[Finding] = []
    missing = sorted(sent - reading.span_ids)
    if missing and not (reading.partial and not reading.spans):
        found += question.found(
            catalog.INCOMPLETE, CERTAIN, seconds=_seconds(seconds), found=len(sent) - len(missing), sent=len(sent),
            missing=_listed(missing),
        )  # fmt: skip
    if reading.partial:
        found += question.found(catalog.PARTIAL, CERTAIN, text=reading.text or "it gives no reason")
    if found:
        return tuple(found)
    return _judge_parents(question, reading)


def _judge_parents(question: Question, reading: Reading) -> tuple[Finding, ...]:
    absent = reading.parents_missing
    if not absent or question.after_sending:
        return ()  # what was sent by us is judged by its ids, and its parent may be anybody's
    if len(absent) == 1 and not reading.rooted:
        return question.found(catalog.ROOT_ELSEWHERE, CERTAIN, missing=absent[0])
    count = sum(span.parent_id in absent for span in reading.spans)
    return question.found(catalog.GAPS, CERTAIN, count=count, missing=_listed(absent))


def _listed(ids: list[str] | tuple[str, ...]) -> str:
    more = len(ids) - _SHOWN
    return ", ".join(ids[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _seconds(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"

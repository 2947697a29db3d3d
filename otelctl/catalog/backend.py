"""What goes wrong when a trace is read back from where it should have landed."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_TEMPO = "https://grafana.com/docs/tempo/latest/api_docs/"
_CLOUD = "https://grafana.com/docs/grafana-cloud/send-data/traces/"
_JAEGER = "https://www.jaegertracing.io/docs/latest/architecture/apis/"
_LOST = "https://grafana.com/docs/tempo/latest/troubleshooting/"

_ASK = "otelctl find-trace {trace_id} {option} {url}"
_AGAIN = Step("Ask again.", _ASK)


def _row(
    code: str, title: str, severity: Severity, summary: str, cause: str, *fix: Step, refs: tuple[str, ...] = (_TEMPO,)
) -> Diagnosis:
    return Diagnosis(code, title, severity, summary, cause, fix, refs)


NOT_FOUND = _row(
    "TRACE-NOT-FOUND",
    "The trace was accepted and is not in the backend",
    Severity.ERROR,
    "{seconds} s after its spans were accepted, {url} has no trace {trace_id}.",
    "An accepted span is not yet a stored one. A Collector in between may have dropped it after its answer, in its "
    "queue or for its backend's refusal; Tempo refuses after its answer too (TRACE_TOO_LARGE, LIVE_TRACES_EXCEEDED); "
    "the query may go to another stack or tenant than the spans; or storing takes longer than was waited.",
    Step("Ask again, for longer.", _ASK + " --within 300"),
    Step("Read what was dropped: tempo_discarded_spans_total by reason, or otelcol_exporter_send_failed_spans."),
    Step("Compare where spans are sent with where they are read.", "otelctl check-endpoint --show-settings"),
    refs=(_LOST,),
)
ABSENT = _row(
    "TRACE-ABSENT",
    "The backend has no such trace",
    Severity.ERROR,
    "{url} was asked for {seconds} s and has no trace {trace_id}.",
    "Its spans were never sent (not sampled, or not exported before the process ended), were dropped on the way, went "
    "to another stack or tenant, or are older than what the backend keeps; or the ID is another one.",
    Step("Send a trace that is known, and see whether it arrives.", "otelctl send-test-span --verify {option} {url}"),
    Step("If it was sent just now, ask for longer.", _ASK + " --within 120"),
)
INCOMPLETE = _row(
    "TRACE-INCOMPLETE",
    "Spans that were accepted are missing from the trace",
    Severity.ERROR,
    "{seconds} s after they were accepted, {url} has {found} of {sent} spans of trace {trace_id}; missing: {missing}.",
    "Spans of a trace travel and are stored in batches, and each can be lost alone: a Collector filters or samples "
    "them, an exporter's queue was full, or the trace went over the backend's limit of its size.",
    Step("Ask again, for longer.", _ASK + " --within 300"),
    Step("Read what was dropped: tempo_discarded_spans_total by reason, or otelcol_exporter_send_failed_spans."),
    refs=(_LOST,),
)
PARTIAL = _row(
    "TRACE-PARTIAL",
    "The backend returns only a part of the trace",
    Severity.WARNING,
    "{url} marks its answer as partial: {text}.",
    "Tempo returns no more of a trace than its limit allows, or what a filter or pruning has left of it. What is not "
    "in the answer may be stored all the same.",
    Step("Raise max_bytes_per_trace of the tenant, or begin a new trace where one goes on for long; then ask again.",
         _ASK),
)  # fmt: skip
GAPS = _row(
    "TRACE-GAPS",
    "Spans name parents that are not in the trace",
    Severity.WARNING,
    "{count} spans have parents that {url} does not have: {missing}.",
    "The service in between exports to somewhere else or not at all, decides by itself which spans to keep, or has not "
    "yet sent its batch.",
    Step("Ask again, for longer.", _ASK + " --within 120"),
    Step("If it stays, look at the exporter and the sampler of the service that calls these spans."),
)
ROOT_ELSEWHERE = _row(
    "TRACE-ROOT-ELSEWHERE",
    "The trace begins where the backend has no spans",
    Severity.NOTICE,
    "The first span has the parent {missing}, which {url} does not have.",
    "The trace was begun by a caller whose spans go elsewhere or nowhere (a browser, a load balancer, `--parent`), or "
    "its root span is still open: a span is exported when it ends.",
    _AGAIN,
)
READ_SCOPE = _row(
    "TRACE-READ-SCOPE",
    "The token may not read traces",
    Severity.ERROR,
    "{asked} answered {status}: {text}.",
    "The token is known, and its access policy lacks traces:read; one made for sending has traces:write alone. "
    "Whether the trace is there was not told.",
    Step("Add the scope traces:read to the access policy; the token stays the same. Then ask again.", _ASK),
    refs=(_CLOUD,),
)
NO_CREDENTIAL = _row(
    "TRACE-NO-CREDENTIAL",
    "The backend wants a credential",
    Severity.ERROR,
    "{asked} answered {status} ({text}) to a query without a credential.",
    "Reading wants one of its own. In Grafana Cloud it is the traces user ID, which is not the OTLP instance ID, and a "
    "token with traces:read, in GRAFANA_TEMPO_USER and GRAFANA_TEMPO_TOKEN; elsewhere it may be any header.",
    Step("Ask with the credential for reading.", _ASK + " {with_command}"),
    refs=(_CLOUD,),
)
REFUSED = _row(
    "TRACE-CREDENTIAL-REFUSED",
    "The backend refuses the credential",
    Severity.ERROR,
    "{asked} answered {status}: {text}.",
    "The user or the token is another stack's, was revoked, or is the OTLP instance ID where the traces user ID is "
    "wanted: the stack's page of Tempo shows it. Whether the trace is there was not told.",
    Step("Ask with the credential for reading.", _ASK + " {with_command}"),
    refs=(_CLOUD,),
)
HEADER = _row(
    "TRACE-CREDENTIAL-UNREADABLE",
    "The credential for reading is no header",
    Severity.ERROR,
    "{source} holds nothing that can be sent as a header.",
    "It takes `Authorization=Basic …`, `Authorization: Bearer …`, or other headers, as OTLP's variable does.",
    Step("Give user and token instead.", _ASK + " {with_command}"),
)
TENANT = _row(
    "TRACE-TENANT",
    "The backend wants a tenant",
    Severity.ERROR,
    "{asked} answered {status}: {text}.",
    "This Tempo is multi-tenant: it takes the tenant from the header X-Scope-OrgID, as when spans are sent.",
    Step("Name the tenant.", _ASK + " --tenant TENANT"),
    refs=("https://grafana.com/docs/tempo/latest/operations/manage-advanced-systems/multitenancy/",),
)
URL_UNREADABLE = _row(
    "TRACE-URL-UNREADABLE",
    "The backend's address is no URL",
    Severity.ERROR,
    "{url}: {problem}.",
    "It takes http:// or https://, a host, and the path below which the query API is.",
    Step("Give the whole URL.", "otelctl find-trace {trace_id} {option} {example}"),
)
URL_GATEWAY = _row(
    "TRACE-URL-GATEWAY",
    "The URL is where spans are sent, not where they are read",
    Severity.ERROR,
    "{url} is {what}.",
    "Traces are read at another address: in Grafana Cloud that of the stack's Tempo, as its page shows it, with /tempo "
    "at its end; a self-hosted Tempo answers queries at its own HTTP port, Jaeger at 16686.",
    Step("Ask where traces are read.", "otelctl find-trace {trace_id} {option} {example}"),
    refs=(_CLOUD,),
)
URL_UI = _row(
    "TRACE-URL-UI",
    "The backend's URL is a web page",
    Severity.ERROR,
    "{asked} answered {status} with {what}.",
    "Grafana's own address, or a login page before the backend, was taken for the query API.",
    Step("Ask the query API itself.", "otelctl find-trace {trace_id} {option} {example}"),
    refs=(_CLOUD,),
)
URL_PATH = _row(
    "TRACE-URL-PATH",
    "The query API is at another path of this host",
    Severity.ERROR,
    "{asked} answered {status}; {backend} answers below {right}.",
    "The base URL lacks a part of its path or has one too many; in Grafana Cloud it ends in /tempo.",
    Step("Use this URL.", "otelctl find-trace {trace_id} {option} {right}"),
)
URL_KIND = _row(
    "TRACE-URL-KIND",
    "Another backend is at this URL",
    Severity.ERROR,
    "{asked} answered {status}; below {right} it is {backend} that answers.",
    "The APIs of Tempo and Jaeger differ, so the option has to say which of them it is.",
    Step("Name it as what it is.", "otelctl find-trace {trace_id} {right_option} {right}"),
    refs=(_TEMPO, _JAEGER),
)
URL_OTHER = _row(
    "TRACE-URL-OTHER",
    "Nothing at this URL answers queries for traces",
    Severity.ERROR,
    "{asked} answered {status} ({text}), and neither Tempo nor Jaeger is at {tried}.",
    "The server is there, the query API is not: another port or host, or a proxy that passes on other paths only.",
    Step("Compare with the data source that Grafana uses, then ask again.", _ASK),
)
PLAINTEXT = _row(
    "TRACE-URL-PLAINTEXT",
    "The credential would be sent in the clear",
    Severity.ERROR,
    "{url} is http:// on a public host, and a credential is configured.",
    "Anyone on the way can read it. otelctl does not send it.",
    Step("Ask over TLS.", "otelctl find-trace {trace_id} {option} {right}"),
)
FAILING = _row(
    "TRACE-BACKEND-FAILING",
    "The backend cannot answer the query now",
    Severity.UNKNOWN,
    "{asked} answered {status}: {text}.",
    "Whether the trace is there was not told. Limits of queries (429) pass; a 5xx is in the backend's own log.",
    Step("Ask again, for longer.", _ASK + " --within 120"),
)
UNREADABLE = _row(
    "TRACE-ANSWER-UNREADABLE",
    "The backend's answer holds no trace that can be read",
    Severity.UNKNOWN,
    "{asked} answered {status} with {what}: {text}.",
    "It is neither a trace nor a known way to say that there is none, so nothing can be said of the trace.",
    Step("See the facts of the exchange.", _ASK + " --format json"),
)

ROWS = (
    NOT_FOUND, ABSENT, INCOMPLETE, PARTIAL, GAPS, ROOT_ELSEWHERE, READ_SCOPE, NO_CREDENTIAL, REFUSED, HEADER, TENANT,
    URL_UNREADABLE, URL_GATEWAY, URL_UI, URL_PATH, URL_KIND, URL_OTHER, PLAINTEXT, FAILING, UNREADABLE,
)  # fmt: skip

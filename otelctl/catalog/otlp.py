"""What a receiver's answers over OTLP/HTTP mean when they are not an acceptance."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_SPEC = "https://opentelemetry.io/docs/specs/otlp/"
_COLLECTOR = "https://github.com/open-telemetry/opentelemetry-collector/tree/main/receiver/otlpreceiver"

_AGAIN = "otelctl check-endpoint {url}"


def _row(
    code: str, title: str, severity: Severity, summary: str, cause: str, *fix: Step, refs: tuple[str, ...] = (_SPEC,)
) -> Diagnosis:
    return Diagnosis(code, title, severity, summary, cause, fix, refs)


PARTIAL = _row(
    "OTLP-PARTIAL",
    "Part of the data was rejected",
    Severity.ERROR,
    "The server accepted the request and rejected {rejected} of its items: {text}.",
    "They are dropped and must not be sent again; the message says why.",
    Step("Mend what the message names, then send again.", "otelctl send-test-span {url}"),
)
PARTIAL_WARNING = _row(
    "OTLP-PARTIAL-WARNING",
    "The server accepted everything, with a warning",
    Severity.WARNING,
    "Nothing was rejected; the server says: {text}.",
    "A partial success with no rejected items is a warning by the specification.",
    Step("See what the server means.", "otelctl send-test-span {url}"),
)
NOT_OTLP = _row(
    "OTLP-NOT-OTLP",
    "A web page answered, not a receiver",
    Severity.ERROR,
    "{posted} answered {status} with {what}, which is no OTLP answer.",
    "A login page, a load balancer's default page or another service stands at this URL. SDKs count any 200 as "
    "success, so the data is lost and nothing is logged.",
    Step(
        "Point the exporter at the receiver itself; for Grafana Cloud, copy the endpoint from its stack's page of "
        "OpenTelemetry."
    ),
    Step("See what answers. This sends no credential.", "curl -si -X POST {posted}"),
)
REDIRECT = _row(
    "OTLP-REDIRECT",
    "The server redirects",
    Severity.ERROR,
    "{posted} answered {status}, to {location}.",
    "Exporters follow no redirects; some count them as success and lose the data in silence.",
    Step("Use the address that it redirects to.", "otelctl check-endpoint {target}"),
)
REDIRECT_AWAY = _row(
    "OTLP-REDIRECT-AWAY",
    "The server redirects to another host",
    Severity.ERROR,
    "{posted} answered {status}, to {location}, which is on another host.",
    "Exporters follow no redirects. Where this one leads the server alone has chosen, and whoever sets that address "
    "sends the credential there.",
    Step("Set that address only if you know its host for your receiver's; else ask those who run the server."),
    Step("See the redirect for yourself. This sends no credential.", "curl -si -X POST {posted}"),
)
METHOD = _row(
    "OTLP-405",
    "The server takes no POST here",
    Severity.ERROR,
    "{posted} answered 405: {text}.",
    "OTLP is sent by POST. Something other than a receiver is at this path, a query API for instance.",
    Step("Point the exporter at the OTLP receiver: a Collector takes /v1/traces, Grafana Cloud's gateway /otlp."),
    Step("Then check again.", _AGAIN),
)
TOO_LARGE = _row(
    "OTLP-413",
    "The server says the request is too large",
    Severity.ERROR,
    "{posted} answered {status} to {size} bytes ({text}).",
    "A proxy or the receiver limits the size of a body; the answer's words tell whose limit it is.",
    Step(
        "Raise the limit (nginx: client_max_body_size), or lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE.",
        "export OTEL_BSP_MAX_EXPORT_BATCH_SIZE=128",
    ),
)
MEDIA_TYPE = _row(
    "OTLP-415",
    "The server does not take this content type",
    Severity.ERROR,
    "{posted} answered 415 to {content_type}: {text}.",
    "The receiver speaks another encoding of OTLP than the settings ask for.",
    Step("Try the other encoding.", "otelctl check-endpoint {url} --protocol {other}"),
)
RATE = _row(
    "OTLP-429",
    "The server limits the rate",
    Severity.ERROR,
    "{posted} answered {status} ({text}); it asks to wait {wait}.",
    "Too many requests or too much data for the limit of the stack, the tenant or a proxy before them.",
    Step("Wait, then check again; if it stays, raise the limit or sample.", _AGAIN),
)
SERVER_ERROR = _row(
    "OTLP-500",
    "The server fails inside",
    Severity.ERROR,
    "{posted} answered {status}: {text}.",
    "The receiver took the request and could not handle it; exporters drop the batch and do not try again.",
    Step("Read the receiver's log: it says what failed."),
    Step("Then check again.", _AGAIN),
)
UNAVAILABLE = _row(
    "OTLP-503",
    "The receiver is not available",
    Severity.ERROR,
    "{posted} answered {status} ({text}).",
    "{stage} Exporters try again for a while and then drop the batch.",
    Step("Wait for it to come up.", "otelctl smoke {url} --wait 60"),
)
TENANT = _row(
    "OTLP-TENANT",
    "The receiver wants a tenant",
    Severity.ERROR,
    "{posted} answered {status}: {text}.",
    "This is a self-hosted, multi-tenant backend: it takes the tenant from the header X-Scope-OrgID, and none was "
    "sent.",
    Step("Add the header to the others; in place of TENANT stands the tenant's own name.", "{tenant_command}"),
    refs=("https://grafana.com/docs/tempo/latest/operations/manage-advanced-systems/multitenancy/",),
)
UNIMPLEMENTED = _row(
    "OTLP-UNIMPLEMENTED",
    "The receiver has no pipeline for this signal",
    Severity.ERROR,
    "{posted} answered {status}, while {works} on the same host is accepted.",
    "A Collector serves a signal only when a pipeline for it uses the receiver.",
    Step(
        "Add a pipeline for {signal} with this receiver, then check again.",
        "otelctl check-endpoint {url} --signal {signal}",
    ),
    refs=(_COLLECTOR,),
)
BAD_IDS = _row(
    "OTLP-BAD-IDS",
    "The server rejects the trace or span IDs",
    Severity.ERROR,
    "{posted} answered {status}: {text}.",
    "A trace ID is 16 bytes and a span ID 8, never all zero; something on the way made them shorter or empty.",
    Step("Send a span with sound IDs, to see whether the path is at fault.", "otelctl send-test-span {url}"),
)
TEMPORALITY = _row(
    "OTLP-TEMPORALITY",
    "The server takes cumulative metrics only",
    Severity.ERROR,
    "{posted} answered {status}: {text}.",
    "The metrics came with delta temporality, which a Prometheus-like backend does not store.",
    Step("Make the exporter cumulative.", "export OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=cumulative"),
    refs=(_SPEC,),
)
TOO_OLD = _row(
    "OTLP-TOO-OLD",
    "The server says the data is too old",
    Severity.ERROR,
    "{posted} answered {status}: {text}.",
    "The times in the data lie outside what the backend takes: a clock that is wrong, or a backfill.",
    Step("Compare the clock with the server's.", _AGAIN),
)
RATE_LIMITED = _row(
    "OTLP-RATE-LIMITED",
    "The tenant's ingestion rate is used up",
    Severity.ERROR,
    "{posted} answered {status}: {text}.",
    "Tempo limits the bytes per second of each tenant and drops what is over.",
    Step("Sample, or raise ingestion.rate_limit_bytes of the tenant; then check again.", _AGAIN),
    refs=("https://grafana.com/docs/tempo/latest/configuration/#ingestion-limits",),
)
REJECTED = _row(
    "OTLP-400",
    "The receiver rejects the request",
    Severity.ERROR,
    "{posted} answered {status}: {text}.",
    "The receiver was reached and read the request, and finds its content wrong; exporters drop such a batch.",
    Step("Send a known good span, to see whether the data or the path is at fault.", "otelctl send-test-span {url}"),
)
UNCLEAR = _row(
    "OTLP-UNCLEAR",
    "The answer is none that a receiver is known to give",
    Severity.UNKNOWN,
    "{posted} answered {status} with {what}: {text}.",
    "It fits no acceptance and no known failure, so nothing can be said for sure.",
    Step("Ask those who run the server what it is; a receiver answers 200, with an empty body or a JSON object."),
    Step("See the answer for yourself. This sends no credential.", "curl -si -X POST {posted}"),
)

ROWS = (
    PARTIAL,
    PARTIAL_WARNING,
    NOT_OTLP,
    REDIRECT,
    REDIRECT_AWAY,
    METHOD,
    TOO_LARGE,
    MEDIA_TYPE,
    RATE,
    SERVER_ERROR,
    UNAVAILABLE,
    TENANT,
    UNIMPLEMENTED,
    BAD_IDS,
    TEMPORALITY,
    TOO_OLD,
    RATE_LIMITED,
    REJECTED,
    UNCLEAR,
)

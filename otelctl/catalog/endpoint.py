"""What goes wrong with the URL of an OTLP endpoint."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_DOC = "https://grafana.com/docs/grafana-cloud/send-data/otlp/send-data-otlp/"
_SPEC = "https://opentelemetry.io/docs/specs/otel/protocol/exporter/"

_SET = Step("Use this endpoint.", "{mend_command}")
_COPY = Step("Copy the endpoint from the stack's OpenTelemetry page: it begins with https://otlp-gateway-.")


def _error(code: str, title: str, summary: str, cause: str, *fix: Step, refs: tuple[str, ...] = (_SPEC,)) -> Diagnosis:
    return Diagnosis(code, title, Severity.ERROR, summary, cause, fix, refs)


UNREADABLE = _error(
    "URL-UNREADABLE",
    "The endpoint is not a URL that an exporter can use",
    "{url}: {problem}.",
    "An exporter needs http:// or https://, a host, and for a port a number from 1 to 65535.",
    Step("Give the whole URL: for Grafana Cloud, as the stack's OpenTelemetry page shows it."),
)
MISTYPED = _error(
    "URL-MISTYPED",
    "The endpoint is mistyped",
    "{url}: {problem}.",
    "An exporter takes the value as it stands: it knows http:// and https:// alone, and what surrounds the URL "
    "(quotation marks, white space) becomes part of it. Some SDKs trim it, most do not.",
    _SET,
)
PLACEHOLDER = _error(
    "URL-PLACEHOLDER",
    "The endpoint holds a placeholder",
    "{url}: {placeholder} stands for a value of your own.",
    "It was copied from documentation, or a variable was not expanded. Nothing was sent.",
    Step("Copy the endpoint from the stack's OpenTelemetry page, which shows the whole of it."),
    refs=(_DOC,),
)
QUERY = _error(
    "URL-QUERY",
    "The endpoint holds a query or a fragment",
    "{url} is followed by {what}.",
    "OTEL_EXPORTER_OTLP_ENDPOINT is a base to which an exporter appends /v1/traces. Some append to the text, and the "
    "path ends behind the question mark; others drop what follows it.",
    _SET,
)
SCHEME_MISSING = _error(
    "URL-SCHEME-MISSING",
    "The endpoint has no scheme",
    "{url} does not begin with http:// or https://.",
    "OTLP over HTTP takes a URL. Python reports `No connection adapters were found`; others drop every batch.",
    _SET,
)
OTLP_MISSING = _error(
    "URL-OTLP-MISSING",
    "The endpoint lacks /otlp",
    "Exports go to {posted}, where nothing takes them.",
    "The base URL of Grafana Cloud's gateway ends in /otlp; the exporter appends /v1/… to it and adds nothing else.",
    _SET,
    refs=(_DOC,),
)
PATH_DOUBLED = _error(
    "URL-PATH-DOUBLED",
    "The signal's path is in the endpoint twice",
    "Exports go to {posted}, where nothing takes them.",
    "OTEL_EXPORTER_OTLP_ENDPOINT is a base to which the exporter appends /v1/traces; this one ends in it, or in its "
    "/v1, already. Only a per-signal variable (…_TRACES_ENDPOINT) takes the whole URL.",
    _SET,
)
OTHER_SIGNAL = _error(
    "URL-OTHER-SIGNAL",
    "The endpoint's path is another signal's",
    "{variable} ends in /v1/{theirs}.",
    "A per-signal variable is used as it is, so {ours} arrive where {theirs} are taken. An empty request may be "
    "accepted there all the same.",
    _SET,
)
TRAILING_SLASH = _error(
    "URL-TRAILING-SLASH",
    "A slash too many ends the endpoint's path",
    "Exports go to {posted}: 404; without the slash the same host takes them.",
    "A per-signal variable is used as it is, its last slash included, and this server tells the two paths apart.",
    _SET,
)
SIGNAL_PATH_MISSING = _error(
    "URL-SIGNAL-PATH-MISSING",
    "The per-signal endpoint lacks its path",
    "Exports go to {posted} as it stands, where nothing takes them.",
    "A per-signal variable, or an endpoint set in code, is used as it is: nothing is appended.",
    _SET,
)
QUERY_HOST = _error(
    "URL-QUERY-HOST",
    "The endpoint is a database's query address",
    "{host} is the address that Grafana reads from, not the OTLP gateway.",
    "The stack's pages show several addresses; OTLP over HTTP goes to the one that begins with otlp-gateway-.",
    Step("Use the OTLP gateway of the stack's zone.", "{mend_command}"),
    refs=(_DOC,),
)
UI_HOST = _error(
    "URL-UI-HOST",
    "The endpoint is the stack's web page",
    "{host} serves Grafana's user interface; exports end at its login page.",
    "The stack's own address was taken for the OTLP gateway, which begins with otlp-gateway-.",
    _COPY,
    refs=(_DOC,),
)
ZONE_UNKNOWN = _error(
    "URL-ZONE-UNKNOWN",
    "The host names a zone that does not exist",
    "{host} answered {status} ({text}): the name resolves, but nothing stands behind it.",
    "Every name below grafana.net resolves, so a mistyped zone shows only in this answer.",
    _COPY,
    refs=(_DOC,),
)
PLAINTEXT = _error(
    "URL-PLAINTEXT",
    "The credential would be sent in the clear",
    "The endpoint {url} is http:// on a public host, and a credential is configured.",
    "Anyone on the way can read it. otelctl does not send it.",
    _SET,
)
SELF_HOSTED_OTLP = _error(
    "URL-SELF-HOSTED-OTLP",
    "Grafana Cloud's /otlp on a plain receiver",
    "Exports go to {posted}: 404; the same host answers at {works}.",
    "/otlp is the path of Grafana Cloud's gateway. A Collector, Alloy or Tempo takes exports at /v1/… directly.",
    _SET,
)
PATH_WRONG = _error(
    "URL-PATH-WRONG",
    "The endpoint's path is not the receiver's",
    "Exports go to {posted}: 404; the same host answers at {works}.",
    "Grafana Cloud's gateway takes exports below /otlp, most other receivers at /v1/… directly; a path of another "
    "kind, in capitals or doubled leads nowhere.",
    _SET,
)
PORT_PROTOCOL = _error(
    "URL-PORT-PROTOCOL",
    "Port and protocol do not belong together",
    "The endpoint is port {port}, the default of {theirs}; the settings ask for {ours}.",
    "OTLP has two ports: 4317 for gRPC and 4318 for HTTP.",
    _SET,
)
PROMETHEUS_PATH = _error(
    "URL-PROMETHEUS-PATH",
    "The endpoint is Prometheus's remote write",
    "{url} takes Prometheus remote write, not OTLP.",
    "The stack's pages show both; OTLP goes to the gateway's /otlp.",
    _COPY,
    refs=(_DOC,),
)
USERINFO = Diagnosis(
    "URL-USERINFO",
    "The endpoint holds a user name and password",
    Severity.WARNING,
    "{url} was given with user information before the host.",
    "Exporters treat it in different ways, and it ends in logs. otelctl does not send it.",
    (Step("Put the credential into the headers.", "otelctl encode-auth --prompt"),),
    (_SPEC,),
)
NOTHING_THERE = _error(
    "URL-NOT-FOUND",
    "Nothing takes OTLP at this path",
    "{posted} answered 404.",
    "The server is there, the path is not: {tried}.",
    Step("Compare the path with the receiver's own configuration: a Collector takes /v1/traces, Grafana Cloud /otlp."),
    Step("Then check again.", "otelctl check-endpoint {url}"),
)
ROWS = (
    UNREADABLE,
    MISTYPED,
    PLACEHOLDER,
    QUERY,
    SCHEME_MISSING,
    OTLP_MISSING,
    PATH_DOUBLED,
    OTHER_SIGNAL,
    SIGNAL_PATH_MISSING,
    TRAILING_SLASH,
    QUERY_HOST,
    UI_HOST,
    ZONE_UNKNOWN,
    PLAINTEXT,
    SELF_HOSTED_OTLP,
    PATH_WRONG,
    PORT_PROTOCOL,
    PROMETHEUS_PATH,
    USERINFO,
    NOTHING_THERE,
)

"""Every diagnosis of the endpoint: what must give it, as the primary and this sure, and what must not."""

from __future__ import annotations

import base64
import json

import pytest

from otelctl.diagnose.settings import judge_protocol
from otelctl.endpoint import parse
from otelctl.facts.wire import Fault, FaultKind, HttpAnswer, HttpRequest, Stage
from otelctl.model import Certainty, Report, Severity
from otelctl.settings import Setting, Signal, Source, SourceKind
from tests.cases.marks import case, near_miss
from tests.support.world import (
    GATEWAY,
    NOT_FOUND,
    SUCCESS,
    AnsweringNetwork,
    Server,
    always,
    answer,
    check,
    grafana_401,
    receiver,
    status,
    target,
    world,
)

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY
HOST = "https://otlp-gateway-prod-eu-west-2.grafana.net"
NESTED = "https://otlp-gateway-prod-eu-west-2.aws-eu-1.grafana.net"
PRIVATE_LINK = "https://otlp.privatelink.grafana.net"
TRACES_VARIABLE = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"

_CLAIMS = base64.b64encode(json.dumps({"o": "1", "n": "n", "k": "s3cr3ts3cr3t", "m": {"r": ""}}).encode()).decode()
RIGHT = "Authorization=Basic " + base64.b64encode(f"123456:glc_{_CLAIMS}".encode()).decode()
HTML = answer(200, b"<!doctype html><html><title>Grafana</title></html>", "text/html; charset=utf-8")
UNPARSED = answer(400, b"Unable to parse response body", "text/plain")
REVOKED = grafana_401("invalid token")
LOGIN = answer(302, location="/login")


def primary(report: Report) -> tuple[str, Certainty]:
    """Return the code and the certainty of what a report names first."""
    assert report.primary is not None, report
    assert report.exit_code() == 1
    return report.primary.code, report.primary.certainty


def advised(report: Report) -> str:
    """Return the first command that the primary finding advises."""
    assert report.primary is not None
    return next(step.command for step in report.primary.fix if step.command)


def cloud(request: HttpRequest) -> HttpAnswer:
    """Answer as Grafana Cloud's gateway does to a good credential."""
    return SUCCESS if request.path in {f"/otlp/v1/{signal}" for signal in Signal} else NOT_FOUND


def settings_frame(_request: HttpRequest) -> Fault:
    """Answer as a gRPC port does (recorded from Tempo's)."""
    first = bytes.fromhex("000006040000000000000500004000")
    return Fault(Stage.RECEIVE, FaultKind.NOT_HTTP, "not HTTP", 0.001, first_bytes=first)


# Offline, or by an answer that fits: the URL as OTEL_EXPORTER_OTLP_ENDPOINT holds it.
BASES: list[tuple[str, Server, str, Certainty, str]] = [
    ("", cloud, "URL-UNREADABLE", CERTAIN, ""),
    ("ftp://x.example.com", cloud, "URL-UNREADABLE", CERTAIN, ""),
    ("https://", cloud, "URL-UNREADABLE", CERTAIN, ""),
    ("https://a b/otlp", cloud, "URL-UNREADABLE", CERTAIN, ""),
    ("https://x:99999/otlp", cloud, "URL-UNREADABLE", CERTAIN, ""),
    ("https://x:0/otlp", cloud, "URL-UNREADABLE", CERTAIN, ""),
    ("https://[::1/otlp", cloud, "URL-UNREADABLE", CERTAIN, ""),
    (HOST.removeprefix("https://") + "/otlp", cloud, "URL-SCHEME-MISSING", CERTAIN, f"{HOST}/otlp"),
    ("localhost:4318", cloud, "URL-SCHEME-MISSING", CERTAIN, "http://localhost:4318"),
    ("collector:4318", cloud, "URL-SCHEME-MISSING", CERTAIN, "http://collector:4318"),
    ("https:/x.example.com/otlp", cloud, "URL-SCHEME-MISSING", CERTAIN, "https://x.example.com/otlp"),
    ("http//localhost:4318", cloud, "URL-SCHEME-MISSING", CERTAIN, "http://localhost:4318"),
    ('"localhost:4318"', cloud, "URL-SCHEME-MISSING", CERTAIN, "http://localhost:4318"),
    (f"{GATEWAY} ", cloud, "URL-MISTYPED", CERTAIN, GATEWAY),
    (f"\t{GATEWAY}\n", cloud, "URL-MISTYPED", CERTAIN, GATEWAY),
    (f'"{GATEWAY}"', cloud, "URL-MISTYPED", CERTAIN, GATEWAY),
    (f"\u201c{GATEWAY}\u201d", cloud, "URL-MISTYPED", CERTAIN, GATEWAY),
    ("htp://localhost:4318", cloud, "URL-MISTYPED", CERTAIN, "http://localhost:4318"),
    ("htps://x.example.com", cloud, "URL-MISTYPED", CERTAIN, "https://x.example.com"),
    ("ttps://x.example.com", cloud, "URL-MISTYPED", CERTAIN, "https://x.example.com"),
    ("hhttp://x.example.com", cloud, "URL-MISTYPED", CERTAIN, "http://x.example.com"),
    ("grpc://127.0.0.1:4317", cloud, "URL-MISTYPED", CERTAIN, "http://127.0.0.1:4317"),
    ("grpcs://x.example.com:4317", cloud, "URL-MISTYPED", CERTAIN, "https://x.example.com:4317"),
    ("https://otlp-gateway-ZONE.grafana.net/otlp", cloud, "URL-PLACEHOLDER", CERTAIN, ""),
    ("https://otlp-gateway-zone.grafana.net/otlp", cloud, "URL-PLACEHOLDER", CERTAIN, ""),
    ("https://otlp-gateway-<zone>.grafana.net/otlp", cloud, "URL-PLACEHOLDER", CERTAIN, ""),
    ("https://otlp-gateway-<your zone>.grafana.net/otlp", cloud, "URL-PLACEHOLDER", CERTAIN, ""),
    ("https://${OTLP_HOST}/otlp", cloud, "URL-PLACEHOLDER", CERTAIN, ""),
    ("$OTLP_HOST:4318", cloud, "URL-PLACEHOLDER", CERTAIN, ""),
    ("https://YOUR-STACK.grafana.net/otlp", cloud, "URL-PLACEHOLDER", CERTAIN, ""),
    (f"{GATEWAY}?x=1", cloud, "URL-QUERY", CERTAIN, GATEWAY),
    (f"{GATEWAY}#x", cloud, "URL-QUERY", CERTAIN, GATEWAY),
    ("http://localhost:4318/?", receiver("/v1/traces"), "URL-QUERY", CERTAIN, "http://localhost:4318/"),
    (HOST, cloud, "URL-OTLP-MISSING", CERTAIN, f"{HOST}/otlp"),
    (f"{HOST}/", cloud, "URL-OTLP-MISSING", CERTAIN, f"{HOST}/otlp"),
    (f"{HOST}/v1/traces", cloud, "URL-OTLP-MISSING", CERTAIN, f"{HOST}/otlp"),
    (f"{HOST}/otlpx", cloud, "URL-OTLP-MISSING", CERTAIN, f"{HOST}/otlp"),
    (PRIVATE_LINK, cloud, "URL-OTLP-MISSING", CERTAIN, f"{PRIVATE_LINK}/otlp"),
    ("https://otel.example.com", receiver("/otlp/v1/traces"), "URL-OTLP-MISSING", CERTAIN, "https://otel.example.com/otlp"),
    (f"{GATEWAY}/v1/traces", cloud, "URL-PATH-DOUBLED", CERTAIN, GATEWAY),
    (f"{GATEWAY}/v1/traces/v1/traces", cloud, "URL-PATH-DOUBLED", CERTAIN, GATEWAY),
    (f"{GATEWAY}/v1", cloud, "URL-PATH-DOUBLED", CERTAIN, GATEWAY),
    ("http://localhost:4318/v1/traces", receiver("/v1/traces"), "URL-PATH-DOUBLED", CERTAIN, "http://localhost:4318"),
    ("http://localhost:4318/v1/", receiver("/v1/traces"), "URL-PATH-DOUBLED", CERTAIN, "http://localhost:4318"),
    ("http://localhost:4318/otlp", receiver("/v1/traces"), "URL-SELF-HOSTED-OTLP", CERTAIN, "http://localhost:4318"),
    ("http://localhost:4318/nowhere", receiver("/v1/traces"), "URL-PATH-WRONG", CERTAIN, "http://localhost:4318"),
    ("http://localhost:4318/foo", cloud, "URL-PATH-WRONG", CERTAIN, "http://localhost:4318/otlp"),
    ("http://localhost:4318/OTLP", cloud, "URL-PATH-WRONG", CERTAIN, "http://localhost:4318/otlp"),
    ("http://localhost:4318/otlp/otlp", cloud, "URL-PATH-WRONG", CERTAIN, "http://localhost:4318/otlp"),
    ("http://localhost:4318/otlp/otlp", receiver("/v1/traces"), "URL-PATH-WRONG", CERTAIN, "http://localhost:4318"),
    ("http://localhost:4318/nowhere", receiver("/elsewhere/v1/traces"), "URL-NOT-FOUND", CERTAIN, ""),
    (GATEWAY, always(NOT_FOUND), "URL-NOT-FOUND", CERTAIN, ""),
    ("https://tempo-prod-04-prod-eu-west-2.grafana.net", always(NOT_FOUND), "URL-QUERY-HOST", LIKELY, GATEWAY),
    ("https://tempo-prod-04-prod-eu-west-2.grafana.net/tempo", always(answer(405)), "URL-QUERY-HOST", LIKELY, GATEWAY),
    ("https://prometheus-prod-01-eu-west-2.grafana.net", always(NOT_FOUND), "URL-QUERY-HOST", LIKELY, GATEWAY),
    ("https://tempo-eu-west-0.grafana.net", always(REVOKED), "URL-QUERY-HOST", LIKELY, "prod-eu-west-0."),
    ("https://logs-prod-012.grafana.net", always(NOT_FOUND), "URL-QUERY-HOST", LIKELY, "otlp-gateway-ZONE"),
    ("https://my-stack.grafana.net", always(LOGIN), "URL-UI-HOST", CERTAIN, ""),
    ("https://my-stack.grafana.net/otlp", always(HTML), "URL-UI-HOST", CERTAIN, ""),
    ("https://my-stack.grafana.net", always(NOT_FOUND), "URL-UI-HOST", LIKELY, ""),
    ("https://my-stack.grafana.net", always(answer(401, b'{"message":"Unauthorized"}')), "URL-UI-HOST", LIKELY, ""),
    (GATEWAY.replace("west", "wets"), always(answer(530, b"error code: 1016")), "URL-ZONE-UNKNOWN", CERTAIN, ""),
    (GATEWAY, always(answer(530, b"<html>")), "URL-ZONE-UNKNOWN", LIKELY, ""),
    ("http://otel.example.com", cloud, "URL-PLAINTEXT", CERTAIN, "https://otel.example.com"),
    ("http://otel.example.com:4318/otlp", cloud, "URL-PLAINTEXT", CERTAIN, "https://otel.example.com:4318/otlp"),
    ("http://10.example.com", cloud, "URL-PLAINTEXT", CERTAIN, ""),
    ("http://127.example.com", cloud, "URL-PLAINTEXT", CERTAIN, ""),
    ("http://8.8.8.8:4318", cloud, "URL-PLAINTEXT", CERTAIN, ""),
    (GATEWAY.replace("https", "http"), cloud, "URL-PLAINTEXT", CERTAIN, GATEWAY),
    ("http://tempo-prod-04-prod-eu-west-2.grafana.net", cloud, "URL-PLAINTEXT", CERTAIN, ""),
    ("http://my-stack.grafana.net", cloud, "URL-PLAINTEXT", CERTAIN, ""),
    ("http://user:pw@otel.example.com", cloud, "URL-PLAINTEXT", CERTAIN, ""),
    ("http://otel.example.com/v1/traces", cloud, "URL-PLAINTEXT", CERTAIN, ""),
    ("http://otel.example.com/api/v1/push", cloud, "URL-PLAINTEXT", CERTAIN, ""),
    ("http://localhost:4317", settings_frame, "URL-PORT-PROTOCOL", LIKELY, "http://localhost:4318"),
    ("https://prometheus-prod-01-eu-west-0.grafana.net/api/prom/push", cloud, "URL-PROMETHEUS-PATH", CERTAIN, ""),
    ("http://mimir:9009/api/v1/push", always(UNPARSED), "URL-PROMETHEUS-PATH", LIKELY, ""),
    ("http://prometheus:9090/api/v1/write", always(NOT_FOUND), "URL-PROMETHEUS-PATH", LIKELY, ""),
]  # fmt: skip


@pytest.mark.parametrize(("url", "server", "code", "certainty", "command"), BASES, ids=[one[0] for one in BASES])
@case(*{one[2] for one in BASES})
def test_a_base(url: str, server: Server, code: str, certainty: Certainty, command: str) -> None:
    """This value of OTEL_EXPORTER_OTLP_ENDPOINT, with these answers, is told as this, with what it has to be."""
    report = check(target(url, RIGHT), server)
    assert primary(report) == (code, certainty)
    if command:
        assert command in advised(report)


PER_SIGNAL: list[tuple[str, Server, str, Certainty, str]] = [
    (GATEWAY, cloud, "URL-SIGNAL-PATH-MISSING", CERTAIN, f"{GATEWAY}/v1/traces"),
    (HOST, cloud, "URL-SIGNAL-PATH-MISSING", CERTAIN, f"{GATEWAY}/v1/traces"),
    (f"{HOST}/v1/traces", cloud, "URL-OTLP-MISSING", CERTAIN, f"{GATEWAY}/v1/traces"),
    (f"{GATEWAY}/v1/metrics", cloud, "URL-OTHER-SIGNAL", CERTAIN, f"{GATEWAY}/v1/traces"),
    ("http://localhost:4318/v1/logs", always(SUCCESS), "URL-OTHER-SIGNAL", CERTAIN, "http://localhost:4318/v1/traces"),
    ("http://localhost:4318", receiver("/v1/traces"), "URL-SIGNAL-PATH-MISSING", CERTAIN, "http://localhost:4318/v1/traces"),
    ("http://localhost:4318/v1/traces/", receiver("/v1/traces"), "URL-TRAILING-SLASH", CERTAIN, "http://localhost:4318/v1/traces"),
    ("http://localhost:4318/v1/traces/v1/traces", receiver("/v1/traces"), "URL-PATH-DOUBLED", CERTAIN, "http://localhost:4318/v1/traces"),
    ("http://localhost:4318/otlp/v1/traces", receiver("/v1/traces"), "URL-SELF-HOSTED-OTLP", CERTAIN, "http://localhost:4318/v1/traces"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "server", "code", "certainty", "command"), PER_SIGNAL, ids=[one[0] for one in PER_SIGNAL]
)
@case(*{one[2] for one in PER_SIGNAL})
def test_a_per_signal_endpoint(url: str, server: Server, code: str, certainty: Certainty, command: str) -> None:
    """This value of a per-signal variable, which is used as it is, is told as this, with what it has to be."""
    report = check(target(url, RIGHT, variable=TRACES_VARIABLE), server)
    assert primary(report) == (code, certainty)
    assert advised(report) == f"export {TRACES_VARIABLE}={command}"


HEALTHY: list[tuple[str, Server, str | None]] = [
    (GATEWAY, cloud, RIGHT),
    (f"{GATEWAY}/", cloud, RIGHT),
    (f"{HOST}:443/otlp", cloud, RIGHT),
    (f"{NESTED}/otlp", cloud, RIGHT),
    (f"{PRIVATE_LINK}/otlp", cloud, RIGHT),
    ("https://OTLP-GATEWAY-PROD-EU-WEST-2.grafana.net/otlp", cloud, RIGHT),
    ("http://localhost:4318", receiver("/v1/traces"), RIGHT),
    ("http://localhost:4318/", receiver("/v1/traces"), None),
    ("http://127.0.0.1:4318", receiver("/v1/traces"), RIGHT),
    ("http://[::1]:4318", receiver("/v1/traces"), RIGHT),
    ("http://[::ffff:127.0.0.1]:4318", receiver("/v1/traces"), RIGHT),
    ("http://[fd00::1]:4318", receiver("/v1/traces"), RIGHT),
    ("http://10.0.0.7:4318", receiver("/v1/traces"), RIGHT),
    ("http://172.20.1.1:4318", receiver("/v1/traces"), RIGHT),
    ("http://192.168.1.1:4318", receiver("/v1/traces"), RIGHT),
    ("http://100.64.1.1:4318", receiver("/v1/traces"), RIGHT),
    ("http://169.254.1.1:4318", receiver("/v1/traces"), RIGHT),
    ("http://collector:4318", receiver("/v1/traces"), RIGHT),
    ("http://alloy.monitoring.svc.cluster.local:4318", receiver("/v1/traces"), RIGHT),
    ("http://host.docker.internal:4318", receiver("/v1/traces"), RIGHT),
    ("http://otel.example.com", receiver("/v1/traces"), None),
    ("http://otel.example.com", receiver("/v1/traces"), "X-Scope-OrgID=tenant-1"),
    ("https://otel.example.com/a/prefix", receiver("/a/prefix/v1/traces"), RIGHT),
    ("https://otel.example.com/otlp", receiver("/otlp/v1/traces"), RIGHT),
    ("https://otel.example.com/v1/traces", receiver("/v1/traces/v1/traces"), RIGHT),
    ("http://localhost:4317", receiver("/v1/traces"), None),
    ("http://zone.example.com:4318", receiver("/v1/traces"), None),
    ("http://otel-zone-region.example.com:4318", receiver("/v1/traces"), None),
    ("http://OTEL.EXAMPLE.COM", receiver("/v1/traces"), None),
    ("HTTP://localhost:4318", receiver("/v1/traces"), None),
    ("https://otel.example.com/ZONE/<x>", always(SUCCESS), None),
    ("https://mimir.example.com/api/v1/push", receiver("/api/v1/push/v1/traces"), None),
    ("https://tempo-prod-04-prod-eu-west-2.grafana.net", always(SUCCESS), RIGHT),
    ("https://my-stack.grafana.net", always(SUCCESS), RIGHT),
]


@pytest.mark.parametrize(("url", "server", "headers"), HEALTHY, ids=[f"{one[0]} {one[2] is None}" for one in HEALTHY])
@near_miss(
    "URL-UNREADABLE", "URL-SCHEME-MISSING", "URL-OTLP-MISSING", "URL-PATH-DOUBLED", "URL-QUERY-HOST", "URL-UI-HOST",
    "URL-ZONE-UNKNOWN", "URL-PLAINTEXT", "URL-SELF-HOSTED-OTLP", "URL-PORT-PROTOCOL", "URL-PROMETHEUS-PATH",
    "URL-USERINFO", "URL-NOT-FOUND", "URL-MISTYPED", "URL-PLACEHOLDER",
    "URL-PATH-WRONG",
)  # fmt: skip
def test_an_endpoint_that_takes_what_comes(url: str, server: Server, headers: str | None) -> None:
    """However unusual the URL: where a receiver answers with success, nothing is found."""
    report = check(target(url, headers), server)
    assert (report.findings, report.exit_code(Severity.NOTICE)) == ((), 0)


@pytest.mark.parametrize("signal", Signal)
@near_miss("URL-SIGNAL-PATH-MISSING", "URL-OTHER-SIGNAL", "URL-TRAILING-SLASH", "URL-PATH-DOUBLED", "URL-QUERY")
def test_a_per_signal_endpoint_that_takes_what_comes(signal: Signal) -> None:
    """A per-signal variable with the whole URL of its own signal is right, a last slash included where it is taken."""
    variable = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT"
    for url in (f"{GATEWAY}/v1/{signal}", f"http://localhost:4318/v1/{signal}/", "https://x.example.com/any/path?x=1"):
        assert check(target(url, RIGHT, signals=[signal], variable=variable), always(SUCCESS)).findings == ()


@near_miss("URL-PATH-DOUBLED")
def test_a_pasted_signal_url_is_tried() -> None:
    """A whole signal's URL as an argument is asked as an exporter would ask it, and then told by the answer."""
    aim = target(f"{GATEWAY}/v1/traces", RIGHT, kind=SourceKind.ARGUMENT, variable="ENDPOINT")
    report = check(aim, cloud)
    assert primary(report) == ("URL-PATH-DOUBLED", CERTAIN)
    assert advised(report) == f"otelctl check-endpoint {GATEWAY}"


@case("URL-USERINFO")
def test_user_information_is_told_and_never_sent() -> None:
    """A password in the URL is a warning, goes nowhere, and shows nowhere."""
    server = AnsweringNetwork(cloud)
    report = check(target(f"https://me:hunter2hunter2@{HOST.removeprefix('https://')}/otlp", RIGHT), server.server)
    assert [(one.code, one.certainty) for one in report.findings] == [("URL-USERINFO", CERTAIN)]
    assert report.exit_code() == 0
    assert "hunter2" not in repr(report.findings)


@case("URL-OTLP-MISSING", "URL-SELF-HOSTED-OTLP")
@pytest.mark.parametrize("refusal", [answer(401, b"<html>", "text/html"), status(401, 16, "no basic auth provided")])
def test_a_guarded_path_is_likely_the_right_one(refusal: HttpAnswer) -> None:
    """Where only another path asks for a credential, that is the path, likely: nothing was accepted there yet."""
    found = check(target("https://otel.example.com"), receiver(otherwise=NOT_FOUND))
    assert primary(found) == ("URL-NOT-FOUND", CERTAIN)

    def nginx(request: HttpRequest) -> HttpAnswer:
        return refusal if request.path == "/otlp/v1/traces" else NOT_FOUND

    assert primary(check(target("https://otel.example.com"), nginx)) == ("URL-OTLP-MISSING", LIKELY)


@near_miss("URL-OTLP-MISSING")
def test_a_gateways_own_refusal_is_proof() -> None:
    """A 401 in Grafana's own words at the other path leaves no doubt that the gateway is there."""

    def server(request: HttpRequest) -> HttpAnswer:
        return grafana_401("no credentials provided") if request.path.startswith("/otlp/") else NOT_FOUND

    assert primary(check(target("http://localhost:4318"), server)) == ("URL-OTLP-MISSING", CERTAIN)


@near_miss("URL-ZONE-UNKNOWN")
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://otel.example.com", answer(530, b"error code: 1016")),
        (GATEWAY, answer(200, b"<html>what error code: 1016 means</html>", "text/html")),
        (GATEWAY, answer(404, b"error code: 1016")),
        (GATEWAY, answer(503, b"error code: 1015")),
    ],
)
def test_what_is_no_unknown_zone(url: str, said: HttpAnswer) -> None:
    """The same words elsewhere, or with another status, do not say that a zone of Grafana Cloud's is mistyped."""
    report = check(target(url, RIGHT), always(said))
    assert report.primary is not None
    assert report.primary.code != "URL-ZONE-UNKNOWN"


@near_miss("URL-PORT-PROTOCOL")
@pytest.mark.parametrize("kind", [FaultKind.TIMEOUT, FaultKind.RESET, FaultKind.CLOSED])
def test_a_silent_port_is_first_of_all_silent(kind: FaultKind) -> None:
    """At port 4317 a fault that does not show gRPC is told as itself; that the port is gRPC's comes after it."""
    report = check(target("http://localhost:4317"), lambda _request: Fault(Stage.RECEIVE, kind, "x", 0.1))
    found = [one.code for one in report.findings]
    assert found[0].startswith("NET-")
    assert found[1:] == ["URL-PORT-PROTOCOL"]


@case("URL-PORT-PROTOCOL")
def test_the_port_of_http_with_grpc() -> None:
    """Port 4318 with OTEL_EXPORTER_OTLP_PROTOCOL=grpc is the same confusion the other way round."""
    asked = Setting("grpc", Source(SourceKind.VARIABLE, "OTEL_EXPORTER_OTLP_PROTOCOL"))
    (found,) = judge_protocol(asked, parse("http://localhost:4318"))
    assert (found.code, found.certainty) == ("URL-PORT-PROTOCOL", LIKELY)
    assert found.fix[0].command == "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"


def test_nothing_secret_goes_over_plain_http_to_the_public() -> None:
    """Whatever else is wrong with it: no request leaves for a public host over http:// while a credential is set."""
    for url, *_ in BASES:
        if not url.startswith("http://") or "PLAINTEXT" not in str(_):
            continue
        sent: list[HttpRequest] = []

        def server(request: HttpRequest, sent: list[HttpRequest] = sent) -> HttpAnswer:
            sent.append(request)
            return SUCCESS

        for headers in (RIGHT, "x-api-key=abcdefghijkl", "Authorization: Bearer abc"):
            for kind in (SourceKind.VARIABLE, SourceKind.STDIN):
                check(target(url, headers, headers_kind=kind), server)
        assert sent == []


def test_a_query_goes_along() -> None:
    """A URL's query is sent as an exporter sends it, and shows in no finding."""
    seen: list[str] = []

    def server(request: HttpRequest) -> HttpAnswer:
        seen.append(request.path)
        return NOT_FOUND

    report = check(target("https://x.example.com/v1/traces?api-key=hunter2hunter2", variable=TRACES_VARIABLE), server)
    assert seen[0] == "/v1/traces?api-key=hunter2hunter2"
    assert "hunter2" not in repr([(one.summary, one.cause, one.fix) for one in report.findings])


def test_the_world_of_these_tests_has_no_proxy() -> None:
    """What a developer's machine sets as a proxy changes nothing here."""
    assert world(cloud).proxies.proxy_for("https", "x", 443) is None


@pytest.mark.parametrize(
    "url", ["", "https://x:99999/otlp", "ftp://x.example.com", "https://otlp-gateway-ZONE.grafana.net"]
)
def test_no_placeholder_is_advised_as_a_command(url: str) -> None:
    """Where nobody can tell what the URL should be, the fix is a sentence, and nothing goes out."""
    server = AnsweringNetwork(cloud)
    report = check(target(url, RIGHT), server.server)
    assert report.primary is not None
    assert [step.command for step in report.primary.fix] == [None]
    assert server.requests == []


@case("URL-MISTYPED", "URL-QUERY")
@pytest.mark.parametrize(
    "url", [f"htps://me:hunter2@{HOST.removeprefix('https://')}/otlp", f"{GATEWAY}?k=hunter2", f'"{GATEWAY}?k=hunter2"']
)
def test_what_is_mistyped_shows_no_secret(url: str) -> None:
    """A password or a query in a URL that is mistyped shows nowhere, in the command that mends it neither."""
    report = check(target(url), cloud)
    assert advised(report).endswith(f"={GATEWAY}")
    assert "hunter2" not in repr([(one.summary, one.cause, one.fix) for one in report.findings])


@near_miss("URL-QUERY")
def test_grpc_appends_nothing_and_trims_nothing() -> None:
    """Over gRPC a query is no part of what is sent; white space around the URL is wrong as over HTTP."""
    frame = lambda _request: Fault(Stage.RECEIVE, FaultKind.CLOSED, "x", 0.1)  # noqa: E731
    for url, found in (("http://localhost:4317?x=1", False), ("http://localhost:4317 ", True)):
        report = check(target(url, protocol="grpc"), frame)
        assert any(one.code.startswith(("URL-QUERY", "URL-MISTYPED")) for one in report.findings) is found

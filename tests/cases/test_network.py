"""What is told of names, connections, proxies, TLS, and answers that are not what was expected."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from otelctl.catalog import network as rows
from otelctl.diagnose.network import (
    judge_answer,
    judge_clock,
    judge_connect,
    judge_fault,
    judge_resolve,
    judge_secure,
)
from otelctl.facts.wire import Certificate, Connected, Fault, FaultKind, HttpAnswer, Proxy, Resolved, Secured, Stage
from otelctl.model import Certainty, Finding
from otelctl.secret import Secret
from tests.cases.marks import case, near_miss

GATEWAY = "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp"
PLAIN = "http://collector.example.com:4318"
SUBJECT = "OTEL_EXPORTER_OTLP_ENDPOINT, .env:3"
PROXY = Proxy("proxy.corp", 3128, tls=False, source="HTTPS_PROXY", username="me", password=Secret("hunter2hunter2"))
SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00@\x00"  # as recorded from a gRPC port


def leaf(issuer: str, *, self_signed: bool = False, names: tuple[str, ...] = ("x.example.com",)) -> Certificate:
    """Return a certificate that this issuer gave out."""
    begins, ends = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC)
    return Certificate("CN=x.example.com", issuer, names, begins, ends, self_signed)


def fault(
    stage: Stage,
    kind: FaultKind,
    *,
    first: bytes = b"",
    certificate: Certificate | None = None,
    proxy: Proxy | None = None,
    file: str = "",
) -> Fault:
    """Return a fault with a recognisable text."""
    return Fault(stage, kind, "the text", 2.5, first, certificate, proxy=proxy, file=file)


def answer(
    status: int, body: bytes = b"", *, reason: str = "", body_fault: FaultKind | None = None, **headers: str
) -> HttpAnswer:
    """Return an answer with these headers, underscores for hyphens."""
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpAnswer(status, reason, "HTTP/1.1", pairs, body, 3.0, body_fault=body_fault)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    """Return the codes; the words are filled in on the way, so that a placeholder without a value fails."""
    for finding in findings:
        assert finding.subject == SUBJECT
        assert finding.summary
        assert finding.cause
        assert finding.fix
    return [finding.code for finding in findings]


TCP, TLS, DNS, SEND, RECEIVE = Stage.TCP, Stage.TLS, Stage.DNS, Stage.SEND, Stage.RECEIVE
KIND = FaultKind

FAULTS = [
    pytest.param(fault(DNS, KIND.NAME_NOT_FOUND), "NET-DNS", marks=[case("NET-DNS"), near_miss("NET-DNS-RESOLVER")]),
    pytest.param(
        fault(DNS, KIND.RESOLVER_FAILED), "NET-DNS-RESOLVER", marks=[case("NET-DNS-RESOLVER"), near_miss("NET-DNS")]
    ),
    pytest.param(fault(DNS, KIND.TIMEOUT), "NET-DNS-RESOLVER", marks=[near_miss("NET-TIMEOUT")]),
    pytest.param(fault(TCP, KIND.REFUSED), "NET-REFUSED", marks=[case("NET-REFUSED"), near_miss("NET-UNREACHABLE")]),
    pytest.param(fault(TCP, KIND.TIMEOUT), "NET-TIMEOUT", marks=[case("NET-TIMEOUT"), near_miss("NET-REFUSED")]),
    pytest.param(fault(TCP, KIND.UNREACHABLE), "NET-UNREACHABLE", marks=[case("NET-UNREACHABLE")]),
    pytest.param(fault(TCP, KIND.RESET), "NET-RESET", marks=[near_miss("NET-RESET-TLS", "NET-FAILED")]),
    pytest.param(fault(TCP, KIND.OTHER), "NET-FAILED", marks=[case("NET-FAILED")]),
    pytest.param(fault(RECEIVE, KIND.OTHER), "NET-FAILED", marks=[]),
    pytest.param(fault(TLS, KIND.TIMEOUT), "NET-TIMEOUT-TLS", marks=[case("NET-TIMEOUT-TLS")]),
    pytest.param(fault(TLS, KIND.RESET), "NET-RESET-TLS", marks=[case("NET-RESET-TLS"), near_miss("NET-RESET")]),
    pytest.param(fault(TLS, KIND.CLOSED), "NET-RESET-TLS", marks=[near_miss("NET-TIMEOUT-TLS")]),
    pytest.param(
        fault(TLS, KIND.CERT_UNTRUSTED, certificate=leaf("CN=Acme Internal CA")),
        "NET-TLS-UNTRUSTED",
        marks=[case("NET-TLS-UNTRUSTED"), near_miss("NET-TLS-NO-ROOTS", "NET-TLS-INTERCEPTED")],
    ),
    pytest.param(fault(TLS, KIND.CERT_UNTRUSTED), "NET-TLS-UNTRUSTED", marks=[]),
    pytest.param(
        fault(TLS, KIND.CERT_UNTRUSTED, certificate=leaf("CN=Let's Encrypt", self_signed=True)),
        "NET-TLS-UNTRUSTED",
        marks=[near_miss("NET-TLS-NO-ROOTS")],
    ),
    pytest.param(
        fault(TLS, KIND.CERT_UNTRUSTED, certificate=leaf("CN=R11, O=Let's Encrypt, C=US")),
        "NET-TLS-NO-ROOTS",
        marks=[case("NET-TLS-NO-ROOTS"), near_miss("NET-TLS-UNTRUSTED")],
    ),
    pytest.param(
        fault(TLS, KIND.CERT_HOSTNAME, certificate=leaf("CN=x")),
        "NET-TLS-HOSTNAME",
        marks=[case("NET-TLS-HOSTNAME"), near_miss("NET-TLS-UNTRUSTED")],
    ),
    pytest.param(fault(TLS, KIND.CERT_HOSTNAME, certificate=leaf("CN=x", names=())), "NET-TLS-HOSTNAME", marks=[]),
    pytest.param(
        fault(TLS, KIND.CERT_EXPIRED, certificate=leaf("CN=x")),
        "NET-TLS-EXPIRED",
        marks=[case("NET-TLS-EXPIRED"), near_miss("NET-TLS-NOT-YET-VALID", "NET-TLS-HOSTNAME")],
    ),
    pytest.param(
        fault(TLS, KIND.CERT_NOT_YET_VALID, certificate=leaf("CN=x")),
        "NET-TLS-NOT-YET-VALID",
        marks=[case("NET-TLS-NOT-YET-VALID"), near_miss("NET-TLS-EXPIRED")],
    ),
    pytest.param(
        fault(TLS, KIND.CERT_OTHER, certificate=leaf("CN=x")),
        "NET-TLS-FAILED",
        marks=[near_miss("NET-TLS-EXPIRED", "NET-TLS-UNTRUSTED")],
    ),
    pytest.param(
        fault(TLS, KIND.TLS_OTHER), "NET-TLS-FAILED", marks=[case("NET-TLS-FAILED"), near_miss("NET-TLS-CLIENT-CERT")]
    ),
    pytest.param(
        fault(TLS, KIND.CLIENT_CERT_WANTED),
        "NET-TLS-CLIENT-CERT",
        marks=[case("NET-TLS-CLIENT-CERT"), near_miss("NET-TLS-FAILED", "NET-TLS-CLIENT-CERT-REFUSED")],
    ),
    pytest.param(
        fault(TLS, KIND.CLIENT_CERT_REFUSED),
        "NET-TLS-CLIENT-CERT-REFUSED",
        marks=[case("NET-TLS-CLIENT-CERT-REFUSED"), near_miss("NET-TLS-CLIENT-CERT", "NET-CERT-FILE")],
    ),
    pytest.param(fault(TLS, KIND.LOCAL_FILE, file="/etc/ca.pem"), "NET-CERT-FILE", marks=[case("NET-CERT-FILE")]),
    pytest.param(
        fault(TLS, KIND.NOT_TLS, first=b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "NET-TLS-ON-PLAIN",
        marks=[case("NET-TLS-ON-PLAIN"), near_miss("NET-NOT-HTTP")],
    ),
    pytest.param(fault(TLS, KIND.NOT_TLS, first=b"<!DOCTYPE HTML>\n<html"), "NET-TLS-ON-PLAIN", marks=[]),
    pytest.param(fault(TLS, KIND.NOT_TLS, first=b"400 Bad Request"), "NET-TLS-ON-PLAIN", marks=[]),
    pytest.param(
        fault(TLS, KIND.NOT_TLS, first=b"400 users online\r\n"), "NET-NOT-HTTP", marks=[near_miss("NET-TLS-ON-PLAIN")]
    ),
    pytest.param(
        fault(TLS, KIND.NOT_TLS, first=SETTINGS), "NET-TLS-ON-PLAIN", marks=[near_miss("NET-HTTP-ON-GRPC-PORT")]
    ),
    pytest.param(
        fault(TLS, KIND.NOT_TLS, first=b"SSH-2.0-OpenSSH_9.2\r\n"),
        "NET-NOT-HTTP",
        marks=[near_miss("NET-TLS-ON-PLAIN")],
    ),
    pytest.param(fault(TLS, KIND.ALPN), "NET-HTTP-ON-GRPC-PORT", marks=[]),
    pytest.param(
        fault(RECEIVE, KIND.NOT_HTTP, first=SETTINGS),
        "NET-HTTP-ON-GRPC-PORT",
        marks=[case("NET-HTTP-ON-GRPC-PORT"), near_miss("NET-BAD-ANSWER", "NET-NOT-HTTP")],
    ),
    pytest.param(
        fault(RECEIVE, KIND.NOT_HTTP, first=b"\x00\x00\x06\x04hello"),
        "NET-NOT-HTTP",
        marks=[near_miss("NET-HTTP-ON-GRPC-PORT")],
    ),
    pytest.param(
        fault(RECEIVE, KIND.NOT_HTTP, first=b"\x15\x03\x01\x00\x02\x02F"),
        "NET-PLAIN-ON-TLS",
        marks=[case("NET-PLAIN-ON-TLS")],
    ),
    pytest.param(
        fault(RECEIVE, KIND.NOT_HTTP, first=b"HTTP/1.1 two hundred"),
        "NET-BAD-ANSWER",
        marks=[case("NET-BAD-ANSWER"), near_miss("NET-NOT-HTTP")],
    ),
    pytest.param(
        fault(RECEIVE, KIND.TOO_LARGE, first=b"HTTP/1.1 200 OK"),
        "NET-BAD-ANSWER",
        marks=[near_miss("NET-TIMEOUT-ANSWER")],
    ),
    pytest.param(
        fault(RECEIVE, KIND.CLOSED, first=b"HTTP/1.1 200 OK\r\nfo"), "NET-BAD-ANSWER", marks=[near_miss("NET-RESET")]
    ),
    pytest.param(fault(RECEIVE, KIND.CLOSED), "NET-RESET", marks=[case("NET-RESET"), near_miss("NET-TIMEOUT-ANSWER")]),
    pytest.param(fault(SEND, KIND.RESET), "NET-RESET", marks=[]),
    pytest.param(fault(RECEIVE, KIND.TIMEOUT), "NET-TIMEOUT-ANSWER", marks=[case("NET-TIMEOUT-ANSWER")]),
    pytest.param(
        fault(RECEIVE, KIND.TIMEOUT, first=b"HTTP/1.1 200 OK\r\nA: b"),
        "NET-TIMEOUT-ANSWER",
        marks=[near_miss("NET-TIMEOUT-BODY")],
    ),
    pytest.param(fault(SEND, KIND.BAD_REQUEST), "NET-BAD-REQUEST", marks=[case("NET-BAD-REQUEST")]),
    pytest.param(fault(SEND, KIND.CLOSED), "NET-RESET", marks=[near_miss("NET-BAD-REQUEST")]),
]


@pytest.mark.parametrize(("seen", "code"), FAULTS)
def test_a_fault_has_its_name(seen: Fault, code: str) -> None:
    """Each stage and kind of fault gives the one diagnosis that fits, with all of its words filled in."""
    assert codes(judge_fault(seen, url=PLAIN, subject=SUBJECT)) == [code]


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("proxy", [None, PROXY])
def test_every_fault_gives_a_finding(stage: Stage, kind: FaultKind, proxy: Proxy | None) -> None:
    """No combination of stage and kind is without a diagnosis, or breaks its words."""
    for first in (b"", b"\x00", b"HTTP/1.1", SETTINGS, b"\x1b[31m[red]\xff\xfe" * 9):
        assert len(codes(judge_fault(fault(stage, kind, first=first, proxy=proxy), url=GATEWAY, subject=SUBJECT))) == 1


@case("NET-TLS-INTERCEPTED")
def test_interception_says_who_issued_the_certificate() -> None:
    """A private issuer before Grafana Cloud's host is called interception, as likely, and named."""
    seen = fault(TLS, KIND.CERT_UNTRUSTED, certificate=leaf("CN=Acme Zscaler Root, O=Acme"))
    (finding,) = judge_secure(seen, url=GATEWAY, subject=SUBJECT)
    assert (finding.code, finding.certainty) == ("NET-TLS-INTERCEPTED", Certainty.LIKELY)
    assert "Acme Zscaler Root" in finding.summary


@near_miss("NET-TLS-INTERCEPTED")
def test_a_public_issuer_is_no_interception() -> None:
    """A public issuer that is not trusted means that this machine lacks the public authorities."""
    seen = fault(TLS, KIND.CERT_UNTRUSTED, certificate=leaf("CN=WR1, O=Google Trust Services, C=US"))
    assert codes(judge_secure(seen, url=GATEWAY, subject=SUBJECT)) == ["NET-TLS-NO-ROOTS"]


def test_the_dates_of_a_certificate_are_evidence() -> None:
    """The finding shows until when an expired certificate was valid."""
    (finding,) = judge_secure(fault(TLS, KIND.CERT_EXPIRED, certificate=leaf("CN=x")), url=PLAIN, subject=SUBJECT)
    assert "2026-04-02 00:00:00 UTC" in finding.summary


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH"),
        (b"-ERR unknown command 'POST'\r\n", "Redis"),
        (b"220 mail.example.com ESMTP Postfix\r\n", "SMTP"),
        (b"220 (vsFTPd 3.0.3)\r\n", "FTP"),
        (b"J\x00\x00\x00\x0a8.0.36\x00\x08\x00", "MySQL"),
        (b"E\x00\x00\x00\x8dSFATAL\x00", "PostgreSQL"),
        (b"AMQP\x00\x00\x09\x01", "AMQP"),
        (b"POST /v1/traces HTTP/1.1\r\nAuthorization: Basic c2VjcmV0", "echoes"),
        (b"\x01\x02\x03\x04", "does not know"),
    ],
)
@case("NET-NOT-HTTP")
def test_a_greeting_names_the_service(first: bytes, name: str) -> None:
    """The service that owns the port is told by its greeting, of which only the first line is shown."""
    (finding,) = judge_fault(fault(RECEIVE, KIND.NOT_HTTP, first=first), url=PLAIN, subject=SUBJECT)
    assert finding.code == "NET-NOT-HTTP"
    assert name in finding.summary
    assert "Basic" not in finding.summary


@pytest.mark.parametrize(
    ("url", "seen", "command"),
    [
        (
            "http://c.example.com:4317/v1/traces",
            fault(RECEIVE, KIND.NOT_HTTP, first=SETTINGS),
            "otelctl check-endpoint http://c.example.com:4318/v1/traces",
        ),
        (
            "https://localhost:4317",
            fault(TLS, KIND.NOT_TLS, first=SETTINGS),
            "otelctl check-endpoint http://localhost:4318",
        ),
        (
            "https://localhost:4318",
            fault(TLS, KIND.NOT_TLS, first=b"HTTP/1.0 400 Bad Request\r\n"),
            "otelctl check-endpoint http://localhost:4318",
        ),
        (
            "http://[::1]:4318",
            fault(RECEIVE, KIND.NOT_HTTP, first=b"\x15\x03\x03\x00\x02\x02F"),
            "otelctl check-endpoint 'https://[::1]:4318'",
        ),
        ("http://x.grafana.net/otlp", fault(RECEIVE, KIND.CLOSED), "otelctl check-endpoint https://x.grafana.net/otlp"),
        (
            "https://c.example.com:4317",
            fault(RECEIVE, KIND.CLOSED),
            "otelctl check-endpoint https://c.example.com:4318",
        ),
        (
            "https://x.grafana.net/otlp",
            fault(RECEIVE, KIND.CLOSED),
            "otelctl check-endpoint https://x.grafana.net/otlp",
        ),
    ],
)
def test_the_command_holds_the_mended_endpoint(url: str, seen: Fault, command: str) -> None:
    """A fix is the user's own endpoint with the wrong part put right."""
    (finding,) = judge_fault(seen, url=url, subject=SUBJECT)
    assert command in [step.command for step in finding.fix]


# Proxies

PROXIED = [
    pytest.param(DNS, KIND.NAME_NOT_FOUND, "NET-PROXY-UNREACHABLE", marks=[near_miss("NET-DNS")]),
    pytest.param(
        TCP, KIND.REFUSED, "NET-PROXY-UNREACHABLE", marks=[case("NET-PROXY-UNREACHABLE"), near_miss("NET-REFUSED")]
    ),
    pytest.param(
        Stage.PROXY, KIND.PROXY_AUTH, "NET-PROXY-AUTH", marks=[case("NET-PROXY-AUTH"), near_miss("NET-PROXY-REFUSED")]
    ),
    pytest.param(
        Stage.PROXY,
        KIND.PROXY_DENIED,
        "NET-PROXY-REFUSED",
        marks=[case("NET-PROXY-REFUSED"), near_miss("NET-PROXY-AUTH")],
    ),
    pytest.param(
        Stage.PROXY, KIND.NOT_HTTP, "NET-PROXY-BROKEN", marks=[case("NET-PROXY-BROKEN"), near_miss("NET-NOT-HTTP")]
    ),
    pytest.param(
        Stage.PROXY, KIND.TIMEOUT, "NET-PROXY-BROKEN", marks=[near_miss("NET-PROXY-UNREACHABLE", "NET-TIMEOUT")]
    ),
    pytest.param(
        Stage.PROXY, KIND.PROXY_KIND, "NET-PROXY-KIND", marks=[case("NET-PROXY-KIND"), near_miss("NET-PROXY-BROKEN")]
    ),
    pytest.param(TLS, KIND.CERT_EXPIRED, "NET-TLS-EXPIRED", marks=[near_miss("NET-PROXY-BROKEN", "NET-PROXY-KIND")]),
]


@pytest.mark.parametrize(("stage", "kind", "code"), PROXIED)
def test_a_fault_on_the_way_to_the_proxy_blames_the_proxy(stage: Stage, kind: FaultKind, code: str) -> None:
    """A proxy's faults name the proxy and the variable that set it, and never show its password."""
    findings = judge_fault(fault(stage, kind, first=b"SSH-2.0", proxy=PROXY), url=GATEWAY, subject=SUBJECT)
    assert codes(findings) == [code]
    if code.startswith("NET-PROXY"):
        assert "HTTPS_PROXY" in findings[0].summary
    assert "hunter2" not in repr(findings)


@case("NET-PROXY-LOOPBACK")
def test_a_proxy_before_this_machine_is_a_warning() -> None:
    """A request to localhost through a proxy is told of, whether it works or not."""
    works = Connected("10.0.0.9", 3128, 0.1, "proxy.corp:3128")
    assert codes(judge_connect(works, url="http://127.0.0.1:4318", subject=SUBJECT)) == ["NET-PROXY-LOOPBACK"]
    denied = fault(Stage.PROXY, KIND.PROXY_DENIED, proxy=PROXY)
    found = codes(judge_connect(denied, url="https://localhost:4318", subject=SUBJECT))
    assert found == ["NET-PROXY-REFUSED", "NET-PROXY-LOOPBACK"]


@near_miss("NET-PROXY-LOOPBACK")
def test_a_proxy_before_another_host_is_fine() -> None:
    """A proxy is no fault."""
    assert codes(judge_connect(Connected("10.0.0.9", 3128, 0.1, "proxy.corp:3128"), url=GATEWAY, subject=SUBJECT)) == []


def test_a_407_comes_from_a_proxy() -> None:
    """A 407 to a plain request through a proxy is the proxy's, whatever body comes with it."""
    (finding,) = judge_answer(answer(407, b"{}"), url=PLAIN, subject=SUBJECT, proxy=PROXY)
    assert finding.code == "NET-PROXY-AUTH"
    assert "proxy.corp:3128" in finding.summary


@pytest.mark.parametrize(
    ("source", "variable"), [("http_proxy", "http_proxy"), ("ALL_PROXY", "ALL_PROXY"), ("the system's", "HTTPS_PROXY")]
)
def test_the_variable_that_named_the_proxy_is_the_one_to_mend(source: str, variable: str) -> None:
    """User and password go where the proxy was named; where no variable did, into the usual one."""
    (finding,) = judge_answer(answer(407, b""), url=PLAIN, subject=SUBJECT, proxy=replace(PROXY, source=source))
    assert (finding.fix[0].command or "").startswith(f"export {variable}=")


@near_miss("NET-PROXY-AUTH", "NET-PROXY-REFUSED")
def test_without_a_proxy_nothing_is_a_proxys() -> None:
    """Where no proxy is in the way, a 407 or a page of Squid is left to those who judge the endpoint's answers."""
    for said in (answer(407, b"{}"), answer(503, b"<html>", x_squid_error="ERR_DNS_FAIL 0")):
        assert judge_answer(said, url=PLAIN, subject=SUBJECT) == ()


def test_no_advice_holds_an_invented_host() -> None:
    """The commands for a silent endpoint and for an odd proxy name no host that nobody has."""
    for seen in (fault(TCP, KIND.TIMEOUT), fault(Stage.PROXY, KIND.PROXY_KIND, proxy=PROXY)):
        (finding,) = judge_fault(seen, url=PLAIN, subject=SUBJECT)
        assert not any("example.com:3128" in (step.command or "") for step in finding.fix)
    (finding,) = judge_fault(fault(TCP, KIND.TIMEOUT), url=PLAIN, subject=SUBJECT)
    assert next(step.command for step in finding.fix if step.command) == f"otelctl check-endpoint {PLAIN} --timeout 60"


@pytest.mark.parametrize("status", [403, 503])
def test_a_page_of_squid_is_the_proxys(status: int) -> None:
    """An error that Squid made itself is not the endpoint's answer."""
    page = answer(status, b"<html>", x_squid_error="ERR_ACCESS_DENIED 0")
    assert codes(judge_answer(page, url=PLAIN, subject=SUBJECT, proxy=PROXY)) == ["NET-PROXY-REFUSED"]


# Answers

TLS_PORTS = [
    b"<center>The plain HTTP request was sent to HTTPS port</center>",
    b"Client sent an HTTP request to an HTTPS server.\n",
    b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />",
    b"Bad Request\r\nThis combination of host and port requires TLS.\r\n",
]


@pytest.mark.parametrize("body", TLS_PORTS)
@case("NET-PLAIN-ON-TLS")
def test_a_400_of_a_tls_port_is_not_good_news(body: bytes) -> None:
    """The 400 with which nginx, Go, Apache and Tomcat answer plain HTTP on a TLS port is known, and https advised."""
    (finding,) = judge_answer(answer(400, body), url=PLAIN, subject=SUBJECT)
    assert (finding.code, finding.certainty) == ("NET-PLAIN-ON-TLS", Certainty.CERTAIN)
    assert "otelctl check-endpoint https://collector.example.com:4318" in [step.command for step in finding.fix]


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        (GATEWAY, answer(400, TLS_PORTS[0])),
        (PLAIN, answer(500, TLS_PORTS[1])),
        (PLAIN, answer(400, b"\x08\x03\x12\x0dbad data here")),
        (PLAIN, answer(400, b'{"code":3,"message":"plain HTTP request"}')),
        (PLAIN, answer(401, b"No required SSL certificate was sent")),
        (PLAIN, answer(404, b"404 page not found\n", body_fault=KIND.TIMEOUT)),
        (PLAIN, answer(200)),
        (PLAIN, answer(200, b"<html>")),
        (PLAIN, answer(503, b"upstream connect error", via="1.1 envoy")),
        (PLAIN, answer(415, b"415 unsupported media type", content_type="text/plain")),
    ],
)
@near_miss(
    "NET-HTTP-ON-GRPC-PORT",
    "NET-PLAIN-ON-TLS",
    "NET-TLS-CLIENT-CERT",
    "NET-TIMEOUT-BODY",
    "NET-ANSWER-CUT",
    "NET-PROXY-REFUSED",
    "NET-BAD-ANSWER",
)
def test_an_answer_that_others_judge_is_left_alone(url: str, seen: HttpAnswer) -> None:
    """What does not show the way to the endpoint is not judged here, neither by status nor by half a phrase."""
    assert codes(judge_answer(seen, url=url, subject=SUBJECT)) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<center>No required SSL certificate was sent</center>", "NET-TLS-CLIENT-CERT"),
        (b"<center>The SSL certificate error</center>", "NET-TLS-CLIENT-CERT-REFUSED"),
    ],
)
def test_nginx_asks_for_a_client_certificate_by_a_400(body: bytes, code: str) -> None:
    """nginx finishes the handshake and says in a 400 what it misses."""
    assert codes(judge_answer(answer(400, body), url=GATEWAY, subject=SUBJECT)) == [code]


@case("NET-HTTP-ON-GRPC-PORT")
def test_an_answer_of_grpc_names_the_port() -> None:
    """nginx answers 415 in gRPC's form where it passes gRPC on: another encoding of OTLP would mend nothing."""
    seen = answer(415, content_type="application/grpc", grpc_status="3")
    (finding,) = judge_answer(seen, url="https://c.example.com:4317", subject=SUBJECT)
    assert (finding.code, finding.certainty) == ("NET-HTTP-ON-GRPC-PORT", Certainty.CERTAIN)
    assert "otelctl check-endpoint https://c.example.com:4318" in [step.command for step in finding.fix]


def test_mongodb_answers_200_and_is_no_receiver() -> None:
    """MongoDB's 200 to an HTTP request is seen through."""
    body = b"It looks like you are trying to access MongoDB over HTTP on the native driver port.\r\n"
    assert codes(judge_answer(answer(200, body), url=PLAIN, subject=SUBJECT)) == ["NET-NOT-HTTP"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        pytest.param(KIND.TIMEOUT, "NET-TIMEOUT-BODY", marks=[case("NET-TIMEOUT-BODY"), near_miss("NET-ANSWER-CUT")]),
        pytest.param(KIND.CLOSED, "NET-ANSWER-CUT", marks=[case("NET-ANSWER-CUT"), near_miss("NET-TIMEOUT-BODY")]),
        pytest.param(KIND.RESET, "NET-ANSWER-CUT", marks=[]),
        pytest.param(KIND.NOT_HTTP, "NET-BAD-ANSWER", marks=[case("NET-BAD-ANSWER")]),
        pytest.param(KIND.BAD_ENCODING, "NET-BAD-ANSWER", marks=[]),
    ],
)
def test_a_200_whose_body_broke_off_is_not_a_success(kind: FaultKind, code: str) -> None:
    """Where the body decides, a body that did not arrive is the finding."""
    assert codes(judge_answer(answer(200, b"half", body_fault=kind), url=PLAIN, subject=SUBJECT)) == [code]


# Clocks

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("Fri, 20 Nov 2026 11:45:00 GMT", "15 minutes ahead of"),
        ("Fri, 20 Nov 2026 12:02:01 GMT", "2 minutes behind"),
        ("Fri, 20 Nov 2026 17:00:00 GMT", "5 hours behind"),
        ("Sun, 20 Sep 2026 12:00:00 GMT", "61 days ahead of"),
    ],
)
@case("NET-CLOCK")
def test_clocks_that_disagree_are_told(date: str, said: str) -> None:
    """More than two minutes between the Date header and our clock is a warning that says which way."""
    (finding,) = judge_clock(date, NOW, url=GATEWAY, subject=SUBJECT)
    assert (finding.code, finding.certainty) == ("NET-CLOCK", Certainty.LIKELY)
    assert said in finding.summary


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 20 Nov 2026 12:01:59 GMT",
        "Fri, 20 Nov 2026 13:00:00 +0100",
        "Fri, 20 Nov 2026 12:00:00 -0000",
        "",
        "yesterday",
        "Fri, 99 Nov 2026 12:00:00 GMT",
        "Fri, 20 Nov 99999999999 12:00:00 GMT",
        "Fri, 20 Nov 2026 12:00:00 +9999999999",
        "\x1b[31m",
    ],
)
@near_miss("NET-CLOCK")
def test_clocks_that_agree_or_cannot_be_compared_are_silent(date: str) -> None:
    """Less than two minutes, and a header that is no date, give no finding and no crash."""
    assert codes(judge_clock(date, NOW, url=GATEWAY, subject=SUBJECT)) == []


def test_stages_that_worked_give_no_finding() -> None:
    """Addresses, a connection and a handshake are no findings."""
    handshake = Secured("TLSv1.3", "TLS_AES_256_GCM_SHA384", "http/1.1", leaf("CN=x"), verified=True, seconds=0.1)
    assert judge_resolve(Resolved("x", ("10.0.0.1",), 0.1), url=GATEWAY, subject=SUBJECT) == ()
    assert judge_connect(Connected("10.0.0.1", 443, 0.1), url=GATEWAY, subject=SUBJECT) == ()
    assert judge_secure(handshake, url=GATEWAY, subject=SUBJECT) == ()
    assert judge_resolve(fault(DNS, KIND.NAME_NOT_FOUND), url=GATEWAY, subject=SUBJECT)


def test_user_information_of_the_endpoint_is_not_shown() -> None:
    """A credential in the endpoint's URL appears in no evidence."""
    url = "https://123456:glc_secretsecret@x.grafana.net/otlp"
    findings = judge_fault(fault(TCP, KIND.REFUSED), url=url, subject=SUBJECT)
    assert "glc_" not in repr(findings)
    assert "glc_" not in repr(findings[0].fix)


def test_all_rows_are_listed_once() -> None:
    """Every diagnosis of the module is in ROWS, under a code of its own."""
    defined = [value for value in vars(rows).values() if isinstance(value, type(rows.DNS))]
    assert sorted(row.code for row in rows.ROWS) == sorted({row.code for row in defined})


@pytest.mark.parametrize(
    ("url", "names", "command"),
    [
        ("https://127.0.0.1:15202/otlp", ("localhost",), "otelctl check-endpoint https://localhost:15202/otlp"),
        ("https://10.1.2.3:4318", ("otel.corp.example",), "otelctl check-endpoint https://otel.corp.example:4318"),
        ("https://127.0.0.1:4318", ("localhost", "other"), "openssl s_client"),
        ("https://127.0.0.1:4318", ("*.example.com",), "openssl s_client"),
        ("https://127.0.0.1:4318", ("$(reboot)",), "openssl s_client"),
        ("https://127.0.0.1:4318", (), "openssl s_client"),
        ("https://otel.example.com", ("evil.example.com",), "openssl s_client"),
    ],
)
@case("NET-TLS-HOSTNAME")
def test_the_one_name_of_a_certificate_is_advised(url: str, names: tuple[str, ...], command: str) -> None:
    """A near endpoint goes by the only name of its certificate; one that a stranger's server chose is in no command."""
    seen = fault(TLS, KIND.CERT_HOSTNAME, certificate=leaf("CN=x", names=names))
    (finding,) = judge_secure(seen, url=url, subject=SUBJECT)
    assert str(finding.fix[0].command).startswith(command)
    assert "evil" not in str(finding.fix[0].command)


@pytest.mark.parametrize("kind", [KIND.CERT_UNTRUSTED, KIND.CLIENT_CERT_WANTED, KIND.CLIENT_CERT_REFUSED])
def test_no_advice_names_a_file_that_nobody_has(kind: FaultKind) -> None:
    """Advice about certificates holds no invented file in a command: pasted, it would fail."""
    for url in (PLAIN, GATEWAY):
        (finding,) = judge_secure(fault(TLS, kind, certificate=leaf("CN=Acme")), url=url, subject=SUBJECT)
        assert not any(".pem" in (step.command or "") for step in finding.fix)

"""What is told of gRPC: its own diagnoses, and those of HTTP that its statuses are told by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from otelctl import otlp
from otelctl.diagnose import credential as credential_judge
from otelctl.diagnose import grpc as judge
from otelctl.diagnose import otlp as otlp_judge
from otelctl.diagnose import settings as settings_judge
from otelctl.diagnose.grpc import Detected, Place, Spoken
from otelctl.endpoint import EndpointError, parse, parse_grpc
from otelctl.facts.wire import Certificate, Fault, FaultKind, Greeted, RpcAnswer, Secured, Stage
from otelctl.model import Certainty, Finding, Severity
from otelctl.settings import Protocol, Setting, Signal, Source, SourceKind
from tests.cases.marks import case, near_miss

VARIABLE = Setting("grpc", Source(SourceKind.VARIABLE, "OTEL_EXPORTER_OTLP_PROTOCOL"))
OPTION = Setting("grpc", Source(SourceKind.OPTION, "--protocol"))
HTTP = Setting("http/protobuf", Source(SourceKind.VARIABLE, "OTEL_EXPORTER_OTLP_PROTOCOL"))
SUBJECT = "OTEL_EXPORTER_OTLP_ENDPOINT"
SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00@\x00"  # as recorded from a gRPC port
HTTP_400 = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"  # as recorded from Go's net/http
NGINX_400 = b"HTTP/1.1 400 Bad Request\r\n\r\n<html><title>400 The plain HTTP request was sent to HTTPS port</title>"
ALERT = b"\x15\x03\x01\x00\x02\x02F"
GATEWAY = "https://otlp-gateway-prod-eu-west-2.grafana.net/otlp"


def place(url: str = "http://collector.example.com:4317", protocol: Setting[str] = VARIABLE) -> Place:
    """Return the endpoint as a gRPC exporter reads it."""
    return Place(parse_grpc(url, insecure=False), SUBJECT, protocol)


def endpoint(url: str) -> Setting[str]:
    """Return an endpoint from the variable."""
    return Setting(url, Source(SourceKind.VARIABLE, SUBJECT))


def secured(alpn: str | None) -> Secured:
    """Return a handshake in which the server chose this."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    leaf = Certificate("CN=x", "CN=Acme Inspection", ("x",), now, now, self_signed=False)
    return Secured("TLSv1.3", "TLS_AES_128_GCM_SHA256", alpn, leaf, verified=True, seconds=0.1)


def fault(kind: FaultKind, stage: Stage = Stage.RECEIVE, first: bytes = b"") -> Fault:
    """Return a fault with a recognisable text."""
    return Fault(stage, kind, "the text", 0.5, first)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    """Return the codes; the words are filled in on the way, so that a placeholder without a value fails."""
    for finding in findings:
        assert finding.summary
        assert finding.cause
        assert finding.fix
    return [finding.code for finding in findings]


# The library


@case("GRPC-NOT-INSTALLED")
def test_a_missing_library_is_no_verdict() -> None:
    """Without grpcio nothing is known of the endpoint, and the command that installs it is advised."""
    (finding,) = judge.judge_fault(fault(FaultKind.NO_LIBRARY, Stage.SEND), place())
    assert (finding.code, finding.severity) == ("GRPC-NOT-INSTALLED", Severity.UNKNOWN)
    assert finding.fix[0].command == "python -m pip install 'otelctl[grpc]'"
    assert "collector.example.com:4318" in str(finding.fix[1].command)


@near_miss("GRPC-NOT-INSTALLED")
def test_a_fault_of_the_wire_is_not_the_librarys() -> None:
    """A call that could not be sent for another reason is left to the judge of the wire."""
    assert judge.judge_fault(fault(FaultKind.BAD_REQUEST, Stage.SEND), place()) == ()


# The endpoint


@case("GRPC-PATH-DROPPED")
@pytest.mark.parametrize("url", ["http://localhost:4317/otlp", "https://tempo.example.com/v1/traces"])
def test_a_path_is_dropped(url: str) -> None:
    """A path is said to have no effect, certainly, as a warning, and the same endpoint without it is advised."""
    (finding,) = judge.judge_endpoint(endpoint(url), parse_grpc(url, insecure=False), credential=False)
    assert (finding.code, finding.severity, finding.certainty) == (
        "GRPC-PATH-DROPPED",
        Severity.WARNING,
        Certainty.CERTAIN,
    )
    assert str(finding.fix[0].command).startswith("export OTEL_EXPORTER_OTLP_ENDPOINT=http")
    assert "/otlp" not in str(finding.fix[0].command)


@near_miss("GRPC-PATH-DROPPED")
@pytest.mark.parametrize("url", ["http://localhost:4317", "http://localhost:4317/", "localhost:4317", GATEWAY])
def test_no_path_is_none_to_drop(url: str) -> None:
    """A slash alone is no path; at Grafana Cloud's gateway the protocol is what is wrong, and said instead."""
    assert judge.judge_endpoint(endpoint(url), parse_grpc(url, insecure=False), credential=False) == ()


def test_a_credential_does_not_go_out_in_the_clear() -> None:
    """A credential for a public host without TLS is an error over gRPC as over HTTP, on a private one it is none."""
    public, private = "http://collector.example.com:4317", "http://10.0.0.7:4317"
    found = judge.judge_endpoint(endpoint(public), parse_grpc(public, insecure=False), credential=True)
    assert codes(found) == ["URL-PLAINTEXT"]
    assert judge.judge_endpoint(endpoint(private), parse_grpc(private, insecure=False), credential=True) == ()


@pytest.mark.parametrize(
    ("text", "insecure", "url", "port"),
    [
        ("collector:4317", False, "https://collector:4317", 4317),
        ("collector:4317", True, "http://collector:4317", 4317),
        ("http://collector:4317", False, "http://collector:4317", 4317),
        ("https://collector:4317", True, "https://collector:4317", 4317),
        ("dns:///collector:4317", True, "http://collector:4317", 4317),
        ("collector", False, "https://collector", 443),
        ("http://collector", True, "http://collector:443", 443),
        ("[::1]:4317", True, "http://[::1]:4317", 4317),
    ],
)
def test_an_endpoint_is_read_as_grpc_exporters_do(text: str, *, insecure: bool, url: str, port: int) -> None:
    """Host and port alone are an endpoint, a scheme wins over *_INSECURE, and the port is 443 where none is written."""
    found = parse_grpc(text, insecure=insecure)
    assert (found.url, found.port) == (url, port)


@pytest.mark.parametrize("text", ["", "unix:///run/otel.sock", "http://:4317", "a b:4317", "host:notaport"])
def test_what_is_no_endpoint_for_grpc(text: str) -> None:
    """What holds no host that otelctl could reach is refused."""
    with pytest.raises(EndpointError):
        parse_grpc(text, insecure=True)


# The way


@case("NET-ALPN")
@pytest.mark.parametrize(
    ("fact", "said"),
    [
        (secured("http/1.1"), "chose http/1.1"),
        (secured(None), "chose no protocol at all"),
        (fault(FaultKind.ALPN, Stage.TLS), "chose none of it, by an alert"),
    ],
)
def test_tls_without_http2(fact: Secured | Fault, said: str) -> None:
    """A handshake in which h2 is not chosen is certain to fail for gRPC; whose certificate it is, is shown."""
    (finding,) = judge.judge_secure(fact, place("https://collector.example.com:4317"))
    assert (finding.code, finding.certainty) == ("NET-ALPN", Certainty.CERTAIN)
    assert said in finding.summary
    assert isinstance(fact, Fault) or "Acme Inspection" in finding.cause


@near_miss("NET-ALPN")
def test_tls_with_http2() -> None:
    """A server that chooses h2 has no finding, another failure is left to the judge of the wire."""
    assert judge.judge_secure(secured("h2"), place()) == ()
    assert judge.judge_secure(fault(FaultKind.CERT_EXPIRED, Stage.TLS), place()) == ()


def test_the_gateway_is_known_to_speak_no_grpc() -> None:
    """At Grafana Cloud's gateway a handshake without h2 makes certain what the host's name made likely."""
    (suspected,) = settings_judge.judge_protocol(VARIABLE, parse(GATEWAY))
    (seen,) = judge.judge_secure(secured("http/1.1"), place(GATEWAY))
    assert (suspected.code, suspected.certainty) == ("CONF-GRPC-GATEWAY", Certainty.LIKELY)
    assert (seen.code, seen.certainty) == ("CONF-GRPC-GATEWAY", Certainty.CERTAIN)


@case("NET-GRPC-ON-HTTP-PORT")
@pytest.mark.parametrize("protocol", [VARIABLE, OPTION])
def test_http1_answers_grpc(protocol: Setting[str]) -> None:
    """A status line after HTTP/2's preface shows an HTTP port; what is advised is to speak HTTP to it."""
    (finding,) = judge.judge_greeting(Greeted(HTTP_400, 0.1), place(protocol=protocol))
    assert (finding.code, finding.certainty) == ("NET-GRPC-ON-HTTP-PORT", Certainty.CERTAIN)
    assert "`HTTP/1.1 400 Bad Request`" in finding.summary
    assert finding.fix[0].command == (
        "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        if protocol is VARIABLE
        else "otelctl check-endpoint http://collector.example.com:4317 --protocol http/protobuf"
    )


@case("NET-GRPC-ON-HTTP-PORT")
def test_http2_without_grpc_answers() -> None:
    """A 404 by plain HTTP/2 is no UNIMPLEMENTED of a receiver's, but an HTTP server's."""
    answer = otlp.as_http(rpc(12, "UNIMPLEMENTED", "Received http2 header with status: 404", http_status=404))
    assert codes(judge.judge_http(answer, place())) == ["NET-GRPC-ON-HTTP-PORT"]


@near_miss("NET-GRPC-ON-HTTP-PORT")
def test_what_is_no_http_port() -> None:
    """SETTINGS are a gRPC port's, a banner another service's, 502 a proxy's, and UNIMPLEMENTED a gRPC server's."""
    assert judge.judge_greeting(Greeted(SETTINGS, 0.1), place()) == ()
    assert judge.judge_greeting(Greeted(b"SSH-2.0-OpenSSH_9.2\r\n", 0.1), place()) == ()
    assert judge.judge_http(otlp.as_http(rpc(14, "UNAVAILABLE", "", http_status=502)), place()) == ()
    assert judge.judge_http(otlp.as_http(rpc(12, "UNIMPLEMENTED", "unknown service")), place()) == ()


def test_the_http_port_is_told_in_the_settings_words() -> None:
    """On 4318 an HTTP answer makes certain that port and protocol do not belong together."""
    (finding,) = judge.judge_greeting(Greeted(HTTP_400, 0.1), place("http://localhost:4318"))
    assert (finding.code, finding.certainty) == ("URL-PORT-PROTOCOL", Certainty.CERTAIN)


def test_tls_and_none_taken_for_each_other() -> None:
    """TLS bytes after a plain preface, a 400 that says so, a port that hangs up on it, and SETTINGS after a hello."""
    plain = place("http://localhost:4317")
    assert codes(judge.judge_greeting(Greeted(ALERT, 0.1), plain)) == ["NET-PLAIN-ON-TLS"]
    assert codes(judge.judge_greeting(Greeted(NGINX_400, 0.1), plain)) == ["NET-PLAIN-ON-TLS"]
    hung_up = fault(FaultKind.CLOSED)
    (finding,) = judge.judge_greeting(hung_up, plain, tls_instead=True)
    assert finding.code == "NET-PLAIN-ON-TLS"
    assert finding.fix[0].command == "otelctl check-endpoint https://localhost:4317"
    assert judge.judge_greeting(hung_up, plain) == ()
    by_tls = judge.judge_secure(fault(FaultKind.NOT_TLS, Stage.TLS, SETTINGS), place("https://localhost:4317"))
    assert codes(by_tls) == ["NET-TLS-ON-PLAIN"]
    assert by_tls[0].fix[0].command == "otelctl check-endpoint http://localhost:4317"


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (SETTINGS, Spoken.HTTP2),
        (SETTINGS[:8], Spoken.OTHER),
        (HTTP_400, Spoken.HTTP1),
        (b"<!DOCTYPE HTML>\n<html", Spoken.HTTP1),
        (NGINX_400, Spoken.TLS),
        (ALERT, Spoken.TLS),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Spoken.OTHER),
        (b"-ERR unknown command 'PRI'\r\n", Spoken.OTHER),
        (b"J\x00\x00\x00\x0a8.0.36\x00", Spoken.OTHER),
        (b"\x00\x00\x06\x04hello", Spoken.OTHER),
        (b"", Spoken.OTHER),
    ],
)
def test_a_protocol_is_told_by_its_first_bytes(first: bytes, kind: Spoken) -> None:
    """What a peer says to HTTP/2's preface tells HTTP/2, HTTP/1 and TLS apart, and from everything else."""
    assert judge.spoken(first) is kind


# Calls without a status


@case("GRPC-BROKEN-OFF")
@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.CLOSED])
@near_miss("GRPC-BAD-ANSWER")
def test_a_call_is_broken_off(kind: FaultKind) -> None:
    """A stream or a connection that ends without a status is broken off."""
    assert codes(judge.judge_fault(fault(kind), place())) == ["GRPC-BROKEN-OFF"]


@case("GRPC-BAD-ANSWER")
@pytest.mark.parametrize("kind", [FaultKind.NOT_GRPC, FaultKind.TOO_LARGE])
@near_miss("GRPC-BROKEN-OFF")
def test_an_answer_breaks_the_rules(kind: FaultKind) -> None:
    """What came by HTTP/2 and is no answer of gRPC's, or is beyond all measure, breaks its rules."""
    assert codes(judge.judge_fault(fault(kind), place())) == ["GRPC-BAD-ANSWER"]


@near_miss("GRPC-BROKEN-OFF", "GRPC-BAD-ANSWER")
def test_a_late_answer_is_neither() -> None:
    """A call that is not answered in time is judged as HTTP's is."""
    assert judge.judge_fault(fault(FaultKind.TIMEOUT), place()) == ()


# Statuses


def rpc(
    code: int, name: str, text: str = "", message: bytes = b"", details: bytes = b"", http_status: int | None = None
) -> RpcAnswer:
    """Return the answer to a call."""
    return RpcAnswer(code, name, text, (), details, message, 0.1, http_status)


def exchange(answer: RpcAnswer, *, empty: bool = True) -> otlp_judge.Exchange:
    """Return a call and its answer as the judge of answers gets them."""
    at = parse("http://collector.example.com:4317")
    read, twin = otlp.read_rpc(Signal.TRACES, answer), otlp.as_http(answer)
    text = read.message or twin.reason
    return otlp_judge.Exchange(at.url, at, SUBJECT, twin, read, text, Protocol.GRPC, 200, empty)


# A google.rpc.Status with RetryInfo of 6.5 s, as google.rpc's own classes write it.
RETRY_INFO = bytes.fromhex(
    "08081204736c6f771a360a28747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f"
    "120a0a0808061080cab5ee01"
)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (rpc(14, "UNAVAILABLE", "no backend"), "OTLP-503"),
        (rpc(4, "DEADLINE_EXCEEDED", "upstream"), "OTLP-503"),
        (rpc(1, "CANCELLED"), "OTLP-503"),
        (rpc(13, "INTERNAL", "boom"), "OTLP-500"),
        (rpc(2, "UNKNOWN", "boom"), "OTLP-500"),
        (rpc(3, "INVALID_ARGUMENT", "bad data"), "OTLP-400"),
        (rpc(8, "RESOURCE_EXHAUSTED", "slow down"), "OTLP-429"),
        (rpc(8, "RESOURCE_EXHAUSTED", "grpc: received message larger than max (9 vs. 4)"), "OTLP-413"),
        (rpc(8, "RESOURCE_EXHAUSTED", "RATE_LIMITED: ingestion rate limit (15000000)"), "OTLP-RATE-LIMITED"),
        (rpc(16, "UNAUTHENTICATED", "no org id"), "OTLP-TENANT"),
        (rpc(3, "INVALID_ARGUMENT", "span ids must be 64 bit and not all zero"), "OTLP-BAD-IDS"),
        (rpc(14, "UNAVAILABLE", "", http_status=502), "OTLP-503"),
        (rpc(0, "OK", message=b"\x0a\x07\x08\x01\x12\x03bad"), "OTLP-PARTIAL"),
        (rpc(0, "OK", message=b"\x0a\x05\x12\x03old"), "OTLP-PARTIAL-WARNING"),
        (rpc(0, "OK", message=b"<html>"), "OTLP-NOT-OTLP"),
        (rpc(0, "OK", message=b"\xff\xfe\x00"), "OTLP-UNCLEAR"),
    ],
)
def test_a_status_is_told_as_its_twin(answer: RpcAnswer, code: str) -> None:
    """Each status has the diagnosis of the HTTP status that stands for it, and is named as gRPC names it."""
    (finding,) = otlp_judge.judge_answer(exchange(answer, empty=False))
    assert finding.code == code
    if answer.http_status is None and answer.code:
        assert answer.name in finding.summary


@pytest.mark.parametrize("message", [b"", b"\x0a\x00"])
def test_ok_is_an_acceptance(message: bytes) -> None:
    """OK with an empty message, or with an empty partial success, has no finding."""
    seen = exchange(rpc(0, "OK", message=message))
    assert otlp_judge.accepted(seen)
    assert otlp_judge.judge_answer(seen) == ()


def test_content_may_be_wanted() -> None:
    """INVALID_ARGUMENT to an empty request shows a receiver that read it."""
    assert otlp_judge.reached(exchange(rpc(3, "INVALID_ARGUMENT", "no spans")))


def test_the_wait_that_a_server_asks_for_is_shown() -> None:
    """RetryInfo is read from the status's details, rounded up; without it no time is made up."""
    (finding,) = otlp_judge.judge_answer(exchange(rpc(8, "RESOURCE_EXHAUSTED", "slow", details=RETRY_INFO)))
    assert "it asks to wait 7 s" in finding.summary
    (finding,) = otlp_judge.judge_answer(exchange(rpc(8, "RESOURCE_EXHAUSTED", "slow", details=b"\xff\xff\xff")))
    assert "for a time that it does not name" in finding.summary


@pytest.mark.parametrize(
    ("code", "name", "text", "sent", "found"),
    [
        (16, "UNAUTHENTICATED", "missing or empty authorization metadata", False, "AUTH-WANTED"),
        (16, "UNAUTHENTICATED", "Unauthenticated", True, "AUTH-REFUSED"),
        (16, "UNAUTHENTICATED", "authentication error: invalid scope requested", True, "AUTH-SCOPE"),
        (7, "PERMISSION_DENIED", "not for you", True, "AUTH-FORBIDDEN"),
        (16, "UNAUTHENTICATED", "request to x responded with HTTP Status Code 401", True, "AUTH-BEHIND"),
    ],
)
def test_a_refusal_is_told_as_its_twin(code: int, name: str, text: str, *, sent: bool, found: str) -> None:
    """UNAUTHENTICATED and PERMISSION_DENIED are judged as 401 and 403 are, under their own names."""
    seen = exchange(rpc(code, name, text))
    (finding,) = credential_judge.judge_refusal(
        credential_judge.Refused(
            answer=seen.answer,
            text=seen.text,
            grafana=False,
            sent=sent,
            suspects=[],
            probed=False,
            elsewhere=None,
            host="collector.example.com:4317",
            url=seen.url,
            signal=Signal.TRACES,
            subject=SUBJECT,
            instance_id="unknown",
        )
    )
    assert finding.code == found
    assert name in finding.summary


@case("GRPC-NO-OTLP")
def test_unimplemented_for_every_signal() -> None:
    """A gRPC server that takes no signal at all has no OTLP service."""
    found = judge.judge_unimplemented("unknown service", Signal.TRACES, place(), works=None, refused=False)
    assert codes(found) == ["GRPC-NO-OTLP"]


@near_miss("GRPC-NO-OTLP")
@pytest.mark.parametrize(("refused", "certainty"), [(False, Certainty.CERTAIN), (True, Certainty.LIKELY)])
def test_unimplemented_for_one_signal(*, refused: bool, certainty: Certainty) -> None:
    """Where another signal is taken, a pipeline is missing; where it is only guarded, that is likely."""
    (finding,) = judge.judge_unimplemented("no", Signal.LOGS, place(), works=Signal.TRACES, refused=refused)
    assert (finding.code, finding.certainty) == ("OTLP-UNIMPLEMENTED", certainty)
    assert "UNIMPLEMENTED, while traces" in finding.summary


# What the settings ask for, against what the port speaks


@case("CONF-PROTOCOL-DIFFERS")
@pytest.mark.parametrize(
    ("asked", "grpc", "command"),
    [
        (VARIABLE, False, "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
        (HTTP, True, "export OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
    ],
)
def test_the_port_speaks_something_else(asked: Setting[str], *, grpc: bool, command: str) -> None:
    """Settings for the other protocol are certain to fail, and the setting that fits is advised."""
    (finding,) = judge.judge_agreement(asked, Detected(grpc, tls=False), place())
    assert (finding.code, finding.certainty) == ("CONF-PROTOCOL-DIFFERS", Certainty.CERTAIN)
    assert [step.command for step in finding.fix] == [command]


@near_miss("CONF-PROTOCOL-DIFFERS")
def test_settings_and_port_agree() -> None:
    """The protocol that is asked for has no finding, both encodings over HTTP, and no setting is none that differs."""
    assert judge.judge_agreement(VARIABLE, Detected(grpc=True, tls=False), place()) == ()
    json = Setting("http/json", HTTP.source)
    for asked in (HTTP, json, None):
        assert judge.judge_agreement(asked, Detected(grpc=False, tls=False), place()) == ()
    assert judge.judge_agreement(None, Detected(grpc=True, tls=False), place()) == ()


def test_the_scheme_differs() -> None:
    """TLS where the scheme says none, and none where it says TLS, are told by the wire's own codes."""
    https = place("https://collector.example.com:4317")
    assert codes(judge.judge_agreement(VARIABLE, Detected(grpc=True, tls=True), place())) == ["NET-PLAIN-ON-TLS"]
    assert codes(judge.judge_agreement(VARIABLE, Detected(grpc=True, tls=False), https)) == ["NET-TLS-ON-PLAIN"]


def test_grpc_is_probed() -> None:
    """Asking for gRPC at a gRPC port is nothing to find fault with, or to be unsure of."""
    assert settings_judge.judge_protocol(VARIABLE, parse("http://localhost:4317")) == ()

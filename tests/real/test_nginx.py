"""What nginx answers in front of an OTLP receiver: the facts that otelctl's judgement of proxies rests on."""

from __future__ import annotations

import json
import socket
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest

from tests.real.conftest import Nginx
from tests.support.parts import Credential, ask

TRACES = "/v1/traces"


def trusting(nginx: Nginx) -> ssl.SSLContext:
    """Return a client's context that trusts the authority of the fixtures."""
    return ssl.create_default_context(cafile=str(nginx.authority.file))


def test_a_request_with_the_credential_reaches_the_collector(nginx: Nginx) -> None:
    """nginx lets the right credential through to the Collector, with and without TLS."""
    for base, context in ((nginx.otlp, None), (nginx.otlp_tls, trusting(nginx))):
        answer = ask(base + TRACES, credential=nginx.credential, context=context)
        assert (answer.status, json.loads(answer.body)) == (200, {"partialSuccess": {}})


def test_a_refused_credential_is_an_html_401(nginx: Nginx) -> None:
    """nginx answers a missing and a reversed credential alike: 401 with its realm and a web page."""
    swapped = Credential(nginx.credential.password, nginx.credential.user)
    for credential in (None, swapped):
        answer = ask(nginx.otlp + TRACES, credential=credential)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == 'Basic realm="OTLP"'
        assert answer.headers["content-type"] == "text/html"
        assert b"<h1>401 Authorization Required</h1>" in answer.body


def test_plain_http_to_the_tls_port_is_a_400_that_is_not_good(nginx: Nginx) -> None:
    """nginx answers plain HTTP at its TLS port with 400 and says so in a web page."""
    answer = ask(nginx.otlp_plain_on_tls + TRACES, credential=nginx.credential)
    assert answer.status == 400
    assert b"The plain HTTP request was sent to HTTPS port" in answer.body


def test_a_web_page_is_a_200_that_is_not_good(nginx: Nginx) -> None:
    """A web page answers a POST of OTLP with 200, as a receiver does."""
    answer = ask(nginx.page + TRACES)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html")
    assert answer.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("place", "status", "start"), [("redirect", 302, "http://"), ("permanent_redirect", 308, "https://")]
)
def test_a_redirect_names_its_target(nginx: Nginx, place: str, status: int, start: str) -> None:
    """A redirect answers with 302 or 308 and an absolute Location."""
    answer = ask(getattr(nginx, place) + TRACES)
    assert (answer.status, answer.headers["location"].startswith(start)) == (status, True)


def test_retry_after_is_seconds_or_a_date(nginx: Nginx) -> None:
    """A server tells when to come back in seconds, or as an HTTP date."""
    limited, unavailable = ask(nginx.limited + TRACES), ask(nginx.unavailable + TRACES)
    assert (limited.status, limited.headers["retry-after"]) == (429, "7")
    assert unavailable.status == 503
    assert parsedate_to_datetime(unavailable.headers["retry-after"]) > datetime.now(UTC)


def test_a_body_over_the_limit_is_a_413(nginx: Nginx) -> None:
    """nginx refuses a body over client_max_body_size with 413 before the Collector sees it."""
    assert ask(nginx.small + TRACES).status == 200
    answer = ask(nginx.small + TRACES, body=b" " * 100 + b"{}")
    assert (answer.status, b"<h1>413 Request Entity Too Large</h1>" in answer.body) == (413, True)


def test_nothing_behind_it_is_a_502(nginx: Nginx) -> None:
    """nginx answers 502 where nothing listens behind it."""
    answer = ask(nginx.down + TRACES)
    assert (answer.status, b"<h1>502 Bad Gateway</h1>" in answer.body) == (502, True)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("expired", 10),  # X509_V_ERR_CERT_HAS_EXPIRED
        ("not-yet-valid", 9),  # X509_V_ERR_CERT_NOT_YET_VALID
        ("wrong-name", 62),  # X509_V_ERR_HOSTNAME_MISMATCH
        ("untrusted", 20),  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    ],
)
def test_a_faulty_certificate_is_told_by_its_code(nginx: Nginx, fault: str, code: int) -> None:
    """A client that verifies tells each fault of a certificate by OpenSSL's code, whatever its words."""
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        ask(nginx.otlp_tls_with[fault] + TRACES, context=trusting(nginx))
    assert caught.value.verify_code == code


def test_a_missing_client_certificate_is_a_400_after_the_handshake(nginx: Nginx) -> None:
    """nginx ends no handshake for want of a client certificate: it answers 400 and says so; with one it goes on."""
    context = trusting(nginx)
    url = nginx.otlp_tls_with["mtls"] + TRACES
    answer = ask(url, credential=nginx.credential, context=context)
    assert (answer.status, b"No required SSL certificate was sent" in answer.body) == (400, True)
    context.load_cert_chain(nginx.client.cert_file, nginx.client.key_file)
    assert ask(url, credential=nginx.credential, context=context).status == 200


@pytest.mark.parametrize(("place", "chosen"), [("otlp_tls", "http/1.1"), ("grpc_tls", "h2")])
def test_alpn_tells_whether_http2_is_spoken(nginx: Nginx, place: str, chosen: str) -> None:
    """A TLS port with HTTP/2 chooses h2 by ALPN, and one without it does not."""
    where = urlsplit(getattr(nginx, place))
    context = trusting(nginx)
    context.set_alpn_protocols(["h2", "http/1.1"])
    assert where.hostname is not None
    with (
        socket.create_connection((where.hostname, where.port or 0), timeout=5) as connection,
        context.wrap_socket(connection, server_hostname=where.hostname) as secured,
    ):
        assert secured.selected_alpn_protocol() == chosen

"""otelctl against TLS as nginx and a Collector do it: certificates good and faulty, of servers and of clients."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.real.conftest import STACK, Collector, Nginx
from tests.support.ca import Authority, Certificate
from tests.support.program import Result, run, run_line, sending

CREDENTIAL = sending(STACK.header)


def check(endpoint: str, *options: object, variables: dict[str, str] | None = None) -> Result:
    """Check an endpoint with the right credential, and a report in JSON."""
    arguments = ("check-endpoint", endpoint, *map(str, options), "--format", "json")
    return run(*arguments, variables={**CREDENTIAL, **(variables or {})})


def assert_healthy(result: Result) -> None:
    """Hold that a run ended well and found nothing."""
    assert (result.code, result.found, result.stderr) == (0, [], "")


def requests(nginx: Nginx) -> int:
    """Return how many requests nginx has answered so far."""
    return len((nginx.log.parent / "access.log").read_text().splitlines())


# Certificates of servers

FAULTS = {
    "expired": ("NET-TLS-EXPIRED", "was valid until"),
    "not-yet-valid": ("NET-TLS-NOT-YET-VALID", "is valid from"),
    "wrong-name": ("NET-TLS-HOSTNAME", "the certificate is for collector.example.com"),
    "untrusted": ("NET-TLS-UNTRUSTED", "issued by CN=another CA"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_certificate_has_its_code(nginx: Nginx, fault: str) -> None:
    """Each fault of a certificate has its own certain finding, and ends the check before a request is sent."""
    code, said = FAULTS[fault]
    before = requests(nginx)
    result = check(nginx.otlp_tls_with[fault], "--ca-file", nginx.authority.file)
    assert (result.code, result.found) == (1, [code])
    found = result.finding(code)
    assert (found["certainty"], said in found["summary"]) == ("certain", True)
    assert result.check("traces")["status"] == "skipped"
    assert result.check("traces")["reason"] == "waits for: TLS is sound"
    assert requests(nginx) == before


@pytest.mark.parametrize("fault", FAULTS)
def test_insecure_looks_past_it_and_says_so(nginx: Nginx, fault: str) -> None:
    """With --insecure the same endpoint is healthy, and the report says that nothing was verified."""
    result = check(nginx.otlp_tls_with[fault], "--insecure")
    assert_healthy(result)
    assert "NOT verified (--insecure)" in result.check("tls")["detail"]


@pytest.mark.parametrize("fault", FAULTS)
def test_smoke_stops_at_it_at_once(nginx: Nginx, fault: str) -> None:
    """A certificate does not mend itself: smoke does not wait for it, and sends no span."""
    code, _ = FAULTS[fault]
    options = ("--ca-file", nginx.authority.file, "--wait", "40", "--format", "json")
    result = run("smoke", nginx.otlp_tls_with[fault], *options, variables=CREDENTIAL, seconds=20)
    assert (result.code, result.found, result.check("send")["status"]) == (1, [code], "skipped")


@pytest.mark.parametrize("server", ["nginx", "collector"])
def test_a_private_authority_is_trusted_by_each_way_to_name_it(nginx: Nginx, collector: Collector, server: str) -> None:
    """Without its authority a good certificate is untrusted; an option, OTLP's variable and OpenSSL's own name it."""
    endpoint = nginx.otlp_tls if server == "nginx" else collector.tls.http
    authority = str(nginx.authority.file)
    untrusted = check(endpoint)
    assert (untrusted.code, untrusted.found) == (1, ["NET-TLS-UNTRUSTED"])
    assert "CN=otelctl test CA" in untrusted.finding("NET-TLS-UNTRUSTED")["summary"]
    assert_healthy(check(endpoint, "--ca-file", authority))
    assert_healthy(check(endpoint, variables={"OTEL_EXPORTER_OTLP_CERTIFICATE": authority}))
    assert_healthy(check(endpoint, variables={"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": authority}))
    assert_healthy(check(endpoint, variables={"SSL_CERT_FILE": authority}))


def test_what_is_advised_for_a_private_authority_mends_it(nginx: Nginx) -> None:
    """The option and the variable that are advised both mend it."""
    step = check(nginx.otlp_tls).finding("NET-TLS-UNTRUSTED")["fix"][0]["text"]
    assert "--ca-file" in step
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE" in step
    assert_healthy(check(nginx.otlp_tls, "--ca-file", nginx.authority.file))
    assert_healthy(check(nginx.otlp_tls, variables={"OTEL_EXPORTER_OTLP_CERTIFICATE": str(nginx.authority.file)}))


def test_the_right_authority_in_place_of_the_wrong_one_mends_it(nginx: Nginx) -> None:
    """A CA file of another authority is told as an issuer that is not trusted; the right one mends it."""
    issuer = nginx.log.parent / "other" / "ca.pem"
    wrong = check(nginx.otlp_tls_with["untrusted"], "--ca-file", nginx.authority.file)
    assert wrong.found == ["NET-TLS-UNTRUSTED"]
    assert_healthy(check(nginx.otlp_tls_with["untrusted"], "--ca-file", issuer))


def test_an_address_is_good_where_the_certificate_lists_it(collector: Collector) -> None:
    """A certificate that lists 127.0.0.1 serves an endpoint that names it."""
    endpoint = collector.tls.http.replace("localhost", "127.0.0.1")
    assert_healthy(check(endpoint, "--ca-file", collector.authority.file))


def test_what_the_handshake_told_is_shown(nginx: Nginx) -> None:
    """Protocol, ALPN, issuer and end of the certificate are in the report of a healthy endpoint."""
    detail = check(nginx.otlp_tls, "--ca-file", nginx.authority.file).check("tls")["detail"]
    assert re.fullmatch(r"TLSv1\.[23], http/1\.1, CN=otelctl test CA until 20\d\d-\d\d-\d\d", detail)


# Certificates of clients

SERVERS = ("nginx", "collector")


def mtls(nginx: Nginx, collector: Collector, server: str) -> str:
    """Return the endpoint that wants the client's certificate."""
    return nginx.otlp_tls_with["mtls"] if server == "nginx" else collector.mtls.http


@pytest.mark.parametrize("server", SERVERS)
def test_a_missing_client_certificate_has_its_code(nginx: Nginx, collector: Collector, server: str) -> None:
    """nginx says it in a 400, a Collector in an alert after the handshake: the finding is one."""
    result = check(mtls(nginx, collector, server), "--ca-file", nginx.authority.file)
    assert (result.code, result.found) == (1, ["NET-TLS-CLIENT-CERT"])
    assert result.finding("NET-TLS-CLIENT-CERT")["certainty"] == "certain"


@pytest.mark.parametrize("server", SERVERS)
def test_a_client_certificate_of_another_authority_is_refused(
    nginx: Nginx, collector: Collector, server: str, tmp_path: Path
) -> None:
    """A client certificate that the server does not trust is another finding than a missing one."""
    other = Authority.create(tmp_path, "a third CA").for_client()
    result = check(mtls(nginx, collector, server), "--ca-file", nginx.authority.file, *shown(other))
    assert (result.code, result.found) == (1, ["NET-TLS-CLIENT-CERT-REFUSED"])


@pytest.mark.parametrize("server", SERVERS)
def test_a_client_certificate_is_shown(nginx: Nginx, collector: Collector, server: str) -> None:
    """With the certificate in options, or in the variables of OTLP, the endpoint is healthy."""
    endpoint, authority = mtls(nginx, collector, server), str(nginx.authority.file)
    assert_healthy(check(endpoint, "--ca-file", authority, *shown(nginx.client)))
    variables = {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": authority,
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(nginx.client.cert_file),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(nginx.client.key_file),
    }
    assert_healthy(check(endpoint, variables=variables))


def test_a_client_certificate_where_none_is_asked_for_is_no_fault(nginx: Nginx) -> None:
    """A server that asks for no certificate is healthy for a client that has one."""
    assert_healthy(check(nginx.otlp_tls, "--ca-file", nginx.authority.file, *shown(nginx.client)))


def shown(certificate: Certificate) -> tuple[object, ...]:
    """Return the options that show a client certificate."""
    return ("--client-cert", certificate.cert_file, "--client-key", certificate.key_file)


def test_files_that_cannot_be_used_are_named(nginx: Nginx, tmp_path: Path) -> None:
    """A file that is missing, or something else, is wrong use where an option names it, else a finding about it."""
    nothing, wrong = tmp_path / "nothing.pem", tmp_path / "wrong.pem"
    wrong.write_text("-----BEGIN NOTHING-----\n")
    trusted = ("--ca-file", nginx.authority.file)
    other_key = ("--client-cert", nginx.client.cert_file, "--client-key", nginx.authority.issue("another").key_file)
    for options, named in (
        (("--ca-file", nothing), "--ca-file"),
        (("--ca-file", wrong), "--ca-file"),
        ((*trusted, "--client-cert", nothing), "--client-cert"),
        ((*trusted, "--client-cert", wrong), "--client-cert"),
    ):
        result = check(nginx.otlp_tls, *options)
        assert (result.code, result.stderr.count("\n")) == (2, 1)
        assert named in result.stderr
    for file in (nothing, wrong):
        result = check(nginx.otlp_tls, variables={"OTEL_EXPORTER_OTLP_CERTIFICATE": str(file)})
        assert (result.code, result.found) == (1, ["NET-CERT-FILE"])
        assert file.name in result.finding("NET-CERT-FILE")["summary"]
    result = check(nginx.otlp_tls, *trusted, *other_key)
    assert (result.code, result.found) == (1, ["NET-CERT-FILE"])
    assert "another.key: the key does not belong to the certificate" in result.finding("NET-CERT-FILE")["summary"]


def test_a_key_without_its_certificate_is_wrong_use(nginx: Nginx) -> None:
    """--client-key alone is refused in one line, before anything is sent."""
    result = check(nginx.otlp_tls, "--client-key", nginx.client.key_file)
    assert (result.code, result.stderr.count("\n")) == (2, 1)


# TLS or not


def plain(endpoint: str) -> str:
    """Return the endpoint with http://."""
    return endpoint.replace("https://", "http://")


def test_plain_http_to_a_tls_port_has_its_code(nginx: Nginx, collector: Collector) -> None:
    """The 400 that nginx and Go give is no acceptance, and what is advised for it passes."""
    for endpoint in (nginx.otlp_tls, collector.tls.http):
        result = check(plain(endpoint), "--ca-file", nginx.authority.file)
        assert (result.code, result.found) == (1, ["NET-PLAIN-ON-TLS"])
        command = result.finding("NET-PLAIN-ON-TLS")["fix"][0]["command"]
        assert_healthy(run_line(f"{command} --format json", variables=CREDENTIAL))


def test_tls_to_a_plain_port_has_its_code(nginx: Nginx, collector: Collector) -> None:
    """A plain port that is spoken to by TLS is told by its first bytes, and what is advised for it passes."""
    for endpoint in (nginx.otlp, collector.basic.http):
        result = check(endpoint.replace("http://", "https://"))
        assert (result.code, result.found) == (1, ["NET-TLS-ON-PLAIN"])
        command = result.finding("NET-TLS-ON-PLAIN")["fix"][0]["command"]
        assert_healthy(run_line(f"{command} --format json", variables=CREDENTIAL))

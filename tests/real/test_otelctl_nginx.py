"""otelctl against nginx, as it stands in front of receivers: what it calls healthy, and what it finds wrong."""

from __future__ import annotations

import pytest

from tests.real.conftest import STACK, Collector, Nginx
from tests.support.parts import Credential
from tests.support.program import Result, run, run_line, sending

SIGNALS = ("traces", "metrics", "logs")
REVERSED = Credential(STACK.password, STACK.user)
OTHER_STACK = Credential("654321", STACK.password)


def check(nginx: Nginx, endpoint: str, *more: str, command: str = "check-endpoint") -> Result:
    """Run a command with the right credential and the right authority, and a report in JSON."""
    options = ("--ca-file", str(nginx.authority.file), "--format", "json")
    return run(command, endpoint, *options, *more, variables=sending(nginx.credential.header))


def requests(nginx: Nginx) -> list[str]:
    """Return the request lines that nginx has logged so far, all servers together."""
    lines = (nginx.log.parent / "access.log").read_text().splitlines()
    return [line.split('"')[1] for line in lines]


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
@pytest.mark.parametrize("place", ["otlp", "otlp_tls", "small"])
def test_a_healthy_proxy_has_no_finding(nginx: Nginx, place: str, protocol: str) -> None:
    """A receiver behind nginx with its path and credential is healthy for every signal and encoding."""
    result = check(nginx, getattr(nginx, place), "--signal", "all", "--protocol", protocol)
    assert (result.code, result.found, result.stderr) == (0, [], "")
    details = [result.check(signal)["detail"] for signal in SIGNALS]
    assert details == ["200, sent with the credential, an empty request was accepted"] * 3


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
@pytest.mark.parametrize("place", ["otlp", "otlp_tls"])
def test_a_span_arrives_through_it(nginx: Nginx, collector: Collector, place: str, protocol: str) -> None:
    """A span sent to nginx is at the backend behind the Collector behind it."""
    result = check(nginx, getattr(nginx, place), "--protocol", protocol, "--gzip", command="send-test-span")
    assert (result.code, result.found) == (0, [])
    assert len(collector.sink.spans(bytes.fromhex(result.report["facts"]["trace_id"]), 2)) == 2


# What a place of nginx's answers, by code, and a word of the summary that only this answer has.
PLACES = {
    "page": ("OTLP-NOT-OTLP", "200 with an HTML page"),
    "redirect": ("OTLP-NOT-OTLP", "302 with a redirect to a login page"),
    "permanent_redirect": ("OTLP-REDIRECT", "answered 308"),
    "limited": ("OTLP-429", "7 s"),
    "unavailable": ("OTLP-503", "answered 503"),
    "down": ("OTLP-503", "answered 502"),
    "otlp_plain_on_tls": ("NET-PLAIN-ON-TLS", "the plain http request was sent to https port"),
    "grpc_tls": ("NET-HTTP-ON-GRPC-PORT", "HTTP 415, in the form of gRPC"),
}


@pytest.mark.parametrize("place", PLACES)
def test_each_place_has_its_code(nginx: Nginx, place: str) -> None:
    """Whatever nginx answers instead of a receiver is named for what it is, for each signal alike."""
    code, said = PLACES[place]
    result = check(nginx, getattr(nginx, place), "--signal", "all")
    assert (result.code, result.found) == (1, [code] * 3)
    assert said in result.finding(code)["summary"]
    assert result.finding(code)["certainty"] == ("likely" if place == "redirect" else "certain")


@pytest.mark.parametrize("place", PLACES)
def test_a_span_meets_the_same(nginx: Nginx, place: str) -> None:
    """A span meets the same answer with the same code, and no trace is claimed to be anywhere."""
    code, _ = PLACES[place]
    result = check(nginx, getattr(nginx, place), command="send-test-span")
    assert (result.code, result.found) == (1, [code])
    assert "trace_id" not in result.report["facts"]


def test_a_body_over_the_limit_is_told_by_its_size(nginx: Nginx) -> None:
    """The limit shows with a span alone: the probe is below it, and the finding says how large the span was."""
    assert check(nginx, nginx.small).code == 0
    result = check(nginx, nginx.small, command="send-test-span")
    assert (result.code, result.found) == (1, ["OTLP-413"])
    assert int(result.finding("OTLP-413")["evidence"]["size"]) > 64


@pytest.mark.parametrize("command", ["check-endpoint", "send-test-span", "smoke"])
@pytest.mark.parametrize("place", ["redirect", "permanent_redirect"])
def test_a_redirect_is_not_followed(nginx: Nginx, place: str, command: str) -> None:
    """One request goes to the place that redirects, and none, with the credential or without, to its target."""
    before = len(requests(nginx))
    result = check(nginx, getattr(nginx, place), command=command)
    assert result.found == [PLACES[place][0]]
    path = f"/{place.replace('_', '-')}/v1/traces"
    assert requests(nginx)[before:] == [f"POST {path} HTTP/1.1"]


CREDENTIALS = {
    "none": ({}, "AUTH-WANTED"),
    "reversed": (sending(REVERSED.header), "AUTH-REVERSED"),
    "of another stack": (sending(OTHER_STACK.header), "AUTH-REFUSED"),
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_401_of_a_proxy_is_told_by_what_was_sent(nginx: Nginx, name: str) -> None:
    """nginx answers every wrong credential with the same page; what was sent tells the causes apart."""
    variables, code = CREDENTIALS[name]
    result = run("check-endpoint", nginx.otlp, "--format", "json", variables=variables)
    assert (result.code, result.found) == (1, [code])
    if code != "AUTH-REVERSED":
        assert "Basic" in result.finding(code)["cause"]
    assert STACK.password[8:] not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("path", "code"),
    [("", "URL-OTLP-MISSING"), ("/", "URL-OTLP-MISSING"), ("/otlp/v1/traces", "URL-PATH-DOUBLED")],
)
def test_what_is_advised_for_the_path_mends_it(nginx: Nginx, path: str, code: str) -> None:
    """A path without /otlp, or with the signal's twice, is named, and the advised command is the check that passes."""
    wrong = check(nginx, nginx.otlp.removesuffix("/otlp") + path)
    assert (wrong.code, wrong.found) == (1, [code])
    (step,) = (step for step in wrong.finding(code)["fix"] if step["command"])
    mended = run_line(f"{step['command']} --format json", variables=sending(nginx.credential.header))
    assert (mended.code, mended.found) == (0, [])


def test_what_is_advised_for_the_scheme_mends_it(nginx: Nginx) -> None:
    """The advised https:// at the TLS port passes, with the options of the run before."""
    found = check(nginx, nginx.otlp_plain_on_tls).finding("NET-PLAIN-ON-TLS")
    mended = run_line(f"{found['fix'][0]['command']} --format json", variables=sending(nginx.credential.header))
    assert (mended.code, mended.found) == (0, [])

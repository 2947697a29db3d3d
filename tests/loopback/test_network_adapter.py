"""The network adapter against real servers on loopback: what each stage reports, fault by fault."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otelctl.adapters import certificate
from otelctl.adapters.machine import SystemClock, SystemEntropy
from otelctl.adapters.network import SystemNetwork
from otelctl.adapters.proxies import SystemProxies
from otelctl.facts.wire import (
    Connected,
    Fault,
    FaultKind,
    HttpAnswer,
    HttpRequest,
    Proxy,
    Resolved,
    Route,
    Secured,
    Stage,
)
from otelctl.ports import Link
from otelctl.secret import Secret
from otelctl.settings import TlsOptions
from tests.support.ca import Authority
from tests.support.servers import (
    OK,
    Script,
    Scripted,
    answering,
    hanging_up,
    http,
    proxying,
    read_request,
    resetting,
    silent,
    speaking,
)

TOKEN = "Basic MTIzNDU2OmdsY19zZWNyZXQ="
REQUEST = HttpRequest("POST", "/v1/traces", (("Authorization", Secret(TOKEN)),), b"\x0a\x00")
SETTINGS = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00@\x00"
TIMEOUT = 2.0


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority that clients trust."""
    return Authority.create(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts."""
    return Authority.create(tmp_path_factory.mktemp("other"), "Corporate Inspection CA")


@contextmanager
def link_to(
    port: int,
    tls: TlsOptions | None = None,
    proxy: Proxy | None = None,
    *,
    host: str = "127.0.0.1",
    timeout: float = TIMEOUT,
    deadline: float = 10.0,
) -> Iterator[Link]:
    """Give an unopened link, and close it."""
    link = SystemNetwork().open(Route(host, port, tls, proxy, timeout, deadline))
    try:
        yield link
    finally:
        link.close()


def walk(link: Link, *, tls: bool = False, requests: int = 1) -> list[object]:
    """Take the stages in order until one fails, and return what each gave."""
    stages: list[Callable[[], object]] = [link.resolve, link.connect, *([link.secure] if tls else [])]
    stages += [lambda: link.exchange(REQUEST)] * requests
    facts: list[object] = []
    for stage in stages:
        facts.append(stage())
        if isinstance(facts[-1], Fault):
            break
    return facts


def end_of(
    script: Script,
    tls: TlsOptions | None = None,
    context: ssl.SSLContext | None = None,
    *,
    host: str = "127.0.0.1",
    timeout: float = TIMEOUT,
) -> object:
    """Serve the script, walk through all stages, and return the last fact."""
    with Scripted(script, context) as server, link_to(server.port, tls, host=host, timeout=timeout) as link:
        return walk(link, tls=tls is not None)[-1]


def fault_of(*args: object, **kwargs: object) -> Fault:
    """As end_of, for what must fail."""
    fact = end_of(*args, **kwargs)  # type: ignore[arg-type]
    assert isinstance(fact, Fault), fact
    return fact


# What works


def test_a_plain_exchange_shows_every_stage() -> None:
    """Addresses, connection and answer come with their times, and the request goes out with what HTTP needs."""
    seen: list[bytes] = []
    with Scripted(answering(OK, seen=seen)) as server, link_to(server.port, host="localhost") as link:
        resolved, connected, answer = walk(link)
    assert isinstance(resolved, Resolved)
    assert "127.0.0.1" in resolved.addresses
    assert isinstance(connected, Connected)
    assert (connected.address, connected.port, connected.proxy) == ("127.0.0.1", server.port, None)
    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.reason, answer.http_version, answer.body) == (200, "OK", "HTTP/1.1", b"")
    assert answer.header("content-type") == "application/x-protobuf"
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /v1/traces HTTP/1.1",
        b"Host: localhost:%d" % server.port,
        b"Authorization: " + TOKEN.encode(),
        b"Content-Length: 2",
    ]
    assert body == b"\x0a\x00"


def test_head_and_body_travel_in_one_segment() -> None:
    """The server gets the whole request in its first read, so no delayed acknowledgement is waited for."""
    reads: list[bytes] = []

    def script(conn: socket.socket, over: threading.Event) -> None:  # noqa: ARG001 - the form of a script
        reads.append(conn.recv(65536))
        conn.sendall(OK)

    assert isinstance(end_of(script), HttpAnswer)
    assert reads[0].endswith(b"\r\n\r\n\x0a\x00")


def test_later_exchanges_use_the_same_connection() -> None:
    """Three requests to a server that keeps alive cost one connection."""
    with Scripted(answering(OK, OK, OK)) as server, link_to(server.port) as link:
        facts = walk(link, requests=3)
    assert all(isinstance(fact, HttpAnswer) for fact in facts[2:])
    assert server.connections == 1


def test_a_connection_that_the_server_closed_is_made_anew(ca: Authority) -> None:
    """Three requests to a TLS server that hangs up after each are answered over three connections."""
    context = ca.good().server_context()
    with Scripted(answering(OK), context) as server, link_to(server.port, TlsOptions(str(ca.file))) as link:
        facts = walk(link, tls=True, requests=3)
    assert all(isinstance(fact, HttpAnswer) for fact in facts[3:])
    assert server.connections == 3


def test_an_exchange_without_stages_makes_its_own_connection() -> None:
    """Whoever only wants an answer need not take the stages."""
    with Scripted(answering(OK)) as server, link_to(server.port) as link:
        assert isinstance(link.exchange(REQUEST), HttpAnswer)


def test_an_answer_may_follow_interim_ones() -> None:
    """1xx answers are passed over, however many."""
    assert isinstance(end_of(answering(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + OK)), HttpAnswer)


def test_http_1_0_and_a_body_until_the_end_are_read() -> None:
    """An answer without a length ends with the connection."""
    answer = end_of(answering(b"HTTP/1.0 401 Unauthorized\r\nA: b\r\n\r\nno credentials provided"))
    assert isinstance(answer, HttpAnswer)
    assert (answer.status, answer.body, answer.body_fault) == (401, b"no credentials provided", None)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"hello " * 50, mtime=0)),
        ("deflate", zlib.compress(b"hello " * 50)),
        ("deflate", zlib.compress(b"hello " * 50)[2:-4]),
    ],
)
def test_compressed_bodies_are_unpacked(coding: str, packed: bytes) -> None:
    """gzip and deflate, with zlib's wrapper or without, arrive as text."""
    answer = end_of(answering(http("200 OK", packed, f"Content-Encoding: {coding}")))
    assert isinstance(answer, HttpAnswer)
    assert (answer.body, answer.body_fault, answer.truncated) == (b"hello " * 50, None, False)


@pytest.mark.parametrize("packed", [b"not gzip at all", gzip.compress(b"x" * 999, mtime=0)[:-9]])
def test_a_body_that_is_not_compressed_as_said_has_a_fault(packed: bytes) -> None:
    """A lying or cut Content-Encoding is a fact of the answer, not an exception."""
    answer = end_of(answering(http("200 OK", packed, "Content-Encoding: gzip")))
    assert isinstance(answer, HttpAnswer)
    assert answer.body_fault is FaultKind.BAD_ENCODING


def test_a_redirect_is_an_answer() -> None:
    """No redirect is followed, so the credential goes nowhere else."""
    with Scripted(answering(OK)) as elsewhere:
        moved = http("307 Temporary Redirect", b"", f"Location: http://127.0.0.1:{elsewhere.port}/")
        answer = end_of(answering(moved))
        assert isinstance(answer, HttpAnswer)
        assert (answer.status, elsewhere.connections) == (307, 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_address_of_ipv6_is_reached() -> None:
    """`[::1]` is connected to, and written with brackets in Host."""
    seen: list[bytes] = []
    with Scripted(answering(OK, seen=seen), host="::1") as server, link_to(server.port, host="::1") as link:
        assert isinstance(walk(link)[-1], HttpAnswer)
    assert b"Host: [::1]:%d\r\n" % server.port in seen[0]


# Names and connections


@pytest.mark.parametrize("host", ["nowhere.invalid", "two..dots.example", "a" * 64 + ".example"])
def test_a_name_that_does_not_exist(host: str) -> None:
    """An unknown name and one that cannot exist fail at DNS; without any resolver the resolver is the fault."""
    with link_to(4318, host=host) as link:
        fact = link.resolve()
    assert isinstance(fact, Fault)
    assert fact.stage is Stage.DNS
    assert fact.kind in (FaultKind.NAME_NOT_FOUND, FaultKind.RESOLVER_FAILED, FaultKind.TIMEOUT)


def test_a_slow_resolver_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time-out holds although the system's resolver has none."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [over.wait(5)][:0])
    started = time.monotonic()
    with link_to(4318, host="slow.example", timeout=0.2) as link:
        fact = link.resolve()
    assert isinstance(fact, Fault)
    assert (fact.stage, fact.kind) == (Stage.DNS, FaultKind.TIMEOUT)
    assert time.monotonic() - started < 0.7
    over.set()


def test_a_port_where_nothing_listens() -> None:
    """A refused connection names the address."""
    with Scripted(silent) as server:
        port = server.port
    with link_to(port) as link:
        fact = walk(link)[-1]
    assert isinstance(fact, Fault)
    assert (fact.stage, fact.kind, fact.text) == (Stage.TCP, FaultKind.REFUSED, "127.0.0.1: Connection refused")


def test_a_server_whose_queue_is_full_times_out() -> None:
    """A connection that nobody answers ends with the time-out, at TCP."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for sock in waiting:
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", port))
            started = time.monotonic()
            with link_to(port, timeout=0.4) as link:
                fact = walk(link)[-1]
            assert isinstance(fact, Fault)
            assert (fact.stage, fact.kind) == (Stage.TCP, FaultKind.TIMEOUT)
            assert time.monotonic() - started < 0.9
        finally:
            for sock in waiting:
                sock.close()


def test_the_deadline_bounds_all_stages_together() -> None:
    """With the whole time spent, a stage fails at once instead of taking its own time-out."""
    with Scripted(silent) as server, link_to(server.port, timeout=5.0, deadline=0.3) as link:
        started = time.monotonic()
        facts = walk(link)
        again = link.exchange(REQUEST)
    assert isinstance(facts[-1], Fault)
    assert facts[-1].kind is FaultKind.TIMEOUT
    assert isinstance(again, Fault)
    assert again.kind is FaultKind.TIMEOUT
    assert time.monotonic() - started < 0.8


# TLS


def test_a_handshake_shows_the_certificate(ca: Authority) -> None:
    """A finished handshake tells version, cipher, ALPN and the leaf."""
    context = ca.good().server_context()
    context.set_alpn_protocols(["http/1.1"])
    with Scripted(answering(OK), context) as server, link_to(server.port, TlsOptions(str(ca.file))) as link:
        _, _, secured, answer = walk(link, tls=True)
    assert isinstance(secured, Secured)
    assert (secured.version, secured.alpn, secured.verified) == ("TLSv1.3", "http/1.1", True)
    assert secured.certificate.names == ("localhost", "127.0.0.1")
    assert secured.certificate.issuer == "CN=otelctl test CA"
    assert isinstance(answer, HttpAnswer)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        ("expired", FaultKind.CERT_EXPIRED),
        ("not_yet_valid", FaultKind.CERT_NOT_YET_VALID),
        ("wrong_name", FaultKind.CERT_HOSTNAME),
    ],
)
def test_a_faulty_certificate_comes_with_its_fault(ca: Authority, make: str, kind: FaultKind) -> None:
    """An expired, early or misnamed certificate is told apart, and shown although it was not accepted."""
    issued = getattr(ca, make)()
    fault = fault_of(answering(OK), TlsOptions(str(ca.file)), issued.server_context())
    assert (fault.stage, fault.kind) == (Stage.TLS, kind)
    assert fault.certificate is not None
    assert fault.certificate.not_after == issued.not_after.replace(microsecond=0)
    assert fault.certificate.issuer == "CN=otelctl test CA"


def test_an_unknown_issuer_is_named_and_sees_no_credential(ca: Authority, other: Authority) -> None:
    """A certificate by somebody else is refused with the issuer's name, before anything was sent."""
    seen: list[bytes] = []
    fault = fault_of(answering(OK, seen=seen), TlsOptions(str(ca.file)), other.good().server_context())
    assert fault.kind is FaultKind.CERT_UNTRUSTED
    assert fault.certificate is not None
    assert (fault.certificate.issuer, fault.certificate.self_signed) == ("CN=Corporate Inspection CA", False)
    assert seen in ([], [b""])


def test_insecure_verifies_nothing_and_says_so(other: Authority) -> None:
    """--insecure goes through, and the fact tells that nothing was verified."""
    with (
        Scripted(answering(OK), other.wrong_name().server_context()) as server,
        link_to(server.port, TlsOptions(insecure=True)) as link,
    ):
        _, _, secured, answer = walk(link, tls=True)
    assert isinstance(secured, Secured)
    assert secured.verified is False
    assert isinstance(answer, HttpAnswer)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_that_is_wanted(ca: Authority, other: Authority, version: ssl.TLSVersion) -> None:
    """None is told from a wrong one, in TLS 1.2 by the handshake, in TLS 1.3 by the first read; a right one works."""
    context = ca.good().server_context(client_ca=ca)
    context.maximum_version = version
    right, wrong = ca.for_client(), other.for_client()
    assert fault_of(answering(OK), TlsOptions(str(ca.file)), context).kind is FaultKind.CLIENT_CERT_WANTED
    shown = TlsOptions(str(ca.file), str(wrong.cert_file), str(wrong.key_file))
    assert fault_of(answering(OK), shown, context).kind is FaultKind.CLIENT_CERT_REFUSED
    shown = TlsOptions(str(ca.file), str(right.cert_file), str(right.key_file))
    assert isinstance(end_of(answering(OK), shown, context), HttpAnswer)


def test_no_common_cipher_is_not_taken_for_a_client_certificate(ca: Authority) -> None:
    """The same alert before any agreement is another TLS fault."""
    context = ca.good().server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")  # the certificate has an EC key
    fault = fault_of(answering(OK), TlsOptions(str(ca.file)), context)
    assert (fault.stage, fault.kind) == (Stage.TLS, FaultKind.TLS_OTHER)


def test_local_files_that_cannot_be_used(ca: Authority, other: Authority, tmp_path: Path) -> None:
    """A missing, empty or mismatched file is named, and no request goes out."""
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    client, stranger = ca.for_client(), other.for_client()
    for options, file in [
        (TlsOptions(str(tmp_path / "missing.pem")), tmp_path / "missing.pem"),
        (TlsOptions(str(empty)), empty),
        (TlsOptions(str(tmp_path)), tmp_path),
        (TlsOptions(str(ca.file), str(tmp_path / "none")), tmp_path / "none"),
        (TlsOptions(str(ca.file), str(client.cert_file)), client.cert_file),
        (TlsOptions(str(ca.file), str(client.cert_file), str(stranger.key_file)), stranger.key_file),
    ]:
        fault = fault_of(answering(OK), options, ca.good().server_context())
        assert (fault.stage, fault.kind, fault.file) == (Stage.TLS, FaultKind.LOCAL_FILE, str(file))
        assert fault.text


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", SETTINGS, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_port_without_tls(greeting: bytes) -> None:
    """What answers a TLS hello in another protocol is shown by its first bytes."""
    fault = fault_of(speaking(greeting), TlsOptions())
    assert (fault.stage, fault.kind, fault.first_bytes) == (Stage.TLS, FaultKind.NOT_TLS, greeting)


@pytest.mark.parametrize(
    ("script", "kinds"),
    [
        (hanging_up, {FaultKind.CLOSED, FaultKind.RESET}),
        (resetting, {FaultKind.RESET}),
        (silent, {FaultKind.TIMEOUT}),
    ],
)
def test_a_server_that_ends_the_handshake(script: Script, kinds: set[FaultKind]) -> None:
    """Hanging up, RST and silence in the handshake are told apart."""
    fault = fault_of(script, TlsOptions(), timeout=0.5)
    assert fault.stage is Stage.TLS
    assert fault.kind in kinds


# Answers that are none


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", SETTINGS, b"\x15\x03\x01\x00\x02\x02F", b"<html>"])
def test_an_answer_that_is_not_http(greeting: bytes) -> None:
    """The first bytes are kept, and nothing waits for more of them."""
    started = time.monotonic()
    fault = fault_of(speaking(greeting), timeout=5.0)
    assert (fault.stage, fault.kind, fault.first_bytes) == (Stage.RECEIVE, FaultKind.NOT_HTTP, greeting)
    assert time.monotonic() - started < 1.0


def test_a_parser_never_quotes_the_peer() -> None:
    """A server that echoes the credential in a broken header does not get it into the fault's text."""

    def script(conn: socket.socket, over: threading.Event) -> None:  # noqa: ARG001 - the form of a script
        conn.sendall(b"HTTP/1.1 200 OK\r\n" + read_request(conn)[17:])

    fault = fault_of(script)
    assert fault.kind is FaultKind.NOT_HTTP
    assert TOKEN[6:] not in fault.text


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("POST", "/v1/traces", (("Authorization", Secret("Basic line\nbreak")),), b""),
        HttpRequest("POST", "/v1/traces", (("Authorization", Secret("Basic secret ")),), b""),
        HttpRequest("POST", "/v1/traces", (("Author ization", Secret("x")),), b""),
        HttpRequest("POST", "/v1/tr aces", (), b""),
        HttpRequest("POST", "/", (("A", Secret("\udce9")),), b""),
    ],
)
def test_a_request_that_http_cannot_carry_is_not_sent(request_: HttpRequest) -> None:
    """A header with a line break fails here with its name and without its value."""
    seen: list[bytes] = []
    with Scripted(answering(OK, seen=seen)) as server, link_to(server.port) as link:
        fault = link.exchange(request_)
    assert isinstance(fault, Fault)
    assert (fault.stage, fault.kind) == (Stage.SEND, FaultKind.BAD_REQUEST)
    assert "secret" not in fault.text
    assert seen == []


def test_an_idle_connection_that_dies_is_no_news() -> None:
    """A server that hangs up on the idle connection costs a new one, no fault."""
    with Scripted(answering(OK)) as server, link_to(server.port) as link:
        first = walk(link)[-1]
        time.sleep(0.1)
        second = link.exchange(REQUEST)
    assert isinstance(first, HttpAnswer)
    assert isinstance(second, HttpAnswer)
    assert server.connections == 2


def test_stages_out_of_order_are_a_mistake_of_ours(ca: Authority) -> None:
    """connect() before resolve() and secure() before connect() raise: no network does that."""
    with link_to(1, TlsOptions(str(ca.file))) as link:
        with pytest.raises(RuntimeError):
            link.connect()
        with pytest.raises(RuntimeError):
            link.secure()


# Proxies


def proxy_at(port: int, password: str | None = None, *, scheme: str = "http", tls: bool = False) -> Proxy:
    """Return the proxy fact for a server here."""
    user = None if password is None else "me"
    return Proxy("127.0.0.1", port, tls, "HTTPS_PROXY", user, Secret(password) if password else None, scheme)


def test_a_tunnel_hides_the_credential_from_the_proxy(ca: Authority) -> None:
    """To a TLS endpoint the proxy gets CONNECT with its own credential, and nothing of the request."""
    through: list[bytes] = []
    seen: list[bytes] = []
    with (
        Scripted(answering(OK, seen=seen), ca.good().server_context()) as server,
        Scripted(proxying(through, "me:pa:ss")) as proxy,
        link_to(server.port, TlsOptions(str(ca.file)), proxy_at(proxy.port, "pa:ss")) as link,
    ):
        resolved, connected, _, answer = walk(link, tls=True)
    assert isinstance(resolved, Resolved)
    assert isinstance(connected, Connected)
    assert connected.proxy == f"127.0.0.1:{proxy.port}"
    assert isinstance(answer, HttpAnswer)
    assert through[0].startswith(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % server.port)
    assert b"Authorization: " + TOKEN.encode() not in through[0]
    assert b"Proxy-Authorization" not in seen[0]


def test_a_proxy_that_is_itself_spoken_to_by_tls_needs_trust(other: Authority) -> None:
    """An https:// proxy with a private certificate fails at the proxy, not at the endpoint."""
    with (
        Scripted(proxying([]), other.good().server_context()) as proxy,
        link_to(443, TlsOptions(), proxy_at(proxy.port, scheme="https", tls=True)) as link,
    ):
        fact = walk(link, tls=True)[-1]
    assert isinstance(fact, Fault)
    assert (fact.stage, fact.kind) == (Stage.PROXY, FaultKind.CERT_UNTRUSTED)


def test_tls_in_tls_through_an_https_proxy(ca: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tunnel through a proxy that speaks TLS carries the endpoint's own TLS."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.file))
    context = ca.good().server_context()
    through: list[bytes] = []
    with (
        Scripted(answering(OK), context) as server,
        Scripted(proxying(through), context) as proxy,
        link_to(server.port, TlsOptions(str(ca.file)), proxy_at(proxy.port, scheme="https", tls=True)) as link,
    ):
        assert isinstance(walk(link, tls=True)[-1], HttpAnswer)
    assert through[0].startswith(b"CONNECT ")


def test_a_plain_request_through_a_proxy_has_the_whole_url() -> None:
    """Without TLS the proxy gets the absolute form."""
    through: list[bytes] = []
    with (
        Scripted(answering(OK)) as server,
        Scripted(proxying(through, "me:pass")) as proxy,
        link_to(server.port, proxy=proxy_at(proxy.port, "pass")) as link,
    ):
        assert isinstance(walk(link)[-1], HttpAnswer)
    assert through[0].startswith(b"POST http://127.0.0.1:%d/v1/traces HTTP/1.1\r\n" % server.port)


def test_a_proxy_that_wants_a_password() -> None:
    """A 407 to CONNECT is a fault of the proxy, with what it asks for."""
    with Scripted(proxying([], "me:pass")) as proxy, link_to(443, TlsOptions(), proxy_at(proxy.port)) as link:
        fact = walk(link, tls=True)[-1]
    assert isinstance(fact, Fault)
    assert (fact.stage, fact.kind, fact.status) == (Stage.PROXY, FaultKind.PROXY_AUTH, 407)
    assert "asks for Basic" in fact.text
    assert fact.proxy is not None


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (answering(http("403 Forbidden by pass1234word", b"<html>")), FaultKind.PROXY_DENIED),
        (answering(http("502 Bad Gateway")), FaultKind.PROXY_DENIED),
        (speaking(b"SSH-2.0-x\r\n"), FaultKind.NOT_HTTP),
        (silent, FaultKind.TIMEOUT),
        (hanging_up, None),
    ],
)
def test_a_proxy_that_does_not_dig(script: Script, kind: FaultKind | None) -> None:
    """Refusal, another protocol, silence and hanging up are faults at the proxy; its password is not echoed."""
    with (
        Scripted(script) as proxy,
        link_to(443, TlsOptions(), proxy_at(proxy.port, "pass1234word"), timeout=0.5) as link,
    ):
        fact = walk(link, tls=True)[-1]
    assert isinstance(fact, Fault)
    assert fact.stage is Stage.PROXY
    assert fact.kind is kind or (kind is None and fact.kind in (FaultKind.RESET, FaultKind.CLOSED))
    assert "pass1234word" not in fact.text


@pytest.mark.parametrize("proxy", [proxy_at(1080, scheme="socks5"), Proxy("", 0, tls=False, source="ALL_PROXY")])
def test_a_proxy_of_another_kind_is_told_before_anything_is_sent(proxy: Proxy) -> None:
    """SOCKS and a setting that is no URL stop at once."""
    with link_to(443, TlsOptions(), proxy) as link:
        fact = link.resolve()
    assert isinstance(fact, Fault)
    assert (fact.stage, fact.kind) == (Stage.PROXY, FaultKind.PROXY_KIND)


# This machine's settings


@pytest.fixture
def proxies(monkeypatch: pytest.MonkeyPatch) -> Callable[..., SystemProxies]:
    """Give the proxy settings of an environment that holds these variables alone."""

    def make(**variables: str) -> SystemProxies:
        for name in ("http", "https", "all", "no"):
            for spelling in (f"{name}_proxy", f"{name}_proxy".upper()):
                monkeypatch.delenv(spelling, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return SystemProxies()

    return make


def test_a_proxy_is_read_with_its_source(proxies: Callable[..., SystemProxies]) -> None:
    """User, password, port and the variable's own spelling are told."""
    proxy = proxies(HTTPS_PROXY="http://me:p%40ss@proxy.corp:3128").proxy_for("https", "x.grafana.net", 443)
    assert proxy == Proxy("proxy.corp", 3128, False, "HTTPS_PROXY", "me", Secret("p@ss"), "http")
    assert proxies(https_proxy="proxy.corp:8080").proxy_for("https", "x", 443) == Proxy(
        "proxy.corp", 8080, False, "https_proxy"
    )
    assert proxies(ALL_PROXY="socks5://s").proxy_for("https", "x", 443) == Proxy(
        "s", 1080, False, "ALL_PROXY", scheme="socks5"
    )
    assert proxies(HTTP_PROXY="http://p").proxy_for("https", "x", 443) is None
    broken = proxies(HTTP_PROXY="http://[p").proxy_for("http", "x", 80)
    assert broken is not None
    assert broken.host == ""


@pytest.mark.parametrize(
    ("exceptions", "host", "port", "goes_direct"),
    [
        ("grafana.net", "otlp.grafana.net", 443, True),
        (".grafana.net", "otlp.grafana.net", 443, True),
        ("localhost:4318", "localhost", 4318, True),
        ("localhost:4318", "localhost", 4317, False),
        ("10.0.0.0/8", "10.1.2.3", 4318, True),
        ("10.0.0.0/8,x", "11.1.2.3", 4318, False),
        ("::1", "::1", 4318, True),
        ("*", "anything.example", 443, True),
        ("example.com", "notexample.com", 443, False),
    ],
)
def test_no_proxy_excepts(
    proxies: Callable[..., SystemProxies], exceptions: str, host: str, port: int, goes_direct: bool
) -> None:
    """NO_PROXY takes names, suffixes, ports and networks."""
    made = proxies(HTTP_PROXY="http://p:1", NO_PROXY=exceptions)
    assert (made.proxy_for("http", host, port) is None) is goes_direct


def test_clock_and_entropy() -> None:
    """The clock is in UTC and goes forward, and random bytes come as many as asked for."""
    clock = SystemClock()
    assert clock.now().utcoffset() is not None
    before = clock.monotonic()
    clock.sleep(0.01)
    assert clock.monotonic() > before
    assert len(SystemEntropy().bytes(16)) == 16


# Certificates


def test_the_reader_agrees_with_openssl(ca: Authority) -> None:
    """Names, issuer and dates are those that the standard library decodes for a verified certificate."""
    context = ssl.create_default_context(cafile=str(ca.file))
    with (
        Scripted(hanging_up, ca.good().server_context()) as server,
        socket.create_connection(("127.0.0.1", server.port), 5) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as sock,
    ):
        theirs, der = sock.getpeercert(), sock.getpeercert(binary_form=True)
    assert theirs
    assert der
    ours = certificate.parse(der)
    assert ours.names == tuple(str(pair[1]) for pair in theirs["subjectAltName"])
    assert ours.not_after.timestamp() == ssl.cert_time_to_seconds(str(theirs["notAfter"]))
    assert ours.not_before.timestamp() == ssl.cert_time_to_seconds(str(theirs["notBefore"]))
    assert (ours.subject, ours.issuer) == ("CN=localhost", "CN=otelctl test CA")


@pytest.fixture(scope="module")
def der(ca: Authority) -> bytes:
    """A certificate in DER."""
    return ssl.PEM_cert_to_DER_cert(ca.good().cert_file.read_text())


def test_every_cut_of_a_certificate_is_refused(der: bytes) -> None:
    """A certificate that ends early is no certificate, wherever it ends."""
    for end in range(len(der)):
        with pytest.raises(certificate.CertificateError):
            certificate.parse(der[:end])


@given(data=st.data())
def test_a_changed_certificate_never_breaks_the_reader(der: bytes, data: st.DataObject) -> None:
    """Whatever single byte is changed, the reader gives bounded printable text or CertificateError."""
    at = data.draw(st.integers(0, len(der) - 1))
    changed = bytearray(der)
    changed[at] = data.draw(st.integers(0, 255))
    try:
        parsed = certificate.parse(bytes(changed))
    except certificate.CertificateError:
        return
    for text in (parsed.subject, parsed.issuer, *parsed.names):
        assert text.isprintable()
        assert len(text) <= 200

"""Endpoints: what a URL means, and any text at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otelctl.endpoint import (
    Endpoint,
    EndpointError,
    GrafanaHost,
    Variant,
    alternatives,
    gateway_base,
    names_signal,
    parse,
    region_matches,
    signal_endpoint,
    signal_of,
    without_signal,
)
from otelctl.secret import Secret
from otelctl.settings import Signal

PARSED = [
    ("https://x.example.com", "https", "x.example.com", 443, "", False),
    ("http://x.example.com/", "http", "x.example.com", 80, "/", False),
    ("HTTP://LOCALHOST:4318/v1/Traces", "http", "localhost", 4318, "/v1/Traces", True),
    (" https://x.example.com/otlp\n", "https", "x.example.com", 443, "/otlp", False),
    ("http://[::1]:4318", "http", "::1", 4318, "", True),
    ("https://x.example.com:443/otlp", "https", "x.example.com", 443, "/otlp", True),
    ("https://x_y.example.com.", "https", "x_y.example.com.", 443, "", False),
]


@pytest.mark.parametrize(("text", "scheme", "host", "port", "path", "written"), PARSED)
def test_a_url(text: str, scheme: str, host: str, port: int, path: str, written: bool) -> None:
    """Scheme and host are read in lower case, the port is the scheme's own where none is written."""
    endpoint = parse(text)
    assert (endpoint.scheme, endpoint.host, endpoint.port) == (scheme, host, port)
    assert (endpoint.path, endpoint.port_written) == (path, written)


def test_what_is_shown_of_a_url() -> None:
    """User information and query are kept apart and never shown; the query is sent."""
    endpoint = parse("https://me%40x:hunter2@[::1]:4318/otlp?api-key=hunter3")
    assert (endpoint.username, endpoint.password) == (Secret("me@x"), Secret("hunter2"))
    assert endpoint.url == "https://[::1]:4318/otlp"
    assert endpoint.origin == "[::1]:4318"
    assert endpoint.target == "/otlp?api-key=hunter3"
    assert parse("https://x").target == "/"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        (" \t", "is empty"),
        ("x.example.com:4318", "no scheme"),
        ("https:/x.example.com", "no scheme"),
        ("grpc://x.example.com", "'grpc' is not http or https"),
        ("https://", "no valid host"),
        ("https://:4318", "no valid host"),
        ("https://-x.example.com", "no valid host"),
        ("https://a..b", "no valid host"),
        ("https://<host>/otlp", "a placeholder"),
        ("https://$HOST", "a placeholder"),
        ("https://x:port", "cannot be read"),
        ("https://x:65536", "cannot be read"),
        ("https://[::1", "cannot be read"),
        ("https://x:0", "port 0"),
        ("https://x\x00y", "white space or control"),
        ("https://x y", "white space or control"),
    ],
)
def test_what_is_no_url(text: str, problem: str) -> None:
    """What an exporter could not use is refused with what is wrong with it."""
    with pytest.raises(EndpointError, match=problem):
        parse(text)


@pytest.mark.parametrize(
    ("host", "loopback", "private"),
    [
        ("localhost", True, True),
        ("127.0.0.1", True, True),
        ("127.8.8.8", True, True),
        ("[::1]", True, True),
        ("[::ffff:127.0.0.1]", True, True),
        ("127.example.com", False, False),
        ("localhost.example.com", False, False),
        ("10.1.2.3", False, True),
        ("10.example.com", False, False),
        ("172.16.0.1", False, True),
        ("172.32.0.1", False, False),
        ("192.168.0.1", False, True),
        ("100.64.0.1", False, True),
        ("100.128.0.1", False, False),
        ("169.254.169.254", False, True),
        ("0.0.0.0", False, True),
        ("[fd00::1]", False, True),
        ("[fe80::1]", False, True),
        ("[2001:db8::1]", False, False),
        ("8.8.8.8", False, False),
        ("collector", False, True),
        ("collector.svc.cluster.local", False, True),
        ("host.docker.internal", False, True),
        ("otel.lan", False, True),
        ("example.com", False, False),
        ("fd.example.com", False, False),
    ],
)
def test_where_a_host_is(host: str, loopback: bool, private: bool) -> None:
    """A host is this machine's or private by its address, or by a name that no public DNS holds."""
    endpoint = parse(f"http://{host}:4318")
    assert (endpoint.loopback, endpoint.private) == (loopback, private)


@pytest.mark.parametrize(
    ("host", "kind", "zone"),
    [
        ("otlp-gateway-prod-eu-west-2.grafana.net", GrafanaHost.GATEWAY, "prod-eu-west-2"),
        ("OTLP-Gateway-prod-eu-west-2.grafana.net.", GrafanaHost.GATEWAY, "prod-eu-west-2"),
        ("otlp-gateway-prod-us-east-0.aws-us-1.grafana.net", GrafanaHost.GATEWAY, "prod-us-east-0"),
        ("otlp.something.grafana.net", GrafanaHost.GATEWAY, ""),
        ("tempo-prod-04-prod-eu-west-2.grafana.net", GrafanaHost.QUERY, ""),
        ("prometheus-us-central1.grafana.net", GrafanaHost.QUERY, ""),
        ("my-stack.grafana.net", GrafanaHost.STACK, ""),
        ("grafana.net", GrafanaHost.NONE, ""),
        ("otlp-gateway-prod-eu-west-2.grafana.net.evil.example", GrafanaHost.NONE, ""),
        ("grafana.com", GrafanaHost.NONE, ""),
    ],
)
def test_hosts_of_grafana_cloud(host: str, kind: GrafanaHost, zone: str) -> None:
    """What a host below grafana.net is for is told by its name, a gateway's zone too."""
    endpoint = parse(f"https://{host}/otlp")
    assert (endpoint.grafana, endpoint.zone) == (kind, zone)


@pytest.mark.parametrize(
    ("host", "zone"),
    [
        ("tempo-prod-04-prod-eu-west-2", "prod-eu-west-2"),
        ("prometheus-prod-01-eu-west-0", "prod-eu-west-0"),
        ("tempo-us-central1", ""),
        ("logs-prod-012", ""),
    ],
)
def test_the_gateway_of_a_database(host: str, zone: str) -> None:
    """The gateway's zone is taken from a database's name where that holds it, and not made up where it does not."""
    assert parse(f"https://{host}.grafana.net").gateway_zone == zone


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("", ""),
        ("/", ""),
        ("//", ""),
        ("/otlp", "/otlp"),
        ("/otlp/", "/otlp"),
        ("/v1/traces", ""),
        ("/v1/traces/", ""),
        ("/otlp/v1/traces/v1/traces", "/otlp"),
        ("/otlp/v1/metrics/v1/traces", "/otlp"),
        ("/otlp/v1", "/otlp"),
        ("/otlp/v1/", "/otlp"),
        ("/traces", "/traces"),
        ("/v2/traces", "/v2/traces"),
        ("/v1/trace", "/v1/trace"),
        ("/xv1/traces", "/xv1/traces"),
    ],
)
def test_the_base_in_a_path(path: str, base: str) -> None:
    """Signal paths, their beginning and slashes at the end are taken off, and nothing else."""
    assert without_signal(path) == base


@pytest.mark.parametrize("signal", Signal)
def test_where_a_signal_goes(signal: Signal) -> None:
    """`v1/<signal>` is appended to a base, whether it ends in a slash or not (protocol/exporter.md)."""
    for base in ("https://x/otlp", "https://x/otlp/"):
        posted = signal_endpoint(parse(base), signal)
        assert posted.path == f"/otlp/v1/{signal}"
        assert names_signal(posted.path)
        assert signal_of(posted.path) is signal
    assert signal_of("/v1/tracesx") is None


def test_the_gateways_base() -> None:
    """The gateway is spoken to by TLS at its own port, below /otlp, whatever was configured."""
    assert gateway_base(parse("http://otlp-gateway-x.grafana.net:4318/v1/traces?a=b")).url == (
        "https://otlp-gateway-x.grafana.net/otlp"
    )


def _variants(url: str, *, per_signal: bool = False) -> list[tuple[Variant, str]]:
    found = alternatives(parse(url), Signal.TRACES, per_signal=per_signal)
    return [(one.variant, one.posted.path) for one in found if one.variant is not Variant.OTHER_SIGNAL]


def test_paths_worth_trying() -> None:
    """What is tried after a 404 is the likeliest first, each path once and never the one that was refused."""
    assert _variants("http://x") == [(Variant.OTLP_ADDED, "/otlp/v1/traces")]
    assert _variants("http://x/otlp") == [(Variant.OTLP_DROPPED, "/v1/traces")]
    assert _variants("http://x/v1/traces") == [
        (Variant.SIGNAL_ONCE, "/v1/traces"),
        (Variant.OTLP_ADDED, "/otlp/v1/traces"),
    ]
    assert _variants("http://x", per_signal=True) == [
        (Variant.SIGNAL_ADDED, "/v1/traces"),
        (Variant.OTLP_ADDED, "/otlp/v1/traces"),
    ]
    assert _variants("http://x/v1/traces/", per_signal=True)[0] == (Variant.SLASH_DROPPED, "/v1/traces")
    assert _variants("http://x/v1/traces", per_signal=True) == [(Variant.OTLP_ADDED, "/otlp/v1/traces")]


@given(
    path=st.lists(st.sampled_from(["", "otlp", "v1", "traces", "metrics", "x"]), max_size=5).map(
        lambda parts: "".join(f"/{part}" for part in parts)
    ),
    per_signal=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_no_alternative_is_what_was_refused(path: str, per_signal: bool) -> None:
    """Whatever the path: no request is made twice, and each alternative is what its setting leads to."""
    endpoint = parse(f"http://x{path}")
    refused = endpoint if per_signal else signal_endpoint(endpoint, Signal.TRACES)
    found = alternatives(endpoint, Signal.TRACES, per_signal=per_signal)
    posted = [one.posted.path for one in found]
    assert len(set(posted)) == len(posted)
    assert refused.path not in posted
    for one in found:
        if one.variant is not Variant.OTHER_SIGNAL:
            leads = one.value if per_signal else signal_endpoint(one.value, Signal.TRACES)
            assert leads == one.posted


@given(text=st.one_of(st.text(), st.text("htps:/@[]?#%.0189afx ").map(lambda text: f"https://{text}")))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_url_or_told_why_not(text: str) -> None:
    """No text makes the parser raise anything else than EndpointError, whose message is one line."""
    try:
        endpoint = parse(text)
    except EndpointError as error:
        problem = str(error)
    else:
        _judge_parsed(endpoint)
        return
    assert problem
    assert len(problem.splitlines()) == 1


def _judge_parsed(endpoint: Endpoint) -> None:
    assert isinstance(endpoint, Endpoint)
    assert 0 < endpoint.port < 65536
    assert endpoint.grafana in GrafanaHost
    assert isinstance(endpoint.private, bool)
    assert parse(endpoint.url).host == endpoint.host


MIB = 1 << 20


@pytest.mark.parametrize(
    "text",
    [
        "a" * MIB,
        "https://" + "a" * MIB,
        "https://" + "a." * (MIB // 2),
        "https://" + "-" * MIB,
        "https://x/" + "/" * MIB + "x",
        "https://x" + "/v1/traces" * (MIB // 10),
        "https://x" + "/v1" * (MIB // 3) + "/x",
        "https://" + "@" * MIB,
        "https://" + "[" * MIB,
        "https://x?" + "%" * MIB,
        " " * MIB + "https://x",
        "https://x:" + "1" * MIB,
    ],
    ids=lambda text: text[:14],
)
def test_a_mebibyte_is_parsed_in_linear_time(text: str) -> None:
    """A mebibyte of anything is parsed, and its base found, within seconds."""
    started = time.perf_counter()
    try:
        endpoint = parse(text)
        alternatives(endpoint, Signal.TRACES, per_signal=False)
        assert isinstance(endpoint.private, bool)
    except EndpointError:
        pass
    assert time.perf_counter() - started < 4


@pytest.mark.parametrize(
    ("region", "zone"), [("eu", "prod-eu-west-2"), ("EU-WEST-2", "prod-eu-west-2"), ("", ""), ("x1", "y")]
)
def test_regions_that_may_belong(region: str, zone: str) -> None:
    """A region is no contradiction to a zone below it, in any case, nor where it cannot be compared."""
    assert region_matches(region, zone)

"""The parts that somebody else made, each started once for a run on free loopback ports, and stopped at its end.

`collector` has a listener for each way to set up a receiver, `nginx` a place for each answer that a proxy can give;
`moto` is empty at the start of every test. Where a part is missing its tests are skipped with the reason, or fail
where OTELCTL_REQUIRE_REAL=1 says that it must be there.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import sink as sinks
from tests.support.ca import Authority, Certificate
from tests.support.moto import ENVIRONMENT as MOTO_VARIABLES
from tests.support.moto import moto_server as serving_moto
from tests.support.parts import Credential, ask, free_ports, listening, missing, program, running

HERE = Path(__file__).parent

# In the form that Grafana Cloud's have: the id of a stack, and an access policy token (its JSON says org and region).
STACK = Credential("123456", "glc_eyJvIjoiNjU0MzIxIiwibiI6Im90ZWxjdGwtdGVzdCIsImsiOiJzM2NyM3QiLCJtIjp7InIiOiJldSJ9fQ==")
# TLS goes to a name, since a client sends no SNI with an address.
PLAIN, TLS = "http://127.0.0.1", "https://localhost"
BEARER = "a-token-that-a-collector-asks-for"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below this folder, so that no test here can be forgotten."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.real)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where one receiver of the Collector listens: base URLs, without the path of a signal."""

    http: str
    grpc: str


@dataclass(frozen=True, slots=True)
class Collector:
    """A running Collector; all its listeners lead to `sink`, those named for it excepted."""

    plain: Listener
    """No TLS, no authentication."""
    basic: Listener
    """Wants `credential`."""
    bearer: Listener
    """Wants `bearer_token`."""
    tls: Listener
    """TLS by `authority`, and wants `credential`."""
    mtls: Listener
    """TLS, and wants `client`, or another certificate of `authority`."""
    traces_only: Listener
    """Has no pipeline for metrics and logs."""
    small: Listener
    """Takes bodies of up to 1 KiB over HTTP."""
    behind_401: Listener
    """Its backend answers every export with 401, and it says so in its own answer."""
    behind_429: Listener
    """Its backend answers every export with 429."""
    behind_nothing: Listener
    """Nobody listens where it exports to."""
    credential: Credential
    bearer_token: str
    authority: Authority
    client: Certificate
    metrics: str
    """Its own metrics, for Prometheus."""
    health: str
    """The health_check extension."""
    log: Path
    sink: sinks.Sink


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx; each base URL is what a user may have given as the OTLP endpoint."""

    otlp: str
    """/otlp in front of the Collector, wants `credential`."""
    otlp_tls: str
    """The same by TLS."""
    otlp_tls_with: Mapping[str, str]
    """The same by TLS with a certificate that is `expired`, `not-yet-valid`, `wrong-name` or `untrusted`, or with
    `mtls` by a good one, where the client's is wanted."""
    grpc_tls: str
    """HTTP/2 by ALPN, in front of the Collector's gRPC, without authentication."""
    otlp_plain_on_tls: str
    """http:// to the port of `otlp_tls`: nginx answers 400."""
    page: str
    """A web page, 200, whatever is asked."""
    redirect: str
    """302 to a login page."""
    permanent_redirect: str
    """308 to https."""
    limited: str
    """429 with Retry-After: 7."""
    unavailable: str
    """503 with a Retry-After that is a date."""
    small: str
    """413 for a body of more than 64 bytes, in front of the Collector."""
    down: str
    """502: nothing listens behind it."""
    credential: Credential
    authority: Authority
    client: Certificate
    log: Path


@dataclass(frozen=True, slots=True)
class Moto:
    """A running AWS of moto's."""

    url: str
    variables: Mapping[str, str]
    """What boto3, the AWS CLI and otelctl need in their environment to speak to it."""


@pytest.fixture(scope="session")
def sink() -> Iterator[sinks.Sink]:
    """The backend that the Collector exports to."""
    with sinks.serving() as serving:
        yield serving


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority whose certificates the parts show."""
    return Authority.create(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def collector_binary() -> Path:
    """The Collector that build_collector.sh built."""
    script = HERE / "build_collector.sh"
    path = subprocess.run(["sh", script, "--path"], capture_output=True, text=True, check=True).stdout.strip()
    if not os.access(path, os.X_OK):
        missing("the Collector is not built: sh tests/real/build_collector.sh")
    return Path(path)


def _receivers(
    ports: Mapping[str, tuple[int, int]], authority: Authority, certificate: Certificate
) -> dict[str, dict[str, object]]:
    """The settings of each listener's receiver that differ from a plain one's, for both protocols."""
    tls = {"cert_file": str(certificate.cert_file), "key_file": str(certificate.key_file)}
    settings: dict[str, dict[str, object]] = {name: {} for name in ports}
    settings["basic"] = {"auth": {"authenticator": "basicauth"}}
    settings["bearer"] = {"auth": {"authenticator": "bearertokenauth"}}
    settings["tls"] = {**settings["basic"], "tls": tls}
    settings["mtls"] = {"tls": {**tls, "client_ca_file": str(authority.file)}}
    receivers: dict[str, dict[str, object]] = {}
    for name, (http, grpc) in ports.items():
        limit = {"max_request_body_size": 1024} if name == "small" else {}
        receivers[f"otlp/{name}"] = {
            "protocols": {
                "http": {"endpoint": f"127.0.0.1:{http}", **settings[name], **limit},
                "grpc": {"endpoint": f"127.0.0.1:{grpc}", **settings[name]},
            }
        }
    return receivers


def _configuration(
    receivers: Mapping[str, object], exporters: Mapping[str, str], metrics: int, health: int
) -> dict[str, object]:
    """The Collector's configuration: each receiver named in `exporters` has a pipeline to that URL."""
    at_once = {"sending_queue": {"enabled": False}, "retry_on_failure": {"enabled": False}}
    pipelines = {}
    for name in exporters:
        ways = {"receivers": [f"otlp/{name}"], "exporters": [f"otlp_http/{name}", "debug"]}
        for signal in ("traces",) if name == "traces_only" else ("traces", "metrics", "logs"):
            pipelines[f"{signal}/{name}"] = ways
    return {
        "receivers": receivers,
        # Without queue and retry the backend's answer is part of the receiver's.
        "exporters": {
            "debug": {"verbosity": "detailed"},
            **{f"otlp_http/{name}": {"endpoint": url, **at_once} for name, url in exporters.items()},
        },
        "extensions": {
            "basicauth": {"htpasswd": {"inline": f"{STACK.user}:{STACK.password}"}},
            "bearertokenauth": {"token": BEARER},
            "health_check": {"endpoint": f"127.0.0.1:{health}"},
        },
        "service": {
            "extensions": ["basicauth", "bearertokenauth", "health_check"],
            "pipelines": pipelines,
            "telemetry": {
                "metrics": {"readers": [{"pull": {"exporter": {"prometheus": {"host": "127.0.0.1", "port": metrics}}}}]}
            },
        },
    }


@pytest.fixture(scope="session")
def collector(
    collector_binary: Path, authority: Authority, sink: sinks.Sink, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Collector]:
    """An OpenTelemetry Collector with every listener of `Collector`."""
    folder = tmp_path_factory.mktemp("collector")
    names = [name for name, kind in Collector.__annotations__.items() if kind == "Listener"]
    metrics, health, nobody, *rest = free_ports(3 + 2 * len(names))
    ports = dict(zip(names, zip(rest[::2], rest[1::2], strict=True), strict=True))

    certificate = authority.issue("collector")
    exporters = dict.fromkeys(names, sink.url)
    exporters["behind_401"] = sink.answering(401)
    exporters["behind_429"] = sink.answering(429)
    exporters["behind_nothing"] = f"http://127.0.0.1:{nobody}"
    configuration = _configuration(_receivers(ports, authority, certificate), exporters, metrics, health)
    file, log = folder / "config.json", folder / "log"
    file.write_text(json.dumps(configuration, indent=2))  # JSON is YAML

    listeners = {
        name: Listener(f"{host}:{http}", f"{host}:{grpc}")
        for name, (http, grpc) in ports.items()
        for host in (TLS if name in {"tls", "mtls"} else PLAIN,)
    }
    everything = [metrics, health, *(port for pair in ports.values() for port in pair)]
    with running([collector_binary, "--config", file], ready=lambda: listening(*everything), log=log):
        yield Collector(
            **listeners,
            credential=STACK,
            bearer_token=BEARER,
            authority=authority,
            client=authority.for_client(),
            metrics=f"{PLAIN}:{metrics}/metrics",
            health=f"{PLAIN}:{health}/",
            log=log,
            sink=sink,
        )


_NGINX = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 128; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type text/html;
{servers}
}}
"""

# As a proxy in front of a Collector is set up by many: the prefix is cut off, and the credential is asked for.
_OTLP = """\
        location /otlp/ {{
            auth_basic "OTLP";
            auth_basic_user_file {folder}/htpasswd;
            proxy_pass {http}/;
        }}
"""

_PLACES = """\
        location /page { return 200 "<!DOCTYPE html><title>Sign in</title><p>Sign in to go on.</p>"; }
        location /redirect { return 302 /login; }
        location /permanent-redirect { return 308 https://$host$request_uri; }
        location /limited { add_header Retry-After 7 always; return 429; }
        location /unavailable { add_header Retry-After "Fri, 31 Dec 2100 23:59:59 GMT" always; return 503; }
"""

_PROXIED = """\
        location /small/ {{ client_max_body_size 64; proxy_pass {http}/; }}
        location /down/ {{ proxy_pass http://127.0.0.1:{nobody}/; }}
"""

_GRPC = """\
        location / {{ grpc_pass {grpc}; }}
"""


def _server(listen: str, places: str, settings: str = "") -> str:
    return f"    server {{\n        listen 127.0.0.1:{listen};\n        {settings}\n{places}    }}"


def _tls(certificate: Certificate) -> str:
    return f"ssl_certificate {certificate.cert_file}; ssl_certificate_key {certificate.key_file};"


@pytest.fixture(scope="session")
def nginx(collector: Collector, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """An nginx with every place of `Nginx`, the Collector's plain listener behind it."""
    binary = program("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    good = authority.good()
    faulty = {
        "expired": authority.expired(),
        "not-yet-valid": authority.not_yet_valid(),
        "wrong-name": authority.wrong_name(),
        "untrusted": Authority.create(folder / "other", "another CA").good(),
        "mtls": good,
    }
    plain, tls, grpc, nobody, *rest = free_ports(4 + len(faulty))
    by_port = dict(zip(faulty, rest, strict=True))
    http, behind = collector.plain.http, collector.plain.grpc.replace("http://", "grpc://")
    otlp = _OTLP.format(folder=folder, http=http)
    proxied = _PROXIED.format(http=http, nobody=nobody)
    servers = [
        _server(f"{plain}", otlp + _PLACES + proxied),
        _server(f"{tls} ssl", otlp, _tls(good)),
        _server(f"{grpc} ssl http2", _GRPC.format(grpc=behind), _tls(good)),
    ]
    for name, certificate in faulty.items():
        wanted = f"ssl_client_certificate {authority.file}; ssl_verify_client on;" if name == "mtls" else ""
        servers.append(_server(f"{by_port[name]} ssl", otlp, f"{_tls(certificate)} {wanted}"))

    (folder / "htpasswd").write_text(f"{STACK.user}:{{PLAIN}}{STACK.password}\n")
    # Workers of root's nginx would be nobody, who may not look into a test's folder.
    user = "user root;" if os.geteuid() == 0 else ""
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(user=user, folder=folder, servers="\n".join(servers)))

    command: list[str | Path] = [binary, "-p", folder, "-e", folder / "error.log", "-c", file]
    ports = [plain, tls, grpc, *by_port.values()]
    with running(command, ready=lambda: listening(*ports), log=folder / "output.log"):
        base = f"{PLAIN}:{plain}"
        yield Nginx(
            otlp=f"{base}/otlp",
            otlp_tls=f"{TLS}:{tls}/otlp",
            otlp_tls_with={name: f"{TLS}:{port}/otlp" for name, port in by_port.items()},
            grpc_tls=f"{TLS}:{grpc}",
            otlp_plain_on_tls=f"{PLAIN}:{tls}/otlp",
            page=f"{base}/page",
            redirect=f"{base}/redirect",
            permanent_redirect=f"{base}/permanent-redirect",
            limited=f"{base}/limited",
            unavailable=f"{base}/unavailable",
            small=f"{base}/small",
            down=f"{base}/down",
            credential=STACK,
            authority=authority,
            client=authority.for_client(),
            log=folder / "error.log",
        )


@pytest.fixture(scope="session")
def moto_server() -> Iterator[Moto]:
    """A moto server in a process of its own, as real to boto3 as AWS is."""
    with serving_moto() as url:
        yield Moto(url, {**MOTO_VARIABLES, "AWS_ENDPOINT_URL": url})


@pytest.fixture
def moto(moto_server: Moto) -> Moto:
    """The moto server, with nothing in it."""
    assert ask(f"{moto_server.url}/moto-api/reset").status == 200
    return moto_server

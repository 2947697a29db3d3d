"""Judges endpoints: what a URL proves or suggests before anything is sent, and what a 404 turns out to be."""

from __future__ import annotations

from otelctl.catalog import endpoint as catalog
from otelctl.catalog import otlp as otlp_catalog
from otelctl.endpoint import (
    GRPC_PORT,
    Alternative,
    Endpoint,
    GrafanaHost,
    Variant,
    gateway_base,
    names_signal,
    signal_endpoint,
    without_signal,
)
from otelctl.facts import HttpAnswer, Signal
from otelctl.model import Certainty, Finding
from otelctl.settings import Setting, Source, SourceKind, set_command

CERTAIN, LIKELY = Certainty.CERTAIN, Certainty.LIKELY


def mend(source: Source, endpoint: Endpoint) -> str:
    """Return the command that puts a mended endpoint where the wrong one came from, or that tries it."""
    return set_command(source, endpoint.url, f"otelctl check-endpoint {endpoint.url}")


def judge_unreadable(setting: Setting[str], problem: str) -> tuple[Finding, ...]:
    """Return why a text is no URL; `problem` is the sentence of endpoint.EndpointError."""
    subject = str(setting.source)
    text = setting.value.strip()
    shown = "".join(char for char in text.rpartition("@")[2] if char.isprintable())[:100]
    if "no scheme" in problem:
        local = shown.startswith(("localhost", "127.", "[::1]")) or shown.partition(":")[2].startswith("4318")
        mended = f"{'http' if local else 'https'}://{shown}"
        command = set_command(setting.source, mended, f"otelctl check-endpoint {mended}")
        return (catalog.SCHEME_MISSING.found(CERTAIN, subject, url=shown, mend_command=command),)
    example = "https://otlp-gateway-ZONE.grafana.net/otlp"
    return (catalog.UNREADABLE.found(CERTAIN, subject, url=shown or "(empty)", problem=problem, example=example),)


def judge_endpoint(
    setting: Setting[str], endpoint: Endpoint, signal: Signal, *, per_signal: bool, credential: bool
) -> tuple[Finding, ...]:
    """Return what the URL shows before anything is sent.

    `per_signal` tells that it is used as it is; `credential` that one would go along. Findings that are not CERTAIN
    are suspicions: the answer decides.
    """
    subject, source = str(setting.source), setting.source
    posted = endpoint if per_signal else signal_endpoint(endpoint, signal)
    found: list[Finding] = []
    if endpoint.username is not None:
        found.append(catalog.USERINFO.found(CERTAIN, subject, url=endpoint.url))
    if endpoint.path.rstrip("/").endswith(("/api/prom/push", "/api/v1/push", "/api/v1/write")):
        found.append(catalog.PROMETHEUS_PATH.found(CERTAIN if endpoint.grafana is not GrafanaHost.NONE else LIKELY,
                                                   subject, url=endpoint.url))  # fmt: skip
        return tuple(found)
    if endpoint.grafana is GrafanaHost.GATEWAY:
        found += _judge_gateway(endpoint, posted, subject, source, per_signal=per_signal)
    elif endpoint.grafana is GrafanaHost.QUERY:
        zone = _zone_of_query_host(endpoint.host)
        right = f"https://otlp-gateway-{zone}.grafana.net/otlp"
        command = set_command(source, right, f"otelctl check-endpoint {right}")
        found.append(catalog.QUERY_HOST.found(LIKELY, subject, host=endpoint.host, mend_command=command))
    elif endpoint.grafana is GrafanaHost.STACK:
        found.append(catalog.UI_HOST.found(LIKELY, subject, host=endpoint.host))
    elif not per_signal and names_signal(endpoint.path):
        once = endpoint.with_path(without_signal(endpoint.path))
        found.append(
            catalog.PATH_DOUBLED.found(LIKELY, subject, posted=posted.url, mend_command=mend(source, once))
        )
    if not endpoint.tls and credential and not endpoint.private and not found:
        secure = gateway_base(endpoint) if endpoint.grafana is GrafanaHost.GATEWAY else _over_tls(endpoint)
        found.append(catalog.PLAINTEXT.found(CERTAIN, subject, url=endpoint.url, mend_command=mend(source, secure)))
    if endpoint.port == GRPC_PORT:
        other = endpoint.url.replace(f":{GRPC_PORT}", ":4318", 1)
        command = set_command(source, other, f"otelctl check-endpoint {other}")
        found.append(
            catalog.PORT_PROTOCOL.found(
                LIKELY, subject, port=GRPC_PORT, theirs="OTLP over gRPC", ours="HTTP", mend_command=command
            )
        )
    return tuple(found)


def _over_tls(endpoint: Endpoint) -> Endpoint:
    return Endpoint(
        "https", endpoint.host, endpoint.port if endpoint.port_written else 443, endpoint.path, endpoint.port_written
    )


def _zone_of_query_host(host: str) -> str:
    name = host.partition(".")[0]
    at = name.rfind("-prod-")
    return name[at + 1 :] if at > 0 else "ZONE"


def _judge_gateway(
    endpoint: Endpoint, posted: Endpoint, subject: str, source: Source, *, per_signal: bool
) -> list[Finding]:
    """Judge by the rules of Grafana Cloud's gateway, whose paths are known."""
    base = gateway_base(endpoint)
    right = base.with_path("/otlp" + posted.path[posted.path.rfind("/v1/") :]) if per_signal else base
    path = endpoint.path.rstrip("/")
    command = mend(source, right)
    if per_signal and not names_signal(path):
        right = signal_endpoint(base, next((s for s in Signal if s.value.upper() in source.name), Signal.TRACES))
        return [
            catalog.SIGNAL_PATH_MISSING.found(
                CERTAIN, subject, posted=posted.url, mend_command=mend(source, right)
            )
        ]
    if not path.startswith("/otlp"):
        return [catalog.OTLP_MISSING.found(CERTAIN, subject, posted=posted.url, mend_command=command)]
    if not per_signal and names_signal(path):
        # A whole signal URL given as an argument is what a person pastes; the variable is where it goes wrong.
        certainty = LIKELY if source.kind is SourceKind.ARGUMENT else CERTAIN
        return [catalog.PATH_DOUBLED.found(certainty, subject, posted=posted.url, mend_command=command)]
    return []


def judge_not_found(
    setting: Setting[str], endpoint: Endpoint, posted: Endpoint, working: Alternative | None, signal: Signal,
    tried: tuple[Alternative, ...],
) -> tuple[Finding, ...]:  # fmt: skip
    """Return what a 404 is, given the alternative that takes OTLP, if one was found; `tried` are all."""
    subject, source = str(setting.source), setting.source
    if working is None:
        names = ", ".join(dict.fromkeys(f"{one.posted.path}" for one in tried)) or "no other path was tried"
        text = f"these are not either: {names}" if tried else names
        return (
            catalog.NOTHING_THERE.found(CERTAIN, subject, posted=posted.url, tried=text, url=endpoint.url),
        )
    command = mend(source, working.value)
    if working.variant is Variant.OTHER_SIGNAL:
        return (
            otlp_catalog.UNIMPLEMENTED.found(
                CERTAIN, subject, posted=posted.url, works=working.posted.path, signal=signal.value, url=endpoint.url
            ),
        )
    if working.variant is Variant.OTLP_DROPPED:
        return (
            catalog.SELF_HOSTED_OTLP.found(
                CERTAIN, subject, posted=posted.url, works=working.posted.path, mend_command=command
            ),
        )
    row = {
        Variant.OTLP_ADDED: catalog.OTLP_MISSING,
        Variant.SIGNAL_ONCE: catalog.PATH_DOUBLED,
        Variant.SIGNAL_ADDED: catalog.SIGNAL_PATH_MISSING,
    }[working.variant]
    return (row.found(CERTAIN, subject, posted=posted.url, mend_command=command),)


def judge_zone(answer: HttpAnswer, text: str, endpoint: Endpoint, subject: str) -> tuple[Finding, ...]:
    """Return URL-ZONE-UNKNOWN for the answer that stands behind grafana.net's wildcard DNS: 530, `error code: 1016`."""
    if answer.status != 530 and b"error code: 1016" not in answer.body[:400]:
        return ()
    certainty = CERTAIN if endpoint.grafana is not GrafanaHost.NONE and answer.status == 530 else LIKELY
    return (catalog.ZONE_UNKNOWN.found(certainty, subject, host=endpoint.host, status=answer.status, text=text),)

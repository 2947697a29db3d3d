"""Judges settings before anything is sent."""

from __future__ import annotations

from otelctl.catalog import endpoint as endpoint_catalog
from otelctl.catalog import settings as catalog
from otelctl.endpoint import HTTP_PORT, Endpoint, GrafanaHost
from otelctl.model import Certainty, Finding
from otelctl.settings import Protocol, Setting, set_command

_OVER_HTTP = " --protocol http/protobuf"


def judge_protocol(protocol: Setting[str], endpoint: Endpoint | None) -> tuple[Finding, ...]:
    """Return what the protocol setting shows: an unknown word, or gRPC where HTTP is likely to be spoken."""
    subject = str(protocol.source)
    name = protocol.source.name
    if protocol.value not in set(Protocol):
        return (catalog.PROTOCOL_UNKNOWN.found(Certainty.CERTAIN, subject, variable=name, value=protocol.value[:40]),)
    if protocol.value != Protocol.GRPC:
        return ()
    if endpoint is not None and endpoint.grafana is GrafanaHost.GATEWAY:
        command = set_command(protocol.source, "http/protobuf", f"otelctl check-endpoint {endpoint.url}{_OVER_HTTP}")
        return (catalog.GRPC_GATEWAY.found(Certainty.LIKELY, subject, variable=name, mend_command=command),)
    if endpoint is not None and endpoint.port == HTTP_PORT:
        return (
            endpoint_catalog.PORT_PROTOCOL.found(
                Certainty.LIKELY,
                subject,
                port=HTTP_PORT,
                theirs="OTLP over HTTP",
                ours="grpc",
                mend_command=set_command(
                    protocol.source, "http/protobuf", f"otelctl check-endpoint {endpoint.url}{_OVER_HTTP}"
                ),
            ),
        )
    return ()


def judge_switches(disabled: Setting[str] | None, exporter: Setting[str] | None) -> tuple[Finding, ...]:
    """Return whether the SDK, or its exporter, is switched off (`true` alone is true; `none` alone is none)."""
    found: list[Finding] = []
    for setting, off in ((disabled, "true"), (exporter, "none")):
        if setting is not None and setting.value.strip().lower() == off:
            found.append(
                catalog.SDK_DISABLED.found(
                    Certainty.CERTAIN, str(setting.source), variable=setting.source.name, value=off
                )
            )
    return tuple(found)

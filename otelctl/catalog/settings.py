"""What goes wrong with settings before anything is sent."""

from __future__ import annotations

from otelctl.model import Diagnosis, Severity, Step

_SPEC = "https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"

SDK_DISABLED = Diagnosis(
    "CONF-SDK-DISABLED",
    "The SDK is switched off",
    Severity.WARNING,
    "{variable} is {value} here: an SDK with these settings exports nothing.",
    "It was left on after a test, or is meant for another environment.",
    (Step("Unset it.", "unset {variable}"),),
    (_SPEC,),
)
PROTOCOL_UNKNOWN = Diagnosis(
    "CONF-PROTOCOL-UNKNOWN",
    "The protocol is none that OTLP has",
    Severity.ERROR,
    "{variable} is {value}; OTLP knows grpc, http/protobuf and http/json.",
    "An SDK falls back to its own default or stops.",
    (Step("Set the protocol of Grafana Cloud's gateway.", "export {variable}=http/protobuf"),),
    (_SPEC,),
)
GRPC_GATEWAY = Diagnosis(
    "CONF-GRPC-GATEWAY",
    "gRPC is asked for where the gateway speaks HTTP",
    Severity.ERROR,
    "{variable} is grpc and the endpoint is Grafana Cloud's OTLP gateway.",
    "The gateway takes OTLP over HTTP. A gRPC exporter drops the path /otlp and fails in the handshake.",
    (Step("Use HTTP.", "{mend_command}"),),
    ("https://grafana.com/docs/grafana-cloud/send-data/otlp/send-data-otlp/",),
)
GRPC_NOT_PROBED = Diagnosis(
    "CONF-GRPC-NOT-PROBED",
    "gRPC is asked for, and not probed by otelctl",
    Severity.UNKNOWN,
    "{variable} is grpc; this version of otelctl sends OTLP over HTTP only, and so can't tell.",
    "A gRPC receiver listens on another port, usually 4317.",
    (
        Step(
            "If the receiver takes HTTP as well (usually on 4318), check that.",
            "otelctl check-endpoint {url} --protocol http/protobuf",
        ),
    ),
    (_SPEC,),
    retired=True,
)
PROTOCOL_DIFFERS = Diagnosis(
    "CONF-PROTOCOL-DIFFERS",
    "The port speaks another protocol than is asked for",
    Severity.ERROR,
    "{variable} asks for {asked}; {address} speaks {spoken}.",
    "An exporter with these settings fails on this port. The checks that follow speak what the port speaks.",
    (Step("Ask for what the port speaks.", "{mend_command}"),),
    (_SPEC,),
)

ROWS = (SDK_DISABLED, PROTOCOL_UNKNOWN, GRPC_GATEWAY, GRPC_NOT_PROBED, PROTOCOL_DIFFERS)

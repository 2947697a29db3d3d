"""Who sends what is made to be sent: the resource of every signal is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otelctl import __version__

if TYPE_CHECKING:
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource


def describe_sender(resource: Resource, service: str) -> None:
    """Fill in the attributes of a resource: the service by its name, and otelctl as the SDK."""
    # The SDK's name is our own, as the semantic conventions ask of everything but the official SDKs.
    for key, value in (
        ("service.name", service),
        ("telemetry.sdk.name", "otelctl"),
        ("telemetry.sdk.language", "python"),
        ("telemetry.sdk.version", __version__),
    ):
        resource.attributes.add(key=key).value.string_value = value

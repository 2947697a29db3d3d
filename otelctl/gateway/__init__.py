"""The embedded gateway: Grafana Cloud's OTLP gateway as seen from a client, on loopback, for demo, rehearsal and tests.

What it answers follows recorded answers and field reports, each named where it is used; what it takes it decodes and
keeps, so that a sender can be shown what arrived.
"""

from otelctl.gateway.auth import Tenant, invent_credential
from otelctl.gateway.server import Gateway, Partial, Received

__all__ = ["Gateway", "Partial", "Received", "Tenant", "invent_credential"]

"""Who may send: the judgement of an Authorization header, with the texts of Grafana Cloud's 401.

The texts are Grafana's own, as the field reports them; which cause has which text is as those reports say. None is
specified, so where reports differ the reading that fits most of them is taken.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from otelctl.secret import Secret
from otelctl.settings import Signal

NONE_SENT = "no credentials provided"
LEGACY = "legacy auth cannot be upgraded because the host is not found"
UNKNOWN_PAIR = "invalid authentication credentials"
INVALID_TOKEN = "invalid token"  # noqa: S105 - the text of an answer
INVALID_SCOPE = "invalid scope requested"

# A service account's token, and a legacy API key: the base64 of {"k": …
_LEGACY_TOKENS = (b"glsa_", b"eyJrIjoi")


@dataclass(frozen=True, slots=True)
class Tenant:
    """One stack: its numeric instance id, an access policy token of it, and what the token may do.

    `scopes` are the signals that it may write, `reads` those that it may read. One id serves for both here, where
    Grafana Cloud has another for reading.
    """

    instance_id: str
    token: Secret
    scopes: frozenset[Signal] = frozenset(Signal)
    reads: frozenset[Signal] = frozenset(Signal)


def judge(authorization: str | None, tenants: Sequence[Tenant]) -> Tenant | str:
    """Return whom an Authorization header names, or the text of the refusal.

    Every tenant is compared in constant time, so that the answer's delay tells nothing of a credential.
    """
    scheme, _, value = (authorization or "").strip().partition(" ")
    if not value.strip():
        # A token alone is looked up in the old way; anything else without a scheme counts as nothing sent, as does
        # `Basic%20…`.
        bare = scheme.encode("latin-1", "replace")
        return LEGACY if bare.startswith((b"glc_", *_LEGACY_TOKENS)) else NONE_SENT
    if scheme.lower() == "bearer":
        return LEGACY
    if scheme.lower() != "basic":
        return NONE_SENT
    try:
        pair = base64.b64decode(value.strip().encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return NONE_SENT  # what does not parse as Basic is no credential (RFC 7617)
    instance_id, colon, token = pair.partition(b":")
    if not colon:
        return NONE_SENT
    if token.startswith(_LEGACY_TOKENS):
        return LEGACY
    return _match(instance_id, token, tenants)


def _match(instance_id: bytes, token: bytes, tenants: Sequence[Tenant]) -> Tenant | str:
    found: Tenant | None = None
    known_instance = False
    for tenant in tenants:
        same_instance = hmac.compare_digest(instance_id, tenant.instance_id.encode())
        same_token = hmac.compare_digest(token, tenant.token.reveal().encode())
        known_instance |= same_instance
        if same_instance & same_token:
            found = tenant
    if found is not None:
        return found
    return INVALID_TOKEN if known_instance and token.startswith(b"glc_") else UNKNOWN_PAIR


def invent_credential(entropy: Callable[[int], bytes], *, region: str = "prod-local-0") -> Tenant:
    """Return a stack that never was, with a well-formed access policy token of it; `entropy(n)` gives n random bytes.

    The token is `glc_` and the base64 of {"o": org, "n": name, "k": secret, "m": {"r": region}}.
    """
    number = int.from_bytes(entropy(4), "big")
    claims = {
        "o": str(100_000 + number % 900_000),
        "n": "otelctl-invented",
        "k": base64.b64encode(entropy(18)).decode(),
        "m": {"r": region},
    }
    packed = base64.b64encode(json.dumps(claims, separators=(",", ":")).encode()).decode()
    return Tenant(str(1_000_000 + number // 900_000 * 7 % 9_000_000), Secret(f"glc_{packed}"))
